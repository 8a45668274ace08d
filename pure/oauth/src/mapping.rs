//! Claims by mapping: under which names, and where, an application receives attributes of a person
//! or constants, beyond the claims that the standard scopes stand for.
//!
//! Must not: let a mapping set a claim that only the server sets ([`RESERVED`]), or one that tells
//! what was proven of an identifier.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::claims::RESERVED;

/// Claims that no mapping sets besides [`RESERVED`]: what an identifier proves, the members of an
/// introspection answer (RFC 7662 section 2.2) and of claims of other sources (OpenID Connect Core
/// section 5.6.2).
const UNMAPPABLE: &[&str] = &[
    "email",
    "email_verified",
    "phone_number_verified",
    "updated_at",
    "active",
    "username",
    "token_type",
    "authorization_details",
    "txn",
    "vot",
    "vtm",
    "_claim_names",
    "_claim_sources",
];

/// Mappings by the names of the claims that they set.
pub type Mappings = BTreeMap<String, Mapping>;

/// Where a claim comes from and goes to. As JSON the name of an attribute, which goes to userinfo;
/// or an object with `attribute` or `value`, and `targets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Mapping {
    /// Its value.
    pub source: Source,
    /// Where it is told; never empty.
    pub targets: BTreeSet<Target>,
}

/// The value of a mapped claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// That of the person's attribute of this name; no claim where there is none.
    Attribute(String),
    /// Always this one.
    Constant(Value),
}

/// Where a mapped claim is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// In ID tokens (OpenID Connect Core section 2).
    IdToken,
    /// At the userinfo endpoint (OpenID Connect Core section 5.3).
    Userinfo,
    /// In access tokens (RFC 9068 section 2.2.2) and what introspection says of them.
    AccessToken,
}

/// Whether a mapping may set this claim.
#[must_use]
pub fn is_mappable(claim: &str) -> bool {
    let own = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b);
    (1..=128).contains(&claim.len())
        && claim.bytes().all(own)
        && !RESERVED.contains(&claim)
        && !UNMAPPABLE.contains(&claim)
}

/// The first claim that no mapping may set.
#[must_use]
pub fn unmappable(mappings: &Mappings) -> Option<&str> {
    mappings.keys().map(String::as_str).find(|name| !is_mappable(name))
}

/// What mappings tell there about a person, or about nobody. Of two for one claim the later counts.
pub fn mapped<'a>(
    mappings: impl IntoIterator<Item = (&'a String, &'a Mapping)>,
    target: Target,
    person: &Map<String, Value>,
) -> Map<String, Value> {
    let told = |(name, mapping): (&String, &Mapping)| {
        let value = match &mapping.source {
            Source::Attribute(attribute) => person.get(attribute).cloned()?,
            Source::Constant(value) => value.clone(),
        };
        (mapping.targets.contains(&target) && is_mappable(name) && !value.is_null())
            .then(|| (name.clone(), value))
    };
    mappings.into_iter().filter_map(told).collect()
}

impl Mapping {
    /// Whether it needs the attributes of the person there.
    #[must_use]
    pub fn reads(&self, target: Target) -> bool {
        matches!(self.source, Source::Attribute(_)) && self.targets.contains(&target)
    }
}

fn default_targets() -> BTreeSet<Target> {
    BTreeSet::from([Target::Userinfo])
}

impl TryFrom<Value> for Mapping {
    type Error = String;
    fn try_from(value: Value) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            attribute: Option<String>,
            #[serde(default)]
            value: Value,
            #[serde(default = "default_targets")]
            targets: BTreeSet<Target>,
        }
        let long = match value {
            Value::String(attribute) => {
                Long { attribute: Some(attribute), value: Value::Null, targets: default_targets() }
            }
            group @ Value::Object(_) => serde_json::from_value(group).map_err(|error| error.to_string())?,
            _ => {
                return Err("must be the name of an attribute, or a group with attribute or value".to_owned());
            }
        };
        let source = match (long.attribute, long.value) {
            (Some(attribute), Value::Null) if !attribute.is_empty() => Source::Attribute(attribute),
            (None, value) if !value.is_null() => Source::Constant(value),
            (Some(_), value) if !value.is_null() => {
                return Err("has attribute and value; set one of them to null".to_owned());
            }
            _ => return Err("needs attribute, the name of one, or value, a constant".to_owned()),
        };
        if long.targets.is_empty() {
            return Err("targets must name id_token, userinfo or access_token".to_owned());
        }
        Ok(Self { source, targets: long.targets })
    }
}

impl From<Mapping> for Value {
    fn from(mapping: Mapping) -> Self {
        let targets = &mapping.targets;
        match mapping.source {
            Source::Attribute(attribute) if *targets == default_targets() => attribute.into(),
            Source::Attribute(attribute) => json!({ "attribute": attribute, "targets": targets }),
            Source::Constant(value) => json!({ "value": value, "targets": targets }),
        }
    }
}
