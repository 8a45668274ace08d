//! Facts: what has become known in a flow. Stored as versioned JSON; an unknown one restarts the
//! flow kindly.

use crate::rules::Goal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Sixteen bytes that name a row elsewhere, written as hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(pub [u8; 16]);

/// A person, named by their id.
pub type PersonRef = Reference;

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:032x}", u128::from_be_bytes(self.0)))
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map(|number| Self(number.to_be_bytes())).map_err(D::Error::custom)
    }
}

/// How somebody proved themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// With their password.
    Password,
    /// With a one-time code, or the link of the same mail, sent to a proven address.
    Code,
}

impl Method {
    /// The value of the `amr` claim (RFC 8176).
    pub const fn amr(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::Code => "otp",
        }
    }
}

/// One proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// How.
    pub method: Method,
    /// When, in microseconds.
    pub at: i64,
}

/// The person's epochs when a fact became known. A fact of an older epoch carries nobody over a
/// change of password or a lockdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Epochs {
    /// Of sessions.
    pub sessions: i64,
    /// Of grants that outlive sessions.
    pub offline: i64,
}

/// What somebody typed to say who they are. Nothing is known of it yet, not even whether there is
/// such an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// `email` or `username`.
    pub kind: String,
    /// As it is compared.
    pub normal: String,
    /// As it was typed.
    pub typed: String,
}

/// What a code proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// The address of a new account.
    Register,
    /// An account whose password is forgotten.
    Recover,
    /// A new address of an account.
    Change,
}

/// A code on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The row of the challenge.
    pub challenge: Reference,
    /// What it proves.
    pub purpose: Purpose,
    /// Where it went, masked as the page shows it.
    pub masked: String,
    /// When it was sent.
    pub at: i64,
    /// Until when it is good.
    pub expires: i64,
}

/// One fact of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
pub enum Fact {
    /// "Not you?": everything before is void.
    Restarted,
    /// The person set out for another goal: to create an account, to recover one, to sign in.
    Began {
        /// Which one.
        goal: Goal,
    },
    /// An identifier was typed.
    Named(Named),
    /// A code was sent.
    Sent(Sent),
    /// The code that was sent is not wanted any more: another address, please.
    Withdrawn,
    /// A session of this browser, chosen or the only one, with its proofs.
    Carried {
        /// Whose it is.
        person: PersonRef,
        /// Its row.
        session: Reference,
        /// Its proofs.
        proofs: Vec<Proof>,
        /// Its epochs.
        epochs: Epochs,
    },
    /// A person proved themselves.
    Verified {
        /// Who.
        person: PersonRef,
        /// How and when.
        proof: Proof,
        /// Their epochs then.
        epochs: Epochs,
    },
    /// An address was proven that no account has.
    Proven {
        /// As it was typed.
        address: String,
        /// When.
        at: i64,
    },
    /// The person has a new password.
    Enrolled {
        /// Who.
        person: PersonRef,
        /// When.
        at: i64,
    },
    /// The change that the flow is for was written.
    Changed,
    /// The person lets the application know this.
    Consented {
        /// The scopes.
        scopes: Vec<String>,
    },
    /// The person does not let the application know anything.
    Declined,
}

impl Fact {
    /// Whether it proves something, so that the goal is settled.
    pub(crate) const fn proves(&self) -> bool {
        matches!(self, Self::Verified { .. } | Self::Proven { .. } | Self::Enrolled { .. })
    }
}

/// The facts of a flow, as they are stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    version: u32,
    facts: Vec<Fact>,
}

/// Facts that this version of the program does not know: the flow starts over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the facts of a flow are of another version of the program")]
pub struct UnknownFacts;

impl Facts {
    const VERSION: u32 = 1;

    /// Facts to be stored.
    pub const fn new(facts: Vec<Fact>) -> Self {
        Self { version: Self::VERSION, facts }
    }

    /// As JSON.
    pub fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From JSON.
    ///
    /// # Errors
    /// [`UnknownFacts`] for another version or a fact that this one does not know.
    pub fn read(json: &[u8]) -> Result<Vec<Fact>, UnknownFacts> {
        let read: Self = serde_json::from_slice(json).map_err(|_| UnknownFacts)?;
        if read.version == Self::VERSION { Ok(read.facts) } else { Err(UnknownFacts) }
    }
}
