//! Claims: which of a person's claims an application receives, and the claims of our tokens.
//!
//! Must not: let anything but the server itself set a reserved claim.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{Scopes, scope::OPENID};

/// The claims that each scope stands for (OpenID Connect Core section 5.4).
pub const BY_SCOPE: &[(&str, &[&str])] = &[
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("address", &["address"]),
];

/// Claims that only the server sets: no person's attribute, hook or mapping reaches them
/// (RFC 7519 section 4.1, OpenID Connect Core section 2, RFC 9068 section 2.2, RFC 7800 section 3.1).
pub const RESERVED: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "at_hash",
    "c_hash",
    "s_hash",
    "sid",
    "cnf",
    "act",
    "may_act",
    "client_id",
    "scope",
    "events",
    "token_use",
    "typ",
];

/// The `claims` parameter (OpenID Connect Core section 5.5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// What the userinfo endpoint shall return.
    pub userinfo: BTreeMap<String, Option<ClaimDemand>>,
    /// What the ID token shall contain.
    pub id_token: BTreeMap<String, Option<ClaimDemand>>,
}

/// How a single claim is asked for (OpenID Connect Core section 5.5.1).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimDemand {
    /// Whether the application cannot work well without it; never a reason for an error.
    pub essential: bool,
    /// The one value asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// The values asked for, the best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

impl ClaimsRequest {
    /// Parses the parameter; members it does not know are ignored (OpenID Connect Core section 5.5).
    ///
    /// # Errors
    /// When the text is no JSON object of that form.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Map<String, Value>>(json)?;
        serde_json::from_str(json)
    }

    /// The subject that the ID token must be about (OpenID Connect Core section 5.5.1), if one is named.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.id_token.get("sub")?.as_ref()?.value.as_ref()?.as_str()
    }

    /// The authentication contexts asked for as a claim of the ID token, best first (OpenID Connect
    /// Core section 5.5.1.1).
    #[must_use]
    pub fn authentication_contexts(&self) -> Vec<String> {
        let demand = self.id_token.get("acr").and_then(Option::as_ref);
        let values = demand.into_iter().flat_map(|demand| demand.value.iter().chain(&demand.values));
        values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
    }

    /// Whether nothing but one of them will do.
    #[must_use]
    pub fn is_context_essential(&self) -> bool {
        self.id_token.get("acr").and_then(Option::as_ref).is_some_and(|demand| demand.essential)
    }

    /// The names asked for that the scopes do not bring already: consent names them one by one.
    #[must_use]
    pub fn beyond(&self, scopes: &Scopes) -> BTreeSet<String> {
        let names = self.userinfo.keys().chain(self.id_token.keys());
        names.filter(|name| scope_of(name).is_some_and(|scope| !scopes.contains(scope))).cloned().collect()
    }

    /// Leaves only claims that a client with these scopes could have asked for by scope: asking one
    /// by one must not reach further.
    pub(crate) fn limit_to(&mut self, allowed: &Scopes) {
        let keep = |name: &String| scope_of(name).is_none_or(|scope| allowed.contains(scope));
        self.userinfo.retain(|name, _| keep(name));
        self.id_token.retain(|name, _| keep(name));
    }
}

/// The scope that stands for a claim, if one does.
#[must_use]
pub fn scope_of(claim: &str) -> Option<&'static str> {
    BY_SCOPE.iter().find(|(_, claims)| claims.contains(&claim)).map(|(scope, _)| *scope)
}

/// The claims of a userinfo answer (OpenID Connect Core section 5.3.2): `sub`, those of the granted
/// scopes, and those asked for one by one.
#[must_use]
pub fn userinfo_claims(
    subject: &str,
    person: &Map<String, Value>,
    scopes: &Scopes,
    asked: &ClaimsRequest,
) -> Map<String, Value> {
    let mut claims = select(person, |name| is_of(scopes, name) || asked.userinfo.contains_key(name));
    claims.insert("sub".into(), subject.into());
    claims
}

/// The claims about the person in an ID token: those asked for one by one. Those of the scopes come
/// from userinfo when a code is used (OpenID Connect Core section 5.4), unless `scopes` are given.
#[must_use]
pub fn id_token_claims(
    person: &Map<String, Value>,
    asked: &ClaimsRequest,
    scopes: Option<&Scopes>,
) -> Map<String, Value> {
    let by_scope = |name: &str| scopes.is_some_and(|scopes| is_of(scopes, name));
    select(person, |name| asked.id_token.contains_key(name) || by_scope(name))
}

fn is_of(scopes: &Scopes, claim: &str) -> bool {
    scope_of(claim).is_some_and(|scope| scopes.contains(scope))
}

/// Adds claims from a hook or mapping; those that are there or [`RESERVED`] stay as they are.
/// Gives back the names that were refused.
pub fn add_extra(claims: &mut Map<String, Value>, extra: Map<String, Value>) -> Vec<String> {
    let mut refused = Vec::new();
    for (name, value) in extra {
        if RESERVED.contains(&name.as_str()) || claims.contains_key(&name) {
            refused.push(name);
        } else {
            claims.insert(name, value);
        }
    }
    refused
}

/// Standard claims only: an own attribute reaches an application by a mapping, never by being asked for.
fn select(person: &Map<String, Value>, wanted: impl Fn(&str) -> bool) -> Map<String, Value> {
    person
        .iter()
        .filter(|(name, value)| scope_of(name).is_some() && wanted(name) && is_well_typed(name, value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether a value has the type of its claim (OpenID Connect Core section 5.1) and says anything.
fn is_well_typed(name: &str, value: &Value) -> bool {
    match name {
        "email_verified" | "phone_number_verified" => value.is_boolean(),
        "updated_at" => value.is_number(),
        "address" => value.as_object().is_some_and(|address| !address.is_empty()),
        _ => value.as_str().is_some_and(|text| !text.is_empty()),
    }
}

/// The claims of an ID token (OpenID Connect Core section 2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IdTokenClaims {
    /// Our issuer.
    pub iss: String,
    /// The person, as this tenant's applications know it.
    pub sub: String,
    /// The application.
    pub aud: String,
    /// When it expires, in seconds since the epoch.
    pub exp: i64,
    /// When it was made, in seconds since the epoch.
    pub iat: i64,
    /// When the person authenticated, in seconds since the epoch.
    pub auth_time: i64,
    /// The request's `nonce`, unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The authentication context class reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The methods used (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The session (OpenID Connect Back-Channel Logout 1.0 section 2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// About the person: the result of [`id_token_claims`].
    #[serde(flatten)]
    pub person: Map<String, Value>,
}

/// The claims of a JWT access token (RFC 9068 section 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessTokenClaims {
    /// Our issuer.
    pub iss: String,
    /// The person; the `client_id` where a client acts for itself.
    pub sub: String,
    /// The resource servers it is for: [`crate::Catalogue::aim`].
    #[serde(with = "one_or_many")]
    pub aud: Vec<String>,
    /// The application that it was issued to.
    pub client_id: String,
    /// What it allows; left out when nothing was granted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// When it was made, in seconds since the epoch.
    pub iat: i64,
    /// When it expires, in seconds since the epoch.
    pub exp: i64,
    /// Its own name; it begins with the grant's.
    pub jti: String,
    /// When the person authenticated, in seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The authentication context class reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The methods used (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// The session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Mapped claims (section 2.2.2).
    #[serde(flatten)]
    pub mapped: Map<String, Value>,
}

impl AccessTokenClaims {
    /// Whether the token opens the userinfo endpoint of this issuer: made by and for it, for a
    /// person, with `openid` (OpenID Connect Core section 5.3.1).
    #[must_use]
    pub fn opens_userinfo(&self, issuer: &str) -> bool {
        let scopes: Scopes = self.scope.parse().unwrap_or_default();
        self.iss == issuer && self.aud.iter().any(|aud| aud == issuer) && scopes.contains(OPENID)
    }
}

/// An audience of one is written as text, as most resource servers expect (RFC 7519 section 4.1.3).
mod one_or_many {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }

    pub(super) fn serialize<S: Serializer>(audience: &[String], serializer: S) -> Result<S::Ok, S::Error> {
        match audience {
            [one] => one.serialize(serializer),
            many => many.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        })
    }
}
