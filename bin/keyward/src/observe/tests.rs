use super::log::subscriber;
use super::*;
use crate::serve::{Answers, PeerAddr, shutdown};
use axum::body::Body;
use axum::response::Response;
use axum::routing::post;
use axum::{Extension, Form};
use base::net::ClientAddr;
use base::{Env, RequestId, Secret};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use std::collections::HashMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// The log of one test.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Captured {
    /// Collects what this thread logs until the guard is dropped.
    fn collect(&self, level: tracing::Level, json: bool) -> tracing::subscriber::DefaultGuard {
        Attentive::listen();
        tracing::subscriber::set_default(subscriber(level, json, self.clone(), None))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Listens where no test collects. Without it, a place that logs for the first time while nobody
/// listens may be remembered as one that nobody ever will listen to.
struct Attentive;

impl Attentive {
    fn listen() {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| drop(tracing::subscriber::set_global_default(Self)));
    }
}

impl tracing::Subscriber for Attentive {
    fn register_callsite(&self, _: &tracing::Metadata<'_>) -> tracing::subscriber::Interest {
        tracing::subscriber::Interest::sometimes()
    }
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        false
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

fn edge(change: impl FnOnce(&mut EdgeOptions)) -> (EdgeOptions, Arc<Metrics>) {
    Attentive::listen();
    let metrics = Arc::new(Metrics::new());
    let mut options = EdgeOptions::new(Env::system(), Arc::clone(&metrics));
    options.proxies = vec!["10.0.0.0/8".parse().unwrap()];
    change(&mut options);
    (options, metrics)
}

fn app(edge: EdgeOptions) -> Edge<Router> {
    let client = |Extension(client): Extension<ClientAddr>, Extension(id): Extension<RequestId>| async move {
        format!("{client} {}", id.0)
    };
    let form = |Form(form): Form<HashMap<String, String>>| async move { form.len().to_string() };
    let panicking = || async {
        if true {
            panic!("canary-in-a-panic {}", 1)
        }
    };
    let inner = || async {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(TenantLabel("shop".into()));
        response.headers_mut().insert("referrer-policy", "origin".parse().unwrap());
        response
    };
    let framed = || async { [("content-security-policy", "default-src 'none'; frame-ancestors *")] };
    let router = Router::new()
        .route("/client", get(client))
        .route("/recover/{code}", get(client))
        .route("/form", post(form))
        .route("/panic", get(panicking))
        .route("/tenant", get(inner))
        .route("/framed", get(framed))
        .route("/never", get(std::future::pending::<()>).post(std::future::pending::<()>));
    Edge::new(edge, router.layer(RouteName))
}

fn from(peer: &str, request: http::request::Builder) -> http::request::Builder {
    request.extension(PeerAddr(SocketAddr::new(peer.parse().unwrap(), 4711)))
}

async fn send(app: &impl Answers, request: Request<Body>) -> Response {
    app.answer(request).await
}

async fn text(response: Response) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn every_answer_has_a_request_id_and_the_safe_headers() {
    let app = app(edge(|options| options.https = true).0);
    for (path, status) in [("/client", 200), ("/nowhere", 404)] {
        let response = send(&app, from("192.0.2.1", Request::get(path)).body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), status);
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("x-request-id").unwrap().len(), 32);
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
        assert_eq!(header("referrer-policy").as_deref(), Some("same-origin"));
        assert_eq!(header("x-frame-options").as_deref(), Some("DENY"));
        assert_eq!(header("strict-transport-security").as_deref(), Some("max-age=31536000"));
    }
    let response = send(&app, from("192.0.2.1", Request::get("/tenant")).body(Body::empty()).unwrap()).await;
    assert_eq!(response.headers()["referrer-policy"], "origin", "a page may choose its own");
}

#[tokio::test]
async fn a_page_that_anybody_may_frame_is_not_said_to_be_framed_by_nobody() {
    let framed = from("192.0.2.1", Request::get("/framed")).body(Body::empty()).unwrap();
    let response = send(&app(edge(|_| ()).0), framed).await;
    assert!(!response.headers().contains_key("x-frame-options"));
}

#[tokio::test]
async fn http_issuers_do_not_insist_on_https() {
    let response =
        send(&app(edge(|_| ()).0), from("192.0.2.1", Request::get("/client")).body(Body::empty()).unwrap())
            .await;
    assert!(!response.headers().contains_key("strict-transport-security"));
}

#[tokio::test]
async fn a_request_id_is_taken_from_a_trusted_proxy_only() {
    let app = app(edge(|_| ()).0);
    let id = async |peer: &str, given: &str| {
        let request =
            from(peer, Request::get("/client")).header("x-request-id", given).body(Body::empty()).unwrap();
        let response = send(&app, request).await;
        let header = response.headers()["x-request-id"].to_str().unwrap().to_owned();
        assert!(text(response).await.ends_with(&header), "features see the same id");
        header
    };
    assert_eq!(id("10.0.0.1", "trace-12345678").await, "trace-12345678");
    assert_ne!(id("192.0.2.1", "trace-12345678").await, "trace-12345678");
    for bad in ["short", "<script>alert</script>", "with space 12", &"x".repeat(65)] {
        assert_ne!(id("10.0.0.1", bad).await, bad);
    }
}

#[tokio::test]
async fn the_client_is_found_behind_trusted_proxies_only() {
    let app = app(edge(|_| ()).0);
    for (peer, expected) in [("10.0.0.1", "198.51.100.7 "), ("192.0.2.1", "192.0.2.1 ")] {
        let request = from(peer, Request::get("/client"))
            .header("x-forwarded-for", "198.51.100.7")
            .body(Body::empty())
            .unwrap();
        let body = text(send(&app, request).await).await;
        assert!(body.starts_with(expected), "{body}");
    }
}

#[tokio::test]
async fn abuse_18_a_malformed_forwarded_for_fails_closed() {
    let app = app(edge(|_| ()).0);
    let request = from("10.0.0.1", Request::get("/client"))
        .header("x-forwarded-for", "canary")
        .header("accept", "text/html")
        .body(Body::empty())
        .unwrap();
    let response = send(&app, request).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let body = text(response).await;
    assert!(body.contains("id=\"error\"") && !body.contains("canary"), "{body}");
}

#[tokio::test]
async fn a_large_body_is_refused_announced_or_not() {
    let app = app(edge(|options| options.most_body = 100).0);
    let form = |bytes: usize| format!("a={}", "x".repeat(bytes));
    let request = |body: String, announced: bool| {
        let request = from("192.0.2.1", Request::post("/form"))
            .header("content-type", "application/x-www-form-urlencoded");
        let request = if announced { request.header("content-length", body.len()) } else { request };
        request.body(streamed(body)).unwrap()
    };
    assert_eq!(send(&app, request(form(50), true)).await.status(), StatusCode::OK);
    assert_eq!(send(&app, request(form(200), true)).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(send(&app, request(form(200), false)).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_large_body_for_the_admin_api_is_a_problem_whatever_the_client_accepts() {
    let app = app(edge(|options| (options.most_body, options.most_api_body) = (100, 150)).0);
    let fits = from("192.0.2.1", Request::post("/api/v1/users")).header("content-length", 120);
    let response = send(&app, fits.body(streamed("x".repeat(120))).unwrap()).await;
    assert_ne!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for (path, is_problem) in [("/api/v1/users", true), ("/t/acme/api/v1/users", true), ("/form", false)] {
        let request = from("192.0.2.1", Request::post(path))
            .header("accept", "text/html")
            .header("content-length", 200);
        let response = send(&app, request.body(streamed("x".repeat(200))).unwrap()).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind == "application/problem+json", is_problem, "{path}");
        let leads_to = "\"type\":\"/api/v1/problems/too-large\"";
        assert_eq!(text(response).await.contains(leads_to), is_problem, "{path}");
    }
}

#[tokio::test]
async fn who_asks_for_no_page_hears_of_a_large_body_in_the_words_of_oauth() {
    let app = app(edge(|options| options.most_body = 100).0);
    for accept in ["*/*", "application/json", "application/json, text/html"] {
        let request =
            from("192.0.2.1", Request::post("/form")).header("accept", accept).header("content-length", 200);
        let response = send(&app, request.body(streamed("x".repeat(200))).unwrap()).await;
        let body: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(
            (body["error"].as_str(), body["code"].as_str()),
            (Some("invalid_request"), Some("too_large"))
        );
    }
}

/// A body whose length nobody knows beforehand.
fn streamed(text: String) -> Body {
    Body::new(Body::from(text).map_frame(|frame| frame))
}

#[tokio::test]
async fn a_panic_is_a_clean_500_in_the_form_asked_for() {
    let app = app(edge(|_| ()).0);
    let request = |accept: &str| {
        from("192.0.2.1", Request::get("/panic")).header("accept", accept).body(Body::empty()).unwrap()
    };
    let page = send(&app, request("text/html")).await;
    assert_eq!(page.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let id = page.headers()["x-request-id"].to_str().unwrap().to_owned();
    let body = text(page).await;
    assert!(body.contains("id=\"error\"") && body.contains(&id) && !body.contains("canary"), "{body}");
    let json = send(&app, request("application/json")).await;
    assert_eq!(json.headers()["content-type"], "application/problem+json");
    let body: serde_json::Value = serde_json::from_str(&text(json).await).unwrap();
    assert_eq!((body["status"].as_u64(), body["code"].as_str()), (Some(500), Some("internal")));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_takes_too_long_is_503() {
    let app = app(edge(|options| options.time = Duration::from_secs(30)).0);
    let response = send(&app, from("192.0.2.1", Request::get("/never")).body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
}

/// A body that comes after this time.
struct After(Option<Pin<Box<tokio::time::Sleep>>>);

impl hyper::body::Body for After {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<hyper::body::Frame<Bytes>>>> {
        let Some(timer) = &mut self.0 else { return Poll::Ready(None) };
        ready!(timer.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(Some(Ok(hyper::body::Frame::data(Bytes::from_static(b"a=b")))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_too_slowly_is_408_and_the_last_of_its_connection() {
    let app = app(edge(|_| ()).0);
    let post = |path: &str, version, seconds| {
        from("192.0.2.1", Request::post(path))
            .version(version)
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::new(After(Some(Box::pin(tokio::time::sleep(Duration::from_secs(seconds)))))))
            .unwrap()
    };
    let late = send(&app, post("/form", http::Version::HTTP_11, 21)).await;
    assert_eq!(late.status(), StatusCode::REQUEST_TIMEOUT);
    assert_eq!(late.headers()["connection"], "close");
    assert!(!late.headers().contains_key("retry-after"));
    assert!(text(late).await.contains("id=\"error\""));
    let late = send(&app, post("/form", http::Version::HTTP_2, 21)).await;
    assert_eq!(late.status(), StatusCode::REQUEST_TIMEOUT);
    assert!(!late.headers().contains_key("connection"), "HTTP/2 has no such header");
    let in_time = send(&app, post("/form", http::Version::HTTP_11, 19)).await;
    assert_eq!(in_time.status(), StatusCode::OK);
    let unread = send(&app, post("/never", http::Version::HTTP_11, 60)).await;
    assert_eq!(unread.status(), StatusCode::SERVICE_UNAVAILABLE, "who answers too late is to blame");
}

#[tokio::test]
async fn one_line_a_request_and_never_a_secret_in_it() {
    for json in [true, false] {
        let log = Captured::default();
        let _logging = log.collect(tracing::Level::DEBUG, json);
        let app = app(edge(|_| ()).0);
        let request = from(
            "2001:db8:1:2:3:4:5:6",
            Request::get("/recover/canary-in-path?code=canary-in-query&state=canary"),
        )
        .header("authorization", "Bearer canary")
        .header("cookie", "kws=canary")
        .header("x-forwarded-for", "canary")
        .header("user-agent", "canary");
        send(&app, request.body(Body::empty()).unwrap()).await;
        let form = from("10.0.0.1", Request::post("/form"))
            .header("content-type", "application/x-www-form-urlencoded");
        send(&app, form.body(Body::from("password=canary")).unwrap()).await;
        send(
            &app,
            from("10.0.0.1", Request::get("/canary?canary"))
                .header("x-forwarded-for", "canary")
                .body(Body::empty())
                .unwrap(),
        )
        .await;
        send(&app, Request::builder().method("CANARY").uri("/client").body(Body::empty()).unwrap()).await;
        send(&app, from("192.0.2.1", Request::get("/panic")).body(Body::empty()).unwrap()).await;
        let text = log.text();
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(!text.to_lowercase().contains("canary"), "{text}");
        assert!(text.contains("/recover/{code}") && text.contains("2001:db8:1:2::/64"), "{text}");
    }
}

#[tokio::test]
async fn the_line_is_json_with_the_agreed_names() {
    let log = Captured::default();
    let _logging = log.collect(tracing::Level::INFO, true);
    send(&app(edge(|_| ()).0), from("192.0.2.1", Request::get("/tenant")).body(Body::empty()).unwrap()).await;
    let line: serde_json::Value = serde_json::from_str(log.text().trim()).unwrap();
    assert_eq!(line["tenant"], "shop");
    assert_eq!(
        (&line["method"], &line["route"], &line["status"], &line["network"]),
        (&"GET".into(), &"/tenant".into(), &200.into(), &"192.0.2.1".into())
    );
    assert!(line["request_id"].is_string() && line["micros"].is_u64() && line["timestamp"].is_string());
}

#[test]
fn whoever_only_came_in_a_crowd_is_no_line_of_the_log() {
    let log = Captured::default();
    let _logging = log.collect(tracing::Level::INFO, true);
    let id = RequestId("canary".to_owned());
    for (kind, code) in [(base::Kind::Unavailable, "error-busy"), (base::Kind::TooMany, "error-too-many")] {
        web::error::log(&base::Error::new(kind, code, "Later."), &id);
    }
    assert_eq!(log.text(), "");
    web::error::log(&base::Error::unavailable("the store is away"), &id);
    assert!(log.text().contains("the store is away"), "{}", log.text());
}

#[tokio::test]
async fn libraries_do_not_log_below_warn() {
    let log = Captured::default();
    let _logging = log.collect(tracing::Level::DEBUG, true);
    tracing::debug!(target: "h2::codec", "canary");
    tracing::info!(target: "tokio_postgres", "canary");
    tracing::warn!(target: "rustls", "seen");
    tracing::debug!(target: "keyward::serve", "ours");
    let text = log.text();
    assert!(!text.contains("canary") && text.contains("seen") && text.contains("ours"), "{text}");
}

#[tokio::test]
async fn a_client_that_leaves_is_logged_as_gone() {
    let log = Captured::default();
    let _logging = log.collect(tracing::Level::INFO, true);
    let (edge, metrics) = edge(|_| ());
    let app = app(edge);
    let mut request =
        Box::pin(app.answer(from("192.0.2.1", Request::get("/never")).body(Body::empty()).unwrap()));
    assert!(poll_once(&mut request).await.is_none());
    assert!(metrics.text().contains("keyward_http_requests_in_flight 1"), "{}", metrics.text());
    drop(request);
    assert!(log.text().contains("\"status\":499"), "{}", log.text());
    assert!(metrics.text().contains("keyward_http_requests_in_flight 0"));
}

/// Polls once.
async fn poll_once<F: Future>(future: &mut std::pin::Pin<Box<F>>) -> Option<F::Output> {
    std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
        std::task::Poll::Ready(output) => std::task::Poll::Ready(Some(output)),
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

#[tokio::test]
async fn ready_says_what_is_missing_and_live_does_not_care() {
    let (trigger, stop) = shutdown();
    let broken = Arc::new(AtomicU64::new(1));
    let database = Arc::clone(&broken);
    let readiness = Readiness::new(stop).with("database", move || {
        let broken = database.load(Ordering::Relaxed) == 1;
        async move { if broken { Err("no connection".to_owned()) } else { Ok(()) } }
    });
    let app = routes(Arc::new(readiness), Arc::new(Metrics::new()), Access::Open);
    let ready = async || {
        let response = send(&app, Request::get("/health/ready").body(Body::empty()).unwrap()).await;
        (response.status().as_u16(), text(response).await)
    };
    assert_eq!(
        ready().await,
        (503, r#"{"ready":false,"reasons":[{"part":"database","reason":"no connection"}]}"#.to_owned())
    );
    broken.store(0, Ordering::Relaxed);
    assert_eq!(ready().await, (200, r#"{"ready":true}"#.to_owned()));
    trigger.stop();
    assert_eq!(
        ready().await,
        (503, r#"{"ready":false,"reasons":[{"part":"server","reason":"stopping"}]}"#.to_owned())
    );
    assert_eq!(send(&app, Request::get("/health/live").body(Body::empty()).unwrap()).await.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_hangs_is_a_reason() {
    let readiness = Readiness::new(shutdown().1).with("database", std::future::pending);
    let app = routes(Arc::new(readiness), Arc::new(Metrics::new()), Access::Open);
    let response = send(&app, Request::get("/health/ready").body(Body::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_what_others_add() {
    let (edge, metrics) = edge(|_| ());
    let app = app(edge);
    for path in ["/recover/canary", "/recover/other", "/canary"] {
        send(&app, from("192.0.2.1", Request::get(path)).body(Body::empty()).unwrap()).await;
    }
    let commits = Arc::new(AtomicU64::new(7));
    let read = Arc::clone(&commits);
    metrics.counter("db_commits", "Commits").value(move || read.load(Ordering::Relaxed));
    metrics
        .counter("sign_ins", "Sign-ins")
        .labelled(&[("outcome", "done")], || 3)
        .labelled(&[("outcome", "refused")], || 4);
    metrics.gauge("mail_queue", "Mails waiting").value(|| 2);
    let text = metrics.text();
    for line in [
        "keyward_http_requests_total{route=\"/recover/{code}\",class=\"2xx\"} 2",
        "keyward_http_requests_total{route=\"none\",class=\"4xx\"} 1",
        "keyward_http_request_duration_seconds_count{route=\"/recover/{code}\"} 2",
        "keyward_db_commits_total 7",
        "keyward_sign_ins_total{outcome=\"done\"} 3",
        "keyward_sign_ins_total{outcome=\"refused\"} 4",
        "keyward_mail_queue 2",
        "keyward_build_info{version=",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert!(!text.contains("canary"));
    assert_eq!(text.matches("# TYPE keyward_sign_ins ").count(), 1);
}

#[tokio::test]
async fn metrics_are_not_for_everybody() {
    let read = async |access: Access, peer: &str, header: (&'static str, &str)| {
        let app = metrics_routes(Arc::new(Metrics::new()), access);
        send(
            &app,
            from(peer, Request::get("/metrics")).header(header.0, header.1).body(Body::empty()).unwrap(),
        )
        .await
        .status()
        .as_u16()
    };
    let token = || Access::Token(Secret::new("t0ken".to_owned()));
    assert_eq!(read(token(), "192.0.2.1", ("authorization", "Bearer t0ken")).await, 200);
    assert_eq!(read(token(), "192.0.2.1", ("authorization", "bearer t0ken")).await, 200);
    assert_eq!(read(token(), "192.0.2.1", ("authorization", "BEARER  t0ken")).await, 200);
    assert_eq!(read(token(), "127.0.0.1", ("authorization", "Bearer t0kem")).await, 401);
    assert_eq!(read(token(), "127.0.0.1", ("authorization", "Basic t0ken")).await, 401);
    assert_eq!(read(token(), "127.0.0.1", ("authorization", "t0ken")).await, 401);
    assert_eq!(read(token(), "127.0.0.1", ("x", "y")).await, 401);
    let here =
        |proxies: &[&str]| Access::ThisMachine(proxies.iter().map(|text| text.parse().unwrap()).collect());
    assert_eq!(read(here(&[]), "127.0.0.1", ("x", "y")).await, 200);
    assert_eq!(read(here(&[]), "192.0.2.1", ("x", "y")).await, 401);
    assert_eq!(read(here(&[]), "127.0.0.1", ("x-forwarded-for", "127.0.0.1")).await, 401);
    assert_eq!(read(here(&["127.0.0.1"]), "127.0.0.1", ("x", "y")).await, 401);
}
