//! `/logout` (OpenID Connect RP-Initiated Logout 1.0): the session in question ends, other
//! people's sessions in the same browser stay.
//!
//! Without an ID token of this very session the person is asked first. A redirect leads only to a
//! registered address of the application.

mod end;

use crate::{
    Oidc,
    answer::{Stop, own},
    carry, keys,
    request::application,
    subject,
};
use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    response::Response,
};
use base::{Error, Id, id};
use end::{end, leave};
use http::StatusCode;
use oauth::{
    Client,
    logout::{BrowserSession, Hint, LogoutPlan, LogoutRequest},
};
use serde::{Deserialize, Serialize};
use store::rows::identifier;
use web::{Living, Submission, Visit, pages::LogoutQuestion, render::Post};

/// The label of a plan that waits for an answer.
const PLAN: &str = "logout.plan";

/// What happens if the person says yes.
#[derive(Serialize, Deserialize)]
struct Plan {
    session: Id<id::Session>,
    redirect: Option<String>,
    /// The name of the application that asks.
    application: Option<String>,
}

/// `POST /logout`.
pub(crate) async fn post(visit: Visit, body: Result<Bytes, BytesRejection>) -> Response {
    carry::LOGOUT.post(&visit, body).await
}

/// `GET /logout`.
pub(crate) async fn get(State(oidc): State<Oidc>, visit: Visit) -> Response {
    answer(&oidc, &visit).await.unwrap_or_else(|stop| stop.respond(&visit))
}

/// `POST /logout/confirm`: the answer to the question, from our own page.
pub(crate) async fn confirm(State(oidc): State<Oidc>, visit: Visit, submission: Submission) -> Response {
    confirmed(&oidc, &visit, &submission).await.unwrap_or_else(|error| visit.error(&error))
}

async fn answer(oidc: &Oidc, visit: &Visit) -> Result<Response, Stop> {
    let request = LogoutRequest::parse(&carry::LOGOUT.params(visit).await?)?;
    let hint = match &request.id_token_hint {
        None => Hint::Absent,
        Some(token) => keys::hint(&visit.tenant, token).map_or(Hint::Invalid, Hint::Verified),
    };
    let application = match request.client(&hint)? {
        Some(client_id) => application(visit, client_id.as_str()).await?,
        None => None,
    };
    let client = application.as_ref().map(|application| &application.client);
    let in_question = in_question(visit, client, &hint).await?;
    let session =
        in_question.as_ref().map(|named| BrowserSession { subject: &named.subject, session: &named.sid });
    let LogoutPlan { ask, redirect } = request.plan(&hint, client, session)?;
    let application = client.map(|client| client.display_name().to_owned());
    match in_question {
        None => Ok(leave(visit, redirect.as_deref(), application)),
        Some(named) => {
            let plan = Plan { session: named.living.row.id, redirect, application };
            if ask { question(visit, &named, plan).await } else { Ok(end(oidc, visit, &plan).await?) }
        }
    }
}

/// A session under the names by which an ID token knows it.
struct Named {
    living: Living,
    sid: String,
    subject: String,
}

/// Of several sessions the one that the hint names, else one of the person that it names, else the
/// last used.
async fn in_question(visit: &Visit, client: Option<&Client>, hint: &Hint) -> Result<Option<Named>, Error> {
    let mut all = Vec::new();
    for living in visit.sessions().await? {
        let person = living.row.person;
        let subject = match client {
            Some(client) => subject::for_client(visit, client, person).await?,
            None => crate::authorize::subject(visit, person).await?,
        };
        all.push(Named { sid: living.row.id.to_string(), subject, living });
    }
    let Hint::Verified(facts) = hint else { return Ok(all.into_iter().next()) };
    let same = |named: &Named| facts.session.as_ref() == Some(&named.sid);
    let theirs = |named: &Named| named.subject == facts.subject;
    let at = all.iter().position(same).or_else(|| all.iter().position(theirs)).unwrap_or(0);
    Ok(all.into_iter().nth(at))
}

async fn question(visit: &Visit, named: &Named, plan: Plan) -> Result<Response, Stop> {
    let application = plan.application.clone();
    let plan = carry::seal(visit, PLAN, plan)?;
    let person = named.living.row.person;
    let identifiers = identifier::of_person(visit.db(), visit.tenant.id, person).await?;
    let hidden = vec![("csrf".to_owned(), visit.csrf()?), ("plan".to_owned(), plan)];
    let page = LogoutQuestion {
        post: Post::new(visit.at("/logout/confirm"), hidden),
        application,
        identifier: identifiers.first().map(|identifier| identifier.typed.clone()),
        stay: visit.at("/account"),
    };
    Ok(visit.page(StatusCode::OK, &page, &own(visit)))
}

async fn confirmed(oidc: &Oidc, visit: &Visit, submission: &Submission) -> Result<Response, Error> {
    visit.check_csrf(submission)?;
    let plan: Plan = carry::open(visit, PLAN, submission.get("plan"))?;
    end(oidc, visit, &plan).await
}
