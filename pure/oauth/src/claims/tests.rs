use proptest::prelude::*;
use serde_json::json;

use super::*;

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn alice() -> Map<String, Value> {
    object(json!({
        "sub": "evil", "iss": "evil", "acr": "gold", "name": "Alice Example", "given_name": "Alice", "nickname": "",
        "picture": null, "birthdate": 7, "updated_at": 1_700_000_000, "email": "alice@example.com",
        "email_verified": true, "phone_number": "+4915112345678", "phone_number_verified": "yes",
        "address": {"locality": "Berlin"}, "shoe_size": 39
    }))
}

fn scopes(text: &str) -> Scopes {
    text.parse().unwrap()
}

fn names(claims: &Map<String, Value>) -> Vec<&str> {
    claims.keys().map(String::as_str).collect()
}

#[test]
fn userinfo_gives_what_the_scopes_stand_for() {
    let none = ClaimsRequest::default();
    let given = |granted: &str| userinfo_claims("s1", &alice(), &scopes(granted), &none);
    assert_eq!(Value::Object(given("openid")), json!({"sub": "s1"}));
    assert_eq!(
        Value::Object(given("openid email address")),
        json!({"sub": "s1", "email": "alice@example.com", "email_verified": true, "address": {"locality": "Berlin"}})
    );
    let mut profile = given("openid profile");
    profile.remove("sub");
    assert_eq!(
        names(&profile),
        ["given_name", "name", "updated_at"],
        "empty, null and mistyped ones are left out"
    );
    assert_eq!(given("openid phone").get("phone_number_verified"), None);
}

#[test]
fn the_profile_scope_has_its_fourteen_claims() {
    assert_eq!(BY_SCOPE[0].1.len(), 14);
}

#[test]
fn claims_asked_one_by_one_are_given_where_asked() {
    let asked = r#"{"userinfo":{"name":{"essential":true},"shoe_size":null},"id_token":{"email":null,"acr":{"values":["a"]}}}"#;
    let asked = ClaimsRequest::parse(asked).unwrap();
    let userinfo = userinfo_claims("s1", &alice(), &scopes("openid"), &asked);
    assert_eq!(Value::Object(userinfo), json!({"sub": "s1", "name": "Alice Example"}));
    assert_eq!(Value::Object(id_token_claims(&alice(), &asked, None)), json!({"email": "alice@example.com"}));
    assert_eq!(asked.beyond(&scopes("openid email")), BTreeSet::from(["name".to_owned()]));
}

#[test]
fn asking_one_by_one_reaches_no_further_than_the_clients_scopes() {
    let mut asked = ClaimsRequest::parse(
        r#"{"userinfo":{"name":null,"email":null},"id_token":{"email":null,"sub":null}}"#,
    )
    .unwrap();
    asked.limit_to(&scopes("openid profile"));
    assert_eq!(asked, ClaimsRequest::parse(r#"{"userinfo":{"name":null},"id_token":{"sub":null}}"#).unwrap());
}

#[test]
fn the_claims_parameter_is_an_object() {
    for bad in ["", "1", "[]", "null", r#""a""#, r#"{"userinfo":1}"#, r#"{"userinfo":{"name":1}}"#, "{"] {
        assert!(ClaimsRequest::parse(bad).is_err(), "{bad}");
    }
    let asked = ClaimsRequest::parse(r#"{"other":{},"id_token":{"sub":{"value":"s1","x":1}}}"#).unwrap();
    assert_eq!(asked.subject(), Some("s1"));
}

#[test]
fn abuse_53_reserved_claims_are_never_overwritten() {
    let asked: BTreeMap<_, _> = RESERVED.iter().map(|name| ((*name).to_owned(), None)).collect();
    let asked = ClaimsRequest { userinfo: asked.clone(), id_token: asked };
    let hostile: Map<_, _> = RESERVED.iter().map(|name| ((*name).to_owned(), Value::from("evil"))).collect();
    assert_eq!(id_token_claims(&hostile, &asked, None), Map::new());
    let userinfo = userinfo_claims("s1", &hostile, &Scopes::standard(), &asked);
    assert_eq!(Value::Object(userinfo), json!({"sub": "s1"}));

    let mut claims = object(json!({"sub": "s1", "email": "a@b"}));
    let mut extra = hostile;
    extra.insert("email".into(), "evil@b".into());
    extra.insert("tier".into(), "gold".into());
    let refused = add_extra(&mut claims, extra);
    assert_eq!(Value::Object(claims), json!({"sub": "s1", "email": "a@b", "tier": "gold"}));
    assert_eq!(refused.len(), RESERVED.len() + 1);
}

#[test]
fn access_tokens_are_written_as_rfc_9068_says() {
    let claims = AccessTokenClaims {
        iss: "https://id".into(),
        sub: "s1".into(),
        aud: vec!["https://id".into()],
        client_id: "web".into(),
        scope: "openid".into(),
        iat: 1,
        exp: 601,
        jti: "g1.x".into(),
        auth_time: None,
        acr: None,
        amr: vec![],
        sid: None,
        mapped: Default::default(),
    };
    let json = serde_json::to_value(&claims).unwrap();
    assert_eq!(
        json,
        json!({"iss": "https://id", "sub": "s1", "aud": "https://id", "client_id": "web", "scope": "openid", "iat": 1,
               "exp": 601, "jti": "g1.x"})
    );
    assert_eq!(serde_json::from_value::<AccessTokenClaims>(json).unwrap(), claims);
    assert!(claims.opens_userinfo("https://id") && !claims.opens_userinfo("https://other"));
    let many = AccessTokenClaims { aud: vec!["a".into(), "b".into()], ..claims };
    assert_eq!(serde_json::to_value(&many).unwrap()["aud"], json!(["a", "b"]));
    assert!(!many.opens_userinfo("https://id"));
}

#[test]
fn userinfo_needs_the_openid_scope() {
    let claims: AccessTokenClaims =
        serde_json::from_value(json!({"iss": "https://id", "sub": "robot", "aud": ["https://id"],
        "client_id": "robot", "scope": "orders.read", "iat": 1, "exp": 2, "jti": "j"}))
        .unwrap();
    assert!(!claims.opens_userinfo("https://id"));
}

proptest! {
    #[test]
    fn parsing_never_panics(text in ".{0,64}") {
        let _ = ClaimsRequest::parse(&text);
    }

    #[test]
    fn only_what_was_asked_is_given(granted in prop::sample::subsequence(vec!["openid", "profile", "email", "phone", "address"], 0..5)) {
        let granted = scopes(&granted.join(" "));
        for name in userinfo_claims("s1", &alice(), &granted, &ClaimsRequest::default()).keys() {
            prop_assert!(name == "sub" || granted.contains(scope_of(name).unwrap()));
        }
    }
}
