//! One request and its answer on one connection (RFC 9112), read no further than the limits.

use super::{Fetched, OutboundError};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::{HeaderMap, Request, Response, body::Body, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::JoinSet,
};

const MOST_HEADERS: usize = 64;
const LONGEST_HEAD: usize = 16 * 1024;

/// Sends the request and reads the answer. The connection ends with it, or when it is dropped.
pub(super) async fn talk<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    longest: usize,
) -> Result<Fetched, OutboundError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(MOST_HEADERS)
        .max_buf_size(LONGEST_HEAD)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(failure)?;
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let answer = sender.send_request(request).await.map_err(failure)?;
    read(answer, longest).await
}

async fn read(answer: Response<Incoming>, longest: usize) -> Result<Fetched, OutboundError> {
    let status = answer.status();
    if status.is_redirection() {
        return Err(OutboundError::Redirect);
    }
    let headers = answer.headers();
    if status.is_informational() || headers.contains_key(header::CONTENT_ENCODING) {
        return Err(OutboundError::Malformed);
    }
    let content_type = text(headers, header::CONTENT_TYPE).map(str::to_owned);
    let max_age = max_age(headers);
    let body = body(answer.into_body(), longest).await?;
    Ok(Fetched { status: status.as_u16(), content_type, body, max_age })
}

async fn body(mut incoming: Incoming, longest: usize) -> Result<Bytes, OutboundError> {
    let announced = usize::try_from(incoming.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > longest {
        return Err(OutboundError::TooLarge);
    }
    let mut body = BytesMut::with_capacity(announced);
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(failure)?.into_data() else { continue };
        if body.len() + data.len() > longest {
            return Err(OutboundError::TooLarge);
        }
        body.extend_from_slice(&data);
    }
    Ok(body.freeze())
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Freshness as the answer states it (RFC 9111, section 5.2.2).
pub(super) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let mut stated = None;
    let lines = headers.get_all(header::CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok());
    for directive in lines.flat_map(|line| line.split(',')).map(|directive| directive.trim()) {
        let directive = directive.to_ascii_lowercase();
        if directive == "no-store" || directive == "no-cache" {
            return Some(Duration::ZERO);
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            stated = stated.or(seconds.trim_matches('"').parse().ok().map(Duration::from_secs));
        }
    }
    stated
}

fn failure(error: hyper::Error) -> OutboundError {
    tracing::debug!(%error, "an outward request broke off");
    if error.is_parse() || error.is_parse_too_large() {
        OutboundError::Malformed
    } else {
        OutboundError::Unreachable
    }
}
