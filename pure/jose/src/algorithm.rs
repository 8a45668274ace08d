//! The signature algorithms we offer (RFC 7518 section 3, RFC 8037), and what follows from each.

use std::{fmt, str::FromStr};

use aws_lc_rs::digest::{self, digest};
use serde::{Deserialize, Serialize};

use crate::{Error, Result, base64url};

/// A JWS algorithm. `none` is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "&'static str", try_from = "String")]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    Ps256,
    /// EdDSA on Ed25519.
    EdDsa,
    /// HMAC with SHA-256; its keys are secrets shared with one client ([`HmacKey`](crate::HmacKey)).
    Hs256,
}

impl Algorithm {
    /// Every algorithm, in order of preference.
    pub const ALL: [Self; 6] = [Self::Es256, Self::EdDsa, Self::Es384, Self::Ps256, Self::Rs256, Self::Hs256];

    /// The registered name, as `alg` carries it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
        }
    }

    /// Whether signer and verifier share one secret.
    #[must_use]
    pub const fn is_symmetric(self) -> bool {
        matches!(self, Self::Hs256)
    }

    /// The value of `at_hash` or `c_hash` for an access token or code that goes out beside an ID
    /// token signed with this algorithm: the left half of its hash (OpenID Connect Core 3.1.3.6).
    #[must_use]
    pub fn half_hash(self, value: &str) -> String {
        let hash = digest(self.hash(), value.as_bytes());
        let (left, _) = hash.as_ref().split_at(hash.as_ref().len() / 2);
        base64url::encode(left)
    }

    /// The hash inside the signature; Ed25519's is SHA-512.
    const fn hash(self) -> &'static digest::Algorithm {
        match self {
            Self::Es256 | Self::Rs256 | Self::Ps256 | Self::Hs256 => &digest::SHA256,
            Self::Es384 => &digest::SHA384,
            Self::EdDsa => &digest::SHA512,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == name).ok_or(Error::UnsupportedAlgorithm)
    }
}

impl TryFrom<String> for Algorithm {
    type Error = Error;

    fn try_from(name: String) -> Result<Self> {
        name.parse()
    }
}

impl From<Algorithm> for &'static str {
    fn from(algorithm: Algorithm) -> Self {
        algorithm.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_round_trips_and_nothing_else_parses() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        for name in ["none", "None", "NONE", "nOnE", "", "es256", "ES256 ", "HS384", "RS1", "EdDSA\0"] {
            assert_eq!(name.parse::<Algorithm>(), Err(Error::UnsupportedAlgorithm), "{name:?}");
        }
        assert_eq!(serde_json::to_string(&Algorithm::EdDsa).unwrap(), r#""EdDSA""#);
        assert!(serde_json::from_str::<Algorithm>(r#""none""#).is_err());
    }

    /// The example of OpenID Connect Core, appendices A.3 (at_hash) and A.4 (c_hash).
    #[test]
    fn half_hashes_match_openid_connect_core() {
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(Algorithm::Rs256.half_hash(access_token), "77QmUPtjPfzWtF2AnpK9RQ");
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(Algorithm::Rs256.half_hash(code), "LDktKdoQak3Pk0cnXxCltA");
    }

    #[test]
    fn half_hashes_are_half_as_long_as_the_hash() {
        let lengths = Algorithm::ALL.map(|algorithm| algorithm.half_hash("x").len());
        assert_eq!(lengths, [22, 43, 32, 22, 22, 22]);
    }
}
