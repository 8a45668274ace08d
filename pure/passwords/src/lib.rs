//! Passwords: how one is prepared, hashed, verified and judged.
//!
//! Owns the normal form ([`Prepared`]), our hash ([`Hasher`], [`PhcString`]),
//! the schemes a stored hash may have ([`Scheme`]) and the rules for a new
//! password ([`Policy`]). It reads no clock, makes no randomness and keeps
//! nothing: the salt comes in, the string to store goes out. A hash takes tens
//! of milliseconds, so it must never run on a thread that serves requests.

mod argon2id;
mod common;
mod hasher;
mod import;
mod phc;
mod policy;
mod prepared;
mod scheme;
mod similarity;

pub use argon2id::Path;
pub use hasher::{HashError, Hasher, Pepper, Verdict};
pub use import::ImportError;
pub use phc::{Params, ParamsError, PhcError, PhcString, dummy};
pub use policy::{Policy, Problem};
pub use prepared::{NormVersion, Prepared, PreparedError};
pub use scheme::Scheme;
