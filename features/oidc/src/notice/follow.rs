//! Follows the events of everything that ends sessions, wherever it happened, and turns the
//! listeners of what ended into notices.
//!
//! An event says only where to look; whether a session is over is read from the session. So an
//! event that is read twice does no harm, and one that came late still finds what it is about.

use super::tell;
use crate::rows::{
    follower,
    listener::{self, Listener},
};
use base::{Error, Id, id};
use store::{
    Unit,
    rows::{
        event::{self, FollowedEvent},
        session,
    },
};
use web::Site;

/// Events after which sessions of the person may be over.
const OF_PERSON: &[&str] = &[
    "person.signed-out-everywhere",
    "password.changed",
    "password.recovered",
    "person.suspended",
    "person.deleted",
];
/// The event after which one session is over.
const OF_SESSION: &str = "session.ended";
/// Events that may lie between what was read and what is written down as read.
const UNWRITTEN: i64 = 5_000;

/// Reads the events in the order of their numbers.
pub(super) struct Follower {
    site: Site,
    /// The last event that this node read.
    read: i64,
}

impl Follower {
    pub(super) fn new(site: Site) -> Self {
        Self { site, read: 0 }
    }

    /// Reads the next events. Says whether there may be more.
    pub(super) async fn turn(&mut self) -> Result<bool, Error> {
        let (db, env) = (self.site.db(), self.site.env());
        let position = follower::position(db).await?;
        let events = event::after(db, position.max(self.read)).await?;
        let Some(last) = events.last().map(|event| event.number) else { return Ok(false) };
        let mut unit = follower::advance(env.id(), position, last);
        let mut found = false;
        for event in &events {
            found |= self.note(event, &mut unit).await?;
        }
        if found || last - position >= UNWRITTEN {
            let won = db.commit(unit).await?.done();
            // Another node was faster: what it left is read from its position.
            self.read = if won { last } else { 0 };
        } else {
            self.read = last;
        }
        Ok(true)
    }

    /// Adds the notices of an event to the unit; says whether there are any.
    async fn note(&self, event: &FollowedEvent, unit: &mut Unit) -> Result<bool, Error> {
        let (db, now) = (self.site.db(), self.site.env().now());
        let listeners = match (event.kind.as_str(), event.session, event.person) {
            (OF_SESSION, Some(session), _) => listener::of_session(db, event.tenant, session).await?,
            (kind, _, Some(person)) if OF_PERSON.contains(&kind) => {
                listener::of_person(db, event.tenant, person).await?
            }
            _ => Vec::new(),
        };
        let mut found = false;
        for listener in listeners {
            if self.is_over(event.tenant, &listener).await? {
                tell(unit, event.tenant, &listener, now, None);
                found = true;
            }
        }
        Ok(found)
    }

    /// Whether the listener's session is over.
    async fn is_over(&self, tenant: Id<id::Tenant>, listener: &Listener) -> Result<bool, Error> {
        let (db, now) = (self.site.db(), self.site.env().now());
        let row = session::by_id(db, tenant, listener.session).await?;
        Ok(!row.is_some_and(|row| row.is_alive(now, u32::MAX)))
    }
}
