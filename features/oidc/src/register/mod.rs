//! `/register` and `/register/{client_id}`: applications that register themselves and manage that
//! (RFC 7591, RFC 7592, OpenID Connect Dynamic Client Registration 1.0), as far as the tenant lets
//! them. What metadata means and which is allowed is decided in `pure/oauth`.

mod create;
mod initial;
mod manage;

pub use crate::rows::registration::{ListedInitial as InitialAccess, registered};
pub(crate) use create::post;
pub use initial::{drop_initial_access, initial_access, initial_access_tokens};
pub(crate) use manage::{delete, get, put};

use crate::{
    call::{Call, Failure},
    keys,
};
use axum::{body::Bytes, extract::rejection::BytesRejection};
use base::Error;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::Algorithm;
use oauth::{
    AuthMethod, Client,
    client::{AccessTokenFormat, GrantType},
    pairwise::check_document,
    registration::{Policy, RegistrationError, Request},
};
use store::{Tenant, rows::tenant::ClientRegistration};
use work::outbound::OutboundError;

/// How often a lost race is run again.
const TURNS: usize = 4;

/// What may be registered: as the operator says, else whatever exists here.
fn policy(tenant: &Tenant) -> Policy {
    tenant.settings.client_policy.clone().unwrap_or_else(|| Policy {
        methods: AuthMethod::ALL.to_vec(),
        algorithms: keys::offered(),
        pairwise: true,
        ..Policy::default()
    })
}

/// That the tenant knows registration at all.
fn is_on(call: &Call) -> Result<(), Error> {
    match call.tenant.settings.client_registration {
        ClientRegistration::Off => Err(Error::not_found()),
        ClientRegistration::Token | ClientRegistration::Open => Ok(()),
    }
}

fn request(body: Result<Bytes, BytesRejection>) -> Result<Request, RegistrationError> {
    let missing = |_| RegistrationError::metadata("the request is too large or did not arrive");
    Request::parse(&body.map_err(missing)?)
}

/// That whoever owns the sector says that these addresses belong to it (OpenID Connect Registration
/// section 5). A list that was read before may have been changed since.
async fn check_sector(call: &Call, client: &Client) -> Result<(), RegistrationError> {
    let Some(uri) = client.sector_identifier_uri.as_ref().map(|uri| uri.as_str()) else { return Ok(()) };
    let unread = |error: OutboundError| {
        RegistrationError::metadata(&format!("sector_identifier_uri could not be read. {error}"))
    };
    let kept = call.documents.get(uri).await.map_err(unread)?;
    if check_document(&kept.body, &client.redirect_uris).is_ok() {
        return Ok(());
    }
    let new = call.documents.refresh(uri).await.map_err(unread)?;
    check_document(&new.body, &client.redirect_uris)
        .map_err(|error| RegistrationError::metadata(&error.to_string()))
}

/// Has the keys made that tokens of this application are signed with.
async fn ready(call: &mut Call, client: &Client) -> Result<(), Error> {
    let id_token = client.allows(GrantType::AuthorizationCode).then_some(client.id_token_signed_response_alg);
    let access = (client.access_token_format == AccessTokenFormat::Jwt)
        .then_some(client.access_token_signed_response_alg);
    let algorithms: Vec<Algorithm> =
        id_token.into_iter().chain(access).chain(client.userinfo_signed_response_alg).collect();
    call.tenant = keys::ready(&call.site, &call.tenant, &algorithms).await?;
    Ok(())
}

/// A new secret, good for assertions too.
fn new_secret(call: &Call) -> String {
    URL_SAFE_NO_PAD.encode(call.env().bytes::<32>())
}

/// Where the application manages its registration.
fn address(call: &Call, client: &Client) -> String {
    format!("{}/register/{}", call.tenant.issuer, client.client_id)
}

fn contended() -> Failure {
    Error::unavailable("a registration lost its race again and again").into()
}
