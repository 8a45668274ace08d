//! Which application calls (RFC 6749 section 2.3), the same at every endpoint that wants to know.

use crate::{
    assertion,
    call::{Call, Failure},
};
use base::{Error, Event};
use http::header;
use oauth::{Params, token::ClientAuth};
use std::sync::Arc;
use store::{
    Application, Mac, Unit,
    rows::{
        application::{self, SecretRow},
        tenant,
    },
};

/// The application that makes the call.
///
/// # Errors
/// `invalid_client`, never saying what is wrong; `invalid_request` for two ways at once.
pub(crate) async fn authenticate(call: &Call, params: &Params) -> Result<Arc<Application>, Failure> {
    let presented = ClientAuth::from_request(call.header(header::AUTHORIZATION), params)?;
    let found = call.site.directory().application(&call.tenant, presented.client_id.as_str()).await?;
    let application = found.filter(|application| application.active);
    let application = application.ok_or_else(|| presented.invalid_client())?;
    if presented.is_assertion() {
        assertion::check(call, &application, &presented).await?;
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
