//! An application's registration: who it is, how it proves it, what it may ask for.

#[cfg(test)]
mod tests;

use std::{borrow::Borrow, collections::BTreeSet, fmt, str::FromStr};

use jose::Algorithm;
use serde::{Deserialize, Serialize};

use crate::{
    scope::{OPENID, Scopes},
    uri::{RedirectUri, WebUri},
};

/// The name of an application in the protocol (RFC 6749 section 2.2): visible ASCII, at most 255.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(String);

/// The text is no client identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client_id consists of 1 to 255 visible ASCII characters")]
pub struct ClientIdError;

/// How an application authenticates at the token endpoint (OpenID Connect Core section 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// A public client: no secret at all.
    None,
    /// The secret in the `Authorization` header.
    ClientSecretBasic,
    /// The secret in the body.
    ClientSecretPost,
    /// A JWT signed with the client's key (RFC 7523 section 2.2).
    PrivateKeyJwt,
    /// A JWT authenticated with the client's secret (RFC 7523 section 2.2).
    ClientSecretJwt,
}

/// Where an application runs (OpenID Connect Dynamic Client Registration section 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplicationType {
    /// On a server or in a browser.
    #[default]
    Web,
    /// On the customer's machine (RFC 8252).
    Native,
}

/// A grant that an application may use (RFC 7591 section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749 section 4.1.
    AuthorizationCode,
    /// RFC 6749 section 6.
    RefreshToken,
    /// RFC 6749 section 4.4.
    ClientCredentials,
}

/// How long what the application receives lives, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifetimes {
    /// An authorization code; at most 60.
    pub code: i64,
    /// An access token.
    pub access_token: i64,
    /// An ID token.
    pub id_token: i64,
    /// A refresh token that nobody uses.
    pub refresh_idle: i64,
    /// A grant however often it is refreshed.
    pub refresh_absolute: i64,
}

impl Default for Lifetimes {
    fn default() -> Self {
        const DAY: i64 = 24 * 60 * 60;
        Self {
            code: 60,
            access_token: 600,
            id_token: 600,
            refresh_idle: 14 * DAY,
            refresh_absolute: 30 * DAY,
        }
    }
}

/// An application's metadata. What a description leaves out takes the default of its field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// The application's name in the protocol.
    pub client_id: ClientId,
    /// The name that customers see; the `client_id` if none is given.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it belongs to the tenant itself, so that nobody is asked for consent. Default true.
    #[serde(default = "yes")]
    pub first_party: bool,
    /// Where it runs.
    #[serde(default)]
    pub application_type: ApplicationType,
    /// How it authenticates; without a value by secret, in the header or in the body.
    #[serde(default)]
    pub token_endpoint_auth_method: Option<AuthMethod>,
    /// Where answers of the authorization endpoint may go.
    #[serde(default)]
    pub redirect_uris: Vec<RedirectUri>,
    /// Where the browser may go after a logout.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<RedirectUri>,
    /// The grants it may use; by default `authorization_code` and `refresh_token`.
    #[serde(default = "default_grants")]
    pub grant_types: BTreeSet<GrantType>,
    /// The scopes it may ask for; by default [`crate::scope::STANDARD`].
    #[serde(default)]
    pub scopes: Option<Scopes>,
    /// The resource servers that its access tokens are for; see [`Client::audience`].
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The algorithm of its ID tokens. Default RS256 (OpenID Connect Registration section 2).
    #[serde(default = "rs256")]
    pub id_token_signed_response_alg: Algorithm,
    /// The algorithm of its access tokens. Default ES256.
    #[serde(default = "es256")]
    pub access_token_signed_response_alg: Algorithm,
    /// How long its codes and tokens live.
    #[serde(default)]
    pub lifetimes: Lifetimes,
    /// Whether it must use PKCE even where [`Client::needs_pkce`] would not ask for it.
    #[serde(default)]
    pub require_pkce: bool,
    /// Whether a refresh gives a new refresh token. Default true; public clients always rotate.
    #[serde(default = "yes")]
    pub rotate_refresh_tokens: bool,
    /// Its home page.
    #[serde(default)]
    pub client_uri: Option<WebUri>,
    /// Its logo.
    #[serde(default)]
    pub logo_uri: Option<WebUri>,
    /// Its privacy policy.
    #[serde(default)]
    pub policy_uri: Option<WebUri>,
    /// Its terms of service.
    #[serde(default)]
    pub tos_uri: Option<WebUri>,
}

/// Why a registration contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// RFC 8252 section 7.1.
    #[error("{0} has a private scheme, which needs application_type native")]
    PrivateSchemeOnWeb(RedirectUri),
    /// RFC 6749 section 4.4.
    #[error("client_credentials needs a secret: a public client has none")]
    PublicMachine,
    /// RFC 6749 section 3.1.2.2.
    #[error("authorization_code needs at least one of redirect_uris")]
    NoRedirectUri,
    /// The method is not offered.
    #[error("token_endpoint_auth_method must be none, client_secret_basic or client_secret_post")]
    MethodNotOffered,
    /// Every resource server could forge what a shared secret signs.
    #[error("tokens are signed with an asymmetric algorithm")]
    SymmetricAlgorithm,
    /// A lifetime out of range.
    #[error("lifetimes must be positive, and that of a code at most 60 seconds")]
    Lifetime,
}

impl Client {
    /// An application with all defaults.
    #[must_use]
    pub fn new(client_id: ClientId) -> Self {
        Self {
            client_id,
            name: None,
            first_party: true,
            application_type: ApplicationType::Web,
            token_endpoint_auth_method: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            grant_types: default_grants(),
            scopes: None,
            audiences: Vec::new(),
            id_token_signed_response_alg: rs256(),
            access_token_signed_response_alg: es256(),
            lifetimes: Lifetimes::default(),
            require_pkce: false,
            rotate_refresh_tokens: true,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
        }
    }

    /// Checks what single fields cannot: whether the registration is coherent.
    ///
    /// # Errors
    /// The first contradiction.
    pub fn check(&self) -> Result<(), ClientError> {
        let addresses = self.redirect_uris.iter().chain(&self.post_logout_redirect_uris);
        if let Some(uri) = addresses.into_iter().find(|uri| uri.is_private_use())
            && self.application_type == ApplicationType::Web
        {
            return Err(ClientError::PrivateSchemeOnWeb(uri.clone()));
        }
        if self.is_public() && self.allows(GrantType::ClientCredentials) {
            return Err(ClientError::PublicMachine);
        }
        if self.allows(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            return Err(ClientError::NoRedirectUri);
        }
        if self.token_endpoint_auth_method.is_some_and(|method| !AuthMethod::OFFERED.contains(&method)) {
            return Err(ClientError::MethodNotOffered);
        }
        if self.id_token_signed_response_alg.is_symmetric()
            || self.access_token_signed_response_alg.is_symmetric()
        {
            return Err(ClientError::SymmetricAlgorithm);
        }
        if self.lifetimes.is_sane() { Ok(()) } else { Err(ClientError::Lifetime) }
    }

    /// The name that customers see.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.client_id.0)
    }

    /// Whether the client cannot keep a secret (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == Some(AuthMethod::None)
    }

    /// Whether this client may authenticate so. One registered without a method may send its
    /// secret in the header or in the body; any other only as registered.
    #[must_use]
    pub fn authenticates_by(&self, method: AuthMethod) -> bool {
        match self.token_endpoint_auth_method {
            Some(registered) => registered == method,
            None => matches!(method, AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost),
        }
    }

    /// Whether the client may use this grant (RFC 6749 section 5.2, `unauthorized_client`).
    #[must_use]
    pub fn allows(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// The scopes that the client may ask for.
    #[must_use]
    pub fn allowed_scopes(&self) -> Scopes {
        self.scopes.clone().unwrap_or_else(Scopes::standard)
    }

    /// Whether a request for these scopes needs PKCE: always by a public client; by a confidential
    /// one unless it is an OpenID Connect request, whose `nonce` does the same for it
    /// (RFC 9700 section 2.1.1), or the registration demands it.
    #[must_use]
    pub fn needs_pkce(&self, scopes: &Scopes) -> bool {
        self.is_public() || self.require_pkce || !scopes.contains(OPENID)
    }

    /// Whether a refresh gives a new refresh token (RFC 9700 section 4.14.2).
    #[must_use]
    pub fn rotates(&self) -> bool {
        self.is_public() || self.rotate_refresh_tokens
    }

    /// The audience of an access token (RFC 9068 section 3), never empty: the configured resource
    /// servers; the issuer besides, for its userinfo endpoint, if `openid` was granted; the issuer
    /// alone if nothing is configured.
    #[must_use]
    pub fn audience(&self, granted: &Scopes, issuer: &str) -> Vec<String> {
        let mut audience = self.audiences.clone();
        let userinfo = granted.contains(OPENID) || audience.is_empty();
        if userinfo && !audience.iter().any(|known| known == issuer) {
            audience.push(issuer.to_owned());
        }
        audience
    }
}

impl Lifetimes {
    fn is_sane(&self) -> bool {
        let all = [self.code, self.access_token, self.id_token, self.refresh_idle, self.refresh_absolute];
        all.iter().all(|seconds| *seconds > 0) && self.code <= 60
    }
}

impl AuthMethod {
    /// The methods that the token endpoint offers.
    pub const OFFERED: &'static [Self] = &[Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::ClientSecretJwt => "client_secret_jwt",
        }
    }
}

impl GrantType {
    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }
}

impl ClientId {
    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClientId {
    type Error = ClientIdError;
    fn try_from(text: String) -> Result<Self, ClientIdError> {
        let proper = (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if proper { Ok(Self(text)) } else { Err(ClientIdError) }
    }
}

impl FromStr for ClientId {
    type Err = ClientIdError;
    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        text.to_owned().try_into()
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0
    }
}

impl Borrow<str> for ClientId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn yes() -> bool {
    true
}

fn rs256() -> Algorithm {
    Algorithm::Rs256
}

fn es256() -> Algorithm {
    Algorithm::Es256
}

fn default_grants() -> BTreeSet<GrantType> {
    BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken])
}
