//! `/logout` (OpenID Connect RP-Initiated Logout 1.0): the session in question ends, other
//! people's sessions in the same browser stay.
//!
//! Without an ID token of this very session the person is asked first. A redirect leads only to a
//! registered address of the application.

use crate::{
    answer::{Stop, own},
    authorize::subject,
    carry, events, keys,
    request::application,
};
use axum::{body::Bytes, extract::rejection::BytesRejection, response::Response};
use base::{Error, Event, Handle, Id, id};
use http::StatusCode;
use oauth::{
    Client,
    logout::{BrowserSession, Hint, LogoutPlan, LogoutRequest},
};
use serde::{Deserialize, Serialize};
use store::{
    Unit,
    rows::{identifier, session},
};
use web::{
    Living, Submission, Visit,
    pages::{LogoutQuestion, SignedOut},
    render::Post,
};

/// The label of a plan that waits for an answer.
const PLAN: &str = "logout.plan";

/// What happens if the person says yes.
#[derive(Serialize, Deserialize)]
struct Plan {
    session: Id<id::Session>,
    redirect: Option<String>,
}

/// `POST /logout`.
pub(crate) async fn post(visit: Visit, body: Result<Bytes, BytesRejection>) -> Response {
    carry::LOGOUT.post(&visit, body).await
}

/// `GET /logout`.
pub(crate) async fn get(visit: Visit) -> Response {
    answer(&visit).await.unwrap_or_else(|stop| stop.respond(&visit))
}

/// `POST /logout/confirm`: the answer to the question, from our own page.
pub(crate) async fn confirm(visit: Visit, submission: Submission) -> Response {
    confirmed(&visit, &submission).await.unwrap_or_else(|error| visit.error(&error))
}

async fn answer(visit: &Visit) -> Result<Response, Stop> {
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
    let in_question = in_question(visit, &hint).await?;
    let session =
        in_question.as_ref().map(|named| BrowserSession { subject: &named.subject, session: &named.sid });
    let LogoutPlan { ask, redirect } = request.plan(&hint, client, session)?;
    match in_question {
        None => Ok(leave(visit, redirect)),
        Some(named) if ask => question(visit, client, &named, redirect).await,
        Some(named) => Ok(end(visit, named.living.row.id, redirect).await?),
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
async fn in_question(visit: &Visit, hint: &Hint) -> Result<Option<Named>, Error> {
    let mut all = Vec::new();
    for living in visit.sessions().await? {
        let subject = subject(visit, living.row.person).await?;
        all.push(Named { sid: living.row.id.to_string(), subject, living });
    }
    let Hint::Verified(facts) = hint else { return Ok(all.into_iter().next()) };
    let same = |named: &Named| facts.session.as_ref() == Some(&named.sid);
    let theirs = |named: &Named| named.subject == facts.subject;
    let at = all.iter().position(same).or_else(|| all.iter().position(theirs)).unwrap_or(0);
    Ok(all.into_iter().nth(at))
}

async fn question(
    visit: &Visit,
    client: Option<&Client>,
    named: &Named,
    redirect: Option<String>,
) -> Result<Response, Stop> {
    let row = &named.living.row;
    let plan = carry::seal(visit, PLAN, Plan { session: row.id, redirect })?;
    let identifiers = identifier::of_person(visit.db(), visit.tenant.id, row.person).await?;
    let hidden = vec![("csrf".to_owned(), visit.csrf()?), ("plan".to_owned(), plan)];
    let page = LogoutQuestion {
        post: Post::new(visit.at("/logout/confirm"), hidden),
        application: client.map(|client| client.display_name().to_owned()),
        identifier: identifiers.first().map(|identifier| identifier.typed.clone()),
        stay: visit.at("/account"),
    };
    Ok(visit.page(StatusCode::OK, &page, &own(visit)))
}

async fn confirmed(visit: &Visit, submission: &Submission) -> Result<Response, Error> {
    visit.check_csrf(submission)?;
    let plan: Plan = carry::open(visit, PLAN, submission.get("plan"))?;
    end(visit, plan.session, plan.redirect).await
}

/// Ends this session, if it is one of this browser's, and lets its cookie forget it.
async fn end(visit: &Visit, id: Id<id::Session>, redirect: Option<String>) -> Result<Response, Error> {
    let (ending, rest): (Vec<Living>, Vec<Living>) =
        visit.sessions().await?.into_iter().partition(|living| living.row.id == id);
    if let Some(Living { row, .. }) = ending.first() {
        let event = Event::new(visit.env(), "session.ended")
            .person(row.person)
            .session(row.id)
            .detail(serde_json::json!({ "by": "logout" }));
        let mut unit = Unit::new(event.id, vec![events::row(visit, event).await?]);
        session::end(&mut unit, visit.tenant.id, (row.id, row.person), visit.now());
        // A conflict means that it has ended already.
        let _ended = visit.db().commit(unit).await?;
        let last = rest.iter().map(|living| living.row.expires_at).max().unwrap_or(visit.now());
        let rest: Vec<Handle> = rest.into_iter().map(|living| living.handle).collect();
        visit.remember_sessions(&rest, last);
    }
    Ok(leave(visit, redirect))
}

fn leave(visit: &Visit, redirect: Option<String>) -> Response {
    match redirect {
        Some(location) => visit.see_other(&location),
        None => {
            let page = SignedOut { back: Some(visit.at("/account")), application: None, deleted: false };
            visit.page(StatusCode::OK, &page, &own(visit))
        }
    }
}
