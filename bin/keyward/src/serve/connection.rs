//! One connection: the handshake, HTTP/1.1 or HTTP/2 as agreed in it, its requests, its end.
//!
//! Three clocks end a connection that brings nothing: the handshake's, the one for a request's
//! head (HTTP/1.1), and the one of a connection on which no request is under way (both).

use super::room::Room;
use super::stall::Stall;
use super::{Answers, Limits, PeerAddr, Shutdown};
use super::{strict, trailers};
use base::net::Network;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

const MOST_HEAD_BYTES: usize = 32 * 1024;
const MOST_STREAMS: u32 = 128;
const MOST_RESET_STREAMS: usize = 20;
/// Bytes of the heads of all requests under way on one HTTP/2 connection.
const MOST_HEADS: usize = 256 * 1024;
/// What may come on an HTTP/2 connection, and on one of its streams, before somebody reads it.
const MOST_WAITING: u32 = 128 * 1024;
const MOST_WAITING_OF_STREAM: u32 = 64 * 1024;
/// What may wait to be sent on one stream.
const MOST_UNSENT: usize = 64 * 1024;

/// What all connections of a server share.
pub(super) struct Shared {
    pub(super) acceptor: Option<TlsAcceptor>,
    pub(super) proxies: Vec<Network>,
    pub(super) limits: Limits,
    /// For the requests on HTTP/2 connections beyond the first of each: what HTTP/1.1 would need a
    /// connection for.
    pub(super) further: Arc<Room>,
}

impl Shared {
    pub(super) fn is_proxy(&self, peer: SocketAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(peer.ip()))
    }

    /// How long the head of a request may take.
    pub(super) fn clock(&self, peer: SocketAddr, is_narrow: bool) -> Duration {
        if self.is_proxy(peer) {
            self.limits.proxy_headers
        } else if is_narrow {
            self.limits.hurried
        } else {
            self.limits.headers
        }
    }
}

/// Serves one connection until it ends. Errors of a connection are its client's business.
pub(super) async fn serve(
    (stream, peer): (TcpStream, SocketAddr),
    idle: Duration,
    shared: Arc<Shared>,
    app: impl Answers,
    stop: Shutdown,
) {
    let _ = stream.set_nodelay(true);
    let stream = Stall::new(stream, shared.limits.stall);
    let ends = Ends { idle, linger: shared.limits.linger, stop, activity: Arc::default() };
    let service = service(app, peer, Arc::clone(&shared), Arc::clone(&ends.activity));
    let Some(acceptor) = &shared.acceptor else {
        return ends.http1(stream, service).await;
    };
    let Ok(Ok(stream)) = tokio::time::timeout(shared.limits.handshake, acceptor.accept(stream)).await else {
        return;
    };
    if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
        ends.http2(stream, service).await;
    } else {
        ends.http1(stream, service).await;
    }
}

/// Turns what answers into what hyper calls, and counts the requests under way up to the last byte
/// of their answers.
fn service(
    app: impl Answers,
    peer: SocketAddr,
    shared: Arc<Shared>,
    activity: Arc<Activity>,
) -> impl Service<
    Request<Incoming>,
    Response = Response<impl Body<Data = Bytes, Error = axum::Error> + Send + 'static>,
    Error = Infallible,
    Future: Send + 'static,
> {
    service_fn(move |mut request: Request<Incoming>| {
        let app = app.clone();
        let under_way = activity.begin(head_bytes(&request));
        let place = match under_way.is_further() {
            true => shared.further.at_once(peer.ip(), shared.is_proxy(peer)).map(Some),
            false => Some(None),
        };
        let fault = match &place {
            _ if under_way.is_crowded() => Some(strict::CROWDED),
            None => Some(strict::FULL),
            Some(_) => strict::fault(&request),
        };
        request.extensions_mut().insert(PeerAddr(peer));
        async move {
            let response = match fault {
                None => {
                    let (request, seen) = trailers::watch(request);
                    let mut response = app.answer(request).await;
                    seen.close_if_doubtful(&mut response);
                    response
                }
                Some(fault) => strict::refuse(fault, request.version()),
            };
            Ok::<_, Infallible>(response.map(|body| {
                body.map_frame(move |frame| {
                    let _ = (&under_way, &place);
                    frame
                })
            }))
        }
    })
}

/// What the head of a request holds in memory for as long as it is under way.
fn head_bytes<B>(request: &Request<B>) -> usize {
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
    path + headers.sum::<usize>()
}

/// The requests of one connection.
#[derive(Default)]
struct Activity {
    under_way: AtomicUsize,
    /// The bytes of their heads.
    heads: AtomicUsize,
    begun: AtomicU64,
}

/// A request under way, with the bytes of its head.
struct UnderWay(Arc<Activity>, usize);

impl UnderWay {
    /// Whether others were under way on this connection when this one came.
    fn is_further(&self) -> bool {
        self.0.under_way.load(Ordering::Relaxed) > 1
    }

    /// Whether the requests of this connection hold too much.
    fn is_crowded(&self) -> bool {
        self.0.heads.load(Ordering::Relaxed) > MOST_HEADS
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Ordering::Relaxed);
        self.0.heads.fetch_sub(self.1, Ordering::Relaxed);
    }
}

impl Activity {
    fn begin(self: &Arc<Self>, head: usize) -> UnderWay {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        self.heads.fetch_add(head, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Relaxed);
        UnderWay(Arc::clone(self), head)
    }

    /// Waits until for this long no request was under way and none began.
    async fn idle_for(&self, time: Duration) {
        loop {
            let quiet = self.under_way.load(Ordering::Relaxed) == 0;
            let begun = self.begun.load(Ordering::Relaxed);
            tokio::time::sleep(time).await;
            if quiet
                && self.under_way.load(Ordering::Relaxed) == 0
                && begun == self.begun.load(Ordering::Relaxed)
            {
                return;
            }
        }
    }
}

/// When a connection ends.
struct Ends {
    idle: Duration,
    linger: Duration,
    stop: Shutdown,
    activity: Arc<Activity>,
}

impl Ends {
    async fn http1<I, S, B>(self, stream: I, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin,
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
        B: Body<Data = Bytes, Error = axum::Error> + 'static,
    {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.idle)
            .max_headers(strict::MOST_HEADERS)
            .max_buf_size(MOST_HEAD_BYTES)
            .half_close(false)
            .serve_connection(TokioIo::new(stream), service);
        self.drive(connection, http1::Connection::graceful_shutdown).await;
    }

    async fn http2<I, S, B>(self, stream: I, service: S)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible, Future: Send + 'static>,
        B: Body<Data = Bytes, Error = axum::Error> + Send + 'static,
    {
        let connection = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .max_concurrent_streams(MOST_STREAMS)
            .max_header_list_size(u32::try_from(MOST_HEAD_BYTES).unwrap_or(u32::MAX))
            .initial_connection_window_size(MOST_WAITING)
            .initial_stream_window_size(MOST_WAITING_OF_STREAM)
            .max_send_buf_size(MOST_UNSENT)
            .max_pending_accept_reset_streams(MOST_RESET_STREAMS)
            .max_local_error_reset_streams(MOST_RESET_STREAMS)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10))
            .serve_connection(TokioIo::new(stream), service);
        self.drive(connection, http2::Connection::graceful_shutdown).await;
    }

    /// Runs a connection. When the server stops or nothing happens, it is told to close: requests
    /// under way finish; after that it may linger a little, for its goodbye.
    async fn drive<C: Future>(mut self, connection: C, close: fn(Pin<&mut C>)) {
        let mut connection = pin!(connection);
        tokio::select! {
            biased;
            _ = connection.as_mut() => return,
            () = self.stop.requested() => {},
            () = self.activity.idle_for(self.idle) => {},
        }
        close(connection.as_mut());
        tokio::select! {
            _ = connection => {},
            () = self.activity.idle_for(self.linger) => {},
        }
    }
}
