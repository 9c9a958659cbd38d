//! Deadlines: more time is asked for and granted, calendars and digests follow, expiring credit is seen in time, and
//! timers that stood still catch up once.

use chrono::TimeDelta;
use domain::cycle::Stage;
use domain::fund::FundCommand;
use domain::ledger::AccountKind;
use engine::Engine;
use kit::http::{Page, Visitor};
use kit::people::{ANA, JONAS, MARA, NORDWIND, Persona, TOMAS};
use kit::world::eur;
use kit::{App, World, on_both};
use mailer::{Mail, Post};
use reqwest::Method;
use storage::read::{LogFilter, Paging};
use storage::{Db, Options, Viewer};

on_both! {
    async fn more_time_is_asked_for_and_granted(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        let (mara, ana) = (app.sign_in(MARA).await, app.sign_in(ANA).await);
        let execution = mara.open(&format!("/cycles/{no}/execution")).await;
        execution.assert_says("Hand in proof: “Zero trust in practice”").assert_says("days left");
        let page = mara.click(&execution, "Ask for more time").await;
        page.assert_says("15 days more at most");
        let asked = [("window", "proof"), ("days", "20"), ("reason", "The list comes a week late.")];
        let refused = mara.press(&page, "Ask for more time", &asked).await;
        refused.assert_status(409).assert_says("an extension adds at most 15 days").assert_says("Ask for 15 days or less.");
        assert_eq!(refused.form("Ask for more time").value("days"), Some("20"), "what was typed stays");
        let sent = mara.press(&refused, "Ask for more time", &[("days", "10")]).await;
        sent.assert_status(200).assert_says("10 days more to hand in proof").assert_says("is not decided yet");
        let told = app.mails_to(ANA).await;
        assert!(subjects(&told).iter().any(|subject| subject.contains("more time asked, answer by")), "{:?}", subjects(&told));

        let address = format!("/cycles/{no}/execution/campaigns/1/extension");
        app.sign_in(JONAS).await.get(&address).await.assert_status(404);
        assert!(!app.sign_in(TOMAS).await.open(&address).await.has_button("Grant the time"), "the guide names the manager");
        let page = ana.open(&address).await;
        let few = ana.press(&page, "Grant the time", &[("days", "5")]).await;
        few.assert_status(409).assert_says("The reason for granting fewer days");
        ana.press(&few, "Grant the time", &[("days", "10")]).await.assert_status(200).assert_says("10 days granted");
        let told = app.mails_to(MARA).await;
        let granted = subjects(&told).into_iter().find(|subject| subject.contains("more time granted"));
        assert!(granted.is_some_and(|subject| subject.contains("until Sat 9 May 2026")), "{:?}", subjects(&told));
        mara.open(&format!("/cycles/{no}/execution/activities/1")).await.assert_says("Sat 9 May 2026");
        mara.open(&format!("/cycles/{no}")).await.assert_says("granted 10 days more to hand in proof");

        // Ten days later than the program usually takes proof at all, it is taken.
        app.days_pass(21).await;
        assert_eq!(app.look(&no).await.cycle.stage, Stage::ExecutionLive);
        app.prove(&no, MARA).await;
    }

    async fn deadlines_are_told_to_programs(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let token = app.sign_in(MARA).await.make_token(&["read"]).await;
        let program = app.visitor();
        let told = program.request(Method::GET, &format!("/api/v1/cycles/{no}/deadlines"), |r| r.bearer_auth(&token)).await;
        let rows = told.json()["rows"].as_array().expect("rows").clone();
        let proof = rows.iter().find(|row| row["clock"] == "proof").expect("proof is due");
        assert_eq!((proof["until"].as_str(), proof["party"].as_str()), (Some("2026-04-29"), Some("partner")));
        let expiring = program.request(Method::GET, "/api/v1/funds/expiring", |r| r.bearer_auth(&token)).await;
        assert_eq!(expiring.json()["rows"].as_array().map(Vec::len), Some(0), "no credit has an end yet");
    }

    async fn a_calendar_follows_its_person(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        app.days_pass(45).await;
        let (mara, ana, calendar) = (app.sign_in(MARA).await, app.sign_in(ANA).await, app.visitor());
        let address = make_calendar(&mara).await;
        let before = calendar.get(&address).await;
        before.assert_status(200);
        assert!(before.header("content-type").starts_with("text/calendar"));
        assert!(before.header("cache-control").starts_with("private"), "{}", before.header("cache-control"));
        let raw = before.raw();
        assert!(raw.split("\r\n").all(|line| line.len() <= 75), "lines are folded:\n{raw}");
        let proof = event(&raw, "Hand in proof");
        assert!(proof.contains("DTSTART;VALUE=DATE:20260429") && proof.contains("DTSTAMP:"), "{proof}");
        assert!(proof.contains(&format!("/cycles/{no}/execution/activities/1")), "{proof}");
        assert!(raw.contains("BEGIN:VCALENDAR\r\n") && raw.contains("SUMMARY:Zero trust in practice"), "{raw}");

        let page = mara.open(&format!("/cycles/{no}/execution/campaigns/1/extension")).await;
        mara.press(&page, "Ask for more time", &[("days", "10"), ("reason", "The list, again; and, yes, late.")]).await;
        let managers = make_calendar(&ana).await;
        let due = calendar.get(&managers).await;
        assert!(event(&due.raw(), "Grant or decline more time").contains("VALUE=DATE"), "{}", due.raw());
        let page = ana.open(&format!("/cycles/{no}/execution/campaigns/1/extension")).await;
        ana.press(&page, "Grant the time", &[]).await.assert_status(200);
        let moved = event(&calendar.get(&address).await.raw(), "Hand in proof");
        assert!(moved.contains("DTSTART;VALUE=DATE:20260509"), "{moved}");
        assert_eq!(uid(&moved), uid(&proof), "the same event has moved");
        assert!(!calendar.get(&managers).await.raw().contains("Grant or decline"), "and the manager's is done");

        // A wrong address answers as any unknown one; a new address puts the old one out of use.
        let nowhere = calendar.get("/calendar/of-nobody").await;
        let wrong = calendar.get("/calendar/0000.ics").await;
        assert_eq!((wrong.status, nowhere.status), (404, 404));
        let fresh = make_calendar(&mara).await;
        calendar.get(&address).await.assert_status(404);
        calendar.get(&fresh).await.assert_status(200);
        let profile = mara.open("/profile").await;
        mara.press(&profile, "Turn the address off", &[]).await.assert_says("no longer answers");
        calendar.get(&fresh).await.assert_status(404);
    }

    async fn approvers_and_finance_see_what_they_decide_in_their_calendar(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let (ana, tomas, calendar) = (app.sign_in(ANA).await, app.sign_in(TOMAS).await, app.visitor());
        let (anas, toms) = (make_calendar(&ana).await, make_calendar(&tomas).await);
        assert!(event(&calendar.get(&anas).await.raw(), "Decide the request").contains(&no));
        assert!(!calendar.get(&toms).await.raw().contains(&no), "finance has nothing to decide yet");
        let s = app.look(&no).await;
        app.approve(&no, &s).await;
        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        app.claim(&no, MARA).await;
        assert!(event(&calendar.get(&toms).await.raw(), "Decide the claim").contains("5,400 EUR"));
        assert!(!calendar.get(&anas).await.raw().contains("Decide the claim"));
    }

    async fn mails_gather_as_their_reader_chose(app: &App) {
        let mara = app.sign_in(MARA).await;
        let profile = mara.open("/profile").await;
        let wanted = [("deadlines", "daily"), ("decisions", "weekly")];
        mara.press(&profile, "Save how mails come", &wanted).await.assert_says("Mails come as you chose");
        let kept = mara.open("/profile").await.form("Save how mails come");
        assert_eq!((kept.value("decisions"), kept.value("money")), (Some("weekly"), Some("at_once")));
        // Monday 2 March, nine o'clock: the plan is agreed and the request approved; both wait for next Monday.
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let before = app.mails_to(MARA).await.len();
        mara.open("/notifications").await.assert_says("For your next digest").assert_says(&no);
        app.sign_in(kit::people::SAM).await.open("/admin/outbox").await.assert_says("Waits for the digest");
        for _ in 0..6 {
            app.days_pass(1).await;
            assert_eq!(app.mails_to(MARA).await.len(), before, "nothing before its time, and no empty digest");
        }
        app.days_pass(1).await;
        let mails = app.mails_to(MARA).await.split_off(before);
        assert_eq!((mails.len(), digests(&mails)), (1, 1), "one digest");
        let digest = &mails[0];
        assert_eq!(digest.subject, "Your digest, 2 things");
        let approved = digest.text.find("approved, 5,400 EUR").expect("the approval is told");
        assert!(approved < digest.text.find("plan agreed").expect("the plan is told"), "newest first:\n{}", digest.text);
        app.days_pass(1).await;
        assert_eq!(app.mails_to(MARA).await.len(), before + 1, "told once");

        // What waits already comes sooner when its reader wants to hear sooner.
        app.days_pass(35).await;
        let before = app.mails_to(MARA).await.len();
        let profile = mara.open("/profile").await;
        mara.press(&profile, "Save how mails come", &[("deadlines", "weekly")]).await.assert_status(200);
        app.days_pass(8).await;
        let profile = mara.open("/profile").await;
        mara.press(&profile, "Save how mails come", &[("deadlines", "at_once")]).await.assert_status(200);
        app.days_pass(0).await;
        assert!(app.mails_to(MARA).await.len() > before);
    }

    async fn what_waits_for_approval_is_rounded_up_each_morning_once(world: &World) {
        let no = world.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let at_once = world.mails_to(ANA).await;
        assert!(at_once.iter().any(|mail| mail.subject.starts_with(&no)), "a request that needs somebody is told at once");
        world.days_pass(3).await;
        world.days_pass(0).await;
        let told: Vec<Mail> = world.mails_to(ANA).await.into_iter().filter(is_digest).collect();
        assert_eq!(told.len(), 1, "three mornings were missed: one digest");
        assert!(told[0].text.contains("Still waits for your approval: ") && told[0].text.contains(&no), "{}", told[0].text);
        world.days_pass(1).await;
        assert_eq!(digests(&world.mails_to(ANA).await), 2, "the next morning says it again");
        let s = world.look(&no).await;
        world.approve(&no, &s).await;
        world.days_pass(2).await;
        assert_eq!(digests(&world.mails_to(ANA).await), 2, "and nothing once it is decided");
    }

    async fn expiring_credit_is_seen_in_time(app: &App) {
        for (units, expires) in [(4_000, "2026-03-20"), (3_000, "2026-05-10"), (2_000, "2026-12-31")] {
            let expires = Some(expires.parse().expect("a day"));
            let reason = "Earned last year".to_owned();
            let command = FundCommand::Allocate { partner: NORDWIND.id(), amount: eur(units), expires, reason };
            app.act_on_fund(TOMAS, &command).await.expect("allocated");
        }
        let (tomas, mara, jonas) = (app.sign_in(TOMAS).await, app.sign_in(MARA).await, app.sign_in(JONAS).await);
        let page = tomas.click(&tomas.open("/funds").await, "Expiring credit").await;
        page.assert_says("4,000 EUR").assert_says("3,000 EUR").assert_silent_on("2,000 EUR");
        tomas.open("/funds/expiring?within=30").await.assert_says("4,000 EUR").assert_says("Nordwind");
        let year = tomas.open("/funds/expiring?within=365").await;
        year.assert_says("2,000 EUR").assert_says("Thu 31 December 2026");
        let elsewhere = format!("/funds/expiring?partner={}", kit::people::KESTREL.id());
        tomas.open(&elsewhere).await.assert_says("Nothing expires");
        let table = tomas.get("/funds/expiring.csv?within=365").await;
        assert_eq!(table.raw().lines().count(), 4, "{}", table.raw());
        assert!(table.raw().contains("2026-03-20,EUR,4000.00,0.00,"), "{}", table.raw());
        mara.get("/funds/expiring").await.assert_status(404);
        mara.open("/wallet").await.assert_says("Use it or lose it").assert_says("Fri 20 March 2026");
        jonas.open("/wallet").await.assert_silent_on("Use it or lose it");

        // A request commits what expires first; then it is to be claimed in time.
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 6_000).await;
        mara.open("/wallet").await.assert_says(&format!("Claim on {no}"));
        tomas.open("/funds/expiring?within=30").await.assert_says("3,600 EUR").assert_says(&no);
    }

    /// Everything that can be due at once, and nobody to do it for ten weeks; then two at the same moment.
    async fn timers_that_stood_still_catch_up_in_order_and_once(world: &World) {
        choose(world, MARA, "decisions").await;
        let expires = Some("2026-03-20".parse().expect("a day"));
        let gift = FundCommand::Allocate {
            partner: NORDWIND.id(),
            amount: eur(1_000),
            expires,
            reason: "Earned last year".to_owned(),
        };
        let running = world.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let waiting = world.cycle_in(Stage::ApprovalReview, JONAS, 6_000).await;
        world.act_on_fund(TOMAS, &gift).await.expect("allocated");
        let told_before = world.mails_to(MARA).await.len();
        world.clock.advance(TimeDelta::days(70));

        let other = second_worker(world).await;
        for round in 0..2 {
            let (one, two) = tokio::join!(world.engine.tick(), other.tick());
            let (one, two) = (one.expect("the first worker runs"), two.expect("the second worker runs"));
            assert_eq!((one.failed, two.failed), (0, 0), "round {round}");
        }
        // The webinar of April expired without proof, and with it the cycle; each once, in the order of their days.
        let kinds = kinds_of(world, &running).await;
        let caught_up: Vec<&str> = kinds.iter().map(String::as_str).skip_while(|kind| *kind != "approval.approved").skip(1).collect();
        assert_eq!(caught_up, ["execution.activity_expired", "execution.ended"]);
        assert_eq!(world.look(&running).await.cycle.stage, Stage::Expired);
        let escalated = kinds_of(world, &waiting).await.iter().filter(|kind| *kind == "approval.escalated").count();
        assert_eq!(escalated, 1);
        let forfeited = log(world, "fund.forfeited").await;
        assert_eq!(forfeited, 1, "the credit of March is forfeited once");
        let s = world.look(&running).await;
        assert_eq!(s.book.total(|account| account.kind == AccountKind::Committed), 0);

        // Mails: what happened while nobody was there comes in one digest, not seventy; nothing twice.
        let mails = world.mails_to(MARA).await.split_off(told_before);
        assert_eq!(digests(&mails), 1, "{:?}", subjects(&mails));
        let digest = mails.iter().find(|mail| is_digest(mail)).expect("the digest");
        assert!(digest.text.contains("approved, 5,400 EUR"), "{}", digest.text);
        assert_eq!(subjects(&mails).iter().filter(|subject| subject.contains("expired")).count(), 2, "{:?}", subjects(&mails));
        assert_eq!(digests(&world.mails_to(ANA).await), 1, "{:?}", subjects(&world.mails_to(ANA).await));
        let before = world.mails_to(MARA).await.len() + world.mails_to(ANA).await.len();
        let (one, two) = tokio::join!(world.engine.tick(), other.tick());
        one.and(two).expect("both run again");
        assert_eq!(world.mails_to(MARA).await.len() + world.mails_to(ANA).await.len(), before, "nothing is left to do");
        assert_eq!(kinds_of(world, &running).await, kinds);
    }
}

/// Makes the calendar's address on the profile page; the path of it.
async fn make_calendar(who: &Visitor) -> String {
    let profile = who.open("/profile").await;
    let button = if profile.has_button("Make a new address") { "Make a new address" } else { "Make the address" };
    let made = who.press(&profile, button, &[]).await;
    made.assert_status(201).assert_says("it is not shown again");
    path_in(&made)
}

fn path_in(made: &Page) -> String {
    let text = made.text();
    let (_, rest) = text.split_once("/calendar/").expect("the address is shown");
    let (secret, _) = rest.split_once(".ics").expect("and is a calendar's");
    format!("/calendar/{secret}.ics")
}

/// The event whose summary begins like this, unfolded.
fn event(raw: &str, summary: &str) -> String {
    let text = raw.replace("\r\n ", "").replace("\\,", ",");
    let found = text.split("BEGIN:VEVENT").find(|event| event.contains(&format!("SUMMARY:{summary}")));
    found.unwrap_or_else(|| panic!("no event “{summary}” in\n{text}")).to_owned()
}

fn uid(event: &str) -> &str {
    event.lines().find(|line| line.starts_with("UID:")).expect("an event has a name")
}

fn is_digest(mail: &Mail) -> bool {
    mail.subject.starts_with("Your digest")
}

fn digests(mails: &[Mail]) -> usize {
    mails.iter().filter(|mail| is_digest(mail)).count()
}

fn subjects(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.subject.as_str()).collect()
}

/// A person's mails of one kind gather for a daily digest.
async fn choose(world: &World, who: Persona, kind: &str) {
    let kind = domain::rhythm::MailKind::from_code(kind).expect("a kind of mail");
    let choice = storage::rows::MailChoice { user_id: who.id(), kind, rhythm: domain::rhythm::Rhythm::Daily };
    world.db.write(async |tx| tx.set_mail_choices(&[choice]).await).await.expect("chosen");
}

/// Another process on the same database, by the same clock.
async fn second_worker(world: &World) -> Engine {
    let db = Db::connect(&world.url, &Options::default()).await.expect("the database opens again");
    let (post, _) = Post::memory(&world.sender).expect("a letterbox");
    let files = world.folder.path().join("files");
    Engine::new(db, world.clock.clone(), world.sender.clone(), post, &files).expect("a second engine starts")
}

/// What happened to a cycle, oldest first.
async fn kinds_of(world: &World, number: &str) -> Vec<String> {
    let which = storage::WhichCycle::Number(number);
    let page = world.engine.reader().timeline(&Viewer::system(), which, true, &Paging::first(200)).await;
    page.expect("a timeline").rows.into_iter().rev().map(|entry| entry.kind).collect()
}

/// How often something happened anywhere.
async fn log(world: &World, kind: &str) -> usize {
    let filter = LogFilter { kind: Some(kind.to_owned()), ..LogFilter::default() };
    world.engine.reader().log(&Viewer::system(), &filter, &Paging::first(200)).await.expect("the log").rows.len()
}
