//! Symmetric keys: secrets shared with one client, kept apart from public keys by their type.

use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;
use serde::Serialize;

use crate::{
    Algorithm, Error, Result, Typ, VerifyingKey,
    token::{self, Protected},
};

/// A secret for HS256. It is made on purpose from a client's secret, never from a key set, so that
/// no public key can be taken for one.
#[derive(Clone)]
pub struct HmacKey(Arc<hmac::Key>);

impl HmacKey {
    /// The fewest bytes of a secret: as many as the hash has (RFC 7518 section 3.2).
    pub const MIN_BYTES: usize = 32;

    /// Takes the secret's bytes.
    ///
    /// # Errors
    /// [`Error::WeakKey`] if there are fewer than [`Self::MIN_BYTES`].
    pub fn new(secret: &[u8]) -> Result<Self> {
        if secret.len() < Self::MIN_BYTES {
            return Err(Error::WeakKey);
        }
        Ok(Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret))))
    }

    /// Signs claims as a token of a type: a compact JWS without `kid`.
    ///
    /// # Errors
    /// [`Error::Json`] if the claims do not serialise, [`Error::TooLong`] if nobody would read it.
    pub fn sign(&self, typ: Typ, claims: &impl Serialize) -> Result<String> {
        let header = Protected { algorithm: Algorithm::Hs256, typ: typ.as_str(), kid: None };
        token::compact(&header, claims, |input| Ok(hmac::sign(&self.0, input).as_ref().to_vec()))
    }

    /// The same secret, ready to verify. It fits whatever `kid` a token has: the client names it.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::from_secret(Arc::clone(&self.0))
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HmacKey(..)")
    }
}
