//! Resource servers: whom access tokens are for.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Error, Id, Time, id};

row! {
    /// A resource server as it is stored.
    pub struct ResourceServerRow {
        /// Its id.
        pub id: Id<id::ResourceServer>,
        /// The identifier that `aud` names.
        pub audience: String,
        /// [`oauth::catalogue::ResourceServer`] as JSON.
        pub definition: String,
        /// Raised at each change.
        pub version: i64,
    }
}

statements! {
    const BY_ID: &str = "SELECT id, audience, definition, version FROM resource_server WHERE tenant = $1 AND id = $2";
    const BY_AUDIENCE: &str = "SELECT id, audience, definition, version FROM resource_server WHERE tenant = $1 AND audience = $2";
    const PAGE: &str = "SELECT id, audience, definition, version FROM resource_server \
        WHERE tenant = $1 AND id > $2 ORDER BY id LIMIT $3";
    const LIST: &str = "SELECT id, audience, definition, version FROM resource_server WHERE tenant = $1 ORDER BY audience";
    const INSERT: &str = "INSERT INTO resource_server (tenant, id, audience, definition, version, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, 1, $5, $5)";
    const UPDATE: &str = "UPDATE resource_server SET definition = $4, version = version + 1, updated_at = $5 \
        WHERE tenant = $1 AND id = $2 AND version = $3";
    const REMOVE: &str = "DELETE FROM resource_server WHERE tenant = $1 AND id = $2 AND version = $3";
}

impl ResourceServerRow {
    /// What is declared.
    ///
    /// # Errors
    /// Kind `Internal` if it cannot be read.
    pub fn read(&self) -> Result<oauth::catalogue::ResourceServer, Error> {
        serde_json::from_str(&self.definition)
            .map_err(|error| Error::internal(format!("resource server {}: {error}", self.audience)))
    }

    /// With this declaration.
    ///
    /// # Errors
    /// Kind `Internal` if it cannot be written.
    pub fn with(self, declared: &oauth::catalogue::ResourceServer) -> Result<Self, Error> {
        let definition = serde_json::to_string(declared)
            .map_err(|error| Error::internal(format!("resource server {}: {error}", self.audience)))?;
        Ok(Self { definition, ..self })
    }
}

/// The one with this id.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_id(
    db: &Db,
    tenant: Id<id::Tenant>,
    id: Id<id::ResourceServer>,
) -> Result<Option<ResourceServerRow>, DbError> {
    db.one(BY_ID, args![tenant, id]).await
}

/// The one of this audience.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_audience(
    db: &Db,
    tenant: Id<id::Tenant>,
    audience: &str,
) -> Result<Option<ResourceServerRow>, DbError> {
    db.one(BY_AUDIENCE, args![tenant, audience]).await
}

/// Those after this id, at most so many.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn page(
    db: &Db,
    tenant: Id<id::Tenant>,
    page: (Id<id::ResourceServer>, i64),
) -> Result<Vec<ResourceServerRow>, DbError> {
    db.scan(PAGE, args![tenant, page.0, page.1]).await
}

/// All of a tenant by audience.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn list(db: &Db, tenant: Id<id::Tenant>) -> Result<Vec<ResourceServerRow>, DbError> {
    db.scan(LIST, args![tenant]).await
}

/// A new one.
pub fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, row: &ResourceServerRow, now: Time) {
    unit.push(INSERT, args![tenant, row.id, &row.audience, &row.definition, now], Expect::Rows(1));
}

/// Writes the declaration. Guarded by the version.
pub fn update(unit: &mut Unit, tenant: Id<id::Tenant>, row: &ResourceServerRow, now: Time) {
    unit.push(UPDATE, args![tenant, row.id, row.version, &row.definition, now], Expect::Rows(1));
}

/// Removes it. Guarded by the version.
pub fn remove(unit: &mut Unit, tenant: Id<id::Tenant>, row: &ResourceServerRow) {
    unit.push(REMOVE, args![tenant, row.id, row.version], Expect::Rows(1));
}
