//! Proof that a form came from a page of ours, for this very session, and was not made up elsewhere.
//!
//! A stamp is `nonce.mac`: the nonce differs on every page (so that compression cannot betray it), the MAC ties it to
//! its holder and to its purpose. A sealed text is carried by the browser and comes back as it went, or not at all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What a stamp is good for; a stamp for one is no stamp for another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The hidden `csrf` field of every form.
    Form,
    /// The hidden `once` field: a submission counted one time.
    Once,
    /// The one-sentence answer shown after a redirect.
    Flash,
    /// A browser its owner has signed in from before.
    Device,
    /// What was being sent when the session had ended.
    Carry,
    /// The code that the first run asks for.
    SetUp,
}

impl Purpose {
    fn tag(self) -> &'static [u8] {
        match self {
            Purpose::Form => b"form",
            Purpose::Once => b"once",
            Purpose::Flash => b"flash",
            Purpose::Device => b"device",
            Purpose::Carry => b"carry",
            Purpose::SetUp => b"set-up",
        }
    }
}

/// The server's secret, as a key. Every process of one installation holds the same.
#[derive(Clone)]
pub struct Seal {
    /// Keyed and fed nothing yet.
    blank: Hmac<Sha256>,
}

impl Seal {
    pub fn new(secret: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"fundloop/seal/v1");
        hash.update(secret.as_bytes());
        let blank = <Hmac<Sha256> as KeyInit>::new_from_slice(&hash.finalize());
        Self { blank: blank.expect("HMAC takes a key of any length") }
    }

    /// A fresh stamp for a holder: the session, or a visitor without one.
    pub fn stamp(&self, purpose: Purpose, holder: &str) -> String {
        let nonce = Uuid::new_v4().simple().to_string();
        let mac = URL_SAFE_NO_PAD.encode(self.mac(purpose, holder, &nonce).finalize().into_bytes());
        format!("{nonce}.{mac}")
    }

    /// The nonce of a stamp made for this purpose and holder.
    pub fn nonce<'a>(&self, purpose: Purpose, holder: &str, stamp: &'a str) -> Option<&'a str> {
        let (nonce, mac) = stamp.split_once('.')?;
        let mac = URL_SAFE_NO_PAD.decode(mac).ok()?;
        self.mac(purpose, holder, nonce).verify_slice(&mac).ok()?;
        Some(nonce)
    }

    /// A text for a cookie, signed; anyone may read it, nobody may change it.
    pub fn seal(&self, purpose: Purpose, text: &str) -> String {
        let body = URL_SAFE_NO_PAD.encode(text);
        let mac = URL_SAFE_NO_PAD.encode(self.mac(purpose, "", &body).finalize().into_bytes());
        format!("{body}.{mac}")
    }

    /// The text of a sealed cookie, if it is ours.
    pub fn unseal(&self, purpose: Purpose, sealed: &str) -> Option<String> {
        let body = self.nonce(purpose, "", sealed)?;
        String::from_utf8(URL_SAFE_NO_PAD.decode(body).ok()?).ok()
    }

    /// A text's own MAC, in hex.
    pub fn digest(&self, purpose: Purpose, text: &str) -> String {
        hex::encode(self.mac(purpose, "", text).finalize().into_bytes())
    }

    /// Each part is led by its length, so that no two inputs read alike.
    fn mac(&self, purpose: Purpose, holder: &str, nonce: &str) -> Hmac<Sha256> {
        let mut mac = self.blank.clone();
        for part in [purpose.tag(), holder.as_bytes(), nonce.as_bytes()] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_serves_one_holder_and_one_purpose() {
        let seal = Seal::new("a secret of this server");
        let stamp = seal.stamp(Purpose::Form, "session-1");
        assert!(seal.nonce(Purpose::Form, "session-1", &stamp).is_some());
        assert!(seal.nonce(Purpose::Form, "session-2", &stamp).is_none());
        assert!(seal.nonce(Purpose::Once, "session-1", &stamp).is_none());
        assert!(Seal::new("another").nonce(Purpose::Form, "session-1", &stamp).is_none());
        assert_ne!(stamp, seal.stamp(Purpose::Form, "session-1"));
        for forged in ["", ".", "x", "x.y", &stamp[..stamp.len() - 1]] {
            assert!(seal.nonce(Purpose::Form, "session-1", forged).is_none(), "{forged}");
        }
    }

    #[test]
    fn a_sealed_text_comes_back_whole_or_not_at_all() {
        let seal = Seal::new("a secret of this server");
        let sealed = seal.seal(Purpose::Flash, "Saved. “Ünïcode” too.");
        assert_eq!(seal.unseal(Purpose::Flash, &sealed).as_deref(), Some("Saved. “Ünïcode” too."));
        assert_eq!(seal.unseal(Purpose::Device, &sealed), None);
        let other = seal.seal(Purpose::Flash, "Paid.");
        let (body, _) = other.split_once('.').unwrap();
        let (_, mac) = sealed.split_once('.').unwrap();
        assert_eq!(seal.unseal(Purpose::Flash, &format!("{body}.{mac}")), None);
    }
}
