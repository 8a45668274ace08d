//! The tenant's signing keys: there when they are needed, and what they signed recognised.

use base::Error;
use jose::{Algorithm, Typ};
use oauth::{ClientId, logout::HintFacts};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use store::Tenant;
use web::Site;

/// How long a call waits for a key that is being made.
const PATIENCE: Duration = Duration::from_secs(2);

/// The tenant with keys for these algorithms. One that is missing is made beside the call, which
/// waits a moment for it.
///
/// # Errors
/// Kind `Unavailable` if the key takes longer or the store cannot answer.
pub(crate) async fn ready(
    site: &Site,
    tenant: &Arc<Tenant>,
    algorithms: &[Algorithm],
) -> Result<Arc<Tenant>, Error> {
    let is_missing = |algorithm: &&Algorithm| tenant.signing_key(**algorithm).is_none();
    let missing: Vec<Algorithm> = algorithms.iter().filter(is_missing).copied().collect();
    match missing.is_empty() {
        true => Ok(Arc::clone(tenant)),
        // Seldom, and boxed so that not every call is as large as this.
        false => Box::pin(made(site, tenant, missing)).await,
    }
}

async fn made(site: &Site, tenant: &Arc<Tenant>, missing: Vec<Algorithm>) -> Result<Arc<Tenant>, Error> {
    let mut tenant = Arc::clone(tenant);
    for algorithm in missing {
        let (directory, id) = (site.directory().clone(), tenant.id);
        let made = tokio::spawn(async move { directory.ensure_signing_key(id, algorithm).await });
        let made = tokio::time::timeout(PATIENCE, made).await;
        let made = made.map_err(|_| Error::unavailable("a signing key is still being made"))?;
        made.map_err(|error| Error::internal(format!("making a signing key: {error}")))??;
        let found = site.directory().tenant(id).await?;
        tenant = found.ok_or_else(|| Error::internal("a tenant vanished while it got a key"))?;
    }
    Ok(tenant)
}

/// The claims of a token of this type that this tenant signed, with any of its keys.
pub(crate) fn verify<T: serde::de::DeserializeOwned>(tenant: &Tenant, token: &str, typ: Typ) -> Option<T> {
    jose::verify(token, tenant.verifying_keys(), typ).ok()?.claims().ok()
}

/// The algorithms that tokens can be signed with; keys are made when they are needed first.
pub(crate) fn offered() -> Vec<Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric()).collect()
}

/// What an `id_token_hint` says, expired or not, if this tenant made it.
pub(crate) fn hint(tenant: &Tenant, token: &str) -> Option<HintFacts> {
    #[derive(Deserialize)]
    struct Hinted {
        iss: String,
        sub: String,
        aud: ClientId,
        /// A signed userinfo answer has none, and is no ID token.
        #[serde(rename = "exp")]
        _exp: i64,
        sid: Option<String>,
    }
    let claims: Hinted = verify(tenant, token, Typ::IdToken)?;
    let facts = HintFacts { client_id: claims.aud, subject: claims.sub, session: claims.sid };
    tenant.is_issuer(&claims.iss).then_some(facts)
}
