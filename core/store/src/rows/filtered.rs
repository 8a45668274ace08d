//! Lists with filters: ids in their order, and counts that stop. An empty text filters nothing. What is
//! searched is a tenant's configuration, which is small; it is read in the order of the primary key.

use crate::{Db, DbError, FromRow, ToValue, args, statements};
use base::{Id, id, id::Entity};
use std::marker::PhantomData;

statements! {
    const APPLICATIONS: &str = "SELECT id FROM application WHERE tenant = $1 AND id > $2 AND ($4 = '' OR state = $4) \
        AND (substr(lower(client_id), 1, length($3)) = lower($3) OR substr(lower(name), 1, length($3)) = lower($3)) \
        ORDER BY id LIMIT $5";
    const COUNT_APPLICATIONS: &str = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM application \
        WHERE tenant = $1 AND ($3 = '' OR state = $3) AND (substr(lower(client_id), 1, length($2)) = lower($2) \
        OR substr(lower(name), 1, length($2)) = lower($2)) LIMIT 1001) AS counted";
    const SERVERS: &str = "SELECT id FROM resource_server WHERE tenant = $1 AND id > $2 \
        AND substr(lower(audience), 1, length($3)) = lower($3) ORDER BY id LIMIT $4";
    const COUNT_SERVERS: &str = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM resource_server \
        WHERE tenant = $1 AND substr(lower(audience), 1, length($2)) = lower($2) LIMIT 1001) AS counted";
    const SCOPES: &str = "SELECT id FROM identity_scope WHERE tenant = $1 AND id > $2 \
        AND substr(lower(name), 1, length($3)) = lower($3) ORDER BY id LIMIT $4";
    const COUNT_SCOPES: &str = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM identity_scope \
        WHERE tenant = $1 AND substr(lower(name), 1, length($2)) = lower($2) LIMIT 1001) AS counted";
    const COUNT_TENANTS: &str = "SELECT CAST(count(*) AS BIGINT) FROM (SELECT 1 FROM tenant LIMIT 1001) AS counted";
}

/// A list by its statements: ids, and how many there are up to one more than are counted.
pub struct List<T> {
    ids: &'static str,
    count: &'static str,
    of: PhantomData<T>,
}

/// By the beginning of name or `client_id`, and by state.
pub const APPLICATION: List<id::Application> = List::new(APPLICATIONS, COUNT_APPLICATIONS);
/// By the beginning of the audience.
pub const RESOURCE_SERVER: List<id::ResourceServer> = List::new(SERVERS, COUNT_SERVERS);
/// By the beginning of the name.
pub const SCOPE: List<id::Scope> = List::new(SCOPES, COUNT_SCOPES);

impl<T> List<T> {
    /// A list of these statements: `tenant`, the id before the page, the filters, how many; and `tenant`,
    /// the filters.
    #[must_use]
    pub const fn new(ids: &'static str, count: &'static str) -> Self {
        Self { ids, count, of: PhantomData }
    }
}

impl<T: Entity> List<T>
where
    Id<T>: FromRow + ToValue + Send + 'static,
{
    /// The ids after this one.
    ///
    /// # Errors
    /// [`DbError`] if the store cannot answer.
    pub async fn ids(
        &self,
        db: &Db,
        tenant: Id<id::Tenant>,
        filters: &[&str],
        page: (Id<T>, i64),
    ) -> Result<Vec<Id<T>>, DbError> {
        let mut values = args![tenant, page.0];
        values.extend(filters.iter().copied().map(ToValue::to_value));
        values.extend(args![page.1]);
        db.scan(self.ids, values).await
    }

    /// How many there are.
    ///
    /// # Errors
    /// [`DbError`] if the store cannot answer.
    pub async fn count(&self, db: &Db, tenant: Id<id::Tenant>, filters: &[&str]) -> Result<i64, DbError> {
        let mut values = args![tenant];
        values.extend(filters.iter().copied().map(ToValue::to_value));
        Ok(db.scan::<i64>(self.count, values).await?.into_iter().next().unwrap_or(0))
    }
}

/// How many tenants there are.
///
/// # Errors
/// [`DbError`] if the store cannot answer.
pub async fn count_tenants(db: &Db) -> Result<i64, DbError> {
    Ok(db.scan::<i64>(COUNT_TENANTS, args![]).await?.into_iter().next().unwrap_or(0))
}
