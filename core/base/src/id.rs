//! Typed ids: UUIDv7 (RFC 9562, section 5.7), 16 bytes in the store, a prefix and base64url outside.

use crate::{rng::Rng, time::Time};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{cmp::Ordering, fmt, hash, marker::PhantomData, str::FromStr};

/// What an id may name. The type parameter of [`Id`] keeps a person's id from being used as an
/// application's.
pub trait Entity: 'static {
    /// Shown before the id, for example `usr` in `usr_AZ…`.
    const PREFIX: &'static str;
}

macro_rules! entities {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {}
        impl Entity for $name {
            const PREFIX: &'static str = $prefix;
        }
    )*};
}

entities! {
    /// An isolated directory of people, keys and applications.
    Tenant = "ten";
    /// A person known to a tenant.
    Person = "usr";
    /// A relying party.
    Application = "app";
    /// A resource server that access tokens are for.
    ResourceServer = "rsv";
    /// A scope that stands for claims.
    Scope = "scp";
    /// A proof that a person can give: a password, later a passkey.
    Credential = "cre";
    /// A browser's signed-in state.
    Session = "ses";
    /// One authorization of one application.
    Grant = "gra";
    /// A sign-in journey under way.
    Flow = "flo";
    /// A pending one-time code.
    Challenge = "cha";
    /// A signing or HMAC key.
    Key = "key";
    /// Something that happened.
    Event = "evt";
    /// A queued mail.
    Mail = "mai";
    /// A browser, as named by its device cookie.
    Device = "dev";
    /// A key for the admin API.
    ApiKey = "aky";
}

/// An id of one kind of thing.
pub struct Id<T> {
    bytes: [u8; 16],
    kind: PhantomData<fn() -> T>,
}

impl<T> Id<T> {
    /// A fresh UUIDv7: 48 bits of milliseconds, then random bits. Sorted by time, so that inserts
    /// stay at the end of an index.
    pub fn new(now: Time, rng: &dyn Rng) -> Self {
        let mut bytes = [0u8; 16];
        rng.fill(&mut bytes);
        let millis = u64::try_from(now.micros() / 1000).unwrap_or(0).to_be_bytes();
        for (to, from) in bytes.iter_mut().zip(millis.into_iter().skip(2)) {
            *to = from;
        }
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = (*version & 0x0f) | 0x70;
        *variant = (*variant & 0x3f) | 0x80;
        Self::from_bytes(bytes)
    }

    /// The id with these bytes, as read from the store.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self { bytes, kind: PhantomData }
    }

    /// The bytes as the store keeps them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.bytes
    }

    /// The same bytes as the id of another kind of thing. For rows that share a key by design,
    /// such as a unit and its first event.
    pub const fn cast<U>(self) -> Id<U> {
        Id::from_bytes(self.bytes)
    }
}

impl<T: Entity> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", T::PREFIX, URL_SAFE_NO_PAD.encode(self.bytes))
    }
}

impl<T: Entity> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of the expected kind")]
pub struct NotAnId;

impl<T: Entity> FromStr for Id<T> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let rest = text.strip_prefix(T::PREFIX).and_then(|r| r.strip_prefix('_')).ok_or(NotAnId)?;
        let bytes = URL_SAFE_NO_PAD.decode(rest).map_err(|_| NotAnId)?;
        Ok(Self::from_bytes(bytes.try_into().map_err(|_| NotAnId)?))
    }
}

impl<T: Entity> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, T: Entity> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
impl<T> hash::Hash for Id<T> {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::SystemRng;

    #[test]
    fn an_id_is_a_version_7_uuid_ordered_by_time_and_typed_by_its_prefix() {
        let early = Id::<Person>::new(Time::from_seconds(1_000), &SystemRng);
        let late = Id::<Person>::new(Time::from_seconds(1_001), &SystemRng);
        assert!(early < late);
        assert_eq!(early.as_bytes()[6] >> 4, 7);
        let text = early.to_string();
        assert_eq!(text.parse(), Ok(early));
        assert_eq!(text.parse::<Id<Tenant>>(), Err(NotAnId));
        assert_eq!("usr_short".parse::<Id<Person>>(), Err(NotAnId));
    }
}
