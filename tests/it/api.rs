//! The API as a program uses it: a token of its owner's, one command after the other, nobody's change overwritten.

use domain::cycle::Stage;
use kit::http::{Page, Visitor};
use kit::people::{ANA, MARA, Persona, TOMAS};
use kit::{App, on_both};
use reqwest::Method;
use serde_json::{Value, json};

on_both! {
    /// A command names the version it was decided on: another one is 412, none is 428, `*` takes what is there.
    async fn nobody_overwrites_what_they_have_not_seen(app: &App) {
        let no = app.cycle_in(Stage::PlanReview, MARA, 9_000).await;
        let ana = Program::of(app, ANA).await;
        let (cycle, commands) = (format!("/api/v1/cycles/{no}"), format!("/api/v1/cycles/{no}/commands"));
        let seen = ana.get(&cycle).await;
        let tag = seen.header("etag").to_owned();
        assert_eq!(tag, "\"2\"", "opened and submitted");
        let agree = json!({ "step": "plan", "do": "agree" });

        let unsaid = ana.post(&commands, "a", None, &agree).await;
        unsaid.assert_status(428);
        assert_eq!(unsaid.json()["code"], "no_precondition");
        for old in ["\"1\"", "W/\"2\"", "\"2-gzip\"", "2"] {
            let late = ana.post(&commands, "b", Some(old), &agree).await;
            late.assert_status(412);
            assert_eq!(late.json()["code"], "stale", "{old}");
            assert!(late.raw().contains("Mara Lindqvist was here before you"), "{}", late.raw());
        }
        assert_eq!(app.look(&no).await.cycle.stage, Stage::PlanReview, "and nothing has changed");

        let done = ana.post(&commands, "c", Some(&tag), &agree).await;
        done.assert_status(200);
        assert_eq!(done.header("etag"), "\"3\"");
        let repeated = ana.post(&commands, "c", Some(&tag), &agree).await;
        assert_eq!((repeated.status, repeated.json()), (200, done.json()), "the first answer is the answer");
        ana.post(&commands, "d", Some(&tag), &agree).await.assert_status(412);
        ana.post(&commands, "e", Some("*"), &agree).await.assert_status(409);
        assert_eq!(app.look(&no).await.cycle.version, 3);
    }

    async fn a_fund_is_moved_as_it_was_seen(app: &App) {
        let tomas = Program::of(app, TOMAS).await;
        let funds = tomas.get("/api/v1/funds").await.json();
        let fund = funds["rows"].as_array().expect("rows").iter().find(|fund| fund["code"] == "EMEA-GROWTH");
        let version = fund.expect("the fund")["version"].as_i64().expect("a version");
        let commands = "/api/v1/funds/EMEA-GROWTH/commands";
        let budget = json!({ "do": "budget", "amount": { "minor": 100_000, "currency": "EUR" }, "reason": "Second half" });
        tomas.post(commands, "a", None, &budget).await.assert_status(428);
        let tag = |version: i64| format!("\"{version}\"");
        tomas.post(commands, "b", Some(&tag(version - 1)), &budget).await.assert_status(412);
        let done = tomas.post(commands, "c", Some(&tag(version)), &budget).await;
        assert_eq!((done.status, done.header("etag")), (200, tag(version + 1).as_str()), "{}", done.raw());
        tomas.post(commands, "d", Some(&tag(version)), &budget).await.assert_status(412);
    }
}

/// A program with somebody's token.
pub struct Program {
    caller: Visitor,
    token: String,
}

impl Program {
    pub async fn of(app: &App, who: Persona) -> Self {
        let person = app.sign_in(who).await;
        Self { token: person.make_token(&["read", "write"]).await, caller: app.visitor() }
    }

    pub async fn get(&self, path: &str) -> Page {
        self.caller.request(Method::GET, path, |r| r.bearer_auth(&self.token)).await
    }

    /// A call of any body under a key.
    pub async fn send(
        &self,
        path: &str,
        key: &str,
        with: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Page {
        let call =
            |request: reqwest::RequestBuilder| with(request.bearer_auth(&self.token).header("Idempotency-Key", key));
        self.caller.request(Method::POST, path, call).await
    }

    /// One file, as a browser or curl sends it.
    pub async fn hand_in(&self, path: &str, key: &str, name: &str, bytes: &[u8]) -> Page {
        let part = reqwest::multipart::Part::bytes(bytes.to_vec()).file_name(name.to_owned());
        let form = reqwest::multipart::Form::new().part("file", part);
        self.send(path, key, |r| r.multipart(form)).await
    }

    /// A file as the body, under a key.
    pub async fn text(&self, path: &str, key: &str, kind: &str, body: &str) -> Page {
        self.send(path, key, |r| r.header("Content-Type", kind).body(body.to_owned())).await
    }

    pub async fn post(&self, path: &str, key: &str, version: Option<&str>, body: &Value) -> Page {
        let call = |request: reqwest::RequestBuilder| {
            let request = request.bearer_auth(&self.token).header("Idempotency-Key", key).json(body);
            match version {
                Some(version) => request.header("If-Match", version),
                None => request,
            }
        };
        self.caller.request(Method::POST, path, call).await
    }
}
