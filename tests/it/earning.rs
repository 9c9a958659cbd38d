//! Credit is earned on purchases, used or lost by a day everybody knows, and a closed period stays as it was closed.

use domain::fund::FundCommand;
use domain::ids::FundId;
use domain::ledger::AccountKind;
use kit::http::{Page, Visitor};
use kit::people::{ANA, JONAS, KESTREL, MARA, NORDWIND, Persona, RUTH, TOMAS, YUKI, day};
use kit::world::{EARNING, eur};
use kit::{App, Kind, on_both};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::json;
use storage::Viewer;
use storage::read::MovementsOf;

const HEAD: &str = "Invoice number,Partner,Invoice date,Product,Quantity,Amount,Currency\n";

pub fn sales(lines: &[&str]) -> String {
    lines.iter().fold(HEAD.to_owned(), |all, line| all + line + "\n")
}

async fn hand_in(visitor: &Visitor, file: &str) -> Page {
    let page = visitor.open("/imports/new").await;
    let mut form = page.form("Read the file");
    form.fill("kind", "sales").attach("file", "sales.csv", "text/csv", file.as_bytes());
    visitor.submit(&page, &form, "Read the file").await
}

async fn take_in(visitor: &Visitor, file: &str) -> Page {
    let preview = hand_in(visitor, file).await;
    visitor.press(&preview, "Commit the import", &[]).await
}

async fn fund_id(app: &App, code: &str) -> FundId {
    app.engine.reader().fund(&Viewer::system(), code).await.expect("the fund").id
}

/// What is in a fund's accounts of a kind now, in cents.
async fn held(app: &App, code: &str, kind: AccountKind) -> i64 {
    let (funds, totals) = app.engine.reader().funds(&Viewer::system()).await.expect("funds");
    let fund = funds.iter().find(|fund| fund.code == code).expect("the fund").id;
    totals.iter().find(|total| total.fund_id == fund && total.kind == kind).map_or(0, |total| total.total)
}

on_both! {
    /// 12,345.67 at 60 and 40, into two funds, once.
    async fn t13_split_of_an_accrual_earned_once_and_its_partner_sees_until_when(app: &App) {
        app.start_earning(EARNING).await;
        let (tomas, mara, jonas) = (app.sign_in(TOMAS).await, app.sign_in(MARA).await, app.sign_in(JONAS).await);
        mara.open("/wallet").await.assert_silent_on("Earned on purchases");
        let file = sales(&["INV-1,nordwind.example,2026-02-10,suite,,12345.67,EUR", "INV-2,Kestrel Networks AG,2026-03-01,Appliance,3,,"]);
        let preview = hand_in(&tomas, &file).await;
        preview.assert_says("7,479.40 EUR").assert_says("4,986.27 EUR");
        assert_eq!(held(app, "COOP-DEMAND", AccountKind::Available).await, 0, "a preview keeps nothing");
        tomas.press(&preview, "Commit the import", &[]).await.assert_says("2 rows added");
        assert_eq!(held(app, "COOP-DEMAND", AccountKind::Available).await, 740_740 + 7_200);
        assert_eq!(held(app, "COOP-BRAND", AccountKind::Available).await, 493_827 + 4_800);

        let wallet = mara.open("/wallet").await;
        wallet.assert_says("INV-1").assert_says("7,407.40 EUR").assert_says("Wed 29 April 2026").assert_silent_on("INV-2");
        mara.click(&wallet, "All purchases").await.assert_says("suite for 12,345.67 EUR").assert_says("Brand").assert_says("4,938.27 EUR");
        jonas.open("/wallet/purchases").await.assert_says("3 units of Appliance").assert_silent_on("INV-1");
        let theirs = format!("/wallet/purchases?partner={}", NORDWIND.id());
        jonas.get(&theirs).await.assert_silent_on("INV-1");
        app.sign_in(ANA).await.open(&theirs).await.assert_says("INV-1");

        take_in(&tomas, &file).await.assert_says("0 rows added, 0 changed, 2 already here, 0 not kept");
        let changed = sales(&["INV-1,nordwind.example,2026-02-10,suite,,99999.00,EUR"]);
        hand_in(&tomas, &changed).await.assert_says("This purchase is here already with other figures: 12,345.67 EUR of Nordwind Systems GmbH");
        assert_eq!(held(app, "COOP-DEMAND", AccountKind::Available).await, 740_740 + 7_200, "nothing was overwritten");
    }

    async fn a_wrong_row_is_told_by_line_and_column_and_keeps_the_rest(app: &App) {
        app.start_earning(&EARNING.replace("rate = \"1.00\"", "rate = \"1.00\"\nfrom = \"2026-02-01\"")).await;
        let tomas = app.sign_in(TOMAS).await;
        let file = sales(&[
            "INV-1,nordwind.example,2026-02-10,suite,,100.00,USD",
            "INV-2,nobody.example,2026-02-10,suite,,100.00,EUR",
            "INV-3,nordwind.example,2026-01-31,suite,,100.00,EUR",
            "INV-4,nordwind.example,2026-03-03,suite,,100.00,EUR",
            "INV-5,nordwind.example,2026-02-10,suite,,-100.00,EUR",
            ",nordwind.example,2026-02-10,suite,,100.00,EUR",
            "INV-7,nordwind.example,2026-02-10,appliance,,100.00,EUR",
            "INV-8,nordwind.example,2026-02-10,suite,,100.00,EUR",
            "INV-8,nordwind.example,2026-02-11,suite,,100.00,EUR",
        ]);
        let page = hand_in(&tomas, &file).await;
        for said in [
            "nothing is converted by guess",
            "No partner has this CRM ID, web domain or name",
            "credit is earned only from Sun 1 February 2026",
            "Tue 3 March 2026 is still to come",
            "This is a return",
            "This row has no purchase number",
            "The guide credits 40.00 a unit, and their number is not known",
            "This purchase is here already with other figures",
        ] {
            page.assert_says(said);
        }
        tomas.press(&page, "Commit the import", &[]).await.assert_says("1 row added, 0 changed, 0 already here, 8 not kept");
        assert_eq!(held(app, "COOP-DEMAND", AccountKind::Available).await, 6_000);
    }

    async fn only_finance_imports_purchases_and_only_for_a_program_that_lets_credit_be_earned(app: &App) {
        let tomas = app.sign_in(TOMAS).await;
        let file = sales(&["INV-1,nordwind.example,2026-02-10,suite,,100.00,EUR"]);
        hand_in(&tomas, &file).await.assert_says("No program lets credit be earned");
        app.start_earning(EARNING).await;
        for who in [MARA, ANA] {
            let visitor = app.sign_in(who).await;
            let page = visitor.open("/imports/new").await;
            page.assert_silent_on("Sales that earn credit");
            let mut form = page.form("Read the file");
            form.fill("kind", "csv").attach("file", "sales.csv", "text/csv", file.as_bytes());
            // A hand-made form names the kind all the same.
            form.fields.iter_mut().for_each(|field| if field.name == "kind" { "sales".clone_into(&mut field.value) });
            visitor.post(&page, &form, "Read the file").await.assert_says("Purchases are imported by finance.");
        }
        app.sign_in(RUTH).await.get("/imports/new").await.assert_status(403);
        assert_eq!(held(app, "COOP-DEMAND", AccountKind::Available).await, 0);
    }

    async fn an_import_is_undone_while_its_credit_is_unused(app: &App) {
        app.start_earning(EARNING).await;
        let tomas = app.sign_in(TOMAS).await;
        take_in(&tomas, &sales(&["INV-1,nordwind.example,2026-03-01,suite,,1000.00,EUR"])).await;
        let reason = "Given by mistake".to_owned();
        let taken = FundCommand::MoveBack { partner: NORDWIND.id(), amount: eur(200), reason };
        app.act_on(YUKI, "COOP-DEMAND", &taken).await.expect("unused credit goes back");
        let list = tomas.open("/imports").await;
        let refused = tomas.press(&list, "Undo", &[]).await;
        refused.assert_says("Nordwind Systems GmbH has committed or spent 200 EUR of the 600 EUR earned in Demand on INV-1.");
        assert_eq!(held(app, "COOP-BRAND", AccountKind::Available).await, 40_000, "no fund's part is taken back alone");

        take_in(&tomas, &sales(&["INV-2,Kestrel Networks AG,2026-03-01,suite,,1000.00,EUR"])).await;
        let list = tomas.open("/imports").await;
        let undo = list.forms().into_iter().find(|form| form.button("Undo").is_some()).expect("the latest import first");
        tomas.submit(&list, &undo, "Undo").await.assert_says("The import was undone");
        assert_eq!(held(app, "COOP-BRAND", AccountKind::Available).await, 40_000);
        take_in(&tomas, &sales(&["INV-2,Kestrel Networks AG,2026-03-01,suite,,1000.00,EUR"])).await.assert_says("1 row added");
    }

    /// The check page says what closing does, and closing does that: Kestrel stays under the threshold.
    async fn a_period_is_closed_once_and_stays_as_it_was_closed(app: &App) {
        app.start_earning(EARNING).await;
        let tomas = app.sign_in(TOMAS).await;
        let file = sales(&["INV-1,nordwind.example,2026-02-10,suite,,1000.00,EUR", "INV-2,Kestrel Networks AG,2026-02-20,suite,,999.99,EUR"]);
        take_in(&tomas, &file).await;
        let fund = tomas.open("/funds/COOP-DEMAND").await;
        let page = tomas.click(&fund, "Close a period").await;
        page.assert_says("Tue 10 February 2026 to Sat 28 February 2026").assert_says("1,000 EUR: not reached with 999.99 EUR in all funds");
        page.assert_says("1,000 EUR: reached with 1,000 EUR in all funds");
        let stale = tomas.open("/funds/COOP-DEMAND/closing").await;
        tomas.press(&page, "Close the period until Sat 28 February 2026", &[]).await.assert_says("closed Demand from");
        assert_eq!(held(app, "COOP-DEMAND", AccountKind::Converted).await, 59_999, "60 % of 999.99, to the cent");
        assert_eq!(held(app, "COOP-DEMAND", AccountKind::Available).await, 60_000);
        let mails = app.mails_to(JONAS).await;
        assert!(mails.iter().any(|mail| mail.subject.contains("stayed under the threshold")), "Kestrel hears of it");

        tomas.press(&stale, "Close the period until Sat 28 February 2026", &[]).await.assert_says("was here before you");
        let again = tomas.open("/funds/COOP-DEMAND/closing").await;
        again.assert_says("The period runs.").assert_says("Tue 10 February 2026 to Sat 28 February 2026");
        assert!(!again.has_button("Close the period until Tue 31 March 2026"));
        hand_in(&tomas, &sales(&["INV-3,nordwind.example,2026-02-28,suite,,10.00,EUR"])).await
            .assert_says("Demand is closed until Sat 28 February 2026: adjust the partner's credit with a reason instead.");
        let list = tomas.open("/imports").await;
        tomas.press(&list, "Undo", &[]).await.assert_says("Adjust the partner's credit with a reason instead.");
        app.sign_in(MARA).await.get("/funds/COOP-DEMAND/closing").await.assert_status(404);
        app.sign_in(ANA).await.get("/funds/COOP-DEMAND/closing").await.assert_status(403);
    }

    async fn a_program_imports_purchases_and_closes_a_period(app: &App) {
        app.start_earning(EARNING).await;
        let (tomas, token) = token_of(app, TOMAS).await;
        let import = async |path: &str, body: String| {
            let key = format!("{path} {}", body.len());
            let call = |r: reqwest::RequestBuilder| r.bearer_auth(&token).header("idempotency-key", key).header("content-type", "text/csv");
            tomas.request(Method::POST, path, |r| call(r).body(body)).await
        };
        let file = sales(&["INV-1,nordwind.example,2026-02-10,suite,,1000.00,EUR", "INV-2,nobody,2026-02-10,suite,,1.00,EUR"]);
        let tried = import("/api/v1/imports/sales?dry_run=true", file.clone()).await;
        assert_eq!((tried.json()["added"].as_i64(), tried.json()["batch"].is_null()), (Some(1), true), "{}", tried.raw());
        let done = import("/api/v1/imports/sales?program=COOP&name=february.csv", file.clone()).await.json();
        assert_eq!((&done["added"], &done["refused"]), (&json!(1), &json!(1)));
        assert_eq!(done["errors"][0]["line"], json!(3));
        assert_eq!(import("/api/v1/imports/sales", file).await.json()["unchanged"], json!(1));
        import("/api/v1/imports/nothing", String::new()).await.assert_status(404);

        let get = async |path: &str| tomas.request(Method::GET, path, |r| r.bearer_auth(&token)).await;
        let earned = get(&format!("/api/v1/purchases?partner={}", NORDWIND.id())).await.json();
        assert_eq!(earned["rows"].as_array().expect("rows").len(), 2, "{earned}");
        get("/api/v1/purchases").await.assert_status(400);
        let periods = get("/api/v1/funds/COOP-DEMAND/periods").await.json();
        assert_eq!((&periods["next"]["last"], &periods["next"]["partners"][0]["stays"]), (&json!("2026-02-28"), &json!(60_000)));

        let version = format!("\"{}\"", periods["version"]);
        let close = async |key: &str, version: &str, until: &str| {
            let body = json!({ "do": "close_period", "until": until });
            let call = |r: reqwest::RequestBuilder| {
                r.bearer_auth(&token).header("Idempotency-Key", key).header("If-Match", version).json(&body)
            };
            tomas.request(Method::POST, "/api/v1/funds/COOP-DEMAND/commands", call).await
        };
        assert_eq!(close("a", &version, "2026-03-31").await.json()["code"], "period_order");
        close("b", &version, "2026-02-28").await.assert_status(200);
        close("b", &version, "2026-02-28").await.assert_status(200);
        close("c", &version, "2026-02-28").await.assert_status(412);
        assert_eq!(close("d", "*", "2026-02-28").await.json()["code"], "closed_already");
        let (jonas, theirs) = token_of(app, JONAS).await;
        let spied = jonas.request(Method::GET, &format!("/api/v1/purchases?partner={}", NORDWIND.id()), |r| r.bearer_auth(&theirs)).await;
        assert_eq!(spied.json()["rows"], json!([]), "a partner's token lists its own, whatever it asks for");
        jonas.request(Method::GET, "/api/v1/funds/COOP-DEMAND/periods", |r| r.bearer_auth(&theirs)).await.assert_status(404);
    }

    async fn closing_balances_are_kept_for_good_and_held_against_the_postings(app: &App) {
        app.start_earning(EARNING).await;
        app.import_sales(&sales(&["INV-1,nordwind.example,2026-02-10,suite,,5000.00,EUR"])).await;
        app.act_on(TOMAS, "COOP-DEMAND", &FundCommand::ClosePeriod { until: day(2026, 2, 28) }).await.expect("closed");
        app.days_pass(30).await;
        app.act_on(TOMAS, "COOP-DEMAND", &FundCommand::ClosePeriod { until: day(2026, 3, 31) }).await.expect("closed");
        let behind = app.connect().await;
        for sql in [
            "UPDATE closing SET amount = amount + 1",
            "DELETE FROM closing",
            "UPDATE period_close SET last_day = first_day",
            "DELETE FROM period_close",
        ] {
            let refused = behind.execute_unprepared(sql).await.expect_err(sql).to_string();
            assert!(refused.contains("append-only"), "{sql}: {refused}");
        }
        let drops = match app.kind {
            Kind::Sqlite => "DROP TRIGGER closing_no_update",
            Kind::Postgres => "DROP TRIGGER closing_append_only ON closing",
        };
        behind.execute_unprepared(drops).await.expect("as somebody with the file could");
        let bend = async |by: &str| {
            let sql = format!("UPDATE closing SET amount = amount {by} WHERE kind = 'available'");
            assert_eq!(behind.execute_unprepared(&sql).await.expect("bent").rows_affected(), 1);
        };
        bend("+ 1").await;
        let findings = storage::verify::ledger(&app.db).await.expect("the ledger can be read");
        let codes: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, ["closing"], "{findings:?}");
        bend("- 1").await;
        behind.close().await.expect("the connection closes");
    }

    /// Statements of past days start from the last closing; the figures are those of all postings.
    async fn a_statement_of_a_past_day_is_the_same_after_closing(app: &App) {
        app.start_earning(EARNING).await;
        app.import_sales(&sales(&["INV-1,nordwind.example,2026-03-01,suite,,5000.00,EUR", "INV-2,kestrel.example,2026-03-02,suite,,2000.00,EUR"])).await;
        app.days_pass(20).await;
        let taken = FundCommand::MoveBack { partner: KESTREL.id(), amount: eur(100), reason: "Too much".to_owned() };
        app.act_on(TOMAS, "COOP-DEMAND", &taken).await.expect("taken back");
        app.days_pass(20).await;
        app.import_sales(&sales(&["INV-3,nordwind.example,2026-04-01,suite,,700.00,EUR"])).await;
        let fund = fund_id(app, "COOP-DEMAND").await;
        let days = [day(2026, 3, 1), day(2026, 3, 2), day(2026, 3, 21), day(2026, 3, 31), day(2026, 4, 10), day(2026, 4, 11)];
        let (reader, viewer) = (app.engine.reader(), Viewer::system());
        let told = async || {
            let mut told = Vec::new();
            for on in days {
                told.push(format!("{:?}", reader.accounts_on(&viewer, MovementsOf::Fund(fund), on).await.expect("accounts")));
                for partner in [NORDWIND.id(), KESTREL.id()] {
                    told.push(format!("{:?}", reader.accounts_on(&viewer, MovementsOf::Partner(partner), on).await.expect("accounts")));
                    told.push(format!("{:?}", reader.wallet_sums_on(&viewer, partner, on).await.expect("sums")));
                }
            }
            told
        };
        let before = told().await;
        app.act_on(TOMAS, "COOP-DEMAND", &FundCommand::ClosePeriod { until: day(2026, 3, 31) }).await.expect("closed");
        assert_eq!(told().await, before);
        assert!(before.iter().any(|line| line.contains("110000")), "1,200 less 100: {before:#?}");
    }
}

async fn token_of(app: &App, who: Persona) -> (Visitor, String) {
    let person = app.sign_in(who).await;
    let token = person.make_token(&["read", "write"]).await;
    (app.visitor(), token)
}
