use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::AuthMethod;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn params(text: &str) -> Params {
    Params::parse(text.as_bytes()).unwrap()
}

fn client() -> Client {
    Client::new("web".parse().unwrap())
}

fn public() -> Client {
    Client { token_endpoint_auth_method: Some(AuthMethod::None), ..client() }
}

fn machine() -> Client {
    Client {
        grant_types: BTreeSet::from([GrantType::ClientCredentials]),
        scopes: Some("orders.read orders.write email".parse().unwrap()),
        ..client()
    }
}

fn parse(client: &Client, text: &str) -> Result<TokenRequest, TokenError> {
    TokenRequest::parse(&params(text), client)
}

fn basic(credentials: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(credentials))
}

fn presented(header: Option<&str>, form: &str) -> Result<Presented, TokenError> {
    ClientAuth::from_request(header, &params(form))
}

#[test]
fn each_grant_is_parsed() {
    let code = parse(
        &client(),
        &format!("grant_type=authorization_code&code=c&redirect_uri=u&code_verifier={VERIFIER}"),
    );
    assert!(
        matches!(code, Ok(TokenRequest::AuthorizationCode { code, redirect_uri: Some(_), verifier: Some(_) }) if code.expose() == "c")
    );
    let refresh = parse(&client(), "grant_type=refresh_token&refresh_token=r&scope=openid");
    assert!(
        matches!(refresh, Ok(TokenRequest::RefreshToken { token, scope: Some(_) }) if token.expose() == "r")
    );
    let all = parse(&machine(), "grant_type=client_credentials");
    assert!(
        matches!(all, Ok(TokenRequest::ClientCredentials { scope }) if scope.to_string() == "orders.read orders.write")
    );
    let one = parse(&machine(), "grant_type=client_credentials&scope=orders.read");
    assert!(
        matches!(one, Ok(TokenRequest::ClientCredentials { scope }) if scope.to_string() == "orders.read")
    );
}

#[test]
fn malformed_requests_have_their_codes() {
    let cases = [
        ("", ErrorCode::InvalidRequest),
        ("grant_type=authorization_code", ErrorCode::InvalidRequest),
        ("grant_type=authorization_code&code=", ErrorCode::InvalidRequest),
        ("grant_type=authorization_code&code=c&code=c", ErrorCode::InvalidRequest),
        ("grant_type=authorization_code&code=c&code_verifier=short", ErrorCode::InvalidRequest),
        ("grant_type=refresh_token", ErrorCode::InvalidRequest),
        ("grant_type=refresh_token&refresh_token=r&scope=%22", ErrorCode::InvalidScope),
        ("grant_type=client_credentials", ErrorCode::UnauthorizedClient),
    ];
    for (text, code) in cases {
        let error = parse(&client(), text).unwrap_err();
        assert_eq!((error.code(), error.status()), (code, 400), "{text}");
    }
}

#[test]
fn abuse_39_grants_that_are_not_registered_do_not_work() {
    for grant in [
        "password",
        "implicit",
        "code",
        "AUTHORIZATION_CODE",
        "authorization_code ",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        let form: Params = [("grant_type", grant), ("code", "c"), ("username", "u"), ("password", "p")]
            .into_iter()
            .collect();
        assert_eq!(
            TokenRequest::parse(&form, &client()).unwrap_err().code(),
            ErrorCode::UnsupportedGrantType,
            "{grant}"
        );
    }
    let code_only = Client { grant_types: BTreeSet::from([GrantType::AuthorizationCode]), ..client() };
    for text in ["grant_type=refresh_token&refresh_token=r", "grant_type=client_credentials"] {
        assert_eq!(parse(&code_only, text).unwrap_err().code(), ErrorCode::UnauthorizedClient);
    }
    let public_machine = Client { token_endpoint_auth_method: Some(AuthMethod::None), ..machine() };
    let error = parse(&public_machine, "grant_type=client_credentials").unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnauthorizedClient);
}

#[test]
fn a_machine_gets_its_own_scopes_only() {
    for scope in ["orders.delete", "email", "openid", "orders.read+openid"] {
        let error = parse(&machine(), &format!("grant_type=client_credentials&scope={scope}")).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidScope, "{scope}");
    }
}

#[test]
fn abuse_31_a_code_belongs_to_its_client() {
    let (owner, uri): (ClientId, RedirectUri) =
        ("web".parse().unwrap(), "https://app.example/cb".parse().unwrap());
    let verifier: CodeVerifier = VERIFIER.parse().unwrap();
    let challenge = verifier.challenge();
    let binding =
        CodeBinding { client_id: &owner, redirect_uri: &uri, challenge: Some(&challenge), expires_at: 100 };
    let (here, other) = (Some(uri.as_str()), Client::new("other".parse().unwrap()));
    let check = |client: &Client, uri, verifier, now| {
        check_code(&binding, client, uri, verifier, now).map_err(|e| e.code())
    };
    assert_eq!(check(&client(), here, Some(&verifier), 99), Ok(()));
    assert_eq!(check(&client(), None, Some(&verifier), 99), Ok(()));
    let refused = Err(ErrorCode::InvalidGrant);
    assert_eq!(check(&other, here, Some(&verifier), 99), refused);
    assert_eq!(check(&client(), Some("https://app.example/cb/"), Some(&verifier), 99), refused);
    assert_eq!(check(&client(), here, Some(&verifier), 100), refused);
    assert_eq!(check(&client(), here, None, 99), refused);
    let wrong = "x".repeat(43).parse().unwrap();
    assert_eq!(check(&client(), here, Some(&wrong), 99), refused);
}

#[test]
fn abuse_34_a_verifier_without_challenge_is_refused() {
    let (owner, uri): (ClientId, RedirectUri) =
        ("web".parse().unwrap(), "https://app.example/cb".parse().unwrap());
    let binding = CodeBinding { client_id: &owner, redirect_uri: &uri, challenge: None, expires_at: 100 };
    let verifier: CodeVerifier = VERIFIER.parse().unwrap();
    let here = Some(uri.as_str());
    assert!(check_code(&binding, &client(), here, None, 1).is_ok());
    assert_eq!(
        check_code(&binding, &client(), here, Some(&verifier), 1).unwrap_err().code(),
        ErrorCode::InvalidGrant
    );
    assert_eq!(check_code(&binding, &client(), None, None, 1).unwrap_err().code(), ErrorCode::InvalidGrant);
}

#[test]
fn abuse_31_a_refresh_token_belongs_to_its_client() {
    let granted: Scopes = "openid email".parse().unwrap();
    let error = refreshed_scopes(&"other".parse().unwrap(), &granted, &client(), None).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidGrant);
}

#[test]
fn a_refresh_never_widens_and_follows_the_registration() {
    let (owner, granted): (ClientId, Scopes) = ("web".parse().unwrap(), "openid email".parse().unwrap());
    let refresh = |client: &Client, asked: Option<&str>| {
        let asked = asked.map(|asked| asked.parse::<Scopes>().unwrap());
        refreshed_scopes(&owner, &granted, client, asked.as_ref())
            .map(|s| s.to_string())
            .map_err(|e| e.code())
    };
    assert_eq!(refresh(&client(), None), Ok("email openid".into()));
    assert_eq!(refresh(&client(), Some("openid")), Ok("openid".into()));
    assert_eq!(refresh(&client(), Some("openid phone")), Err(ErrorCode::InvalidScope));
    let narrowed = Client { scopes: Some("openid".parse().unwrap()), ..client() };
    assert_eq!(refresh(&narrowed, None), Ok("openid".into()));
}

#[test]
fn each_method_of_authentication_is_recognised() {
    let by_header = presented(Some(&basic("web:s3%2Bcr+t%3A")), "client_id=web").unwrap();
    assert_eq!((by_header.method, by_header.client_id.as_str()), (AuthMethod::ClientSecretBasic, "web"));
    assert_eq!(by_header.secret.unwrap().expose(), "s3+cr t:");
    let by_body = presented(None, "client_id=web&client_secret=s3cret").unwrap();
    assert_eq!(by_body.method, AuthMethod::ClientSecretPost);
    assert_eq!(by_body.secret.unwrap().expose(), "s3cret");
    let none = presented(None, "client_id=spa").unwrap();
    assert_eq!((none.method, none.secret), (AuthMethod::None, None));
    assert_eq!(presented(Some(&basic("web:a:b")), "").unwrap().secret.unwrap().expose(), "a:b");
}

#[test]
fn abuse_41_two_methods_are_an_invalid_request() {
    let header = basic("web:s");
    for (header, form) in [
        (Some(header.as_str()), "client_secret=s"),
        (Some(header.as_str()), "client_assertion=a.b.c"),
        (None, "client_id=web&client_secret=s&client_assertion=a.b.c"),
        (None, "client_id=web&client_secret=s&client_assertion_type=x"),
        (Some(header.as_str()), "client_id=other"),
        (None, "client_id=web&client_id=web"),
    ] {
        let error = presented(header, form).unwrap_err();
        assert_eq!((error.code(), error.status()), (ErrorCode::InvalidRequest, 400), "{form}");
    }
    let by_key = Client { token_endpoint_auth_method: Some(AuthMethod::PrivateKeyJwt), ..client() };
    for (header, form) in
        [(Some(header.as_str()), ""), (None, "client_id=web&client_secret=s"), (None, "client_id=web")]
    {
        assert_eq!(
            presented(header, form).unwrap().check_method(&by_key).unwrap_err().code(),
            ErrorCode::InvalidClient
        );
    }
}

#[test]
fn a_failed_header_is_answered_with_a_challenge() {
    let broken = [
        "Basic",
        "Basic !",
        &basic("web"),
        &basic(":s"),
        &basic("w%zz:s"),
        &basic("web:%ff"),
        "Bearer abc",
        "",
    ];
    for header in broken {
        let error = presented(Some(header), "").unwrap_err();
        assert_eq!((error.code(), error.status()), (ErrorCode::InvalidClient, 401), "{header}");
        assert!(
            error.www_authenticate().is_some_and(|challenge| challenge.starts_with("Basic ")),
            "{header}"
        );
    }
    let wrong = presented(Some(&basic("web:wrong")), "").unwrap().invalid_client();
    assert!(wrong.www_authenticate().is_some());
    for form in ["", "client_secret=s", "client_id=a+b"] {
        let error = presented(None, form).unwrap_err();
        assert_eq!((error.status(), error.www_authenticate()), (401, None), "{form}");
    }
}

#[test]
fn a_method_must_be_the_registered_one() {
    let cases = [
        (client(), [true, true, false]),
        (public(), [false, false, true]),
        (
            Client { token_endpoint_auth_method: Some(AuthMethod::ClientSecretPost), ..client() },
            [false, true, false],
        ),
    ];
    let header = basic("web:s");
    for (client, [by_header, by_body, none]) in cases {
        let allowed = |header, form| presented(header, form).unwrap().check_method(&client).is_ok();
        assert_eq!(allowed(Some(header.as_str()), ""), by_header);
        assert_eq!(allowed(None, "client_id=web&client_secret=s"), by_body);
        assert_eq!(allowed(None, "client_id=web"), none);
        assert!(!allowed(None, "client_id=other"));
    }
}

#[test]
fn errors_and_requests_show_no_secret() {
    let request = parse(&client(), "grant_type=refresh_token&refresh_token=canary").unwrap();
    let auth = presented(None, "client_id=web&client_secret=canary").unwrap();
    assert!(!format!("{request:?}{auth:?}").contains("canary"));
    let body = serde_json::to_value(TokenError::invalid_grant("used").body()).unwrap();
    assert_eq!(body, serde_json::json!({"error": "invalid_grant", "error_description": "used"}));
}

#[test]
fn the_registry_names_each_grant_once() {
    let names: BTreeSet<_> = GRANTS.iter().map(|spec| spec.grant).collect();
    assert_eq!(names.len(), GRANTS.len());
}

proptest! {
    #[test]
    fn headers_never_panic(header in ".{0,40}", credentials in ".{0,40}") {
        let _ = presented(Some(&header), "");
        let _ = presented(Some(&basic(&credentials)), "");
    }

    #[test]
    fn any_secret_survives_the_header(secret in "[^\0]{1,24}") {
        let encoded = crate::params::encode([("web", secret.as_str())]).replacen('=', ":", 1);
        let presented = presented(Some(&basic(&encoded)), "").unwrap();
        let read = presented.secret.unwrap();
        prop_assert_eq!(read.expose(), secret);
    }
}

fn jwt(header: &str, claims: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

fn assertion(header: &str, more: &str) -> Result<Presented, TokenError> {
    let token = jwt(header, r#"{"iss":"web","sub":"web"}"#);
    let kind = crate::assertion::TYPE;
    presented(None, &format!("client_assertion_type={kind}&client_assertion={token}{more}"))
}

fn by_assertion(method: AuthMethod) -> Client {
    Client { token_endpoint_auth_method: Some(method), ..client() }
}

#[test]
fn an_assertion_names_its_client_and_algorithm() {
    for more in ["", "&client_id=web"] {
        let presented = assertion(r#"{"alg":"ES256"}"#, more).unwrap();
        assert_eq!((presented.client_id.as_str(), presented.method), ("web", AuthMethod::PrivateKeyJwt));
        assert!(presented.is_assertion() && presented.secret.is_none());
        let client = by_assertion(AuthMethod::PrivateKeyJwt);
        let found = presented.check_assertion(&client).unwrap();
        assert_eq!((found.algorithm, &found.token.expose()[..3]), (jose::Algorithm::Es256, "eyJ"));
    }
    let shared = assertion(r#"{"alg":"HS256"}"#, "").unwrap();
    assert_eq!(shared.method, AuthMethod::ClientSecretJwt);
    assert!(shared.check_assertion(&by_assertion(AuthMethod::ClientSecretJwt)).is_ok());
    let error = assertion(r#"{"alg":"ES256"}"#, "&client_id=other").unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
}

#[test]
fn abuse_40_an_assertion_has_an_algorithm_of_its_client() {
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"None"}"#, r#"{"alg":""}"#, "{}", "", "[]"] {
        assert_eq!(assertion(header, "").unwrap_err().code(), ErrorCode::InvalidClient, "{header}");
    }
    // HS256 keyed with the public key, and the other way round.
    let shared = assertion(r#"{"alg":"HS256"}"#, "").unwrap();
    assert!(shared.check_assertion(&by_assertion(AuthMethod::PrivateKeyJwt)).is_err());
    let signed = assertion(r#"{"alg":"RS256"}"#, "").unwrap();
    assert!(signed.check_assertion(&by_assertion(AuthMethod::ClientSecretJwt)).is_err());
    let only = Client {
        token_endpoint_auth_signing_alg: Some(jose::Algorithm::Ps256),
        ..by_assertion(AuthMethod::PrivateKeyJwt)
    };
    assert!(signed.check_assertion(&only).is_err());
}

#[test]
fn abuse_41_one_method_a_request_and_only_the_registered_one() {
    let kind = crate::assertion::TYPE;
    let token = jwt(r#"{"alg":"ES256"}"#, r#"{"iss":"web"}"#);
    let full = format!("client_id=web&client_assertion_type={kind}&client_assertion={token}");
    let header = basic("web:s");
    for (header, form) in [
        (None, format!("{full}&client_secret=s")),
        (Some(header.as_str()), full.clone()),
        (Some(header.as_str()), "client_assertion=x".to_owned()),
        (Some(header.as_str()), "client_id=web&client_secret=s".to_owned()),
        (None, format!("{full}&client_assertion={token}")),
        (None, format!("client_assertion={token}")),
        (None, format!("client_assertion_type={kind}&client_id=web")),
    ] {
        assert_eq!(presented(header, &form).unwrap_err().code(), ErrorCode::InvalidRequest, "{form}");
    }
    for kind in
        ["urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer", &format!("{kind}+")]
    {
        let form = format!("client_assertion_type={kind}&client_assertion={token}");
        assert_eq!(presented(None, &form).unwrap_err().code(), ErrorCode::InvalidClient, "{kind}");
    }
    let keyed = by_assertion(AuthMethod::PrivateKeyJwt);
    for (header, form) in
        [(None, "client_id=web&client_secret=s"), (Some(header.as_str()), ""), (None, "client_id=web")]
    {
        let presented = presented(header, form).unwrap();
        assert!(presented.check_method(&keyed).is_err() && presented.check_assertion(&keyed).is_err());
    }
    // A caller that knows secrets only lets no assertion pass, verified by nobody.
    let unverified = presented(None, &full).unwrap();
    for client in [keyed, client(), public(), Client::new("other".parse().unwrap())] {
        assert!(unverified.check_method(&client).is_err());
    }
}
