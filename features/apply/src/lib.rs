//! `keyward apply`: tenants, applications and users from a file, in force beside a running server; and
//! `keyward export`, which writes such a file.
//!
//! A [`Document`] is read with every mistake named by its place; [`plan`] compares it with what is
//! stored and changes nothing; [`apply`] writes what differs, each object in a guarded unit with its
//! event, so that applying twice changes nothing. [`Export`] writes what is stored as documents again:
//! applying those changes nothing. [`control`] hands a document to the server that holds the database.
//!
//! It mounts no URL. It must not: show a secret in a plan, a report or an event, remove what a file
//! leaves out, or change a password that exists.

mod application;
pub mod control;
mod document;
mod documents;
mod export;
mod report;
mod resource_server;
mod scope;
mod tenant;
mod user;
mod walk;
mod yaml;

pub use document::{Document, Problem};
pub use documents::Documents;
pub use export::{Export, Piece, Registered, Registrations, Selection};
pub use report::{Action, Change, Difference, Object, Plan, Report};
pub use walk::{apply, plan};
