use proptest::prelude::*;

use super::*;
use crate::client::ApplicationType::{Native, Web};

fn uri(text: &str) -> RedirectUri {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What an attacker makes of `https://app.example.com/cb?x=1`, one idea a line.
const MUTATIONS: &[&str] = &[
    "",
    "https://",
    "https://app.example.com",
    "https://app.example.com/",
    "https://app.example.com/cb",
    "https://app.example.com/cb?",
    "https://app.example.com/cb?x=1&",
    "https://app.example.com/cb?x=1&y=2",
    "https://app.example.com/cb?x=2",
    "https://app.example.com/cb?X=1",
    "https://app.example.com/cb?x=%31",
    "https://app.example.com/cb/?x=1",
    "https://app.example.com/cb;a?x=1",
    "https://app.example.com/cb%2f?x=1",
    "https://app.example.com/cb/../evil?x=1",
    "https://app.example.com/evil/../cb?x=1",
    "https://app.example.com/cb/%2e%2e/evil?x=1",
    "https://app.example.com/./cb?x=1",
    "https://app.example.com//cb?x=1",
    "https://app.example.com/CB?x=1",
    "https://app.example.com/c%62?x=1",
    "https://app.example.com/cb?x=1#",
    "https://app.example.com/cb?x=1#evil",
    "https://app.example.com/cb#?x=1",
    "https://app.example.com:443/cb?x=1",
    "https://app.example.com:8443/cb?x=1",
    "https://app.example.com:/cb?x=1",
    "https://app.example.com:0/cb?x=1",
    "https://app.example.com:99999/cb?x=1",
    "https://APP.example.com/cb?x=1",
    "HTTPS://app.example.com/cb?x=1",
    "http://app.example.com/cb?x=1",
    "ftp://app.example.com/cb?x=1",
    "https:app.example.com/cb?x=1",
    "https:/app.example.com/cb?x=1",
    "https:///app.example.com/cb?x=1",
    "//app.example.com/cb?x=1",
    "/cb?x=1",
    "app.example.com/cb?x=1",
    "https://app.example.com./cb?x=1",
    "https://app-example.com/cb?x=1",
    "https://appXexample.com/cb?x=1",
    "https://evil.app.example.com/cb?x=1",
    "https://app.example.com.evil.tld/cb?x=1",
    "https://app.example.comevil.tld/cb?x=1",
    "https://evil.tld/app.example.com/cb?x=1",
    "https://evil.tld?https://app.example.com/cb?x=1",
    "https://evil.tld#https://app.example.com/cb?x=1",
    "https://app.example.com@evil.tld/cb?x=1",
    "https://app.example.com:pw@evil.tld/cb?x=1",
    "https://evil.tld@app.example.com/cb?x=1",
    "https://app.example.com@evil.tld@app.example.com/cb?x=1",
    "https://app.example.com%40evil.tld/cb?x=1",
    "https://app.example.com%2eevil.tld/cb?x=1",
    "https://app.example.com%00.evil.tld/cb?x=1",
    "https://app.example.com\0/cb?x=1",
    "https://app.example.com\\@evil.tld/cb?x=1",
    "https://app.example.com\\.evil.tld/cb?x=1",
    "https:\\\\app.example.com\\cb?x=1",
    "https://evil.tld\\app.example.com/cb?x=1",
    "https://app.example.com\t/cb?x=1",
    "https://app.example.com/cb?x=1\r\nLocation: https://evil.tld",
    "https://app.example.com/cb?x=1%0d%0aSet-Cookie:a",
    " https://app.example.com/cb?x=1",
    "https://app.example.com/cb?x=1 ",
    "https://app.example.com/cb?x=1,https://evil.tld/",
    "https://app.example.com/cb?x=1 https://evil.tld/",
    "https://app。example.com/cb?x=1",
    "https://аpp.example.com/cb?x=1",
    "https://app.example.com／cb?x=1",
    "https://[::ffff:127.0.0.1]/cb?x=1",
    "https://127.0.0.1/cb?x=1",
    "http://localhost/cb?x=1",
    "http://localhost.evil.tld/cb?x=1",
    "javascript://app.example.com/cb?x=1",
    "javascript:alert(1)//https://app.example.com/cb?x=1",
    "data:text/html,https://app.example.com/cb?x=1",
    "view-source:https://app.example.com/cb?x=1",
    "https://app.example.com/cb?x=1&redirect_uri=https://evil.tld",
    "https://app.example.com/cb?x=1&code=stolen",
    "https://*.example.com/cb?x=1",
    ".*",
];

#[test]
fn abuse_35_redirect_uri_is_compared_exactly() {
    let registered = uri("https://app.example.com/cb?x=1");
    assert!(MUTATIONS.len() >= 60);
    for application in [Web, Native] {
        assert!(redirect_matches(&registered, "https://app.example.com/cb?x=1", application));
        for mutation in MUTATIONS {
            assert!(!redirect_matches(&registered, mutation, application), "{mutation:?}");
            assert_eq!(matching(std::slice::from_ref(&registered), mutation, application), None);
        }
    }
}

#[test]
fn abuse_36_confusing_hosts_match_nothing_and_are_never_registered() {
    let hosts = [
        "https://a@b.example/cb",
        "https://a:b@c.example/cb",
        "https://a@b@c.example/cb",
        "https://@c.example/cb",
        "https://c.example@/cb",
        "https:///cb",
        "https://",
        "https://.example/cb",
        "https://a..example/cb",
        "https://a.example./cb",
        "https://a.example:/cb",
        "https://a.example:70000/cb",
        "https://a.example:0/cb",
        "https://a.example:080/cb",
        "https://a.example:+1/cb",
        "https://a.example:1:2/cb",
        "https://*.example/cb",
        "https://a%2eexample/cb",
        "https://a%40b.example/cb",
        "https://a\\b.example/cb",
        "https://a b.example/cb",
        "https://ä.example/cb",
        "https://-a.example/cb",
        "https://a,b.example/cb",
        "https://2130706433/cb",
        "https://0x7f.1/cb",
        "https://127.1/cb",
        "https://0177.0.0.1/cb",
        "https://a.example.1/cb",
        "https://[::1/cb",
        "https://::1/cb",
        "https://[v1.x]/cb",
        "https://[::1]x/cb",
        "https:/a.example/cb",
        "https:a.example/cb",
        "http://a.example/cb",
        "http://127.0.0.1.evil.tld/cb",
        "http://127.0.0.1@evil.tld/cb",
        "http://localhost.evil.tld/cb",
        "http://localhost@evil.tld/cb",
        "http://127.0.0.2/cb",
        "http://0.0.0.0/cb",
        "http://[::ffff:127.0.0.1]/cb",
        "http://[::]/cb",
        "http://LOCALHOST.evil.tld/cb",
        "com.example.app:/a@b",
        "com.example.app://a@b/cb",
    ];
    for host in hosts {
        assert!(host.parse::<RedirectUri>().is_err(), "{host}");
    }
}

#[test]
fn abuse_37_only_listed_schemes_are_registered() {
    let schemes = [
        "javascript",
        "JaVaScRiPt",
        "data",
        "DATA",
        "vbscript",
        "file",
        "blob",
        "about",
        "ftp",
        "ws",
        "wss",
        "mailto",
        "chrome",
        "view-source",
        "intent",
        "HTTP",
        "HTTPS",
        "Https",
        "myapp",
        "urn",
        "",
        ".",
        "com.",
        ".com",
        "com..app",
        "Com.example",
        "1com.example",
        "com.exa_mple",
        "com.example%2eapp",
    ];
    for scheme in schemes {
        for rest in ["//a.example/cb", "/cb", "alert(1)", "//127.0.0.1/cb", "text/html,x"] {
            let text = format!("{scheme}:{rest}");
            assert!(text.parse::<RedirectUri>().is_err(), "{text}");
            assert!(text.parse::<WebUri>().is_err(), "{text}");
        }
    }
    assert_eq!("com.example.app:/logo".parse::<WebUri>(), Err(UriError::Scheme));
    assert!("https://a.example/logo.png".parse::<WebUri>().is_ok());
}

#[test]
fn proper_addresses_are_registered() {
    for text in [
        "https://app.example.com",
        "https://app.example.com/cb?dummy1=lorem&dummy2=ipsum",
        "https://xn--bcher-kva.example:8443/a%20b/@me",
        "https://192.0.2.1/cb",
        "https://[2001:db8::1]:8443/cb",
        "http://127.0.0.1:9000/cb",
        "http://[::1]/cb",
        "http://localhost:3000/cb",
        "com.example.app:/oauth2redirect",
        "com.example.app://callback",
    ] {
        uri(text);
    }
}

#[test]
fn reasons_are_told() {
    for (text, reason) in [
        ("https://a.example/#", UriError::Fragment),
        ("https://u@a.example/", UriError::UserInfo),
        ("http://a.example/", UriError::Insecure),
        ("myapp:/cb", UriError::Scheme),
        ("cb", UriError::Scheme),
        ("https://a.example/<script>", UriError::Syntax),
        ("https://a.example/%zz", UriError::Syntax),
        ("https://a.example/cb?code=1", UriError::AnswerParameter),
        ("https://a.example/cb?x=1&st%61te", UriError::AnswerParameter),
    ] {
        assert_eq!(text.parse::<RedirectUri>(), Err(reason), "{text}");
    }
    let long = format!("https://a.example/{}", "a".repeat(MAX_LENGTH));
    assert_eq!(long.parse::<RedirectUri>(), Err(UriError::TooLong));
}

#[test]
fn native_applications_choose_their_loopback_port() {
    for (registered, requested) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"),
        ("http://127.0.0.1:1234/cb?x=1", "http://127.0.0.1:49152/cb?x=1"),
        ("http://127.0.0.1:1234/cb", "http://127.0.0.1/cb"),
        ("http://[::1]/cb", "http://[::1]:49152/cb"),
        ("http://127.0.0.1", "http://127.0.0.1:49152"),
    ] {
        let registered = uri(registered);
        assert!(redirect_matches(&registered, requested, Native), "{requested}");
        assert!(!redirect_matches(&registered, requested, Web), "{requested}");
        let answer = matching(std::slice::from_ref(&registered), requested, Native).unwrap();
        assert_eq!(answer.as_str(), requested);
    }
}

#[test]
fn the_port_is_the_only_freedom() {
    let registered = uri("http://127.0.0.1/cb");
    for requested in [
        "http://127.0.0.1:49152/cb/",
        "http://127.0.0.1:49152/other",
        "http://127.0.0.1:49152",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:1@evil.tld/cb",
        "http://127.0.0.1@evil.tld/cb",
        "http://127.0.0.1.evil.tld/cb",
        "http://127.0.0.1:1.evil.tld/cb",
        "http://127.0.0.1:49152/cb#x",
        "http://127.0.0.1:49152\\/cb",
        "http://localhost:49152/cb",
        "http://[::1]:49152/cb",
        "http://127.0.0.2:49152/cb",
        "https://127.0.0.1:49152/cb",
    ] {
        assert!(!redirect_matches(&registered, requested, Native), "{requested}");
    }
    assert!(!redirect_matches(&uri("http://localhost/cb"), "http://localhost:1/cb", Native));
    assert!(!redirect_matches(&uri("https://127.0.0.1/cb"), "https://127.0.0.1:1/cb", Native));
}

#[test]
fn parameters_are_added_to_any_query() {
    assert_eq!(uri("https://a.example").with_query("x=1"), "https://a.example?x=1");
    assert_eq!(uri("https://a.example/?").with_query("x=1"), "https://a.example/?x=1");
    assert_eq!(uri("https://a.example/?y=2").with_query("x=1"), "https://a.example/?y=2&x=1");
}

proptest! {
    #[test]
    fn parsing_never_panics_and_accepts_only_listed_schemes(text in ".{0,40}") {
        if let Ok(uri) = text.parse::<RedirectUri>() {
            let scheme = uri.as_str().split(':').next().unwrap();
            prop_assert!(scheme == "https" || scheme == "http" || scheme.contains('.'));
        }
    }

    #[test]
    fn whatever_matches_is_registrable(requested in "http://(127\\.0\\.0\\.1|\\[::1\\])[:0-9/?a@.#-]{0,12}") {
        for registered in ["http://127.0.0.1/a", "http://[::1]/a", "http://127.0.0.1", "http://127.0.0.1?a"] {
            if redirect_matches(&uri(registered), &requested, Native) {
                prop_assert!(requested.parse::<RedirectUri>().is_ok(), "{}", requested);
            }
        }
    }
}
