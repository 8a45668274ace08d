//! A tenant with its applications and people, a browser, and a sign-in that only takes notes.

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::State,
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base::{Env, Event, Handle, HandleKind, Id, Identifier, MockClock, SealingKey, SystemRng, Time, id};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use journey::{Authentication, Epochs, Fact, Goal, Method as Proven, Proof, Rules};
use oauth::{
    AuthMethod, Client, Params,
    client::{ApplicationType, GrantType},
    params::encode,
    pkce::CodeVerifier,
};
use serde_json::{Map, Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use store::{
    Db, Directory, Engine, MIGRATIONS, NewTenant, Tenant, Unit,
    accounts::NewAccount,
    migrate,
    rows::{
        application::{self, ApplicationRow},
        grant, person, session, tenant,
    },
    scratch::{Scratch, engines},
};
use tower::ServiceExt;
use web::{
    Site, Visit,
    intent::{Begin, Boxed, Destination, Finished, Intent, Journeys},
};
use work::outbound::{Documents, Limits, Outbound, Policy};

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const SECRET: &str = "s3cret-canary";
pub(crate) const CALLBACK: &str = "https://shop.example/cb";

/// Runs a test on each engine at hand.
pub(crate) async fn on_each(test: impl AsyncFn(&World)) {
    for engine in engines() {
        let world = World::new(engine).await;
        test(&world).await;
        world.remove().await;
    }
}

/// What was handed to the sign-in.
pub(crate) struct Begun {
    pub(crate) request: Value,
    pub(crate) goal: Option<Goal>,
    pub(crate) facts: Vec<Fact>,
}

#[derive(Default)]
struct Notes(Mutex<Vec<Begun>>);

impl Journeys for Notes {
    fn begin<'a>(&'a self, visit: &'a Visit, begin: Begin) -> Boxed<'a, Response> {
        let Intent::Authorize { request } = begin.intent else { panic!("another intent") };
        self.0.lock().unwrap().push(Begun { request, goal: begin.goal, facts: begin.facts });
        Box::pin(async { visit.finish((StatusCode::OK, "the sign-in").into_response()) })
    }
}

/// What a test asks of the destination, inside a real visit.
#[derive(Clone, Default)]
pub(crate) struct Ask {
    pub(crate) request: Value,
    pub(crate) person: Option<Id<id::Person>>,
    pub(crate) begun_at: i64,
}

type Asked = Arc<Mutex<(Ask, Option<Rules>)>>;

pub(crate) struct World {
    pub(crate) clock: Arc<MockClock>,
    pub(crate) db: Db,
    pub(crate) site: Site,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) router: Router,
    notes: Arc<Notes>,
    asked: Asked,
    scratch: Scratch,
}

/// A person who is signed in to a browser.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) person: Id<id::Person>,
    pub(crate) session: Id<id::Session>,
    pub(crate) handle: Handle,
    pub(crate) sub: String,
    pub(crate) cookie: String,
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.text))
    }

    pub(crate) fn location(&self) -> &str {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        self.header("location")
    }

    /// A parameter of the address that it redirects to.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let (_, query) = self.location().split_once('?').unwrap();
        Params::parse(query.as_bytes()).unwrap().first(name).map(str::to_owned)
    }

    /// A page of ours that says what is wrong, and no redirect.
    pub(crate) fn is_error_page(&self) -> bool {
        self.header("location").is_empty() && self.text.contains("id=\"error\"")
    }

    /// The error code of a JSON answer.
    pub(crate) fn error(&self) -> String {
        assert!(self.status.is_client_error() || self.status.is_server_error(), "{}", self.text);
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }
}

pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

pub(crate) fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub(crate) fn basic(client: &str, secret: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{client}:{secret}")))
}

pub(crate) fn challenge() -> String {
    VERIFIER.parse::<CodeVerifier>().unwrap().challenge().into()
}

fn router(
    site: &Site,
    (notes, asked): (&Arc<Notes>, &Asked),
    clock: &Arc<MockClock>,
    limits: work::Limits,
) -> Router {
    let outbound = Outbound::new(Policy::dev()).unwrap();
    let documents = Documents::new(outbound.clone(), Arc::clone(clock) as _, Limits::default());
    let admission = work::Admission::new(limits);
    let journeys = Arc::clone(notes) as _;
    let oidc = oidc::Oidc { site: site.clone(), journeys, documents, outbound, admission };
    let router = oidc::routes(oidc).merge(destination(site.clone(), Arc::clone(asked)));
    web::tenancy::mount(site.clone(), router)
}

impl World {
    async fn new(engine: Engine) -> Self {
        let scratch = Scratch::new(engine).await.unwrap();
        let db = scratch.open().await.unwrap();
        migrate(&db, &[MIGRATIONS, oidc::MIGRATIONS].concat()).await.unwrap();
        let clock = Arc::new(MockClock::at(Time::from_seconds(1_800_000_000)));
        let env = Env::new(Arc::clone(&clock) as _, Arc::new(SystemRng));
        let directory = Directory::new(db.clone(), env, SealingKey::generate(&SystemRng));
        let tenant = NewTenant {
            slug: "default".into(),
            name: "Northwind".into(),
            issuer: ISSUER.into(),
            settings: "{}".into(),
        };
        let tenant = directory.create_tenant(tenant).await.unwrap();
        let site = Site::new(directory);
        let notes = Arc::new(Notes::default());
        let asked = Asked::default();
        let router = router(&site, (&notes, &asked), &clock, work::Limits::default());
        let world = Self { clock, db, site, tenant, router, notes, asked, scratch };
        world.applications().await;
        world
    }

    /// What the same server says, started again with these limits.
    pub(crate) fn limited(&self, limits: work::Limits) -> Router {
        router(&self.site, (&self.notes, &self.asked), &self.clock, limits)
    }

    pub(crate) async fn remove(self) {
        self.scratch.remove(self.db).await.unwrap();
    }

    async fn applications(&self) {
        let client = |id: &str| Client::new(id.parse().unwrap());
        let confidential = |id: &str| Client {
            redirect_uris: vec![CALLBACK.parse().unwrap()],
            post_logout_redirect_uris: vec!["https://shop.example/bye".parse().unwrap()],
            ..client(id)
        };
        self.application(&Client { name: Some("Web shop".into()), ..confidential("web") }, Some(SECRET))
            .await;
        self.application(&Client { first_party: false, ..confidential("partner") }, Some(SECRET)).await;
        self.application(&Client { rotate_refresh_tokens: false, ..confidential("steady") }, Some(SECRET))
            .await;
        let spa = Client {
            redirect_uris: vec!["https://spa.example/cb".parse().unwrap()],
            token_endpoint_auth_method: Some(AuthMethod::None),
            ..client("spa")
        };
        self.application(&spa, None).await;
        let native = Client {
            redirect_uris: vec!["http://127.0.0.1/cb".parse().unwrap()],
            token_endpoint_auth_method: Some(AuthMethod::None),
            application_type: ApplicationType::Native,
            first_party: false,
            ..client("native")
        };
        self.application(&native, None).await;
        let robot = Client {
            grant_types: [GrantType::ClientCredentials].into(),
            scopes: Some("orders.read orders.write".parse().unwrap()),
            ..client("robot")
        };
        self.application(&robot, Some(SECRET)).await;
    }

    pub(crate) async fn application(&self, client: &Client, secret: Option<&str>) -> Id<id::Application> {
        client.check().unwrap();
        let row = ApplicationRow {
            id: self.env().id(),
            client_id: client.client_id.to_string(),
            name: client.display_name().to_owned(),
            state: "active".to_owned(),
            metadata: serde_json::to_string(client).unwrap(),
            version: 1,
        };
        let mut unit = self.unit("application.created");
        application::insert(&mut unit, self.tenant.id, &row, self.now());
        if let Some(secret) = secret {
            let secret = self.tenant.client_secret(self.env(), row.id, client, secret).unwrap();
            application::insert_secret(&mut unit, self.tenant.id, row.id, &secret, self.now());
        }
        self.commit(unit).await;
        row.id
    }

    /// Changes an application, in force at once.
    pub(crate) async fn change(&self, client_id: &str, change: impl Fn(&mut ApplicationRow, &mut Client)) {
        let row = application::by_client_id(&self.db, self.tenant.id, client_id).await.unwrap();
        let mut row = row.unwrap();
        let mut client = serde_json::from_str(&row.metadata).unwrap();
        change(&mut row, &mut client);
        row.metadata = serde_json::to_string(&client).unwrap();
        let mut unit = self.unit("application.changed");
        application::update(&mut unit, self.tenant.id, &row, self.now());
        let version = tenant::by_id(&self.db, self.tenant.id).await.unwrap().unwrap().version;
        tenant::raise(&mut unit, self.tenant.id, version, self.now());
        self.commit(unit).await;
        self.site.directory().forget(self.tenant.id);
    }

    pub(crate) fn env(&self) -> &Env {
        self.site.env()
    }

    pub(crate) fn now(&self) -> Time {
        self.env().now()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn unit(&self, kind: &'static str) -> Unit {
        let event = Event::new(self.env(), kind);
        Unit::new(event.id, vec![self.tenant.event(self.env(), event, None)])
    }

    pub(crate) async fn commit(&self, unit: Unit) {
        assert!(self.db.commit(unit).await.unwrap().done());
    }

    /// A new customer with a session.
    pub(crate) async fn signed_in(&self, email: &str) -> Browser {
        let identifiers = [
            (Identifier::parse(email).unwrap(), Some("code")),
            (Identifier::parse(email.split('@').next().unwrap()).unwrap(), Some("code")),
        ];
        let attributes: Map<String, Value> = serde_json::from_value(json!({
            "name": "Alice Example", "given_name": "Alice", "birthdate": "2000-02-29",
            "phone_number": "+4915112345678", "address": { "locality": "Berlin" },
            "email": "forged@example.com", "email_verified": true, "loyalty": "gold",
        }))
        .unwrap();
        let mut unit = self.unit("person.created");
        let account = NewAccount { identifiers: &identifiers, attributes, ..NewAccount::default() };
        let created = account.write(&mut unit, &self.tenant, self.env()).unwrap();
        self.commit(unit).await;
        self.session(created.person, created.sub).await
    }

    /// A new session of a customer.
    pub(crate) async fn session(&self, person: Id<id::Person>, sub: String) -> Browser {
        let row = person::by_id(&self.db, self.tenant.id, person).await.unwrap().unwrap();
        let session: Id<id::Session> = self.env().id();
        let handle = Handle::new(HandleKind::Session, session, &SystemRng);
        let expires_at = self.now().plus(Duration::from_secs(30 * 86_400));
        let new = session::NewSession {
            id: session,
            person,
            epoch: row.epoch,
            secret: handle.hash(),
            device: vec![1; 32],
            facts: self.proofs().write(),
            auth_time: self.now(),
            origin: vec![],
            expires_at,
        };
        let mut unit = self.unit("session.created");
        session::insert(&mut unit, self.tenant.id, &new, self.now());
        self.commit(unit).await;
        let cookie = self.cookie(&[&handle]);
        Browser { person, session, handle, sub, cookie }
    }

    pub(crate) fn proofs(&self) -> Authentication {
        Authentication { proofs: vec![Proof { method: Proven::Password, at: self.now().micros() }] }
    }

    /// The cookies of a browser with these sessions.
    pub(crate) fn cookie(&self, sessions: &[&Handle]) -> String {
        let device = Handle::new(HandleKind::Device, self.env().id::<id::Device>(), &SystemRng);
        let handles: Vec<Handle> = sessions.iter().map(|handle| (*handle).clone()).collect();
        let end = self.now().plus(Duration::from_secs(86_400));
        let sessions = web::cookies::set_sessions(&self.tenant, &handles, self.now(), end);
        let device = web::cookies::set_device(&self.tenant, &device);
        [device, sessions].map(|cookie| cookie.split(';').next().unwrap().to_owned()).join("; ")
    }

    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        send(self.router.clone(), request).await
    }

    pub(crate) async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.call(request(Method::GET, path, &[("cookie", cookie), ("accept", "text/html")], "")).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let body = encode(fields.iter().copied());
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.call(request(Method::POST, path, &all, &body)).await
    }

    pub(crate) async fn authorize(&self, browser: &str, params: &[(&str, &str)]) -> Answer {
        self.get(&format!("/authorize?{}", query(params)), browser).await
    }

    /// A code of the application `web`.
    pub(crate) async fn code(&self, browser: &Browser, scope: &str) -> String {
        let answer = self.authorize(&browser.cookie, &[("scope", scope)]).await;
        answer.param("code").unwrap()
    }

    pub(crate) async fn redeem(&self, client: &str, code: &str) -> Answer {
        let fields = redemption(code);
        self.post("/token", &[("authorization", &basic(client, SECRET))], &fields).await
    }

    pub(crate) async fn refresh(&self, client: &str, token: &str) -> Answer {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("/token", &[("authorization", &basic(client, SECRET))], &fields).await
    }

    /// The tokens of the application `web`.
    pub(crate) async fn tokens(&self, browser: &Browser, scope: &str) -> Value {
        let answer = self.redeem("web", &self.code(browser, scope).await).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.call(request(Method::GET, "/userinfo", &[("authorization", &bearer)], "")).await
    }

    /// What was handed to the sign-in last.
    pub(crate) fn begun(&self) -> Option<Begun> {
        self.notes.0.lock().unwrap().pop()
    }

    /// The rules of a request.
    pub(crate) async fn rules(
        &self,
        request: &Value,
        person: Option<Id<id::Person>>,
        begun_at: i64,
    ) -> Rules {
        *self.asked.lock().unwrap() = (Ask { request: request.clone(), person, begun_at }, None);
        let answer = self.get("/_rules", "").await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        self.asked.lock().unwrap().1.clone().unwrap()
    }

    /// Ends a flow as the sign-in does, for this person in this session.
    pub(crate) async fn finish(&self, request: &Value, browser: &Browser) -> Answer {
        *self.asked.lock().unwrap() =
            (Ask { request: request.clone(), person: Some(browser.person), begun_at: 0 }, None);
        self.get("/_finish", &browser.cookie).await
    }

    /// Says no for the person.
    pub(crate) async fn deny(&self, request: &Value) -> Answer {
        *self.asked.lock().unwrap() = (Ask { request: request.clone(), ..Ask::default() }, None);
        self.get("/_deny", "").await
    }

    pub(crate) async fn grants_live(&self, token: &str) -> bool {
        let jti = claims(token)["jti"].as_str().unwrap().to_owned();
        let bytes = URL_SAFE_NO_PAD.decode(jti).unwrap();
        let id = Id::from_bytes(bytes[..16].try_into().unwrap());
        grant::by_id(&self.db, self.tenant.id, id).await.unwrap().unwrap().is_alive(self.now())
    }
}

/// A request to `/authorize`: the plain one of `web`, with these parameters set or, if empty, left out.
pub(crate) fn query(params: &[(&str, &str)]) -> String {
    let challenge = challenge();
    let plain = [
        ("client_id", "web"),
        ("redirect_uri", CALLBACK),
        ("response_type", "code"),
        ("scope", "openid"),
        ("state", "st4te"),
        ("nonce", "n0nce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    let kept = plain.into_iter().filter(|(name, _)| !params.iter().any(|(other, _)| other == name));
    encode(kept.chain(params.iter().copied().filter(|(_, value)| !value.is_empty())))
}

pub(crate) fn redemption(code: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

pub(crate) fn request(method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path).header(header::HOST, "id.example");
    for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
        request = request.header(*name, *value);
    }
    request.body(Body::from(Bytes::copy_from_slice(body.as_bytes()))).unwrap()
}

pub(crate) async fn send(router: Router, request: Request<Body>) -> Answer {
    let response = router.oneshot(request).await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    Answer { status, headers, text: String::from_utf8(body.to_vec()).unwrap() }
}

/// The sign-in's side of the destination, each question at an address of its own.
fn destination(site: Site, asked: Asked) -> Router {
    type Shared = (Site, Asked);
    #[derive(Clone)]
    struct Place(Shared);
    impl axum::extract::FromRef<Place> for Site {
        fn from_ref(place: &Place) -> Self {
            place.0.0.clone()
        }
    }
    async fn rules(State(Place((_, asked))): State<Place>, visit: Visit) -> Response {
        let ask = asked.lock().unwrap().0.clone();
        let rules = oidc::Requests.rules(&visit, &ask.request, ask.person, ask.begun_at).await;
        match rules {
            Ok(rules) => asked.lock().unwrap().1 = Some(rules),
            Err(error) => return visit.error(&error),
        }
        StatusCode::OK.into_response()
    }
    async fn finish(State(Place((_, asked))): State<Place>, visit: Visit) -> Response {
        let ask = asked.lock().unwrap().0.clone();
        let living = visit.signed_in().await.unwrap().unwrap();
        let row = person::by_id(visit.db(), visit.tenant.id, living.row.person).await.unwrap().unwrap();
        let finished = Finished {
            person: row.id,
            session: living.row.id,
            epochs: Epochs { sessions: row.epoch, offline: row.offline_epoch },
            authentication: Authentication::read(&living.row.facts),
        };
        let event = Event::new(visit.env(), "signin.finished");
        let mut unit = Unit::new(event.id, vec![visit.tenant.event(visit.env(), event, None)]);
        match oidc::Requests.finish(&visit, &ask.request, &finished, &mut unit).await {
            Ok(ending) => {
                assert!(visit.db().commit(unit).await.unwrap().done());
                visit.leave(ending, None)
            }
            Err(error) => visit.error(&error),
        }
    }
    async fn deny(State(Place((_, asked))): State<Place>, visit: Visit) -> Response {
        let ask = asked.lock().unwrap().0.clone();
        let ending = oidc::Requests.deny(&visit, &ask.request, journey::Reason::Declined).unwrap();
        visit.leave(ending, None)
    }
    Router::new()
        .route("/_rules", get(rules))
        .route("/_finish", get(finish))
        .route("/_deny", get(deny))
        .with_state(Place((site, asked)))
}
