//! The pages of the money in a real browser, wide and light, narrow and dark: no barrier, no broken policy, no sideways
//! scrolling. With `FUNDLOOP_SCREENSHOTS` set to a folder, their pictures are kept there.

use domain::cycle::Stage;
use kit::browser::Look;
use kit::people::{ANA, JONAS, LUKAS, MARA, Persona, TOMAS, YUKI};
use kit::story::pdf;
use kit::{App, Kind};

/// Whose page it is, its name in pictures, its address.
type Seen = (Persona, &'static str, String);

#[test]
fn money_pages_are_sound_wide_and_light() {
    kit::tell(Kind::Sqlite, async |app: &App| walk(app, Look { dark: false, narrow: false }).await);
}

#[test]
fn money_pages_are_sound_narrow_and_dark() {
    kit::tell(Kind::Sqlite, async |app: &App| walk(app, Look { dark: true, narrow: true }).await);
}

async fn walk(app: &App, look: Look) {
    let pages = furnish(app).await;
    let suffix = match (look.dark, look.narrow) {
        (true, true) => "dark-375",
        (false, false) => "light-1280",
        (true, false) => "dark-1280",
        (false, true) => "light-375",
    };
    let mut people: Vec<Persona> = Vec::new();
    for (who, ..) in &pages {
        if !people.contains(who) {
            people.push(*who);
        }
    }
    for person in people {
        let Some(browser) = app.browse(person, look).await else { return };
        if !look.narrow {
            browser.client.set_window_size(1280, 2000).await.expect("a tall window");
        }
        for (_, name, path) in pages.iter().filter(|(who, ..)| *who == person) {
            browser.goto(path).await;
            browser.screenshot(&format!("{name}-{suffix}")).await;
            browser.assert_sound().await;
        }
    }
}

/// A world with something on every page.
async fn furnish(app: &App) -> Vec<Seen> {
    let live = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
    let paid = app.cycle_in(Stage::ExecutionLive, MARA, 6_000).await;
    let unclaimed = app.cycle_in(Stage::ExecutionLive, MARA, 4_000).await;
    let untouched = app.cycle_in(Stage::ExecutionLive, MARA, 3_000).await;
    let asked = app.cycle_in(Stage::ApprovalReview, JONAS, 30_000).await;
    let draft = app.cycle_in(Stage::RequestDraft, LUKAS, 12_000).await;
    app.days_pass(45).await;
    app.prove(&paid, MARA).await;
    app.prove(&unclaimed, MARA).await;
    app.claim(&paid, MARA).await;
    app.settle(&paid).await;
    let proof = half_proof(app, &live).await;
    let seen = |who, name, path: String| (who, name, path);
    vec![
        seen(LUKAS, "request", format!("/cycles/{draft}/request")),
        seen(LUKAS, "wallet", "/wallet".to_owned()),
        seen(LUKAS, "guide", "/guide/EMEA?starts=2026-06-16&ends=2026-06-17".to_owned()),
        seen(LUKAS, "execution", format!("/cycles/{live}/execution")),
        seen(LUKAS, "execution-ahead", format!("/cycles/{draft}/execution")),
        seen(LUKAS, "claim-form", format!("/cycles/{unclaimed}/execution/campaigns/1/claim")),
        seen(LUKAS, "amendment", format!("/cycles/{untouched}/execution/activities/1/amendment")),
        seen(ANA, "inbox", "/approvals".to_owned()),
        seen(ANA, "approval", format!("/cycles/{asked}/approval")),
        seen(ANA, "confirm", format!("/approvals/confirmation?pick={asked}")),
        seen(ANA, "activity-review", proof),
        seen(TOMAS, "claims", "/claims?view=all".to_owned()),
        seen(TOMAS, "funds", "/funds".to_owned()),
        seen(TOMAS, "fund", "/funds/EMEA-GROWTH".to_owned()),
        seen(TOMAS, "allocation", "/funds/EMEA-GROWTH/allocation".to_owned()),
        seen(TOMAS, "fund-new", "/funds/new".to_owned()),
        seen(YUKI, "claim", format!("/cycles/{paid}/claims/1")),
        seen(YUKI, "claim-pack", format!("/cycles/{paid}/claims/1/pack")),
    ]
}

/// Proof of a webinar, handed in and not reviewed: the address of its page.
async fn half_proof(app: &App, no: &str) -> String {
    let mara = app.sign_in(MARA).await;
    let address = format!("/cycles/{no}/execution/activities/1");
    let page = mara.open(&address).await;
    let mut form = page.form("Hand in the proof");
    form.attach("proof_attendee_list", "attendees.csv", "text/csv", b"Company,Contact\nHafen Logistik,Ada Kern\n");
    form.attach("proof_recording", "recording.pdf", "application/pdf", &pdf("recording"));
    mara.submit(&page, &form, "Hand in the proof").await.assert_status(200);
    address
}
