//! `/account/applications`.

use crate::world::worlds;
use http::StatusCode;
use store::rows::consent;

const PATH: &str = "/account/applications";

#[tokio::test]
async fn taking_back_ends_consent_and_grants() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let bob = world.register("bob").await;
        let partner = world.application("partner", "Partner Labs").await;
        let other = world.application("other", "Other").await;
        for person in [alice, bob] {
            world.consent(person, partner).await;
        }
        world.consent(alice, other).await;
        let (session, _) = world.session(&world.tenant, alice).await;
        let (bobs, _) = world.session(&world.tenant, bob).await;
        let bound = world.grant((alice, session), partner, false).await;
        let offline = world.grant((alice, session), partner, true).await;
        let kept = world.grant((alice, session), other, true).await;
        let bobs_grant = world.grant((bob, bobs), partner, true).await;

        let mut browser = world.sign_in(alice).await;
        let body = browser.get(PATH).await.body;
        for told in ["Partner Labs", "partner.example", "See your e-mail address", "Other"] {
            assert!(body.contains(told), "{told}");
        }
        let reply = browser.post(PATH, &[("application", &partner.to_string())]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER);
        assert!(!world.grant_lives(bound).await && !world.grant_lives(offline).await);
        assert!(world.grant_lives(kept).await && world.grant_lives(bobs_grant).await);
        let left = consent::of_person(&world.db, world.tenant.id, alice).await.unwrap();
        assert_eq!(left.iter().map(|row| row.application).collect::<Vec<_>>(), [other]);
        assert_eq!(consent::of_person(&world.db, world.tenant.id, bob).await.unwrap().len(), 1);
        let (kind, body) = world.events(alice).await.remove(0);
        assert_eq!((kind.as_str(), &body["detail"]["scopes"]), ("consent.revoked", &"openid email".into()));
        assert!(browser.get(&reply.location).await.body.contains("Partner Labs no longer has access."));
        world.remove().await;
    }
}

#[tokio::test]
async fn an_application_that_was_not_allowed_is_not_there() {
    for world in worlds().await {
        let alice = world.register("alice").await;
        let partner = world.application("partner", "Partner").await;
        world.consent(world.register("bob").await, partner).await;
        let mut browser = world.sign_in(alice).await;
        for id in [partner.to_string(), "partner".to_owned(), String::new(), alice.to_string()] {
            assert_eq!(browser.post(PATH, &[("application", &id)]).await.status, StatusCode::NOT_FOUND);
        }
        world.remove().await;
    }
}
