//! Sign-in: everything by which people come in, prove themselves and change how they do.
//!
//! It owns the flows and mounts `/signin`, `/register`, `/recover`, `/account/password`,
//! `/account/email`, `/account/delete`, `/flow/{id}`, `/link/{token}` and `/logo/…`. What an application asks
//! for it learns through [`web::intent::Destination`]; it must not know OAuth.
//!
//! One POST is one turn: load the flow, ask the journey for the step, let the step's own module
//! answer with facts, ask the journey again about what is about to be written, write it in one
//! unit.

mod accounts;
mod begin;
mod code;
mod draft;
mod finish;
mod flow;
mod link;
mod logo;
mod notify;
mod password;
mod show;
mod steps;
mod tally;
mod turn;

pub use logo::Logos;
pub use tally::{Method, Outcome, Tally};

use axum::{Router, extract::FromRef, routing::get};
use std::sync::Arc;
use web::{
    Site,
    intent::{Destination, Journeys},
};
use work::{AccountSlots, Admission, HashPool, MailSignal};

/// What the sign-in works with. Cheap to clone.
#[derive(Clone)]
pub struct Signin(Arc<Parts>);

/// The parts of [`Signin`], brought together by the program.
pub struct Parts {
    /// What all pages share.
    pub site: Site,
    /// Where passwords are hashed.
    pub hashing: HashPool,
    /// Hashes of one account at a time.
    pub slots: AccountSlots,
    /// Limits by network.
    pub admission: Admission,
    /// Wakes the mail workers.
    pub mail: MailSignal,
    /// Counts how sign-ins end.
    pub tally: Tally,
    /// Logos of applications.
    pub logos: Logos,
    /// Where applications' requests are understood.
    pub destination: Arc<dyn Destination>,
}

impl Signin {
    /// The sign-in of these parts.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The sign-in as others begin it.
    pub fn journeys(&self) -> Arc<dyn Journeys> {
        Arc::new(self.clone())
    }
}

impl std::ops::Deref for Signin {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl FromRef<Signin> for Site {
    fn from_ref(signin: &Signin) -> Self {
        signin.site.clone()
    }
}

/// The routes of the sign-in.
pub fn routes(signin: Signin) -> Router {
    Router::new()
        .route("/signin", get(begin::signin))
        .route("/register", get(begin::register))
        .route("/recover", get(begin::recover))
        .route("/account/password", get(begin::change_password))
        .route("/account/email", get(begin::change_email))
        .route("/account/delete", get(begin::delete))
        .route("/flow/{id}", get(turn::show).post(turn::post))
        .route("/link/{token}", get(link::open).post(link::confirm))
        .route("/logo/{application}/{version}", get(logo::show))
        .route("/signin/deleted", get(finish::deleted))
        .with_state(signin)
}
