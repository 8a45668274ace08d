//! Vectors that others made: Wycheproof's and RFC 7520's, found by `KEYWARD_VECTORS`.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::{Algorithm, HmacKey, Jwk, JwkSet, Keys, Typ, VerifyingKey, verify};
use serde_json::Value;

/// Where we deliberately answer otherwise than Wycheproof, and why.
const WAIVED_SIGNATURES: [(u64, u64, &str); 9] = [
    (264, 271, "RS384 and RS512 are not offered: RS256 is what everybody has"),
    (320, 323, "PS384 is not offered"),
    (325, 328, "PS512 is not offered"),
    (346, 346, "the key says PS256, the token PS384: the key's algorithm counts"),
    (347, 347, "P-521 is not offered"),
    (350, 351, "as 346 and 347, with key_ops"),
    (367, 367, "said to be invalid, but letter for letter the valid token of case 357"),
    (370, 370, "as 367: the padding it is about is not there"),
    (372, 373, "said to be valid with a `?` inside: base64url has no such character"),
];
const WAIVED_KEYS: [(u64, u64, &str); 1] =
    [(14, 15, "HS384 and HS512 are not offered: HS256 is there for old clients only")];

/// A file of the vectors, or `None` with the reason printed.
fn vectors(path: &str) -> Option<Value> {
    let Some(folder) = env::var_os("KEYWARD_VECTORS") else {
        println!("skipped: KEYWARD_VECTORS is not set, so there is no {path}");
        return None;
    };
    // A relative folder is meant from the root of the project, where `make` runs.
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read(root.join(folder).join("jose").join(path)).unwrap();
    Some(serde_json::from_slice(&text).unwrap())
}

/// The verifying keys of a JSON key or key set, of whatever kind, as an application configures
/// them: secrets by hand, public keys through a set, algorithms from the keys.
fn keys(source: &Value) -> Keys {
    let entries = source["keys"].as_array().cloned().unwrap_or_else(|| vec![source.clone()]);
    let (secrets, public): (Vec<_>, Vec<_>) = entries.into_iter().partition(|entry| entry["kty"] == "oct");
    if !secrets.is_empty() && !public.is_empty() {
        let mixed = serde_json::from_value::<JwkSet>(source.clone());
        assert!(mixed.is_err(), "a set of public and symmetric keys is refused");
        return Keys::default();
    }
    // A secret that does not decode is a configuration that does not load (case 4 has one).
    let Some(secrets) = secrets.iter().map(secret).collect::<Option<Vec<_>>>() else {
        return Keys::default();
    };
    let public = public.iter().filter_map(|entry| {
        let key: Jwk = serde_json::from_value(entry.clone()).ok()?;
        let usual = if entry["kty"] == "RSA" { Algorithm::Rs256 } else { Algorithm::Es256 };
        VerifyingKey::from_jwk(&key, key.algorithm().unwrap_or(usual)).ok()
    });
    Keys::new(secrets.into_iter().chain(public).collect()).unwrap_or_default()
}

/// The secret of an `oct` key for HS256, if it is one and strong enough.
fn secret(entry: &Value) -> Option<VerifyingKey> {
    let bytes = URL_SAFE_NO_PAD.decode(entry["k"].as_str()?).ok()?;
    let secret = HmacKey::new(&bytes).ok().filter(|_| entry["alg"] == "HS256")?;
    Some(secret.verifying_key())
}

/// Runs a Wycheproof file. Fails on any case that is neither answered as expected nor waived, and
/// on any waiver that is not needed.
fn run_wycheproof(path: &str, waived: &[(u64, u64, &str)]) {
    let Some(file) = vectors(path) else { return };
    let mut unexpected = BTreeMap::new();
    let mut count = 0;
    for group in file["testGroups"].as_array().unwrap() {
        let source = group.get("public").unwrap_or(&group["private"]);
        let keys = keys(source);
        for test in group["tests"].as_array().unwrap() {
            let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            let accepted = verify(&token, &keys, Typ::IdToken).is_ok();
            count += 1;
            if test["result"] != "acceptable" && accepted != (test["result"] == "valid") {
                unexpected.insert(test["tcId"].as_u64().unwrap(), test["comment"].to_string());
            }
        }
    }
    assert_eq!(Some(count), file["numberOfTests"].as_u64());
    for &(first, last, reason) in waived {
        for id in first..=last {
            assert!(unexpected.remove(&id).is_some(), "case {id} needs no waiver ({reason})");
        }
    }
    assert!(unexpected.is_empty(), "{path}: {unexpected:#?}");
}

#[test]
fn wycheproof_signatures() {
    run_wycheproof("json_web_signature_test.json", &WAIVED_SIGNATURES);
}

#[test]
fn wycheproof_keys() {
    run_wycheproof("json_web_key_test.json", &WAIVED_KEYS);
}

/// RFC 7520 section 4 and RFC 8037 appendix A, as far as we offer the algorithm.
#[test]
fn rfc_7520_signatures() {
    for (name, offered) in [
        ("jws/4_1.rsa_v15_signature.json", true),
        ("jws/4_2.rsa-pss_signature.json", false), // PS384
        ("jws/4_3.ecdsa_signature.json", false),   // ES512
        ("jws/4_4.hmac-sha2_integrity_protection.json", true),
        ("curve25519/jws.json", true),
        ("rfc7797/hmac-sha2_b64_false.json", false), // an unencoded payload
    ] {
        let Some(example) = vectors(&format!("rfc7520-cookbook/{name}")) else { return };
        let input = &example["input"];
        let Some(token) = example["output"]["compact"].as_str() else {
            assert!(!offered, "{name} has no compact form");
            continue;
        };
        let verified = match input["alg"].as_str().unwrap().parse::<Algorithm>() {
            Ok(algorithm) => {
                let mut key = input["key"].clone();
                key["alg"] = serde_json::json!(algorithm);
                verify(token, &keys(&key), Typ::IdToken).ok()
            }
            Err(_) => None,
        };
        assert_eq!(verified.is_some(), offered, "{name}");
        if let Some(verified) = verified {
            assert_eq!(verified.payload, input["payload"].as_str().unwrap().as_bytes(), "{name}");
        }
    }
}

/// RFC 7520 section 3: the public keys, alone and out of the private ones, are the same key.
#[test]
fn rfc_7520_keys() {
    let read = |name: &str| vectors(&format!("rfc7520-cookbook/jwk/{name}.json"));
    let Some(public) = read("3_3.rsa_public_key") else { return };
    let private = read("3_4.rsa_private_key").unwrap();
    let public: Jwk = serde_json::from_value(public).unwrap();
    let imported: Jwk = serde_json::from_value(private.clone()).unwrap();
    assert_eq!(imported, public);
    assert!(!serde_json::to_string(&imported).unwrap().contains(private["d"].as_str().unwrap()));
    for name in ["3_5.symmetric_key_mac_computation", "3_6.symmetric_key_encryption"] {
        assert!(serde_json::from_value::<Jwk>(read(name).unwrap()).is_err(), "{name}");
    }
}
