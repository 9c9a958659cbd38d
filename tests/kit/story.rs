//! The loop told briskly: each step once, by whom it is, so that a test can begin where its own story does.

use chrono::{Datelike, Days, Months};
use domain::Date;
use domain::cycle::Stage;
use domain::exchange::Rate;
use domain::ids::{FundId, ProgramId};
use domain::machine::Situation;
use domain::money::{Currency, Money};
use domain::steps::s1_plan::{Objective, PlanDraft};
use domain::steps::s2_scorecard::{Answer, Question};
use domain::steps::s3_forecast::CampaignDraft;
use domain::steps::s4_action_plan::{ActivityDraft, CostLine};
use domain::steps::s5_request::{RequestDraft, RequestLine, most_for};
use domain::steps::s6_approval::LineDecision;
use domain::steps::s7_execution::{ClaimLineDraft, ProofUpload};
use domain::steps::{s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s6_approval, s7_execution};
use engine::files::Upload;
use engine::{NewCycle, Submission};

use crate::people::{ANA, INES, Persona, TOMAS, YUKI};
use crate::world::{World, eur};

/// Activities are asked for at least ten business days ahead.
const AHEAD: Days = Days::new(21);

/// The next quarter that leaves time to ask for what happens in it: on every story's first morning the second one.
fn next_quarter(today: Date) -> (Date, Date) {
    let soonest = today + AHEAD;
    let months = (3 - soonest.month0() % 3) % 3;
    let first_of_month = soonest.with_day(1).expect("every month has a first");
    let begun = if soonest.day() > 1 && months == 0 { 3 } else { months };
    let first = first_of_month + Months::new(begun);
    (first, first + Months::new(3) - Days::new(1))
}

impl World {
    /// A cycle of this person's company for the next quarter, one campaign with a webinar that costs `cost` whole
    /// euros, brought to `stage`. Of that cost the program pays a gold partner three fifths, others half.
    pub async fn cycle_in(&self, stage: Stage, who: Persona, cost: i64) -> String {
        let number = self.open_cycle(who).await;
        self.bring_to(stage, &number, who, cost).await;
        number
    }

    /// Takes a cycle from where it is to `stage`.
    pub async fn bring_to(&self, stage: Stage, number: &str, who: Persona, cost: i64) {
        loop {
            let situation = self.look(number).await;
            let now = situation.cycle.stage;
            if now == stage {
                return;
            }
            match now {
                Stage::PlanDraft => self.submit_plan(number, who).await,
                Stage::PlanReview => self.agree_plan(number).await,
                Stage::ScorecardOpen => self.complete_scorecard(number, &situation, who).await,
                Stage::ForecastDraft => {
                    self.draft_forecast(number, who, cost).await;
                    self.must(who, number, s3_forecast::Command::Commit {}).await;
                }
                Stage::ActionPlanDraft => {
                    self.draft_action_plan(number, who, cost).await;
                    self.must(who, number, s4_action_plan::Command::Commit {}).await;
                }
                Stage::RequestDraft => self.submit_request(number, &situation, who).await,
                Stage::ApprovalReview => self.approve(number, &situation).await,
                other => panic!("{number} is in {other:?}; the story does not lead to {stage:?}"),
            }
        }
    }

    pub async fn open_cycle(&self, who: Persona) -> String {
        self.open_cycle_of(self.program, who).await
    }

    /// A cycle of any program, for the next quarter.
    pub async fn open_cycle_of(&self, program: ProgramId, who: Persona) -> String {
        let (from, to) = next_quarter(self.clock.now().date_naive());
        let new = NewCycle {
            partner: who.partner.expect("a partner's person opens the cycle").id(),
            program,
            title: "Security briefings".to_owned(),
            from,
            to,
            currency: None,
            copy_of: None,
        };
        let opened = self.engine.open_cycle(&who.actor(), &new, &Submission::own()).await;
        opened.unwrap_or_else(|error| panic!("{}: {error:?}", who.name)).number
    }

    pub async fn submit_plan(&self, number: &str, who: Persona) {
        self.must(who, number, s1_plan::Command::Submit { draft: plan() }).await;
    }

    pub async fn agree_plan(&self, number: &str) {
        self.must(ANA, number, s1_plan::Command::Agree {}).await;
    }

    async fn complete_scorecard(&self, number: &str, s: &Situation, who: Persona) {
        self.must(who, number, s2_scorecard::Command::Complete { answers: best_answers(s) }).await;
    }

    /// One campaign, not committed.
    pub async fn draft_forecast(&self, number: &str, who: Persona, cost: i64) {
        let draft = campaign(&self.look(number).await, cost);
        self.must(who, number, s3_forecast::Command::Save { no: None, draft }).await;
    }

    /// Its webinar, not committed.
    pub async fn draft_action_plan(&self, number: &str, who: Persona, cost: i64) {
        let draft = webinar(&self.look(number).await, who, cost);
        self.must(who, number, s4_action_plan::Command::Save { no: None, draft }).await;
    }

    /// Asks for the most the program pays.
    pub async fn submit_request(&self, number: &str, s: &Situation, who: Persona) {
        let draft = request(s, self.fund);
        self.must(who, number, s5_request::Command::Submit { draft }).await;
    }

    /// Finance enters what one euro is worth in dollars today.
    pub async fn quote(&self, value: &str) {
        let (from, to, day) = (Currency::EUR, Currency::USD, self.clock.now().date_naive());
        let rate = Rate { from, to, day, value: value.parse().expect("a rate") };
        self.engine.record_rates(&TOMAS.actor(), &[rate], &Submission::own()).await.expect("the rate is recorded");
    }

    /// The level under way approves everything that is asked.
    pub async fn approve(&self, number: &str, s: &Situation) {
        let who = if s.cycle.level <= 1 { ANA } else { INES };
        self.must(who, number, approval_in_full(s)).await;
    }

    /// The webinar has run: proof is handed in and accepted.
    pub async fn prove(&self, number: &str, who: Persona) {
        let s = self.look(number).await;
        let activity = s.cycle.activity(1).expect("the webinar");
        let kind = s.policy.activity_type(&activity.draft.kind).expect("the guide knows webinars");
        let mut files = Vec::new();
        for item in kind.all_of.iter().chain(kind.one_of.first()) {
            let upload = proof_file(&item.code, &item.kinds);
            let file = self.engine.keep_file(&who.actor(), number, "files", &upload).await.expect("the file is kept");
            files.push(ProofUpload { item: item.code.clone(), file, name: upload.name, columns: None });
        }
        self.must(who, number, s7_execution::Command::SubmitProof { activity: 1, files }).await;
        self.must(ANA, number, s7_execution::Command::AcceptProof { activity: 1 }).await;
    }

    /// Claims what was spent, which is what was planned, as the final claim of the campaign.
    pub async fn claim(&self, number: &str, who: Persona) {
        let lines = self.invoices(number, who).await;
        self.must(who, number, s7_execution::Command::SubmitClaim { campaign: 1, lines, is_final: true }).await;
    }

    /// An invoice for every cost line of the webinar, over what was planned.
    pub async fn invoices(&self, number: &str, who: Persona) -> Vec<ClaimLineDraft> {
        let s = self.look(number).await;
        let activity = s.cycle.activity(1).expect("the webinar");
        let mut lines = Vec::new();
        for cost in &activity.draft.costs {
            let invoice_no = format!("INV-{}-{}", s.cycle.serial, cost.no);
            let upload = Upload { name: format!("{invoice_no}.pdf"), bytes: pdf(&invoice_no) };
            let file = self.engine.keep_file(&who.actor(), number, "file", &upload).await.expect("the file is kept");
            lines.push(ClaimLineDraft {
                activity: activity.no,
                line: cost.no,
                actual: cost.amount,
                vendor: "Studio Halden".to_owned(),
                invoice_no,
                invoice_date: activity.draft.ends,
                file: Some(file),
            });
        }
        lines
    }

    /// Finance approves the claim in full, and a second person pays it.
    pub async fn settle(&self, number: &str) -> Money {
        let amount = self.look(number).await.cycle.claims.first().expect("a claim").asked;
        let reason = String::new();
        self.must(TOMAS, number, s7_execution::Command::ApproveClaim { claim: 1, amount, reason }).await;
        let reference = "SEPA 2026-0001".to_owned();
        self.must(YUKI, number, s7_execution::Command::RecordSettlement { claim: 1, amount, reference }).await;
        amount
    }
}

/// A plan of level 1 with one objective.
pub fn plan() -> PlanDraft {
    PlanDraft {
        level: 1,
        objectives: vec![Objective {
            no: 1,
            goal: "Win customers who have no security suite yet".to_owned(),
            measure: "new customers".to_owned(),
            target: 6,
        }],
        quarters: Vec::new(),
        growth_path: None,
        strategies: Vec::new(),
        intended_mdf: None,
    }
}

/// The best answer to every question.
pub fn best_answers(s: &Situation) -> Vec<Answer> {
    let best = |question: &Question| Answer {
        question: question.code.clone(),
        option: u8::try_from(question.options.len() - 1).expect("a question has few options"),
    };
    s.template.questions().map(best).collect()
}

/// A webinar campaign that costs so many whole euros.
pub fn campaign(s: &Situation, cost: i64) -> CampaignDraft {
    let tactic = s.benchmarks.tactic("webinar").expect("webinars have a benchmark");
    CampaignDraft {
        name: "Zero trust in practice".to_owned(),
        tactic: "webinar".to_owned(),
        audience: "Security leads of companies with 200 to 2,000 people".to_owned(),
        landing_url: Some("https://nordwind.example/zero-trust".to_owned()),
        cost: eur(cost),
        assumptions: tactic.assumptions(eur(cost)),
        reason: String::new(),
    }
}

/// Its webinar, two weeks into the period, in two cost lines.
pub fn webinar(s: &Situation, owner: Persona, cost: i64) -> ActivityDraft {
    let most = cost * 7 / 10;
    let line = |no, category: &str, description: &str, units| CostLine {
        no,
        category: category.to_owned(),
        description: description.to_owned(),
        amount: eur(units),
        units: None,
    };
    let starts = s.cycle.period.from + Days::new(13);
    ActivityDraft {
        campaign: 1,
        name: "Zero trust in practice".to_owned(),
        kind: "webinar".to_owned(),
        starts,
        ends: starts + Days::new(1),
        place: "Online".to_owned(),
        owner: owner.name.to_owned(),
        objective: 1,
        sponsors: None,
        heads: None,
        costs: vec![
            line(1, "platform", "Webinar platform", most),
            line(2, "agency", "Agency, design and copy", cost - most),
        ],
    }
}

/// Asks the fund for the most the program pays.
pub fn request(s: &Situation, fund: FundId) -> RequestDraft {
    let lines = s.cycle.activities.iter().flat_map(|a| a.draft.costs.iter().map(|cost| (a.no, cost.no)));
    let asked = |(activity, line)| Some(RequestLine { activity, line, asked: most_for(s, activity, line)? });
    RequestDraft {
        fund,
        lines: lines.filter_map(asked).collect(),
        justification: "The audience is ours by name and sales follows up within two days.".to_owned(),
        late_reason: String::new(),
        terms_accepted: true,
    }
}

/// Approves every line for what is asked.
pub fn approval_in_full(s: &Situation) -> s6_approval::Command {
    let asked = s.cycle.approval.ceiling(&s.cycle);
    let in_full = |line: RequestLine| LineDecision {
        activity: line.activity,
        line: line.line,
        amount: line.asked,
        reason: String::new(),
    };
    s6_approval::Command::Approve { lines: asked.into_iter().map(in_full).collect() }
}

/// A guide's text, in force from another day than it was.
pub fn counting_from(guide: &str, day: Date) -> String {
    let own = guide.lines().find(|line| line.starts_with("effective_from")).expect("a guide names its day");
    guide.replacen(own, &format!("effective_from = \"{day}\""), 1)
}

/// A small file of a kind the checklist takes.
pub fn proof_file(item: &str, kinds: &[String]) -> Upload {
    if kinds.iter().any(|kind| kind == "csv") {
        let bytes = b"Company,Contact,Title,Email\nHafen Logistik,Ada Kern,CISO,ada@hafen.example\n".to_vec();
        return Upload { name: format!("{item}.csv"), bytes };
    }
    Upload { name: format!("{item}.pdf"), bytes: pdf(item) }
}

/// The smallest PDF that is one.
pub fn pdf(words: &str) -> Vec<u8> {
    format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n% {words}\ntrailer<</Root 1 0 R>>\n%%EOF\n"
    )
    .into_bytes()
}
