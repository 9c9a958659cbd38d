//! Passwords: argon2id on threads that may block, four at once.

use super::Door;
use crate::error::{Error, Result};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use std::sync::OnceLock;

/// OWASP's setting for argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

const SHORTEST: usize = 12;
const LONGEST: usize = 200;

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// A password as it is stored. Takes a thirtieth of a second and 19 MiB: pages go through the door, which counts.
pub fn hash_password(password: &str) -> Result<String> {
    let hash = argon2()?.hash_password(password.as_bytes()).map_err(Error::internal)?;
    Ok(hash.to_string())
}

/// What an unknown address is checked against, so that it takes as long as a known one.
fn nobodys_hash() -> Result<String> {
    static HASH: OnceLock<String> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return Ok(hash.clone());
    }
    let made = hash_password(&super::secret())?;
    Ok(HASH.get_or_init(|| made).clone())
}

impl Door {
    pub(super) async fn hash(&self, password: String) -> Result<String> {
        self.hashing(move || hash_password(&password)).await
    }

    /// Whether the password is the one behind the hash; `None`, nobody's, takes the same time and is never right.
    pub(super) async fn matches(&self, password: &str, stored: Option<String>) -> Result<bool> {
        let password = password.to_owned();
        self.hashing(move || {
            let known = stored.is_some();
            let stored = stored.map_or_else(nobodys_hash, Ok)?;
            let stored = PasswordHash::new(&stored).map_err(Error::internal)?;
            let right = argon2()?.verify_password(password.as_bytes(), &stored).is_ok();
            Ok(right && known)
        })
        .await
    }

    async fn hashing<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let _seat = self.hashing.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

/// Long enough, and not what anyone would try first.
pub(super) fn acceptable(password: &str, email: &str, name: &str) -> Result<()> {
    let refuse =
        |why: &str| Err(Error::invalid("password", why, "A few words that only you put together are easy to keep."));
    let length = password.chars().count();
    if length < SHORTEST {
        return refuse("Use at least 12 characters.");
    }
    if length > LONGEST {
        return refuse("Use at most 200 characters.");
    }
    let lower = password.to_lowercase();
    let first = lower.chars().next();
    if lower.chars().all(|c| Some(c) == first) {
        return refuse("This is one character repeated.");
    }
    let known = [email, email.split('@').next().unwrap_or_default(), name];
    let is_known =
        |known: &&str| known.chars().count() >= 4 && lower.replace(&known.to_lowercase(), "").chars().count() < 6;
    if known.iter().any(is_known) || COMMON.iter().any(|common| lower.starts_with(common) && length <= common.len() + 6)
    {
        return refuse("This is one of the first passwords anyone would try.");
    }
    Ok(())
}

/// What tops every list of leaked passwords and is long enough to pass, or becomes so with a year behind it.
const COMMON: [&str; 12] = [
    "password",
    "passwort",
    "qwerty",
    "qwertz",
    "123456",
    "abc123",
    "letmein",
    "iloveyou",
    "welcome",
    "administrator",
    "changeme",
    "fundloop",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_guesses_are_no_passwords() {
        let check = |password: &str| acceptable(password, "ana.ferreira@acme.example", "Ana Ferreira").is_ok();
        for weak in
            ["short", "aaaaaaaaaaaaaaaa", "Password1234", "ana ferreira1", "ana.ferreira@acme.example", "qwertz123456"]
        {
            assert!(!check(weak), "{weak}");
        }
        for good in ["velvet harbour sings twice", "Zu Fuß über die Brücke", "k7#mP2xQ9vLs"] {
            assert!(check(good), "{good}");
        }
    }

    #[test]
    fn a_hash_says_what_it_was_made_with() {
        let made = hash_password("velvet harbour sings twice").unwrap();
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        assert_ne!(made, hash_password("velvet harbour sings twice").unwrap());
    }
}
