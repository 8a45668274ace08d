//! When signing keys change by their age: a key is published before it signs, takes over when the
//! one before it is old enough, and the one before stays published as long as anything that it
//! signed can live.

use crate::rows::{
    key::{KeyRow, KeyState},
    tenant::Settings,
};
use base::Time;
use oauth::client::Lifetimes;
use std::time::Duration;

/// How far clocks may differ, and how long a node may sign on with what it remembers.
const SKEW: u64 = 3_600;
/// How long a key stays published after it signed last: nothing that it signed lives longer.
pub const PUBLISHED_AFTER: Duration = Duration::from_secs(Lifetimes::LONGEST_SIGNED.unsigned_abs() + SKEW);

/// What is to be done with the keys of one algorithm.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A further key is to be published.
    Publish,
    /// `next` takes the place of `current`.
    TakeOver {
        /// Signs so far.
        current: &'a KeyRow,
        /// Signs from now on.
        next: &'a KeyRow,
    },
    /// Nobody needs the private half of this key any more.
    Erase(&'a KeyRow),
}

/// What is due now with these keys of one algorithm, the oldest first; one step at a time.
#[must_use]
pub fn due<'a>(keys: &'a [KeyRow], settings: &Settings, now: Time) -> Option<Step<'a>> {
    if let Some(key) = keys.iter().find(|key| !key.sealed.is_empty() && is_over(key, now)) {
        return Some(Step::Erase(key));
    }
    let current = of_state(keys, KeyState::Current)?;
    let at = rotates_at(keys, settings)?;
    match of_state(keys, KeyState::Next) {
        None if now >= at.minus(ahead(settings)) => Some(Step::Publish),
        Some(next) if now >= at => Some(Step::TakeOver { current, next }),
        _ => None,
    }
}

/// When the key that signs with this algorithm is replaced: when it is old enough and its successor
/// was published for long enough. Never where keys change by command only.
#[must_use]
pub fn rotates_at(keys: &[KeyRow], settings: &Settings) -> Option<Time> {
    let current = of_state(keys, KeyState::Current).filter(|_| settings.key_rotation_days > 0)?;
    let old = current.changed_at.plus(days(settings.key_rotation_days));
    let known = of_state(keys, KeyState::Next).map(|next| next.changed_at.plus(ahead(settings)));
    Some(known.map_or(old, |known| known.max(old)))
}

/// Until when a key is published: without end while it signs or will sign.
///
/// A retired key whose time is over verifies on, for `id_token_hint`s, which may have expired.
#[must_use]
pub fn published_until(state: KeyState, since: Time) -> Option<Time> {
    match state {
        KeyState::Next | KeyState::Current => None,
        KeyState::Retired => Some(since.plus(PUBLISHED_AFTER)),
        KeyState::Withdrawn => Some(since),
    }
}

/// The key of this state, the newest of several.
#[must_use]
pub fn of_state(keys: &[KeyRow], state: KeyState) -> Option<&KeyRow> {
    keys.iter().rev().find(|key| key.state == state)
}

fn is_over(key: &KeyRow, now: Time) -> bool {
    published_until(key.state, key.changed_at).is_some_and(|end| now >= end)
}

fn ahead(settings: &Settings) -> Duration {
    days(settings.key_publish_days)
}

fn days(days: u32) -> Duration {
    Duration::from_secs(u64::from(days) * 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Id;

    const MADE: Time = Time::from_seconds(1_800_000_000);

    fn key(version: i64, state: KeyState, day: u32) -> KeyRow {
        let changed_at = MADE.plus(days(day));
        KeyRow {
            id: Id::from_bytes([u8::try_from(version).unwrap(); 16]),
            purpose: "sign".to_owned(),
            algorithm: "ES256".to_owned(),
            version,
            state,
            sealed: vec![1],
            public: None,
            created_at: changed_at,
            changed_at,
        }
    }

    fn on(keys: &[KeyRow], day: u32) -> Option<Step<'_>> {
        due(keys, &Settings::default(), MADE.plus(days(day)))
    }

    #[test]
    fn a_key_is_published_a_week_before_it_takes_over_after_90_days() {
        let mut keys = vec![key(1, KeyState::Current, 0)];
        assert_eq!(on(&keys, 82), None);
        assert_eq!(on(&keys, 83), Some(Step::Publish));
        keys.push(key(2, KeyState::Next, 83));
        assert_eq!(on(&keys, 89), None);
        assert_eq!(on(&keys, 90), Some(Step::TakeOver { current: &keys[0], next: &keys[1] }));
    }

    #[test]
    fn a_key_that_was_published_late_waits_its_week_however_old_the_other_is() {
        let keys = [key(1, KeyState::Current, 0), key(2, KeyState::Next, 200)];
        assert_eq!(on(&keys, 206), None);
        assert!(matches!(on(&keys, 207), Some(Step::TakeOver { .. })));
    }

    #[test]
    fn a_key_that_is_over_is_erased_once() {
        let retired = key(1, KeyState::Retired, 90);
        let mut keys = [retired, key(2, KeyState::Current, 90)];
        let over = u32::try_from(PUBLISHED_AFTER.as_secs().div_ceil(86_400)).unwrap();
        assert_eq!(on(&keys, 89 + over), None);
        assert_eq!(on(&keys, 90 + over), Some(Step::Erase(&keys[0])));
        keys[0].sealed.clear();
        assert_eq!(on(&keys, 90 + over), None);
    }

    #[test]
    fn without_days_keys_change_by_command_only() {
        let off = Settings { key_rotation_days: 0, ..Settings::default() };
        let keys = [key(1, KeyState::Current, 0), key(2, KeyState::Next, 1)];
        for day in [0, 90, 100_000] {
            assert_eq!(due(&keys, &off, MADE.plus(days(day))), None);
        }
        assert_eq!(rotates_at(&keys, &off), None);
    }

    #[test]
    fn there_is_nothing_to_do_where_nothing_signs() {
        assert_eq!(on(&[], 1_000), None);
        assert_eq!(on(&[key(1, KeyState::Next, 0)], 1_000), None);
    }
}
