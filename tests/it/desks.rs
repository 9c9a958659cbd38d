//! Whose desk a request lies on: an inbox, the figure on the home page and the morning's round-up hold exactly what their
//! owner may decide, whoever decides in whose place.

use std::collections::BTreeSet;

use domain::cycle::Stage;
use domain::machine::{Command, decide};
use domain::people::Role;
use domain::steps::s6_approval;
use engine::Submission;
use kit::people::{ANA, BJORN, DACH, EVERYBODY, INES, JONAS, MARA, NORTH, Persona, SAM, TOMAS};
use kit::story::{self, approval_in_full};
use kit::{App, World, on_both};
use storage::Viewer;
use storage::read::{InboxFilter, Paging};
use storage::rows::StandIn;

/// The program owner: decides what others left lying.
const VERA: Persona = approver("Vera Sand", "vera@aurelia.example", 9, &[DACH]);
/// The same of another region.
const NILS: Persona = approver("Nils Holm", "nils@aurelia.example", 9, &[NORTH]);
const LEA: Persona = approver("Lea Brandt", "lea@aurelia.example", 1, &[DACH]);
const PAUL: Persona =
    Persona { roles: &[Role::ChannelManager], ..approver("Paul Weiss", "paul@aurelia.example", 0, &[DACH]) };
const NEWCOMERS: [Persona; 4] = [VERA, NILS, LEA, PAUL];

const fn approver(name: &'static str, email: &'static str, level: u8, territory: &'static [&'static str]) -> Persona {
    Persona { name, email, roles: &[Role::Approver], partner: None, territory, level }
}

on_both! {
    async fn what_is_left_lying_comes_to_the_default_approver_too(app: &App) {
        move_in(app).await;
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 30_000).await;
        let vera = app.sign_in(VERA).await;
        vera.open("/approvals").await.assert_says("No request waits for you.");
        each_sees_what_is_theirs(app, &[&no]).await;

        app.days_pass(6).await;
        each_sees_what_is_theirs(app, &[&no]).await;
        vera.open("/approvals").await.assert_says(&no);
        vera.open("/").await.assert_says(&no).assert_says("Approve");
        let told = app.mails_to(VERA).await;
        assert!(told.iter().any(|mail| mail.subject.contains(&no)), "{:?}", told.iter().map(|m| &m.subject).collect::<Vec<_>>());
        app.days_pass(2).await;
        let told = app.mails_to(VERA).await;
        let digest = told.iter().find(|mail| mail.subject.starts_with("Your digest")).expect("a round-up");
        assert!(digest.text.contains(&no), "{}", digest.text);
        assert!(app.mails_to(NILS).await.is_empty(), "another region is another's");

        let page = vera.open(&format!("/cycles/{no}/approval")).await;
        vera.press(&page, "Approve 18,000 EUR", &[]).await.assert_status(200);
        each_sees_what_is_theirs(app, &[&no]).await;
        vera.open("/approvals").await.assert_silent_on(&no);
        app.sign_in(INES).await.open("/approvals").await.assert_says(&no);

        // The director's time passes as well: who decided below does not decide above.
        app.days_pass(9).await;
        assert!(app.look(&no).await.cycle.approval.escalated);
        each_sees_what_is_theirs(app, &[&no]).await;
        vera.open("/approvals").await.assert_silent_on(&no);
        vera.open("/").await.assert_silent_on(&no);
    }

    async fn a_stand_in_sees_what_is_the_colleague_s_and_no_more(app: &App) {
        move_in(app).await;
        let asked = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let by_ana = app.cycle_in(Stage::RequestDraft, JONAS, 8_000).await;
        app.submit_request(&by_ana, &app.look(&by_ana).await, ANA).await;
        let both: [&str; 2] = [&asked, &by_ana];
        each_sees_what_is_theirs(app, &both).await;
        app.sign_in(ANA).await.open("/approvals").await.assert_says(&asked).assert_silent_on(&by_ana);
        app.sign_in(PAUL).await.open("/approvals").await.assert_says(&asked).assert_says(&by_ana);

        let bjorn = app.sign_in(BJORN).await;
        stand_in(app, ANA, BJORN).await;
        each_sees_what_is_theirs(app, &both).await;
        bjorn.open("/approvals").await.assert_says(&asked).assert_silent_on(&by_ana);
        let home = bjorn.open("/").await;
        home.assert_says("You stand in for Ana Ferreira today.").assert_says(&asked).assert_silent_on(&by_ana);
        app.days_pass(2).await;
        let told = app.mails_to(BJORN).await;
        let digest = told.iter().find(|mail| mail.subject.starts_with("Your digest")).expect("a round-up");
        assert!(digest.text.contains(&asked) && !digest.text.contains(&by_ana), "{}", digest.text);

        // Whoever stands in for two is not refused for the sake of one.
        stand_in(app, PAUL, BJORN).await;
        each_sees_what_is_theirs(app, &both).await;
        bjorn.open("/approvals").await.assert_says(&asked).assert_says(&by_ana);
        let page = bjorn.open(&format!("/cycles/{by_ana}/approval")).await;
        bjorn.press(&page, "Approve 4,000 EUR", &[]).await.assert_status(200).assert_says("approved 4,000 EUR");
        app.sign_in(MARA).await.get(&format!("/cycles/{by_ana}")).await.assert_status(404);
    }

    /// The bands of a guide say who sits where, and the inbox follows them.
    async fn a_guide_with_other_levels_has_other_desks(world: &World) {
        move_in(world).await;
        let before = world.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let (_, guide) = engine::catalog::GUIDES[0];
        let turned = guide.replacen("role = \"channel_manager\"\nname", "role = \"approver\"\nname", 1);
        let turned = turned.replacen("role = \"approver\"\nname = \"Channel director", "role = \"channel_manager\"\nname = \"Channel director", 1);
        let turned = turned.replacen("version = \"2026.1\"", "version = \"2026.2\"", 1);
        world.clock.advance(chrono::TimeDelta::minutes(1));
        let turned = story::counting_from(&turned, world.clock.today());
        world.engine.add_guide(&SAM.actor(), world.program, &turned, None, &Submission::own()).await.expect("a guide");
        let small = world.cycle_in(Stage::ApprovalReview, JONAS, 8_000).await;
        let large = world.cycle_in(Stage::ApprovalReview, JONAS, 40_000).await;
        let all: [&str; 3] = [&before, &small, &large];
        each_sees_what_is_theirs(world, &all).await;
        assert_eq!(inbox(world, ANA).await, [before.clone()].into(), "under the new guide she decides on level 2");
        assert_eq!(inbox(world, LEA).await, [small.clone(), large.clone()].into());
        assert!(world.mails_to(LEA).await.iter().any(|mail| mail.subject.starts_with(&large)));

        world.must(LEA, &large, approval_in_full(&world.look(&large).await)).await;
        each_sees_what_is_theirs(world, &all).await;
        assert_eq!(inbox(world, ANA).await, [before.clone(), large.clone()].into());
        let question = "Who speaks?".to_owned();
        world.must(ANA, &large, s6_approval::Command::Ask { question }).await;
        assert_eq!(inbox(world, ANA).await, [before.clone()].into(), "a question waits for the partner");
        world.must(JONAS, &large, s6_approval::Command::Answer { text: "We do.".to_owned() }).await;
        each_sees_what_is_theirs(world, &all).await;
    }

    /// Rows of an older release know nothing of desks: the worker writes them once.
    async fn a_cycle_that_wakes_finds_its_desk(world: &World) {
        move_in(world).await;
        let no = world.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let behind = world.connect().await;
        let forget = "UPDATE cycle SET desk = NULL, desk_too = NULL, barred = '', wake_at = opened_at";
        sea_orm::ConnectionTrait::execute_unprepared(&behind, forget).await.expect("forgotten");
        assert!(inbox(world, ANA).await.is_empty());
        world.days_pass(0).await;
        each_sees_what_is_theirs(world, &[&no]).await;
        assert_eq!(inbox(world, ANA).await, [no.clone()].into());
        world.days_pass(6).await;
        assert!(world.look(&no).await.cycle.approval.escalated, "and still hears of it when its time has passed");
    }
}

async fn move_in(world: &World) {
    let moved = world.db.write(async |tx| {
        for person in NEWCOMERS {
            tx.insert_user(&person.row()).await?;
        }
        Ok::<_, storage::Error>(())
    });
    moved.await.expect("the newcomers move in");
}

async fn stand_in(world: &World, absent: Persona, by: Persona) {
    let now = world.clock.now();
    let (from_day, to_day) = (now.date_naive(), now.date_naive() + chrono::Days::new(30));
    let id = uuid::Uuid::now_v7();
    let row = StandIn { id, absent_id: absent.id(), stand_in_id: by.id(), from_day, to_day, created_at: now };
    world.db.write(async |tx| tx.insert_stand_in(&row).await).await.expect("a stand-in is named");
}

async fn viewer(world: &World, who: Persona) -> (domain::people::Actor, Viewer) {
    let actor = world.engine.reader().door().actor(who.id(), world.clock.today()).await;
    let actor = actor.expect("people can be read").expect("they may sign in");
    let viewer = Viewer::from(&actor);
    (actor, viewer)
}

/// The numbers in somebody's inbox, page by page.
async fn inbox(world: &World, who: Persona) -> BTreeSet<String> {
    let (_, viewer) = viewer(world, who).await;
    let (mine, mut paging) = (InboxFilter { mine: true, ..InboxFilter::default() }, Paging::first(1));
    let mut numbers = BTreeSet::new();
    loop {
        let page = world.engine.reader().in_approval(&viewer, &mine, &paging).await.expect("an inbox");
        for waiting in page.rows {
            assert!(numbers.insert(waiting.cycle.number.clone()), "{} stands there twice", waiting.cycle.number);
        }
        paging.after = page.next;
        if paging.after.is_none() {
            return numbers;
        }
    }
}

/// Holds every inbox, and the tasks of every home page, against what the rules would say to the very person.
async fn each_sees_what_is_theirs(world: &World, numbers: &[&str]) {
    for who in EVERYBODY.into_iter().chain(NEWCOMERS) {
        let (actor, viewer) = viewer(world, who).await;
        let reader = world.engine.reader();
        let tasks = reader.waiting_for_me(&viewer, &Paging::first(200)).await.expect("tasks").rows;
        let counted = reader.count_waiting(&viewer, 200).await.expect("a figure");
        assert_eq!(counted, tasks.len(), "{}", who.name);
        let seen = inbox(world, who).await;
        for number in numbers {
            let s = world.look(number).await;
            let command = Command::Approval(approval_in_full(&s));
            let judged = decide(&s, &actor, &command, world.clock.now());
            let open = s.cycle.approval.open_question().is_none();
            let decides = open && judged.as_ref().map_or_else(may_otherwise, |_| true);
            let why = format!("{} and {number}: {judged:?}", who.name);
            assert_eq!(seen.contains(*number), decides, "inbox of {why}");
            let task = tasks.iter().any(|line| line.number == *number && line.stage == Stage::ApprovalReview);
            assert_eq!(task && !actor.me.is_partner(), decides, "home of {why}");
        }
    }
}

/// The rules say no for another reason than who it is.
fn may_otherwise(refusal: &domain::refusal::Refusal) -> bool {
    !["wrong_stage", "not_your_role", "own_request", "two_levels"].contains(&refusal.code())
}

#[test]
fn finance_decides_no_request() {
    assert!(domain::machine::Seat::of(&TOMAS.row().standing()).is_empty());
    assert_eq!(domain::machine::Seat::of(&VERA.row().standing()), [domain::machine::Seat::Approver(9)]);
}
