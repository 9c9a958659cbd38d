//! A cycle to act on, the people who act, and what must hold after every move.

use domain::cycle::{Cycle, Opening, Partner, Period, Stage};
use domain::event::Entry;
use domain::forecast::Benchmarks;
use domain::fund::{self, Fund, FundCommand, FundKind, FundSituation};
use domain::ids::{CycleId, FileId, FundId, PartnerId, ProgramId, UserId};
use domain::ledger::{Account, AccountKind, Book};
use domain::machine::{self, Command, Decision, Event, Situation, decide};
use domain::money::{Currency, Money};
use domain::people::{Actor, Role, Standing};
use domain::policy::Policy;
use domain::refusal::Refusal;
use domain::steps::s1_plan::{self, Objective, PlanDraft};
use domain::steps::s2_scorecard::{self, Answer, Template};
use domain::steps::s3_forecast::{self, CampaignDraft};
use domain::steps::s4_action_plan::{self, ActivityDraft, CostLine};
use domain::steps::s5_request::{self, RequestDraft, RequestLine};
use domain::steps::s6_approval::{self, LineDecision};
use domain::steps::s7_execution::{self, ClaimLineDraft, ProofUpload};
use domain::steps::s8_tracking::Results;
use domain::steps::{Stamp, s9_performance};
use domain::{Date, Instant};
use std::sync::LazyLock;
use uuid::Uuid;

pub const EMEA: &str = include_str!("../../../../config/programs/aurelia-growth-fund-emea.toml");
pub const BENCHMARKS: &str = include_str!("../../../../config/benchmarks.toml");
pub const SCORECARD: &str = include_str!("../../../../config/scorecards/standard.toml");

pub const NORDWIND: PartnerId = PartnerId(Uuid::from_u128(1));
pub const OTHER_PARTNER: PartnerId = PartnerId(Uuid::from_u128(2));
pub const FUND: FundId = FundId(Uuid::from_u128(10));
pub const PROGRAM: ProgramId = ProgramId(Uuid::from_u128(20));
pub const CYCLE: CycleId = CycleId(Uuid::from_u128(30));

/// Units of EUR.
pub fn eur(units: i64) -> Money {
    Money::units(units, Currency::EUR)
}

/// Cents of EUR.
pub fn cents(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

pub fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// Nine in the morning of a day.
pub fn morning(text: &str) -> Instant {
    format!("{text}T09:00:00Z").parse().expect("a moment")
}

fn person(number: u128, name: &str, roles: &[Role], partner: Option<PartnerId>, level: u8) -> Actor {
    Actor::person(Standing {
        user: UserId(Uuid::from_u128(1_000 + number)),
        name: name.to_owned(),
        roles: roles.to_vec(),
        partner,
        territory: if roles == [Role::ChannelManager] { vec!["DACH".to_owned()] } else { Vec::new() },
        approves_level: level,
    })
}

/// The people. Each call makes the same person again.
pub mod people {
    use super::{Actor, NORDWIND, OTHER_PARTNER, Role, person};

    /// Nordwind's marketer.
    pub fn ana() -> Actor {
        person(1, "Ana Ferreira", &[Role::PartnerUser], Some(NORDWIND), 0)
    }
    pub fn nordwinds_admin() -> Actor {
        person(2, "Bo Nilsen", &[Role::PartnerAdmin], Some(NORDWIND), 0)
    }
    /// A marketer of another partner.
    pub fn stranger() -> Actor {
        person(3, "Kim Stone", &[Role::PartnerUser], Some(OTHER_PARTNER), 0)
    }
    /// Nordwind's channel manager.
    pub fn mia() -> Actor {
        person(4, "Mia Brandt", &[Role::ChannelManager], None, 0)
    }
    /// A second channel manager of the region.
    pub fn leo() -> Actor {
        person(5, "Leo Weiss", &[Role::ChannelManager], None, 0)
    }
    /// A channel manager of another region.
    pub fn manager_elsewhere() -> Actor {
        let mut actor = person(6, "Nora Vik", &[Role::ChannelManager], None, 0);
        actor.me.territory = vec!["Nordics".to_owned()];
        actor
    }
    /// Decides on level 2.
    pub fn director() -> Actor {
        person(7, "Dora Klein", &[Role::Approver], None, 2)
    }
    /// Decides on level 3, which the guide does not have.
    pub fn vice_president() -> Actor {
        person(8, "Victor Hahn", &[Role::Approver], None, 3)
    }
    pub fn finn() -> Actor {
        person(9, "Finn Maurer", &[Role::Finance], None, 0)
    }
    pub fn fay() -> Actor {
        person(10, "Fay Lorenz", &[Role::Finance], None, 0)
    }
    pub fn flo() -> Actor {
        person(11, "Flo Adler", &[Role::Finance], None, 0)
    }
    pub fn executive() -> Actor {
        person(12, "Ed Exner", &[Role::Executive], None, 0)
    }
    pub fn administrator() -> Actor {
        person(13, "Adam Ritter", &[Role::Administrator], None, 0)
    }
    pub fn auditor() -> Actor {
        person(14, "Otto Pruefer", &[Role::Auditor], None, 0)
    }
    pub fn integration() -> Actor {
        person(15, "CRM", &[Role::Integration], None, 0)
    }
    pub fn timer() -> Actor {
        Actor::system()
    }

    /// Everybody, each role at least once.
    pub fn all() -> Vec<Actor> {
        vec![
            ana(),
            nordwinds_admin(),
            stranger(),
            mia(),
            leo(),
            manager_elsewhere(),
            director(),
            vice_president(),
            finn(),
            fay(),
            flo(),
            executive(),
            administrator(),
            auditor(),
            integration(),
            timer(),
        ]
    }

    /// `who` stands in for `absent`.
    pub fn in_place_of(who: Actor, absent: &Actor) -> Actor {
        Actor { stands_in_for: vec![absent.me.clone()], ..who }
    }
}

use people::{ana, fay, finn, flo, mia, timer};

/// A cycle and its surroundings, a clock that is moved by hand, and everything recorded so far.
#[derive(Clone)]
pub struct Story {
    pub s: Situation,
    pub now: Instant,
    pub recorded: Vec<(Stamp, Entry)>,
    pub last: Option<Decision>,
    opening: Opening,
}

impl Story {
    /// Nordwind's cycle for the second quarter of 2026, just opened; 50,000 EUR in its wallet.
    pub fn new() -> Self {
        Self::with(Policy::load(EMEA).expect("the shipped guide"))
    }

    pub fn with(policy: Policy) -> Self {
        Self::under(policy, FundKind::Discretionary, &[(30_000, Some("2026-12-31")), (20_000, None)])
    }

    /// A cycle under a guide, from a fund of 100,000 with this credit allocated.
    pub fn under(policy: Policy, kind: FundKind, lots: &[(i64, Option<&str>)]) -> Self {
        let currency = policy.guide.currency;
        let opening = Opening {
            id: CYCLE,
            number: "C-2026-0042".to_owned(),
            serial: 42,
            program: PROGRAM,
            partner: NORDWIND,
            title: "Second quarter".to_owned(),
            period: Period { from: day("2026-04-01"), to: day("2026-06-30") },
            currency,
            plan: None,
            scorecard: None,
            copy_of: None,
        };
        let now = morning("2026-03-02");
        let fund = Fund {
            id: FUND,
            code: "F-EMEA-26".to_owned(),
            name: "Growth fund 2026".to_owned(),
            program: PROGRAM,
            parent: None,
            kind,
            currency,
            version: 0,
        };
        let partner = Partner {
            id: NORDWIND,
            name: "Nordwind".to_owned(),
            region: "DACH".to_owned(),
            country: "DE".to_owned(),
            tier: "silver".to_owned(),
            currency,
            manager: Some(mia().user()),
            good_standing: true,
            has_been_paid: false,
        };
        let s = Situation {
            cycle: Cycle::new(&opening, now),
            partner,
            policy,
            benchmarks: Benchmarks::load(BENCHMARKS).expect("the shipped benchmarks"),
            template: Template::load(SCORECARD).expect("the shipped scorecard"),
            funds: vec![fund],
            book: Book::default(),
            evidence: Vec::new(),
            results: Results::default(),
        };
        let mut story = Self { s, now, recorded: Vec::new(), last: None, opening };
        story.fund(&FundCommand::Budget { amount: Money::units(100_000, currency), reason: "Year".to_owned() });
        for (units, lot) in lots {
            story.fund(&FundCommand::Allocate {
                partner: NORDWIND,
                amount: Money::units(*units, currency),
                expires: lot.map(day),
                reason: "Plan".to_owned(),
            });
        }
        let decision = machine::open(&story.s, &ana(), &story.opening, now).expect("opened");
        story.record(decision, ana().user());
        story
    }

    /// Finance (or the timer) does something with the fund.
    pub fn fund(&mut self, command: &FundCommand) {
        let actor = if *command == FundCommand::Forfeit { timer() } else { finn() };
        self.try_fund(&actor, command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"));
    }

    pub fn try_fund(&mut self, actor: &Actor, command: &FundCommand) -> Result<(), Refusal> {
        let s = FundSituation {
            fund: self.s.funds[0].clone(),
            book: self.s.book.clone(),
            partner_name: Some(self.s.partner.name.clone()),
        };
        let decision = fund::decide(&s, actor, command, self.now)?;
        decision.entry().postings.iter().for_each(|posting| self.s.book.post(posting));
        self.s.funds[0] = decision.fund().clone();
        self.balanced();
        Ok(())
    }

    /// Somebody tries; what would be recorded is recorded.
    pub fn act(&mut self, who: &Actor, command: impl Into<Command>) -> Result<(), Refusal> {
        let command = command.into();
        let decision = decide(&self.s, who, &command, self.now)?;
        self.record(decision, who.user());
        Ok(())
    }

    /// Somebody does what must be possible.
    #[track_caller]
    pub fn must(&mut self, who: &Actor, command: impl Into<Command>) -> &mut Self {
        let command = command.into();
        if let Err(refusal) = self.act(who, command.clone()) {
            panic!("{} could not {}: {refusal} {refusal:?}", who.me.name, command.act().words());
        }
        self
    }

    /// Somebody tries what the rules forbid, for exactly this reason.
    #[track_caller]
    pub fn refuses(&mut self, who: &Actor, command: impl Into<Command>, code: &str) -> Refusal {
        let command = command.into();
        match self.act(who, command.clone()) {
            Ok(()) => panic!("{} could {}, which should be refused: {code}", who.me.name, command.act().words()),
            Err(refusal) => {
                assert!(refusal.reasons.iter().any(|reason| reason.code == code), "wanted {code}, was {refusal:?}");
                refusal
            }
        }
    }

    fn record(&mut self, decision: Decision, by: UserId) {
        assert_eq!(decision.before(), self.s.cycle.version);
        assert!(!decision.entries().is_empty());
        let stamp = Stamp { at: self.now, by };
        for entry in decision.entries() {
            entry.postings.iter().for_each(|posting| self.s.book.post(posting));
            self.recorded.push((stamp, entry.clone()));
        }
        self.s.cycle = decision.cycle().clone();
        assert_eq!(decision.wake_at(), machine::wake_at(&self.s));
        assert_eq!(*decision.health(), machine::health(&self.s));
        self.last = Some(decision);
        self.balanced();
        self.money_is_where_it_belongs();
        self.clock_is_honest();
    }

    /// All balances add up to zero, and only the outside world is below it.
    pub fn balanced(&self) {
        assert_eq!(self.s.book.total(|_| true), 0, "the book does not balance");
        for balance in &self.s.book.balances {
            let account = &balance.account;
            assert!(balance.amount.minor >= 0 || account.kind.may_be_negative(), "{} is below zero", account.key());
        }
    }

    /// Commitments stand where money is approved and nowhere else; claims hold what they were approved for.
    fn money_is_where_it_belongs(&self) {
        let cycle = &self.s.cycle;
        let committed = self.held(AccountKind::Committed);
        if cycle.stage.is_end() {
            assert_eq!(committed, 0, "an ended cycle holds money");
        }
        let reviewed: i64 = cycle
            .claims
            .iter()
            .filter(|claim| claim.state == s7_execution::ClaimState::Review)
            .map(|claim| claim.asked.minor)
            .sum();
        assert!(reviewed <= committed, "{reviewed} claimed in review, {committed} committed");
        for claim in &cycle.claims {
            let claimed = self.s.book.minor(&Account::claimed(FUND, NORDWIND, CYCLE, claim.no));
            assert_eq!(claimed, claim.outstanding().minor, "claim {}", claim.no);
            assert!(claim.approved.minor <= claim.asked.minor);
        }
        let approved: i64 = cycle.approval.lines.iter().map(|line| line.amount.minor).sum();
        let taken: i64 = cycle.claims.iter().map(|claim| claim.approved.minor).sum();
        assert!(committed + taken <= approved, "{committed} committed and {taken} claimed of {approved} approved");
    }

    /// What the timer does at a cycle's moment succeeds or leaves nothing due, and never asks for the same again.
    fn clock_is_honest(&self) {
        let Some(wake) = machine::wake_at(&self.s) else { return };
        let later = wake.max(self.now);
        let mut s = self.s.clone();
        let mut asked = 0;
        while machine::wake_at(&s).is_some_and(|wake| wake <= later) {
            let Some(command) = machine::timer_command(&s, later) else {
                panic!("wakes at {wake} in {:?} with nothing to do", s.cycle.stage)
            };
            let decision = decide(&s, &timer(), &command, later);
            let decision = decision.unwrap_or_else(|refusal| panic!("woke at {wake}, then {command:?}: {refusal}"));
            decision.entries().iter().flat_map(|entry| &entry.postings).for_each(|posting| s.book.post(posting));
            s.cycle = decision.cycle().clone();
            asked += 1;
            assert!(asked < 5, "asks again and again for {later}: {command:?}");
        }
        if wake > self.now {
            let before = wake - chrono::TimeDelta::seconds(1);
            if let Some(early) = machine::timer_command(&self.s, before.max(self.now)) {
                let early = decide(&self.s, &timer(), &early, before.max(self.now));
                assert!(early.is_err(), "could have woken before {wake}");
            }
        }
    }

    /// The clock goes to nine in the morning of a day; the timer does not run by itself.
    pub fn on(&mut self, text: &str) -> &mut Self {
        assert!(morning(text) >= self.now, "the clock goes forward");
        self.now = morning(text);
        self
    }

    /// The timer runs until nothing is due; it says what it recorded.
    pub fn timer_runs(&mut self) -> Vec<Entry> {
        let from = self.recorded.len();
        for _ in 0..5 {
            if machine::wake_at(&self.s).is_none_or(|wake| wake > self.now) {
                return self.recorded[from..].iter().map(|(_, entry)| entry.clone()).collect();
            }
            let command = machine::timer_command(&self.s, self.now).expect("a woken cycle has something to do");
            self.must(&timer(), command);
        }
        panic!("the timer does not come to rest: {:?}", self.s.cycle.stage);
    }

    /// Minor units in all accounts of a kind.
    pub fn held(&self, kind: AccountKind) -> i64 {
        self.s.book.total(|account| account.kind == kind)
    }

    /// Units of EUR unallocated, available, committed, claimed, paid: the picture after each step.
    pub fn balances(&self) -> [i64; 5] {
        use AccountKind::{Available, Claimed, Committed, Paid, Unallocated};
        [Unallocated, Available, Committed, Claimed, Paid].map(|kind| self.held(kind) / 100)
    }

    pub fn stage(&self) -> Stage {
        self.s.cycle.stage
    }

    /// The kinds of the entries recorded last.
    pub fn kinds(&self) -> Vec<&str> {
        self.last.iter().flat_map(Decision::entries).map(|entry| entry.kind.as_str()).collect()
    }

    /// The cycle as its recorded payloads alone give it, through JSON.
    pub fn replayed(&self) -> Cycle {
        let mut cycle = Cycle::new(&self.opening, self.recorded[0].0.at);
        for (stamp, entry) in &self.recorded {
            let text = serde_json::to_string(&entry.payload).expect("JSON");
            let event: Event = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
            machine::apply(&mut cycle, &event, *stamp);
        }
        cycle
    }
}

// What people write.

pub fn plan() -> PlanDraft {
    let goal = Objective {
        no: 1,
        goal: "Win new customers for managed detection".to_owned(),
        measure: "new customers".to_owned(),
        target: 8,
    };
    PlanDraft { objectives: vec![goal], ..PlanDraft::default() }
}

/// The best answer to every question, or the worst.
pub fn answers(template: &Template, best: bool) -> Vec<Answer> {
    let option = |options: usize| if best { u8::try_from(options - 1).expect("few options") } else { 0 };
    let all = template.questions();
    all.map(|question| Answer { question: question.code.clone(), option: option(question.options.len()) }).collect()
}

pub fn campaign(s: &Situation, name: &str, tactic: &str, units: i64) -> CampaignDraft {
    let cost = Money::units(units, s.cycle.currency);
    CampaignDraft {
        name: name.to_owned(),
        tactic: tactic.to_owned(),
        audience: "IT managers of mid-size manufacturers".to_owned(),
        landing_url: Some("https://nordwind.example/mdr".to_owned()),
        cost,
        assumptions: s.benchmarks.tactic(tactic).expect("a tactic").assumptions(cost),
        reason: String::new(),
    }
}

/// One activity of a campaign with cost lines of these units.
pub fn activity(campaign: u16, kind: &str, starts: &str, ends: &str, costs: &[i64]) -> ActivityDraft {
    let lines = costs.iter().zip(1..).map(|(units, no)| CostLine {
        no,
        category: "agency".to_owned(),
        description: format!("Work package {no}"),
        amount: eur(*units),
    });
    ActivityDraft {
        campaign,
        name: format!("The {kind} of {starts}"),
        kind: kind.to_owned(),
        starts: day(starts),
        ends: day(ends),
        place: "Hamburg".to_owned(),
        owner: "Ana Ferreira".to_owned(),
        objective: 1,
        costs: lines.collect(),
    }
}

/// Asks for the vendor's share of every cost line.
pub fn request(s: &Situation) -> RequestDraft {
    let lines = s.cycle.activities.iter().flat_map(|activity| {
        activity.draft.costs.iter().map(|cost| RequestLine {
            activity: activity.no,
            line: cost.no,
            asked: s5_request::most_for(s, activity.no, cost.no).expect("a cost line"),
        })
    });
    RequestDraft {
        fund: FUND,
        lines: lines.collect(),
        justification: "Eight new customers at an average of 24,000 pay this back.".to_owned(),
        late_reason: String::new(),
        terms_accepted: true,
    }
}

/// Everything asked, on the level under way.
pub fn approval(s: &Situation) -> s6_approval::Command {
    let ceiling = s.cycle.approval.ceiling(&s.cycle);
    let lines = ceiling.into_iter().map(|most| LineDecision {
        activity: most.activity,
        line: most.line,
        amount: most.asked,
        reason: String::new(),
    });
    s6_approval::Command::Approve { lines: lines.collect() }
}

/// A file for every item of the activity's checklist.
pub fn proof(s: &Situation, no: u16) -> s7_execution::Command {
    let draft = &s.cycle.activity(no).expect("an activity").draft;
    let kind = s.policy.activity_type(&draft.kind).expect("a kind");
    let items = kind.all_of.iter().chain(kind.one_of.first());
    let files = items.zip(1..).map(|(item, number)| ProofUpload {
        item: item.code.clone(),
        file: FileId(Uuid::from_u128(u128::from(no) * 100 + number)),
        name: format!("{}.pdf", item.code),
    });
    s7_execution::Command::SubmitProof { activity: no, files: files.collect() }
}

pub fn accept(no: u16) -> s7_execution::Command {
    s7_execution::Command::AcceptProof { activity: no }
}

/// One invoice of this amount for a cost line.
pub fn invoice(activity: u16, line: u16, actual: Money) -> ClaimLineDraft {
    ClaimLineDraft {
        activity,
        line,
        actual,
        vendor: "Hafen Events GmbH".to_owned(),
        invoice_no: format!("R-{activity}-{line}"),
        invoice_date: day("2026-04-01"),
        file: Some(FileId(Uuid::from_u128(9_000 + u128::from(activity) * 10 + u128::from(line)))),
    }
}

pub fn claim(campaign: u16, lines: Vec<ClaimLineDraft>, is_final: bool) -> s7_execution::Command {
    s7_execution::Command::SubmitClaim { campaign, lines, is_final }
}

pub fn approve_claim(no: u16, amount: Money) -> s7_execution::Command {
    s7_execution::Command::ApproveClaim { claim: no, amount, reason: "As invoiced".to_owned() }
}

pub fn settle(no: u16, amount: Money) -> s7_execution::Command {
    s7_execution::Command::RecordSettlement { claim: no, amount, reference: "SEPA-1".to_owned() }
}

pub fn sign() -> s9_performance::Command {
    s9_performance::Command::Sign { lessons: "Call within a day.".to_owned() }
}

// A cycle at each step of its way: one campaign of 20,000 (webinar 12,000, event 8,000), 10,000 asked.

macro_rules! stations {
    ($($(#[$doc:meta])* $name:ident after $before:ident = $way:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name() -> Story {
            static AT: LazyLock<Story> = LazyLock::new(|| {
                let mut story = $before();
                let way: fn(&mut Story) = $way;
                way(&mut story);
                story
            });
            AT.clone()
        }
    )*};
}

pub fn plan_draft() -> Story {
    Story::new()
}

stations! {
    plan_review after plan_draft = |story| {
        story.must(&ana(), s1_plan::Command::Submit { draft: plan() });
    };
    scorecard_open after plan_review = |story| {
        story.must(&mia(), s1_plan::Command::Agree {});
    };
    forecast_draft after scorecard_open = |story| {
        let answers = answers(&story.s.template, true);
        story.must(&ana(), s2_scorecard::Command::Complete { answers });
    };
    action_plan_draft after forecast_draft = |story| {
        let draft = campaign(&story.s, "Detection in practice", "webinar", 20_000);
        story.must(&ana(), s3_forecast::Command::Save { no: None, draft });
        story.must(&ana(), s3_forecast::Command::Commit {});
    };
    request_draft after action_plan_draft = |story| {
        let webinar = activity(1, "webinar", "2026-05-05", "2026-05-05", &[8_000, 4_000]);
        let event = activity(1, "event", "2026-05-19", "2026-05-20", &[8_000]);
        story.must(&ana(), s4_action_plan::Command::Save { no: None, draft: webinar });
        story.must(&ana(), s4_action_plan::Command::Save { no: None, draft: event });
        story.must(&ana(), s4_action_plan::Command::Commit {});
    };
    approval_review after request_draft = |story| {
        let draft = request(&story.s);
        story.must(&ana(), s5_request::Command::Submit { draft });
    };
    execution_live after approval_review = |story| {
        let approval = approval(&story.s);
        story.must(&mia(), approval);
    };
    /// The webinar's proof is handed in.
    proof_in_review after execution_live = |story| {
        let proof = proof(&story.on("2026-05-06").s, 1);
        story.must(&ana(), proof);
    };
    /// The webinar is proven; the event is still to come.
    half_proven after proof_in_review = |story| {
        story.must(&mia(), accept(1));
    };
    /// 3,000 claimed on the webinar.
    claim_in_review after half_proven = |story| {
        story.must(&ana(), claim(1, vec![invoice(1, 1, eur(6_000))], false));
    };
    claim_payable after claim_in_review = |story| {
        story.must(&finn(), approve_claim(1, eur(3_000)));
    };
    claim_paid after claim_payable = |story| {
        story.must(&fay(), settle(1, eur(3_000)));
    };
    clawback_proposed after claim_paid = |story| {
        let reason = "The invoice was credited".to_owned();
        story.must(&finn(), s7_execution::Command::ProposeClawback { claim: 1, amount: eur(1_000), reason });
    };
    /// The event is to move; its change is in review, the webinar goes on.
    amendment_in_review after half_proven = |story| {
        let mut draft = story.s.cycle.activity(2).expect("the event").draft.clone();
        (draft.starts, draft.ends) = (day("2026-06-09"), day("2026-06-10"));
        story.must(&ana(), amend(&story.s, 2, draft));
    };
    tracking_listening after claim_paid = |story| {
        let proof = proof(&story.on("2026-05-21").s, 2);
        story.must(&ana(), proof).must(&mia(), accept(2));
    };
    performance_measured after tracking_listening = |story| {
        story.must(&mia(), domain::steps::s8_tracking::Command::Close {});
    };
    partner_signed after performance_measured = |story| {
        story.must(&ana(), sign());
    };
    closed after partner_signed = |story| {
        story.must(&mia(), sign());
    };
    clawed_back after clawback_proposed = |story| {
        story.must(&flo(), s7_execution::Command::ConfirmClawback { claim: 1 });
    };
    declined after approval_review = |story| {
        story.must(&mia(), s6_approval::Command::Decline { reason: "Not this quarter".to_owned() });
    };
    withdrawn after approval_review = |story| {
        story.must(&ana(), machine::CycleCommand::Cancel { reason: "Plans changed".to_owned() });
    };
    cancelled after execution_live = |story| {
        story.must(&mia(), machine::CycleCommand::Cancel { reason: "The partner left".to_owned() });
    };
    expired after plan_draft = |story| {
        story.on("2026-07-01").timer_runs();
    };
}

/// The amendment of an activity that asks for the vendor's share of its lines again.
pub fn amend(s: &Situation, no: u16, draft: ActivityDraft) -> s7_execution::Command {
    let share = s.policy.share_for(&s.partner, &draft.kind, draft.starts);
    let lines = draft.costs.iter().map(|cost| RequestLine {
        activity: no,
        line: cost.no,
        asked: cost.amount.share(share).expect("a share"),
    });
    s7_execution::Command::Amend { activity: no, lines: lines.collect(), draft, reason: "The hall is taken".to_owned() }
}
