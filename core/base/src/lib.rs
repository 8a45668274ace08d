//! What every crate of Keyward agrees on: typed ids, time, randomness, secrets and sealing,
//! normal forms of identifiers, handles, events and errors.
//!
//! Nothing here speaks HTTP or SQL. Clock and randomness are traits, so that tests move the one
//! and need not fear the other.

pub mod env;
pub mod error;
pub mod event;
pub mod handle;
pub mod id;
pub mod identifier;
pub mod mac;
pub mod net;
pub mod rng;
pub mod seal;
pub mod secret;
pub mod time;

pub use env::Env;
pub use error::{Error, Kind};
pub use event::{Event, Origin};
pub use handle::{Handle, HandleKind};
pub use id::Id;
pub use identifier::{Email, Identifier, IdentifierKind, Username};
pub use rng::{Rng, SystemRng};
pub use seal::{Aad, SealingKey};
pub use secret::Secret;
pub use time::{Clock, MockClock, SystemClock, Time};

/// The id under which a request stands in the log; shown on error pages and in the
/// `x-request-id` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);
