//! Scopes that stand for claims.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Error, Id, Time, id};

row! {
    /// A scope as it is stored.
    pub struct ScopeRow {
        /// Its id.
        pub id: Id<id::Scope>,
        /// The scope itself.
        pub name: String,
        /// [`oauth::catalogue::IdentityScope`] as JSON.
        pub definition: String,
        /// Raised at each change.
        pub version: i64,
    }
}

statements! {
    const BY_ID: &str = "SELECT id, name, definition, version FROM identity_scope WHERE tenant = $1 AND id = $2";
    const BY_NAME: &str = "SELECT id, name, definition, version FROM identity_scope WHERE tenant = $1 AND name = $2";
    const PAGE: &str = "SELECT id, name, definition, version FROM identity_scope \
        WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
    const LIST: &str = "SELECT id, name, definition, version FROM identity_scope WHERE tenant = $1 ORDER BY name";
    const INSERT: &str = "INSERT INTO identity_scope (tenant, id, name, definition, version, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, 1, $5, $5)";
    const UPDATE: &str = "UPDATE identity_scope SET definition = $4, version = version + 1, updated_at = $5 \
        WHERE tenant = $1 AND id = $2 AND version = $3";
    const REMOVE: &str = "DELETE FROM identity_scope WHERE tenant = $1 AND id = $2 AND version = $3";
}

impl ScopeRow {
    /// What is declared.
    ///
    /// # Errors
    /// Kind `Internal` if it cannot be read.
    pub fn read(&self) -> Result<oauth::catalogue::IdentityScope, Error> {
        serde_json::from_str(&self.definition)
            .map_err(|error| Error::internal(format!("scope {}: {error}", self.name)))
    }

    /// With this declaration.
    ///
    /// # Errors
    /// Kind `Internal` if it cannot be written.
    pub fn with(self, declared: &oauth::catalogue::IdentityScope) -> Result<Self, Error> {
        let definition = serde_json::to_string(declared)
            .map_err(|error| Error::internal(format!("scope {}: {error}", self.name)))?;
        Ok(Self { definition, ..self })
    }
}

/// The one with this id.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_id(db: &Db, tenant: Id<id::Tenant>, id: Id<id::Scope>) -> Result<Option<ScopeRow>, DbError> {
    db.one(BY_ID, args![tenant, id]).await
}

/// The one of this name.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_name(db: &Db, tenant: Id<id::Tenant>, name: &str) -> Result<Option<ScopeRow>, DbError> {
    db.one(BY_NAME, args![tenant, name]).await
}

/// Those after this id, at most so many.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn page(
    db: &Db,
    tenant: Id<id::Tenant>,
    page: (Id<id::Scope>, i64),
) -> Result<Vec<ScopeRow>, DbError> {
    db.scan(PAGE, args![tenant, page.0, page.1]).await
}

/// All of a tenant by name.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn list(db: &Db, tenant: Id<id::Tenant>) -> Result<Vec<ScopeRow>, DbError> {
    db.scan(LIST, args![tenant]).await
}

/// A new one.
pub fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, row: &ScopeRow, now: Time) {
    unit.push(INSERT, args![tenant, row.id, &row.name, &row.definition, now], Expect::Rows(1));
}

/// Writes the declaration. Guarded by the version.
pub fn update(unit: &mut Unit, tenant: Id<id::Tenant>, row: &ScopeRow, now: Time) {
    unit.push(UPDATE, args![tenant, row.id, row.version, &row.definition, now], Expect::Rows(1));
}

/// Removes it. Guarded by the version.
pub fn remove(unit: &mut Unit, tenant: Id<id::Tenant>, row: &ScopeRow) {
    unit.push(REMOVE, args![tenant, row.id, row.version], Expect::Rows(1));
}
