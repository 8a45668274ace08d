use crate::{
    introspect::introspect,
    world::{Answer, SECRET, World, basic, on_each},
};
use axum::http::StatusCode;

async fn revoke(world: &World, client: &str, token: &str) -> Answer {
    world.post("/revoke", &[("authorization", &basic(client, SECRET))], &[("token", token)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_token_of_a_grant_ends_all_of_it() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        for name in ["access_token", "refresh_token"] {
            let tokens = world.tokens(&alice, "openid").await;
            let other = world.tokens(&alice, "openid").await;
            let access = tokens["access_token"].as_str().unwrap();
            for _ in 0..2 {
                let answer = revoke(world, "web", tokens[name].as_str().unwrap()).await;
                assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, ""));
                assert_eq!(answer.header("cache-control"), "no-store");
            }
            assert!(!world.grants_live(access).await);
            assert_eq!(world.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
            let refreshed = world.refresh("web", tokens["refresh_token"].as_str().unwrap()).await;
            assert_eq!(refreshed.error(), "invalid_grant");
            let other = world.userinfo(other["access_token"].as_str().unwrap()).await;
            assert_eq!(other.status, StatusCode::OK, "another grant lives on");
        }
        let events = store::rows::event::of_person(&world.db, world.tenant.id, alice.person, None).await;
        assert_eq!(events.unwrap().iter().filter(|event| event.kind == "grant.revoked").count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_31_a_token_of_another_application_stays() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid").await;
        for name in ["access_token", "refresh_token"] {
            let answer = revoke(world, "partner", tokens[name].as_str().unwrap()).await;
            assert_eq!(answer.error(), "unauthorized_client");
            let public = [("client_id", "spa"), ("token", tokens[name].as_str().unwrap())];
            assert_eq!(world.post("/revoke", &[], &public).await.error(), "unauthorized_client");
        }
        assert!(world.grants_live(tokens["access_token"].as_str().unwrap()).await);
        for unknown in ["nonsense", "rt_AAAA", "at_AAAA", "eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(revoke(world, "web", unknown).await.status, StatusCode::OK, "{unknown}");
        }
        let nobody = world.post("/revoke", &[], &[("token", "nonsense")]).await;
        assert_eq!((nobody.status, nobody.error().as_str()), (StatusCode::UNAUTHORIZED, "invalid_client"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_ends_its_one_token() {
    on_each(async |world| {
        let authorization = basic("robot", SECRET);
        let header = [("authorization", authorization.as_str())];
        let new = async || {
            let answer = world.post("/token", &header, &[("grant_type", "client_credentials")]).await;
            answer.json()["access_token"].as_str().unwrap().to_owned()
        };
        let (first, second) = (new().await, new().await);
        assert_eq!(revoke(world, "robot", &first).await.status, StatusCode::OK);
        assert_eq!(introspect(world, "robot", &first).await.json()["active"], false);
        assert_eq!(introspect(world, "robot", &second).await.json()["active"], true);
    })
    .await;
}
