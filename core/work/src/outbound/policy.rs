//! What may be asked beyond the ordinary: explicit exceptions, by host or network, each for one
//! port or for the usual ones.

use super::{
    address::{Range, range},
    target::{self, Host, Target},
};
use base::net::Network;
use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

/// What the client may ask. Without exceptions: https at ordinary addresses of the internet, at
/// port 80, 443 or from 1024.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// What is allowed although it is ours, or at another port.
    pub allow: Vec<Exception>,
    /// Certificate authorities (PEM) that are trusted besides the machine's.
    pub ca_file: Option<PathBuf>,
    /// Whether what an exception names may be asked over plain http too. Nothing else may.
    pub allow_http: bool,
}

/// A destination that is allowed although the rules forbid it.
///
/// As text: `keys.internal`, `keys.internal:8443`, `10.2.0.0/16`, `10.2.3.4:443`, `fd00::/8`,
/// `[fd00::1]:8443`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The hosts.
    pub to: Destination,
    /// The one port; without it 80, 443 and those from 1024.
    pub port: Option<u16>,
}

/// What an exception names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A name, in lower case. It may lead to this machine and to private networks; not to the own
    /// link, where clouds keep their secrets, which only a network can allow.
    Host(String),
    /// Addresses.
    Network(Network),
}

/// A text that is no [`Exception`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a host or an address range such as keys.internal:8443, 10.2.0.0/16 or [fd00::1]:8443")]
pub struct NotAnException;

/// By which right an address may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admitted {
    Ordinary,
    ByException,
}

impl Policy {
    /// For `dev`: this machine may be asked, over http too.
    pub fn dev() -> Self {
        let allow = ["127.0.0.0/8", "::1"].iter().filter_map(|text| text.parse().ok()).collect();
        Self { allow, ca_file: None, allow_http: true }
    }

    /// For `serve`: these exceptions, over https, with these authorities besides the machine's.
    pub const fn production(allow: Vec<Exception>, ca_file: Option<PathBuf>) -> Self {
        Self { allow, ca_file, allow_http: false }
    }

    /// Whether this address of the target may be asked; none if not.
    pub(super) fn admit(&self, target: &Target, address: IpAddr) -> Option<Admitted> {
        if target.https && is_usual(target.port) && range(address).is_none() {
            return Some(Admitted::Ordinary);
        }
        let excepted = self.allow.iter().any(|exception| exception.covers(target, address));
        (excepted && (target.https || self.allow_http)).then_some(Admitted::ByException)
    }
}

impl Exception {
    fn covers(&self, target: &Target, address: IpAddr) -> bool {
        let port = self.port.map_or_else(|| is_usual(target.port), |port| port == target.port);
        port && match (&self.to, &target.host) {
            (Destination::Network(network), _) => network.contains(address),
            (Destination::Host(allowed), Host::Name(name)) => {
                allowed == name && matches!(range(address), None | Some(Range::Loopback | Range::Private))
            }
            (Destination::Host(_), Host::Address(_)) => false,
        }
    }
}

const fn is_usual(port: u16) -> bool {
    matches!(port, 80 | 443 | 1024..)
}

impl FromStr for Exception {
    type Err = NotAnException;

    fn from_str(text: &str) -> Result<Self, NotAnException> {
        read(text).filter(|exception| !exception.is_everything()).ok_or(NotAnException)
    }
}

impl Exception {
    /// An exception for everything would be no guard at all.
    fn is_everything(&self) -> bool {
        matches!(&self.to, Destination::Network(network) if network.is_everything())
    }
}

fn read(text: &str) -> Option<Exception> {
    if let Some(rest) = text.strip_prefix('[') {
        let (network, after) = rest.split_once(']')?;
        let port = if after.is_empty() { None } else { Some(target::port(after.strip_prefix(':')?)?) };
        return Some(Exception { to: Destination::Network(network.parse().ok()?), port });
    }
    if let Ok(network) = text.parse() {
        return Some(Exception { to: Destination::Network(network), port: None });
    }
    let (host, port) = match text.split_once(':') {
        Some((host, digits)) => (host, Some(target::port(digits)?)),
        None => (text, None),
    };
    let to = match (host.parse(), Host::parse(host)) {
        (Ok(network), _) => Destination::Network(network),
        (_, Some(Host::Name(name))) => Destination::Host(name),
        _ => return None,
    };
    Some(Exception { to, port })
}

impl fmt::Display for Exception {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            Destination::Host(name) => f.write_str(name)?,
            Destination::Network(network) if self.port.is_some() && network.to_string().contains(':') => {
                write!(f, "[{network}]")?;
            }
            Destination::Network(network) => network.fmt(f)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
