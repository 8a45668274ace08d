//! RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0), and how the other applications
//! learn of it: logout tokens, frames, the state of the session.
//!
//! Must not: redirect to an address that is not exactly a registered one of the application.

mod notice;
#[cfg(test)]
mod tests;

pub use notice::{BACKCHANNEL_EVENT, Ended, LogoutTokenClaims, frontchannel_url, session_state};

use crate::{Client, ClientId, PageError, Params, params::encode, uri};

/// A logout request (section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutRequest {
    /// An ID token given before, to be verified by the caller.
    pub id_token_hint: Option<String>,
    /// The application that asks.
    pub client_id: Option<ClientId>,
    /// Where it wants the browser to go afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// To be given back there.
    pub state: Option<String>,
    /// Who will probably sign out.
    pub logout_hint: Option<String>,
    /// Preferred languages of pages, best first.
    pub ui_locales: Vec<String>,
}

/// What the caller found the `id_token_hint` to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// None was given.
    Absent,
    /// It is not an ID token of ours: signature, algorithm or issuer are wrong.
    Invalid,
    /// It is ours, expired or not.
    Verified(HintFacts),
}

/// The claims of a verified `id_token_hint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HintFacts {
    /// Its audience.
    pub client_id: ClientId,
    /// Its subject.
    pub subject: String,
    /// Its session.
    pub session: Option<String>,
}

/// The session of the browser that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrowserSession<'a> {
    /// The person, as `sub` names it.
    pub subject: &'a str,
    /// The session, as `sid` names it.
    pub session: &'a str,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutPlan {
    /// Whether the person is asked first; otherwise the session ends at once.
    pub ask: bool,
    /// Where the browser goes once signed out, with its `state`; nowhere shows a page of ours.
    pub redirect: Option<String>,
}

impl LogoutRequest {
    /// Parses the parameters of a query or a form body (section 2).
    ///
    /// # Errors
    /// To be shown as a page.
    pub fn parse(params: &Params) -> Result<Self, PageError> {
        if let Some(repeated) = params.repeated() {
            return Err(repeated.into());
        }
        let owned = |name| params.first(name).map(str::to_owned);
        let client_id = params.first("client_id").map(str::parse).transpose();
        Ok(Self {
            id_token_hint: owned("id_token_hint"),
            client_id: client_id.map_err(|_| PageError::ClientUnknown)?,
            post_logout_redirect_uri: owned("post_logout_redirect_uri"),
            state: owned("state"),
            logout_hint: owned("logout_hint"),
            ui_locales: params
                .first("ui_locales")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
        })
    }

    /// The client to look up: the one named, which must be the hint's (section 2).
    ///
    /// # Errors
    /// To be shown as a page.
    pub fn client(&self, hint: &Hint) -> Result<Option<ClientId>, PageError> {
        match (&self.client_id, hint) {
            (Some(named), Hint::Verified(facts)) if *named != facts.client_id => {
                Err(PageError::ClientMismatch)
            }
            (None, Hint::Verified(facts)) => Ok(Some(facts.client_id.clone())),
            (named, _) => Ok(named.clone()),
        }
    }

    /// Decides (sections 2 and 3). `client` is the one that [`Self::client`] named, if it exists.
    ///
    /// A hint for the session of this very browser ends it without a question. No hint, or one
    /// about somebody else, asks. One that is not ours asks and leads nowhere afterwards.
    ///
    /// # Errors
    /// To be shown as a page: never a redirect to an address that is not the client's.
    pub fn plan(
        &self,
        hint: &Hint,
        client: Option<&Client>,
        session: Option<BrowserSession<'_>>,
    ) -> Result<LogoutPlan, PageError> {
        let expected = self.client(hint)?;
        if expected.as_ref() != client.map(|client| &client.client_id) {
            return Err(PageError::ClientUnknown);
        }
        let redirect = match (&self.post_logout_redirect_uri, client) {
            (Some(requested), Some(client)) => Some(self.location(requested, client)?),
            (Some(_), None) if *hint != Hint::Invalid => return Err(PageError::LogoutRedirectUnbound),
            _ => None,
        };
        Ok(LogoutPlan {
            ask: session.is_some_and(|session| !hint.is_about(session)),
            redirect: redirect.filter(|_| *hint != Hint::Invalid),
        })
    }

    fn location(&self, requested: &str, client: &Client) -> Result<String, PageError> {
        let uri = uri::matching(&client.post_logout_redirect_uris, requested, client.application_type)
            .ok_or(PageError::LogoutRedirectUnregistered)?;
        Ok(match &self.state {
            Some(state) => uri.with_query(&encode([("state", state.as_str())])),
            None => uri.to_string(),
        })
    }
}

impl Hint {
    /// Whether the hint is about this very session (section 2): every ID token of ours names it.
    fn is_about(&self, browser: BrowserSession<'_>) -> bool {
        match self {
            Self::Absent | Self::Invalid => false,
            Self::Verified(facts) => {
                facts.subject == browser.subject && facts.session.as_deref() == Some(browser.session)
            }
        }
    }
}
