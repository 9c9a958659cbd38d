//! Pages in a real browser: no barrier that axe-core knows, nothing the page's own policy refuses, no sideways scroll;
//! in the light, in the dark, and on a telephone.

use domain::cycle::Stage;
use kit::browser::Look;
use kit::people::{ANA, MARA, Persona, SAM, TOMAS};
use kit::{App, Ground, Kind};
use web::gate::Access;
use web::routes::TABLE;

/// Every page of the table, of one cycle in this stage, that this person may open.
async fn walk(who: Persona, stage: Stage, look: Look) {
    let Some(app) = App::start(Kind::Sqlite).await else { return };
    let number = app.cycle_in(stage, MARA, 10_000).await;
    let visitor = app.sign_in(who).await;
    let Some(browser) = app.browse(who, look).await else { return };
    let (mut seen, mut problems) = (0, Vec::new());
    for route in TABLE.iter().filter(|r| r.method == actix_web::http::Method::GET && r.access != Access::Public) {
        let path = route.path.replace("{no}", &number).replace("{campaign}", "1").replace("{activity}", "1");
        if path.contains('{') {
            continue;
        }
        let page = visitor.get(&path).await;
        if page.status != 200 || !page.header("content-type").starts_with("text/html") {
            continue;
        }
        seen += 1;
        problems.extend(browser.goto(&path).await.problems().await);
        browser.screenshot(&picture(who, stage, look, &path)).await;
    }
    drop(browser);
    app.finish().await;
    assert!(seen >= 5, "{} sees only {seen} pages", who.name);
    assert!(problems.is_empty(), "{} in {stage:?}, {look:?}:\n{}", who.name, problems.join("\n"));
}

fn picture(who: Persona, stage: Stage, look: Look, path: &str) -> String {
    let first = who.name.split(' ').next().unwrap_or(who.name);
    let look = if look.narrow { "narrow" } else { "wide" };
    format!("{first} {stage:?} {look} {}", path.replace('/', "_"))
}

const WIDE: Look = Look { dark: false, narrow: false };
const DARK: Look = Look { dark: true, narrow: false };
const TELEPHONE: Look = Look { dark: false, narrow: true };

#[test]
fn a_partner_preparing_in_a_browser() {
    kit::runtime().block_on(walk(MARA, Stage::RequestDraft, WIDE));
}

#[test]
fn a_partner_on_a_telephone_in_a_browser() {
    kit::runtime().block_on(walk(MARA, Stage::ExecutionLive, TELEPHONE));
}

#[test]
fn a_manager_in_the_dark_in_a_browser() {
    kit::runtime().block_on(walk(ANA, Stage::ApprovalReview, DARK));
}

#[test]
fn finance_in_a_browser() {
    kit::runtime().block_on(walk(TOMAS, Stage::ExecutionLive, WIDE));
}

#[test]
fn an_administrator_in_the_dark_in_a_browser() {
    kit::runtime().block_on(walk(SAM, Stage::ExecutionLive, DARK));
}
