//! From one real cycle a stage to very many: rows copied by SQL under fresh ids and numbers, with everything that hangs
//! on them in proportion. The copies are there to be walked past and looked at. Their documents, balances and figures
//! are whole; their chains are those of the models and would not verify.

use chrono::{Days, Months};
use domain::Date;
use domain::cycle::{Cycle, Stage};
use domain::ids::{FundId, PartnerId, UserId};
use domain::ledger::{Account, AccountKind};
use kit::people::{DACH, MARA, NORDWIND, NORTH, day};
use kit::{Database, Kind, World};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, Value};
use storage::rows::{PartnerRow, User};
use uuid::Uuid;

use crate::models::MIX;

/// Numbers below are the models'.
const FIRST_SERIAL: i64 = 1_000;
/// A partner has about so many cycles, over four years of quarters.
const CYCLES_A_PARTNER: usize = 50;
const QUARTERS: u32 = 16;
const TACTICS: [&str; 8] =
    ["webinar", "event", "email", "telemarketing", "paid_social", "search_ads", "content_syndication", "workshop"];

/// A partner with one person who asks.
#[derive(Clone)]
pub struct Asker {
    pub partner: PartnerId,
    pub user: User,
    region: &'static str,
}

/// One copy of a model, as it is to be.
#[derive(Clone)]
pub struct Copied {
    pub id: Uuid,
    pub number: String,
    pub stage: Stage,
    pub region: &'static str,
    of: Uuid,
    serial: i64,
    partner: PartnerId,
    quarter: Date,
    due: Date,
    tactic: &'static str,
    wallet: Uuid,
}

/// What is in the database now.
pub struct Crowd {
    pub cycles: Vec<Copied>,
    /// Requests nobody has touched yet, a list for each of several askers.
    pub prepared: Vec<(Asker, Vec<Copied>)>,
}

/// Makes `count` cycles of the models, and beside them `each` untouched requests for each of `askers` partners.
pub async fn multiply(world: &World, models: &[Cycle], count: usize, (askers, each): (usize, usize)) -> Crowd {
    let people = partners(world, (count / CYCLES_A_PARTNER).max(2 * askers)).await;
    let cycles: Vec<Copied> = (0..count).map(|index| crowd_member(models, &people, world.fund, index)).collect();
    let ready = &models[MIX.iter().position(|(stage, _)| *stage == Stage::RequestDraft).expect("a model of it")];
    let near = people.iter().filter(|asker| asker.region == DACH).take(askers);
    let mut next = count;
    let prepared: Vec<(Asker, Vec<Copied>)> = near
        .map(|asker| {
            let own = (next..next + each).map(|index| copy(ready, asker, world.fund, index)).collect();
            next += each;
            (asker.clone(), own)
        })
        .collect();
    // SQLite leaves its write-ahead log only where nobody else is connected.
    world.db.clone().close().await.expect("the database closes");
    let everything: Vec<&Copied> = cycles.iter().chain(prepared.iter().flat_map(|(_, own)| own)).collect();
    let grower = Grower { db: world.connect().await, kind: world.kind };
    grower.prepare(models, &everything, &people, world.fund).await;
    grower.fill().await;
    grower.finish().await;
    Crowd { cycles, prepared }
}

/// A fixed sequence that looks random.
fn scatter(index: usize, salt: u64) -> usize {
    let mixed = (u64::try_from(index).expect("a count") + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) ^ salt;
    usize::try_from(mixed.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 40).expect("24 bits")
}

fn crowd_member(models: &[Cycle], people: &[Asker], fund: FundId, index: usize) -> Copied {
    let mut point = scatter(index, 1) % 100;
    let model = MIX.iter().position(|(_, share)| {
        let here = point < *share;
        point = point.saturating_sub(*share);
        here
    });
    let quarter = u32::try_from(scatter(index, 2)).expect("24 bits") % QUARTERS;
    let days = u64::try_from(scatter(index, 3)).expect("24 bits") % 60;
    Copied {
        quarter: day(2026, 4, 1) - Months::new(3 * quarter),
        due: day(2026, 3, 1) + Days::new(days),
        tactic: TACTICS[scatter(index, 4) % TACTICS.len()],
        ..copy(&models[model.expect("the mix is of a hundred")], &people[index % people.len()], fund, index)
    }
}

fn copy(model: &Cycle, asker: &Asker, fund: FundId, index: usize) -> Copied {
    let serial = FIRST_SERIAL + i64::try_from(index).expect("a count");
    let wallet = wallet_of(asker.partner, fund);
    Copied {
        id: fresh_id(serial),
        number: format!("C-2026-{serial:04}"),
        stage: model.stage,
        region: asker.region,
        of: model.id.0,
        serial,
        partner: asker.partner,
        quarter: model.period.from,
        due: model.period.from,
        tactic: "webinar",
        wallet,
    }
}

fn wallet_of(partner: PartnerId, fund: FundId) -> Uuid {
    let kind = AccountKind::Available;
    Account { kind, fund, partner: Some(partner), cycle: None, item: None, lot: None }.id()
}

/// Partners like Nordwind, half of them in its region, each with a person like Mara.
async fn partners(world: &World, count: usize) -> Vec<Asker> {
    let regions = [DACH, NORTH, DACH, "Iberia", DACH, "France", DACH, "Benelux"];
    let make = |n: usize| {
        let region = regions[n % regions.len()];
        let partner = PartnerId(Uuid::from_u128(0x7_0000_0000_0000_0000 + u128::try_from(n).expect("a count")));
        let (id, email) = (UserId(partner.0), format!("marketing@partner-{n}.example"));
        Asker { partner, region, user: User { id, email, partner_id: Some(partner), ..MARA.row() } }
    };
    let people: Vec<Asker> = (0..count).map(make).collect();
    let written = world.db.write(async |tx| {
        for (n, asker) in people.iter().enumerate() {
            let row = PartnerRow {
                id: asker.partner,
                name: format!("Partner {n} GmbH"),
                region: asker.region.to_owned(),
                domain: Some(format!("partner-{n}.example")),
                ..NORDWIND.row()
            };
            tx.insert_partner(&row).await?;
            tx.insert_user(&asker.user).await?;
        }
        Ok::<_, storage::Error>(())
    });
    written.await.expect("partners move in");
    people
}

/// A copied cycle's id; rows below it get theirs from [`Grower::fresh`] in the same manner.
fn fresh_id(serial: i64) -> Uuid {
    let serial = u128::try_from(serial).expect("a count");
    Uuid::from_u128(serial << 80 | 0x7 << 76 | 0x8 << 60)
}

struct Grower {
    db: DatabaseConnection,
    kind: Kind,
}

/// What tells rows of one copy and one kind apart.
#[derive(Clone, Copy)]
enum Row {
    Event = 1,
    Account,
    File,
    Company,
    Person,
    Touch,
    Deal,
}

impl Grower {
    async fn run(&self, sql: &str) {
        self.db.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// SQL for the id of the `n`th row of a kind that hangs on the copy `b`: a UUID that ascends with the copies.
    fn fresh(&self, row: Row, n: &str) -> String {
        let row = row as u8;
        match self.kind {
            Kind::Sqlite => format!("unhex(printf('%012x7%03x8%015x', b.serial, {n}, {row}))"),
            Kind::Postgres => format!(
                "(lpad(to_hex(b.serial), 12, '0') || '7' || lpad(to_hex({n}), 3, '0') || '8' || lpad(to_hex({row}), 15, '0'))::uuid"
            ),
        }
    }

    async fn columns(&self, table: &str) -> Vec<String> {
        let sql = match self.kind {
            Kind::Sqlite => format!("SELECT name FROM pragma_table_info('{table}')"),
            Kind::Postgres => format!(
                "SELECT column_name::text AS name FROM information_schema.columns
                 WHERE table_name = '{table}' AND table_schema = 'public'"
            ),
        };
        let found = self.db.query_all_raw(Statement::from_string(self.db.get_database_backend(), sql)).await;
        found.expect("columns").iter().map(|row| row.try_get("", "name").expect("a name")).collect()
    }

    /// Copies the rows `x` of a table for every copy `b`, with some columns changed.
    async fn grow(&self, table: &str, from: &str, changed: &[(&str, &str)]) {
        let columns = self.columns(table).await;
        let value = |column: &String| match changed.iter().find(|(name, _)| name == column) {
            Some((_, sql)) => (*sql).to_owned(),
            None => format!("x.{column}"),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let (columns, values) = (columns.join(", "), values.join(", "));
        self.run(&format!("INSERT INTO {table} ({columns}) SELECT {values} FROM bench_copy b JOIN {from}")).await;
    }

    /// Fast and without foreign keys, on the one connection that is open; then what is to be copied, as tables.
    async fn prepare(&self, models: &[Cycle], copies: &[&Copied], people: &[Asker], fund: FundId) {
        match self.kind {
            Kind::Sqlite => {
                self.run("PRAGMA journal_mode = OFF").await;
                self.run("PRAGMA synchronous = OFF").await;
                self.run("PRAGMA foreign_keys = OFF").await;
                self.run("PRAGMA cache_size = -400000").await;
            }
            Kind::Postgres => self.run("SET session_replication_role = replica").await,
        }
        self.list(models, copies).await;
        self.fill_wallets(people, fund).await;
        for (name, rows) in [
            ("account", "SELECT id, cycle_id FROM account WHERE cycle_id IS NOT NULL"),
            ("company", "SELECT DISTINCT company_id AS id, cycle_id FROM touch"),
            ("person", "SELECT DISTINCT person_id AS id, cycle_id FROM touch"),
            ("file", "SELECT id, cycle_id FROM file WHERE cycle_id IS NOT NULL"),
        ] {
            self.run(&format!(
                "CREATE TABLE bench_{name} AS SELECT id, cycle_id, row_number() OVER (ORDER BY id) AS n FROM ({rows}) x"
            ))
            .await;
        }
    }

    /// Every model and every copy, for SQL to join with.
    async fn list(&self, models: &[Cycle], copies: &[&Copied]) {
        self.run(
            "CREATE TABLE bench_model (id uuid PRIMARY KEY, id_text text, number text, serial bigint, partner text)",
        )
        .await;
        self.run(
            "CREATE TABLE bench_copy (id uuid PRIMARY KEY, of uuid, id_text text, number text, serial bigint,
             partner_id uuid, partner text, region text, quarter date, due date, tactic text, wallet uuid)",
        )
        .await;
        let model = |m: &Cycle| {
            let (id, partner) = (m.id.0, m.partner.0.to_string());
            vec![id.into(), id.to_string().into(), m.number.clone().into(), i64::from(m.serial).into(), partner.into()]
        };
        self.insert("bench_model", models.iter().map(model)).await;
        let copy = |c: &&Copied| -> Vec<Value> {
            let (id, partner) = (c.id.to_string(), c.partner.0);
            vec![
                c.id.into(),
                c.of.into(),
                id.into(),
                c.number.clone().into(),
                c.serial.into(),
                partner.into(),
                partner.to_string().into(),
                c.region.into(),
                c.quarter.into(),
                c.due.into(),
                c.tactic.into(),
                c.wallet.into(),
            ]
        };
        self.insert("bench_copy", copies.iter().map(copy)).await;
    }

    /// Every partner has ten million.
    async fn fill_wallets(&self, people: &[Asker], fund: FundId) {
        let wallet = |asker: &Asker| {
            let id = wallet_of(asker.partner, fund);
            vec![id.into(), fund.0.into(), asker.partner.0.into(), 1_000_000_000_i64.into()]
        };
        self.run("CREATE TABLE bench_wallet (id uuid, fund_id uuid, partner_id uuid, balance bigint)").await;
        self.insert("bench_wallet", people.iter().map(wallet)).await;
        self.run(
            "INSERT INTO account (id, kind, fund_id, partner_id, currency, balance)
             SELECT id, 'available', fund_id, partner_id, 'EUR', balance FROM bench_wallet",
        )
        .await;
    }

    async fn insert(&self, table: &str, rows: impl Iterator<Item = Vec<Value>>) {
        let rows: Vec<Vec<Value>> = rows.collect();
        for chunk in rows.chunks(1_000) {
            let mut values = Vec::new();
            let mut places = Vec::new();
            for row in chunk {
                let marks: Vec<String> = (1..=row.len()).map(|n| format!("${}", values.len() + n)).collect();
                places.push(format!("({})", marks.join(", ")));
                values.extend(row.iter().cloned());
            }
            let sql = format!("INSERT INTO {table} VALUES {}", places.join(", "));
            let statement = Statement::from_sql_and_values(self.db.get_database_backend(), sql, values);
            self.db.execute_raw(statement).await.unwrap_or_else(|error| panic!("{table}: {error}"));
        }
    }

    async fn fill(&self) {
        self.run("BEGIN").await;
        self.cycles().await;
        self.money().await;
        self.results().await;
        self.figures().await;
        self.run("COMMIT").await;
    }

    async fn cycles(&self) {
        let doc =
            "replace(replace(replace(replace(x.doc, m.id_text, b.id_text), m.number, b.number), m.partner, b.partner),
                   '\"serial\":' || m.serial || ',', '\"serial\":' || b.serial || ',')";
        self.grow(
            "cycle",
            "bench_model m ON m.id = b.of JOIN cycle x ON x.id = b.of",
            &[
                ("id", "b.id"),
                ("number", "b.number"),
                ("serial", "b.serial"),
                ("partner_id", "b.partner_id"),
                ("region", "b.region"),
                ("search", "lower(b.number || ' ' || x.title)"),
                ("period_from", "b.quarter"),
                ("due", "CASE WHEN x.due > '9999-01-01' THEN x.due ELSE b.due END"),
                ("doc", doc),
            ],
        )
        .await;
        let below = [("cycle_id", "b.id"), ("partner_id", "b.partner_id"), ("region", "b.region")];
        let campaign = [("quarter", "b.quarter"), ("tactic", "b.tactic"), ("code", "x.code || '-' || b.serial")];
        self.grow("campaign", "campaign x ON x.cycle_id = b.of", &[below.as_slice(), &campaign].concat()).await;
        self.grow("activity", "activity x ON x.cycle_id = b.of", &below).await;
        self.grow("claim", "claim x ON x.cycle_id = b.of", &below).await;
        let invoice =
            [("cycle_id", "b.id"), ("partner_id", "b.partner_id"), ("invoice_no", "x.invoice_no || '-' || b.serial")];
        self.grow("invoice", "invoice x ON x.cycle_id = b.of", &invoice).await;
        let id = self.fresh(Row::File, "k.n");
        let file = [("id", id.as_str()), ("cycle_id", "b.id"), ("partner_id", "b.partner_id")];
        self.grow("file", "bench_file k ON k.cycle_id = b.of JOIN file x ON x.id = k.id", &file).await;
        let id = self.fresh(Row::Event, "x.seq");
        let event = [("id", id.as_str()), ("stream", "b.id"), ("partner_id", "b.partner_id")];
        self.grow("event", "event x ON x.stream = b.of", &event).await;
    }

    async fn money(&self) {
        let id = self.fresh(Row::Account, "k.n");
        let account = [("id", id.as_str()), ("cycle_id", "b.id"), ("partner_id", "b.partner_id")];
        self.grow("account", "bench_account k ON k.cycle_id = b.of JOIN account x ON x.id = k.id", &account).await;
        // What is no account of the cycle is the partner's wallet.
        let end = |side: &str| {
            format!(
                "CASE WHEN {side}.id IS NULL THEN b.wallet ELSE {} END",
                self.fresh(Row::Account, &format!("{side}.n"))
            )
        };
        let (event, from, to) = (self.fresh(Row::Event, "e.seq"), end("f"), end("t"));
        let posting =
            [("event_id", event.as_str()), ("from_id", &from), ("to_id", &to), ("partner_id", "b.partner_id")];
        let rows = "event e ON e.stream = b.of JOIN posting x ON x.event_id = e.id
                    LEFT JOIN bench_account f ON f.id = x.from_id LEFT JOIN bench_account t ON t.id = x.to_id";
        self.grow("posting", rows, &posting).await;
    }

    async fn results(&self) {
        let company = self.fresh(Row::Company, "c.n");
        let changed = [("id", company.as_str()), ("domain", "b.serial || '-' || x.domain")];
        self.grow("company", "bench_company c ON c.cycle_id = b.of JOIN company x ON x.id = c.id", &changed).await;
        let person = self.fresh(Row::Person, "p.n");
        let changed =
            [("id", person.as_str()), ("company_id", &company), ("email_norm", "b.serial || '-' || x.email_norm")];
        let rows = "bench_person p ON p.cycle_id = b.of JOIN person x ON x.id = p.id
                    JOIN bench_company c ON c.id = x.company_id";
        self.grow("person", rows, &changed).await;
        let (touch, deal) = (self.fresh(Row::Touch, "p.n"), self.fresh(Row::Deal, "c.n"));
        let external = ("external_id", "x.external_id || '-' || b.serial");
        let below = [("cycle_id", "b.id"), ("partner_id", "b.partner_id"), ("company_id", company.as_str()), external];
        let rows = "touch x ON x.cycle_id = b.of JOIN bench_person p ON p.id = x.person_id
                    JOIN bench_company c ON c.id = x.company_id";
        let changed = [("id", touch.as_str()), ("person_id", &person)];
        self.grow("touch", rows, &[changed.as_slice(), &below].concat()).await;
        let rows = "deal x ON x.cycle_id = b.of JOIN bench_company c ON c.id = x.company_id";
        self.grow("deal", rows, &[[("id", deal.as_str())].as_slice(), &below].concat()).await;
    }

    /// The aggregates, as storage would have kept them.
    async fn figures(&self) {
        for (table, key) in [
            ("rollup", ["quarter", "program_id", "region", "tactic", "currency"].as_slice()),
            ("rollup_partner", &["quarter", "partner_id", "region", "currency"]),
        ] {
            let columns = self.columns(table).await;
            let value = |column: &String| {
                if key.contains(&column.as_str()) { column.clone() } else { format!("CAST(SUM({column}) AS bigint)") }
            };
            let values: Vec<String> = columns.iter().map(value).collect();
            self.run(&format!("DELETE FROM {table}")).await;
            self.run(&format!(
                "INSERT INTO {table} ({}) SELECT {} FROM campaign GROUP BY {}",
                columns.join(", "),
                values.join(", "),
                key.join(", ")
            ))
            .await;
        }
        self.run("DELETE FROM stage_day").await;
        self.run(
            "INSERT INTO stage_day (stage, region, due, cycles)
             SELECT stage, region, due, COUNT(*) FROM cycle GROUP BY stage, region, due",
        )
        .await;
    }

    /// PostgreSQL's own housekeeper would come round by and by; here it comes at once.
    async fn finish(self) {
        for table in ["model", "copy", "wallet", "account", "company", "person", "file"] {
            self.run(&format!("DROP TABLE bench_{table}")).await;
        }
        if self.kind == Kind::Postgres {
            self.run("VACUUM (ANALYZE)").await;
        }
        self.db.close().await.expect("the database closes");
    }
}

/// How many rows a table has.
pub async fn count(database: &Database, what: &str) -> i64 {
    let db = database.connect().await;
    let sql = format!("SELECT CAST(COUNT(*) AS bigint) AS n FROM {what}");
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.expect("counted");
    let n = row.expect("one row").try_get("", "n").expect("a number");
    db.close().await.expect("the connection closes");
    n
}
