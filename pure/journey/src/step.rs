//! Steps: what a flow asks next.

use crate::{
    fact::{Epochs, Method, Named, PersonRef, Proof, Reference, Sent},
    rules::Change,
};
use serde::{Deserialize, Serialize};

/// What a flow asks next. Each has one page and one POST.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// Which of the accounts of this browser?
    Choose,
    /// Who are you?
    Identify,
    /// Prove it.
    Challenge(Challenge<'a>),
    /// Prove it in another way too; the options are never empty.
    Another {
        /// The methods that are left.
        options: Vec<Method>,
    },
    /// Tell us something.
    Collect(Collect<'a>),
    /// Whose password is forgotten?
    Recover,
    /// Choose a new password.
    Enroll,
    /// Confirm the change with your password.
    Change(Change),
    /// May the application know this?
    Consent,
    /// It is you.
    Done(Authenticated),
    /// It ends here.
    Deny(Reason),
}

/// A proof that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge<'a> {
    /// The password of the account that was named.
    Password(&'a Named),
    /// The code that was sent.
    Code(&'a Sent),
}

/// Something that is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collect<'a> {
    /// The address of a new account.
    Address,
    /// The rest of a new account.
    Details {
        /// Its proven address.
        address: &'a str,
    },
    /// The new address of an account.
    NewAddress,
}

/// Why a journey ends without anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The person said no to the application.
    Declined,
    /// Accounts are not created here.
    RegistrationClosed,
    /// More proofs are needed than the person can give.
    NoMethod,
}

/// A person who proved to be here, with the proofs that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// Who.
    pub person: PersonRef,
    /// The epochs that the proofs are of.
    pub epochs: Epochs,
    /// The proofs, at least one.
    pub proofs: Vec<Proof>,
    /// The session of this browser that they were carried over from.
    pub session: Option<Reference>,
}

impl Authenticated {
    /// When the person last proved themselves.
    pub fn at(&self) -> i64 {
        self.proofs.iter().map(|proof| proof.at).max().unwrap_or(i64::MIN)
    }
}

/// How somebody was authenticated, as sessions and grants keep it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Authentication {
    /// The proofs.
    pub proofs: Vec<Proof>,
}

impl Authentication {
    /// The `amr` claim: each method once, in the order of use (RFC 8176).
    pub fn amr(&self) -> Vec<&'static str> {
        super::distinct(&self.proofs).into_iter().map(Method::amr).collect()
    }

    /// When the last proof was given, in microseconds.
    pub fn at(&self) -> Option<i64> {
        self.proofs.iter().map(|proof| proof.at).max()
    }

    /// As JSON.
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From JSON; nothing that can be read counts as no proof.
    pub fn read(json: &str) -> Self {
        serde_json::from_str(json).unwrap_or_default()
    }
}
