//! A tenant with the sign-in of it, a person or two, an application that asks for them, and the
//! mails that were queued.

use crate::browser::Browser;
use axum::{Router, extract::State, response::Response, routing::get};
use base::{Aad, Email, Env, Event, Id, Identifier, MockClock, SealingKey, SystemRng, Time, Username, id};
use journey::{Authentication, Epochs, Fact, Reason, Reference, Rules};
use serde_json::{Value, json};
use signin::{Logos, Parts, Signin};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use store::{
    Db, Directory, Engine, NewTenant, Tenant, Unit,
    accounts::NewAccount,
    args,
    rows::{
        grant::{self, NewGrant},
        identifier,
        person::{self, PersonRow, Raise},
        session::{self, SessionRow},
    },
    scratch::{Scratch, engines},
};
use web::{
    Site, Visit,
    intent::{Asking, Begin, Boxed, Destination, Ending, Finished, Intent},
    query,
};
use work::{
    AccountSlots, Admission, HashPool, HashSettings, Limits, MailSignal, Message, Priority,
    outbound::{Outbound, Policy},
};

/// Alice's password.
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Another that nobody has yet.
pub(crate) const ANOTHER: &str = "staple of violet umbrellas";
/// Where the application waits.
pub(crate) const APPLICATION: &str = "https://app.example/cb";
pub(crate) const ISSUER: &str = "http://localhost:8080";
const START: Time = Time::from_seconds(1_795_559_760);

/// Runs a test on each engine that this run can test.
macro_rules! on_each {
    ($name:ident, |$world:ident| $body:block) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            for $world in crate::world::worlds("{}").await {
                $body
                $world.remove().await;
            }
        }
    };
}
pub(crate) use on_each;

/// Everything that a test needs.
pub(crate) struct World {
    pub(crate) router: Router,
    pub(crate) db: Db,
    pub(crate) env: Env,
    pub(crate) clock: Arc<MockClock>,
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) pool: HashPool,
    directory: Directory,
    scratch: Scratch,
}

/// A world on each engine that this run can test, with these settings of the tenant.
pub(crate) async fn worlds(settings: &str) -> Vec<World> {
    let mut worlds = Vec::new();
    for engine in engines() {
        worlds.push(World::new(engine, settings).await);
    }
    worlds
}

fn pool(env: &Env, rounds: u32) -> HashPool {
    let params = passwords::Params::new(64, rounds, 1).unwrap();
    let wait = Duration::from_secs(600);
    let settings =
        HashSettings { threads: 2, queue: wait, patience: wait, params, ..HashSettings::default() };
    HashPool::start(env.clone(), settings).unwrap()
}

impl World {
    async fn new(engine: Engine, settings: &str) -> Self {
        let scratch = Scratch::new(engine).await.unwrap();
        let db = scratch.open().await.unwrap();
        store::migrate(&db, store::MIGRATIONS).await.unwrap();
        let clock = Arc::new(MockClock::at(START));
        let env = Env::new(Arc::clone(&clock) as _, Arc::new(SystemRng));
        let directory = Directory::new(db.clone(), env.clone(), SealingKey::generate(&SystemRng));
        let new = NewTenant {
            slug: "default".to_owned(),
            name: "Northwind".to_owned(),
            issuer: ISSUER.to_owned(),
            settings: settings.to_owned(),
        };
        let tenant = directory.create_tenant(new).await.unwrap();
        let pool = pool(&env, 1);
        let router = router(&directory, &pool, &clock, unlimited());
        Self { router, db, env, clock, tenant, pool, directory, scratch }
    }

    /// A browser at the same server started again, with dearer hashes.
    pub(crate) fn dearer(&self) -> Browser {
        let mut browser = self.browser();
        browser.router = router(&self.directory, &pool(&self.env, 2), &self.clock, unlimited());
        browser
    }

    /// A program at the same server started again, with these limits.
    pub(crate) fn limited(&self, limits: Limits) -> Browser {
        let mut program = self.program();
        program.router = router(&self.directory, &self.pool, &self.clock, limits);
        program
    }

    /// Closes the database and removes it.
    pub(crate) async fn remove(self) {
        self.scratch.remove(self.db).await.unwrap();
    }

    /// A browser that was never here.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self, false)
    }

    /// A program with a cookie jar that speaks JSON.
    pub(crate) fn program(&self) -> Browser {
        Browser::new(self, true)
    }

    /// A browser in which this person has just signed in.
    pub(crate) async fn signed_in(&self, identifier: &str, password: &str) -> Browser {
        let mut browser = self.browser();
        browser.sign_in(identifier, password).await;
        browser
    }

    pub(crate) fn now(&self) -> Time {
        self.env.now()
    }

    /// Moves the clock.
    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Moves the clock to that moment.
    pub(crate) fn until(&self, moment: Time) {
        assert!(moment >= self.now());
        self.clock.advance(moment.since(self.now()));
    }

    /// An account with these identifiers, the address proven in this way or not at all.
    pub(crate) async fn person(
        &self,
        email: (&str, Option<&str>),
        username: Option<&str>,
        password: &str,
    ) -> Id<id::Person> {
        let prepared = passwords::Prepared::new(password).unwrap();
        let phc = self.pool.hash(prepared, Priority::Other).await.unwrap().to_string();
        let mut identifiers = vec![(Identifier::Email(Email::parse(email.0).unwrap()), email.1)];
        identifiers.extend(
            username.map(|name| (Identifier::Username(Username::parse(name).unwrap()), Some("chosen"))),
        );
        let Value::Object(attributes) = json!({ "name": "Alice Example" }) else { panic!() };
        let account = NewAccount {
            identifiers: &identifiers,
            attributes,
            password_phc: Some(&phc),
            ..NewAccount::default()
        };
        let mut unit = Unit::new(self.env.id(), Vec::new());
        let created = account.write(&mut unit, &self.tenant, &self.env).unwrap();
        let event = Event { id: unit.id(), ..Event::new(&self.env, "person.created").person(created.person) };
        unit.record(self.tenant.event(&self.env, event, Some(&created.key)));
        assert!(self.db.commit(unit).await.unwrap().done());
        created.person
    }

    /// alice@example.com, also called alice.
    pub(crate) async fn alice(&self) -> Id<id::Person> {
        self.person(("alice@example.com", Some("operator")), Some("alice"), PASSWORD).await
    }

    /// bob@example.com, also called bob.
    pub(crate) async fn bob(&self) -> Id<id::Person> {
        self.person(("bob@example.com", Some("operator")), Some("bob"), PASSWORD).await
    }

    /// Their row.
    pub(crate) async fn row(&self, id: Id<id::Person>) -> PersonRow {
        person::by_id(&self.db, self.tenant.id, id).await.unwrap().unwrap()
    }

    /// Who has this identifier.
    pub(crate) async fn whose(&self, typed: &str) -> Option<Id<id::Person>> {
        let identifier = Identifier::parse(typed).unwrap();
        let found = identifier::find(&self.db, self.tenant.id, identifier.kind(), identifier.normal()).await;
        found.unwrap().map(|row| row.person)
    }

    /// Suspends somebody, or lifts it.
    pub(crate) async fn set_state(&self, id: Id<id::Person>, state: &str) {
        let row = self.row(id).await;
        self.unit(id, |unit| person::set_state(unit, self.tenant.id, &row, state, self.now())).await;
    }

    /// Signs somebody out everywhere.
    pub(crate) async fn sign_out_everywhere(&self, id: Id<id::Person>) {
        let row = self.row(id).await;
        let raise = Raise::Everything;
        self.unit(id, |unit| person::raise(unit, self.tenant.id, (id, row.epoch), raise, self.now())).await;
    }

    /// Ends one session.
    pub(crate) async fn end_session(&self, session: Id<id::Session>, person: Id<id::Person>) {
        self.unit(person, |unit| session::end(unit, self.tenant.id, (session, person), self.now())).await;
    }

    /// An operator asks for another password.
    pub(crate) async fn expire_password(&self, id: Id<id::Person>) {
        self.unit(id, |unit| store::rows::listing::expire_password(unit, self.tenant.id, id)).await;
    }

    async fn unit(&self, person: Id<id::Person>, write: impl FnOnce(&mut Unit)) {
        let event = Event::new(&self.env, "person.changed").person(person);
        let mut unit = Unit::new(event.id, vec![self.tenant.event(&self.env, event, None)]);
        write(&mut unit);
        assert!(self.db.commit(unit).await.unwrap().done());
    }

    /// Their sessions that live.
    pub(crate) async fn sessions(&self, person: Id<id::Person>) -> Vec<SessionRow> {
        let all = session::of_person(&self.db, self.tenant.id, person, self.now()).await.unwrap();
        all.into_iter().filter(|row| row.is_alive(self.now(), self.tenant.settings.session_idle)).collect()
    }

    /// Whether a grant, as the application's address names it, lives.
    pub(crate) async fn grant_lives(&self, location: &str) -> bool {
        let id = location.strip_prefix(APPLICATION).and_then(|rest| rest.strip_prefix("?grant=")).unwrap();
        let row = grant::by_id(&self.db, self.tenant.id, id.parse().unwrap()).await.unwrap().unwrap();
        row.is_alive(self.now())
    }

    /// The mails that were queued, decoys too, the first first.
    pub(crate) async fn mails(&self) -> Vec<Message> {
        let rows: Vec<(Id<id::Mail>, Vec<u8>)> = self.db.many(MAILS, args![]).await.unwrap();
        let open = |(id, body): (Id<id::Mail>, Vec<u8>)| {
            let place = Aad::new(&self.tenant.id, "mail.body", &id);
            serde_json::from_slice(&self.tenant.key.open(place, &body).unwrap()).unwrap()
        };
        rows.into_iter().map(open).collect()
    }

    /// The latest mail to that address.
    pub(crate) async fn mail(&self, to: &str) -> Message {
        let mut mails = self.mails().await;
        mails.retain(|mail| mail.to == to);
        mails.pop().unwrap_or_else(|| panic!("no mail to {to}"))
    }

    /// Its code.
    pub(crate) async fn code(&self, to: &str) -> String {
        self.mail(to).await.code.unwrap()
    }

    /// The path of its link.
    pub(crate) async fn link(&self, to: &str) -> String {
        let mail = self.mail(to).await;
        mail.links[0].strip_prefix(ISSUER).expect("a link of the issuer").to_owned()
    }

    /// How many rows each table has.
    pub(crate) async fn shape(&self) -> BTreeMap<&'static str, i64> {
        let mut shape = BTreeMap::new();
        for (table, sql) in COUNTS {
            shape.insert(table, self.db.one::<i64>(sql, args![]).await.unwrap().unwrap());
        }
        shape
    }

    /// How many rows a table has.
    pub(crate) async fn count(&self, table: &str) -> i64 {
        self.shape().await[table]
    }

    /// By how much [`World::shape`] grew.
    pub(crate) async fn grown(&self, before: &BTreeMap<&'static str, i64>) -> BTreeMap<&'static str, i64> {
        let after = self.shape().await;
        after
            .into_iter()
            .map(|(table, count)| (table, count - before[table]))
            .filter(|(_, by)| *by != 0)
            .collect()
    }

    /// How many units wrote each flow, the latest first.
    pub(crate) async fn flow_versions(&self) -> Vec<i64> {
        self.db.many("SELECT version FROM flow ORDER BY created_at DESC", args![]).await.unwrap()
    }

    /// Gives every flow facts of a version to come.
    pub(crate) async fn age_facts(&self) {
        let flows: Vec<(Id<id::Flow>, i64)> =
            self.db.many("SELECT id, version FROM flow WHERE state = 'open'", args![]).await.unwrap();
        for (id, version) in flows {
            let place = Aad::new(&self.tenant.id, "flow.facts", &id);
            let facts = self.tenant.key.seal(self.env.rng(), place, br#"{"version":99,"facts":[]}"#);
            let row = store::rows::flow::by_id(&self.db, self.tenant.id, id).await.unwrap().unwrap();
            assert_eq!(row.version, version);
            let mut unit = store::rows::flow::unit(self.tenant.id, id, self.env.id());
            store::rows::flow::advance(&mut unit, self.tenant.id, &row, &facts);
            assert!(self.db.commit(unit).await.unwrap().done());
        }
    }

    /// The stored hash of somebody's password.
    pub(crate) async fn phc(&self, person: Id<id::Person>) -> Option<String> {
        let credential = store::rows::credential::of_kind(&self.db, self.tenant.id, person, "password").await;
        let credential = credential.unwrap()?;
        let key = self.tenant.person_key(&self.row(person).await).unwrap().unwrap();
        let place = (self.tenant.id, credential.id);
        Some(store::accounts::open_password(&key, place, &credential.data).unwrap().to_string())
    }
}

const MAILS: &str = "SELECT id, body FROM mail WHERE body IS NOT NULL ORDER BY created_at, id";
const COUNTS: [(&str, &str); 9] = [
    ("attempt", "SELECT count(*) FROM attempt"),
    ("challenge", "SELECT count(*) FROM challenge"),
    ("credential", "SELECT count(*) FROM credential"),
    ("event", "SELECT count(*) FROM event"),
    ("flow", "SELECT count(*) FROM flow"),
    ("grant", "SELECT count(*) FROM oauth_grant"),
    ("mail", "SELECT count(*) FROM mail"),
    ("person", "SELECT count(*) FROM person"),
    ("session", "SELECT count(*) FROM session"),
];

/// What no test reaches by accident.
pub(crate) fn unlimited() -> Limits {
    Limits { network: work::Rate { per_minute: 1_000_000, burst: 1_000_000 }, ..Limits::default() }
}

fn router(directory: &Directory, pool: &HashPool, clock: &Arc<MockClock>, limits: Limits) -> Router {
    let site = Site::new(directory.clone());
    let signin = Signin::new(Parts {
        site: site.clone(),
        hashing: pool.clone(),
        slots: AccountSlots::default(),
        admission: Admission::new(limits),
        mail: MailSignal::default(),
        tally: signin::Tally::default(),
        logos: Logos::new(Outbound::new(Policy::dev()).unwrap(), Arc::clone(clock) as _),
        destination: Arc::new(Shop),
    });
    let own = Router::new().route("/authorize", get(authorize)).with_state(signin.clone());
    web::tenancy::mount(site, signin::routes(signin).merge(own))
}

/// An application's request: `?consent=email&fresh=1&choose=1`, with the session of the browser if there is
/// one.
async fn authorize(State(signin): State<Signin>, visit: Visit) -> Response {
    let fresh = query(&visit.uri, "fresh").map(|_| visit.now().micros());
    let choose = query(&visit.uri, "choose").is_some();
    let request = json!({
        "consent": query(&visit.uri, "consent"), "fresh": fresh, "choose": choose,
        "application": query(&visit.uri, "application"), "logo": query(&visit.uri, "logo"),
    });
    let mut facts = Vec::new();
    if let Some(living) = visit.signed_in().await.unwrap().filter(|_| !choose) {
        let row = person::by_id(visit.db(), visit.tenant.id, living.row.person).await.unwrap().unwrap();
        facts.push(Fact::Carried {
            person: Reference(*row.id.as_bytes()),
            session: Reference(*living.row.id.as_bytes()),
            proofs: Authentication::read(&living.row.facts).proofs,
            epochs: Epochs { sessions: row.epoch, offline: row.offline_epoch },
        });
    }
    let intent = Intent::Authorize { request };
    signin.journeys().begin(&visit, Begin { intent, goal: None, facts }).await
}

/// An application that asks for people and gets a grant.
struct Shop;

impl Destination for Shop {
    fn rules<'a>(
        &'a self,
        visit: &'a Visit,
        request: &'a Value,
        _person: Option<Id<id::Person>>,
        _begun_at: i64,
    ) -> Boxed<'a, Result<Rules, base::Error>> {
        let consent = request["consent"].as_str().map(str::to_owned).into_iter().collect();
        let fresh_after = request["fresh"].as_i64().unwrap_or(i64::MIN);
        let registration = visit.tenant.settings.registration;
        let choose = request["choose"] == true;
        let rules = Rules { consent, fresh_after, registration, choose, ..Rules::sign_in() };
        Box::pin(async move { Ok(rules) })
    }

    fn asking<'a>(&'a self, _: &'a Visit, request: &'a Value) -> Boxed<'a, Result<Asking, base::Error>> {
        let asking = Asking {
            application: request["application"]
                .as_str()
                .map_or(Id::from_bytes([7; 16]), |id| id.parse().unwrap()),
            name: "Shop".to_owned(),
            domain: "app.example".to_owned(),
            scopes: request["consent"].as_str().map(str::to_owned).into_iter().collect(),
            descriptions: [("loyalty".to_owned(), "See your points".to_owned())].into(),
            logo: request["logo"].as_str().map(str::to_owned),
            privacy: request["logo"].as_str().map(|_| "https://app.example/policy".to_owned()),
            terms: request["logo"].as_str().map(|_| "https://app.example/terms?a=1&b=2".to_owned()),
        };
        Box::pin(async move { Ok(asking) })
    }

    fn finish<'a>(
        &'a self,
        visit: &'a Visit,
        _request: &'a Value,
        finished: &'a Finished,
        unit: &'a mut Unit,
    ) -> Boxed<'a, Result<Ending, base::Error>> {
        let grant = NewGrant {
            id: visit.env().id(),
            person: finished.person,
            application: Id::from_bytes([7; 16]),
            session: finished.session,
            offline: false,
            epochs: (finished.epochs.sessions, finished.epochs.offline),
            scopes: "openid".to_owned(),
            claims: "{}".to_owned(),
            resources: None,
            facts: finished.authentication.write(),
            code: [7; 32],
            code_until: visit.now().plus(Duration::from_secs(60)),
            redirect_uri: APPLICATION.to_owned(),
            challenge: None,
            nonce: None,
            expires_at: visit.now().plus(Duration::from_secs(86_400)),
        };
        grant::insert(unit, visit.tenant.id, &grant, visit.now());
        Box::pin(async move { Ok(Ending::Location(format!("{APPLICATION}?grant={}", grant.id))) })
    }

    fn deny(&self, _: &Visit, _: &Value, reason: Reason) -> Result<Ending, base::Error> {
        Ok(Ending::Location(format!("{APPLICATION}?error={reason:?}")))
    }

    fn again(&self, _: &Visit, request: &Value) -> String {
        format!("/authorize?again=1{}", request["consent"].as_str().map_or("", |_| "&consent=email"))
    }
}
