//! Tokens: no bytes but those that were signed verify, as no type but theirs; what is signed comes back
//! as it was.
//!
//! Input: two bytes of choices (type, key, kind of damage) and two of a place, then claims or a token.
#![no_main]

use jose::{Algorithm, HmacKey, Keys, MAX_TOKEN_BYTES, SigningKey, Typ, unverified_issuer, verify};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use std::sync::LazyLock;

const TYPES: [Typ; 5] =
    [Typ::IdToken, Typ::AccessToken, Typ::LogoutToken, Typ::ClientAssertion, Typ::RequestObject];

static KEYS: LazyLock<(SigningKey, HmacKey)> = LazyLock::new(|| {
    let der = SigningKey::generate(Algorithm::EdDsa).unwrap();
    (
        SigningKey::from_pkcs8(Algorithm::EdDsa, Some("k"), der.as_ref()).unwrap(),
        HmacKey::new(&[7; 32]).unwrap(),
    )
});

fuzz_target!(|input: &[u8]| {
    let Some((head, rest)) = input.split_first_chunk::<4>() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let (private, secret) = &*KEYS;
    let is_public = head[0] & 64 == 0;
    let key = if is_public { private.verifying_key().unwrap() } else { secret.verifying_key() };
    let keys = Keys::from(key);
    foreign(text, &keys);
    let Ok(claims) = serde_json::from_str::<Map<String, Value>>(text) else { return };
    let typ = TYPES[usize::from(head[0]) % TYPES.len()];
    let signed = if is_public { private.sign(typ, &claims) } else { secret.sign(typ, &claims) };
    let Ok(token) = signed else { return };
    assert!(token.len() <= MAX_TOKEN_BYTES);
    let verified = verify(&token, &keys, typ).expect("it was signed so");
    let again = verified.claims::<Map<String, Value>>().unwrap();
    assert!(again == claims || claims.values().any(has_fraction), "{again:?} in place of {claims:?}");
    assert_eq!(unverified_issuer(&token).ok().as_deref(), claims.get("iss").and_then(Value::as_str));
    for other in TYPES {
        let general = |typ| matches!(typ, Typ::IdToken | Typ::ClientAssertion);
        let same = other == typ || (general(typ) && (general(other) || other == Typ::RequestObject));
        assert_eq!(verify(&token, &keys, other).is_ok(), same, "{typ:?} as {other:?}");
    }
    let other = if is_public { secret.verifying_key() } else { private.verifying_key().unwrap() };
    assert!(verify(&token, &Keys::from(other), typ).is_err(), "the other key");
    damaged(&token, head, &keys, typ);
});

/// Whether reading it may round it.
fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(list) => list.iter().any(has_fraction),
        Value::Object(members) => members.values().any(has_fraction),
        _ => false,
    }
}

/// Text that nobody signed.
fn foreign(text: &str, keys: &Keys) {
    for typ in TYPES {
        assert!(verify(text, keys, typ).is_err());
    }
    if unverified_issuer(text).is_ok() {
        assert!(text.len() <= MAX_TOKEN_BYTES && text.split('.').count() == 3);
    }
}

fn damaged(token: &str, head: &[u8; 4], keys: &Keys, typ: Typ) {
    let at = usize::from(u16::from_be_bytes([head[2], head[3]])) % token.len();
    let mut bytes = token.as_bytes().to_vec();
    match head[1] % 4 {
        0 => bytes[at] ^= 1 << (head[1] / 4 % 7),
        1 => bytes.truncate(at),
        2 => bytes.insert(at, b"A=. \n"[usize::from(head[1] / 4) % 5]),
        _ => drop(bytes.remove(at)),
    }
    if let Ok(text) = std::str::from_utf8(&bytes)
        && text != token
    {
        assert!(verify(text, keys, typ).is_err(), "{text} in place of {token}");
    }
}
