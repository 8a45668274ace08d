//! `POST /register` (RFC 7591 section 3): a new application.

use super::{
    TURNS, address, check_sector, contended, initial::Permission, new_secret, policy, ready, request,
};
use crate::{
    Oidc,
    call::{self, Call, Failure},
    rows::registration,
};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::Response,
};
use base::{Error, Event, Handle, HandleKind, Id, id};
use http::StatusCode;
use oauth::{
    Client,
    registration::{Credentials, Management, document},
};
use serde_json::{Map, Value, json};
use store::{
    Unit,
    rows::application::{self, ApplicationRow},
};

/// `POST /register`.
pub(crate) async fn post(
    State(_): State<Oidc>,
    mut call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match create(&mut call, body).await {
        Ok(document) => call::json(StatusCode::CREATED, &document),
        Err(failure) => failure.respond(&call.request_id),
    }
}

/// An application about to be written.
struct New {
    id: Id<id::Application>,
    client: Client,
    secret: Option<String>,
    token: Handle,
}

async fn create(call: &mut Call, body: Result<Bytes, BytesRejection>) -> Result<Map<String, Value>, Failure> {
    let mut permission = Permission::of(call).await?;
    let new = New::read(call, body)?;
    check_sector(call, &new.client).await?;
    ready(call, &new.client).await?;
    for _ in 0..TURNS {
        let mut unit = new.unit(call)?;
        permission.spend(&mut unit, call.tenant.id, call.now());
        new.write(call, &mut unit)?;
        if call.db().commit(unit).await?.done() {
            return Ok(new.document(call));
        }
        // The token was used by somebody else in this very moment.
        permission = Permission::of(call).await?;
    }
    Err(contended())
}

impl New {
    fn read(call: &Call, body: Result<Bytes, BytesRejection>) -> Result<Self, Failure> {
        let id: Id<id::Application> = call.env().id();
        let client_id = id.to_string().parse().map_err(|_| Error::internal("an id that is no client_id"))?;
        let client = request(body)?.client(client_id, &policy(&call.tenant))?;
        let secret = client.has_secret().then(|| new_secret(call));
        let token = Handle::new(HandleKind::Registration, id, call.env().rng());
        Ok(Self { id, client, secret, token })
    }

    fn unit(&self, call: &Call) -> Result<Unit, Error> {
        let event = Event::new(call.env(), "application.registered")
            .actor("application")
            .application(self.id)
            .origin(call.origin())
            .detail(json!({ "client_id": self.client.client_id, "name": self.client.name }));
        Ok(Unit::new(event.id, vec![call.tenant.event(call.env(), event, None)]))
    }

    /// Nobody remembers an application that was not there, so the tenant's version stays: strangers
    /// must not make every node load it anew.
    fn write(&self, call: &Call, unit: &mut Unit) -> Result<(), Error> {
        let (tenant, now) = (&call.tenant, call.now());
        let row = ApplicationRow {
            id: self.id,
            client_id: self.client.client_id.to_string(),
            name: self.client.display_name().to_owned(),
            state: "active".to_owned(),
            metadata: metadata(&self.client)?,
            version: 1,
        };
        application::insert(unit, tenant.id, &row, now);
        if let Some(secret) = &self.secret {
            let secret = tenant.client_secret(call.env(), self.id, &self.client, secret)?;
            application::insert_secret(unit, tenant.id, self.id, &secret, now);
        }
        registration::insert(unit, tenant.id, self.id, self.token.hash(), now);
        Ok(())
    }

    fn document(&self, call: &Call) -> Map<String, Value> {
        let (token, uri) = (self.token.reveal(), address(call, &self.client));
        let credentials = Credentials {
            secret: self.secret.as_deref(),
            issued_at: call.now().seconds(),
            management: Some(Management { token: Some(&token), uri: &uri }),
        };
        document(&self.client, &credentials)
    }
}

/// The registration as it is stored.
pub(super) fn metadata(client: &Client) -> Result<String, Error> {
    serde_json::to_string(client).map_err(|error| Error::internal(format!("writing metadata: {error}")))
}
