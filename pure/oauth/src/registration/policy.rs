//! What a tenant lets strangers register (RFC 7591 section 5).

use std::{collections::BTreeSet, str::FromStr};

use jose::Algorithm;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::RegistrationError;
use crate::{
    AuthMethod, Client, RedirectUri, Scopes,
    client::{ApplicationType, GrantType, SubjectType},
    uri::WebUri,
};

/// What may be registered. It counts at registration and again at each update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The scopes; a client that names none may ask for all of them.
    pub scopes: Scopes,
    /// The grants.
    pub grants: BTreeSet<GrantType>,
    /// How clients may authenticate.
    pub methods: Vec<AuthMethod>,
    /// The algorithms that we sign with.
    pub algorithms: Vec<Algorithm>,
    /// Whether pairwise subjects exist.
    pub pairwise: bool,
    /// Whether addresses on this very machine are refused, except those of native applications.
    pub require_https: bool,
    /// The hosts that addresses may have; any if the list is empty.
    pub hosts: Vec<HostPattern>,
}

/// A host, or with `*.` in front every host below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HostPattern(String);

/// The text is no pattern of hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pattern of hosts is a name in lower case as shop.example, or *.shop.example for those below it")]
pub struct HostPatternError;

impl Default for Policy {
    fn default() -> Self {
        Self {
            scopes: Scopes::standard(),
            grants: BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]),
            methods: AuthMethod::OFFERED.to_vec(),
            algorithms: vec![Algorithm::Rs256, Algorithm::Es256],
            pairwise: false,
            require_https: false,
            hosts: Vec::new(),
        }
    }
}

impl Policy {
    /// What is wrong with a patch of a policy, key by key: the place within it, empty for the whole,
    /// and a message that follows the place.
    #[must_use]
    pub fn flaws(patch: &Value) -> Vec<(String, String)> {
        let Value::Object(patch) = patch else {
            return vec![(String::new(), "must be a group of keys with values".to_owned())];
        };
        let known = serde_json::to_value(Self::default()).unwrap_or_default();
        let known = known.as_object().cloned().unwrap_or_default();
        let flaw = |(name, value): (&String, &Value)| {
            let message = if !known.contains_key(name) {
                let known: Vec<&str> = known.keys().map(String::as_str).collect();
                format!("is unknown. Known here: {}.", known.join(", "))
            } else if value.is_null() {
                return None;
            } else {
                let alone = Value::Object(Map::from_iter([(name.clone(), value.clone())]));
                format!("cannot be: {}", serde_json::from_value::<Self>(alone).err()?)
            };
            Some((format!(".{name}"), message))
        };
        patch.iter().filter_map(flaw).collect()
    }

    /// Whether the registration is allowed.
    pub(super) fn check(&self, client: &Client) -> Result<(), RegistrationError> {
        self.check_words(client)?;
        let web = client.application_type == ApplicationType::Web;
        if let Some(uri) = client.redirect_uris.iter().find(|uri| !self.allows_redirect(uri, web)) {
            return Err(RegistrationError::redirect_uri(&format!("the policy here does not allow {uri}")));
        }
        let mut logout = client.post_logout_redirect_uris.iter();
        let foreign = logout.find(|uri| !self.allows_redirect(uri, web)).map(RedirectUri::as_str);
        let others = [
            &client.client_uri,
            &client.logo_uri,
            &client.policy_uri,
            &client.tos_uri,
            &client.jwks_uri,
            &client.sector_identifier_uri,
            &client.initiate_login_uri,
            &client.frontchannel_logout_uri,
            &client.backchannel_logout_uri,
        ];
        let foreign = foreign.or_else(|| {
            let refused = others.into_iter().flatten().find(|uri| !self.allows_page(uri));
            refused.map(WebUri::as_str)
        });
        let refused = |uri| RegistrationError::metadata(&format!("the policy here does not allow {uri}"));
        foreign.map_or(Ok(()), |uri| Err(refused(uri)))
    }

    fn check_words(&self, client: &Client) -> Result<(), RegistrationError> {
        let refused = |what: &str| Err(RegistrationError::metadata(&format!("{what} is not allowed here")));
        if let Some(grant) = client.grant_types.iter().find(|grant| !self.grants.contains(grant)) {
            return refused(&format!("the grant type {}", grant.as_str()));
        }
        let allowed = |method: &AuthMethod| self.methods.contains(method);
        if let Some(method) = client.token_endpoint_auth_method.filter(|method| !allowed(method)) {
            return refused(&format!("the token_endpoint_auth_method {}", method.as_str()));
        }
        let scopes = client.allowed_scopes();
        if let Some(scope) = scopes.iter().find(|scope| !self.scopes.contains(scope.as_str())) {
            return refused(&format!("the scope {}", scope.as_str()));
        }
        let mut algorithms =
            [client.id_token_signed_response_alg].into_iter().chain(client.userinfo_signed_response_alg);
        if let Some(algorithm) = algorithms.find(|algorithm| !self.algorithms.contains(algorithm)) {
            return refused(&format!("a signature with {algorithm}"));
        }
        if client.subject_type == SubjectType::Pairwise && !self.pairwise {
            return refused("the subject_type pairwise");
        }
        Ok(())
    }

    /// Addresses of native applications on the customer's machine belong to no host.
    fn allows_redirect(&self, uri: &RedirectUri, web: bool) -> bool {
        match uri.origin() {
            _ if !web && uri.is_shared_with_machine() => true,
            Some(origin) => self.allows(uri.as_str(), origin.host()),
            None => false,
        }
    }

    fn allows_page(&self, uri: &WebUri) -> bool {
        self.allows(uri.as_str(), uri.origin().host())
    }

    fn allows(&self, uri: &str, host: &str) -> bool {
        let secure = !self.require_https || uri.starts_with("https://");
        secure && (self.hosts.is_empty() || self.hosts.iter().any(|pattern| pattern.matches(host)))
    }
}

impl HostPattern {
    /// Whether a host, in lower case, is meant. `*.shop.example` means neither `shop.example` itself
    /// nor `evilshop.example`.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        match self.0.strip_prefix('*') {
            Some(suffix) => host.strip_suffix(suffix).is_some_and(|below| !below.is_empty()),
            None => host == self.0,
        }
    }
}

impl TryFrom<String> for HostPattern {
    type Error = HostPatternError;
    fn try_from(text: String) -> Result<Self, HostPatternError> {
        let host = text.strip_prefix("*.").unwrap_or(&text);
        let origin = format!("https://{host}").parse::<crate::Origin>();
        if origin.is_ok_and(|origin| origin.host() == host) { Ok(Self(text)) } else { Err(HostPatternError) }
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;
    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        text.to_owned().try_into()
    }
}

impl From<HostPattern> for String {
    fn from(pattern: HostPattern) -> Self {
        pattern.0
    }
}
