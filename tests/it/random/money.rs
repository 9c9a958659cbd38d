//! What finance does with the funds, and what comes in and goes out by it.

use super::{FUNDS, Hand};
use chrono::{Days, TimeDelta};
use domain::fund::FundCommand;
use domain::money::Currency;
use engine::files::Upload;
use engine::imports::fields::Kind;
use engine::imports::run::Said;
use engine::{Submission, WhichFund};
use kit::people::{ANA, KESTREL, MARA, NORDWIND, Persona, TOMAS, YUKI};
use rand::Rng;
use storage::Viewer;

/// What is done, its name, and the cents it brings into the upper and the lower fund.
type Something = (&'static str, FundCommand, [i64; 2]);

impl Hand<'_> {
    pub(super) async fn keep_the_funds(&mut self) {
        // One in three works on the fund below.
        let at = usize::from(self.dice.random_ratio(1, 3));
        match self.dice.random_range(0..40) {
            0 => self.close_a_period(at).await,
            1 => self.buy().await,
            2 => self.take_a_purchase_back(at).await,
            3..=5 => self.answer_a_reinstatement(at).await,
            _ => self.move_money(at).await,
        }
    }

    fn finance(&mut self) -> Persona {
        self.one_of(&[TOMAS, TOMAS, TOMAS, YUKI, YUKI, YUKI, YUKI, ANA, MARA])
    }

    async fn carry_out(&mut self, at: usize, (what, command, flows): Something) {
        let who = self.finance();
        let fund = WhichFund::Code(FUNDS[at]);
        let answer = self.world.engine.fund(&who.actor(), fund, &command, &Submission::own()).await;
        if self.told.hear(&format!("fund: {what}"), answer).is_some() {
            self.told.count(flows);
        }
    }

    async fn move_money(&mut self, at: usize) {
        let something = if self.dice.random_ratio(2, 5) { self.budget(at) } else { self.credit(at) };
        self.carry_out(at, something).await;
    }

    /// Money of the fund itself. What the lower fund is given comes out of the upper one, and goes back there.
    fn budget(&mut self, at: usize) -> Something {
        let (amount, reason) = (self.amount(), self.words());
        let minor = amount.minor;
        let to_other = flows(at, minor.saturating_neg(), minor);
        let given = if at == 0 { [minor, 0] } else { [minor.saturating_neg(), minor] };
        match self.dice.random_range(0..8) {
            0..=3 => ("budget", FundCommand::Budget { amount, reason }, given),
            4 => ("lower", FundCommand::Lower { amount, reason }, given.map(i64::saturating_neg)),
            5 => {
                let partner = self.one_of(&[NORDWIND, KESTREL]).id();
                let command = FundCommand::RecordReturn { partner, amount, reference: reason };
                ("return", command, flows(at, minor.saturating_neg(), 0))
            }
            _ => ("transfer", FundCommand::Transfer { to: self.told.funds[1 - at], amount, reason }, to_other),
        }
    }

    /// Credit of a partner.
    fn credit(&mut self, at: usize) -> Something {
        let (partner, other) = self.one_of(&[(NORDWIND, KESTREL), (KESTREL, NORDWIND)]);
        let (partner, other) = (partner.id(), other.id());
        let (amount, reason, expires) = (self.amount(), self.words(), self.some_day());
        let minor = amount.minor;
        match self.dice.random_range(0..15) {
            0..=6 => ("allocate", FundCommand::Allocate { partner, amount, expires, reason }, [0; 2]),
            7 | 8 => ("move back", FundCommand::MoveBack { partner, amount, reason }, [0; 2]),
            9 => ("forfeit", FundCommand::Forfeit, [0; 2]),
            10 => {
                let command = FundCommand::RaiseCredit { partner, amount, expires, reason };
                ("raise credit", command, flows(at, minor, 0))
            }
            11 => {
                let command = FundCommand::LowerCredit { partner, amount, reason };
                ("lower credit", command, flows(at, minor.saturating_neg(), 0))
            }
            12 | 13 => {
                let to_fund = self.dice.random_ratio(2, 3).then(|| self.told.funds[1 - at]);
                let to_partner = self.dice.random_ratio(1, 2).then_some(other);
                let went = if to_fund.is_some() { flows(at, minor.saturating_neg(), minor) } else { [0; 2] };
                ("transfer credit", FundCommand::TransferCredit { partner, amount, to_fund, to_partner, reason }, went)
            }
            _ => {
                let expires = expires.unwrap_or_else(|| self.world.clock.today() + Days::new(30));
                let command = FundCommand::ProposeReinstatement { partner, amount, expires, reason };
                ("propose reinstatement", command, [0; 2])
            }
        }
    }

    /// A day to come, or one that has just passed, or none.
    fn some_day(&mut self) -> Option<domain::Date> {
        let ahead = TimeDelta::days(self.dice.random_range(-3..90));
        self.dice.random_ratio(2, 3).then(|| self.world.clock.today() + ahead)
    }

    /// Somebody agrees that forfeited credit comes back, or does not.
    async fn answer_a_reinstatement(&mut self, at: usize) {
        let fund = self.world.engine.reader().fund(&Viewer::system(), FUNDS[at]).await.expect("the fund");
        let (proposal, lapsed) = match fund.reinstatements.as_slice() {
            [] if self.dice.random_ratio(9, 10) => return self.move_money(at).await,
            [] => (self.dice.random_range(0..1_000), false),
            waiting => {
                let wanted = self.one_of(waiting);
                (wanted.no, wanted.expires <= self.world.clock.today())
            }
        };
        let something = if self.dice.random_ratio(4, 5) && !lapsed {
            ("confirm reinstatement", FundCommand::ConfirmReinstatement { proposal }, [0; 2])
        } else {
            let reason = self.words();
            ("reject reinstatement", FundCommand::RejectReinstatement { proposal, reason }, [0; 2])
        };
        self.carry_out(at, something).await;
    }

    /// The period that is next, mostly when it is over; now and then any other day.
    async fn close_a_period(&mut self, at: usize) {
        let ahead = self.world.engine.period_ahead(&Viewer::system(), FUNDS[at]).await.expect("a period is next");
        let runs = self.world.clock.now() < ahead.closable_from;
        if runs && self.dice.random_ratio(4, 5) {
            return self.move_money(at).await;
        }
        let until = match self.dice.random_range(0..6) {
            0 => ahead.closing.last + TimeDelta::days(self.dice.random_range(-40..40)),
            _ => ahead.closing.last,
        };
        self.carry_out(at, ("close period", FundCommand::ClosePeriod { until }, [0; 2])).await;
    }

    /// A partner bought something and earns a tenth of it, in the fund below.
    async fn buy(&mut self) {
        let (units, serial) = (self.dice.random_range(1..20_000_i64), self.dice.random::<u32>());
        let day = self.world.clock.today() + TimeDelta::days(self.dice.random_range(-45..2));
        let partner = self.one_of(&[NORDWIND.domain, KESTREL.domain, NORDWIND.name, "nobody.example"]);
        let file = format!(
            "Invoice number,Partner,Invoice date,Amount,Currency\nP-{serial},{partner},{day},{units}.00,{}\n",
            if self.dice.random_ratio(1, 30) { Currency::USD } else { Currency::EUR }
        );
        let upload = Upload { name: format!("purchase-{serial}.csv"), bytes: file.into_bytes() };
        let said = Said { program: Some("EMEA".to_owned()), ..Said::default() };
        let who = self.finance();
        let done = self.world.engine.import_file(&who.actor(), Kind::Sales, &upload, &said, false).await;
        let what = "purchases: import";
        match done {
            Ok((summary, _)) if summary.added == 0 => {
                assert!(summary.refused == 1 && !summary.errors.is_empty(), "{summary:?}");
                self.told.was_refused(what);
            }
            other => {
                let Some((summary, _)) = self.told.hear(what, other) else { return };
                let cents = units * 10;
                self.told.count([0, cents]);
                self.told.bought.borrow_mut().extend(summary.batch.map(|batch| (batch, cents)));
            }
        }
    }

    /// An import was a mistake: what it earned is taken back, where nothing of it is spent and its period is open.
    async fn take_a_purchase_back(&mut self, at: usize) {
        let known = self.told.bought.borrow().len();
        if known == 0 {
            return self.move_money(at).await;
        }
        let place = self.dice.random_range(known.saturating_sub(6)..known);
        let (batch, cents) = self.told.bought.borrow_mut().remove(place);
        let who = self.finance();
        let answer = self.world.engine.undo_import(&who.actor(), batch).await;
        if self.told.hear("purchases: take back", answer).is_some() {
            self.told.count([0, -cents]);
        } else {
            self.told.bought.borrow_mut().push((batch, cents));
        }
    }
}

/// What comes into this fund, and into the other one.
fn flows(at: usize, here: i64, there: i64) -> [i64; 2] {
    if at == 0 { [here, there] } else { [there, here] }
}
