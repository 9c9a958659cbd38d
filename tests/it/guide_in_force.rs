//! What the guide says holds for a whole request: when it is asked, when it is amended, when it is claimed, and beside
//! the other requests of its period.

use domain::cycle::Stage;
use domain::exchange::Rate;
use domain::fund::FundKind;
use domain::ids::ProgramId;
use domain::ledger::AccountKind;
use domain::machine::Command;
use domain::money::{Currency, Money};
use domain::policy::{Extendable, Judgement, Policy};
use domain::steps::s3_forecast::CampaignDraft;
use domain::steps::s5_request::{RequestDraft, RequestLine};
use domain::steps::s7_execution::Command as E;
use domain::steps::{s3_forecast, s4_action_plan, s5_request, s7_execution};
use engine::Submission;
use kit::http::Page;
use kit::people::{ANA, JONAS, MARA, NORDWIND, Persona, SAM, TOMAS};
use kit::world::{EARNING, World, eur};
use kit::{App, on_both, story};
use serde_json::json;
use storage::Viewer;

use crate::api::Program;

/// Agency work counts up to 1,000 in a request.
const AGENCY: &str = "
[[cap]]
name = \"Agency\"
category = \"agency\"
most = \"1000\"
per = \"request\"
";

const WEBINARS: &str = "
[[mix]]
name = \"Webinars\"
activities = [\"webinar\"]
most = \"0.50\"
";

const OF_THE_ACCRUAL: &str = "
[[cap]]
name = \"Agency\"
category = \"agency\"
share = \"0.10\"
of = \"accrual\"
";

/// The shipped guide and these sections, as version 2026.2.
fn guide(more: &str) -> String {
    let (_, text) = engine::catalog::GUIDES[0];
    format!("{}{more}", text.replacen("version = \"2026.1\"", "version = \"2026.2\"", 1))
}

/// In force for what is opened from the next minute on.
async fn take_in(app: &World, program: ProgramId, guide: &str) {
    app.clock.advance(chrono::TimeDelta::minutes(1));
    let guide = story::counting_from(guide, app.clock.today());
    app.engine.add_guide(&SAM.actor(), program, &guide, None, &Submission::own()).await.expect("a guide");
    app.clock.advance(chrono::TimeDelta::minutes(1));
}

/// The form of an amendment, sent with these changes.
async fn change(app: &App, no: &str, with: &[(&str, &str)]) -> Page {
    let mara = app.sign_in(MARA).await;
    let page = mara.open(&format!("/cycles/{no}/execution/activities/1/amendment")).await;
    let with: Vec<(&str, &str)> = with.iter().copied().chain([("reason", "The partner asked for it.")]).collect();
    mara.press(&page, "Change the activity", &with).await
}

async fn asked(app: &World, no: &str) -> Vec<i64> {
    app.look(no).await.cycle.request.lines.iter().map(|line| line.asked.minor / 100).collect()
}

on_both! {
    async fn an_amendment_is_held_to_caps_mixes_and_the_minimum(app: &App) {
        let events = "\n[[mix]]\nname = \"Events\"\nactivities = [\"event\"]\nmost = \"0.25\"\n";
        take_in(app, app.program, &guide(&format!("{AGENCY}{events}"))).await;
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        assert_eq!(asked(app, &no).await, [3_780, 600], "a cap holds when it is asked");

        let refused = change(app, &no, &[("kind", "event"), ("place", "Hamburg")]).await;
        refused.assert_status(409).assert_says("“Events” takes 4,380 EUR of 4,380 EUR, 100 %; the program allows at most 25 %");
        refused.assert_says("Ask for less of it, or for more of other activities.");
        assert_eq!(refused.form("Change the activity").value("place"), Some("Hamburg"), "what was typed is kept");
        let refused = change(app, &no, &[("asked_1", "100"), ("asked_2", "0")]).await;
        refused.assert_status(409).assert_says("The request asks 100 EUR, less than the program's minimum of 500 EUR.");
        assert_eq!(app.look(&no).await.cycle.stage, Stage::ExecutionLive);

        let cut = change(app, &no, &[("amount_2", "4,000"), ("asked_2", "2,400")]).await;
        cut.assert_status(200).assert_says("“Agency” is cut from 4,000 EUR to 1,000 EUR: the program counts at most 1,000 EUR a request.");
        assert_eq!(asked(app, &no).await, [3_780, 600], "what a cap cuts is not asked for");
        let page = app.sign_in(ANA).await.open(&format!("/cycles/{no}/approval")).await;
        page.assert_says("What the amendment changes").assert_says("“Agency” is cut from 4,000 EUR to 1,000 EUR");
    }

    /// A first day that stays or moves on is not judged again; one that comes nearer is, with the reason of the amendment.
    async fn an_amendment_may_not_bring_the_start_too_near(app: &App) {
        let lax = app.cycle_in(Stage::ExecutionLive, MARA, 2_000).await;
        take_in(app, app.program, &guide("").replacen("late = \"needs_reason\"", "late = \"refused\"", 1)).await;
        let strict = app.cycle_in(Stage::ExecutionLive, MARA, 2_000).await;
        app.days_pass(38).await;
        let nearer = [("starts", "2026-04-13"), ("ends", "2026-04-15")];
        let refused = change(app, &strict, &nearer).await;
        refused.assert_status(409).assert_says("starts Mon 13 April 2026; the program asks for 10 business days");
        refused.assert_says("or leave its first day as it is: Tue 14 April 2026.");
        change(app, &strict, &[("starts", "2026-04-16"), ("ends", "2026-04-17")]).await.assert_status(200);
        change(app, &lax, &nearer).await.assert_status(200);
        let s = app.look(&lax).await;
        let said = &s.cycle.approval.before.as_ref().expect("approval is open again").said;
        let late = said.iter().find(|verdict| verdict.rule == "lead_time").expect("it is said");
        assert_eq!(late.outcome, Judgement::Warn);
        assert!(late.sentence.ends_with("A reason is given."), "{}", late.sentence);
    }

    async fn the_interface_judges_an_amendment_by_the_same_rules(app: &App) {
        take_in(app, app.program, &guide(AGENCY)).await;
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let program = Program::of(app, MARA).await;
        let s = app.look(&no).await;
        let draft = serde_json::to_value(&s.cycle.activities[0].draft).expect("a draft");
        let line = |no: u16, units: i64| RequestLine { activity: 1, line: no, asked: eur(units) };
        let command = json!({"step": "execution", "do": "amend", "activity": 1, "draft": draft,
            "lines": [line(1, 300), line(2, 0)], "reason": "Less is enough."});
        let refused = program.post(&format!("/api/v1/cycles/{no}/commands"), "amend-1", Some("*"), &command).await;
        refused.assert_status(409);
        assert_eq!(refused.json()["reasons"][0]["code"], "minimum_request", "{}", refused.raw());
    }

    async fn a_cap_on_the_accrual_looks_at_what_was_earned_in_the_period(app: &World) {
        app.start_earning(&format!("{EARNING}{OF_THE_ACCRUAL}")).await;
        let programs = app.engine.reader().programs(&Viewer::system()).await.expect("programs");
        let coop = programs.iter().find(|program| program.code == "COOP").expect("it was started").id;
        let yearly = guide(&format!("{EARNING}{OF_THE_ACCRUAL}")).replacen("minimum = \"500\"", "minimum = \"500\"\nperiod = \"year\"", 1);
        take_in(app, coop, &yearly).await;
        let no = app.open_cycle_of(coop, MARA).await;
        app.bring_to(Stage::RequestDraft, &no, MARA, 9_000).await;

        let s = app.look(&no).await;
        let fund = s.funds.iter().find(|fund| fund.code == "COOP-DEMAND").expect("a fund").id;
        let mut draft = story::request(&s, fund);
        assert_eq!(draft.lines[1].asked, eur(0), "nothing is earned yet");
        let said = s5_request::judge(&s, &draft, app.clock.today());
        let cap = said.iter().find(|verdict| verdict.rule == "cap").expect("it is judged");
        assert_eq!(
            cap.sentence,
            "“Agency” is cut from 2,700 EUR to 0 EUR: the program counts at most 10 % of the accrual, and nothing was \
             earned in this year. You bear the other 2,700 EUR."
        );

        let sold = "Invoice number,Partner,Invoice date,Product,Quantity,Amount,Currency\n\
                    INV-1,nordwind.example,2026-02-10,suite,,10000.00,EUR\n\
                    INV-2,Kestrel Networks AG,2026-02-10,suite,,90000.00,EUR\n";
        app.import_sales(sold).await;
        draft.lines[1].asked = eur(1_620);
        app.must(MARA, &no, s5_request::Command::Submit { draft }).await;
        assert_eq!(asked(app, &no).await, [3_780, 600], "a tenth of 10,000 counts, and nobody else's purchases");

        app.bring_to(Stage::ExecutionLive, &no, MARA, 9_000).await;
        let s = app.look(&no).await;
        let lines = vec![
            RequestLine { activity: 1, line: 1, asked: eur(3_780) },
            RequestLine { activity: 1, line: 2, asked: eur(1_620) },
        ];
        let mut place = s.cycle.activities[0].draft.clone();
        "Hamburg".clone_into(&mut place.place);
        let amend = s7_execution::Command::Amend { activity: 1, draft: place, lines, reason: "In person.".to_owned() };
        app.must(MARA, &no, amend).await;
        assert_eq!(asked(app, &no).await, [3_780, 600], "and an amendment is cut alike");
        app.bring_to(Stage::ExecutionLive, &no, MARA, 9_000).await;

        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        app.claim(&no, MARA).await;
        let claim = app.look(&no).await.cycle.claims[0].clone();
        assert_eq!(claim.asked, eur(4_380));
        let cap = claim.verdicts.iter().find(|verdict| verdict.rule == "cap").expect("a claim is held to it too");
        assert!(cap.sentence.contains("10 % of the accrual, which is 1,000 EUR"), "{}", cap.sentence);

        let lower = Policy::load(&yearly.replacen("share = \"0.10\"", "share = \"0.05\"", 1)).expect("a guide");
        let tried = app.engine.simulate(&Viewer::system(), coop, &lower, 10).await.expect("it is tried");
        assert_eq!((tried.asked, tried.paid), (eur(-300), eur(-300)), "{:?}", tried.differences);
    }

    async fn a_mix_looks_at_what_else_was_approved_in_the_period(app: &World) {
        take_in(app, app.program, &guide(WEBINARS)).await;
        let webinar = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        refused(app, MARA, &webinar, "“Webinars” takes 5,400 EUR of 5,400 EUR, 100 %").await;

        let event = app.cycle_in(Stage::ActionPlanDraft, MARA, 9_000).await;
        let mut draft = story::webinar(&app.look(&event).await, MARA, 9_000);
        "event".clone_into(&mut draft.kind);
        app.must(MARA, &event, s4_action_plan::Command::Save { no: None, draft }).await;
        app.must(MARA, &event, s4_action_plan::Command::Commit {}).await;
        app.bring_to(Stage::ApprovalReview, &event, MARA, 9_000).await;
        refused(app, MARA, &webinar, "“Webinars” takes 5,400 EUR of 5,400 EUR, 100 %").await;
        app.bring_to(Stage::ExecutionLive, &event, MARA, 9_000).await;

        let theirs = app.cycle_in(Stage::RequestDraft, JONAS, 9_000).await;
        refused(app, JONAS, &theirs, "100 %").await;
        let more = app.cycle_in(Stage::RequestDraft, MARA, 9_500).await;
        refused(app, MARA, &more, "“Webinars” takes 5,700 EUR of 11,100 EUR, 51.35 %").await;
        app.bring_to(Stage::ApprovalReview, &webinar, MARA, 9_000).await;

        // Half of what stands is webinars; once the event is cancelled, nothing speaks for another one.
        app.bring_to(Stage::ExecutionLive, &webinar, MARA, 9_000).await;
        let cancel = s7_execution::Command::CancelActivity { activity: 1, reason: "The speaker fell ill.".to_owned() };
        app.must(MARA, &event, cancel).await;
        let later = app.cycle_in(Stage::RequestDraft, MARA, 1_000).await;
        refused(app, MARA, &later, "“Webinars” takes 6,000 EUR of 6,000 EUR, 100 %").await;
    }

    async fn a_paid_claim_says_until_when_its_records_are_kept(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        app.claim(&no, MARA).await;
        let (mara, claim) = (app.sign_in(MARA).await, format!("/cycles/{no}/claims/1"));
        mara.open(&claim).await.assert_silent_on("Records are kept");
        app.settle(&no).await;
        for page in [claim.clone(), format!("{claim}/pack")] {
            mara.open(&page).await.assert_says("Records are kept until Sat 16 April 2033 7 years after the last payment");
        }
        let program = Program::of(app, MARA).await;
        let cycle = program.get(&format!("/api/v1/cycles/{no}")).await.json();
        assert_eq!(cycle["claims"][0]["payments"][0]["keep_until"], "2033-04-16");
    }

    async fn a_proposal_fund_is_asked_with_a_written_case(app: &App) {
        let fund = app.fund_below("PROPOSALS", FundKind::Proposal).await.expect("a fund");
        let no = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        let s = app.look(&no).await;
        let said = |justification: &str| {
            let draft = RequestDraft { justification: justification.to_owned(), ..story::request(&s, fund) };
            let all = s5_request::judge(&s, &draft, app.clock.today());
            all.into_iter().find(|verdict| verdict.rule == "justification").expect("it is judged")
        };
        let short = said("The audience is ours by name and sales follows up within two days.");
        assert_eq!(
            (short.sentence.as_str(), short.remedy.as_str()),
            (
                "Fund PROPOSALS is asked case by case: its approvers read a written case of at least 200 letters, and this \
                 one has 66.",
                "Write what is done, for whom, and what it will bring."
            )
        );
        assert_eq!(said(&"What is done, for whom. ".repeat(10)).outcome, Judgement::Pass);
        let mara = app.sign_in(MARA).await;
        mara.open(&format!("/cycles/{no}/request")).await.assert_says("It is asked case by case: write your case");
    }

    /// Planned, asked, approved, claimed and paid in dollars, of a program and a fund in euros.
    async fn a_cycle_is_kept_in_a_currency_the_guide_has_bands_for(app: &App) {
        take_in(app, app.program, &guide(DOLLARS)).await;
        let mara = app.sign_in(MARA).await;
        let start = |page: &Page| {
            let mut form = page.form("Start the cycle");
            form.fill("title", "In dollars").fill("currency", "USD").fill("period", "2026-04-01");
            form.fill("program", &app.program.to_string());
            form
        };
        let page = mara.open("/cycles/new").await;
        let refused = mara.submit(&page, &start(&page), "Start the cycle").await;
        refused.assert_status(409).assert_says("There is no exchange rate from EUR to USD for Mon 2 March 2026.");
        assert_eq!(refused.form("Start the cycle").value("currency"), Some("USD"), "what was typed is kept");
        quotes(app).await;
        let opened = mara.submit(&refused, &start(&refused), "Start the cycle").await;
        opened.assert_status(200);
        let no = opened.path.trim_start_matches("/cycles/").to_owned();

        app.bring_to(Stage::ForecastDraft, &no, MARA, 0).await;
        plan_in_dollars(app, &no).await;
        let s = app.look(&no).await;
        let mut little = story::request(&s, app.fund);
        assert_eq!(little.lines[0].asked, usd(3_780), "three fifths of 6,300");
        (little.lines[0].asked, little.lines[1].asked) = (usd(540), usd(0));
        let refused = app.act(MARA, &no, s5_request::Command::Submit { draft: little }).await;
        assert!(format!("{refused:?}").contains("The request asks 540 USD, less than the program's minimum of 550 USD."), "{refused:?}");
        app.submit_request(&no, &s, MARA).await;
        app.approve(&no, &app.look(&no).await).await;
        let s = app.look(&no).await;
        assert_eq!((s.cycle.stage, s.cycle.level), (Stage::ApprovalReview, 2), "the director decides from 3,000 dollars");
        app.approve(&no, &s).await;
        let committed = |s: &domain::machine::Situation| s.book.total(|account| account.kind == AccountKind::Committed);
        assert_eq!(committed(&app.look(&no).await), 486_000, "5,400 USD at 0.90");

        app.days_pass(45).await;
        quotes(app).await;
        app.prove(&no, MARA).await;
        app.claim(&no, MARA).await;
        assert_eq!(app.settle(&no).await, usd(5_400));
        assert_eq!(committed(&app.look(&no).await), 0);

        let program = Program::of(app, MARA).await;
        let body = json!({"partner": NORDWIND.id().to_string(), "program": app.program.to_string(), "title": "In yen",
            "from": "2026-07-01", "to": "2026-09-30", "currency": "JPY"});
        let refused = program.post("/api/v1/cycles", "yen", None, &body).await;
        refused.assert_status(409);
        let reason = &refused.json()["reasons"][0];
        assert_eq!(reason["field"], "currency", "{reason}");
        assert_eq!(reason["remedy"], "Choose EUR or USD.");
    }

    /// Another version is tried on all that a claim rests on: how many there were, its proof, the time it was given.
    async fn a_simulation_looks_at_all_that_a_claim_rests_on(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        let (campaign, window) = (1, Extendable::Claim);
        let ask = E::AskExtension { campaign, window, days: 10, reason: "The invoice is late.".to_owned() };
        app.must(MARA, &no, ask).await;
        app.must(ANA, &no, E::GrantExtension { extension: 1, days: 10, reason: String::new() }).await;
        for (at, line) in app.invoices(&no, MARA).await.into_iter().enumerate() {
            app.must(MARA, &no, E::SubmitClaim { campaign, lines: vec![line], is_final: at == 1 }).await;
        }
        let stricter = guide("").replacen("most_per_campaign = 3", "most_per_campaign = 1", 1);
        let stricter = stricter.replacen("days = 15\ntimes = 1", "days = 5\ntimes = 1", 1).replacen(
            "all_of = [{ code = \"attendee_list\"",
            "all_of = [{ code = \"transcript\", name = \"Transcript\", kinds = [\"pdf\"] }, { code = \"attendee_list\"",
            1,
        );
        let policy = Policy::load(&stricter).expect("a guide");
        let tried = app.engine.simulate(&Viewer::system(), app.program, &policy, 10).await.expect("it is tried");
        let said = |rule: &str| {
            let of = tried.differences.iter().filter(|difference| difference.rule == rule);
            of.map(|difference| (difference.number.clone(), difference.sentence.clone())).collect::<Vec<_>>()
        };
        assert_eq!(said("most_claims").len(), 1, "{:?}", tried.differences);
        assert_eq!(said("most_claims")[0].0, format!("{no}/2"));
        assert!(said("proof_checklist")[0].1.contains("Transcript"), "{:?}", said("proof_checklist"));
        assert!(said("extension")[0].1.starts_with("10 days are asked for; an extension adds at most 5 days."));

        let sam = app.sign_in(SAM).await;
        let page = sam.open("/programs/EMEA").await;
        let mut form = page.form("See what it changes");
        form.attach("file", "guide.toml", "application/toml", stricter.as_bytes());
        let page = sam.submit(&page, &form, "See what it changes").await;
        assert_eq!(page.link(&format!("{no}/2")), format!("/cycles/{no}/claims/2"));
    }
}

const DOLLARS: &str = "
[[approval]]
level = 1
from = \"0\"
role = \"channel_manager\"
name = \"Channel manager\"
sla_days = 5
currency = \"USD\"

[[approval]]
level = 2
from = \"3000\"
role = \"approver\"
name = \"Channel director EMEA\"
sla_days = 7
currency = \"USD\"
";

fn usd(units: i64) -> Money {
    Money::units(units, Currency::USD)
}

/// Finance enters today's rates, there and back.
async fn quotes(app: &World) {
    app.quote("1.10").await;
    let (from, to, day) = (Currency::USD, Currency::EUR, app.clock.today());
    let back = Rate { from, to, day, value: "0.90".parse().expect("a rate") };
    app.engine.record_rates(&TOMAS.actor(), &[back], &Submission::own()).await.expect("the rate is recorded");
}

/// The usual campaign and its webinar, at 9,000 dollars.
async fn plan_in_dollars(app: &World, no: &str) {
    let s = app.look(no).await;
    let tactic = s.benchmarks.tactic("webinar").expect("webinars have a benchmark");
    let cost = usd(9_000);
    let draft = CampaignDraft { cost, assumptions: tactic.assumptions(cost), ..story::campaign(&s, 9_000) };
    app.must(MARA, no, s3_forecast::Command::Save { no: None, draft }).await;
    app.must(MARA, no, s3_forecast::Command::Commit {}).await;
    let mut draft = story::webinar(&app.look(no).await, MARA, 9_000);
    draft.costs.iter_mut().for_each(|cost| cost.amount = Money::new(cost.amount.minor, Currency::USD));
    app.must(MARA, no, s4_action_plan::Command::Save { no: None, draft }).await;
    app.must(MARA, no, s4_action_plan::Command::Commit {}).await;
}

/// The request is not taken, for this reason.
async fn refused(app: &World, who: Persona, no: &str, why: &str) {
    let draft = story::request(&app.look(no).await, app.fund);
    let command: Command = s5_request::Command::Submit { draft }.into();
    let answer = format!("{:?}", app.act(who, no, command).await.expect_err("it is refused"));
    assert!(answer.contains(why), "{answer}");
}
