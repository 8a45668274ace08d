//! What is wrong with a configuration, as a person needs to hear it: what, why, and the fix.

use std::fmt;

/// Whether the server may start in spite of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// `serve` refuses to start.
    Error,
    /// Printed; the server starts.
    Warning,
}

/// One thing wrong with a configuration. Never holds the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Problem {
    /// Whether it stops the server.
    pub(crate) severity: Severity,
    /// The option concerned, such as `server.issuer`, or the file.
    pub(crate) option: String,
    /// What is wrong.
    pub(crate) what: String,
    /// Why that matters.
    pub(crate) why: String,
    /// What to type or change.
    pub(crate) fix: String,
}

impl Problem {
    /// A problem that stops the server.
    pub(crate) fn error(
        option: impl Into<String>,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self {
            severity: Severity::Error,
            option: option.into(),
            what: what.into(),
            why: why.into(),
            fix: fix.into(),
        }
    }

    /// A problem that is only mentioned.
    pub(crate) fn warning(
        option: impl Into<String>,
        what: impl Into<String>,
        why: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(option, what, why, fix) }
    }

    /// Whether it stops the server.
    pub(crate) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.is_error() { "error" } else { "warning" };
        write!(f, "{mark}: {}: {}\n  why: {}\n  fix: {}", self.option, self.what, self.why, self.fix)
    }
}
