//! How flows end: the session, the answer to the application, the redirect, all in the unit that
//! writes the last fact.

use crate::{
    Signin,
    accounts::{Account, person_id},
    draft::Draft,
    show::{self, Problems},
    tally::{Method, Outcome},
    turn::{self, Turn},
};
use axum::{extract::State, http::StatusCode, response::Response};
use base::{Aad, Error, Handle, HandleKind, Id, id};
use journey::{Authenticated, Authentication, Change, Fact, Purpose, Reason, Step};
use std::time::Duration;
use store::rows::{
    person,
    session::{self, NewSession},
};
use web::{
    Living, Visit, cookies,
    intent::{Ending, Finished, Intent},
    pages::SignedOut,
};

/// How long the handle before a rotation stays good.
const PREVIOUS_LIFE: Duration = Duration::from_secs(60);

/// Somebody is proven to be here and nothing is left to ask.
pub(crate) async fn done(
    turn: &Turn<'_>,
    authenticated: &Authenticated,
    mut draft: Draft,
) -> Result<Option<Response>, Error> {
    let (signin, visit) = (turn.signin, turn.visit);
    let ending = match &turn.flow.intent {
        Intent::Change { change, .. } => Ending::Location(visit.at(changed(*change))),
        Intent::Portal { path } => {
            sign_in(turn, authenticated, &mut draft).await?;
            let existed = path == "/account" && existed(&turn.flow.facts);
            Ending::Location(visit.at(if existed { "/account?done=existed" } else { path }))
        }
        Intent::Authorize { request } => {
            let finished = sign_in(turn, authenticated, &mut draft).await?;
            signin.destination.finish(visit, request, &finished, &mut draft.unit).await?
        }
    };
    turn::close(turn, &mut draft);
    if !draft.commit(signin, visit).await?.done() {
        return Ok(None);
    }
    Ok(Some(visit.leave(ending, turn.application().as_deref())))
}

/// Whether somebody set out to register an address that has an account: they learn why they are in.
fn existed(facts: &[Fact]) -> bool {
    let sent = |fact: &Fact| matches!(fact, Fact::Sent(sent) if sent.purpose == Purpose::Register);
    facts.iter().any(sent) && !facts.iter().any(|fact| matches!(fact, Fact::Proven { .. }))
}

const fn changed(change: Change) -> &'static str {
    match change {
        Change::Password => "/account?done=password",
        Change::Address => "/account?done=email",
        Change::Deletion => "/signin/deleted",
    }
}

/// Writes the session: a new one, or this browser's own of the same person with a new handle.
async fn sign_in(
    turn: &Turn<'_>,
    authenticated: &Authenticated,
    draft: &mut Draft,
) -> Result<Finished, Error> {
    let visit = turn.visit;
    let person = person_id(authenticated.person);
    let authentication = Authentication { proofs: authenticated.proofs.clone() };
    let living = visit.sessions().await?;
    let own = living
        .iter()
        .find(|living| living.row.person == person && living.row.epoch == authenticated.epochs.sessions);
    let proven = base::Time::from_micros(authenticated.at());
    let unchanged = own.is_some_and(|own| proven <= own.row.auth_time);
    let (session, handle, end) = match own {
        Some(own) if unchanged => (own.row.id, own.handle.clone(), own.row.expires_at),
        Some(own) => renew(visit, own, &authentication, draft),
        None => create(visit, (person, authenticated), &authentication, draft),
    };
    let others = living.iter().filter(|other| other.row.person != person).map(|other| other.handle.clone());
    let handles: Vec<Handle> = std::iter::once(handle).chain(others).collect();
    draft.cookie(cookies::set_sessions(&visit.tenant, &handles, visit.now(), end));
    person::know_device(&mut draft.unit, visit.tenant.id, person, &visit.device(), visit.now());
    let key = Account::of(visit, person).await?.and_then(|account| account.key);
    if !unchanged {
        draft.ends(method(authenticated), Outcome::Done);
    }
    let event = turn
        .event(if unchanged { "session.used" } else { "session.created" })
        .person(person)
        .session(session)
        .detail(serde_json::json!({ "amr": authentication.amr(), "renewed": own.is_some() }));
    draft.record(visit, event, key.as_ref());
    Ok(Finished { person, session, epochs: authenticated.epochs, authentication })
}

/// The method that the last proof was given by.
fn method(authenticated: &Authenticated) -> Method {
    let last = authenticated.proofs.iter().max_by_key(|proof| proof.at);
    match last.map(|proof| proof.method) {
        Some(journey::Method::Password) => Method::Password,
        Some(_) => Method::Code,
        None => Method::None,
    }
}

type Opened = (Id<id::Session>, Handle, base::Time);

fn renew(visit: &Visit, own: &Living, authentication: &Authentication, draft: &mut Draft) -> Opened {
    let handle = Handle::new(HandleKind::Session, own.row.id, visit.env().rng());
    let facts = authentication.write();
    let at = base::Time::from_micros(authentication.at().unwrap_or_default());
    let until = visit.now().plus(PREVIOUS_LIFE);
    session::prove_again(&mut draft.unit, visit.tenant.id, &own.row, (&handle.hash(), &facts, at), until);
    (own.row.id, handle, own.row.expires_at)
}

fn create(
    visit: &Visit,
    who: (Id<id::Person>, &Authenticated),
    authentication: &Authentication,
    draft: &mut Draft,
) -> Opened {
    let id: Id<id::Session> = visit.env().id();
    let handle = Handle::new(HandleKind::Session, id, visit.env().rng());
    let absolute = Duration::from_secs(visit.tenant.settings.session_absolute.into());
    let expires_at = visit.now().plus(absolute);
    let origin = serde_json::to_vec(&visit.origin()).unwrap_or_default();
    let place = Aad::new(&visit.tenant.id, "session.origin", &id);
    let new = NewSession {
        id,
        person: who.0,
        epoch: who.1.epochs.sessions,
        secret: handle.hash(),
        device: visit.device().to_vec(),
        facts: authentication.write(),
        auth_time: base::Time::from_micros(who.1.at()),
        origin: visit.tenant.key.seal(visit.env().rng(), place, &origin),
        expires_at,
    };
    session::insert(&mut draft.unit, visit.tenant.id, &new, visit.now());
    (id, handle, expires_at)
}

/// The journey ends without anybody: the application is told, or the person.
pub(crate) async fn deny(
    turn: &Turn<'_>,
    reason: Reason,
    mut draft: Draft,
) -> Result<Option<Response>, Error> {
    let (signin, visit) = (turn.signin, turn.visit);
    let event = turn.event("signin.refused").detail(serde_json::json!({ "reason": reason }));
    draft.ends(Method::None, Outcome::Refused);
    draft.record(visit, event, None);
    turn::close(turn, &mut draft);
    let ending = match &turn.flow.intent {
        Intent::Authorize { request } => Some(signin.destination.deny(visit, request, reason)?),
        _ => None,
    };
    if !draft.commit(signin, visit).await?.done() {
        return Ok(None);
    }
    match ending {
        Some(ending) => Ok(Some(visit.leave(ending, turn.application().as_deref()))),
        None => {
            show::step(turn, &Step::Deny(reason), &Problems::none(), StatusCode::FORBIDDEN).await.map(Some)
        }
    }
}

/// `GET /signin/deleted`: the account is gone.
pub(crate) async fn deleted(State(_signin): State<Signin>, visit: Visit) -> Response {
    let page = SignedOut { back: Some(visit.at("/signin")), application: None, deleted: true };
    visit.page(StatusCode::OK, &page, &visit.at("/signin/deleted"))
}
