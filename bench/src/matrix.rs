//! The rows of the matrix, one server after the other.

use crate::{
    Asked, Result,
    http::{Connection, basic, form, request},
    limits::Limits,
    load::{self, Operation},
    people::{
        Browser, CALLBACK, PASSWORD, Refresh, Register, SECRET, Same, SignIn, SingleSignOn, Tokens, email,
        from_somewhere,
    },
    place::{Options, Place},
    report::{Goal, Report, Row},
    special,
};
use serde_json::json;
use std::time::Duration;
use store::Engine;

/// How many callers ask at once.
const CALLERS: usize = 16;
/// People who sign in; each belongs to one caller.
const PEOPLE: usize = 64;

/// A row to be measured.
pub(crate) struct Spec {
    /// Its name in the matrix; the first word chooses it.
    pub(crate) name: &'static str,
    /// What it cannot do without, in microseconds.
    pub(crate) limit: f64,
    /// What it should reach.
    pub(crate) goals: Vec<Goal>,
    /// What the peer does a core-second; 0 without one.
    pub(crate) peer: f64,
    /// A count in the database that each operation raises by one.
    pub(crate) effect: Option<&'static str>,
}

impl Spec {
    /// A row with this name and limit.
    pub(crate) const fn new(name: &'static str, limit: f64) -> Self {
        Self { name, limit, goals: Vec::new(), peer: 0.0, effect: None }
    }

    /// With a goal.
    #[must_use]
    pub(crate) fn goal(mut self, goal: Goal) -> Self {
        self.goals.push(goal);
        self
    }

    /// With a peer and how many times as much is aimed at.
    #[must_use]
    pub(crate) fn peer(mut self, per_core: f64, times: f64) -> Self {
        self.peer = per_core;
        self.goal(Goal::Times(times))
    }

    /// With a count that each operation raises by one.
    #[must_use]
    pub(crate) const fn effect(mut self, sql: &'static str) -> Self {
        self.effect = Some(sql);
        self
    }
}

/// A run on one server.
pub(crate) struct Bench<'a> {
    /// What was asked for.
    pub(crate) asked: &'a Asked,
    /// The server.
    pub(crate) place: &'a Place,
    /// What cannot be left out.
    pub(crate) limits: &'a Limits,
    /// Where results go.
    pub(crate) report: &'a mut Report,
}

/// Everything that was asked for.
///
/// # Errors
/// If something cannot be measured at all, or an answer was wrong.
pub(crate) async fn run(asked: &Asked) -> Result<()> {
    let mut report = special::report().await?;
    eprintln!("timing what cannot be left out");
    let limits = Limits::measure(&asked.engines, asked.time).await?;
    report.limits = limits.clone();
    for engine in &asked.engines {
        let options = Options { program: &asked.program, parent: &asked.folder, engine: *engine, tls: false };
        let place = Place::new(options).await?;
        let mut bench = Bench { asked, place: &place, limits: &limits, report: &mut report };
        let outcome = bench.rows().await;
        place.remove().await?;
        outcome?;
    }
    report.print();
    if let Some(path) = &asked.against {
        report.against(path)?;
    }
    if asked.only.is_empty() {
        let form = if asked.full { "full" } else { "short" };
        report.write(&asked.results.join(format!("{}-{form}.json", report.date)))?;
    }
    if report.is_sound() { Ok(()) } else { Err("some answers were wrong; see the table".into()) }
}

impl Bench<'_> {
    /// The engine's name.
    pub(crate) fn engine(&self) -> String {
        format!("{:?}", self.place.engine).to_lowercase()
    }

    /// Whether this row was asked for.
    pub(crate) fn wants(&self, row: &str) -> bool {
        let key = row.split(' ').next().unwrap_or_default();
        self.asked.only.is_empty() || self.asked.only.iter().any(|it| it == key)
    }

    async fn rows(&mut self) -> Result<()> {
        let engine = self.engine();
        self.report.fact(format!("B15 {engine} ready after, s"), self.place.ready_after.as_secs_f64());
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.report.fact(format!("B15 {engine} idle, MiB"), self.place.memory());
        self.place.apply(tenant(PEOPLE))?;
        eprintln!("{}", crate::report::head());
        self.same().await?;
        self.sign_in().await?;
        self.single_sign_on().await?;
        self.refresh().await?;
        self.register().await?;
        special::create(self).await?;
        special::assertion(self).await?;
        special::tls(self).await?;
        special::mix(self).await?;
        special::import(self).await?;
        special::flood(self).await?;
        special::equality(self).await?;
        special::loaded(self).await
    }

    /// Rows that send the same request again and again.
    async fn same(&mut self) -> Result<()> {
        let mut browser = Browser::open(self.place.address).await?;
        let code = browser.sign_in("web", "openid email offline_access", &email(0)).await?;
        let tokens = browser.redeem("web", &code).await?;
        let machine = Connection::open(self.place.address).await?.send(&machine("robot")).await?;
        let machine = machine.expect(200)?.text("access_token")?;
        for (spec, request, contains) in self.requests(&tokens, &machine) {
            if self.wants(spec.name) {
                let mut workers = Vec::new();
                for _ in 0..CALLERS {
                    let connection = Connection::open(self.place.address).await?;
                    workers.push(Same { connection, request: request.clone(), contains });
                }
                self.measure(spec, workers).await?;
            }
        }
        Ok(())
    }

    fn requests(&self, tokens: &Tokens, machine_token: &str) -> Vec<(Spec, Vec<u8>, &'static str)> {
        let (limits, read) = (self.limits, self.limits.store(self.place.engine).read);
        let is_sqlite = self.place.engine == Engine::Sqlite;
        let least = |spec: Spec| if is_sqlite { spec.goal(Goal::PerCore(10_000.0)) } else { spec };
        let somewhere = from_somewhere();
        let introspect =
            |token: &str| form("/introspect", &(basic("web", SECRET) + &somewhere), &[("token", token)]);
        let introspect_own =
            |token: &str| form("/introspect", &(basic("robot", SECRET) + &somewhere), &[("token", token)]);
        let bearer = format!("authorization: Bearer {}\r\n{somewhere}", tokens.access);
        let get = |path: &str| request("GET", path, &somewhere, "");
        let (http, verify) = (limits.http + limits.hmac, limits.es256_verify);
        vec![
            (
                Spec::new("B2 client_credentials, ES256", http + limits.es256)
                    .goal(Goal::PerCore(15_000.0))
                    .peer(944.0, 16.0),
                machine("robot"),
                "access_token",
            ),
            (
                Spec::new("B2 client_credentials, RS256", http + limits.rs256).peer(448.0, 7.0),
                machine("robot-rs"),
                "access_token",
            ),
            (
                least(Spec::new("B6 introspection of a JWT", http + verify + read))
                    .goal(Goal::Efficiency(0.6))
                    .peer(2037.0, 10.0),
                introspect(&tokens.access),
                "\"active\":true",
            ),
            (
                least(Spec::new("B6 introspection of an opaque token", http + read))
                    .goal(Goal::Efficiency(0.6)),
                introspect(&tokens.refresh),
                "\"active\":true",
            ),
            (
                Spec::new("B6 introspection of a machine's token", http + verify + read).peer(1116.0, 10.0),
                introspect_own(machine_token),
                "\"active\":true",
            ),
            (
                least(Spec::new("B7 userinfo", limits.http + verify + read))
                    .goal(Goal::Efficiency(0.6))
                    .peer(2777.0, if is_sqlite { 8.0 } else { 6.0 }),
                request("GET", "/userinfo", &bearer, ""),
                "person0@",
            ),
            (
                Spec::new("P discovery", limits.http).peer(3830.0, 15.0),
                get("/.well-known/openid-configuration"),
                "issuer",
            ),
            (Spec::new("P JWKS", limits.http).peer(3250.0, 15.0), get("/jwks"), "keys"),
        ]
    }

    async fn sign_in(&mut self) -> Result<()> {
        let (limits, unit) = (self.limits, self.limits.store(self.place.engine).unit);
        let work = limits.hash + 3.0 * limits.http + 2.0 * limits.es256 + 2.0 * unit;
        // The peer hashes at other parameters, so the ratio says little; see `facts` for ours at its.
        let spec = Spec::new("B1 password sign-in to tokens", work).goal(Goal::Efficiency(0.85));
        if !self.wants(spec.name) {
            return Ok(());
        }
        let spec = spec.effect("SELECT count(*) FROM event WHERE kind = 'grant.redeemed'");
        let workers = self.sign_ins("web", 8).await?;
        self.measure(spec, workers).await?;
        self.with_every_core_hashing();
        let row = self.report.rows.last().map_or(0.0, |row| row.server_us + row.database_us);
        let at_peers = 1e6 / (row - limits.hash + limits.hash_7168);
        let engine = self.engine();
        self.report.fact(format!("B1 {engine} derived at m=7168 t=5, a core-second (peer 27.9)"), at_peers);
        Ok(())
    }

    /// Callers who sign in, each as a person of their own and from a known device.
    pub(crate) async fn sign_ins(&self, client: &'static str, callers: usize) -> Result<Vec<SignIn>> {
        let mut workers = Vec::new();
        for n in 0..callers {
            let browser = Browser::open(self.place.address).await?;
            let mut worker = SignIn { browser, client, email: email(n) };
            worker.once().await?;
            workers.push(worker);
        }
        Ok(workers)
    }

    async fn single_sign_on(&mut self) -> Result<()> {
        let (limits, unit) = (self.limits, self.limits.store(self.place.engine).unit);
        let is_sqlite = self.place.engine == Engine::Sqlite;
        for (name, client, sign) in [
            ("B8 single sign-on to tokens, ES256", "web", limits.es256),
            ("B8 single sign-on to tokens, RS256", "web-rs", limits.rs256),
        ] {
            let spec = Spec::new(name, 2.0 * (limits.http + sign + unit)).goal(Goal::Efficiency(0.4));
            if !self.wants(name) {
                continue;
            }
            let spec =
                if client == "web-rs" { spec.peer(133.0, if is_sqlite { 10.0 } else { 6.0 }) } else { spec };
            let mut workers = Vec::new();
            for n in 0..CALLERS {
                let mut browser = Browser::open(self.place.address).await?;
                let code = browser.sign_in(client, "openid email", &email(n)).await?;
                browser.redeem(client, &code).await?;
                workers.push(SingleSignOn { browser, client });
            }
            let spec = spec.effect("SELECT count(*) FROM event WHERE kind = 'grant.redeemed'");
            self.measure(spec, workers).await?;
        }
        Ok(())
    }

    async fn refresh(&mut self) -> Result<()> {
        let (limits, unit) = (self.limits, self.limits.store(self.place.engine).unit);
        let is_sqlite = self.place.engine == Engine::Sqlite;
        for (name, client, sign) in
            [("B4 refresh, ES256", "web", limits.es256), ("B4 refresh, RS256", "web-rs", limits.rs256)]
        {
            let spec = Spec::new(name, limits.http + 2.0 * sign + unit).goal(Goal::Efficiency(0.6));
            if !self.wants(name) {
                continue;
            }
            let (sqlite, postgres) = if client == "web-rs" { (5.0, 3.5) } else { (10.0, 10.0) };
            let spec = spec.peer(275.0, if is_sqlite { sqlite } else { postgres });
            let workers = self.refreshes(client, CALLERS).await?;
            let spec = spec.effect("SELECT count(*) FROM event WHERE kind = 'grant.refreshed'");
            self.measure(spec, workers).await?;
        }
        Ok(())
    }

    /// Callers with a refresh token each.
    pub(crate) async fn refreshes(&self, client: &'static str, callers: usize) -> Result<Vec<Refresh>> {
        let mut workers = Vec::new();
        for n in 0..callers {
            let mut browser = Browser::open(self.place.address).await?;
            let code = browser.sign_in(client, "openid email offline_access", &email(n)).await?;
            let token = browser.redeem(client, &code).await?.refresh;
            workers.push(Refresh { connection: Connection::open(self.place.address).await?, client, token });
        }
        Ok(workers)
    }

    async fn register(&mut self) -> Result<()> {
        let (limits, unit) = (self.limits, self.limits.store(self.place.engine).unit);
        // Six requests; units: the code, its mail sent, its answer, the account.
        let spec = Spec::new("B9 registration", limits.hash + 6.0 * limits.http + 4.0 * unit)
            .goal(Goal::Efficiency(0.85))
            .effect("SELECT count(*) FROM event WHERE kind = 'person.created'");
        if !self.wants(spec.name) {
            return Ok(());
        }
        let mut workers = Vec::new();
        for _ in 0..CALLERS {
            let browser = Browser::open(self.place.address).await?;
            workers.push(Register { browser, mailbox: self.place.mailbox.clone() });
        }
        self.measure(spec, workers).await?;
        self.with_every_core_hashing();
        Ok(())
    }

    /// The efficiency of the latest row by the hash as it is while every core hashes, which is how that row hashed.
    pub(crate) fn with_every_core_hashing(&mut self) {
        let Some(row) = self.report.rows.last() else { return };
        let limit = row.limit_us - self.limits.hash + self.limits.hash_beside;
        let name = format!("{}, {}: efficiency with every core hashing", row.name, row.engine);
        let value = limit / (row.server_us + row.database_us).max(1e-3);
        self.report.fact(name, value);
    }

    /// Warms up, measures the rate with all callers at once, then the latencies at half of it.
    pub(crate) async fn measure<O: Operation>(&mut self, spec: Spec, workers: Vec<O>) -> Result<()> {
        let (time, meter) = (self.asked.time, self.place.meter());
        let before = match spec.effect {
            Some(sql) => self.place.count(sql).await?,
            None => 0,
        };
        let (workers, warm) = load::closed(workers, time / 4, &meter).await?;
        let (workers, closed) = load::closed(workers, time, &meter).await?;
        let at = closed.rate() / 2.0;
        let (_, opened) = load::open(workers, at, time, &meter).await?;
        let done = warm.done + closed.done + opened.done;
        let mut row = Row::of(spec.name, &self.engine(), &closed).opened(opened, at);
        row.errors += warm.failed;
        row.error = row.error.or(warm.error);
        (row.limit_us, row.goals, row.peer) = (spec.limit, spec.goals, spec.peer);
        if let Some(sql) = spec.effect {
            let grown = self.place.count(sql).await? - before;
            row.effects = Some(u64::try_from(grown).is_ok_and(|grown| grown == done));
        }
        eprintln!("{}", row.line());
        self.report.rows.push(row);
        Ok(())
    }
}

/// The request of a machine for a token.
pub(crate) fn machine(client: &str) -> Vec<u8> {
    let headers = basic(client, SECRET) + &from_somewhere();
    form("/token", &headers, &[("grant_type", "client_credentials")])
}

/// Applications and people.
pub(crate) fn tenant(people: usize) -> serde_json::Value {
    let user = |n| {
        json!({
            "email": email(n), "email_verified": true, "password": PASSWORD, "claims": { "name": "Ada Example" },
        })
    };
    let web = |id: &str, algorithm: &str| {
        json!({
            "client_id": id, "client_secret": SECRET, "redirect_uris": [CALLBACK],
            "id_token_signed_response_alg": algorithm, "access_token_signed_response_alg": algorithm,
        })
    };
    let robot = |id: &str, algorithm: &str| {
        json!({
            "client_id": id, "client_secret": SECRET, "grant_types": ["client_credentials"],
            "scopes": ["orders.read"], "access_token_signed_response_alg": algorithm,
        })
    };
    json!({
        "scopes": [{ "name": "orders.read", "description": "See orders" }],
        "applications": [web("web", "ES256"), web("web-rs", "RS256"), robot("robot", "ES256"), robot("robot-rs", "RS256")],
        "users": (0..people).map(user).collect::<Vec<_>>(),
    })
}
