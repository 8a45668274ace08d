//! Rows that are more than one operation again and again: TLS, signed assertions, the mix, an attack,
//! memory, and what an outsider could learn from the time of an answer.

use crate::{
    Result, host,
    http::{Connection, ISSUER, form, request},
    load::{self, Operation, Run},
    matrix::{Bench, Spec, machine, tenant},
    people::{Browser, Form, PASSWORD, Same, from_somewhere},
    place::{Options, Place},
    report::{Goal, Report, Row},
    stats::{Latency, compare},
};
use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    process::Command,
    rc::Rc,
    time::{Duration, Instant},
};
use store::Engine;
use tokio::net::TcpStream;

/// A report with the day and the machine.
///
/// # Errors
/// If the machine cannot be described.
pub(crate) async fn report() -> Result<Report> {
    let output = Command::new("date").args(["-u", "+%F"]).output()?;
    let date = String::from_utf8(output.stdout)?.trim().to_owned();
    let mut machine = host::describe()?;
    if let Some(url) = store::scratch::server() {
        let db = store::Db::open(&url.parse()?, store::OpenOptions::default()).await?;
        for (name, sql) in [
            ("postgres", "SELECT current_setting('server_version')"),
            ("postgres fsync", "SELECT current_setting('fsync')"),
        ] {
            machine.insert(name.to_owned(), db.one::<String>(sql, Vec::new()).await?.unwrap_or_default());
        }
        db.close().await;
    }
    Ok(Report { date, machine, ..Report::default() })
}

/// Creating people with a password by the admin API.
struct Create {
    connection: Connection,
    key: Rc<str>,
    name: &'static str,
    number: u64,
}

impl Operation for Create {
    async fn once(&mut self) -> Result<()> {
        self.number += 1;
        let body = json!({ "email": format!("{}{}@bench.example", self.name, self.number), "email_verified": true, "password": PASSWORD });
        let headers = format!(
            "authorization: Bearer {}\r\ncontent-type: application/json\r\n{}",
            self.key,
            from_somewhere()
        );
        self.connection
            .send(&request("POST", "/api/v1/users", &headers, &body.to_string()))
            .await?
            .expect(201)
            .map(drop)
    }
}

/// The row of creating people with a password.
pub(crate) async fn create(bench: &mut Bench<'_>) -> Result<()> {
    let (limits, unit) = (bench.limits, bench.limits.store(bench.place.engine).unit);
    let spec = Spec::new("P creating a person with a password", limits.hash + limits.http + unit)
        .goal(Goal::Efficiency(0.85))
        .peer(21.0, 6.0)
        .effect("SELECT count(*) FROM event WHERE kind = 'person.created'");
    if !bench.wants(spec.name) {
        return Ok(());
    }
    let key: Rc<str> = api_key(bench.place)?.into();
    let mut workers = Vec::new();
    for name in ["cra", "crb", "crc", "crd", "cre", "crf", "crg", "crh"] {
        let connection = Connection::open(bench.place.address).await?;
        workers.push(Create { connection, key: Rc::clone(&key), name, number: 0 });
    }
    bench.measure(spec, workers).await?;
    bench.with_every_core_hashing();
    Ok(())
}

/// A key for the admin API.
pub(crate) fn api_key(place: &Place) -> Result<String> {
    let body = json!({ "name": "bench", "scopes": ["users:read", "users:write"] }).to_string();
    let made = place.run(&["call", "POST", "/api-keys", &body])?;
    Ok(made.get("secret").and_then(Value::as_str).ok_or_else(|| format!("no key in {made}"))?.to_owned())
}

/// A machine that signs an assertion for each request.
struct Assertion {
    connection: Connection,
    key: Rc<EcdsaKeyPair>,
    random: Rc<SystemRandom>,
    env: base::Env,
}

impl Operation for Assertion {
    async fn once(&mut self) -> Result<()> {
        let (now, jti) = (self.env.now().seconds(), self.env.bytes::<16>());
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"ES256","kid":"bench"}"#);
        let claims = json!({
            "iss": "signer", "sub": "signer", "aud": ISSUER, "jti": URL_SAFE_NO_PAD.encode(jti), "iat": now, "exp": now + 60,
        });
        let text = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signed = self.key.sign(&*self.random, text.as_bytes())?;
        let assertion = format!("{text}.{}", URL_SAFE_NO_PAD.encode(signed));
        let fields = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion.as_str()),
        ];
        self.connection.send(&form("/token", &from_somewhere(), &fields)).await?.expect(200).map(drop)
    }
}

/// B5: `private_key_jwt`.
pub(crate) async fn assertion(bench: &mut Bench<'_>) -> Result<()> {
    let (limits, unit) = (bench.limits, bench.limits.store(bench.place.engine).unit);
    let work = limits.http + limits.es256_verify + limits.es256 + unit;
    let spec = Spec::new("B5 private_key_jwt", work).goal(Goal::Efficiency(0.5));
    if !bench.wants(spec.name) {
        return Ok(());
    }
    let random = Rc::new(crate::limits::random());
    let key = Rc::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?);
    let point = key.public_key().as_ref().to_vec();
    let half = |range: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default());
    let jwk = json!({ "kty": "EC", "crv": "P-256", "kid": "bench", "alg": "ES256", "use": "sig", "x": half(1..33), "y": half(33..65) });
    bench.place.apply(json!({ "applications": [{
        "client_id": "signer", "grant_types": ["client_credentials"], "scopes": ["orders.read"],
        "token_endpoint_auth_method": "private_key_jwt", "jwks": { "keys": [jwk] },
        "access_token_signed_response_alg": "ES256",
    }] }))?;
    let mut workers = Vec::new();
    for _ in 0..16 {
        let connection = Connection::open(bench.place.address).await?;
        workers.push(Assertion {
            connection,
            key: Rc::clone(&key),
            random: Rc::clone(&random),
            env: crate::limits::env(),
        });
    }
    bench.measure(spec, workers).await
}

/// A new TLS connection for each request.
struct Tls {
    address: SocketAddr,
    connector: tokio_rustls::TlsConnector,
    request: Vec<u8>,
}

impl Operation for Tls {
    async fn once(&mut self) -> Result<()> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let stream = self.connector.connect(crate::http::HOST.try_into()?, stream).await?;
        Connection::over(stream).send(&self.request).await?.expect(200).map(drop)
    }
}

/// B3: client_credentials, each over a new connection.
pub(crate) async fn tls(bench: &mut Bench<'_>) -> Result<()> {
    let limits = bench.limits;
    let spec = Spec::new(
        "B3 client_credentials, new TLS each",
        limits.handshake + limits.http + limits.hmac + limits.es256,
    )
    .goal(Goal::Efficiency(0.7));
    if !bench.wants(spec.name) || bench.place.engine == Engine::Postgres && !bench.asked.full {
        return Ok(());
    }
    let asked = bench.asked;
    let options =
        Options { program: &asked.program, parent: &asked.folder, engine: bench.place.engine, tls: true };
    let place = Place::new(options).await?;
    place.apply(tenant(1))?;
    let connector = place.tls.clone().ok_or("a server that speaks TLS")?;
    let workers = (0..16)
        .map(|_| Tls { address: place.address, connector: connector.clone(), request: machine("robot") })
        .collect();
    let mut inner = Bench { asked, place: &place, limits, report: &mut *bench.report };
    let outcome = inner.measure(spec, workers).await;
    place.remove().await?;
    outcome
}

/// B12: one sign-in to eight refreshes to eight machines, at a steady rate.
pub(crate) async fn mix(bench: &mut Bench<'_>) -> Result<()> {
    let name = "B12 mix 45 : 360 : 360 a second";
    if !bench.wants(name) {
        return Ok(());
    }
    let (time, meter) = (bench.asked.time * 2, bench.place.meter());
    let (signs, refreshes) = (bench.sign_ins("web", 16).await?, bench.refreshes("web", 16).await?);
    let mut machines = Vec::new();
    for _ in 0..16 {
        let connection = Connection::open(bench.place.address).await?;
        machines.push(Same { connection, request: machine("robot"), contains: "access_token" });
    }
    let before = meter.read();
    let (a, b, c) = tokio::join!(
        load::open(signs, 45.0, time, &meter),
        load::open(refreshes, 360.0, time, &meter),
        load::open(machines, 360.0, time, &meter),
    );
    let spent = before.until(&meter.read());
    let runs = [a?.1, b?.1, c?.1];
    let cores = (spent.server + spent.database).as_secs_f64() / time.as_secs_f64();
    let mut whole = Run { seconds: time.as_secs_f64(), spent, ..Run::default() };
    for run in runs {
        whole.done += run.done;
        whole.failed += run.failed;
        whole.error = whole.error.or(run.error);
        whole.latencies.extend(run.latencies);
    }
    let row = Row::of(name, &bench.engine(), &whole);
    let at = row.rate;
    let row = row.opened(Run { latencies: whole.latencies, ..Run::default() }, at);
    eprintln!("{}", row.line());
    bench.report.rows.push(row);
    bench.report.fact(format!("B12 {} cores (goal 1.5)", bench.engine()), cores);
    Ok(())
}

/// The n-th of those who were imported.
fn imported(n: usize) -> String {
    format!("imported{n}@bench.example")
}

/// B9: people with hashes of their passwords, by `keyward apply`. They serve the rows that follow.
pub(crate) async fn import(bench: &mut Bench<'_>) -> Result<()> {
    if !["B9", "B14", "T"].iter().any(|row| bench.wants(row)) {
        return Ok(());
    }
    let password = passwords::Prepared::new("the password of those who come from elsewhere")?;
    let phc =
        passwords::Hasher::default().hash(&password, [9; 16], passwords::Params::DEFAULT, None)?.to_string();
    let files = if bench.asked.full { 5 } else { 1 };
    let meter = bench.place.meter();
    let (begun, before) = (Instant::now(), meter.read());
    for file in 0..files {
        let user = |n: usize| json!({ "email": imported(n), "email_verified": true, "password_hash": phc });
        let users: Vec<Value> = (file * 2000..(file + 1) * 2000).map(user).collect();
        bench.place.apply(json!({ "users": users }))?;
    }
    let (spent, seconds) = (before.until(&meter.read()), begun.elapsed().as_secs_f64());
    let run = Run { done: 2000 * files as u64, seconds, spent, ..Run::default() };
    let row = Row {
        goals: vec![Goal::Rate(20_000.0)],
        ..Row::of("B9 import of hashes by keyward apply", &bench.engine(), &run)
    };
    eprintln!("{}", row.line());
    bench.report.rows.push(row);
    Ok(())
}

/// Tries passwords, each from another place and for another name.
struct Stuffing {
    browser: Browser,
    page: Form,
    number: usize,
}

impl Operation for Stuffing {
    async fn once(&mut self) -> Result<()> {
        self.number += 1;
        let name = if self.number.is_multiple_of(2) {
            imported(self.number % 2000)
        } else {
            format!("nobody{}@bench.example", self.number)
        };
        let answer = self
            .browser
            .submit(&self.page, &[("identifier", &name), ("password", "123456 is my password")])
            .await?;
        match answer.status {
            303 => Err("a wrong password let somebody in".into()),
            _ => Ok(()),
        }
    }
}

/// B14: credential stuffing at ten times what can be hashed, beside honest sign-ins.
pub(crate) async fn flood(bench: &mut Bench<'_>) -> Result<()> {
    if !bench.wants("B14") {
        return Ok(());
    }
    let cores = std::thread::available_parallelism()?.get();
    #[expect(clippy::cast_precision_loss, reason = "cores are few")]
    let capacity = cores as f64 * 1e6 / bench.limits.hash;
    let (time, meter, honest) = (bench.asked.time * 2, bench.place.meter(), capacity / 10.0);
    let (workers, quiet) = load::open(bench.sign_ins("web", 32).await?, honest, time, &meter).await?;
    let mut attackers = Vec::new();
    for n in 0..128 {
        let mut browser = Browser::open(bench.place.address).await?;
        let page = browser.page("/signin").await?;
        attackers.push(Stuffing { browser, page, number: n * 1_000_003 });
    }
    let (beside, attack) = tokio::join!(
        load::open(workers, honest, time, &meter),
        load::open(attackers, capacity * 10.0, time, &meter),
    );
    let (mut beside, attack) = (beside?.1, attack?.1);
    let (quiet, flooded) = (Latency::of(quiet.latencies), Latency::of(std::mem::take(&mut beside.latencies)));
    let engine = bench.engine();
    let share = |run: &Run| {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let share = run.done as f64 / (run.done + run.failed).max(1) as f64;
        share
    };
    for (what, value) in [
        ("honest p99 when quiet, ms", quiet.p99),
        ("honest p99 beside the attack, ms", flooded.p99),
        ("honest p50 beside the attack, ms", flooded.p50),
        ("honest successes, % (goal 99)", share(&beside) * 100.0),
        ("attempts a second", attack.rate()),
        ("attempts that were answered and let nobody in, %", share(&attack) * 100.0),
    ] {
        bench.report.fact(format!("B14 {engine} {what}"), value);
    }
    if let Some(error) = beside.error {
        eprintln!("B14 an honest person was told: {error}");
    }
    Ok(())
}

/// What the time of an answer tells of an account.
pub(crate) async fn equality(bench: &mut Bench<'_>) -> Result<()> {
    if !bench.wants("T") || bench.place.engine == Engine::Postgres && !bench.asked.full {
        return Ok(());
    }
    let wrong = ("password", "not the right password at all");
    for (endpoint, path, field, also) in [
        ("sign-in", "/signin", "identifier", Some(wrong)),
        ("recovery", "/recover", "identifier", None),
        ("registration", "/register", "email", None),
    ] {
        let mut browser = Browser::open(bench.place.address).await?;
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for n in 0..1000 {
            // Which comes first changes, so that neither is always warmed up by the other.
            let is_known = (n / 2 + n) % 2 == 0;
            let name =
                if is_known { imported(1000 + n / 2) } else { format!("unknown{}@bench.example", n / 2) };
            browser.forget();
            let page = browser.page(path).await?;
            let fields: Vec<_> = [(field, name.as_str())].into_iter().chain(also).collect();
            let begun = Instant::now();
            let answer = browser.submit(&page, &fields).await?;
            let took = begun.elapsed().as_secs_f64() * 1000.0;
            if matches!(answer.status, 403 | 429 | 500..) {
                return Err(format!("{endpoint} answered {}: {}", answer.status, answer.body).into());
            }
            if is_known { known.push(took) } else { unknown.push(took) }
        }
        let found = compare(&known, &unknown);
        eprintln!("{} {endpoint}: {found:?}", bench.engine());
        bench.report.equality.insert(format!("{} {endpoint}", bench.engine()), found);
    }
    Ok(())
}

/// B15: memory after all this; in the long form with ten thousand sessions.
pub(crate) async fn loaded(bench: &mut Bench<'_>) -> Result<()> {
    const SESSIONS: &str = "SELECT count(*) FROM session WHERE ended_at IS NULL";
    if !bench.wants("B15") {
        return Ok(());
    }
    let mut sessions = bench.place.count(SESSIONS).await?;
    if bench.asked.full {
        let mut workers = bench.sign_ins("web", 16).await?;
        while sessions < 10_000 {
            workers = load::closed(workers, Duration::from_secs(5), &bench.place.meter()).await?.0;
            sessions = bench.place.count(SESSIONS).await?;
            eprintln!("B15 {sessions} sessions");
        }
    }
    let engine = bench.engine();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    bench.report.fact(format!("B15 {engine} sessions"), sessions as f64);
    bench.report.fact(format!("B15 {engine} loaded, MiB"), bench.place.memory());
    Ok(())
}
