use proptest::prelude::*;

use super::*;
use crate::{
    AuthMethod,
    claims::ClaimDemand,
    client::{ConsentMode, GrantType},
};

const ISSUER: &str = "https://id.example";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn server() -> Server {
    Server {
        issuer: ISSUER.into(),
        ui_locales: vec!["en".into()],
        acr_values: vec!["urn:example:one".into()],
        id_token_algorithms: vec![jose::Algorithm::Rs256],
        catalogue: std::sync::Arc::default(),
    }
}

fn client() -> Client {
    let mut client = Client::new("web".parse().unwrap());
    client.redirect_uris = vec!["https://app.example/cb".parse().unwrap()];
    client
}

fn public() -> Client {
    Client { token_endpoint_auth_method: Some(AuthMethod::None), ..client() }
}

/// A request as the base example with some parameters changed; an empty one is left out.
fn raw(changes: &[(&str, &str)]) -> Raw {
    let base = [
        ("client_id", "web"),
        ("redirect_uri", "https://app.example/cb"),
        ("response_type", "code"),
        ("scope", "openid email"),
        ("state", "s t"),
        ("nonce", "n"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let unchanged = base.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    Raw::new(unchanged.chain(changes).map(|&(name, value)| (name, value)).collect())
}

fn check_for(client: &Client, changes: &[(&str, &str)]) -> Result<Checked, RedirectError> {
    raw(changes).bind(client).unwrap().check(&server())
}

fn check(changes: &[(&str, &str)]) -> Result<Checked, RedirectError> {
    check_for(&client(), changes)
}

fn code(changes: &[(&str, &str)]) -> ErrorCode {
    check(changes).expect_err(&format!("{changes:?}")).code()
}

fn location(answer: Answer) -> String {
    match answer {
        Answer::Location(location) => location,
        Answer::FormPost { .. } => panic!("a form"),
    }
}

#[test]
fn a_plain_request_passes_and_keeps_what_it_says() {
    let checked = check(&[
        ("login_hint", "alice@example.com"),
        ("ui_locales", "de en"),
        ("acr_values", "urn:example:two urn:example:one"),
        ("display", "popup"),
        ("unknown", "ignored"),
        ("max_age", "3600"),
        ("prompt", "consent login"),
    ])
    .unwrap();
    assert_eq!(checked.scopes.to_string(), "email openid");
    assert_eq!(checked.to.state(), Some("s t"));
    assert_eq!(checked.nonce.as_deref(), Some("n"));
    assert_eq!(checked.code_challenge, Some(CHALLENGE.parse().unwrap()));
    assert_eq!(checked.login_hint.as_deref(), Some("alice@example.com"));
    assert_eq!(checked.ui_locales, ["de", "en"]);
    assert_eq!(checked.acr_values, ["urn:example:one"]);
    assert_eq!(checked.max_age, Some(3600));
    assert_eq!(checked.prompts, BTreeSet::from([Prompt::Login, Prompt::Consent]));
    let sealed = serde_json::to_string(&checked).unwrap();
    assert_eq!(serde_json::from_str::<Checked>(&sealed).unwrap(), checked);
}

#[test]
fn without_a_bound_address_every_error_is_a_page() {
    let errors = [
        (raw(&[("client_id", "")]), PageError::ClientMissing),
        (raw(&[("client_id", "other")]), PageError::ClientUnknown),
        (raw(&[("client_id", "a b")]), PageError::ClientUnknown),
        (raw(&[("redirect_uri", "")]), PageError::RedirectMissing),
        (raw(&[("redirect_uri", "https://app.example/cb?x")]), PageError::RedirectUnregistered),
        (
            raw(&[("client_id", "web"), ("client_id", "web")]),
            PageError::Repeated(crate::params::Repeated("client_id".into())),
        ),
    ];
    for (raw, expected) in errors {
        assert_eq!(raw.bind(&client()).unwrap_err(), expected);
    }
    let twice = raw(&[("redirect_uri", "https://app.example/cb"), ("redirect_uri", "https://evil.tld/")]);
    assert_eq!(twice.bind(&client()).unwrap_err().id(), "parameter-repeated");
}

#[test]
fn abuse_31_a_request_binds_to_its_own_client_only() {
    let other = Client { client_id: "other".parse().unwrap(), ..client() };
    assert_eq!(raw(&[]).bind(&other).unwrap_err(), PageError::ClientUnknown);
}

#[test]
fn abuse_36_a_foreign_redirect_uri_is_a_page_whatever_else_is_wrong() {
    for redirect in [
        "https://evil.tld/",
        "https://app.example@evil.tld/cb",
        "https://app.example.evil.tld/cb",
        "javascript:alert(1)",
    ] {
        for change in
            [("scope", ""), ("prompt", "none"), ("response_type", "token"), ("request", "x"), ("state", "")]
        {
            let bound = raw(&[("redirect_uri", redirect), change]);
            assert_eq!(bound.bind(&client()).unwrap_err(), PageError::RedirectUnregistered);
        }
    }
}

#[test]
fn abuse_38_no_response_mode_gets_around_the_binding() {
    for mode in ["query", "fragment", "form_post", "form_post.jwt", "query.jwt", "web_message", "jwt"] {
        let evil = raw(&[("redirect_uri", "https://evil.tld/"), ("response_mode", mode)]);
        assert_eq!(evil.bind(&client()).unwrap_err(), PageError::RedirectUnregistered, "{mode}");
    }
    for mode in ["form_post.jwt", "query.jwt", "web_message", "jwt", "QUERY"] {
        let error = check(&[("response_mode", mode)]).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidRequest);
        assert!(
            location(error.answer(ISSUER)).starts_with("https://app.example/cb?error=invalid_request&"),
            "{mode}"
        );
    }
}

#[test]
fn abuse_39_only_code_is_a_response_type() {
    for kind in [
        "token",
        "id_token",
        "id_token token",
        "code token",
        "code id_token",
        "none",
        "CODE",
        "code code",
        " code",
    ] {
        assert_eq!(code(&[("response_type", kind)]), ErrorCode::UnsupportedResponseType, "{kind}");
    }
    assert_eq!(code(&[("response_type", "")]), ErrorCode::InvalidRequest);
    let machine = Client { grant_types: BTreeSet::from([GrantType::ClientCredentials]), ..client() };
    assert_eq!(check_for(&machine, &[]).unwrap_err().code(), ErrorCode::UnauthorizedClient);
}

#[test]
fn a_repeated_parameter_is_refused_without_echoing_it() {
    let error = check(&[("state", "a"), ("state", "b")]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidRequest);
    assert!(!location(error.answer(ISSUER)).contains("state=a"));
    for name in ["scope", "nonce", "code_challenge", "response_type", "unknown"] {
        assert_eq!(code(&[(name, "code"), (name, "code")]), ErrorCode::InvalidRequest, "{name}");
    }
}

#[test]
fn resource_may_be_repeated_and_must_be_known() {
    let orders = || Client { audiences: vec!["https://a".into(), "https://b".into()], ..client() };
    let checked = check_for(&orders(), &[("resource", "https://a"), ("resource", "https://b")]).unwrap();
    assert_eq!(checked.resources, ["https://a", "https://b"]);
    let refused = check_for(&orders(), &[("resource", "https://a"), ("resource", "https://c")]);
    assert_eq!(refused.unwrap_err().code(), ErrorCode::InvalidTarget);
}

#[test]
fn request_objects_and_registrations_are_refused_never_ignored() {
    assert_eq!(code(&[("request", "e30.e30.")]), ErrorCode::RequestNotSupported);
    assert_eq!(code(&[("request_uri", "https://app.example/r")]), ErrorCode::RequestUriNotSupported);
    assert_eq!(code(&[("registration", "{}")]), ErrorCode::RegistrationNotSupported);
}

#[test]
fn abuse_34_pkce_is_needed_and_only_with_s256() {
    let absent = [("code_challenge", ""), ("code_challenge_method", "")];
    assert_eq!(check_for(&public(), &absent).unwrap_err().code(), ErrorCode::InvalidRequest);
    assert!(check_for(&client(), &absent).unwrap().code_challenge.is_none());
    let pure_oauth = [absent[0], absent[1], ("scope", "email")];
    assert_eq!(check_for(&client(), &pure_oauth).unwrap_err().code(), ErrorCode::InvalidRequest);
    for client in [client(), public()] {
        for method in ["plain", "", "s256", "S512"] {
            let error = check_for(&client, &[("code_challenge_method", method)]).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "{method}");
        }
        let dropped = check_for(&client, &[("code_challenge", "")]).unwrap_err();
        assert_eq!(dropped.code(), ErrorCode::InvalidRequest);
    }
    for challenge in ["short", &format!("{CHALLENGE}="), &format!("{CHALLENGE}{CHALLENGE}")] {
        assert_eq!(code(&[("code_challenge", challenge)]), ErrorCode::InvalidRequest, "{challenge}");
    }
}

#[test]
fn scopes_follow_the_clients_list() {
    assert_eq!(code(&[("scope", "")]), ErrorCode::InvalidScope);
    assert_eq!(code(&[("scope", "openid orders.read")]), ErrorCode::InvalidScope);
    assert_eq!(code(&[("scope", "openid \"x\"")]), ErrorCode::InvalidScope);
    let narrow = Client { scopes: Some("openid orders.read".parse().unwrap()), ..client() };
    let checked = check_for(&narrow, &[("scope", "openid email orders.read")]).unwrap();
    assert_eq!(checked.scopes.to_string(), "openid orders.read");
    assert_eq!(check_for(&narrow, &[("scope", "email")]).unwrap_err().code(), ErrorCode::InvalidScope);
}

#[test]
fn offline_access_needs_refresh_tokens() {
    let asked = [("scope", "openid offline_access")];
    assert!(check(&asked).unwrap().scopes.contains(OFFLINE));
    let without = Client { grant_types: BTreeSet::from([GrantType::AuthorizationCode]), ..client() };
    assert!(!check_for(&without, &asked).unwrap().scopes.contains(OFFLINE));
}

const OFFLINE: &str = crate::scope::OFFLINE_ACCESS;

#[test]
fn prompts_are_understood_or_refused() {
    for bad in ["none login", "unknown", "login unknown", "NONE", "create none"] {
        assert_eq!(code(&[("prompt", bad)]), ErrorCode::InvalidRequest, "{bad}");
    }
    for prompt in Prompt::ALL {
        assert!(check(&[("prompt", prompt.as_str())]).unwrap().prompts(*prompt));
        assert_eq!(serde_json::to_value(prompt).unwrap(), prompt.as_str());
    }
}

#[test]
fn max_age_is_a_number_of_seconds() {
    for bad in ["-1", "+1", "1.5", "x", "99999999999", " 1", "1 "] {
        assert_eq!(code(&[("max_age", bad)]), ErrorCode::InvalidRequest, "{bad}");
    }
    assert_eq!(check(&[("max_age", "0")]).unwrap().max_age, Some(0));
}

#[test]
fn claims_are_parsed_and_limited() {
    let narrow = Client { scopes: Some("openid profile".parse().unwrap()), ..client() };
    let asked = [("claims", r#"{"userinfo":{"name":{"essential":true},"email":null}}"#), ("scope", "openid")];
    let checked = check_for(&narrow, &asked).unwrap();
    let essential = ClaimDemand { essential: true, ..ClaimDemand::default() };
    assert_eq!(checked.claims.userinfo, [("name".to_owned(), Some(essential))].into());
    assert_eq!(checked.claims_beyond_scopes(), BTreeSet::from(["name".to_owned()]));
    assert_eq!(code(&[("claims", "[]")]), ErrorCode::InvalidRequest);
}

#[test]
fn answers_carry_state_and_issuer_in_every_mode() {
    let checked = check(&[]).unwrap();
    let iss = "iss=https%3A%2F%2Fid.example";
    assert_eq!(
        location(checked.success(ISSUER, "c1")),
        format!("https://app.example/cb?code=c1&state=s%20t&{iss}"),
        "with a fragment of its own, so that none of the page before is carried over"
    );
    let fragment = check(&[("response_mode", "fragment"), ("state", "")]).unwrap();
    assert_eq!(location(fragment.success(ISSUER, "c1")), format!("https://app.example/cb#code=c1&{iss}"));
    let form = check(&[("response_mode", "form_post"), ("state", "<\"&>")]).unwrap();
    let fields = [("code", "c1"), ("state", "<\"&>"), ("iss", ISSUER)]
        .map(|(name, value)| (name.into(), value.into()));
    assert_eq!(
        form.success(ISSUER, "c1"),
        Answer::FormPost { action: "https://app.example/cb".into(), fields: fields.into() }
    );
    let denied = checked.refuse(ErrorCode::AccessDenied, "line\r\nbreak");
    assert_eq!(
        location(denied.answer(ISSUER)),
        format!(
            "https://app.example/cb?error=access_denied&error_description=line%3F%3Fbreak&state=s%20t&{iss}"
        )
    );
}

#[test]
fn every_row_names_its_specification_and_its_columns() {
    let names: BTreeSet<_> = CHECKS.iter().map(|check| check.name).collect();
    assert_eq!(names.len(), CHECKS.len());
    for check in CHECKS {
        assert!(
            !check.endpoints.is_empty() && check.rfc.contains(|c: char| c.is_ascii_digit()),
            "{}",
            check.name
        );
    }
}

#[test]
fn another_column_runs_its_own_rows() {
    let device = raw(&[("response_type", ""), ("code_challenge", ""), ("code_challenge_method", "")]);
    assert!(device.bind(&public()).unwrap().check_at(Endpoint::Device, &server()).is_ok());
    let pushed = raw(&[("response_type", "")]);
    assert!(pushed.bind(&public()).unwrap().check_at(Endpoint::Par, &server()).is_err());
}

const SECOND: i64 = 1_000_000;
const NOW: i64 = 1_000_000 * SECOND;

/// A session whose authentication is as many seconds old.
fn session(age: i64) -> SessionFacts<'static> {
    SessionFacts { subject: "alice", auth_time: NOW - age * SECOND, authenticated_now: false }
}

fn with_session(age: i64) -> Situation<'static> {
    Situation { now: NOW, session: Some(session(age)), ..Situation::default() }
}

fn demand(changes: &[(&str, &str)], situation: Situation<'_>) -> Demand {
    check(changes).unwrap().session_demand(&client(), &situation)
}

fn refused(demand: Demand) -> Option<ErrorCode> {
    match demand {
        Demand::Refuse(error) => Some(error.code()),
        _ => None,
    }
}

#[test]
fn a_session_answers_and_its_absence_asks() {
    let nobody = Situation { now: NOW, ..Situation::default() };
    assert_eq!(demand(&[], with_session(10)), Demand::Proceed);
    assert_eq!(demand(&[], nobody), Demand::Login { force: false });
    assert_eq!(demand(&[("prompt", "none")], with_session(10)), Demand::Proceed);
    assert_eq!(refused(demand(&[("prompt", "none")], nobody)), Some(ErrorCode::LoginRequired));
    assert_eq!(demand(&[("prompt", "create")], with_session(10)), Demand::Create);
    assert_eq!(demand(&[("prompt", "select_account")], with_session(10)), Demand::SelectAccount);
    assert_eq!(demand(&[("prompt", "select_account")], nobody), Demand::Login { force: false });
}

#[test]
fn prompt_login_and_max_age_demand_a_second_sign_in_once() {
    let again = Situation {
        session: Some(SessionFacts { authenticated_now: true, ..session(0) }),
        ..with_session(0)
    };
    for change in [
        ("prompt", "login"),
        ("max_age", "0"),
        ("max_age", "1"),
        ("prompt", "create"),
        ("prompt", "select_account"),
    ] {
        assert_ne!(demand(&[change], with_session(2)), Demand::Proceed, "{change:?}");
        assert_eq!(demand(&[change], again), Demand::Proceed, "{change:?}");
    }
    assert_eq!(demand(&[("prompt", "login")], with_session(0)), Demand::Login { force: true });
    assert_eq!(demand(&[("max_age", "10000")], with_session(10_000)), Demand::Proceed);
    assert_eq!(demand(&[("max_age", "10000")], with_session(10_001)), Demand::Login { force: true });
    assert_eq!(demand(&[("max_age", "10000")], with_session(-61)), Demand::Login { force: true });
    let silent = [("prompt", "none"), ("max_age", "1")];
    assert_eq!(refused(demand(&silent, with_session(2))), Some(ErrorCode::LoginRequired));
}

#[test]
fn another_person_than_the_hinted_one_does_not_answer() {
    let hinted = |subject| Situation { hinted_subject: Some(subject), ..with_session(1) };
    assert_eq!(demand(&[], hinted("alice")), Demand::Proceed);
    assert_eq!(demand(&[], hinted("bob")), Demand::Login { force: true });
    assert_eq!(refused(demand(&[("prompt", "none")], hinted("bob"))), Some(ErrorCode::LoginRequired));
    let claims = ("claims", r#"{"id_token":{"sub":{"value":"bob"}}}"#);
    assert_eq!(demand(&[claims], with_session(1)), Demand::Login { force: true });
    let as_alice =
        Situation { session: Some(SessionFacts { authenticated_now: true, ..session(0) }), ..hinted("bob") };
    assert_eq!(demand(&[], as_alice), Demand::Login { force: true });
}

#[test]
fn third_parties_need_consent_that_covers_the_request() {
    let third = Client { first_party: false, ..client() };
    let (all, few, none) = (Scopes::standard(), "openid".parse::<Scopes>().unwrap(), BTreeSet::new());
    let ask = |changes: &[(&str, &str)], remembered, consented_now| {
        let situation = Situation { remembered, consented_now, ..with_session(1) };
        check_for(&third, changes).unwrap().session_demand(&third, &situation)
    };
    let remembered = |scopes| Some(Remembered { scopes, claims: &none });
    assert_eq!(ask(&[], None, false), Demand::Consent);
    assert_eq!(ask(&[], remembered(&few), false), Demand::Consent);
    assert_eq!(ask(&[], remembered(&all), false), Demand::Proceed);
    assert_eq!(ask(&[("prompt", "consent")], remembered(&all), false), Demand::Consent);
    assert_eq!(ask(&[("prompt", "consent")], remembered(&all), true), Demand::Proceed);
    assert_eq!(refused(ask(&[("prompt", "none")], None, false)), Some(ErrorCode::ConsentRequired));
    let claims = [("claims", r#"{"userinfo":{"name":null}}"#)];
    assert_eq!(
        ask(&claims, remembered(&all), false),
        Demand::Consent,
        "a claim asked for one by one needs its own consent"
    );
}

#[test]
fn first_parties_are_asked_only_when_they_wish_it() {
    assert_eq!(demand(&[("prompt", "consent")], with_session(1)), Demand::Consent);
    assert_eq!(demand(&[], with_session(1)), Demand::Proceed);
}

#[test]
fn abuse_49_a_public_client_on_the_machine_never_skips_consent() {
    let uri = "http://127.0.0.1:9001/cb";
    let third = Client { first_party: false, redirect_uris: vec![uri.parse().unwrap()], ..public() };
    let (all, none) = (Scopes::standard(), BTreeSet::new());
    let remembered = Some(Remembered { scopes: &all, claims: &none });
    let situation = Situation { remembered, ..with_session(1) };
    let checked = check_for(&third, &[("redirect_uri", uri)]).unwrap();
    assert_eq!(checked.session_demand(&third, &situation), Demand::Consent);
    let claimed = Client { redirect_uris: client().redirect_uris, ..third };
    assert_eq!(check_for(&claimed, &[]).unwrap().session_demand(&claimed, &situation), Demand::Proceed);
}

proptest! {
    /// Whatever is sent: the answer goes to a registered address or there is none.
    #[test]
    fn answers_go_to_registered_addresses_only(pairs in prop::collection::vec(
        ("client_id|redirect_uri|response_mode|response_type|scope|state|prompt|claims|max_age",
         "web|https://app\\.example/cb|https://evil\\.tld/|fragment|form_post|code|openid|none|[ -~]{1,12}"), 0..12)) {
        let registered = client();
        if let Ok(bound) = Raw::new(pairs.into_iter().collect()).bind(&registered) {
            let answer = match bound.check(&server()) {
                Ok(checked) => checked.success(ISSUER, "c"),
                Err(error) => error.answer(ISSUER),
            };
            let target = match answer {
                Answer::Location(location) => location.split(['?', '#']).next().unwrap().to_owned(),
                Answer::FormPost { action, .. } => action,
            };
            prop_assert_eq!(target, "https://app.example/cb");
        }
    }

    /// `prompt=none` never leads to a page.
    #[test]
    fn prompt_none_is_silent(
        age in -100i64..100, max_age in 0u32..100, has_session: bool, first_party: bool, consented_now: bool,
        authenticated_now: bool, hinted in prop::option::of("alice|bob"),
    ) {
        let client = Client { first_party, ..client() };
        let situation = Situation {
            now: NOW,
            session: has_session.then_some(SessionFacts { authenticated_now, ..session(age) }),
            hinted_subject: hinted.as_deref(),
            remembered: None,
            consented_now,
        };
        let checked = check_for(&client, &[("prompt", "none"), ("max_age", &max_age.to_string())]).unwrap();
        let demand = checked.session_demand(&client, &situation);
        prop_assert!(matches!(demand, Demand::Proceed | Demand::Refuse(_)), "{:?}", demand);
        prop_assert!(has_session || demand != Demand::Proceed);
    }
}

#[test]
fn what_a_request_leaves_out_its_client_may_say() {
    let client =
        Client { default_max_age: Some(300), default_acr_values: vec!["urn:example:one".into()], ..client() };
    let checked = check_for(&client, &[]).unwrap();
    assert_eq!((checked.max_age, checked.acr_values.len()), (Some(300), 1));
    let checked = check_for(&client, &[("max_age", "5"), ("acr_values", "urn:example:two")]).unwrap();
    assert_eq!((checked.max_age, checked.acr_values.len()), (Some(5), 0));
}

#[test]
fn authentication_contexts_are_voluntary_wherever_they_stand() {
    for acr in [
        r#"{"essential":true,"value":"urn:example:one"}"#,
        r#"{"essential":true,"values":["urn:example:two","urn:example:one"]}"#,
        r#"{"value":"urn:example:one","values":["urn:example:one"]}"#,
    ] {
        let claims = format!(r#"{{"id_token":{{"acr":{acr}}}}}"#);
        assert_eq!(check(&[("claims", &claims)]).unwrap().acr_values, ["urn:example:one"], "{acr}");
        let both = check(&[("claims", &claims), ("acr_values", "urn:example:one")]).unwrap();
        assert_eq!(both.acr_values, ["urn:example:one"], "{acr}");
    }
    for acr in ["null", r#"{"value":"urn:example:two"}"#, r#"{"values":[1]}"#] {
        let claims = format!(r#"{{"id_token":{{"acr":{acr}}}}}"#);
        assert!(check(&[("claims", &claims)]).unwrap().acr_values.is_empty(), "{acr}");
    }
}

#[test]
fn an_essential_authentication_context_is_a_condition() {
    let asked = |acr: &str| {
        let claims = format!(r#"{{"id_token":{{"acr":{acr}}}}}"#);
        check(&[("claims", &claims)]).map_err(|error| error.code())
    };
    for acr in [
        r#"{"essential":true,"value":"urn:example:two"}"#,
        r#"{"essential":true,"values":["urn:example:two","urn:example:three"]}"#,
    ] {
        assert_eq!(asked(acr).err(), Some(ErrorCode::UnmetAuthenticationRequirements), "{acr}");
    }
    assert!(asked(r#"{"essential":true}"#).is_ok(), "it is always there");
}

/// The age counts to the microsecond: a second is over once it is over.
#[test]
fn a_session_grows_old_within_the_second() {
    let aged = |micros: i64| {
        let session = SessionFacts { auth_time: NOW - micros, ..session(0) };
        demand(&[("max_age", "1")], Situation { session: Some(session), ..with_session(0) })
    };
    assert_eq!(aged(SECOND), Demand::Proceed);
    assert_eq!(aged(SECOND + 1), Demand::Login { force: true });
}

#[test]
fn languages_and_displays_that_we_do_not_have_are_ignored() {
    for change in [("display", "popup"), ("display", "x"), ("claims_locales", "tlh x"), ("ui_locales", "tlh")]
    {
        assert!(check(&[change]).is_ok(), "{change:?}");
    }
}

#[test]
fn an_answer_may_tell_the_state_of_the_session() {
    let answer = location(check(&[]).unwrap().success_with_session(ISSUER, "c", "hash.salt"));
    assert!(answer.contains("?code=c&session_state=hash.salt&state=s%20t&iss="), "{answer}");
}

#[test]
fn consent_is_asked_as_the_client_is_set() {
    let mode = |consent| Client { consent: Some(consent), ..client() };
    let signed_in = with_session(10);
    let demand = |client: &Client, situation: &Situation<'_>| {
        check_for(client, &[]).unwrap().session_demand(client, situation)
    };
    assert_eq!(demand(&mode(ConsentMode::Skip), &signed_in), Demand::Proceed);
    assert_eq!(demand(&mode(ConsentMode::Remember), &signed_in), Demand::Consent);
    let (scopes, claims) = (Scopes::standard(), BTreeSet::new());
    let remembered = Some(Remembered { scopes: &scopes, claims: &claims });
    let agreed = Situation { remembered, ..signed_in };
    assert_eq!(demand(&mode(ConsentMode::Remember), &agreed), Demand::Proceed);
    assert_eq!(demand(&mode(ConsentMode::Always), &agreed), Demand::Consent);
    let now = Situation { consented_now: true, ..agreed };
    assert_eq!(demand(&mode(ConsentMode::Always), &now), Demand::Proceed);
}
