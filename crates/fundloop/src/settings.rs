//! Settings: the defaults carried inside the program, a file, the environment, in this order; unknown keys are refused.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

pub const DEFAULTS: &str = include_str!("../../../config/default.toml");
const PREFIX: &str = "FUNDLOOP__";
/// The short names of the settings every installation looks at.
const SHORT: [(&str, &str); 4] = [
    ("DATABASE_URL", "database.url"),
    ("BASE_URL", "server.base_url"),
    ("SECRET_KEY", "server.secret_key"),
    ("SMTP_URL", "mail.url"),
];
const SHORTEST_SECRET: usize = 32;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub server: Server,
    pub database: Database,
    pub data: Data,
    pub mail: Mail,
    pub sessions: Sessions,
    pub worker: Worker,
    /// Account codes by kind of account; see [`engine::general_ledger::Chart`].
    pub general_ledger: BTreeMap<String, String>,
    pub log: Log,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: String,
    base_url: String,
    secret_key: SecretString,
    pub workers: usize,
    pub proxies: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    url: SecretString,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    pub folder: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    pub url: SecretString,
    pub from: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sessions {
    pub idle_hours: u32,
    pub longest_hours: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub every_seconds: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Settings {
    /// Reads every source; `environment` is handed in so that a test need not change its own.
    pub fn read(file: Option<&Path>, environment: impl Iterator<Item = (String, String)>) -> anyhow::Result<Self> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(file) = file {
            let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
            figment = figment.merge(Toml::string(&text));
        }
        for (key, value) in from_environment(environment)? {
            figment = figment.merge(Serialized::default(&key, value));
        }
        figment.extract().map_err(|error| anyhow::anyhow!("the settings do not read: {error}"))
    }

    /// The database's address; without one, an SQLite file in the data folder.
    pub fn database_url(&self) -> String {
        let url = self.database.url.expose_secret();
        if !url.is_empty() {
            return url.to_owned();
        }
        format!("sqlite://{}?mode=rwc", self.data.folder.join("fundloop.db").display())
    }

    /// The address people type, without a slash at its end.
    pub fn base_url(&self) -> String {
        if self.server.base_url.is_empty() {
            return format!("http://{}", self.server.listen.replace("0.0.0.0", "localhost"));
        }
        self.server.base_url.trim_end_matches('/').to_owned()
    }

    /// The secret every process of this installation shares; made and kept in the data folder if none was set.
    pub fn secret(&self) -> anyhow::Result<SecretString> {
        let set = self.server.secret_key.expose_secret();
        if set.is_empty() {
            return kept_secret(&self.data.folder);
        }
        if set.len() < SHORTEST_SECRET {
            bail!(
                "SECRET_KEY is too short: use at least {SHORTEST_SECRET} characters, for example from `openssl rand -hex 32`"
            );
        }
        Ok(self.server.secret_key.clone())
    }

    /// What is in force, as TOML, with secrets and passwords left out.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        let url = self.database_url();
        let codes = self.general_ledger.iter().map(|(kind, code)| (kind.as_str(), quoted(code)));
        let lines: [(&str, Vec<(&str, String)>); 8] = [
            (
                "server",
                vec![
                    ("listen", quoted(&self.server.listen)),
                    ("base_url", quoted(&self.base_url())),
                    (
                        "secret_key",
                        quoted(if self.server.secret_key.expose_secret().is_empty() {
                            "(kept in the data folder)"
                        } else {
                            "(set)"
                        }),
                    ),
                    ("workers", self.server.workers.to_string()),
                    ("proxies", self.server.proxies.to_string()),
                ],
            ),
            ("database", vec![("url", quoted(&without_password(&url)))]),
            ("data", vec![("folder", quoted(&self.data.folder.display().to_string()))]),
            (
                "mail",
                vec![
                    ("url", quoted(&without_password(self.mail.url.expose_secret()))),
                    ("from", quoted(&self.mail.from)),
                ],
            ),
            (
                "sessions",
                vec![
                    ("idle_hours", self.sessions.idle_hours.to_string()),
                    ("longest_hours", self.sessions.longest_hours.to_string()),
                ],
            ),
            ("worker", vec![("every_seconds", self.worker.every_seconds.to_string())]),
            ("general_ledger", codes.collect()),
            ("log", vec![("level", quoted(&self.log.level)), ("format", quoted(self.log.format.name()))]),
        ];
        for (section, pairs) in lines {
            let _ = writeln!(text, "[{section}]");
            for (key, value) in pairs {
                let _ = writeln!(text, "{key} = {value}");
            }
            text.push('\n');
        }
        text.trim_end().to_owned()
    }
}

impl LogFormat {
    fn name(self) -> &'static str {
        match self {
            LogFormat::Text => "text",
            LogFormat::Json => "json",
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// `postgres://user:secret@host/db` becomes `postgres://user:***@host/db`.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let Some((who, host)) = rest.rsplit_once('@') else { return url.to_owned() };
    let user = who.split_once(':').map_or(who, |(user, _)| user);
    let password = if who.contains(':') { ":***" } else { "" };
    format!("{scheme}://{user}{password}@{host}")
}

/// The environment's settings as dotted keys, files read.
fn from_environment(
    environment: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<Vec<(String, figment::value::Value)>> {
    let mut found = Vec::new();
    for (name, value) in environment {
        let (plain, in_file) = match name.strip_suffix("_FILE") {
            Some(plain) => (plain, true),
            None => (name.as_str(), false),
        };
        let short = SHORT.iter().find(|(short, _)| *short == plain).map(|(_, key)| (*key).to_owned());
        let long = plain.strip_prefix(PREFIX).map(|rest| rest.to_ascii_lowercase().replace("__", "."));
        let Some(key) = short.or(long) else { continue };
        let value = if in_file {
            let text = std::fs::read_to_string(&value).with_context(|| format!("{name}: cannot read {value}"))?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            value
        };
        found.push((key.clone(), typed(&key, value)));
    }
    Ok(found)
}

/// The environment knows only text: a number where the default is one, text everywhere else.
fn typed(key: &str, value: String) -> figment::value::Value {
    let default = Figment::from(Toml::string(DEFAULTS)).find_value(key).ok();
    let number = default.is_some_and(|default| default.to_num().is_some());
    match value.parse::<u64>() {
        Ok(parsed) if number => parsed.into(),
        _ => value.into(),
    }
}

fn kept_secret(folder: &Path) -> anyhow::Result<SecretString> {
    let file = folder.join("secret.key");
    if let Ok(text) = std::fs::read_to_string(&file) {
        let text = text.trim();
        if text.len() < SHORTEST_SECRET {
            bail!("{} is damaged: restore it, or remove it to sign everyone out", file.display());
        }
        return Ok(text.to_owned().into());
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let secret = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    match write_private(&file, &secret) {
        Ok(()) => Ok(secret.into()),
        // Another process of this installation was a moment faster: its secret is the one.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => kept_secret(folder),
        Err(error) => Err(error).with_context(|| format!("cannot write {}", file.display())),
    }
}

/// Whole or not at all, for the owner's eyes only: linked into place once it is written.
fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let part = file.with_extension(format!("{}.part", uuid::Uuid::new_v4().simple()));
    std::io::Write::write_all(&mut options.open(&part)?, text.as_bytes())?;
    let linked = std::fs::hard_link(&part, file);
    std::fs::remove_file(&part)?;
    linked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(environment: &[(&str, &str)]) -> anyhow::Result<Settings> {
        Settings::read(None, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_environment_wins_over_the_defaults() {
        let settings = read(&[
            ("FUNDLOOP__SERVER__LISTEN", "0.0.0.0:9000"),
            ("FUNDLOOP__SESSIONS__IDLE_HOURS", "2"),
            ("DATABASE_URL", "postgres://fl:pw@db/fl"),
            ("HOME", "/root"),
        ])
        .unwrap();
        assert_eq!(settings.server.listen, "0.0.0.0:9000");
        assert_eq!(settings.sessions.idle_hours, 2);
        assert_eq!(settings.base_url(), "http://localhost:9000");
        assert_eq!(settings.database_url(), "postgres://fl:pw@db/fl");
        assert!(settings.shown().contains("postgres://fl:***@db/fl"));
        toml::from_str::<toml::Table>(&settings.shown()).unwrap();
    }

    #[test]
    fn unknown_keys_and_weak_secrets_are_refused() {
        assert!(read(&[("FUNDLOOP__SERVER__LISTNE", "x")]).unwrap_err().to_string().contains("listne"));
        assert!(read(&[("FUNDLOOP__SESSIONS__IDLE_HOURS", "soon")]).is_err());
        assert!(read(&[("SECRET_KEY", "short")]).unwrap().secret().is_err());
        assert!(
            !format!("{:?}", read(&[("SECRET_KEY", "a-secret-of-more-than-32-characters")]).unwrap())
                .contains("a-secret")
        );
    }

    #[test]
    fn a_secret_may_stand_in_a_file_and_is_made_where_there_is_none() {
        let folder = std::env::temp_dir().join(format!("fundloop-settings-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("given");
        std::fs::write(&file, "0123456789abcdef0123456789abcdef\n").unwrap();
        let settings = read(&[("SECRET_KEY_FILE", file.to_str().unwrap())]).unwrap();
        assert_eq!(settings.secret().unwrap().expose_secret(), "0123456789abcdef0123456789abcdef");
        let settings = read(&[("FUNDLOOP__DATA__FOLDER", folder.to_str().unwrap())]).unwrap();
        let made = settings.secret().unwrap();
        assert_eq!(made.expose_secret(), settings.secret().unwrap().expose_secret());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
