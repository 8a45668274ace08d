//! What a client learns about its registration (RFC 7591 section 3.2.1, RFC 7592 section 3).

use serde_json::{Map, Value};

use crate::Client;

/// Members that only we write: an update must not have them (RFC 7592 section 2.2).
pub(super) const OURS: &[&str] = &[
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
];

/// Fields of [`Client`] that are registered metadata under the same name.
const REGISTERED: &[&str] = &[
    "client_id",
    "redirect_uris",
    "post_logout_redirect_uris",
    "token_endpoint_auth_method",
    "token_endpoint_auth_signing_alg",
    "grant_types",
    "application_type",
    "client_uri",
    "logo_uri",
    "policy_uri",
    "tos_uri",
    "contacts",
    "software_id",
    "software_version",
    "jwks",
    "jwks_uri",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "subject_type",
    "sector_identifier_uri",
    "default_max_age",
    "require_auth_time",
    "default_acr_values",
    "initiate_login_uri",
    "frontchannel_logout_uri",
    "frontchannel_logout_session_required",
    "backchannel_logout_uri",
    "backchannel_logout_session_required",
];

/// What goes with a registration in its document.
#[derive(Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// The secret, if it was just made or is still known; it never expires by itself.
    pub secret: Option<&'a str>,
    /// When the client was registered, in seconds since the epoch.
    pub issued_at: i64,
    /// How it manages its registration, if it may.
    pub management: Option<Management<'a>>,
}

/// How a client manages its registration (RFC 7592 section 3).
#[derive(Clone, Copy)]
pub struct Management<'a> {
    /// The `registration_access_token`, if it is known: it was just made, or came with the request.
    pub token: Option<&'a str>,
    /// The `registration_client_uri`.
    pub uri: &'a str,
}

/// The document: everything that is registered, and the credentials.
#[must_use]
pub fn document(client: &Client, credentials: &Credentials<'_>) -> Map<String, Value> {
    let fields = match serde_json::to_value(client) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let says_something = |value: &Value| !value.is_null() && value.as_array().is_none_or(|l| !l.is_empty());
    let registered =
        |(name, value): &(String, Value)| REGISTERED.contains(&name.as_str()) && says_something(value);
    let mut document: Map<String, Value> = fields.into_iter().filter(registered).collect();
    let mut add = |name: &str, value: Value| drop(document.insert(name.to_owned(), value));
    if let Some(name) = &client.name {
        add("client_name", name.as_str().into());
    }
    add("scope", client.allowed_scopes().to_string().into());
    add("response_types", client.response_types().into());
    add("client_id_issued_at", credentials.issued_at.into());
    if let Some(secret) = credentials.secret {
        add("client_secret", secret.into());
    }
    if client.has_secret() {
        add("client_secret_expires_at", 0.into());
    }
    if let Some(management) = credentials.management {
        add("registration_client_uri", management.uri.into());
        if let Some(token) = management.token {
            add("registration_access_token", token.into());
        }
    }
    document
}
