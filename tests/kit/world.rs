//! A vendor with one program, one fund and two partners, on a fresh database: what every story starts from.
//!
//! Commands go through the engine, as pages, imports and timers issue them. After the story the books must balance, the
//! chains must hold and no mail may be stuck.

use std::ops::Deref;

use chrono::TimeDelta;
use domain::fund::{FundCommand, FundKind};
use domain::ids::{FundId, ProgramId};
use domain::machine::{Command, Situation};
use domain::money::{Currency, Money};
use engine::clock::Clock;
use engine::files::Upload;
use engine::imports::fields::Kind as ImportKind;
use engine::imports::run::{Said, Summary};
use engine::programs::NewProgram;
use engine::{Engine, Error, NewFund, Submission, WhichCycle, WhichFund};
use mailer::{Letterbox, Mail, Post, Sender};
use storage::{Db, Options, Viewer};

use crate::pause::Pause;
use crate::people::{ANA, COMPANIES, EVERYBODY, NORDWIND, Persona, SAM, TOMAS, first_morning};
use crate::{Database, Ground, Kind};

/// The fund everyone asks from.
pub const FUND: &str = "EMEA-GROWTH";

/// Rules to earn by, for [`World::start_earning`]: all of a purchase, 60 and 40, in months.
pub const EARNING: &str = "
[earning]
rate = \"1.00\"
threshold = \"1000\"
below = \"convert\"

[[earning.accrual]]
product = \"appliance\"
per_unit = \"40.00\"

[[earning.split]]
fund = \"Demand\"
share = \"0.60\"

[[earning.split]]
fund = \"COOP-BRAND\"
share = \"0.40\"

[use]
days_after_period = 60
period = \"month\"
carry_over = \"0.50\"
";

pub struct World {
    pub engine: Engine,
    pub db: Db,
    pub clock: Clock,
    pub program: ProgramId,
    pub fund: FundId,
    pub sender: Sender,
    /// Makes the program stand still inside a transaction.
    pub pause: Pause,
    letters: Letterbox,
    /// Last, so that it is dropped when everything that uses it is gone.
    database: Database,
}

/// An engine on a migrated database where nobody lives yet.
pub struct Foundations {
    pub engine: Engine,
    pub db: Db,
    pub clock: Clock,
    pub sender: Sender,
    pub pause: Pause,
    pub letters: Letterbox,
    /// Last, as in a world.
    pub database: Database,
}

impl Foundations {
    /// Links in mails lead to `base_url`.
    pub async fn at(database: Database, base_url: &str) -> Self {
        let pause = Pause::default();
        let seen = pause.clone();
        let db = Db::connect(&database.url, &Options::default()).await.expect("the database opens");
        let db = db.watched(move |_| seen.pass());
        let clock = Clock::at(first_morning());
        let sender = Sender {
            name: "Fundloop at Aurelia Systems".to_owned(),
            email: "fundloop@aurelia.example".to_owned(),
            base_url: base_url.to_owned(),
        };
        let (post, letters) = Post::memory(&sender).expect("a letterbox in memory");
        let files = database.folder.path().join("files");
        let engine = Engine::new(db.clone(), clock.clone(), sender.clone(), post, &files).expect("the engine starts");
        Self { engine, db, clock, sender, pause, letters, database }
    }
}

impl Deref for World {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.database
    }
}

impl Ground for World {
    async fn start(kind: Kind) -> Option<Self> {
        Some(Self::at(Database::fresh(kind).await?, "http://fundloop.example").await)
    }

    async fn finish(self) {
        self.deliver().await;
        self.assert_sound().await;
        self.db.close().await.expect("the database closes");
    }
}

impl World {
    /// People move in, the program starts, the fund is filled; nobody has asked for anything yet.
    /// Links in mails lead to `base_url`.
    pub async fn at(database: Database, base_url: &str) -> Self {
        let Foundations { engine, db, clock, sender, pause, letters, database } =
            Foundations::at(database, base_url).await;
        move_in(&db).await;
        let program = start_program(&engine).await;
        let fund = open_fund(&engine, program).await;
        Self { engine, db, clock, program, fund, sender, pause, letters, database }
    }

    /// A command to a cycle, as this person; every call is a submission of its own.
    pub async fn act(&self, who: Persona, number: &str, command: impl Into<Command>) -> Result<Vec<String>, Error> {
        let (actor, command, once) = (who.actor(), command.into(), Submission::own());
        let advanced = self.engine.advance(&actor, WhichCycle::Number(number), &command, &once).await?;
        Ok(advanced.words)
    }

    /// The same, where the story needs it to pass.
    #[track_caller]
    pub fn must<'a>(
        &'a self,
        who: Persona,
        number: &'a str,
        command: impl Into<Command> + 'a,
    ) -> impl Future<Output = Vec<String>> + 'a {
        let place = std::panic::Location::caller();
        async move {
            let done = self.act(who, number, command).await;
            done.unwrap_or_else(|error| panic!("{place}: {} on {number}: {error:?}", who.name))
        }
    }

    /// A command to the fund.
    pub async fn act_on_fund(&self, who: Persona, command: &FundCommand) -> Result<Vec<String>, Error> {
        let (actor, once) = (who.actor(), Submission::own());
        let advanced = self.engine.fund(&actor, WhichFund::Code(FUND), command, &once).await?;
        Ok(advanced.words)
    }

    /// A second program, whose guide lets credit be earned: everything of the first one's, and these rules. Its funds are
    /// `COOP-DEMAND` and `COOP-BRAND`.
    pub async fn start_earning(&self, rules: &str) {
        let guide = format!("{}{rules}", engine::catalog::GUIDES[0].1);
        let new = NewProgram { code: "COOP".to_owned(), name: "Co-op EMEA".to_owned(), guide };
        self.engine.open_program(&SAM.actor(), &new, &Submission::own()).await.expect("the program starts");
        let programs = self.engine.reader().programs(&Viewer::system()).await.expect("programs can be read");
        let program = programs.iter().find(|program| program.code == "COOP").expect("it was just started").id;
        for name in ["Demand", "Brand"] {
            let code = format!("COOP-{}", name.to_uppercase());
            let (kind, currency) = (FundKind::Accrual, Currency::EUR);
            let new = NewFund { code, name: name.to_owned(), program, parent: None, kind, currency };
            self.engine.open_fund(&TOMAS.actor(), &new, &Submission::own()).await.expect("the fund opens");
        }
    }

    /// Finance takes a sales file in; what could not be kept comes back with it.
    pub async fn import_sales(&self, file: &str) -> Summary {
        let file = Upload { name: "sales.csv".to_owned(), bytes: file.as_bytes().to_vec() };
        let done = self.engine.import_file(&TOMAS.actor(), ImportKind::Sales, &file, &Said::default(), false).await;
        done.expect("the file is taken in").0
    }

    /// A command to any fund.
    pub async fn act_on(&self, who: Persona, code: &str, command: &FundCommand) -> Result<Vec<String>, Error> {
        let done = self.engine.fund(&who.actor(), WhichFund::Code(code), command, &Submission::own()).await;
        done.map(|advanced| advanced.words)
    }

    /// Opens a fund below the first one, in euros.
    pub async fn fund_below(&self, code: &str, kind: FundKind) -> Result<FundId, Error> {
        let new = NewFund {
            code: code.to_owned(),
            name: format!("Fund {code}"),
            program: self.program,
            parent: Some(self.fund),
            kind,
            currency: Currency::EUR,
        };
        self.engine.open_fund(&TOMAS.actor(), &new, &Submission::own()).await?;
        Ok(self.engine.reader().fund(&Viewer::system(), code).await?.id)
    }

    /// Everything the rules see of a cycle now.
    pub async fn look(&self, number: &str) -> Situation {
        let looked = self.engine.look(&Viewer::system(), WhichCycle::Number(number)).await;
        looked.unwrap_or_else(|error| panic!("{number}: {error:?}"))
    }

    /// Time passes, and what it makes due is done.
    pub async fn days_pass(&self, days: i64) {
        self.clock.advance(TimeDelta::days(days));
        let pass = self.engine.tick().await.expect("the timers run");
        assert_eq!(pass.failed, 0, "a timer failed");
    }

    /// Sends what waits in the outbox and returns all mails so far, oldest first.
    pub async fn deliver(&self) -> Vec<Mail> {
        let pass = self.engine.deliver().await.expect("the outbox can be read");
        assert_eq!(pass.failed, 0, "a mail was not sent");
        self.letters.mails()
    }

    /// What one person has got so far.
    pub async fn mails_to(&self, who: Persona) -> Vec<Mail> {
        self.deliver().await;
        self.letters.to(who.email)
    }

    /// The letterbox, to make it refuse or to empty it.
    pub fn letters(&self) -> &Letterbox {
        &self.letters
    }

    /// The books balance and the chains hold, recomputed from the rows.
    pub async fn assert_sound(&self) {
        let mut findings = storage::verify::ledger(&self.db).await.expect("the ledger can be read");
        findings.extend(storage::verify::audit(&self.db).await.expect("the timeline can be read"));
        assert!(findings.is_empty(), "the books do not hold: {findings:#?}");
    }
}

/// Euros, as whole units.
pub fn eur(units: i64) -> Money {
    Money::units(units, Currency::EUR)
}

async fn move_in(db: &Db) {
    let moved = db.write(async |tx| {
        for company in COMPANIES {
            tx.insert_partner(&storage::rows::PartnerRow { manager_id: None, ..company.row() }).await?;
        }
        for person in EVERYBODY {
            tx.insert_user(&person.row()).await?;
        }
        for company in COMPANIES {
            tx.update_partner(&company.row()).await?;
        }
        tx.set_setting("vendor", "Aurelia Systems").await
    });
    moved.await.expect("people and partners move in");
    debug_assert_eq!(NORDWIND.row().manager_id, Some(ANA.id()));
}

async fn start_program(engine: &Engine) -> ProgramId {
    let (_, guide) = engine::catalog::GUIDES[0];
    let new = NewProgram { code: "EMEA".to_owned(), name: "Growth Fund EMEA".to_owned(), guide: guide.to_owned() };
    engine.open_program(&SAM.actor(), &new, &Submission::own()).await.expect("the program starts");
    let programs = engine.reader().programs(&Viewer::system()).await.expect("programs can be read");
    programs.first().expect("the program that was just started").id
}

async fn open_fund(engine: &Engine, program: ProgramId) -> FundId {
    let new = NewFund {
        code: FUND.to_owned(),
        name: "Growth fund".to_owned(),
        program,
        parent: None,
        kind: FundKind::Discretionary,
        currency: Currency::EUR,
    };
    let finance = TOMAS.actor();
    engine.open_fund(&finance, &new, &Submission::own()).await.expect("the fund opens");
    let mut commands = vec![FundCommand::Budget { amount: eur(500_000), reason: "Board budget".to_owned() }];
    commands.extend(COMPANIES.map(|company| FundCommand::Allocate {
        partner: company.id(),
        amount: eur(50_000),
        expires: None,
        reason: "Allocation of the year".to_owned(),
    }));
    for command in commands {
        let done = engine.fund(&finance, WhichFund::Code(FUND), &command, &Submission::own()).await;
        done.unwrap_or_else(|error| panic!("{command:?}: {error:?}"));
    }
    let funds = engine.reader().funds_of_program(program).await.expect("funds can be read");
    funds.first().expect("the fund that was just opened").id
}
