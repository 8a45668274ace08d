use serde_json::json;

use super::*;

fn id() -> ClientId {
    "c1".parse().unwrap()
}

fn policy() -> Policy {
    Policy { methods: AuthMethod::ALL.to_vec(), pairwise: true, ..Policy::default() }
}

fn request(json: &Value) -> Request {
    Request::parse(json.to_string().as_bytes()).unwrap()
}

/// The smallest request, with changes.
fn with(changes: Value) -> Value {
    let mut all = json!({"redirect_uris": ["https://app.example/cb"]});
    all.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    all
}

fn register(changes: Value) -> Result<Client, RegistrationError> {
    request(&with(changes)).client(id(), &policy())
}

#[track_caller]
fn refused(changes: Value, code: ErrorCode) {
    let result = register(changes.clone());
    assert_eq!(result.map_err(|error| error.code()), Err(code), "{changes}");
}

fn key() -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
}

#[test]
fn the_smallest_request_has_the_defaults_of_its_standards() {
    let client = register(json!({})).unwrap();
    assert_eq!(client.token_endpoint_auth_method, Some(AuthMethod::ClientSecretBasic));
    assert_eq!(client.grant_types, BTreeSet::from([GrantType::AuthorizationCode]));
    assert_eq!(client.id_token_signed_response_alg, Algorithm::Rs256);
    assert_eq!(client.application_type, ApplicationType::Web);
    assert_eq!(client.subject_type, SubjectType::Public);
    assert_eq!(client.scopes, Some(policy().scopes));
    assert!(!client.first_party && !client.is_public() && client.has_secret());
    assert!(client.allowed_origins.is_empty());
}

#[test]
fn everything_registered_comes_back() {
    let metadata = json!({
        "redirect_uris": ["https://app.example/cb?x=1", "https://app.example/cb2"],
        "post_logout_redirect_uris": ["https://app.example/out"],
        "token_endpoint_auth_method": "private_key_jwt", "token_endpoint_auth_signing_alg": "ES256",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "application_type": "web", "client_name": "Shop", "client_uri": "https://app.example/",
        "logo_uri": "https://app.example/logo.png", "policy_uri": "https://app.example/policy",
        "tos_uri": "https://app.example/tos", "contacts": ["a@app.example"], "software_id": "s",
        "software_version": "1", "jwks_uri": "https://app.example/jwks", "scope": "email openid",
        "id_token_signed_response_alg": "ES256", "userinfo_signed_response_alg": "RS256",
        "subject_type": "pairwise", "sector_identifier_uri": "https://app.example/sector",
        "default_max_age": 300, "require_auth_time": true, "default_acr_values": ["1"],
        "initiate_login_uri": "https://app.example/start",
        "frontchannel_logout_uri": "https://app.example/front", "frontchannel_logout_session_required": true,
        "backchannel_logout_uri": "https://app.example/back", "backchannel_logout_session_required": true
    });
    let client = request(&metadata).client(id(), &policy()).unwrap();
    let management = Some(Management { token: Some("rat"), uri: "https://id.example/register/c1" });
    let document = super::document(&client, &Credentials { secret: None, issued_at: 7, management });
    let mut expected = metadata;
    expected["client_id"] = "c1".into();
    expected["client_id_issued_at"] = 7.into();
    expected["registration_access_token"] = "rat".into();
    expected["registration_client_uri"] = "https://id.example/register/c1".into();
    assert_eq!(Value::Object(document.clone()), expected);
    // What was read, sent back without the members that are ours, changes nothing.
    let again: Map<_, _> =
        document.into_iter().filter(|(name, _)| !document::OURS.contains(&name.as_str())).collect();
    assert_eq!(request(&again.into()).update(&client, &policy()), Ok(Update { client, secret: None }));
}

#[test]
fn a_secret_comes_with_its_expiry() {
    let secret = Credentials { secret: Some("s3cret"), issued_at: 7, management: None };
    let basic = document(&register(json!({})).unwrap(), &secret);
    assert_eq!((&basic["client_secret"], &basic["client_secret_expires_at"]), (&"s3cret".into(), &0.into()));
    assert!(!basic.contains_key("registration_access_token") && !basic.contains_key("first_party"));
    let public = register(json!({"token_endpoint_auth_method": "none"})).unwrap();
    assert!(!document(&public, &Credentials::default()).contains_key("client_secret_expires_at"));
}

#[test]
fn unknown_members_other_languages_and_null_are_ignored() {
    let plain = register(json!({}));
    let more = json!({
        "client_name#de": "Laden", "tos_uri#fr": "javascript:x", "x_own": {"a": [1]}, "logo_uri": null,
        "client_id": "mine", "client_secret": "mine", "request_uris": ["https://a.example/#x"],
        "software_statement": "x", "registration_access_token": "x"
    });
    assert_eq!(register(more), plain);
}

#[test]
fn redirect_uris_have_their_own_code() {
    for uris in [
        json!([]),
        json!(["https://app.example/cb#fragment"]),
        json!(["http://app.example/cb"]),
        json!(["com.example.app:/cb"]),
        json!(["https://a@app.example/"]),
        json!(["/cb"]),
        json!(["https://app.example/cb", "JaVaScRiPt:alert(1)"]),
        json!(["https://*.app.example/"]),
    ] {
        refused(json!({ "redirect_uris": uris }), ErrorCode::InvalidRedirectUri);
    }
    refused(json!({"redirect_uris": null}), ErrorCode::InvalidRedirectUri);
    for wrong in [json!("https://app.example/cb"), json!({}), json!(vec!["https://app.example/cb"; 101])] {
        refused(json!({ "redirect_uris": wrong }), ErrorCode::InvalidClientMetadata);
    }
    let native =
        json!({"application_type": "native", "redirect_uris": ["com.example.app:/cb", "http://127.0.0.1/"]});
    assert!(register(native).is_ok());
}

#[test]
fn values_are_of_their_type() {
    for changes in [
        json!({"client_name": 1}),
        json!({"client_name": "a\nb"}),
        json!({"client_name": "shop\u{202e}"}),
        json!({"client_name": "x".repeat(256)}),
        json!({"contacts": "a@b.example"}),
        json!({"contacts": [1]}),
        json!({"default_max_age": -1}),
        json!({"default_max_age": "10"}),
        json!({"require_auth_time": "true"}),
        json!({"application_type": "desktop"}),
        json!({"subject_type": "Public"}),
        json!({"scope": ["openid"]}),
        json!({"scope": "open\"id"}),
        json!({"token_endpoint_auth_method": "tls_client_auth"}),
        json!({"backchannel_logout_session_required": 1}),
        json!({"post_logout_redirect_uris": ["https://app.example/#x"]}),
        json!({"jwks": [key()]}),
        json!({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}),
    ] {
        refused(changes, ErrorCode::InvalidClientMetadata);
    }
    for body in ["", "[]", "null", "{", "\"x\""] {
        let error = Request::parse(body.as_bytes()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidClientMetadata, "{body}");
    }
    assert!(Request::parse(&vec![b' '; MAX_BYTES + 1]).is_err());
}

#[test]
fn abuse_37_no_address_takes_a_script() {
    for name in [
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
        for uri in
            ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "vbscript:x", "file:///x"]
        {
            refused(json!({ name: uri }), ErrorCode::InvalidClientMetadata);
        }
        refused(json!({ name: "http://app.example/" }), ErrorCode::InvalidClientMetadata);
    }
    refused(json!({"initiate_login_uri": "http://localhost/"}), ErrorCode::InvalidClientMetadata);
}

#[test]
fn abuse_40_no_unsigned_or_shared_algorithm_is_registered() {
    for name in
        ["id_token_signed_response_alg", "userinfo_signed_response_alg", "token_endpoint_auth_signing_alg"]
    {
        for algorithm in ["none", "None", "RS1", ""] {
            refused(json!({ name: algorithm }), ErrorCode::InvalidClientMetadata);
        }
    }
    refused(json!({"id_token_signed_response_alg": "HS256"}), ErrorCode::InvalidClientMetadata);
    refused(json!({"userinfo_signed_response_alg": "HS256"}), ErrorCode::InvalidClientMetadata);
    refused(json!({"id_token_signed_response_alg": "EdDSA"}), ErrorCode::InvalidClientMetadata);
    refused(json!({"id_token_encrypted_response_alg": "RSA-OAEP"}), ErrorCode::InvalidClientMetadata);
    let keys = json!({"keys": [key()]});
    for (method, algorithm) in [("private_key_jwt", "HS256"), ("client_secret_jwt", "RS256")] {
        let changes = json!({
            "token_endpoint_auth_method": method, "token_endpoint_auth_signing_alg": algorithm, "jwks": keys
        });
        refused(changes, ErrorCode::InvalidClientMetadata);
    }
}

#[test]
fn abuse_39_grants_and_response_types_belong_together() {
    for changes in [
        json!({"response_types": ["token"]}),
        json!({"response_types": ["code", "id_token"]}),
        json!({"response_types": ["code id_token"]}),
        json!({"response_types": []}),
        json!({"grant_types": ["implicit"]}),
        json!({"grant_types": ["password"]}),
        json!({"grant_types": []}),
        json!({"grant_types": ["refresh_token"]}),
        json!({"grant_types": ["client_credentials"]}),
        json!({"grant_types": ["client_credentials"], "response_types": ["code"]}),
    ] {
        refused(changes, ErrorCode::InvalidClientMetadata);
    }
    let machines = Policy { grants: [GrantType::ClientCredentials].into(), ..policy() };
    let machine = json!({"grant_types": ["client_credentials"]});
    let client = request(&machine).client(id(), &machines).unwrap();
    assert!(client.redirect_uris.is_empty() && client.response_types().is_empty());
    let public = json!({"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"});
    assert!(request(&public).client(id(), &machines).is_err());
    assert!(request(&with(json!({}))).client(id(), &machines).is_err());
}

#[test]
fn abuse_46_only_who_asks_for_none_is_public() {
    for changes in [
        json!({}),
        json!({"token_endpoint_auth_method": null}),
        json!({"application_type": "native"}),
        json!({"grant_types": ["authorization_code", "refresh_token"]}),
    ] {
        assert!(!register(changes).unwrap().is_public());
    }
    let spa = register(json!({"token_endpoint_auth_method": "none"})).unwrap();
    assert!(spa.is_public() && spa.allows_origin("https://app.example"));
    let confidential = Policy { methods: vec![AuthMethod::ClientSecretBasic], ..policy() };
    let request = request(&with(json!({"token_endpoint_auth_method": "none"})));
    let error = request.client(id(), &confidential).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidClientMetadata);
    assert!(error.description().contains("none"));
}

#[test]
fn keys_and_sectors_are_coherent() {
    let (jwks, uri) = (json!({"keys": [key()]}), json!("https://app.example/jwks"));
    for changes in [
        json!({"token_endpoint_auth_method": "private_key_jwt"}),
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": []}}),
        json!({"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "EC"}]}}),
        json!({"jwks": jwks, "jwks_uri": uri}),
        json!({"subject_type": "pairwise", "redirect_uris": ["https://a.example/", "https://b.example/"]}),
        json!({"sector_identifier_uri": "http://localhost/sector"}),
        json!({"frontchannel_logout_uri": "https://other.example/out"}),
    ] {
        refused(changes, ErrorCode::InvalidClientMetadata);
    }
    let method = json!("private_key_jwt");
    assert!(register(json!({"token_endpoint_auth_method": method, "jwks": jwks})).is_ok());
    assert!(register(json!({"token_endpoint_auth_method": method, "jwks_uri": uri})).is_ok());
    assert!(register(json!({"subject_type": "pairwise"})).is_ok());
    assert!(register(json!({"token_endpoint_auth_method": "client_secret_jwt"})).unwrap().has_secret());
}

fn strict() -> Policy {
    Policy {
        scopes: "openid email".parse().unwrap(),
        require_https: true,
        hosts: vec!["app.example".parse().unwrap(), "*.shop.example".parse().unwrap()],
        ..Policy::default()
    }
}

/// Each is fine where there is no policy, and against the strict one.
fn against_policy() -> Vec<Value> {
    vec![
        json!({"redirect_uris": ["https://other.example/cb"]}),
        json!({"redirect_uris": ["https://shop.example/cb"]}),
        json!({"redirect_uris": ["https://evilshop.example/cb"]}),
        json!({"redirect_uris": ["https://app.example.evil.example/cb"]}),
        json!({"redirect_uris": ["http://localhost/cb"]}),
        json!({"post_logout_redirect_uris": ["https://other.example/"]}),
        json!({"logo_uri": "https://other.example/"}),
        json!({"logo_uri": "http://127.0.0.1/"}),
        json!({"jwks_uri": "https://169.254.169.254/"}),
        json!({"backchannel_logout_uri": "http://localhost/"}),
        json!({"scope": "openid phone"}),
        json!({"subject_type": "pairwise"}),
    ]
}

#[test]
fn the_policy_counts() {
    for changes in against_policy() {
        let request = request(&with(changes.clone()));
        assert!(request.client(id(), &policy()).is_ok(), "{changes}");
        assert!(request.client(id(), &strict()).is_err(), "{changes}");
    }
    for changes in [
        json!({"redirect_uris": ["https://a.shop.example:8443/cb"]}),
        json!({"redirect_uris": ["https://App.Example/cb"]}),
        json!({"application_type": "native", "redirect_uris": ["com.other.app:/cb", "http://127.0.0.1/"]}),
    ] {
        assert!(request(&with(changes.clone())).client(id(), &strict()).is_ok(), "{changes}");
    }
    let client = request(&with(json!({}))).client(id(), &strict()).unwrap();
    assert_eq!(client.allowed_scopes().to_string(), "email openid");
}

#[test]
fn patterns_of_hosts_are_names() {
    for good in ["a.example", "*.a.example", "localhost", "192.0.2.1", "[2001:db8::1]"] {
        assert!(good.parse::<HostPattern>().is_ok(), "{good}");
    }
    for bad in
        ["", "*", "*.", "a*.example", "*.*.example", "A.example", "a.example/", "a.example:1", "https://a"]
    {
        assert!(bad.parse::<HostPattern>().is_err(), "{bad}");
    }
}

fn update(current: &Client, changes: Value, policy: &Policy) -> Result<Update, RegistrationError> {
    request(&with(changes)).update(current, policy)
}

#[test]
fn an_update_replaces_everything_the_client_may_say() {
    let full = json!({
        "client_name": "Shop", "logo_uri": "https://app.example/l", "scope": "openid",
        "token_endpoint_auth_method": "none", "default_max_age": 5, "userinfo_signed_response_alg": "ES256"
    });
    let old = register(full).unwrap();
    let new = update(&old, json!({"client_id": "c1"}), &policy()).unwrap();
    assert_eq!(new, Update { client: register(json!({})).unwrap(), secret: None });
    let with_secret = update(&old, json!({"client_id": "c1", "client_secret": "guess"}), &policy()).unwrap();
    assert_eq!(with_secret.secret.unwrap().expose(), "guess");
}

#[test]
fn an_update_leaves_what_the_operator_says() {
    use crate::client::{AccessTokenFormat, ConsentMode, Lifetimes};
    let old = Client {
        audiences: vec!["https://api.example".into()],
        access_token_format: AccessTokenFormat::Opaque,
        consent: Some(ConsentMode::Always),
        lifetimes: Lifetimes { access_token: 60, ..Lifetimes::default() },
        require_pkce: true,
        rotate_refresh_tokens: false,
        allowed_origins: vec!["https://own.example".parse().unwrap()],
        access_token_signed_response_alg: Algorithm::EdDsa,
        ..register(json!({})).unwrap()
    };
    let new = update(&old, json!({"client_id": "c1", "first_party": true, "audiences": []}), &policy());
    assert_eq!(new.unwrap().client, old);
}

#[test]
fn abuse_46_an_update_sets_neither_name_nor_secret() {
    let old = register(json!({})).unwrap();
    for changes in [
        json!({}),
        json!({"client_id": "c2"}),
        json!({"client_id": 1}),
        json!({"client_id": "c1", "registration_access_token": "x"}),
        json!({"client_id": "c1", "registration_client_uri": "https://id.example/"}),
        json!({"client_id": "c1", "client_secret_expires_at": 0}),
        json!({"client_id": "c1", "client_id_issued_at": 0}),
    ] {
        let error = update(&old, changes.clone(), &policy()).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidClientMetadata, "{changes}");
    }
}

#[test]
fn abuse_47_the_policy_counts_at_each_update() {
    let compliant = request(&with(json!({}))).client(id(), &strict()).unwrap();
    for changes in against_policy() {
        let mut changes = changes;
        changes["client_id"] = "c1".into();
        assert!(update(&compliant, changes.clone(), &strict()).is_err(), "{changes}");
    }
    // A field left out has the policy's default, not what an earlier policy allowed.
    let generous = register(json!({"scope": "openid phone"})).unwrap();
    let new = update(&generous, json!({"client_id": "c1"}), &strict()).unwrap();
    assert_eq!(new.client.allowed_scopes().to_string(), "email openid");
}

#[test]
fn abuse_50_no_secret_is_shown_in_a_log() {
    let request = request(&with(json!({"client_secret": "canary"})));
    assert!(!format!("{request:?}").contains("canary"));
}

#[test]
fn each_flaw_of_a_policy_has_its_place() {
    let flaws = Policy::flaws(
        &json!({ "bogus": true, "hosts": ["*.shop.example"], "pairwise": "yes", "scopes": null }),
    );
    let places: Vec<&str> = flaws.iter().map(|(place, _)| place.as_str()).collect();
    assert_eq!(places, [".bogus", ".pairwise"]);
    assert!(flaws[0].1.starts_with("is unknown. Known here: "), "{flaws:?}");
    assert_eq!(Policy::flaws(&json!([])).len(), 1);
    assert!(serde_json::from_value::<Policy>(json!({ "bogus": true })).is_err());
}
