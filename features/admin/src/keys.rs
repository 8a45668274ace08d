//! `/api/v1/keys`: signing keys, by their public halves. Keys change by their age; by command in two
//! steps, so that whoever verifies tokens has seen a key before it signs: first a `next` key is
//! published, then it takes the place of the `current` one, which stays published as `retired`, and
//! another `next` is made. Where a key is compromised, another one signs at once.

use crate::{
    call::{About, Answer, Call},
    endpoint::{Endpoint, Verb},
    refusal::Refusal,
    scope::Permission::{KeysRead, KeysWrite},
    shape::{Shape, shape},
    stamp::Stamp,
};
use base::{Id, id};
use jose::Algorithm;
use serde_json::{Value, json};
use store::{
    Unit, rotation,
    rows::key::{self, KeyRow, KeyState},
};

shape! {
    /// A signing key.
    given Key {
        /// The id.
        id: Id<id::Key>,
        /// The algorithm.
        algorithm: String,
        /// Counted within the algorithm.
        version: i64,
        /// `next`, `current`, `retired` or `withdrawn`.
        state: String,
        /// The public half as a JWK.
        public: Value,
        /// Whether JWKS has it.
        published: bool,
        /// Until when JWKS has it; null as long as it signs or will sign.
        published_until: Option<Stamp>,
        /// When the next key takes its place by its age; null for others than the current one, and where keys change by command only.
        rotates_at: Option<Stamp>,
        /// When it was made.
        created_at: Stamp,
        /// Since when it is in its state.
        changed_at: Stamp,
        /// For how many days it is in its state.
        age_days: i64,
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
        /// Whether another key signs at once, published or not.
        now: Option<bool>,
        /// Whether all other keys of the algorithm are taken back: JWKS loses them at once, and what they signed is worth nothing. Another key signs at once then.
        withdraw: Option<bool>,
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

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let rows = key::signing(call.db(), call.tenant.id).await?;
    let of_each = rows.chunk_by(|one, other| one.algorithm == other.algorithm);
    let items = of_each.flat_map(|keys| keys.iter().map(|row| show(call, keys, row))).collect();
    Answer::of(&Keys { items })
}

/// A key among those of its algorithm.
fn show(call: &Call, keys: &[KeyRow], row: &KeyRow) -> Key {
    let now = call.now();
    let until = rotation::published_until(row.state, row.changed_at);
    let rotates_at = rotation::rotates_at(keys, &call.tenant.settings);
    Key {
        id: row.id,
        algorithm: row.algorithm.clone(),
        version: row.version,
        state: row.state.as_str().to_owned(),
        public: row.public.as_deref().and_then(|jwk| serde_json::from_str(jwk).ok()).unwrap_or_default(),
        published: until.is_none_or(|end| now < end),
        published_until: until.map(Stamp),
        rotates_at: rotates_at.filter(|_| row.state == KeyState::Current).map(Stamp),
        created_at: Stamp(row.created_at),
        changed_at: Stamp(row.changed_at),
        age_days: i64::try_from(now.since(row.changed_at).as_secs() / 86_400).unwrap_or(i64::MAX),
    }
}

async fn rotate(call: &Call) -> Result<Answer, Refusal> {
    let sent: KeyRotation = call.sent()?;
    let algorithm: Option<Algorithm> = sent.algorithm.parse().ok();
    let algorithm = algorithm.filter(|algorithm| !algorithm.is_symmetric());
    let algorithm = algorithm.ok_or_else(|| Refusal::field("algorithm", "is none that signs tokens"))?;
    let mut keys = key::signing(call.db(), call.tenant.id).await?;
    keys.retain(|row| row.algorithm == algorithm.as_str());
    let Some(current) = rotation::of_state(&keys, KeyState::Current) else {
        // The first key of an algorithm signs at once: nobody knows another one.
        call.directory().ensure_signing_key(call.tenant.id, algorithm).await?;
        return Err(Refusal::Again);
    };
    let (now, withdraw) = (sent.now.unwrap_or(false), sent.withdraw.unwrap_or(false));
    let change = match rotation::of_state(&keys, KeyState::Next) {
        _ if withdraw => Change { takes_over: None, fresh: Some(KeyState::Current), leaves: &keys },
        None if now => Change { takes_over: None, fresh: Some(KeyState::Current), leaves: one(current) },
        None => Change { takes_over: None, fresh: Some(KeyState::Next), leaves: &[] },
        Some(next) if now => Change { takes_over: Some(next), fresh: None, leaves: one(current) },
        next => Change { takes_over: next, fresh: Some(KeyState::Next), leaves: one(current) },
    };
    let fresh = match change.fresh {
        Some(state) => {
            let version = 1 + keys.iter().map(|row| row.version).max().unwrap_or(0);
            Some(call.directory().make_signing_key(&call.tenant, (algorithm, version), state).await?)
        }
        None => None,
    };
    let unit = change.unit(call, algorithm, fresh.as_ref(), withdraw);
    call.finish_configuration(unit, Answer::empty()).await?;
    list(call).await
}

const fn one(key: &KeyRow) -> &[KeyRow] {
    std::slice::from_ref(key)
}

/// What a rotation comes to.
struct Change<'a> {
    /// The published key that signs from now on.
    takes_over: Option<&'a KeyRow>,
    /// In which state a further key is made.
    fresh: Option<KeyState>,
    /// The keys that sign no more.
    leaves: &'a [KeyRow],
}

impl Change<'_> {
    fn unit(&self, call: &Call, algorithm: Algorithm, fresh: Option<&KeyRow>, withdraw: bool) -> Unit {
        let (tenant, now) = (call.tenant.id, call.now());
        let leaves = self.leaves.iter().filter(|key| key.state != KeyState::Withdrawn);
        let step = match (withdraw, self.leaves.is_empty()) {
            (true, _) => "withdrawn",
            (false, true) => "published",
            (false, false) => "taken over",
        };
        let ids: Vec<_> = leaves.clone().map(|key| key.id).collect();
        let detail = json!({ "algorithm": algorithm.as_str(), "by": "command", "step": step, "leaves": ids,
            "takes_over": self.takes_over.map(|key| key.id), "made": fresh.map(|key| key.id) });
        let mut unit = call.unit("key.rotated", About::NOBODY, detail);
        for key in leaves {
            let state = if withdraw { KeyState::Withdrawn } else { KeyState::Retired };
            key::set_state(&mut unit, tenant, key, state, now);
            if withdraw && !key.sealed.is_empty() {
                key::erase(&mut unit, tenant, key.id);
            }
        }
        if let Some(next) = self.takes_over {
            key::set_state(&mut unit, tenant, next, KeyState::Current, now);
        }
        if let Some(fresh) = fresh {
            key::insert(&mut unit, tenant, fresh);
        }
        unit
    }
}
