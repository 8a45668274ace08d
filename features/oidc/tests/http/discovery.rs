use crate::world::{ISSUER, on_each};
use axum::http::StatusCode;

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
