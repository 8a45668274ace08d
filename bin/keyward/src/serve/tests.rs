//! Over real sockets on free ports. Limits are short where a test waits for one, and long where
//! it must not be met.

use super::shutdown::Trigger;
use super::*;
use crate::config::{Config, Sources};
use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::path::PathBuf;
use std::sync::LazyLock;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use work::outbound::{self, Outbound, OutboundError};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(100);

/// A handler that waits until it is let go, and says when it was reached.
#[derive(Clone, Default)]
struct Gate {
    reached: Arc<Notify>,
    go: Arc<Notify>,
}

fn router(gate: &Gate) -> Router {
    let gate = gate.clone();
    let slow = move || async move {
        gate.reached.notify_one();
        gate.go.notified().await;
        "finished"
    };
    let peer = |axum::Extension(peer): axum::Extension<PeerAddr>| async move { peer.0.ip().to_string() };
    Router::new().route("/", get(peer)).route("/slow", get(slow))
}

fn limits() -> Limits {
    Limits {
        connections: 16,
        share: 16,
        handshake: LONG,
        linger: LONG,
        headers: LONG,
        hurried: LONG,
        proxy_headers: LONG,
        stall: LONG,
        drain: LONG,
    }
}

struct Running {
    address: SocketAddr,
    trigger: Trigger,
    gate: Gate,
    ended: JoinHandle<Drained>,
}

fn start(tls: Option<Arc<Certificate>>, limits: Limits) -> Running {
    let options = Options { listen: SocketAddr::from(([127, 0, 0, 1], 0)), tls, proxies: Vec::new(), limits };
    let server = Server::bind(options).unwrap();
    let (trigger, stop) = shutdown();
    let gate = Gate::default();
    let address = server.address();
    let ended = tokio::spawn(server.run(router(&gate), stop));
    Running { address, trigger, gate, ended }
}

/// Certificate and key in files, made once.
static FILES: LazyLock<(TlsFilesOfTest, Vec<u8>)> = LazyLock::new(|| certificate("first"));

struct TlsFilesOfTest {
    certificate: PathBuf,
    key: PathBuf,
}

fn certificate(name: &str) -> (TlsFilesOfTest, Vec<u8>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = std::env::temp_dir().join(format!("keyward-serve-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let files = TlsFilesOfTest {
        certificate: folder.join(format!("{name}.crt")),
        key: folder.join(format!("{name}.key")),
    };
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    (files, made.cert.der().to_vec())
}

fn tls_files(files: &TlsFilesOfTest) -> crate::config::TlsFiles {
    crate::config::TlsFiles { certificate: files.certificate.clone(), key: files.key.clone() }
}

fn tls() -> Option<Arc<Certificate>> {
    Some(Arc::new(Certificate::load(tls_files(&FILES.0)).unwrap()))
}

async fn tls_client(
    address: SocketAddr,
    trusted: &[u8],
    alpn: &[u8],
    version: &'static rustls::SupportedProtocolVersion,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.to_vec().into()).unwrap();
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// Everything up to the end of the connection, which may be a rough one.
async fn rest(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

const CLOSE: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn plain_http1_answers_and_knows_its_peer() {
    let server = start(None, limits());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(CLOSE).await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn tls_offers_http1_under_both_versions() {
    let server = start(tls(), limits());
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let mut stream = tls_client(server.address, &FILES.1, b"http/1.1", version).await.unwrap();
        stream.write_all(CLOSE).await.unwrap();
        assert!(rest(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test]
async fn abuse_48_private_addresses_are_asked_by_exception_only_and_private_authorities_named() {
    let server = start(tls(), limits());
    let url = format!("https://localhost:{}/", server.address.port());
    let ca = FILES.0.certificate.to_str().unwrap();
    let ask = async |allow: &str, ca: &str| {
        let given = [("KEYWARD_OUTBOUND_ALLOW", allow), ("KEYWARD_OUTBOUND_CA_FILE", ca)];
        let environment = given.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let config = Config::load(&Sources { environment, ..Sources::default() }).unwrap();
        let limits = outbound::Limits { total: LONG, connect: LONG, ..outbound::Limits::default() };
        Outbound::new(config.outbound).unwrap().get(&url, limits).await.map(|fetched| fetched.status)
    };
    let port = server.address.port();
    for allowed in ["localhost", &format!("localhost:{port}"), "127.0.0.0/8, ::1"] {
        assert_eq!(ask(allowed, ca).await, Ok(200), "{allowed}");
    }
    for other in ["", "other.internal", "10.0.0.0/8", "localhost:443"] {
        assert_eq!(ask(other, ca).await, Err(OutboundError::Refused), "{other}");
    }
    assert_eq!(ask("localhost", "").await, Err(OutboundError::Tls), "nobody vouches for it");
}

#[tokio::test]
async fn tls_13_with_http2_answers() {
    let server = start(tls(), limits());
    let stream = tls_client(server.address, &FILES.1, b"h2", &rustls::version::TLS13).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    assert_eq!(http2_get(stream, "/").await, "127.0.0.1");
}

async fn http2_get(stream: TlsStream<TcpStream>, path: &str) -> String {
    let (mut client, connection) = h2::client::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    let request = http::Request::get(format!("https://localhost{path}")).body(()).unwrap();
    let (response, _) = client.send_request(request, true).unwrap();
    let mut body = response.await.unwrap().into_body();
    let mut text = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk: Bytes = chunk.unwrap();
        text.extend_from_slice(&chunk);
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn tls_10_and_11_are_not_offered() {
    let server = start(tls(), limits());
    for minor in [1, 2] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(&old_client_hello(minor)).await.unwrap();
        let mut alert = [0; 7];
        stream.read_exact(&mut alert).await.unwrap();
        // A record of type alert; fatal; protocol_version (RFC 8446, 6.2).
        assert_eq!((alert[0], alert[5], alert[6]), (21, 2, 70), "{alert:?}");
    }
}

/// A ClientHello of TLS 1.0 (minor 1) or 1.1 (minor 2): RFC 4346, 7.4.1.2.
fn old_client_hello(minor: u8) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]); // random
    body.push(0); // no session
    body.extend([0, 4, 0xc0, 0x09, 0xc0, 0x0a]); // ECDHE-ECDSA with AES-CBC-SHA
    body.extend([1, 0]); // no compression
    body.extend([0, 16]); // extensions:
    body.extend([0, 10, 0, 4, 0, 2, 0, 23]); // groups: secp256r1
    body.extend([0, 13, 0, 4, 0, 2, 4, 3]); // signatures: or their lack were the reason
    let mut hello =
        vec![22, 3, 1, 0, u8::try_from(body.len() + 4).unwrap(), 1, 0, 0, u8::try_from(body.len()).unwrap()];
    hello.extend(body);
    hello
}

#[tokio::test]
async fn a_certificate_is_replaced_while_serving() {
    let (files, old) = certificate("replaced");
    let in_use = Arc::new(Certificate::load(tls_files(&files)).unwrap());
    let server = start(Some(Arc::clone(&in_use)), limits());
    let (_, new) = certificate("replaced");
    assert!(tls_client(server.address, &old, b"h2", &rustls::version::TLS13).await.is_ok());
    in_use.reload().unwrap();
    assert!(tls_client(server.address, &new, b"h2", &rustls::version::TLS13).await.is_ok());
    assert!(tls_client(server.address, &old, b"h2", &rustls::version::TLS13).await.is_err());
    std::fs::write(&files.key, "rubbish").unwrap();
    assert!(matches!(in_use.reload(), Err(TlsError::File(..))));
    assert!(tls_client(server.address, &new, b"h2", &rustls::version::TLS13).await.is_ok());
}

#[tokio::test]
async fn a_client_that_sends_its_head_slowly_is_cut() {
    let server = start(None, Limits { headers: SHORT, ..limits() });
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost:").await.unwrap();
    assert!(!rest(&mut stream).await.contains("200"));
}

#[tokio::test]
async fn a_client_that_sends_nothing_is_cut_before_and_after_the_handshake() {
    let server = start(tls(), Limits { handshake: SHORT, ..limits() });
    let mut silent = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(rest(&mut silent).await, "");
    let server = start(tls(), Limits { headers: SHORT, linger: SHORT, ..limits() });
    for alpn in [&b"h2"[..], b"http/1.1"] {
        let mut silent = tls_client(server.address, &FILES.1, alpn, &rustls::version::TLS13).await.unwrap();
        rest(&mut silent).await;
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let server = start(None, limits());
    for head in [format!("x: {}\r\n", "x".repeat(70_000)), "x: y\r\n".repeat(101)] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let _ = stream.write_all(format!("GET / HTTP/1.1\r\nhost: x\r\n{head}\r\n").as_bytes()).await;
        let mut first = [0; 12];
        if stream.read_exact(&mut first).await.is_ok() {
            assert_eq!(&first, b"HTTP/1.1 431");
        }
    }
}

#[tokio::test]
async fn connections_beyond_the_cap_wait() {
    let server = start(None, Limits { connections: 1, ..limits() });
    let mut first = TcpStream::connect(server.address).await.unwrap();
    first.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    server.gate.reached.notified().await;
    let mut second = TcpStream::connect(server.address).await.unwrap();
    second.write_all(CLOSE).await.unwrap();
    let mut byte = [0; 1];
    assert!(tokio::time::timeout(SHORT, second.read(&mut byte)).await.is_err(), "served beyond the cap");
    server.gate.go.notify_one();
    assert!(rest(&mut first).await.ends_with("finished"));
    assert!(rest(&mut second).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn one_network_cannot_take_all_connections_and_the_last_ones_are_hurried() {
    let server = start(None, Limits { share: 13, hurried: SHORT, ..limits() });
    let mut open = Vec::new();
    for _ in 0..13 {
        open.push(TcpStream::connect(server.address).await.unwrap());
    }
    let mut beyond = TcpStream::connect(server.address).await.unwrap();
    assert_eq!(rest(&mut beyond).await, "", "beyond its share");
    // The thirteenth took the first of the last quarter.
    assert_eq!(rest(&mut open.pop().unwrap()).await, "");
    let mut next = TcpStream::connect(server.address).await.unwrap();
    next.write_all(CLOSE).await.unwrap();
    assert!(rest(&mut next).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused_and_ends_the_connection() {
    let server = start(None, limits());
    let after = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";
    for request in [
        "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "CONNECT x:1 HTTP/1.1\r\nhost: x:1\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(format!("{request}{after}").as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.matches("HTTP/1.1").count() == 1, "{answer}");
    }
}

#[tokio::test]
async fn stopping_finishes_what_is_under_way_and_takes_nothing_new() {
    let server = start(None, limits());
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    server.gate.reached.notified().await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    idle.read_exact(&mut [0; 12]).await.unwrap();
    server.trigger.stop();
    rest(&mut idle).await; // an idle connection is closed at once
    assert!(TcpStream::connect(server.address).await.is_err(), "still listening");
    server.gate.go.notify_one();
    assert!(rest(&mut stream).await.ends_with("finished"));
    assert_eq!(server.ended.await.unwrap(), Drained::Clean);
}

#[tokio::test]
async fn stopping_finishes_an_http2_stream() {
    let server = start(tls(), limits());
    let stream = tls_client(server.address, &FILES.1, b"h2", &rustls::version::TLS13).await.unwrap();
    let answer = tokio::spawn(http2_get(stream, "/slow"));
    server.gate.reached.notified().await;
    server.trigger.stop();
    server.gate.go.notify_one();
    assert_eq!(answer.await.unwrap(), "finished");
    assert_eq!(server.ended.await.unwrap(), Drained::Clean);
}

#[tokio::test]
async fn stopping_ends_at_the_time_limit() {
    let server = start(None, Limits { drain: SHORT, ..limits() });
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    server.gate.reached.notified().await;
    server.trigger.stop();
    assert_eq!(server.ended.await.unwrap(), Drained::Cut(1));
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test(start_paused = true)]
async fn a_write_that_nobody_takes_fails() {
    let (ours, _theirs) = tokio::io::duplex(8);
    let mut stream = stall::Stall::new(ours, LONG);
    assert!(stream.write_all(b"fits").await.is_ok());
    let error = stream.write_all(b"does not fit").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}
