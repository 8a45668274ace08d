//! The body of a request on its way in: at most so many bytes, and in a limited time. Whoever reads it
//! hears of an end before the last byte as of any broken body; the edge asks here whether it was the time.

use axum::body::Body;
use bytes::Bytes;
use http_body_util::Limited;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Whether a body came too slowly.
#[derive(Clone, Default)]
pub(super) struct Late(Arc<AtomicBool>);

impl Late {
    /// Whether its time ran out while somebody waited for it.
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A body with a limit of size and one of time.
pub(super) struct Arriving {
    body: Limited<Body>,
    time: Duration,
    /// Since somebody first had to wait; a body that is there costs no timer.
    timer: Option<Pin<Box<Sleep>>>,
    late: Late,
}

impl Arriving {
    /// Limits `body` to `most` bytes, which have to be there `time` after somebody first waited.
    pub(super) fn new(body: Body, most: usize, time: Duration) -> Self {
        Self { body: Limited::new(body, most), time, timer: None, late: Late::default() }
    }

    /// Where to ask afterwards.
    pub(super) fn late(&self) -> Late {
        self.late.clone()
    }
}

impl HttpBody for Arriving {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(this.time)));
        ready!(timer.as_mut().poll(cx));
        this.late.0.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(io::Error::from(io::ErrorKind::TimedOut).into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
