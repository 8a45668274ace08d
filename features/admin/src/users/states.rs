//! What an operator does to an account: activate, suspend, unlock, have the password changed, delete.
//! Suspension and deletion end everything at once; activation revives nothing.

use crate::{
    call::{Answer, Call},
    endpoint::{Endpoint, Verb},
    refusal::{Refusal, WRONG_STATE},
    rows::administrator,
    scope::Permission::UsersWrite,
    shape::Shape,
    users::{Found, User, draft, draft::changed_person},
};
use base::Error;
use serde_json::json;
use std::time::Duration;
use store::{
    Mac, Outcome, Unit,
    rows::{
        credential, identifier, listing,
        person::{self, Raise},
    },
};

/// How long the user name of a deleted account is held back.
const NAME_HOLD: Duration = Duration::from_secs(90 * 86_400);

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new((Verb::Delete, "/users/{user}"), ("deleteUser", "Delete a person"), UsersWrite, |call| {
        Box::pin(delete(call))
    })
    .guarded(),
    Endpoint::new(
        (Verb::Post, "/users/{user}/activate"),
        ("activateUser", "Lift a suspension"),
        UsersWrite,
        |call| Box::pin(set(call, "active")),
    )
    .gives(User::schema)
    .guarded(),
    Endpoint::new(
        (Verb::Post, "/users/{user}/suspend"),
        ("suspendUser", "Suspend a person; everything of theirs ends at once"),
        UsersWrite,
        |call| Box::pin(set(call, "suspended")),
    )
    .gives(User::schema)
    .guarded(),
    Endpoint::new(
        (Verb::Post, "/users/{user}/unlock"),
        ("unlockUser", "Give back the attempts that a person has used up"),
        UsersWrite,
        |call| Box::pin(unlock(call)),
    ),
    Endpoint::new(
        (Verb::Post, "/users/{user}/require-password-change"),
        ("requirePasswordChange", "Have the password changed at the next sign-in; everything ends at once"),
        UsersWrite,
        |call| Box::pin(require_change(call)),
    )
    .gives(User::schema)
    .guarded(),
    Endpoint::new(
        (Verb::Post, "/users/{user}/identifiers"),
        ("addIdentifier", "Give a person an address or user name"),
        UsersWrite,
        |call| Box::pin(draft::add_identifier(call)),
    )
    .takes(draft::NewIdentifier::schema)
    .gives(User::schema)
    .guarded(),
    Endpoint::new(
        (Verb::Delete, "/users/{user}/identifiers/{kind}/{value}"),
        ("removeIdentifier", "Take an address or user name from a person"),
        UsersWrite,
        |call| Box::pin(draft::remove_identifier(call)),
    )
    .gives(User::schema)
    .guarded(),
];

async fn set(call: &Call, state: &'static str) -> Result<Answer, Refusal> {
    let found = Found::to_change(call).await?;
    if found.row.state == state {
        return crate::users::show(call, found.row.id).await;
    }
    let kind = if state == "active" { "person.activated" } else { "person.suspended" };
    let detail = json!({ "changed": { "state": { "old": found.row.state, "new": state } } });
    let mut unit = call.unit(kind, found.about(), detail);
    person::set_state(&mut unit, call.tenant.id, &found.row, state, call.now());
    changed_person(call, unit, &found).await
}

async fn delete(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::to_change(call).await?;
    let (tenant, now) = (call.tenant.id, call.now());
    let mut unit = call.unit("person.deleted", found.about(), json!({}));
    person::delete(&mut unit, tenant, &found.row, now);
    identifier::release(&mut unit, tenant, found.row.id, now.plus(NAME_HOLD));
    if let Some(row) = administrator::find(call.db(), tenant, found.row.id).await? {
        administrator::remove(&mut unit, tenant, &row);
    }
    call.finish(unit, Answer::empty()).await
}

async fn require_change(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::to_change(call).await?;
    let (tenant, id) = (call.tenant.id, found.row.id);
    if credential::of_kind(call.db(), tenant, id, "password").await?.is_none() {
        return Err(Refusal::because(WRONG_STATE, "The person has no password."));
    }
    let mut unit = call.unit("password.expired", found.about(), json!({}));
    listing::expire_password(&mut unit, tenant, id);
    person::raise(&mut unit, tenant, (id, found.row.epoch), Raise::Everything, call.now());
    changed_person(call, unit, &found).await
}

/// Attempts are counted for the person, and for each name that a code was asked for by.
async fn unlock(call: &Call) -> Result<Answer, Refusal> {
    let found = Found::to_change(call).await?;
    let (_, mac) = call.tenant.mac(Mac::Attempt)?;
    let id = found.row.id;
    let mut unit = call.unit("person.unlocked", found.about(), json!({}));
    let person = |kind: &str| mac.sign(&[kind.as_bytes(), b"person", id.as_bytes()]);
    for kind in ["password", "mail recover", "code recover", "mail change", "code change"] {
        listing::forget_attempts(&mut unit, call.tenant.id, person(kind));
    }
    for row in identifier::of_person(call.db(), call.tenant.id, id).await? {
        for kind in ["password", "mail recover", "code recover", "mail register", "code register"] {
            let subject = mac.sign(&[kind.as_bytes(), b"name", row.normal.as_bytes()]);
            listing::forget_attempts(&mut unit, call.tenant.id, subject);
        }
    }
    done(call, unit).await
}

async fn done(call: &Call, unit: Unit) -> Result<Answer, Refusal> {
    match call.db().commit(unit).await? {
        Outcome::Done => Ok(Answer::empty()),
        Outcome::Conflict { .. } => Err(Error::internal("a unit without a guard conflicted").into()),
    }
}
