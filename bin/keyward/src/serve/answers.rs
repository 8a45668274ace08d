//! What stands behind a connection. The steps on a request's way (edge, tenant, routes) are functions that
//! call each other: a layer of a router costs every request some allocations, and there would be three.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use tower::Service as _;

/// Whatever answers requests.
pub(crate) trait Answers: Clone + Send + Sync + 'static {
    /// The answer, in any case.
    fn answer(&self, request: Request<Body>) -> impl Future<Output = Response> + Send;
}

impl Answers for Router {
    async fn answer(&self, request: Request<Body>) -> Response {
        let Ok(response) = self.clone().call(request).await;
        response
    }
}
