//! Funds below funds, money that goes elsewhere, credit for many at once, forfeited credit that comes back, statements
//! and the journal for the general ledger: as finance does it in the browser and by the API.

use std::collections::BTreeMap;

use domain::fund::{FundCommand, FundKind};
use domain::ledger::AccountKind;
use domain::money::{Currency, Money};
use engine::{Error, NewFund, Submission, WhichFund};
use futures_util::future::join_all;
use kit::people::{ANA, BJORN, JONAS, KESTREL, MARA, NORDWIND, RUTH, SAM, TOMAS, YUKI, day};
use kit::world::{FUND, World, eur};
use kit::{App, on_both};
use reqwest::Method;
use serde_json::{Value, json};
use storage::Viewer;

fn why() -> String {
    "As agreed".to_owned()
}

on_both! {
    async fn t38_a_fund_below_takes_from_the_one_above(app: &App) {
        let tomas = app.sign_in(TOMAS).await;
        let page = tomas.open("/funds/new").await;
        let parent = app.fund.to_string();
        let program = app.program.to_string();
        let fields = [
            ("name", "Growth DACH"), ("code", "DACH"), ("program", program.as_str()), ("kind", "discretionary"),
            ("currency", "USD"), ("parent", parent.as_str()),
        ];
        let refused = tomas.press(&page, "Open the fund", &fields).await;
        refused.assert_status(409).assert_says("Growth DACH is kept in USD, its parent Growth fund in EUR.");
        assert_eq!(refused.form("Open the fund").value("name"), Some("Growth DACH"));
        tomas.press(&refused, "Open the fund", &[("currency", "EUR")]).await.assert_status(200);
        app.fund_below("UK", FundKind::Discretionary).await.expect("a second fund below opens");

        // The parent has 400,000 unallocated; 300,000 and 110,000 are more than that.
        app.act_on(TOMAS, "DACH", &FundCommand::Budget { amount: eur(300_000), reason: why() }).await.expect("it has that");
        let page = tomas.open("/funds/UK/budget").await;
        let much = [("amount", "110,000"), ("reason", "Half of it")];
        let refused = tomas.press(&page, "Check what it changes", &much).await;
        refused.assert_status(409).assert_says("100,000 EUR is unallocated in Growth fund, less than 110,000 EUR.");
        let check = tomas.press(&refused, "Check what it changes", &[("amount", "90,000")]).await;
        check.assert_says("100,000 EUR → becomes 10,000 EUR").assert_says("0 EUR → becomes 90,000 EUR");
        tomas.press(&check, "Put money in: 90,000 EUR", &[]).await.assert_status(200);

        let page = tomas.open(&format!("/funds/{FUND}")).await;
        page.assert_says("Funds below").assert_says("Growth DACH").assert_says("500,000 EUR").assert_says("10,000 EUR");
        tomas.open("/funds").await.assert_says("with 2 funds below").assert_says("300,000 EUR");
        let place = tomas.open("/funds/UK/place").await;
        let below = app.engine.reader().fund(&Viewer::system(), "DACH").await.expect("the fund").id.to_string();
        let moved = tomas.press(&place, "Check what it changes", &[("parent", below.as_str()), ("reason", "x")]).await;
        moved.assert_status(409).assert_says("90,000 EUR was put into Fund UK where it is.");
    }

    /// Twenty hands at once take their country's budget out of a region that has enough for ten.
    async fn children_never_take_more_than_their_parent_has(world: &World) {
        world.fund_below("REGION", FundKind::Discretionary).await.expect("a region opens");
        world.act_on(TOMAS, "REGION", &FundCommand::Budget { amount: eur(100), reason: why() }).await.expect("its budget");
        let region = world.engine.reader().fund(&Viewer::system(), "REGION").await.expect("the region").id;
        for code in ["ONE", "TWO"] {
            let new = NewFund {
                code: code.to_owned(), name: code.to_owned(), program: world.program, parent: Some(region),
                kind: FundKind::Discretionary, currency: Currency::EUR,
            };
            world.engine.open_fund(&TOMAS.actor(), &new, &Submission::own()).await.expect("a country opens");
        }
        let hands = (0..20).map(async |n: usize| {
            let command = FundCommand::Budget { amount: eur(10), reason: why() };
            let code = if n.is_multiple_of(2) { "ONE" } else { "TWO" };
            loop {
                match world.act_on(TOMAS, code, &command).await {
                    Ok(_) => return true,
                    Err(Error::Refused(refusal)) => { assert_eq!(refusal.code(), "funds_available"); return false }
                    Err(Error::Unavailable(_) | Error::Storage(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
        });
        let taken = join_all(hands).await.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, 10, "the region's hundred, once");
    }

    async fn t24_two_people_bring_forfeited_credit_back(app: &App) {
        let expires = Some(day(2026, 6, 30));
        let allocate = FundCommand::Allocate { partner: NORDWIND.id(), amount: eur(750), expires, reason: why() };
        app.act_on_fund(TOMAS, &allocate).await.expect("credit until June");
        let theirs = FundCommand::Allocate { partner: KESTREL.id(), amount: eur(400), expires, reason: why() };
        app.act_on_fund(TOMAS, &theirs).await.expect("credit of another partner");
        app.days_pass(122).await;
        let (tomas, yuki) = (app.sign_in(TOMAS).await, app.sign_in(YUKI).await);
        let page = tomas.open(&format!("/funds/{FUND}/reinstatement")).await;
        let partner = NORDWIND.id().to_string();
        let typed = [("partner", partner.as_str()), ("amount", "751"), ("expires", "2026-12-31"), ("reason", "The fair moved")];
        let refused = tomas.press(&page, "Check what it changes", &typed).await;
        refused.assert_status(409).assert_says("Nordwind Systems GmbH forfeited 750 EUR in Growth fund.");
        let check = tomas.press(&refused, "Check what it changes", &[("amount", "750")]).await;
        check.assert_says("1 further person of finance must agree");
        tomas.press(&check, "Reinstate forfeited credit: 750 EUR", &[]).await.assert_says("Waiting for a second person");
        assert_eq!(app.mails_to(YUKI).await.iter().filter(|mail| mail.subject.contains("second person")).count(), 1);
        tomas.open("/").await.assert_silent_on("Reinstate 750 EUR for");
        let own = tomas.open(&format!("/funds/{FUND}")).await;
        let own = tomas.click(&own, "750 EUR").await;
        own.assert_says("It waits for somebody else.");
        assert!(!own.has_button("Reinstate 750 EUR"));

        let home = yuki.open("/").await;
        let page = yuki.click(&home, "Reinstate 750 EUR for Nordwind Systems GmbH").await;
        page.assert_says("The fair moved").assert_says("Tomáš Novák");
        yuki.press(&page, "Turn it down", &[]).await.assert_status(422).assert_says("Fill this in.");
        yuki.press(&page, "Reinstate 750 EUR", &[]).await.assert_status(200).assert_says("reinstated 750 EUR");
        let mara = app.sign_in(MARA).await;
        mara.open("/wallet").await.assert_says("50,000 EUR").assert_says("750 EUR");
        assert!(app.mails_to(MARA).await.iter().any(|mail| mail.subject.contains("reinstated")));
        yuki.open("/").await.assert_silent_on("Reinstate 750 EUR for");
    }

    async fn credit_is_transferred_and_earned_credit_adjusted(app: &App) {
        app.fund_below("COOP", FundKind::Accrual).await.expect("an accrual fund opens");
        let tomas = app.sign_in(TOMAS).await;
        let partner = NORDWIND.id().to_string();
        let page = tomas.open("/funds/COOP/credit-raise").await;
        let raise = [("partner", partner.as_str()), ("amount", "500"), ("expires", "2026-12-31"), ("reason", "A late invoice")];
        let check = tomas.press(&page, "Check what it changes", &raise).await;
        check.assert_says("Wallet of Nordwind Systems GmbH").assert_says("0 EUR → becomes 500 EUR");
        tomas.press(&check, "Raise earned credit: 500 EUR", &[]).await.assert_status(200);
        let page = tomas.open("/funds/COOP/credit-reduction").await;
        let lower = [("partner", partner.as_str()), ("amount", "501"), ("reason", "Counted twice")];
        let refused = tomas.press(&page, "Check what it changes", &lower).await;
        refused.assert_status(409).assert_says("Nordwind Systems GmbH has 500 EUR unused in Fund COOP.");
        tomas.get(&format!("/funds/{FUND}/credit-raise")).await.assert_status(404);

        let page = tomas.open("/funds/COOP/credit-transfer").await;
        let (kestrel, fund) = (KESTREL.id().to_string(), app.fund.to_string());
        let transfer = [
            ("partner", partner.as_str()), ("amount", "200"), ("to_fund", fund.as_str()),
            ("to_partner", kestrel.as_str()), ("reason", "They run it together"),
        ];
        let check = tomas.press(&page, "Check what it changes", &transfer).await;
        check.assert_says("500 EUR → becomes 300 EUR").assert_says("Goes to the receiver's wallet");
        tomas.press(&check, "Transfer a partner's credit: 200 EUR", &[]).await.assert_status(200);
        let jonas = app.sign_in(JONAS).await;
        jonas.open("/wallet").await.assert_says("50,200 EUR").assert_says("31 December 2026");
        let statement = jonas.open("/wallet/statement").await;
        statement.assert_says("50,200").assert_silent_on("Nordwind");
        let mara = app.sign_in(MARA).await;
        mara.open("/wallet/statement?from=2026-03-01&to=2026-03-02").await.assert_says("A late invoice").assert_silent_on("Kestrel");
        mara.open(&format!("/wallet/statement?partner={kestrel}")).await.assert_silent_on("Kestrel");

        let page = tomas.open(&format!("/funds/{FUND}/transfer")).await;
        let coop = app.engine.reader().fund(&Viewer::system(), "COOP").await.expect("the fund").id.to_string();
        let some = [("to", coop.as_str()), ("amount", "1,000"), ("reason", "For the autumn")];
        let check = tomas.press(&page, "Check what it changes", &some).await;
        check.assert_says("Unallocated in Fund COOP").assert_says("400,000 EUR → becomes 399,000 EUR");
        tomas.press(&check, "Transfer to another fund: 1,000 EUR", &[]).await.assert_status(200);
    }

    async fn a_table_gives_credit_to_many_at_once(app: &App) {
        let tomas = app.sign_in(TOMAS).await;
        let page = tomas.open(&format!("/funds/{FUND}/allocations")).await;
        let look = "Look the table over";
        let refused = tomas.press(&page, look, &[("table", "Partner,Amount\nNordwind Systems GmbH,\"1,500\"\n"), ("reason", "Spring")]).await;
        refused.assert_status(422).assert_says("“1,500” can be read two ways");
        assert!(refused.form(look).value("table").is_some_and(|text| text.contains("Nordwind")), "what was pasted stays");
        let table = "Partner,Amount,Currency,Expires,Reason\n\
                     Nordwind Systems GmbH,1500.50,EUR,2026-12-31,Webinars\n\
                     kestrel.example,2000,,2026-09-30,\n\
                     Nobody Ltd,10,EUR,,\n\
                     Kestrel Networks AG,5,USD,,\n\
                     Kestrel Networks AG,1e3,,,\n\
                     Nordwind Systems GmbH,7,EUR,2026-12-31,\n\
                     Nordwind Systems GmbH,7,EUR,2026-03-01,\n";
        let check = tomas.press(&refused, look, &[("table", table)]).await;
        check.assert_status(200).assert_says("Allocate 3,500.50 EUR in 2 lines");
        for said in ["Line 4", "We know no partner “Nobody Ltd”", "The fund is kept in EUR, this row in USD", "“1e3” is not an amount",
            "is named twice with the same last day", "The credit would be expired already", "50,000 EUR → becomes 51,500.50 EUR"] {
            check.assert_says(said);
        }
        // Somebody moves the fund meanwhile: nothing is done, and the same lines are shown anew.
        app.act_on_fund(YUKI, &FundCommand::Lower { amount: eur(1), reason: why() }).await.expect("the fund moves");
        let stale = tomas.press(&check, "Allocate 3,500.50 EUR in 2 lines", &[]).await;
        stale.assert_status(409).assert_says("Yuki Tanaka").assert_says("399,999 EUR");
        let before = app.engine.reader().fund(&Viewer::system(), FUND).await.expect("the fund").version;
        let form = stale.form("Allocate 3,500.50 EUR in 2 lines");
        let answers = join_all((0..3).map(|_| tomas.post(&stale, &form, "Allocate 3,500.50 EUR in 2 lines"))).await;
        assert!(answers.iter().all(|answer| answer.status == 303), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        let after = app.engine.reader().fund(&Viewer::system(), FUND).await.expect("the fund").version;
        assert_eq!(after, before + 1, "one event");
        tomas.open(&format!("/funds/{FUND}")).await.assert_says("396,498.50 EUR");
        let mails = app.mails_to(MARA).await;
        assert!(mails.iter().any(|mail| mail.text.contains("Webinars")), "the line's reason is in the mail");
        let much = tomas.open(&format!("/funds/{FUND}/allocations")).await;
        let much = tomas.press(&much, look, &[("table", "Partner,Amount\nKestrel Networks AG,400000.00\n"), ("reason", "All")]).await;
        much.assert_says("Not possible as it stands.").assert_says("396,498.50 EUR is unallocated");
        assert!(!much.raw().contains("Allocate 400,000"), "there is nothing to press");
    }

    async fn a_rule_shares_out_to_the_last_cent(app: &App) {
        let tomas = app.sign_in(TOMAS).await;
        let page = tomas.open(&format!("/funds/{FUND}/allocations")).await;
        let look = "Look the shares over";
        let rule = [("how", "weighted"), ("amount", "100.01"), ("by", "tier"), ("weights", "gold 2"), ("reason", "By tier")];
        let check = tomas.press(&page, look, &rule).await;
        check.assert_says("The tier “silver” has no weight.").assert_says("Allocate 100.01 EUR in 1 line");
        let check = tomas.press(&page, look, &[("how", "weighted"), ("percent", "10"), ("weights", "gold 2\nsilver 1"), ("reason", "By tier")]).await;
        check.assert_says("Allocate 40,000 EUR in 2 lines").assert_says("26,666.67 EUR").assert_says("13,333.33 EUR");
        tomas.press(&check, "Allocate 40,000 EUR in 2 lines", &[]).await.assert_status(200);
        let both = tomas.press(&page, look, &[("how", "even"), ("amount", "5"), ("percent", "10"), ("reason", "x")]).await;
        both.assert_status(422).assert_says("Give an amount or a percentage, not both.");
        assert_eq!(both.form(look).value("percent"), Some("10"));
    }

    async fn statements_and_the_journal_agree_with_the_book(app: &App) {
        let amount = eur(1_000);
        app.days_pass(3).await;
        app.act_on_fund(TOMAS, &FundCommand::MoveBack { partner: NORDWIND.id(), amount, reason: "=cmd()".to_owned() }).await.expect("taken back");
        let tomas = app.sign_in(TOMAS).await;
        let page = tomas.open(&format!("/funds/{FUND}/statement?from=2026-03-05&to=2026-03-05")).await;
        page.assert_says("400,000.00").assert_says("401,000.00").assert_says("Available → Unallocated");
        let early = tomas.open(&format!("/funds/{FUND}/statement?from=2026-03-03&to=2026-03-04")).await;
        early.assert_says("Nothing moved in these days.").assert_says("400,000.00");
        tomas.get(&format!("/funds/{FUND}/statement?from=2026-03-05&to=2026-03-04")).await.assert_status(400);

        let funds = tomas.open("/funds").await;
        funds.assert_says("Download the journal");
        let journal = tomas.get("/funds/general-ledger.csv?from=2026-03-01&to=2026-03-31").await;
        journal.assert_status(200);
        let text = journal.raw();
        assert!(text.starts_with("Date,Event,Journal,Account,Debit,Credit,Currency,Fund,Partner,Cycle,Claim,Description"), "{text}");
        assert_eq!(text.lines().count(), 1 + 2 * 4, "four postings: {text}");
        for who in [ANA, MARA] {
            let refused = app.sign_in(who).await.get("/funds/general-ledger.csv").await.status;
            assert!(matches!(refused, 403 | 404), "{}: {refused}", who.name);
        }
        app.sign_in(RUTH).await.get("/funds/general-ledger.csv").await.assert_status(200);
        balanced(app).await;
    }

    /// Partners are told apart by whatever the vendor likes, and credit goes by it.
    async fn credit_goes_by_any_attribute(app: &App) {
        let (sam, tomas) = (app.sign_in(SAM).await, app.sign_in(TOMAS).await);
        let address = format!("/admin/partners/{}", NORDWIND.id());
        let page = sam.open(&address).await;
        for (typed, says) in [
            ("segment enterprise", "“segment enterprise” does not read: write it like segment: enterprise."),
            ("segment: a\nSegment: b", "“segment” stands there twice"),
            ("tier: gold", "“tier” has a field of its own."),
        ] {
            let refused = sam.press(&page, "Save the partner", &[("attributes", typed)]).await;
            refused.assert_status(422).assert_says(says);
            assert_eq!(refused.form("Save the partner").value("attributes"), Some(typed), "what was typed stays");
        }
        let typed = "Segment: Enterprise\nfocus = cloud";
        sam.press(&page, "Save the partner", &[("attributes", typed)]).await.assert_status(200);
        sam.open(&format!("/partners/{}", NORDWIND.id())).await.assert_says("Segment Enterprise").assert_says("Focus cloud");
        assert_eq!(sam.open(&address).await.form("Save the partner").value("attributes"), Some("focus: cloud\nsegment: Enterprise"));
        app.sign_in(MARA).await.open("/wallet").await.assert_silent_on("Enterprise");

        let many = format!("/funds/{FUND}/allocations");
        let page = tomas.open(&many).await;
        page.assert_says("Your own: focus, segment.");
        let rule = [("how", "each"), ("amount", "500"), ("reason", "Cloud"), ("also", "segment: enterprise\nmanager: Ana Ferreira")];
        let check = tomas.press(&page, "Look the shares over", &rule).await;
        check.assert_status(200).assert_says(NORDWIND.name).assert_silent_on(KESTREL.name);
        tomas.press(&check, "Allocate 500 EUR in 1 line", &[]).await.assert_status(200);
        for (also, says) in [
            ("segmnt: enterprise", "No partner has anything under “segmnt”."),
            ("segment: public", "No partner is like that."),
            ("standing: not good", "No partner is like that."),
        ] {
            let wrong = [("how", "each"), ("amount", "500"), ("reason", "Cloud"), ("also", also)];
            let refused = tomas.press(&page, "Look the shares over", &wrong).await;
            refused.assert_status(422).assert_says(says);
            assert_eq!(refused.form("Look the shares over").value("also"), Some(also));
        }
        let weighted = [("how", "weighted"), ("amount", "900"), ("by", "segment"), ("weights", "enterprise 1"), ("reason", "Cloud")];
        let check = tomas.press(&page, "Look the shares over", &weighted).await;
        check.assert_says("Allocate 900 EUR in 1 line").assert_says("has no weight");

        let token = tomas.make_token(&["read"]).await;
        let (caller, mara) = (app.visitor(), app.sign_in(MARA).await.make_token(&["read"]).await);
        let preview = format!("/api/v1/funds/{FUND}/allocation-preview?how=each&amount=5&also=segment:enterprise,currency:eur");
        let told = caller.request(Method::GET, &preview, |r| r.bearer_auth(&token)).await.json();
        assert_eq!(told["rows"].as_array().map(Vec::len), Some(1), "{told}");
        let partners = caller.request(Method::GET, "/api/v1/partners", |r| r.bearer_auth(&token)).await.json();
        let nordwind = partners["rows"].as_array().expect("rows").iter().find(|row| row["name"] == NORDWIND.name);
        assert_eq!(nordwind.expect("Nordwind")["attributes"], json!({ "focus": "cloud", "segment": "Enterprise" }));
        let own = caller.request(Method::GET, "/api/v1/partners", |r| r.bearer_auth(&mara)).await;
        assert_eq!(own.json()["rows"], json!([{ "id": NORDWIND.id(), "name": NORDWIND.name }]), "no partner reads what it is");
    }

    async fn a_statement_is_downloaded_as_a_table(app: &App) {
        app.days_pass(3).await;
        let (amount, reason) = (eur(1_000), "Too much, \"by far\"".to_owned());
        app.act_on_fund(TOMAS, &FundCommand::MoveBack { partner: NORDWIND.id(), amount, reason }).await.expect("taken back");
        let (tomas, mara, ana) = (app.sign_in(TOMAS).await, app.sign_in(MARA).await, app.sign_in(ANA).await);
        let days = "from=2026-03-03&to=2026-03-05";
        let page = tomas.open(&format!("/funds/{FUND}/statement?{days}")).await;
        let table = tomas.get(&page.link("Download as CSV")).await;
        table.assert_status(200);
        assert!(table.header("content-disposition").contains("statement-emea-growth-2026-03-03-2026-03-05.csv"));
        let lines: Vec<String> = table.raw().lines().map(str::to_owned).collect();
        let head = "Line,Date,Fund,Account,To account,Good until,Partner,Cycle,Description,Currency,Amount";
        assert_eq!(lines[0], head);
        let moved: Vec<&String> = lines.iter().filter(|line| line.starts_with("moved,")).collect();
        assert_eq!(moved.len(), 1, "{lines:#?}");
        assert!(moved[0].starts_with("moved,2026-03-05,EMEA-GROWTH,available,unallocated,,Nordwind Systems GmbH,,"), "{}", moved[0]);
        assert!(moved[0].contains("\"\"by far\"\"") && moved[0].ends_with(",EUR,1000.00"), "{}", moved[0]);
        for line in [
            "opening,2026-03-02,EMEA-GROWTH,available,,,Nordwind Systems GmbH,,,EUR,50000.00",
            "closing,2026-03-05,EMEA-GROWTH,available,,,Nordwind Systems GmbH,,,EUR,49000.00",
            "opening,2026-03-02,EMEA-GROWTH,unallocated,,,,,,EUR,400000.00",
            "closing,2026-03-05,EMEA-GROWTH,unallocated,,,,,,EUR,401000.00",
        ] {
            assert!(lines.iter().any(|held| held == line), "{line} is not in {lines:#?}");
        }

        let own = mara.get(&mara.open(&format!("/wallet/statement?{days}")).await.link("Download as CSV")).await;
        own.assert_status(200).assert_says("49000.00").assert_silent_on("Kestrel").assert_silent_on("401000.00");
        let theirs = format!("/wallet/statement.csv?{days}&partner={}", NORDWIND.id());
        assert_eq!(ana.get(&theirs).await.raw(), own.raw(), "the channel manager has the same");
        let jonas = app.sign_in(JONAS).await.get(&theirs).await;
        jonas.assert_status(200).assert_silent_on("Nordwind");
        app.sign_in(BJORN).await.get(&theirs).await.assert_status(404);
        mara.get(&format!("/funds/{FUND}/statement.csv?{days}")).await.assert_status(404);
        mara.get("/wallet/statement.csv?from=yesterday").await.assert_status(400);

        let token = tomas.make_token(&["read"]).await;
        let caller = app.visitor();
        let address = format!("/api/v1/funds/{FUND}/statement?{days}");
        let accepted = caller.request(Method::GET, &address, |r| r.bearer_auth(&token).header("Accept", "text/csv")).await;
        assert_eq!((accepted.status, accepted.raw()), (200, table.raw()));
        let asked = caller.request(Method::GET, &format!("{address}&format=csv"), |r| r.bearer_auth(&token)).await;
        assert_eq!(asked.raw(), table.raw());
        assert!(caller.request(Method::GET, &address, |r| r.bearer_auth(&token)).await.json()["opening"].is_array());
        caller.request(Method::GET, &format!("{address}&format=xml"), |r| r.bearer_auth(&token)).await.assert_status(400);
        let journal = "/api/v1/general-ledger?from=2026-03-01&to=2026-03-31";
        let table = caller.request(Method::GET, &format!("{journal}&format=csv"), |r| r.bearer_auth(&token)).await;
        assert_eq!(table.raw(), tomas.get("/funds/general-ledger.csv?from=2026-03-01&to=2026-03-31").await.raw());
    }

    async fn a_program_does_the_same_by_the_api(app: &App) {
        let token = app.sign_in(TOMAS).await.make_token(&["read", "write"]).await;
        let caller = app.visitor();
        let get = async |path: &str| caller.request(Method::GET, path, |r| r.bearer_auth(&token)).await;
        let preview = get(&format!("/api/v1/funds/{FUND}/allocation-preview?how=even&amount=101&tier=gold&expires=2026-12-31")).await;
        preview.assert_status(200);
        let preview = preview.json();
        assert_eq!((preview["total"]["minor"].as_i64(), preview["rows"].as_array().map(Vec::len)), (Some(10_100), Some(1)));
        let version = format!("\"{}\"", preview["version"]);
        let command = json!({ "do": "allocate_many", "lines": preview["rows"], "reason": "By the planning tool" });
        let post = async |key: &str, body: &Value, version: &str| {
            let path = format!("/api/v1/funds/{FUND}/commands");
            let call = |r: reqwest::RequestBuilder| {
                r.bearer_auth(&token).header("Idempotency-Key", key).header("If-Match", version).json(body)
            };
            caller.request(Method::POST, &path, call).await
        };
        post("a", &command, &version).await.assert_status(200);
        post("b", &command, &version).await.assert_status(412);
        let wrong = get(&format!("/api/v1/funds/{FUND}/allocation-preview?how=even&amount=1e3")).await;
        wrong.assert_status(422);
        let reinstate = json!({ "do": "propose_reinstatement", "partner": NORDWIND.id(), "expires": "2026-12-31", "reason": "x",
            "amount": { "minor": 100, "currency": "EUR" } });
        let refused = post("c", &reinstate, "*").await;
        assert_eq!((refused.status, refused.json()["code"].as_str()), (409, Some("forfeited")), "{}", refused.raw());

        let statement = get(&format!("/api/v1/partners/{}/statement?from=2026-03-01&to=2026-03-02", NORDWIND.id())).await.json();
        assert_eq!(statement["opening"], json!([]));
        let held: i64 = statement["closing"].as_array().expect("accounts").iter().map(|one| one["amount"]["minor"].as_i64().expect("minor units")).sum();
        assert_eq!(held, 5_010_100);
        let fund = get(&format!("/api/v1/funds/{FUND}/statement?from=2026-03-01&to=2026-03-02&size=2")).await.json();
        assert_eq!((fund["rows"].as_array().map(Vec::len), fund["next"].is_string()), (Some(2), true));
        let mara = app.sign_in(MARA).await.make_token(&["read"]).await;
        let theirs = format!("/api/v1/partners/{}/statement", KESTREL.id());
        for path in [theirs.as_str(), "/api/v1/general-ledger", "/api/v1/funds/EMEA-GROWTH/statement"] {
            caller.request(Method::GET, path, |r| r.bearer_auth(&mara)).await.assert_status(404);
        }
        let journal = get("/api/v1/general-ledger?from=2026-03-01&to=2026-03-31").await.json();
        let sum = |side: &str| -> i64 {
            let rows = journal["rows"].as_array().expect("lines");
            rows.iter().map(|line| line[side]["minor"].as_i64().expect("minor units")).sum()
        };
        assert!(sum("debit") > 0);
        assert_eq!(sum("debit"), sum("credit"));
    }
}

/// Debit is credit in every journal and in total, and by account the journal says what the book holds.
async fn balanced(app: &App) {
    let mut journals: BTreeMap<(String, &str), i64> = BTreeMap::new();
    let mut accounts: BTreeMap<&'static str, i64> = BTreeMap::new();
    let days = (day(2020, 1, 1), day(2030, 1, 1));
    let viewer = Viewer::system();
    let mut lines = 0;
    let mut take = |line: engine::general_ledger::JournalLine| {
        assert_eq!(line.debit.is_zero(), !line.credit.is_zero(), "one side each: {line:?}");
        let net = line.debit.minor - line.credit.minor;
        *journals.entry((line.journal, line.currency.code())).or_default() += net;
        *accounts.entry(line.kind).or_default() += net;
        lines += 1;
    };
    app.engine.general_ledger(&viewer, days, &mut take).await.expect("the journal is read");
    assert!(lines > 0);
    assert!(journals.values().all(|net| *net == 0), "{journals:?}");
    let (_, totals) = app.engine.reader().funds(&viewer).await.expect("funds are read");
    let mut held: BTreeMap<&'static str, i64> = BTreeMap::new();
    for total in totals {
        *held.entry(total.kind.code()).or_default() += total.total;
    }
    assert_eq!(accounts, held);
    let free = Money::new(held[AccountKind::Available.code()], Currency::EUR);
    assert_eq!(free, eur(99_000));
    let which = WhichFund::Code(FUND);
    assert_eq!(app.engine.unallocated(which).await.expect("the fund is read"), eur(401_000));
}
