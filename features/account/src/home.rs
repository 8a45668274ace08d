//! `/account`: how the account is protected, and where everything else is.

use crate::{
    activity,
    me::Me,
    sessions,
    visitor::{Signed, answer},
};
use axum::response::Response;
use base::Error;
use http::StatusCode;
use store::rows::{consent, credential};
use web::{
    Visit,
    pages::{AccountHome, say},
    query,
    render::Notice,
};

/// How much of the activity stands here.
const RECENT: usize = 5;

/// GET `/account`.
pub(crate) async fn page(Signed { visit, me }: Signed) -> Response {
    answer(&visit, show(&visit, &me).await)
}

async fn show(visit: &Visit, me: &Me) -> Result<Response, Error> {
    let (db, tenant) = (visit.db(), visit.tenant.id);
    let password = credential::of_kind(db, tenant, me.id(), "password").await?;
    let page = AccountHome {
        viewer: me.viewer(visit)?,
        notice: notice(visit),
        email: me.email().map(str::to_owned),
        password_since: password.map(|row| row.changed_at.micros()),
        sessions: count(sessions::living(visit, me).await?.len()),
        applications: count(consent::of_person(db, tenant, me.id()).await?.len()),
        recent: activity::entries(visit, me, None, RECENT).await?.0,
    };
    Ok(visit.page(StatusCode::OK, &page, &visit.at("/account")))
}

/// What was just done elsewhere, of a fixed list.
fn notice(visit: &Visit) -> Option<Notice> {
    let message = match query(&visit.uri, "done")?.as_str() {
        "password" => say::password_was_changed(),
        "email" => say::email_was_changed(),
        "existed" => say::account_existed(),
        _ => return None,
    };
    Some(Notice::done(message))
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
