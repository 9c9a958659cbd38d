//! The whole program on a port of its own: a world, the real server in front of it, and people with browsers.

use std::net::TcpListener;
use std::ops::Deref;
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::dev::ServerHandle;
use chrono::TimeDelta;
use engine::Engine;
use engine::clock::Clock;
use engine::signin::{Door, Limits};
use mailer::Sender;
use storage::Db;
use web::csrf::Seal;
use web::server::{Site, serve};

use crate::browser::{Browser, Look};
use crate::http::{Page, Visitor};
use crate::people::{PASSWORD, Persona};
use crate::world::Foundations;
use crate::{Database, Ground, Kind, World};

pub struct App {
    /// The server's address, without a trailing slash.
    pub base: String,
    pub world: World,
    server: ServerHandle,
    thread: JoinHandle<()>,
}

impl Deref for App {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl Ground for App {
    async fn start(kind: Kind) -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("the port's address"));
        let world = World::at(Database::fresh(kind).await?, &base).await;
        let site = site(&world.engine, &world.db, &world.clock, &world.sender, &base);
        let (server, thread) = open_doors(site, listener);
        Some(Self { base, world, server, thread })
    }

    async fn finish(self) {
        let Self { world, server, thread, .. } = self;
        // The world first: connections opened while a page was served live on the server's threads.
        world.finish().await;
        server.stop(true).await;
        thread.join().expect("the server ends without a panic");
    }
}

/// The program started for the first time: nobody has an account.
pub struct NewHouse {
    pub base: String,
    pub foundations: Foundations,
    server: ServerHandle,
    thread: JoinHandle<()>,
}

impl Ground for NewHouse {
    async fn start(kind: Kind) -> Option<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("the port's address"));
        let foundations = Foundations::at(Database::fresh(kind).await?, &base).await;
        let Foundations { engine, db, clock, sender, .. } = &foundations;
        let (server, thread) = open_doors(site(engine, db, clock, sender, &base), listener);
        Some(Self { base, foundations, server, thread })
    }

    async fn finish(self) {
        self.foundations.db.close().await.expect("the database closes");
        self.server.stop(true).await;
        self.thread.join().expect("the server ends without a panic");
    }
}

impl App {
    /// Somebody who has not signed in.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.base)
    }

    /// This person's browser, signed in through the sign-in page.
    pub async fn sign_in(&self, who: Persona) -> Visitor {
        let visitor = self.visitor();
        let page = self.try_sign_in(&visitor, who.email, PASSWORD).await;
        assert_ne!(page.path, "/sign-in", "{} cannot sign in: {}", who.name, page.text());
        visitor
    }

    /// Fills the sign-in page; the page after it comes back, whatever it is.
    pub async fn try_sign_in(&self, visitor: &Visitor, email: &str, password: &str) -> Page {
        let page = visitor.open("/sign-in").await;
        visitor.press(&page, "Sign in", &[("email", email), ("password", password)]).await
    }

    /// A real browser in which this person is signed in; `None` where there is none and that is allowed.
    pub async fn browse(&self, who: Persona, look: Look) -> Option<Browser> {
        let browser = Browser::open(&self.base, look).await?;
        browser.goto("/sign-in").await.fill("email", who.email).await.fill("password", PASSWORD).await;
        browser.press("Sign in").await;
        assert!(browser.has_left("/sign-in").await, "{} cannot sign in: {}", who.name, browser.text().await);
        Some(browser)
    }
}

fn site(engine: &Engine, db: &Db, clock: &Clock, sender: &Sender, base: &str) -> Site {
    // Stories jump from season to season; nobody should have to sign in again for that.
    let years = TimeDelta::days(3650);
    Site {
        engine: engine.clone(),
        door: Door::new(db.clone(), clock.clone(), sender.clone(), Limits { idle: years, longest: years }),
        seal: Seal::new("a secret for tests only"),
        base_url: base.parse().expect("our own address"),
        proxies: 0,
    }
}

/// Runs the server on a thread of its own until it is told to stop.
fn open_doors(site: Site, listener: TcpListener) -> (ServerHandle, JoinHandle<()>) {
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = serve(site, listener, 2).expect("the server starts");
            tell.send(server.handle()).expect("the test waits for the server");
            server.await.expect("the server ends when it is told to");
        });
    });
    (told.recv().expect("the server has started"), thread)
}
