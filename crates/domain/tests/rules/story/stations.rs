//! A cycle at each step of its way: one campaign of 20,000 (webinar 12,000, event 8,000), 10,000 asked.

use super::papers::{
    accept, activity, amend, answers, approval, approve_claim, came_back, campaign, claim, invoice, more_time, plan,
    proof, request, settle, sign,
};
use super::people::{ana, fay, finn, flo, mia};
use super::{Story, day, eur};
use domain::machine;
use domain::steps::{s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s6_approval, s7_execution};
use std::sync::LazyLock;

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
    /// Five days more are asked for the proof of the event.
    more_time_asked after half_proven = |story| {
        story.must(&ana(), more_time(domain::policy::Extendable::Proof, 5));
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
    return_reported after claim_paid = |story| {
        let report = came_back(&story.s, 1, 1);
        story.must(&fay(), report);
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
