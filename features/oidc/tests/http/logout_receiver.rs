//! An application's address for logout tokens: a real HTTP server on loopback that keeps what it
//! gets and answers with the statuses that it is told.

use crate::world::{ISSUER, World, claims, part};
use jose::Typ;
use oauth::{Params, logout::LogoutTokenClaims};
use serde_json::{Value, json};
use std::{collections::VecDeque, future::Future};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use work::outbound::{Outbound, Policy};

pub(crate) struct Receiver {
    pub(crate) url: String,
    got: mpsc::UnboundedReceiver<String>,
}

impl Receiver {
    /// Answers with these statuses one after the other, then always with 200.
    pub(crate) async fn new(statuses: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logged-out", listener.local_addr().unwrap());
        let (put, got) = mpsc::unbounded_channel();
        let mut statuses: VecDeque<u16> = statuses.iter().copied().collect();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // One after the other, so that the statuses keep their order.
                let token = exchange(stream, statuses.pop_front().unwrap_or(200)).await;
                if put.send(token).is_err() {
                    return;
                }
            }
        });
        Self { url, got }
    }

    /// The next logout token.
    pub(crate) async fn token(&mut self) -> String {
        self.got.recv().await.unwrap()
    }

    /// The logout token that came already.
    pub(crate) fn arrived(&mut self) -> Option<String> {
        self.got.try_recv().ok()
    }
}

async fn exchange(mut stream: TcpStream, status: u16) -> String {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            break (head.clone(), head.len() + 4 + length.parse::<usize>().unwrap());
        }
    };
    while bytes.len() < length {
        assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0);
    }
    assert!(head.starts_with("post /logged-out http/1.1"), "{head}");
    assert!(head.contains("content-type: application/x-www-form-urlencoded"), "{head}");
    let params = Params::parse(&bytes[head.len() + 4..]).unwrap();
    let answer = format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    let _ = stream.shutdown().await;
    params.first("logout_token").unwrap().to_owned()
}

/// Checks a logout token as an application does; gives its claims.
pub(crate) async fn checked(world: &World, token: &str, client: &str) -> Value {
    let tenant = world.site.directory().tenant(world.tenant.id).await.unwrap().unwrap();
    let verified = jose::verify(token, tenant.verifying_keys(), Typ::LogoutToken).unwrap();
    let verified: LogoutTokenClaims = verified.claims().unwrap();
    let header = part(token, 0);
    assert_eq!((&header["typ"], &header["alg"]), (&json!("logout+jwt"), &json!("RS256")));
    let all = claims(token);
    assert_eq!((verified.iss.as_str(), verified.aud.as_str()), (ISSUER, client));
    assert_eq!((verified.iat, verified.exp), (world.now().seconds(), world.now().seconds() + 120));
    assert_eq!(all["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
    assert!(all.get("nonce").is_none() && !verified.jti.is_empty());
    all
}

/// What runs in the background while a test does something.
pub(crate) struct Background {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Background {
    pub(crate) fn start(world: &World) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (site, outbound) = (world.site.clone(), Outbound::new(Policy::dev()).unwrap());
        let stopped: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async {
            let _ = stopped.await;
        });
        Self { stop, task: tokio::spawn(oidc::notices(site, outbound, stopped)) }
    }

    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}
