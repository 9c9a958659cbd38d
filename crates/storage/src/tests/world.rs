//! A small vendor with one partner, and a way to carry commands out as the engine does.

use super::kit::{Fresh, at, id, noon, partner, program, user};
use crate::rows::{Guide, PartnerRow, User};
use crate::{CycleParts, Error, Recorded, Viewer, WhichCycle, WhichFund};
use domain::Instant;
use domain::cycle::{Cycle, Opening, Period};
use domain::forecast::Benchmarks;
use domain::fund::{self, Around, Fund, FundCommand, FundKind, FundSituation};
use domain::ids::{CycleId, FundId};
use domain::ledger::Book;
use domain::machine::{self, Command, Decision, Situation};
use domain::money::{Currency, Money};
use domain::people::{Actor, Role};
use domain::policy::Policy;
use domain::refusal::Refusal;
use domain::steps::s2_scorecard::Template;
use domain::steps::s8_tracking::Results;
use serde_json::{Value, json};

pub const GUIDE: &str = include_str!("../../../../config/programs/aurelia-growth-fund-emea.toml");

pub struct World<'a> {
    pub fresh: &'a Fresh,
    pub partner: PartnerRow,
    pub fund: Fund,
    pub marketer: User,
    pub manager: User,
    pub finance: User,
    pub payer: User,
    pub policy: std::sync::Arc<Policy>,
    pub benchmarks: Benchmarks,
    pub template: Template,
}

/// Why a command was not carried out.
#[derive(Debug)]
pub enum No {
    Refused(#[expect(dead_code, reason = "shown by Debug where a test fails")] Refusal),
    Storage(Error),
}

impl From<Error> for No {
    fn from(error: Error) -> Self {
        No::Storage(error)
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        No::Refused(refusal)
    }
}

pub fn eur(units: i64) -> Value {
    json!({ "minor": units * 100, "currency": "EUR" })
}

impl<'a> World<'a> {
    /// A program with its guide, a fund of 100,000 of which the partner has 20,000, and four people.
    pub async fn new(fresh: &'a Fresh) -> Self {
        let nordwind = partner(1, "Nordwind", "DACH");
        let mut marketer = user(1, "Mia", &[Role::PartnerUser]);
        marketer.partner_id = Some(nordwind.id);
        let mut manager = user(2, "Max", &[Role::ChannelManager]);
        manager.territory = vec!["DACH".into()];
        let fund = Fund {
            id: FundId(id(50)),
            code: "F-EMEA-26".into(),
            name: "EMEA 2026".into(),
            program: program().id,
            parent: None,
            kind: FundKind::Discretionary,
            currency: Currency::EUR,
            version: 0,
            closed_until: None,
            reinstatements: Vec::new(),
        };
        let world = Self {
            fresh,
            partner: nordwind,
            fund,
            marketer,
            manager,
            finance: user(3, "Fay", &[Role::Finance]),
            payer: user(4, "Pia", &[Role::Finance]),
            policy: Policy::load(GUIDE).expect("the shipped guide").into(),
            benchmarks: Benchmarks::load(include_str!("../../../../config/benchmarks.toml")).expect("benchmarks"),
            template: Template::load(include_str!("../../../../config/scorecards/standard.toml")).expect("scorecard"),
        };
        world.furnish().await.expect("the world is made");
        world
    }

    async fn furnish(&self) -> Result<(), No> {
        let guide = Guide {
            program_id: program().id,
            version: 1,
            toml: GUIDE.into(),
            effective_from: self.policy.guide.effective_from,
            created_at: noon(),
            created_by: None,
        };
        self.fresh
            .db
            .write(async |tx| {
                tx.insert_program(&program()).await?;
                tx.insert_guide(&guide).await?;
                tx.insert_partner(&self.partner).await?;
                for user in [&self.marketer, &self.manager, &self.finance, &self.payer] {
                    tx.insert_user(user).await?;
                }
                tx.insert_fund(&self.fund, noon()).await
            })
            .await?;
        let reason = || "the plan of the year".to_owned();
        self.fund(&FundCommand::Budget { amount: Money::units(100_000, Currency::EUR), reason: reason() }).await?;
        let amount = Money::units(20_000, Currency::EUR);
        let expires = "2026-12-31".parse().ok();
        self.fund(&FundCommand::Allocate { partner: self.partner.id, amount, expires, reason: reason() }).await?;
        Ok(())
    }

    /// Finance does something with the fund.
    pub async fn fund(&self, command: &FundCommand) -> Result<Recorded, No> {
        let finance = Actor::person(self.finance.standing());
        self.fresh
            .db
            .write(async |tx| {
                let parts = tx.lock_fund(WhichFund::Id(self.fund.id), Some(self.partner.id), None).await?;
                let situation = FundSituation {
                    fund: parts.fund,
                    book: parts.book,
                    partner_name: parts.partner_name,
                    guide: Some(self.policy.clone()),
                    period: None,
                    around: Around::default(),
                };
                let decision = fund::decide(&situation, &finance, command, noon())?;
                Ok(tx.record_fund(&decision, &finance, noon()).await?)
            })
            .await
    }

    pub fn situation(&self, parts: CycleParts) -> Situation {
        Situation {
            cycle: parts.cycle,
            partner: parts.partner,
            policy: self.policy.clone(),
            benchmarks: self.benchmarks.clone(),
            template: self.template.clone(),
            funds: parts.funds,
            book: parts.book,
            rates: Vec::new(),
            evidence: Vec::new(),
            results: Results::default(),
            batched: std::collections::BTreeMap::new(),
            reachable: std::collections::BTreeSet::new(),
            terms: parts.terms,
            in_period: domain::policy::InPeriod::default(),
        }
    }

    /// Opens the partner's next cycle for the second quarter of 2026.
    pub async fn open(&self, title: &str) -> Result<String, No> {
        let actor = Actor::person(self.marketer.standing());
        let period = Period { from: "2026-04-01".parse().unwrap(), to: "2026-06-30".parse().unwrap() };
        self.fresh
            .db
            .write(async |tx| {
                let viewer = Viewer::from(&actor);
                let days = (period.from, period.to);
                let found =
                    tx.before_opening(&viewer, self.partner.id, program().id, days, noon().date_naive()).await?;
                let (serial, number) = tx.next_cycle_number(2026).await?;
                let opening = Opening {
                    id: CycleId(id(1_000 + u128::from(serial))),
                    number: number.clone(),
                    serial,
                    program: program().id,
                    partner: self.partner.id,
                    title: title.into(),
                    period,
                    currency: Currency::EUR,
                    guide_rate: None,
                    plan: None,
                    scorecard: None,
                    copy_of: None,
                    drafts: domain::drafts::Drafts::default(),
                };
                let situation = Situation {
                    cycle: Cycle::new(&opening, noon()),
                    partner: found.partner,
                    policy: self.policy.clone(),
                    benchmarks: self.benchmarks.clone(),
                    template: self.template.clone(),
                    funds: Vec::new(),
                    book: Book::default(),
                    rates: Vec::new(),
                    evidence: Vec::new(),
                    results: Results::default(),
                    batched: std::collections::BTreeMap::new(),
                    reachable: std::collections::BTreeSet::new(),
                    terms: Vec::new(),
                    in_period: domain::policy::InPeriod::default(),
                };
                let decision = machine::open(&situation, &actor, &opening, noon())?;
                tx.record(&decision, &actor, noon()).await?;
                Ok(number)
            })
            .await
    }

    /// What the rules say to a command now, without recording it.
    pub async fn decide(&self, user: &User, number: &str, command: Value, now: Instant) -> Result<Decision, No> {
        let actor = Actor::person(user.standing());
        let parts = self.fresh.db.reader().cycle_parts(&Viewer::from(&actor), WhichCycle::Number(number)).await?;
        let command: Command = serde_json::from_value(command).expect("a command");
        Ok(machine::decide(&self.situation(parts), &actor, &command, now)?)
    }

    pub async fn advance(&self, user: &User, number: &str, command: Value, now: Instant) -> Result<Recorded, No> {
        let actor = Actor::person(user.standing());
        let command: Command = serde_json::from_value(command).expect("a command");
        self.fresh
            .db
            .write(async |tx| {
                let parts = tx.lock_cycle(&Viewer::from(&actor), WhichCycle::Number(number)).await?;
                let mut situation = self.situation(parts);
                situation.results = tx.results_of(&situation.cycle).await?;
                let decision = machine::decide(&situation, &actor, &command, now)?;
                Ok(tx.record(&decision, &actor, now).await?)
            })
            .await
    }

    /// Brings a cycle from its opening to the submitted request: a webinar for 10,000, of which 6,000 are asked.
    pub async fn until_requested(&self, title: &str) -> Result<String, No> {
        let number = self.open(title).await?;
        let cost = Money::units(10_000, Currency::EUR);
        let tactic = self.benchmarks.tactic("webinar").expect("webinars");
        let answers: Vec<Value> = self
            .template
            .questions()
            .map(|question| json!({ "question": question.code, "option": question.options.len() - 1 }))
            .collect();
        let objective = json!({ "no": 1, "goal": "Win customers", "measure": "new customers", "target": 5 });
        let campaign = json!({
            "name": "Zero trust webinar", "tactic": "webinar", "audience": "CISOs", "landing_url": null,
            "cost": cost, "assumptions": tactic.assumptions(cost),
        });
        let activity = json!({
            "campaign": 1, "name": "Webinar", "kind": "webinar", "starts": "2026-05-12", "ends": "2026-05-12",
            "place": "Online", "owner": "Mia", "objective": 1,
            "costs": [{ "no": 1, "category": "media", "description": "Ads", "amount": cost }],
        });
        let request = json!({
            "fund": self.fund.id, "lines": [{ "activity": 1, "line": 1, "asked": eur(6_000) }],
            "justification": "Twelve of the invited CISOs asked for a session; two of them buy this year.", "terms_accepted": true,
        });
        let plan = json!({ "level": 1, "objectives": [objective], "growth_path": null, "intended_mdf": null });
        let (mia, max) = (&self.marketer, &self.manager);
        let steps = [
            (mia, json!({ "step": "plan", "do": "submit", "draft": plan })),
            (max, json!({ "step": "plan", "do": "agree" })),
            (mia, json!({ "step": "scorecard", "do": "complete", "answers": answers })),
            (mia, json!({ "step": "forecast", "do": "save", "no": null, "draft": campaign })),
            (mia, json!({ "step": "forecast", "do": "commit" })),
            (mia, json!({ "step": "action_plan", "do": "save", "no": null, "draft": activity })),
            (mia, json!({ "step": "action_plan", "do": "commit" })),
            (mia, json!({ "step": "request", "do": "submit", "draft": request })),
        ];
        for (user, command) in steps {
            self.advance(user, &number, command, noon()).await?;
        }
        Ok(number)
    }

    pub fn approval() -> Value {
        json!({ "step": "approval", "do": "approve", "lines": [{ "activity": 1, "line": 1, "amount": eur(6_000) }] })
    }

    /// From the request to the paid claim.
    pub async fn until_paid(&self, number: &str) -> Result<(), No> {
        let file =
            |item: &str, kind: &str, n: u128| json!({ "item": item, "file": id(n), "name": format!("{item}.{kind}") });
        let proof = json!([file("attendee_list", "csv", 901), file("follow_up", "eml", 902)]);
        let line = json!({
            "activity": 1, "line": 1, "actual": eur(8_000), "vendor": "Ad house", "invoice_no": "R-1",
            "invoice_date": "2026-05-13", "file": id(903),
        });
        let (mia, max) = (&self.marketer, &self.manager);
        let (may, june) = (at("2026-05-14T09:00:00Z"), at("2026-05-20T09:00:00Z"));
        let steps = [
            (max, noon(), Self::approval()),
            (mia, may, json!({ "step": "execution", "do": "submit_proof", "activity": 1, "files": proof })),
            (max, may, json!({ "step": "execution", "do": "accept_proof", "activity": 1 })),
            (
                mia,
                may,
                json!({ "step": "execution", "do": "submit_claim", "campaign": 1, "lines": [line], "is_final": true }),
            ),
            (
                &self.finance,
                june,
                json!({ "step": "execution", "do": "approve_claim", "claim": 1, "amount": eur(4_800), "reason": "" }),
            ),
            (
                &self.payer,
                june,
                json!({ "step": "execution", "do": "record_settlement", "claim": 1, "amount": eur(4_800), "reference": "SEPA 1" }),
            ),
        ];
        for (user, now, command) in steps {
            self.advance(user, number, command, now).await?;
        }
        Ok(())
    }
}
