use crate::world::{Answer, Browser, CALLBACK, ISSUER, SECRET, World, basic, claims, on_each};
use axum::http::StatusCode;
use oauth::{
    Client,
    client::{AccessTokenFormat, GrantType, SubjectType},
};
use serde_json::{Value, json};

pub(crate) async fn introspect(world: &World, client: &str, token: &str) -> Answer {
    world.post("/introspect", &[("authorization", &basic(client, SECRET))], &[("token", token)]).await
}

/// The tokens of any application with the common secret.
pub(crate) async fn tokens_of(world: &World, client: &str, browser: &Browser, scope: &str) -> Value {
    let answer = world.authorize(&browser.cookie, &[("client_id", client), ("scope", scope)]).await;
    let answer = world.redeem(client, &answer.param("code").unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    answer.json()
}

pub(crate) fn shop(id: &str) -> Client {
    Client { redirect_uris: vec![CALLBACK.parse().unwrap()], ..Client::new(id.parse().unwrap()) }
}

async fn machine_token(world: &World) -> String {
    let fields = [("grant_type", "client_credentials")];
    let answer = world.post("/token", &[("authorization", &basic("robot", SECRET))], &fields).await;
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_living_token_is_described_to_its_owner_and_its_audience() {
    on_each(async |world| {
        let api = Client { grant_types: [GrantType::ClientCredentials].into(), ..shop("api") };
        world.application(&api, Some(SECRET)).await;
        world.application(&Client { audiences: vec!["api".into()], ..shop("app") }, Some(SECRET)).await;
        let alice = world.signed_in("alice@example.com").await;
        let tokens = tokens_of(world, "app", &alice, "openid email").await;
        let access = tokens["access_token"].as_str().unwrap();
        let answer = introspect(world, "app", access).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::OK, "no-store"));
        let now = world.now().seconds();
        assert_eq!(
            answer.json(),
            json!({ "active": true, "token_type": "Bearer", "scope": "email openid", "client_id": "app",
                "sub": alice.sub, "aud": ["api", ISSUER], "iss": ISSUER, "iat": now, "exp": now + 600,
                "jti": claims(access)["jti"], "auth_time": now, "acr": "1", "amr": ["pwd"],
                "sid": alice.session.to_string() })
        );
        assert_eq!(introspect(world, "api", access).await.json()["active"], true);
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let described = introspect(world, "app", refresh).await.json();
        assert_eq!((&described["active"], &described["sub"]), (&json!(true), &json!(alice.sub)));
        assert_eq!(described["exp"], now + 14 * 86_400);
        assert!(described.get("token_type").is_none());
        assert_eq!(introspect(world, "api", refresh).await.json(), json!({ "active": false }));
        let machine = introspect(world, "robot", &machine_token(world).await).await.json();
        assert_eq!((&machine["active"], &machine["sub"]), (&json!(true), &json!("robot")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_25_strangers_and_whoever_proves_nothing_learn_nothing() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let access = tokens["access_token"].as_str().unwrap();
        for token in [access, tokens["refresh_token"].as_str().unwrap(), "nonsense", "at_AAAA", "rt_AAAA"] {
            let answer = introspect(world, "partner", token).await;
            assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "active": false })));
        }
        for fields in [vec![("token", access)], vec![("token", access), ("client_id", "spa")]] {
            let answer = world.post("/introspect", &[], &fields).await;
            assert_eq!(
                (answer.status, answer.error().as_str()),
                (StatusCode::UNAUTHORIZED, "invalid_client")
            );
        }
        let wrong =
            world.post("/introspect", &[("authorization", &basic("web", "x"))], &[("token", access)]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        let answer = world.post("/introspect", &[("authorization", &basic("web", SECRET))], &[]).await;
        assert_eq!((answer.status, answer.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_request"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_43_what_has_ended_is_inactive_at_once() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let active = async |token: &Value| {
            introspect(world, "web", token.as_str().unwrap()).await.json()["active"] == true
        };
        let code = world.code(&alice, "openid").await;
        let tokens = world.redeem("web", &code).await.json();
        assert!(active(&tokens["access_token"]).await && active(&tokens["refresh_token"]).await);
        assert_eq!(world.redeem("web", &code).await.error(), "invalid_grant");
        assert!(!active(&tokens["access_token"]).await && !active(&tokens["refresh_token"]).await);

        let tokens = world.tokens(&alice, "openid").await;
        world.pass(599);
        assert!(active(&tokens["access_token"]).await);
        world.pass(1);
        assert!(!active(&tokens["access_token"]).await && active(&tokens["refresh_token"]).await);
        let next = world.refresh("web", tokens["refresh_token"].as_str().unwrap()).await.json();
        world.pass(31);
        assert!(!active(&tokens["refresh_token"]).await && active(&next["refresh_token"]).await);
        world.change("web", |row, _| row.state = "disabled".into()).await;
        let partner = introspect(world, "partner", next["access_token"].as_str().unwrap()).await;
        assert_eq!(partner.json(), json!({ "active": false }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_33_an_opaque_token_works_whole_and_unchanged_only() {
    on_each(async |world| {
        let opaque = Client { access_token_format: AccessTokenFormat::Opaque, ..shop("opaque") };
        world.application(&opaque, Some(SECRET)).await;
        let alice = world.signed_in("alice@example.com").await;
        let tokens = tokens_of(world, "opaque", &alice, "openid email").await;
        let token = tokens["access_token"].as_str().unwrap();
        assert!(token.starts_with("at_") && !token.contains('.'), "{token}");
        assert_eq!(world.userinfo(token).await.json()["email"], "alice@example.com");
        assert_eq!(introspect(world, "opaque", token).await.json()["sub"], alice.sub);
        for end in [3, 20, token.len() - 1] {
            assert_eq!(world.userinfo(&token[..end]).await.status, StatusCode::UNAUTHORIZED, "{end}");
        }
        for at in (3..token.len()).step_by(7) {
            let mut bytes = token.to_owned().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(world.userinfo(&changed).await.status, StatusCode::UNAUTHORIZED, "{at}");
        }
        assert_eq!(world.userinfo(&format!("{token}A")).await.status, StatusCode::UNAUTHORIZED);
        let narrowed = [
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ("scope", "openid"),
        ];
        let narrowed = world.post("/token", &[("authorization", &basic("opaque", SECRET))], &narrowed).await;
        let narrow = narrowed.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(world.userinfo(&narrow).await.json(), json!({ "sub": alice.sub }));
        world.pass(600);
        assert_eq!(world.userinfo(&narrow).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_sector_knows_another_subject() {
    on_each(async |world| {
        let pairwise = |id: &str, host: &str| Client {
            subject_type: SubjectType::Pairwise,
            redirect_uris: vec![format!("https://{host}/cb").parse().unwrap()],
            ..shop(id)
        };
        world.application(&pairwise("one", "shop.example"), Some(SECRET)).await;
        world
            .application(
                &Client { audiences: vec!["other".into()], ..pairwise("two", "shop.example") },
                Some(SECRET),
            )
            .await;
        world.application(&pairwise("other", "other.example"), Some(SECRET)).await;
        let alice = world.signed_in("alice@example.com").await;
        let one = tokens_of(world, "one", &alice, "openid").await;
        let two = tokens_of(world, "two", &alice, "openid").await;
        let sub = claims(one["id_token"].as_str().unwrap())["sub"].clone();
        assert_ne!(sub, alice.sub);
        assert_eq!(claims(two["id_token"].as_str().unwrap())["sub"], sub, "one sector, one subject");
        let access = two["access_token"].as_str().unwrap();
        assert_eq!(world.userinfo(access).await.json(), json!({ "sub": sub }));
        assert_eq!(introspect(world, "two", access).await.json()["sub"], sub);
        let elsewhere = introspect(world, "other", access).await.json()["sub"].clone();
        assert!(elsewhere.is_string() && elsewhere != sub && elsewhere != alice.sub);
        // The subject that the application knows is good as a hint.
        let hint = one["id_token"].as_str().unwrap();
        let params = [("client_id", "one"), ("prompt", "none"), ("id_token_hint", hint)];
        assert!(world.authorize(&alice.cookie, &params).await.param("code").is_some());
        let bob = world.signed_in("bob@example.com").await;
        assert_eq!(world.authorize(&bob.cookie, &params).await.param("error").unwrap(), "login_required");
    })
    .await;
}
