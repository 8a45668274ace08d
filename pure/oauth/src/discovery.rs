//! The metadata document (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).
//!
//! It is made of the registries that the endpoints run on, so it announces what exists and no more.

use jose::Algorithm;
use serde::{Deserialize, Serialize};

use crate::{
    AuthMethod,
    authorize::{Prompt, ResponseMode},
    claims::BY_SCOPE,
    pkce, scope,
    token::GRANTS,
};

/// The values of `response_type` that exist (RFC 6749 section 3.1.1; the implicit grant is no more,
/// RFC 9700 section 2.1.2).
pub const RESPONSE_TYPES: &[&str] = &["code"];

/// Claims of an ID token that are announced besides those of the scopes.
const PROTOCOL_CLAIMS: &[&str] =
    &["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid"];

/// What a tenant's server is: given by its configuration, never by a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The issuer, an absolute URL without a slash at its end.
    pub issuer: String,
    /// The languages of the pages (BCP 47).
    pub ui_locales: Vec<String>,
    /// The authentication contexts that exist, best first; may be none.
    pub acr_values: Vec<String>,
    /// The algorithms of ID tokens; RS256 must be among them (OpenID Connect Core section 15.1).
    pub id_token_algorithms: Vec<Algorithm>,
}

/// The document; every member is of OpenID Connect Discovery 1.0 section 3 unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The issuer.
    pub issuer: String,
    /// `{issuer}/authorize`.
    pub authorization_endpoint: String,
    /// `{issuer}/token`.
    pub token_endpoint: String,
    /// `{issuer}/userinfo`.
    pub userinfo_endpoint: String,
    /// `{issuer}/logout` (OpenID Connect RP-Initiated Logout 1.0 section 2.1).
    pub end_session_endpoint: String,
    /// `{issuer}/jwks`.
    pub jwks_uri: String,
    /// The standard scopes; those of applications are not announced.
    pub scopes_supported: Vec<String>,
    /// See [`RESPONSE_TYPES`].
    pub response_types_supported: Vec<String>,
    /// See [`ResponseMode`].
    pub response_modes_supported: Vec<String>,
    /// See [`GRANTS`].
    pub grant_types_supported: Vec<String>,
    /// The authentication contexts that exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acr_values_supported: Vec<String>,
    /// Only `public`.
    pub subject_types_supported: Vec<String>,
    /// The algorithms of ID tokens.
    pub id_token_signing_alg_values_supported: Vec<Algorithm>,
    /// See [`AuthMethod::OFFERED`].
    pub token_endpoint_auth_methods_supported: Vec<AuthMethod>,
    /// Only `normal`.
    pub claim_types_supported: Vec<String>,
    /// The claims that may be asked for.
    pub claims_supported: Vec<String>,
    /// The languages of the pages.
    pub ui_locales_supported: Vec<String>,
    /// The `claims` parameter is answered.
    pub claims_parameter_supported: bool,
    /// Request objects are refused.
    pub request_parameter_supported: bool,
    /// Request objects by reference are refused; false must be said, since true is the default.
    pub request_uri_parameter_supported: bool,
    /// See [`pkce::METHODS`] (RFC 8414 section 2).
    pub code_challenge_methods_supported: Vec<String>,
    /// Every answer names its issuer (RFC 9207 section 3).
    pub authorization_response_iss_parameter_supported: bool,
    /// See [`Prompt`] (Initiating User Registration via OpenID Connect 1.0 section 4.1).
    pub prompt_values_supported: Vec<Prompt>,
}

impl Metadata {
    /// The document of a server.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        let at = |path: &str| format!("{}{path}", server.issuer.trim_end_matches('/'));
        let by_scope = BY_SCOPE.iter().flat_map(|(_, claims)| claims.iter());
        Self {
            issuer: server.issuer.clone(),
            authorization_endpoint: at("/authorize"),
            token_endpoint: at("/token"),
            userinfo_endpoint: at("/userinfo"),
            end_session_endpoint: at("/logout"),
            jwks_uri: at("/jwks"),
            scopes_supported: owned(scope::STANDARD),
            response_types_supported: owned(RESPONSE_TYPES),
            response_modes_supported: ResponseMode::ALL.iter().map(|mode| mode.as_str().to_owned()).collect(),
            grant_types_supported: GRANTS.iter().map(|spec| spec.grant.as_str().to_owned()).collect(),
            acr_values_supported: server.acr_values.clone(),
            subject_types_supported: owned(&["public"]),
            id_token_signing_alg_values_supported: server.id_token_algorithms.clone(),
            token_endpoint_auth_methods_supported: AuthMethod::OFFERED.to_vec(),
            claim_types_supported: owned(&["normal"]),
            claims_supported: PROTOCOL_CLAIMS.iter().chain(by_scope).map(|&claim| claim.to_owned()).collect(),
            ui_locales_supported: server.ui_locales.clone(),
            claims_parameter_supported: true,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            code_challenge_methods_supported: owned(pkce::METHODS),
            authorization_response_iss_parameter_supported: true,
            prompt_values_supported: Prompt::ALL.to_vec(),
        }
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_document_announces_what_exists() {
        let server = Server {
            issuer: "https://id.example/t/shop".into(),
            ui_locales: vec!["en".into(), "ar".into()],
            acr_values: vec![],
            id_token_algorithms: vec![Algorithm::Rs256, Algorithm::Es256],
        };
        let mut document = serde_json::to_value(Metadata::new(&server)).unwrap();
        let claims = document.as_object_mut().unwrap().remove("claims_supported").unwrap();
        for claim in ["sub", "email_verified", "address", "updated_at", "phone_number"] {
            assert!(claims.as_array().unwrap().contains(&claim.into()), "{claim}");
        }
        let expected = json!({
            "issuer": "https://id.example/t/shop",
            "authorization_endpoint": "https://id.example/t/shop/authorize",
            "token_endpoint": "https://id.example/t/shop/token",
            "userinfo_endpoint": "https://id.example/t/shop/userinfo",
            "end_session_endpoint": "https://id.example/t/shop/logout",
            "jwks_uri": "https://id.example/t/shop/jwks",
            "scopes_supported": ["openid", "profile", "email", "phone", "address", "offline_access"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "claim_types_supported": ["normal"],
            "ui_locales_supported": ["en", "ar"],
            "claims_parameter_supported": true,
            "request_parameter_supported": false,
            "request_uri_parameter_supported": false,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "prompt_values_supported": ["none", "login", "consent", "select_account", "create"]
        });
        assert_eq!(document, expected);
    }
}
