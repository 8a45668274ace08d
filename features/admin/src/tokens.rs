//! Tokens that another capability makes and keeps: wiring puts it here, since features do not know
//! each other.

use base::{Env, Id, Time, id};
use oauth::claims::AccessTokenClaims;
use std::{future::Future, pin::Pin};
use store::{Db, DbError, Tenant, Unit};

/// What lets somebody register an application (RFC 7591, section 3), without the token itself.
#[derive(Debug, Clone)]
pub struct InitialToken {
    /// Its id.
    pub id: Id<id::Key>,
    /// How often it still works.
    pub uses_left: i64,
    /// Since when.
    pub created_at: Time,
    /// Until when.
    pub expires_at: Time,
}

/// A page of them.
pub type InitialTokens<'a> = Pin<Box<dyn Future<Output = Result<Vec<InitialToken>, DbError>> + Send + 'a>>;

/// Whoever makes tokens.
pub trait Tokens: Send + Sync {
    /// The claims of an opaque access token of this tenant, whether or not it still works.
    fn opened(&self, tenant: &Tenant, token: &str) -> Option<AccessTokenClaims>;

    /// Adds a new initial access token to the unit and gives it out.
    fn make_initial(&self, unit: &mut Unit, tenant: Id<id::Tenant>, env: &Env, works: (u32, Time)) -> String;

    /// The initial access tokens of a tenant after this id.
    fn initial<'a>(
        &'a self,
        db: &'a Db,
        tenant: Id<id::Tenant>,
        page: (Id<id::Key>, i64),
    ) -> InitialTokens<'a>;

    /// Takes one back. It conflicts if there is none.
    fn drop_initial(&self, unit: &mut Unit, tenant: Id<id::Tenant>, token: Id<id::Key>);
}
