//! Where a chunked body ends. hyper takes a line feed that stands alone behind the last chunk for the
//! beginning of a trailer and looks for the end of that, so a proxy in front that takes it for the end of the
//! line (RFC 9112, section 2.2) would see the next request where we see trailers. Nothing of ours sends or
//! reads trailers: a body that has some, or was not read to its end, is the last of its connection.

use axum::body::Body as AnyBody;
use bytes::Bytes;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderValue, Request, Response};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

/// What is seen of a chunked body by the time of its answer.
pub(super) struct Seen(Option<Arc<AtomicBool>>);

impl Seen {
    /// Ends the connection behind this answer where the end of the body is in doubt.
    pub(super) fn close_if_doubtful<B>(&self, response: &mut Response<B>) {
        if self.0.as_ref().is_some_and(|is_plain| !is_plain.load(Ordering::Relaxed)) {
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// The request with its body as anything, watched if it comes in chunks: in HTTP/1.1 alone there are any.
pub(super) fn watch(request: Request<Incoming>) -> (Request<AnyBody>, Seen) {
    if request.body().is_end_stream() {
        return (request.map(|_| AnyBody::empty()), Seen(None));
    }
    if !request.headers().contains_key(TRANSFER_ENCODING) {
        return (request.map(AnyBody::new), Seen(None));
    }
    let is_plain = Arc::new(AtomicBool::new(false));
    let seen = Seen(Some(Arc::clone(&is_plain)));
    (request.map(|body| AnyBody::new(Chunked { body, had_trailers: false, is_plain })), seen)
}

struct Chunked {
    body: Incoming,
    had_trailers: bool,
    is_plain: Arc<AtomicBool>,
}

impl Body for Chunked {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        match &frame {
            None if !self.had_trailers => self.is_plain.store(true, Ordering::Relaxed),
            Some(Ok(frame)) if frame.is_trailers() => self.had_trailers = true,
            _ => {}
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
