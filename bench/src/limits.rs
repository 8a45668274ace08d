//! What this processor and this store need for the work that cannot be left out, timed at the start of
//! the same run. Each is CPU time in microseconds, the least of several tries.

use crate::{
    Result,
    host::{Meter, thread_cpu},
    http::{Connection, request},
    load,
    people::Same,
};
use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey,
    },
};
use base::{Env, Event, Id, Identifier, SealingKey, SystemRng, id};
use serde::{Deserialize, Serialize};
use std::{
    io::Read as _,
    process::{Command, Stdio},
    sync::{Arc, Barrier},
    time::{Duration, Instant},
};
use store::{
    Db, Directory, Engine, MIGRATIONS, NewTenant, Tenant, Unit, accounts::NewAccount, migrate, rows::person,
    scratch::Scratch,
};

/// Microseconds of CPU time each.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Limits {
    /// How passwords are hashed here.
    pub(crate) path: String,
    /// Argon2id at m=19456 t=2 by our code.
    pub(crate) hash: f64,
    /// The same while every other core hashes too: cores share caches, memory and clock.
    #[serde(default)]
    pub(crate) hash_beside: f64,
    /// The first by the `argon2` crate.
    pub(crate) hash_crate: f64,
    /// Argon2id at m=7168 t=5 by our code.
    pub(crate) hash_7168: f64,
    /// The same by the `argon2` crate.
    pub(crate) hash_7168_crate: f64,
    /// An ES256 signature.
    pub(crate) es256: f64,
    /// Its verification.
    pub(crate) es256_verify: f64,
    /// An RS256 signature with 2048 bits.
    pub(crate) rs256: f64,
    /// Its verification.
    pub(crate) rs256_verify: f64,
    /// An EdDSA signature.
    pub(crate) eddsa: f64,
    /// Its verification.
    pub(crate) eddsa_verify: f64,
    /// HMAC-SHA-256 of a short secret.
    pub(crate) hmac: f64,
    /// The smallest answer of axum over a kept connection.
    pub(crate) http: f64,
    /// The server's half of a full TLS 1.3 handshake.
    pub(crate) handshake: f64,
    /// What each engine needs.
    pub(crate) sqlite: Store,
    /// What each engine needs.
    pub(crate) postgres: Store,
}

/// What an engine needs, its own processes included.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Store {
    /// A guarded update with its event, of 64 callers.
    pub(crate) unit: f64,
    /// How many of them a second.
    pub(crate) units_per_second: f64,
    /// Reading one row by its key.
    pub(crate) read: f64,
}

impl Limits {
    /// Times everything.
    ///
    /// # Errors
    /// If something cannot be tried.
    pub(crate) async fn measure(engines: &[Engine], time: Duration) -> Result<Self> {
        let mut limits = Self { path: format!("{:?}", passwords::Path::fastest()), ..Self::default() };
        limits.hashes()?;
        limits.signatures()?;
        limits.http = http(time).await?;
        limits.handshake = handshake()?;
        for engine in engines {
            *limits.store_mut(*engine) = store(*engine, time).await?;
        }
        Ok(limits)
    }

    /// What this engine needs.
    pub(crate) const fn store(&self, engine: Engine) -> Store {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }

    const fn store_mut(&mut self, engine: Engine) -> &mut Store {
        match engine {
            Engine::Sqlite => &mut self.sqlite,
            Engine::Postgres => &mut self.postgres,
        }
    }

    fn hashes(&mut self) -> Result<()> {
        let password = passwords::Prepared::new(crate::people::PASSWORD)?;
        let mut hasher = passwords::Hasher::default();
        let mut ours = |m, t| -> Result<f64> {
            let params = passwords::Params::new(m, t, 1)?;
            Ok(least(24, 1, || hasher.hash(&password, [7; 16], params, None)))
        };
        (self.hash, self.hash_7168) = (ours(19_456, 2)?, ours(7168, 5)?);
        self.hash_beside = hash_beside(&password)?;
        let theirs = |m, t| -> Result<f64> {
            let params = argon2::Params::new(m, t, 1, Some(32)).map_err(|error| error.to_string())?;
            let argon = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
            let mut out = [0; 32];
            let password = crate::people::PASSWORD.as_bytes();
            Ok(least(16, 1, || argon.hash_password_into(password, &[7; 16], &mut out)))
        };
        (self.hash_crate, self.hash_7168_crate) = (theirs(19_456, 2)?, theirs(7168, 5)?);
        Ok(())
    }

    fn signatures(&mut self) -> Result<()> {
        let random = random();
        let message = [b'x'; 500];
        let check = |algorithm: &'static dyn signature::VerificationAlgorithm, key: &[u8], signed: &[u8]| {
            let key = UnparsedPublicKey::new(algorithm, key.to_vec());
            least(60, 40, || key.verify(&message, signed))
        };
        let ec = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        self.es256 = least(60, 40, || ec.sign(&random, &message));
        self.es256_verify =
            check(&ECDSA_P256_SHA256_FIXED, ec.public_key().as_ref(), ec.sign(&random, &message)?.as_ref());
        let ed = Ed25519KeyPair::generate()?;
        self.eddsa = least(60, 40, || ed.sign(&message));
        self.eddsa_verify = check(&ED25519, ed.public_key().as_ref(), ed.sign(&message).as_ref());
        let rsa = signature::RsaKeyPair::generate(KeySize::Rsa2048)?;
        let mut signed = vec![0; rsa.public_modulus_len()];
        self.rs256 = least(60, 5, || rsa.sign(&RSA_PKCS1_SHA256, &random, &message, &mut signed));
        self.rs256_verify = check(&RSA_PKCS1_2048_8192_SHA256, rsa.public_key().as_ref(), &signed);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        self.hmac = least(60, 500, || hmac::sign(&key, &[7; 48]));
        Ok(())
    }
}

/// CPU time of a hash in microseconds with one on every core at once: the least mean of three tries.
fn hash_beside(password: &passwords::Prepared) -> Result<f64> {
    const HASHES: u32 = 16;
    let cores = std::thread::available_parallelism()?.get();
    let start = Barrier::new(cores);
    let thread = || {
        let mut hasher = passwords::Hasher::default();
        let mut hash = || hasher.hash(password, [7; 16], passwords::Params::DEFAULT, None).is_ok();
        hash();
        start.wait();
        let before = thread_cpu();
        let done = (0..HASHES).all(|_| hash());
        done.then(|| Duration::from_nanos(thread_cpu() - before).as_secs_f64() * 1e6 / f64::from(HASHES))
    };
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let each = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..cores).map(|_| scope.spawn(thread)).collect();
            threads.into_iter().map(|thread| thread.join().ok().flatten()).collect::<Option<Vec<f64>>>()
        });
        let each = each.ok_or("a hash failed")?;
        #[expect(clippy::cast_precision_loss, reason = "cores are few")]
        let mean = each.iter().sum::<f64>() / each.len() as f64;
        least = least.min(mean);
    }
    Ok(least)
}

/// CPU time of one call in microseconds: the quickest of many short batches, or the mean of the thread's
/// own time (which the kernel counts in steps of milliseconds) where others disturbed all of them.
fn least<T>(batches: u32, times: u32, mut call: impl FnMut() -> T) -> f64 {
    call();
    let (before, mut quickest) = (thread_cpu(), f64::INFINITY);
    for _ in 0..batches {
        let begun = Instant::now();
        for _ in 0..times {
            std::hint::black_box(call());
        }
        quickest = quickest.min(begun.elapsed().as_secs_f64() * 1e6 / f64::from(times));
    }
    let mean = Duration::from_nanos(thread_cpu() - before).as_secs_f64() * 1e6 / f64::from(batches * times);
    if mean > 0.0 && batches * times < 100 { quickest.min(mean) } else { quickest }
}

/// A server that says "ok", in a process of its own so that its time is its own.
///
/// # Errors
/// If it cannot listen.
pub(crate) fn smallest_server() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let router = axum::Router::new().route("/", axum::routing::get(async || "ok"));
        Ok(axum::serve(listener, router).await?)
    })
}

async fn http(time: Duration) -> Result<f64> {
    let mut child = Command::new(std::env::current_exe()?).arg("smallest").stdout(Stdio::piped()).spawn()?;
    let mut text = [0; 64];
    let length = child.stdout.as_mut().ok_or("no output")?.read(&mut text)?;
    let address = std::str::from_utf8(text.get(..length).unwrap_or_default())?.trim().parse()?;
    let meter = Meter { server: child.id(), database: None };
    let mut workers = Vec::new();
    for _ in 0..16 {
        let connection = Connection::open(address).await?;
        workers.push(Same { connection, request: request("GET", "/", "", ""), contains: "ok" });
    }
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let run;
        (workers, run) = load::closed(workers, time / 2, &meter).await?;
        best = best.min(run.cost().0);
    }
    child.kill()?;
    child.wait()?;
    Ok(best)
}

/// Both halves of a handshake in memory, of which the server's is timed.
fn handshake() -> Result<f64> {
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let server =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let server = Arc::new(server.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)?);
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone())?;
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut client = client.with_root_certificates(roots).with_no_client_auth();
    client.resumption = rustls::client::Resumption::disabled();
    let client = Arc::new(client);
    let mut best = f64::INFINITY;
    for _ in 0..100 {
        let mut theirs = ClientConnection::new(Arc::clone(&client), "localhost".try_into()?)?;
        let begun = Instant::now();
        let mut ours = ServerConnection::new(Arc::clone(&server))?;
        let mut spent = begun.elapsed();
        while theirs.is_handshaking() || ours.is_handshaking() {
            let mut wire = Vec::new();
            while theirs.wants_write() {
                theirs.write_tls(&mut wire)?;
            }
            let begun = Instant::now();
            let mut sent = wire.as_slice();
            while !sent.is_empty() {
                ours.read_tls(&mut sent)?;
                ours.process_new_packets()?;
            }
            let mut wire = Vec::new();
            while ours.wants_write() {
                ours.write_tls(&mut wire)?;
            }
            spent += begun.elapsed();
            let mut sent = wire.as_slice();
            while !sent.is_empty() {
                theirs.read_tls(&mut sent)?;
                theirs.process_new_packets()?;
            }
        }
        best = best.min(spent.as_secs_f64() * 1e6);
    }
    Ok(best)
}

/// A person whose row is changed or read.
struct Touch {
    db: Db,
    env: Env,
    tenant: Arc<Tenant>,
    person: Id<id::Person>,
    version: i64,
    reads: bool,
}

impl load::Operation for Touch {
    async fn once(&mut self) -> Result<()> {
        if self.reads {
            return person::by_id(&self.db, self.tenant.id, self.person)
                .await?
                .map(drop)
                .ok_or("nobody".into());
        }
        let event = Event::new(&self.env, "bench.touched").person(self.person);
        let mut unit = Unit::new(event.id, vec![self.tenant.event(&self.env, event, None)]);
        person::touch(&mut unit, self.tenant.id, self.person, self.version, self.env.now());
        self.version += 1;
        if self.db.commit(unit).await?.done() { Ok(()) } else { Err("a conflict".into()) }
    }
}

/// What signatures need.
#[expect(clippy::disallowed_methods, reason = "nothing that is signed here is kept")]
pub(crate) fn random() -> SystemRandom {
    SystemRandom::new()
}

/// Clock and randomness of what is made here.
pub(crate) fn env() -> Env {
    Env::new(Arc::new(base::SystemClock), Arc::new(SystemRng))
}

async fn store(engine: Engine, time: Duration) -> Result<Store> {
    let scratch = Scratch::new(engine).await?;
    let db = scratch.open().await?;
    migrate(&db, MIGRATIONS).await?;
    let env = env();
    let directory = Directory::new(db.clone(), env.clone(), SealingKey::generate(&SystemRng));
    let tenant = NewTenant {
        slug: "default".into(),
        name: "Bench".into(),
        issuer: crate::http::ISSUER.into(),
        settings: "{}".into(),
    };
    let tenant = directory.create_tenant(tenant).await?;
    let database = scratch.url.rsplit_once('/').map(|(_, name)| name.to_owned());
    let database = database.filter(|_| engine == Engine::Postgres);
    let meter = Meter { server: std::process::id(), database };
    let mut workers = Vec::new();
    for n in 0..64 {
        let event = Event::new(&env, "person.created");
        let mut unit = Unit::new(event.id, vec![tenant.event(&env, event, None)]);
        let identifiers = [(Identifier::parse(&crate::people::email(n))?, Some("operator"))];
        let account = NewAccount { identifiers: &identifiers, ..NewAccount::default() };
        let person = account.write(&mut unit, &tenant, &env)?.person;
        let _done = db.commit(unit).await?;
        let (db, env, tenant) = (db.clone(), env.clone(), Arc::clone(&tenant));
        workers.push(Touch { db, env, tenant, person, version: 1, reads: false });
    }
    let mut found = Store { unit: f64::INFINITY, units_per_second: 0.0, read: f64::INFINITY };
    for _ in 0..2 {
        let run;
        (workers, run) = load::closed(workers, time, &meter).await?;
        if let Some(error) = run.error {
            return Err(error.into());
        }
        found.unit = found.unit.min(run.cost().0 + run.cost().1);
        found.units_per_second = found.units_per_second.max(run.rate());
    }
    workers.iter_mut().for_each(|worker| worker.reads = true);
    for _ in 0..2 {
        let run;
        (workers, run) = load::closed(workers, time / 2, &meter).await?;
        found.read = found.read.min(run.cost().0 + run.cost().1);
    }
    drop((workers, directory));
    scratch.remove(db).await?;
    Ok(found)
}
