//! What is told about the API: GET /api/docs for people, GET /api/openapi.json for programs (OpenAPI 3.1). Both are
//! made from one table.

mod calls;

pub use calls::{Body, CALLS, Call};

use actix_web::HttpResponse;
use askama::Template;
use serde_json::{Value, json};

use crate::error::Answer;
use crate::extract::show;

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
            "description": "Closed-loop market development funds. A token is made on the profile page and acts as its owner. \
                docs/api.md explains it with an example of every command.",
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
        "200": { "description": "Done", "content": { media(call.answer): { "schema": refer(call.answer) } } },
        "default": problem("Refused"),
    });
    let mut operation = json!({
        "summary": call.summary,
        "description": format!("Needs a token with the scope “{}”.", call.scope),
    });
    for name in call.query {
        parameters.push(json!({ "name": name, "in": "query", "schema": { "type": "string" } }));
    }
    if call.scope == "write" {
        let key = json!({ "type": "string", "minLength": 1, "maxLength": 100 });
        parameters.push(json!({ "name": "Idempotency-Key", "in": "header", "required": true, "schema": key }));
        if call.path.ends_with("/commands") {
            let version = json!({ "type": "string", "examples": ["\"17\"", "*"] });
            parameters.push(json!({ "name": "If-Match", "in": "header", "required": true, "schema": version }));
            responses["412"] = problem("Someone moved it since the version you named.");
            responses["428"] = problem("If-Match is missing.");
        }
        responses["201"] = responses["200"].clone();
    }
    let file = json!({ "type": "object", "required": ["file"], "properties": {
        "file": { "type": "string", "contentMediaType": "application/octet-stream" } } });
    let content = match call.body {
        Body::None => None,
        Body::Json(schema) => Some(json!({ "application/json": { "schema": refer(schema) } })),
        Body::Raw(kind) => Some(json!({ kind: { "schema": refer("File") } })),
        Body::Form => Some(json!({ "multipart/form-data": { "schema": file } })),
    };
    if let Some(content) = content {
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation["parameters"] = Value::Array(parameters);
    operation["responses"] = responses;
    operation
}

/// The media type of an answer.
fn media(answer: &str) -> &'static str {
    match answer {
        "Toml" => "application/toml",
        "Table" | "BatchFile" => "text/csv",
        "Download" => "application/octet-stream",
        _ => "application/json",
    }
}

fn problem(words: &str) -> Value {
    json!({ "description": words, "content": { "application/problem+json": { "schema": refer("Problem") } } })
}

fn refer(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

fn schemas() -> Value {
    let mut all = common();
    for more in [of_settlements(), of_programs()] {
        if let (Value::Object(all), Value::Object(more)) = (&mut all, more) {
            all.extend(more);
        }
    }
    all
}

/// Programs with their guides, funds, files and people.
fn of_programs() -> Value {
    let text = || json!({ "type": "string" });
    let id = || json!({ "type": "string", "format": "uuid" });
    let day = || json!({ "type": "string", "format": "date" });
    let whole = |fields: &[&str], properties: Value| json!({ "type": "object", "required": fields, "additionalProperties": false, "properties": properties });
    let told = |fields: &[&str]| {
        let properties: serde_json::Map<_, _> = fields.iter().map(|field| ((*field).to_owned(), json!({}))).collect();
        json!({ "type": "object", "required": fields, "properties": properties })
    };
    json!({
        "NewProgram": whole(&["code", "name", "guide"], json!({ "code": text(), "name": text(), "guide": text() })),
        "NewGuide": whole(&["guide", "from"], json!({ "guide": text(), "from": day() })),
        "NewFund": whole(&["code", "name", "program", "kind", "currency"], json!({
            "code": text(), "name": text(), "program": id(), "currency": text(),
            "parent": { "type": ["string", "null"], "format": "uuid" },
            "kind": { "type": "string", "enum": ["discretionary", "accrual", "proposal", "pooled"] } })),
        "NewStandIn": whole(&["stand_in", "from", "to"], json!({ "stand_in": id(), "from": day(), "to": day() })),
        "CheckedGuide": told(&["name", "version", "currency", "effective_from"]),
        "Comparison": told(&["version", "from", "in_force", "changes", "simulation"]),
        "ClaimPack": told(&["number", "title", "partner", "program", "guide", "claim", "proof"]),
        "Returned": told(&["version", "outcomes", "left_out", "missing"]),
        "Remittance": told(&["name", "partner", "paid_on", "reference", "claims", "gross", "held_back", "net"]),
        "Toml": text(), "Table": text(), "Download": text(),
    })
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
        "PaymentReturn": { "type": "object", "required": ["do", "payment"], "properties": {
            "do": text(), "payment": { "type": "integer" } },
            "description": "{\"do\":\"report\",\"payment\":1,\"on\":…,\"reference\":…,\"reason\":…}, \
                {\"do\":\"confirm\",\"payment\":1} or {\"do\":\"reject\",\"payment\":1,\"reason\":…}." },
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
            {\"step\":\"plan\",\"do\":\"agree\"}. docs/api.md has an example of each."),
        "File": { "type": "string", "description": "The file as it is: a table in any usual encoding or an Excel workbook (.xlsx, its first visible sheet), or a guide in UTF-8." },
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
             place (parent), close_period (until). docs/api.md has an example of each." },
        "Statement": { "type": "object", "required": ["from", "to", "opening", "closing", "rows"], "properties": {
            "from": day(), "to": day(), "opening": { "type": "array", "items": { "type": "object" } },
            "closing": { "type": "array", "items": { "type": "object" } },
            "rows": { "type": "array", "items": { "type": "object" } }, "next": { "type": ["string", "null"] } } },
        "Approvals": { "type": "object", "required": ["requests"], "additionalProperties": false, "properties": {
            "requests": { "type": "array", "minItems": 1, "maxItems": 200, "items": { "type": "object",
                "required": ["number", "version"], "additionalProperties": false,
                "properties": { "number": text(), "version": { "type": "integer" } } } } } },
        "NewView": { "type": "object", "required": ["list", "name"], "additionalProperties": false, "properties": {
            "list": { "type": "string", "enum": ["approvals", "claims", "cycles"] },
            "name": { "type": "string", "minLength": 1, "maxLength": 60 }, "is_default": { "type": "boolean" },
            "filters": { "type": "object", "additionalProperties": text(),
                "description": "As the list's address names them: view, partner, q and so on." } } },
        "ViewCommand": tagged(&["do"], "{\"do\":\"change\",\"name\":…,\"is_default\":…}, \
            {\"do\":\"replace\",\"filters\":{…}} or {\"do\":\"remove\"}."),
        "PartnerSaid": { "type": "object", "additionalProperties": false, "properties": {
            "name": text(), "region": text(), "country": text(), "tier": text(), "currency": text(), "manager": text(),
            "good_standing": { "type": "boolean" }, "domain": text(), "crm_id": text(),
            "attributes": { "type": "object", "additionalProperties": text() } } },
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
