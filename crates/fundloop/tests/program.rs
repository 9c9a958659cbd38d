//! The program as it is started from a command line: killed in the middle of its work and started again nothing is
//! half-done, and its verbs say what they find.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use domain::ids::FundId;
use domain::ledger::AccountKind;
use kit::http::Visitor;
use kit::people::{KESTREL, NORDWIND, PASSWORD, TOMAS};
use kit::world::{FUND, eur};
use kit::{World, on_both};
use reqwest::Method;
use storage::Viewer;
use storage::read::MovementsOf;

const ROUNDS: usize = 5;
const CALLERS: usize = 4;
const CALLS: usize = 30;

on_both! {
    /// Four callers allocate a euro at a time; the program is killed under them and started again. Whoever got no
    /// answer calls again under the same key, and in the end each call has moved one euro.
    async fn killed_at_any_moment_nothing_is_half_done(world: &World) {
        let folder = tempfile::tempdir().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let token = {
            let _program = Program::serve(world, folder.path(), port);
            token(port).await
        };
        for round in 0..ROUNDS {
            let mut program = Program::serve(world, folder.path(), port);
            let callers = (0..CALLERS).map(|caller| tokio::spawn(call_until_silence(port, token.clone(), round, caller)));
            let callers: Vec<_> = callers.collect();
            tokio::time::sleep(Duration::from_millis(15 + 70 * u64::try_from(round).expect("a small number"))).await;
            program.kill();
            let answered = futures_util::future::join_all(callers).await;
            let answered: Vec<usize> = answered.into_iter().map(|done| done.expect("a caller ends")).collect();
            world.assert_sound().await;
            assert!(allocated(world).await >= round * CALLERS * CALLS + answered.iter().sum::<usize>(), "what was answered is there");

            let _program = Program::serve(world, folder.path(), port);
            for (caller, done) in answered.into_iter().enumerate() {
                // The last answered one as well: asked again, it is the first answer and moves nothing.
                for call in done.saturating_sub(1)..CALLS {
                    assert_eq!(allocate(port, &token, round, caller, call).await, Some(200));
                }
            }
        }
        assert_eq!(allocated(world).await, ROUNDS * CALLERS * CALLS);
    }

    async fn its_verbs_say_what_they_find(world: &World) {
        let folder = tempfile::tempdir().expect("a folder");
        let run = |words: &str| run(world, folder.path(), words);
        let sound = run("ledger verify");
        assert_eq!((sound.status.code(), said(&sound).contains("The book holds")), (Some(0), true), "{sound:?}");
        assert_eq!(run("audit verify").status.code(), Some(0));

        let statement = run("ledger statement --fund EMEA-GROWTH");
        let text = said(&statement);
        for words in ["-500000.00 EUR", "400000.00 EUR", "50000.00 EUR", NORDWIND.name, "funding → unallocated"] {
            assert!(text.contains(words), "no “{words}” in {text}");
        }
        let before = run("ledger statement --fund EMEA-GROWTH --on 2020-01-01 --json");
        let before: serde_json::Value = serde_json::from_slice(&before.stdout).expect("JSON");
        assert_eq!((before["accounts"].as_array().map(Vec::len), before["movements"].as_array().map(Vec::len)), (Some(0), Some(0)));
        let wallet = said(&run("ledger statement --partner nordwind"));
        assert!(wallet.contains("50000.00 EUR") && !wallet.contains(KESTREL.name), "{wallet}");

        let journal = said(&run("export gl --from 2026-03-01 --to 2026-03-31"));
        let first = journal.lines().nth(1).expect("a line below the column names");
        let expected = "2026-03-02,fund.budgeted,EMEA-GROWTH/1,2910,500000.00,,EUR,EMEA-GROWTH,,,,";
        assert!(first.starts_with(expected), "{first}");
        assert_eq!(run("export gl --from 2026-03-31 --to 2026-03-01").status.code(), Some(1));

        for (words, code) in [("ledger statement --fund NONE", 1), ("ledger statement --partner e", 1), ("ledger statement", 2)] {
            let refused = run(words);
            assert_eq!(refused.status.code(), Some(code), "{words}: {refused:?}");
            assert!(!refused.stderr.is_empty(), "{words} says why");
        }

        let behind = world.connect().await;
        let tamper = "UPDATE account SET balance = balance + 1 WHERE kind = 'unallocated'";
        sea_orm::ConnectionTrait::execute_unprepared(&behind, tamper).await.expect("a balance is tampered with");
        let found = run("ledger verify");
        assert_eq!(found.status.code(), Some(3), "{found:?}");
        let mend = "UPDATE account SET balance = balance - 1 WHERE kind = 'unallocated'";
        sea_orm::ConnectionTrait::execute_unprepared(&behind, mend).await.expect("and mended");
    }
}

/// A running server; gone when dropped.
struct Program(Child);

impl Program {
    fn serve(world: &World, folder: &Path, port: u16) -> Self {
        let listen = format!("127.0.0.1:{port}");
        let child = command(world, folder)
            .args(["serve", "--no-worker", "--listen", &listen])
            .env("BASE_URL", format!("http://{listen}"))
            .spawn()
            .expect("the program starts");
        let started = Instant::now();
        while TcpStream::connect(&listen).is_err() {
            assert!(started.elapsed() < Duration::from_mins(1), "the program does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Self(child)
    }

    /// SIGKILL: no goodbye.
    fn kill(&mut self) {
        self.0.kill().expect("it is killed");
        self.0.wait().expect("it is gone");
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn command(world: &World, folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fundloop"));
    command.env("DATABASE_URL", &world.url).arg("--data").arg(folder).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(world: &World, folder: &Path, words: &str) -> Output {
    command(world, folder).args(words.split_whitespace()).output().expect("the program runs")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A token of finance's, made in the browser.
async fn token(port: u16) -> String {
    let tomas = Visitor::new(&format!("http://127.0.0.1:{port}"));
    let door = tomas.open("/sign-in").await;
    let home = tomas.press(&door, "Sign in", &[("email", TOMAS.email), ("password", PASSWORD)]).await;
    home.assert_status(200);
    tomas.make_token(&["write"]).await
}

/// How many of a caller's calls were answered before the program fell silent.
async fn call_until_silence(port: u16, token: String, round: usize, caller: usize) -> usize {
    for call in 0..CALLS {
        if allocate(port, &token, round, caller, call).await != Some(200) {
            return call;
        }
    }
    CALLS
}

/// One euro for Nordwind, under a key of its own; `None` where no answer came.
async fn allocate(port: u16, token: &str, round: usize, caller: usize, call: usize) -> Option<u16> {
    let body = serde_json::json!({
        "do": "allocate", "partner": NORDWIND.id(), "amount": eur(1), "expires": null, "reason": "A euro at a time",
    });
    let asked = reqwest::Client::new()
        .request(Method::POST, format!("http://127.0.0.1:{port}/api/v1/funds/{FUND}/commands"))
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", format!("{round}-{caller}-{call}"))
        .header("If-Match", "*")
        .bearer_auth(token)
        .body(body.to_string());
    asked.send().await.ok().map(|answer| answer.status().as_u16())
}

/// Euros given to Nordwind beyond its first 50,000, one a posting.
async fn allocated(world: &World) -> usize {
    let (reader, viewer) = (world.db.reader(), Viewer::system());
    let fund: FundId = world.fund;
    let today = engine::clock::Clock::real().now().date_naive();
    let accounts = reader.accounts_on(&viewer, MovementsOf::Fund(fund), today).await.expect("accounts can be read");
    let ours = accounts
        .iter()
        .filter(|line| line.kind == AccountKind::Available && line.partner.as_deref() == Some(NORDWIND.name));
    let held: i64 = ours.map(|line| line.amount.minor).sum();
    usize::try_from(held / 100 - 50_000).expect("more than at first")
}
