//! What a tenant declares beyond the standard: resource servers with their scopes, and scopes that
//! stand for claims of a person. From these follow the audience and the form of an access token, what
//! `resource` may ask for (RFC 8707), and which claims a scope brings.
//!
//! Scopes that nobody declared still exist for the application that lists them; they belong to that
//! application's own `audiences`.

mod reading;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jose::Algorithm;
pub use reading::Flaws;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Client, ClientId, ErrorCode, Params, Scope, Scopes,
    client::AccessTokenFormat,
    error::Refusal,
    mapping::{self, Mapping, Mappings, Target},
    scope::OPENID,
};

/// All that a tenant declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Its resource servers.
    pub servers: Vec<ResourceServer>,
    /// Its scopes that stand for claims.
    pub scopes: Vec<IdentityScope>,
}

/// A resource server: whom access tokens are for (RFC 9068 section 3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceServer {
    /// Its identifier, an absolute URI without fragment (RFC 8707 section 2), as `aud` names it.
    pub audience: String,
    /// Its name for people.
    #[serde(default)]
    pub name: Option<String>,
    /// What may be allowed there.
    #[serde(default)]
    pub scopes: Vec<ResourceScope>,
    /// How long tokens for it live, in seconds; else as the application says.
    #[serde(default)]
    pub access_token_lifetime: Option<i64>,
    /// The form of tokens for it; else as the application says.
    #[serde(default)]
    pub access_token_format: Option<AccessTokenFormat>,
    /// The algorithm of tokens for it; else as the application says.
    #[serde(default)]
    pub access_token_signed_response_alg: Option<Algorithm>,
    /// The application that asks about tokens for it (RFC 7662).
    #[serde(default)]
    pub introspection_client: Option<ClientId>,
}

/// A scope of a resource server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceScope {
    /// The scope.
    pub name: Scope,
    /// What people read when they are asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Words>,
}

/// A scope that stands for claims. One with the name of a standard scope adds to its claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityScope {
    /// The scope.
    pub name: Scope,
    /// What people read when they are asked for it.
    #[serde(default)]
    pub description: Option<Words>,
    /// The claims that it brings.
    #[serde(default)]
    pub claims: Mappings,
}

/// A sentence for people: one for everybody, or one for each language tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Words {
    /// For everybody.
    Same(String),
    /// By language tag (RFC 5646).
    ByLanguage(BTreeMap<String, String>),
}

/// What an access token is for and allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aim {
    /// The resource servers that it is for; never empty.
    pub audience: Vec<String>,
    /// What it allows there.
    pub scopes: Scopes,
}

/// What an access token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenForm {
    /// Seconds.
    pub lifetime: i64,
    /// Signed or opaque.
    pub format: AccessTokenFormat,
    /// The algorithm of one that is signed.
    pub algorithm: Algorithm,
}

impl Words {
    /// The sentence in this language, else in English, else in any.
    #[must_use]
    pub fn in_language(&self, tag: &str) -> Option<&str> {
        match self {
            Self::Same(text) => Some(text),
            Self::ByLanguage(texts) => {
                let primary = tag.split('-').next().unwrap_or(tag);
                let known = [tag, primary, "en"].into_iter().find_map(|tag| texts.get(tag));
                known.or_else(|| texts.values().next()).map(String::as_str)
            }
        }
    }
}

impl ResourceServer {
    /// Whether it owns this scope.
    #[must_use]
    pub fn owns(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own.name.as_str() == scope)
    }
}

impl Catalogue {
    /// Every scope that is declared.
    #[must_use]
    pub fn declared(&self) -> Scopes {
        let of_servers = self.servers.iter().flat_map(|server| &server.scopes).map(|scope| &scope.name);
        of_servers.chain(self.scopes.iter().map(|scope| &scope.name)).cloned().collect()
    }

    /// What people read about a scope.
    #[must_use]
    pub fn description(&self, scope: &str, language: &str) -> Option<&str> {
        let of_servers = self.servers.iter().flat_map(|server| &server.scopes);
        let of_servers = of_servers.map(|own| (&own.name, &own.description));
        let mut all = self.scopes.iter().map(|own| (&own.name, &own.description)).chain(of_servers);
        all.find_map(|(name, words)| words.as_ref().filter(|_| name.as_str() == scope))?.in_language(language)
    }

    /// The resource servers that own any of these scopes.
    fn owners<'a>(&'a self, scopes: &'a Scopes) -> impl Iterator<Item = &'a ResourceServer> {
        self.servers
            .iter()
            .filter(|server| server.scopes.iter().any(|own| scopes.contains(own.name.as_str())))
    }

    /// The audience of an access token that asks for no `resource` (RFC 9068 section 3), never empty:
    /// the owners of the granted scopes, and the application's own; the issuer besides, for its
    /// userinfo endpoint, if `openid` was granted; the issuer alone if there is nothing else.
    #[must_use]
    pub fn audience(&self, client: &Client, granted: &Scopes, issuer: &str) -> Vec<String> {
        let owners = self.owners(granted).map(|server| &server.audience);
        let mut audience = Vec::new();
        for name in owners.chain(&client.audiences) {
            if !audience.contains(name) {
                audience.push(name.clone());
            }
        }
        let userinfo = granted.contains(OPENID) || audience.is_empty();
        if userinfo && !audience.iter().any(|known| known == issuer) {
            audience.push(issuer.to_owned());
        }
        audience
    }

    /// Whether the application may ask for tokens for this resource (RFC 8707 section 2): the owner of
    /// a scope that it may have, one of its own audiences, or the issuer.
    #[must_use]
    pub fn may_target(&self, client: &Client, issuer: &str, resource: &str) -> bool {
        resource == issuer
            || client.audiences.iter().any(|own| own == resource)
            || self.owners(&client.allowed_scopes()).any(|server| server.audience == resource)
    }

    /// The values of `resource` (RFC 8707 section 2), each once.
    ///
    /// # Errors
    /// `invalid_target` for one that is unknown or not for this application.
    pub fn targets(&self, params: &Params, client: &Client, issuer: &str) -> Result<Vec<String>, Refusal> {
        let mut targets: Vec<String> = Vec::new();
        for resource in params.all("resource") {
            if !self.may_target(client, issuer, resource) {
                let why = "resource is not known here, or this application may not ask for it";
                return Err(Refusal::new(ErrorCode::InvalidTarget, why));
            }
            if !targets.iter().any(|known| known == resource) {
                targets.push(resource.to_owned());
            }
        }
        Ok(targets)
    }

    /// What an access token is for (RFC 8707 section 2.2): what the token request asks for, within what
    /// the authorization request asked for, within what the scopes reach. A token for chosen resources
    /// allows nothing that belongs to others only.
    ///
    /// # Errors
    /// `invalid_target` for more than was granted, or when nothing is left of it.
    pub fn aim(
        &self,
        (client, issuer): (&Client, &str),
        (scopes, resources): (&Scopes, &[String]),
        asked: &[String],
    ) -> Result<Aim, Refusal> {
        let reachable = match resources {
            [] => self.audience(client, scopes, issuer),
            _ => self.still_granted((client, issuer), scopes, resources),
        };
        let chosen = !(resources.is_empty() && asked.is_empty());
        let audience = if asked.is_empty() { reachable.clone() } else { asked.to_vec() };
        if audience.is_empty() || !audience.iter().all(|name| reachable.contains(name)) {
            let why = "resource names more than was granted";
            return Err(Refusal::new(ErrorCode::InvalidTarget, why));
        }
        let mut scopes = scopes.clone();
        scopes.retain(|scope| !chosen || self.belongs(scope.as_str(), &audience));
        Ok(Aim { audience, scopes })
    }

    fn still_granted(
        &self,
        (client, issuer): (&Client, &str),
        scopes: &Scopes,
        resources: &[String],
    ) -> Vec<String> {
        let mut granted = resources.to_vec();
        granted.retain(|resource| self.may_target(client, issuer, resource));
        if scopes.contains(OPENID) && !granted.iter().any(|name| name == issuer) {
            granted.push(issuer.to_owned());
        }
        granted
    }

    /// Whether a scope means something to this audience: to its owners, or to everybody if there are none.
    fn belongs(&self, scope: &str, audience: &[String]) -> bool {
        let mut owners = self.servers.iter().filter(|server| server.owns(scope)).peekable();
        owners.peek().is_none() || owners.any(|server| audience.contains(&server.audience))
    }

    /// What a token for this audience looks like: as its resource servers want it where they agree
    /// (the shortest life, whatever the others say), else as the application does.
    #[must_use]
    pub fn form(&self, client: &Client, audience: &[String]) -> TokenForm {
        let servers = || self.servers.iter().filter(|server| audience.contains(&server.audience));
        let lifetime = servers().filter_map(|server| server.access_token_lifetime).min();
        let format = agreed(servers().filter_map(|server| server.access_token_format));
        let algorithm = agreed(servers().filter_map(|server| server.access_token_signed_response_alg));
        TokenForm {
            lifetime: lifetime.unwrap_or(client.lifetimes.access_token),
            format: format.unwrap_or(client.access_token_format),
            algorithm: algorithm.unwrap_or(client.access_token_signed_response_alg),
        }
    }

    /// The algorithms that access tokens of this application may need keys for.
    #[must_use]
    pub fn algorithms(&self, client: &Client) -> Vec<Algorithm> {
        let may = |server: &&ResourceServer| self.may_target(client, "", &server.audience);
        let wanted = self.servers.iter().filter(may);
        let wanted =
            wanted.map(|server| (server.access_token_format, server.access_token_signed_response_alg));
        let own = (None, None);
        let signed = |(format, algorithm): (Option<AccessTokenFormat>, Option<Algorithm>)| {
            (format.unwrap_or(client.access_token_format) == AccessTokenFormat::Jwt)
                .then(|| algorithm.unwrap_or(client.access_token_signed_response_alg))
        };
        wanted.chain([own]).filter_map(signed).collect()
    }

    /// The mappings of the granted scopes, then the application's own, which count more.
    pub fn mappings<'a>(
        &'a self,
        client: &'a Client,
        granted: &'a Scopes,
    ) -> impl Iterator<Item = (&'a String, &'a Mapping)> {
        let of_scopes = self.scopes.iter().filter(|scope| granted.contains(scope.name.as_str()));
        of_scopes.flat_map(|scope| &scope.claims).chain(&client.claims)
    }

    /// The mapped claims of a token or userinfo answer.
    #[must_use]
    pub fn mapped(
        &self,
        (client, granted): (&Client, &Scopes),
        target: Target,
        person: &Map<String, Value>,
    ) -> Map<String, Value> {
        mapping::mapped(self.mappings(client, granted), target, person)
    }

    /// Whether this application asks about tokens for one of this audience (RFC 7662 section 2.1).
    #[must_use]
    pub fn introspects(&self, caller: &ClientId, audience: &[String]) -> bool {
        let names = |server: &ResourceServer| server.introspection_client.as_ref() == Some(caller);
        self.servers.iter().any(|server| audience.contains(&server.audience) && names(server))
    }
}

/// The one value that all say; none if they differ or nobody says anything.
fn agreed<T: PartialEq>(mut said: impl Iterator<Item = T>) -> Option<T> {
    let first = said.next()?;
    said.all(|other| other == first).then_some(first)
}
