//! A program in euros with a fund in dollars: rates are entered, money is committed at one and paid at another, and what
//! the difference cost has a name in the book.

use domain::cycle::Stage;
use domain::exchange::Rate;
use domain::fund::{FundCommand, FundKind};
use domain::ids::FundId;
use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use domain::settlement::Pick;
use domain::steps::{s5_request, s7_execution};
use engine::settlements::NewBatch;
use engine::{NewFund, Submission, WhichFund};
use kit::http::Visitor;
use kit::people::{ANA, MARA, NORDWIND, TOMAS, YUKI};
use kit::story;
use kit::world::eur;
use kit::{App, on_both};
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::json;
use storage::Viewer;

use crate::api::Program;

on_both! {
    async fn t37_what_a_rate_costs_after_the_approval_is_told_apart(app: &App) {
        let fund = dollars(app, 100_000).await;
        let (mara, ana, tomas, yuki) =
            (app.sign_in(MARA).await, app.sign_in(ANA).await, app.sign_in(TOMAS).await, app.sign_in(YUKI).await);
        let no = app.cycle_in(Stage::RequestDraft, MARA, 5_000).await;
        let request = format!("/cycles/{no}/request");
        mara.open(&request).await.assert_says("There is no exchange rate from EUR to USD for Mon 2 March 2026.");
        let draft = story::request(&app.look(&no).await, fund);
        let refused = app.act(MARA, &no, s5_request::Command::Submit { draft: draft.clone() }).await;
        assert!(format!("{refused:?}").contains("Have finance enter"), "{refused:?}");
        enter(&tomas, "1.08").await;
        mara.open(&request).await.assert_says("It pays at 1.08 USD for 1 EUR, the rate of Mon 2 March 2026");
        app.must(MARA, &no, s5_request::Command::Submit { draft }).await;

        let page = ana.open(&format!("/cycles/{no}/approval")).await;
        page.assert_says("Takes from the fund").assert_says("3,240 USD").assert_says("40,000 USD → becomes 36,760 USD");
        let approved = ana.press(&page, "Approve 3,000 EUR", &[]).await;
        approved.assert_status(200).assert_says("The fund has 3,240 USD set aside or paid for it, at 1.08 USD for 1 EUR");

        approved.assert_says("approved 3,000 EUR (3,240 USD at 1.08 USD for 1 EUR, the rate of Mon 2 March 2026); the money");

        app.days_pass(45).await;
        app.prove(&no, MARA).await;
        app.claim(&no, MARA).await;
        let claim = format!("/cycles/{no}/claims/1");
        let page = tomas.open(&claim).await;
        page.assert_says("Set aside in the fund").assert_says("3,240 USD");
        let less = [("amount", "1,000"), ("reason", "Only the platform counts.")];
        tomas.press(&page, "Approve this amount", &less).await.assert_status(200).assert_says("1,080 USD of the fund");

        let page = yuki.open(&claim).await;
        page.assert_says("one counts for 35 days");
        let late = yuki.press(&page, "Record the payment", &[("reference", "SEPA 1")]).await;
        late.assert_status(409).assert_says("The last exchange rate from EUR to USD is of Mon 2 March 2026");
        assert_eq!(late.form("Record the payment").value("reference"), Some("SEPA 1"), "what was typed is kept");
        enter(&tomas, "1.11").await;
        let page = yuki.open(&claim).await;
        page.assert_says("1,110 USD").assert_says("Exchange loss").assert_says("30 USD");
        let paid = yuki.press(&page, "Record the payment", &[("reference", "SEPA 1")]).await;
        paid.assert_status(200).assert_says("The fund pays 1,110 USD at 1.11 USD for 1 EUR").assert_says("30 USD of it is exchange loss");
        only_the_vendor_reads_what_a_rate_cost(app, &no).await;

        let page = tomas.open("/funds/GLOBAL").await;
        page.assert_says("FX variance").assert_says("1,110 USD").assert_says("1,080 USD at the rates of the approvals");
        page.assert_says("Unallocated → FX variance").assert_says("38,920 USD").assert_says("59,970 USD");
        tomas.open("/funds/GLOBAL?on=2026-04-01").await.assert_silent_on("FX variance");
        mara.open("/wallet").await.assert_says("38,920 USD").assert_silent_on("variance");
    }

    async fn t37_a_gain_goes_back_and_the_balance_says_so(app: &App) {
        let fund = dollars(app, 100_000).await;
        let no = claimed(app, fund).await;
        app.quote("1.05").await;
        pay(app, &no, 1_000).await;
        assert_eq!(held(app, fund, AccountKind::FxVariance).await, -3_000);
        app.days_pass(1).await;
        app.quote("1.20").await;
        pay(app, &no, 2_000).await;
        assert_eq!(held(app, fund, AccountKind::FxVariance).await, 21_000);
        assert_eq!(held(app, fund, AccountKind::Paid).await, 324_000);
        let claim = &app.look(&no).await.cycle.claims[0];
        let due: i64 = claim.payments.iter().filter_map(|payment| payment.in_fund).map(|paid| paid.due.minor).sum();
        assert_eq!(due, 105_000 + 240_000);
        let yuki = app.sign_in(YUKI).await;
        let page = yuki.open(&format!("/cycles/{no}/claims/1")).await;
        page.assert_says("30 USD of exchange gain goes back to it");
        let tomas = app.sign_in(TOMAS).await;
        let proposed = tomas.press(&page_of(&tomas, &no).await, "Propose the claw back", &[("amount", "3,000"), ("reason", "The supplier refunded it.")]).await;
        proposed.assert_status(200);
        let page = page_of(&yuki, &no).await;
        page.assert_says("0 USD → becomes 3,450 USD");
        yuki.press(&page, "Claw back 3,000 EUR", &[]).await.assert_status(200).assert_says("3,450 USD of the fund");
        assert_eq!(held(app, fund, AccountKind::FxVariance).await, 0, "undone with what it was paid for");
        let finance = Program::of(app, TOMAS).await.get(&format!("/api/v1/cycles/{no}")).await;
        assert_eq!(finance.json()["claims"][0]["clawback"]["in_fund"]["minor"], 345_000);
        holds_nothing_of_its_fund(&Program::of(app, MARA).await, &no).await;
        let told = Program::of(app, MARA).await.get(&format!("/api/v1/cycles/{no}/timeline")).await;
        assert!(told.raw().contains("3,000 EUR of claim 1 is to come back"), "{}", told.raw());
        assert!(!told.raw().contains("3,450"), "{}", told.raw());
    }

    /// The batch is in euros as the claim is; the fund pays what that comes to on the day the bank's word is recorded.
    async fn a_batch_pays_out_of_a_fund_of_another_currency(app: &App) {
        let fund = dollars(app, 100_000).await;
        app.name_accounts().await;
        let [first, second, third] = [running(app, fund).await, running(app, fund).await, running(app, fund).await];
        app.days_pass(45).await;
        for no in [&first, &second, &third] {
            to_pay(app, no).await;
        }
        app.quote("1.05").await;
        let half = app.batch(YUKI, &[(&first, Some(eur(1_000)))]).await;
        app.export(YUKI, &half).await;
        app.days_pass(1).await;
        app.quote("1.20").await;
        app.pay(YUKI, &half, 1, "B-1").await;
        let paid = app.look(&first).await.cycle.claims[0].payments[0].clone();
        let in_fund = paid.in_fund.expect("what it took of the fund");
        assert_eq!((paid.amount, paid.offset, in_fund.due.minor, in_fund.variance().minor), (eur(1_000), eur(0), 120_000, 12_000));
        assert_eq!(held(app, fund, AccountKind::FxVariance).await, 12_000);

        // The bank sends it back: nothing of it is left in the book, and the fund has what it had.
        let report = s7_execution::Command::ReportPaymentReturn {
            claim: 1, payment: 1, on: app.clock.today(), reference: "R-1".to_owned(), reason: "Account closed".to_owned(),
        };
        app.must(YUKI, &first, report).await;
        app.must(TOMAS, &first, s7_execution::Command::ConfirmPaymentReturn { claim: 1 }).await;
        assert_eq!((held(app, fund, AccountKind::FxVariance).await, held(app, fund, AccountKind::Paid).await), (0, 0));
        assert_eq!(held(app, fund, AccountKind::Claimed).await, 3 * 324_000);
        holds_nothing_of_its_fund(&Program::of(app, MARA).await, &first).await;
        app.assert_sound().await;

        // What the partner comes to owe in dollars after a batch is built is held back of another payment.
        let rest = app.batch(YUKI, &[(&first, None)]).await;
        pay(app, &second, 3_000).await;
        app.must(TOMAS, &second, s7_execution::Command::ProposeClawback { claim: 1, amount: eur(1_000), reason: "Refunded".to_owned() }).await;
        app.must(YUKI, &second, s7_execution::Command::ConfirmClawback { claim: 1 }).await;
        let owed = held(app, fund, AccountKind::Recoverable).await;
        assert_eq!(owed, 120_000);
        app.export(YUKI, &rest).await;
        app.pay(YUKI, &rest, 1, "B-2").await;
        let claim = app.look(&first).await.cycle.claims[0].clone();
        assert_eq!((claim.outstanding(), claim.payments[1].amount, claim.payments[1].offset), (eur(0), eur(3_000), eur(0)));
        assert_eq!(claim.payments[1].in_fund.expect("of the fund").committed.minor, 324_000);
        assert_eq!(held(app, fund, AccountKind::Recoverable).await, owed, "still to come back");
        app.assert_sound().await;

        // Who owes dollars is paid euros by hand, at the rate of the day.
        let new = NewBatch { currency: Currency::EUR, claims: vec![Pick { number: third.clone(), claim: 1, minor: None }] };
        let checked = app.engine.check_batch(&YUKI.actor(), &new).await.expect("a look");
        assert!(checked.batch.is_none());
        let why = checked.refused[0].1.to_string();
        assert!(why.contains("The partner owes the fund 1,200 USD") && why.contains("on the claim itself"), "{why}");
        pay(app, &third, 3_000).await;
        assert_eq!(held(app, fund, AccountKind::Recoverable).await, 0);
    }

    async fn a_fund_that_cannot_bear_a_loss_says_how_much_is_missing(app: &App) {
        let fund = dollars(app, 40_000).await;
        let no = claimed(app, fund).await;
        app.quote("1.11").await;
        let yuki = app.sign_in(YUKI).await;
        let page = page_of(&yuki, &no).await;
        let refused = yuki.press(&page, "Record the payment", &[("reference", "SEPA 1")]).await;
        refused.assert_status(409).assert_says("costs 90 USD more than was committed").assert_says("has 0 USD unallocated to bear it");
    }

    async fn rates_come_from_a_file_once_they_were_looked_at(app: &App) {
        let (tomas, ana, mara) = (app.sign_in(TOMAS).await, app.sign_in(ANA).await, app.sign_in(MARA).await);
        let page = tomas.open("/funds/rates/file").await;
        let lines = "day,from,to,rate\n2026-02-27,EUR,USD,1.0825\n2026-02-27,EUR,USD,1.09\n2026-02-30,EUR,USD,1.08\n\
                     2026-02-28,EUR,EUR,1\n2026-03-01,EUR,USD,-1.08\n2026-03-01,EUR,XYZ,1\n2027-01-01,EUR,USD,1.08\n2026-03-01,GBP,USD,1.31\n";
        let mut form = page.form("Look at what it holds");
        form.attach("file", "rates.csv", "text/csv", lines.as_bytes());
        let read = tomas.submit(&page, &form, "Look at what it holds").await;
        read.assert_status(200).assert_says("2 rates can be recorded; 6 lines cannot be and will be left out.");
        for words in ["is there for that day already", "This is no day", "EUR is worth one EUR", "This is no rate", "This is no currency code", "is still to come"] {
            read.assert_says(words);
        }
        assert!(app.engine.reader().rates_now(&Viewer::system()).await.expect("rates").is_empty(), "nothing is kept by looking");
        let form = read.form("Record 2 rates");
        let first = tomas.post(&read, &form, "Record 2 rates").await;
        let second = tomas.post(&read, &form, "Record 2 rates").await;
        assert_eq!((first.status, second.status), (303, 303));
        assert_eq!(app.engine.reader().rates_now(&Viewer::system()).await.expect("rates").len(), 2, "once");
        ana.open("/funds/rates").await.assert_says("1 EUR in USD").assert_says("1.0825").assert_says(TOMAS.name);
        // The file again, one day more and one rate corrected: what is there is not recorded twice.
        let page = tomas.open("/funds/rates/file").await;
        let more = "day,from,to,rate\n2026-02-27,EUR,USD,1.08250\n2026-03-01,GBP,USD,1.32\n2026-03-02,GBP,USD,1.33\n";
        let read = tomas.press(&page, "Look at what it holds", &[("lines", more)]).await;
        read.assert_says("2 rates can be recorded; 1 already there.").assert_says("Already there").assert_says("Corrects 1.31");
        let done = tomas.press(&read, "Record 2 rates", &[]).await;
        done.assert_status(200).assert_says("Tomáš Novák recorded 2 exchange rates. Already there: 1.");
        assert_eq!(all_rates(app).await, ["1.33", "1.32", "1.31", "1.0825"]);
        let page = tomas.open("/funds/rates/file").await;
        let read = tomas.press(&page, "Look at what it holds", &[("lines", more)]).await;
        read.assert_says("Every rate of this table is there already.");
        assert!(!read.has_button("Record 3 rates"));
        let page = tomas.open("/funds/rates").await;
        let typed = [("from", "EUR"), ("to", "USD"), ("rate", "1.0825"), ("day", "2026-02-27")];
        tomas.press(&page, "Record the rate", &typed).await.assert_says("Nothing was recorded. Already there: 1.");
        assert_eq!(all_rates(app).await.len(), 4);
        assert!(!ana.open("/funds/rates").await.has_button("Record the rate"));
        ana.get("/funds/rates/file").await.assert_status(403);
        mara.get("/funds/rates").await.assert_status(404);
        let page = tomas.open("/funds/rates/file").await;
        let wrong = tomas.press(&page, "Look at what it holds", &[("lines", "one,two\n1,2\n")]).await;
        wrong.assert_status(422).assert_says("The file has no column");
        assert_eq!(wrong.form("Look at what it holds").value("lines"), Some("one,two\n1,2\n"));
    }

    async fn a_rate_that_cannot_be_is_refused_at_its_field(app: &App) {
        let tomas = app.sign_in(TOMAS).await;
        for (field, value, says) in [
            ("rate", "0", "A rate is above zero"),
            ("rate", "2000000", "cannot be"),
            ("rate", "-1", "Write a number"),
            ("to", "EUR", "EUR is worth one EUR"),
            ("to", "EURO", "is no currency code"),
            ("day", "2026-03-03", "is still to come"),
        ] {
            let page = tomas.open("/funds/rates").await;
            let mut typed = vec![("from", "EUR"), ("to", "USD"), ("rate", "1.08"), ("day", "2026-03-02")];
            typed.retain(|(name, _)| *name != field);
            typed.push((field, value));
            let refused = tomas.press(&page, "Record the rate", &typed).await;
            refused.assert_status(422).assert_says(says);
            assert_eq!(refused.form("Record the rate").value(field), Some(value), "what was typed is kept");
        }
        assert!(app.engine.reader().rates_now(&Viewer::system()).await.expect("rates").is_empty());
        let refused = app.engine.record_rates(&ANA.actor(), &[], &Submission::own()).await;
        assert!(matches!(refused, Err(engine::Error::Refused(_))));
    }

    async fn a_correction_is_another_row_and_the_api_records_it_too(app: &App) {
        app.quote("1.08").await;
        let tomas = app.sign_in(TOMAS).await;
        let token = tomas.make_token(&["read", "write"]).await;
        let caller = app.visitor();
        let send = |key: &'static str, rate: &'static str| {
            let body = json!({ "rates": [{ "from": "EUR", "to": "USD", "day": "2026-03-02", "rate": rate }] });
            let token = token.clone();
            let caller = &caller;
            async move {
                caller.request(Method::POST, "/api/v1/rates", |r| r.bearer_auth(token).header("Idempotency-Key", key).json(&body)).await
            }
        };
        assert_eq!((send("a", "1.0801").await.status, send("a", "1.0801").await.status), (201, 201));
        send("a", "1.09").await.assert_status(409);
        send("b", "0").await.assert_status(422);
        let again = send("c", "1.08010").await;
        assert_eq!((again.status, &again.json()["words"]), (201, &json!(["Nothing was recorded. Already there: 1."])));
        let listed = caller.request(Method::GET, "/api/v1/rates", |r| r.bearer_auth(&token)).await.json();
        let rates: Vec<&str> = listed["rows"].as_array().expect("rows").iter().filter_map(|row| row["rate"].as_str()).collect();
        assert_eq!(rates, ["1.0801", "1.08"]);
        let now = app.engine.reader().rates_now(&Viewer::system()).await.expect("rates");
        assert_eq!(now.iter().map(|line| line.rate.to_string()).collect::<Vec<_>>(), ["1.0801"]);
        tomas.open("/funds/rates").await.assert_says("Corrected later");
        for sql in ["UPDATE exchange_rate SET rate = '2'", "DELETE FROM exchange_rate"] {
            let refused = app.connect().await.execute_unprepared(sql).await.expect_err(sql).to_string();
            assert!(refused.contains("append-only"), "{sql}: {refused}");
        }
    }
}

/// The approval's rate is the partner's to know; what another one cost since is not, on any page or by API.
async fn only_the_vendor_reads_what_a_rate_cost(app: &App, no: &str) {
    let (mara, tomas) = (app.sign_in(MARA).await, app.sign_in(TOMAS).await);
    let told = tomas.open(&format!("/cycles/{no}")).await;
    told.assert_says("paid 1,000 EUR on claim 1 (SEPA 1). The fund pays 1,110 USD at 1.11 USD for 1 EUR");
    let own = mara.open(&format!("/cycles/{no}")).await;
    own.assert_says("paid 1,000 EUR on claim 1 (SEPA 1).").assert_says("3,240 USD at 1.08 USD for 1 EUR");
    let days = "from=2026-01-01&to=2026-12-31";
    for path in [
        format!("/cycles/{no}"),
        format!("/cycles/{no}/execution"),
        format!("/cycles/{no}/claims/1"),
        format!("/cycles/{no}/claims/1/pack"),
        "/wallet".to_owned(),
        format!("/wallet/statement?{days}"),
        format!("/wallet/statement.csv?{days}"),
        "/notifications".to_owned(),
    ] {
        let page = mara.get(&path).await;
        page.assert_status(200);
        for secret in ["exchange loss", "1,110", "1110", "1.11 USD", "ariance"] {
            assert!(!page.raw().contains(secret), "{path} shows {secret}");
        }
    }
    for mail in app.mails_to(MARA).await {
        assert!(!mail.text.contains("1,110") && !mail.text.contains("exchange loss"), "{}", mail.text);
    }
    let (partner, finance) = (Program::of(app, MARA).await, Program::of(app, TOMAS).await);
    for path in [
        format!("/api/v1/cycles/{no}"),
        format!("/api/v1/cycles/{no}/timeline"),
        format!("/api/v1/partners/{}/statement?{days}", NORDWIND.id()),
        format!("/api/v1/partners/{}/statement?{days}&format=csv", NORDWIND.id()),
    ] {
        let told = partner.get(&path).await;
        told.assert_status(200);
        for secret in ["1.11", "111000", "1110", "exchange loss", "variance"] {
            assert!(!told.raw().contains(secret), "{path} tells {secret}: {}", told.raw());
        }
    }
    holds_nothing_of_its_fund(&partner, no).await;
    let whole = finance.get(&format!("/api/v1/cycles/{no}")).await;
    assert_eq!(whole.json()["approval"]["exchange"]["rate"]["rate"], "1.08");
    assert_eq!(whole.json()["claims"][0]["in_fund"]["minor"], 108_000);
    assert_eq!(whole.json()["claims"][0]["payments"][0]["in_fund"]["due"]["minor"], 111_000);
    assert!(
        finance.get(&format!("/api/v1/cycles/{no}/timeline")).await.raw().contains("30 USD of it is exchange loss")
    );
}

/// What a partner's token reads of a cycle and its claim tells no figure in the fund's currency.
async fn holds_nothing_of_its_fund(partner: &Program, no: &str) {
    let cycle = partner.get(&format!("/api/v1/cycles/{no}")).await;
    cycle.assert_status(200);
    assert!(cycle.json()["approval"]["exchange"].is_null(), "{}", cycle.raw());
    let claim = partner.get(&format!("/api/v1/cycles/{no}/claims/1")).await;
    claim.assert_status(200);
    for told in [cycle, claim] {
        assert!(!told.raw().contains("in_fund"), "{}", told.raw());
    }
}

/// A fund in dollars under the program in euros; Nordwind has 40,000 of it.
async fn dollars(app: &App, budget: i64) -> FundId {
    let (finance, currency) = (TOMAS.actor(), Currency::USD);
    let (code, name) = ("GLOBAL".to_owned(), "Global fund".to_owned());
    let new = NewFund { code, name, program: app.program, parent: None, kind: FundKind::Discretionary, currency };
    app.engine.open_fund(&finance, &new, &Submission::own()).await.expect("the fund opens");
    let (amount, reason) = (Money::units(budget, currency), "Board".to_owned());
    let credit = Money::units(40_000, currency);
    let commands = [
        FundCommand::Budget { amount, reason: reason.clone() },
        FundCommand::Allocate { partner: NORDWIND.id(), amount: credit, expires: None, reason },
    ];
    for command in commands {
        let done = app.engine.fund(&finance, WhichFund::Code("GLOBAL"), &command, &Submission::own()).await;
        done.unwrap_or_else(|error| panic!("{command:?}: {error:?}"));
    }
    app.engine.reader().fund(&Viewer::system(), "GLOBAL").await.expect("the fund").id
}

/// 3,000 EUR approved at 1.08, claimed in whole and approved.
async fn claimed(app: &App, fund: FundId) -> String {
    let no = running(app, fund).await;
    app.days_pass(45).await;
    to_pay(app, &no).await;
    no
}

async fn running(app: &App, fund: FundId) -> String {
    app.quote("1.08").await;
    let no = app.cycle_in(Stage::RequestDraft, MARA, 5_000).await;
    let draft = story::request(&app.look(&no).await, fund);
    app.must(MARA, &no, s5_request::Command::Submit { draft }).await;
    app.approve(&no, &app.look(&no).await).await;
    no
}

async fn to_pay(app: &App, no: &str) {
    app.prove(no, MARA).await;
    app.claim(no, MARA).await;
    let (amount, reason) = (eur(3_000), String::new());
    app.must(TOMAS, no, s7_execution::Command::ApproveClaim { claim: 1, amount, reason }).await;
}

async fn pay(app: &App, no: &str, units: i64) {
    let (amount, reference) = (eur(units), format!("SEPA {units}"));
    app.must(YUKI, no, s7_execution::Command::RecordSettlement { claim: 1, amount, reference }).await;
}

/// Entered by hand, for today.
async fn enter(tomas: &Visitor, value: &str) {
    let page = tomas.open("/funds/rates").await;
    let typed = [("from", "EUR"), ("to", "usd"), ("rate", value)];
    let done = tomas.press(&page, "Record the rate", &typed).await;
    done.assert_status(200).assert_says("1 EUR in USD").assert_says(value);
}

/// Every rate that was recorded, the latest day first.
async fn all_rates(app: &App) -> Vec<String> {
    let page = app.engine.reader().rates(&Viewer::system(), &storage::read::Paging::default()).await.expect("rates");
    page.rows.iter().map(|line| line.rate.to_string()).collect()
}

async fn page_of(who: &Visitor, no: &str) -> kit::http::Page {
    who.open(&format!("/cycles/{no}/claims/1")).await
}

async fn held(app: &App, fund: FundId, kind: AccountKind) -> i64 {
    let today = app.clock.now().date_naive();
    let totals = app.engine.reader().fund_totals_on(&Viewer::system(), fund, today).await.expect("totals");
    totals.iter().filter(|total| total.kind == kind).map(|total| total.total).sum()
}

/// A rate is a rate whoever reads it: the API's field is called what people call it.
#[test]
fn a_rate_reads_as_it_is_written() {
    let text = r#"{"from":"EUR","to":"USD","day":"2026-03-02","rate":"1.0825"}"#;
    let rate: Rate = serde_json::from_str(text).expect("a rate");
    assert_eq!(serde_json::to_string(&rate).expect("JSON"), text);
}
