use jose::{Algorithm, HmacKey, JwkSet, Keys, SigningKey, Typ};
use serde_json::{Value, json};

use super::*;
use crate::{AuthMethod, Client, ErrorCode, Params, token::ClientAuth};

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

/// The whole way of an assertion, as an endpoint goes it.
fn authenticated(client: &Client, token: &str) -> Result<AssertionUse, TokenError> {
    let form: Params = [("client_assertion_type", TYPE), ("client_assertion", token)].into_iter().collect();
    let presented = ClientAuth::from_request(None, &form)?;
    let assertion = presented.check_assertion(client)?;
    let keys = Keys::from_set(client.jwks.as_ref().unwrap(), assertion.algorithm).unwrap();
    let verified = jose::verify(assertion.token.expose(), &keys, Typ::ClientAssertion);
    let claims: Claims = verified.map_err(|_| presented.invalid_client())?.claims().unwrap();
    check(&claims, &client.client_id, ISSUER, &[TOKEN], NOW)
}

#[test]
fn abuse_40_the_key_and_its_algorithm_decide() {
    let key = || {
        let der = SigningKey::generate(Algorithm::Es256).unwrap();
        SigningKey::from_pkcs8(Algorithm::Es256, None, der.as_ref()).unwrap()
    };
    let (own, other) = (key(), key());
    let jwk = own.public_jwk().clone();
    let client = Client {
        token_endpoint_auth_method: Some(AuthMethod::PrivateKeyJwt),
        jwks: Some(JwkSet::from_iter([jwk.clone()])),
        ..Client::new("web".parse().unwrap())
    };
    let claims = json!({"iss": "web", "sub": "web", "aud": TOKEN, "exp": NOW + 60, "jti": "one"});
    let token = own.sign(Typ::ClientAssertion, &claims).unwrap();
    assert_eq!(authenticated(&client, &token).unwrap().jti, "one");
    let public = serde_json::to_vec(&jwk).unwrap();
    let forgeries = [
        other.sign(Typ::ClientAssertion, &claims).unwrap(),
        HmacKey::new(&public).unwrap().sign(Typ::ClientAssertion, &claims).unwrap(),
        own.sign(Typ::AccessToken, &claims).unwrap(),
        own.sign(Typ::LogoutToken, &claims).unwrap(),
        token.rsplit_once('.').unwrap().0.to_owned() + ".",
    ];
    for forged in forgeries {
        assert_eq!(authenticated(&client, &forged).unwrap_err().code(), ErrorCode::InvalidClient, "{forged}");
    }
}
