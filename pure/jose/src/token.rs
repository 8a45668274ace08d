//! Compact JWS (RFC 7515): writing them, and the one path by which they are read.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{Algorithm, Error, Keys, Result, Typ, base64url, json};

/// The longest token that is looked at.
pub const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// A token whose signature holds. Its claims are still to be judged
/// ([`Claims::validate`](crate::Claims::validate)).
#[derive(Clone, Debug)]
pub struct Verified {
    /// The protected header.
    pub header: Header,
    /// What was signed.
    pub payload: Vec<u8>,
}

/// What we read of a protected header. Keys that a header brings along or points to (`jwk`, `jku`,
/// `x5u`, `x5c`) are not read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The id of the signing key.
    pub kid: Option<String>,
    /// The type, as the token spells it.
    pub typ: Option<String>,
}

impl Verified {
    /// Reads the claims: a JSON object in which no member stands twice.
    ///
    /// # Errors
    /// [`Error::Json`] if they are not that, or not of the form `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T> {
        claims(&self.payload)
    }
}

/// Verifies a compact token as a token of a type, with one of the caller's keys.
///
/// The algorithm is the key's: a header that names another is refused, whatever the signature.
///
/// # Errors
/// The [`Error`] says what is wrong; to the token's bearer all of them are one "invalid".
pub fn verify(token: &str, keys: &Keys, expected: Typ) -> Result<Verified> {
    let parts = Parts::split(token)?;
    let header = Header::parse(parts.header)?;
    if !expected.accepts(header.typ.as_deref()) {
        return Err(Error::WrongType);
    }
    let payload = base64url::decode(parts.payload)?;
    let signature = base64url::decode(parts.signature)?;
    let key = (header.algorithm, header.kid.as_deref());
    keys.verify(key, parts.signing_input.as_bytes(), &signature)?;
    Ok(Verified { header, payload })
}

/// The issuer a token claims to have, **unverified**: good only for finding the keys to verify it
/// with (a client's assertion names its client nowhere else, RFC 7523 section 3).
///
/// # Errors
/// As in [`verify`], as far as the form goes; [`Error::Json`] if there is no issuer.
pub fn unverified_issuer(token: &str) -> Result<String> {
    let payload = base64url::decode(Parts::split(token)?.payload)?;
    json::take_string(&mut json::object(&payload)?, "iss")?.ok_or(Error::Json)
}

fn claims<T: DeserializeOwned>(payload: &[u8]) -> Result<T> {
    serde_json::from_value(Value::Object(json::object(payload)?)).map_err(|_| Error::Json)
}

struct Parts<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    signing_input: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::TooLong);
        }
        // Two cuts from the end and one look for a further dot: a flood of dots costs nothing.
        let (signing_input, signature) = token.rsplit_once('.').ok_or(Error::NotCompact)?;
        let (header, payload) = signing_input.rsplit_once('.').ok_or(Error::NotCompact)?;
        if header.is_empty() || signature.is_empty() || header.contains('.') {
            return Err(Error::NotCompact);
        }
        Ok(Self { header, payload, signature, signing_input })
    }
}

impl Header {
    fn parse(part: &str) -> Result<Self> {
        let mut members: Map<String, Value> = json::object(&base64url::decode(part)?)?;
        if ["crit", "b64", "zip"].iter().any(|name| members.contains_key(*name)) {
            return Err(Error::Extension);
        }
        let algorithm = json::take_string(&mut members, "alg")?.ok_or(Error::Json)?.parse()?;
        let kid = json::take_string(&mut members, "kid")?;
        let typ = json::take_string(&mut members, "typ")?;
        Ok(Self { algorithm, kid, typ })
    }
}

/// The protected header of a token we make.
#[derive(Serialize)]
pub(crate) struct Protected<'a> {
    #[serde(rename = "alg")]
    pub(crate) algorithm: Algorithm,
    pub(crate) typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<&'a str>,
}

/// Writes a compact token.
pub(crate) fn compact(
    header: &Protected<'_>,
    claims: &impl Serialize,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>>,
) -> Result<String> {
    let header = serde_json::to_vec(header).map_err(|_| Error::Json)?;
    let claims = serde_json::to_vec(claims).map_err(|_| Error::Json)?;
    let input = format!("{}.{}", base64url::encode(header), base64url::encode(claims));
    let signature = base64url::encode(sign(input.as_bytes())?);
    let token = format!("{input}.{signature}");
    if token.len() > MAX_TOKEN_BYTES { Err(Error::TooLong) } else { Ok(token) }
}
