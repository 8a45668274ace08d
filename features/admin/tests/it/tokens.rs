//! Access tokens of this tenant as credentials.

use crate::world::{As, World, id, worlds};
use base::Id;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;
use jose::{Algorithm, Typ};
use oauth::claims::AccessTokenClaims;
use serde_json::{Value, json};
use store::rows::{
    grant::{self, NewGrant},
    person,
};

const API: &str = "http://localhost:8080/api/v1";

async fn application(world: &World, scopes: &[&str]) -> (String, String) {
    let metadata = json!({ "redirect_uris": ["https://console.example/cb"], "scopes": scopes, "audiences": [API],
        "grant_types": ["authorization_code", "client_credentials"] });
    let body = json!({ "client_id": "console", "metadata": metadata });
    let made = world.post(&As::operator(), "/applications", body).await.ok();
    (made["application"]["id"].as_str().unwrap().to_owned(), "console".to_owned())
}

fn claims(world: &World, scope: &str) -> AccessTokenClaims {
    let now = world.env.now().seconds();
    AccessTokenClaims {
        iss: world.tenant.issuer.clone(),
        sub: "console".to_owned(),
        aud: vec![API.to_owned()],
        client_id: "console".to_owned(),
        scope: scope.to_owned(),
        iat: now,
        exp: now + 300,
        jti: jti(world.env.id::<base::id::Grant>()),
        auth_time: None,
        acr: None,
        amr: Vec::new(),
        sid: None,
        mapped: serde_json::Map::new(),
    }
}

fn jti<T>(id: Id<T>) -> String {
    URL_SAFE_NO_PAD.encode([id.as_bytes().as_slice(), &[7; 8]].concat())
}

async fn signed(world: &World, claims: &AccessTokenClaims) -> As {
    let tenant = world.fresh().await;
    As::token(&tenant.signing_key(Algorithm::Es256).unwrap().sign(Typ::AccessToken, claims).unwrap())
}

#[tokio::test]
async fn a_machines_token_does_what_its_application_may_and_it_was_given_for() {
    for world in worlds().await {
        let (app, _) = application(&world, &["users:read", "users:write"]).await;
        let good = claims(&world, "users:read settings:read");
        let caller = signed(&world, &good).await;
        assert_eq!(world.get(&caller, "/users").await.status, StatusCode::OK);
        assert_eq!(
            world.get(&caller, "/settings").await.code(),
            "insufficient-scope",
            "not the application's"
        );
        let new = json!({ "username": "alice" });
        assert_eq!(world.post(&caller, "/users", new).await.code(), "insufficient-scope", "not the token's");
        for wrong in [
            AccessTokenClaims { aud: vec!["http://localhost:8080".to_owned()], ..good.clone() },
            AccessTokenClaims { aud: vec![format!("{API}/users")], ..good.clone() },
            AccessTokenClaims { iss: "http://localhost:8080/t/acme".to_owned(), ..good.clone() },
            AccessTokenClaims { exp: good.iat, ..good.clone() },
            AccessTokenClaims { client_id: "other".to_owned(), ..good.clone() },
            AccessTokenClaims { sub: "somebody".to_owned(), ..good.clone() },
        ] {
            let caller = signed(&world, &wrong).await;
            assert_eq!(world.get(&caller, "/users").await.status, StatusCode::UNAUTHORIZED);
        }
        let id_token = world.fresh().await;
        let id_token = id_token.signing_key(Algorithm::Es256).unwrap().sign(Typ::IdToken, &good).unwrap();
        assert_eq!(world.get(&As::token(&id_token), "/users").await.status, StatusCode::UNAUTHORIZED);
        let foreign =
            world.acme.signing_key(Algorithm::Es256).unwrap().sign(Typ::AccessToken, &good).unwrap();
        assert_eq!(world.get(&As::token(&foreign), "/users").await.status, StatusCode::UNAUTHORIZED);

        let event = base::Event::new(&world.env, "token.revoked");
        let mut unit = store::Unit::new(event.id, vec![world.tenant.event(&world.env, event, None)]);
        grant::revoke_token(
            &mut unit,
            world.tenant.id,
            &good.jti,
            world.env.now().plus(std::time::Duration::from_secs(300)),
        );
        assert!(world.db.commit(unit).await.unwrap().done());
        assert_eq!(world.get(&caller, "/users").await.status, StatusCode::UNAUTHORIZED, "revoked");

        let fresh = signed(&world, &claims(&world, "users:read")).await;
        assert_eq!(world.get(&fresh, "/users").await.status, StatusCode::OK);
        world.delete(&As::operator(), &format!("/applications/{app}")).await.ok();
        assert_eq!(world.get(&fresh, "/users").await.status, StatusCode::UNAUTHORIZED, "disabled");
        world.remove().await;
    }
}

/// A grant of this person to the application that outlives sessions.
async fn granted(world: &World, user: &str, app: &str) -> (grant::GrantRow, String) {
    let row = person::by_id(&world.db, world.tenant.id, id(user)).await.unwrap().unwrap();
    let sub = person::subject(&world.db, world.tenant.id, row.id).await.unwrap().unwrap();
    let new = NewGrant {
        id: world.env.id(),
        person: row.id,
        application: id(app),
        session: world.env.id(),
        offline: true,
        epochs: (row.epoch, row.offline_epoch),
        scopes: "users:read".to_owned(),
        claims: "{}".to_owned(),
        resources: None,
        facts: "{}".to_owned(),
        code: [7; 32],
        code_until: world.env.now(),
        redirect_uri: "https://console.example/cb".to_owned(),
        challenge: None,
        nonce: None,
        expires_at: world.env.now().plus(std::time::Duration::from_secs(86_400)),
    };
    let event = base::Event::new(&world.env, "grant.created").person(row.id);
    let mut unit = store::Unit::new(event.id, vec![world.tenant.event(&world.env, event, None)]);
    grant::insert(&mut unit, world.tenant.id, &new, world.env.now());
    assert!(world.db.commit(unit).await.unwrap().done());
    (grant::by_id(&world.db, world.tenant.id, new.id).await.unwrap().unwrap(), sub)
}

#[tokio::test]
async fn abuse_68_a_customers_token_opens_nothing_until_they_are_made_administrator() {
    for world in worlds().await {
        let (app, _) = application(&world, &["users:read", "users:write"]).await;
        let user = world.user("alice").await;
        let (grant, sub) = granted(&world, &user, &app).await;
        let own = AccessTokenClaims {
            sub,
            jti: jti(grant.id),
            auth_time: Some(world.env.now().seconds()),
            ..claims(&world, "users:read users:write")
        };
        let caller = signed(&world, &own).await;
        assert_eq!(world.get(&caller, "/users").await.status, StatusCode::UNAUTHORIZED);
        let path = format!("/users/{user}/administrator");
        let scopes = json!({ "scopes": ["users:read", "events:read"] });
        world.call(&As::operator(), ("PUT", &path), Some(scopes), &[]).await.ok();
        assert_eq!(world.get(&caller, "/users").await.status, StatusCode::OK);
        assert_eq!(
            world.post(&caller, "/users", json!({ "username": "x" })).await.code(),
            "insufficient-scope"
        );
        let grants = world.get(&caller, &format!("/users/{user}/grants")).await.ok();
        assert_eq!(grants["items"][0]["id"], grant.id.to_string());

        let end = format!("/users/{user}/grants/{}", grant.id);
        assert_eq!(world.delete(&As::operator(), &end).await.status, StatusCode::NO_CONTENT);
        assert_eq!(
            world.get(&caller, "/users").await.status,
            StatusCode::UNAUTHORIZED,
            "its grant has ended"
        );
        let listed = world.get(&As::operator(), &format!("/users/{user}/grants")).await.ok();
        assert_eq!(listed["items"], Value::Array(Vec::new()));
        world.remove().await;
    }
}

#[tokio::test]
async fn abuse_25_a_customer_is_refused_by_every_endpoint() {
    for world in worlds().await {
        let endpoints = crate::every_endpoint::endpoints(&world).await;
        let scopes: Vec<&str> =
            crate::world::ORDINARY.iter().copied().chain(["tenants:read", "tenants:write"]).collect();
        let (app, _) = application(&world, &scopes).await;
        let user = world.user("mallory").await;
        let (grant, sub) = granted(&world, &user, &app).await;
        let own = AccessTokenClaims {
            sub,
            jti: jti(grant.id),
            auth_time: Some(world.env.now().seconds()),
            ..claims(&world, &scopes.join(" "))
        };
        let caller = signed(&world, &own).await;
        for (method, path, _, takes) in endpoints {
            let body = takes.then(|| json!({ "user": user, "scopes": scopes }));
            let reply = world.call(&caller, (&method, &path), body, &[]).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}: {}", reply.text);
        }
        world.remove().await;
    }
}

#[tokio::test]
async fn an_opaque_token_is_worth_what_a_signed_one_is() {
    for world in worlds().await {
        let (app, _) = application(&world, &["users:read"]).await;
        let opaque = |claims: &AccessTokenClaims| {
            As::token(&format!("at_{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap())))
        };
        let good = claims(&world, "users:read");
        assert_eq!(world.get(&opaque(&good), "/users").await.status, StatusCode::OK);
        assert_eq!(world.get(&opaque(&good), "/settings").await.code(), "insufficient-scope");
        for wrong in [
            AccessTokenClaims { aud: vec!["http://localhost:8080".to_owned()], ..good.clone() },
            AccessTokenClaims { exp: good.iat, ..good.clone() },
            AccessTokenClaims { iss: "http://localhost:8080/t/acme".to_owned(), ..good.clone() },
            AccessTokenClaims { sub: "somebody".to_owned(), ..good.clone() },
        ] {
            assert_eq!(world.get(&opaque(&wrong), "/users").await.status, StatusCode::UNAUTHORIZED);
        }
        world.delete(&As::operator(), &format!("/applications/{app}")).await.ok();
        assert_eq!(world.get(&opaque(&good), "/users").await.status, StatusCode::UNAUTHORIZED);
        world.remove().await;
    }
}
