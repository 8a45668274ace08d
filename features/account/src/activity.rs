//! `/account/activity`: what happened in the account, told from the events about the person.

use crate::{
    device,
    me::Me,
    visitor::{Signed, answer},
};
use axum::response::Response;
use base::{Aad, Error, Id, Kind, Origin, id};
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;
use store::rows::event::{self, StoredEvent};
use web::{
    Visit,
    pages::{
        Activity, ActivityEntry,
        say::{self, ActivityKind},
    },
    query,
};

/// Entries of a page.
const PAGE: usize = 50;
/// Events that one read gives.
const READ: usize = 50;
/// Reads for one page, however much of what they find is nothing to tell.
const MOST_READS: u32 = 8;

/// GET `/account/activity`, `?before=evt_…` for older entries.
pub(crate) async fn page(Signed { visit, me }: Signed) -> Response {
    answer(&visit, show(&visit, &me).await)
}

async fn show(visit: &Visit, me: &Me) -> Result<Response, Error> {
    let before = query(&visit.uri, "before").map(|text| text.parse::<Id<id::Event>>()).transpose();
    let before = before.map_err(|_| {
        Error::new(Kind::Invalid, "error-request", "There is no such page. Open the activity from its start.")
    })?;
    let (entries, last) = entries(visit, me, before, PAGE).await?;
    let older = last.map(|last| visit.at(&format!("/account/activity?before={last}")));
    let page = Activity { viewer: me.viewer(visit)?, entries, older };
    Ok(visit.page(StatusCode::OK, &page, &visit.at("/account/activity")))
}

/// At most `most` things that happened before this event, the newest first, and the event before
/// which older ones are.
pub(crate) async fn entries(
    visit: &Visit,
    me: &Me,
    mut before: Option<Id<id::Event>>,
    most: usize,
) -> Result<(Vec<ActivityEntry>, Option<Id<id::Event>>), Error> {
    let mut entries = Vec::new();
    for _ in 0..MOST_READS {
        let read = event::of_person(visit.db(), visit.tenant.id, me.id(), before).await?;
        let all = read.len() < READ;
        for event in read {
            before = Some(event.id);
            entries.extend(tell(visit, me, &event));
            if entries.len() == most {
                return Ok((entries, before));
            }
        }
        if all {
            return Ok((entries, None));
        }
    }
    Ok((entries, before))
}

fn tell(visit: &Visit, me: &Me, event: &StoredEvent) -> Option<ActivityEntry> {
    let body = open(visit, me, event);
    Some(ActivityEntry {
        what: say::activity(kind(&event.kind, &body.detail)?),
        at: event.at.micros(),
        device: device::of(&body.origin),
        place: body.origin.address,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    origin: Origin,
    detail: Value,
}

/// What is sealed in the event: under the person's key, or the tenant's where it happened before
/// the person was known. Nothing if it does not open; it happened all the same.
fn open(visit: &Visit, me: &Me, event: &StoredEvent) -> Body {
    let place = Aad::new(&visit.tenant.id, "event.data", &event.id);
    let opened = me.key.open(place, &event.data).or_else(|_| visit.tenant.key.open(place, &event.data));
    opened.ok().and_then(|plain| serde_json::from_slice(&plain).ok()).unwrap_or_default()
}

/// What an event is to its person; nothing for those that only machines care about.
fn kind(event: &str, detail: &Value) -> Option<ActivityKind> {
    let revoked = detail.get("reason").and_then(Value::as_str) == Some("revoked");
    Some(match event {
        "person.created" => ActivityKind::Registered,
        "person.updated" => ActivityKind::ProfileChanged,
        "person.suspended" => ActivityKind::Suspended,
        "person.resumed" | "person.activated" => ActivityKind::Resumed,
        "person.signed-out-everywhere" => ActivityKind::SignedOutEverywhere,
        "session.created" => ActivityKind::SignedIn,
        "session.ended" if revoked => ActivityKind::SessionEnded,
        "session.ended" => ActivityKind::SignedOut,
        "signin.refused" => ActivityKind::SignInRefused,
        "password.changed" => ActivityKind::PasswordChanged,
        "password.recovered" => ActivityKind::PasswordReset,
        "recovery.started" => ActivityKind::RecoveryStarted,
        "email.changed" | "email.added" => ActivityKind::EmailChanged,
        "consent.given" => ActivityKind::AccessGiven,
        "consent.revoked" => ActivityKind::AccessEnded,
        "grant.replayed" => ActivityKind::TokenReplayed,
        other => {
            let subject = other.split('.').next()?;
            let theirs = ["person", "credential", "password", "email", "identifier"].contains(&subject);
            return theirs.then_some(ActivityKind::Changed);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_changes_are_told_and_the_work_of_machines_is_not() {
        assert_eq!(kind("credential.renamed", &Value::Null), Some(ActivityKind::Changed));
        for machine in ["grant.created", "grant.refreshed", "username.refused", "tenant.created", ""] {
            assert_eq!(kind(machine, &Value::Null), None, "{machine}");
        }
    }
}
