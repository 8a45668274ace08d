//! What applications read first: the metadata of the server and its public keys. Both are made of
//! what the tenant is, never of the request, and anybody may read them from anywhere.

use crate::{call::Call, keys, request};
use axum::{
    Extension,
    response::{IntoResponse, Response},
};
use http::header;
use jose::{Algorithm, JwkSet};
use oauth::discovery::{Features, Metadata};
use serde::Serialize;
use store::{Tenant, rows::tenant::ClientRegistration};
use web::{sessions::are_watched, tenancy::FormerIssuer};

/// `GET /.well-known/openid-configuration` (OpenID Connect Discovery 1.0 section 4) and
/// `GET /.well-known/oauth-authorization-server` (RFC 8414 section 3).
///
/// At the address of a former issuer it is that issuer's, as a client that asks there must find it
/// (section 4.3), with the endpoints and keys of today: what was issued under it can be verified
/// until it expires. New tokens name the issuer of today.
pub(crate) async fn metadata(former: Option<Extension<FormerIssuer>>, call: Call) -> Response {
    let mut document = Metadata::with(&request::server(&call.tenant), &features(&call.tenant));
    if let Some(Extension(FormerIssuer(issuer))) = former {
        document.issuer = issuer;
    }
    public("application/json", &document)
}

/// What there is besides the core.
fn features(tenant: &Tenant) -> Features {
    Features {
        introspection: true,
        revocation: true,
        registration: tenant.settings.client_registration != ClientRegistration::Off,
        session_management: are_watched(tenant),
        frontchannel_logout: true,
        backchannel_logout: true,
        pairwise: true,
        assertion_algorithms: Algorithm::ALL.to_vec(),
        userinfo_algorithms: keys::offered(),
    }
}

/// `GET /jwks`: the keys that sign, those that did and those that will (RFC 7517 section 5). A key is
/// here for a day at least before it signs, so whoever keeps this for as long as it says knows it then.
pub(crate) async fn jwks(call: Call) -> Response {
    let keys: JwkSet = call.tenant.published_keys(call.now()).map(|key| key.jwk.clone()).collect();
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
