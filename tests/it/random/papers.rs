//! What a hand writes: the papers of each move, mostly right.

use super::Hand;
use domain::machine::{Act, Command, CycleCommand, Situation};
use domain::money::Money;
use domain::policy::Extendable;
use domain::steps::s6_approval::{self, LineDecision};
use domain::steps::s7_execution::{self, ActivityState, Claim, ClaimLineDraft, ClaimState, FileVerdict, ProofUpload};
use domain::steps::{s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s8_tracking, s9_performance};
use engine::files::Upload;
use kit::people::Persona;
use kit::story;
use rand::Rng;

impl Hand<'_> {
    /// `None` where there is nothing to write about: no activity to prove, no claim to pay.
    pub(super) async fn command(&mut self, s: &Situation, who: Persona, act: Act) -> Option<Command> {
        match act {
            Act::SubmitProof => self.proof(s, who).await,
            Act::SubmitClaim => self.claim(s, who).await,
            _ => self
                .drafting(s, who, act)
                .or_else(|| self.deciding(s, act))
                .or_else(|| self.paying(s, act))
                .or_else(|| self.taking_longer(s, act)),
        }
    }

    fn drafting(&mut self, s: &Situation, who: Persona, act: Act) -> Option<Command> {
        let cost = self.dice.random_range(1_000..20_000);
        let no = |there: bool| there.then_some(1);
        Some(match act {
            Act::SavePlan => s1_plan::Command::Save { draft: story::plan() }.into(),
            Act::SubmitPlan => s1_plan::Command::Submit { draft: story::plan() }.into(),
            Act::AgreePlan => s1_plan::Command::Agree {}.into(),
            Act::ReturnPlan => s1_plan::Command::Return { reason: self.words() }.into(),
            Act::SaveScorecard => s2_scorecard::Command::Save { answers: story::best_answers(s) }.into(),
            Act::CompleteScorecard => s2_scorecard::Command::Complete { answers: story::best_answers(s) }.into(),
            Act::VerifyScorecard => s2_scorecard::Command::Verify { note: self.words() }.into(),
            Act::SaveCampaign => {
                let mut draft = story::campaign(s, cost);
                // Now and then the cost is changed and the assumptions are forgotten.
                if self.dice.random_ratio(1, 10) {
                    draft.cost = self.amount();
                }
                s3_forecast::Command::Save { no: no(!s.cycle.campaigns.is_empty()), draft }.into()
            }
            Act::DropCampaign => s3_forecast::Command::Drop { no: self.dice.random_range(1..4) }.into(),
            Act::CommitForecast => s3_forecast::Command::Commit {}.into(),
            Act::SaveActivity => {
                let planned = s.cycle.campaigns.first()?.draft.cost.minor / 100;
                let draft = story::webinar(s, who, if self.dice.random_ratio(1, 10) { cost } else { planned });
                s4_action_plan::Command::Save { no: no(!s.cycle.activities.is_empty()), draft }.into()
            }
            Act::DropActivity => s4_action_plan::Command::Drop { no: self.dice.random_range(1..4) }.into(),
            Act::ReopenForecast => s4_action_plan::Command::Reopen {}.into(),
            Act::CommitActionPlan => s4_action_plan::Command::Commit {}.into(),
            Act::SaveRequest => s5_request::Command::Save { draft: self.request(s) }.into(),
            Act::ReopenActionPlan => s5_request::Command::Reopen {}.into(),
            Act::SubmitRequest => s5_request::Command::Submit { draft: self.request(s) }.into(),
            Act::WithdrawRequest => s5_request::Command::Withdraw {}.into(),
            _ => return None,
        })
    }

    fn request(&mut self, s: &Situation) -> s5_request::RequestDraft {
        let fund = self.one_of(&[self.told.funds[0], self.told.funds[0], self.told.funds[1]]);
        let mut draft = story::request(s, fund);
        draft.late_reason = String::from("The venue became free late.");
        if self.dice.random_ratio(1, 8)
            && let Some(line) = draft.lines.first_mut()
        {
            line.asked = self.amount();
        }
        draft
    }

    fn deciding(&mut self, s: &Situation, act: Act) -> Option<Command> {
        let reason = self.words();
        let state = s.cycle.activity(1).map(|activity| activity.state);
        Some(match act {
            Act::Approve => self.approval(s),
            Act::ReturnRequest => s6_approval::Command::Return { reason }.into(),
            Act::DeclineRequest => s6_approval::Command::Decline { reason }.into(),
            Act::AskInformation => s6_approval::Command::Ask { question: reason }.into(),
            Act::AnswerInformation => s6_approval::Command::Answer { text: reason }.into(),
            Act::EscalateApproval => s6_approval::Command::Escalate {}.into(),
            Act::AcceptProof | Act::ReturnProof if state != Some(ActivityState::ProofReview) => return None,
            Act::AcceptProof => s7_execution::Command::AcceptProof { activity: 1 }.into(),
            Act::ReturnProof => {
                let files = s.cycle.activity(1).map_or(&[][..], |activity| &activity.proof);
                let verdict = |file: &s7_execution::ProofFile| FileVerdict {
                    file: file.file,
                    accepted: false,
                    reason: "Not legible.".to_owned(),
                };
                let verdicts = files.iter().map(verdict).collect();
                s7_execution::Command::ReturnProof { activity: 1, verdicts, reason }.into()
            }
            Act::Amend => {
                let mut draft = s.cycle.activity(1)?.draft.clone();
                draft.place = format!("Hall {}", self.dice.random_range(1..7));
                if self.dice.random_ratio(1, 3) {
                    draft.costs[0].amount = Money::new(self.dice.random_range(1..2_000_000), s.cycle.currency);
                }
                let lines = s.cycle.request.lines.iter().filter(|line| line.activity == 1).cloned().collect();
                s7_execution::Command::Amend { activity: 1, draft, lines, reason }.into()
            }
            Act::CancelActivity => s7_execution::Command::CancelActivity { activity: 1, reason }.into(),
            Act::CancelCampaign => s7_execution::Command::CancelCampaign { campaign: 1, reason }.into(),
            Act::CancelCycle => CycleCommand::Cancel { reason }.into(),
            Act::CloseTracking => s8_tracking::Command::Close {}.into(),
            Act::MeasureAgain => s9_performance::Command::Measure {}.into(),
            Act::SignReview => s9_performance::Command::Sign { lessons: reason }.into(),
            _ => return None,
        })
    }

    /// What is asked, or another amount for the first line.
    fn approval(&mut self, s: &Situation) -> Command {
        let s6_approval::Command::Approve { mut lines } = story::approval_in_full(s) else {
            unreachable!("an approval in full approves");
        };
        if self.dice.random_ratio(1, 4)
            && let Some(line) = lines.first_mut()
        {
            *line = LineDecision { amount: self.amount(), reason: self.words(), ..line.clone() };
        }
        s6_approval::Command::Approve { lines }.into()
    }

    fn paying(&mut self, s: &Situation, act: Act) -> Option<Command> {
        use s7_execution::Command as E;
        let right = self.dice.random_ratio(3, 4);
        let other = self.amount();
        let reason = self.words();
        let of = |state: &[ClaimState], amount: fn(&Claim) -> Money| {
            let found = s.cycle.claims.iter().find(|claim| state.contains(&claim.state));
            found.map(|claim| (claim.no, if right { amount(claim) } else { other }))
        };
        Some(match act {
            Act::ApproveClaim => {
                let (claim, amount) = of(&[ClaimState::Review], |claim| claim.asked)?;
                E::ApproveClaim { claim, amount, reason }.into()
            }
            Act::DenyClaim => E::DenyClaim { claim: of(&[ClaimState::Review], |claim| claim.asked)?.0, reason }.into(),
            Act::RecordSettlement => {
                let (claim, amount) = of(&[ClaimState::Payable, ClaimState::PartPaid], Claim::outstanding)?;
                E::RecordSettlement { claim, amount, reference: reason }.into()
            }
            Act::ProposeClawback => {
                let (claim, _) = of(&[ClaimState::Paid, ClaimState::PartPaid], |claim| claim.asked)?;
                let amount = Money::new(self.dice.random_range(1..500_000), s.cycle.currency);
                E::ProposeClawback { claim, amount, reason }.into()
            }
            Act::RejectClawback => {
                let claim = s.cycle.claims.iter().find(|claim| claim.clawback.is_some())?.no;
                E::RejectClawback { claim, reason }.into()
            }
            Act::ReportPaymentReturn => {
                let (claim, _) = of(&[ClaimState::Paid, ClaimState::PartPaid], |claim| claim.asked)?;
                let payment = self.dice.random_range(1..3);
                let on = self.world.clock.today();
                E::ReportPaymentReturn { claim, payment, on, reference: self.words(), reason }.into()
            }
            Act::ConfirmPaymentReturn => {
                E::ConfirmPaymentReturn { claim: s.cycle.claims.iter().find(|claim| claim.return_open().is_some())?.no }
                    .into()
            }
            Act::RejectPaymentReturn => {
                let claim = s.cycle.claims.iter().find(|claim| claim.return_open().is_some())?.no;
                E::RejectPaymentReturn { claim, reason }.into()
            }
            Act::ConfirmClawback => {
                E::ConfirmClawback { claim: s.cycle.claims.iter().find(|claim| claim.clawback.is_some())?.no }.into()
            }
            _ => return None,
        })
    }

    fn taking_longer(&mut self, s: &Situation, act: Act) -> Option<Command> {
        use s7_execution::Command as E;
        let reason = self.words();
        let open = s.cycle.open_extensions().next();
        Some(match act {
            Act::AskExtension => {
                let (window, days) =
                    (self.one_of(&[Extendable::Proof, Extendable::Claim]), self.dice.random_range(1..18));
                E::AskExtension { campaign: 1, window, days, reason }.into()
            }
            Act::GrantExtension => {
                let (extension, asked) = open.map(|open| (open.no, open.days))?;
                let days = if self.dice.random_ratio(1, 2) { asked } else { self.dice.random_range(0..asked + 2) };
                E::GrantExtension { extension, days, reason }.into()
            }
            Act::DeclineExtension => E::DeclineExtension { extension: open?.no, reason }.into(),
            _ => return None,
        })
    }

    async fn proof(&mut self, s: &Situation, who: Persona) -> Option<Command> {
        let activity = s.cycle.activity(1)?;
        // Before the activity is over there is little to prove.
        if self.world.clock.today() <= activity.draft.ends && self.dice.random_ratio(19, 20) {
            return None;
        }
        let kind = s.policy.activity_type(&activity.draft.kind)?;
        let mut files = Vec::new();
        for item in kind.all_of.iter().chain(kind.one_of.first()) {
            let upload = story::proof_file(&item.code, &item.kinds);
            let name = upload.name.clone();
            let file = self.world.engine.keep_file(&who.actor(), &s.cycle.number, "files", &upload).await.ok()?;
            files.push(ProofUpload { item: item.code.clone(), file, name, columns: None });
        }
        Some(s7_execution::Command::SubmitProof { activity: 1, files }.into())
    }

    /// An invoice for each cost line, now and then of another amount.
    async fn claim(&mut self, s: &Situation, who: Persona) -> Option<Command> {
        let activity = s.cycle.activity(1).filter(|activity| activity.state == ActivityState::Proven)?;
        let mut lines = Vec::new();
        for cost in &activity.draft.costs {
            let invoice_no = format!("{}-{}-{}", s.cycle.number, cost.no, self.dice.random::<u32>());
            let upload = Upload { name: format!("{invoice_no}.pdf"), bytes: story::pdf(&invoice_no) };
            let file = self.world.engine.keep_file(&who.actor(), &s.cycle.number, "file", &upload).await.ok()?;
            let actual = match self.dice.random_range(0..4) {
                0 => self.amount(),
                1 => Money::new(cost.amount.minor / 3, s.cycle.currency),
                _ => cost.amount,
            };
            let invoice_date = activity.draft.ends;
            let (vendor, file) = ("Studio Halden".to_owned(), Some(file));
            lines.push(ClaimLineDraft { activity: 1, line: cost.no, actual, vendor, invoice_no, invoice_date, file });
        }
        let is_final = self.dice.random_ratio(1, 2);
        Some(s7_execution::Command::SubmitClaim { campaign: 1, lines, is_final }.into())
    }
}
