//! A server that other people could have written, on a port of its own; the applications in front
//! of it, in process; and a browser that keeps cookies.

use axum::{
    Json, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base::{Clock, Env, MockClock, SealingKey, Secret, SystemRng, Time};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use jose::{Algorithm, SigningKey, Typ};
use oauth::{Params, pkce::CodeVerifier};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};
use store::{Db, DbUrl, Directory, NewTenant, OpenOptions};
use tokio::net::TcpSocket;
use tower::ServiceExt as _;
use work::mail::Mailbox;

pub(crate) const ISSUER: &str = "https://id.example.com";
pub(crate) const SECRET: &str = "s3cret &=%";
pub(crate) const NOW: i64 = 1_800_000_000;

/// What a test changes in what the server says.
pub(crate) type Bend = fn(&mut Value);

/// The server.
pub(crate) struct Server {
    key: SigningKey,
    /// What the browser was sent to the server with.
    asked: Mutex<Params>,
    /// Changes the claims of the ID token.
    pub(crate) id_token: Mutex<Bend>,
    /// Changes the answer of userinfo.
    pub(crate) userinfo: Mutex<Bend>,
    /// Changes the metadata.
    pub(crate) metadata: Mutex<Bend>,
    /// Method, path, host of every request.
    pub(crate) seen: Mutex<Vec<String>>,
}

impl Server {
    fn new() -> Self {
        let der = SigningKey::generate(Algorithm::Rs256).unwrap();
        let nothing: Bend = |_| ();
        Self {
            key: SigningKey::from_pkcs8(Algorithm::Rs256, None, der.as_ref()).unwrap(),
            asked: Mutex::default(),
            id_token: Mutex::new(nothing),
            userinfo: Mutex::new(nothing),
            metadata: Mutex::new(nothing),
            seen: Mutex::default(),
        }
    }

    async fn listen(self: &Arc<Self>) -> SocketAddr {
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/token", post(token))
            .route("/jwks", get(jwks))
            .route("/userinfo", get(userinfo))
            .layer(axum::middleware::from_fn_with_state(Arc::clone(self), watch))
            .with_state(Arc::clone(self));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        at
    }

    /// What stands in the authorization request at this address.
    pub(crate) fn authorize(&self, location: &str) -> Params {
        let query = location.strip_prefix(&format!("{ISSUER}/authorize?")).expect(location);
        let asked = Params::parse(query.as_bytes()).unwrap();
        *self.asked.lock().unwrap() = asked.clone();
        asked
    }
}

async fn watch(
    State(server): State<Arc<Server>>,
    request: Request,
    next: axum::middleware::Next,
) -> Response {
    let host = request.headers()[header::HOST].to_str().unwrap().to_owned();
    server.seen.lock().unwrap().push(format!("{} {} {host}", request.method(), request.uri()));
    next.run(request).await
}

async fn metadata(State(server): State<Arc<Server>>) -> Json<Value> {
    let at = |path: &str| format!("{ISSUER}{path}");
    let mut metadata = json!({
        "issuer": ISSUER, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"), "jwks_uri": at("/jwks"), "end_session_endpoint": at("/logout"),
    });
    (server.metadata.lock().unwrap())(&mut metadata);
    Json(metadata)
}

async fn jwks(State(server): State<Arc<Server>>) -> Json<Value> {
    Json(json!({ "keys": [server.key.public_jwk()] }))
}

async fn token(State(server): State<Arc<Server>>, headers: HeaderMap, body: String) -> Response {
    let (form, asked) = (Params::parse(body.as_bytes()).unwrap(), server.asked.lock().unwrap().clone());
    let client = asked.first("client_id").unwrap();
    let authenticated = match client {
        "demo" => headers.get(header::AUTHORIZATION).is_some_and(|value| {
            value.to_str().unwrap() == format!("Basic {}", STANDARD.encode("demo:s3cret%20%26%3D%25"))
        }),
        _ => form.first("client_id") == Some(client) && !headers.contains_key(header::AUTHORIZATION),
    };
    let verifier: CodeVerifier = form.first("code_verifier").unwrap().parse().unwrap();
    let challenge: String = verifier.challenge().into();
    let good = authenticated
        && form.first("code") == Some("co_good_0123456789")
        && form.first("grant_type") == Some("authorization_code")
        && form.first("redirect_uri") == asked.first("redirect_uri")
        && asked.first("code_challenge") == Some(&challenge);
    if !good {
        let refusal = json!({ "error": "invalid_grant", "error_description": "the code is spent" });
        return (StatusCode::BAD_REQUEST, Json(refusal)).into_response();
    }
    let mut claims = json!({
        "iss": ISSUER, "aud": client, "sub": "usr_1", "exp": NOW + 600, "iat": NOW,
        "nonce": asked.first("nonce"), "name": "Alice Example",
    });
    (server.id_token.lock().unwrap())(&mut claims);
    let access = server.key.sign(Typ::AccessToken, &json!({ "sub": "usr_1", "scope": "openid" })).unwrap();
    let id_token = server.key.sign(Typ::IdToken, &claims).unwrap();
    Json(json!({ "access_token": access, "token_type": "Bearer", "id_token": id_token })).into_response()
}

async fn userinfo(State(server): State<Arc<Server>>, headers: HeaderMap) -> Response {
    let token = headers[header::AUTHORIZATION].to_str().unwrap();
    assert!(token.starts_with("Bearer ey"));
    let mut answer = json!({ "sub": "usr_1", "email": "alice@example.com" });
    (server.userinfo.lock().unwrap())(&mut answer);
    Json(answer).into_response()
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The applications, in front of the server.
pub(crate) struct Place {
    pub(crate) server: Arc<Server>,
    pub(crate) folder: PathBuf,
    demo: demo::Demo,
    router: Mutex<Router>,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("keyward_demo_{}_{number}", std::process::id()));
        std::fs::create_dir_all(folder.join("mail")).unwrap();
        let db = Db::open(&DbUrl::sqlite(folder.join("keyward.db")), OpenOptions::default()).await.unwrap();
        store::migrate(&db, store::MIGRATIONS).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(MockClock::at(Time::from_seconds(NOW)));
        let directory =
            Directory::new(db, Env::new(clock, Arc::new(SystemRng)), SealingKey::generate(&SystemRng));
        let new = NewTenant {
            slug: "default".into(),
            name: "Example".into(),
            issuer: ISSUER.into(),
            settings: "{}".into(),
        };
        directory.create_tenant(new).await.unwrap();
        let server = Arc::new(Server::new());
        let demo = demo::Demo {
            site: web::Site::new(directory),
            listen: server.listen().await,
            secret: Secret::new(SECRET.to_owned()),
            mailbox: Mailbox::open(folder.join("mail")).unwrap(),
        };
        let router = Mutex::new(mount(&demo));
        Self { server, folder, demo, router }
    }

    /// Forgets what was in memory, and reads the mails that lie in the folder.
    pub(crate) fn restart(&self) {
        let mailbox = Mailbox::open(self.folder.join("mail")).unwrap();
        *self.router.lock().unwrap() = mount(&demo::Demo { mailbox, ..self.demo.clone() });
    }

    /// Talks from now on to a port that is taken, so that nobody listens there.
    pub(crate) fn unplug(&self) -> TcpSocket {
        let taken = TcpSocket::new_v4().unwrap();
        taken.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listen = taken.local_addr().unwrap();
        *self.router.lock().unwrap() = mount(&demo::Demo { listen, ..self.demo.clone() });
        taken
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { place: self, cookies: BTreeMap::new() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn mount(demo: &demo::Demo) -> Router {
    web::tenancy::mount(demo.site.clone(), demo::routes(demo.clone()))
}

/// A browser: keeps cookies, whatever their paths.
#[derive(Clone)]
pub(crate) struct Browser<'a> {
    place: &'a Place,
    pub(crate) cookies: BTreeMap<String, String>,
}

/// What came back.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) text: String,
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Seen {
        self.get_at("id.example.com", path).await
    }

    /// The page as asked for under this host.
    pub(crate) async fn get_at(&mut self, host: &str, path: &str) -> Seen {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = http::Request::get(path)
            .header(header::HOST, host)
            .header(header::ACCEPT, "text/html")
            .header(header::COOKIE, pairs.join("; "))
            .body(axum::body::Body::empty())
            .unwrap();
        let router = self.place.router.lock().unwrap().clone();
        let (head, body) = router.oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        let header = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let set_cookies: Vec<_> = head.headers.get_all(header::SET_COOKIE).iter().map(header).collect();
        for cookie in &set_cookies {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = head.headers.get(header::LOCATION).map(header).unwrap_or_default();
        Seen { status: head.status, location, set_cookies, text }
    }

    /// Begins a sign-in, as far as the server; what it was asked.
    pub(crate) async fn begin(&mut self, path: &str) -> Params {
        let seen = self.get(path).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.text);
        self.place.server.authorize(&seen.location)
    }

    /// Comes back from the server with these parameters and the state and issuer it owes.
    pub(crate) async fn come_back(&mut self, asked: &Params, with: &[(&str, &str)]) -> Seen {
        let path = asked.first("redirect_uri").unwrap().strip_prefix(ISSUER).unwrap();
        let owed = [("state", asked.first("state").unwrap()), ("iss", ISSUER)];
        let query = oauth::params::encode(owed.into_iter().chain(with.iter().copied()));
        self.get(&format!("{path}?{query}")).await
    }

    /// Signs in, and shows the page that follows.
    pub(crate) async fn sign_in(&mut self, home: &str) -> Seen {
        let asked = self.begin(&format!("{home}/login")).await;
        let back = self.come_back(&asked, &[("code", "co_good_0123456789")]).await;
        assert_eq!((back.status, back.location.as_str()), (StatusCode::SEE_OTHER, home), "{}", back.text);
        self.get(home).await
    }
}
