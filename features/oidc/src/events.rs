//! Events of a browser's request, sealed under the key of the person whom they concern.

use base::{Error, Event};
use store::{
    EventRow,
    rows::{self, person::PersonRow},
};
use web::Visit;

/// The event as it is stored. Of a person who is only about to be written nothing is known, so
/// that no origin is kept where destroying their key would not erase it.
///
/// # Errors
/// Kind `Unavailable` if the store cannot answer.
pub(crate) async fn row(visit: &Visit, event: Event) -> Result<EventRow, Error> {
    let person = match event.person {
        Some(person) => rows::person::by_id(visit.db(), visit.tenant.id, person).await?,
        None => None,
    };
    match person {
        Some(person) => of(visit, event, &person),
        None => Ok(visit.tenant.event(visit.env(), event, None)),
    }
}

/// The event of this person as it is stored.
///
/// # Errors
/// Kind `Internal` if their key does not open.
pub(crate) fn of(visit: &Visit, event: Event, person: &PersonRow) -> Result<EventRow, Error> {
    let key = visit.tenant.person_key(person)?;
    Ok(visit.tenant.event(visit.env(), event.origin(visit.origin()), key.as_ref()))
}
