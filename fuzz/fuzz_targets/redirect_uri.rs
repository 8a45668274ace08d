//! Addresses of applications: a registered one is read by browsers (the `url` crate, WHATWG) as it was
//! read by us, and a requested one matches only if it is the same but for a native loopback's port.
//!
//! Input: the registered address, a line feed, the requested one.
#![no_main]

use oauth::Origin;
use oauth::client::ApplicationType;
use oauth::uri::{MAX_LENGTH, RedirectUri, WebUri, matching};
use std::net::Ipv6Addr;
use url::Url;

libfuzzer_sys::fuzz_target!(|input: &str| {
    let (registered, requested) = input.split_once('\n').unwrap_or((input, input));
    web(registered);
    origin(registered);
    let Ok(uri) = registered.parse::<RedirectUri>() else { return };
    registrable(&uri, registered);
    for application in [ApplicationType::Web, ApplicationType::Native] {
        request(&uri, requested, application);
    }
});

fn registrable(uri: &RedirectUri, text: &str) {
    assert_eq!(uri.as_str(), text);
    assert!(text.len() <= MAX_LENGTH && text.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!text.contains(['#', '\\', '"', '<', '>']));
    let json = serde_json::to_string(uri).unwrap();
    assert_eq!(&serde_json::from_str::<RedirectUri>(&json).unwrap(), uri);
    let scheme = text.split(':').next().unwrap();
    if uri.is_private_use() {
        assert!(scheme.contains('.') && uri.origin().is_none());
        assert!(!["javascript", "data", "vbscript", "blob", "file"].contains(&scheme));
    } else {
        seen_by_browsers(text, uri.origin().unwrap());
    }
}

/// The host that a browser goes to is the one that was registered.
fn seen_by_browsers(text: &str, origin: Origin) {
    let Ok(seen) = Url::parse(text) else {
        // A label that is no proper punycode goes nowhere; browsers and `url` alone know which.
        assert!(text.to_ascii_lowercase().contains("xn--"), "no browser reads {text}");
        return;
    };
    assert_eq!(seen.fragment(), None);
    assert_eq!((seen.username(), seen.password()), ("", None));
    assert!(text.starts_with(seen.scheme()) && ["https", "http"].contains(&seen.scheme()));
    let host = seen.host_str().unwrap();
    assert!(seen.scheme() == "https" || ["127.0.0.1", "[::1]", "localhost"].contains(&host), "{text}");
    let v6 = |host: &str| host.trim_matches(['[', ']']).parse::<Ipv6Addr>().ok();
    match v6(host) {
        Some(address) => assert_eq!(v6(origin.host()), Some(address)),
        None => {
            assert_eq!(origin.host(), host);
            assert_eq!(origin.as_str(), seen.origin().ascii_serialization());
        }
    }
}

fn request(registered: &RedirectUri, requested: &str, application: ApplicationType) {
    let other = "https://other.example/cb".parse().unwrap();
    let Some(matched) = matching(&[other, registered.clone()], requested, application) else {
        assert_ne!(registered.as_str(), requested);
        return;
    };
    assert_eq!(matched.as_str(), requested);
    assert_eq!(requested.parse::<RedirectUri>().as_ref(), Ok(&matched), "it would not be registered");
    if requested == registered.as_str() || requested == "https://other.example/cb" {
        return;
    }
    assert_eq!(application, ApplicationType::Native);
    let portless = |uri: &str| {
        let mut uri = Url::parse(uri).unwrap();
        uri.set_port(None).unwrap();
        uri
    };
    let (mine, theirs) = (portless(registered.as_str()), portless(requested));
    assert_eq!(mine, theirs);
    assert!(["127.0.0.1", "[::1]"].contains(&mine.host_str().unwrap()));
}

fn web(text: &str) {
    if let Ok(uri) = text.parse::<WebUri>() {
        assert_eq!(uri.as_str(), text);
        if !text.contains('#') {
            seen_by_browsers(text, uri.origin());
        }
    }
}

fn origin(text: &str) {
    if let Ok(origin) = text.parse::<Origin>() {
        assert_eq!(origin.as_str(), text);
        assert_eq!(text.parse::<WebUri>().unwrap().origin(), origin);
    }
}
