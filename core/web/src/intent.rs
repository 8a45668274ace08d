//! Where capabilities meet in a journey: what a flow is for ([`Intent`]), who can begin one
//! ([`Journeys`], the sign-in), and who knows what an application's request asks for and ends in
//! ([`Destination`], OpenID Connect; later SAML). `bin` brings them together.

use crate::{
    assets::FORM_POST_SCRIPT_CSP,
    pages::FormPost,
    render::Post,
    visit::{POLICY, Visit},
};
use axum::response::Response;
use base::{Error, Id, id};
use http::{HeaderValue, StatusCode, header};
use journey::{Authentication, Change, Epochs, Fact, Goal, PersonRef, Reason, Rules};
use serde::{Deserialize, Serialize};
use std::{future::Future, pin::Pin};
use store::Unit;

/// A future that a trait object gives.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a flow is for. Sealed in the flow's row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "kebab-case")]
pub enum Intent {
    /// A page of the account portal, by its path below the tenant.
    Portal {
        /// Where to go afterwards.
        path: String,
    },
    /// An application's request.
    Authorize {
        /// The request as its [`Destination`] wrote it.
        request: serde_json::Value,
    },
    /// A change of the account of the person who is signed in.
    Change {
        /// Which one.
        change: Change,
        /// Of whom.
        person: PersonRef,
    },
}

/// How a flow begins.
pub struct Begin {
    /// What it is for.
    pub intent: Intent,
    /// What the person set out for, unless the intent says it.
    pub goal: Option<Goal>,
    /// What is known already, such as the session of this browser or a login hint.
    pub facts: Vec<Fact>,
}

/// The sign-in, as others begin it.
pub trait Journeys: Send + Sync {
    /// The first page of a new flow. Writes nothing.
    fn begin<'a>(&'a self, visit: &'a Visit, begin: Begin) -> Boxed<'a, Response>;
}

/// Somebody who finished a flow, as the final unit is about to write it.
pub struct Finished {
    /// Who.
    pub person: Id<id::Person>,
    /// The session that the same unit writes.
    pub session: Id<id::Session>,
    /// The epochs of the proofs.
    pub epochs: Epochs,
    /// The proofs.
    pub authentication: Authentication,
}

/// How a flow ends in the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Go there.
    Location(String),
    /// Post these fields there (OAuth 2.0 Form Post Response Mode).
    FormPost {
        /// The application's redirect URI.
        action: String,
        /// Names and values.
        fields: Vec<(String, String)>,
    },
}

impl Visit {
    /// The answer that takes the browser to where its flow ends; `application` is who waits there.
    ///
    /// The page that posts may run its one script, and tells the application which origin the form
    /// comes from, since it would see `null` otherwise.
    pub fn leave(&self, ending: Ending, application: Option<&str>) -> Response {
        let (action, fields) = match ending {
            Ending::Location(location) => return self.see_other(&location),
            Ending::FormPost { action, fields } => (action, fields),
        };
        let page = FormPost { post: Post::new(action, fields), application: application.map(str::to_owned) };
        let mut response = self.page(StatusCode::OK, &page, &self.at("/account"));
        let policy = POLICY.replace("script-src 'self'", &format!("script-src {FORM_POST_SCRIPT_CSP}"));
        let headers = response.headers_mut();
        if let Ok(policy) = HeaderValue::from_str(&policy) {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        }
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("origin"));
        response
    }
}

/// What the consent page tells about a request.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The application.
    pub application: Id<id::Application>,
    /// Its name for people.
    pub name: String,
    /// The host that answers go to.
    pub domain: String,
    /// The scopes that it asks for.
    pub scopes: Vec<String>,
    /// What the tenant says of its own scopes, by their names.
    pub descriptions: std::collections::BTreeMap<String, String>,
    /// Where its logo is, at whatever host.
    pub logo: Option<String>,
    /// Its privacy policy.
    pub privacy: Option<String>,
    /// Its terms of service.
    pub terms: Option<String>,
}

/// The other side of [`Intent::Authorize`].
pub trait Destination: Send + Sync {
    /// What the request asks of the journey; `person` is who is proven so far, `begun_at` (in
    /// microseconds) when the flow began.
    fn rules<'a>(
        &'a self,
        visit: &'a Visit,
        request: &'a serde_json::Value,
        person: Option<Id<id::Person>>,
        begun_at: i64,
    ) -> Boxed<'a, Result<Rules, Error>>;

    /// Who asks, for the pages.
    fn asking<'a>(
        &'a self,
        visit: &'a Visit,
        request: &'a serde_json::Value,
    ) -> Boxed<'a, Result<Asking, Error>>;

    /// Adds to the final unit what the request is for, and says where the browser goes.
    fn finish<'a>(
        &'a self,
        visit: &'a Visit,
        request: &'a serde_json::Value,
        finished: &'a Finished,
        unit: &'a mut Unit,
    ) -> Boxed<'a, Result<Ending, Error>>;

    /// Tells the application that nobody came.
    fn deny(&self, visit: &Visit, request: &serde_json::Value, reason: Reason) -> Result<Ending, Error>;

    /// The address that runs the request anew.
    fn again(&self, visit: &Visit, request: &serde_json::Value) -> String;
}
