//! Applications: the relying parties of a tenant, with their secrets.

use crate::{Db, DbError, Expect, Unit, args, row, statements};
use base::{Id, Time, id};

row! {
    /// An application as it is stored.
    pub struct ApplicationRow {
        /// Its id.
        pub id: Id<id::Application>,
        /// The `client_id` of OAuth 2.
        pub client_id: String,
        /// Its name for people.
        pub name: String,
        /// `active` or `disabled`.
        pub state: String,
        /// Client metadata as JSON.
        pub metadata: String,
        /// Raised at each change.
        pub version: i64,
    }
}

row! {
    /// A client secret as it is stored: an HMAC, and the secret itself only sealed.
    pub struct SecretRow {
        /// Its id.
        pub id: Id<id::Credential>,
        /// HMAC-SHA-256 under the key of that version.
        pub mac: Vec<u8>,
        /// The version of the HMAC key.
        pub key_version: i64,
        /// When it stops being accepted.
        pub expires_at: Option<Time>,
        /// The secret, sealed, where assertions are made with it; see
        /// [`Tenant::client_secret`](crate::Tenant::client_secret).
        pub sealed: Option<Vec<u8>>,
    }
}

statements! {
    const BY_CLIENT_ID: &str = "SELECT id, client_id, name, state, metadata, version FROM application \
        WHERE tenant = $1 AND client_id = $2";
    const BY_ID: &str = "SELECT id, client_id, name, state, metadata, version FROM application \
        WHERE tenant = $1 AND id = $2";
    const LIST: &str = "SELECT id, client_id, name, state, metadata, version FROM application \
        WHERE tenant = $1 ORDER BY client_id";
    const SECRETS: &str = "SELECT id, mac, key_version, expires_at, sealed FROM application_secret \
        WHERE tenant = $1 AND application = $2 ORDER BY id";
    const INSERT: &str = "INSERT INTO application (tenant, id, client_id, name, state, metadata, version, created_at, \
        updated_at) VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)";
    const UPDATE: &str = "UPDATE application SET name = $4, state = $5, metadata = $6, version = version + 1, \
        updated_at = $7 WHERE tenant = $1 AND id = $2 AND version = $3";
    const REMOVE: &str = "DELETE FROM application WHERE tenant = $1 AND id = $2 AND version = $3 AND state = 'active'";
    const INSERT_SECRET: &str = "INSERT INTO application_secret (tenant, application, id, mac, key_version, created_at, \
        expires_at, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    const REMAKE_SECRET: &str = "UPDATE application_secret SET mac = $4, key_version = $5 \
        WHERE tenant = $1 AND application = $2 AND id = $3";
    const DROP_SECRETS: &str = "DELETE FROM application_secret WHERE tenant = $1 AND application = $2";
}

/// The application with this `client_id`.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_client_id(
    db: &Db,
    tenant: Id<id::Tenant>,
    client_id: &str,
) -> Result<Option<ApplicationRow>, DbError> {
    db.one(BY_CLIENT_ID, args![tenant, client_id]).await
}

/// The application with this id.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn by_id(
    db: &Db,
    tenant: Id<id::Tenant>,
    id: Id<id::Application>,
) -> Result<Option<ApplicationRow>, DbError> {
    db.one(BY_ID, args![tenant, id]).await
}

/// All applications of a tenant by `client_id`.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn list(db: &Db, tenant: Id<id::Tenant>) -> Result<Vec<ApplicationRow>, DbError> {
    db.scan(LIST, args![tenant]).await
}

/// The secrets of an application.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn secrets(
    db: &Db,
    tenant: Id<id::Tenant>,
    application: Id<id::Application>,
) -> Result<Vec<SecretRow>, DbError> {
    db.many(SECRETS, args![tenant, application]).await
}

/// A new application.
pub fn insert(unit: &mut Unit, tenant: Id<id::Tenant>, application: &ApplicationRow, now: Time) {
    unit.push(
        INSERT,
        args![
            tenant,
            application.id,
            &application.client_id,
            &application.name,
            &application.state,
            &application.metadata,
            now
        ],
        Expect::Rows(1),
    );
}

/// Writes name, state and metadata. Guarded by the version.
pub fn update(unit: &mut Unit, tenant: Id<id::Tenant>, application: &ApplicationRow, now: Time) {
    unit.push(
        UPDATE,
        args![
            tenant,
            application.id,
            application.version,
            &application.name,
            &application.state,
            &application.metadata,
            now
        ],
        Expect::Rows(1),
    );
}

/// Removes an active application that had registered itself. Guarded by the version.
pub fn remove(unit: &mut Unit, tenant: Id<id::Tenant>, application: (Id<id::Application>, i64)) {
    unit.push(REMOVE, args![tenant, application.0, application.1], Expect::Rows(1));
}

/// A new secret of an application.
pub fn insert_secret(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    application: Id<id::Application>,
    secret: &SecretRow,
    now: Time,
) {
    let values = args![
        tenant,
        application,
        secret.id,
        &secret.mac,
        secret.key_version,
        now,
        secret.expires_at,
        secret.sealed.as_deref()
    ];
    unit.push(INSERT_SECRET, values, Expect::Rows(1));
}

/// The same secret under a newer HMAC key.
pub fn remake_secret(
    unit: &mut Unit,
    tenant: Id<id::Tenant>,
    application: Id<id::Application>,
    secret: &SecretRow,
) {
    let values = args![tenant, application, secret.id, &secret.mac, secret.key_version];
    unit.push(REMAKE_SECRET, values, Expect::Rows(1));
}

/// Removes all secrets of an application.
pub fn drop_secrets(unit: &mut Unit, tenant: Id<id::Tenant>, application: Id<id::Application>) {
    unit.push(DROP_SECRETS, args![tenant, application], Expect::Any);
}
