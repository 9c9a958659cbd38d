//! Every page of the program: no link leads nowhere, and in a real browser no barrier that axe-core knows, nothing the
//! page's own policy refuses, no complaint in the console, no sideways scroll; wide and narrow, in the light and in the
//! dark. The pages are found by walking, and held against the table of routes, so that no page is forgotten.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use kit::browser::{Browser, Look};
use kit::house::House;
use kit::http::Visitor;
use kit::people::{ANA, BJORN, CLAIRE, INES, MARA, PASSWORD, Persona, SAM, TOMAS, YUKI};
use kit::walk::{Walk, enough, readable, route_of, walk};
use kit::{App, Kind, NewHouse, on_both};

/// Who walks: each with pages of their own. Björn's territory is empty, so he sees every page that has nothing on it.
const WALKERS: [Persona; 8] = [MARA, ANA, INES, TOMAS, YUKI, CLAIRE, SAM, BJORN];

/// What no walk opens as a page, and why.
const NO_PAGES: [(&str, &str); 19] = [
    ("/livez", "a word for machines that ask whether the program runs"),
    ("/readyz", "a word for machines that ask whether it can work"),
    ("/static/{name}", "style, script and picture, loaded by every page"),
    ("/setup", "open only before anybody has an account: the_first_to_come_sets_the_house_up_in_a_browser"),
    ("/go/{code}", "leads on to the campaign's own page"),
    ("/cycles/{no}/tracking/links/{code}/qr.svg", "a picture, shown on the tracking page"),
    ("/cycles/{no}/action-plan/calendar.ics", "a calendar to download"),
    ("/calendar/{secret}.ics", "a calendar's own address, shown once: a_calendar_follows_its_person"),
    ("/funds/expiring.csv", "a table to download"),
    ("/imports/{id}/report", "a table to download"),
    ("/imports/batches/{batch}/report", "a table to download"),
    ("/funds/general-ledger.csv", "a table to download"),
    ("/funds/{code}/statement.csv", "a table to download"),
    ("/wallet/statement.csv", "a table to download"),
    ("/admin/partners/table.csv", "a table to download"),
    ("/files/{id}", "a file to download"),
    ("/settlements/{no}/files/{name}", "a file to download"),
    ("/admin", "leads on to the first of its pages"),
    ("/api/openapi.json", "read by machines; people read /api/docs"),
];

on_both! {
    async fn no_link_leads_nowhere_and_no_page_is_forgotten(app: &App) {
        let walks = walk_all(app).await;
        let broken: BTreeSet<&String> = walks.iter().flat_map(|(_, walk)| &walk.broken).collect();
        assert!(broken.is_empty(), "{} things lead nowhere:\n{}", broken.len(), listed(broken));

        let seen: BTreeSet<&str> = walks.iter().flat_map(|(_, walk)| &walk.pages).map(|page| page.route).collect();
        let excused: BTreeSet<&str> = NO_PAGES.iter().map(|(path, _)| *path).collect();
        let all: BTreeSet<&str> = readable().collect();
        let forgotten = all.iter().filter(|path| !seen.contains(*path) && !excused.contains(*path));
        let forgotten: Vec<_> = forgotten.collect();
        assert!(forgotten.is_empty(), "no link leads to these, and no reason is given in NO_PAGES:\n{}", listed(forgotten));
        let stale = excused.iter().filter(|path| seen.contains(*path) || !all.contains(*path));
        let stale: Vec<_> = stale.collect();
        assert!(stale.is_empty(), "these are pages, or are gone; they need no reason in NO_PAGES:\n{}", listed(stale));
    }
}

fn listed<T: std::fmt::Display>(lines: impl IntoIterator<Item = T>) -> String {
    lines.into_iter().fold(String::new(), |all, line| all + &format!("  {line}\n"))
}

#[test]
fn every_page_is_sound_in_a_browser() {
    kit::tell(Kind::Sqlite, every_page_is_sound);
}

/// Of all pages as many as it takes to open each route and to see every piece that any of them has; and what is shown
/// instead of a page.
async fn every_page_is_sound(app: &App) {
    let walks = walk_all(app).await;
    let all = walks.iter().flat_map(|(visitor, walk)| walk.pages.iter().map(move |page| (visitor, page)));
    let mut pages: Vec<(Visitor, String)> =
        enough(all).into_iter().map(|(v, page)| (v.clone(), page.path.clone())).collect();
    let (ana, somebody) = (&walks[1].0, &walks[WALKERS.len()].0);
    for (visitor, refused, status) in
        [(ana, "/admin", 403), (ana, "/cycles/C-2026-9999", 404), (somebody, "/nowhere", 404)]
    {
        visitor.get(refused).await.assert_status(status);
        pages.push((visitor.clone(), refused.to_owned()));
    }
    let ahead = Arc::new(Mutex::new(pages));
    let looking = [0, 1].map(|_| tokio::spawn(look_at_each(app.base.clone(), ahead.clone())));
    let found = join_all(looking).await.into_iter().flat_map(|found| found.expect("a browser looks to the end"));
    let problems: Vec<String> = found.collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), listed(&problems));
}

/// Takes page after page until none is ahead.
async fn look_at_each(base: String, ahead: Arc<Mutex<Vec<(Visitor, String)>>>) -> Vec<String> {
    let Some(browser) = Browser::open(&base, Look::default()).await else { return Vec::new() };
    let mut problems = Vec::new();
    loop {
        let next = ahead.lock().expect("nobody panics with it").pop();
        let Some((visitor, path)) = next else { return problems };
        browser.become_visitor(&visitor).await;
        problems.extend(look_at(&browser, &path).await);
    }
}

/// One page in four looks. The light changes contrast only. `FUNDLOOP_SCREENSHOTS` keeps the pictures.
async fn look_at(browser: &Browser, path: &str) -> Vec<String> {
    browser.look(Look::default()).await.goto(path).await;
    assert_eq!(path.split('?').next(), Some(browser.path().await.as_str()), "the page that was asked for is shown");
    let mut problems: Vec<String> =
        browser.complaints().await.into_iter().map(|said| format!("{path}: {said}")).collect();
    for narrow in [false, true] {
        let width = if narrow { "narrow" } else { "wide" };
        browser.look(Look { dark: false, narrow }).await;
        let found = browser.axe().await.into_iter().chain(browser.sideways().await);
        problems.extend(found.map(|line| format!("{path}, {width}: {line}")));
        browser.screenshot(&format!("{}-{width}", path.replace(['/', '?', '&'], "_"))).await;
        browser.look(Look { dark: true, narrow }).await;
        problems.extend(browser.contrast().await.into_iter().map(|line| format!("{path}, {width}, dark: {line}")));
    }
    problems
}

/// The first to come sets the house up, and is told what to do first.
#[test]
fn the_first_to_come_sets_the_house_up_in_a_browser() {
    kit::tell(Kind::Sqlite, async |house: &NewHouse| {
        for look in [Look { dark: false, narrow: false }, Look { dark: true, narrow: true }] {
            let Some(browser) = Browser::open(&house.base, look).await else { return };
            browser.goto("/").await;
            if look.dark {
                assert_eq!(browser.path().await, "/sign-in", "the house has an owner");
                continue;
            }
            assert_eq!(browser.path().await, "/setup");
            browser.assert_sound().await;
            browser.press("Set up and sign in").await.assert_sound().await.assert_says("Fill this in.").await;
            browser.fill("vendor", "Aurelia Systems").await.fill("name", SAM.name).await.fill("email", SAM.email).await;
            browser.fill("password", PASSWORD).await.press("Set up and sign in").await;
            browser.goto("/").await.assert_sound().await.assert_says("Aurelia Systems").await;
            for first in ["/admin/users", "/programs", "/funds", "/cycles", "/performance", "/partners"] {
                browser.goto(first).await.assert_sound().await;
            }
        }
    });
}

/// Everybody walks the whole house, and so does somebody who has no account.
async fn walk_all(app: &App) -> Vec<(Visitor, Walk)> {
    let house = app.furnish().await;
    let guesses = guesses(&house);
    let mut ahead = Vec::new();
    for who in WALKERS {
        ahead.push((who.name, app.sign_in(who).await, guesses.clone()));
    }
    let mut public = vec!["/sign-in".to_owned(), "/password".to_owned()];
    public.extend([format!("/r/{}", house.campaign), format!("/r/{}/thanks", house.campaign)]);
    public.extend(house.mailed.iter().cloned());
    ahead.push(("Somebody", app.visitor(), public));
    let walking = ahead.into_iter().map(|(name, visitor, guesses)| {
        tokio::spawn(async move {
            let found = walk(&visitor, name, &guesses).await;
            (visitor, found)
        })
    });
    let done = join_all(walking.collect::<Vec<_>>()).await;
    done.into_iter().map(|walked| walked.expect("a walk ends")).collect()
}

/// Addresses of the table that only buttons lead to, for every cycle; not everybody may open each.
fn guesses(house: &House) -> Vec<String> {
    let of_a_cycle: Vec<&str> =
        readable().filter(|path| path.matches('{').count() == 1 && path.contains("{no}")).collect();
    let mut paths: Vec<String> =
        house.cycles.iter().flat_map(|no| of_a_cycle.iter().map(|path| path.replace("{no}", no))).collect();
    let picks: Vec<String> = house.cycles.iter().map(|no| format!("pick={no}")).collect();
    paths.push(format!("/approvals/confirmation?{}", picks.join("&")));
    paths.push("/search?q=security".to_owned());
    assert!(paths.iter().all(|path| route_of(actix_web::http::Method::GET, path).is_some()));
    paths
}
