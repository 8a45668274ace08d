//! An application's registration: who it is, how it proves it, what it may ask for.

mod coherence;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::collections::BTreeSet;

pub use coherence::ClientError;
use jose::{Algorithm, JwkSet};
use serde::{Deserialize, Serialize};
pub use vocabulary::{
    AccessTokenFormat, ApplicationType, AuthMethod, ClientId, ClientIdError, ConsentMode, GrantType,
    Lifetimes, SubjectType,
};

use crate::{
    mapping::Mappings,
    scope::{OPENID, Scopes},
    uri::{Origin, RedirectUri, WebUri},
};

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
    /// Whom all its access tokens are for besides the owners of their scopes; see
    /// [`crate::Catalogue::audience`].
    #[serde(default)]
    pub audiences: Vec<String>,
    /// The algorithm of its ID tokens. Default RS256 (OpenID Connect Registration section 2).
    #[serde(default = "rs256")]
    pub id_token_signed_response_alg: Algorithm,
    /// The algorithm of its access tokens. Default ES256.
    #[serde(default = "es256")]
    pub access_token_signed_response_alg: Algorithm,
    /// Claims that it receives beyond those of its scopes.
    #[serde(default)]
    pub claims: Mappings,
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
    /// Whom to write to about it (RFC 7591 section 2).
    #[serde(default)]
    pub contacts: Vec<String>,
    /// The name of its software, the same in every installation (RFC 7591 section 2).
    #[serde(default)]
    pub software_id: Option<String>,
    /// The version of its software (RFC 7591 section 2).
    #[serde(default)]
    pub software_version: Option<String>,
    /// Where others may send a browser to begin a sign-in; `https` only (OpenID Connect Core section 4).
    #[serde(default)]
    pub initiate_login_uri: Option<WebUri>,
    /// Its public keys by value; never beside `jwks_uri` (RFC 7591 section 2).
    #[serde(default)]
    pub jwks: Option<JwkSet>,
    /// Where its public keys are (RFC 7591 section 2).
    #[serde(default)]
    pub jwks_uri: Option<WebUri>,
    /// The one algorithm of its assertions; see [`Client::assertion_algorithms`].
    #[serde(default)]
    pub token_endpoint_auth_signing_alg: Option<Algorithm>,
    /// The form of its access tokens.
    #[serde(default)]
    pub access_token_format: AccessTokenFormat,
    /// Whether its ID tokens say what userinfo says, for libraries that never ask there.
    #[serde(default)]
    pub userinfo_in_id_token: bool,
    /// The algorithm that its userinfo answers are signed with; plain JSON without one.
    #[serde(default)]
    pub userinfo_signed_response_alg: Option<Algorithm>,
    /// How it knows a person.
    #[serde(default)]
    pub subject_type: SubjectType,
    /// A list of the addresses of its sector (OpenID Connect Core section 8.1).
    #[serde(default)]
    pub sector_identifier_uri: Option<WebUri>,
    /// When people are asked for consent; see [`Client::consent_mode`].
    #[serde(default)]
    pub consent: Option<ConsentMode>,
    /// The `max_age` of requests that name none, in seconds (OpenID Connect Registration section 2).
    #[serde(default)]
    pub default_max_age: Option<u32>,
    /// Whether `auth_time` must be in its ID tokens; it always is.
    #[serde(default)]
    pub require_auth_time: bool,
    /// The `acr_values` of requests that name none (OpenID Connect Registration section 2).
    #[serde(default)]
    pub default_acr_values: Vec<String>,
    /// The origins from which browsers may call our endpoints (Fetch, CORS protocol).
    #[serde(default)]
    pub allowed_origins: Vec<Origin>,
    /// What a frame loads after a logout (OpenID Connect Front-Channel Logout 1.0 section 2).
    #[serde(default)]
    pub frontchannel_logout_uri: Option<WebUri>,
    /// Whether that needs `iss` and `sid`; they are always there.
    #[serde(default)]
    pub frontchannel_logout_session_required: bool,
    /// Where logout tokens go (OpenID Connect Back-Channel Logout 1.0 section 2.2).
    #[serde(default)]
    pub backchannel_logout_uri: Option<WebUri>,
    /// Whether those need `sid`; where a session ended, it is always there.
    #[serde(default)]
    pub backchannel_logout_session_required: bool,
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
            claims: Mappings::new(),
            id_token_signed_response_alg: rs256(),
            access_token_signed_response_alg: es256(),
            lifetimes: Lifetimes::default(),
            require_pkce: false,
            rotate_refresh_tokens: true,
            client_uri: None,
            logo_uri: None,
            policy_uri: None,
            tos_uri: None,
            contacts: Vec::new(),
            software_id: None,
            software_version: None,
            initiate_login_uri: None,
            jwks: None,
            jwks_uri: None,
            token_endpoint_auth_signing_alg: None,
            access_token_format: AccessTokenFormat::Jwt,
            userinfo_in_id_token: false,
            userinfo_signed_response_alg: None,
            subject_type: SubjectType::Public,
            sector_identifier_uri: None,
            consent: None,
            default_max_age: None,
            require_auth_time: false,
            default_acr_values: Vec::new(),
            allowed_origins: Vec::new(),
            frontchannel_logout_uri: None,
            frontchannel_logout_session_required: false,
            backchannel_logout_uri: None,
            backchannel_logout_session_required: false,
        }
    }

    /// The name that customers see.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.client_id.as_str())
    }

    /// Whether the client cannot keep a secret (RFC 6749 section 2.1).
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == Some(AuthMethod::None)
    }

    /// Whether the client shares a secret with us.
    #[must_use]
    pub fn has_secret(&self) -> bool {
        self.token_endpoint_auth_method.is_none_or(AuthMethod::has_secret)
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

    /// The algorithms that its assertions may be signed with, by its method: the one registered, else
    /// every asymmetric one for `private_key_jwt` and HS256 for `client_secret_jwt`; none for a
    /// client of another method (OpenID Connect Registration section 2).
    pub fn assertion_algorithms(&self) -> impl Iterator<Item = Algorithm> {
        let fits = |algorithm: &Algorithm| {
            self.token_endpoint_auth_method == Some(AuthMethod::of_assertion(*algorithm))
                && self.token_endpoint_auth_signing_alg.is_none_or(|only| only == *algorithm)
        };
        Algorithm::ALL.into_iter().filter(fits)
    }

    /// When people are asked for consent: what is set; else never by a first party, and until they
    /// have agreed by any other.
    #[must_use]
    pub fn consent_mode(&self) -> ConsentMode {
        let fallback = if self.first_party { ConsentMode::Skip } else { ConsentMode::Remember };
        self.consent.unwrap_or(fallback)
    }

    /// Whether a browser may call us from this origin, as its `Origin` header spells it: by exact
    /// comparison (Fetch, CORS protocol).
    #[must_use]
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed.as_str() == origin)
    }

    /// The values of `response_type` that it may use (RFC 7591 section 2.1).
    #[must_use]
    pub fn response_types(&self) -> &'static [&'static str] {
        if self.allows(GrantType::AuthorizationCode) { crate::discovery::RESPONSE_TYPES } else { &[] }
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
