use proptest::prelude::*;

use super::*;

#[test]
fn tokens_keep_to_the_grammar() {
    for good in ["openid", "orders.read", "urn:x:y", "!", "a/b?c=[d]"] {
        assert!(good.parse::<Scope>().is_ok(), "{good}");
    }
    for bad in ["", "a b", "a\"b", "a\\b", "ü", "a\tb", "a\u{7f}"] {
        assert_eq!(bad.parse::<Scope>(), Err(ScopeError), "{bad:?}");
    }
}

#[test]
fn order_and_repetition_mean_nothing() {
    let left: Scopes = "openid email openid".parse().unwrap();
    assert_eq!(left, "email  openid".parse().unwrap());
    assert_eq!(left.to_string(), "email openid");
    assert!(left.contains("openid") && !left.contains("open"));
    assert!(left.is_subset(&Scopes::standard()));
    assert!(!Scopes::standard().is_subset(&left));
}

#[test]
fn deserialisation_checks_the_grammar() {
    assert!(serde_json::from_str::<Scopes>(r#"["openid","a b"]"#).is_err());
    let scopes: Scopes = serde_json::from_str(r#"["openid"]"#).unwrap();
    assert_eq!(serde_json::to_string(&scopes).unwrap(), r#"["openid"]"#);
}

proptest! {
    #[test]
    fn display_round_trips(text in "[a-c. ]{0,12}") {
        let scopes: Scopes = text.parse().unwrap();
        prop_assert_eq!(scopes.to_string().parse::<Scopes>().unwrap(), scopes);
    }
}
