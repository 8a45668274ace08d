//! An API that lets in whoever brings an access token of Keyward with the scope that it asks for.

mod access;

use access::{Access, Denied, Keyward};
use axum::{Json, Router, extract::State, http::StatusCode, routing::get};
use serde_json::{Value, json};
use std::{env, sync::Arc};

// ANCHOR: routes
async fn list(State(keyward): State<Arc<Keyward>>, access: Access) -> Result<Json<Value>, Denied> {
    let caller = keyward.allow(access, "orders.read").await?;
    Ok(Json(json!({"for": caller.sub, "orders": ["tea", "milk"]})))
}

async fn order(State(keyward): State<Arc<Keyward>>, access: Access) -> Result<StatusCode, Denied> {
    keyward.allow(access, "orders.write").await?;
    Ok(StatusCode::CREATED)
}
// ANCHOR_END: routes

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let issuer = env::var("ISSUER").unwrap_or("http://localhost:8080".into());
    let port = env::var("PORT").unwrap_or("4000".into());
    let keyward = Keyward::discover(issuer, "https://api.example.com").await?;
    let routes = Router::new().route("/orders", get(list).post(order)).with_state(Arc::new(keyward));
    let listener = tokio::net::TcpListener::bind(format!("localhost:{port}")).await?;
    println!("Listening at http://localhost:{port}/orders");
    Ok(axum::serve(listener, routes).await?)
}
