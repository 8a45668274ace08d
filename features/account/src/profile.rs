//! `/account/profile`: name, language, postal address and user name, as the person changes them.
//!
//! It reads the fields that it names and no others: nothing else about a person can be set here,
//! least of all that something is verified.

mod draft;

use crate::{
    Account,
    me::{Me, form_to},
    visitor::{Done, Posted, Signed, answer},
};
use axum::{extract::State, response::Response};
use base::{Error, Identifier, IdentifierKind, Kind};
use draft::Draft;
use http::StatusCode;
use serde_json::json;
use std::time::Duration;
use store::{
    Mac, Outcome, Unit, attributes,
    rows::{
        attempt::{self, Allowance, AttemptKey},
        identifier,
        person::{self, PersonRow},
    },
};
use web::{
    Submission, Visit,
    pages::{Profile, say},
    query,
    render::Notice,
};

const PATH: &str = "/account/profile";

/// GET `/account/profile`.
pub(crate) async fn page(Signed { visit, me }: Signed) -> Response {
    let saved = query(&visit.uri, "done").is_some_and(|done| done == "saved");
    let notice = saved.then(|| Notice::done(say::saved()));
    answer(&visit, show(&visit, &me, StatusCode::OK, Profile { notice, ..draft::stored(&me) }))
}

/// POST `/account/profile`: saves the fields that were sent. An empty one is emptied, one that was
/// not sent stays as it is.
pub(crate) async fn save(State(account): State<Account>, posted: Posted) -> Response {
    account.perform(posted, act).await
}

fn show(visit: &Visit, me: &Me, status: StatusCode, page: Profile) -> Result<Response, Error> {
    let page = Profile {
        post: form_to(visit, PATH)?,
        viewer: me.viewer(visit)?,
        email: me.email().map(str::to_owned),
        username: page.username.or_else(|| me.username().map(|row| row.typed.clone())),
        offer_username: visit.tenant.settings.usernames,
        ..page
    };
    Ok(visit.page(status, &page, &visit.at(PATH)))
}

fn act<'a>(visit: &'a Visit, me: &'a Me, form: &'a Submission) -> Done<'a> {
    Box::pin(async move {
        let draft = Draft::read(me, form, visit.tenant.settings.usernames);
        if draft.is_refused() {
            return show(visit, me, StatusCode::UNPROCESSABLE_ENTITY, draft.page).map(Some);
        }
        if draft.changes.is_empty() {
            return Ok(Some(saved(visit)));
        }
        match write(visit, me, &draft).await? {
            Written::Done => Ok(Some(saved(visit))),
            Written::Overtaken => Ok(None),
            Written::NameTaken => {
                let page = draft.refuse(say::username_taken()).page;
                show(visit, me, StatusCode::UNPROCESSABLE_ENTITY, page).map(Some)
            }
        }
    })
}

fn saved(visit: &Visit) -> Response {
    visit.see_other(&visit.at(&format!("{PATH}?done=saved")))
}

enum Written {
    Done,
    /// The person or their attempts were changed by another unit.
    Overtaken,
    /// Somebody has this user name.
    NameTaken,
}

/// Writes person, user name and the texts by which they are found, with their event. A user name
/// costs an attempt, whether it is free or not.
async fn write(visit: &Visit, me: &Me, draft: &Draft) -> Result<Written, Error> {
    let (tenant, env, now) = (&visit.tenant, visit.env(), visit.now());
    let event = me.event(visit, "person.updated").detail(json!({ "changed": draft.changes }));
    let mut unit = Unit::new(event.id, vec![tenant.event(env, event, Some(&me.key))]);
    let place = (tenant.id, me.id());
    let (plain, sealed) = attributes::columns(env, &me.key, place, draft.attributes.clone());
    let person = PersonRow {
        locale: draft.locale.clone(),
        attributes: plain,
        sealed_attributes: sealed,
        ..me.person.clone()
    };
    person::update(&mut unit, tenant.id, &person, now);
    let mut insert = None;
    if let Some(name) = &draft.username {
        let key = attempts(visit, me).await?;
        if let Some(old) = me.username() {
            identifier::remove(&mut unit, tenant.id, me.id(), (IdentifierKind::Username, &old.normal));
        }
        insert = Some(1 + usize::from(me.username().is_some()));
        let name = Identifier::Username(name.clone());
        identifier::insert(&mut unit, tenant.id, me.id(), (&name, None), now);
        attempt::take(&mut unit, tenant.id, &key, Allowance::LOOKUP, now);
    }
    person::index(&mut unit, tenant.id, me.id(), &draft.search_texts(me));
    match visit.db().commit(unit).await? {
        Outcome::Done => Ok(Written::Done),
        Outcome::Conflict { statement } if Some(statement) == insert => taken(visit, me).await,
        Outcome::Conflict { .. } => Ok(Written::Overtaken),
    }
}

/// The attempts of this person at user names, while there is one.
async fn attempts(visit: &Visit, me: &Me) -> Result<AttemptKey, Error> {
    let (_, key) = visit.tenant.mac(Mac::Attempt)?;
    let key = AttemptKey { subject: key.sign(&[b"username", me.id().as_bytes()]), device: Vec::new() };
    let seen = attempt::read(visit.db(), visit.tenant.id, &key).await?;
    match seen.wait(Allowance::LOOKUP, visit.now()) {
        None => Ok(key),
        Some(wait) => Err(too_many(wait)),
    }
}

/// The attempt at a taken name counts before its answer leaves.
async fn taken(visit: &Visit, me: &Me) -> Result<Written, Error> {
    let key = attempts(visit, me).await?;
    let event = me.event(visit, "username.refused");
    let mut unit = Unit::new(event.id, vec![visit.tenant.event(visit.env(), event, Some(&me.key))]);
    attempt::take(&mut unit, visit.tenant.id, &key, Allowance::LOOKUP, visit.now());
    match visit.db().commit(unit).await? {
        Outcome::Done => Ok(Written::NameTaken),
        Outcome::Conflict { .. } => Ok(Written::Overtaken),
    }
}

fn too_many(wait: Duration) -> Error {
    Error::new(Kind::TooMany, "error-many", "Too many user names were tried. Wait a moment and try again.")
        .retry_after(wait)
}
