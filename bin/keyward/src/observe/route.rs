//! Tells the edge, which stands outside of all routers, the route that answered.

use axum::extract::{MatchedPath, Request};
use axum::response::Response;
use pin_project_lite::pin_project;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower::{Layer, Service};

/// Puts the route of a request beside its answer. A layer for every route of a router.
#[derive(Clone, Copy)]
pub(crate) struct RouteName;

impl<S> Layer<S> for RouteName {
    type Service = Named<S>;

    fn layer(&self, inner: S) -> Named<S> {
        Named(inner)
    }
}

/// A service whose answers say their route.
#[derive(Clone)]
pub(crate) struct Named<S>(S);

impl<S: Service<Request, Response = Response>> Service<Request> for Named<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = NamedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let route = request.extensions().get::<MatchedPath>().cloned();
        NamedFuture { answer: self.0.call(request), route }
    }
}

pin_project! {
    /// The answer under way, with its route.
    pub(crate) struct NamedFuture<F> {
        #[pin]
        answer: F,
        route: Option<MatchedPath>,
    }
}

impl<F: Future<Output = Result<Response, E>>, E> Future for NamedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.answer.poll(cx));
        if let (Ok(response), Some(route)) = (&mut answer, this.route.take()) {
            response.extensions_mut().insert(route);
        }
        Poll::Ready(answer)
    }
}
