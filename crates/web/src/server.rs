//! The server: what every request can reach, and the order of what is wrapped round the routes.

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{App, HttpServer};
use engine::Engine;
use engine::signin::{Door, Signed};
use tracing_actix_web::TracingLogger;
use url::Url;
use uuid::Uuid;

use crate::csrf::{Purpose, Seal};
use crate::extract::holder;
use crate::view::Form;
use crate::{headers, routes};

/// What the pages stand on; one for all threads.
pub struct Site {
    pub engine: Engine,
    pub door: Door,
    pub seal: Seal,
    /// The address people type.
    pub base_url: Url,
    /// How many proxies in front of us are believed about whom they speak for.
    pub proxies: usize,
}

impl Site {
    /// Cookies are sent over HTTPS only, and browsers are told to insist on it.
    pub fn is_https(&self) -> bool {
        self.base_url.scheme() == "https"
    }

    /// What the first run asks of anyone who does not sit at the machine itself; written to the log at the start.
    pub fn set_up_code(&self) -> String {
        self.seal.digest(Purpose::SetUp, "first run")[..10].to_uppercase()
    }

    /// A form for somebody whose session this request has only just opened.
    pub fn form_for(&self, signed: &Signed) -> Form {
        let holder = holder(Some(signed), Uuid::nil());
        Form::new(&self.seal.stamp(Purpose::Form, &holder), &self.seal.stamp(Purpose::Once, &holder))
    }
}

/// Serves on a socket that is already bound, so that a test may let the system choose the port. The server runs while
/// the returned future is polled.
pub fn serve(site: Site, listener: TcpListener, workers: usize) -> std::io::Result<Server> {
    serve_these(routes::mount, site, listener, workers)
}

/// The same for other routes: a benchmark puts its own page beside ours, under the same wraps.
pub fn serve_these(
    mount: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    site: Site,
    listener: TcpListener,
    workers: usize,
) -> std::io::Result<Server> {
    let site = Data::new(site);
    let factory = move || {
        App::new()
            .app_data(site.clone())
            .configure(mount.clone())
            .wrap(Compress::default())
            .wrap(from_fn(headers::add))
            .wrap(TracingLogger::default())
    };
    let server = HttpServer::new(factory).shutdown_timeout(10);
    let server = if workers > 0 { server.workers(workers) } else { server };
    Ok(server.listen(listener)?.run())
}
