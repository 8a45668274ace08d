//! Initial access tokens (RFC 7591 section 3): what lets somebody register where that is not open.

use crate::{
    call::{Call, Failure},
    guesses,
    rows::registration::{self, InitialRow, ListedInitial},
};
use base::{Env, Error, Handle, HandleKind, Id, Time, id};
use http::header;
use oauth::bearer::{self, BearerError};
use store::{Db, DbError, Unit, rows::tenant::ClientRegistration};
use work::admission::Subject;

/// By which right somebody registers.
pub(super) enum Permission {
    /// Everybody may.
    Open,
    /// By a token, which works so many more times.
    Token(Id<id::Key>, i64),
}

/// Everybody may, but no network without end.
fn open(call: &Call) -> Result<Permission, Failure> {
    if let Some(network) = call.network() {
        call.admission.check(Subject::Registrations(network), call.now())?;
    }
    Ok(Permission::Open)
}

/// Adds a new initial access token to the unit and gives it out; only its hash is kept.
pub fn initial_access(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    env: &Env,
    uses: u32,
    expires_at: Time,
) -> String {
    let id = env.id();
    let token = Handle::new(HandleKind::InitialAccess, id, env.rng());
    let row = InitialRow { token: token.hash().to_vec(), uses_left: uses.into(), expires_at };
    registration::insert_initial(unit, tenant, id, &row, env.now());
    token.reveal()
}

/// The initial access tokens of a tenant after this id, without the tokens themselves.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn initial_access_tokens(
    db: &Db,
    tenant: Id<id::Tenant>,
    page: (Id<id::Key>, i64),
) -> Result<Vec<ListedInitial>, DbError> {
    registration::initial_page(db, tenant, page).await
}

/// Takes an initial access token back. It conflicts if there is none.
pub fn drop_initial_access(unit: &mut Unit, tenant: Id<id::Tenant>, token: Id<id::Key>) {
    registration::drop_initial(unit, tenant, token);
}

impl Permission {
    /// What this call may do by the tenant's setting. A token that is shown must be good, also where
    /// none is needed.
    ///
    /// # Errors
    /// Not found where registration is off; a bearer error for a missing or bad token.
    pub(super) async fn of(call: &Call) -> Result<Self, Failure> {
        let authorization = call.header(header::AUTHORIZATION);
        match (call.tenant.settings.client_registration, authorization) {
            (ClientRegistration::Off, _) => return Err(Error::not_found().into()),
            (ClientRegistration::Open, None) => return open(call),
            _ => {}
        }
        guesses::room(call, None)?;
        guesses::counted(call, None, Self::by_token(call, authorization).await)
    }

    async fn by_token(call: &Call, authorization: Option<&str>) -> Result<Self, Failure> {
        let token = bearer::extract(authorization, None)?;
        let token =
            Handle::parse(HandleKind::InitialAccess, &token).ok_or_else(BearerError::invalid_token)?;
        let row = registration::initial(call.db(), call.tenant.id, token.row()).await?;
        let is_good =
            |row: &InitialRow| token.matches(&row.token) && row.uses_left > 0 && call.now() < row.expires_at;
        let row = row.filter(is_good).ok_or_else(BearerError::invalid_token)?;
        Ok(Self::Token(token.row(), row.uses_left))
    }

    /// Uses it up, in the unit of the registration.
    pub(super) fn spend(&self, unit: &mut Unit, tenant: Id<id::Tenant>, now: Time) {
        if let Self::Token(id, uses_left) = self {
            registration::spend(unit, tenant, *id, *uses_left, now);
        }
    }
}
