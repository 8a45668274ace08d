//! What an application remembers of its visitors, in memory: bounded, expiring, lost with a
//! restart, which the application must bear.

use crate::protocol::{Pending, SignedIn};
use base::Time;
use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How long a session lasts after its last sign-in was begun or finished.
pub(crate) const LIFE: Duration = Duration::from_secs(8 * 3_600);
const PENDING_LIFE: Duration = Duration::from_secs(3_600);
const MOST_PENDING: usize = 8;
const MOST: usize = 1_000;

/// The sessions of one application, by their ids.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, Session>>);

struct Session {
    pending: VecDeque<Pending>,
    signed_in: Option<SignedIn>,
    touched: Time,
}

impl Sessions {
    /// Whether a session of this id lives.
    pub(crate) fn lives(&self, id: &str, now: Time) -> bool {
        self.living(now).contains_key(id)
    }

    /// Who is signed in to this session.
    pub(crate) fn signed_in(&self, id: &str, now: Time) -> Option<SignedIn> {
        self.living(now).get(id)?.signed_in.clone()
    }

    /// Remembers a sign-in that was begun, in the session of this id; it is made if need be.
    pub(crate) fn begin(&self, id: &str, pending: Pending, now: Time) {
        let mut sessions = self.living(now);
        if !sessions.contains_key(id) {
            make_room(&mut sessions);
        }
        let session = sessions.entry(id.to_owned()).or_insert_with(|| Session {
            pending: VecDeque::new(),
            signed_in: None,
            touched: now,
        });
        session.touched = now;
        session.pending.push_back(pending);
        if session.pending.len() > MOST_PENDING {
            session.pending.pop_front();
        }
    }

    /// Takes the sign-in with this state out of the session: it works once.
    pub(crate) fn take(&self, id: &str, state: &str, now: Time) -> Option<Pending> {
        let mut sessions = self.living(now);
        let pending = &mut sessions.get_mut(id)?.pending;
        let at = pending.iter().position(|pending| pending.state == state)?;
        pending.remove(at).filter(|pending| now.since(pending.began) < PENDING_LIFE)
    }

    /// Signs somebody in. The session moves to a fresh id, so that nobody who knew the old one is
    /// signed in with it; sign-ins of other tabs move along.
    pub(crate) fn sign_in(&self, old: &str, fresh: &str, signed_in: SignedIn, now: Time) {
        let mut sessions = self.living(now);
        let pending = sessions.remove(old).map(|session| session.pending).unwrap_or_default();
        make_room(&mut sessions);
        sessions.insert(fresh.to_owned(), Session { pending, signed_in: Some(signed_in), touched: now });
    }

    /// Ends the session.
    pub(crate) fn end(&self, id: &str, now: Time) -> Option<SignedIn> {
        self.living(now).remove(id)?.signed_in
    }

    fn living(&self, now: Time) -> MutexGuard<'_, HashMap<String, Session>> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| now.since(session.touched) < LIFE);
        sessions
    }
}

/// Drops the oldest session when there are too many.
fn make_room(sessions: &mut HashMap<String, Session>) {
    if sessions.len() < MOST {
        return;
    }
    let oldest = sessions.iter().min_by_key(|(_, session)| session.touched).map(|(id, _)| id.clone());
    if let Some(oldest) = oldest {
        sessions.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Time {
        Time::from_seconds(seconds)
    }

    #[test]
    fn a_state_works_once_in_its_own_session_and_not_for_ever() {
        let sessions = Sessions::default();
        sessions.begin("a", Pending::sample("one", at(0)), at(0));
        sessions.begin("a", Pending::sample("two", at(0)), at(0));
        sessions.begin("b", Pending::sample("three", at(0)), at(0));
        assert!(sessions.take("b", "one", at(1)).is_none());
        assert!(sessions.take("a", "one", at(1)).is_some());
        assert!(sessions.take("a", "one", at(1)).is_none());
        assert!(sessions.take("a", "two", at(3_600)).is_none());
    }

    #[test]
    fn sessions_and_what_they_hold_are_bounded_and_expire() {
        let sessions = Sessions::default();
        for number in 0..=MOST_PENDING {
            sessions.begin("a", Pending::sample(&number.to_string(), at(0)), at(0));
        }
        assert!(sessions.take("a", "0", at(0)).is_none());
        assert!(sessions.take("a", "1", at(0)).is_some());
        for number in 0..MOST {
            sessions.begin(&format!("s{number}"), Pending::sample("x", at(1)), at(1));
        }
        assert!(!sessions.lives("a", at(1)));
        assert!(sessions.lives("s0", at(1)));
        assert!(!sessions.lives("s0", at(1).plus(LIFE)));
    }
}
