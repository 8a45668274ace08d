//! `POST /introspect` (RFC 7662): what a token is, for the application that it was given to and for
//! those that it is for. Whatever does not work, or is not for the caller's eyes, is inactive.

use crate::{
    access_token::{self, Ground},
    call::{self, Call, Failure},
    client,
    grants::refreshable,
    refresh_token::RefreshToken,
    request::ACR,
    subject,
};
use axum::{body::Bytes, extract::rejection::BytesRejection, response::Response};
use base::Error;
use http::StatusCode;
use journey::Authentication;
use oauth::{
    Client, Params,
    introspection::{ActiveToken, Introspection, TokenFacts, TokenQuery},
    token::TokenError,
};
use store::rows::grant::{self, GrantRow};

/// `OPTIONS /introspect`.
pub(crate) async fn preflight() -> Response {
    call::preflight("POST")
}

/// `POST /introspect`.
pub(crate) async fn post(call: Call, body: Result<Bytes, BytesRejection>) -> Response {
    client::answer(call, body, async |call, caller, params| {
        Ok(call::json(StatusCode::OK, &answer(call, &caller.client, params).await?))
    })
    .await
}

async fn answer(call: &Call, caller: &Client, params: &Params) -> Result<Introspection, Failure> {
    // The caller must prove something: whoever only says a name could be anybody.
    if caller.is_public() {
        return Err(TokenError::invalid_client().into());
    }
    let query = TokenQuery::parse(params)?;
    let token = query.token.expose();
    match RefreshToken::parse(&call.tenant, token) {
        Some(token) => refresh(call, caller, &token).await,
        None => access(call, caller, token).await,
    }
}

async fn access(call: &Call, caller: &Client, token: &str) -> Result<Introspection, Failure> {
    let Some(claims) = access_token::read(call, token) else { return Ok(Introspection::Inactive) };
    let Some(living) = access_token::living(call, &claims).await? else {
        return Ok(Introspection::Inactive);
    };
    let (client_id, catalogue) = (&living.application.client.client_id, &*call.tenant.catalogue);
    let facts = TokenFacts { client_id, audience: &claims.aud, catalogue };
    let mut active = ActiveToken::from((*claims).clone());
    if let Ground::Grant(held) = &living.ground {
        active.sub = subject(call, caller, &held.grant)?;
    }
    Ok(Introspection::answer(caller, &facts, active))
}

async fn refresh(call: &Call, caller: &Client, token: &RefreshToken) -> Result<Introspection, Failure> {
    let Some(grant) = grant::by_id(call.db(), call.tenant.id, token.grant).await? else {
        return Ok(Introspection::Inactive);
    };
    let owner = call.site.directory().application_by_id(&call.tenant, grant.application).await?;
    let Some(owner) = owner.filter(|owner| owner.active) else { return Ok(Introspection::Inactive) };
    let Some(until) = refreshable(&grant, token, &owner.client, call.now()) else {
        return Ok(Introspection::Inactive);
    };
    let (client_id, catalogue) = (&owner.client.client_id, &*call.tenant.catalogue);
    let facts = TokenFacts { client_id, audience: &[], catalogue };
    let active = ActiveToken {
        client_id: owner.client.client_id.to_string(),
        sub: subject(call, caller, &grant)?,
        exp: until.seconds(),
        ..described(call, &grant)
    };
    Ok(Introspection::answer(caller, &facts, active))
}

fn described(call: &Call, grant: &GrantRow) -> ActiveToken {
    let authentication = Authentication::read(&grant.facts);
    let authenticated = authentication.at().unwrap_or(grant.created_at.micros());
    ActiveToken {
        scope: grant.scopes.clone(),
        iss: call.tenant.issuer.clone(),
        iat: grant.refreshed_at.or(grant.code_redeemed_at).unwrap_or(grant.created_at).seconds(),
        auth_time: Some(authenticated.div_euclid(1_000_000)),
        acr: Some(ACR.to_owned()),
        amr: authentication.amr().into_iter().map(str::to_owned).collect(),
        sid: grant.session.map(|session| session.to_string()),
        ..ActiveToken::default()
    }
}

/// The person as the caller's sector knows them.
fn subject(call: &Call, caller: &Client, grant: &GrantRow) -> Result<String, Error> {
    let public = grant.subject.as_deref();
    let public = public.ok_or_else(|| Error::internal("a person without a subject"))?;
    subject::of(&call.tenant, caller, public)
}
