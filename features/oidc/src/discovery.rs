//! What applications read first: the metadata of the server and its public keys. Both are made of
//! what the tenant is, never of the request, and anybody may read them from anywhere.

use crate::{call::Call, request};
use axum::response::{IntoResponse, Response};
use http::header;
use jose::JwkSet;
use oauth::discovery::Metadata;
use serde::Serialize;

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 4) and
/// `GET /.well-known/oauth-authorization-server` (RFC 8414 section 3).
pub(crate) async fn metadata(call: Call) -> Response {
    public("application/json", &Metadata::new(&request::server(&call.tenant)))
}

/// `GET /jwks`: the keys that sign, those that did and those that will (RFC 7517 section 5).
pub(crate) async fn jwks(call: Call) -> Response {
    let keys: JwkSet =
        call.tenant.signing_keys().iter().map(|entry| entry.key.public_jwk().clone()).collect();
    public("application/jwk-set+json", &keys)
}

fn public(kind: &'static str, document: &impl Serialize) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    let mut response = axum::Json(document).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    response
}
