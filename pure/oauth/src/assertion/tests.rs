use serde_json::{Value, json};

use super::*;
use crate::ErrorCode;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://id.example";
const TOKEN: &str = "https://id.example/token";

fn checked(changes: Value) -> Result<AssertionUse, TokenError> {
    let mut claims =
        json!({"iss": "web", "sub": "web", "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "one"});
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    let claims: Claims = serde_json::from_value(claims).unwrap();
    check(&claims, &"web".parse().unwrap(), ISSUER, &[TOKEN], NOW)
}

#[test]
fn a_proper_assertion_is_used_once() {
    for changes in [
        json!({}),
        json!({"aud": TOKEN}),
        json!({"aud": [ISSUER]}),
        json!({"aud": [TOKEN, ISSUER]}),
        json!({"iat": null}),
        json!({"nbf": NOW + LEEWAY, "iat": NOW + LEEWAY}),
        json!({"jti": "ü".repeat(256)}),
    ] {
        let used = checked(changes.clone()).unwrap_or_else(|error| panic!("{changes}: {error}"));
        assert_eq!(used.expires_at, NOW + 60 + LEEWAY);
    }
    assert_eq!(checked(json!({"exp": NOW - 59})).unwrap().expires_at, NOW + 1);
    assert!(checked(json!({"exp": NOW + MAX_LIFETIME + LEEWAY})).is_ok());
}

#[test]
fn abuse_42_an_assertion_without_a_name_is_refused() {
    for jti in [json!(null), json!(""), json!("x".repeat(257))] {
        assert!(checked(json!({ "jti": jti })).is_err(), "{jti}");
    }
    // It is remembered until nothing can be done with it any more.
    assert!(checked(json!({"exp": NOW - LEEWAY})).is_err());
}

#[test]
fn abuse_43_audience_and_times_are_checked() {
    for changes in [
        json!({"aud": null}),
        json!({"aud": []}),
        json!({"aud": "https://other.example"}),
        json!({"aud": [ISSUER, "https://other.example"]}),
        json!({"aud": "https://id.example/"}),
        json!({"aud": "https://id.example/token?x"}),
        json!({"aud": "https://ID.example"}),
        json!({"exp": null}),
        json!({"exp": NOW - LEEWAY}),
        json!({"exp": NOW + MAX_LIFETIME + LEEWAY + 1}),
        json!({"exp": i64::MAX}),
        json!({"nbf": NOW + LEEWAY + 1}),
        json!({"iat": NOW + LEEWAY + 1}),
        json!({"iat": NOW - MAX_LIFETIME - LEEWAY - 1}),
        json!({"iat": i64::MIN}),
        json!({"iss": null}),
        json!({"sub": null}),
        json!({"iss": "other"}),
        json!({"sub": "other"}),
        json!({"iss": "other", "sub": "other"}),
        json!({"iss": "https://issuer.example"}),
    ] {
        let error = checked(changes.clone()).unwrap_err();
        assert_eq!((error.code(), error.status()), (ErrorCode::InvalidClient, 401), "{changes}");
    }
}
