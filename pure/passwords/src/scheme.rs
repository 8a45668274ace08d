//! The schemes that a stored hash may have, our own and imported ones.
//!
//! To add one: a variant, its parser and printer here, its arm in
//! `Hasher::verify_imported`. Every scheme bounds its cost when it is parsed.

use std::{fmt, str::FromStr};

use crate::phc::{PhcError, PhcString};

/// A stored hash of any scheme that can be verified.
#[derive(Clone)]
pub enum Scheme {
    /// argon2id, which is also what we write ourselves.
    Argon2id(PhcString),
}

impl FromStr for Scheme {
    type Err = PhcError;

    fn from_str(text: &str) -> Result<Self, PhcError> {
        text.parse().map(Self::Argon2id)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2id(phc) => phc.fmt(f),
        }
    }
}
