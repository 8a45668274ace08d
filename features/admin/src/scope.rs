//! What a caller of the admin API may do: the one table of its scopes.

use crate::refusal::Refusal;
use oauth::Scopes;
use std::{collections::BTreeSet, fmt};

macro_rules! permissions {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal;)*) => {
        /// One permission, spelt as an OAuth scope.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Permission {
            $($(#[doc = $doc])* $name,)*
        }

        impl Permission {
            /// Every permission.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As a scope spells it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }

            /// What it allows.
            pub(crate) const fn description(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($doc),*),)*
                }
            }
        }
    };
}

permissions! {
    /// See people, their identifiers, attributes, sessions, consents and grants.
    UsersRead = "users:read";
    /// Create and change people.
    UsersWrite = "users:write";
    /// End people's sessions and grants and take their consents back.
    SessionsWrite = "sessions:write";
    /// See applications.
    ApplicationsRead = "applications:read";
    /// Create and change applications and their secrets.
    ApplicationsWrite = "applications:write";
    /// See resource servers and scopes.
    ResourcesRead = "resources:read";
    /// Declare, change and remove resource servers and scopes.
    ResourcesWrite = "resources:write";
    /// See signing keys (their public halves).
    KeysRead = "keys:read";
    /// Rotate signing keys.
    KeysWrite = "keys:write";
    /// See settings and templates.
    SettingsRead = "settings:read";
    /// Change settings and templates.
    SettingsWrite = "settings:write";
    /// See, export and verify the audit trail.
    EventsRead = "events:read";
    /// See API keys and administrators.
    ApiKeysRead = "api-keys:read";
    /// Create, change and revoke API keys; make people administrators.
    ApiKeysWrite = "api-keys:write";
    /// See all tenants; at the first tenant only.
    TenantsRead = "tenants:read";
    /// Create and change tenants and their first keys; at the first tenant only.
    TenantsWrite = "tenants:write";
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions(BTreeSet<Permission>);

impl Permissions {
    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self(Permission::ALL.iter().copied().collect())
    }

    /// Those that these words name; other words are passed over.
    #[must_use]
    pub fn among<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let named = |word: &str| Permission::ALL.iter().copied().find(|known| known.as_str() == word);
        Self(words.into_iter().filter_map(named).collect())
    }

    /// Those that a stored text names.
    pub(crate) fn stored(text: &str) -> Self {
        Self::among(text.split(' '))
    }

    /// Those among OAuth scopes.
    pub(crate) fn of_scopes(scopes: &Scopes) -> Self {
        Self::stored(&scopes.to_string())
    }

    /// Those that a body names, each of them known.
    pub(crate) fn parse(words: &[String]) -> Result<Self, Refusal> {
        let set = Self::among(words.iter().map(String::as_str));
        let unknown = |word: &&String| !Permission::ALL.iter().any(|known| known.as_str() == word.as_str());
        match words.iter().find(unknown) {
            Some(_) => Err(Refusal::field("scopes", "names a scope that does not exist")),
            None if set.0.is_empty() => Err(Refusal::field("scopes", "names no scope")),
            None => Ok(set),
        }
    }

    /// Whether this permission is among them.
    #[must_use]
    pub fn allow(&self, permission: Permission) -> bool {
        self.0.contains(&permission)
    }

    /// Those in both.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).copied().collect())
    }

    /// Those that `other` lacks.
    pub(crate) fn beyond(&self, other: &Self) -> Vec<Permission> {
        self.0.difference(&other.0).copied().collect()
    }

    /// Their words in order.
    pub(crate) fn words(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}

/// As the store writes them.
impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(" "))
    }
}
