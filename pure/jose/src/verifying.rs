//! Keys that verify: each pinned to one algorithm, chosen by the caller and by `kid`.

use std::{collections::HashSet, fmt, sync::Arc};

use aws_lc_rs::{hmac, signature::ParsedPublicKey};

use crate::{Algorithm, Error, Jwk, JwkSet, Result};

/// A key that verifies signatures of exactly one algorithm.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    kid: Option<String>,
    verifier: Verifier,
}

#[derive(Clone)]
enum Verifier {
    Public(ParsedPublicKey),
    Secret(Arc<hmac::Key>),
}

impl VerifyingKey {
    /// Pins a public key to an algorithm. A key without `kid` is known by its thumbprint.
    ///
    /// # Errors
    /// [`Error::SymmetricKey`] for HS256; [`Error::InvalidKey`] if the key is of another kind, or
    /// says that it is for another algorithm or not for signatures.
    pub fn from_jwk(key: &Jwk, algorithm: Algorithm) -> Result<Self> {
        if algorithm.is_symmetric() {
            return Err(Error::SymmetricKey);
        }
        let verifier = Verifier::Public(key.verifier(algorithm)?);
        let kid = key.kid().map_or_else(|| key.thumbprint(), str::to_owned);
        Ok(Self { algorithm, kid: Some(kid), verifier })
    }

    pub(crate) fn from_secret(secret: Arc<hmac::Key>) -> Self {
        Self { algorithm: Algorithm::Hs256, kid: None, verifier: Verifier::Secret(secret) }
    }

    /// The one algorithm this key verifies.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's id; a shared secret has none.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    fn answers_to(&self, kid: Option<&str>) -> bool {
        match (&self.kid, kid) {
            (Some(own), Some(asked)) => own == asked,
            _ => true,
        }
    }

    fn verify(&self, input: &[u8], signature: &[u8]) -> Result<()> {
        let verified = match &self.verifier {
            Verifier::Public(key) => key.verify_sig(input, signature),
            Verifier::Secret(key) => hmac::verify(key, input, signature),
        };
        verified.map_err(|_| Error::Signature)
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// The keys one token may be signed with: those of one issuer or one client.
#[derive(Clone, Debug, Default)]
pub struct Keys(Vec<VerifyingKey>);

impl Keys {
    /// Collects keys.
    ///
    /// # Errors
    /// [`Error::DuplicateKid`] if two keys of one algorithm share an id: which of them a token
    /// means would be open.
    pub fn new(keys: Vec<VerifyingKey>) -> Result<Self> {
        let mut seen = HashSet::new();
        let mut names = keys.iter().filter_map(|key| Some((key.algorithm, key.kid.as_deref()?)));
        if names.all(|name| seen.insert(name)) { Ok(Self(keys)) } else { Err(Error::DuplicateKid) }
    }

    /// Takes from a set the keys that can verify one algorithm, and pins them to it; there may be
    /// none.
    ///
    /// # Errors
    /// [`Error::DuplicateKid`] as in [`Self::new`].
    pub fn from_set(set: &JwkSet, algorithm: Algorithm) -> Result<Self> {
        let fit = |key| VerifyingKey::from_jwk(key, algorithm).ok();
        Self::new(set.keys.iter().filter_map(fit).collect())
    }

    /// Verifies a signature with the key of this id; without an id, with each key of the
    /// algorithm.
    pub(crate) fn verify(
        &self,
        (algorithm, kid): (Algorithm, Option<&str>),
        input: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        let (fit, other): (Vec<_>, Vec<_>) =
            self.0.iter().filter(|key| key.answers_to(kid)).partition(|key| key.algorithm == algorithm);
        if fit.is_empty() {
            return Err(if other.is_empty() { Error::UnknownKey } else { Error::AlgorithmMismatch });
        }
        let verified = fit.iter().any(|key| key.verify(input, signature).is_ok());
        verified.then_some(()).ok_or(Error::Signature)
    }
}

impl From<VerifyingKey> for Keys {
    fn from(key: VerifyingKey) -> Self {
        Self(vec![key])
    }
}
