//! The end of a session at the wish of an application: everybody who shares it is told, then the
//! browser goes on.

use super::Plan;
use crate::{Oidc, answer::own, events, notice::Audience};
use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use base::{Error, Event, Handle, Id, id};
use http::{HeaderValue, StatusCode, header};
use oauth::{Origin, logout::frontchannel_url, uri::WebUri};
use std::{collections::BTreeSet, fmt::Write as _};
use store::{Unit, rows::session};
use web::{Living, Visit, pages::SignedOut};

/// How long the frames have, in seconds, until the browser goes on.
const FRAMES_HAVE: u32 = 2;
/// More than any page of ours.
const LARGEST_PAGE: usize = 1024 * 1024;

/// A frame in which an application ends its own session.
struct Frame {
    url: String,
    origin: Origin,
}

/// Ends this session, if it is one of this browser's, and lets its cookie forget it.
pub(super) async fn end(oidc: &Oidc, visit: &Visit, plan: &Plan) -> Result<Response, Error> {
    let (ending, rest): (Vec<Living>, Vec<Living>) =
        visit.sessions().await?.into_iter().partition(|living| living.row.id == plan.session);
    let Some(Living { row, .. }) = ending.first() else {
        return Ok(leave(visit, plan.redirect.as_deref(), plan.application.clone()));
    };
    let audience = Audience::of(&visit.site, visit.tenant.id, row.id).await?;
    let frames = frames(visit, &audience, row.id).await?;
    let event = Event::new(visit.env(), "session.ended")
        .person(row.person)
        .session(row.id)
        .detail(serde_json::json!({ "by": "logout" }));
    let mut unit = Unit::new(event.id, vec![events::row(visit, event).await?]);
    session::end(&mut unit, visit.tenant.id, (row.id, row.person), visit.now());
    let notices = audience.write(&mut unit, visit.tenant.id, visit.now());
    // A conflict means that it has ended already, and whoever ended it tells the applications.
    if visit.db().commit(unit).await?.done() {
        oidc.delivery().at_once(notices).await;
    }
    let last = rest.iter().map(|living| living.row.expires_at).max().unwrap_or(visit.now());
    let rest: Vec<Handle> = rest.into_iter().map(|living| living.handle).collect();
    visit.remember_sessions(&rest, last);
    let (redirect, application) = (plan.redirect.as_deref(), plan.application.clone());
    match frames.is_empty() || visit.json {
        true => Ok(leave(visit, redirect, application)),
        false => with_frames(signed_out(visit, redirect, application), redirect, &frames).await,
    }
}

/// The frames of the session's applications (OpenID Connect Front-Channel Logout 1.0 section 2).
async fn frames(visit: &Visit, audience: &Audience, session: Id<id::Session>) -> Result<Vec<Frame>, Error> {
    let (directory, session) = (visit.site.directory(), session.to_string());
    let mut frames = Vec::new();
    for id in audience.applications() {
        let application = directory.application_by_id(&visit.tenant, id).await?;
        let Some(application) = application.filter(|application| application.active) else { continue };
        let client = &application.client;
        let origin = client.frontchannel_logout_uri.as_ref().map(WebUri::origin);
        let url = frontchannel_url(client, &visit.tenant.issuer, &session);
        frames.extend(url.zip(origin).map(|(url, origin)| Frame { url, origin }));
    }
    Ok(frames)
}

/// Where the browser goes once signed out: back to the application, or to a page that says so.
pub(super) fn leave(visit: &Visit, redirect: Option<&str>, application: Option<String>) -> Response {
    redirect.map_or_else(|| signed_out(visit, redirect, application), |location| visit.see_other(location))
}

fn signed_out(visit: &Visit, redirect: Option<&str>, application: Option<String>) -> Response {
    let page = SignedOut {
        back: Some(redirect.map_or_else(|| visit.at("/account"), str::to_owned)),
        application: application.filter(|_| redirect.is_some()),
        deleted: false,
    };
    visit.page(StatusCode::OK, &page, &own(visit))
}

/// The page with the frames at its end, which it may load from exactly their origins. It goes on by
/// itself after a moment, or by its link, and needs no script for it.
async fn with_frames(response: Response, next: Option<&str>, frames: &[Frame]) -> Result<Response, Error> {
    let (mut parts, body) = response.into_parts();
    let broken = |error: String| Error::internal(format!("a page with frames: {error}"));
    let bytes = to_bytes(body, LARGEST_PAGE).await.map_err(|error| broken(error.to_string()))?;
    let html = String::from_utf8(bytes.to_vec()).map_err(|error| broken(error.to_string()))?;
    let mut elements = String::new();
    for frame in frames {
        let url = escaped(&frame.url);
        // Writing into a String cannot fail.
        let _ = writeln!(elements, "<iframe src=\"{url}\" title=\"\" hidden></iframe>");
    }
    let next = next.map(|next| {
        format!("<meta http-equiv=\"refresh\" content=\"{FRAMES_HAVE};url={}\">\n", escaped(next))
    });
    let html = before(before(html, "</head>", &next.unwrap_or_default()), "</body>", &elements);
    let origins: BTreeSet<&str> = frames.iter().map(|frame| frame.origin.as_str()).collect();
    let sources = origins.into_iter().collect::<Vec<_>>().join(" ");
    let policy = parts.headers.get(header::CONTENT_SECURITY_POLICY).and_then(|value| value.to_str().ok());
    let policy = format!("{}; frame-src {sources}", policy.unwrap_or("default-src 'none'"));
    let policy = HeaderValue::from_str(&policy).map_err(|error| broken(error.to_string()))?;
    parts.headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(html)))
}

/// The document with this before its last `tag`, or at its end if a tenant's template has no such tag.
fn before(mut html: String, tag: &str, insert: &str) -> String {
    let at = html.rfind(tag).unwrap_or(html.len());
    html.insert_str(at, insert);
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
