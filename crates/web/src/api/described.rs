//! What is told about the API: GET /api/docs for people, GET /api/openapi.json for programs (OpenAPI 3.1). Both are
//! made from one table.

use actix_web::HttpResponse;
use askama::Template;
use serde_json::{Value, json};

use crate::error::Answer;
use crate::extract::show;

/// One call, as it is told.
pub struct Call {
    pub method: &'static str,
    pub path: &'static str,
    /// What the token must be made for.
    pub scope: &'static str,
    pub summary: &'static str,
    /// The schema of the body, for those that change something.
    body: Option<&'static str>,
    /// The schema of a good answer.
    answer: &'static str,
    pages: bool,
}

const fn get(path: &'static str, answer: &'static str, pages: bool, summary: &'static str) -> Call {
    Call { method: "GET", path, scope: "read", summary, body: None, answer, pages }
}

const fn post(path: &'static str, body: &'static str, summary: &'static str) -> Call {
    Call { method: "POST", path, scope: "write", summary, body: Some(body), answer: "Advanced", pages: false }
}

/// A body that is a file and no JSON.
const FILE: &str = "File";

pub const CALLS: &[Call] = &[
    get("/api/v1/cycles", "Page", true, "The cycles the token's owner may see, newest first."),
    get("/api/v1/cycles/{no}", "Cycle", false, "One cycle, whole. Its ETag is the version to send as If-Match."),
    get("/api/v1/cycles/{no}/timeline", "Page", true, "What happened to a cycle, newest first."),
    get(
        "/api/v1/cycles/{no}/deadlines",
        "Page",
        false,
        "Every clock that runs on a cycle: what is due, of whom, until which day, and what hangs on it.",
    ),
    get(
        "/api/v1/cycles/{no}/signals",
        "Page",
        false,
        "What deserves a second look in a cycle, with where to look: for the vendor's reviewers only.",
    ),
    post("/api/v1/cycles", "NewCycle", "Open a cycle."),
    post(
        "/api/v1/cycles/{no}/commands",
        "Command",
        "Carry a command out on a cycle: the same commands the pages issue.",
    ),
    get(
        "/api/v1/funds",
        "Page",
        false,
        "Every fund with the balances of its accounts, in minor units, and the version to send as If-Match.",
    ),
    get(
        "/api/v1/funds/expiring",
        "Page",
        true,
        "Credit with an end, the nearest day first: free and committed, in minor units of each line's own currency. \
         Filtered by until, fund, partner and region; without until, the next ninety days.",
    ),
    post("/api/v1/funds/{code}/commands", "FundCommand", "Move a fund's money, or close its period."),
    get(
        "/api/v1/funds/{code}/periods",
        "Periods",
        false,
        "The periods of a fund that are closed, and what closing the next one does to each partner, in minor units.",
    ),
    get(
        "/api/v1/purchases",
        "Page",
        true,
        "What a partner earned on which purchase, the latest first; partner= says whose, for the vendor's people.",
    ),
    Call {
        answer: "Imported",
        ..post(
            "/api/v1/imports/{kind}",
            FILE,
            "Take a file in: kind is sales, salesforce-campaign-members, salesforce-opportunities or csv. The query says \
             program (of purchases), name, currency, marks (point or comma), day_order (day_first or month_first) and \
             dry_run. The same file again changes nothing.",
        )
    },
    get(
        "/api/v1/settlements",
        "Page",
        true,
        "Settlement batches, newest first. For finance, administrators, auditors.",
    ),
    post(
        "/api/v1/settlements",
        "NewBatch",
        "Build a batch of payable claims; one that may not be paid refuses it whole.",
    ),
    get(
        "/api/v1/settlements/{no}",
        "Batch",
        false,
        "One batch with its payments. Its ETag is the version to send as If-Match.",
    ),
    post(
        "/api/v1/settlements/{no}/commands",
        "BatchCommand",
        "Cancel or export a batch, or record what became of its payments; paid claims are settled at once.",
    ),
    get(
        "/api/v1/settlements/{no}/files/{name}",
        "BatchFile",
        false,
        "A file of an exported batch: payments.csv, pain001.xml or bills.csv (with account and tax).",
    ),
    post(
        "/api/v1/payment-details",
        "PaymentDetails",
        "Say where money is sent: a partner its own, finance the house's.",
    ),
    get(
        "/api/v1/funds/{code}/statement",
        "Statement",
        true,
        "A fund's accounts before the day from and at the end of the day to, and what moved between, newest first; \
         with format=csv, or Accept: text/csv, the whole as a table.",
    ),
    get(
        "/api/v1/funds/{code}/allocation-preview",
        "Page",
        false,
        "The lines a rule makes, to be sent as allocate_many: how=each, even or weighted, an amount or a percent of what \
         is unallocated, weights by=any attribute as in gold:3,silver:1, filtered by tier, region, country and also=segment:enterprise \
         (currency, manager, standing, or a name of one's own; one after a comma each).",
    ),
    get(
        "/api/v1/partners/{id}/statement",
        "Statement",
        true,
        "A partner's accounts in every fund before the day from and at the end of the day to, and what moved between; with \
         format=csv, or Accept: text/csv, the whole as a table.",
    ),
    get(
        "/api/v1/general-ledger",
        "Page",
        false,
        "Every posting of the days from and to as a debit and a credit line under the account codes of the settings; \
         with format=csv, or Accept: text/csv, as a table.",
    ),
    get("/api/v1/rates", "Page", true, "Every exchange rate that was recorded, the latest day first."),
    post("/api/v1/rates", "NewRates", "Record exchange rates: all of them or none."),
    get(
        "/api/v1/partners",
        "Page",
        false,
        "The partners the token's owner may see; to the vendor's people with tier, region, country and attributes.",
    ),
    get(
        "/api/v1/approvals",
        "Page",
        true,
        "What waits for approval, the soonest due first: view=mine (what the token's owner decides), overdue or all, \
         filtered by partner and q, or by a kept view, saved=ID. For the vendor's people.",
    ),
    get(
        "/api/v1/views",
        "Page",
        false,
        "The views its owner keeps, of one list= (approvals, claims, cycles) or of all.",
    ),
    post("/api/v1/views", "NewView", "Keep a view of a list. Its id is the answer's number."),
    post(
        "/api/v1/views/{id}",
        "ViewCommand",
        "Rename a view, open its list with it, give it other filters, remove it.",
    ),
    get(
        "/api/v1/performance",
        "Page",
        false,
        "Plan against actual by=quarter, program, region, tactic, partner or campaign, filtered by from, to, program, \
         region, tactic and partner. Amounts in minor units, planned counts in thousandths.",
    ),
];

#[derive(Template)]
#[template(path = "pages/api_docs.html")]
struct DocsPage {
    calls: &'static [Call],
}

/// GET /api/docs
pub async fn page() -> Answer {
    show(&DocsPage { calls: CALLS })
}

/// GET /api/openapi.json
pub async fn document() -> Answer {
    Ok(HttpResponse::Ok().json(openapi()))
}

/// The whole description as OpenAPI 3.1.
pub fn openapi() -> Value {
    let mut paths = serde_json::Map::new();
    for call in CALLS {
        let path = paths.entry(call.path).or_insert_with(|| json!({}));
        path[call.method.to_ascii_lowercase()] = operation(call);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Fundloop",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Closed-loop market development funds. A token is made on the profile page and acts as its owner.",
        },
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": { "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } }, "schemas": schemas() },
    })
}

fn operation(call: &Call) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    for name in call.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }));
    }
    if call.pages {
        parameters.push(json!({ "name": "after", "in": "query", "schema": { "type": "string" } }));
        let size = json!({ "type": "integer", "minimum": 1, "maximum": 200 });
        parameters.push(json!({ "name": "size", "in": "query", "schema": size }));
    }
    let mut responses = json!({
        "200": { "description": "Done", "content": { "application/json": { "schema": refer(call.answer) } } },
        "default": problem("Refused"),
    });
    let mut operation = json!({
        "summary": call.summary,
        "description": format!("Needs a token with the scope “{}”.", call.scope),
    });
    if call.body == Some(FILE) {
        for name in ["program", "name", "currency", "marks", "day_order", "dry_run"] {
            parameters.push(json!({ "name": name, "in": "query", "schema": { "type": "string" } }));
        }
        operation["requestBody"] = json!({ "required": true, "content": { "text/csv": { "schema": refer(FILE) } } });
    } else if let Some(body) = call.body {
        let key = json!({ "type": "string", "minLength": 1, "maxLength": 100 });
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "required": true, "schema": key }));
        if call.path.ends_with("/commands") {
            let version = json!({ "type": "string", "examples": ["\"17\"", "*"] });
            parameters.push(json!({ "name": "If-Match", "in": "header", "required": true, "schema": version }));
            responses["412"] = problem("Someone moved it since the version you named.");
            responses["428"] = problem("If-Match is missing.");
        }
        operation["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": refer(body) } } });
        responses["201"] = responses["200"].clone();
    }
    operation["parameters"] = Value::Array(parameters);
    operation["responses"] = responses;
    operation
}

fn problem(words: &str) -> Value {
    json!({ "description": words, "content": { "application/problem+json": { "schema": refer("Problem") } } })
}

fn refer(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn schemas() -> Value {
    let mut all = common();
    if let (Value::Object(all), Value::Object(more)) = (&mut all, of_settlements()) {
        all.extend(more);
    }
    all
}

/// What a batch is built of, told and shown as.
fn of_settlements() -> Value {
    let text = || json!({ "type": "string" });
    json!({
        "NewBatch": { "type": "object", "required": ["currency", "claims"], "additionalProperties": false, "properties": {
            "currency": text(), "claims": { "type": "array", "items": { "type": "object", "required": ["number", "claim"],
                "properties": { "number": text(), "claim": { "type": "integer" },
                    "minor": { "type": ["integer", "null"], "description": "An instalment, in minor units." } } } } } },
        "Batch": { "type": "object", "required": ["number", "state", "version", "payments"], "properties": {
            "number": text(), "state": text(), "version": { "type": "integer" },
            "payments": { "type": "array", "items": { "type": "object" } } } },
        "BatchCommand": { "type": "object", "required": ["do"], "properties": { "do": text() },
            "description": "{\"do\":\"cancel\",\"reason\":…}, {\"do\":\"export\",\"pay_on\":…} or \
                {\"do\":\"record\",\"outcomes\":[{\"status\":\"paid\",\"payment\":1,\"on\":…,\"reference\":…}]}." },
        "BatchFile": { "type": "string", "description": "The file itself, as text/csv or application/xml." },
        "PaymentDetails": { "type": "object", "required": ["owner", "details"], "additionalProperties": false,
            "properties": { "owner": { "type": "object", "description": "{\"partner\":ID} or {\"house\":\"EUR\"}." },
                "details": { "type": "object", "required": ["payee"], "properties": { "payee": text(), "iban": text(),
                    "account": text(), "routing": text(), "bic": text() } } } },
    })
}

fn common() -> Value {
    let text = || json!({ "type": "string" });
    let id = || json!({ "type": "string", "format": "uuid" });
    let day = || json!({ "type": "string", "format": "date" });
    let tagged = |tags: &[&str], words: &str| {
        let properties: serde_json::Map<_, _> = tags.iter().map(|tag| ((*tag).to_owned(), text())).collect();
        json!({ "type": "object", "required": tags, "properties": properties, "description": words })
    };
    json!({
        "Cycle": { "type": "object", "required": ["number", "stage", "version"], "properties": {
            "number": text(), "stage": text(), "version": { "type": "integer" }, "title": text() } },
        "Page": { "type": "object", "required": ["rows", "next"], "properties": {
            "rows": { "type": "array", "items": { "type": "object" } }, "next": { "type": ["string", "null"] } } },
        "NewCycle": { "type": "object", "required": ["partner", "program", "title", "from", "to"],
            "additionalProperties": false, "properties": {
                "partner": id(), "program": id(), "title": text(), "from": day(), "to": day(),
                "currency": { "type": ["string", "null"], "description": "Where it is not the program's own: one its guide has \
                    approval bands for." },
                "copy_of": { "type": ["string", "null"], "format": "uuid" } } },
        "Command": tagged(&["step", "do"], "A step of the loop and what to do in it, with that act's own fields: \
            {\"step\":\"plan\",\"do\":\"submit\"}. The table of moves in the documentation names them all."),
        "File": { "type": "string", "description": "The table as the tool wrote it: CSV in any usual encoding." },
        "Imported": { "type": "object", "required": ["added", "unchanged", "refused", "questions", "errors"], "properties": {
            "batch": { "type": ["string", "null"], "format": "uuid" }, "added": { "type": "integer" },
            "unchanged": { "type": "integer" }, "refused": { "type": "integer" },
            "questions": { "type": "array", "items": text() },
            "errors": { "type": "array", "items": { "type": "object" } } } },
        "Periods": { "type": "object", "required": ["currency", "version", "next", "closed"], "properties": {
            "currency": text(), "version": { "type": "integer" }, "next": { "type": "object" },
            "closed": { "type": "array", "items": { "type": "object" } } } },
        "FundCommand": { "type": "object", "description":
            "What finance does, tagged by `do`: budget, lower, allocate, allocate_many (lines of partner, amount, expires, \
             reason), move_back, transfer (to another fund), transfer_credit (to_fund, to_partner), raise_credit, \
             lower_credit, propose_reinstatement, confirm_reinstatement, reject_reinstatement (proposal), record_return, \
             place (parent), close_period (until)." },
        "Statement": { "type": "object", "required": ["from", "to", "opening", "closing", "rows"], "properties": {
            "from": day(), "to": day(), "opening": { "type": "array", "items": { "type": "object" } },
            "closing": { "type": "array", "items": { "type": "object" } },
            "rows": { "type": "array", "items": { "type": "object" } }, "next": { "type": ["string", "null"] } } },
        "NewView": { "type": "object", "required": ["list", "name"], "additionalProperties": false, "properties": {
            "list": { "type": "string", "enum": ["approvals", "claims", "cycles"] },
            "name": { "type": "string", "minLength": 1, "maxLength": 60 }, "is_default": { "type": "boolean" },
            "filters": { "type": "object", "additionalProperties": text(),
                "description": "As the list's address names them: view, partner, q and so on." } } },
        "ViewCommand": tagged(&["do"], "{\"do\":\"change\",\"name\":…,\"is_default\":…}, \
            {\"do\":\"replace\",\"filters\":{…}} or {\"do\":\"remove\"}."),
        "NewRates": { "type": "object", "required": ["rates"], "additionalProperties": false, "properties": {
            "rates": { "type": "array", "minItems": 1, "maxItems": 5000, "items": { "type": "object",
                "required": ["from", "to", "day", "rate"], "additionalProperties": false, "properties": {
                    "from": text(), "to": text(), "day": day(), "rate": {
                        "type": "string", "description": "Units of `to` for one of `from`, as a decimal: \"1.0825\"." } } } } } },
        "Advanced": { "type": "object", "required": ["number", "version", "words"], "properties": {
            "number": text(), "version": { "type": "integer" }, "words": { "type": "array", "items": text() } } },
        "Problem": { "type": "object", "required": ["title", "status", "code"], "properties": {
            "type": text(), "title": text(), "status": { "type": "integer" }, "code": text(), "detail": text(),
            "reference": text(), "reasons": { "type": "array", "items": { "type": "object" } } } },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Access;
    use crate::routes::TABLE;

    #[test]
    fn every_call_is_told_and_every_told_call_is_there() {
        let mut there: Vec<String> = TABLE
            .iter()
            .filter_map(|route| match route.access {
                Access::Token(scope) => Some(format!("{} {} {}", route.method, route.path, scope.code())),
                _ => None,
            })
            .collect();
        let mut told: Vec<String> =
            CALLS.iter().map(|call| format!("{} {} {}", call.method, call.path, call.scope)).collect();
        there.sort();
        told.sort();
        assert_eq!(told, there);
    }

    #[test]
    fn every_schema_that_is_named_is_described() {
        let text = openapi().to_string();
        let known = schemas();
        for named in text.split("#/components/schemas/").skip(1) {
            let name = named.split('"').next().unwrap_or_default();
            assert!(known.get(name).is_some(), "{name}");
        }
    }
}
