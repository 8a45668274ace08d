//! How an authorization request is answered at the application.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ErrorCode, RedirectUri, error::Refusal, params::encode};

/// How the parameters of an answer travel (OAuth 2.0 Multiple Response Type Encoding Practices
/// section 2.1, OAuth 2.0 Form Post Response Mode section 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query.
    #[default]
    Query,
    /// In the fragment.
    Fragment,
    /// In a form that the browser posts.
    FormPost,
}

/// A registered address with what belongs to the answer. Only binding a request makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnAddress {
    pub(super) redirect_uri: RedirectUri,
    pub(super) state: Option<String>,
    pub(super) response_mode: ResponseMode,
}

/// An answer on its way through the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Redirect there, with status 303.
    Location(String),
    /// Show a page whose form posts these fields there (OAuth 2.0 Form Post Response Mode section 2).
    FormPost {
        /// The form's action.
        action: String,
        /// Names and values, to be escaped by the page.
        fields: Vec<(String, String)>,
    },
}

/// An error that the application is told (RFC 6749 section 4.1.2.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct RedirectError {
    pub(super) to: ReturnAddress,
    pub(super) refusal: Refusal,
}

impl ReturnAddress {
    /// The address itself, which the code is bound to (RFC 6749 section 4.1.3).
    #[must_use]
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// The request's `state`.
    #[must_use]
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// How the answer travels.
    #[must_use]
    pub fn response_mode(&self) -> ResponseMode {
        self.response_mode
    }

    /// An answer with these parameters, `state` and `iss` (RFC 9207 section 2).
    pub(super) fn answer(&self, issuer: &str, parameters: &[(&str, &str)]) -> Answer {
        let state = self.state.as_deref().map(|state| ("state", state));
        let all = parameters.iter().copied().chain(state).chain([("iss", issuer)]);
        match self.response_mode {
            ResponseMode::Query => Answer::Location(self.redirect_uri.with_query(&encode(all))),
            ResponseMode::Fragment => Answer::Location(self.redirect_uri.with_fragment(&encode(all))),
            ResponseMode::FormPost => Answer::FormPost {
                action: self.redirect_uri.to_string(),
                fields: all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            },
        }
    }
}

impl RedirectError {
    /// The error's code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.refusal.code
    }

    /// The sentence for the developer of the application.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.refusal.description
    }

    /// Where and how the answer goes.
    #[must_use]
    pub fn to(&self) -> &ReturnAddress {
        &self.to
    }

    /// The answer: `error`, `error_description`, `state` and `iss` (RFC 6749 section 4.1.2.1,
    /// RFC 9207 section 2).
    #[must_use]
    pub fn answer(&self, issuer: &str) -> Answer {
        let error = ("error", self.refusal.code.as_str());
        self.to.answer(issuer, &[error, ("error_description", &self.refusal.description)])
    }
}

impl ResponseMode {
    /// All modes, for discovery.
    pub const ALL: &'static [Self] = &[Self::Query, Self::Fragment, Self::FormPost];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
            Self::FormPost => "form_post",
        }
    }
}

impl FromStr for ResponseMode {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|mode| mode.as_str() == text).ok_or(())
    }
}
