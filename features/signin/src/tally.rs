//! How sign-ins ended, by method: counted once the unit that says so is in force.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// By what somebody proved themselves, or tried to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A password.
    Password,
    /// A code or link in a mail.
    Code,
    /// Nothing yet: the journey ended before.
    None,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Signed in.
    Done,
    /// Refused: a wrong answer, or the journey said no.
    Refused,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Password, Self::Code, Self::None];

    /// Its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Code => "code",
            Self::None => "none",
        }
    }
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Done, Self::Refused];

    /// Its name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// The counts. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Tally(Arc<[[AtomicU64; 2]; 3]>);

impl Tally {
    /// How many ended so since the start.
    #[must_use]
    pub fn count(&self, method: Method, outcome: Outcome) -> u64 {
        self.of(method, outcome).load(Relaxed)
    }

    pub(crate) fn add(&self, (method, outcome): (Method, Outcome)) {
        self.of(method, outcome).fetch_add(1, Relaxed);
    }

    fn of(&self, method: Method, outcome: Outcome) -> &AtomicU64 {
        let [[password, password_refused], [code, code_refused], [none, none_refused]] = &*self.0;
        match (method, outcome) {
            (Method::Password, Outcome::Done) => password,
            (Method::Password, Outcome::Refused) => password_refused,
            (Method::Code, Outcome::Done) => code,
            (Method::Code, Outcome::Refused) => code_refused,
            (Method::None, Outcome::Done) => none,
            (Method::None, Outcome::Refused) => none_refused,
        }
    }
}
