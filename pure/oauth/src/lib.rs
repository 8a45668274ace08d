//! OAuth 2 and OpenID Connect, the deciding half: vocabulary, the check table of an
//! authorization request, the pure part of each grant, claims, discovery, logout.
//!
//! Owns: what a parameter means, which request is refused with which error code, where an
//! answer may be sent. Must not: read a clock (times are arguments, in seconds since the
//! epoch), draw random numbers, speak HTTP or know a database. The types carry the promises:
//! nothing here can write a redirect to an address that was not registered.

pub mod assertion;
pub mod authorize;
pub mod bearer;
pub mod catalogue;
pub mod claims;
pub mod client;
pub mod discovery;
pub mod error;
pub mod introspection;
pub mod logout;
pub mod mapping;
pub mod pairwise;
pub mod params;
pub mod pkce;
pub mod registration;
pub mod revocation;
pub mod scope;
pub mod token;
pub mod uri;

pub use catalogue::Catalogue;
pub use client::{AuthMethod, Client, ClientId};
pub use error::{ErrorCode, PageError};
pub use params::Params;
pub use scope::{Scope, Scopes};
pub use uri::{Origin, RedirectUri};
