//! Mails by SMTP.

use super::{SendError, SetupError};
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use std::time::Duration;
use url::{Host, Url};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(20);
/// How long one mail may take, connection and all; the outbox leases a row for longer than that.
const WHOLE: Duration = Duration::from_secs(50);
/// Mails sent at once; more wait for a connection.
const CONNECTIONS: u32 = 4;

#[derive(Clone)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    server: String,
}

/// Not the transport: it holds the password.
impl std::fmt::Debug for Smtp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Smtp").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Smtp {
    pub fn new(url: &str) -> Result<Self, SetupError> {
        let url = with_tls(url)?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())
            .map_err(|error| SetupError(format!("The mail server's address cannot be used: {}.", chain(&error))))?
            .timeout(Some(CONNECT))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS))
            .build();
        let server = format!("{}:{}", url.host_str().unwrap_or_default(), port(&url));
        Ok(Self { transport, server })
    }

    pub async fn send(&self, message: Message) -> Result<(), SendError> {
        match tokio::time::timeout(WHOLE, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(judged(&error)),
            Err(_) => {
                Err(SendError::temporary(format!("{} did not answer in {} seconds.", self.server, WHOLE.as_secs())))
            }
        }
    }

    pub fn describe(&self) -> String {
        format!("SMTP, {}", self.server)
    }
}

/// The address with its TLS said: the rule of [`super::Post::smtp`].
fn with_tls(text: &str) -> Result<Url, SetupError> {
    let example = "write it as smtp://user:password@host:port or smtps://user:password@host";
    let mut url = Url::parse(text)
        .map_err(|error| SetupError(format!("The mail server's address cannot be read ({error}): {example}.")))?;
    if !matches!(url.scheme(), "smtp" | "smtps") || url.host_str().is_none_or(str::is_empty) {
        return Err(SetupError(format!("The mail server's address is not one for SMTP: {example}.")));
    }
    if !url.username().is_empty() && url.password().is_none() {
        return Err(SetupError(format!("The mail server's address has a user but no password: {example}.")));
    }
    let tls = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
    match (url.scheme(), tls.as_deref()) {
        ("smtp", None) if is_this_machine(&url) => {}
        ("smtp", None) if url.password().is_some() => url.set_query(Some("tls=required")),
        ("smtp", None) => set_opportunistic(&mut url),
        ("smtp", Some("none")) => url.set_query(None),
        _ => {}
    }
    Ok(url)
}

/// A relay that asks for no password listens on port 25, whether or not it offers TLS.
fn set_opportunistic(url: &mut Url) {
    let port = port(url);
    url.set_query(Some("tls=opportunistic"));
    // Setting a port fails only for an address without a host, which was refused above.
    let _ = url.set_port(Some(port));
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        // `smtp` is no scheme the URL standard knows, so an IPv4 address stays a name here.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        }
        None => false,
    }
}

fn port(url: &Url) -> u16 {
    let usual = match (url.scheme(), url.query()) {
        ("smtps", _) => 465,
        (_, Some("tls=required" | "tls=opportunistic")) => 587,
        _ => 25,
    };
    url.port().unwrap_or(usual)
}

/// Which failures may pass. A server that wants another password (RFC 4954: 530, 534, 535, 538) refuses our
/// settings, not this mail, so the mail waits until they are mended.
fn judged(error: &Error) -> SendError {
    let about_us = error.status().is_some_and(|code| matches!(u16::from(code), 530 | 534 | 535 | 538));
    let temporary = about_us || !error.is_permanent();
    SendError { temporary, words: format!("The mail server: {}.", chain(error)) }
}

/// An error with its causes, each once: "Connection error: connection refused".
fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let inner = error.to_string();
        if !words.contains(&inner) {
            words = format!("{words}: {inner}");
        }
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::{port, with_tls};

    #[test]
    fn a_password_goes_to_another_machine_only_under_tls() {
        let cases = [
            ("smtp://mdf:pw@mail.acme.example", "smtp://mdf:pw@mail.acme.example?tls=required", 587),
            ("smtp://mdf:pw@mail.acme.example:2525", "smtp://mdf:pw@mail.acme.example:2525?tls=required", 2525),
            ("smtp://relay.acme.example", "smtp://relay.acme.example:25?tls=opportunistic", 25),
            ("smtp://mailpit:1025", "smtp://mailpit:1025?tls=opportunistic", 1025),
            ("smtp://mdf:pw@localhost:1025", "smtp://mdf:pw@localhost:1025", 1025),
            ("smtp://127.0.0.1", "smtp://127.0.0.1", 25),
            ("smtp://mdf:pw@[::1]", "smtp://mdf:pw@[::1]", 25),
            ("smtp://mdf:pw@10.0.0.5?tls=none", "smtp://mdf:pw@10.0.0.5", 25),
            ("smtps://mdf:pw@mail.acme.example", "smtps://mdf:pw@mail.acme.example", 465),
        ];
        for (given, used, on) in cases {
            let url = with_tls(given).unwrap();
            assert_eq!((url.as_str(), port(&url)), (used, on), "{given}");
        }
    }
}
