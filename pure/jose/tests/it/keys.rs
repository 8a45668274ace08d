//! Keys: made, written, read and refused.

use jose::{Algorithm, Error, HmacKey, Jwk, JwkSet, Keys, SigningKey, Typ, VerifyingKey, verify};
use serde_json::{Value, json};

use crate::support::{ASYMMETRIC, encode, key};

/// RFC 7638 section 3.1.
const RFC_7638: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;

fn import(key: &Value) -> Result<Jwk, serde_json::Error> {
    serde_json::from_value(key.clone())
}

#[test]
fn thumbprints_match_the_standards() {
    let rsa: Jwk = serde_json::from_str(RFC_7638).unwrap();
    assert_eq!(rsa.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_eq!(rsa.kid(), Some("2011-04-29"));
    // RFC 8037 appendix A.3.
    let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    let ed25519 = import(&json!({"kty": "OKP", "crv": "Ed25519", "x": x})).unwrap();
    assert_eq!(ed25519.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_key_is_named_by_its_thumbprint_unless_it_has_a_name() {
    for algorithm in ASYMMETRIC {
        let key = key(algorithm);
        assert_eq!(key.signing.kid(), key.signing.public_jwk().thumbprint());
        let named = SigningKey::from_pkcs8(algorithm, Some("k1"), key.der.as_ref()).unwrap();
        assert_eq!((named.kid(), named.public_jwk().kid()), ("k1", Some("k1")));
    }
}

#[test]
fn published_keys_read_back_and_verify() {
    for algorithm in ASYMMETRIC {
        let signing = &key(algorithm).signing;
        let set: JwkSet = [signing.public_jwk().clone()].into_iter().collect();
        let text = serde_json::to_string(&set).unwrap();
        let read: JwkSet = serde_json::from_str(&text).unwrap();
        assert_eq!(read, set);
        let published = &serde_json::from_str::<Value>(&text).unwrap()["keys"][0];
        assert_eq!(published["use"], "sig");
        assert_eq!(published["alg"], algorithm.as_str());
        let token = signing.sign(Typ::AccessToken, &json!({})).unwrap();
        let keys = Keys::from_set(&read, algorithm).unwrap();
        verify(&token, &keys, Typ::AccessToken).unwrap();
    }
}

#[test]
fn private_members_are_dropped() {
    let secret = encode([0x5e; 32]);
    for algorithm in ASYMMETRIC {
        let mut key = serde_json::to_value(key(algorithm).signing.public_jwk()).unwrap();
        for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            key[member] = json!(secret);
        }
        let imported = import(&key).unwrap();
        assert!(!serde_json::to_string(&imported).unwrap().contains(&secret));
        assert!(!format!("{imported:?}").contains("94, 94"));
    }
}

#[test]
fn secrets_are_not_shown() {
    let key = key(Algorithm::Es256);
    assert_eq!(format!("{:?}", key.der), "PrivateKeyDer(..)");
    assert_eq!(format!("{:?}", HmacKey::new(&[1; 32]).unwrap()), "HmacKey(..)");
    let shown = format!("{:?} {:?}", key.signing, key.keys());
    assert!(shown.contains("Es256") && !shown.contains("Ecdsa"), "{shown}");
}

#[test]
fn symmetric_keys_enter_no_set() {
    let oct = json!({"kty": "oct", "k": encode([1; 32]), "kid": "s"});
    assert!(import(&oct).unwrap_err().to_string().contains(&Error::SymmetricKey.to_string()));
    let public = key(Algorithm::Es256).signing.public_jwk();
    let set = serde_json::from_value::<JwkSet>(json!({"keys": [public, oct]}));
    assert!(set.unwrap_err().to_string().contains(&Error::SymmetricKey.to_string()));
    assert_eq!(HmacKey::new(&[1; 31]).unwrap_err(), Error::WeakKey);
    assert_eq!(SigningKey::generate(Algorithm::Hs256).unwrap_err(), Error::SymmetricKey);
}

#[test]
fn unfit_keys_are_refused_alone_and_left_out_of_sets() {
    let good = json!({
        "kty": "EC", "crv": "P-256",
        "x": "04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY",
        "y": "UI8exy-C06a7DUnjIdENkxeFtHM4-l_41LqEw9nVgmw",
    });
    import(&good).unwrap();
    for (member, value) in [
        ("kty", json!("RSA")),
        ("kty", json!("ec")),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
        ("x", json!("A4N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY")),
        ("x", json!("04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wZ")),
        ("x", json!("04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO7wY=")),
        ("x", json!("04N0xi21hshyvBp7I167sbE_bXqyqkAPfefdklMO")),
        ("y", json!(null)),
        ("alg", json!("ES384")),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("use", json!("wrap")),
    ] {
        let mut key = good.clone();
        key[member] = value;
        assert!(import(&key).is_err(), "{key}");
        let set: JwkSet = serde_json::from_value(json!({"keys": [key, good]})).unwrap();
        assert_eq!(set.keys.len(), 1);
    }
    let twice =
        r#"{"kty":"OKP","kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert!(serde_json::from_str::<Jwk>(twice).is_err());
}

#[test]
fn keys_meant_for_something_else_do_not_verify() {
    let mut key: Value = serde_json::from_str(RFC_7638).unwrap();
    key.as_object_mut().unwrap().remove("alg");
    let fit = |key: &Value, algorithm| {
        VerifyingKey::from_jwk(&import(key).unwrap(), algorithm).map(|key| key.algorithm())
    };
    assert_eq!(fit(&key, Algorithm::Rs256), Ok(Algorithm::Rs256));
    assert_eq!(fit(&key, Algorithm::Ps256), Ok(Algorithm::Ps256));
    assert_eq!(fit(&key, Algorithm::Es256), Err(Error::InvalidKey));
    key["key_ops"] = json!(["verify"]);
    assert_eq!(fit(&key, Algorithm::Rs256), Ok(Algorithm::Rs256));
    key["key_ops"] = json!(["encrypt"]);
    assert_eq!(fit(&key, Algorithm::Rs256), Err(Error::InvalidKey));
    key["key_ops"] = json!(null);
    key["use"] = json!("enc");
    assert_eq!(fit(&key, Algorithm::Rs256), Err(Error::InvalidKey));
    key["use"] = json!("sig");
    key["alg"] = json!("PS256");
    assert_eq!(fit(&key, Algorithm::Rs256), Err(Error::InvalidKey));
}

#[test]
fn sets_are_bounded() {
    let key = key(Algorithm::EdDsa).signing.public_jwk();
    let set = |count| serde_json::from_value::<JwkSet>(json!({"keys": vec![key; count]}));
    assert_eq!(set(64).unwrap().keys.len(), 64);
    assert!(set(65).unwrap_err().to_string().contains(&Error::TooManyKeys.to_string()));
}

#[test]
fn private_keys_of_another_kind_are_refused() {
    for made in ASYMMETRIC {
        for read in Algorithm::ALL {
            let rsa = [Algorithm::Rs256, Algorithm::Ps256];
            let fits = made == read || rsa.contains(&made) && rsa.contains(&read);
            let result = SigningKey::from_pkcs8(read, None, key(made).der.as_ref());
            assert_eq!(result.is_ok(), fits, "{made} as {read}");
        }
    }
    assert_eq!(SigningKey::from_pkcs8(Algorithm::EdDsa, None, &[]).unwrap_err(), Error::InvalidKey);
}

/// RFC 8410 section 10.3: OpenSSL writes Ed25519 keys without the public half.
#[test]
fn ed25519_keys_without_the_public_half_are_read() {
    let seed = crate::support::decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let prefix = [48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
    let der = [prefix.as_slice(), &seed].concat();
    let signing = SigningKey::from_pkcs8(Algorithm::EdDsa, None, &der).unwrap();
    assert_eq!(signing.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn a_set_is_an_object_and_has_its_keys_once() {
    for text in ["[[]]", "[]", r#"{"keys":[],"keys":[]}"#, r#"{"key":[]}"#] {
        assert!(serde_json::from_str::<JwkSet>(text).is_err(), "{text}");
    }
    let more: JwkSet = serde_json::from_str(r#"{"kid":1,"keys":[],"x":{}}"#).unwrap();
    assert!(more.keys.is_empty());
}
