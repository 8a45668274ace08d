//! What a request must say plainly before anything looks at it. Where a proxy in front could read it
//! in another way than we do, about its host or its length, it is refused (RFC 9112, sections 3.2 and 6).

use axum::body::Body;
use http::header::{CONNECTION, CONTENT_TYPE, HOST, RETRY_AFTER, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};

/// Why a request is refused, and its status.
pub(super) type Fault = (StatusCode, &'static str);

/// Those that are under way on the connection are as much as it may have.
pub(super) const CROWDED: Fault =
    (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The requests of this connection are too large together.");

/// There is no place for another request on a connection that has one under way.
pub(super) const FULL: Fault = (StatusCode::SERVICE_UNAVAILABLE, "Too many requests at once. Try again.");

/// Headers of a request.
pub(super) const MOST_HEADERS: usize = 100;
const MANY: Fault = (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "The request has more than 100 headers.");

/// What is wrong with the request, if something is.
pub(super) fn fault<B>(request: &Request<B>) -> Option<Fault> {
    if request.headers().len() > MOST_HEADERS {
        return Some(MANY);
    }
    unclear(request).map(|what| (StatusCode::BAD_REQUEST, what))
}

fn unclear<B>(request: &Request<B>) -> Option<&'static str> {
    let (headers, uri) = (request.headers(), request.uri());
    if request.method() == Method::CONNECT {
        return Some("This is no proxy.");
    }
    if uri.scheme_str().is_some_and(|scheme| scheme != "https" && scheme != "http") {
        return Some("The address has a scheme that is not spoken here.");
    }
    if !is_plain_host(headers, uri.authority(), request.version()) {
        return Some("The request must name one host, and the same one everywhere.");
    }
    if !is_plain_length(headers) {
        return Some("The only transfer coding is chunked.");
    }
    None
}

fn is_plain_host(headers: &HeaderMap, authority: Option<&Authority>, version: Version) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() || authority.is_some_and(|authority| authority.as_str().contains('@')) {
        return false;
    }
    match (host, authority) {
        (None, None) => version < Version::HTTP_11,
        (None, Some(_)) => version != Version::HTTP_11,
        (Some(host), Some(authority)) => host.as_bytes().eq_ignore_ascii_case(authority.as_str().as_bytes()),
        (Some(host), None) => is_host(host),
    }
}

/// A name or an address, perhaps with a port.
fn is_host(host: &HeaderValue) -> bool {
    let host = host.as_bytes();
    let proper = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(byte);
    !host.is_empty() && host.iter().all(proper)
}

fn is_plain_length(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => true,
        (Some(coding), None) => coding.as_bytes().eq_ignore_ascii_case(b"chunked"),
        (Some(_), Some(_)) => false,
    }
}

/// The answer to such a request, and the last one of its connection: what follows may be read in
/// two ways too.
pub(super) fn refuse((status, fault): Fault, version: Version) -> Response<Body> {
    let mut response = Response::new(Body::from(fault));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if version < Version::HTTP_2 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault_of(version: Version, uri: &str, headers: &[(&'static str, &str)]) -> Option<Fault> {
        let mut request = Request::builder().version(version).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        fault(&request.body(()).unwrap())
    }

    #[test]
    fn one_host_is_named_the_same_everywhere() {
        let host = ("host", "id.example:8443");
        for (version, uri, headers) in [
            (Version::HTTP_11, "/", &[host][..]),
            (Version::HTTP_11, "/", &[("host", "[::1]:8443")]),
            (Version::HTTP_11, "http://id.example:8443/", &[("host", "ID.example:8443")]),
            (Version::HTTP_10, "/", &[]),
            (Version::HTTP_2, "https://id.example/", &[]),
            (Version::HTTP_2, "https://id.example:8443/", &[host]),
        ] {
            assert_eq!(fault_of(version, uri, headers), None, "{version:?} {uri} {headers:?}");
        }
        for (version, uri, headers) in [
            (Version::HTTP_11, "/", &[][..]),
            (Version::HTTP_11, "http://id.example/", &[]),
            (Version::HTTP_11, "/", &[("host", "")]),
            (Version::HTTP_11, "/", &[host, host]),
            (Version::HTTP_10, "/", &[host, host]),
            (Version::HTTP_11, "/", &[("host", "evil.example/x")]),
            (Version::HTTP_11, "/", &[("host", "id.example@evil.example")]),
            (Version::HTTP_11, "/", &[("host", "a, b")]),
            (Version::HTTP_11, "http://evil.example/", &[host]),
            (Version::HTTP_11, "http://x@id.example:8443/", &[host]),
            (Version::HTTP_11, "ftp://id.example:8443/", &[host]),
            (Version::HTTP_2, "https://evil.example/", &[host]),
        ] {
            assert!(fault_of(version, uri, headers).is_some(), "{version:?} {uri} {headers:?}");
        }
    }

    #[test]
    fn a_length_is_said_in_one_way() {
        let host = ("host", "id.example");
        let with = |codings: &[&'static str]| {
            let codings = codings.iter().map(|coding| ("transfer-encoding", *coding));
            let headers: Vec<_> = std::iter::once(host).chain(codings).collect();
            fault_of(Version::HTTP_11, "/", &headers)
        };
        assert_eq!(with(&[]).or(with(&["chunked"])).or(with(&["Chunked"])), None);
        for codings in [&["gzip, chunked"][..], &["identity"], &["chunked", "chunked"], &[""]] {
            assert!(with(codings).is_some(), "{codings:?}");
        }
    }
}
