//! Public keys as JSON (RFC 7517, RFC 7518 section 6, RFC 8037), and sets of them.
//!
//! Private and symmetric keys have no form here: private members of an imported key are dropped
//! unread, a symmetric key is an error.

use aws_lc_rs::{
    digest::{SHA256, digest},
    signature::{self, ParsedPublicKey, RsaPublicKeyComponents},
};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, IgnoredAny},
};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::{
    Algorithm, Error, Result,
    base64url::{self, Bytes},
    rsa,
};

/// The most keys a set may hold: a token without `kid` may cost one verification for each.
const MAX_KEYS: usize = 64;

/// A public key. It is well-formed: the point is on the curve, the modulus is not weak.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Wire")]
pub struct Jwk {
    kid: Option<String>,
    algorithm: Option<Algorithm>,
    usage: Option<Use>,
    operations: Option<Vec<String>>,
    material: Material,
}

/// What a key is meant for (RFC 7517 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Use {
    /// Signatures.
    #[serde(rename = "sig")]
    Signature,
    /// Encryption.
    #[serde(rename = "enc")]
    Encryption,
}

/// The key itself. Integers are big-endian: coordinates of full length, RSA without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    P256 { x: Vec<u8>, y: Vec<u8> },
    P384 { x: Vec<u8>, y: Vec<u8> },
    Rsa { n: Vec<u8>, e: Vec<u8> },
    Ed25519 { x: Vec<u8> },
}

impl Jwk {
    /// A key for signatures of one algorithm; its id is its thumbprint unless the caller has one.
    pub(crate) fn new(algorithm: Algorithm, kid: Option<&str>, material: Material) -> Result<Self> {
        material.parse(algorithm)?;
        let mut key = Self {
            kid: kid.map(str::to_owned),
            algorithm: Some(algorithm),
            usage: Some(Use::Signature),
            operations: None,
            material,
        };
        key.kid.get_or_insert_with(|| thumbprint(&key.material));
        Ok(key)
    }

    /// The key's id, if it has one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The one algorithm the key is meant for, if it says so.
    #[must_use]
    pub const fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// What the key is meant for, if it says so.
    #[must_use]
    pub const fn usage(&self) -> Option<Use> {
        self.usage
    }

    /// The SHA-256 thumbprint (RFC 7638), base64url: the same for every spelling of one key.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        thumbprint(&self.material)
    }

    /// The key ready to verify signatures of an algorithm, if it is meant for that.
    pub(crate) fn verifier(&self, algorithm: Algorithm) -> Result<ParsedPublicKey> {
        let verifies = |operations: &Vec<String>| {
            operations.iter().any(|operation| matches!(operation.as_str(), "verify" | "sign"))
        };
        let fit = self.algorithm.is_none_or(|own| own == algorithm)
            && self.usage.is_none_or(|usage| usage == Use::Signature)
            && self.operations.as_ref().is_none_or(verifies);
        if !fit {
            return Err(Error::InvalidKey);
        }
        self.material.parse(algorithm)
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire::from(self.clone()).serialize(serializer)
    }
}

impl Material {
    /// Gives the key to aws-lc-rs, which refuses points off the curve.
    fn parse(&self, algorithm: Algorithm) -> Result<ParsedPublicKey> {
        let point = |x: &[u8], y: &[u8]| [&[4], x, y].concat();
        let parsed = match (self, algorithm) {
            (Self::P256 { x, y }, Algorithm::Es256) => {
                ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point(x, y))
            }
            (Self::P384 { x, y }, Algorithm::Es384) => {
                ParsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, point(x, y))
            }
            (Self::Rsa { n, e }, Algorithm::Rs256) => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&signature::RSA_PKCS1_2048_8192_SHA256)
            }
            (Self::Rsa { n, e }, Algorithm::Ps256) => {
                RsaPublicKeyComponents { n, e }.to_parsed_public_key(&signature::RSA_PSS_2048_8192_SHA256)
            }
            (Self::Ed25519 { x }, Algorithm::EdDsa) => ParsedPublicKey::new(&signature::ED25519, x),
            _ => return Err(Error::InvalidKey),
        };
        parsed.map_err(|_| Error::InvalidKey)
    }

    const fn default_algorithm(&self) -> Algorithm {
        match self {
            Self::P256 { .. } => Algorithm::Es256,
            Self::P384 { .. } => Algorithm::Es384,
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::Ed25519 { .. } => Algorithm::EdDsa,
        }
    }
}

/// RFC 7638 section 3: the required members only, in lexicographic order, without whitespace.
fn thumbprint(material: &Material) -> String {
    let text = |bytes: &Vec<u8>| base64url::encode(bytes);
    let canonical = match material {
        Material::P256 { x, y } => {
            format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
        }
        Material::P384 { x, y } => {
            format!(r#"{{"crv":"P-384","kty":"EC","x":"{}","y":"{}"}}"#, text(x), text(y))
        }
        Material::Rsa { n, e } => {
            format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, text(e), text(n))
        }
        Material::Ed25519 { x } => {
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x))
        }
    };
    base64url::encode(digest(&SHA256, canonical.as_bytes()))
}

/// A key as JSON has it. Members that are not listed, private ones above all, are never read.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Wire {
    kty: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(rename = "alg", skip_serializing_if = "Option::is_none")]
    algorithm: Option<Algorithm>,
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    usage: Option<Use>,
    #[serde(rename = "key_ops", skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<String>>,
    #[serde(rename = "crv", skip_serializing_if = "Option::is_none")]
    curve: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    y: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e: Option<Bytes>,
}

impl Wire {
    fn material(&mut self) -> Result<Material> {
        let curve = self.curve.as_deref();
        let material = match (self.kty.as_str(), curve) {
            ("EC", Some("P-256")) => {
                Material::P256 { x: exactly(32, self.x.take())?, y: exactly(32, self.y.take())? }
            }
            ("EC", Some("P-384")) => {
                Material::P384 { x: exactly(48, self.x.take())?, y: exactly(48, self.y.take())? }
            }
            ("OKP", Some("Ed25519")) => Material::Ed25519 { x: exactly(32, self.x.take())? },
            ("RSA", None) => {
                let (Some(Bytes(n)), Some(Bytes(e))) = (self.n.take(), self.e.take()) else {
                    return Err(Error::InvalidKey);
                };
                rsa::check(&n, &e)?;
                Material::Rsa { n, e }
            }
            ("oct", _) => return Err(Error::SymmetricKey),
            _ => return Err(Error::InvalidKey),
        };
        material.parse(self.algorithm.unwrap_or(material.default_algorithm()))?;
        Ok(material)
    }
}

/// Coordinates have exactly the length of the field (RFC 7518 section 6.2.1.2).
fn exactly(length: usize, member: Option<Bytes>) -> Result<Vec<u8>> {
    member.map(|Bytes(bytes)| bytes).filter(|bytes| bytes.len() == length).ok_or(Error::InvalidKey)
}

impl TryFrom<Wire> for Jwk {
    type Error = Error;

    fn try_from(mut wire: Wire) -> Result<Self> {
        let material = wire.material()?;
        let Wire { kid, algorithm, usage, operations, .. } = wire;
        Ok(Self { kid, algorithm, usage, operations, material })
    }
}

impl From<Jwk> for Wire {
    fn from(key: Jwk) -> Self {
        let Jwk { kid, algorithm, usage, operations, material } = key;
        let wire = Self { kid, algorithm, usage, operations, ..Self::default() };
        let ec = |curve: &str, x, y| (Some(curve.to_owned()), Some(Bytes(x)), Some(Bytes(y)));
        match material {
            Material::P256 { x, y } => {
                let (curve, x, y) = ec("P-256", x, y);
                Self { kty: "EC".into(), curve, x, y, ..wire }
            }
            Material::P384 { x, y } => {
                let (curve, x, y) = ec("P-384", x, y);
                Self { kty: "EC".into(), curve, x, y, ..wire }
            }
            Material::Rsa { n, e } => {
                Self { kty: "RSA".into(), n: Some(Bytes(n)), e: Some(Bytes(e)), ..wire }
            }
            Material::Ed25519 { x } => {
                Self { kty: "OKP".into(), curve: Some("Ed25519".into()), x: Some(Bytes(x)), ..wire }
            }
        }
    }
}

/// A set of public keys (RFC 7517 section 5).
///
/// Read from JSON, it leaves out keys of types or algorithms we do not offer, malformed and weak
/// ones, as the standard asks; a symmetric key in it, or more than 64 keys, refuses the whole set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JwkSet {
    /// The keys.
    pub keys: Vec<Jwk>,
}

impl<'de> Deserialize<'de> for JwkSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // With the members that are none of ours, it is read as an object only: a list is no set.
        #[derive(Deserialize)]
        struct Entries {
            keys: Vec<Value>,
            #[serde(flatten)]
            _others: BTreeMap<String, IgnoredAny>,
        }
        let Entries { keys, .. } = Entries::deserialize(deserializer)?;
        if keys.len() > MAX_KEYS {
            return Err(D::Error::custom(Error::TooManyKeys));
        }
        if keys.iter().any(|key| key.get("kty").is_some_and(|kty| kty == "oct")) {
            return Err(D::Error::custom(Error::SymmetricKey));
        }
        let keys = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        Ok(Self { keys })
    }
}

impl FromIterator<Jwk> for JwkSet {
    fn from_iter<I: IntoIterator<Item = Jwk>>(keys: I) -> Self {
        Self { keys: keys.into_iter().collect() }
    }
}
