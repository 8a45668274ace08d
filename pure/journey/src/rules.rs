//! Rules: what the tenant, the application and the request ask of a journey.

use crate::fact::{Method, PersonRef};
use serde::{Deserialize, Serialize};

/// What a person set out to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    /// Sign in.
    SignIn,
    /// Create an account.
    Register,
    /// Get back into an account without its password.
    Recover,
}

/// A change of the account, which the flow is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// Another password; the page asks for the present one too.
    Password,
    /// Another address; the new one is proven by a code.
    Address,
    /// The end of the account; the page asks for the password.
    Deletion,
}

/// What is asked of a journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// What the request is for, unless the person sets out for something else.
    pub goal: Goal,
    /// Only this person may finish it.
    pub person: Option<PersonRef>,
    /// Proofs given before do not count (`prompt=login`, `max_age`).
    pub fresh_after: i64,
    /// How many different methods are needed.
    pub factors: u8,
    /// The methods that the person has.
    pub methods: Vec<Method>,
    /// Whether the accounts of this browser are offered first.
    pub choose: bool,
    /// Whether people may create accounts.
    pub registration: bool,
    /// The change that it is for.
    pub change: Option<Change>,
    /// Scopes that the person must still agree to.
    pub consent: Vec<String>,
}

impl Rules {
    /// A plain sign-in with one factor, where accounts may be created.
    pub const fn sign_in() -> Self {
        Self {
            goal: Goal::SignIn,
            person: None,
            fresh_after: i64::MIN,
            factors: 1,
            methods: Vec::new(),
            choose: false,
            registration: true,
            change: None,
            consent: Vec::new(),
        }
    }
}
