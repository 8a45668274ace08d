//! Scopes: one token, and the set that a request, a client or a grant names.

#[cfg(test)]
mod tests;

use std::{borrow::Borrow, collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The scope that makes a request an OpenID Connect one (OpenID Connect Core section 3.1.2.1).
pub const OPENID: &str = "openid";
/// The scope that lets a grant outlive the session (OpenID Connect Core section 11).
pub const OFFLINE_ACCESS: &str = "offline_access";
/// The scopes of OpenID Connect Core sections 5.4 and 11, which every client may ask for by default.
pub const STANDARD: &[&str] = &[OPENID, "profile", "email", "phone", "address", OFFLINE_ACCESS];

/// One scope token (RFC 6749 section 3.3): `%x21 / %x23-5B / %x5D-7E`, at least one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope(String);

/// The text is no scope token (RFC 6749 section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a scope consists of visible ASCII characters without quotes and backslashes")]
pub struct ScopeError;

impl Scope {
    /// The token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether OpenID Connect itself defines this scope.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        STANDARD.contains(&self.as_str())
    }
}

impl TryFrom<String> for Scope {
    type Error = ScopeError;
    fn try_from(text: String) -> Result<Self, ScopeError> {
        let allowed = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if text.is_empty() || !text.bytes().all(allowed) { Err(ScopeError) } else { Ok(Self(text)) }
    }
}

impl FromStr for Scope {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        text.to_owned().try_into()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0
    }
}

impl Borrow<str> for Scope {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// A set of scopes; neither order nor repetition means anything (RFC 6749 section 3.3).
///
/// `Display` writes the space-delimited form, serde a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// The scopes of [`STANDARD`].
    #[must_use]
    pub fn standard() -> Self {
        STANDARD.iter().map(|scope| Scope((*scope).to_owned())).collect()
    }

    /// Whether the set names this scope.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.contains(scope)
    }

    /// Whether every scope of this set is in the other.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Keeps those that the predicate accepts.
    pub fn retain(&mut self, keep: impl FnMut(&Scope) -> bool) {
        self.0.retain(keep);
    }

    /// Both sets together, as a remembered consent grows.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).cloned().collect()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl FromStr for Scopes {
    type Err = ScopeError;
    fn from_str(text: &str) -> Result<Self, ScopeError> {
        text.split(' ').filter(|token| !token.is_empty()).map(Scope::from_str).collect()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{}", scope.0)?;
        }
        Ok(())
    }
}
