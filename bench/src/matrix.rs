//! The rows of the matrix.

use crate::{
    Asked, Result,
    http::{Connection, basic, form, request},
    load::{self, Operation},
    people::{Browser, CALLBACK, PASSWORD, SECRET, Same, Tokens, email, from_somewhere},
    place::{Options, Place},
};
use serde_json::json;
use std::time::Duration;

/// Everything that was asked for.
pub(crate) async fn run(asked: &Asked) -> Result<()> {
    for engine in &asked.engines {
        let options = Options { program: &asked.program, parent: &asked.folder, engine: *engine, tls: false };
        let place = Place::new(options).await?;
        println!("{engine:?}: ready after {:?}, {:.0} MiB", place.ready_after, place.memory());
        let outcome = rows(asked, &place).await;
        place.remove().await?;
        outcome?;
    }
    Ok(())
}

fn wanted(asked: &Asked, row: &str) -> bool {
    asked.only.is_empty() || asked.only.iter().any(|it| it == row)
}

async fn rows(asked: &Asked, place: &Place) -> Result<()> {
    place.apply(tenant(64))?;
    let mut browser = Browser::open(place.address).await?;
    let code = browser.sign_in("web", "openid email offline_access", &email(0)).await?;
    let tokens = browser.redeem("web", &code).await?;
    for (name, request, contains) in requests(&tokens) {
        if wanted(asked, name.split(' ').next().unwrap_or_default()) {
            let mut workers = Vec::new();
            for _ in 0..16 {
                let connection = Connection::open(place.address).await?;
                workers.push(Same { connection, request: request.clone(), contains });
            }
            measure(asked, place, name, workers).await?;
        }
    }
    Ok(())
}

fn requests(tokens: &Tokens) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let somewhere = from_somewhere();
    let machine = |client: &str| {
        let headers = basic(client, SECRET) + &somewhere;
        form("/token", &headers, &[("grant_type", "client_credentials")])
    };
    let introspect =
        |token: &str| form("/introspect", &(basic("web", SECRET) + &somewhere), &[("token", token)]);
    let bearer = format!("authorization: Bearer {}\r\n{somewhere}", tokens.access);
    vec![
        ("B2 client_credentials, ES256", machine("robot"), "access_token"),
        ("B2 client_credentials, RS256", machine("robot-rs"), "access_token"),
        ("B6 introspection of a JWT", introspect(&tokens.access), "\"active\":true"),
        ("B6 introspection of an opaque token", introspect(&tokens.refresh), "\"active\":true"),
        ("B7 userinfo", request("GET", "/userinfo", &bearer, ""), "person0@"),
        ("P discovery", request("GET", "/.well-known/openid-configuration", &somewhere, ""), "issuer"),
        ("P JWKS", request("GET", "/jwks", &somewhere, ""), "keys"),
    ]
}

async fn measure<O: Operation>(asked: &Asked, place: &Place, name: &str, workers: Vec<O>) -> Result<()> {
    let meter = place.meter();
    let (workers, _) = load::closed(workers, Duration::from_millis(500), &meter).await?;
    let (workers, run) = load::closed(workers, asked.time, &meter).await?;
    let (server, database, generator) = run.cost();
    println!(
        "{name}: {:.0}/s, server {server:.1} us, database {database:.1} us, generator {generator:.1} us, errors {} {:?}",
        run.rate(),
        run.failed,
        run.error
    );
    let (_, run) = load::open(workers, run.rate() / 2.0, asked.time, &meter).await?;
    println!(
        "   at half the rate {:?}, errors {} {:?}",
        crate::stats::Latency::of(run.latencies),
        run.failed,
        run.error
    );
    Ok(())
}

/// Applications and people.
fn tenant(people: usize) -> serde_json::Value {
    let users: Vec<_> = (0..people)
        .map(|n| json!({ "email": email(n), "email_verified": true, "password": PASSWORD, "claims": { "name": "Ada Example" } }))
        .collect();
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
        "users": users,
    })
}
