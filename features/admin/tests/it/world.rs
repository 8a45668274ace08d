//! Two tenants and their callers.

use admin::{Admin, Caller, InitialToken, InitialTokens};
use axum::{Router, body::Body};
use base::{Env, Handle, HandleKind, Id, MockClock, SealingKey, SystemRng, Time};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use oauth::claims::AccessTokenClaims;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use store::{
    Db, Directory, Engine, NewTenant, Tenant, Unit,
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
        let routes = admin::routes(Admin { site: site.clone(), pool, tokens: Arc::new(Tokens::default()) });
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

/// What makes tokens elsewhere, in memory: an opaque token is `at_` and its claims in base64.
#[derive(Default)]
struct Tokens(Mutex<Vec<(Id<base::id::Tenant>, InitialToken)>>);

impl admin::Tokens for Tokens {
    fn opened(&self, tenant: &Tenant, token: &str) -> Option<AccessTokenClaims> {
        let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("at_")?).ok()?;
        let claims: AccessTokenClaims = serde_json::from_slice(&bytes).ok()?;
        (claims.iss == tenant.issuer).then_some(claims)
    }

    fn make_initial(
        &self,
        _: &mut Unit,
        tenant: Id<base::id::Tenant>,
        env: &Env,
        (uses, expires_at): (u32, Time),
    ) -> String {
        let (id, created_at) = (env.id(), env.now());
        let token = InitialToken { id, uses_left: uses.into(), created_at, expires_at };
        self.0.lock().unwrap().push((tenant, token));
        Handle::new(HandleKind::InitialAccess, id, env.rng()).reveal()
    }

    fn initial<'a>(
        &'a self,
        _: &'a Db,
        tenant: Id<base::id::Tenant>,
        (after, limit): (Id<base::id::Key>, i64),
    ) -> InitialTokens<'a> {
        let all = self.0.lock().unwrap();
        let own = all.iter().filter(|(owner, token)| *owner == tenant && token.id > after);
        let page = own.map(|(_, token)| token.clone()).take(limit.try_into().unwrap()).collect();
        Box::pin(async move { Ok(page) })
    }

    fn drop_initial(&self, unit: &mut Unit, tenant: Id<base::id::Tenant>, id: Id<base::id::Key>) {
        let mut all = self.0.lock().unwrap();
        let before = all.len();
        all.retain(|(owner, token)| *owner != tenant || token.id != id);
        if all.len() == before {
            // What conflicts always.
            store::rows::tenant::raise(unit, tenant, -1, Time::from_seconds(0));
        }
    }
}
