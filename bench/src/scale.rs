//! B10 and B16: whether anything costs more with many people. A generator writes them straight into the
//! store, then the same operations are measured as with few.

use crate::{
    Asked, Result,
    http::{Connection, request},
    limits::{Limits, env},
    load::Operation,
    matrix::{Bench, Spec, machine, tenant},
    people::{Same, from_somewhere},
    place::{Options, Place},
    special,
};
use base::{Event, Id, Identifier, SealingKey, id};
use serde_json::json;
use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};
use store::{Address, Db, DbUrl, Directory, OpenOptions, Tenant, Unit, accounts::NewAccount};

/// Accounts in one unit.
const BATCH: usize = 25;
/// Units on their way at once, which share commits.
const BESIDE: usize = 40;
/// Few.
const FEW: usize = 10_000;

/// Measures with few people, generates the rest, and measures again.
///
/// # Errors
/// If something cannot be measured at all.
pub(crate) async fn run(asked: &Asked) -> Result<()> {
    let mut report = special::report().await?;
    let limits = Limits::default();
    for engine in &asked.engines {
        let options = Options { program: &asked.program, parent: &asked.folder, engine: *engine, tls: false };
        let mut place = Place::new(options).await?;
        place.apply(tenant(64))?;
        let key: Rc<str> = special::api_key(&place)?.into();
        let mut before = 0;
        for people in [FEW, asked.people] {
            place.stop();
            generate(&place, before..people).await?;
            before = people;
            place.start().await?;
            quiet(&place).await?;
            let first = report.rows.len();
            let mut bench = Bench { asked, place: &place, limits: &limits, report: &mut report };
            bench.same_at_scale().await?;
            admin(&mut bench, &key, people).await?;
            for row in report.rows.iter_mut().skip(first) {
                row.name = format!("{} of {people}", row.name);
            }
        }
        place.remove().await?;
    }
    report.print();
    report.write(&asked.results.join(format!("{}-scale-{}.json", report.date, asked.people)))?;
    if report.is_sound() { Ok(()) } else { Err("some answers were wrong; see the table".into()) }
}

/// Waits until the server has caught up with the events that were written while it was stopped.
async fn quiet(place: &Place) -> Result<()> {
    let (second, begun) = (Duration::from_secs(1), Instant::now());
    loop {
        let before = place.meter().read();
        tokio::time::sleep(second).await;
        let spent = before.until(&place.meter().read());
        if spent.server + spent.database < second / 20 {
            return Ok(());
        }
        if begun.elapsed() > Duration::from_secs(1_800) {
            return Err("the server is busy by itself half an hour after its start".into());
        }
    }
}

impl Bench<'_> {
    async fn same_at_scale(&mut self) -> Result<()> {
        let of = |name| Spec::new(name, 0.0);
        let signs = self.sign_ins("web", 8).await?;
        self.measure(of("B16 password sign-in"), signs).await?;
        let refreshes = self.refreshes("web", 16).await?;
        self.measure(of("B16 refresh"), refreshes).await?;
        self.repeat(of("B16 client_credentials"), machine("robot"), "access_token").await
    }

    async fn repeat(&mut self, spec: Spec, request: Vec<u8>, contains: &'static str) -> Result<()> {
        let mut workers = Vec::new();
        for _ in 0..8 {
            let connection = Connection::open(self.place.address).await?;
            workers.push(Same { connection, request: request.clone(), contains });
        }
        self.measure(spec, workers).await
    }
}

/// Another person of many at each call, found or changed.
struct Each {
    connection: Connection,
    key: Rc<str>,
    people: usize,
    number: usize,
    /// What stands before the number in the query.
    asks: &'static str,
    changes: bool,
}

impl Operation for Each {
    async fn once(&mut self) -> Result<()> {
        self.number = (self.number * 7919 + 104_729) % self.people;
        let headers = format!("authorization: Bearer {}\r\n{}", self.key, from_somewhere());
        let path = format!("/api/v1/users?{}{}@", self.asks, self.number);
        let found = self.connection.send(&request("GET", &path, &headers, "")).await?.expect(200)?;
        if !self.changes {
            return Ok(());
        }
        let found: serde_json::Value = serde_json::from_str(&found.body)?;
        let id = found.pointer("/items/0/id").and_then(serde_json::Value::as_str);
        let id = id.ok_or_else(|| format!("nobody at {path}"))?;
        let headers = format!("{headers}content-type: application/merge-patch+json\r\n");
        let patch = json!({ "locale": if self.number.is_multiple_of(2) { "de" } else { "en" } }).to_string();
        let path = format!("/api/v1/users/{id}");
        self.connection.send(&request("PATCH", &path, &headers, &patch)).await?.expect(200).map(drop)
    }
}

async fn admin(bench: &mut Bench<'_>, key: &Rc<str>, people: usize) -> Result<()> {
    let headers = format!("authorization: Bearer {key}\r\n{}", from_somewhere());
    let get = |path: &str| request("GET", path, &headers, "");
    bench.repeat(Spec::new("B16 list", 0.0), get("/api/v1/users?limit=50"), "items").await?;
    bench
        .repeat(Spec::new("B10 search, many match", 0.0), get("/api/v1/users?q=member&count=true"), "items")
        .await?;
    for (name, asks, changes) in [
        ("B10 search, one matches", "q=member", false),
        ("B10 search by a part of a name", "infix=ember", false),
        ("B10 search and update", "q=member", true),
    ] {
        let mut workers = Vec::new();
        for number in 0..8 {
            let connection = Connection::open(bench.place.address).await?;
            workers.push(Each { connection, key: Rc::clone(key), people, number, asks, changes });
        }
        bench.measure(Spec::new(name, 0.0), workers).await?;
    }
    Ok(())
}

/// Writes people straight into the store, with the server stopped.
async fn generate(place: &Place, numbers: std::ops::Range<usize>) -> Result<()> {
    let (begun, wanted) = (Instant::now(), numbers.len());
    let options = OpenOptions { create: false, lock: true, patience: Duration::from_secs(30) };
    let db = Db::open(&place.url.parse::<DbUrl>()?, options).await?;
    let directory = Directory::new(db.clone(), env(), SealingKey::new(place.root_key.into()));
    let tenant = directory.resolve(Address::Root).await?.ok_or("no tenant")?;
    let mut ends = numbers.clone().step_by(BATCH).map(|from| from..(from + BATCH).min(numbers.end));
    let mut done = 0;
    let mut tasks = tokio::task::JoinSet::new();
    loop {
        while tasks.len() < BESIDE
            && let Some(batch) = ends.next()
        {
            let (db, tenant) = (db.clone(), Arc::clone(&tenant));
            let unit = people(&tenant, batch)?;
            tasks.spawn_local(async move { db.commit(unit).await });
        }
        let Some(outcome) = tasks.join_next().await else { break };
        if !outcome??.done() {
            return Err("a person was there already".into());
        }
        done += BATCH;
        if done % 50_000 < BATCH {
            eprintln!("{} of {wanted} people after {:.0} s", done.min(wanted), begun.elapsed().as_secs_f64());
        }
    }
    while db.number_events().await? > 0 {}
    db.close().await;
    Ok(())
}

/// A unit with these people.
fn people(tenant: &Tenant, numbers: std::ops::Range<usize>) -> Result<Unit> {
    let env = env();
    let id: Id<id::Event> = env.id();
    let (mut unit, mut is_first) = (Unit::new(id, Vec::new()), true);
    for number in numbers {
        let identifiers = [(Identifier::parse(&format!("member{number}@scale.example"))?, Some("operator"))];
        let attributes = json!({ "name": format!("Ada Example {number}") });
        let attributes = attributes.as_object().cloned().unwrap_or_default();
        let account = NewAccount { identifiers: &identifiers, attributes, ..NewAccount::default() };
        let created = account.write(&mut unit, tenant, &env)?;
        let mut event = Event::new(&env, "person.created").actor("bench").person(created.person);
        if std::mem::take(&mut is_first) {
            event.id = id;
        }
        unit.record(tenant.event(&env, event, Some(&created.key)));
    }
    Ok(unit)
}
