//! A year of a program, closed month by month: `bench/year`.
//!
//! Two thousand partners earn on what they buy, imported through the engine month by month; twenty thousand claims are paid
//! from it, each the money of one recorded cycle under fresh ids; every fund's period is closed through the engine. Then:
//!
//! - the balances of every fund at every month's end are those its postings alone come to;
//! - `verify::ledger` finds nothing;
//! - what a closing and a statement cost in the twelfth month stands beside what they cost in the first, and beside how many
//!   postings each month has. The program has run for some months before its year begins, so that credit expires in the
//!   first month as it does in the twelfth, and the months differ by the history behind them alone.

mod claims;

use std::fmt::Write;
use std::process::ExitCode;
use std::time::{Duration, Instant as Stopwatch};

use chrono::{Days, Months};
use claims::Books;
use domain::Date;
use domain::fund::{FundCommand, FundKind};
use domain::ids::{FundId, PartnerId};
use domain::ledger::AccountKind;
use domain::money::Currency;
use engine::programs::NewProgram;
use engine::{NewFund, Submission, WhichFund};
use kit::people::{DACH, NORDWIND, SAM, TOMAS, day};
use kit::{Database, Kind, World};
use storage::Viewer;
use storage::read::MovementsOf;
use storage::rows::PartnerRow;
use uuid::Uuid;

/// Partners and claims a year.
const SIZE: [usize; 2] = [2_000, 20_000];
/// Several funds of one kind, so that a closing is measured several times a month.
const FUNDS: usize = 5;
const MONTHS: u32 = 12;
/// Months the program has run before the year begins: after them each month earns, pays, forfeits and carries over alike.
const RUN_IN: u32 = 5;
/// How often each statement is asked for, by turns with the others.
const ROUNDS: usize = 9;

fn main() -> ExitCode {
    let asked: Vec<usize> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let [partners, claims] = if let [partners, claims] = asked[..] { [partners, claims] } else { SIZE };
    kit::runtime().block_on(async {
        let mut sound = true;
        for kind in [Kind::Sqlite, Kind::Postgres] {
            sound &= Box::pin(year(kind, partners, claims)).await;
        }
        if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}

/// One database's year.
struct Year {
    world: World,
    books: Books,
    funds: Vec<(FundId, String)>,
    partners: Vec<PartnerId>,
    months: Vec<Month>,
}

/// What was measured of one month.
struct Month {
    last: Date,
    /// Made in the month, and by its closing.
    postings: i64,
    made: i64,
    rows: usize,
    check: Duration,
    close: Duration,
    statement: Duration,
    wallet: Duration,
    from_postings: Duration,
}

async fn year(kind: Kind, partners: usize, claims: usize) -> bool {
    let Some(database) = Database::fresh(kind).await else { return true };
    let begun = Stopwatch::now();
    let mut year = Year::start(World::at(database, "http://fundloop.example").await, partners).await;
    for month in 0..RUN_IN + MONTHS {
        let lived = year.live(month, claims / MONTHS as usize).await;
        let after = begun.elapsed().as_secs();
        if month < RUN_IN {
            eprintln!("{kind:?}: month {} of {RUN_IN} before the year after {after} s", month + 1);
        } else {
            year.months.push(lived);
            eprintln!("{kind:?}: month {} of {MONTHS} after {after} s", month + 1 - RUN_IN);
        }
    }
    year.ask_statements().await;
    let wrong = year.compare().await;
    let findings = storage::verify::ledger(&year.world.db).await.expect("the ledger can be read");
    year.print(kind, partners, claims);
    println!("  month ends reproduced from postings alone: {}", if wrong == 0 { "all" } else { "NOT all" });
    println!("  ledger verify: {} findings", findings.len());
    findings.iter().take(5).for_each(|finding| println!("    {finding:?}"));
    wrong == 0 && findings.is_empty()
}

/// The first guide's rules, and credit in months: an eighth is under the threshold, a quarter of what expires goes on.
fn guide() -> String {
    let mut guide = engine::catalog::GUIDES[0].1.to_owned();
    guide.push_str("\n[earning]\nrate = \"1.00\"\nthreshold = \"1000\"\nbelow = \"convert\"\n");
    for fund in 1..=FUNDS {
        guide += "[[earning.split]]\nshare = \"0.20\"\nfund = \"YEAR-";
        guide += &fund.to_string();
        guide += "\"\n";
    }
    guide.push_str("[use]\ndays_after_period = 45\nperiod = \"month\"\ncarry_over = \"0.25\"\n");
    guide
}

/// The first day of a month, counted from the first one the program runs.
fn first_of(month: u32) -> Date {
    day(2026, 4, 1) + Months::new(month)
}

impl Year {
    async fn start(world: World, count: usize) -> Self {
        let books = Books::recorded(&world).await;
        world.clock.set(noon(first_of(0)));
        let new = NewProgram { code: "YEAR".to_owned(), name: "The year".to_owned(), guide: guide() };
        world.engine.open_program(&SAM.actor(), &new, &Submission::own()).await.expect("the program starts");
        let programs = world.engine.reader().programs(&Viewer::system()).await.expect("programs");
        let program = programs.iter().find(|program| program.code == "YEAR").expect("just started").id;
        for fund in 1..=FUNDS {
            let (code, kind) = (format!("YEAR-{fund}"), FundKind::Accrual);
            let new = NewFund { name: code.clone(), code, program, parent: None, kind, currency: Currency::EUR };
            world.engine.open_fund(&TOMAS.actor(), &new, &Submission::own()).await.expect("the fund opens");
        }
        let (funds, _) = world.engine.reader().funds(&Viewer::system()).await.expect("funds");
        let funds = funds.into_iter().filter(|fund| fund.program == program).map(|fund| (fund.id, fund.code));
        let row = |n: usize| PartnerRow {
            id: PartnerId(Uuid::from_u128(0x9_0000_0000_0000_0000 + n as u128)),
            name: format!("Partner {n} GmbH"),
            region: DACH.to_owned(),
            domain: Some(format!("partner-{n}.example")),
            ..NORDWIND.row()
        };
        let rows: Vec<PartnerRow> = (0..count).map(row).collect();
        let written = world.db.write(async |tx| {
            for row in &rows {
                tx.insert_partner(row).await?;
            }
            Ok::<_, storage::Error>(())
        });
        written.await.expect("partners move in");
        let partners = rows.iter().map(|row| row.id).collect();
        Self { funds: funds.collect(), books, partners, months: Vec::new(), world }
    }

    /// A month passes: purchases, claims, and the closing on the second day of the next.
    async fn live(&mut self, month: u32, claims: usize) -> Month {
        let first = first_of(month);
        let last = first + Months::new(1) - Days::new(1);
        self.world.clock.set(noon(first));
        self.buy(month).await;
        let lot = Some(last + Days::new(45));
        self.books.pay(&self.funds, &self.partners, (first, lot), claims).await;
        self.world.clock.set(noon(last + Days::new(2)));
        let (mut checks, mut closes) = (Vec::new(), Vec::new());
        for (_, code) in &self.funds {
            let watch = Stopwatch::now();
            self.world.engine.period_ahead(&Viewer::system(), code).await.expect("the check page");
            checks.push(watch.elapsed());
            let (finance, command) = (TOMAS.actor(), FundCommand::ClosePeriod { until: last });
            let watch = Stopwatch::now();
            let done = self.world.engine.fund(&finance, WhichFund::Code(code), &command, &Submission::own()).await;
            closes.push(watch.elapsed());
            done.unwrap_or_else(|error| panic!("{code} until {last}: {error:?}"));
        }
        let zero = Duration::ZERO;
        Month {
            last,
            postings: self.books.count(self.funds[0].0, (first, last)).await,
            made: self.books.count(self.funds[0].0, (last + Days::new(2), last + Days::new(2))).await,
            rows: 0,
            check: median(checks),
            close: median(closes),
            statement: zero,
            wallet: zero,
            from_postings: zero,
        }
    }

    /// Every partner buys once a month; every eighth too little for the threshold.
    async fn buy(&self, month: u32) {
        let on = first_of(month);
        let mut file = "Invoice number,Partner,Invoice date,Amount,Currency\n".to_owned();
        for n in 0..self.partners.len() {
            let units = if n % 8 == month as usize % 8 { 900 } else { 1_500 + (n * 37 + month as usize * 101) % 4_000 };
            writeln!(file, "M{month}-{n},partner-{n}.example,{on},{units}.00,EUR").expect("a text takes it");
        }
        let upload = engine::files::Upload { name: format!("purchases-{month}.csv"), bytes: file.into_bytes() };
        let said = engine::imports::run::Said { program: Some("YEAR".to_owned()), ..Default::default() };
        let kind = engine::imports::fields::Kind::Sales;
        let (done, _) =
            self.world.engine.import_file(&TOMAS.actor(), kind, &upload, &said, false).await.expect("imported");
        assert_eq!(done.added as usize, self.partners.len(), "{:?}", done.errors.first());
    }

    /// Statements as of every month's end, by turns; and the same sums from postings alone, for comparison.
    async fn ask_statements(&mut self) {
        self.books.settle_down(&self.world).await;
        let (reader, viewer, fund) = (self.world.engine.reader(), Viewer::system(), self.funds[0].0);
        let mut times = vec![[const { Vec::new() }; 3]; self.months.len()];
        for round in 0..ROUNDS {
            let partner = self.partners[round * self.partners.len() / ROUNDS];
            for (month, times) in self.months.iter_mut().zip(&mut times) {
                let watch = Stopwatch::now();
                let lines =
                    reader.accounts_on(&viewer, MovementsOf::Fund(fund), month.last).await.expect("a statement");
                times[0].push(watch.elapsed());
                month.rows = lines.len();
                let watch = Stopwatch::now();
                reader.accounts_on(&viewer, MovementsOf::Partner(partner), month.last).await.expect("a statement");
                times[1].push(watch.elapsed());
                let watch = Stopwatch::now();
                self.books.sums_of_postings(fund, month.last).await;
                times[2].push(watch.elapsed());
            }
        }
        for (month, [statement, wallet, alone]) in self.months.iter_mut().zip(times) {
            (month.statement, month.wallet, month.from_postings) = (median(statement), median(wallet), median(alone));
        }
    }

    /// How many funds' month ends are not what their postings alone come to.
    async fn compare(&self) -> usize {
        let (reader, viewer) = (self.world.engine.reader(), Viewer::system());
        let mut wrong = 0;
        for (fund, code) in &self.funds {
            for month in &self.months {
                let lines =
                    reader.accounts_on(&viewer, MovementsOf::Fund(*fund), month.last).await.expect("a statement");
                let mut told: Vec<(AccountKind, String, Option<Date>, i64)> = lines
                    .into_iter()
                    .map(|line| (line.kind, line.partner.unwrap_or_default(), line.lot, line.amount.minor))
                    .collect();
                told.sort_unstable();
                if told != self.books.sums_of_postings(*fund, month.last).await {
                    println!("  {code} at the end of {} is not what its postings come to", month.last);
                    wrong += 1;
                }
            }
        }
        wrong
    }

    fn print(&self, kind: Kind, partners: usize, claims: usize) {
        let name = if kind == Kind::Sqlite { "SQLite" } else { "PostgreSQL" };
        println!(
            "\n{name}: {partners} partners, {claims} claims, {FUNDS} funds; medians in milliseconds, of one fund\n"
        );
        println!(
            "  month       postings  closing's  lines  check page    close  statement  partner's  from postings alone"
        );
        let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
        for month in &self.months {
            println!(
                "  {:<10} {:>9} {:>10} {:>6} {:>11.1} {:>8.1} {:>10.1} {:>10.2} {:>20.1}",
                month.last.format("%Y-%m"),
                month.postings,
                month.made,
                month.rows,
                ms(month.check),
                ms(month.close),
                ms(month.statement),
                ms(month.wallet),
                ms(month.from_postings)
            );
        }
        let (Some(first), Some(last)) = (self.months.first(), self.months.last()) else { return };
        let count = |postings: i64| f64::from(u32::try_from(postings.max(1)).expect("a count"));
        let grown = |now: i64, then: i64| count(now) / count(then);
        let ratio = |of: fn(&Month) -> Duration| of(last).as_secs_f64() / of(first).as_secs_f64();
        println!(
            "\n  month 12 over month 1: postings {:.2} (with the closing's own {:.2}), close {:.2}, check page {:.2}, statement {:.2}, partner's statement {:.2}; from postings alone {:.2}",
            grown(last.postings, first.postings),
            grown(last.postings + last.made, first.postings + first.made),
            ratio(|month| month.close),
            ratio(|month| month.check),
            ratio(|month| month.statement),
            ratio(|month| month.wallet),
            ratio(|month| month.from_postings)
        );
    }
}

fn noon(day: Date) -> domain::Instant {
    day.and_hms_opt(12, 0, 0).expect("noon is a time").and_utc()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
