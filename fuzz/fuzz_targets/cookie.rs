//! Cookies: read as a slow reader reads them, whoever else put some beside ours; what we set comes back.
//!
//! Input: the lines of `Cookie` headers; `@d`, `@s` stand for names of ours, `@D`, `@S` for values.
#![no_main]

use base::{Env, Handle, HandleKind, SealingKey, SystemRng, Time, id};
use http::{HeaderMap, HeaderValue, header::COOKIE};
use libfuzzer_sys::fuzz_target;
use std::sync::{Arc, LazyLock};
use store::{Db, DbUrl, Directory, NewTenant, OpenOptions, Tenant};
use web::cookies;

/// A tenant on https, and one of a development server.
static TENANTS: LazyLock<[Arc<Tenant>; 2]> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let folder = std::env::temp_dir().join(format!("keyward-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let url: DbUrl = format!("sqlite:{}", folder.join("keyward.db").display()).parse().unwrap();
        let db = Db::open(&url, OpenOptions::default()).await.unwrap();
        store::migrate(&db, store::MIGRATIONS).await.unwrap();
        let directory = Directory::new(db, Env::system(), SealingKey::generate(&SystemRng));
        let new = |slug: &str, issuer: &str| NewTenant {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            issuer: issuer.to_owned(),
            settings: "{}".to_owned(),
        };
        let first = directory.create_tenant(new("default", "https://id.example")).await.unwrap();
        let second = directory.create_tenant(new("dev", "http://localhost:8080/t/dev")).await.unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        [first, second]
    })
});
static DEVICE: LazyLock<Handle> = LazyLock::new(|| Handle::new(HandleKind::Device, row(1), &SystemRng));
static SESSION: LazyLock<Handle> = LazyLock::new(|| Handle::new(HandleKind::Session, row(2), &SystemRng));

fn row(seconds: i64) -> base::Id<id::Session> {
    base::Id::new(Time::from_seconds(seconds), &SystemRng)
}

fuzz_target!(|input: &[u8]| {
    for tenant in &*TENANTS {
        let headers = headers(input, tenant);
        read(&headers, tenant);
        let other = TENANTS.iter().find(|other| other.id != tenant.id).unwrap();
        ours_beside(&headers, tenant, other);
    }
});

fn name(tenant: &Tenant, kind: &str) -> String {
    let id = tenant.id.to_string();
    let prefix = if tenant.is_https() { "__Host-" } else { "" };
    format!("{prefix}{kind}-{}", id.rsplit('_').next().unwrap())
}

fn headers(input: &[u8], tenant: &Tenant) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n').take(20) {
        let mut value = Vec::new();
        let mut bytes = line.iter().copied();
        while let Some(byte) = bytes.next() {
            match (byte, if byte == b'@' { bytes.next() } else { None }) {
                (b'@', Some(b'd')) => value.extend(name(tenant, "kwd").bytes()),
                (b'@', Some(b's')) => value.extend(name(tenant, "kws").bytes()),
                (b'@', Some(b'D')) => value.extend(DEVICE.reveal().bytes()),
                (b'@', Some(b'S')) => value.extend(SESSION.reveal().bytes()),
                _ => value.push(byte),
            }
        }
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(COOKIE, value);
        }
    }
    headers
}

/// All values of a name, as RFC 6265 has them, byte by byte.
fn values(headers: &HeaderMap, name: &str) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for header in headers.get_all(COOKIE) {
        for pair in header.as_bytes().split(|byte| *byte == b';') {
            let Some(at) = pair.iter().position(|byte| *byte == b'=') else { continue };
            if std::str::from_utf8(pair).is_ok() && pair[..at].trim_ascii() == name.as_bytes() {
                found.push(pair[at + 1..].trim_ascii().to_vec());
            }
        }
    }
    found
}

fn read(headers: &HeaderMap, tenant: &Tenant) {
    let handle = |kind, value: &[u8]| {
        Handle::parse(kind, std::str::from_utf8(value).ok()?).map(|found| found.reveal())
    };
    let device =
        values(headers, &name(tenant, "kwd")).iter().find_map(|value| handle(HandleKind::Device, value));
    assert_eq!(cookies::device(headers, tenant).map(|device| device.reveal()), device);
    let sessions: Vec<String> = values(headers, &name(tenant, "kws"))
        .iter()
        .flat_map(|value| value.split(|byte| *byte == b'.'))
        .filter_map(|value| handle(HandleKind::Session, value))
        .take(8)
        .collect();
    let ours: Vec<String> = cookies::sessions(headers, tenant).iter().map(Handle::reveal).collect();
    assert_eq!(ours, sessions);
    let _ = (cookies::locale(headers), cookies::watched(headers, tenant));
}

/// What we set is found first, whatever stands behind it, and is nothing to another tenant.
fn ours_beside(strangers: &HeaderMap, tenant: &Tenant, other: &Tenant) {
    let before = cookies::sessions(strangers, other).len();
    let set = |cookie: String| HeaderValue::from_str(cookie.split(';').next().unwrap()).unwrap();
    let mut headers = HeaderMap::new();
    headers.append(COOKIE, set(cookies::set_device(tenant, &DEVICE)));
    let sessions = [SESSION.clone(), SESSION.clone()];
    let (now, end) = (Time::from_seconds(1), Time::from_seconds(9));
    headers.append(COOKIE, set(cookies::set_sessions(tenant, &sessions, now, end)));
    for value in strangers.get_all(COOKIE) {
        headers.append(COOKIE, value.clone());
    }
    assert_eq!(cookies::device(&headers, tenant).unwrap().reveal(), DEVICE.reveal());
    assert_eq!(cookies::sessions(&headers, tenant)[0].reveal(), SESSION.reveal());
    assert_eq!(cookies::sessions(&headers, other).len(), before);
}
