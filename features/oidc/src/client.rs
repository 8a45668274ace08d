//! Which application calls (RFC 6749 section 2.3), the same at every endpoint that wants to know.

use crate::{
    assertion,
    call::{self, Call, Failure},
    guesses,
};
use axum::{body::Bytes, extract::rejection::BytesRejection, response::Response};
use base::{Error, Event};
use http::header;
use oauth::{
    Params,
    token::{ClientAuth, Presented},
};
use std::sync::Arc;
use store::{
    Application, Mac, Unit,
    rows::{
        application::{self, SecretRow},
        tenant,
    },
};
use work::Subject;

/// The application that makes the call.
///
/// # Errors
/// `invalid_client`, never saying what is wrong; `invalid_request` for two ways at once.
pub(crate) async fn authenticate(call: &Call, params: &Params) -> Result<Arc<Application>, Failure> {
    let presented = ClientAuth::from_request(call.header(header::AUTHORIZATION), params)?;
    let found = call.site.directory().application(&call.tenant, presented.client_id.as_str()).await?;
    let id = found.as_ref().map(|application| application.id);
    if let Some(application) = id {
        call.admission.check(Subject::Application(application), call.now())?;
    }
    // Whoever only says a name proves nothing, and is not held up by their network.
    if presented.secret.is_some() || presented.is_assertion() {
        guesses::room(call, id)?;
    }
    let application = found.filter(|application| application.active);
    guesses::counted(call, id, proven(call, application, &presented).await)
}

async fn proven(
    call: &Call,
    application: Option<Arc<Application>>,
    presented: &Presented,
) -> Result<Arc<Application>, Failure> {
    let application = application.ok_or_else(|| presented.invalid_client())?;
    if presented.is_assertion() {
        assertion::check(call, &application, presented).await?;
        return Ok(application);
    }
    presented.check_method(&application.client)?;
    if let Some(secret) = &presented.secret {
        if !application.accepts_secret(&call.tenant, secret.expose(), call.now()) {
            return Err(presented.invalid_client().into());
        }
        renew(call, &application, secret.expose())?;
    }
    Ok(application)
}

/// Answers a call that an application makes with a form: who it is, what it wants, and whether
/// scripts may read the answer.
pub(crate) async fn answer(
    mut call: Call,
    body: Result<Bytes, BytesRejection>,
    work: impl AsyncFnOnce(&mut Call, &Application, &Params) -> Result<Response, Failure>,
) -> Response {
    let caller = async {
        let params = call.form(body)?;
        Ok((authenticate(&call, &params).await?, params))
    };
    let (caller, params) = match caller.await {
        Ok(caller) => caller,
        Err(failure) => return Failure::respond(failure, &call.request_id),
    };
    let answer = work(&mut call, &caller, &params).await;
    let mut response = answer.unwrap_or_else(|failure| failure.respond(&call.request_id));
    call::share_with(&mut response, &call, &caller.client);
    response
}

/// Makes the HMAC of a secret anew under the newest key, beside the call: the old key can go once
/// no row names it.
fn renew(call: &Call, application: &Application, secret: &str) -> Result<(), Error> {
    let (version, key) = call.tenant.mac(Mac::ClientSecret)?;
    let parts = [application.id.as_bytes().as_slice(), secret.as_bytes()];
    let is_old = |row: &&SecretRow| {
        row.key_version != version
            && call
                .tenant
                .mac_of_version(Mac::ClientSecret, row.key_version)
                .is_some_and(|key| key.verify(&parts, &row.mac))
    };
    let Some(row) = application.secrets.iter().find(is_old) else { return Ok(()) };
    let row = SecretRow { mac: key.sign(&parts).to_vec(), key_version: version, ..row.clone() };
    let event =
        Event::new(call.env(), "application.secret-remade").actor("system").application(application.id);
    let mut unit = Unit::new(event.id, vec![call.tenant.event(call.env(), event, None)]);
    application::remake_secret(&mut unit, call.tenant.id, application.id, &row);
    tenant::raise(&mut unit, call.tenant.id, call.tenant.version, call.now());
    let directory = call.site.directory().clone();
    let id = call.tenant.id;
    tokio::spawn(async move {
        match directory.db().commit(unit).await {
            Ok(_) => directory.forget(id),
            Err(error) => tracing::warn!(%error, "a client secret could not be made anew"),
        }
    });
    Ok(())
}
