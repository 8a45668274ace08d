//! Wiring: brings the capabilities together behind one address, with what runs in the background.

use crate::{
    backup::{erasures, interrupted},
    failure::Failure,
    installation::{Installation, socket_beside},
    observe::{
        self, Access, Edge, EdgeOptions, Metrics, Readiness, RouteName, TenantLabel,
        traces::{self, Collector, Recorded},
        watched::Watched,
    },
    serve::{self, Answers, Drained, Limits, Options, Server, Shutdown},
};
use axum::{Router, extract::Request, response::Response};
use base::{Env, Event, Kind, Secret, net::Network};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use store::{Address, Db, Directory, Migration, NewTenant, OpenOptions, Unit, rows};
use web::Site;
use work::outbound::{self, Documents, Outbound, Policy};
use work::{AccountSlots, Admission, HashPool, Jobs, MailSignal, Mailbox, Rate, Transport, Worker};

/// The slug of the tenant that is made at first start.
pub(crate) const FIRST_SLUG: &str = "default";
const FIRST_NAME: &str = "Keyward";
/// How long background work may take to end once the last request was answered.
const BACKGROUND_ENDS: Duration = Duration::from_secs(5);

/// All that runs.
pub(crate) struct Program {
    pub(crate) installation: Installation,
    pub(crate) directory: Directory,
    pub(crate) pool: HashPool,
    pub(crate) transport: Transport,
    pub(crate) proxies: Vec<Network>,
    pub(crate) issuer: String,
    pub(crate) access: Access,
    /// A second address for the metrics, and who may read them there.
    pub(crate) metrics_listen: Option<(SocketAddr, Access)>,
    /// How long it goes on after it was told to stop.
    pub(crate) shutdown_delay: Duration,
    /// What may be asked outwards.
    pub(crate) outbound: Policy,
    /// Traces that are recorded, and where they go.
    pub(crate) traces: Option<(Recorded, Collector)>,
    /// What only `dev` has.
    pub(crate) dev: Option<DevParts>,
}

/// What only `dev` has.
pub(crate) struct DevParts {
    pub(crate) listen: SocketAddr,
    pub(crate) secret: Secret<String>,
    pub(crate) mailbox: Mailbox,
}

/// Binds the address, or says why it cannot be had.
pub(crate) fn bind(options: Options) -> Result<Server, Failure> {
    let listen = options.listen;
    Server::bind(options).map_err(|error| {
        Failure::failed(format!(
            "The address {listen} cannot be used: {error}. Stop what listens there, or choose another address."
        ))
    })
}

/// An issuer as it is stored: an absolute http or https URL without query, fragment or final slash.
pub(crate) fn issuer(text: &str) -> Result<String, Failure> {
    let issuer = text.trim_end_matches('/');
    let uri: Option<http::Uri> = issuer.parse().ok();
    let good = uri.is_some_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
            && uri.query().is_none()
            && matches!(uri.path(), "" | "/")
    });
    if good && !issuer.contains('#') {
        return Ok(issuer.to_owned());
    }
    Err(Failure::usage(format!(
        "{text} cannot be an issuer: give an http or https address without a path, such as https://id.example.com."
    )))
}

/// The tables of the store and of every capability that has its own.
pub(crate) fn migrations() -> Vec<Migration> {
    [store::MIGRATIONS, oidc::MIGRATIONS, admin::MIGRATIONS].concat()
}

/// Opens the database, brings it to this version and checks the root key.
pub(crate) async fn open(
    installation: &Installation,
    env: Env,
    options: OpenOptions,
) -> Result<Directory, Failure> {
    installation.root_key()?;
    installation.check_folder()?;
    interrupted::refuse_half_done(installation)?;
    let db = Db::open(&installation.database, options).await.map_err(|error| match error {
        store::DbError::Locked(path) => Failure::failed(format!(
            "Another server works on {path}. Stop it first, or give this one a database of its own."
        )),
        error => error.into(),
    })?;
    prepare(db, installation, env).await
}

/// Brings an open database to this version and checks the root key and that no restore of it stopped
/// half-way.
pub(crate) async fn prepare(db: Db, installation: &Installation, env: Env) -> Result<Directory, Failure> {
    let root = installation.root_key()?;
    store::migrate(&db, &migrations()).await?;
    interrupted::refuse_unsettled(&db, installation).await?;
    let directory = Directory::new(db, env, root);
    directory.check_root_key().await?;
    Ok(directory)
}

/// Makes the first tenant if there is none. If its issuer is another, `dev` moves it, and `serve`
/// refuses, since tokens and passkeys hang on it.
pub(crate) async fn first_tenant(directory: &Directory, issuer: &str, may_move: bool) -> Result<(), Failure> {
    let Some(tenant) = directory.resolve(Address::Root).await? else {
        let new = NewTenant {
            slug: FIRST_SLUG.to_owned(),
            name: FIRST_NAME.to_owned(),
            issuer: issuer.to_owned(),
            settings: "{}".to_owned(),
        };
        return match directory.create_tenant(new).await {
            Ok(_) => Ok(()),
            // Another node was faster.
            Err(error) if error.kind == Kind::Conflict => Ok(()),
            Err(error) => Err(error.into()),
        };
    };
    if tenant.issuer == issuer {
        return Ok(());
    }
    if !may_move {
        return Err(Failure::usage(format!(
            "server.issuer is {issuer}, but this installation has issued its tokens as {}. \
             Set server.issuer to that, or move the tenant first with `issuer:` in a file for `keyward apply`.",
            tenant.issuer
        )));
    }
    let former = tenant.issuer.clone();
    for row in rows::tenant::list(directory.db()).await? {
        // Tenants on paths of the first one's host move with it.
        let Some(path) = row.issuer.strip_prefix(&former) else { continue };
        if path.is_empty() || path.starts_with("/t/") {
            change_issuer(directory, &row, &format!("{issuer}{path}")).await?;
        }
    }
    Ok(())
}

async fn change_issuer(
    directory: &Directory,
    row: &rows::tenant::TenantRow,
    issuer: &str,
) -> Result<(), Failure> {
    let env = directory.env();
    let Some(tenant) = directory.tenant(row.id).await? else { return Ok(()) };
    let event = Event::new(env, "tenant.moved")
        .actor("operator")
        .detail(serde_json::json!({ "old": row.issuer, "new": issuer }));
    let mut unit = Unit::new(event.id, vec![tenant.event(env, event, None)]);
    let uri: Option<http::Uri> = issuer.parse().ok();
    let host = uri.as_ref().and_then(http::Uri::host).unwrap_or_default();
    rows::tenant::change_issuer(&mut unit, row, issuer, host, env.now());
    if !directory.db().commit(unit).await?.done() {
        return Err(Failure::failed(format!("The issuer {issuer} is taken by another tenant.")));
    }
    directory.forget(row.id);
    Ok(())
}

/// Serves until a signal, then lets what is under way finish.
pub(crate) async fn run(mut program: Program, server: Server) -> Result<(), Failure> {
    let (trigger, stop) = serve::shutdown();
    serve::on_signals(trigger, program.shutdown_delay)?;
    let db = program.directory.db().clone();
    let mail = MailSignal::default();
    let metrics = Arc::new(Metrics::new());
    let (admission, tally) = (Admission::new(limits(program.dev.is_some())), signin::Tally::default());
    let mut background = Vec::new();
    let mut dropped = None;
    if let Some((recorded, collector)) = program.traces.take() {
        dropped = Some(Arc::clone(&recorded.dropped));
        background.push(tokio::spawn(traces::export(recorded, collector, requested(stop.clone()))));
    }
    let watched = Watched {
        directory: program.directory.clone(),
        pool: program.pool.clone(),
        mail: mail.clone(),
        admission: admission.clone(),
        tally: tally.clone(),
        dropped_spans: dropped.unwrap_or_default(),
    };
    watched.register(&metrics);
    let readiness = Arc::new(readiness(&program.directory, stop.clone()));
    let outbound = Outbound::new(program.outbound.clone())?.traced(traces::traceparent);
    let capabilities = application(&program, &mail, outbound.clone(), (admission, tally))?;
    let operators = observe::routes(Arc::clone(&readiness), Arc::clone(&metrics), program.access);
    let mut edge = EdgeOptions::new(program.directory.env().clone(), Arc::clone(&metrics));
    edge.https = program.issuer.starts_with("https://");
    edge.proxies = program.proxies;
    let site = Site::new(program.directory.clone());
    let app = Edge::new(edge, Front { operators, site: site.clone(), capabilities });
    if let Some((listen, access)) = program.metrics_listen {
        let own = bind(Options { listen, tls: None, proxies: Vec::new(), limits: Limits::default() })?;
        tokio::spawn(own.run(observe::metrics_routes(metrics, access), stop.clone()));
    }
    if let Some(file) = &program.installation.file {
        let service = apply::control::Service {
            directory: program.directory.clone(),
            pool: program.pool.clone(),
            default_issuer: program.issuer.clone(),
            calls: calls(&program.directory, &program.pool),
            registered: registered(),
        };
        let (path, until) = (socket_beside(file), requested(stop.clone()));
        tokio::spawn(async move {
            if let Err(error) = apply::control::serve(&path, service, until).await {
                tracing::error!(%error, "commands cannot reach the server: its control socket is missing");
            }
        });
    }
    if let Some(list) = program.installation.erasures.clone() {
        let (directory, until) = (program.directory.clone(), requested(stop.clone()));
        background.push(tokio::spawn(erasures::follow(directory, list, until)));
    }
    tokio::spawn(program.directory.clone().watch());
    tokio::spawn(drop_kept_answers(program.directory.clone()));
    background.push(Jobs::spawn(program.directory.clone(), requested(stop.clone())));
    background.push(tokio::spawn(oidc::notices(site, outbound, requested(stop.clone()))));
    let worker = Worker::new(program.directory, program.transport, mail);
    background.push(tokio::spawn(worker.run(requested(stop.clone()))));
    let drained = server.run(app, stop).await;
    for task in background {
        let abort = task.abort_handle();
        match tokio::time::timeout(BACKGROUND_ENDS, task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "a background task ended badly"),
            // A mail under way is sent again once its lease has ended.
            Err(_) => abort.abort(),
        }
    }
    db.close().await;
    match drained {
        Drained::Clean => Ok(()),
        Drained::Cut(count) => {
            tracing::warn!(count, "connections were still busy when the time limit for stopping ended");
            Ok(())
        }
    }
}

async fn requested(mut stop: Shutdown) {
    stop.requested().await;
}

fn readiness(directory: &Directory, stop: Shutdown) -> Readiness {
    let db = directory.db().clone();
    Readiness::new(stop).with("database", move || {
        let db = db.clone();
        async move { db.ping().await.map_err(|error| error.to_string()) }
    })
}

/// Drops the answers of the admin API that were kept for a repeated request, a batch a minute.
async fn drop_kept_answers(directory: Directory) {
    loop {
        tokio::time::sleep(Duration::from_secs(60)).await;
        let unit = admin::purge(directory.env().id(), directory.env().now());
        if let Err(error) = directory.db().commit(unit).await {
            tracing::debug!(%error, "kept answers are dropped later");
        }
    }
}

/// Which applications registered themselves, for an export.
pub(crate) fn registered() -> apply::Registered {
    Arc::new(|db, tenant| Box::pin(async move { oidc::registered(&db, tenant).await }))
}

/// The admin API as the command line of this machine calls it.
pub(crate) fn calls(directory: &Directory, pool: &HashPool) -> apply::control::Calls {
    let (directory, pool) = (directory.clone(), pool.clone());
    let router = admin::routes(api(Site::new(directory.clone()), pool));
    Arc::new(move |call| Box::pin(carry_out(directory.clone(), router.clone(), call)))
}

fn api(site: Site, pool: HashPool) -> admin::Admin {
    admin::Admin { site, pool, tokens: Arc::new(crate::tokens::Tokens) }
}

async fn carry_out(
    directory: Directory,
    router: Router,
    call: apply::control::Call,
) -> apply::control::Reply {
    let tenant = directory.resolve(Address::Slug(&call.tenant)).await;
    let body = if call.body.is_null() { String::new() } else { call.body.to_string() };
    let request = http::Request::builder()
        .method(call.method.as_str())
        .uri(format!("/api/v1{}", call.path))
        .header(http::header::CONTENT_TYPE, "application/json")
        .extension(web::tenancy::Addressed(tenant))
        .extension(admin::Caller::Operator)
        .body(axum::body::Body::from(body));
    let Ok(request) = request else {
        let body = serde_json::json!({ "title": "This is no method and path of the API." });
        return apply::control::Reply { status: 400, body };
    };
    let Ok(response) = tower::ServiceExt::oneshot(router, request).await;
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap_or_default();
    let body = serde_json::from_slice(&bytes)
        .unwrap_or_else(|_| serde_json::Value::String(String::from_utf8_lossy(&bytes).into_owned()));
    apply::control::Reply { status, body }
}

/// How often who may ask.
fn limits(dev: bool) -> work::Limits {
    let limits = work::Limits::default();
    if !dev {
        return limits;
    }
    // One machine plays all clients.
    let one = Rate { per_minute: 600_000, burst: 100_000 };
    work::Limits { network: one, registrations: one, guesses: one, guesses_at: one, ..limits }
}

/// The capabilities behind their tenants.
fn application(
    program: &Program,
    mail: &MailSignal,
    outbound: Outbound,
    (admission, tally): (Admission, signin::Tally),
) -> Result<Router, Failure> {
    let documents =
        Documents::new(outbound.clone(), Arc::new(base::SystemClock), outbound::Limits::default());
    let site = Site::new(program.directory.clone());
    let signin = signin::Signin::new(signin::Parts {
        site: site.clone(),
        hashing: program.pool.clone(),
        slots: AccountSlots::default(),
        admission: admission.clone(),
        mail: mail.clone(),
        tally,
        logos: signin::Logos::new(outbound.clone(), Arc::new(base::SystemClock)),
        destination: Arc::new(oidc::Requests),
    });
    let journeys = signin.journeys();
    let mut router = Router::new()
        .merge(web::routes(site.clone()))
        .merge(admin::routes(api(site.clone(), program.pool.clone())))
        .merge(signin::routes(signin))
        .merge(account::routes(account::Account { site: site.clone(), journeys: Arc::clone(&journeys) }))
        .merge(oidc::routes(oidc::Oidc { site: site.clone(), journeys, documents, outbound, admission }));
    if let Some(dev) = &program.dev {
        router = router.merge(demo::routes(demo::Demo {
            site: site.clone(),
            listen: dev.listen,
            secret: dev.secret.clone(),
            mailbox: dev.mailbox.clone(),
        }));
    }
    let fallback = Router::new().fallback(web::not_found).with_state(site.clone());
    Ok(router.fallback_service(fallback).layer(RouteName))
}

/// What stands behind the edge: the addresses of operators, and the capabilities of each tenant.
#[derive(Clone)]
struct Front {
    operators: Router,
    site: Site,
    capabilities: Router,
}

impl Answers for Front {
    async fn answer(&self, mut request: Request) -> Response {
        if observe::has_route(request.uri().path()) {
            return self.operators.answer(request).await;
        }
        if let Some(elsewhere) = web::tenancy::address(&self.site, &mut request).await {
            return elsewhere;
        }
        let addressed = request.extensions().get::<web::tenancy::Addressed>();
        let tenant = addressed.and_then(|addressed| addressed.0.as_ref().ok().cloned().flatten());
        let mut response = self.capabilities.answer(request).await;
        if let Some(tenant) = tenant {
            response.extensions_mut().insert(TenantLabel(tenant.slug.as_str().into()));
        }
        response
    }
}
