//! Proof Key for Code Exchange (RFC 7636), method S256 only.

#[cfg(test)]
mod tests;

use std::{fmt, str::FromStr};

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The methods of `code_challenge_method` that exist; `plain` does not (RFC 9700 section 2.1.1).
pub const METHODS: &[&str] = &["S256"];

/// An S256 challenge (RFC 7636 section 4.2): 32 bytes in base64url, 43 characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge(String);

/// A verifier (RFC 7636 section 4.1): 43 to 128 unreserved characters.
#[derive(Clone)]
pub struct CodeVerifier(Zeroizing<String>);

/// Why a challenge or verifier, or the pair of them, is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    /// The challenge is not 43 characters of base64url.
    #[error("code_challenge must be the base64url form of a SHA-256 hash, 43 characters")]
    ChallengeSyntax,
    /// The verifier is not 43 to 128 unreserved characters.
    #[error("code_verifier must be 43 to 128 unreserved characters")]
    VerifierSyntax,
    /// The request had a challenge, so the verifier is needed.
    #[error("code_verifier is missing, but the authorization request had a code_challenge")]
    VerifierMissing,
    /// A verifier without a challenge is a sign of a challenge that somebody removed.
    #[error("code_verifier is given, but the authorization request had no code_challenge")]
    ChallengeMissing,
    /// The verifier is another's.
    #[error("code_verifier does not match the code_challenge")]
    Mismatch,
}

/// Compares challenge and verifier (RFC 7636 section 4.6) in constant time. Both or neither must
/// be there (RFC 9700 section 4.8.2).
///
/// # Errors
/// Each to be answered with `invalid_grant`.
pub fn verify(challenge: Option<&CodeChallenge>, verifier: Option<&CodeVerifier>) -> Result<(), PkceError> {
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(PkceError::VerifierMissing),
        (None, Some(_)) => Err(PkceError::ChallengeMissing),
        (Some(challenge), Some(verifier)) => {
            constant_time::verify_slices_are_equal(challenge.0.as_bytes(), verifier.challenge().0.as_bytes())
                .map_err(|_| PkceError::Mismatch)
        }
    }
}

impl CodeVerifier {
    /// The S256 challenge of this verifier (RFC 7636 section 4.2).
    #[must_use]
    pub fn challenge(&self) -> CodeChallenge {
        CodeChallenge(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, self.0.as_bytes())))
    }
}

impl FromStr for CodeVerifier {
    type Err = PkceError;
    fn from_str(text: &str) -> Result<Self, PkceError> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        let proper = (43..=128).contains(&text.len()) && text.bytes().all(unreserved);
        if proper { Ok(Self(Zeroizing::new(text.to_owned()))) } else { Err(PkceError::VerifierSyntax) }
    }
}

impl fmt::Debug for CodeVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeVerifier")
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = PkceError;
    fn try_from(text: String) -> Result<Self, PkceError> {
        match URL_SAFE_NO_PAD.decode(&text) {
            Ok(hash) if hash.len() == digest::SHA256_OUTPUT_LEN => Ok(Self(text)),
            _ => Err(PkceError::ChallengeSyntax),
        }
    }
}

impl FromStr for CodeChallenge {
    type Err = PkceError;
    fn from_str(text: &str) -> Result<Self, PkceError> {
        text.to_owned().try_into()
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        challenge.0
    }
}
