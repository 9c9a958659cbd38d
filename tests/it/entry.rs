//! How results come in from outside: tracked links, the hosted form, files of other systems.

use domain::cycle::Stage;
use kit::http::{Page, Visitor};
use kit::people::{ANA, BJORN, CLAIRE, JONAS, MARA, Persona};
use kit::{App, on_both};
use sea_orm::{ConnectionTrait, Statement};
use storage::Viewer;

on_both! {
    /// An answer is kept once and with its consent; without consent, and from robots, nothing is.
    async fn an_answer_is_kept_once_and_with_consent(app: &App) {
        let (number, code) = running(app).await;
        let guest = app.visitor();
        let path = format!("/r/{code}");
        let form = guest.open(&path).await;
        form.assert_status(200).assert_says("Zero trust in practice").assert_says("Nordwind Systems GmbH");
        let said = [("name", "Ada Kern"), ("email", "Ada@Hafen.example"), ("company", "Hafen Logistik")];

        let refused = guest.press(&form, "Send my answer", &said).await;
        refused.assert_status(422).assert_says("We keep nothing without your consent");
        assert_eq!(refused.form("Send my answer").value("name"), Some("Ada Kern"), "what was typed is kept");
        let mut by_robot = form.form("Send my answer");
        by_robot.fill_all(&said).fill("consent", "yes").fill("website", "https://spam.example");
        guest.submit(&form, &by_robot, "Send my answer").await.assert_status(200).assert_says("Thank you");
        assert_eq!(people(app, "1 = 1").await, 0);

        for _ in 0..2 {
            let form = guest.open(&path).await;
            let mut answer = form.form("Send my answer");
            answer.fill_all(&said).fill("consent", "yes");
            guest.submit(&form, &answer, "Send my answer").await.assert_status(200).assert_says("Thank you");
            guest.submit(&form, &answer, "Send my answer").await.assert_status(200).assert_says("Thank you");
        }
        let found = responders(app, &number).await;
        assert_eq!(found, [("ada@hafen.example".to_owned(), 1)]);
        assert_eq!(people(app, "consent_at IS NOT NULL").await, 1);
        guest.get("/r/FL-9999-1K").await.assert_status(404).assert_says("Not found");
    }

    /// A link counts a visit and leads to the campaign's own page, with where the visitor came from.
    async fn a_link_leads_to_the_landing_page_and_counts(app: &App) {
        let (number, code) = running(app).await;
        let made = app.engine.make_link(&MARA.actor(), &number, 1, "Autumn newsletter", "email").await;
        let link = made.expect("a link is made");
        let path = format!("/go/{link}");
        let guest = app.visitor();
        let answer = guest.get(&path).await;
        answer.assert_status(303);
        let expected = format!(
            "https://nordwind.example/zero-trust?utm_source=autumn-newsletter&utm_medium=email&utm_campaign=zero-trust-in-practice&utm_id={code}"
        );
        assert_eq!(answer.redirect(), Some(expected.clone()));
        assert!(answer.header("set-cookie").starts_with(&format!("fundloop_campaign={code}.")), "{:?}", answer.headers);
        assert_eq!(clicks(app, &number).await, 1);

        guest.get(&path).await.assert_status(303);
        app.visitor().request(reqwest::Method::HEAD, &path, |r| r).await.assert_status(303);
        let scanner = app.visitor().request(reqwest::Method::GET, &path, |r| r.header("User-Agent", "MailScanner/1.0")).await;
        assert_eq!(scanner.redirect(), Some(expected));
        assert_eq!(clicks(app, &number).await, 1, "a double click, a look and a scanner are no visits");
        app.visitor().get(&path.to_lowercase()).await.assert_status(303);
        assert_eq!(clicks(app, &number).await, 2, "typed off paper in small letters");

        for unknown in ["/go/0000000", "/go/https%3A%2F%2Fevil.example", "/go/%27"] {
            let page = guest.get(unknown).await;
            page.assert_status(404).assert_says("Not found");
            assert_eq!(page.redirect(), None);
        }
    }

    /// Previewed, committed, run again without a change, undone.
    async fn a_file_is_previewed_committed_and_undone(app: &App) {
        let (number, code) = running(app).await;
        let ana = app.sign_in(ANA).await;
        let preview = hand_in(&ana, &members(&code)).await;
        preview.assert_status(200).assert_says("Zero trust in practice").assert_says("Rows that are not kept");
        preview.assert_says("no address at all");
        assert_eq!(responders(app, &number).await.len(), 0, "a preview keeps nothing");
        let report = ana.get(&preview.link("Download the error report")).await;
        report.assert_status(200);
        assert!(report.header("content-disposition").contains("members-to-mend.csv"), "{:?}", report.headers);
        assert!(report.raw().contains("no address at all") && !report.raw().contains("ada@hafen.example"));

        let again = ana.press(&preview, "Read it again", &[("currency", "EUR"), ("save_as", "Weekly export")]).await;
        again.assert_status(200).assert_says("Read again with your answers.");
        let done = ana.press(&again, "Commit the import", &[]).await;
        done.assert_says("members.csv: 2 rows added, 0 changed, 0 already here, 1 not kept.");
        let twice = ana.press(&again, "Commit the import", &[]).await;
        twice.assert_says("members.csv: 2 rows added, 0 changed, 0 already here, 1 not kept.");
        assert_eq!(responders(app, &number).await.len(), 2);

        let second = hand_in(&ana, &members(&code)).await;
        let same = ana.press(&second, "Commit the import", &[]).await;
        same.assert_says("members.csv: 0 rows added, 0 changed, 2 already here, 1 not kept.");
        assert_eq!(responders(app, &number).await.len(), 2);

        let mut list = same;
        while list.has_button("Undo") {
            list = ana.press(&list, "Undo", &[]).await;
            list.assert_status(200).assert_says("The import was undone");
        }
        assert_eq!(responders(app, &number).await.len(), 0);
    }

    /// A partner's file is the partner's: nobody else opens or commits it, and no executive imports.
    async fn a_partners_file_is_the_partners(app: &App) {
        let (_, code) = running(app).await;
        let mara = app.sign_in(MARA).await;
        let preview = hand_in(&mara, &members(&code)).await;
        preview.assert_status(200);
        for stranger in [JONAS, BJORN, ANA] {
            let visitor = app.sign_in(stranger).await;
            visitor.get(&preview.path).await.assert_status(404);
            visitor.get(&format!("{}/report", preview.path)).await.assert_status(404);
            let own = hand_in(&visitor, &members(&code)).await;
            let mut theirs = own.form("Put the file away");
            theirs.action = format!("{}/commit", preview.path);
            assert_eq!(visitor.submit(&own, &theirs, "Put the file away").await.status, 404, "{}", stranger.name);
        }
        mara.press(&preview, "Commit the import", &[]).await.assert_says("2 rows added");
        for (who, sees) in [(ANA, true), (JONAS, false), (BJORN, false)] {
            assert_eq!(lists(app, who).await.text().contains("Mara Lindqvist"), sees, "{}", who.name);
        }
        app.sign_in(CLAIRE).await.get("/imports").await.assert_status(403);
    }
}

/// A running cycle of Nordwind's: its number and its campaign's ID.
async fn running(app: &App) -> (String, String) {
    let number = app.cycle_in(Stage::ExecutionLive, MARA, 10_000).await;
    let code = app.look(&number).await.cycle.campaigns[0].code.clone();
    (number, code.expect("an approved campaign has an ID"))
}

/// Two people who answered and one whose address is none.
fn members(code: &str) -> String {
    let mut file =
        "Campaign ID,Member Status,First Name,Last Name,Email,Company / Account,Member First Associated Date\n"
            .to_owned();
    for (first, last, email) in
        [("Ada", "Kern", "ada@hafen.example"), ("Ben", "Ohm", "ben@hafen.example"), ("Cy", "Day", "no address at all")]
    {
        file += &[code, "Responded", first, last, email, "Hafen Logistik", "2026-03-01\n"].join(",");
    }
    file
}

async fn hand_in(visitor: &Visitor, file: &str) -> Page {
    let page = visitor.open("/imports/new").await;
    let mut form = page.form("Read the file");
    form.fill("kind", "salesforce-campaign-members").attach("file", "members.csv", "text/csv", file.as_bytes());
    visitor.submit(&page, &form, "Read the file").await
}

async fn lists(app: &App, who: Persona) -> Page {
    app.sign_in(who).await.get("/imports").await
}

/// Who the cycle's campaigns met, by address, and how often.
async fn responders(app: &App, number: &str) -> Vec<(String, i64)> {
    let cycle = app.look(number).await.cycle.id;
    let found = app.engine.reader().responders(&Viewer::system(), cycle, 50).await.expect("responders can be read");
    found.into_iter().map(|one| (one.email.unwrap_or_default(), one.touches)).collect()
}

async fn clicks(app: &App, number: &str) -> i64 {
    let cycle = app.look(number).await.cycle.id;
    let links = app.engine.reader().links_of(&Viewer::system(), cycle).await.expect("links can be read");
    links.iter().map(|link| link.clicks).sum()
}

async fn people(app: &App, which: &str) -> usize {
    let behind = app.connect().await;
    let sql = format!("SELECT id FROM person WHERE {which}");
    let asked = Statement::from_string(behind.get_database_backend(), sql);
    behind.query_all_raw(asked).await.expect("people can be read").len()
}
