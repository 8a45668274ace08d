use super::*;

fn client(json: &str) -> Client {
    serde_json::from_str(json).unwrap()
}

fn scopes(text: &str) -> Scopes {
    text.parse().unwrap()
}

#[test]
fn a_description_with_its_name_only_has_all_defaults() {
    let web = client(r#"{"client_id":"web"}"#);
    assert_eq!(web, Client::new("web".parse().unwrap()));
    assert!(web.first_party && !web.is_public() && web.rotates());
    assert_eq!(web.display_name(), "web");
    assert_eq!(web.allowed_scopes(), Scopes::standard());
    assert!(
        web.authenticates_by(AuthMethod::ClientSecretBasic)
            && web.authenticates_by(AuthMethod::ClientSecretPost)
    );
    assert!(!web.authenticates_by(AuthMethod::None) && !web.authenticates_by(AuthMethod::PrivateKeyJwt));
    assert_eq!(web.id_token_signed_response_alg.as_str(), "RS256");
    assert_eq!(web.access_token_signed_response_alg.as_str(), "ES256");
    assert_eq!(web, client(&serde_json::to_string(&web).unwrap()));
}

#[test]
fn names_are_as_serialised() {
    for &method in AuthMethod::ALL {
        assert_eq!(serde_json::to_value(method).unwrap(), method.as_str());
        assert_eq!(method.as_str().parse(), Ok(method));
    }
    for &grant in GrantType::ALL {
        assert_eq!(serde_json::to_value(grant).unwrap(), grant.as_str());
        assert_eq!(grant.as_str().parse(), Ok(grant));
    }
}

#[test]
fn public_clients_always_use_pkce_and_rotate() {
    let spa =
        client(r#"{"client_id":"spa","token_endpoint_auth_method":"none","rotate_refresh_tokens":false}"#);
    assert!(spa.needs_pkce(&scopes("openid")) && spa.rotates());
    assert!(spa.authenticates_by(AuthMethod::None) && !spa.authenticates_by(AuthMethod::ClientSecretPost));
}

#[test]
fn confidential_clients_may_leave_pkce_to_openid_connect() {
    let web = client(r#"{"client_id":"web"}"#);
    assert!(!web.needs_pkce(&scopes("openid email")));
    assert!(web.needs_pkce(&scopes("orders.read")));
    assert!(client(r#"{"client_id":"web","require_pkce":true}"#).needs_pkce(&scopes("openid")));
}

#[test]
fn contradictions_are_refused() {
    let cases = [
        (r#"{"client_id":"a","redirect_uris":["com.example.app:/cb"]}"#, "native"),
        (r#"{"client_id":"a"}"#, "redirect_uris"),
        (
            r#"{"client_id":"a","token_endpoint_auth_method":"none","grant_types":["client_credentials"]}"#,
            "secret",
        ),
        (
            r#"{"client_id":"a","grant_types":[],"token_endpoint_auth_method":"private_key_jwt"}"#,
            "usable key",
        ),
        (r#"{"client_id":"a","grant_types":[],"userinfo_signed_response_alg":"HS256"}"#, "asymmetric"),
        (r#"{"client_id":"a","grant_types":[],"initiate_login_uri":"http://localhost/"}"#, "https"),
        (r#"{"client_id":"a","grant_types":[],"access_token_signed_response_alg":"HS256"}"#, "asymmetric"),
        (r#"{"client_id":"a","grant_types":[],"claims":{"sub":"name"}}"#, "sub"),
        (r#"{"client_id":"a","grant_types":[],"lifetimes":{"code":61}}"#, "60"),
        (r#"{"client_id":"a","grant_types":[],"lifetimes":{"id_token":0}}"#, "positive"),
        (r#"{"client_id":"a","grant_types":[],"lifetimes":{"access_token":2592001}}"#, "30 days"),
    ];
    for (json, part) in cases {
        let error = client(json).check().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let native = r#"{"client_id":"a","application_type":"native","redirect_uris":["com.example.app:/cb"]}"#;
    assert_eq!(client(native).check(), Ok(()));
}

#[test]
fn abuse_37_no_uri_field_takes_a_script() {
    for field in [
        "client_uri",
        "logo_uri",
        "policy_uri",
        "tos_uri",
        "initiate_login_uri",
        "jwks_uri",
        "sector_identifier_uri",
        "frontchannel_logout_uri",
        "backchannel_logout_uri",
    ] {
        for scheme in ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "http://a.example/"]
        {
            let json = format!(r#"{{"client_id":"a","{field}":"{scheme}"}}"#);
            assert!(serde_json::from_str::<Client>(&json).is_err(), "{json}");
        }
    }
    for field in ["redirect_uris", "post_logout_redirect_uris"] {
        let json = format!(r#"{{"client_id":"a","{field}":["JaVaScRiPt:alert(1)"]}}"#);
        assert!(serde_json::from_str::<Client>(&json).is_err(), "{json}");
    }
}

#[test]
fn client_ids_keep_to_their_characters() {
    assert!("a".repeat(255).parse::<ClientId>().is_ok());
    for bad in ["", " ", "a b", "ä", "a\n", &"a".repeat(256)] {
        assert!(bad.parse::<ClientId>().is_err());
    }
}

#[test]
fn assertions_have_the_algorithms_of_their_method() {
    let algorithms =
        |json: &str| client(json).assertion_algorithms().map(Algorithm::as_str).collect::<Vec<_>>().join(" ");
    let method = |name: &str, more: &str| {
        algorithms(&format!(r#"{{"client_id":"a","token_endpoint_auth_method":"{name}"{more}}}"#))
    };
    assert_eq!(method("private_key_jwt", ""), "ES256 EdDSA ES384 PS256 RS256");
    assert_eq!(method("private_key_jwt", r#","token_endpoint_auth_signing_alg":"PS256""#), "PS256");
    assert_eq!(method("private_key_jwt", r#","token_endpoint_auth_signing_alg":"HS256""#), "");
    assert_eq!(method("client_secret_jwt", ""), "HS256");
    assert_eq!(method("client_secret_basic", ""), "");
    assert_eq!(algorithms(r#"{"client_id":"a"}"#), "");
}

#[test]
fn consent_follows_the_party_unless_it_is_set() {
    let mode = |more: &str| client(&format!(r#"{{"client_id":"a"{more}}}"#)).consent_mode();
    assert_eq!(mode(""), ConsentMode::Skip);
    assert_eq!(mode(r#","first_party":false"#), ConsentMode::Remember);
    assert_eq!(mode(r#","consent":"always""#), ConsentMode::Always);
    assert_eq!(mode(r#","first_party":false,"consent":"skip""#), ConsentMode::Skip);
}

#[test]
fn only_declared_origins_may_call() {
    let spa = client(r#"{"client_id":"a","allowed_origins":["https://app.example"]}"#);
    assert!(spa.allows_origin("https://app.example"));
    for origin in ["https://app.example.evil", "https://APP.example", "http://app.example", "null", "*", ""] {
        assert!(!spa.allows_origin(origin), "{origin}");
    }
    assert!(serde_json::from_str::<Client>(r#"{"client_id":"a","allowed_origins":["*"]}"#).is_err());
}
