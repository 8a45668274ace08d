//! New tenants.

use super::{Directory, Mac, Tenant, tenant::Kept};
use crate::{
    Outcome, Unit,
    rows::{self, key::KeyState, tenant::TenantRow},
};
use base::{Aad, Error, Event, Kind, SealingKey};
use std::sync::Arc;

/// What access tokens and ID tokens are signed with where nothing else is asked for. These keys are there
/// from the beginning, so that nobody reads the tenant's keys before what they will be signed with.
const FIRST: [jose::Algorithm; 2] = [jose::Algorithm::Es256, jose::Algorithm::Rs256];

/// What a new tenant is given.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its short name in addresses.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// Its issuer, without a trailing slash.
    pub issuer: String,
    /// Its settings as JSON.
    pub settings: String,
}

impl Directory {
    /// Makes a tenant with its key, an HMAC key for each purpose and its first signing keys.
    ///
    /// # Errors
    /// Kind `Conflict` if slug or issuer are taken; `Unavailable` if the store cannot answer.
    pub async fn create_tenant(&self, new: NewTenant) -> Result<Arc<Tenant>, Error> {
        self.create_tenant_with(new, |_, _| {}).await
    }

    /// The same, with more in the unit that makes it.
    ///
    /// # Errors
    /// As [`Directory::create_tenant`]; kind `Conflict` also if what is added conflicts.
    pub async fn create_tenant_with(
        &self,
        new: NewTenant,
        also: impl FnOnce(&TenantRow, &mut Unit),
    ) -> Result<Arc<Tenant>, Error> {
        let (env, now) = (self.env(), self.env().now());
        let id = env.id();
        let key = SealingKey::generate(env.rng());
        let row = TenantRow {
            id,
            rp_id: host_of(&new.issuer).to_owned(),
            slug: new.slug,
            issuer: new.issuer,
            name: new.name,
            state: "active".to_owned(),
            settings: new.settings,
            sealed_key: self.root().wrap(env.rng(), Aad::new(&id, "tenant.key", &id), &key),
            version: 1,
        };
        let event = Event::new(env, "tenant.created").actor("operator");
        let tenant = Tenant::open(row.clone(), Kept::default(), self.root(), env)?;
        let mut unit = Unit::new(event.id, vec![tenant.event(env, event, None)]);
        rows::tenant::insert(&mut unit, &row, now);
        for purpose in Mac::ALL {
            let secret: [u8; 32] = env.bytes();
            rows::key::insert(&mut unit, id, &self.key_row(&tenant, (purpose.as_str(), "HS256"), 1, &secret));
        }
        for algorithm in FIRST {
            let key = self.signing_key_row(&tenant, (algorithm, 1), KeyState::Current)?;
            rows::key::insert(&mut unit, id, &key);
        }
        also(&row, &mut unit);
        match self.db().commit(unit).await? {
            Outcome::Done => {}
            Outcome::Conflict { .. } => {
                return Err(Error::new(
                    Kind::Conflict,
                    "error-tenant-taken",
                    "Another tenant has this slug or issuer. Choose another one.",
                ));
            }
        }
        self.forget(id);
        self.tenant(id).await?.ok_or_else(|| Error::internal("a tenant vanished while it was made"))
    }
}

fn host_of(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => authority.get(..at).unwrap_or(authority),
        _ => authority,
    }
}
