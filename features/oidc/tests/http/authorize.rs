use crate::world::{CALLBACK, ISSUER, on_each, query};
use axum::http::StatusCode;
use journey::{Fact, Goal};
use oauth::params::encode;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_answers_at_once_with_code_state_and_issuer() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let answer = world.authorize(&alice.cookie, &[]).await;
        assert!(answer.location().starts_with(&format!("{CALLBACK}?code=ac_")), "{}", answer.location());
        assert_eq!(answer.param("state").as_deref(), Some("st4te"));
        assert_eq!(answer.param("iss").as_deref(), Some(ISSUER));
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(world.begun().is_none());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_session_the_sign_in_begins() {
    on_each(async |world| {
        let hint = world.authorize("", &[("login_hint", "Bob@example.com")]).await;
        assert_eq!((hint.status, hint.text.as_str()), (StatusCode::OK, "the sign-in"));
        let begun = world.begun().unwrap();
        assert_eq!(begun.goal, None);
        assert!(matches!(&begun.facts[..], [Fact::Named(named)] if named.normal == "bob@example.com"));

        world.authorize("", &[("prompt", "create")]).await;
        assert_eq!(world.begun().unwrap().goal, Some(Goal::Register));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prompt_none_shows_no_page() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let none = world.authorize("", &[("prompt", "none")]).await;
        assert_eq!(none.param("error").as_deref(), Some("login_required"));
        assert_eq!(none.param("state").as_deref(), Some("st4te"));
        assert_eq!(none.param("iss").as_deref(), Some(ISSUER));
        let partner = [("prompt", "none"), ("client_id", "partner")];
        let consent = world.authorize(&alice.cookie, &partner).await;
        assert_eq!(consent.param("error").as_deref(), Some("consent_required"));
        world.pass(100);
        let old = world.authorize(&alice.cookie, &[("prompt", "none"), ("max_age", "10")]).await;
        assert_eq!(old.param("error").as_deref(), Some("login_required"));
        let fresh = world.authorize(&alice.cookie, &[("prompt", "none"), ("max_age", "10000")]).await;
        assert!(fresh.param("code").is_some());
        assert!(world.begun().is_none());

        world.db.close().await;
        let broken = world.authorize(&alice.cookie, &[("prompt", "none")]).await;
        assert_eq!(broken.param("error").as_deref(), Some("temporarily_unavailable"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prompt_login_and_an_aged_max_age_ask_again() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        world.pass(100);
        let now = world.now().micros();
        for (param, fresh_after) in
            [(("prompt", "login"), now), (("max_age", "10"), now - 10_000_000), (("max_age", "0"), now)]
        {
            let answer = world.authorize(&alice.cookie, &[param]).await;
            assert_eq!(answer.text, "the sign-in", "{param:?}");
            let begun = world.begun().unwrap();
            assert!(
                matches!(&begun.facts[..], [Fact::Carried { session, .. }, Fact::Named(named)]
                    if session.0 == *alice.session.as_bytes() && named.normal == "alice@example.com"),
                "{:?}",
                begun.facts
            );
            let rules = world.rules(&begun.request, Some(alice.person), now).await;
            assert_eq!(rules.fresh_after, fresh_after, "{param:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_sessions_the_wanted_one_answers() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let bob = world.signed_in("bob@example.com").await;
        let both = world.cookie(&[&alice.handle, &bob.handle]);
        let subject = async |params: &[(&str, &str)]| {
            let code = world.authorize(&both, params).await.param("code").unwrap();
            let tokens = world.redeem("web", &code).await.json();
            crate::world::claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().to_owned()
        };
        assert_eq!(subject(&[]).await, alice.sub);
        assert_eq!(subject(&[("login_hint", "BOB@example.com")]).await, bob.sub);
        assert_eq!(subject(&[("login_hint", "carol@example.com")]).await, alice.sub);
        let hint = world.tokens(&bob, "openid").await["id_token"].as_str().unwrap().to_owned();
        world.pass(100_000);
        assert_eq!(subject(&[("id_token_hint", &hint), ("login_hint", "alice@example.com")]).await, bob.sub);
        let claims = format!(r#"{{"id_token":{{"sub":{{"value":"{}"}}}}}}"#, bob.sub);
        assert_eq!(subject(&[("claims", &claims)]).await, bob.sub);

        let choose = world.authorize(&both, &[("prompt", "select_account")]).await;
        assert_eq!(choose.text, "the sign-in");
        let begun = world.begun().unwrap();
        assert!(begun.facts.is_empty() && world.rules(&begun.request, None, 0).await.choose);

        // The one who is wanted is not here: nobody else may answer.
        let none = [("id_token_hint", hint.as_str()), ("prompt", "none")];
        let none = world.authorize(&alice.cookie, &none).await;
        assert_eq!(none.param("error").as_deref(), Some("login_required"));
        world.authorize(&alice.cookie, &[("id_token_hint", &hint)]).await;
        let begun = world.begun().unwrap();
        assert!(begun.facts.is_empty());
        let rules = world.rules(&begun.request, None, 0).await;
        assert_eq!(rules.person.unwrap().0, *bob.person.as_bytes());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_40_a_hint_that_is_not_ours_is_refused() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let token = tokens["id_token"].as_str().unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (_, payload) = signed.split_once('.').unwrap();
        let none = format!("eyJhbGciOiJub25lIn0.{payload}.");
        let flipped = format!("{signed}.{}", signature.chars().rev().collect::<String>());
        let access = tokens["access_token"].as_str().unwrap();
        for hint in [none.as_str(), &flipped, access, "nonsense"] {
            let answer = world.authorize(&alice.cookie, &[("id_token_hint", hint)]).await;
            assert_eq!(answer.param("error").as_deref(), Some("invalid_request"), "{hint}");
        }
        // A token made for another application tells this one nothing.
        let other = [("id_token_hint", token), ("client_id", "steady")];
        let answer = world.authorize(&alice.cookie, &other).await;
        assert_eq!(answer.param("error").as_deref(), Some("invalid_request"));
    })
    .await;
}

/// What may pass for the host.
#[rustfmt::skip]
const HOSTS: &[&str] = &[
    "shop.example.evil.tld",
    "shop.example@evil.tld",
    "evil.tld#shop.example",
    "evil.tld?shop.example",
    "shopXexample",
    "SHOP.EXAMPLE",
    "shop.example.",
    "shop.example:443",
    "shop.example:80",
    "www.shop.example",
    "shop.example%2eevil.tld",
    "shop.example%00.evil.tld",
    "shop.example\\@evil.tld",
    "a@b@shop.example",
    "user:pass@shop.example",
    "[::1]",
    "127.0.0.1",
    "localhost",
    "2130706433",
    "0x7f000001",
    "shop.example ",
    "ѕhop.example",
    "xn--hop-g6b.example",
    "shop。example",
    "shop.example,evil.tld",
    "shop.example;evil.tld",
];
#[rustfmt::skip]
/// What may stand after the host.
const TAILS: &[&str] = &[
    "cb/",
    "cb/..",
    "cb/../cb",
    "./cb",
    "/cb",
    "cb?x=1",
    "cb?",
    "cb#",
    "cb#x",
    "cb%2f",
    "%63b",
    "CB",
    "cb ",
    "cb\t",
    "cb%0d%0aLocation:x",
    "cb/evil",
    "cb.evil",
    "cb;x",
    "cb&x",
    "cb\\",
    "",
];
#[rustfmt::skip]
/// Whole addresses.
const ADDRESSES: &[&str] = &[
    "http://shop.example/cb",
    "HTTPS://shop.example/cb",
    "//shop.example/cb",
    "/cb",
    "cb",
    "shop.example/cb",
    "https:shop.example/cb",
    "https:/shop.example/cb",
    "https:///shop.example/cb",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "https://evil.tld/?https://shop.example/cb",
    " https://shop.example/cb",
    "https://shop.example/cb\n",
    "https://shop.example/cb https://evil.tld",
    "\u{202e}https://shop.example/cb",
    "https://shop.example/cb,https://evil.tld",
    "*",
    "https://*/cb",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_35_36_38_no_redirect_leads_to_an_address_that_is_not_registered() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let hosts = HOSTS.iter().map(|host| format!("https://{host}/cb"));
        let tails = TAILS.iter().map(|tail| format!("https://shop.example/{tail}"));
        let corpus: Vec<String> =
            hosts.chain(tails).chain(ADDRESSES.iter().map(|&uri| uri.to_owned())).collect();
        assert!(corpus.len() >= 60);
        for uri in corpus {
            for extra in
                [("state", "x"), ("prompt", "none"), ("response_mode", "form_post"), ("response_type", "?")]
            {
                let answer = world.authorize(&alice.cookie, &[("redirect_uri", &uri), extra]).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{uri:?}");
                assert!(answer.is_error_page(), "{uri:?}");
            }
        }
        for params in [[("redirect_uri", "")], [("client_id", "")], [("client_id", "nobody")]] {
            assert!(world.authorize(&alice.cookie, &params).await.is_error_page(), "{params:?}");
        }
        let twice = format!("/authorize?{}&{}", query(&[]), encode([("redirect_uri", "https://evil.tld/")]));
        assert!(world.get(&twice, &alice.cookie).await.is_error_page());
        assert!(world.get("/authorize?client_id=%ff", "").await.is_error_page());
        // A native application's port is its own choice, and nothing else is.
        let native = [("client_id", "native"), ("redirect_uri", "http://127.0.0.1:4711/cb")];
        assert_eq!(world.authorize(&alice.cookie, &native).await.text, "the sign-in");
        for uri in ["http://localhost:4711/cb", "http://127.0.0.1:4711/cb2", "http://127.0.0.1.evil.tld:1/cb"]
        {
            let answer =
                world.authorize(&alice.cookie, &[("client_id", "native"), ("redirect_uri", uri)]).await;
            assert!(answer.is_error_page(), "{uri}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_34_39_what_the_server_does_not_do_is_refused_at_the_application() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        for (params, error) in [
            (vec![("code_challenge_method", "plain")], "invalid_request"),
            (vec![("code_challenge_method", "")], "invalid_request"),
            (vec![("code_challenge", "short")], "invalid_request"),
            (vec![("response_type", "token")], "unsupported_response_type"),
            (vec![("response_type", "id_token token")], "unsupported_response_type"),
            (vec![("response_type", "code id_token")], "unsupported_response_type"),
            (vec![("response_type", "none")], "unsupported_response_type"),
            (vec![("response_type", "")], "invalid_request"),
            (vec![("request", "eyJhbGciOiJub25lIn0.e30.")], "request_not_supported"),
            (vec![("request_uri", "https://evil.tld/r")], "request_uri_not_supported"),
            (vec![("scope", "openid admin")], "invalid_scope"),
            (vec![("prompt", "none login")], "invalid_request"),
        ] {
            let answer = world.authorize(&alice.cookie, &params).await;
            assert_eq!(answer.param("error").as_deref(), Some(error), "{params:?}");
            assert_eq!(answer.param("code"), None);
        }
        let spa = [
            ("client_id", "spa"),
            ("redirect_uri", "https://spa.example/cb"),
            ("code_challenge", ""),
            ("code_challenge_method", ""),
        ];
        let answer = world.authorize(&alice.cookie, &spa).await;
        assert_eq!(answer.param("error").as_deref(), Some("invalid_request"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_08_a_disabled_application_gets_a_page() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        world.change("web", |row, _| row.state = "disabled".into()).await;
        assert!(world.authorize(&alice.cookie, &[]).await.is_error_page());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_reads_and_sets_no_cookies_and_becomes_a_get() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let cross_site = [("cookie", alice.cookie.as_str()), ("sec-fetch-site", "cross-site")];
        let long = "x".repeat(3_000);
        for (state, kind) in [("short", "sealed="), (long.as_str(), "parked=flo_")] {
            let body = query(&[("state", state)]);
            let params = oauth::Params::parse(body.as_bytes()).unwrap();
            let fields: Vec<_> = params.iter().collect();
            let posted = world.post("/authorize", &cross_site, &fields).await;
            let location = posted.location().to_owned();
            assert!(location.starts_with(&format!("/authorize?{kind}")), "{location}");
            assert!(posted.headers.get("set-cookie").is_none());
            assert_eq!(posted.header("cache-control"), "no-store");
            let answer = world.get(&location, &alice.cookie).await;
            assert_eq!(answer.param("state").as_deref(), Some(state));
            assert!(answer.param("code").is_some());
            // It is good for this endpoint only.
            assert!(world.get(&location.replace("/authorize", "/logout"), "").await.is_error_page());
            world.pass(600);
            let late = world.get(&location, &alice.cookie).await;
            assert_eq!(late.status, StatusCode::GONE);
            assert!(late.is_error_page());
        }
        let huge = "x".repeat(17_000);
        let refused = world.post("/authorize", &[], &[("state", &huge)]).await;
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(refused.is_error_page() && refused.headers.get("set-cookie").is_none());
        let json = [("content-type", "application/json")];
        let request = crate::world::request(axum::http::Method::POST, "/authorize", &json, "{}");
        assert_eq!(world.call(request).await.status, StatusCode::BAD_REQUEST);
        for bad in ["sealed=AAAA", "sealed=%20", "parked=flo_AAAA", "parked=x"] {
            assert!(world.get(&format!("/authorize?{bad}"), &alice.cookie).await.is_error_page(), "{bad}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn form_post_is_a_page_with_one_script_and_a_button() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let hostile = "\"><script>alert(1)</script>";
        let params = [("response_mode", "form_post"), ("state", hostile)];
        let answer = world.authorize(&alice.cookie, &params).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            answer.text.contains(&format!("action=\"{}\"", CALLBACK.replace('/', "&#x2f;")))
                || answer.text.contains(&format!("action=\"{CALLBACK}\"")),
            "{}",
            answer.text
        );
        assert!(answer.text.contains("name=\"code\"") && answer.text.contains("id=\"continue\""));
        assert!(!answer.text.contains(hostile));
        assert!(answer.header("content-security-policy").contains("script-src 'sha256-"));
        assert_eq!(answer.header("referrer-policy"), "origin");
        let fragment = world.authorize(&alice.cookie, &[("response_mode", "fragment")]).await;
        assert!(fragment.location().starts_with(&format!("{CALLBACK}#code=")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_died_does_not_answer() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let mut unit = world.unit("session.ended");
        store::rows::session::end(&mut unit, world.tenant.id, (alice.session, alice.person), world.now());
        world.commit(unit).await;
        let answer = world.authorize(&alice.cookie, &[("prompt", "none")]).await;
        assert_eq!(answer.param("error").as_deref(), Some("login_required"));
    })
    .await;
}
