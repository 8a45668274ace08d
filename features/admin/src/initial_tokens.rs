//! `/api/v1/initial-access-tokens`: what lets somebody register applications where the tenant asks
//! for it (RFC 7591, section 3). A token is shown once, when it is made.

use crate::{
    call::{About, Answer, Call},
    cursor::Page,
    endpoint::{Endpoint, PAGE, Verb},
    refusal::Refusal,
    scope::Permission::{ApplicationsRead, ApplicationsWrite},
    shape::{Shape, shape},
    stamp::Stamp,
    tokens,
};
use base::{Error, Handle, HandleKind, Id, Time, id};
use serde_json::json;
use std::time::Duration;
use store::Outcome;

const DAY: Duration = Duration::from_secs(86_400);
/// How long one works if nothing else is said, and at most.
const USUAL_DAYS: u32 = 7;
const MOST_DAYS: u32 = 365;
const MOST_USES: u32 = 10_000;

shape! {
    /// What lets somebody register applications.
    given InitialAccessToken {
        /// The id.
        id: Id<id::Key>,
        /// How often it still works.
        uses_left: i64,
        /// Since when.
        created_at: Stamp,
        /// When it stops being accepted.
        expires_at: Stamp,
    }
}

shape! {
    /// A token that was just made.
    given CreatedInitialAccessToken {
        /// What to send as `Authorization: Bearer …` to `/register`. It is shown this once.
        secret: String,
        /// The token.
        token: InitialAccessToken,
    }
}

shape! {
    /// A page of tokens.
    page InitialAccessTokenPage of InitialAccessToken
}

shape! {
    /// A token to be made.
    sent NewInitialAccessToken {
        /// How many applications may be registered with it, up to 10000; one without.
        uses: Option<u32>,
        /// When it stops being accepted, within a year; after seven days without.
        expires_at: Option<Stamp>,
    }
}

pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new(
        (Verb::Get, "/initial-access-tokens"),
        ("listInitialAccessTokens", "List the tokens that let applications be registered"),
        ApplicationsRead,
        |call| Box::pin(list(call)),
    )
    .query(PAGE)
    .gives(InitialAccessTokenPage::schema),
    Endpoint::new(
        (Verb::Post, "/initial-access-tokens"),
        ("createInitialAccessToken", "Make a token that lets applications be registered"),
        ApplicationsWrite,
        |call| Box::pin(create(call)),
    )
    .takes(NewInitialAccessToken::schema)
    .creates(CreatedInitialAccessToken::schema),
    Endpoint::new(
        (Verb::Delete, "/initial-access-tokens/{token}"),
        ("dropInitialAccessToken", "Take a token back that lets applications be registered"),
        ApplicationsWrite,
        |call| Box::pin(take_back(call)),
    ),
];

fn show(token: tokens::InitialToken) -> InitialAccessToken {
    InitialAccessToken {
        id: token.id,
        uses_left: token.uses_left,
        created_at: Stamp(token.created_at),
        expires_at: Stamp(token.expires_at),
    }
}

async fn list(call: &Call) -> Result<Answer, Refusal> {
    let page = Page::of(call)?;
    let position = (page.after_id(), page.limit + 1);
    let mut all = call.admin.tokens.initial(call.db(), call.tenant.id, position).await?;
    let next = page.cut(call, &mut all, |token| token.id.as_bytes().to_vec())?;
    Answer::of(&InitialAccessTokenPage { items: all.into_iter().map(show).collect(), next })
}

async fn create(call: &Call) -> Result<Answer, Refusal> {
    let new: NewInitialAccessToken = call.sent()?;
    let uses = new.uses.unwrap_or(1);
    if !(1..=MOST_USES).contains(&uses) {
        return Err(Refusal::field("uses", "must be from 1 to 10000"));
    }
    let expires_at = ends(call.now(), new.expires_at)?;
    let detail = json!({ "uses": uses, "expires_at": Stamp(expires_at) });
    let mut unit = call.unit("initial-token.created", About::NOBODY, detail);
    let secret = call.admin.tokens.make_initial(&mut unit, call.tenant.id, call.env(), (uses, expires_at));
    let handle = Handle::parse(HandleKind::InitialAccess, &secret)
        .ok_or_else(|| Error::internal("an initial access token is no handle"))?;
    let token = show(tokens::InitialToken {
        id: handle.row(),
        uses_left: uses.into(),
        created_at: call.now(),
        expires_at,
    });
    let path = format!("/initial-access-tokens/{}", token.id);
    call.finish(unit, Answer::of(&CreatedInitialAccessToken { secret, token })?.at(path)).await
}

fn ends(now: Time, wanted: Option<Stamp>) -> Result<Time, Refusal> {
    match wanted {
        None => Ok(now.plus(DAY * USUAL_DAYS)),
        Some(Stamp(at)) if at <= now => Err(Refusal::field("expires_at", "is past")),
        Some(Stamp(at)) if at > now.plus(DAY * MOST_DAYS) => {
            Err(Refusal::field("expires_at", "must be within a year"))
        }
        Some(Stamp(at)) => Ok(at),
    }
}

async fn take_back(call: &Call) -> Result<Answer, Refusal> {
    let id: Id<id::Key> = call.part("token")?;
    let mut unit = call.unit("initial-token.dropped", About::NOBODY, json!({ "token": id }));
    call.admin.tokens.drop_initial(&mut unit, call.tenant.id, id);
    match call.db().commit(unit).await? {
        Outcome::Done => Ok(Answer::empty()),
        Outcome::Conflict { .. } => Err(Refusal::not_found()),
    }
}
