//! The way from an application to the server behind the browser's back: HTTP/1.1 to the address
//! where it listens, under the name of its issuer.

use crate::{failure::Failure, trace};
use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use tokio::net::TcpStream;
use web::pages::DemoRequest;

const PATIENCE: Duration = Duration::from_secs(10);
const MOST_BYTES: usize = 256 * 1024;

type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// The back channel of one sign-in, with what went over it.
pub(crate) struct BackChannel {
    listen: SocketAddr,
    issuer: String,
    /// Every request so far, in order.
    pub(crate) requests: Vec<DemoRequest>,
}

/// What is sent to an endpoint.
pub(crate) enum Sent<'a> {
    /// A GET, perhaps with an access token (RFC 6750 section 2.1).
    Get(Option<&'a str>),
    /// A POST of a form, perhaps with an `Authorization` header.
    Form(String, Option<String>),
}

/// An answer in full.
pub(crate) struct Answer {
    url: String,
    status: StatusCode,
    body: Bytes,
}

impl BackChannel {
    /// To the server that listens here and calls itself `issuer`.
    pub(crate) fn new(listen: SocketAddr, issuer: &str) -> Self {
        Self { listen: reachable(listen), issuer: issuer.to_owned(), requests: Vec::new() }
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn send(&mut self, url: &str, sent: Sent<'_>) -> Result<Answer, Failure> {
        let uri = self.own(url).ok_or_else(|| Failure::Elsewhere(url.to_owned()))?;
        let unreachable = |why: Trouble| Failure::Unreachable { url: url.to_owned(), why: why.to_string() };
        let request = request(&uri, sent).map_err(|error| unreachable(error.into()))?;
        let method = request.method().clone();
        let exchange = tokio::time::timeout(PATIENCE, exchange(self.listen, request));
        let (status, body) = exchange.await.unwrap_or_else(|late| Err(late.into())).map_err(unreachable)?;
        self.requests.push(trace::request(method.as_str(), url, status.as_u16(), &body));
        Ok(Answer { url: url.to_owned(), status, body })
    }

    /// The address, if it lies at the issuer's origin: nothing else is reached by this way.
    fn own(&self, url: &str) -> Option<Uri> {
        let (uri, issuer) = (url.parse::<Uri>().ok()?, self.issuer.parse::<Uri>().ok()?);
        (uri.scheme() == issuer.scheme() && uri.authority() == issuer.authority()).then_some(uri)
    }
}

impl Answer {
    /// The JSON of a success; the error that the server names (RFC 6749 section 5.2).
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        #[derive(serde::Deserialize)]
        struct Refusal {
            error: String,
            #[serde(default)]
            error_description: String,
        }
        let unreadable = || Failure::Unreadable { url: self.url.clone(), status: self.status.as_u16() };
        if self.status.is_success() {
            return serde_json::from_slice(&self.body).map_err(|_| unreadable());
        }
        let refusal: Refusal = serde_json::from_slice(&self.body).map_err(|_| unreadable())?;
        Err(Failure::refused(&refusal.error, &refusal.error_description))
    }
}

fn request(uri: &Uri, sent: Sent<'_>) -> Result<Request<Full<Bytes>>, http::Error> {
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::builder()
        .uri(path)
        .header(header::HOST, host)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, "keyward-demo");
    match sent {
        Sent::Get(token) => {
            let request = match token {
                Some(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
                None => request,
            };
            request.body(Full::default())
        }
        Sent::Form(form, authorization) => {
            let request = request
                .method(Method::POST)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let request = match authorization {
                Some(value) => request.header(header::AUTHORIZATION, value),
                None => request,
            };
            request.body(Full::from(form))
        }
    }
}

async fn exchange(to: SocketAddr, request: Request<Full<Bytes>>) -> Result<(StatusCode, Bytes), Trouble> {
    let stream = TcpStream::connect(to).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // It ends with the sender; what goes wrong on it, the sender hears.
    tokio::spawn(async move {
        let _closed = connection.await;
    });
    let (head, body) = sender.send_request(request).await?.into_parts();
    let body = Limited::new(body, MOST_BYTES).collect().await?.to_bytes();
    Ok((head.status, body))
}

/// Who listens everywhere is found on this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_origin_of_the_issuer_is_reached() {
        let channel = BackChannel::new(([0, 0, 0, 0], 80).into(), "https://id.example.com/t/x");
        assert_eq!(channel.listen, ([127, 0, 0, 1], 80).into());
        assert!(channel.own("https://id.example.com/token").is_some());
        for foreign in [
            "http://id.example.com/",
            "https://id.example.com:8443/",
            "https://x@id.example.com/",
            "/token",
            "",
        ] {
            assert!(channel.own(foreign).is_none(), "{foreign}");
        }
    }
}
