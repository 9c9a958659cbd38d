//! /performance: plan against actual over all one may see, each figure with the rows behind it; and the same by the API.

use domain::cycle::Stage;
use kit::http::Page;
use kit::people::{ANA, BJORN, CLAIRE, JONAS, LUKAS, MARA, Persona};
use kit::{App, crm, on_both};
use reqwest::Method;

on_both! {
    /// Two partners with a campaign each; one has won a deal.
    async fn plan_stands_beside_what_came_of_it(app: &App) {
        let (nordwind, kestrel) = two_campaigns(app).await;
        let claire = app.sign_in(CLAIRE).await;
        let page = claire.open("/performance").await;
        page.assert_status(200).assert_says("2 campaigns approved").assert_says("Q2 2026");
        page.assert_says("Investment ROI").assert_says("All funds in EUR");
        page.assert_says("Won revenue: 42,000 EUR, for 14,000 EUR of cost").assert_says("200 %");

        let by_partner = claire.open(&page.link("Partner")).await;
        by_partner.assert_says("Nordwind Systems GmbH").assert_says("Kestrel Networks AG");
        let rows = claire.open(&by_partner.link("Nordwind Systems GmbH")).await;
        rows.assert_says(&nordwind).assert_silent_on(&kestrel).assert_says("1 campaign approved");
        rows.assert_says("for 10,000 EUR of cost").assert_says("320 %");
        let behind = claire.open(&campaign_link(&rows, &nordwind)).await;
        behind.assert_status(200).assert_says("42,000");
    }

    /// Filters live in the address; what does not fit says so and offers the way back.
    async fn filters_narrow_what_is_counted(app: &App) {
        two_campaigns(app).await;
        let claire = app.sign_in(CLAIRE).await;
        let page = claire.open("/performance?tactic=webinar&region=DACH&by=region").await;
        page.assert_says("2 campaigns approved").assert_says("DACH");
        for empty in ["from=2026-07-01", "to=2026-01-01", "region=Mars", "tactic=seminar"] {
            let page = claire.open(&format!("/performance?{empty}")).await;
            page.assert_status(200).assert_says("No campaign fits these filters");
            claire.open(&page.link("See all campaigns")).await.assert_says("2 campaigns approved");
        }
        claire.get("/performance?program=NONE").await.assert_status(404);
        for odd in ["from=soon", "currency=EURO", "by=colour", "partner=%27", "after=zzz", "by=campaign&after=zzz"] {
            let page = claire.get(&format!("/performance?{odd}")).await;
            assert!(page.status < 500, "{odd}: {}", page.status);
        }
    }

    /// Nobody sees figures of those they may not see, not even in sums.
    async fn a_dashboard_ends_at_the_wall(app: &App) {
        two_campaigns(app).await;
        for (who, counted) in [(MARA, Some(1)), (LUKAS, Some(1)), (JONAS, Some(1)), (ANA, Some(2)), (BJORN, None)] {
            let page = app.sign_in(who).await.open("/performance").await;
            match counted {
                Some(1) => page.assert_says("1 campaign approved"),
                Some(_) => page.assert_says("2 campaigns approved"),
                None => page.assert_says("Nothing to measure yet"),
            };
        }
        let kestrel = kit::people::KESTREL.id();
        let mara = app.sign_in(MARA).await;
        for path in ["", "?by=campaign", "?by=partner", &format!("?partner={kestrel}")] {
            let page = mara.open(&format!("/performance{path}")).await;
            page.assert_silent_on("Kestrel").assert_silent_on("All funds");
        }
    }

    /// The API answers with the same figures.
    async fn the_api_splits_as_the_page_does(app: &App) {
        two_campaigns(app).await;
        let total = async |who: Persona, query: &str| {
            let token = app.sign_in(who).await.make_token(&["read"]).await;
            let path = format!("/api/v1/performance?{query}");
            let page = app.visitor().request(Method::GET, &path, |r| r.bearer_auth(&token)).await;
            assert_eq!(page.status, 200, "{}", page.raw());
            let rows = page.json()["rows"].as_array().expect("rows").clone();
            (rows.len(), rows.iter().map(|row| row["credited"].as_i64().expect("credited")).sum::<i64>())
        };
        assert_eq!(total(CLAIRE, "").await, (1, 4_200_000));
        assert_eq!(total(CLAIRE, "by=partner").await, (2, 4_200_000));
        assert_eq!(total(CLAIRE, "by=campaign&region=DACH").await, (2, 4_200_000));
        assert_eq!(total(JONAS, "by=campaign").await, (1, 0));
        assert_eq!(total(BJORN, "by=quarter").await, (0, 0));
    }
}

/// A webinar of Nordwind's for 10,000 EUR that won 42,000, one of Kestrel's for 4,000 that won nothing yet.
async fn two_campaigns(app: &App) -> (String, String) {
    let nordwind = app.cycle_in(Stage::ExecutionLive, MARA, 10_000).await;
    let kestrel = app.cycle_in(Stage::ExecutionLive, JONAS, 4_000).await;
    app.days_pass(55).await;
    app.prove(&nordwind, MARA).await;
    app.prove(&kestrel, JONAS).await;
    app.days_pass(25).await;
    let ana = app.sign_in(ANA).await;
    let code = app.look(&nordwind).await.cycle.campaigns[0].code.clone().expect("a campaign ID is issued");
    let people = crm::members(&code, &[("ada@hafen.example", "Responded", "2026-04-22")]);
    crm::bring_in(&ana, "salesforce-campaign-members", &people).await.assert_says("1 row added");
    let deals = crm::opportunities(&[("hafen.example", 42_000, "Closed Won", "2026-04-27", "2026-05-10")]);
    crm::bring_in(&ana, "salesforce-opportunities", &deals).await.assert_says("1 row added");
    (nordwind, kestrel)
}

fn campaign_link(page: &Page, number: &str) -> String {
    let start = format!("/cycles/{number}/performance?campaign=");
    let (_, href) =
        page.links().into_iter().find(|(_, href)| href.starts_with(&start)).expect("a link to the campaign");
    href
}
