//! What a checked request demands of the session and the consent that are there.

use std::collections::BTreeSet;

use super::{Checked, Prompt, RedirectError};
use crate::{Client, ErrorCode, Scopes, client::ConsentMode};

/// What is known when a request is to be answered. The same question is asked before the first
/// page and after each; what was done for this very request is marked as such.
#[derive(Debug, Clone, Copy, Default)]
pub struct Situation<'a> {
    /// Now, in microseconds since the epoch.
    pub now: i64,
    /// The session that would answer.
    pub session: Option<SessionFacts<'a>>,
    /// The subject of a verified `id_token_hint`, expired or not.
    pub hinted_subject: Option<&'a str>,
    /// What the person has agreed to for this client.
    pub remembered: Option<Remembered<'a>>,
    /// Whether the person has agreed to this very request.
    pub consented_now: bool,
}

/// The facts of a living session.
#[derive(Debug, Clone, Copy)]
pub struct SessionFacts<'a> {
    /// The person, as `sub` names it.
    pub subject: &'a str,
    /// When the person last authenticated, in microseconds since the epoch.
    pub auth_time: i64,
    /// Whether that was done for this very request.
    pub authenticated_now: bool,
}

/// A consent given before.
#[derive(Debug, Clone, Copy)]
pub struct Remembered<'a> {
    /// The scopes agreed to.
    pub scopes: &'a Scopes,
    /// The claims agreed to one by one.
    pub claims: &'a BTreeSet<String>,
}

/// What must happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// Nothing: answer with a code.
    Proceed,
    /// The person signs in; with `force` although a session exists.
    Login {
        /// Whether the session that exists is not enough.
        force: bool,
    },
    /// The person begins with the registration.
    Create,
    /// The person chooses among accounts.
    SelectAccount,
    /// The person is asked for consent.
    Consent,
    /// No page may be shown: the application is told (OpenID Connect Core section 3.1.2.6).
    Refuse(RedirectError),
}

impl Checked {
    /// What this request demands (OpenID Connect Core sections 3.1.2.1, 3.1.2.3 and 3.1.2.4).
    #[must_use]
    pub fn session_demand(&self, client: &Client, situation: &Situation<'_>) -> Demand {
        let demand = self.login_demand(situation);
        let demand = match demand {
            Demand::Proceed if self.needs_consent(client, situation) => Demand::Consent,
            other => other,
        };
        if self.prompts(Prompt::None) { self.silently(demand) } else { demand }
    }

    fn login_demand(&self, situation: &Situation<'_>) -> Demand {
        match situation.session {
            Some(session) if session.authenticated_now => self.subject_demand(session, situation),
            _ if self.prompts(Prompt::Create) => Demand::Create,
            None => Demand::Login { force: false },
            Some(_) if self.prompts(Prompt::SelectAccount) => Demand::SelectAccount,
            Some(session) if self.prompts(Prompt::Login) || self.is_stale(session, situation.now) => {
                Demand::Login { force: true }
            }
            Some(session) => self.subject_demand(session, situation),
        }
    }

    /// Another person than the one asked for must not answer (OpenID Connect Core sections 3.1.2.2 and 3.1.2.3).
    fn subject_demand(&self, session: SessionFacts<'_>, situation: &Situation<'_>) -> Demand {
        let expected = [situation.hinted_subject, self.claims.subject()];
        let fits = expected.into_iter().flatten().all(|subject| subject == session.subject);
        if fits { Demand::Proceed } else { Demand::Login { force: true } }
    }

    /// Whether the authentication is older than `max_age`; 0 always means anew (OpenID Connect
    /// Core section 3.1.2.1). One that lies further ahead than clocks differ tells nothing.
    fn is_stale(&self, session: SessionFacts<'_>, now: i64) -> bool {
        const SECOND: i64 = 1_000_000;
        const SKEW: i64 = 60 * SECOND;
        let age = now.saturating_sub(session.auth_time);
        let is_older = |max_age: i64| max_age == 0 || age > max_age.saturating_mul(SECOND) || age < -SKEW;
        self.max_age.is_some_and(is_older)
    }

    /// What an application was granted before counts, where it does at all,
    /// unless any program on the machine could have sent the request (RFC 8252 section 8.6).
    fn needs_consent(&self, client: &Client, situation: &Situation<'_>) -> bool {
        if situation.consented_now {
            return false;
        }
        match client.consent_mode() {
            _ if self.prompts(Prompt::Consent) => return true,
            ConsentMode::Skip => return false,
            ConsentMode::Always => return true,
            ConsentMode::Remember => {}
        }
        let impersonable = client.is_public() && self.to.redirect_uri.is_shared_with_machine();
        let covered = situation.remembered.is_some_and(|remembered| {
            self.scopes.is_subset(remembered.scopes)
                && self.claims_beyond_scopes().is_subset(remembered.claims)
        });
        impersonable || !covered
    }

    fn silently(&self, demand: Demand) -> Demand {
        let (code, description) = match demand {
            Demand::Proceed | Demand::Refuse(_) => return demand,
            Demand::Consent => (ErrorCode::ConsentRequired, "the customer has to be asked for consent"),
            Demand::SelectAccount => {
                (ErrorCode::AccountSelectionRequired, "the customer has to choose an account")
            }
            Demand::Login { .. } | Demand::Create => {
                (ErrorCode::LoginRequired, "the customer has to sign in")
            }
        };
        Demand::Refuse(self.refuse(code, description))
    }
}
