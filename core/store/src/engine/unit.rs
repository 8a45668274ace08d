//! A unit: statements that happen together or not at all, each with the rows that it must touch.

use super::{DbError, Value, value};
use base::{Id, Time, id};

/// The id of a unit, made before its first try, so that a repeat is recognised.
pub type UnitId = Id<id::Event>;

/// How many rows a statement must touch; otherwise the unit is rolled back as a conflict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Exactly this many.
    Rows(u64),
    /// Any number, also none.
    Any,
}

impl Expect {
    pub(crate) const fn met(self, rows: u64) -> bool {
        match self {
            Self::Rows(expected) => expected == rows,
            Self::Any => true,
        }
    }
}

/// How a unit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a conflict means that nothing was changed"]
pub enum Outcome {
    /// All of it is in force, also if an earlier try of the same unit had done it.
    Done,
    /// A guard did not hold or a unique key was taken; nothing was changed.
    Conflict {
        /// Position of the statement, counted from 0 in the order of writing.
        statement: usize,
    },
}

impl Outcome {
    /// Whether the unit is in force.
    #[must_use]
    pub const fn done(self) -> bool {
        matches!(self, Self::Done)
    }
}

/// An event as it is stored.
#[derive(Clone)]
pub struct EventRow {
    /// The tenant in which it happened.
    pub tenant: Id<id::Tenant>,
    /// Its id.
    pub id: Id<id::Event>,
    /// What happened, such as `person.created`.
    pub kind: String,
    /// Whom it concerns.
    pub person: Option<Id<id::Person>>,
    /// Who did it, where that is not the person.
    pub actor: Option<String>,
    /// Through which application.
    pub application: Option<Id<id::Application>>,
    /// In which session.
    pub session: Option<Id<id::Session>>,
    /// When.
    pub at: Time,
    /// Everything else, sealed.
    pub data: Vec<u8>,
}

impl EventRow {
    /// The parameters of [`INSERT_EVENT`](crate::dialect::INSERT_EVENT).
    pub(crate) fn args(&self) -> Vec<Value> {
        crate::args![
            self.tenant,
            self.id,
            self.kind.as_str(),
            self.person,
            self.actor.as_deref(),
            self.application,
            self.session,
            self.at,
            self.data.as_slice(),
        ]
    }
}

/// One statement of a unit.
#[derive(Clone)]
pub(crate) struct Write {
    pub(crate) sql: &'static str,
    pub(crate) args: Vec<Value>,
    pub(crate) expect: Expect,
}

/// Statements that happen together or not at all.
///
/// Guards must be monotone (a version, a count, a state that is never left twice), so that a late
/// original cannot run after a conflict was answered.
#[derive(Clone)]
pub struct Unit {
    id: UnitId,
    pub(crate) events: Vec<EventRow>,
    pub(crate) writes: Vec<Write>,
    probe: Option<(&'static str, Vec<Value>)>,
}

impl Unit {
    /// A unit that records events, at least one. The first event's id is the unit's id.
    pub fn new(id: UnitId, events: Vec<EventRow>) -> Self {
        Self { id, events, writes: Vec::new(), probe: None }
    }

    /// A unit without event. Its statements write `id` into a row that they guard, and the probe
    /// is a SELECT that finds a row exactly if this unit was done.
    pub fn marked(id: UnitId, probe_sql: &'static str, probe_args: Vec<Value>) -> Self {
        Self { id, events: Vec::new(), writes: Vec::new(), probe: Some((probe_sql, probe_args)) }
    }

    /// With this statement next.
    #[must_use]
    pub fn write(mut self, sql: &'static str, args: Vec<Value>, expect: Expect) -> Self {
        self.push(sql, args, expect);
        self
    }

    /// Adds this statement.
    pub fn push(&mut self, sql: &'static str, args: Vec<Value>, expect: Expect) {
        self.writes.push(Write { sql, args, expect });
    }

    /// Adds an event to those that it records.
    pub fn record(&mut self, event: EventRow) {
        self.events.push(event);
    }

    /// The id of the unit.
    pub const fn id(&self) -> UnitId {
        self.id
    }

    /// Refuses what cannot be repeated safely: a unit with neither event nor probe, an event under
    /// another id than the unit's, text with NUL.
    pub(crate) fn check(&self) -> Result<(), DbError> {
        match (self.events.first(), &self.probe) {
            (Some(event), _) if event.id != self.id => {
                return Err(DbError::Sql("the first event's id is not the unit's".to_owned()));
            }
            (None, None) => return Err(DbError::Sql("a unit has neither event nor probe".to_owned())),
            _ => {}
        }
        let nul = |text: &str| text.contains('\0');
        if self.events.iter().any(|e| nul(&e.kind) || e.actor.as_deref().is_some_and(nul)) {
            return Err(DbError::Sql("an event's text holds NUL".to_owned()));
        }
        self.writes.iter().try_for_each(|write| value::check(&write.args))
    }

    /// The statement that finds a row exactly if this unit was done.
    pub(crate) fn probe(&self) -> (&'static str, Vec<Value>) {
        match (self.events.first(), &self.probe) {
            (Some(event), _) => (crate::dialect::FIND_EVENT, crate::args![event.tenant, event.id]),
            (None, Some(probe)) => probe.clone(),
            (None, None) => ("SELECT 1 WHERE 1 = 0", Vec::new()),
        }
    }
}
