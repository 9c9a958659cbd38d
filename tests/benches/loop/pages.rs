//! Pages a second: the server of `fundloop serve`, on a socket of its own, with one page more, the yardstick: twenty
//! rows from one query in a small template, under the same wraps.

use std::net::TcpListener;
use std::sync::atomic::{AtomicI64, Ordering};

use ::web::csrf::Seal;
use ::web::gate::{self, Access};
use ::web::routes;
use ::web::server::{Site, serve_these};
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Responder};
use askama::Template;
use domain::cycle::Stage;
use engine::Engine;
use engine::clock::Clock;
use engine::signin::{Door, Limits, Try, Visit as Visitor};
use kit::World;
use kit::people::{ANA, CLAIRE, DACH, PASSWORD, Persona, TOMAS};
use mailer::{Post, Sender};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use storage::{Db, Options};

use crate::bare;
use crate::client::Visit;
use crate::multiply::Crowd;

/// The pages that are measured, by the name they have in the table.
pub const PAGES: [&str; 9] = [
    "home",
    "home of finance",
    "cycles",
    "approvals",
    "approvals by ROI",
    "claims",
    "one cycle",
    "performance",
    "yardstick, signed in",
];

/// A server that runs until the benchmark ends, and who visits what on it.
pub struct Served {
    pub yardstick: Visit,
    /// In the order of [`PAGES`].
    pub pages: Vec<Visit>,
    handle: ServerHandle,
}

impl Served {
    pub async fn start(world: &World, crowd: &Crowd) -> Self {
        let ground = (world.url.clone(), world.folder.path().join("files"), world.clock.clone(), world.sender.clone());
        let (tell, told) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            kit::runtime().block_on(async move {
                let (url, files, clock, sender) = ground;
                let site = site(&url, &files, clock, sender).await;
                let mut cookies = Vec::new();
                for who in [ANA, CLAIRE, TOMAS] {
                    cookies.push(signed_in(&site.door, who).await);
                }
                let readers = Data::new(bare::readers(&url).await);
                let last = Data::new(Turn { next: AtomicI64::new(1) });
                let mount = move |config: &mut ServiceConfig| {
                    let signed_in =
                        web::get().to(yardstick).wrap(from_fn(|req, next| gate::pass(Access::SignedIn, req, next)));
                    config.app_data(readers.clone()).app_data(last.clone());
                    config.route("/yardstick", web::get().to(yardstick)).route("/yardstick/signed-in", signed_in);
                    routes::mount(config);
                };
                let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
                let address = listener.local_addr().expect("an address").to_string();
                let server = serve_these(mount, site, listener, 0).expect("the server starts");
                assert!(tell.send((address, cookies, server.handle())).is_ok(), "nobody waits for the server");
                server.await.expect("the server runs");
            });
        });
        let (address, cookies, handle) = told.await.expect("the server starts");
        let [ana, claire, tomas] = cookies.as_slice() else { panic!("three sign in") };
        let visit =
            |paths: Vec<String>, cookie: &str| Visit { address: address.clone(), paths, cookie: cookie.to_owned() };
        Self {
            yardstick: visit(vec!["/yardstick".to_owned()], ""),
            pages: vec![
                visit(vec!["/".to_owned()], ana),
                visit(vec!["/".to_owned()], tomas),
                visit(vec!["/cycles".to_owned()], ana),
                visit(vec!["/approvals".to_owned()], ana),
                visit(vec!["/approvals?sort=roi".to_owned()], ana),
                visit(vec!["/claims?view=all".to_owned()], ana),
                visit(cycle_pages(crowd), ana),
                visit(vec!["/performance".to_owned()], claire),
                visit(vec!["/yardstick/signed-in".to_owned()], ana),
            ],
            handle,
        }
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

/// Some pages of every stage, from all over the database, so that neither size has an easier mix.
fn cycle_pages(crowd: &Crowd) -> Vec<String> {
    const OF_EACH: usize = 8;
    let mut paths = Vec::new();
    for stage in Stage::ALL {
        let near: Vec<_> = crowd.cycles.iter().filter(|c| c.stage == stage && c.region == DACH).collect();
        let step = (near.len() / OF_EACH).max(1);
        paths.extend(near.iter().step_by(step).take(OF_EACH).map(|copied| format!("/cycles/{}", copied.number)));
    }
    paths
}

async fn site(url: &str, files: &std::path::Path, clock: Clock, sender: Sender) -> Site {
    let db = Db::connect(url, &Options::default()).await.expect("the database opens");
    let (post, _) = Post::memory(&sender).expect("a letterbox");
    let engine = Engine::new(db.clone(), clock.clone(), sender.clone(), post, files).expect("an engine");
    let door = Door::new(db, clock, sender, Limits::default());
    let base_url = "http://fundloop.example".parse().expect("a constant");
    Site { engine, door, seal: Seal::new("a secret of this benchmark"), base_url, proxies: 0 }
}

async fn signed_in(door: &Door, who: Persona) -> String {
    let visit = Visitor::default();
    let tried = Try { email: who.email, password: PASSWORD, device: None, visit: &visit };
    let opened = door.sign_in(tried).await.unwrap_or_else(|error| panic!("{}: {error:?}", who.name));
    format!("fundloop_session={}", opened.token)
}

#[derive(Template)]
#[template(
    source = "<!doctype html><title>Cycles</title><h1>Cycles</h1><table>\
        {% for row in rows %}<tr><td>{{ row.number }}<td>{{ row.title }}<td>{{ row.region }}<td>{{ row.stage }}\
        <td>{{ row.task }}<td>{{ row.asked }}{% endfor %}</table>",
    ext = "html"
)]
struct Yardstick {
    rows: Vec<Row>,
}

struct Row {
    number: String,
    title: String,
    region: String,
    stage: String,
    task: String,
    asked: i64,
}

/// Where the next page of the yardstick begins: it walks through the numbers.
struct Turn {
    next: AtomicI64,
}

async fn yardstick(db: Data<DatabaseConnection>, turn: Data<Turn>) -> impl Responder {
    let after = 1_000 + turn.next.fetch_add(37, Ordering::Relaxed) % 800;
    let sql = "SELECT number, title, region, stage, task, asked FROM cycle WHERE serial > $1 ORDER BY serial LIMIT 20";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [after.into()]);
    let found = db.query_all_raw(statement).await.expect("the yardstick's rows");
    let row = |row: &sea_orm::QueryResult| {
        let text = |name: &str| row.try_get("", name).expect("a text");
        Row {
            number: text("number"),
            title: text("title"),
            region: text("region"),
            stage: text("stage"),
            task: text("task"),
            asked: row.try_get("", "asked").expect("an amount"),
        }
    };
    let page = Yardstick { rows: found.iter().map(row).collect() };
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(page.render().expect("the yardstick's page"))
}
