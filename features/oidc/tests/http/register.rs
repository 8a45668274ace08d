use crate::world::{Answer, World, basic, on_each, redemption, request};
use axum::http::{Method, StatusCode};
use base::Time;
use serde_json::{Value, json};
use store::rows::{
    application,
    tenant::{self, Settings},
};

/// Lets people register applications so.
pub(crate) async fn allow(world: &World, settings: Value) {
    let mut row = tenant::by_id(&world.db, world.tenant.id).await.unwrap().unwrap();
    let settings: Settings = serde_json::from_value(settings).unwrap();
    row.settings = serde_json::to_string(&settings).unwrap();
    let mut unit = world.unit("tenant.updated");
    tenant::update(&mut unit, &row, world.now());
    world.commit(unit).await;
    world.site.directory().forget(world.tenant.id);
}

async fn send(world: &World, method: Method, path: &str, token: &str, body: &Value) -> Answer {
    let bearer = if token.is_empty() { String::new() } else { format!("Bearer {token}") };
    let headers = [("content-type", "application/json"), ("authorization", bearer.as_str())];
    world.call(request(method, path, &headers, &body.to_string())).await
}

async fn register(world: &World, body: &Value) -> Answer {
    send(world, Method::POST, "/register", "", body).await
}

fn plain() -> Value {
    json!({ "redirect_uris": ["https://rp.example/cb"], "client_name": "Somebody's shop" })
}

fn with(changes: Value) -> Value {
    let mut body = plain();
    body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    body
}

fn path_of(document: &Value) -> String {
    document["registration_client_uri"]
        .as_str()
        .unwrap()
        .strip_prefix(crate::world::ISSUER)
        .unwrap()
        .to_owned()
}

fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document[name].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_registers_gets_tokens_and_manages_the_registration() {
    on_each(async |world| {
        allow(world, json!({ "client_registration": "open" })).await;
        let metadata = world.get("/.well-known/openid-configuration", "").await.json();
        assert_eq!(metadata["registration_endpoint"], format!("{}/register", crate::world::ISSUER));
        let answer = register(world, &plain()).await;
        assert_eq!((answer.status, answer.header("cache-control")), (StatusCode::CREATED, "no-store"));
        let client = answer.json();
        assert_eq!(client["id_token_signed_response_alg"], "RS256");
        assert_eq!(client["token_endpoint_auth_method"], "client_secret_basic");
        assert_eq!(client["client_id_issued_at"], world.now().seconds());
        let (id, secret) = (text(&client, "client_id"), text(&client, "client_secret"));

        let alice = world.signed_in("alice@example.com").await;
        let asked = [("client_id", id), ("redirect_uri", "https://rp.example/cb"), ("scope", "openid")];
        world.authorize(&alice.cookie, &asked).await;
        let code = world.finish(&world.begun().unwrap().request, &alice).await.param("code").unwrap();
        let mut fields = redemption(&code);
        fields[2].1 = "https://rp.example/cb";
        let header = basic(id, secret);
        let tokens = world.post("/token", &[("authorization", header.as_str())], &fields).await;
        assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.text);

        let (path, token) = (path_of(&client), text(&client, "registration_access_token"));
        let mut read = send(world, Method::GET, &path, token, &json!({})).await.json();
        assert!(read.get("client_secret").is_none(), "the secret is not kept");
        read["client_secret"] = secret.into();
        assert_eq!(read, client);
        let change = with(json!({ "client_id": id, "client_secret": secret, "client_name": "Renamed" }));
        let changed = send(world, Method::PUT, &path, token, &change).await;
        assert_eq!(changed.json()["client_name"], "Renamed", "{}", changed.text);
        assert_eq!(changed.json()["client_secret"], secret);
        let gone = send(world, Method::DELETE, &path, token, &json!({})).await;
        assert_eq!((gone.status, gone.text.as_str()), (StatusCode::NO_CONTENT, ""));
        assert_eq!(send(world, Method::GET, &path, token, &json!({})).await.status, StatusCode::UNAUTHORIZED);
        let late = world.post("/token", &[("authorization", header.as_str())], &redemption("x")).await;
        assert_eq!(late.error(), "invalid_client");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_off_unless_the_tenant_says_otherwise_and_a_token_is_counted() {
    on_each(async |world| {
        assert_eq!(register(world, &plain()).await.status, StatusCode::NOT_FOUND);
        let metadata = world.get("/.well-known/openid-configuration", "").await.json();
        assert!(metadata.get("registration_endpoint").is_none());
        allow(world, json!({ "client_registration": "token" })).await;
        let mut unit = world.unit("initial-access.created");
        let until = Time::from_seconds(world.now().seconds() + 60);
        let token = oidc::initial_access(&mut unit, world.tenant.id, world.env(), 2, until);
        let late = oidc::initial_access(&mut unit, world.tenant.id, world.env(), 2, until);
        world.commit(unit).await;
        let with_token = async |token: &str| send(world, Method::POST, "/register", token, &plain()).await;
        for bad in ["", "nonsense", &token[..token.len() - 1], &token.replace("ia_", "rg_")] {
            let answer = with_token(bad).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{bad}");
            assert!(answer.header("www-authenticate").starts_with("Bearer"));
        }
        assert_eq!(with_token(&token).await.status, StatusCode::CREATED);
        assert_eq!(with_token(&token).await.status, StatusCode::CREATED);
        assert_eq!(with_token(&token).await.status, StatusCode::UNAUTHORIZED, "it worked twice");
        let listed = async || {
            let page = (base::Id::from_bytes([0; 16]), 10);
            oidc::initial_access_tokens(world.site.db(), world.tenant.id, page).await.unwrap()
        };
        let mut left: Vec<_> = listed().await.iter().map(|token| token.uses_left).collect();
        left.sort_unstable();
        assert_eq!(left, [0, 2]);
        let mut unit = world.unit("initial-access.dropped");
        let used = listed().await.into_iter().find(|token| token.uses_left == 0).unwrap();
        oidc::drop_initial_access(&mut unit, world.tenant.id, used.id);
        world.commit(unit).await;
        assert_eq!(listed().await.len(), 1);
        world.pass(60);
        assert_eq!(with_token(&late).await.status, StatusCode::UNAUTHORIZED, "it has expired");
        allow(world, json!({ "client_registration": "open" })).await;
        assert_eq!(with_token(&late).await.status, StatusCode::UNAUTHORIZED, "a bad one is never ignored");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_37_no_address_is_a_script_and_errors_are_those_of_the_rfc() {
    on_each(async |world| {
        allow(world, json!({ "client_registration": "open" })).await;
        for name in [
            "client_uri", "logo_uri", "policy_uri", "tos_uri", "jwks_uri", "initiate_login_uri",
            "sector_identifier_uri", "backchannel_logout_uri", "frontchannel_logout_uri",
        ] {
            for bad in ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "http://rp.example/"] {
                let answer = register(world, &with(json!({ name: bad }))).await;
                assert_eq!(answer.error(), "invalid_client_metadata", "{name} {bad}");
            }
        }
        for bad in ["javascript:alert(1)", "https://rp.example/cb#part", "http://rp.example/cb", "/cb", "com.a:/cb"] {
            let answer = register(world, &with(json!({ "redirect_uris": [bad] }))).await;
            let expected = (StatusCode::BAD_REQUEST, "invalid_redirect_uri".to_owned());
            assert_eq!((answer.status, answer.error()), expected, "{bad}");
        }
        for bad in [
            json!({ "grant_types": ["password"] }),
            json!({ "response_types": ["id_token"] }),
            json!({ "token_endpoint_auth_method": "private_key_jwt" }),
            json!({ "id_token_signed_response_alg": "none" }),
            json!({ "id_token_signed_response_alg": "HS256" }),
            json!({ "scope": "openid orders.write" }),
            // Nobody answers there, or nobody may be asked.
            json!({ "sector_identifier_uri": "https://127.0.0.1:1/list" }),
            json!({ "sector_identifier_uri": "https://169.254.169.254/list" }),
            json!({ "subject_type": "pairwise", "redirect_uris": ["https://a.example/", "https://b.example/"] }),
        ] {
            let answer = register(world, &with(bad.clone())).await;
            assert_eq!(answer.error(), "invalid_client_metadata", "{bad}");
        }
        let form = world.post("/register", &[], &[("redirect_uris", "https://rp.example/cb")]).await;
        assert_eq!(form.error(), "invalid_client_metadata");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_46_a_disabled_application_stays_as_it_is_whatever_token_it_has() {
    on_each(async |world| {
        allow(world, json!({ "client_registration": "open" })).await;
        let (one, two) = (register(world, &plain()).await.json(), register(world, &plain()).await.json());
        let (id, token) = (text(&one, "client_id"), text(&one, "registration_access_token"));
        // The token of one application opens no other's registration.
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = send(world, method, &path_of(&two), token, &json!({})).await;
            assert_eq!((answer.status, answer.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_token"));
        }
        world.change(id, |row, _| row.state = "disabled".into()).await;
        let before = application::by_client_id(&world.db, world.tenant.id, id).await.unwrap().unwrap();
        let secrets = application::secrets(&world.db, world.tenant.id, before.id).await.unwrap();
        let change = with(json!({ "client_id": id, "token_endpoint_auth_method": "client_secret_jwt" }));
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let answer = send(world, method, &path_of(&one), token, &change).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text);
        }
        let after = application::by_client_id(&world.db, world.tenant.id, id).await.unwrap().unwrap();
        assert_eq!((&after.state, &after.metadata), (&before.state, &before.metadata));
        assert!(secrets == application::secrets(&world.db, world.tenant.id, before.id).await.unwrap());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_46_a_method_is_taken_as_registered_and_its_change_makes_a_new_secret() {
    on_each(async |world| {
        allow(world, json!({ "client_registration": "open" })).await;
        let public = register(world, &with(json!({ "token_endpoint_auth_method": "none" }))).await.json();
        assert!(public.get("client_secret").is_none());
        let client = register(world, &plain()).await.json();
        let (id, token) = (text(&client, "client_id"), text(&client, "registration_access_token"));
        let put =
            async |change: Value| send(world, Method::PUT, &path_of(&client), token, &with(change)).await;
        let wrong = put(json!({ "client_id": id, "client_secret": "another" })).await;
        assert_eq!(wrong.error(), "invalid_client_metadata");
        assert_eq!(put(json!({ "client_id": "web" })).await.error(), "invalid_client_metadata");
        let jwt =
            put(json!({ "client_id": id, "token_endpoint_auth_method": "client_secret_jwt" })).await.json();
        assert_ne!(jwt["client_secret"], client["client_secret"]);
        let none = put(json!({ "client_id": id, "token_endpoint_auth_method": "none" })).await.json();
        assert!(none.get("client_secret").is_none());
        let row = application::by_client_id(&world.db, world.tenant.id, id).await.unwrap().unwrap();
        assert!(application::secrets(&world.db, world.tenant.id, row.id).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_47_the_policy_counts_again_at_each_update_and_for_what_is_left_out() {
    on_each(async |world| {
        let policy = json!({ "scopes": ["openid", "email"], "hosts": ["*.rp.example"], "methods": ["client_secret_basic"] });
        allow(world, json!({ "client_registration": "open", "client_policy": policy })).await;
        let good = json!({ "redirect_uris": ["https://a.rp.example/cb"], "scope": "openid" });
        let client = register(world, &good).await;
        assert_eq!(client.status, StatusCode::CREATED, "{}", client.text);
        let client = client.json();
        let token = text(&client, "registration_access_token");
        for change in [
            json!({ "redirect_uris": ["https://evil.tld/cb"] }),
            json!({ "logo_uri": "https://evil.tld/logo" }),
            json!({ "scope": "openid phone" }),
            json!({ "token_endpoint_auth_method": "none" }),
            json!({ "subject_type": "pairwise" }),
            json!({ "grant_types": ["authorization_code", "client_credentials"] }),
        ] {
            let mut body = good.clone();
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            assert_eq!(register(world, &body).await.status, StatusCode::BAD_REQUEST, "{change}");
            body["client_id"] = client["client_id"].clone();
            let answer = send(world, Method::PUT, &path_of(&client), token, &body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{change}");
        }
        // Left out, it is what the policy allows, not what the standard scopes are.
        let mut body = json!({ "redirect_uris": ["https://a.rp.example/cb"] });
        assert_eq!(register(world, &body).await.json()["scope"], "email openid");
        body["client_id"] = client["client_id"].clone();
        let updated = send(world, Method::PUT, &path_of(&client), token, &body).await.json();
        assert_eq!(updated["scope"], "email openid");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_engines_accept_every_statement() {
    on_each(async |world| store::prepare_all(&world.db, &oidc::statements()).await.unwrap()).await;
}
