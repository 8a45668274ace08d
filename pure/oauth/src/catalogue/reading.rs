//! Reading a declaration as somebody wrote it: every mistake with its place. A message begins with a
//! verb, so that it follows the name of what it is about.

use jose::Algorithm;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{IdentityScope, ResourceScope, ResourceServer, Words};
use crate::{
    ClientId, Scope,
    client::{AccessTokenFormat, Lifetimes},
    mapping::{Mapping, Mappings, is_mappable},
};

/// Places within the declaration, each with what is wrong there.
pub type Flaws = Vec<(String, String)>;

/// The most scopes of a server and claims of a scope.
const MANY: usize = 500;
/// The longest life of an access token, in seconds.
const LONGEST: i64 = Lifetimes::LONGEST_SIGNED;

impl ResourceServer {
    /// The members of a declaration.
    pub const FIELDS: &'static [&'static str] = &[
        "audience",
        "name",
        "scopes",
        "access_token_lifetime",
        "access_token_format",
        "access_token_signed_response_alg",
        "introspection_client",
    ];

    /// Reads a declaration of the tenant with these issuers, whose own audiences cannot be declared.
    ///
    /// # Errors
    /// Every mistake.
    pub fn read(members: &Map<String, Value>, issuers: &[String]) -> Result<Self, Flaws> {
        let mut reading = Reading::new(members, Self::FIELDS);
        let server = Self {
            audience: reading.required("audience", |value| audience(value, issuers)),
            name: reading.member("name", |value| line(value, 200)),
            scopes: reading.scopes(),
            access_token_lifetime: reading.member("access_token_lifetime", lifetime),
            access_token_format: reading.member("access_token_format", |value| {
                word::<AccessTokenFormat>(value, "must be jwt or opaque")
            }),
            access_token_signed_response_alg: reading.member("access_token_signed_response_alg", algorithm),
            introspection_client: reading.member("introspection_client", |value| {
                word::<ClientId>(value, "must be the client_id of an application")
            }),
        };
        reading.done(server)
    }
}

impl IdentityScope {
    /// The members of a declaration.
    pub const FIELDS: &'static [&'static str] = &["name", "description", "claims"];

    /// Reads a declaration.
    ///
    /// # Errors
    /// Every mistake.
    pub fn read(members: &Map<String, Value>) -> Result<Self, Flaws> {
        let mut reading = Reading::new(members, Self::FIELDS);
        let name = reading.required("name", |value| scope(value).map(String::from));
        let description = reading.member("description", words);
        let claims = reading.mappings();
        // What is no scope is noted already, and any other stands in for it.
        let name = name.parse().or_else(|_| "x".parse::<Scope>());
        match (name, reading.flaws) {
            (Ok(name), flaws) if flaws.is_empty() => Ok(Self { name, description, claims }),
            (_, flaws) => Err(flaws),
        }
    }
}

struct Reading<'a> {
    members: &'a Map<String, Value>,
    flaws: Flaws,
}

impl<'a> Reading<'a> {
    fn new(members: &'a Map<String, Value>, known: &[&str]) -> Self {
        let unknown = members.keys().filter(|name| !known.contains(&name.as_str()));
        let why = || format!("is unknown. Known here: {}.", known.join(", "));
        let flaws = unknown.map(|name| (name.clone(), why())).collect();
        Self { members, flaws }
    }

    fn done<T>(self, read: T) -> Result<T, Flaws> {
        if self.flaws.is_empty() { Ok(read) } else { Err(self.flaws) }
    }

    fn wrong(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.flaws.push((place.into(), message.into()));
    }

    /// A member; null is none.
    fn member<T>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, String>) -> Option<T> {
        let value = self.members.get(name).filter(|value| !value.is_null())?;
        parse(value).map_err(|message| self.wrong(name, message)).ok()
    }

    fn required<T: Default>(&mut self, name: &str, parse: impl FnOnce(&Value) -> Result<T, String>) -> T {
        if self.members.get(name).is_none_or(Value::is_null) {
            self.wrong(name, "is missing; add it");
        }
        self.member(name, parse).unwrap_or_default()
    }

    fn scopes(&mut self) -> Vec<ResourceScope> {
        let list = self.member("scopes", |value| match value {
            Value::Array(list) if list.len() <= MANY => Ok(list.clone()),
            _ => Err(format!("must be a list of at most {MANY} scopes")),
        });
        let mut scopes: Vec<ResourceScope> = Vec::new();
        for (index, value) in list.unwrap_or_default().iter().enumerate() {
            match resource_scope(value) {
                Ok(scope) if scopes.iter().any(|known| known.name == scope.name) => {
                    self.wrong(format!("scopes[{index}].name"), "stands twice; keep one of them");
                }
                Ok(scope) => scopes.push(scope),
                Err((place, message)) => self.wrong(format!("scopes[{index}]{place}"), message),
            }
        }
        scopes
    }

    fn mappings(&mut self) -> Mappings {
        let map = self.member("claims", |value| match value {
            Value::Object(map) if map.len() <= MANY => Ok(map.clone()),
            _ => Err("must be a group of claims with their attributes".to_owned()),
        });
        let mut mappings = Mappings::new();
        for (name, value) in map.unwrap_or_default() {
            if value.is_null() {
                continue;
            }
            match (is_mappable(&name), Mapping::try_from(value)) {
                (false, _) => self.wrong(format!("claims.{name}"), "is no claim that a mapping may set"),
                (true, Err(message)) => self.wrong(format!("claims.{name}"), message),
                (true, Ok(mapping)) => drop(mappings.insert(name, mapping)),
            }
        }
        mappings
    }
}

/// A scope with its description, or its name alone.
fn resource_scope(value: &Value) -> Result<ResourceScope, (&'static str, String)> {
    let (name, description) = match value {
        Value::String(_) => (value, None),
        Value::Object(map) if map.keys().all(|key| key == "name" || key == "description") => {
            let name = map.get("name").ok_or((".name", "is missing; add it".to_owned()))?;
            (name, map.get("description").filter(|value| !value.is_null()))
        }
        _ => return Err(("", "must be a scope with name and description".to_owned())),
    };
    let name = scope(name).map_err(|message| (".name", message))?;
    if name.is_standard() {
        return Err((".name", "belongs to OpenID Connect itself; choose another one".to_owned()));
    }
    let description = description.map(words).transpose().map_err(|message| (".description", message))?;
    Ok(ResourceScope { name, description })
}

fn scope(value: &Value) -> Result<Scope, String> {
    let scope: Scope = text(value)?.parse().map_err(|_| "must be visible ASCII without quotes".to_owned())?;
    if scope.as_str().len() > 128 { Err("must be at most 128 characters".to_owned()) } else { Ok(scope) }
}

/// An absolute URI without fragment (RFC 8707 section 2), and none of this server's own.
fn audience(value: &Value, issuers: &[String]) -> Result<String, String> {
    let text = text(value)?;
    let scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    };
    let absolute = text.split_once(':').is_some_and(|(before, rest)| scheme(before) && !rest.is_empty());
    let plain = |b: u8| b.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&b);
    if !absolute || text.len() > 2048 || !text.bytes().all(plain) {
        return Err("must be an absolute URI without #, such as https://api.example".to_owned());
    }
    let lower = text.trim_end_matches('/').to_ascii_lowercase();
    let is_ours = |issuer: &String| {
        let rest = lower.strip_prefix(&issuer.to_ascii_lowercase());
        rest.is_some_and(|rest| matches!(rest, "" | "/userinfo") || rest.starts_with("/api/"))
    };
    if issuers.iter().any(is_ours) {
        Err("belongs to this server itself; choose another one".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn lifetime(value: &Value) -> Result<i64, String> {
    let seconds = value.as_i64().filter(|seconds| (1..=LONGEST).contains(seconds));
    seconds.ok_or_else(|| format!("must be a number of seconds from 1 to {LONGEST}"))
}

fn algorithm(value: &Value) -> Result<Algorithm, String> {
    let asymmetric = || Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric());
    let named = asymmetric().find(|algorithm| value.as_str() == Some(algorithm.as_str()));
    let names = || asymmetric().map(Algorithm::as_str).collect::<Vec<_>>().join(", ");
    named.ok_or_else(|| format!("must be one of {}", names()))
}

fn words(value: &Value) -> Result<Words, String> {
    let Value::Object(texts) = value else { return line(value, 300).map(Words::Same) };
    let tag = |tag: &str| {
        (2..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if texts.is_empty() || texts.len() > 100 || !texts.keys().all(|key| tag(key)) {
        return Err("must be one text, or texts by language tags such as en".to_owned());
    }
    let read = |(tag, text): (&String, &Value)| Ok((tag.clone(), line(text, 300)?));
    texts.iter().map(read).collect::<Result<_, String>>().map(Words::ByLanguage)
}

fn word<T: DeserializeOwned>(value: &Value, message: &str) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|_| message.to_owned())
}

fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| "must be text".to_owned())
}

/// Text for people, on one line.
fn line(value: &Value, most: usize) -> Result<String, String> {
    let text = text(value)?.trim();
    if text.is_empty() || text.chars().count() > most || text.chars().any(char::is_control) {
        return Err(format!("must be 1 to {most} characters on one line"));
    }
    Ok(text.to_owned())
}
