//! Attacks that worked on others, by their number in our list of abuse cases.

use jose::{Algorithm, Error, JwkSet, Keys, MAX_TOKEN_BYTES, SigningKey, Typ, VerifyingKey, verify};
use serde_json::{Value, json};

use crate::support::{self, TestKey, encode, forge_es256, forge_hs256, key, keys, sign};

const CLAIMS: &str = r#"{"sub":"alice"}"#;

fn refused(token: &str, keys: &Keys) -> Error {
    verify(token, keys, Typ::IdToken).expect_err(token)
}

/// A truncated token stayed valid elsewhere.
#[test]
fn abuse_33_every_truncation_extension_and_bit_flip_is_refused() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Hs256] {
        let token = sign(algorithm, Typ::IdToken, &json!({"sub": "alice"})).unwrap();
        let keys = keys(algorithm);
        verify(&token, &keys, Typ::IdToken).unwrap();
        for length in 0..token.len() {
            refused(&token[..length], &keys);
            refused(&token[length + 1..], &keys);
        }
        for addition in ["A", "AA", "AAAA", "=", "==", ".", "\0", "\n", " "] {
            refused(&format!("{token}{addition}"), &keys);
            refused(&format!("{addition}{token}"), &keys);
        }
        for (position, bit) in (0..token.len()).flat_map(|at| (0..7).map(move |bit| (at, bit))) {
            let mut changed = token.clone().into_bytes();
            changed[position] ^= 1 << bit;
            refused(std::str::from_utf8(&changed).unwrap(), &keys);
        }
        refused(&token.to_lowercase(), &keys);
        refused(&token.to_uppercase(), &keys);
    }
}

#[test]
fn abuse_33_bit_flips_in_rsa_signatures_are_refused() {
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es384] {
        let token = sign(algorithm, Typ::IdToken, &json!({"sub": "alice"})).unwrap();
        for position in (0..token.len()).step_by(7) {
            let mut changed = token.clone().into_bytes();
            changed[position] ^= 2;
            refused(std::str::from_utf8(&changed).unwrap(), &keys(algorithm));
        }
    }
}

#[test]
fn abuse_40_hs256_with_the_public_key_is_refused() {
    for algorithm in support::ASYMMETRIC {
        let public = key(algorithm).signing.public_jwk();
        let keys = keys(algorithm);
        let jwk = serde_json::to_value(public).unwrap();
        let text = serde_json::to_string(public).unwrap();
        let member = if algorithm == Algorithm::Rs256 || algorithm == Algorithm::Ps256 { "n" } else { "x" };
        let raw = support::decode(jwk[member].as_str().unwrap());
        for secret in [text.as_bytes(), raw.as_slice(), b""] {
            let with_kid = json!({"alg": "HS256", "kid": public.kid()}).to_string();
            assert_eq!(refused(&forge_hs256(&with_kid, CLAIMS, secret), &keys), Error::AlgorithmMismatch);
            let without = forge_hs256(r#"{"alg":"HS256"}"#, CLAIMS, secret);
            assert_eq!(refused(&without, &keys), Error::AlgorithmMismatch);
        }
        let no_kid = VerifyingKey::from_jwk(public, Algorithm::Hs256);
        assert_eq!(no_kid.unwrap_err(), Error::SymmetricKey);
    }
}

#[test]
fn abuse_40_every_algorithm_is_refused_for_the_keys_of_every_other() {
    for signed in Algorithm::ALL {
        let token = sign(signed, Typ::IdToken, &json!({})).unwrap();
        for pinned in Algorithm::ALL.into_iter().filter(|&pinned| pinned != signed) {
            refused(&token, &keys(pinned));
        }
    }
    // One RSA key, one id, two algorithms: the pin decides.
    let rsa = key(Algorithm::Rs256);
    let as_ps256 = SigningKey::from_pkcs8(Algorithm::Ps256, None, rsa.der.as_ref()).unwrap();
    let token = as_ps256.sign(Typ::IdToken, &json!({})).unwrap();
    assert_eq!(as_ps256.kid(), rsa.signing.kid());
    assert_eq!(refused(&token, &rsa.keys()), Error::AlgorithmMismatch);
}

#[test]
fn abuse_40_none_is_refused() {
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let header = encode(json!({"alg": name}).to_string());
        for signature in ["", "AA", "bm9uZQ"] {
            let token = format!("{header}.{}.{signature}", encode(CLAIMS));
            for algorithm in Algorithm::ALL {
                refused(&token, &keys(algorithm));
            }
        }
    }
    for header in [r#"{"typ":"JWT"}"#, r#"{"alg":null}"#, r#"{"alg":["ES256"]}"#, r#"{"alg":1}"#] {
        let token = forge_es256(header, CLAIMS, key(Algorithm::Es256).der.as_ref());
        assert_eq!(refused(&token, &keys(Algorithm::Es256)), Error::Json, "{header}");
    }
}

#[test]
fn abuse_40_a_key_in_the_header_is_never_used() {
    let (ours, attacker) = (key(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let sources = json!({
        "jwk": attacker.signing.public_jwk(),
        "jku": "https://evil.example/jwks.json",
        "x5u": "https://evil.example/cert.pem",
        "x5c": ["MIIB"],
    });
    for (name, value) in sources.as_object().unwrap() {
        for kid in [ours.signing.kid(), attacker.signing.kid()] {
            let header = json!({"alg": "ES256", "kid": kid, name: value}).to_string();
            refused(&forge_es256(&header, CLAIMS, attacker.der.as_ref()), &ours.keys());
        }
        let header = json!({"alg": "ES256", name: value}).to_string();
        refused(&forge_es256(&header, CLAIMS, attacker.der.as_ref()), &ours.keys());
        // Ours stays good with such a header: it is not looked at.
        verify(&forge_es256(&header, CLAIMS, ours.der.as_ref()), &ours.keys(), Typ::IdToken).unwrap();
    }
}

#[test]
fn abuse_40_the_key_id_decides_and_is_unique() {
    let (first, second) = (TestKey::new(Algorithm::Es256), TestKey::new(Algorithm::Es256));
    let named =
        |key: &TestKey, kid| SigningKey::from_pkcs8(Algorithm::Es256, Some(kid), key.der.as_ref()).unwrap();
    let (a, b) = (named(&first, "a"), named(&second, "b"));
    let both = [&a, &b].map(|key| key.verifying_key().unwrap());
    let both = Keys::new(both.to_vec()).unwrap();
    let token = |kid: &str, key: &TestKey| {
        let header = json!({"alg": "ES256", "kid": kid}).to_string();
        forge_es256(&header, CLAIMS, key.der.as_ref())
    };
    verify(&token("a", &first), &both, Typ::IdToken).unwrap();
    assert_eq!(refused(&token("a", &second), &both), Error::Signature);
    assert_eq!(refused(&token("c", &first), &both), Error::UnknownKey);
    assert_eq!(refused(&token("", &first), &both), Error::UnknownKey);
    let without = forge_es256(r#"{"alg":"ES256"}"#, CLAIMS, second.der.as_ref());
    verify(&without, &both, Typ::IdToken).unwrap();

    let same = [named(&first, "a"), named(&second, "a")];
    let set: JwkSet = same.iter().map(|key| key.public_jwk().clone()).collect();
    assert_eq!(Keys::from_set(&set, Algorithm::Es256).unwrap_err(), Error::DuplicateKid);
}

#[test]
fn abuse_40_duplicate_members_are_refused() {
    let ours = key(Algorithm::Es256);
    for header in [
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"a","kid":"b"}"#,
        r#"{"alg":"ES256","x":1,"\u0078":1}"#,
    ] {
        let token = forge_es256(header, CLAIMS, ours.der.as_ref());
        assert_eq!(refused(&token, &ours.keys()), Error::Json, "{header}");
    }
    let twice = r#"{"sub":"alice","sub":"mallory"}"#;
    let token = forge_es256(r#"{"alg":"ES256"}"#, twice, ours.der.as_ref());
    let verified = verify(&token, &ours.keys(), Typ::IdToken).unwrap();
    assert_eq!(verified.claims::<Value>(), Err(Error::Json));
}

#[test]
fn abuse_40_a_token_of_one_type_is_refused_as_another() {
    let ours = key(Algorithm::Es256);
    let all = [Typ::IdToken, Typ::AccessToken, Typ::LogoutToken, Typ::ClientAssertion, Typ::RequestObject];
    let general = |typ: Typ| typ.as_str() == "JWT";
    for made in all {
        let token = ours.signing.sign(made, &json!({})).unwrap();
        for expected in all {
            let result = verify(&token, &ours.keys(), expected);
            let fits =
                made == expected || general(made) && (general(expected) || expected == Typ::RequestObject);
            assert_eq!(result.err(), (!fits).then_some(Error::WrongType), "{made:?} as {expected:?}");
        }
    }
}

#[test]
fn abuse_75_floods_of_dots_and_empty_parts_are_refused() {
    let keys = keys(Algorithm::Es256);
    for dots in [0, 1, 2, 3, 4, 1000, MAX_TOKEN_BYTES] {
        assert_eq!(refused(&".".repeat(dots), &keys), Error::NotCompact, "{dots} dots");
    }
    assert_eq!(refused(&".".repeat(MAX_TOKEN_BYTES + 1), &keys), Error::TooLong);
    let token = sign(Algorithm::Es256, Typ::IdToken, &json!({})).unwrap();
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    for parts in [
        ["", payload, signature],
        [header, "", signature],
        [header, payload, ""],
        ["", "", signature],
        [header, "", ""],
        ["e30", payload, signature],
        ["bnVsbA", payload, signature],
        ["W10", payload, signature],
    ] {
        refused(&parts.join("."), &keys);
    }
    for token in [format!("{token}."), format!(".{token}"), format!("{token}.{token}"), format!("{token}..")]
    {
        assert_eq!(refused(&token, &keys), Error::NotCompact);
    }
}

#[test]
fn abuse_75_oversized_tokens_are_neither_read_nor_made() {
    let ours = key(Algorithm::Es256);
    let padding = "x".repeat(MAX_TOKEN_BYTES);
    assert_eq!(ours.signing.sign(Typ::IdToken, &json!({"x": padding})), Err(Error::TooLong));
    let header = r#"{"alg":"ES256"}"#;
    let token = forge_es256(header, &padding, ours.der.as_ref());
    assert_eq!(refused(&token, &ours.keys()), Error::TooLong);
    let deep = "[".repeat(40_000);
    let token = forge_es256(&format!(r#"{{"alg":"ES256","x":{deep}"#), "", ours.der.as_ref());
    assert_eq!(refused(&token, &ours.keys()), Error::Json);
}

#[test]
fn abuse_75_extensions_and_compression_are_refused() {
    let ours = key(Algorithm::Es256);
    for header in [
        json!({"alg": "ES256", "crit": ["exp"], "exp": 1}),
        json!({"alg": "ES256", "crit": []}),
        json!({"alg": "ES256", "crit": null}),
        json!({"alg": "ES256", "crit": ["b64"], "b64": false}),
        json!({"alg": "ES256", "b64": true}),
        json!({"alg": "ES256", "zip": "DEF"}),
    ] {
        let token = forge_es256(&header.to_string(), CLAIMS, ours.der.as_ref());
        assert_eq!(refused(&token, &ours.keys()), Error::Extension, "{header}");
    }
}

/// An encrypted token must not pass where a signed one is asked for.
#[test]
fn abuse_75_five_parts_are_not_a_signed_token() {
    let ours = key(Algorithm::Es256);
    let header = r#"{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AA"}"#;
    let token = forge_es256(header, CLAIMS, ours.der.as_ref());
    assert_eq!(refused(&token, &ours.keys()), Error::UnsupportedAlgorithm);
    assert_eq!(refused(&format!("{token}.AA.AA"), &ours.keys()), Error::NotCompact);
}
