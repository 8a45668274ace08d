//! New keys of tenants, and what their age brings about.

use super::{Directory, Tenant};
use crate::{
    Unit,
    rotation::{self, Step},
    rows::{
        self,
        key::{KeyRow, KeyState, SIGN},
    },
};
use base::{Aad, Error, Event, Id, id};
use jose::Algorithm;
use std::sync::Arc;

impl Directory {
    /// Makes the tenant's first key of this algorithm, unless it has one.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn ensure_signing_key(&self, id: Id<id::Tenant>, algorithm: Algorithm) -> Result<(), Error> {
        let missing = || Error::internal("the tenant of a key is not there");
        let tenant = self.tenant(id).await?.ok_or_else(missing)?;
        if tenant.signing_key(algorithm).is_some() {
            return Ok(());
        }
        let row = self.make_signing_key(&tenant, (algorithm, 1), KeyState::Current).await?;
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

    /// A further signing key of the tenant, not stored yet, in this state. An RSA key takes tens of
    /// milliseconds, on a thread for such work.
    ///
    /// # Errors
    /// Kind `Internal` if no key can be made.
    pub async fn make_signing_key(
        &self,
        tenant: &Arc<Tenant>,
        (algorithm, version): (Algorithm, i64),
        state: KeyState,
    ) -> Result<KeyRow, Error> {
        let (this, tenant) = (self.clone(), Arc::clone(tenant));
        let made = move || this.signing_key_row(&tenant, (algorithm, version), state);
        let made = tokio::task::spawn_blocking(made).await;
        made.map_err(|error| Error::internal(format!("making a key: {error}")))?
    }

    /// Carries out what the age of the tenant's signing keys asks for, a step of each algorithm. Of
    /// several nodes that try it at once one does it: each step is guarded by the state of its key and
    /// by the tenant's version.
    ///
    /// # Errors
    /// Kind `Unavailable` if the store cannot answer.
    pub async fn rotate_by_age(&self, id: Id<id::Tenant>) -> Result<(), Error> {
        let keys = rows::key::signing(self.db(), id).await?;
        for keys in keys.chunk_by(|one, other| one.algorithm == other.algorithm) {
            // What is kept of the tenant is of before the last step.
            let Some(tenant) = self.tenant(id).await? else { return Ok(()) };
            let Some(step) = rotation::due(keys, &tenant.settings, self.env().now()) else { continue };
            if self.carry_out(&tenant, keys, step).await? {
                self.forget(id);
            }
        }
        Ok(())
    }

    /// Whether it was done here.
    async fn carry_out(&self, tenant: &Arc<Tenant>, keys: &[KeyRow], step: Step<'_>) -> Result<bool, Error> {
        let now = self.env().now();
        let event = |step: &str, key: &KeyRow| {
            let detail =
                serde_json::json!({ "by": "age", "step": step, "key": key.id, "algorithm": key.algorithm });
            let event = Event::new(self.env(), "key.rotated").actor("system").detail(detail);
            Unit::new(event.id, vec![tenant.event(self.env(), event, None)])
        };
        let mut unit = match step {
            Step::Publish => {
                let algorithm = keys.first().and_then(|key| key.algorithm.parse().ok());
                let algorithm = algorithm.ok_or_else(|| Error::internal("a key of an unknown algorithm"))?;
                let version = 1 + keys.iter().map(|key| key.version).max().unwrap_or(0);
                let fresh = self.make_signing_key(tenant, (algorithm, version), KeyState::Next).await?;
                let mut unit = event("published", &fresh);
                rows::key::insert(&mut unit, tenant.id, &fresh);
                unit
            }
            Step::TakeOver { current, next } => {
                let mut unit = event("taken over", next);
                rows::key::set_state(&mut unit, tenant.id, current, KeyState::Retired, now);
                rows::key::set_state(&mut unit, tenant.id, next, KeyState::Current, now);
                unit
            }
            Step::Erase(key) => {
                let mut unit = event("erased", key);
                rows::key::erase(&mut unit, tenant.id, key.id);
                unit
            }
        };
        rows::tenant::raise(&mut unit, tenant.id, tenant.version, now);
        Ok(self.db().commit(unit).await?.done())
    }

    pub(super) fn signing_key_row(
        &self,
        tenant: &Tenant,
        (algorithm, version): (Algorithm, i64),
        state: KeyState,
    ) -> Result<KeyRow, Error> {
        let wrong =
            |error: jose::Error| Error::internal(format!("making a {} key: {error}", algorithm.as_str()));
        let private = jose::SigningKey::generate(algorithm).map_err(wrong)?;
        let public = jose::SigningKey::from_pkcs8(algorithm, None, private.as_ref()).map_err(wrong)?;
        let public = serde_json::to_string(public.public_jwk())
            .map_err(|error| Error::internal(format!("writing a public key: {error}")))?;
        let row = self.key_row(tenant, (SIGN, algorithm.as_str()), version, private.as_ref());
        Ok(KeyRow { state, public: Some(public), ..row })
    }

    pub(super) fn key_row(&self, tenant: &Tenant, key: (&str, &str), version: i64, secret: &[u8]) -> KeyRow {
        let (id, now) = (self.env().id(), self.env().now());
        KeyRow {
            id,
            purpose: key.0.to_owned(),
            algorithm: key.1.to_owned(),
            version,
            state: KeyState::Current,
            sealed: tenant.key.seal(self.env().rng(), Aad::new(&tenant.id, "key.sealed", &id), secret),
            public: None,
            created_at: now,
            changed_at: now,
        }
    }
}
