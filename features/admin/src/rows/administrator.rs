//! People whose access tokens open the admin API.

use base::{Id, Time, id};
use store::{Db, DbError, Expect, Unit, args, row, statements};

row! {
    /// An administrator as stored.
    pub(crate) struct AdministratorRow {
        /// Who.
        pub(crate) person: Id<id::Person>,
        /// The most that their tokens may do, separated by spaces.
        pub(crate) scopes: String,
        /// Since when.
        pub(crate) created_at: Time,
        /// Raised at each change.
        pub(crate) version: i64,
    }
}

statements! {
    const FIND: &str = "SELECT person, scopes, created_at, version FROM administrator WHERE tenant = $1 AND person = $2";
    const LIST: &str = "SELECT person, scopes, created_at, version FROM administrator \
        WHERE tenant = $1 AND person > $2 ORDER BY person LIMIT $3";
    const INSERT: &str = "INSERT INTO administrator (tenant, person, scopes, created_at, version) VALUES ($1, $2, $3, $4, 1)";
    const UPDATE: &str = "UPDATE administrator SET scopes = $4, version = version + 1 \
        WHERE tenant = $1 AND person = $2 AND version = $3";
    const REMOVE: &str = "DELETE FROM administrator WHERE tenant = $1 AND person = $2 AND version = $3";
}

/// What this person may do, if they are an administrator.
pub(crate) async fn find(
    db: &Db,
    tenant: Id<id::Tenant>,
    person: Id<id::Person>,
) -> Result<Option<AdministratorRow>, DbError> {
    db.one(FIND, args![tenant, person]).await
}

/// Administrators after this person.
pub(crate) async fn list(
    db: &Db,
    tenant: Id<id::Tenant>,
    page: (Id<id::Person>, i64),
) -> Result<Vec<AdministratorRow>, DbError> {
    db.scan(LIST, args![tenant, page.0, page.1]).await
}

/// A new administrator.
pub(crate) fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, row: &AdministratorRow) {
    unit.push(INSERT, args![tenant, row.person, &row.scopes, row.created_at], Expect::Rows(1));
}

/// Other scopes. Guarded by the version.
pub(crate) fn update(unit: &mut Unit, tenant: Id<id::Tenant>, row: &AdministratorRow) {
    unit.push(UPDATE, args![tenant, row.person, row.version, &row.scopes], Expect::Rows(1));
}

/// An administrator no more. Guarded by the version.
pub(crate) fn remove(unit: &mut Unit, tenant: Id<id::Tenant>, row: &AdministratorRow) {
    unit.push(REMOVE, args![tenant, row.person, row.version], Expect::Rows(1));
}
