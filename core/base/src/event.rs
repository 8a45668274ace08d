//! Events: what happened, to whom, by whom, from where. Written in the unit of the change itself,
//! an event is audit record, outbox entry and line of the customer's activity page in one.

use crate::{
    id::{self, Id},
    time::Time,
};
use serde::{Deserialize, Serialize};

/// Where a request came from. Sealed with the event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The network address in canonical text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The browser's `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

/// One event before it is stored.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its id; the first event's id is also the id of its unit.
    pub id: Id<id::Event>,
    /// What happened: a stable name such as `person.created` or `signin.refused`.
    pub kind: &'static str,
    /// Whom it concerns.
    pub person: Option<Id<id::Person>>,
    /// The application through which it happened.
    pub application: Option<Id<id::Application>>,
    /// The session in which it happened.
    pub session: Option<Id<id::Session>>,
    /// Who did it, where that is not the person: `system`, `operator`, …
    pub actor: Option<&'static str>,
    /// When.
    pub at: Time,
    /// From where.
    pub origin: Origin,
    /// What else belongs to it: old and new values, the method, the reason of a refusal.
    pub detail: serde_json::Value,
}

impl Event {
    /// An event of this kind, with nothing yet said about it.
    pub fn new(env: &crate::Env, kind: &'static str) -> Self {
        Self {
            id: env.id(),
            kind,
            person: None,
            application: None,
            session: None,
            actor: None,
            at: env.now(),
            origin: Origin::default(),
            detail: serde_json::Value::Null,
        }
    }

    /// Concerning this person.
    #[must_use]
    pub const fn person(mut self, person: Id<id::Person>) -> Self {
        self.person = Some(person);
        self
    }

    /// Through this application.
    #[must_use]
    pub fn application(mut self, application: impl Into<Option<Id<id::Application>>>) -> Self {
        self.application = application.into();
        self
    }

    /// In this session.
    #[must_use]
    pub fn session(mut self, session: impl Into<Option<Id<id::Session>>>) -> Self {
        self.session = session.into();
        self
    }

    /// Done by somebody other than the person.
    #[must_use]
    pub const fn actor(mut self, actor: &'static str) -> Self {
        self.actor = Some(actor);
        self
    }

    /// From here.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// With these details.
    #[must_use]
    pub fn detail(mut self, detail: serde_json::Value) -> Self {
        self.detail = detail;
        self
    }
}
