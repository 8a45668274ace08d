//! Resource servers and scopes with claims: audience, `resource`, form, claims, introspection.

use crate::world::{SECRET, World, basic, claims, on_each, part, redemption};
use axum::http::StatusCode;
use oauth::{
    Catalogue,
    catalogue::{IdentityScope, ResourceServer},
};
use serde_json::{Value, json};
use store::rows::{
    resource_server::{self, ResourceServerRow},
    scope::{self, ScopeRow},
    tenant,
};

const ORDERS: &str = "https://orders.example";
const STOCK: &str = "https://stock.example";
const ISSUER: &str = crate::world::ISSUER;

/// Two resource servers and a scope, in force; `web` may ask for all of it.
async fn declare(world: &World) {
    let servers = [
        json!({ "audience": ORDERS, "introspection_client": "steady", "access_token_lifetime": 60,
            "scopes": [{ "name": "orders.read", "description": "See your orders" }] }),
        json!({ "audience": STOCK, "scopes": ["stock.read"], "access_token_format": "opaque" }),
    ];
    let mut unit = world.unit("catalogue.changed");
    for server in servers {
        let declared = ResourceServer::read(server.as_object().unwrap(), &[ISSUER.to_owned()]).unwrap();
        let (id, audience) = (world.env().id(), declared.audience.clone());
        let row = ResourceServerRow { id, audience, definition: String::new(), version: 1 };
        resource_server::insert(&mut unit, world.tenant.id, &row.with(&declared).unwrap(), world.now());
    }
    let loyalty = json!({ "name": "loyalty", "description": { "en": "See your level" },
        "claims": { "level": "loyalty", "kind": { "value": "customer", "targets": ["access_token"] } } });
    let declared = IdentityScope::read(loyalty.as_object().unwrap()).unwrap();
    let row =
        ScopeRow { id: world.env().id(), name: "loyalty".into(), definition: String::new(), version: 1 };
    scope::insert(&mut unit, world.tenant.id, &row.with(&declared).unwrap(), world.now());
    let version = tenant::by_id(&world.db, world.tenant.id).await.unwrap().unwrap().version;
    tenant::raise(&mut unit, world.tenant.id, version, world.now());
    world.commit(unit).await;
    world.site.directory().forget(world.tenant.id);
    for name in ["web", "partner"] {
        let all = "openid email offline_access orders.read stock.read loyalty";
        world.change(name, |_, client| client.scopes = Some(all.parse().unwrap())).await;
    }
}

async fn redeem(world: &World, code: &str, more: &[(&str, &str)]) -> crate::world::Answer {
    let fields = [redemption(code).as_slice(), more].concat();
    world.post("/token", &[("authorization", &basic("web", SECRET))], &fields).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_for_the_servers_of_its_scopes_and_looks_as_they_want() {
    on_each(async |world| {
        declare(world).await;
        let alice = world.signed_in("alice@example.com").await;
        let tokens = world.tokens(&alice, "openid orders.read").await;
        let access = claims(tokens["access_token"].as_str().unwrap());
        assert_eq!(access["aud"], json!([ORDERS, ISSUER]));
        assert_eq!((&tokens["expires_in"], &tokens["scope"]), (&json!(60), &json!("openid orders.read")));
        assert_eq!(access["exp"].as_i64().unwrap() - access["iat"].as_i64().unwrap(), 60);
        assert_eq!(claims(tokens["id_token"].as_str().unwrap())["aud"], "web");
        let opaque = world.tokens(&alice, "openid stock.read").await;
        assert!(opaque["access_token"].as_str().unwrap().starts_with("at_"), "{opaque}");
        let plain = world.tokens(&alice, "openid").await;
        assert_eq!(claims(plain["access_token"].as_str().unwrap())["aud"], ISSUER);
        assert_eq!(part(plain["access_token"].as_str().unwrap(), 0)["typ"], "at+jwt");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resource_narrows_at_authorize_at_token_and_at_refresh() {
    on_each(async |world| {
        declare(world).await;
        let alice = world.signed_in("alice@example.com").await;
        let all = [("scope", "openid offline_access orders.read stock.read")];
        for (more, error) in [("https://nobody.example", "invalid_target"), ("orders", "invalid_target")] {
            let ask = [all.as_slice(), &[("resource", more)]].concat();
            let refused = world.authorize(&alice.cookie, &ask).await;
            assert_eq!(refused.param("error").as_deref(), Some(error));
        }
        let ask = [all.as_slice(), &[("resource", ORDERS)]].concat();
        let code = world.authorize(&alice.cookie, &ask).await.param("code").unwrap();
        // More than the authorization is for; the code is not lost by it.
        assert_eq!(redeem(world, &code, &[("resource", STOCK)]).await.error(), "invalid_target");
        let tokens = redeem(world, &code, &[]).await.json();
        let access = claims(tokens["access_token"].as_str().unwrap());
        assert_eq!(
            (&access["aud"], &access["scope"]),
            (&json!([ORDERS, ISSUER]), &json!("offline_access openid orders.read"))
        );

        let code = world.authorize(&alice.cookie, &all).await.param("code").unwrap();
        let tokens = redeem(world, &code, &[("resource", ORDERS)]).await.json();
        let access = claims(tokens["access_token"].as_str().unwrap());
        assert_eq!(access["aud"], ORDERS);
        assert!(tokens["id_token"].is_string(), "the ID token is of the whole authorization");
        assert_eq!(
            world.userinfo(tokens["access_token"].as_str().unwrap()).await.status,
            StatusCode::UNAUTHORIZED
        );
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("resource", ISSUER)];
        let answer = world.post("/token", &[("authorization", &basic("web", SECRET))], &fields).await.json();
        assert_eq!(world.userinfo(answer["access_token"].as_str().unwrap()).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_names_its_resource() {
    on_each(async |world| {
        declare(world).await;
        let ask = async |more: &[(&str, &str)]| {
            let fields = [[("grant_type", "client_credentials")].as_slice(), more].concat();
            world.post("/token", &[("authorization", &basic("robot", SECRET))], &fields).await
        };
        let answer = ask(&[("resource", ORDERS)]).await.json();
        assert_eq!(claims(answer["access_token"].as_str().unwrap())["aud"], ORDERS);
        assert_eq!(answer["scope"], "orders.read orders.write");
        assert_eq!(ask(&[("resource", STOCK)]).await.error(), "invalid_target");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_go_where_scope_and_application_say() {
    on_each(async |world| {
        declare(world).await;
        let alice = world.signed_in("alice@example.com").await;
        let told = async |scope: &str| {
            let tokens = world.tokens(&alice, scope).await;
            let access = tokens["access_token"].as_str().unwrap().to_owned();
            let userinfo = world.userinfo(&access).await.json();
            (claims(&access), claims(tokens["id_token"].as_str().unwrap()), userinfo)
        };
        let (access, id, userinfo) = told("openid").await;
        assert!([&access, &id, &userinfo].iter().all(|claims| claims["level"].is_null()));
        let (access, id, userinfo) = told("openid loyalty").await;
        assert_eq!((&userinfo["level"], &userinfo["kind"]), (&json!("gold"), &Value::Null));
        assert_eq!((&access["level"], &access["kind"]), (&Value::Null, &json!("customer")));
        assert!(id["level"].is_null());

        let own = json!({ "tier": { "attribute": "loyalty", "targets": ["id_token", "access_token"] },
            "sub": { "value": "root", "targets": ["id_token", "access_token", "userinfo"] },
            "email_verified": { "value": true } });
        // A mapping that slipped past every check still sets nothing that is reserved.
        world.change("web", |_, client| client.claims = serde_json::from_value(own.clone()).unwrap()).await;
        let (access, id, userinfo) = told("openid").await;
        assert_eq!((&access["tier"], &id["tier"]), (&json!("gold"), &json!("gold")));
        assert!([&access, &id, &userinfo].iter().all(|claims| claims["sub"] == alice.sub.as_str()));
        assert!(userinfo["tier"].is_null() && userinfo["email_verified"].is_null());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_server_names_who_asks_for_it() {
    on_each(async |world| {
        declare(world).await;
        let alice = world.signed_in("alice@example.com").await;
        let ask = async |caller: &str, token: &Value| {
            let fields = [("token", token.as_str().unwrap())];
            world.post("/introspect", &[("authorization", &basic(caller, SECRET))], &fields).await.json()
        };
        let orders = &world.tokens(&alice, "openid loyalty orders.read").await["access_token"];
        let answer = ask("steady", orders).await;
        assert_eq!((&answer["active"], &answer["kind"]), (&json!(true), &json!("customer")));
        assert_eq!(ask("partner", orders).await, json!({ "active": false }));
        let stock = &world.tokens(&alice, "openid stock.read").await["access_token"];
        assert_eq!(ask("steady", stock).await, json!({ "active": false }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_lists_what_is_declared() {
    on_each(async |world| {
        assert_eq!(*world.tenant.catalogue, Catalogue::default());
        declare(world).await;
        let document = world.get("/.well-known/openid-configuration", "").await.json();
        let has = |list: &str, name: &str| document[list].as_array().unwrap().contains(&name.into());
        for scope in ["openid", "loyalty", "orders.read", "stock.read"] {
            assert!(has("scopes_supported", scope), "{scope}");
        }
        assert!(has("claims_supported", "level"));
    })
    .await;
}
