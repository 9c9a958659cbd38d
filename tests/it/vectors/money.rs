//! Where the money goes: earned and converted, spent by expiry, paid in parts.

use domain::steps::s7_execution::ClaimState;
use kit::people::{MARA, TOMAS, YUKI};
use kit::{App, on_both};
use serde_json::json;
use storage::Viewer;

use super::{Ground, Planned, SPRING, WHOLE, cents, prove_on};
use crate::api::Program;
use crate::earning::sales;

const THRESHOLD: &str = "[earning]\nrate = \"0.02\"\nthreshold = \"10000\"\nbelow = \"convert\"\n\
                         [use]\ndays_after_period = 60\nperiod = \"month\"";

on_both! {
    async fn t12_threshold_not_reached_converts_everything(app: &App) {
        let ground = Ground::open(app, "THRESHOLD", (&[], THRESHOLD), "accrual").await;
        let file = sales(&[
            "INV-1,nordwind.example,2026-02-10,suite,,499999.50,USD",
            "INV-2,Kestrel Networks AG,2026-02-10,suite,,500000.00,USD",
        ]);
        let taken = ground.finance.text("/api/v1/imports/sales", "sales", "text/csv", &file).await;
        assert_eq!(taken.json()["added"], json!(2), "{}", taken.raw());
        ground.holds(&[("available", "19,999.99")]).await;
        let tomas = app.sign_in(TOMAS).await;
        let page = tomas.open("/funds/THRESHOLD/closing").await;
        page.assert_says("Nordwind Systems GmbH 9,999.99 USD 10,000 USD: not reached 9,999.99 USD");
        page.assert_says("Kestrel Networks AG 10,000 USD 10,000 USD: reached");
        tomas.press(&page, "Close the period until Sat 28 February 2026", &[]).await.assert_says("closed Fund THRESHOLD from");

        ground.holds(&[("available", "10,000"), ("converted", "9,999.99")]).await;
        let mara = Program::of(app, MARA).await;
        let wallet = mara.get("/api/v1/wallet").await.json();
        let rows = wallet["rows"].as_array().expect("rows");
        assert!(rows.iter().all(|row| row["fund_code"] != "THRESHOLD"), "Nordwind has nothing left there: {wallet}");
        let mails = app.mails_to(MARA).await;
        assert!(mails.iter().any(|mail| mail.subject.contains("9,999.99 USD stayed under the threshold")));
    }

    async fn t23_oldest_expiry_first(app: &App) {
        let ground = Ground::open(app, "LOTS", (&[WHOLE], ""), "discretionary").await;
        for (amount, expires) in [("400", "2026-12-28"), ("100", "2026-03-28"), ("300", "2026-09-28"), ("200", "2026-06-28")] {
            ground.credit(amount, Some(expires)).await;
        }
        let no = ground.approved(SPRING, Planned::new("2026-04-14", "250"), "250").await;
        ground.holds(&[("available", "750"), ("committed", "250")]).await;
        let mara = Program::of(app, MARA).await;
        let wallet = mara.get("/api/v1/wallet").await.json();
        let rows = wallet["rows"].as_array().expect("rows").iter();
        let free = rows.filter(|row| row["fund_code"] == "LOTS" && row["kind"] == "available");
        let left: Vec<(&str, i64)> =
            free.map(|row| (row["lot"].as_str().expect("a day"), row["total"]["minor"].as_i64().expect("cents"))).collect();
        let wanted = [("2026-06-28", "50"), ("2026-09-28", "300"), ("2026-12-28", "400")];
        assert_eq!(left, wanted.map(|(day, amount)| (day, cents(amount))), "nothing is left of the first 100");
        let page = ground.mara.open("/wallet").await;
        page.assert_says("Sun 28 June 2026").assert_says("50 USD").assert_says("Mon 28 September 2026").assert_says("300 USD");
        // What is not spent goes back to the credit it came from.
        let page = ground.mara.open(&format!("/cycles/{no}/execution/activities/1")).await;
        ground.mara.press(&page, "Cancel the activity", &[("reason", "The speaker fell ill.")]).await.assert_status(200);
        ground.holds(&[("available", "1,000")]).await;
    }

    async fn t25_instalments_and_one_payment_for_two_claims(app: &App) {
        let ground = Ground::with(app, "PAID", (&[WHOLE], ""), "21,000").await;
        let mut claimed = Vec::new();
        for amount in ["10,000", "6,000", "5,000"] {
            claimed.push(ground.approved(SPRING, Planned::new("2026-04-14", amount), amount).await);
        }
        prove_on(app, &claimed[0], "2026-04-15").await;
        for (no, amount) in claimed.iter().zip(["10,000", "6,000", "5,000"]) {
            if no != &claimed[0] {
                app.prove(no, MARA).await;
            }
            let check = ground.claim(no, amount, true).await;
            ground.send(&check, amount).await;
            ground.decide(no, 1, amount).await;
        }
        let [one, here, there] = &claimed[..] else { panic!("three claims") };
        let state = async |no: &str| app.look(no).await.cycle.claims[0].state;
        let part = ground.pay(one, 1, &[("amount", "4,000")]).await;
        part.assert_says("Part paid").assert_says("Outstanding 6,000 USD");
        assert_eq!(state(one).await, ClaimState::PartPaid);
        ground.holds(&[("claimed", "17,000"), ("paid", "4,000")]).await;
        ground.pay(one, 1, &[("amount", "6,000")]).await;
        assert_eq!(state(one).await, ClaimState::Paid, "paid only after the second");
        ground.holds(&[("claimed", "11,000"), ("paid", "10,000")]).await;

        app.name_accounts().await;
        let yuki = app.sign_in(YUKI).await;
        let check = yuki.open(&format!("/settlements/new?pick={here}/1&pick={there}/1")).await;
        let batch = yuki.press(&check, "Build a batch of 1 payment", &[("claim.1.amount", "3,000")]).await;
        batch.assert_status(200).assert_says("To transfer 9,000.00 USD");
        let sent = yuki.press(&batch, "Export the batch", &[]).await;
        let payment = yuki.click(&sent, kit::people::NORDWIND.name).await;
        payment.assert_says("6,000.00 USD").assert_says("3,000.00 USD");
        yuki.press(&payment, "Record it as paid", &[("reference", "WIRE 9000")]).await.assert_status(200);
        assert_eq!((state(here).await, state(there).await), (ClaimState::Paid, ClaimState::PartPaid));
        let page = ground.mara.open(&format!("/cycles/{there}/claims/1")).await;
        page.assert_says("Part paid").assert_says("WIRE 9000").assert_says("3,000 USD");
        ground.holds(&[("claimed", "2,000"), ("paid", "19,000")]).await;
    }

    async fn t38_fund_tree_never_above_its_parent(app: &App) {
        let ground = Ground::open(app, "REGION", (&[], ""), "discretionary").await;
        let region = app.engine.reader().fund(&Viewer::system(), "REGION").await.expect("the fund").id;
        let open = async |code: &str, currency: &str| {
            let new = json!({
                "code": code, "name": code, "kind": "discretionary", "currency": currency, "parent": region,
                "program": ground.program().await,
            });
            ground.finance.post("/api/v1/funds", &format!("{code} {currency}"), None, &new).await
        };
        let budget = async |code: &str, amount: &str| {
            let amount = json!({ "minor": cents(amount), "currency": "USD" });
            let command = json!({ "do": "budget", "amount": amount, "reason": "As agreed" });
            ground.finance.post(&format!("/api/v1/funds/{code}/commands"), &format!("budget {code}"), Some("*"), &command).await
        };
        ground.budget("100,000").await;
        open("DACH", "USD").await.assert_status(201);
        let abroad = open("UK", "GBP").await;
        abroad.assert_status(409).assert_says("UK is kept in GBP, its parent Fund REGION in USD.");
        open("UK", "USD").await.assert_status(201);
        budget("DACH", "60,000").await.assert_status(200);
        let much = budget("UK", "41,000").await;
        much.assert_status(409).assert_says("40,000 USD is unallocated in Fund REGION, less than 41,000 USD.");
        ground.holds(&[("unallocated", "40,000")]).await;
        let tomas = app.sign_in(TOMAS).await;
        tomas.open("/funds/UK").await.assert_says("0 USD").assert_silent_on("41,000");
    }
}
