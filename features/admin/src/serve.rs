//! The door of the API: the same steps for every endpoint, in one order: tenant, caller, permission,
//! values; then its work, anew while others are faster.

use crate::{
    Admin,
    call::{Answer, Call},
    caller::Caller,
    endpoint::{Endpoint, ParameterKind, Verb},
    idempotency::Repeat,
    refusal::{MALFORMED, MEDIA_TYPE, METHOD_NOT_ALLOWED, Refusal, TOO_LARGE},
    stamp::Stamp,
};
use axum::{
    body::Body,
    extract::{FromRequestParts, Query, RawPathParams, Request},
    response::Response,
};
use base::{Origin, RequestId, net::ClientAddr};
use http::{header, request::Parts};
use http_body_util::LengthLimitError;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};
use store::Tenant;
use web::tenancy::Addressed;

/// The largest body, in bytes.
const LARGEST_BODY: usize = 256 * 1024;
/// The longest query parameter.
const LONGEST_PARAMETER: usize = 1_024;
/// How often a call is tried anew.
const TRIES: u32 = 20;

/// Answers a request to this endpoint.
pub(crate) async fn serve(admin: Admin, endpoint: &'static Endpoint, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let request_id = request_id(&parts);
    let tenant = match tenant(&parts) {
        Ok(tenant) => tenant,
        Err(refusal) => return refusal.respond("", &request_id),
    };
    let issuer = tenant.issuer.clone();
    let carried = async {
        let call = admit(admin, endpoint, tenant, (&mut parts, body)).await?;
        carry_out(call).await
    };
    match carried.await {
        Ok(answer) => answer.respond(endpoint, &issuer),
        Err(refusal) => refusal.respond(&issuer, &request_id),
    }
}

/// Answers a method that an address does not have.
pub(crate) async fn wrong_method(request: Request) -> Response {
    refuse(request, Refusal::new(METHOD_NOT_ALLOWED))
}

/// Answers an address below `/api/v1` that is none.
pub(crate) async fn nowhere(request: Request) -> Response {
    refuse(request, Refusal::not_found())
}

fn refuse(request: Request, refusal: Refusal) -> Response {
    let (parts, _) = request.into_parts();
    let issuer = tenant(&parts).map(|tenant| tenant.issuer.clone()).unwrap_or_default();
    refusal.respond(&issuer, &request_id(&parts))
}

fn request_id(parts: &Parts) -> RequestId {
    parts.extensions.get::<RequestId>().cloned().unwrap_or(RequestId(String::new()))
}

/// The tenant of a request, if it serves.
pub(crate) fn tenant(parts: &Parts) -> Result<Arc<Tenant>, Refusal> {
    let addressed = parts.extensions.get::<Addressed>().cloned();
    let tenant = addressed.map_or(Ok(None), |addressed| addressed.0)?;
    tenant.filter(|tenant| tenant.active).ok_or_else(Refusal::not_found)
}

async fn admit(
    admin: Admin,
    endpoint: &'static Endpoint,
    tenant: Arc<Tenant>,
    (parts, body): (&mut Parts, Body),
) -> Result<Call, Refusal> {
    let caller = Caller::of(&admin, &tenant, parts).await?;
    if endpoint.root && !is_root(&admin, &tenant).await? {
        return Err(Refusal::not_found());
    }
    if !caller.permissions().allow(endpoint.permission) {
        return Err(Refusal::scope(endpoint.permission.as_str()));
    }
    let mut call = Call {
        endpoint,
        tenant,
        caller,
        path: path(parts).await?,
        query: query(endpoint, parts)?,
        headers: parts.headers.clone(),
        body: read(endpoint, parts, body).await?,
        origin: origin(parts),
        repeat: None,
        admin,
    };
    call.repeat = Repeat::of(&call, parts.headers.get("idempotency-key"))?;
    Ok(call)
}

/// Whether this is the first tenant, at which the objects of the whole server are.
pub(crate) async fn is_root(admin: &Admin, tenant: &Tenant) -> Result<bool, Refusal> {
    let root = admin.site.directory().resolve(store::Address::Root).await?;
    Ok(root.is_some_and(|root| root.id == tenant.id))
}

async fn carry_out(mut call: Call) -> Result<Answer, Refusal> {
    for _ in 0..TRIES {
        if let Some(answer) = kept(&call).await? {
            return Ok(answer);
        }
        match (call.endpoint.run)(&call).await {
            Err(Refusal::Again) => {}
            // What is taken may have been taken by the same request, which came just before.
            Err(refusal) => return kept(&call).await?.ok_or(refusal),
            Ok(answer) => return Ok(answer),
        }
        let (directory, id) = (call.directory().clone(), call.tenant.id);
        directory.forget(id);
        call.tenant = directory.tenant(id).await?.ok_or_else(Refusal::not_found)?;
    }
    Err(Refusal::Again)
}

/// What the first request of a repeated creation was answered.
async fn kept(call: &Call) -> Result<Option<Answer>, Refusal> {
    match &call.repeat {
        Some(repeat) => repeat.answered(call).await,
        None => Ok(None),
    }
}

async fn path(parts: &mut Parts) -> Result<BTreeMap<String, String>, Refusal> {
    let params = RawPathParams::from_request_parts(parts, &()).await.map_err(|_| Refusal::not_found())?;
    let path: BTreeMap<String, String> =
        params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if path.values().any(|value| value.contains('\0')) {
        return Err(Refusal::not_found());
    }
    Ok(path)
}

fn query(endpoint: &Endpoint, parts: &Parts) -> Result<BTreeMap<String, String>, Refusal> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
        .map_err(|_| Refusal::because(MALFORMED, "The query cannot be read."))?;
    let mut query = BTreeMap::new();
    for (name, value) in pairs {
        let Some(known) = endpoint.query.iter().find(|known| known.name == name) else {
            return Err(Refusal::field(name.replace('\0', ""), "is no parameter of this address"));
        };
        // Bytes that are no UTF-8 come as the replacement character.
        if value.len() > LONGEST_PARAMETER || value.contains(['\0', char::REPLACEMENT_CHARACTER]) {
            return Err(Refusal::field(name, "is too long or holds what is no text"));
        }
        let number = |most: u32| value.parse::<u32>().is_ok_and(|number| (1..=most).contains(&number));
        let fits = match known.kind {
            ParameterKind::Text => true,
            ParameterKind::Flag => matches!(value.as_str(), "true" | "false"),
            ParameterKind::Number(most) => number(most),
            ParameterKind::Time => Stamp::parse(&value).is_some(),
            ParameterKind::Words(words) => words.contains(&value.as_str()),
        };
        if !fits {
            return Err(Refusal::field(name, known.kind.form()));
        }
        if query.insert(name.clone(), value).is_some() {
            return Err(Refusal::field(name, "stands twice"));
        }
    }
    Ok(query)
}

async fn read(endpoint: &Endpoint, parts: &Parts, body: Body) -> Result<Option<Value>, Refusal> {
    if endpoint.takes.is_none() {
        return Ok(None);
    }
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    let merge = endpoint.method == Verb::Patch && kind == "application/merge-patch+json";
    if kind != "application/json" && !merge {
        return Err(Refusal::new(MEDIA_TYPE));
    }
    let bytes = axum::body::to_bytes(body, LARGEST_BODY).await.map_err(|error| match is_length(&error) {
        true => Refusal::new(TOO_LARGE),
        false => Refusal::because(MALFORMED, "The body broke off."),
    })?;
    let body: Value = serde_json::from_slice(&bytes)
        .map_err(|_| Refusal::because(MALFORMED, "The body is not the JSON that this address takes."))?;
    if holds_nul(&body) {
        return Err(Refusal::because(MALFORMED, "The body holds the character U+0000."));
    }
    Ok(Some(body))
}

/// Whether a body was too long, rather than broken.
fn is_length(error: &axum::Error) -> bool {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source()).any(|error| error.is::<LengthLimitError>())
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(holds_nul),
        Value::Object(map) => map.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

fn origin(parts: &Parts) -> Origin {
    let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Origin {
        address: parts.extensions.get::<ClientAddr>().map(ToString::to_string),
        agent: agent.map(|agent| agent.chars().take(400).collect()),
    }
}
