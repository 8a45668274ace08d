//! A URL that may be asked, read strictly: what has two readings is refused, so that nobody after
//! us (a resolver, a system call) can read it differently.

use super::OutboundError;
use hyper::Uri;
use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

const LONGEST: usize = 2048;

/// The host of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host {
    /// A name, in lower case.
    Name(String),
    /// An address in its usual spelling.
    Address(IpAddr),
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) https: bool,
    pub(super) host: Host,
    pub(super) port: u16,
    /// Path and query.
    pub(super) path: String,
}

impl Target {
    /// Reads an absolute URL of http or https (RFC 9110, section 4.2), without user information
    /// (section 4.2.4). A fragment is dropped.
    pub(super) fn parse(url: &str) -> Result<Self, OutboundError> {
        Self::read(url).ok_or(OutboundError::Url)
    }

    fn read(url: &str) -> Option<Self> {
        if url.len() > LONGEST {
            return None;
        }
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let (https, usual) = match scheme.as_str() {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return None,
        };
        let authority = uri.authority()?;
        let after_host = authority.as_str().strip_prefix(authority.host())?;
        let port = if after_host.is_empty() { usual } else { port(after_host.strip_prefix(':')?)? };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Self { https, host: Host::parse(authority.host())?, port, path })
    }

    /// Host and port for the `Host` header; the usual port is left out.
    pub(super) fn authority(&self) -> String {
        let usual = if self.https { 443 } else { 80 };
        if self.port == usual { self.host.to_string() } else { format!("{}:{}", self.host, self.port) }
    }
}

impl Host {
    /// A name of letters, digits, hyphens and underscores, or an address: IPv4 as four decimal
    /// numbers, IPv6 in brackets. A name whose last label is a number is an address in disguise
    /// (`127.1`, `0x7f000001`, `017700000001`) and is refused.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(inner) = text.strip_prefix('[') {
            let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(IpAddr::V6(address).to_canonical()));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(IpAddr::V4(address)));
        }
        let name = text.to_ascii_lowercase();
        let last = name.rsplit('.').next()?;
        let numeric = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
        (name.len() <= 253 && !numeric && name.split('.').all(is_label)).then_some(Self::Name(name))
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// A port in digits, not zero.
pub(super) fn port(digits: &str) -> Option<u16> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|port| plain && *port != 0)
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}
