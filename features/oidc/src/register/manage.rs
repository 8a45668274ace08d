//! `/register/{client_id}` (RFC 7592): an application reads, replaces and removes its registration,
//! with the token that it got at its registration. One that the operator has disabled does nothing.

use super::{
    TURNS, address, check_sector, contended, create::metadata, is_on, new_secret, policy, ready, request,
};
use crate::{
    Oidc,
    call::{self, Call, Failure},
    rows::registration,
};
use axum::{
    body::Bytes,
    extract::{Path, State, rejection::BytesRejection},
    response::{IntoResponse, Response},
};
use base::{Error, Event, Handle, HandleKind, Time};
use http::{StatusCode, header};
use oauth::{
    AuthMethod, Client, ErrorCode,
    bearer::{self, BearerError},
    error::Refusal,
    registration::{Credentials, Management, RegistrationError, Request, Update, document},
};
use serde_json::{Map, Value, json};
use store::{
    Application, Unit,
    rows::{
        application::{self, ApplicationRow},
        tenant,
    },
};

/// `GET /register/{client_id}`.
pub(crate) async fn get(State(_): State<Oidc>, Path(client_id): Path<String>, call: Call) -> Response {
    match Managed::of(&call, &client_id).await {
        Ok(managed) => call::json(StatusCode::OK, &managed.document(&call, None)),
        Err(failure) => failure.respond(&call.request_id),
    }
}

/// `PUT /register/{client_id}`.
pub(crate) async fn put(
    State(_): State<Oidc>,
    Path(client_id): Path<String>,
    mut call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match replace(&mut call, &client_id, body).await {
        Ok(document) => call::json(StatusCode::OK, &document),
        Err(failure) => failure.respond(&call.request_id),
    }
}

/// `DELETE /register/{client_id}`.
pub(crate) async fn delete(State(_): State<Oidc>, Path(client_id): Path<String>, mut call: Call) -> Response {
    match remove(&mut call, &client_id).await {
        Ok(()) => (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "no-store")]).into_response(),
        Err(failure) => failure.respond(&call.request_id),
    }
}

/// A registration whose application is calling.
struct Managed {
    row: ApplicationRow,
    application: Application,
    token: String,
    created_at: Time,
}

impl Managed {
    async fn of(call: &Call, client_id: &str) -> Result<Self, Failure> {
        is_on(call)?;
        let invalid = BearerError::invalid_token;
        let (db, tenant) = (call.db(), call.tenant.id);
        let token = bearer::extract(call.header(header::AUTHORIZATION), None)?;
        let handle = Handle::parse(HandleKind::Registration, &token).ok_or_else(invalid)?;
        let registered = registration::find(db, tenant, handle.row()).await?;
        let registered = registered.filter(|row| handle.matches(&row.token)).ok_or_else(invalid)?;
        let row = application::by_id(db, tenant, handle.row()).await?;
        let row = row.filter(|row| row.client_id == client_id).ok_or_else(invalid)?;
        if row.state != "active" {
            let why = "the application is disabled; its operator can say why";
            return Err(BearerError::from(Refusal::new(ErrorCode::InsufficientScope, why)).into());
        }
        let client: Client = serde_json::from_str(&row.metadata)
            .map_err(|error| Error::internal(format!("metadata of an application: {error}")))?;
        let secrets = application::secrets(db, tenant, row.id).await?;
        let application = Application { id: row.id, active: true, version: row.version, client, secrets };
        Ok(Self { row, application, token, created_at: registered.created_at })
    }

    fn document(&self, call: &Call, secret: Option<&str>) -> Map<String, Value> {
        self.describe(call, &self.application.client, secret)
    }

    fn describe(&self, call: &Call, client: &Client, secret: Option<&str>) -> Map<String, Value> {
        let uri = address(call, client);
        let credentials = Credentials {
            secret,
            issued_at: self.created_at.seconds(),
            management: Some(Management { token: Some(&self.token), uri: &uri }),
        };
        document(client, &credentials)
    }

    fn unit(&self, call: &Call, kind: &'static str) -> Unit {
        let event = Event::new(call.env(), kind)
            .actor("application")
            .application(self.row.id)
            .origin(call.origin())
            .detail(json!({ "client_id": self.row.client_id }));
        Unit::new(event.id, vec![call.tenant.event(call.env(), event, None)])
    }

    /// The metadata of an update, which must not come with another secret than the application's.
    async fn updated(&self, call: &mut Call, request: &Request) -> Result<Update, Failure> {
        let update = request.update(&self.application.client, &policy(&call.tenant))?;
        if let Some(secret) = &update.secret
            && !self.application.accepts_secret(&call.tenant, secret.expose(), call.now())
        {
            return Err(RegistrationError::metadata("client_secret is not the one of this client").into());
        }
        check_sector(call, &update.client).await?;
        ready(call, &update.client).await?;
        Ok(update)
    }

    /// Whether the application needs a secret that it does not have yet.
    fn lacks_secret(&self, client: &Client) -> bool {
        let secrets = &self.application.secrets;
        let by_jwt = client.token_endpoint_auth_method == Some(AuthMethod::ClientSecretJwt);
        let usable = secrets.iter().any(|secret| !by_jwt || secret.sealed.is_some());
        client.has_secret() && !usable
    }

    /// Writes an update, with a new secret if there is one. False if somebody else was faster.
    async fn write(&self, call: &Call, client: &Client, secret: Option<&str>) -> Result<bool, Failure> {
        let (tenant, now) = (&call.tenant, call.now());
        let row = ApplicationRow {
            name: client.display_name().to_owned(),
            metadata: metadata(client)?,
            ..self.row.clone()
        };
        let mut unit = self.unit(call, "application.updated");
        application::update(&mut unit, tenant.id, &row, now);
        // An application that became public must not be let in by a secret of before.
        if secret.is_some() || !client.has_secret() {
            application::drop_secrets(&mut unit, tenant.id, row.id);
        }
        if let Some(secret) = secret {
            let secret = tenant.client_secret(call.env(), row.id, client, secret)?;
            application::insert_secret(&mut unit, tenant.id, row.id, &secret, now);
        }
        tenant::raise(&mut unit, tenant.id, tenant.version, now);
        commit(call, unit).await
    }
}

async fn replace(
    call: &mut Call,
    client_id: &str,
    body: Result<Bytes, BytesRejection>,
) -> Result<Map<String, Value>, Failure> {
    let mut managed = Managed::of(call, client_id).await?;
    let request = request(body)?;
    for _ in 0..TURNS {
        let Update { client, secret } = managed.updated(call, &request).await?;
        let new = managed.lacks_secret(&client).then(|| new_secret(call));
        if managed.write(call, &client, new.as_deref()).await? {
            let known = secret.as_ref().map(|secret| secret.expose()).filter(|_| client.has_secret());
            return Ok(managed.describe(call, &client, new.as_deref().or(known)));
        }
        again(call).await?;
        managed = Managed::of(call, client_id).await?;
    }
    Err(contended())
}

async fn remove(call: &mut Call, client_id: &str) -> Result<(), Failure> {
    for _ in 0..TURNS {
        let managed = Managed::of(call, client_id).await?;
        let (row, tenant) = (&managed.row, &call.tenant);
        let mut unit = managed.unit(call, "application.removed");
        registration::remove(&mut unit, tenant.id, row.id, row.version);
        application::drop_secrets(&mut unit, tenant.id, row.id);
        tenant::raise(&mut unit, tenant.id, tenant.version, call.now());
        if commit(call, unit).await? {
            return Ok(());
        }
        again(call).await?;
    }
    Err(contended())
}

/// Commits a change; what is remembered of the tenant is of before, either way.
async fn commit(call: &Call, unit: Unit) -> Result<bool, Failure> {
    let done = call.db().commit(unit).await?.done();
    call.site.directory().forget(call.tenant.id);
    Ok(done)
}

/// The tenant as it is now.
async fn again(call: &mut Call) -> Result<(), Error> {
    let tenant = call.site.directory().tenant(call.tenant.id).await?;
    call.tenant = tenant.ok_or_else(Error::not_found)?;
    Ok(())
}
