//! `POST /revoke` (RFC 7009): any token of a grant ends the grant, and with it all its tokens; a
//! token that an application has for itself ends alone.

use crate::{
    access_token::{self, Ground},
    call::{self, Call, Failure},
    client,
    refresh_token::RefreshToken,
};
use axum::{
    body::Bytes,
    extract::rejection::BytesRejection,
    response::{IntoResponse, Response},
};
use base::{Error, Event, Time};
use http::{StatusCode, header};
use oauth::{
    ClientId, Params,
    claims::AccessTokenClaims,
    introspection::TokenQuery,
    revocation::{Revocation, decide},
};
use std::sync::Arc;
use store::{
    Application, Unit,
    rows::{
        grant::{self, GrantRow},
        person,
    },
};

/// What ends.
enum Target {
    Grant(Box<GrantRow>),
    Token(Arc<AccessTokenClaims>),
}

/// `OPTIONS /revoke`.
pub(crate) async fn preflight() -> Response {
    call::preflight("POST")
}

/// `POST /revoke`.
pub(crate) async fn post(call: Call, body: Result<Bytes, BytesRejection>) -> Response {
    client::answer(call, body, async |call, caller, params| {
        revoke(call, caller, params).await?;
        Ok((StatusCode::OK, [(header::CACHE_CONTROL, "no-store")]).into_response())
    })
    .await
}

async fn revoke(call: &Call, caller: &Application, params: &Params) -> Result<(), Failure> {
    let query = TokenQuery::parse(params)?;
    let found = find(call, query.token.expose()).await?;
    let owner = found.as_ref().map(|(owner, _)| owner);
    match (decide(&caller.client, owner)?, found) {
        (Revocation::Revoke, Some((_, Target::Grant(grant)))) => end_grant(call, &grant).await,
        (Revocation::Revoke, Some((_, Target::Token(claims)))) => end_token(call, caller, &claims).await,
        _ => Ok(()),
    }
}

/// What the token stands on and whose it is. A genuine refresh token is one however often it was
/// rotated since.
async fn find(call: &Call, token: &str) -> Result<Option<(ClientId, Target)>, Failure> {
    if let Some(token) = RefreshToken::parse(&call.tenant, token) {
        let Some(grant) = grant::by_id(call.db(), call.tenant.id, token.grant).await? else {
            return Ok(None);
        };
        let owner = call.site.directory().application_by_id(&call.tenant, grant.application).await?;
        return Ok(owner.map(|owner| (owner.client.client_id.clone(), Target::Grant(Box::new(grant)))));
    }
    let Some(claims) = access_token::read(call, token) else { return Ok(None) };
    let Some(living) = access_token::living(call, &claims).await? else { return Ok(None) };
    let target = match living.ground {
        Ground::Grant(held) => Target::Grant(Box::new(held.grant)),
        Ground::Machine => Target::Token(claims),
    };
    Ok(Some((living.application.client.client_id.clone(), target)))
}

async fn end_grant(call: &Call, grant: &GrantRow) -> Result<(), Failure> {
    if grant.state != "active" {
        return Ok(());
    }
    let person = person::by_id(call.db(), call.tenant.id, grant.person).await?;
    let person = person.ok_or_else(|| Error::internal("the person of a grant is not there"))?;
    let event = Event::new(call.env(), "grant.revoked")
        .person(grant.person)
        .application(grant.application)
        .session(grant.session);
    let mut unit = Unit::new(event.id, vec![call.event(event, &person)?]);
    grant::end(&mut unit, call.tenant.id, grant.id);
    // A conflict means that it has ended already.
    let _ended = call.db().commit(unit).await?;
    Ok(())
}

async fn end_token(call: &Call, caller: &Application, claims: &AccessTokenClaims) -> Result<(), Failure> {
    let event = Event::new(call.env(), "token.revoked")
        .application(caller.id)
        .origin(call.origin())
        .detail(serde_json::json!({ "jti": claims.jti }));
    let mut unit = Unit::new(event.id, vec![call.tenant.event(call.env(), event, None)]);
    grant::revoke_token(&mut unit, call.tenant.id, &claims.jti, Time::from_seconds(claims.exp));
    let _done = call.db().commit(unit).await?;
    Ok(())
}
