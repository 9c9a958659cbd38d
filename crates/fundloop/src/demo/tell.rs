//! Tells the tales: every step on its day, by the person whose step it is, in the order of days.

use super::cast::World;
use super::coop::Coop;
use super::script::{Spot, Tale, Turn};
use super::{morning, payments, results};
use chrono::Days;
use domain::Date;
use domain::cycle::Stage;
use domain::exchange::Rate;
use domain::forecast::Assumptions;
use domain::machine::{Command, CycleCommand, Situation};
use domain::money::{Currency, Money};
use domain::people::Actor;
use domain::steps::s1_plan::{GrowthPath, Objective, PlanDraft, QuarterPlan};
use domain::steps::s2_scorecard::Answer;
use domain::steps::s3_forecast::CampaignDraft;
use domain::steps::s4_action_plan::{ActivityDraft, CostLine};
use domain::steps::s5_request::{RequestDraft, RequestLine, most_for};
use domain::steps::s6_approval::LineDecision;
use domain::steps::s7_execution::{ActivityState, ClaimLineDraft, ClaimState, ProofUpload};
use domain::steps::{
    s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s6_approval, s7_execution, s9_performance,
};
use engine::files::Upload;
use engine::{Engine, NewCycle, Submission, WhichCycle};
use storage::{Db, Viewer};

/// What happens to a cycle, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Beat {
    Open,
    SubmitPlan,
    AgreePlan,
    Scorecard,
    Forecast,
    ActionPlan,
    Request,
    ApproveFirst,
    ApproveOn,
    Touches,
    Prove(u16),
    Accept(u16),
    Claim(u16),
    DecideClaim,
    Pay,
    PayRest,
    Deals,
    Sign,
    Afterwards,
}

/// Plays every beat whose day has come, oldest first, with the timers running once a week in between.
pub async fn tell(
    engine: &Engine,
    db: &Db,
    (world, mut coop): (&World, Coop),
    tales: Vec<Tale>,
    start: Date,
    today: Date,
) -> anyhow::Result<()> {
    let mut beats: Vec<(Date, usize, Beat)> = tales
        .iter()
        .enumerate()
        .flat_map(|(index, tale)| beats(tale).into_iter().map(move |(day, beat)| (day, index, beat)))
        .collect();
    beats.retain(|(day, ..)| *day < today);
    beats.sort();
    let mut numbers: Vec<Option<String>> = vec![None; tales.len()];
    let (mut ticked, mut minutes, mut last_day) = (start, 0, start);
    for (day, index, beat) in beats {
        coop.until(engine, world, day).await?;
        if day >= ticked + Days::new(7) {
            engine.clock.set(morning(day, -60));
            engine.tick().await?;
            engine.deliver().await?;
            record_rate(engine, world, start, day).await?;
            ticked = day;
        }
        minutes = if day == last_day { minutes + 3 } else { 0 };
        last_day = day;
        engine.clock.set(morning(day, minutes));
        let teller = Teller { engine, db, world, tale: &tales[index], today };
        Box::pin(teller.play(beat, &mut numbers[index]))
            .await
            .map_err(|error| error.context(format!("{beat:?} of {} on {day}", tales[index].title)))?;
    }
    coop.until(engine, world, today).await?;
    Ok(())
}

/// Finance enters what a euro is worth once a week; it wanders between 1.06 and 1.12.
async fn record_rate(engine: &Engine, world: &World, start: Date, day: Date) -> anyhow::Result<()> {
    let weeks = (day - start).num_days() / 7;
    let value = rust_decimal::Decimal::new(10_600 + (weeks * 37) % 600, 4);
    let rate = Rate { from: Currency::EUR, to: Currency::USD, day, value };
    engine.record_rates(world.person("tomas")?, &[rate], &Submission::own()).await?;
    Ok(())
}

fn beats(tale: &Tale) -> Vec<(Date, Beat)> {
    let day = |after: u64| tale.opened + Days::new(after);
    let preparing = matches!(tale.turn, Turn::Until(_));
    let pace = if preparing { 1 } else { 2 };
    let early = [
        Beat::Open,
        Beat::SubmitPlan,
        Beat::AgreePlan,
        Beat::Scorecard,
        Beat::Forecast,
        Beat::ActionPlan,
        Beat::Request,
        Beat::ApproveFirst,
        Beat::ApproveOn,
    ];
    let keep = if let Turn::Until(stop) = tale.turn { usize::from(stop) } else { early.len() };
    let mut beats: Vec<(Date, Beat)> =
        early.into_iter().take(keep).zip(0_u64..).map(|(beat, index)| (day(index * pace), beat)).collect();
    if preparing || matches!(tale.turn, Turn::Declined | Turn::Withdrawn) {
        return beats;
    }
    for (no, spot) in (1..).zip(&tale.campaigns) {
        let ends = tale.first + Days::new(spot.from + spot.days - 1);
        if !(tale.turn == Turn::Unproven && no == 2) {
            beats.extend([(ends + Days::new(4), Beat::Prove(no)), (ends + Days::new(7), Beat::Accept(no))]);
        }
        beats.extend([
            (ends + Days::new(12), Beat::Claim(no)),
            (ends + Days::new(18), Beat::DecideClaim),
            (ends + Days::new(30), Beat::Pay),
            (ends + Days::new(44), Beat::PayRest),
        ]);
    }
    beats.extend([
        (tale.first + Days::new(23), Beat::Touches),
        (tale.last + Days::new(45), Beat::Deals),
        (tale.last + Days::new(98), Beat::Sign),
        (tale.last + Days::new(105), Beat::Afterwards),
    ]);
    beats
}

struct Teller<'a> {
    engine: &'a Engine,
    db: &'a Db,
    world: &'a World,
    tale: &'a Tale,
    /// Where the story ends: nothing is known of later days.
    today: Date,
}

impl Teller<'_> {
    async fn play(&self, beat: Beat, number: &mut Option<String>) -> anyhow::Result<()> {
        let Some(no) = number.as_deref() else {
            *number = Some(self.open().await?);
            return Ok(());
        };
        let marketer = self.world.marketer(self.tale.partner)?;
        let s = self.engine.look(&Viewer::system(), WhichCycle::Number(no)).await?;
        match beat {
            Beat::Open => Ok(()),
            // A second cycle of one period starts at the forecast, on the plan and scorecard that are there.
            Beat::SubmitPlan | Beat::AgreePlan | Beat::Scorecard if s.cycle.stage == Stage::ForecastDraft => Ok(()),
            Beat::SubmitPlan => self.plan(no, &s, marketer).await,
            Beat::AgreePlan => self.agree(no, &s, marketer).await,
            Beat::Scorecard => self.scorecard(no, &s, marketer).await,
            Beat::Forecast => self.forecast(no, &s, marketer).await,
            Beat::ActionPlan => self.action_plan(no, &s, marketer).await,
            Beat::Request => self.request(no, &s, marketer).await,
            Beat::ApproveFirst => self.approve_first(no, &s).await,
            Beat::ApproveOn => self.approve_on(no).await,
            Beat::Touches => results::touches(self.engine, self.db, &s.cycle, self.tale.luck, self.today).await,
            Beat::Deals => results::deals(self.engine, self.db, &s.cycle, self.tale.luck, self.today).await,
            Beat::Prove(activity) => self.prove(no, &s, marketer, activity).await,
            Beat::Accept(activity) => self.accept(no, &s, activity).await,
            Beat::Claim(campaign) => self.claim(no, &s, marketer, campaign).await,
            Beat::DecideClaim => self.decide_claims(no, &s).await,
            Beat::Pay | Beat::PayRest => self.pay(no, &s, beat == Beat::Pay).await,
            Beat::Sign => self.sign(no, &s, marketer).await,
            Beat::Afterwards => self.afterwards(no, &s).await,
        }
    }

    async fn act(&self, no: &str, actor: &Actor, command: impl Into<Command>) -> anyhow::Result<()> {
        self.engine.advance(actor, WhichCycle::Number(no), &command.into(), &Submission::own()).await?;
        Ok(())
    }

    async fn open(&self) -> anyhow::Result<String> {
        let tale = self.tale;
        let new = NewCycle {
            partner: self.world.partner(tale.partner)?,
            program: self.world.program(tale.partner)?,
            title: format!("{}, {}", tale.title, domain::calendar::quarter(tale.first)),
            from: tale.first,
            to: tale.last,
            currency: None,
            copy_of: None,
        };
        Ok(self.engine.open_cycle(self.world.marketer(tale.partner)?, &new, &Submission::own()).await?.number)
    }

    async fn plan(&self, no: &str, s: &Situation, by: &Actor) -> anyhow::Result<()> {
        let units = |units| Money::units(units, s.cycle.currency);
        let level = 1 + u8::try_from(s.cycle.serial % 3).unwrap_or(0);
        let objective = |no, goal: &str, measure: &str, target| Objective {
            no,
            goal: goal.to_owned(),
            measure: measure.to_owned(),
            target,
        };
        let draft = PlanDraft {
            level,
            objectives: vec![
                objective(1, "Win customers who have no security suite yet", "new customers", 6),
                objective(2, "Fill the pipeline for the next half-year", "qualified opportunities", 18),
            ],
            quarters: if level >= 2 {
                vec![QuarterPlan {
                    quarter: domain::calendar::quarter(self.tale.first),
                    sales: units(240_000),
                    profit: units(66_000),
                }]
            } else {
                Vec::new()
            },
            growth_path: (level >= 2).then_some(GrowthPath::NewCustomers),
            strategies: if level >= 3 {
                vec!["Lead with a readiness assessment, then sell the suite".to_owned()]
            } else {
                Vec::new()
            },
            intended_mdf: (level >= 3).then(|| units(12_000)),
        };
        self.act(no, by, s1_plan::Command::Submit { draft }).await
    }

    async fn agree(&self, no: &str, s: &Situation, marketer: &Actor) -> anyhow::Result<()> {
        let manager = self.world.manager(self.tale.partner)?;
        if self.tale.turn == Turn::ReturnedOnce {
            let reason = "Please name a target for the second half as well.".to_owned();
            self.act(no, manager, s1_plan::Command::Return { reason }).await?;
            self.act(no, marketer, s1_plan::Command::Submit { draft: s.cycle.plan.draft.clone() }).await?;
        }
        self.act(no, manager, s1_plan::Command::Agree {}).await
    }

    async fn scorecard(&self, no: &str, s: &Situation, by: &Actor) -> anyhow::Result<()> {
        let strength = self.tale.luck / 10;
        let answer = |(index, question): (usize, &s2_scorecard::Question)| {
            let best = question.options.len() - 1;
            let missed = usize::from((index + strength as usize).is_multiple_of(3))
                + usize::from(self.tale.luck < 90 && index.is_multiple_of(2));
            Answer { question: question.code.clone(), option: u8::try_from(best.saturating_sub(missed)).unwrap_or(0) }
        };
        let answers = s.template.questions().enumerate().map(answer).collect();
        self.act(no, by, s2_scorecard::Command::Complete { answers }).await
    }

    async fn forecast(&self, no: &str, s: &Situation, by: &Actor) -> anyhow::Result<()> {
        for spot in &self.tale.campaigns {
            let cost = Money::units(spot.cost, s.cycle.currency);
            let tactic =
                s.benchmarks.tactic(spot.tactic).ok_or_else(|| anyhow::anyhow!("no tactic {}", spot.tactic))?;
            let typical = tactic.assumptions(cost);
            let assumptions = Assumptions { responses: typical.responses + typical.responses / 10, ..typical };
            let draft = CampaignDraft {
                name: spot.name.to_owned(),
                tactic: spot.tactic.to_owned(),
                audience: "IT and security leads of companies with 200 to 2,000 people".to_owned(),
                landing_url: Some(format!("https://{}.example/{}", self.tale.partner, spot.tactic.replace('_', "-"))),
                cost,
                assumptions,
                reason: "Our last campaigns of this kind ran at these rates.".to_owned(),
            };
            self.act(no, by, s3_forecast::Command::Save { no: None, draft }).await?;
        }
        self.act(no, by, s3_forecast::Command::Commit {}).await
    }

    async fn action_plan(&self, no: &str, s: &Situation, by: &Actor) -> anyhow::Result<()> {
        for (campaign, spot) in (1..).zip(&self.tale.campaigns) {
            let draft = self.activity(campaign, spot, s, &by.me.name);
            self.act(no, by, s4_action_plan::Command::Save { no: None, draft }).await?;
        }
        self.act(no, by, s4_action_plan::Command::Commit {}).await
    }

    fn activity(&self, campaign: u16, spot: &Spot, s: &Situation, owner: &str) -> ActivityDraft {
        let most = spot.cost * 7 / 10;
        let line = |no, category: &str, description: &str, units| CostLine {
            no,
            category: category.to_owned(),
            description: description.to_owned(),
            amount: Money::units(units, s.cycle.currency),
            units: None,
        };
        let starts = self.tale.first + Days::new(spot.from);
        ActivityDraft {
            campaign,
            name: spot.name.to_owned(),
            kind: if s.policy.activity_type(spot.kind).is_some() { spot.kind } else { "content" }.to_owned(),
            starts,
            ends: starts + Days::new(spot.days - 1),
            place: if spot.kind == "event" { "Partner's briefing centre" } else { "Online" }.to_owned(),
            owner: owner.to_owned(),
            objective: 1 + campaign % 2,
            sponsors: None,
            heads: None,
            costs: vec![
                line(1, spot.category, "Main supplier", most),
                line(2, "agency", "Agency, design and copy", spot.cost - most),
            ],
        }
    }

    async fn request(&self, no: &str, s: &Situation, by: &Actor) -> anyhow::Result<()> {
        let american = self.world.is_american(self.tale.partner);
        let code = match (american, self.tale.turn == Turn::SharedFund) {
            _ if self.tale.turn == Turn::GlobalFund => "GLOBAL-LAUNCH",
            (false, false) => "EMEA-GROWTH",
            (false, true) => "EMEA-EVENTS",
            (true, false) => "US-GROWTH",
            (true, true) => "US-EVENTS",
        };
        let fund = s.funds.iter().find(|fund| fund.code == code).ok_or_else(|| anyhow::anyhow!("no fund {code}"))?;
        let lines = s
            .cycle
            .activities
            .iter()
            .flat_map(|activity| activity.draft.costs.iter().map(|cost| (activity.no, cost.no)));
        let lines = lines
            .filter_map(|(activity, line)| Some(RequestLine { activity, line, asked: most_for(s, activity, line)? }))
            .collect();
        let draft = RequestDraft {
            fund: fund.id,
            lines,
            justification:
                "The audience is ours by name, the offer has sold before, and sales follows up within two days."
                    .to_owned(),
            late_reason: String::new(),
            terms_accepted: true,
        };
        self.act(no, by, s5_request::Command::Submit { draft }).await?;
        if self.tale.turn == Turn::Withdrawn {
            self.act(no, by, s5_request::Command::Withdraw {}).await?;
            self.act(no, by, CycleCommand::Cancel { reason: "Our speaker has left the company.".to_owned() }).await?;
        }
        Ok(())
    }

    async fn approve_first(&self, no: &str, s: &Situation) -> anyhow::Result<()> {
        if s.cycle.stage != Stage::ApprovalReview {
            return Ok(());
        }
        let manager = self.world.manager(self.tale.partner)?;
        if self.tale.turn == Turn::Declined {
            let reason = "We funded the same audience last quarter and saw no opportunity from it.".to_owned();
            return self.act(no, manager, s6_approval::Command::Decline { reason }).await;
        }
        if self.tale.turn == Turn::AskedAndAnswered {
            self.act(
                no,
                manager,
                s6_approval::Command::Ask { question: "Which list did you use last time?".to_owned() },
            )
            .await?;
            let text =
                "Our own customers and the attendees of the spring briefing, 1,850 contacts with consent.".to_owned();
            self.act(no, self.world.marketer(self.tale.partner)?, s6_approval::Command::Answer { text }).await?;
        }
        self.approve(no, manager).await
    }

    /// The levels above the first, each by its own approver.
    async fn approve_on(&self, no: &str) -> anyhow::Result<()> {
        loop {
            let s = self.engine.look(&Viewer::system(), WhichCycle::Number(no)).await?;
            if s.cycle.stage != Stage::ApprovalReview {
                break;
            }
            let who = match (self.world.is_american(self.tale.partner), s.cycle.level) {
                (false, _) => "ines",
                (true, 2) => "grace",
                (true, _) => "victor",
            };
            self.approve(no, self.world.person(who)?).await?;
        }
        let s = self.engine.look(&Viewer::system(), WhichCycle::Number(no)).await?;
        if self.tale.turn == Turn::Cancelled && s.cycle.stage == Stage::ExecutionLive {
            let reason = "The city closed the venue.".to_owned();
            self.act(no, self.world.marketer(self.tale.partner)?, CycleCommand::Cancel { reason }).await?;
        }
        if s.cycle.stage == Stage::ExecutionLive {
            results::links(self.engine, self.db, &s.cycle).await?;
        }
        Ok(())
    }

    async fn approve(&self, no: &str, approver: &Actor) -> anyhow::Result<()> {
        let s = self.engine.look(&Viewer::system(), WhichCycle::Number(no)).await?;
        let cut = s.cycle.serial.is_multiple_of(5) && s.cycle.level == 1;
        let decide = |(index, line): (usize, RequestLine)| {
            let less = cut && index == 0;
            let amount = if less { Money::new(line.asked.minor * 8 / 10, line.asked.currency) } else { line.asked };
            let reason = if less { "The platform is shared with other work; we pay four fifths." } else { "" };
            LineDecision { activity: line.activity, line: line.line, amount, reason: reason.to_owned() }
        };
        let lines = s.cycle.approval.ceiling(&s.cycle).into_iter().enumerate().map(decide).collect();
        self.act(no, approver, s6_approval::Command::Approve { lines }).await
    }

    async fn prove(&self, no: &str, s: &Situation, by: &Actor, activity: u16) -> anyhow::Result<()> {
        let Some(found) = s
            .cycle
            .activity(activity)
            .filter(|found| found.state == ActivityState::Live && s.cycle.stage == Stage::ExecutionLive)
        else {
            return Ok(());
        };
        let kind = s.policy.activity_type(&found.draft.kind).ok_or_else(|| anyhow::anyhow!("no activity type"))?;
        let mut files = Vec::new();
        for item in kind.all_of.iter().chain(kind.one_of.first()) {
            let upload = results::proof_file(&item.code, &item.kinds, no, activity);
            let file = self.engine.keep_file(by, no, "files", &upload).await?;
            files.push(ProofUpload { item: item.code.clone(), file, name: upload.name, columns: None });
        }
        self.act(no, by, s7_execution::Command::SubmitProof { activity, files }).await
    }

    async fn accept(&self, no: &str, s: &Situation, activity: u16) -> anyhow::Result<()> {
        let in_review = s.cycle.activity(activity).is_some_and(|found| found.state == ActivityState::ProofReview);
        if !in_review {
            return Ok(());
        }
        self.act(no, self.world.manager(self.tale.partner)?, s7_execution::Command::AcceptProof { activity }).await
    }

    async fn claim(&self, no: &str, s: &Situation, by: &Actor, campaign: u16) -> anyhow::Result<()> {
        let proven = s
            .cycle
            .activities
            .iter()
            .filter(|activity| activity.draft.campaign == campaign && activity.state == ActivityState::Proven);
        let mut lines = Vec::new();
        for activity in proven {
            for cost in &activity.draft.costs {
                let percent = i64::from(94 + (s.cycle.serial + u32::from(cost.no) * 3) % 12);
                let actual = Money::new(cost.amount.minor * percent / 100, cost.amount.currency);
                let invoice_no = format!("INV-{}-{campaign}{}", s.cycle.serial + 400, cost.no);
                let upload = Upload {
                    name: format!("{invoice_no}.pdf"),
                    bytes: results::pdf(&format!("Invoice {invoice_no}: {actual}")),
                };
                let file = Some(self.engine.keep_file(by, no, "file", &upload).await?);
                let vendor = if cost.no == 1 { "Konferenz & Medien GmbH" } else { "Studio Halden" }.to_owned();
                lines.push(ClaimLineDraft {
                    activity: activity.no,
                    line: cost.no,
                    actual,
                    vendor,
                    invoice_no,
                    invoice_date: activity.draft.ends,
                    file,
                });
            }
        }
        if lines.is_empty() || !s.cycle.stage.is_after_approval() {
            return Ok(());
        }
        self.act(no, by, s7_execution::Command::SubmitClaim { campaign, lines, is_final: true }).await
    }

    async fn decide_claims(&self, no: &str, s: &Situation) -> anyhow::Result<()> {
        for claim in s.cycle.claims.iter().filter(|claim| claim.state == ClaimState::Review) {
            let short = self.tale.turn == Turn::ShortPaid;
            let amount = if short { Money::new(claim.asked.minor * 9 / 10, claim.asked.currency) } else { claim.asked };
            let reason =
                if short { "One invoice includes travel, which the program does not pay." } else { "" }.to_owned();
            self.act(
                no,
                self.world.person("tomas")?,
                s7_execution::Command::ApproveClaim { claim: claim.no, amount, reason },
            )
            .await?;
        }
        Ok(())
    }

    async fn pay(&self, no: &str, s: &Situation, first: bool) -> anyhow::Result<()> {
        // Every other cycle is paid in a batch, as a larger house does it.
        if self.tale.turn == Turn::Runs && self.tale.partner != "harborpine" && s.cycle.serial.is_multiple_of(2) {
            return payments::pay_in_batch(self.engine, self.world.person("yuki")?, s).await;
        }
        for claim in
            s.cycle.claims.iter().filter(|claim| matches!(claim.state, ClaimState::Payable | ClaimState::PartPaid))
        {
            let whole = claim.outstanding();
            let amount = if first && self.tale.turn == Turn::Instalments {
                Money::new(whole.minor * 4 / 10, whole.currency)
            } else {
                whole
            };
            let reference =
                format!("SEPA {}-{}{}", no.trim_start_matches("C-"), claim.no, if first { "A" } else { "B" });
            self.act(
                no,
                self.world.person("yuki")?,
                s7_execution::Command::RecordSettlement { claim: claim.no, amount, reference },
            )
            .await?;
        }
        Ok(())
    }

    async fn sign(&self, no: &str, s: &Situation, marketer: &Actor) -> anyhow::Result<()> {
        if s.cycle.stage != Stage::PerformanceMeasured {
            return Ok(());
        }
        let by_partner = "The personal invitation by our own sales people brought most of the good leads.".to_owned();
        self.act(no, marketer, s9_performance::Command::Sign { lessons: by_partner }).await?;
        // The last quarter's reviews still wait for the manager now and then.
        if s.cycle.serial.is_multiple_of(7) {
            return Ok(());
        }
        let by_manager = "Lead quality decides: follow-up within two days, or do not run it.".to_owned();
        self.act(no, self.world.manager(self.tale.partner)?, s9_performance::Command::Sign { lessons: by_manager })
            .await
    }

    async fn afterwards(&self, no: &str, s: &Situation) -> anyhow::Result<()> {
        let Some(claim) =
            s.cycle.claims.iter().find(|claim| claim.state == ClaimState::Paid && self.tale.turn == Turn::ClawedBack)
        else {
            return Ok(());
        };
        let amount = Money::new(claim.paid().minor / 4, claim.asked.currency);
        let reason = "The audit found one invoice that was paid by another vendor as well.".to_owned();
        self.act(
            no,
            self.world.person("tomas")?,
            s7_execution::Command::ProposeClawback { claim: claim.no, amount, reason },
        )
        .await?;
        self.act(no, self.world.person("yuki")?, s7_execution::Command::ConfirmClawback { claim: claim.no }).await
    }
}
