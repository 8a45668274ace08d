mod client;
mod documents;
mod peer;

use super::{
    address::{Range, range},
    policy::{Admitted, Exception, Policy},
    target::{Host, Target},
    *,
};
use std::net::IpAddr;

/// What becomes of a URL with an address in it under a policy without exceptions.
fn verdict(url: &str) -> &'static str {
    let Ok(target) = Target::parse(url) else { return "no url" };
    let policy = Policy::production(Vec::new(), None);
    match target.host {
        Host::Name(_) => "a name",
        Host::Address(address) => policy.admit(&target, address).map_or("refused", |_| "allowed"),
    }
}

#[test]
fn abuse_48_an_address_of_ours_is_refused_in_every_spelling() {
    for host in [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.100.100.200",
        "100.127.255.255",
        "168.63.129.16",
        "169.254.169.254",
        "169.254.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.168.255.255",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000:0000:0000:0000:0000:0000:0000:0001]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::FFFF:169.254.169.254]",
        "[::ffff:10.0.0.1]",
        "[::ffff:c0a8:1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::8.8.8.8]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[2002:c0a8:1::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[2001:2::1]",
        "[2001:10::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[3fff:fff::1]",
        "[100::1]",
        "[4000::1]",
        "[5f00::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fdff:ffff::1]",
        "[fe80::1]",
        "[febf::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[ff0e::1]",
    ] {
        assert_eq!(verdict(&format!("https://{host}/")), "refused", "{host}");
        assert_eq!(verdict(&format!("https://{host}:8443/a?b")), "refused", "{host}");
    }
}

#[test]
fn abuse_48_what_has_two_readings_is_no_url() {
    for url in [
        "",
        "/path",
        "//127.0.0.1/",
        "https:",
        "https://",
        "https:///etc/passwd",
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com:70/",
        "data:text/plain,a",
        "javascript:alert(1)",
        "http+unix://socket/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0X7F000001/",
        "https://0x7f.0.0.1/",
        "https://127.0.0.0x1/",
        "https://0x7f.0x0.0x0.0x1/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://0177.0.0.01/",
        "https://127.0.0.01/",
        "https://127.1/",
        "https://127.0.1/",
        "https://0/",
        "https://example.1/",
        "https://127.0.0.1./",
        "https://localhost./",
        "https://127.0.0.256/",
        "https://127.0.0.1.1/",
        "https://127。0。0。1/",
        "https://①②⑦.0.0.1/",
        "https://%31%32%37.0.0.1/",
        "https://localhos%74/",
        "https://[::1/",
        "https://::1/",
        "https://[::1%25lo]/",
        "https://[fe80::1%eth0]/",
        "https://[127.0.0.1]/",
        "https://[::ffff:0177.0.0.1]/",
        "https://[::1]x/",
        "https://[v1.a]/",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://@127.0.0.1/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://example.com\\.internal/",
        "https://example.com:/",
        "https://example.com:0/",
        "https://example.com:+443/",
        "https://example.com:65536/",
        "https://example.com:443:80/",
        "https://example.com:4a/",
        "https://exa mple.com/",
        " https://example.com/",
        "https://example.com/a b",
        "https://example.com/\r\nHost: a",
        "https://exam\tple.com/",
        "https://exam\0ple.com/",
        "https://.example.com/",
        "https://a..example.com/",
        "https://*.example.com/",
        "https://exa(mple.com/",
    ] {
        assert_eq!(verdict(url), "no url", "{url:?}");
    }
    let long = format!("https://example.com/{}", "a".repeat(2048));
    assert_eq!(verdict(&long), "no url");
    assert_eq!(verdict(&format!("https://{}.com/", "a".repeat(64))), "no url");
}

#[test]
fn addresses_of_the_internet_are_asked_over_https_at_usual_ports() {
    for host in ["8.8.8.8", "100.63.255.255", "172.32.0.1", "[2001:4860:4860::8888]", "[2a00:1450::1]"] {
        assert_eq!(verdict(&format!("https://{host}/")), "allowed", "{host}");
        for (port, expected) in [(80, "allowed"), (443, "allowed"), (1024, "allowed"), (65535, "allowed")] {
            assert_eq!(verdict(&format!("https://{host}:{port}/")), expected, "{host} {port}");
        }
        for port in [1, 22, 25, 81, 1023] {
            assert_eq!(verdict(&format!("https://{host}:{port}/")), "refused", "{host} {port}");
        }
        assert_eq!(verdict(&format!("http://{host}/")), "refused", "plain http to {host}");
    }
    assert_eq!(verdict("https://[::ffff:8.8.8.8]/"), "allowed");
    assert_eq!(verdict("https://[64:ff9b::8.8.8.8]/"), "allowed");
    assert_eq!(verdict("HTTPS://Example.COM/"), "a name");
}

#[test]
fn a_url_is_read_into_host_port_and_path() {
    let read = |url| Target::parse(url).map(|target| (target.authority(), target.port, target.path)).unwrap();
    let expected = |authority: &str, port, path: &str| (authority.to_owned(), port, path.to_owned());
    assert_eq!(read("https://Keys.example/a?b=c#d"), expected("keys.example", 443, "/a?b=c"));
    assert_eq!(read("https://keys.example"), expected("keys.example", 443, "/"));
    assert_eq!(read("https://keys.example?a"), expected("keys.example", 443, "/?a"));
    assert_eq!(read("http://keys.example:443/"), expected("keys.example:443", 443, "/"));
    assert_eq!(read("https://[2A00::1]:8443/"), expected("[2a00::1]:8443", 8443, "/"));
}

#[test]
fn exceptions_are_read_and_printed() {
    for text in [
        "keys.internal",
        "keys.internal:8443",
        "10.2.0.0/16",
        "10.2.3.4",
        "10.2.3.4:25",
        "10.2.0.0/16:443",
        "fd00::/8",
        "[fd00::1/128]:8443",
        "localhost",
    ] {
        assert_eq!(text.parse::<Exception>().unwrap().to_string(), text);
    }
    for bad in
        ["", "*", "0.0.0.0/0", "::/0", "a b", "keys.internal:0", "keys:x", "0x7f.1", "10.0.0.0/33", "[::1"]
    {
        assert_eq!(bad.parse::<Exception>(), Err(NotAnException), "{bad:?}");
    }
}

#[test]
fn an_exception_allows_what_it_names_and_no_more() {
    let allow = ["keys.internal", "mail.internal:25", "10.2.0.0/16", "[fd00::7]:8443"];
    let policy = Policy::production(allow.iter().map(|text| text.parse().unwrap()).collect(), None);
    let admit = |url: &str, address: &str| {
        let address: IpAddr = address.parse().unwrap();
        policy.admit(&Target::parse(url).unwrap(), address)
    };
    let excepted = Some(Admitted::ByException);
    assert_eq!(admit("https://keys.internal/", "192.168.1.1"), excepted);
    assert_eq!(admit("https://keys.internal:8443/", "127.0.0.1"), excepted);
    assert_eq!(admit("https://keys.internal/", "8.8.8.8"), Some(Admitted::Ordinary));
    assert_eq!(admit("https://keys.internal/", "169.254.169.254"), None, "a name leads to no metadata");
    assert_eq!(admit("https://keys.internal:22/", "192.168.1.1"), None);
    assert_eq!(admit("http://keys.internal/", "192.168.1.1"), None, "https stays");
    assert_eq!(admit("https://other.internal/", "192.168.1.1"), None);
    assert_eq!(admit("https://mail.internal:25/", "192.168.1.1"), excepted);
    assert_eq!(admit("https://mail.internal/", "192.168.1.1"), None);
    assert_eq!(admit("https://anything.example/", "10.2.255.255"), excepted);
    assert_eq!(admit("https://anything.example/", "10.3.0.0"), None);
    assert_eq!(admit("https://anything.example:8443/", "fd00::7"), excepted);
    assert_eq!(admit("https://anything.example/", "fd00::7"), None);
}

#[test]
fn dev_asks_this_machine_over_http_and_nothing_else_of_ours() {
    let admit = |url: &str, address: &str| {
        Policy::dev().admit(&Target::parse(url).unwrap(), address.parse().unwrap())
    };
    assert_eq!(admit("http://localhost:3000/", "127.0.0.1"), Some(Admitted::ByException));
    assert_eq!(admit("http://localhost:3000/", "::1"), Some(Admitted::ByException));
    assert_eq!(admit("http://localhost:25/", "127.0.0.1"), None);
    assert_eq!(admit("http://example.com/", "8.8.8.8"), None);
    assert_eq!(admit("https://example.com/", "10.0.0.1"), None);
    assert_eq!(range("::1".parse().unwrap()), Some(Range::Loopback));
}

#[test]
fn freshness_is_read_as_stated() {
    let stated = |lines: &[&str]| {
        let mut headers = hyper::HeaderMap::new();
        for line in lines {
            headers.append(header::CACHE_CONTROL, line.parse().unwrap());
        }
        exchange::max_age(&headers).map(|age| age.as_secs())
    };
    assert_eq!(stated(&[]), None);
    assert_eq!(stated(&["public, MAX-AGE=600, must-revalidate"]), Some(600));
    assert_eq!(stated(&["public", "max-age=\"60\""]), Some(60));
    assert_eq!(stated(&["max-age=600", "no-store"]), Some(0));
    assert_eq!(stated(&["max-age=-1"]), None);
    assert_eq!(stated(&["max-age=99999999999999999999999"]), None);
}
