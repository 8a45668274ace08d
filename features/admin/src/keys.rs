//! `/api/v1/keys`: signing keys, by their public halves. Rotation goes in two steps, so that whoever
//! verifies tokens has seen a key before it signs: first a `next` key is published, then it takes the
//! place of the `current` one, which stays published as `retired`, and another `next` is made.

use crate::{
    call::{About, Answer, Call},
    endpoint::{Endpoint, Verb},
    refusal::Refusal,
    scope::Permission::{KeysRead, KeysWrite},
    shape::{Shape, shape},
    stamp::Stamp,
};
use base::{Error, Id, id};
use jose::Algorithm;
use serde_json::{Value, json};
use std::sync::Arc;
use store::rows::key::{self, KeyRow};

shape! {
    /// A signing key.
    given Key {
        /// The id.
        id: Id<id::Key>,
        /// The algorithm.
        algorithm: String,
        /// Counted within the algorithm.
        version: i64,
        /// `next`, `current` or `retired`.
        state: String,
        /// The public half as a JWK.
        public: Value,
        /// Since when.
        created_at: Stamp,
    }
}

shape! {
    /// All signing keys.
    given Keys {
        /// The keys by algorithm, the oldest first.
        items: Vec<Key>,
    }
}

shape! {
    /// Which keys to rotate.
    sent KeyRotation {
        /// `ES256`, `RS256`, `PS256`, `ES384` or `EdDSA`.
        algorithm: String,
    }
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new((Verb::Get, "/keys"), ("listKeys", "List signing keys"), KeysRead, |call| {
        Box::pin(list(call))
    })
    .gives(Keys::schema),
    Endpoint::new(
        (Verb::Post, "/keys/rotate"),
        ("rotateKeys", "Publish the next key of an algorithm, or let it take over if there is one"),
        KeysWrite,
        |call| Box::pin(rotate(call)),
    )
    .takes(KeyRotation::schema)
    .gives(Keys::schema),
];

async fn signing(call: &Call) -> Result<Vec<KeyRow>, Refusal> {
    let mut rows = key::of_tenant(call.db(), call.tenant.id).await?;
    rows.retain(|row| row.purpose == "sign");
    Ok(rows)
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    shown(signing(call).await?)
}

fn shown(rows: Vec<KeyRow>) -> Result<Answer, Refusal> {
    let show = |row: KeyRow| Key {
        public: row.public.and_then(|public| serde_json::from_str(&public).ok()).unwrap_or_default(),
        id: row.id,
        algorithm: row.algorithm,
        version: row.version,
        state: row.state,
        created_at: Stamp(row.created_at),
    };
    Answer::of(&Keys { items: rows.into_iter().map(show).collect() })
}

async fn rotate(call: &Call) -> Result<Answer, Refusal> {
    let sent: KeyRotation = call.sent()?;
    let algorithm: Option<Algorithm> = sent.algorithm.parse().ok();
    let algorithm = algorithm.filter(|algorithm| !algorithm.is_symmetric());
    let algorithm = algorithm.ok_or_else(|| Refusal::field("algorithm", "is none that signs tokens"))?;
    let mut rows = signing(call).await?;
    rows.retain(|row| row.algorithm == algorithm.as_str());
    let last = rows.iter().map(|row| row.version).max().unwrap_or(0);
    let of_state = |state: &str| rows.iter().find(|row| row.state == state);
    let (next, Some(current)) = (of_state("next"), of_state("current")) else {
        // The first key of an algorithm signs at once: nobody knows another one.
        call.directory().ensure_signing_key(call.tenant.id, algorithm).await?;
        return Err(Refusal::Again);
    };
    let fresh = made(call, algorithm, last + 1).await?;
    let step = if next.is_some() { "taken over" } else { "published" };
    let detail = json!({ "algorithm": algorithm.as_str(), "step": step,
        "next": fresh.id, "current": next.unwrap_or(current).id });
    let mut unit = call.unit("key.rotated", About::NOBODY, detail);
    let (tenant, now) = (call.tenant.id, call.now());
    if let Some(next) = next {
        key::set_state(&mut unit, tenant, current, "retired", now);
        key::set_state(&mut unit, tenant, next, "current", now);
    }
    key::insert(&mut unit, tenant, &fresh);
    call.finish_configuration(unit, Answer::empty()).await?;
    list(call).await
}

/// Making an RSA key takes a while, on a thread for such work.
async fn made(call: &Call, algorithm: Algorithm, version: i64) -> Result<KeyRow, Refusal> {
    let (directory, tenant) = (call.directory().clone(), Arc::clone(&call.tenant));
    let made = move || directory.next_signing_key(&tenant, algorithm, version);
    let made = tokio::task::spawn_blocking(made).await;
    Ok(made.map_err(|error| Error::internal(format!("making a key: {error}")))??)
}
