//! New tenants and new signing keys.

use super::{Directory, Mac, Tenant};
use crate::{
    Outcome, Unit,
    rows::{self, key::KeyRow, tenant::TenantRow},
};
use base::{Aad, Error, Event, Id, Kind, SealingKey, id};
use std::sync::Arc;

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
    /// Makes a tenant with its key, an HMAC key for each purpose and an ES256 signing key.
    ///
    /// # Errors
    /// Kind `Conflict` if slug or issuer are taken; `Unavailable` if the store cannot answer.
    pub async fn create_tenant(&self, new: NewTenant) -> Result<Arc<Tenant>, Error> {
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
        let tenant = Tenant::open(row.clone(), Vec::new(), self.root(), env)?;
        let mut unit = Unit::new(event.id, vec![tenant.event(env, event, None)]);
        rows::tenant::insert(&mut unit, &row, now);
        for purpose in Mac::ALL {
            let secret: [u8; 32] = env.bytes();
            rows::key::insert(&mut unit, id, &self.key_row(&tenant, (purpose.as_str(), "HS256"), 1, &secret));
        }
        let signing = self.signing_key_row(&tenant, jose::Algorithm::Es256, 1)?;
        rows::key::insert(&mut unit, id, &signing);
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

    /// Makes the tenant's first key of this algorithm, unless it has one. Generating an RSA key
    /// takes tens of milliseconds and happens on a thread for blocking work.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn ensure_signing_key(
        &self,
        id: Id<id::Tenant>,
        algorithm: jose::Algorithm,
    ) -> Result<(), Error> {
        let missing = || Error::internal("the tenant of a key is not there");
        let tenant = self.tenant(id).await?.ok_or_else(missing)?;
        if tenant.signing_key(algorithm).is_some() {
            return Ok(());
        }
        let this = self.clone();
        let held = Arc::clone(&tenant);
        let row = tokio::task::spawn_blocking(move || this.signing_key_row(&held, algorithm, 1))
            .await
            .map_err(|error| Error::internal(format!("making a key: {error}")))??;
        let event = Event::new(self.env(), "key.created")
            .actor("system")
            .detail(serde_json::json!({ "algorithm": algorithm.as_str() }));
        let mut unit = Unit::new(event.id, vec![tenant.event(self.env(), event, None)]);
        rows::key::insert(&mut unit, id, &row);
        rows::tenant::raise(&mut unit, id, tenant.version, self.env().now());
        // A conflict means that another node made the key, or that the tenant changed meanwhile.
        let outcome = self.db().commit(unit).await?;
        self.forget(id);
        let tenant = self.tenant(id).await?.ok_or_else(missing)?;
        if outcome.done() || tenant.signing_key(algorithm).is_some() {
            return Ok(());
        }
        Box::pin(self.ensure_signing_key(id, algorithm)).await
    }

    /// A further signing key of the tenant, to be published before it signs: its state is `next`.
    /// It is not stored yet. Generating an RSA key takes tens of milliseconds.
    ///
    /// # Errors
    /// Kind `Internal` if no key can be made.
    pub fn next_signing_key(
        &self,
        tenant: &Tenant,
        algorithm: jose::Algorithm,
        version: i64,
    ) -> Result<KeyRow, Error> {
        Ok(KeyRow { state: "next".to_owned(), ..self.signing_key_row(tenant, algorithm, version)? })
    }

    fn signing_key_row(
        &self,
        tenant: &Tenant,
        algorithm: jose::Algorithm,
        version: i64,
    ) -> Result<KeyRow, Error> {
        let wrong =
            |error: jose::Error| Error::internal(format!("making a {} key: {error}", algorithm.as_str()));
        let private = jose::SigningKey::generate(algorithm).map_err(wrong)?;
        let public = jose::SigningKey::from_pkcs8(algorithm, None, private.as_ref()).map_err(wrong)?;
        let public = serde_json::to_string(public.public_jwk())
            .map_err(|error| Error::internal(format!("writing a public key: {error}")))?;
        let row = self.key_row(tenant, ("sign", algorithm.as_str()), version, private.as_ref());
        Ok(KeyRow { public: Some(public), ..row })
    }

    fn key_row(&self, tenant: &Tenant, key: (&str, &str), version: i64, secret: &[u8]) -> KeyRow {
        let id = self.env().id();
        KeyRow {
            id,
            purpose: key.0.to_owned(),
            algorithm: key.1.to_owned(),
            version,
            state: "current".to_owned(),
            sealed: tenant.key.seal(self.env().rng(), Aad::new(&tenant.id, "key.sealed", &id), secret),
            public: None,
            created_at: self.env().now(),
        }
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
