//! At most four hashes of one account at a time on this node, so that guesses in parallel cannot
//! outrun the count of attempts.

use base::{Error, Kind};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

const AT_ONCE: u8 = 4;

type Key = [u8; 32];

/// The accounts whose passwords are being hashed. Clones share them.
#[derive(Clone, Default)]
pub struct AccountSlots(Arc<Mutex<HashMap<Key, u8>>>);

/// One of the account's places, given back on drop.
#[must_use = "the place is free again as soon as this is dropped"]
pub struct AccountSlot {
    slots: AccountSlots,
    key: Key,
}

impl AccountSlots {
    /// Takes a place for this account, known or not (an HMAC of its normal identifier or id).
    /// Never waits.
    ///
    /// # Errors
    /// `error-too-many` (429) when the account's places are taken.
    pub fn enter(&self, key: Key) -> Result<AccountSlot, Error> {
        let mut slots = self.slots();
        let taken = slots.entry(key).or_default();
        if *taken >= AT_ONCE {
            return Err(too_many());
        }
        *taken += 1;
        drop(slots);
        Ok(AccountSlot { slots: self.clone(), key })
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Key, u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for AccountSlot {
    fn drop(&mut self) {
        let mut slots = self.slots.slots();
        let left = slots.get(&self.key).map_or(0, |taken| taken.saturating_sub(1));
        if left == 0 {
            slots.remove(&self.key);
        } else {
            slots.insert(self.key, left);
        }
    }
}

fn too_many() -> Error {
    Error::new(
        Kind::TooMany,
        "error-too-many",
        "Too many attempts at once. Please wait a moment and try again.",
    )
    .retry_after(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_four_places_and_another_account_its_own() {
        let slots = AccountSlots::default();
        let mut taken: Vec<_> = (0..4).map(|_| slots.enter([1; 32]).unwrap()).collect();
        let refused = slots.enter([1; 32]).map(drop).unwrap_err();
        assert_eq!((refused.status(), refused.code), (429, "error-too-many"));
        let other = slots.enter([2; 32]).unwrap();
        taken.pop();
        taken.push(slots.enter([1; 32]).unwrap());
        assert!(slots.enter([1; 32]).is_err());
        drop((taken, other));
        assert!(slots.slots().is_empty(), "nothing is kept of accounts at rest");
    }
}
