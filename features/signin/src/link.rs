//! Links in mails. Opening one burns nothing: in the browser where the flow began it asks for a
//! click, in any other it shows the code to type there.

use crate::{
    Signin, begin,
    code::{self, Answer},
    flow::{Flow, Found},
    steps,
    turn::{self, Move, Turn},
};
use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use base::{Error, Handle, HandleKind, Id, Kind, id};
use journey::{Challenge, Sent, Step};
use store::rows::challenge::{self, ChallengeRow};
use web::{
    Submission, Visit,
    pages::{LinkLanding, LinkPlace},
    render::Post,
};

/// `GET /link/{token}`.
pub(crate) async fn open(Path(token): Path<String>, visit: Visit) -> Response {
    match landing(&visit, &token).await {
        Ok(response) => response,
        Err(error) => visit.error(&error),
    }
}

async fn landing(visit: &Visit, token: &str) -> Result<Response, Error> {
    let row = find(visit, token).await?;
    let target = code::target(visit, &row)?;
    let place = match Flow::find(visit, row.flow, "").await {
        Ok(Found::Open(_)) => {
            let hidden = vec![("csrf".to_owned(), visit.csrf()?)];
            LinkPlace::Same { post: Post::new(visit.at(&format!("/link/{token}")), hidden) }
        }
        Ok(_) => return Err(dead()),
        Err(error) if error.kind == Kind::Forbidden => {
            LinkPlace::Other { code: target.code.clone(), begin: visit.at("/signin") }
        }
        Err(error) => return Err(error),
    };
    let page = LinkLanding { place, destination: target.masked };
    Ok(visit.page(StatusCode::OK, &page, &visit.at(&format!("/link/{token}"))))
}

/// `POST /link/{token}`: the click of the person who asked for the mail.
pub(crate) async fn confirm(
    State(signin): State<Signin>,
    Path(token): Path<String>,
    visit: Visit,
    sent: Submission,
) -> Response {
    match answer(&signin, &visit, &token, &sent).await {
        Ok(response) => response,
        Err(error) => visit.error(&error),
    }
}

async fn answer(signin: &Signin, visit: &Visit, token: &str, sent: &Submission) -> Result<Response, Error> {
    visit.check_csrf(sent)?;
    for _ in 0..4 {
        let row = find(visit, token).await?;
        let flow = match Flow::find(visit, row.flow, "").await? {
            Found::Open(flow) | Found::Resealed(flow) => flow,
            Found::Over(intent) => return Ok(visit.see_other(&begin::again(signin, visit, &intent))),
        };
        let turn = Turn::of(signin, visit, flow).await?;
        let step = turn.step();
        // The link answers the step that waits for this very mail, and no other.
        let Step::Challenge(Challenge::Code(waiting)) = &step else { return Err(dead()) };
        if waiting.challenge.0 != *row.id.as_bytes() {
            return Err(dead());
        }
        let target = code::target(visit, &row)?;
        let waiting: Sent = (*waiting).clone();
        match steps::code::answered(&turn, &waiting, Answer::Right(Box::new(row), target, None)).await? {
            Move::Refuse(..) => return Ok(visit.see_other(&turn.flow.path(visit))),
            Move::Forward(facts, draft) => {
                if let Some(response) = turn::forward(&turn, facts, draft).await? {
                    return Ok(response);
                }
            }
        }
    }
    Err(Error::unavailable("a flow changed under each of several tries"))
}

async fn find(visit: &Visit, token: &str) -> Result<ChallengeRow, Error> {
    let handle = Handle::parse(HandleKind::Link, token).ok_or_else(dead)?;
    let id: Id<id::Challenge> = handle.row();
    let row = challenge::by_id(visit.db(), visit.tenant.id, id).await?;
    row.filter(|row| handle.matches(&row.link) && row.is_open(visit.now())).ok_or_else(dead)
}

fn dead() -> Error {
    Error::new(
        Kind::Gone,
        "error-link",
        "This link was used already or is too old. Begin again, and we send a new one.",
    )
}
