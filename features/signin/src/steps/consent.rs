//! May the application know this?

use crate::{
    show::Problems,
    turn::{Move, Turn},
};
use base::Error;
use journey::Fact;
use web::{Submission, pages::say, render::Notice};

/// Allow or deny; anything else is neither.
pub(crate) fn decide(turn: &Turn<'_>, sent: &Submission) -> Result<Move, Error> {
    match sent.get("decision") {
        "allow" => {
            Ok(Move::Forward(vec![Fact::Consented { scopes: turn.rules.consent.clone() }], turn.draft()))
        }
        "deny" => Ok(Move::Forward(vec![Fact::Declined], turn.draft())),
        _ => Move::refuse(Problems::notice(Notice::error(say::choice_unknown()))),
    }
}
