//! What a new password must be like.
//!
//! Length by code point, a list of common passwords and likeness to the
//! person's own data. No composition rules, and every character is allowed,
//! spaces too (NIST SP 800-63B-4, section 3.1.1.2). It judges new passwords
//! only, never those typed to sign in.

use crate::{common, prepared::Prepared, similarity};

/// The rules of a tenant for a new password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The fewest code points.
    pub min_chars: usize,
    /// The most code points; [`Prepared`] takes no more than 256.
    pub max_chars: usize,
    /// Whether common passwords are refused.
    pub block_list: bool,
    /// Whether passwords made of the person's own data are refused.
    pub similarity: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { min_chars: 8, max_chars: 256, block_list: true, similarity: true }
    }
}

/// One thing that is wrong with a new password. The texts follow the name of the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It has fewer than `min` code points.
    #[error("must have at least {min} characters")]
    TooShort {
        /// The fewest that are taken.
        min: usize,
    },
    /// It has more than `max` code points.
    #[error("must have at most {max} characters")]
    TooLong {
        /// The most that are taken.
        max: usize,
    },
    /// It is one that many people use, or a few characters repeated.
    #[error("is one that many people use")]
    Common,
    /// It is little more than the person's own data.
    #[error("is little more than the person's own data")]
    Similar {
        /// Which of the values given to [`Policy::check`] it resembles most.
        to: usize,
    },
}

impl Policy {
    /// Where a password stands alone under NIST SP 800-63B-4: 15 code points.
    #[must_use]
    pub fn nist_aal2() -> Self {
        Self { min_chars: 15, ..Self::default() }
    }

    /// That of a tenant's security profile, with the least length that it sets, if it does.
    #[must_use]
    pub fn of(profile: &str, least: Option<u32>) -> Self {
        let policy = if profile == "nist-aal2" { Self::nist_aal2() } else { Self::default() };
        let least = least.and_then(|least| usize::try_from(least).ok());
        Self { min_chars: least.unwrap_or(policy.min_chars), ..policy }
    }

    /// Judges a new password. `own` is what the person or an attacker would
    /// think of first: local part of the address, user name, parts of the
    /// name, name of the tenant and its product.
    ///
    /// # Errors
    /// Everything that is wrong with it, length first.
    pub fn check(&self, password: &Prepared, own: &[&str]) -> Result<(), Vec<Problem>> {
        let (min, max) = (self.min_chars, self.max_chars);
        let (chars, text) = (password.chars(), password.normalised());
        let problems: Vec<Problem> = [
            (chars < min).then_some(Problem::TooShort { min }),
            (chars > max).then_some(Problem::TooLong { max }),
            (self.block_list && common::is_common(text)).then_some(Problem::Common),
            self.similarity
                .then(|| similarity::closest(text, own))
                .flatten()
                .map(|to| Problem::Similar { to }),
        ]
        .into_iter()
        .flatten()
        .collect();
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}
