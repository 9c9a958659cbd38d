//! `fundloop serve`, `fundloop worker`, `fundloop healthcheck`.

use super::{Ground, Outcome};
use crate::settings::Settings;
use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;
use web::csrf::Seal;
use web::server::{self, Site};

/// Ended sessions and old guesses are forgotten this often.
const SWEEP_EVERY: Duration = Duration::from_hours(1);

pub async fn serve(settings: &Settings, with_worker: bool) -> anyhow::Result<Outcome> {
    let ground = Ground::open(settings).await?;
    serve_on(settings, ground, with_worker).await
}

/// Serves until the program is asked to stop; requests under way are finished first.
pub async fn serve_on(settings: &Settings, ground: Ground, with_worker: bool) -> anyhow::Result<Outcome> {
    let site = site(settings, &ground)?;
    let listen = &settings.server.listen;
    let listener = TcpListener::bind(listen).with_context(|| format!("cannot listen on {listen}"))?;
    tracing::info!(address = %settings.base_url(), "Fundloop is at {}", settings.base_url());
    if ground.door.is_new().await? {
        let code = site.set_up_code();
        tracing::warn!("nobody has an account yet: set up at {}/setup?code={code}", settings.base_url());
    }
    let server = server::serve(site, listener, settings.server.workers)?;
    if !with_worker {
        server.await?;
        return Ok(Outcome::Done);
    }
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = async move {
        let ended = server.await;
        drop(stop);
        ended
    };
    let (ended, ()) = tokio::join!(serving, work(settings, ground, async move { drop(stopped.await) }));
    ended?;
    Ok(Outcome::Done)
}

pub fn site(settings: &Settings, ground: &Ground) -> anyhow::Result<Site> {
    Ok(Site {
        engine: ground.engine.clone(),
        door: ground.door.clone(),
        seal: Seal::new(settings.secret()?.expose_secret()),
        base_url: settings
            .base_url()
            .parse()
            .context("server.base_url is no address: write it like https://mdf.example.com")?,
        proxies: settings.server.proxies,
    })
}

pub async fn worker(settings: &Settings) -> anyhow::Result<Outcome> {
    let ground = Ground::open(settings).await?;
    tracing::info!("working on timers and mail ({})", ground.engine.post_office());
    work(settings, ground, asked_to_stop()).await;
    Ok(Outcome::Done)
}

/// Ctrl-C, or what containers send. A signal that cannot be listened to would be a stop nobody asked for: it never comes.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = terminated => {}
        () = interrupted => {}
    }
}

/// The engine's own work, and once an hour the door's sweeping.
async fn work(settings: &Settings, ground: Ground, stop: impl Future<Output = ()>) {
    let every = std::time::Duration::from_secs(settings.worker.every_seconds.max(1));
    let sweeping = async {
        loop {
            if let Err(error) = ground.door.sweep().await {
                tracing::warn!("ended sessions were not swept: {error}");
            }
            tokio::time::sleep(SWEEP_EVERY).await;
        }
    };
    tokio::select! {
        () = ground.engine.work(every, stop) => {}
        () = sweeping => {}
    }
}

/// Asks `/readyz` of the program that listens where the settings say.
pub async fn healthcheck(settings: &Settings) -> anyhow::Result<Outcome> {
    let listen = settings.server.listen.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]");
    let answer = tokio::task::spawn_blocking(move || ask(&listen)).await??;
    if answer.starts_with("HTTP/1.1 200") {
        return Ok(Outcome::Done);
    }
    bail!("not ready: {}", answer.lines().next().unwrap_or("no answer"))
}

fn ask(listen: &str) -> anyhow::Result<String> {
    let address = listen.to_socket_addrs()?.next().context("no such address")?;
    let wait = Duration::from_secs(3);
    let mut stream =
        TcpStream::connect_timeout(&address, wait).with_context(|| format!("nothing listens on {listen}"))?;
    stream.set_read_timeout(Some(wait))?;
    write!(stream, "GET /readyz HTTP/1.1\r\nHost: {listen}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(4096).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
