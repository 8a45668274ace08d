//! The authorization request (RFC 6749 section 4.1, OpenID Connect Core section 3.1.2).
//!
//! Parameters become [`Raw`], then [`Bound`] to a client and one of its addresses, then
//! [`Checked`]. Errors before the binding are [`PageError`]s; only what is bound can be answered
//! at the application, so an open redirect cannot be written down (RFC 9700 section 4.11).
//!
//! Must not: authenticate anybody, read cookies, or look anything up.

mod answer;
mod checks;
mod demand;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, str::FromStr};

pub use answer::{Answer, RedirectError, ResponseMode, ReturnAddress};
pub use checks::{CHECKS, Check, Endpoint};
pub use demand::{Demand, Remembered, SessionFacts, Situation};
use serde::{Deserialize, Serialize};

use crate::{
    Client, ClientId, ErrorCode, PageError, Params, Scopes, claims::ClaimsRequest, discovery::Server,
    error::Refusal, pkce::CodeChallenge, uri,
};

/// A request as it came. Parameters it does not know are no error (RFC 6749 section 3.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    params: Params,
}

/// A request whose client and return address are known to belong together.
#[derive(Debug)]
pub struct Bound<'a> {
    params: Params,
    client: &'a Client,
    to: ReturnAddress,
}

/// A value of `prompt` (OpenID Connect Core section 3.1.2.1; `create` is of Initiating User
/// Registration via OpenID Connect 1.0 section 4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// No page may be shown.
    None,
    /// Authenticate again.
    Login,
    /// Ask for consent again.
    Consent,
    /// Let the person choose an account.
    SelectAccount,
    /// Begin with the registration.
    Create,
}

/// A request that passed the check table, with all that later steps need. It is serialisable, to
/// travel sealed with the flow; what is deserialised must come from such a seal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The application.
    pub client_id: ClientId,
    /// Where and how the answer goes.
    pub to: ReturnAddress,
    /// The scopes asked for, as far as the client may.
    pub scopes: Scopes,
    /// The resource servers that tokens shall be for (RFC 8707 section 2.1); none for those of the scopes.
    #[serde(default)]
    pub resources: Vec<String>,
    /// To be repeated in the ID token.
    pub nonce: Option<String>,
    /// The S256 challenge that the code is bound to.
    pub code_challenge: Option<CodeChallenge>,
    /// The prompts asked for; [`Prompt::None`] only alone.
    pub prompts: BTreeSet<Prompt>,
    /// The most seconds since the person authenticated.
    pub max_age: Option<i64>,
    /// Who will probably sign in.
    pub login_hint: Option<String>,
    /// An ID token given before, not verified yet.
    pub id_token_hint: Option<String>,
    /// Preferred languages of pages, best first.
    pub ui_locales: Vec<String>,
    /// Preferred languages of claims, best first.
    pub claims_locales: Vec<String>,
    /// Preferred authentication contexts, best first.
    pub acr_values: Vec<String>,
    /// Claims asked for one by one, as far as the client's scopes reach.
    pub claims: ClaimsRequest,
}

impl Raw {
    /// Takes the parameters of a query or of a form body.
    #[must_use]
    pub fn new(params: Params) -> Self {
        Self { params }
    }

    /// The client that the request names, to be looked up.
    ///
    /// # Errors
    /// When `client_id` is missing, repeated or could be nobody's.
    pub fn client_id(&self) -> Result<ClientId, PageError> {
        let text = self.params.only("client_id")?.ok_or(PageError::ClientMissing)?;
        text.parse().map_err(|_| PageError::ClientUnknown)
    }

    /// The parameters, to be carried from a POST to its GET.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Binds the request to its client and to one of the client's addresses, which it must name
    /// exactly (RFC 6749 section 3.1.2, OpenID Connect Core section 3.1.2.1).
    ///
    /// # Errors
    /// To be shown as a page.
    pub fn bind(self, client: &Client) -> Result<Bound<'_>, PageError> {
        if self.client_id()? != client.client_id {
            return Err(PageError::ClientUnknown);
        }
        let requested = self.params.only("redirect_uri")?.ok_or(PageError::RedirectMissing)?;
        let redirect_uri = uri::matching(&client.redirect_uris, requested, client.application_type)
            .ok_or(PageError::RedirectUnregistered)?;
        let to = ReturnAddress {
            redirect_uri,
            // Of a repeated one neither is echoed, and the check table refuses the request.
            state: self.params.only("state").ok().flatten().map(str::to_owned),
            response_mode: self
                .params
                .first("response_mode")
                .and_then(|mode| mode.parse().ok())
                .unwrap_or_default(),
        };
        Ok(Bound { params: self.params, client, to })
    }
}

impl Bound<'_> {
    /// Where and how the answer goes.
    #[must_use]
    pub fn to(&self) -> &ReturnAddress {
        &self.to
    }

    /// Runs the column [`Endpoint::Authorize`] of the check table.
    ///
    /// # Errors
    /// To be answered at the application.
    pub fn check(self, server: &Server) -> Result<Checked, RedirectError> {
        self.check_at(Endpoint::Authorize, server)
    }

    /// Runs one column of the check table.
    ///
    /// # Errors
    /// To be answered at the application.
    pub fn check_at(self, endpoint: Endpoint, server: &Server) -> Result<Checked, RedirectError> {
        let mut draft = Checked::draft(self.client.client_id.clone(), self.to.clone());
        let request = checks::Request { params: &self.params, client: self.client, server };
        match checks::run(endpoint, &request, &mut draft) {
            Ok(()) => Ok(draft),
            Err(refusal) => Err(RedirectError { to: self.to, refusal }),
        }
    }

    /// Refuses the request for a reason outside of it, such as `server_error`.
    #[must_use]
    pub fn refuse(self, code: ErrorCode, description: &str) -> RedirectError {
        RedirectError { to: self.to, refusal: Refusal::new(code, description) }
    }
}

impl Checked {
    fn draft(client_id: ClientId, to: ReturnAddress) -> Self {
        Self {
            client_id,
            to,
            scopes: Scopes::default(),
            resources: Vec::new(),
            nonce: None,
            code_challenge: None,
            prompts: BTreeSet::new(),
            max_age: None,
            login_hint: None,
            id_token_hint: None,
            ui_locales: Vec::new(),
            claims_locales: Vec::new(),
            acr_values: Vec::new(),
            claims: ClaimsRequest::default(),
        }
    }

    /// Whether a prompt was asked for.
    #[must_use]
    pub fn prompts(&self, prompt: Prompt) -> bool {
        self.prompts.contains(&prompt)
    }

    /// The names of claims that consent must show besides the scopes.
    #[must_use]
    pub fn claims_beyond_scopes(&self) -> BTreeSet<String> {
        self.claims.beyond(&self.scopes)
    }

    /// The answer with a code (RFC 6749 section 4.1.2, RFC 9207 section 2).
    #[must_use]
    pub fn success(&self, issuer: &str, code: &str) -> Answer {
        self.to.answer(issuer, &[("code", code)])
    }

    /// The answer with a code and the state of the session (OpenID Connect Session Management 1.0
    /// section 2, [`crate::logout::session_state`]).
    #[must_use]
    pub fn success_with_session(&self, issuer: &str, code: &str, session_state: &str) -> Answer {
        self.to.answer(issuer, &[("code", code), ("session_state", session_state)])
    }

    /// Refuses the request later on, such as with `access_denied`.
    #[must_use]
    pub fn refuse(&self, code: ErrorCode, description: &str) -> RedirectError {
        RedirectError { to: self.to.clone(), refusal: Refusal::new(code, description) }
    }
}

impl Prompt {
    /// All prompts, for discovery.
    pub const ALL: &'static [Self] =
        &[Self::None, Self::Login, Self::Consent, Self::SelectAccount, Self::Create];

    /// The registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::SelectAccount => "select_account",
            Self::Create => "create",
        }
    }
}

impl FromStr for Prompt {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|prompt| prompt.as_str() == text).ok_or(())
    }
}
