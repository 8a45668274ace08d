//! `/account/sessions`, `/account/sign-out`, `/account/signed-out`: where the person is signed in,
//! and ending it: one session, all others, or everything.

use crate::{
    Account, device,
    me::{Me, form_to},
    visitor::{Done, Posted, Signed, answer},
};
use axum::{extract::State, response::Response};
use base::{Aad, Error, Handle, HandleKind, Id, Origin, Time, id};
use http::StatusCode;
use serde_json::json;
use store::{
    Outcome, Unit,
    rows::{
        grant,
        person::{self, Raise},
        session::{self, SessionRow},
    },
};
use web::{
    Living, Submission, Visit,
    pages::{SessionEntry, Sessions, SignedOut, say},
    query,
    render::Notice,
};

const PATH: &str = "/account/sessions";

/// GET `/account/sessions`.
pub(crate) async fn page(Signed { visit, me }: Signed) -> Response {
    answer(&visit, show(&visit, &me).await)
}

/// POST `/account/sessions` with `session`: the id of one, `others` or `all`.
pub(crate) async fn end(State(account): State<Account>, posted: Posted) -> Response {
    account.perform(posted, act).await
}

/// POST `/account/sign-out`: ends this session; other people's in this browser go on.
pub(crate) async fn sign_out(mut visit: Visit, form: Submission) -> Response {
    visit.adopt_device(&form);
    let result = async {
        visit.check_csrf(&form)?;
        match Me::load(&visit).await? {
            Some(me) => end_this(&visit, &me).await,
            None => Ok(leave(&visit, &[])),
        }
    };
    answer(&visit, result.await)
}

/// GET `/account/signed-out`.
pub(crate) async fn signed_out(visit: Visit) -> Response {
    let page = SignedOut { back: Some(visit.at("/account")), application: None, deleted: false };
    visit.page(StatusCode::OK, &page, &visit.at("/account/signed-out"))
}

/// The person's living sessions, this one first, then by last use.
pub(crate) async fn living(visit: &Visit, me: &Me) -> Result<Vec<SessionRow>, Error> {
    let idle = visit.tenant.settings.session_idle;
    let mut rows = session::of_person(visit.db(), visit.tenant.id, me.id(), visit.now()).await?;
    rows.retain(|row| row.is_alive(visit.now(), idle));
    rows.sort_by_key(|row| row.id != me.session.row.id);
    Ok(rows)
}

async fn show(visit: &Visit, me: &Me) -> Result<Response, Error> {
    let sessions = living(visit, me).await?;
    let page = Sessions {
        post: form_to(visit, PATH)?,
        viewer: me.viewer(visit)?,
        notice: notice(visit),
        sessions: sessions.iter().map(|row| entry(visit, me, row)).collect(),
    };
    Ok(visit.page(StatusCode::OK, &page, &visit.at(PATH)))
}

fn entry(visit: &Visit, me: &Me, row: &SessionRow) -> SessionEntry {
    let place = Aad::new(&visit.tenant.id, "session.origin", &row.id);
    let opened = visit.tenant.key.open(place, &row.origin).ok();
    let origin: Origin = opened.and_then(|plain| serde_json::from_slice(&plain).ok()).unwrap_or_default();
    SessionEntry {
        id: row.id.to_string(),
        device: device::of(&origin).unwrap_or_else(say::unknown_device),
        network: origin.address,
        since: row.created_at.micros(),
        last_seen: row.seen_at.micros(),
        current: row.id == me.session.row.id,
    }
}

fn notice(visit: &Visit) -> Option<Notice> {
    let message = match query(&visit.uri, "done")?.as_str() {
        "one" => say::session_ended(),
        "others" => {
            let count = query(&visit.uri, "count")?.parse::<u32>().ok()?;
            say::sessions_ended(count.min(200))
        }
        _ => return None,
    };
    Some(Notice::done(message))
}

fn act<'a>(visit: &'a Visit, me: &'a Me, form: &'a Submission) -> Done<'a> {
    Box::pin(async move {
        match form.get("session") {
            "others" => end_others(visit, me).await,
            "all" => end_all(visit, me).await,
            id => {
                let id = id.parse().map_err(|_| Error::not_found())?;
                let this = id == me.session.row.id;
                let ended = if this { end_this(visit, me).await } else { end_one(visit, me, id).await };
                ended.map(Some)
            }
        }
    })
}

/// Ends this session. If it ended meanwhile, that is as good.
async fn end_this(visit: &Visit, me: &Me) -> Result<Response, Error> {
    let _ended_by_whom_ever = end_session(visit, me, (me.session.row.id, "sign-out")).await?;
    Ok(leave(visit, &me.rest))
}

/// Ends another session of this person, as the statement itself makes sure.
async fn end_one(visit: &Visit, me: &Me, id: Id<id::Session>) -> Result<Response, Error> {
    if !end_session(visit, me, (id, "revoked")).await?.done() {
        let row = session::by_id(visit.db(), visit.tenant.id, id).await?;
        let _ended_before = row.filter(|row| row.person == me.id()).ok_or_else(Error::not_found)?;
    }
    Ok(visit.see_other(&visit.at(&format!("{PATH}?done=one"))))
}

async fn end_session(visit: &Visit, me: &Me, which: (Id<id::Session>, &str)) -> Result<Outcome, Error> {
    let (id, reason) = which;
    let event = me.event(visit, "session.ended").session(id).detail(json!({ "reason": reason }));
    let mut unit = Unit::new(event.id, vec![visit.tenant.event(visit.env(), event, Some(&me.key))]);
    session::end(&mut unit, visit.tenant.id, (id, me.id()), visit.now());
    Ok(visit.db().commit(unit).await?)
}

/// Ends everything but this session and what is bound to it: both epochs rise, and this session is
/// carried over with a new handle.
async fn end_others(visit: &Visit, me: &Me) -> Result<Option<Response>, Error> {
    let (tenant, this) = (visit.tenant.id, &me.session.row);
    let count = living(visit, me).await?.iter().filter(|row| row.id != this.id).count();
    let handle = Handle::new(HandleKind::Session, this.id, visit.env().rng());
    let mut unit = raise(visit, me, json!({ "kept": this.id, "ended": count }));
    session::restamp(&mut unit, tenant, this, &handle.hash());
    grant::restamp(&mut unit, tenant, this.id, this.epoch);
    if !visit.db().commit(unit).await?.done() {
        return Ok(None);
    }
    let strangers = strangers(me);
    let handles: Vec<Handle> = std::iter::once(handle).chain(handles(strangers.clone())).collect();
    visit.remember_sessions(&handles, last_end(strangers).max(this.expires_at));
    Ok(Some(visit.see_other(&visit.at(&format!("{PATH}?done=others&count={count}")))))
}

/// Ends everything, this session too.
async fn end_all(visit: &Visit, me: &Me) -> Result<Option<Response>, Error> {
    let unit = raise(visit, me, json!({}));
    let done = visit.db().commit(unit).await?.done();
    Ok(done.then(|| leave(visit, strangers(me))))
}

/// A unit that raises both epochs of the person.
fn raise(visit: &Visit, me: &Me, detail: serde_json::Value) -> Unit {
    let event = me.event(visit, "person.signed-out-everywhere").detail(detail);
    let mut unit = Unit::new(event.id, vec![visit.tenant.event(visit.env(), event, Some(&me.key))]);
    let guard = (me.id(), me.session.row.epoch);
    person::raise(&mut unit, visit.tenant.id, guard, Raise::Everything, visit.now());
    unit
}

/// The sessions of other people in this browser.
fn strangers(me: &Me) -> impl Iterator<Item = &Living> + Clone {
    me.rest.iter().filter(|living| living.row.person != me.id())
}

fn handles<'a>(sessions: impl IntoIterator<Item = &'a Living>) -> Vec<Handle> {
    sessions.into_iter().map(|living| living.handle.clone()).collect()
}

fn last_end<'a>(sessions: impl IntoIterator<Item = &'a Living>) -> Time {
    let ends = sessions.into_iter().map(|living| living.row.expires_at);
    ends.max().unwrap_or(Time::from_micros(0))
}

/// Only these sessions stay in the browser; the page after signing out is next.
fn leave<'a>(visit: &Visit, stay: impl IntoIterator<Item = &'a Living> + Clone) -> Response {
    visit.remember_sessions(&handles(stay.clone()), last_end(stay));
    visit.see_other(&visit.at("/account/signed-out"))
}
