//! The control socket beside a running server.

use crate::{
    CONTRACT,
    place::{ISSUER, Place, read},
};
use apply::{
    Action, Selection,
    control::{Call, Reply, Service, call, export, send, serve},
};
use serde_json::json;
use std::{os::unix::fs::PermissionsExt, path::Path, path::PathBuf, sync::Arc};
use store::Engine;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::oneshot,
    task::JoinHandle,
};

async fn start(place: &Place) -> (PathBuf, oneshot::Sender<()>, JoinHandle<()>) {
    let path = place.folder.join("control.sock");
    let (stop, stopped) = oneshot::channel::<()>();
    let service = Service {
        directory: place.directory.clone(),
        pool: place.pool.clone(),
        default_issuer: ISSUER.to_owned(),
        registered: crate::place::registered(),
        calls: Arc::new(|call| {
            Box::pin(async move {
                Reply { status: 200, body: json!([call.tenant, call.method, call.path, call.body]) }
            })
        }),
    };
    let own = path.clone();
    let task = tokio::spawn(async move {
        let shutdown = async { drop(stopped.await) };
        serve(&own, service, shutdown).await.unwrap();
    });
    while UnixStream::connect(&path).await.is_err() {
        tokio::task::yield_now().await;
    }
    (path, stop, task)
}

async fn raw(path: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_hands_its_document_to_the_server() {
    let place = Place::new(Engine::Sqlite).await;
    std::fs::write(place.folder.join("control.sock"), "left behind").unwrap();
    let (path, stop, task) = start(&place).await;
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let planned = send(&path, &read(CONTRACT), true).await.unwrap();
    assert!(!planned.applied && place.events().await.is_empty());
    let applied = send(&path, &read(CONTRACT), false).await.unwrap();
    assert!(applied.applied && applied.count(Action::Create) == 6);
    assert!(send(&path, &read(CONTRACT), false).await.unwrap().is_empty());

    let bad = "tenants: [{slug: default, applications: [{client_id: open, redirect_uris: ['https://a.example/']}]}]";
    let error = send(&path, &read(bad), false).await.unwrap_err();
    assert!(error.kind == base::Kind::Invalid && error.public.contains("has no secret"), "{error}");

    stop.send(()).unwrap();
    task.await.unwrap();
    assert!(!path.exists());
    assert_eq!(send(&path, &read(CONTRACT), false).await.unwrap_err().code, "error-no-server");
    place.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nonsense_at_the_socket_is_refused_and_does_no_harm() {
    let place = Place::new(Engine::Sqlite).await;
    let (path, stop, task) = start(&place).await;
    let file = r#"{"op":"apply","dry_run":false,"document":{"tenants":[{"slug":"a","applications":[{"client_id":"w","client_secret_file":"/etc/passwd"}]}]}}"#;
    for nonsense in ["", "\n", "{}\n", "{\"op\":\"stop\"}\n", "{\"op\":\"apply\"", &format!("{file}\n")] {
        let answer = raw(&path, nonsense.as_bytes()).await;
        assert!(answer.starts_with(r#"{"error":{"kind":"Invalid""#), "{nonsense}: {answer}");
    }
    assert!(place.events().await.is_empty());
    assert!(send(&path, &read(CONTRACT), true).await.is_ok());
    stop.send(()).unwrap();
    task.await.unwrap();
    place.remove().await;
}

#[tokio::test]
async fn a_call_of_the_api_is_handed_on_and_its_answer_comes_back() {
    let place = Place::new(Engine::Sqlite).await;
    let (path, stop, task) = start(&place).await;
    let asked = Call {
        tenant: "default".into(),
        method: "POST".into(),
        path: "/users".into(),
        body: json!({ "email": "alice@example.com" }),
    };
    let reply = call(&path, &asked).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, json!(["default", "POST", "/users", { "email": "alice@example.com" }]));
    drop(stop);
    task.await.unwrap();
    assert_eq!(call(&path, &asked).await.unwrap_err().code, "error-no-server");
    place.remove().await;
}

#[tokio::test]
async fn a_server_exports_document_by_document() {
    let place = Place::new(Engine::Sqlite).await;
    let (path, stop, task) = start(&place).await;
    send(&path, &read(CONTRACT), false).await.unwrap();
    let mut texts = Vec::new();
    let all = Selection { users: true, ..Selection::default() };
    let take = |piece: apply::Piece| {
        texts.push(piece.text);
        Ok(())
    };
    export(&path, &all, take).await.unwrap();
    assert_eq!(texts.len(), 1);
    assert!(send(&path, &read(&texts[0]), false).await.unwrap().is_empty());
    let full = |_| Err(std::io::ErrorKind::StorageFull.into());
    assert_eq!(export(&path, &all, full).await.unwrap_err().code, "error-export");
    let unknown = Selection { tenant: Some("nobody".to_owned()), ..all };
    let error = export(&path, &unknown, |_| Ok(())).await.unwrap_err();
    assert_eq!((error.kind, error.public.as_ref()), (base::Kind::NotFound, "There is no tenant nobody."));
    drop(stop);
    task.await.unwrap();
    place.remove().await;
}
