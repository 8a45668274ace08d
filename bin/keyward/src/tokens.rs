//! The tokens of `oidc` as the admin API reads and manages them.

use admin::{InitialToken, InitialTokens};
use base::{Env, Id, Time, id};
use oauth::claims::AccessTokenClaims;
use store::{Db, Tenant, Unit};

/// Whoever makes tokens: `oidc`.
pub(crate) struct Tokens;

impl admin::Tokens for Tokens {
    fn opened(&self, tenant: &Tenant, token: &str) -> Option<AccessTokenClaims> {
        oidc::opened(tenant, token)
    }

    fn make_initial(
        &self,
        unit: &mut Unit,
        tenant: Id<id::Tenant>,
        env: &Env,
        (uses, until): (u32, Time),
    ) -> String {
        oidc::initial_access(unit, tenant, env, uses, until)
    }

    fn initial<'a>(
        &'a self,
        db: &'a Db,
        tenant: Id<id::Tenant>,
        page: (Id<id::Key>, i64),
    ) -> InitialTokens<'a> {
        Box::pin(async move {
            let listed = oidc::initial_access_tokens(db, tenant, page).await?;
            let shown = listed.into_iter().map(|row| InitialToken {
                id: row.id,
                uses_left: row.uses_left,
                created_at: row.created_at,
                expires_at: row.expires_at,
            });
            Ok(shown.collect())
        })
    }

    fn drop_initial(&self, unit: &mut Unit, tenant: Id<id::Tenant>, token: Id<id::Key>) {
        oidc::drop_initial_access(unit, tenant, token);
    }
}
