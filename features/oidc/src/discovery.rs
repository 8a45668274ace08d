//! What applications read first: the metadata of the server and its public keys. Both are made of
//! what the tenant is, never of the request, and anybody may read them from anywhere.

use crate::{call::Call, keys, request};
use axum::{Extension, body::Body, response::Response};
use http::{HeaderValue, header};
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
    let tenant = &call.tenant;
    let document = || Metadata::with(&request::server(tenant), &features(tenant));
    let bytes = match former {
        Some(Extension(FormerIssuer(issuer))) => written(&Metadata { issuer, ..document() }).into(),
        None => tenant.document(("metadata", 0), || written(&document())),
    };
    public(HeaderValue::from_static("application/json"), bytes)
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
    let published = || call.tenant.published_keys(call.now()).map(|key| &key.jwk);
    // Within a version of the tenant keys only drop out, so their number says which they are.
    let bytes = call
        .tenant
        .document(("jwks", published().count()), || written(&published().cloned().collect::<JwkSet>()));
    public(HeaderValue::from_static("application/jwk-set+json"), bytes)
}

fn written(document: &impl Serialize) -> Vec<u8> {
    // Strings, lists and numbers: there is nothing in them that JSON has no form for.
    serde_json::to_vec(document).unwrap_or_default()
}

fn public(kind: HeaderValue, document: impl Into<Body>) -> Response {
    let mut response = Response::new(document.into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
