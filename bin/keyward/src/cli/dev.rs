//! `keyward dev`: everything on one machine, for development.

use super::Dev;
use crate::{
    failure::Failure,
    installation::{Installation, database_in, make_root_key},
    observe::Access,
    serve::{Limits, Options},
    wiring::{self, DevParts, Program},
};
use apply::Document;
use base::{Env, Secret};
use std::net::{Ipv4Addr, SocketAddr};
use store::Directory;
use work::{HashPool, HashSettings, Mailbox, outbound::Policy};

const DEFAULT_PORT: u16 = 8080;

pub(super) async fn run(dev: Dev) -> Result<(), Failure> {
    crate::observe::start_log(tracing::Level::INFO, false, None);
    let env = Env::system();
    let listen = dev.listen.unwrap_or(SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)));
    let options = Options { listen, tls: None, proxies: loopback(), limits: Limits::default() };
    let server = wiring::bind(options)?;
    let address = server.address();
    let root = make_root_key(&dev.data, &env)?;
    let url = dev.database.clone().unwrap_or_else(|| database_in(&dev.data));
    let installation = Installation::new(&url, Some(root))?;
    let issuer = match &dev.issuer {
        Some(issuer) => wiring::issuer(issuer)?,
        None if dev.listen.is_none() => format!("http://localhost:{}", address.port()),
        None => format!("http://{}", reachable(address)),
    };
    let directory = wiring::open(&installation, env.clone(), patient()).await?;
    let pool = HashPool::start(env.clone(), HashSettings::default())?;
    wiring::first_tenant(&directory, &issuer, true).await?;
    let mailbox = Mailbox::open(dev.data.join("mail"))?;
    let secret = base64(&env.bytes::<24>());
    register_demo(&directory, &pool, &issuer, &secret).await?;
    announce(&dev, &url, &issuer, address);
    let dev_parts =
        DevParts { listen: reachable(address), secret: Secret::new(secret), mailbox: mailbox.clone() };
    let program = Program {
        installation,
        directory,
        pool,
        transport: mailbox.into(),
        proxies: loopback(),
        issuer,
        access: Access::Open,
        metrics_listen: None,
        shutdown_delay: std::time::Duration::ZERO,
        outbound: Policy::dev(),
        traces: None,
        dev: Some(dev_parts),
    };
    wiring::run(program, server).await
}

/// A busy laptop may take a moment longer than a production database.
fn patient() -> store::OpenOptions {
    store::OpenOptions { patience: std::time::Duration::from_secs(5), ..store::OpenOptions::default() }
}

/// A proxy in front of `dev` runs on the same machine.
fn loopback() -> Vec<base::net::Network> {
    ["127.0.0.0/8", "::1/128"].iter().filter_map(|network| network.parse().ok()).collect()
}

/// Where a client on this machine connects.
fn reachable(address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()))
    } else {
        address
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Registers the demo applications as any others, under the issuer of this start.
async fn register_demo(
    directory: &Directory,
    pool: &HashPool,
    issuer: &str,
    secret: &str,
) -> Result<(), Failure> {
    let tenant = directory.resolve(store::Address::Root).await?;
    let tenant = tenant.ok_or_else(|| Failure::failed("The first tenant is missing."))?;
    let applications: Vec<serde_json::Value> = demo::clients(issuer)
        .iter()
        .map(|client| {
            let mut entry = serde_json::json!({
                "client_id": client.client_id,
                "name": client.name,
                "redirect_uris": client.redirect_uris,
                "post_logout_redirect_uris": client.post_logout_redirect_uris,
            });
            let (key, value) = if client.is_public() {
                ("public", serde_json::Value::Bool(true))
            } else {
                ("client_secret", secret.into())
            };
            entry.as_object_mut().map(|entry| entry.insert(key.to_owned(), value));
            entry
        })
        .collect();
    let document = serde_json::json!({ "tenants": [{ "slug": tenant.slug, "applications": applications }] });
    let document = Document::parse(&document.to_string()).map_err(|problems| {
        let first = problems.first().map(ToString::to_string).unwrap_or_default();
        Failure::failed(format!("The demo applications cannot be registered: {first}"))
    })?;
    apply::apply(directory, pool, &document, issuer).await?;
    Ok(())
}

fn announce(dev: &Dev, url: &str, issuer: &str, address: SocketAddr) {
    let place = match &dev.database {
        None => format!("data in {}", dev.data.display()),
        Some(_) => url.parse::<store::DbUrl>().map(|url| format!("data in {url}")).unwrap_or_default(),
    };
    eprintln!(
        "Keyward {} (dev) · {place}\n  \
         Sign-in        {issuer}/signin\n  \
         Account        {issuer}/account\n  \
         Mailbox        {issuer}/dev/mail\n  \
         Try it         {issuer}/demo\n\
         ! Development mode, not for the internet. `keyward serve` is for production.",
        env!("CARGO_PKG_VERSION"),
    );
    if !address.ip().is_loopback() {
        eprintln!("! It listens on {address}: whoever reaches that reads every mail and code.");
    }
}
