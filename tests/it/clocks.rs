//! Clocks: when they stand still, whom they reach when they have run out, and that nobody hears of a day too late.

use chrono::{Days, TimeDelta};
use domain::cycle::{Party, Stage};
use domain::deadlines::{Clock, deadlines};
use domain::machine::CycleCommand;
use domain::rhythm::{MailKind, Rhythm};
use domain::steps::s4_action_plan::ActivityDraft;
use domain::steps::s7_execution::ProofUpload;
use domain::steps::{s4_action_plan, s6_approval, s7_execution};
use kit::people::{ANA, BJORN, INES, MARA, Persona, SAM, TOMAS};
use kit::story::{proof_file, webinar};
use kit::{App, World, on_both};
use mailer::Mail;
use storage::read::Paging;
use storage::rows::{MailChoice, StandIn};
use storage::{Viewer, WhichCycle};

on_both! {
    async fn an_approvers_clock_stands_still_while_the_partner_is_asked(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        app.days_pass(2).await;
        app.must(ANA, &no, s6_approval::Command::Ask { question: "Which list do you invite?".to_owned() }).await;
        assert!(find(&app.mails_to(MARA).await, "answer by").contains("Mon 9 March 2026"), "the question has a day");
        let mara = app.sign_in(MARA).await;
        mara.open(&format!("/cycles/{no}")).await.assert_says("Answer the question").assert_says("until Mon 9 March 2026");
        app.days_pass(20).await;
        assert!(!app.look(&no).await.cycle.approval.escalated, "what waits is the partner");
        app.must(MARA, &no, s6_approval::Command::Answer { text: "The one of spring.".to_owned() }).await;
        app.sign_in(ANA).await.open(&format!("/cycles/{no}")).await.assert_says("Decide the request").assert_says("3 days left");
        app.days_pass(3).await;
        assert!(!app.look(&no).await.cycle.approval.escalated);
        app.days_pass(1).await;
        assert!(app.look(&no).await.cycle.approval.escalated, "the clock went on where it had stopped");
    }

    async fn an_escalation_reaches_somebody_who_can_sign_in(world: &World) {
        let first = world.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        world.days_pass(6).await;
        assert!(find(&world.mails_to(INES).await, "decision overdue").starts_with(&first), "the level above is told");
        assert!(!world.mails_to(SAM).await.iter().any(|mail| mail.subject.contains("overdue")));

        // Nobody of the guide's next level, nor its default approver, can sign in.
        dismiss(world, INES).await;
        let second = world.cycle_in(Stage::ApprovalReview, MARA, 8_000).await;
        world.days_pass(6).await;
        let told = world.mails_to(SAM).await;
        assert!(find(&told, "decision overdue").starts_with(&second), "the administrators are told");
        let mail = told.iter().find(|mail| mail.subject.contains("overdue")).expect("the mail");
        assert!(mail.text.contains("Nobody who can sign in is "), "{}", mail.text);
        assert!(mail.text.contains("so it has come to the administrators"), "{}", mail.text);
        let words = timeline(world, &second).await;
        assert!(words.iter().any(|words| words.contains("so it has come to the administrators")), "{words:?}");
    }

    async fn whoever_decides_hears_of_it_and_their_stand_in_too(world: &World) {
        stand_in(world, ANA, BJORN).await;
        let no = world.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        world.deliver().await;
        assert!(find(&world.mails_to(BJORN).await, "needs your decision").starts_with(&no), "a stand-in is told of a request");
        world.must(MARA, &no, CycleCommand::Cancel { reason: "The hall burnt down.".to_owned() }).await;
        world.deliver().await;
        for who in [ANA, BJORN] {
            let told = world.mails_to(who).await;
            let cancelled = told.iter().filter(|mail| mail.subject.contains("cancelled")).count();
            assert_eq!(cancelled, 1, "{} hears once: {:?}", who.name, subjects(&told));
        }
    }

    async fn a_claim_behind_another_proof_waits_for_finance_all_the_same(app: &App) {
        let no = two_webinars(app).await;
        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        let lines = app.invoices(&no, MARA).await;
        app.must(MARA, &no, s7_execution::Command::SubmitClaim { campaign: 1, lines, is_final: false }).await;
        hand_in(app, &no, 2).await;
        let s = app.look(&no).await;
        assert_eq!(domain::machine::health(&s).waiting_on, Party::Manager, "the other proof is in review");
        let tomas = app.sign_in(TOMAS).await;
        tomas.open("/").await.assert_says("Home1 waiting for you").assert_says(&format!("{no}/1")).assert_says("Decide the claim");
        let profile = tomas.open("/profile").await;
        let made = tomas.press(&profile, "Make the address", &[]).await.text();
        let secret = made.split("/calendar/").nth(1).and_then(|rest| rest.split(".ics").next()).expect("the address");
        let calendar = app.visitor().get(&format!("/calendar/{secret}.ics")).await.raw();
        assert!(calendar.contains("SUMMARY:Decide the claim"), "{calendar}");
        app.sign_in(ANA).await.open("/").await.assert_says("Review the proof");

        // Nobody decides it in time: finance hears, and the channel manager does.
        let until = deadlines(&s).into_iter().find(|of| of.clock == Clock::ClaimDecision).expect("a clock").until;
        let days = (until - app.clock.today()).num_days();
        app.days_pass(days - 1).await;
        app.days_pass(0).await;
        let soon = find(&app.mails_to(TOMAS).await, "decide the claim by");
        assert!(soon.starts_with(&format!("{no}/1")), "{soon}");
        app.days_pass(2).await;
        app.days_pass(0).await;
        for who in [TOMAS, ANA] {
            assert!(find(&app.mails_to(who).await, "overdue: decide the claim").starts_with(&format!("{no}/1")));
        }
        assert!(!app.mails_to(MARA).await.iter().any(|mail| mail.subject.contains("decide the claim")));
        app.days_pass(0).await;
        let late = app.mails_to(TOMAS).await.iter().filter(|mail| mail.subject.contains("overdue: decide")).count();
        assert_eq!(late, 1, "told once");
    }

    async fn a_proof_behind_another_one_is_the_partner_s_all_the_same(app: &App) {
        let no = two_webinars(app).await;
        let mara = app.sign_in(MARA).await;
        mara.open("/").await.assert_silent_on("Also due from you");
        app.days_pass(45).await;
        hand_in(app, &no, 1).await;
        assert_eq!(domain::machine::health(&app.look(&no).await).waiting_on, Party::Manager);
        let home = mara.open("/").await;
        home.assert_says("Nothing needs you now").assert_says("Also due from you");
        home.assert_says("Prove Zero trust, the second part").assert_silent_on("Prove Zero trust in practice");
        hand_in(app, &no, 2).await;
        mara.open("/").await.assert_silent_on("Prove").assert_says("Claim Zero trust in practice");
    }

    async fn a_draft_shows_and_tells_its_days(app: &App) {
        let no = app.cycle_in(Stage::RequestDraft, MARA, 9_000).await;
        let s = app.look(&no).await;
        let until = deadlines(&s).into_iter().find(|of| of.clock == Clock::AskBy).expect("a clock").until;
        let mara = app.sign_in(MARA).await;
        mara.open(&format!("/cycles/{no}")).await.assert_says("Lapses unless asked for").assert_says("Ask for the money");
        app.days_pass((until - app.clock.today()).num_days() - 6).await;
        assert!(find(&app.mails_to(MARA).await, "ask for funds by").starts_with(&no));
        let lapses = s.cycle.period.to;
        app.days_pass((lapses - app.clock.today()).num_days() - 2).await;
        assert!(find(&app.mails_to(MARA).await, "lapses after").starts_with(&no));
        app.days_pass(3).await;
        assert_eq!(app.look(&no).await.cycle.stage, Stage::Expired);
    }

    async fn a_weekly_digest_tells_of_no_day_that_has_passed(world: &World) {
        let weekly = MailChoice { user_id: ANA.id(), kind: MailKind::NeedsYou, rhythm: Rhythm::Weekly };
        world.db.write(async |tx| tx.set_mail_choices(&[weekly]).await).await.expect("chosen");
        // Asked for on a Tuesday, due on the Sunday: that morning's digest tells of it, and not Monday's.
        world.clock.advance(TimeDelta::days(1));
        let no = world.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let due = world.look(&no).await.cycle.approval.due.expect("a day");
        assert_eq!(due, world.clock.today() + Days::new(5));
        world.days_pass(4).await;
        assert!(!gathered(&world.mails_to(ANA).await, &no, "needs your decision"), "it waits");
        world.clock.advance(TimeDelta::days(1));
        world.days_pass(0).await;
        assert_eq!(world.clock.today(), due);
        let told = world.mails_to(ANA).await;
        assert!(gathered(&told, &no, "needs your decision"), "on the morning of its day: {:?}", subjects(&told));
        // Past its day nothing waits for Monday.
        world.days_pass(1).await;
        assert!(find(&world.mails_to(ANA).await, "decision overdue").starts_with(&no));
    }
}

/// A running cycle of two webinars.
async fn two_webinars(app: &App) -> String {
    let no = app.cycle_in(Stage::ActionPlanDraft, MARA, 9_000).await;
    for name in ["Zero trust in practice", "Zero trust, the second part"] {
        let draft = ActivityDraft { name: name.to_owned(), ..webinar(&app.look(&no).await, MARA, 4_500) };
        app.must(MARA, &no, s4_action_plan::Command::Save { no: None, draft }).await;
    }
    app.must(MARA, &no, s4_action_plan::Command::Commit {}).await;
    app.submit_request(&no, &app.look(&no).await, MARA).await;
    app.approve(&no, &app.look(&no).await).await;
    no
}

/// Proof of one activity, not reviewed.
async fn hand_in(app: &App, no: &str, activity: u16) {
    let s = app.look(no).await;
    let kind = s.policy.activity_type("webinar").expect("the guide knows webinars");
    let mut files = Vec::new();
    for item in kind.all_of.iter().chain(kind.one_of.first()) {
        let upload = proof_file(&item.code, &item.kinds);
        let file = app.engine.keep_file(&MARA.actor(), no, "files", &upload).await.expect("the file is kept");
        files.push(ProofUpload { item: item.code.clone(), file, name: upload.name, columns: None });
    }
    app.must(MARA, no, s7_execution::Command::SubmitProof { activity, files }).await;
}

/// The first subject that says this.
fn find(mails: &[Mail], words: &str) -> String {
    let found = mails.iter().find(|mail| mail.subject.contains(words));
    found.map_or_else(|| panic!("no mail says “{words}”: {:?}", subjects(mails)), |mail| mail.subject.clone())
}

/// A digest names something under what needs its reader.
fn gathered(mails: &[Mail], number: &str, words: &str) -> bool {
    let line = |line: &str| line.contains(number) && line.contains(words) && line.contains("Needs you");
    mails.iter().filter(|mail| mail.subject.starts_with("Your digest")).any(|mail| mail.text.lines().any(line))
}

fn subjects(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.subject.as_str()).collect()
}

async fn timeline(world: &World, number: &str) -> Vec<String> {
    let which = WhichCycle::Number(number);
    let page = world.engine.reader().timeline(&Viewer::system(), which, true, &Paging::first(200)).await;
    page.expect("a timeline").rows.into_iter().map(|entry| entry.words).collect()
}

/// They may no longer sign in.
async fn dismiss(world: &World, who: Persona) {
    let gone = storage::rows::User { disabled_at: Some(world.clock.now()), ..who.row() };
    world.db.write(async |tx| tx.update_user(&gone).await).await.expect("dismissed");
}

async fn stand_in(world: &World, absent: Persona, by: Persona) {
    let now = world.clock.now();
    let (from_day, to_day) = (now.date_naive(), now.date_naive() + Days::new(30));
    let id = uuid::Uuid::now_v7();
    let row = StandIn { id, absent_id: absent.id(), stand_in_id: by.id(), from_day, to_day, created_at: now };
    world.db.write(async |tx| tx.insert_stand_in(&row).await).await.expect("a stand-in is named");
}
