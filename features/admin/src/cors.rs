//! Scripts of other origins (Fetch, CORS protocol): the API answers those whose origin an application
//! of the tenant declares that may call it at all. Cookies play no part here, so credentials of the
//! browser are never allowed.

use crate::{Admin, caller::is_audience, serve};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use base::{Id, id};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};
use store::{DbError, Tenant, rows};

/// How many tenants are remembered.
const CAPACITY: usize = 4_096;

/// The declared origins of tenants, each with the version of the tenant that they were read at.
#[derive(Clone, Default)]
pub(crate) struct Origins(Arc<Mutex<HashMap<Id<id::Tenant>, Declared>>>);

type Declared = (i64, Arc<HashSet<String>>);

/// Lets scripts of declared origins send their requests and read the answers.
pub(crate) async fn share(
    State((admin, origins)): State<(Admin, Origins)>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let (parts, body) = request.into_parts();
    let allowed = match (&origin, serve::tenant(&parts)) {
        (Some(origin), Ok(tenant)) => origins.hold(&admin, &tenant, origin).await,
        _ => false,
    };
    let asks =
        parts.method == Method::OPTIONS && parts.headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match allowed && asks {
        true => preflight(),
        false => next.run(Request::from_parts(parts, body)).await,
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|_| allowed) {
        allow(headers, origin);
    }
    response
}

fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    const EXPOSED: &str = "etag, location, retry-after, www-authenticate, keyward-next-cursor";
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

fn preflight() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PUT, PATCH, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, if-match, idempotency-key"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}

impl Origins {
    /// Whether this origin is declared. While the store does not answer, none is.
    async fn hold(&self, admin: &Admin, tenant: &Tenant, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let known = self.remembered(tenant);
        let declared = match known {
            Some(declared) => declared,
            None => match read(admin, tenant).await {
                Ok(declared) => self.remember(tenant, declared),
                Err(error) => {
                    tracing::warn!(%error, "declared origins are unknown: the store does not answer");
                    return false;
                }
            },
        };
        declared.contains(origin)
    }

    fn remembered(&self, tenant: &Tenant) -> Option<Arc<HashSet<String>>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (version, declared) = all.get(&tenant.id)?;
        (*version == tenant.version).then(|| Arc::clone(declared))
    }

    fn remember(&self, tenant: &Tenant, declared: HashSet<String>) -> Arc<HashSet<String>> {
        let declared = Arc::new(declared);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= CAPACITY {
            all.clear();
        }
        all.insert(tenant.id, (tenant.version, Arc::clone(&declared)));
        declared
    }
}

/// The origins of all applications in use whose tokens are for this API.
async fn read(admin: &Admin, tenant: &Tenant) -> Result<HashSet<String>, DbError> {
    let rows = rows::application::list(admin.site.directory().db(), tenant.id).await?;
    let active = rows.into_iter().filter(|row| row.state == "active");
    let clients = active.filter_map(|row| serde_json::from_str::<oauth::Client>(&row.metadata).ok());
    let here = clients.filter(|client| client.audiences.iter().any(|named| is_audience(tenant, named)));
    Ok(here.flat_map(|client| client.allowed_origins).map(|origin| origin.as_str().to_owned()).collect())
}
