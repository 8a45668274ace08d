//! Public keys: a key is read, written and read as the same, without anything private; a set holds what
//! its members are alone.
#![no_main]

use jose::{Algorithm, Jwk, JwkSet, Keys, VerifyingKey};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fuzz_target!(|input: &[u8]| {
    if let Ok(key) = serde_json::from_slice::<Jwk>(input) {
        alone(&key);
    }
    let Ok(value) = serde_json::from_slice::<Value>(input) else { return };
    // One key as a set of one, of two, and of too many.
    for copies in [1, 2, 65] {
        set(&json!({ "keys": vec![value.clone(); copies] }));
    }
    set(&value);
});

fn alone(key: &Jwk) {
    let written = serde_json::to_value(key).unwrap();
    let again: Jwk = serde_json::from_value(written.clone()).expect("what we write is read");
    assert_eq!(&again, key);
    assert_eq!(again.thumbprint(), key.thumbprint());
    let public = ["kty", "kid", "alg", "use", "key_ops", "crv", "x", "y", "n", "e"];
    assert!(written.as_object().unwrap().keys().all(|name| public.contains(&name.as_str())));
    // The thumbprint knows the material only (RFC 7638).
    let mut bare = written;
    for name in ["kid", "alg", "use", "key_ops"] {
        bare.as_object_mut().unwrap().remove(name);
    }
    if let Ok(bare) = serde_json::from_value::<Jwk>(bare) {
        assert_eq!(bare.thumbprint(), key.thumbprint());
    }
    for algorithm in Algorithm::ALL {
        if let Ok(verifying) = VerifyingKey::from_jwk(key, algorithm) {
            assert_eq!(verifying.algorithm(), algorithm);
            assert!(key.algorithm().is_none_or(|own| own == algorithm) && !algorithm.is_symmetric());
        }
    }
}

fn set(value: &Value) {
    let Ok(set) = serde_json::from_value::<JwkSet>(value.clone()) else { return };
    let members = value["keys"].as_array().unwrap();
    assert!(members.len() <= 64);
    let alone: Vec<Jwk> =
        members.iter().filter_map(|member| serde_json::from_value(member.clone()).ok()).collect();
    assert_eq!(set.keys, alone);
    let written = serde_json::to_string(&set).unwrap();
    assert_eq!(serde_json::from_str::<JwkSet>(&written).unwrap(), set);
    for algorithm in Algorithm::ALL {
        let _ = Keys::from_set(&set, algorithm);
    }
}
