//! `/userinfo` (OpenID Connect Core section 5.3): the claims of whoever gave the grant behind an
//! access token, as long as that grant lives.

use crate::{
    access_token::{self, Ground},
    call::{self, Call, Failure},
    keys, mint, person,
};
use axum::{
    body::Bytes,
    extract::rejection::BytesRejection,
    response::{IntoResponse, Response},
};
use base::Error;
use http::{StatusCode, header};
use jose::Typ;
use oauth::{
    Client, ErrorCode, Params, Scopes,
    bearer::{self, BearerError},
    claims::userinfo_claims,
    error::Refusal,
    mapping::Target,
    scope::OPENID,
};
use serde_json::{Map, Value};
use std::sync::Arc;
use store::Application;

/// `OPTIONS /userinfo`.
pub(crate) async fn preflight() -> Response {
    call::preflight("GET, POST")
}

/// `GET /userinfo`.
pub(crate) async fn get(call: Call) -> Response {
    answer(&call, None).await
}

/// `POST /userinfo`, with the token in the header or in a form.
pub(crate) async fn post(call: Call, body: Result<Bytes, BytesRejection>) -> Response {
    if !call.has_form() {
        return answer(&call, None).await;
    }
    match call.form(body) {
        Ok(form) => answer(&call, Some(&form)).await,
        Err(error) => Failure::from(error).respond(&call.request_id),
    }
}

async fn answer(call: &Call, form: Option<&Params>) -> Response {
    match claims(call, form).await {
        Ok((claims, client)) => {
            let mut response = written(call, &client.client, claims)
                .await
                .unwrap_or_else(|error| Failure::from(error).respond(&call.request_id));
            call::share_with(&mut response, call, &client.client);
            response
        }
        Err(failure) => {
            let mut response = failure.respond(&call.request_id);
            // It says nothing about anybody, and scripts learn that their token is no good.
            call::share(&mut response, "*");
            response
        }
    }
}

type Claims = Map<String, Value>;

async fn claims(call: &Call, form: Option<&Params>) -> Result<(Claims, Arc<Application>), Failure> {
    let invalid = BearerError::invalid_token;
    let token = bearer::extract(call.header(header::AUTHORIZATION), form)?;
    let token = access_token::read(call, &token).ok_or_else(invalid)?;
    let scopes: Scopes = token.scope.parse().unwrap_or_default();
    if !scopes.contains(OPENID) {
        let why = "the access token was not given for the claims of a person";
        return Err(BearerError::from(Refusal::new(ErrorCode::InsufficientScope, why)).into());
    }
    // Its issuer is the tenant's, or was.
    if !token.opens_userinfo(&token.iss) {
        return Err(invalid().into());
    }
    let living = access_token::living(call, &token).await?.ok_or_else(invalid)?;
    let Ground::Grant(held) = living.ground else { return Err(invalid().into()) };
    let all = person::claims(call.db(), &call.tenant, &held.person).await?;
    let mut claims = userinfo_claims(&token.sub, &all, &scopes, &mint::claims_request(&held.grant));
    let (catalogue, client) = (&call.tenant.catalogue, &living.application.client);
    claims.extend(catalogue.mapped((client, &scopes), Target::Userinfo, &all));
    Ok((claims, living.application))
}

/// As JSON, or signed for the application that asked for it at its registration (OpenID Connect
/// Core section 5.3.2).
async fn written(call: &Call, client: &Client, mut claims: Claims) -> Result<Response, Error> {
    let Some(algorithm) = client.userinfo_signed_response_alg else {
        return Ok(call::json(StatusCode::OK, &claims));
    };
    let tenant = keys::ready(&call.site, &call.tenant, &[algorithm]).await?;
    claims.insert("iss".to_owned(), tenant.issuer.as_str().into());
    claims.insert("aud".to_owned(), client.client_id.as_str().into());
    let signed = mint::sign(&tenant, algorithm, Typ::IdToken, &claims)?;
    let headers = [
        (header::CONTENT_TYPE, "application/jwt"),
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    Ok((headers, signed).into_response())
}
