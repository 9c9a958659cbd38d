//! Views of lists that people keep: named, counted, opened first, replaced and removed, each its owner's alone.

use domain::cycle::Stage;
use kit::http::{Page, Visitor};
use kit::people::{ANA, INES, JONAS, KESTREL, MARA, NORDWIND, TOMAS};
use kit::{App, on_both};
use serde_json::json;

use crate::api::Program;

on_both! {
    async fn a_view_is_kept_opened_first_replaced_and_removed(app: &App) {
        let nordwind = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let kestrel = app.cycle_in(Stage::ApprovalReview, JONAS, 8_000).await;
        let ana = app.sign_in(ANA).await;
        let list = ana.open("/approvals?view=all&q=Nordwind").await;
        list.assert_says(&nordwind).assert_silent_on(&kestrel);
        let form = ana.click(&list, "Keep this view").await;
        form.assert_says("Nordwind").assert_says("Only you see it.");
        let kept = ana.press(&form, "Keep the view", &[("name", "Nordwind, all"), ("is_default", "yes")]).await;
        kept.assert_status(200).assert_says("The view “Nordwind, all” is kept.").assert_says("Nordwind, all 1");
        kept.assert_says(&nordwind).assert_silent_on(&kestrel).assert_silent_on("Keep this view");

        // It is opened first; the tabs are still there.
        ana.open("/approvals").await.assert_says(&nordwind).assert_silent_on(&kestrel);
        ana.open("/approvals?view=mine").await.assert_says(&kestrel).assert_says("Nordwind, all 1");
        app.sign_in(INES).await.open("/approvals").await.assert_silent_on("Nordwind, all");

        // Other filters under the same name.
        let open = ana.open("/approvals").await;
        let mut filter = open.form("Filter");
        filter.fill("q", "").fill("partner", &KESTREL.id().to_string());
        let other = ana.post(&open, &filter, "Filter").await;
        other.assert_says(&kestrel).assert_silent_on(&nordwind).assert_says("Keep this view");
        let replaced = ana.press(&other, "Replace “Nordwind, all” with what is shown", &[]).await;
        replaced.assert_says("The view “Nordwind, all” shows this from now on.").assert_says(&kestrel);
        let change = ana.click(&replaced, "Rename or remove “Nordwind, all”").await;
        change.assert_says(KESTREL.name);
        let renamed = ana.press(&change, "Save the view", &[("name", "  Kestrel   only ")]).await;
        renamed.assert_says("The view “Kestrel only” is saved.").assert_says("Kestrel only 1");
        ana.open("/approvals").await.assert_says(&kestrel).assert_silent_on(&nordwind);

        // The figure follows what waits.
        let s = app.look(&kestrel).await;
        app.approve(&kestrel, &s).await;
        ana.open("/approvals").await.assert_says("Kestrel only 0").assert_silent_on(&kestrel);

        let change = ana.click(&ana.open("/approvals").await, "Rename or remove “Kestrel only”").await;
        let mut form = change.form("Save the view");
        form.fill("is_default", "");
        ana.submit(&change, &form, "Save the view").await.assert_status(200);
        ana.open("/approvals").await.assert_says(&nordwind);
        let gone = ana.press(&change, "Remove the view", &[]).await;
        gone.assert_says("The view “Kestrel only” is removed.").assert_says(&nordwind);
        ana.get(&change.path).await.assert_status(404);
    }

    async fn what_cannot_be_kept_is_said_and_what_was_typed_stays(app: &App) {
        let ana = app.sign_in(ANA).await;
        let form = ana.click(&ana.open("/approvals?view=overdue").await, "Keep this view").await;
        ana.press(&form, "Keep the view", &[("name", " ")]).await.assert_status(422).assert_says("Fill this in.");
        let long = "n".repeat(61);
        let refused = ana.press(&form, "Keep the view", &[("name", &long), ("is_default", "yes")]).await;
        refused.assert_status(409).assert_says("The name has 61 characters. Shorten it to 60.").assert_says("Overdue");
        let again = refused.form("Keep the view");
        assert_eq!((again.value("name"), again.value("filters")), (Some(long.as_str()), Some("view=overdue")));
        let kept = ana.press(&refused, "Keep the view", &[("name", &long[..60])]).await;
        kept.assert_status(200).assert_says(&long[..60]);

        let form = ana.click(&ana.open("/approvals?view=all").await, "Keep this view").await;
        let taken = ana.press(&form, "Keep the view", &[("name", &"N".repeat(60))]).await;
        taken.assert_status(409).assert_says("of this list already.").assert_says("Choose another name");
        for n in 2..=20 {
            let form = ana.open(&format!("/views/new?list=approvals&filters=q%3D{n}")).await;
            ana.press(&form, "Keep the view", &[("name", &format!("View {n}"))]).await.assert_status(200);
        }
        let one_more = ana.press(&form, "Keep the view", &[("name", "One more")]).await;
        one_more.assert_status(409).assert_says("You keep 20 views of this list already. Remove one of them first.");
        assert_eq!(one_more.form("Keep the view").value("name"), Some("One more"));
        // Another list has views of its own.
        let form = ana.click(&ana.open("/cycles?view=ended").await, "Keep this view").await;
        ana.press(&form, "Keep the view", &[("name", "View 2")]).await.assert_status(200);

        let other = ana.open("/approvals?q=2").await;
        let change = ana.click(&other, "View 3 0").await;
        let change = ana.click(&change, "Rename or remove “View 3”").await;
        let taken = ana.press(&change, "Save the view", &[("name", "view 4")]).await;
        taken.assert_status(409).assert_says("You have a view “View 4” of this list already.");
        assert_eq!(taken.form("Save the view").value("name"), Some("view 4"));
    }

    async fn a_view_is_its_owner_s_alone(app: &App) {
        let (ana, ines, mara) = (app.sign_in(ANA).await, app.sign_in(INES).await, app.sign_in(MARA).await);
        let form = ana.open("/views/new?list=approvals&filters=view%3Dall").await;
        let kept = ana.press(&form, "Keep the view", &[("name", "Mine alone")]).await;
        let href = kept.link("Rename or remove “Mine alone”");
        let change = ana.open(&href).await;
        for other in [&ines, &mara] {
            other.get(&href).await.assert_status(404);
            for button in ["Save the view", "Remove the view"] {
                let form = change.form(button);
                let own = other.open("/views/new?list=cycles&filters=view%3Dall").await;
                let mut stolen = own.form("Keep the view");
                stolen.action = form.action.clone();
                let answer = other.post(&own, &stolen, "Keep the view").await;
                assert!(matches!(answer.status, 404 | 422), "{}: {}", form.action, answer.status);
            }
        }
        ana.open(&href).await.assert_says("Mine alone");
        // A list that is not theirs has no views for them.
        mara.get("/views/new?list=approvals&filters=").await.assert_status(404);
        ana.get("/views/new?list=nothing&filters=").await.assert_status(404);
        mara.get("/views/not-an-id").await.assert_status(404);
    }

    async fn claims_and_cycles_have_views_too(app: &App) {
        let no = app.cycle_in(Stage::ExecutionLive, MARA, 9_000).await;
        let (mara, tomas) = (app.sign_in(MARA).await, app.sign_in(TOMAS).await);
        keep(&mara, "/cycles?stage=execution_live&view=all", "Running").await.assert_says("Running 1").assert_says(&no);
        mara.open("/cycles?view=ended").await.assert_says("Running 1").assert_silent_on(&no);
        app.days_pass(46).await;
        app.prove(&no, MARA).await;
        app.claim(&no, MARA).await;
        let partner = NORDWIND.id();
        let address = format!("/claims?view=decide&partner={partner}");
        keep(&tomas, &address, "Nordwind to decide").await.assert_says("Nordwind to decide 1").assert_says(&format!("{no}/1"));
        keep(&tomas, "/claims?view=all&q=nowhere", "A search").await.assert_says("Nordwind to decide 1");
        app.approve_claim(&no, TOMAS).await;
        tomas.open("/claims").await.assert_says("Nordwind to decide 0");
    }

    async fn programs_keep_views_by_the_same_door(app: &App) {
        let no = app.cycle_in(Stage::ApprovalReview, MARA, 9_000).await;
        let ana = Program::of(app, ANA).await;
        let new = json!({ "list": "approvals", "name": "Nordwind", "filters": { "view": "mine", "q": "nordwind" } });
        let made = ana.post("/api/v1/views", "a", None, &new).await;
        made.assert_status(201);
        let id = made.json()["number"].as_str().expect("an id").to_owned();
        assert_eq!(made.header("location"), format!("/api/v1/views/{id}"));
        assert_eq!(ana.post("/api/v1/views", "a", None, &new).await.json(), made.json(), "the first answer again");
        let taken = ana.post("/api/v1/views", "b", None, &new).await;
        taken.assert_status(409);
        assert_eq!(taken.json()["code"], "view_name_taken");
        let wrong = json!({ "list": "approvals", "name": "Other", "filters": { "colour": "red" } });
        ana.post("/api/v1/views", "c", None, &wrong).await.assert_status(422);
        app.sign_in(ANA).await.open("/approvals").await.assert_says("Nordwind 1");

        let found = ana.get(&format!("/api/v1/approvals?saved={id}")).await.json();
        assert_eq!(found["rows"][0]["number"], no.as_str(), "{found}");
        assert_eq!(ana.get("/api/v1/approvals?view=mine&q=kestrel").await.json()["rows"], json!([]));
        let address = format!("/api/v1/views/{id}");
        let first = json!({ "do": "change", "name": "Nordwind first", "is_default": true });
        ana.post(&address, "d", None, &first).await.assert_status(200);
        let replace = json!({ "do": "replace", "filters": { "q": "" , "view": "overdue" } });
        ana.post(&address, "e", None, &replace).await.assert_status(200);
        let listed = ana.get("/api/v1/views?list=approvals").await.json();
        let held = json!([{ "id": id, "list": "approvals", "name": "Nordwind first", "filters": { "view": "overdue" }, "is_default": true }]);
        assert_eq!(listed["rows"], held);
        assert_eq!(ana.get("/api/v1/views?list=claims").await.json()["rows"], json!([]));

        let ines = Program::of(app, INES).await;
        ines.post(&address, "f", None, &first).await.assert_status(404);
        ines.get(&format!("/api/v1/approvals?saved={id}")).await.assert_status(404);
        let mara = Program::of(app, MARA).await;
        mara.post("/api/v1/views", "g", None, &new).await.assert_status(404);
        mara.get("/api/v1/approvals").await.assert_status(404);
        ana.post(&address, "h", None, &json!({ "do": "remove" })).await.assert_status(200);
        assert_eq!(ana.get("/api/v1/views").await.json()["rows"], json!([]));
    }
}

/// Keeps the view of an address under a name; the list it leads back to.
async fn keep(who: &Visitor, address: &str, name: &str) -> Page {
    let form = who.click(&who.open(address).await, "Keep this view").await;
    let kept = who.press(&form, "Keep the view", &[("name", name)]).await;
    kept.assert_status(200);
    kept
}
