//! Wrong secrets and tokens: so many of a network and no more, whether the next one is right or not.
//! Only the network is held up: a stranger locks no application out.

use crate::call::{Call, Failure};
use base::{Error, Id, id};
use work::admission::Subject;

/// What of a network is counted: everything wrong, and what is wrong about one application.
fn subjects(call: &Call, application: Option<Id<id::Application>>) -> impl Iterator<Item = Subject> {
    let network = call.network();
    let at = network.zip(application).map(|(network, application)| Subject::GuessesAt(network, application));
    network.map(Subject::Guesses).into_iter().chain(at)
}

/// Before something is compared: whether the network may be wrong once more.
///
/// # Errors
/// `error-too-many` (429, with the time to come back).
pub(crate) fn room(call: &Call, application: Option<Id<id::Application>>) -> Result<(), Error> {
    subjects(call, application).try_for_each(|subject| call.admission.room(subject, call.now()))
}

/// The outcome of a comparison; what was wrong is counted.
pub(crate) fn counted<T>(
    call: &Call,
    application: Option<Id<id::Application>>,
    outcome: Result<T, Failure>,
) -> Result<T, Failure> {
    if outcome.as_ref().is_err_and(Failure::is_about_proof) {
        for subject in subjects(call, application) {
            // What is over the limit already needs no counting.
            let _full = call.admission.check(subject, call.now());
        }
    }
    outcome
}
