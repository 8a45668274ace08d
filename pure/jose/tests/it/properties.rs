//! What holds for every input.

use jose::{Algorithm, Error, Typ, unverified_issuer, verify};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{keys, sign};

fn any_algorithm() -> impl Strategy<Value = Algorithm> {
    proptest::sample::select(Algorithm::ALL.to_vec())
}

fn any_typ() -> impl Strategy<Value = Typ> {
    proptest::sample::select(vec![
        Typ::IdToken,
        Typ::AccessToken,
        Typ::LogoutToken,
        Typ::ClientAssertion,
        Typ::RequestObject,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn what_is_signed_is_what_is_verified(
        algorithm in any_algorithm(),
        typ in any_typ(),
        issuer in ".{0,40}",
        members in proptest::collection::btree_map(".{0,20}", any::<(String, i64)>(), 0..8),
    ) {
        let mut claims = json!(members);
        claims["iss"] = json!(issuer);
        let token = sign(algorithm, typ, &claims).unwrap();
        let verified = verify(&token, &keys(algorithm), typ).unwrap();
        prop_assert_eq!(verified.header.algorithm, algorithm);
        prop_assert_eq!(verified.header.typ.as_deref(), Some(typ.as_str()));
        prop_assert_eq!(verified.claims::<Value>().unwrap(), claims);
        prop_assert_eq!(unverified_issuer(&token), Ok(issuer));
    }

    #[test]
    fn no_text_is_a_token(algorithm in any_algorithm(), text in "[A-Za-z0-9_.-]{0,200}|.{0,200}") {
        prop_assert!(verify(&text, &keys(algorithm), Typ::IdToken).is_err());
    }

    #[test]
    fn no_foreign_signature_holds(
        algorithm in any_algorithm(),
        signature in proptest::collection::vec(any::<u8>(), 1..520),
    ) {
        let token = sign(algorithm, Typ::IdToken, &json!({})).unwrap();
        let (input, _) = token.rsplit_once('.').unwrap();
        let forged = format!("{input}.{}", crate::support::encode(signature));
        prop_assert_eq!(
            verify(&forged, &keys(algorithm), Typ::IdToken).unwrap_err(),
            Error::Signature
        );
    }
}
