//! The words of a registration: names, methods, grants, forms and lifetimes.

use std::{borrow::Borrow, fmt, str::FromStr};

use jose::Algorithm;
use serde::{Deserialize, Serialize};

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

/// The form of an application's access tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessTokenFormat {
    /// A signed JWT, which resource servers read themselves (RFC 9068).
    #[default]
    Jwt,
    /// A name without meaning, which resource servers ask us about (RFC 7662).
    Opaque,
}

/// How an application knows a person (OpenID Connect Core section 8).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    /// By the `sub` that every application sees.
    #[default]
    Public,
    /// By a `sub` that only the applications of its sector see.
    Pairwise,
}

/// When a person is asked whether the application may know what it asks for. A request with
/// `prompt=consent` always asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentMode {
    /// Never.
    Skip,
    /// Until the person has agreed.
    Remember,
    /// At each request.
    Always,
}

impl Lifetimes {
    /// The longest life of what is signed, in seconds: so long keys stay published after they sign no more.
    pub const LONGEST_SIGNED: i64 = 30 * 86_400;

    pub(super) fn is_sane(&self) -> bool {
        let all = [self.code, self.access_token, self.id_token, self.refresh_idle, self.refresh_absolute];
        let signed = self.access_token.max(self.id_token);
        all.iter().all(|seconds| *seconds > 0) && self.code <= 60 && signed <= Self::LONGEST_SIGNED
    }
}

impl AuthMethod {
    /// The methods without an assertion, which every token endpoint offers.
    pub const OFFERED: &'static [Self] = &[Self::ClientSecretBasic, Self::ClientSecretPost, Self::None];

    /// Every method.
    pub const ALL: &'static [Self] = &[
        Self::ClientSecretBasic,
        Self::ClientSecretPost,
        Self::ClientSecretJwt,
        Self::PrivateKeyJwt,
        Self::None,
    ];

    /// The method of an assertion signed with this algorithm (OpenID Connect Core section 9).
    #[must_use]
    pub const fn of_assertion(algorithm: Algorithm) -> Self {
        if algorithm.is_symmetric() { Self::ClientSecretJwt } else { Self::PrivateKeyJwt }
    }

    /// Whether the client proves itself with a secret that it shares with us.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::ClientSecretBasic | Self::ClientSecretPost | Self::ClientSecretJwt)
    }

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

impl FromStr for AuthMethod {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|method| method.as_str() == text).ok_or(())
    }
}

impl GrantType {
    /// Every grant.
    pub const ALL: &'static [Self] = &[Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

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

impl FromStr for GrantType {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|grant| grant.as_str() == text).ok_or(())
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
