//! `keyward apply`: tenants, applications and users from a file, in force beside a running server.
//!
//! A [`Document`] is read with every mistake named by its place; [`plan`] compares it with what is
//! stored and changes nothing; [`apply`] writes what differs, each object in a guarded unit with its
//! event, so that applying twice changes nothing. [`control`] hands a document to the server that
//! holds the database.
//!
//! It mounts no URL. It must not: show a secret in a plan, a report or an event, remove what a file
//! leaves out, or change a password that exists.

mod application;
pub mod control;
mod document;
mod report;
mod tenant;
mod user;
mod walk;
mod yaml;

pub use document::{Document, Problem};
pub use report::{Action, Change, Difference, Object, Plan, Report};
pub use walk::{apply, plan};
