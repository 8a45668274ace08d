//! The metadata document (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2).
//!
//! It is made of the registries that the endpoints run on, so it announces what exists and no more.

use std::sync::Arc;

use jose::Algorithm;
use serde::{Deserialize, Serialize};

use crate::{
    AuthMethod, Catalogue,
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
    /// What the tenant declares.
    pub catalogue: Arc<Catalogue>,
}

/// What a server does besides the core: each switches its members of the document on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Features {
    /// Token introspection (RFC 7662), at `/introspect`.
    pub introspection: bool,
    /// Token revocation (RFC 7009), at `/revoke`.
    pub revocation: bool,
    /// Dynamic client registration (RFC 7591), at `/register`.
    pub registration: bool,
    /// Session Management 1.0, at `/session/check`.
    pub session_management: bool,
    /// Front-Channel Logout 1.0.
    pub frontchannel_logout: bool,
    /// Back-Channel Logout 1.0.
    pub backchannel_logout: bool,
    /// Pairwise subjects (OpenID Connect Core section 8.1).
    pub pairwise: bool,
    /// The algorithms of client assertions (RFC 7523): any asymmetric one offers `private_key_jwt`,
    /// HS256 offers `client_secret_jwt`.
    pub assertion_algorithms: Vec<Algorithm>,
    /// The algorithms of signed userinfo answers (OpenID Connect Core section 5.3.2).
    pub userinfo_algorithms: Vec<Algorithm>,
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
    /// The standard scopes and those that are declared.
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
    /// `public`, and `pairwise` if it exists.
    pub subject_types_supported: Vec<String>,
    /// The algorithms of ID tokens.
    pub id_token_signing_alg_values_supported: Vec<Algorithm>,
    /// See [`AuthMethod::OFFERED`]; and those of assertions, if there are any.
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
    /// What [`Features`] switch on.
    #[serde(flatten)]
    pub further: Further,
}

/// The members that [`Features`] switch on; without its feature a member is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Further {
    /// The algorithms of client assertions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub token_endpoint_auth_signing_alg_values_supported: Vec<Algorithm>,
    /// `{issuer}/introspect` (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introspection_endpoint: Option<String>,
    /// Every method but `none` (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_methods_supported: Vec<AuthMethod>,
    /// The algorithms of client assertions (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub introspection_endpoint_auth_signing_alg_values_supported: Vec<Algorithm>,
    /// `{issuer}/revoke` (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// The methods of the token endpoint (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_methods_supported: Vec<AuthMethod>,
    /// The algorithms of client assertions (RFC 8414 section 2).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub revocation_endpoint_auth_signing_alg_values_supported: Vec<Algorithm>,
    /// `{issuer}/register`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registration_endpoint: Option<String>,
    /// `{issuer}/session/check` (Session Management 1.0 section 3.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_session_iframe: Option<String>,
    /// Front-Channel Logout 1.0 section 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_supported: Option<bool>,
    /// `iss` and `sid` are in each front-channel logout (Front-Channel Logout 1.0 section 3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frontchannel_logout_session_supported: Option<bool>,
    /// Back-Channel Logout 1.0 section 2.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_supported: Option<bool>,
    /// `sid` is in the logout token of a session (Back-Channel Logout 1.0 section 2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backchannel_logout_session_supported: Option<bool>,
    /// The algorithms of signed userinfo answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub userinfo_signing_alg_values_supported: Vec<Algorithm>,
}

impl Features {
    /// How clients may authenticate: [`AuthMethod::OFFERED`], and by assertions if there are any.
    #[must_use]
    pub fn auth_methods(&self) -> Vec<AuthMethod> {
        let by_assertion = |method: &AuthMethod| {
            self.assertion_algorithms.iter().any(|algorithm| AuthMethod::of_assertion(*algorithm) == *method)
        };
        let offered = |method: &AuthMethod| AuthMethod::OFFERED.contains(method) || by_assertion(method);
        AuthMethod::ALL.iter().copied().filter(offered).collect()
    }

    fn further(&self, issuer: &str) -> Further {
        let at = |exists: bool, path: &str| exists.then(|| format!("{issuer}{path}"));
        let methods = |exists: bool| if exists { self.auth_methods() } else { Vec::new() };
        let algorithms = |exists: bool| if exists { self.assertion_algorithms.clone() } else { Vec::new() };
        let mut confidential = methods(self.introspection);
        confidential.retain(|method| *method != AuthMethod::None);
        Further {
            token_endpoint_auth_signing_alg_values_supported: algorithms(true),
            introspection_endpoint: at(self.introspection, "/introspect"),
            introspection_endpoint_auth_methods_supported: confidential,
            introspection_endpoint_auth_signing_alg_values_supported: algorithms(self.introspection),
            revocation_endpoint: at(self.revocation, "/revoke"),
            revocation_endpoint_auth_methods_supported: methods(self.revocation),
            revocation_endpoint_auth_signing_alg_values_supported: algorithms(self.revocation),
            registration_endpoint: at(self.registration, "/register"),
            check_session_iframe: at(self.session_management, "/session/check"),
            frontchannel_logout_supported: self.frontchannel_logout.then_some(true),
            frontchannel_logout_session_supported: self.frontchannel_logout.then_some(true),
            backchannel_logout_supported: self.backchannel_logout.then_some(true),
            backchannel_logout_session_supported: self.backchannel_logout.then_some(true),
            userinfo_signing_alg_values_supported: self.userinfo_algorithms.clone(),
        }
    }
}

impl Metadata {
    /// The document of a server that does the core only.
    #[must_use]
    pub fn new(server: &Server) -> Self {
        Self::with(server, &Features::default())
    }

    /// The document of a server that does more.
    #[must_use]
    pub fn with(server: &Server, features: &Features) -> Self {
        let base = server.issuer.trim_end_matches('/');
        let at = |path: &str| format!("{base}{path}");
        Self {
            issuer: server.issuer.clone(),
            authorization_endpoint: at("/authorize"),
            token_endpoint: at("/token"),
            userinfo_endpoint: at("/userinfo"),
            end_session_endpoint: at("/logout"),
            jwks_uri: at("/jwks"),
            scopes_supported: scopes(&server.catalogue),
            response_types_supported: owned(RESPONSE_TYPES),
            response_modes_supported: ResponseMode::ALL.iter().map(|mode| mode.as_str().to_owned()).collect(),
            grant_types_supported: GRANTS.iter().map(|spec| spec.grant.as_str().to_owned()).collect(),
            acr_values_supported: server.acr_values.clone(),
            subject_types_supported: owned(if features.pairwise {
                &["public", "pairwise"]
            } else {
                &["public"]
            }),
            id_token_signing_alg_values_supported: server.id_token_algorithms.clone(),
            token_endpoint_auth_methods_supported: features.auth_methods(),
            claim_types_supported: owned(&["normal"]),
            claims_supported: claims(&server.catalogue),
            ui_locales_supported: server.ui_locales.clone(),
            claims_parameter_supported: true,
            request_parameter_supported: false,
            request_uri_parameter_supported: false,
            code_challenge_methods_supported: owned(pkce::METHODS),
            authorization_response_iss_parameter_supported: true,
            prompt_values_supported: Prompt::ALL.to_vec(),
            further: features.further(base),
        }
    }
}

fn scopes(catalogue: &Catalogue) -> Vec<String> {
    let declared = catalogue.declared();
    let further = declared.iter().filter(|scope| !scope.is_standard());
    owned(scope::STANDARD).into_iter().chain(further.map(|scope| scope.as_str().to_owned())).collect()
}

fn claims(catalogue: &Catalogue) -> Vec<String> {
    let by_scope = BY_SCOPE.iter().flat_map(|(_, claims)| claims.iter());
    let mut claims: Vec<String> =
        PROTOCOL_CLAIMS.iter().chain(by_scope).map(|&claim| claim.to_owned()).collect();
    for claim in catalogue.scopes.iter().flat_map(|scope| scope.claims.keys()) {
        if !claims.contains(claim) {
            claims.push(claim.clone());
        }
    }
    claims
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
            catalogue: Arc::default(),
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

    #[test]
    fn each_feature_announces_its_own_members_only() {
        let server = Server {
            issuer: "https://id.example".into(),
            ui_locales: vec![],
            acr_values: vec![],
            id_token_algorithms: vec![Algorithm::Rs256],
            catalogue: Arc::default(),
        };
        let without = serde_json::to_value(Metadata::new(&server)).unwrap();
        let cases = [
            (
                Features { introspection: true, ..Features::default() },
                json!({
                    "introspection_endpoint": "https://id.example/introspect",
                    "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                }),
            ),
            (
                Features { revocation: true, ..Features::default() },
                json!({
                    "revocation_endpoint": "https://id.example/revoke",
                    "revocation_endpoint_auth_methods_supported":
                        ["client_secret_basic", "client_secret_post", "none"],
                }),
            ),
            (
                Features { registration: true, session_management: true, ..Features::default() },
                json!({
                    "registration_endpoint": "https://id.example/register",
                    "check_session_iframe": "https://id.example/session/check",
                }),
            ),
            (
                Features { frontchannel_logout: true, backchannel_logout: true, ..Features::default() },
                json!({
                    "frontchannel_logout_supported": true, "frontchannel_logout_session_supported": true,
                    "backchannel_logout_supported": true, "backchannel_logout_session_supported": true,
                }),
            ),
            (
                Features {
                    pairwise: true,
                    userinfo_algorithms: vec![Algorithm::Rs256],
                    assertion_algorithms: vec![Algorithm::Es256],
                    ..Features::default()
                },
                json!({
                    "subject_types_supported": ["public", "pairwise"],
                    "userinfo_signing_alg_values_supported": ["RS256"],
                    "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
                    "token_endpoint_auth_methods_supported":
                        ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"],
                }),
            ),
        ];
        for (features, members) in cases {
            let mut expected = without.as_object().unwrap().clone();
            expected.extend(members.as_object().unwrap().clone());
            let document = Metadata::with(&server, &features);
            assert_eq!(serde_json::to_value(&document).unwrap(), serde_json::Value::Object(expected));
            let read: Metadata = serde_json::from_value(serde_json::to_value(&document).unwrap()).unwrap();
            assert_eq!(read, document);
        }
    }
}
