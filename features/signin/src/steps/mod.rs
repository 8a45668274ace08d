//! The steps: what each makes of its POST. A step knows nothing of the others.

mod change;
pub(crate) mod code;
mod consent;
mod identify;
mod recover;
mod register;

use crate::turn::{Move, Turn};
use base::Error;
use journey::{Challenge, Change, Collect, Fact, Step};
use web::Submission;

/// Lets the step that the flow has come to answer a POST.
pub(crate) async fn take(turn: &Turn<'_>, step: &Step<'_>, sent: &Submission) -> Result<Move, Error> {
    // "Not you?" is on every page that shows somebody.
    if sent.get("action") == "restart" {
        return Ok(Move::Forward(vec![Fact::Restarted], turn.draft()));
    }
    match step {
        Step::Choose => identify::choose(turn, sent).await,
        Step::Identify => identify::identify(turn, sent).await,
        Step::Challenge(Challenge::Password(named)) => identify::password(turn, named, sent).await,
        Step::Challenge(Challenge::Code(waiting)) => code::take(turn, waiting, sent).await,
        Step::Collect(Collect::Address) => register::address(turn, sent).await,
        Step::Collect(Collect::Details { address }) => register::details(turn, address, sent).await,
        Step::Collect(Collect::NewAddress) | Step::Change(Change::Address) => {
            change::address(turn, sent).await
        }
        Step::Recover => recover::named(turn, sent).await,
        Step::Enroll => recover::enroll(turn, sent).await,
        Step::Change(Change::Password) => change::password(turn, sent).await,
        Step::Change(Change::Deletion) => change::delete(turn, sent).await,
        Step::Consent => consent::decide(turn, sent),
        Step::Another { .. } | Step::Done(_) | Step::Deny(_) => Err(Error::not_found()),
    }
}
