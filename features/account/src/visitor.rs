//! The door of the portal: every page needs a living session, and every POST comes from our own
//! page in this browser. Without a session the sign-in's first page answers.

use crate::{Account, me::Me};
use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    response::{IntoResponse, Response},
};
use base::Error;
use http::request::Parts;
use web::{
    Submission, Visit,
    intent::{Begin, Boxed, Intent},
    locale::Locale,
    query,
};

/// How often a change is tried when another is faster.
const TRIES: u32 = 4;

/// A page asked for by somebody who is signed in.
pub(crate) struct Signed {
    pub(crate) visit: Visit,
    pub(crate) me: Me,
}

/// A form sent by somebody who is signed in, from our own page.
pub(crate) struct Posted {
    visit: Visit,
    me: Me,
    form: Submission,
}

/// What a form asks for; nothing where another change was faster and it has to be tried anew.
pub(crate) type Act = for<'a> fn(&'a Visit, &'a Me, &'a Submission) -> Done<'a>;

/// The answer to a form.
pub(crate) type Done<'a> = Boxed<'a, Result<Option<Response>, Error>>;

impl FromRequestParts<Account> for Signed {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, account: &Account) -> Result<Self, Response> {
        let mut visit =
            Visit::from_request_parts(parts, account).await.map_err(IntoResponse::into_response)?;
        match account.admit(&mut visit).await {
            Ok(me) => Ok(Self { visit, me }),
            Err(refusal) => Err(*refusal),
        }
    }
}

impl FromRequest<Account> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, account: &Account) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let mut visit =
            Visit::from_request_parts(&mut parts, account).await.map_err(IntoResponse::into_response)?;
        let request = Request::from_parts(parts, body);
        let form = Submission::from_request(request, account).await.map_err(IntoResponse::into_response)?;
        visit.adopt_device(&form);
        visit.check_csrf(&form).map_err(|error| visit.error(&error))?;
        match account.admit(&mut visit).await {
            Ok(me) => Ok(Self { visit, me, form }),
            Err(refusal) => Err(*refusal),
        }
    }
}

impl Account {
    /// Whoever is signed in, in their language; else the sign-in page.
    async fn admit(&self, visit: &mut Visit) -> Result<Me, Box<Response>> {
        let me = self.me(visit).await?;
        if !chooses_language(visit)
            && let Some(locale) = Locale::from_tag(me.text("locale"))
        {
            visit.locale = locale;
        }
        Ok(me)
    }

    async fn me(&self, visit: &Visit) -> Result<Me, Box<Response>> {
        match Me::load(visit).await {
            Ok(Some(me)) => Ok(me),
            Ok(None) => {
                let intent = Intent::Portal { path: visit.uri.path().to_owned() };
                let begin = Begin { intent, goal: None, facts: Vec::new() };
                Err(Box::new(self.journeys.begin(visit, begin).await))
            }
            Err(error) => Err(Box::new(visit.error(&error))),
        }
    }

    /// Does what a form asks for, anew with what is stored then while others are faster.
    pub(crate) async fn perform(&self, posted: Posted, act: Act) -> Response {
        let Posted { visit, mut me, form } = posted;
        for _ in 0..TRIES {
            match act(&visit, &me, &form).await {
                Ok(Some(response)) => return response,
                Ok(None) => {}
                Err(error) => return visit.error(&error),
            }
            me = match self.me(&visit).await {
                Ok(me) => me,
                Err(refusal) => return *refusal,
            };
        }
        visit.error(&Error::unavailable("others changed the account at every try"))
    }
}

/// Whether the address names a language that is spoken here.
fn chooses_language(visit: &Visit) -> bool {
    let tags = query(&visit.uri, "ui_locales").unwrap_or_default();
    tags.split_whitespace().any(|tag| Locale::from_tag(tag).is_some())
}

/// The answer, or the error as a page.
pub(crate) fn answer(visit: &Visit, result: Result<Response, Error>) -> Response {
    result.unwrap_or_else(|error| visit.error(&error))
}
