//! Access tokens whose signature or seal was found to hold, so that the next look at one costs a hash.
//!
//! What is remembered is what the token says, never that it works: expiry, application, grant and
//! revocation are asked each time. A change of the tenant (a key taken back) makes it forgotten.

use base::mac::sha256;
use oauth::claims::AccessTokenClaims;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use store::Tenant;

/// How many are kept in each of two generations, of less than a kilobyte mostly.
const GENERATION: usize = 8_192;

/// The tokens that this node has seen lately. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Remembered(Arc<Mutex<Generations>>);

/// SHA-256 of the tenant, its version and the token.
type Key = [u8; 32];
type Entries = HashMap<Key, Arc<AccessTokenClaims>>;

#[derive(Default)]
struct Generations {
    new: Entries,
    /// What was new before; what is asked for again moves on.
    old: Entries,
}

impl Remembered {
    /// What the token says, if it is genuine: as remembered, else as `check` finds it. What is not
    /// genuine is not remembered.
    pub(crate) fn claims(
        &self,
        tenant: &Tenant,
        token: &str,
        check: impl FnOnce() -> Option<AccessTokenClaims>,
    ) -> Option<Arc<AccessTokenClaims>> {
        let key = sha256(&[tenant.id.as_bytes(), &tenant.version.to_be_bytes(), token.as_bytes()]);
        let known = self.locked(|generations| generations.find(&key));
        if known.is_some() {
            return known;
        }
        let claims = Arc::new(check()?);
        self.locked(|generations| generations.keep(key, Arc::clone(&claims)));
        Some(claims)
    }

    fn locked<T>(&self, work: impl FnOnce(&mut Generations) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Generations {
    fn find(&mut self, key: &Key) -> Option<Arc<AccessTokenClaims>> {
        if let Some(claims) = self.new.get(key) {
            return Some(Arc::clone(claims));
        }
        let claims = self.old.remove(key)?;
        self.keep(*key, Arc::clone(&claims));
        Some(claims)
    }

    fn keep(&mut self, key: Key, claims: Arc<AccessTokenClaims>) {
        if self.new.len() >= GENERATION {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(key, claims);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        sha256(&[&number.to_be_bytes()])
    }

    fn claims() -> Arc<AccessTokenClaims> {
        let json = r#"{"iss":"i","sub":"s","aud":["a"],"client_id":"c","iat":0,"exp":1,"jti":"j"}"#;
        Arc::new(serde_json::from_str(json).unwrap())
    }

    #[test]
    fn memory_is_bounded_and_what_is_asked_for_stays() {
        let mut generations = Generations::default();
        for number in 0..10 * GENERATION {
            generations.keep(key(number), claims());
            assert!(generations.find(&key(0)).is_some(), "{number}");
            assert!(generations.new.len() + generations.old.len() <= 2 * GENERATION);
        }
        assert!(generations.find(&key(1)).is_none());
    }
}
