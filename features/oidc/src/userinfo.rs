//! `/userinfo` (OpenID Connect Core section 5.3): the claims of whoever gave the grant behind an
//! access token, as long as that grant lives.

use crate::{
    Oidc,
    call::{self, Call, Failure},
    keys, mint, person,
};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::Response,
};
use base::{Error, RequestId};
use http::{HeaderValue, StatusCode, header};
use jose::Typ;
use oauth::{
    ErrorCode, Params, Scopes,
    bearer::{self, BearerError},
    claims::{AccessTokenClaims, userinfo_claims},
    error::Refusal,
    scope::OPENID,
};
use serde_json::{Map, Value};
use store::rows::{
    grant::{self, GrantRow},
    person as people,
};

/// Why the claims are not given.
enum Stop {
    Refused(BearerError),
    Broken(Error),
}

impl From<BearerError> for Stop {
    fn from(error: BearerError) -> Self {
        Self::Refused(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl From<store::DbError> for Stop {
    fn from(error: store::DbError) -> Self {
        Self::Broken(error.into())
    }
}

/// `OPTIONS /userinfo`.
pub(crate) async fn preflight() -> Response {
    call::preflight("GET, POST")
}

/// `GET /userinfo`.
pub(crate) async fn get(State(_): State<Oidc>, call: Call) -> Response {
    answer(&call, None).await
}

/// `POST /userinfo`, with the token in the header or in a form.
pub(crate) async fn post(State(_): State<Oidc>, call: Call, body: Result<Bytes, BytesRejection>) -> Response {
    if !call.has_form() {
        return answer(&call, None).await;
    }
    match call.form(body) {
        Ok(form) => answer(&call, Some(&form)).await,
        Err(error) => Failure::from(error).respond(&call.request_id),
    }
}

async fn answer(call: &Call, form: Option<&Params>) -> Response {
    let mut response = match claims(call, form).await {
        Ok(claims) => call::json(StatusCode::OK, &claims),
        Err(stop) => stop.respond(&call.request_id),
    };
    // The token is the only credential, and no browser sends it by itself.
    call::share(&mut response, "*");
    response
}

async fn claims(call: &Call, form: Option<&Params>) -> Result<Map<String, Value>, Stop> {
    let token = bearer::extract(call.header(header::AUTHORIZATION), form)?;
    let token = accepted(call, &token)?;
    let grant = living(call, &token).await?;
    let person = people::by_id(call.db(), call.tenant.id, grant.person).await?;
    let person = person.ok_or_else(BearerError::invalid_token)?;
    let all = person::claims(call.db(), &call.tenant, &person).await?;
    let scopes: Scopes = token.scope.parse().unwrap_or_default();
    Ok(userinfo_claims(&token.sub, &all, &scopes, &mint::claims_request(&grant)))
}

/// An access token of ours that is for this endpoint and has not expired.
fn accepted(call: &Call, token: &str) -> Result<AccessTokenClaims, BearerError> {
    let claims: Option<AccessTokenClaims> = keys::verify(&call.tenant, token, Typ::AccessToken);
    let issuer = &call.tenant.issuer;
    let is_good = |claims: &AccessTokenClaims| claims.iss == *issuer && call.now().seconds() < claims.exp;
    let claims = claims.filter(is_good).ok_or_else(BearerError::invalid_token)?;
    let scopes: Scopes = claims.scope.parse().unwrap_or_default();
    if !scopes.contains(OPENID) {
        let why = "the access token was not given for the claims of a person";
        return Err(Refusal::new(ErrorCode::InsufficientScope, why).into());
    }
    if claims.opens_userinfo(issuer) { Ok(claims) } else { Err(BearerError::invalid_token()) }
}

/// The grant behind a token, if it lives and its application is in use.
async fn living(call: &Call, token: &AccessTokenClaims) -> Result<GrantRow, Stop> {
    let id = mint::grant_of(&token.jti).ok_or_else(BearerError::invalid_token)?;
    let grant = grant::by_id(call.db(), call.tenant.id, id).await?;
    let grant = grant.filter(|grant| grant.is_alive(call.now())).ok_or_else(BearerError::invalid_token)?;
    let application = call.site.directory().application(&call.tenant, &token.client_id).await?;
    let is_whose =
        application.is_some_and(|application| application.active && application.id == grant.application);
    if is_whose { Ok(grant) } else { Err(BearerError::invalid_token().into()) }
}

impl Stop {
    /// The answer (RFC 6750 section 3).
    fn respond(self, request_id: &RequestId) -> Response {
        let error = match self {
            Self::Refused(error) => error,
            Self::Broken(error) => return Failure::from(error).respond(request_id),
        };
        tracing::debug!(request_id = request_id.0, reason = %error, "an access token was refused");
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let body = match &error {
            BearerError::Missing => serde_json::json!({}),
            BearerError::Refused(refusal) => {
                serde_json::json!({ "error": refusal.code, "error_description": refusal.description })
            }
        };
        let mut response = call::json(status, &body);
        if let Ok(challenge) = HeaderValue::from_str(&error.www_authenticate()) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
