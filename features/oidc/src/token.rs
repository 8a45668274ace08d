//! `POST /token`: the token endpoint (RFC 6749 section 3.2). It owns the pipeline: who calls, what
//! they may ask for, the keys, the grant, the tokens. A grant fills in only what is its own.

use crate::{
    Oidc,
    call::{self, Call, Failure},
    client, grants, keys, mint,
};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::Response,
};
use http::StatusCode;
use oauth::token::TokenRequest;
use std::sync::Arc;
use store::Application;

/// `OPTIONS /token`.
pub(crate) async fn preflight() -> Response {
    call::preflight("POST")
}

/// `POST /token`.
pub(crate) async fn post(
    State(_): State<Oidc>,
    mut call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (application, params) = match caller(&call, body).await {
        Ok(caller) => caller,
        Err(failure) => return failure.respond(&call.request_id),
    };
    let mut response = match exchange(&mut call, &application, &params).await {
        Ok(answer) => call::json(StatusCode::OK, &answer),
        Err(failure) => failure.respond(&call.request_id),
    };
    call::share_with(&mut response, &call, &application.client);
    response
}

async fn caller(
    call: &Call,
    body: Result<Bytes, BytesRejection>,
) -> Result<(Arc<Application>, oauth::Params), Failure> {
    let params = call.form(body)?;
    let application = client::authenticate(call, &params).await?;
    Ok((application, params))
}

async fn exchange(
    call: &mut Call,
    application: &Application,
    params: &oauth::Params,
) -> Result<mint::Answer, Failure> {
    let request = TokenRequest::parse(params, &application.client)?;
    // Before the grant is used: a code is not lost because a key is missing.
    let algorithms = mint::algorithms(&application.client, &request);
    call.tenant = keys::ready(&call.site, &call.tenant, &algorithms).await?;
    let granted = grants::run(call, application, &request).await?;
    Ok(mint::answer(call, &application.client, granted)?)
}
