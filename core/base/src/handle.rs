//! Opaque handles: `prefix_` + base64url(row id ‖ secret). The row is found by its primary key
//! and the secret compared by its hash, so that no index on random bytes exists.

use crate::{id::Id, mac, rng::Rng};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroize;

/// What a handle is for. Each kind has its own prefix and its own hash, so that a handle of one
/// kind is refused wherever another is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleKind {
    /// The device cookie.
    Device,
    /// One session in the session cookie.
    Session,
    /// An authorization code.
    Code,
    /// An opaque access token.
    Access,
    /// A link in a mail.
    Link,
    /// A key for the admin API.
    ApiKey,
    /// What lets somebody register an application (RFC 7591).
    InitialAccess,
    /// With what an application manages its registration (RFC 7592).
    Registration,
}

impl HandleKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Device => "dv_",
            Self::Session => "se_",
            Self::Code => "ac_",
            Self::Access => "at_",
            Self::Link => "ln_",
            Self::ApiKey => "ak_",
            Self::InitialAccess => "ia_",
            Self::Registration => "rg_",
        }
    }
}

const SECRET: usize = 24;

/// A row's id with a secret of 192 bits.
#[derive(Clone)]
pub struct Handle {
    kind: HandleKind,
    row: [u8; 16],
    secret: [u8; SECRET],
}

impl Handle {
    /// A fresh handle of a row.
    pub fn new<T>(kind: HandleKind, row: Id<T>, rng: &dyn Rng) -> Self {
        let mut secret = [0; SECRET];
        rng.fill(&mut secret);
        Self { kind, row: *row.as_bytes(), secret }
    }

    /// Reads a handle of this kind; anything else is none.
    pub fn parse(kind: HandleKind, text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(kind.prefix())?).ok()?;
        let (row, secret) = bytes.split_at_checked(16)?;
        Some(Self { kind, row: row.try_into().ok()?, secret: secret.try_into().ok()? })
    }

    /// The row that it names.
    pub const fn row<T>(&self) -> Id<T> {
        Id::from_bytes(self.row)
    }

    /// As it is given out.
    pub fn reveal(&self) -> String {
        let mut bytes = self.row.to_vec();
        bytes.extend_from_slice(&self.secret);
        format!("{}{}", self.kind.prefix(), URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What the store keeps: SHA-256 over the kind, the row and the secret.
    pub fn hash(&self) -> [u8; 32] {
        mac::sha256(&[self.kind.prefix().as_bytes(), &self.row, &self.secret])
    }

    /// Whether the store's hash is this handle's, compared in constant time.
    pub fn matches(&self, hash: &[u8]) -> bool {
        mac::equal(&self.hash(), hash)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::Session, rng::SystemRng, time::Time};

    #[test]
    fn abuse_02_a_handle_of_one_kind_is_none_of_another() {
        let row = Id::<Session>::new(Time::from_seconds(1), &SystemRng);
        let handle = Handle::new(HandleKind::Session, row, &SystemRng);
        let text = handle.reveal();
        assert!(Handle::parse(HandleKind::Session, &text).is_some_and(|h| h.matches(&handle.hash())));
        for kind in
            [HandleKind::Device, HandleKind::Code, HandleKind::Access, HandleKind::Link, HandleKind::ApiKey]
        {
            assert!(Handle::parse(kind, &text).is_none());
            let renamed = text.replace("se_", kind.prefix());
            assert!(!Handle::parse(kind, &renamed).is_some_and(|h| h.matches(&handle.hash())));
        }
    }

    #[test]
    fn abuse_33_no_truncation_extension_or_bit_flip_passes() {
        let row = Id::<Session>::new(Time::from_seconds(1), &SystemRng);
        let handle = Handle::new(HandleKind::Code, row, &SystemRng);
        let text = handle.reveal();
        let passes = |t: &str| Handle::parse(HandleKind::Code, t).is_some_and(|h| h.matches(&handle.hash()));
        assert!(passes(&text));
        for end in 0..text.len() {
            assert!(!passes(&text[..end]), "cut to {end}");
        }
        assert!(!passes(&format!("{text}A")));
        assert!(!passes(&text.to_uppercase()));
        for at in 3..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert!(!passes(std::str::from_utf8(&bytes).unwrap()), "changed at {at}");
        }
    }
}
