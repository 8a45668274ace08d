use crate::{
    introspect::introspect,
    world::{ISSUER, World, on_each},
};
use axum::http::StatusCode;
use jose::Algorithm;
use store::rows::{
    key::{self, KeyRow, KeyState},
    tenant as tenants,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metadata_is_of_the_issuer_whatever_the_request_says() {
    on_each(async |world| {
        for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
            let forged =
                [("x-forwarded-host", "evil.tld"), ("forwarded", "host=evil.tld"), ("accept", "*/*")];
            let request = crate::world::request(axum::http::Method::GET, path, &forged, "");
            let answer = world.call(request).await;
            let document = answer.json();
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("access-control-allow-origin"), "*");
            assert_eq!(answer.header("cache-control"), "public, max-age=300");
            assert!(answer.headers.get("set-cookie").is_none());
            assert_eq!(document["issuer"], ISSUER);
            for name in ["authorization", "token", "userinfo", "end_session"] {
                let endpoint = document[format!("{name}_endpoint")].as_str().unwrap();
                assert!(endpoint.starts_with(&format!("{ISSUER}/")), "{endpoint}");
            }
            assert_eq!(document["jwks_uri"], format!("{ISSUER}/jwks"));
            assert_eq!(document["response_types_supported"], serde_json::json!(["code"]));
            assert_eq!(document["acr_values_supported"], serde_json::json!(["1"]));
            assert_eq!(document["request_uri_parameter_supported"], false);
            let algorithms = document["id_token_signing_alg_values_supported"].to_string();
            assert!(algorithms.contains("RS256") && !algorithms.contains("HS256"), "{algorithms}");
            assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_that_sign_are_published_and_nothing_private() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        let answer = world.get("/jwks", "").await;
        let keys = answer.json()["keys"].as_array().unwrap().clone();
        assert_eq!(answer.header("content-type"), "application/jwk-set+json");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        for name in ["id_token", "access_token"] {
            let header = crate::world::part(tokens[name].as_str().unwrap(), 0);
            let used = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
            assert_eq!((&used["alg"], &used["use"]), (&header["alg"], &"sig".into()));
        }
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(keys.iter().all(|key| key.get(private).is_none()), "{private}");
        }
    })
    .await;
}

/// Puts the key that signs with ES256 into this state, and one of the next version in its place.
async fn replace(world: &World, state: KeyState) {
    let (tenant, directory) = (world.tenant.id, world.site.directory());
    let keys = key::signing(&world.db, tenant).await.unwrap();
    let is_current = |row: &&KeyRow| row.algorithm == "ES256" && row.state == KeyState::Current;
    let current = keys.iter().find(is_current).unwrap();
    let made = (Algorithm::Es256, current.version + 1);
    let fresh = directory.make_signing_key(&world.tenant, made, KeyState::Current).await.unwrap();
    let mut unit = world.unit("key.rotated");
    key::set_state(&mut unit, tenant, current, state, world.now());
    key::insert(&mut unit, tenant, &fresh);
    let version = tenants::by_id(&world.db, tenant).await.unwrap().unwrap().version;
    tenants::raise(&mut unit, tenant, version, world.now());
    world.commit(unit).await;
    directory.forget(tenant);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_prepared_and_remembered_goes_with_its_key() {
    on_each(async |world| {
        let published = async || world.get("/jwks", "").await.json()["keys"].as_array().unwrap().len();
        let token = async |email: &str| {
            let person = world.signed_in(email).await;
            world.tokens(&person, "openid").await["access_token"].as_str().unwrap().to_owned()
        };
        let is_active = async |token: &str| introspect(world, "web", token).await.json()["active"] == true;
        let first = token("alice@example.com").await;
        let keys = published().await;
        assert!(is_active(&first).await && is_active(&first).await);
        assert_eq!(world.userinfo(&first).await.status, StatusCode::OK);
        replace(world, KeyState::Retired).await;
        assert!(is_active(&first).await, "what a retired key signed is good");
        assert_eq!(published().await, keys + 1);
        world.pass(400 * 86_400);
        assert_eq!(published().await, keys, "it drops out by time, without a change of the tenant");

        let second = token("bob@example.com").await;
        assert!(is_active(&second).await);
        replace(world, KeyState::Withdrawn).await;
        assert!(!is_active(&second).await, "what a withdrawn key signed is worth nothing");
        assert_eq!(world.userinfo(&second).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(published().await, keys);
    })
    .await;
}
