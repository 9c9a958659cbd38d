//! Claims by the thousand: the money of one recorded cycle, from its approval to its payment, under fresh ids. The copies
//! are whole as a book: accounts, balances, postings and monthly sums. Their events have no chains.

use chrono::Datelike;
use domain::cycle::Stage;
use domain::ids::{CycleId, FundId, PartnerId};
use domain::ledger::{Account, AccountKind};
use domain::{Date, Instant};
use kit::World;
use kit::people::MARA;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement, Value};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A step of a recorded claim: its event and from which kind of account to which it moves the money.
struct Step {
    kind: String,
    words: String,
    from: AccountKind,
    to: AccountKind,
}

/// A claim whose payment is still to come.
struct Open {
    cycle: CycleId,
    fund: FundId,
    partner: PartnerId,
    lot: Option<Date>,
    minor: i64,
}

/// Writes claims behind the program's back, and sums postings by itself.
pub struct Books {
    db: DatabaseConnection,
    steps: Vec<Step>,
    open: Vec<Open>,
    dice: StdRng,
    serial: u128,
}

/// Rows on their way.
#[derive(Default)]
struct Rows {
    accounts: BTreeMap<Uuid, (Account, i64)>,
    events: Vec<Vec<Value>>,
    postings: Vec<Vec<Value>>,
    months: BTreeMap<(FundId, AccountKind), i64>,
}

impl Books {
    /// One cycle goes the whole way through the engine; what its money did is what the copies' does.
    pub async fn recorded(world: &World) -> Self {
        let number = world.cycle_in(Stage::ExecutionLive, MARA, 4_000).await;
        world.days_pass(53).await;
        world.prove(&number, MARA).await;
        world.claim(&number, MARA).await;
        world.settle(&number).await;
        let db = world.connect().await;
        let mut books = Self { db, steps: Vec::new(), open: Vec::new(), dice: StdRng::seed_from_u64(2026), serial: 0 };
        let cycle = world.look(&number).await.cycle.id.0;
        let approved = "SELECT e.kind, e.words, f.kind AS from_kind, t.kind AS to_kind FROM posting x
                        JOIN event e ON e.id = x.event_id JOIN account f ON f.id = x.from_id JOIN account t ON t.id = x.to_id
                        WHERE e.stream = $1 ORDER BY e.seq, x.n";
        let rows = books.all(approved, vec![cycle.into()]).await;
        let step = |row: &QueryResult| Step {
            kind: row.try_get("", "kind").expect("a kind"),
            words: row.try_get("", "words").expect("words"),
            from: kind_of(row, "from_kind"),
            to: kind_of(row, "to_kind"),
        };
        books.steps = rows.iter().map(step).filter(|step| step.to != AccountKind::Available).collect();
        books
    }

    /// The claims of one month: approved, claimed, and paid, every tenth of them in the month after.
    pub async fn pay(
        &mut self,
        funds: &[(FundId, String)],
        partners: &[PartnerId],
        (first, lot): (Date, Option<Date>),
        count: usize,
    ) {
        let mut rows = Rows::default();
        let at = |day: u64| (first + chrono::Days::new(day)).and_hms_opt(10, 0, 0).expect("a time").and_utc();
        for open in std::mem::take(&mut self.open) {
            self.step(&mut rows, &open, 3, at(2));
        }
        for n in 0..count {
            self.serial += 1;
            let open = Open {
                cycle: CycleId(Uuid::from_u128(0xa_0000_0000_0000_0000 + self.serial)),
                fund: funds[n % funds.len()].0,
                partner: partners[self.dice.random_range(0..partners.len())],
                lot,
                minor: self.dice.random_range(100..2_500),
            };
            let day = self.dice.random_range(3..20);
            for (seq, after) in [(1, 0), (2, 3), (3, 7)] {
                if seq == 3 && n % 10 == 0 {
                    break;
                }
                self.step(&mut rows, &open, seq, at(day + after));
            }
            if n % 10 == 0 {
                self.open.push(open);
            }
        }
        self.write(rows, first).await;
    }

    fn step(&self, rows: &mut Rows, open: &Open, seq: u16, at: Instant) {
        let Open { cycle, fund, partner, lot, minor } = *open;
        let account = |kind: AccountKind| match kind {
            AccountKind::Committed => Account::committed(fund, partner, cycle, 1, lot),
            AccountKind::Claimed => Account::claimed(fund, partner, cycle, 1),
            AccountKind::Paid => Account::paid(fund, partner, cycle, 1),
            _ => Account::available(fund, partner, lot),
        };
        let (from, to) = match seq {
            1 => (AccountKind::Available, AccountKind::Committed),
            2 => (AccountKind::Committed, AccountKind::Claimed),
            _ => (AccountKind::Claimed, AccountKind::Paid),
        };
        let model = self.steps.iter().find(|step| (step.from, step.to) == (from, to));
        let Step { kind, words, .. } = model.expect("the recorded cycle's money went this way");
        let event =
            Uuid::from_u128(0xb_0000_0000_0000_0000_0000 + ((cycle.0.as_u128() & 0xffff_ffff) << 4) + u128::from(seq));
        rows.events.push(vec![
            event.into(),
            cycle.0.into(),
            "cycle".into(),
            i64::from(seq).into(),
            partner.0.into(),
            at.into(),
            Uuid::nil().into(),
            "The year".into(),
            kind.clone().into(),
            words.clone().into(),
            false.into(),
            "{}".into(),
            "".into(),
            "".into(),
            event.to_string().into(),
        ]);
        let (from, to) = (account(from), account(to));
        for (account, change) in [(from, -minor), (to, minor)] {
            rows.accounts.entry(account.id()).or_insert((account, 0)).1 += change;
            *rows.months.entry((fund, account.kind)).or_default() += change;
        }
        let (from, to) = (from.id().into(), to.id().into());
        let sum = [minor.into(), "EUR".into(), fund.0.into(), partner.0.into(), at.into()];
        rows.postings.push([event.into(), 1_i32.into(), from, to].into_iter().chain(sum).collect());
    }

    async fn write(&self, rows: Rows, first: Date) {
        self.run("BEGIN").await;
        let (old, new): (Vec<_>, Vec<_>) =
            rows.accounts.into_values().partition(|(account, _)| account.kind == AccountKind::Available);
        for (account, change) in old {
            let sql = "UPDATE account SET balance = balance + $2 WHERE id = $1";
            self.execute(sql, vec![account.id().into(), change.into()]).await;
        }
        let account = |(account, change): (Account, i64)| -> Vec<Value> {
            vec![
                account.id().into(),
                account.kind.code().into(),
                account.fund.0.into(),
                account.partner.map(|id| id.0).into(),
                account.cycle.map(|id| id.0).into(),
                account.item.map(i32::from).into(),
                account.lot.into(),
                "EUR".into(),
                change.into(),
            ]
        };
        let add = "ON CONFLICT (id) DO UPDATE SET balance = account.balance + excluded.balance";
        // What the months before left open is emptied; the CHECK looks at the row to insert as well.
        let (down, up): (Vec<_>, Vec<_>) = new.into_iter().partition(|(_, change)| *change < 0);
        for (account, change) in down {
            let sql = "UPDATE account SET balance = balance + $2 WHERE id = $1";
            self.execute(sql, vec![account.id().into(), change.into()]).await;
        }
        let columns = "account (id, kind, fund_id, partner_id, cycle_id, item, lot, currency, balance)";
        self.insert(columns, add, up.into_iter().map(account).collect()).await;
        let columns = "event (id, stream, stream_kind, seq, partner_id, at, actor_id, actor_name, kind, words, quiet,
                       payload, state_hash, prev_hash, hash)";
        self.insert(columns, "", rows.events).await;
        let columns = "posting (event_id, n, from_id, to_id, amount, currency, fund_id, partner_id, at)";
        self.insert(columns, "", rows.postings).await;
        let month = first.with_day(1).expect("every month has a first");
        let months = rows.months.into_iter().map(|((fund, kind), net)| -> Vec<Value> {
            vec![fund.0.into(), month.into(), kind.code().into(), net.into()]
        });
        let add = "ON CONFLICT (fund_id, month, kind) DO UPDATE SET net = fund_month.net + excluded.net";
        self.insert("fund_month (fund_id, month, kind, net)", add, months.collect()).await;
        self.run("COMMIT").await;
    }

    /// A fund's balances at the end of a day, from its postings alone; what was paid as one line a partner.
    pub async fn sums_of_postings(&self, fund: FundId, last: Date) -> Vec<(AccountKind, String, Option<Date>, i64)> {
        let end = (last + chrono::Days::new(1)).and_hms_opt(0, 0, 0).expect("midnight").and_utc();
        let sql = "SELECT kind, name, lot, CAST(SUM(change) AS bigint) AS amount FROM (
                     SELECT a.kind, p.name, a.lot, CASE WHEN a.kind = 'paid' THEN NULL ELSE a.id END AS id, x.amount AS change
                     FROM posting x JOIN account a ON a.id = x.to_id LEFT JOIN partner p ON p.id = a.partner_id
                     WHERE x.fund_id = $1 AND x.at < $2
                     UNION ALL
                     SELECT a.kind, p.name, a.lot, CASE WHEN a.kind = 'paid' THEN NULL ELSE a.id END AS id, -x.amount AS change
                     FROM posting x JOIN account a ON a.id = x.from_id LEFT JOIN partner p ON p.id = a.partner_id
                     WHERE x.fund_id = $1 AND x.at < $2
                   ) s GROUP BY kind, name, lot, id HAVING SUM(change) <> 0";
        let rows = self.all(sql, vec![fund.0.into(), end.into()]).await;
        let read = |row: &QueryResult| {
            let name: Option<String> = row.try_get("", "name").expect("a name");
            let lot: Option<Date> = row.try_get("", "lot").expect("a day");
            (kind_of(row, "kind"), name.unwrap_or_default(), lot, row.try_get("", "amount").expect("a sum"))
        };
        let mut told: Vec<_> = rows.iter().map(read).collect();
        told.sort_unstable();
        told
    }

    /// Postings of a fund between two days.
    pub async fn count(&self, fund: FundId, (first, last): (Date, Date)) -> i64 {
        let at = |day: Date| day.and_hms_opt(0, 0, 0).expect("midnight").and_utc();
        let sql = "SELECT CAST(COUNT(*) AS bigint) AS n FROM posting WHERE fund_id = $1 AND at >= $2 AND at < $3";
        let until = at(last + chrono::Days::new(1));
        let rows = self.all(sql, vec![fund.0.into(), at(first).into(), until.into()]).await;
        rows[0].try_get("", "n").expect("a count")
    }

    /// PostgreSQL's own housekeeper would come round by and by; here it comes at once.
    pub async fn settle_down(&self, world: &World) {
        self.run(if world.kind == kit::Kind::Postgres { "VACUUM (ANALYZE)" } else { "ANALYZE" }).await;
    }

    async fn insert(&self, into: &str, tail: &str, rows: Vec<Vec<Value>>) {
        for chunk in rows.chunks(1_000) {
            let (mut values, mut places) = (Vec::new(), Vec::new());
            for row in chunk {
                let marks: Vec<String> = (1..=row.len()).map(|n| format!("${}", values.len() + n)).collect();
                places.push(format!("({})", marks.join(", ")));
                values.extend(row.iter().cloned());
            }
            self.execute(&format!("INSERT INTO {into} VALUES {} {tail}", places.join(", ")), values).await;
        }
    }

    async fn all(&self, sql: &str, values: Vec<Value>) -> Vec<QueryResult> {
        let statement = Statement::from_sql_and_values(self.db.get_database_backend(), sql, values);
        self.db.query_all_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    async fn execute(&self, sql: &str, values: Vec<Value>) {
        let statement = Statement::from_sql_and_values(self.db.get_database_backend(), sql, values);
        self.db.execute_raw(statement).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn run(&self, sql: &str) {
        self.db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
}

fn kind_of(row: &QueryResult, column: &str) -> AccountKind {
    let code: String = row.try_get("", column).expect("a kind");
    AccountKind::from_code(&code).expect("a kind of account")
}
