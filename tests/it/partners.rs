//! Partners as a table: a file of the CRM is looked at, applied, changed and handed in again, in the browser and by the API.

use kit::people::{ANA, COMPANIES, KESTREL, MARA, NORDWIND, SAM, TOMAS};
use kit::{App, on_both};
use serde_json::{Value, json};
use storage::Viewer;
use storage::read::{Paging, PartnerFilter};
use storage::rows::PartnerRow;

use crate::api::Program;

const LOOK: &str = "Look at what it would do";

on_both! {
    async fn a_table_of_partners_is_looked_at_and_applied(app: &App) {
        let sam = app.sign_in(SAM).await;
        let list = sam.open("/partners").await;
        let page = sam.click(&list, "From a table").await;
        let table = format!(
            "Name,CRM ID,Region,Country,Tier,Currency,Manager,Good standing,Segment\n\
             {},0015A,DACH,DE,Platinum,EUR,{},yes,Enterprise\n\
             {},,DACH,DE,{},EUR,{},,\n\
             Fjordlys AS,0015B,Europe North and East,no,silver,NOK,,no,SMB\n\
             Baltic Data,0015B,Europe North and East,EE,silver,EUR,,,\n\
             Vistula IT,0015C,Europe North and East,Poland,silver,ZŁOTY,jonas@kestrel.example,maybe,\n\
             ,,,,,,,,SMB\n\
             nordwind systems gmbh,,DACH,DE,gold,EUR,,,\n",
            NORDWIND.name, ANA.email, KESTREL.name, KESTREL.tier, ANA.email
        );
        let mut form = page.form(LOOK);
        form.attach("file", "partners.csv", "text/csv", table.as_bytes());
        let before = partners(app).await;
        let read = sam.submit(&page, &form, LOOK).await;
        read.assert_status(200).assert_says("1 partner to add, 1 to change, 1 as they are, 4 lines left out.");
        for words in [
            "tier: gold → platinum", "crm_id: nothing → 0015A", "segment: nothing → Enterprise", "Fjordlys AS",
            "Line 4 gives another partner the same name or CRM id", "“maybe” is no standing: write yes or no.",
            "The line names no partner", "Line 2 is about the same partner",
        ] {
            read.assert_says(words);
        }
        assert_eq!(partners(app).await, before, "nothing is changed by looking");
        let button = "Add 1 partner and change 1";
        let form = read.form(button);
        let (first, second) = (sam.post(&read, &form, button).await, sam.post(&read, &form, button).await);
        assert_eq!((first.status, second.status), (303, 303), "pressed twice");
        sam.open("/partners").await.assert_says("Fjordlys AS");
        let all = partners(app).await;
        assert_eq!(all.len(), before.len() + 1);
        let nordwind = all.iter().find(|partner| partner.id == NORDWIND.id()).expect("the partner");
        assert_eq!((nordwind.tier.as_str(), nordwind.crm_id.as_deref()), ("platinum", Some("0015A")));
        assert_eq!((nordwind.manager_id, nordwind.domain.as_deref()), (Some(ANA.id()), Some(NORDWIND.domain)));
        let fjordlys = all.iter().find(|partner| partner.name == "Fjordlys AS").expect("the new partner");
        assert_eq!((fjordlys.country.as_str(), fjordlys.currency.code(), fjordlys.good_standing), ("NO", "NOK", false));
        sam.open("/admin/audit").await.assert_says("Sam Okafor added the partner Fjordlys AS, by a table.");

        let page = sam.open("/admin/partners/table").await;
        let wrong = sam.press(&page, LOOK, &[("lines", "Vistula IT,0015C,EMEA\n")]).await;
        wrong.assert_status(422);
        assert_eq!(wrong.form(LOOK).value("lines").map(str::trim), Some("Vistula IT,0015C,EMEA"), "what was typed stays");
        sam.press(&page, LOOK, &[("lines", "region,tier\nDACH,gold\n")]).await.assert_status(422)
            .assert_says("neither a column “name” nor one “crm_id”");
        for who in [MARA, TOMAS, ANA] {
            let somebody = app.sign_in(who).await;
            for path in ["/admin/partners/table", "/admin/partners/table.csv"] {
                assert!([403, 404].contains(&somebody.get(path).await.status), "{} reads {path}", who.name);
            }
        }
    }

    /// What was looked at is what is done: where a partner was changed in between, nothing is.
    async fn a_table_is_applied_as_it_was_shown_or_not_at_all(app: &App) {
        let sam = app.sign_in(SAM).await;
        let page = sam.open("/admin/partners/table").await;
        let lines = format!("name,tier\n{},platinum\n{},platinum\n", NORDWIND.name, KESTREL.name);
        let read = sam.press(&page, LOOK, &[("lines", &lines)]).await;
        let kestrel = sam.open(&format!("/admin/partners/{}", KESTREL.id())).await;
        sam.press(&kestrel, "Save the partner", &[("tier", "bronze")]).await.assert_status(200);
        let refused = sam.press(&read, "Change 2 partners", &[]).await;
        refused.assert_status(409).assert_says("Something has changed since you looked");
        assert_eq!(refused.form(LOOK).value("lines").map(|text| text.replace('\r', "")), Some(lines.clone()), "to look again");
        assert!(partners(app).await.iter().all(|partner| partner.tier != "platinum"));
        let read = sam.press(&refused, LOOK, &[]).await;
        read.assert_says("tier: bronze → platinum");
        sam.press(&read, "Change 2 partners", &[]).await.assert_status(200);
        assert!(partners(app).await.iter().all(|partner| partner.tier == "platinum"));
    }

    /// All partners as a table, handed in again: nothing changes. An empty cell takes a fact away.
    async fn the_table_that_is_downloaded_changes_nothing_when_it_is_handed_in(app: &App) {
        let sam = app.sign_in(SAM).await;
        let page = sam.open(&format!("/admin/partners/{}", NORDWIND.id())).await;
        let facts = [("attributes", "segment: =Enterprise\nfocus: cloud, and data"), ("manager", ANA.email)];
        sam.press(&page, "Save the partner", &facts).await.assert_status(200);
        let table = sam.get("/admin/partners/table.csv").await;
        table.assert_status(200);
        let text = table.raw();
        assert!(text.starts_with("name,crm_id,region,country,tier,currency,manager,good_standing,domain,focus,segment\n"), "{text}");
        assert!(text.contains("'=Enterprise"), "no spreadsheet runs it: {text}");
        let page = sam.open("/admin/partners/table").await;
        let read = sam.press(&page, LOOK, &[("lines", &text)]).await;
        read.assert_says(&format!("0 partners to add, 0 to change, {} as they are.", COMPANIES.len()));
        assert!(!read.forms().iter().any(|form| form.action == "/admin/partners/table"), "there is nothing to do");

        let emptied = format!("name,segment,manager\n{},,\n", NORDWIND.name);
        let read = sam.press(&page, LOOK, &[("lines", &emptied)]).await;
        read.assert_says("segment: =Enterprise → nothing").assert_says(&format!("manager: {} → nothing", ANA.email));
        sam.press(&read, "Change 1 partner", &[]).await.assert_status(200);
        let nordwind = partners(app).await.into_iter().find(|one| one.id == NORDWIND.id()).expect("the partner");
        assert_eq!((nordwind.manager_id, nordwind.attributes.into_keys().collect::<Vec<_>>()), (None, vec!["focus".to_owned()]));
    }

    async fn a_program_keeps_partners(app: &App) {
        let (sam, tomas, mara) = (Program::of(app, SAM).await, Program::of(app, TOMAS).await, Program::of(app, MARA).await);
        let new = json!({ "name": "Fjordlys AS", "region": "Europe North and East", "country": "no", "tier": "Silver",
            "currency": "NOK", "attributes": { "Segment": "SMB" } });
        for other in [&tomas, &mara] {
            other.post("/api/v1/partners", "new", None, &new).await.assert_status(409);
        }
        let made = sam.post("/api/v1/partners", "new", None, &new).await;
        made.assert_status(201);
        assert_eq!(sam.post("/api/v1/partners", "new", None, &new).await.json(), made.json(), "the first answer is the answer");
        sam.post("/api/v1/partners", "same", None, &new).await.assert_status(422).assert_says("Another partner has this name.");
        let bare = sam.post("/api/v1/partners", "bare", None, &json!({ "name": "Nobody", "country": "Norway", "currency": "kr" })).await;
        let fields: Vec<Value> = bare.json()["reasons"].as_array().expect("reasons").iter().map(|one| one["field"].clone()).collect();
        assert_eq!(fields, ["region", "tier", "country", "currency"].map(Value::from), "{}", bare.raw());

        let id = made.json()["number"].as_str().expect("an id").to_owned();
        let path = format!("/api/v1/partners/{id}");
        let change = json!({ "tier": "gold", "good_standing": false, "attributes": { "segment": "", "focus": "cloud" } });
        tomas.post(&path, "change", None, &change).await.assert_status(409);
        sam.post(&path, "change", None, &change).await.assert_status(200).assert_says("Sam Okafor changed the facts of Fjordlys AS.");
        sam.post(&path, "manager", None, &json!({ "manager": MARA.email })).await.assert_status(422);
        sam.post(&path, "typo", None, &json!({ "teir": "gold" })).await.assert_status(400);
        let rows = sam.get("/api/v1/partners").await.json();
        let row = rows["rows"].as_array().expect("rows").iter().find(|row| row["id"] == json!(id)).expect("the partner").clone();
        assert_eq!((&row["tier"], &row["good_standing"], &row["attributes"]), (&json!("gold"), &json!(false), &json!({ "focus": "cloud" })));
        sam.post("/api/v1/partners/0198a7c2-0000-7000-8000-00000000ffff", "none", None, &change).await.assert_status(404);

        let table = "name,tier,currency\nFjordlys AS,platinum,NOK\nVistula IT,gold,PLN\n";
        let read = sam.text("/api/v1/partners/table-preview", "", "text/csv", table).await;
        read.assert_status(200);
        let read = read.json();
        assert_eq!([&read["added"], &read["changed"], &read["same"], &read["refused"]], [0, 1, 0, 1].map(Value::from).each_ref());
        assert_eq!(read["rows"][0]["changes"], json!([{ "fact": "tier", "from": "gold", "to": "platinum" }]));
        tomas.text("/api/v1/partners/table-preview", "", "text/csv", table).await.assert_status(409);
        let apply = format!("/api/v1/partners/table?plan={}", read["plan"].as_str().expect("a plan"));
        tomas.text(&apply, "apply", "text/csv", table).await.assert_status(409);
        let done = sam.text(&apply, "apply", "text/csv", table).await;
        done.assert_status(200).assert_says("0 added, 1 changed, 0 as they were, 1 left out.");
        assert_eq!(sam.text(&apply, "apply", "text/csv", table).await.json(), done.json());
        sam.text(&apply, "later", "text/csv", table).await.assert_status(409);
    }
}

async fn partners(app: &App) -> Vec<PartnerRow> {
    let page = app.engine.reader().partners(&Viewer::system(), &PartnerFilter::default(), &Paging::first(200)).await;
    page.expect("the partners").rows
}
