//! What is unique to each grant of the token endpoint: one file each.

mod code;
mod machine;
mod refresh;
mod tell;

pub(crate) use refresh::refreshable;

use crate::{
    call::{Call, Failure},
    mint::{Granted, Holder},
};
use base::Event;
use oauth::token::{TokenError, TokenRequest};
use serde_json::json;
use store::{
    Application, Unit,
    rows::grant::{self, Held},
};

/// Carries out a request of an authenticated application.
pub(crate) async fn run(
    call: &Call,
    application: &Application,
    request: &TokenRequest,
    resources: &[String],
) -> Result<Granted, Failure> {
    match request {
        TokenRequest::AuthorizationCode { code, redirect_uri, verifier } => {
            let presented = code::Presented { code, redirect_uri: redirect_uri.as_deref(), verifier };
            code::redeem(call, application, &presented, resources).await
        }
        TokenRequest::RefreshToken { token, scope } => {
            refresh::refresh(call, application, token, (scope.as_ref(), resources)).await
        }
        TokenRequest::ClientCredentials { scope } => {
            machine::grant(call, &application.client, scope, resources)
        }
    }
}

/// A unit about this grant, with its event.
fn unit(
    call: &Call,
    holder: &Holder,
    kind: &'static str,
    detail: serde_json::Value,
) -> Result<Unit, Failure> {
    let event = Event::new(call.env(), kind)
        .person(holder.grant.person)
        .application(holder.grant.application)
        .session(holder.grant.session)
        .detail(detail);
    Ok(Unit::new(event.id, vec![call.event(event, &holder.person)?]))
}

/// Something that works once came again: whoever has the tokens by now, they end, and the person
/// is told if it was a refresh token.
async fn replayed(
    call: &Call,
    application: &Application,
    held: Held,
    artefact: &'static str,
) -> Result<Failure, Failure> {
    if held.grant.state == "active" {
        let holder = Holder::load(call, &application.client, held).await?;
        let mut unit = unit(call, &holder, "grant.replayed", json!({ "artefact": artefact }))?;
        grant::end(&mut unit, call.tenant.id, holder.grant.id);
        // A code that comes twice is mostly a page loaded twice; a token is mostly a theft.
        if artefact == "refresh_token" {
            tell::replay(call, &holder.person, application, &mut unit).await?;
        }
        // A conflict means that it has ended already.
        let _ended = call.db().commit(unit).await?;
        tracing::info!(request_id = call.request_id.0, artefact, "used again: the grant is ended");
    }
    Ok(TokenError::invalid_grant("it was used before").into())
}
