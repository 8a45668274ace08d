//! The shared aggregates: their rows, the statements that read them, and the writes that a unit
//! is made of. A capability's own tables stand in its own crate.
//!
//! Reads take `&Db` and answer typed rows. Writes are functions from values to a
//! [`Write`](crate::Write), so that a capability composes its unit and nothing is written apart
//! from its event.

pub mod application;
pub mod attempt;
pub mod challenge;
pub mod consent;
pub mod credential;
pub mod event;
pub mod filtered;
pub mod flow;
pub mod grant;
pub mod identifier;
pub mod key;
pub mod listing;
pub mod mail;
pub mod person;
pub mod purge;
pub mod resource_server;
pub mod scope;
pub mod server;
pub mod session;
pub mod tenant;

/// Every statement of the shared aggregates, for the check that both engines accept them.
pub fn statements() -> Vec<&'static str> {
    [
        application::ALL,
        attempt::ALL,
        crate::backup::ALL,
        challenge::ALL,
        consent::ALL,
        credential::ALL,
        event::ALL,
        filtered::ALL,
        flow::ALL,
        grant::ALL,
        identifier::ALL,
        key::ALL,
        listing::ALL,
        mail::ALL,
        person::ALL,
        purge::ALL,
        resource_server::ALL,
        scope::ALL,
        server::ALL,
        session::ALL,
        tenant::ALL,
    ]
    .concat()
}
