//! One key per algorithm, and tokens that only an attacker would make.

use std::sync::LazyLock;

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::{Algorithm, HmacKey, Keys, PrivateKeyDer, Result, SigningKey, Typ};
use serde_json::Value;

pub(crate) const ASYMMETRIC: [Algorithm; 5] =
    [Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256];

/// A private key and the same, parsed.
pub(crate) struct TestKey {
    pub(crate) der: PrivateKeyDer,
    pub(crate) signing: SigningKey,
}

impl TestKey {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let der = SigningKey::generate(algorithm).unwrap();
        let signing = SigningKey::from_pkcs8(algorithm, None, der.as_ref()).unwrap();
        Self { der, signing }
    }

    pub(crate) fn keys(&self) -> Keys {
        self.signing.verifying_key().unwrap().into()
    }
}

/// The same key in every test: RSA takes a while to make.
pub(crate) fn key(algorithm: Algorithm) -> &'static TestKey {
    static KEYS: LazyLock<Vec<TestKey>> =
        LazyLock::new(|| ASYMMETRIC.into_iter().map(TestKey::new).collect());
    KEYS.iter().find(|key| key.signing.algorithm() == algorithm).unwrap()
}

pub(crate) fn secret() -> HmacKey {
    HmacKey::new(&[7; 32]).unwrap()
}

/// Signs with the key of any algorithm.
pub(crate) fn sign(algorithm: Algorithm, typ: Typ, claims: &Value) -> Result<String> {
    match algorithm {
        Algorithm::Hs256 => secret().sign(typ, claims),
        _ => key(algorithm).signing.sign(typ, claims),
    }
}

/// The keys that verify what [`sign`] made.
pub(crate) fn keys(algorithm: Algorithm) -> Keys {
    match algorithm {
        Algorithm::Hs256 => secret().verifying_key().into(),
        _ => key(algorithm).keys(),
    }
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// A token with any header text, signed with the P-256 key of the PKCS#8.
pub(crate) fn forge_es256(header: &str, payload: &str, der: &[u8]) -> String {
    #[expect(clippy::disallowed_methods, reason = "a handle that ECDSA asks for")]
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).unwrap();
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = pair.sign(&random, input.as_bytes()).unwrap();
    format!("{input}.{}", encode(signature))
}

/// A token with any header text and an HMAC made with any bytes.
pub(crate) fn forge_hs256(header: &str, payload: &str, secret: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", encode(tag))
}
