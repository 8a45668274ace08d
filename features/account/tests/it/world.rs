//! Two tenants with people, their sessions, applications and grants.

use crate::browser::Browser;
use account::Account;
use axum::{
    Router,
    response::{IntoResponse, Response},
};
use base::{
    Aad, Email, Env, Event, Handle, HandleKind, Id, Identifier, MockClock, Origin, SealingKey, SystemRng,
    Time, Username, id,
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use store::{
    Db, Directory, Engine, NewTenant, Tenant, Unit,
    accounts::NewAccount,
    attributes,
    rows::{
        application::{self, ApplicationRow},
        consent,
        grant::{self, NewGrant},
        person::{self, PersonRow},
        session::{self, NewSession},
    },
    scratch::{Scratch, engines},
};
use web::{
    Site, Visit,
    intent::{Begin, Boxed, Intent, Journeys},
};

/// As a browser on Linux names itself.
pub(crate) const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
const DAY: Duration = Duration::from_secs(86_400);

/// Everything that a test needs.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) clock: Arc<MockClock>,
    /// The first tenant.
    pub(crate) tenant: Arc<Tenant>,
    /// Another, at `/t/acme`.
    pub(crate) acme: Arc<Tenant>,
    scratch: Scratch,
}

/// The sign-in, which here only says where it would lead.
struct SignIn;

impl Journeys for SignIn {
    fn begin<'a>(&'a self, _visit: &'a Visit, begin: Begin) -> Boxed<'a, Response> {
        let Intent::Portal { path } = begin.intent else { panic!("the portal leads to itself") };
        assert!(begin.goal.is_none() && begin.facts.is_empty());
        Box::pin(async move { format!("sign in for {path}").into_response() })
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
        store::migrate(&db, store::MIGRATIONS).await.unwrap();
        let clock = Arc::new(MockClock::at(Time::from_seconds(1_795_559_760)));
        let env = Env::new(Arc::clone(&clock) as _, Arc::new(SystemRng));
        let directory = Directory::new(db.clone(), env.clone(), SealingKey::generate(&SystemRng));
        let tenant = directory.create_tenant(new_tenant("default", "")).await.unwrap();
        clock.advance(Duration::from_secs(1));
        let acme = directory.create_tenant(new_tenant("acme", "/t/acme")).await.unwrap();
        let site = Site::new(directory);
        let routes = account::routes(Account { site: site.clone(), journeys: Arc::new(SignIn) });
        let router = web::tenancy::mount(site, routes);
        Self { router, db, env, clock, tenant, acme, scratch }
    }

    /// Closes the database and removes it.
    pub(crate) async fn remove(self) {
        self.scratch.remove(self.db).await.unwrap();
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Time {
        self.env.now()
    }

    /// Moves the clock.
    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A unit with one event about a person, sealed under their key.
    pub(crate) async fn unit(&self, kind: &'static str, person: Id<id::Person>, detail: Value) -> Unit {
        let row = self.person(&self.tenant, person).await;
        let key = self.tenant.person_key(&row).unwrap();
        let origin = Origin { address: Some("192.0.2.7".to_owned()), agent: Some(FIREFOX.to_owned()) };
        let event = Event::new(&self.env, kind).person(person).origin(origin).detail(detail);
        Unit::new(event.id, vec![self.tenant.event(&self.env, event, key.as_ref())])
    }

    /// Carries a unit out, and lets a moment pass: ids are in the order of milliseconds.
    pub(crate) async fn commit(&self, unit: Unit) {
        assert!(self.db.commit(unit).await.unwrap().done());
        self.clock.advance(Duration::from_millis(1));
    }

    /// An account with this address and user name.
    pub(crate) async fn register(&self, name: &str) -> Id<id::Person> {
        self.register_in(&self.tenant, name).await
    }

    /// The same in a tenant.
    pub(crate) async fn register_in(&self, tenant: &Tenant, name: &str) -> Id<id::Person> {
        let email = Email::parse(&format!("{name}@example.com")).unwrap();
        let identifiers = [
            (Identifier::Email(email), Some("code")),
            (Identifier::Username(Username::parse(name).unwrap()), None),
        ];
        let Value::Object(attributes) =
            json!({ "name": format!("{name} Example"), "phone_number": "+49151" })
        else {
            panic!()
        };
        let account = NewAccount { identifiers: &identifiers, attributes, ..NewAccount::default() };
        let mut unit = Unit::new(self.env.id(), Vec::new());
        let created = account.write(&mut unit, tenant, &self.env).unwrap();
        let event = Event { id: unit.id(), ..Event::new(&self.env, "person.created").person(created.person) };
        unit.record(tenant.event(&self.env, event, Some(&created.key)));
        self.commit(unit).await;
        created.person
    }

    /// A browser in which this person of the first tenant has just signed in.
    pub(crate) async fn sign_in(&self, person: Id<id::Person>) -> Browser {
        self.sign_in_at(&self.tenant, person).await
    }

    /// The same in a tenant.
    pub(crate) async fn sign_in_at(&self, tenant: &Tenant, person: Id<id::Person>) -> Browser {
        let mut browser = Browser::new(self, tenant);
        let (_, handle) = self.session(tenant, person).await;
        browser.set("kws", &handle.reveal());
        browser
    }

    /// A session with its handle.
    pub(crate) async fn session(&self, tenant: &Tenant, person: Id<id::Person>) -> (Id<id::Session>, Handle) {
        let row = self.person(tenant, person).await;
        let id = self.env.id();
        let handle = Handle::new(HandleKind::Session, id, self.env.rng());
        let origin = json!({ "address": "192.0.2.7", "agent": FIREFOX }).to_string();
        let new = NewSession {
            id,
            person,
            epoch: row.epoch,
            secret: handle.hash(),
            device: vec![1; 32],
            facts: "{}".to_owned(),
            auth_time: self.now(),
            origin: tenant.key.seal(
                self.env.rng(),
                Aad::new(&tenant.id, "session.origin", &id),
                origin.as_bytes(),
            ),
            expires_at: self.now().plus(30 * DAY),
        };
        let key = tenant.person_key(&row).unwrap();
        let event = Event::new(&self.env, "session.created").person(person).session(id);
        let mut unit = Unit::new(event.id, vec![tenant.event(&self.env, event, key.as_ref())]);
        session::insert(&mut unit, tenant.id, &new, self.now());
        self.commit(unit).await;
        (id, handle)
    }

    /// The person's row.
    pub(crate) async fn person(&self, tenant: &Tenant, id: Id<id::Person>) -> PersonRow {
        person::by_id(&self.db, tenant.id, id).await.unwrap().unwrap()
    }

    /// The person's attributes, opened.
    pub(crate) async fn attributes(&self, id: Id<id::Person>) -> Value {
        let row = self.person(&self.tenant, id).await;
        Value::Object(attributes::join(&self.tenant, &row).unwrap())
    }

    /// Whether this session of the first tenant lives.
    pub(crate) async fn is_alive(&self, id: Id<id::Session>) -> bool {
        let row = session::by_id(&self.db, self.tenant.id, id).await.unwrap().unwrap();
        row.is_alive(self.now(), self.tenant.settings.session_idle)
    }

    /// An application of others.
    pub(crate) async fn application(&self, client_id: &str, name: &str) -> Id<id::Application> {
        let id = self.env.id();
        let metadata = json!({ "client_id": client_id, "name": name, "first_party": false,
            "redirect_uris": ["https://partner.example/cb"] });
        let row = ApplicationRow {
            id,
            client_id: client_id.to_owned(),
            name: name.to_owned(),
            state: "active".to_owned(),
            metadata: metadata.to_string(),
            version: 1,
        };
        let event = Event::new(&self.env, "application.created");
        let mut unit = Unit::new(event.id, vec![self.tenant.event(&self.env, event, None)]);
        application::insert(&mut unit, self.tenant.id, &row, self.now());
        self.commit(unit).await;
        id
    }

    /// The person allows an application.
    pub(crate) async fn consent(&self, person: Id<id::Person>, application: Id<id::Application>) {
        let mut unit = self.unit("consent.given", person, json!({})).await;
        consent::give(&mut unit, self.tenant.id, person, (application, "openid email"), self.now());
        self.commit(unit).await;
    }

    /// A grant of that person in that session.
    pub(crate) async fn grant(
        &self,
        session: (Id<id::Person>, Id<id::Session>),
        application: Id<id::Application>,
        offline: bool,
    ) -> Id<id::Grant> {
        let (person, session) = session;
        let row = self.person(&self.tenant, person).await;
        let grant = NewGrant {
            id: self.env.id(),
            person,
            application,
            session,
            offline,
            epochs: (row.epoch, row.offline_epoch),
            scopes: "openid".to_owned(),
            claims: "{}".to_owned(),
            resources: None,
            facts: "{}".to_owned(),
            code: [7; 32],
            code_until: self.now().plus(DAY),
            redirect_uri: "https://partner.example/cb".to_owned(),
            challenge: None,
            nonce: None,
            expires_at: self.now().plus(30 * DAY),
        };
        let mut unit = self.unit("grant.created", person, json!({})).await;
        grant::insert(&mut unit, self.tenant.id, &grant, self.now());
        self.commit(unit).await;
        grant.id
    }

    /// Whether that grant lives.
    pub(crate) async fn grant_lives(&self, id: Id<id::Grant>) -> bool {
        let row = grant::by_id(&self.db, self.tenant.id, id).await.unwrap().unwrap();
        row.is_alive(self.now())
    }

    /// The kinds of the person's events, the latest first, with what was sealed in each.
    pub(crate) async fn events(&self, person: Id<id::Person>) -> Vec<(String, Value)> {
        let row = self.person(&self.tenant, person).await;
        let key = self.tenant.person_key(&row).unwrap().unwrap();
        let events = store::rows::event::of_person(&self.db, self.tenant.id, person, None).await.unwrap();
        let open = |event: store::rows::event::StoredEvent| {
            let place = Aad::new(&self.tenant.id, "event.data", &event.id);
            let plain = key.open(place, &event.data).expect("sealed under the person's key");
            (event.kind, serde_json::from_slice(&plain).unwrap())
        };
        events.into_iter().map(open).collect()
    }
}

fn new_tenant(slug: &str, path: &str) -> NewTenant {
    NewTenant {
        slug: slug.to_owned(),
        name: "Northwind".to_owned(),
        issuer: format!("http://localhost:8080{path}"),
        settings: "{}".to_owned(),
    }
}
