use super::peer::{Answer, Names, Peer, ok, status};
use crate::outbound::{slots::PER_HOST, *};
use std::{path::PathBuf, sync::atomic::Ordering};
use tokio::net::{TcpListener, TcpSocket};
use tokio_rustls::TlsAcceptor;

fn dev() -> Outbound {
    Outbound::new(Policy::dev()).unwrap()
}

/// Patience for a peer that never answers.
fn short() -> Limits {
    Limits { total: Duration::from_millis(50), ..Limits::default() }
}

async fn get(url: &str) -> Result<Fetched, OutboundError> {
    dev().get(url, Limits::default()).await
}

#[tokio::test]
async fn a_document_comes_back_with_type_and_freshness() {
    let peer = Peer::start(ok("content-type: application/json\r\ncache-control: max-age=90\r\n", "{}")).await;
    let fetched = get(&peer.url("/keys?a=b#c")).await.unwrap();
    let expected = Fetched {
        status: 200,
        content_type: Some("application/json".to_owned()),
        body: "{}".into(),
        max_age: Some(Duration::from_secs(90)),
    };
    assert_eq!(fetched, expected);
    let request = peer.requests.lock().unwrap().remove(0);
    assert!(request.starts_with("GET /keys?a=b HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: 127.0.0.1:{}\r\n", peer.port)), "{request}");
    assert!(!request.contains("cookie") && !request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn whoever_is_asked_is_told_the_trace_if_there_is_one() {
    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let peer = Peer::start(status("204 No Content")).await;
    for (client, told) in
        [(dev(), false), (dev().traced(|| None), false), (dev().traced(|| Some(TRACE.to_owned())), true)]
    {
        client.get(&peer.url("/"), Limits::default()).await.unwrap();
        client.post_form(&peer.url("/"), &[], Limits::default()).await.unwrap();
        for request in std::mem::take(&mut *peer.requests.lock().unwrap()) {
            assert_eq!(request.contains(&format!("traceparent: {TRACE}\r\n")), told, "{request}");
            assert_eq!(request.contains("traceparent"), told, "{request}");
        }
    }
}

#[tokio::test]
async fn forms_and_json_are_posted() {
    let peer = Peer::start(status("204 No Content")).await;
    let form = [("logout_token", "a.b&c"), ("x", "ü +")];
    assert_eq!(dev().post_form(&peer.url("/"), &form, Limits::default()).await.unwrap().status, 204);
    assert_eq!(dev().post_json(&peer.url("/"), "{\"a\":1}", Limits::default()).await.unwrap().status, 204);
    let requests = peer.requests.lock().unwrap().clone();
    assert!(requests[0].contains("content-type: application/x-www-form-urlencoded\r\n"), "{}", requests[0]);
    assert!(requests[0].ends_with("\r\n\r\nlogout_token=a.b%26c&x=%C3%BC+%2B"), "{}", requests[0]);
    assert!(requests[1].contains("content-type: application/json\r\n"), "{}", requests[1]);
    assert!(requests[1].ends_with("\r\n\r\n{\"a\":1}"), "{}", requests[1]);
}

#[tokio::test]
async fn an_error_of_the_other_side_is_an_answer() {
    let peer = Peer::start(status("500 Internal Server Error")).await;
    assert_eq!(get(&peer.url("/")).await.unwrap().status, 500);
}

#[tokio::test]
async fn abuse_48_redirects_are_not_followed() {
    let inner = Peer::start(ok("", "secret")).await;
    for line in ["301 A", "302 A", "303 A", "307 A", "308 A"] {
        let location = inner.url("/metadata");
        let peer = Peer::start(status(&format!("{line}\r\nlocation: {location}"))).await;
        assert_eq!(get(&peer.url("/")).await, Err(OutboundError::Redirect), "{line}");
    }
    assert_eq!(inner.count(), 0);
}

#[tokio::test]
async fn abuse_48_a_name_is_resolved_once_and_the_checked_address_is_asked() {
    let peer = Peer::start(ok("", "public")).await;
    let port = peer.port;
    // The first answer is allowed and leads to the peer; the second would lead to metadata.
    let names = Names::new(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let outbound = Outbound::with_resolver(Policy::dev(), Arc::clone(&names) as Arc<dyn Resolve>).unwrap();
    let url = format!("http://rebinding.example:{port}/");
    assert_eq!(outbound.get(&url, Limits::default()).await.unwrap().body, "public");
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    assert!(peer.requests.lock().unwrap()[0].contains(&format!("host: rebinding.example:{port}\r\n")));
    assert_eq!(outbound.get(&url, Limits::default()).await, Err(OutboundError::Refused));
}

#[tokio::test]
async fn abuse_48_a_name_that_leads_inside_is_refused_before_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    for answer in [&["127.0.0.1"][..], &["::ffff:127.0.0.1"], &["::1"], &["8.8.8.8", "127.0.0.1"]] {
        let policy = Policy::production(Vec::new(), None);
        let outbound = Outbound::with_resolver(policy, Names::new(&[answer])).unwrap();
        let url = format!("https://inside.example:{port}/");
        assert_eq!(outbound.get(&url, Limits::default()).await, Err(OutboundError::Refused), "{answer:?}");
    }
    listener.into_std().map(|listener| assert!(listener.accept().is_err(), "somebody connected")).unwrap();
}

#[tokio::test]
async fn abuse_48_errors_tell_nothing_of_what_is_inside() {
    // Bound, but nobody listens.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed_port = closed.local_addr().unwrap().port();
    let unreachable = get(&format!("http://127.0.0.1:{closed_port}/")).await.unwrap_err();
    assert_eq!(unreachable, OutboundError::Unreachable);
    let outbound = Outbound::with_resolver(Policy::dev(), Names::new(&[])).unwrap();
    let unresolved = outbound.get("https://nowhere.example/", Limits::default()).await.unwrap_err();
    assert_eq!(unresolved, OutboundError::Unresolved);
    let refused = get("https://10.0.0.1/").await.unwrap_err();
    assert_eq!(refused, OutboundError::Refused);
    assert_eq!(refused.to_string(), unreachable.to_string());
    assert_eq!(refused.to_string(), unresolved.to_string());
    assert!(!refused.to_string().contains(|c: char| c.is_ascii_digit()));
}

#[tokio::test]
async fn abuse_48_a_body_is_cut_at_its_limit() {
    let limits = Limits { body: 10_000, ..Limits::default() };
    let announced = Peer::start(ok("", &"a".repeat(10_001))).await;
    assert_eq!(dev().get(&announced.url("/"), limits).await, Err(OutboundError::TooLarge));
    let endless = Peer::start(Answer::Endless("HTTP/1.1 200 OK\r\n\r\n".to_owned())).await;
    assert_eq!(dev().get(&endless.url("/"), limits).await, Err(OutboundError::TooLarge));
    let exact = Peer::start(ok("", &"a".repeat(10_000))).await;
    assert_eq!(dev().get(&exact.url("/"), limits).await.unwrap().body.len(), 10_000);
}

#[tokio::test]
async fn abuse_48_headers_have_an_end() {
    let many = Peer::start(ok(&"x: y\r\n".repeat(100), "")).await;
    assert_eq!(get(&many.url("/")).await, Err(OutboundError::Malformed));
    let long = Peer::start(Answer::Endless("HTTP/1.1 200 OK\r\nx: ".to_owned())).await;
    assert_eq!(get(&long.url("/")).await, Err(OutboundError::Malformed));
}

#[tokio::test]
async fn what_is_not_http_is_not_understood() {
    for text in ["SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n"] {
        let peer = Peer::start(Answer::Whole(text.to_owned())).await;
        assert_eq!(get(&peer.url("/")).await, Err(OutboundError::Malformed), "{text:?}");
    }
}

#[tokio::test]
async fn abuse_48_a_slow_host_is_left() {
    for begun in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc"] {
        let peer = Peer::start(Answer::Stuck(begun.to_owned())).await;
        assert_eq!(dev().get(&peer.url("/"), short()).await, Err(OutboundError::Timeout), "{begun:?}");
    }
}

#[tokio::test]
async fn abuse_48_a_slow_host_holds_up_only_its_own() {
    let slow = Peer::start(Answer::Stuck(String::new())).await;
    let outbound = Outbound::with_resolver(Policy::dev(), Names::new(&[&["127.0.0.1"]])).unwrap();
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..PER_HOST {
        let (outbound, url) = (outbound.clone(), format!("http://slow.example:{}/", slow.port));
        let limits = Limits { total: Duration::from_secs(600), ..Limits::default() };
        waiting.spawn(async move { outbound.get(&url, limits).await });
    }
    while slow.count() < PER_HOST {
        tokio::task::yield_now().await;
    }
    let again = format!("http://slow.example:{}/", slow.port);
    assert_eq!(outbound.get(&again, short()).await, Err(OutboundError::Busy));
    let other = Peer::start(ok("", "quick")).await;
    let url = format!("http://quick.example:{}/", other.port);
    assert_eq!(outbound.get(&url, Limits::default()).await.unwrap().body, "quick");
    waiting.shutdown().await;
    slow.answers(ok("", "awake"));
    assert_eq!(outbound.get(&again, Limits::default()).await.unwrap().body, "awake");
}

/// An authority and a certificate of it for `keys.example`.
struct Authority {
    file: PathBuf,
    acceptor: TlsAcceptor,
}

impl Authority {
    fn new(name: &str) -> Self {
        use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).unwrap();
        let file = std::env::temp_dir().join(format!("keyward_outbound_{}_{name}.pem", std::process::id()));
        std::fs::write(&file, root.pem()).unwrap();
        let issuer = Issuer::new(params, key);
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(vec!["keys.example".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(leaf_key.serialize_der());
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.der().clone()], key.into())
            .unwrap();
        Self { file, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

#[tokio::test]
async fn tls_needs_a_certificate_of_a_trusted_authority_for_the_name() {
    let authority = Authority::new("trusted");
    let peer = Peer::serve(ok("", "secured"), Some(authority.acceptor.clone())).await;
    let ask = async |ca_file: Option<PathBuf>, host: &str| {
        let policy = Policy { ca_file, ..Policy::dev() };
        let outbound = Outbound::with_resolver(policy, Names::new(&[&["127.0.0.1"]])).unwrap();
        outbound.get(&format!("https://{host}:{}/", peer.port), Limits::default()).await
    };
    let trusted = Some(authority.file.clone());
    assert_eq!(ask(trusted.clone(), "keys.example").await.unwrap().body, "secured");
    assert_eq!(ask(trusted.clone(), "other.example").await, Err(OutboundError::Tls));
    assert_eq!(ask(trusted, "127.0.0.1").await, Err(OutboundError::Tls));
    assert_eq!(ask(None, "keys.example").await, Err(OutboundError::Tls));
}

#[test]
fn authorities_that_cannot_be_read_are_told_at_the_start() {
    let missing = Policy::production(Vec::new(), Some("/nonexistent/ca.pem".into()));
    assert!(Outbound::new(missing).is_err());
    let empty = std::env::temp_dir().join(format!("keyward_outbound_{}_empty.pem", std::process::id()));
    std::fs::write(&empty, "no certificate").unwrap();
    let outcome = Outbound::new(Policy::production(Vec::new(), Some(empty.clone())));
    std::fs::remove_file(&empty).unwrap();
    assert!(outcome.is_err());
}
