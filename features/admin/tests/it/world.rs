//! Two tenants and their callers.

use admin::{Admin, Caller};
use axum::{Router, body::Body};
use base::{Env, Id, MockClock, SealingKey, SystemRng, Time};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use store::{
    Db, Directory, Engine, NewTenant, Tenant,
    scratch::{Scratch, engines},
};
use tower::ServiceExt;
use web::Site;
use work::{HashPool, HashSettings};

/// Every scope that a tenant other than the first can give.
pub(crate) const ORDINARY: &[&str] = &[
    "users:read",
    "users:write",
    "sessions:write",
    "applications:read",
    "applications:write",
    "resources:read",
    "resources:write",
    "keys:read",
    "keys:write",
    "settings:read",
    "settings:write",
    "events:read",
    "api-keys:read",
    "api-keys:write",
];

/// Everything that a test needs.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) directory: Directory,
    /// The first tenant.
    pub(crate) tenant: Arc<Tenant>,
    /// Another, at `/t/acme`.
    pub(crate) acme: Arc<Tenant>,
    scratch: Scratch,
}

/// An answer with its body read.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The code of a refusal.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json", "{}", self.text);
        self.json()["code"].as_str().unwrap().to_owned()
    }

    /// The body of a success.
    pub(crate) fn ok(self) -> Value {
        assert!(self.status.is_success(), "{} {}", self.status, self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }
}

/// Who calls, at which tenant.
#[derive(Clone)]
pub(crate) struct As {
    /// `""` or `/t/acme`.
    pub(crate) base: &'static str,
    pub(crate) token: Option<String>,
    pub(crate) operator: bool,
}

impl As {
    pub(crate) fn token(token: &str) -> Self {
        Self { base: "", token: Some(token.to_owned()), operator: false }
    }

    pub(crate) fn nobody() -> Self {
        Self { base: "", token: None, operator: false }
    }

    pub(crate) fn operator() -> Self {
        Self { base: "", token: None, operator: true }
    }

    pub(crate) fn at_acme(self) -> Self {
        Self { base: "/t/acme", ..self }
    }
}

/// A world on each engine that this run can test.
pub(crate) async fn worlds() -> Vec<World> {
    let mut worlds = Vec::new();
    for engine in engines() {
        worlds.push(World::new(engine).await);
    }
    worlds
}

impl World {
    async fn new(engine: Engine) -> Self {
        let scratch = Scratch::new(engine).await.unwrap();
        let db = scratch.open().await.unwrap();
        let migrations = [store::MIGRATIONS, admin::MIGRATIONS].concat();
        store::migrate(&db, &migrations).await.unwrap();
        store::prepare_all(&db, &[store::statements(), admin::statements()].concat()).await.unwrap();
        let clock = Arc::new(MockClock::at(Time::from_seconds(1_795_559_760)));
        let env = Env::new(Arc::clone(&clock) as _, Arc::new(SystemRng));
        let directory = Directory::new(db.clone(), env.clone(), SealingKey::generate(&SystemRng));
        let tenant = directory.create_tenant(new_tenant("default", "")).await.unwrap();
        clock.advance(Duration::from_secs(1));
        let acme = directory.create_tenant(new_tenant("acme", "/t/acme")).await.unwrap();
        let site = Site::new(directory.clone());
        let params = passwords::Params::new(8, 1, 1).unwrap();
        let settings = HashSettings { threads: 1, params, ..HashSettings::default() };
        let pool = HashPool::start(env.clone(), settings).unwrap();
        let routes = admin::routes(Admin { site: site.clone(), pool });
        let router = web::tenancy::mount(site, routes);
        Self { router, db, env, clock, directory, tenant, acme, scratch }
    }

    /// Closes the database and removes it.
    pub(crate) async fn remove(self) {
        self.scratch.remove(self.db).await.unwrap();
    }

    /// A request below `/api/v1`, with headers of its own.
    pub(crate) async fn call(
        &self,
        caller: &As,
        (method, path): (&str, &str),
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Reply {
        let uri = format!("http://localhost:8080{}/api/v1{path}", caller.base);
        let mut request = Request::builder().method(method).uri(uri).header(header::HOST, "localhost:8080");
        if let Some(token) = &caller.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = request.body(body).unwrap();
        if caller.operator {
            request.extensions_mut().insert(Caller::Operator);
        }
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        self.clock.advance(Duration::from_millis(1));
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Reply { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn get(&self, caller: &As, path: &str) -> Reply {
        self.call(caller, ("GET", path), None, &[]).await
    }

    pub(crate) async fn post(&self, caller: &As, path: &str, body: Value) -> Reply {
        self.call(caller, ("POST", path), Some(body), &[]).await
    }

    pub(crate) async fn patch(&self, caller: &As, path: &str, body: Value) -> Reply {
        self.call(caller, ("PATCH", path), Some(body), &[]).await
    }

    pub(crate) async fn delete(&self, caller: &As, path: &str) -> Reply {
        self.call(caller, ("DELETE", path), None, &[]).await
    }

    /// A caller by a key with these scopes, made at the command line.
    pub(crate) async fn key(&self, base: &'static str, scopes: &[&str]) -> As {
        let operator = As { base, ..As::operator() };
        let made = self.post(&operator, "/api-keys", json!({ "name": "test", "scopes": scopes })).await.ok();
        As { base, token: Some(made["secret"].as_str().unwrap().to_owned()), operator: false }
    }

    /// A person with this name as address and user name; gives their id.
    pub(crate) async fn user(&self, name: &str) -> String {
        let body = json!({ "email": format!("{name}@example.com"), "email_verified": true,
            "username": name, "attributes": { "name": format!("{name} Example") } });
        let user = self.post(&As::operator(), "/users", body).await.ok();
        user["id"].as_str().unwrap().to_owned()
    }

    /// The tenant as it is now.
    pub(crate) async fn fresh(&self) -> Arc<Tenant> {
        self.directory.forget(self.tenant.id);
        self.directory.tenant(self.tenant.id).await.unwrap().unwrap()
    }
}

/// An id as its text names it.
pub(crate) fn id<T: base::id::Entity>(text: &str) -> Id<T> {
    text.parse().unwrap()
}

fn new_tenant(slug: &str, path: &str) -> NewTenant {
    NewTenant {
        slug: slug.to_owned(),
        name: "Northwind".to_owned(),
        issuer: format!("http://localhost:8080{path}"),
        settings: "{}".to_owned(),
    }
}
