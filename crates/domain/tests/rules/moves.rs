//! The table of moves, walked: every stage, every act, every person.

use crate::story::{self, Story, people};
use domain::cycle::Stage;
use domain::machine::{Act, By, Command, CycleCommand, MOVES, Move, Situation, decide};
use domain::people::Actor;
use domain::steps::{
    s1_plan, s2_scorecard, s3_forecast, s4_action_plan, s5_request, s6_approval, s7_execution, s8_tracking,
    s9_performance,
};
use std::collections::BTreeSet;

type Station = (&'static str, fn() -> Story);

/// A cycle at every stage, and at the turns inside the long ones.
const STATIONS: &[Station] = &[
    ("plan draft", story::plan_draft),
    ("plan review", story::plan_review),
    ("scorecard open", story::scorecard_open),
    ("forecast draft", story::forecast_draft),
    ("forecast written", || {
        let mut story = story::forecast_draft();
        let draft = story::campaign(&story.s, "Detection in practice", "webinar", 20_000);
        story.must(&people::ana(), s3_forecast::Command::Save { no: None, draft });
        story
    }),
    ("action plan draft", story::action_plan_draft),
    ("action plan written", || {
        let mut story = story::request_draft();
        story.must(&people::ana(), s5_request::Command::Reopen {});
        story
    }),
    ("request draft", story::request_draft),
    ("approval review", story::approval_review),
    ("question asked", || {
        let mut story = story::approval_review();
        story.must(&people::mia(), s6_approval::Command::Ask { question: "Why so late?".to_owned() });
        story
    }),
    ("approval late", || {
        let mut story = story::approval_review();
        story.on("2026-03-20");
        story
    }),
    ("execution live", || {
        let mut story = story::execution_live();
        story.on("2026-05-06");
        story
    }),
    ("proof in review", story::proof_in_review),
    ("half proven", story::half_proven),
    ("claim in review", story::claim_in_review),
    ("claim payable", story::claim_payable),
    ("claim paid", story::claim_paid),
    ("more time asked", story::more_time_asked),
    ("clawback proposed", story::clawback_proposed),
    ("return reported", story::return_reported),
    ("amendment in review", story::amendment_in_review),
    ("execution late", || {
        let mut story = story::execution_live();
        story.on("2026-12-01");
        story
    }),
    ("tracking listening", story::tracking_listening),
    ("tracking late", || {
        let mut story = story::tracking_listening();
        story.on("2026-12-01");
        story
    }),
    ("performance measured", story::performance_measured),
    ("partner signed", story::partner_signed),
    ("closed", story::closed),
    ("declined", story::declined),
    ("withdrawn", story::withdrawn),
    ("cancelled", story::cancelled),
    ("expired", story::expired),
    ("plan late", || {
        let mut story = story::plan_draft();
        story.on("2026-12-01");
        story
    }),
];

fn came_back(act: Act, s: &Situation) -> Command {
    match act {
        Act::ReportPaymentReturn => story::came_back(s, 1, 1).into(),
        Act::ConfirmPaymentReturn => s7_execution::Command::ConfirmPaymentReturn { claim: 1 }.into(),
        _ => s7_execution::Command::RejectPaymentReturn { claim: 1, reason: "It was another one".to_owned() }.into(),
    }
}

/// A command of this act, as fit as the situation allows.
fn sample(act: Act, story: &Story) -> Command {
    let s = &story.s;
    let (reason, answers) = (|| "As agreed by telephone".to_owned(), || story::answers(&s.template, true));
    let event = || story::activity(1, "event", "2026-05-19", "2026-05-20", &[8_000]);
    let draft = || story::campaign(s, "Another one", "email", 4_000);
    let first_file = || s.cycle.activity(1).and_then(|activity| activity.proof.first()).map(|proof| proof.file);
    match act {
        Act::SavePlan => s1_plan::Command::Save { draft: story::plan() }.into(),
        Act::SubmitPlan => s1_plan::Command::Submit { draft: story::plan() }.into(),
        Act::AgreePlan => s1_plan::Command::Agree {}.into(),
        Act::ReturnPlan => s1_plan::Command::Return { reason: reason() }.into(),
        Act::SaveScorecard => s2_scorecard::Command::Save { answers: answers() }.into(),
        Act::CompleteScorecard => s2_scorecard::Command::Complete { answers: answers() }.into(),
        Act::VerifyScorecard => s2_scorecard::Command::Verify { note: reason() }.into(),
        Act::SaveCampaign => s3_forecast::Command::Save { no: None, draft: draft() }.into(),
        Act::DropCampaign => s3_forecast::Command::Drop { no: 1 }.into(),
        Act::CommitForecast => s3_forecast::Command::Commit {}.into(),
        Act::SaveActivity => s4_action_plan::Command::Save { no: None, draft: event() }.into(),
        Act::DropActivity => s4_action_plan::Command::Drop { no: 1 }.into(),
        Act::ReopenForecast => s4_action_plan::Command::Reopen {}.into(),
        Act::CommitActionPlan => s4_action_plan::Command::Commit {}.into(),
        Act::SaveRequest => s5_request::Command::Save { draft: story::request(s) }.into(),
        Act::ReopenActionPlan => s5_request::Command::Reopen {}.into(),
        Act::SubmitRequest => s5_request::Command::Submit { draft: story::request(s) }.into(),
        Act::WithdrawRequest => s5_request::Command::Withdraw {}.into(),
        Act::Approve => story::approval(s).into(),
        Act::ReturnRequest => s6_approval::Command::Return { reason: reason() }.into(),
        Act::DeclineRequest => s6_approval::Command::Decline { reason: reason() }.into(),
        Act::AskInformation => s6_approval::Command::Ask { question: reason() }.into(),
        Act::AnswerInformation => s6_approval::Command::Answer { text: reason() }.into(),
        Act::EscalateApproval => s6_approval::Command::Escalate {}.into(),
        Act::SubmitProof if s.cycle.activities.is_empty() => {
            s7_execution::Command::SubmitProof { activity: 1, files: Vec::new() }.into()
        }
        Act::SubmitProof => story::proof(s, 1).into(),
        Act::AcceptProof => story::accept(1).into(),
        Act::ReturnProof => {
            let verdict = |file| s7_execution::FileVerdict { file, accepted: false, reason: reason() };
            let verdicts = first_file().map(verdict).into_iter().collect();
            s7_execution::Command::ReturnProof { activity: 1, verdicts, reason: reason() }.into()
        }
        Act::SubmitClaim => story::claim(1, vec![story::invoice(1, 2, story::eur(4_000))], false).into(),
        Act::ApproveClaim => story::approve_claim(1, story::eur(2_000)).into(),
        Act::DenyClaim => s7_execution::Command::DenyClaim { claim: 1, reason: reason() }.into(),
        Act::RecordSettlement => story::settle(1, story::eur(1_000)).into(),
        Act::ProposeClawback => {
            s7_execution::Command::ProposeClawback { claim: 1, amount: story::eur(500), reason: reason() }.into()
        }
        Act::ConfirmClawback => s7_execution::Command::ConfirmClawback { claim: 1 }.into(),
        Act::ReportPaymentReturn | Act::ConfirmPaymentReturn | Act::RejectPaymentReturn => came_back(act, s),
        Act::RejectClawback => s7_execution::Command::RejectClawback { claim: 1, reason: reason() }.into(),
        Act::Amend => {
            let mut draft = event();
            "Bremen".clone_into(&mut draft.place);
            story::amend(s, 2, draft).into()
        }
        Act::AskExtension => story::more_time(domain::policy::Extendable::Proof, 5).into(),
        Act::GrantExtension => story::grant_time(5).into(),
        Act::DeclineExtension => s7_execution::Command::DeclineExtension { extension: 1, reason: reason() }.into(),
        Act::CancelActivity => s7_execution::Command::CancelActivity { activity: 2, reason: reason() }.into(),
        Act::CancelCampaign => s7_execution::Command::CancelCampaign { campaign: 1, reason: reason() }.into(),
        Act::CancelCycle => CycleCommand::Cancel { reason: reason() }.into(),
        Act::TickExecution => s7_execution::Command::Tick {}.into(),
        Act::CloseTracking => s8_tracking::Command::Close {}.into(),
        Act::MeasureAgain => s9_performance::Command::Measure {}.into(),
        Act::SignReview => story::sign().into(),
        Act::RemindOfClock => CycleCommand::Remind {}.into(),
        Act::ExpireCycle => CycleCommand::Expire {}.into(),
    }
}

fn names(actors: &[Actor]) -> Vec<String> {
    actors.iter().map(|actor| actor.me.name.clone()).collect()
}

/// Who may make a move of the table in Nordwind's cycle: said here once more, by name.
fn may(law: &Move, level: u8) -> Vec<String> {
    use people::{ana, director, fay, finn, flo, leo, mia, nordwinds_admin, timer};
    let of = |by: &By| match by {
        By::Partner => names(&[ana(), nordwinds_admin(), mia(), leo()]),
        By::Manager => names(&[mia(), leo()]),
        By::Approver if level == 1 => names(&[mia(), leo()]),
        By::Approver => names(&[director()]),
        By::Finance => names(&[finn(), fay(), flo()]),
        By::System => names(&[timer()]),
    };
    law.by.iter().flat_map(of).collect()
}

fn line_of(act: Act, story: &Story) -> Option<&'static Move> {
    let stage = story.stage();
    let amended = story.s.cycle.approval.before.is_some();
    let runs_on = |law: &Move| stage != Stage::ApprovalReview || !law.from.contains(&Stage::ExecutionLive) || amended;
    MOVES.iter().find(|law| law.act == act && law.from.contains(&stage) && runs_on(law))
}

#[test]
fn exactly_the_moves_of_the_table_pass_and_only_for_those_it_names() {
    let acts: BTreeSet<Act> = MOVES.iter().map(|law| law.act).collect();
    let mut seen = BTreeSet::new();
    for (name, station) in STATIONS {
        let story = station();
        for act in &acts {
            let (law, command) = (line_of(*act, &story), sample(*act, &story));
            assert_eq!(command.act(), *act);
            for actor in people::all() {
                let verdict = decide(&story.s, &actor, &command, story.now);
                let code = verdict.as_ref().map_or_else(|refusal| refusal.code().to_owned(), |_| "done".to_owned());
                let at = format!("{name}: {} by {}: {code}", act.words(), actor.me.name);
                match law {
                    None => assert_eq!(code, "wrong_stage", "{at}"),
                    Some(law) if !may(law, story.s.cycle.level).contains(&actor.me.name) => {
                        assert_eq!(code, "not_your_role", "{at}");
                    }
                    Some(law) => {
                        assert!(code != "wrong_stage" && code != "not_your_role", "{at}");
                        if let Ok(decision) = verdict {
                            assert!(law.leads(story.stage(), decision.cycle().stage), "{at}");
                            seen.insert((*act, story.stage()));
                        }
                    }
                }
            }
        }
    }
    let never: Vec<Act> = acts.into_iter().filter(|act| !seen.iter().any(|(done, _)| done == act)).collect();
    assert!(never.is_empty(), "no station lets these pass: {never:?}");
}

/// The picture in the documentation is the table's own.
#[test]
fn the_documentation_shows_the_machine_as_it_is() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).expect("ARCHITECTURE.md");
    let (_, rest) = text.split_once("<!-- machine:begin -->\n").expect("the section's beginning");
    let (shown, _) = rest.split_once("<!-- machine:end -->").expect("the section's end");
    let wanted = format!("```mermaid\n{}\n```\n", domain::machine::diagram());
    assert!(shown == wanted, "put this between the markers of ARCHITECTURE.md:\n{wanted}");
}

#[test]
fn every_stage_has_a_station() {
    let stages: BTreeSet<Stage> = STATIONS.iter().map(|(_, station)| station().stage()).collect();
    assert_eq!(stages, Stage::ALL.into_iter().collect());
}

#[test]
fn a_refusal_names_the_stage_and_a_move_that_is_possible() {
    let mut story = story::plan_review();
    let refusal = story.refuses(&people::mia(), s5_request::Command::Withdraw {}, "wrong_stage");
    assert_eq!(refusal.reasons[0].why, "“withdraw request” is not possible while C-2026-0042 is plan in review.");
    assert_eq!(refusal.reasons[0].remedy, "What you can do now: agree plan.");
    let refusal = story.refuses(&people::ana(), s1_plan::Command::Agree {}, "not_your_role");
    assert_eq!(refusal.reasons[0].remedy, "It is done by the channel manager of Nordwind.");
}

#[test]
fn while_an_amendment_is_in_review_the_rest_runs_on_and_otherwise_it_waits() {
    let running = [Act::SubmitProof, Act::SubmitClaim, Act::ApproveClaim, Act::RecordSettlement, Act::TickExecution];
    for act in running {
        assert!(line_of(act, &story::amendment_in_review()).is_some(), "{act:?}");
        assert!(line_of(act, &story::approval_review()).is_none(), "{act:?}");
    }
}

/// Every command survives JSON, tagged enums, amounts and all.
#[test]
fn every_command_survives_json() {
    for (name, station) in STATIONS {
        let story = station();
        for law in MOVES {
            let command = sample(law.act, &story);
            let text = serde_json::to_string(&command).expect("JSON");
            let again: Command = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}: {text}"));
            assert_eq!(again, command, "{text}");
            let again: Command = serde_json::from_value(serde_json::to_value(&command).expect("JSON")).expect("JSON");
            assert_eq!(again, command);
        }
        let text = serde_json::to_string(&story.s.cycle).expect("JSON");
        assert_eq!(serde_json::from_str::<domain::cycle::Cycle>(&text).expect(name), story.s.cycle, "{name}");
        assert_eq!(story.replayed(), story.s.cycle, "{name}");
    }
}

#[test]
fn a_command_with_a_field_nobody_knows_is_refused() {
    let texts = [
        r#"{"step":"plan","do":"agree","and":1}"#,
        r#"{"step":"cycle","do":"cancel","reason":"x","amount":5}"#,
        r#"{"step":"execution","do":"settle"}"#,
        r#"{"do":"agree"}"#,
    ];
    for text in texts {
        assert!(serde_json::from_str::<Command>(text).is_err(), "{text}");
    }
}
