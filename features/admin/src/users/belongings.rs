//! What belongs to a person: sessions, consents and grants (with all tokens that hang on one). A
//! child is looked for under its person only.

use crate::{
    call::{Answer, Call},
    cursor::Page,
    endpoint::{Endpoint, PAGE, Verb},
    refusal::Refusal,
    scope::Permission::{SessionsWrite, UsersRead},
    shape::{Shape, shape},
    stamp::Stamp,
    users::Found,
};
use base::{Aad, Id, Origin, id};
use serde_json::json;
use store::rows::{consent, grant, listing, session};

shape! {
    /// Where a person is signed in.
    given Session {
        /// The id.
        id: Id<id::Session>,
        /// Since when.
        created_at: Stamp,
        /// When it was last used, to about a minute.
        seen_at: Stamp,
        /// When the person last proved themselves.
        authenticated_at: Stamp,
        /// When it ends in any case.
        expires_at: Stamp,
        /// The network address at its beginning.
        address: Option<String>,
        /// The browser at its beginning.
        agent: Option<String>,
    }
}

shape! {
    /// A person's sessions.
    page SessionPage of Session
}

shape! {
    /// What a person lets an application know.
    given Consent {
        /// The application.
        application: Id<id::Application>,
        /// The scopes.
        scopes: Vec<String>,
        /// Since when.
        given_at: Stamp,
    }
}

shape! {
    /// A person's consents.
    page ConsentPage of Consent
}

shape! {
    /// One authorization of one application. Its access and refresh tokens live no longer.
    given Grant {
        /// The id.
        id: Id<id::Grant>,
        /// The application.
        application: Id<id::Application>,
        /// The session that it is bound to; null where it outlives sessions.
        session: Option<Id<id::Session>>,
        /// The scopes.
        scopes: Vec<String>,
        /// Since when.
        created_at: Stamp,
        /// When its refresh token was last used.
        refreshed_at: Option<Stamp>,
        /// When it ends in any case.
        expires_at: Stamp,
    }
}

shape! {
    /// A person's grants.
    page GrantPage of Grant
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        (Verb::Get, "/users/{user}/sessions"),
        ("listSessions", "List a person's living sessions"),
        UsersRead,
        |call| Box::pin(sessions(call)),
    )
    .query(PAGE)
    .gives(SessionPage::schema),
    Endpoint::new(
        (Verb::Delete, "/users/{user}/sessions"),
        ("endSessions", "End all of a person's sessions; grants that outlive sessions stay"),
        SessionsWrite,
        |call| Box::pin(end_sessions(call)),
    ),
    Endpoint::new(
        (Verb::Delete, "/users/{user}/sessions/{session}"),
        ("endSession", "End a session and what is bound to it"),
        SessionsWrite,
        |call| Box::pin(end_session(call)),
    ),
    Endpoint::new(
        (Verb::Get, "/users/{user}/consents"),
        ("listConsents", "List a person's consents"),
        UsersRead,
        |call| Box::pin(consents(call)),
    )
    .query(PAGE)
    .gives(ConsentPage::schema),
    Endpoint::new(
        (Verb::Delete, "/users/{user}/consents/{application}"),
        ("revokeConsent", "Take a consent back and end the grants under it"),
        SessionsWrite,
        |call| Box::pin(revoke(call)),
    ),
    Endpoint::new(
        (Verb::Get, "/users/{user}/grants"),
        ("listGrants", "List a person's living grants"),
        UsersRead,
        |call| Box::pin(grants(call)),
    )
    .query(PAGE)
    .gives(GrantPage::schema),
    Endpoint::new(
        (Verb::Delete, "/users/{user}/grants/{grant}"),
        ("endGrant", "End a grant with all of its tokens"),
        SessionsWrite,
        |call| Box::pin(end_grant(call)),
    ),
];

/// Cuts a short list, read whole, to the page that is asked for: each object by its key, in order.
fn page<T>(
    call: &Call,
    mut items: Vec<T>,
    key: impl Fn(&T) -> Vec<u8>,
) -> Result<(Vec<T>, Option<String>), Refusal> {
    let page = Page::of(call)?;
    items.sort_by_key(&key);
    items.retain(|item| page.after.as_deref().is_none_or(|after| key(item).as_slice() > after));
    let next = page.cut(call, &mut items, key)?;
    Ok((items, next))
}

fn words(scopes: &str) -> Vec<String> {
    scopes.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

async fn sessions(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::of(call).await?;
    let idle = call.tenant.settings.session_idle;
    let mut rows = session::of_person(call.db(), call.tenant.id, found.row.id, call.now()).await?;
    rows.retain(|row| row.is_alive(call.now(), idle));
    let (rows, next) = page(call, rows, |row| row.id.as_bytes().to_vec())?;
    let show = |row: session::SessionRow| {
        let place = Aad::new(&call.tenant.id, "session.origin", &row.id);
        let opened = call.tenant.key.open(place, &row.origin).ok();
        let origin: Origin = opened.and_then(|plain| serde_json::from_slice(&plain).ok()).unwrap_or_default();
        Session {
            id: row.id,
            created_at: Stamp(row.created_at),
            seen_at: Stamp(row.seen_at),
            authenticated_at: Stamp(row.auth_time),
            expires_at: Stamp(row.expires_at),
            address: origin.address,
            agent: origin.agent,
        }
    };
    Answer::of(&SessionPage { items: rows.into_iter().map(show).collect(), next })
}

async fn end_session(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::of(call).await?;
    call.holds_person(found.row.id).await?;
    let id: Id<id::Session> = call.part("session")?;
    let row = session::by_id(call.db(), call.tenant.id, id).await?;
    let row = row.filter(|row| row.person == found.row.id && row.ended_at.is_none());
    row.ok_or_else(Refusal::not_found)?;
    let mut about = found.about();
    about.session = Some(id);
    let mut unit = call.unit("session.ended", about, json!({ "reason": "revoked" }));
    session::end(&mut unit, call.tenant.id, (id, found.row.id), call.now());
    call.finish(unit, Answer::empty()).await
}

async fn end_sessions(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::of(call).await?;
    call.holds_person(found.row.id).await?;
    let mut unit = call.unit("person.signed-out-everywhere", found.about(), json!({}));
    let (tenant, person, now) = (call.tenant.id, (found.row.id, found.row.epoch), call.now());
    store::rows::person::raise(&mut unit, tenant, person, store::rows::person::Raise::Sessions, now);
    listing::end_sessions(&mut unit, tenant, found.row.id, now);
    call.finish(unit, Answer::empty()).await
}

async fn consents(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::of(call).await?;
    let rows = consent::of_person(call.db(), call.tenant.id, found.row.id).await?;
    let (rows, next) = page(call, rows, |row| row.application.as_bytes().to_vec())?;
    let show = |row: consent::ConsentRow| Consent {
        application: row.application,
        scopes: words(&row.scopes),
        given_at: Stamp(row.given_at),
    };
    Answer::of(&ConsentPage { items: rows.into_iter().map(show).collect(), next })
}

async fn revoke(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::of(call).await?;
    call.holds_person(found.row.id).await?;
    let application: Id<id::Application> = call.part("application")?;
    let (tenant, person) = (call.tenant.id, found.row.id);
    consent::find(call.db(), tenant, person, application).await?.ok_or_else(Refusal::not_found)?;
    let mut about = found.about();
    about.application = Some(application);
    let mut unit = call.unit("consent.revoked", about, json!({}));
    consent::revoke(&mut unit, tenant, person, application);
    grant::end_of_application(&mut unit, tenant, person, application);
    call.finish(unit, Answer::empty()).await
}

async fn grants(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::of(call).await?;
    let mut rows = Vec::new();
    for id in listing::grants(call.db(), call.tenant.id, found.row.id, call.now()).await? {
        let row = grant::by_id(call.db(), call.tenant.id, id).await?;
        rows.extend(row.filter(|row| row.is_alive(call.now())));
    }
    let (rows, next) = page(call, rows, |row| row.id.as_bytes().to_vec())?;
    let show = |row: grant::GrantRow| Grant {
        id: row.id,
        application: row.application,
        session: row.session,
        scopes: words(&row.scopes),
        created_at: Stamp(row.created_at),
        refreshed_at: row.refreshed_at.map(Stamp),
        expires_at: Stamp(row.expires_at),
    };
    Answer::of(&GrantPage { items: rows.into_iter().map(show).collect(), next })
}

async fn end_grant(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::of(call).await?;
    call.holds_person(found.row.id).await?;
    let id: Id<id::Grant> = call.part("grant")?;
    let row = grant::by_id(call.db(), call.tenant.id, id).await?;
    let row = row.filter(|row| row.person == found.row.id && row.state == "active");
    let row = row.ok_or_else(Refusal::not_found)?;
    let mut about = found.about();
    about.application = Some(row.application);
    let mut unit = call.unit("grant.ended", about, json!({ "grant": id, "reason": "revoked" }));
    listing::end_grant(&mut unit, call.tenant.id, (id, found.row.id));
    call.finish(unit, Answer::empty()).await
}
