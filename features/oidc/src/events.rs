//! Events of a browser's request, sealed under the key of the person whom they concern.

use base::{Error, Event};
use store::{EventRow, rows};
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
    let Some(person) = person else { return Ok(visit.tenant.event(visit.env(), event, None)) };
    let key = visit.tenant.person_key(&person)?;
    Ok(visit.tenant.event(visit.env(), event.origin(visit.origin()), key.as_ref()))
}
