//! Which tenant a request is for: the first at the root path, others under `/t/{slug}` or on hosts
//! of their own. The path is cut to what lies below the tenant, so that every capability mounts its
//! routes once.
//!
//! The issuer is never computed from a request: the request only finds the tenant.

use crate::site::Site;
use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Redirect, Response},
};
use base::Error;
use http::{Method, Uri, header, uri::PathAndQuery};
use std::sync::Arc;
use store::{Address, Tenant};

/// The tenant of a request, or why it is not known.
#[derive(Clone)]
pub struct Addressed(pub Result<Option<Arc<Tenant>>, Error>);

/// The issuer at whose address the client asked, where the tenant has another one by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormerIssuer(pub String);

/// [`address`] in front of `router`, which sees paths as if each tenant had a host of its own.
pub fn mount(site: Site, router: Router) -> Router {
    Router::new().fallback_service(router).layer(from_fn_with_state(site, pass))
}

async fn pass(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    match address(&site, &mut request).await {
        Some(elsewhere) => elsewhere,
        None => next.run(request).await,
    }
}

/// Finds the tenant of a request and puts it beside it as [`Addressed`], with the path cut to what lies
/// below the tenant. Gives an answer only where the request belongs to another address.
pub async fn address(site: &Site, request: &mut Request) -> Option<Response> {
    let host = host(request);
    let found = find(site, host.as_deref(), request.uri().path()).await;
    if let Ok(Some(found)) = &found {
        if let Some(elsewhere) = found.elsewhere(request, host.as_deref()) {
            return Some(Redirect::temporary(&elsewhere).into_response());
        }
        if let Some(uri) = found.below(request.uri()) {
            *request.uri_mut() = uri;
        }
        if let Some(former) = host.as_deref().and_then(|host| found.former_issuer(host)) {
            request.extensions_mut().insert(FormerIssuer(former));
        }
    }
    request.extensions_mut().insert(Addressed(found.map(|found| found.map(|found| found.tenant))));
    None
}

/// Host and port that the client asked for.
fn host(request: &Request) -> Option<String> {
    let header = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    request.uri().authority().map(|a| a.as_str()).or(header).map(str::to_ascii_lowercase)
}

struct Found {
    tenant: Arc<Tenant>,
    /// The path of the tenant as the client wrote it: empty or `/t/{slug}`.
    base: String,
    /// The path below the tenant.
    path: String,
    /// Whether it was found under an address that is no longer its own.
    former: bool,
}

const METADATA: &str = "/.well-known/oauth-authorization-server";

async fn find(site: &Site, host: Option<&str>, path: &str) -> Result<Option<Found>, Error> {
    let directory = site.directory();
    let own = |tenant, former| Found { tenant, base: String::new(), path: path.to_owned(), former };
    let former = match by_host(site, host).await? {
        Host::Own(tenant, former) => return Ok(Some(own(tenant, former))),
        Host::Shared(former) => former,
    };
    // RFC 8414, section 3.1: the well-known name stands before the path of the issuer.
    let (before, rest) = path.strip_prefix(METADATA).map_or(("", path), |rest| (METADATA, rest));
    if let Some((slug, below)) = slug(rest) {
        let tenant = directory.resolve(Address::Slug(slug)).await?;
        // What stands before the issuer's path has no slash behind it.
        let below = if before.is_empty() { below } else { below.trim_end_matches('/') };
        return Ok(tenant.map(|tenant| {
            let former = former || !tenant.base_path().starts_with("/t/");
            let below = if before.is_empty() { below } else { below.trim_end_matches('/') };
            Found { tenant, base: format!("/t/{slug}"), path: format!("{before}{below}"), former }
        }));
    }
    Ok(directory.resolve(Address::Root).await?.map(|tenant| own(tenant, former)))
}

/// Whose a host is.
enum Host {
    /// One tenant's, or it once was.
    Own(Arc<Tenant>, bool),
    /// The first tenant's, with the others below it; or it once was. Unknown hosts are like it.
    Shared(bool),
}

async fn by_host(site: &Site, host: Option<&str>) -> Result<Host, Error> {
    let Some(host) = host else { return Ok(Host::Shared(false)) };
    let directory = site.directory();
    let root = directory.resolve(Address::Root).await?.map(|root| root.id);
    let whose = |tenant: Arc<Tenant>, former| match Some(tenant.id) == root {
        true => Host::Shared(former),
        false => Host::Own(tenant, former),
    };
    for scheme in ["https", "http"] {
        let issuer = format!("{scheme}://{host}");
        if let Some(tenant) = directory.resolve(Address::Issuer(&issuer)).await? {
            return Ok(whose(tenant, false));
        }
    }
    for scheme in ["https", "http"] {
        let issuer = format!("{scheme}://{host}");
        if let Some(tenant) = directory.resolve(Address::FormerIssuer(&issuer)).await? {
            return Ok(whose(tenant, true));
        }
    }
    Ok(Host::Shared(false))
}

/// `/t/acme/authorize` is `acme` and `/authorize`.
fn slug(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/t/")?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (slug, below) = rest.split_at_checked(end)?;
    (!slug.is_empty()).then_some((slug, if below.is_empty() { "/" } else { below }))
}

impl Found {
    /// Where the request belongs instead: pages asked for at a former address, or at another name
    /// of this machine than the issuer's, go to the issuer, whose cookies they need.
    fn elsewhere(&self, request: &Request, host: Option<&str>) -> Option<String> {
        let is_page = request
            .headers()
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
        if request.method() != Method::GET || !is_page {
            return None;
        }
        let own = self.tenant.origin().split_once("://").map_or("", |(_, authority)| authority);
        let alias = host.is_some_and(|host| host != own && is_loopback(host) && is_loopback(own));
        if !self.former && !alias {
            return None;
        }
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        Some(format!("{}{}{query}", self.tenant.issuer, self.path))
    }

    /// The issuer that the client asked for, if the tenant had it once.
    fn former_issuer(&self, host: &str) -> Option<String> {
        let asked = ["https", "http"].map(|scheme| format!("{scheme}://{host}{}", self.base));
        asked.into_iter().find(|asked| self.tenant.former_issuers.contains(asked))
    }

    /// The request's address as seen from within the tenant.
    fn below(&self, uri: &Uri) -> Option<Uri> {
        if self.path == uri.path() {
            return None;
        }
        let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(format!("{}{query}", self.path)).ok()?);
        Uri::from_parts(parts).ok()
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.rfind(':') {
        Some(at) if !authority.ends_with(']') => authority.get(..at).unwrap_or(authority),
        _ => authority,
    };
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_cut_from_the_path() {
        assert_eq!(slug("/t/acme/authorize"), Some(("acme", "/authorize")));
        assert_eq!(slug("/t/acme"), Some(("acme", "/")));
        assert_eq!(slug("/t/"), None);
        assert_eq!(slug("/token"), None);
    }

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for name in ["localhost:8080", "127.0.0.1", "[::1]:8080"] {
            assert!(is_loopback(name), "{name}");
        }
        for name in ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1:80", ""] {
            assert!(!is_loopback(name), "{name}");
        }
    }
}
