//! Consents: what a person lets an application know. They outlive grants.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Id, Time, id};

row! {
    /// A consent as stored.
    pub struct ConsentRow {
        /// To whom.
        pub application: Id<id::Application>,
        /// Scopes, separated by spaces.
        pub scopes: String,
        /// Since when.
        pub given_at: Time,
        /// Raised at each change.
        pub version: i64,
    }
}

statements! {
    const FIND: &str = "SELECT application, scopes, given_at, version FROM consent \
        WHERE tenant = $1 AND person = $2 AND application = $3";
    const OF_PERSON: &str = "SELECT application, scopes, given_at, version FROM consent \
        WHERE tenant = $1 AND person = $2 ORDER BY given_at DESC LIMIT 200";
    const GIVE: &str = "INSERT INTO consent (tenant, person, application, scopes, claims, given_at, version) \
        VALUES ($1, $2, $3, $4, '{}', $5, 1) \
        ON CONFLICT (tenant, person, application) DO UPDATE SET scopes = excluded.scopes, \
        given_at = excluded.given_at, version = consent.version + 1";
    const REVOKE: &str = "DELETE FROM consent WHERE tenant = $1 AND person = $2 AND application = $3";
    const DROP_ALL: &str = "DELETE FROM consent WHERE tenant = $1 AND person = $2";
}

/// What the person lets this application know.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn find(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    application: Id<id::Application>,
) -> Result<Option<ConsentRow>, DbError> {
    db.one(FIND, args![tenant, person, application]).await
}

/// All consents of a person, the latest first.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn of_person(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
) -> Result<Vec<ConsentRow>, DbError> {
    db.many(OF_PERSON, args![tenant, person]).await
}

/// Gives consent to these scopes, in place of what was given before.
pub fn give(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    to: (Id<id::Application>, &str),
    now: Time,
) {
    unit.push(GIVE, args![tenant, person, to.0, to.1, now], Expect::Rows(1));
}

/// Takes a consent back.
pub fn revoke(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
    application: Id<id::Application>,
) {
    unit.push(REVOKE, args![tenant, person, application], Expect::Any);
}

/// Takes all consents back.
pub fn drop_all(unit: &mut Unit, tenant: Id<id::Tenant>, person: Id<id::Person>) {
    unit.push(DROP_ALL, args![tenant, person], Expect::Any);
}
