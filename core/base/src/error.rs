//! One error for every edge: what may be said in public, and what only the log may know.

use std::{borrow::Cow, fmt, time::Duration};

/// What sort of failure it is; each edge (page, OAuth JSON, problem+json) maps it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is malformed or breaks a rule. 400.
    Invalid,
    /// Nobody is signed in, or the credential is not good. 401.
    Unauthenticated,
    /// Known, but not allowed. 403.
    Forbidden,
    /// Not there, or not for the caller's eyes. 404.
    NotFound,
    /// Somebody else changed it first. 409.
    Conflict,
    /// It was there and is over. 410.
    Gone,
    /// Too large to be read. 413.
    TooLarge,
    /// Too often. 429.
    TooMany,
    /// Not now: the store or a queue is out of reach or full. 503.
    Unavailable,
    /// Our fault. 500.
    Internal,
}

/// A failure with a public and a private half.
#[derive(Clone)]
pub struct Error {
    /// What sort of failure.
    pub kind: Kind,
    /// Stable code, also the id of the translated message.
    pub code: &'static str,
    /// A sentence that anybody may read.
    pub public: Cow<'static, str>,
    /// For the log only.
    pub private: Option<String>,
    /// When it makes sense to try again.
    pub retry_after: Option<Duration>,
}

impl Error {
    /// An error of this kind, code and public sentence.
    pub fn new(kind: Kind, code: &'static str, public: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, code, public: public.into(), private: None, retry_after: None }
    }

    /// Our fault; `private` goes to the log.
    pub fn internal(private: impl Into<String>) -> Self {
        Self::new(Kind::Internal, "error-internal", "Something went wrong on our side. Please try again.")
            .because(private)
    }

    /// The store or a queue cannot be used now.
    pub fn unavailable(private: impl Into<String>) -> Self {
        Self {
            retry_after: Some(Duration::from_secs(2)),
            ..Self::new(
                Kind::Unavailable,
                "error-unavailable",
                "The service cannot answer right now. Please try again in a moment.",
            )
            .because(private)
        }
    }

    /// Not there.
    pub fn not_found() -> Self {
        Self::new(Kind::NotFound, "error-not-found", "There is nothing at this address.")
    }

    /// With a reason for the log.
    #[must_use]
    pub fn because(mut self, private: impl Into<String>) -> Self {
        self.private = Some(private.into());
        self
    }

    /// With the time after which to try again.
    #[must_use]
    pub const fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Whether it only says that too many ask: the server is well, and counts them in `/metrics`.
    pub fn is_crowd(&self) -> bool {
        self.kind == Kind::TooMany || self.code == "error-busy"
    }

    /// The HTTP status of the kind.
    pub const fn status(&self) -> u16 {
        match self.kind {
            Kind::Invalid => 400,
            Kind::Unauthenticated => 401,
            Kind::Forbidden => 403,
            Kind::NotFound => 404,
            Kind::Conflict => 409,
            Kind::Gone => 410,
            Kind::TooLarge => 413,
            Kind::TooMany => 429,
            Kind::Unavailable => 503,
            Kind::Internal => 500,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.public)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.kind, self.code, self.public)?;
        self.private.as_ref().map_or(Ok(()), |private| write!(f, " ({private})"))
    }
}

impl std::error::Error for Error {}
