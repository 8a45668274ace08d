//! Applications that registered themselves, and the tokens that let them.

use base::{Id, Time, id};
use store::{Db, DbError, Expect, Unit, args, row, rows, statements};

row! {
    /// An application that registered itself.
    pub(crate) struct RegisteredRow {
        /// The hash of the token that manages it.
        pub(crate) token: Vec<u8>,
        /// Since when.
        pub(crate) created_at: Time,
    }
}

row! {
    /// What lets somebody register.
    pub(crate) struct InitialRow {
        /// The hash of the token.
        pub(crate) token: Vec<u8>,
        /// How often it still works.
        pub(crate) uses_left: i64,
        /// Until when.
        pub(crate) expires_at: Time,
    }
}

row! {
    /// An initial access token without anything secret.
    pub struct ListedInitial {
        /// Its id.
        pub id: Id<id::Key>,
        /// How often it still works.
        pub uses_left: i64,
        /// Since when.
        pub created_at: Time,
        /// Until when.
        pub expires_at: Time,
    }
}

statements! {
    const FIND: &str = "SELECT token, created_at FROM registered_application \
        WHERE tenant = $1 AND application = $2";
    const OF_TENANT: &str = "SELECT application FROM registered_application WHERE tenant = $1";
    const INSERT: &str = "INSERT INTO registered_application (tenant, application, token, created_at) \
        VALUES ($1, $2, $3, $4)";
    const DROP: &str = "DELETE FROM registered_application WHERE tenant = $1 AND application = $2";
    const INITIAL: &str = "SELECT token, uses_left, expires_at FROM initial_access \
        WHERE tenant = $1 AND id = $2";
    const INITIAL_PAGE: &str = "SELECT id, uses_left, created_at, expires_at FROM initial_access \
        WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
    const DROP_INITIAL: &str = "DELETE FROM initial_access WHERE tenant = $1 AND id = $2";
    const INSERT_INITIAL: &str = "INSERT INTO initial_access (tenant, id, token, uses_left, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    const SPEND: &str = "UPDATE initial_access SET uses_left = uses_left - 1 \
        WHERE tenant = $1 AND id = $2 AND uses_left = $3 AND uses_left > 0 AND expires_at > $4";
}

/// The registration of an application, if it registered itself.
pub(crate) async fn find(
    db: &Db,
    tenant: Id<id::Tenant>,
    application: Id<id::Application>,
) -> Result<Option<RegisteredRow>, DbError> {
    db.one(FIND, args![tenant, application]).await
}

/// The applications of a tenant that registered themselves.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn registered(db: &Db, tenant: Id<id::Tenant>) -> Result<Vec<Id<id::Application>>, DbError> {
    db.scan(OF_TENANT, args![tenant]).await
}

/// Notes that an application registered itself.
pub(crate) fn insert(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    application: Id<id::Application>,
    token: [u8; 32],
    now: Time,
) {
    unit.push(INSERT, args![tenant, application, token, now], Expect::Rows(1));
}

/// Removes an active application of this version with its registration.
pub(crate) fn remove(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    application: Id<id::Application>,
    version: i64,
) {
    rows::application::remove(unit, tenant, (application, version));
    unit.push(DROP, args![tenant, application], Expect::Rows(1));
}

/// An initial access token.
pub(crate) async fn initial(
    db: &Db,
    tenant: Id<id::Tenant>,
    id: Id<id::Key>,
) -> Result<Option<InitialRow>, DbError> {
    db.one(INITIAL, args![tenant, id]).await
}

/// The initial access tokens after this one.
pub(crate) async fn initial_page(
    db: &Db,
    tenant: Id<id::Tenant>,
    page: (Id<id::Key>, i64),
) -> Result<Vec<ListedInitial>, DbError> {
    db.scan(INITIAL_PAGE, args![tenant, page.0, page.1]).await
}

/// Removes an initial access token.
pub(crate) fn drop_initial(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Key>) {
    unit.push(DROP_INITIAL, args![tenant, id], Expect::Rows(1));
}

/// A new initial access token.
pub(crate) fn insert_initial(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    id: Id<id::Key>,
    token: &InitialRow,
    now: Time,
) {
    let values = args![tenant, id, &token.token, token.uses_left, now, token.expires_at];
    unit.push(INSERT_INITIAL, values, Expect::Rows(1));
}

/// Uses an initial access token once. Guarded by how often it still works.
pub(crate) fn spend(unit: &mut Unit, tenant: Id<id::Tenant>, id: Id<id::Key>, uses_left: i64, now: Time) {
    unit.push(SPEND, args![tenant, id, uses_left, now], Expect::Rows(1));
}
