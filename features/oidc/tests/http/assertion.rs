//! Clients that authenticate by a JWT, at every endpoint that authenticates clients.

use crate::{
    introspect::{introspect, shop},
    world::{Answer, ISSUER, SECRET, World, basic, on_each},
};
use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jose::{Algorithm, HmacKey, JwkSet, SigningKey, Typ};
use oauth::{AuthMethod, Client, assertion::TYPE, client::GrantType};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const STRONG: &str = "a-secret-of-more-than-thirty-two-characters";

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::from_pkcs8(algorithm, None, SigningKey::generate(algorithm).unwrap().as_ref()).unwrap()
}

fn set(keys: &[&SigningKey]) -> JwkSet {
    keys.iter().map(|key| key.public_jwk().clone()).collect()
}

fn machine(id: &str, method: AuthMethod) -> Client {
    Client {
        token_endpoint_auth_method: Some(method),
        grant_types: [GrantType::ClientCredentials].into(),
        redirect_uris: Vec::new(),
        scopes: Some("orders.read".parse().unwrap()),
        ..shop(id)
    }
}

fn made(world: &World, client: &str, jti: &str) -> Value {
    let now = world.now().seconds();
    json!({ "iss": client, "sub": client, "aud": ISSUER, "iat": now, "exp": now + 60, "jti": jti })
}

async fn present(world: &World, assertion: &str) -> Answer {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    world.post("/token", &[], &fields).await
}

async fn refused(world: &World, assertion: &str, why: &str) {
    let answer = present(world, assertion).await;
    let expected = (StatusCode::UNAUTHORIZED, "invalid_client".to_owned());
    assert_eq!((answer.status, answer.error()), expected, "{why}: {}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_42_an_assertion_works_once_wherever_it_is_shown() {
    on_each(async |world| {
        let key = key(Algorithm::Es256);
        let client = Client { jwks: Some(set(&[&key])), ..machine("signer", AuthMethod::PrivateKeyJwt) };
        world.application(&client, None).await;
        for (number, audience) in
            [json!(ISSUER), json!(format!("{ISSUER}/token")), json!([ISSUER])].into_iter().enumerate()
        {
            let mut claims = made(world, "signer", &format!("jti-{number}"));
            claims["aud"] = audience;
            let assertion = key.sign(Typ::ClientAssertion, &claims).unwrap();
            assert_eq!(present(world, &assertion).await.status, StatusCode::OK);
            refused(world, &assertion, "again").await;
            let fields = [("token", "x"), ("client_assertion_type", TYPE), ("client_assertion", &assertion)];
            for path in ["/revoke", "/introspect"] {
                assert_eq!(world.post(path, &[], &fields).await.error(), "invalid_client", "{path}");
            }
            world.pass(59);
            refused(world, &assertion, "again and late").await;
        }
        let assertion = key.sign(Typ::ClientAssertion, &made(world, "signer", "race")).unwrap();
        let races = (0..8).map(|_| present(world, &assertion));
        let mut won = 0;
        for answer in futures(races).await {
            won += usize::from(answer.status == StatusCode::OK);
        }
        assert_eq!(won, 1, "of eight at once one wins");
        let fresh = key.sign(Typ::ClientAssertion, &made(world, "signer", "other")).unwrap();
        let fields = [("token", "x"), ("client_assertion_type", TYPE), ("client_assertion", &fresh)];
        assert_eq!(world.post("/introspect", &[], &fields).await.json(), json!({ "active": false }));
    })
    .await;
}

/// Runs them at once.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut done: Vec<Option<T>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, slot) in all.iter_mut().zip(&mut done) {
            if slot.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *slot = Some(value);
            }
        }
        if done.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_40_no_other_algorithm_or_key_passes() {
    on_each(async |world| {
        let (own, foreign) = (key(Algorithm::Es256), key(Algorithm::Es256));
        let client = Client { jwks: Some(set(&[&own])), ..machine("signer", AuthMethod::PrivateKeyJwt) };
        world.application(&client, Some(STRONG)).await;
        let claims = made(world, "signer", "jti");
        let foreign = foreign.sign(Typ::ClientAssertion, &claims).unwrap();
        refused(world, &foreign, "a key of somebody else").await;
        // HS256 with the public key as the secret, and with the secret that is stored.
        let public = serde_json::to_vec(own.public_jwk()).unwrap();
        for secret in [public.as_slice(), STRONG.as_bytes()] {
            let forged = HmacKey::new(secret).unwrap().sign(Typ::ClientAssertion, &claims).unwrap();
            refused(world, &forged, "HS256").await;
        }
        let good = own.sign(Typ::ClientAssertion, &claims).unwrap();
        let parts: Vec<&str> = good.split('.').collect();
        for header in [
            json!({ "alg": "none" }),
            json!({ "alg": "RS256", "kid": own.kid() }),
            json!({ "alg": "ES256", "jwk": own.public_jwk() }),
            json!({ "alg": "ES256", "kid": own.kid(), "crit": ["exp"] }),
        ] {
            let header = URL_SAFE_NO_PAD.encode(header.to_string());
            refused(world, &format!("{header}.{}.{}", parts[1], parts[2]), "another header").await;
            refused(world, &format!("{header}.{}.", parts[1]), "no signature").await;
        }
        let access = own.sign(Typ::AccessToken, &claims).unwrap();
        refused(world, &access, "another type").await;
        assert_eq!(present(world, &good).await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_41_a_method_that_is_not_registered_is_none_and_two_are_too_many() {
    on_each(async |world| {
        let key = key(Algorithm::Es256);
        let client = Client { jwks: Some(set(&[&key])), ..machine("signer", AuthMethod::PrivateKeyJwt) };
        world.application(&client, Some(STRONG)).await;
        let grant = ("grant_type", "client_credentials");
        let by_secret = world.post("/token", &[("authorization", &basic("signer", STRONG))], &[grant]).await;
        assert_eq!(by_secret.error(), "invalid_client");
        let body = [grant, ("client_id", "signer"), ("client_secret", STRONG)];
        assert_eq!(world.post("/token", &[], &body).await.error(), "invalid_client");
        assert_eq!(
            world.post("/token", &[], &[grant, ("client_id", "signer")]).await.error(),
            "invalid_client"
        );
        let assertion = key.sign(Typ::ClientAssertion, &made(world, "signer", "a")).unwrap();
        let both = [
            grant,
            ("client_id", "signer"),
            ("client_secret", STRONG),
            ("client_assertion_type", TYPE),
            ("client_assertion", &assertion),
        ];
        assert_eq!(world.post("/token", &[], &both).await.error(), "invalid_request");
        // A client with a secret is not let in by an assertion, whoever signed it.
        let robot = key.sign(Typ::ClientAssertion, &made(world, "robot", "b")).unwrap();
        refused(world, &robot, "not registered for it").await;
        refused(world, "dummy", "no JWT").await;
        assert_eq!(introspect(world, "signer", "x").await.error(), "invalid_client");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_43_the_claims_of_an_assertion_are_for_here_and_now() {
    on_each(async |world| {
        let key = key(Algorithm::Es256);
        let client = Client { jwks: Some(set(&[&key])), ..machine("signer", AuthMethod::PrivateKeyJwt) };
        world.application(&client, None).await;
        let now = world.now().seconds();
        for (name, value) in [
            ("aud", Value::Null),
            ("aud", json!("https://other.example")),
            ("aud", json!([ISSUER, "https://other.example"])),
            ("exp", Value::Null),
            ("exp", json!(now - 61)),
            ("exp", json!(now + 86_400)),
            ("nbf", json!(now + 120)),
            ("iat", json!(now + 120)),
            ("iat", json!(now - 86_400)),
            ("jti", Value::Null),
            ("jti", json!("")),
            ("sub", json!("robot")),
            ("iss", json!("robot")),
        ] {
            let mut claims = made(world, "signer", "jti");
            claims[name] = value.clone();
            claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            let assertion = key.sign(Typ::ClientAssertion, &claims).unwrap();
            refused(world, &assertion, &format!("{name} {value}")).await;
        }
        let good = key.sign(Typ::ClientAssertion, &made(world, "signer", "jti")).unwrap();
        assert_eq!(present(world, &good).await.status, StatusCode::OK, "nothing refused was used up");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_sealed_where_assertions_are_made_with_it_and_nowhere_else() {
    on_each(async |world| {
        let id = world.application(&machine("jwt", AuthMethod::ClientSecretJwt), Some(STRONG)).await;
        let secrets = store::rows::application::secrets(&world.db, world.tenant.id, id).await.unwrap();
        let sealed = secrets[0].sealed.clone().unwrap();
        assert!(!sealed.windows(STRONG.len()).any(|window| window == STRONG.as_bytes()));
        let robot = store::rows::application::by_client_id(&world.db, world.tenant.id, "robot").await;
        let robot = robot.unwrap().unwrap().id;
        let others = store::rows::application::secrets(&world.db, world.tenant.id, robot).await.unwrap();
        assert!(others.iter().all(|secret| secret.sealed.is_none()));
        let sign = |secret: &str, jti: &str| {
            let key = HmacKey::new(secret.as_bytes()).unwrap();
            key.sign(Typ::ClientAssertion, &made(world, "jwt", jti)).unwrap()
        };
        let good = sign(STRONG, "a");
        assert_eq!(present(world, &good).await.status, StatusCode::OK);
        refused(world, &good, "again").await;
        refused(world, &sign("another-secret-of-more-than-thirty-two", "b"), "another secret").await;
        let robot = HmacKey::new(STRONG.as_bytes()).unwrap();
        let robot = robot.sign(Typ::ClientAssertion, &made(world, "robot", "c")).unwrap();
        refused(world, &robot, "not registered for it").await;
        let grant = [("grant_type", "client_credentials")];
        let plain = world.post("/token", &[("authorization", &basic("jwt", STRONG))], &grant).await;
        assert_eq!(plain.error(), "invalid_client", "the secret itself is never sent");
        assert_ne!(SECRET, STRONG);
    })
    .await;
}

/// A host that gives out whatever it is told to.
pub(crate) struct Host {
    pub(crate) url: String,
    document: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Host {
    pub(crate) async fn new(document: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/document", listener.local_addr().unwrap());
        let host = Self { url, document: Arc::new(Mutex::new(document.to_owned())), asked: Arc::default() };
        let (document, asked) = (Arc::clone(&host.document), Arc::clone(&host.asked));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = Vec::new();
                while !bytes.ends_with(b"\r\n\r\n") {
                    assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
                }
                asked.fetch_add(1, Ordering::Relaxed);
                let body = document.lock().unwrap().clone();
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
                stream.write_all(answer.as_bytes()).await.unwrap();
                let _ = stream.shutdown().await;
            }
        });
        host
    }

    fn gives(&self, document: &str) {
        document.clone_into(&mut self.document.lock().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn abuse_48_rotated_keys_are_fetched_once_in_a_while() {
    on_each(async |world| {
        let (old, new) = (key(Algorithm::Es256), key(Algorithm::Ps256));
        let host = Host::new(&serde_json::to_string(&set(&[&old])).unwrap()).await;
        let client = Client {
            jwks_uri: Some(host.url.parse().unwrap()),
            ..machine("remote", AuthMethod::PrivateKeyJwt)
        };
        world.application(&client, None).await;
        let sign = |key: &SigningKey, jti: &str| {
            key.sign(Typ::ClientAssertion, &made(world, "remote", jti)).unwrap()
        };
        assert_eq!(present(world, &sign(&old, "a")).await.status, StatusCode::OK);
        assert_eq!(present(world, &sign(&old, "b")).await.status, StatusCode::OK);
        for number in 0..5 {
            refused(world, &sign(&new, &format!("unknown-{number}")), "unknown").await;
        }
        assert_eq!(host.asked.load(Ordering::Relaxed), 1, "unknown keys do not make us ask again and again");
        host.gives(&serde_json::to_string(&set(&[&new])).unwrap());
        world.pass(10);
        assert_eq!(present(world, &sign(&new, "c")).await.status, StatusCode::OK);
        refused(world, &sign(&old, "d"), "the key that is gone").await;
        assert_eq!(host.asked.load(Ordering::Relaxed), 2);
        host.gives("no keys at all");
        world.pass(3600);
        refused(world, &sign(&new, "e"), "no key set").await;
    })
    .await;
}
