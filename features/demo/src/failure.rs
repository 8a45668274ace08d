//! Why a sign-in did not come about, as a sentence that the page shows.

use http::StatusCode;

/// A sign-in that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// No answer on the back channel.
    #[error("{url} did not answer ({why}). See that the server runs, then sign in again.")]
    Unreachable { url: String, why: String },
    /// An answer, but none that the standard allows there.
    #[error(
        "{url} answered with status {status} and not with the JSON that it should. The server's log says more."
    )]
    Unreadable { url: String, status: u16 },
    /// RFC 8414 section 3.3.
    #[error(
        "The server says that it is {0}, not the issuer that was asked. Compare --issuer with the address that you open."
    )]
    OtherServer(String),
    /// An endpoint that the back channel does not reach.
    #[error(
        "The server names the endpoint {0}, which does not lie at its own address. Compare it with --issuer."
    )]
    Elsewhere(String),
    /// The state is unknown, used or another browser's.
    #[error(
        "This sign-in is already over, or it began in another browser or before a restart. Nothing was changed. Sign in again if you are not signed in."
    )]
    UnknownState,
    /// A callback that is no answer at all.
    #[error("The answer of the server cannot be read. Start again with the button below.")]
    Malformed,
    /// RFC 9207 section 2.4.
    #[error(
        "The answer comes from another server than the one that was asked, so it was not used. Start again with the button below."
    )]
    Issuer,
    /// The server said no (RFC 6749 sections 4.1.2.1 and 5.2).
    #[error("The server refused with {code}: {}. You can start again with the button below.", .why.trim_end_matches('.'))]
    Refused { code: String, why: String },
    /// The ID token does not hold (OpenID Connect Core section 3.1.3.7).
    #[error("The ID token was not accepted: {0}. Sign in again; if it stays so, the server's log says more.")]
    IdToken(String),
    /// OpenID Connect Core section 5.3.2.
    #[error(
        "Userinfo is about somebody else than the ID token, so neither was used. Start again with the button below."
    )]
    OtherSubject,
}

impl Failure {
    /// What a server refused with, in its own words.
    pub(crate) fn refused(code: &str, why: &str) -> Self {
        let why = match (why, code) {
            ("", "access_denied") => "you or the server said no",
            ("", _) => "it gave no reason",
            (why, _) => why,
        };
        Self::Refused { code: code.to_owned(), why: why.to_owned() }
    }

    /// The status of the page that shows it. A refusal is an answer like any other.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Refused { .. } => StatusCode::OK,
            Self::UnknownState | Self::Malformed | Self::Issuer => StatusCode::BAD_REQUEST,
            Self::Unreachable { .. }
            | Self::Unreadable { .. }
            | Self::OtherServer(_)
            | Self::Elsewhere(_)
            | Self::IdToken(_)
            | Self::OtherSubject => StatusCode::BAD_GATEWAY,
        }
    }
}
