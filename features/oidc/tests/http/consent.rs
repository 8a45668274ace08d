//! What a third party may know: asked once, remembered, taken back.

use crate::world::{World, on_each};
use axum::http::StatusCode;
use store::rows::consent;

const PARTNER: (&str, &str) = ("client_id", "partner");

async fn given(world: &World, person: base::Id<base::id::Person>) -> Option<String> {
    let directory = world.site.directory();
    let application = directory.application(&world.tenant, "partner").await.unwrap().unwrap();
    let row = consent::find(&world.db, world.tenant.id, person, application.id).await.unwrap();
    row.map(|row| row.scopes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_third_party_is_consented_to_once() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let ask = [PARTNER, ("scope", "openid email")];
        assert_eq!(world.authorize(&alice.cookie, &ask).await.text, "the sign-in");
        let begun = world.begun().unwrap();
        assert_eq!(begun.facts.len(), 1, "the session is carried, nobody has to prove anything");
        let rules = world.rules(&begun.request, Some(alice.person), world.now().micros()).await;
        assert_eq!(rules.consent, ["email", "openid"]);
        assert_eq!(given(world, alice.person).await, None);

        let done = world.finish(&begun.request, &alice).await;
        assert!(done.param("code").is_some());
        assert_eq!(given(world, alice.person).await.as_deref(), Some("email openid"));
        assert!(world.authorize(&alice.cookie, &ask).await.param("code").is_some());

        // More than before is asked for, and only that; everything again where the request says so.
        let more = [PARTNER, ("scope", "openid"), ("claims", r#"{"userinfo":{"phone_number":null}}"#)];
        world.authorize(&alice.cookie, &more).await;
        let begun = world.begun().unwrap();
        assert_eq!(world.rules(&begun.request, Some(alice.person), 0).await.consent, ["phone"]);
        assert_eq!(world.rules(&begun.request, None, 0).await.consent, ["openid", "phone"]);
        world.finish(&begun.request, &alice).await;
        assert_eq!(given(world, alice.person).await.as_deref(), Some("email openid phone"));
        assert!(world.authorize(&alice.cookie, &more).await.param("code").is_some());
        world.authorize(&alice.cookie, &[PARTNER, ("prompt", "consent")]).await;
        let begun = world.begun().unwrap();
        assert_eq!(world.rules(&begun.request, Some(alice.person), 0).await.consent, ["openid"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_49_what_any_program_can_pose_as_asks_each_time() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        let ask = [("client_id", "native"), ("redirect_uri", "http://127.0.0.1:4711/cb")];
        for _ in 0..2 {
            assert_eq!(world.authorize(&alice.cookie, &ask).await.text, "the sign-in");
            let begun = world.begun().unwrap();
            assert_eq!(world.rules(&begun.request, Some(alice.person), 0).await.consent, ["openid"]);
            assert!(world.finish(&begun.request, &alice).await.param("code").is_some());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saying_no_is_told_to_the_application() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        world.authorize(&alice.cookie, &[PARTNER]).await;
        let answer = world.deny(&world.begun().unwrap().request).await;
        assert_eq!(answer.param("error").as_deref(), Some("access_denied"));
        assert_eq!(answer.param("state").as_deref(), Some("st4te"));
        assert_eq!(given(world, alice.person).await, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_45_a_consent_taken_back_ends_refreshing() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        world.authorize(&alice.cookie, &[PARTNER, ("scope", "openid email")]).await;
        let code = world.finish(&world.begun().unwrap().request, &alice).await.param("code").unwrap();
        let tokens = world.redeem("partner", &code).await.json();
        let first = tokens["refresh_token"].as_str().unwrap();
        let second = world.refresh("partner", first).await.json();
        assert_eq!(second["scope"], "email openid");

        let directory = world.site.directory();
        let application = directory.application(&world.tenant, "partner").await.unwrap().unwrap();
        let mut unit = world.unit("consent.revoked");
        consent::revoke(&mut unit, world.tenant.id, alice.person, application.id);
        world.commit(unit).await;
        let refused = world.refresh("partner", second["refresh_token"].as_str().unwrap()).await;
        assert_eq!((refused.status, refused.error().as_str()), (StatusCode::BAD_REQUEST, "invalid_grant"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_does_not_end_at_an_address_that_was_taken_away() {
    on_each(async |world| {
        let alice = world.signed_in("alice@example.com").await;
        world.authorize(&alice.cookie, &[PARTNER]).await;
        let begun = world.begun().unwrap();
        world
            .change("partner", |_, client| {
                client.redirect_uris = vec!["https://shop.example/new".parse().unwrap()];
            })
            .await;
        assert!(world.finish(&begun.request, &alice).await.is_error_page());
    })
    .await;
}
