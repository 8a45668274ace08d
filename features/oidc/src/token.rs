//! `POST /token`: the token endpoint (RFC 6749 section 3.2). It owns the pipeline: who calls, what
//! they may ask for, the keys, the grant, the tokens. A grant fills in only what is its own.

use crate::{
    call::{self, Call, Failure},
    client, grants, keys, mint,
};
use axum::{body::Bytes, extract::rejection::BytesRejection, response::Response};
use http::StatusCode;
use oauth::token::{TokenError, TokenRequest};
use store::Application;

/// `OPTIONS /token`.
pub(crate) async fn preflight() -> Response {
    call::preflight("POST")
}

/// `POST /token`.
pub(crate) async fn post(call: Call, body: Result<Bytes, BytesRejection>) -> Response {
    client::answer(call, body, async |call, application, params| {
        Ok(call::json(StatusCode::OK, &exchange(call, application, params).await?))
    })
    .await
}

async fn exchange(
    call: &mut Call,
    application: &Application,
    params: &oauth::Params,
) -> Result<mint::Answer, Failure> {
    let (client, tenant) = (&application.client, &call.tenant);
    let request = TokenRequest::parse(params, client)?;
    let resources = tenant.catalogue.targets(params, client, &tenant.issuer).map_err(TokenError::from)?;
    // Before the grant is used: a code is not lost because a key is missing.
    let algorithms = mint::algorithms(tenant, client, &request);
    call.tenant = keys::ready(&call.site, &call.tenant, &algorithms).await?;
    let granted = grants::run(call, application, &request, &resources).await?;
    Ok(mint::answer(call, &application.client, granted)?)
}
