//! Private keys: made once, parsed once, used often.

use std::fmt;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding,
        RsaKeyPair,
    },
};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::{
    Algorithm, Error, Jwk, Result, Typ, VerifyingKey,
    jwk::Material,
    rsa,
    token::{self, Protected},
};

/// A private key in PKCS#8, to be sealed by the caller. Wiped on drop, never shown.
pub struct PrivateKeyDer(Zeroizing<Vec<u8>>);

impl PrivateKeyDer {
    fn new(der: &[u8]) -> Self {
        Self(Zeroizing::new(der.to_vec()))
    }
}

impl AsRef<[u8]> for PrivateKeyDer {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for PrivateKeyDer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PrivateKeyDer(..)")
    }
}

/// A private key with its algorithm and id, ready to sign. Keep it: parsing costs more than signing.
pub struct SigningKey {
    algorithm: Algorithm,
    public: Jwk,
    kid: String,
    pair: Pair,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a new private key with the operating system's randomness. RSA keys have 2048 bits.
    ///
    /// # Errors
    /// [`Error::SymmetricKey`] for HS256; [`Error::Crypto`] when there is no randomness.
    pub fn generate(algorithm: Algorithm) -> Result<PrivateKeyDer> {
        let ecdsa = |kind| {
            let pair = EcdsaKeyPair::generate(kind).map_err(|_| Error::Crypto)?;
            pair.to_pkcs8v1().map_err(|_| Error::Crypto)
        };
        match algorithm {
            Algorithm::Es256 => {
                ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING).map(|der| PrivateKeyDer::new(der.as_ref()))
            }
            Algorithm::Es384 => {
                ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING).map(|der| PrivateKeyDer::new(der.as_ref()))
            }
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::Crypto)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| Error::Crypto)?;
                Ok(PrivateKeyDer::new(der.as_ref()))
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(|_| Error::Crypto)?;
                let der = pair.to_pkcs8().map_err(|_| Error::Crypto)?;
                Ok(PrivateKeyDer::new(der.as_ref()))
            }
            Algorithm::Hs256 => Err(Error::SymmetricKey),
        }
    }

    /// Parses a private key in unencrypted PKCS#8. Without a `kid` it is named by its thumbprint.
    ///
    /// # Errors
    /// [`Error::InvalidKey`] if it is not a key for the algorithm, [`Error::WeakKey`] if it is
    /// breakable, [`Error::SymmetricKey`] for HS256.
    pub fn from_pkcs8(algorithm: Algorithm, kid: Option<&str>, der: &[u8]) -> Result<Self> {
        let pair = Pair::parse(algorithm, der)?;
        let public = Jwk::new(algorithm, kid, pair.public()?)?;
        let kid = kid.map_or_else(|| public.thumbprint(), str::to_owned);
        Ok(Self { algorithm, public, kid, pair })
    }

    /// The one algorithm this key signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key's id.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The public key, as a JWKS endpoint publishes it.
    #[must_use]
    pub const fn public_jwk(&self) -> &Jwk {
        &self.public
    }

    /// The public key, ready to verify what this key signs.
    ///
    /// # Errors
    /// None in practice: the key was checked when it was parsed.
    pub fn verifying_key(&self) -> Result<VerifyingKey> {
        VerifyingKey::from_jwk(&self.public, self.algorithm)
    }

    /// Signs claims as a token of a type: a compact JWS (RFC 7515 section 7.1).
    ///
    /// # Errors
    /// [`Error::Json`] if the claims do not serialise, [`Error::TooLong`] if nobody would read it,
    /// [`Error::Crypto`] if the library fails.
    pub fn sign(&self, typ: Typ, claims: &impl Serialize) -> Result<String> {
        let header = Protected { algorithm: self.algorithm, typ: typ.as_str(), kid: Some(&self.kid) };
        token::compact(&header, claims, |input| self.pair.sign(input))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

impl Pair {
    fn parse(algorithm: Algorithm, der: &[u8]) -> Result<Self> {
        let ecdsa =
            |kind: &'static EcdsaSigningAlgorithm| EcdsaKeyPair::from_pkcs8(kind, der).map(Self::Ecdsa);
        let rsa = |encoding| RsaKeyPair::from_pkcs8(der).map(|pair| Self::Rsa(pair, encoding));
        let pair = match algorithm {
            Algorithm::Es256 => ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::Rs256 => rsa(&RSA_PKCS1_SHA256),
            Algorithm::Ps256 => rsa(&RSA_PSS_SHA256),
            // Other programs write Ed25519 keys without the public half; that is no defect.
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map(Self::Ed25519),
            Algorithm::Hs256 => return Err(Error::SymmetricKey),
        };
        pair.map_err(|_| Error::InvalidKey)
    }

    fn public(&self) -> Result<Material> {
        match self {
            Self::Ecdsa(pair) => {
                let point = pair.public_key().as_ref();
                let (_, coordinates) = point.split_first().ok_or(Error::InvalidKey)?;
                let (x, y) = coordinates.split_at(coordinates.len() / 2);
                let (x, y) = (x.to_vec(), y.to_vec());
                Ok(if x.len() == 32 { Material::P256 { x, y } } else { Material::P384 { x, y } })
            }
            Self::Rsa(pair, _) => {
                let (n, e) = rsa::components(pair.public_key().as_ref())?;
                rsa::check(&n, &e)?;
                Ok(Material::Rsa { n, e })
            }
            Self::Ed25519(pair) => Ok(Material::Ed25519 { x: pair.public_key().as_ref().to_vec() }),
        }
    }

    fn sign(&self, input: &[u8]) -> Result<Vec<u8>> {
        #[expect(clippy::disallowed_methods, reason = "a handle that ECDSA and PSS ask for")]
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(pair) => {
                let signature = pair.sign(&random, input).map_err(|_| Error::Crypto)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, input, &mut signature).map_err(|_| Error::Crypto)?;
                Ok(signature)
            }
            Self::Ed25519(pair) => {
                let signature = pair.try_sign(input).map_err(|_| Error::Crypto)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}
