//! Network addresses: one spelling for each, networks as prefixes, and the client's address
//! behind trusted proxies. Pure functions; nothing here opens a socket.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The address of the client of a request, as far as we trust what we were told: the peer itself,
/// or what a trusted proxy said of it. Always canonical, so that equal clients compare equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientAddr(pub IpAddr);

impl ClientAddr {
    /// The network to count this client under, see [`network`].
    #[must_use]
    pub fn network(self) -> Network {
        network(self.0)
    }
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An address range in CIDR form. The address is canonical and its host bits are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is not an address range such as `10.0.0.0/8`, `::1` or `2001:db8::/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an address range such as 10.0.0.0/8 or 2001:db8::/32")]
pub struct NotANetwork;

/// An `X-Forwarded-For` of a trusted proxy that cannot be understood. The request must be refused:
/// guessing an address would let a client choose the one that it is counted under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the X-Forwarded-For header cannot be understood")]
pub struct MalformedForwardedFor;

/// More hops than any honest chain of proxies has.
const MOST_HOPS: usize = 32;

/// The one spelling of an address: IPv4 that came mapped into IPv6 (`::ffff:192.0.2.1`) is IPv4.
#[must_use]
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The network that an address is counted under: IPv4 /32, IPv6 /64 (a customer's line has a
/// whole /64 at least, so the single address means nothing).
#[must_use]
pub fn network(address: IpAddr) -> Network {
    let address = canonical(address);
    let prefix = if address.is_ipv4() { 32 } else { 64 };
    Network { address: masked(address, prefix), prefix }
}

/// The client of a request from `peer` that brought these `X-Forwarded-For` headers, in order.
///
/// The header counts only if the peer is one of `proxies`. Then it is read from the right, over
/// further proxies of ours, up to the first address that is not: what stands left of it was said
/// by the client. Without the header a proxy speaks for itself (its health checks).
///
/// # Errors
/// If a trusted peer sent a header of which any entry is not an address.
pub fn client<'a>(
    peer: IpAddr,
    forwarded_for: impl IntoIterator<Item = &'a [u8]>,
    proxies: &[Network],
) -> Result<ClientAddr, MalformedForwardedFor> {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let peer = canonical(peer);
    if !trusted(peer) {
        return Ok(ClientAddr(peer));
    }
    let mut hops = Vec::new();
    for header in forwarded_for {
        let header = std::str::from_utf8(header).map_err(|_| MalformedForwardedFor)?;
        for entry in header.split(',') {
            if hops.len() == MOST_HOPS {
                return Err(MalformedForwardedFor);
            }
            hops.push(hop(entry.trim_matches([' ', '\t'])).ok_or(MalformedForwardedFor)?);
        }
    }
    let client = hops.iter().rev().find(|hop| !trusted(**hop)).or(hops.first());
    Ok(ClientAddr(client.copied().unwrap_or(peer)))
}

/// One entry: an address, perhaps with a port (some proxies add it), IPv6 then in brackets.
fn hop(entry: &str) -> Option<IpAddr> {
    let address = if let Some(rest) = entry.strip_prefix('[') {
        let (address, after) = rest.split_once(']')?;
        if !after.is_empty() {
            after.strip_prefix(':')?.parse::<u16>().ok()?;
        }
        IpAddr::V6(address.parse().ok()?)
    } else if let Some((address, port)) = entry.split_once(':').filter(|(_, port)| !port.contains(':')) {
        port.parse::<u16>().ok()?;
        IpAddr::V4(address.parse().ok()?)
    } else {
        entry.parse().ok()?
    };
    Some(canonical(address))
}

fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits() & mask))
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & mask))
        }
    }
}

impl Network {
    /// Whether an address lies in this range.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        address.is_ipv4() == self.address.is_ipv4() && masked(address, self.prefix) == self.address
    }

    /// Whether this is every address there is.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.prefix == 0
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        let prefix: u8 = match prefix {
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| NotANetwork)?
            }
            Some(_) => return Err(NotANetwork),
            None => widest,
        };
        if prefix > widest {
            return Err(NotANetwork);
        }
        match (address, address.to_canonical()) {
            (IpAddr::V6(_), v4 @ IpAddr::V4(_)) => {
                let prefix = prefix.checked_sub(96).ok_or(NotANetwork)?;
                Ok(Network { address: masked(v4, prefix), prefix })
            }
            _ => Ok(Network { address: masked(address, prefix), prefix }),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            IpAddr::V4(v4) if self.prefix == 32 => v4.fmt(f),
            address => write!(f, "{address}/{}", self.prefix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn seen(peer: &str, headers: &[&str]) -> Option<String> {
        let proxies = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap());
        let headers = headers.iter().map(|header| header.as_bytes());
        client(ip(peer), headers, &proxies).ok().map(|client| client.to_string())
    }

    #[test]
    fn an_untrusted_peer_is_its_own_client_whatever_it_says() {
        assert_eq!(seen("192.0.2.1", &["198.51.100.7"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(seen("192.0.2.1", &["rubbish"]).as_deref(), Some("192.0.2.1"));
        assert_eq!(seen("::ffff:192.0.2.1", &[]).as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn a_trusted_proxy_is_believed_from_the_right() {
        let table = [
            ("10.0.0.1", &["198.51.100.7"][..], "198.51.100.7"),
            ("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9, 198.51.100.7, 10.2.3.4"], "198.51.100.7"),
            ("10.0.0.1", &["203.0.113.9", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["10.9.9.9, 10.2.3.4"], "10.9.9.9"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("fd00::1", &["2001:DB8:0::1"], "2001:db8::1"),
            ("10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1", &["[2001:db8::1]:443"], "2001:db8::1"),
            ("10.0.0.1", &["[2001:db8::1]"], "2001:db8::1"),
            ("10.0.0.1", &["0:0:0:0:0:ffff:198.51.100.7"], "198.51.100.7"),
        ];
        for (peer, headers, expected) in table {
            assert_eq!(seen(peer, headers).as_deref(), Some(expected), "{peer} {headers:?}");
        }
    }

    #[test]
    fn abuse_18_a_malformed_header_of_a_proxy_is_refused() {
        let many = "192.0.2.1,".repeat(MOST_HOPS) + "192.0.2.1";
        for header in [
            "",
            "unknown",
            "198.51.100.7,",
            ",198.51.100.7",
            "rubbish, 198.51.100.7",
            "198.51.100.7 192.0.2.1",
            "010.0.0.1",
            "1.2.3",
            "198.51.100.7:99999",
            "[2001:db8::1",
            "[2001:db8::1]443",
            "fe80::1%eth0",
            "[198.51.100.7]",
            "\u{661}.2.3.4",
            "0x7f.0.0.1",
            &many,
        ] {
            assert_eq!(seen("10.0.0.1", &[header]), None, "{header:?}");
        }
        let proxies = ["10.0.0.0/8".parse().unwrap()];
        assert_eq!(client(ip("10.0.0.1"), [&b"\xff"[..]], &proxies), Err(MalformedForwardedFor));
    }

    #[test]
    fn abuse_26_an_address_has_one_spelling_and_ipv6_counts_by_64() {
        assert_eq!(network(ip("2001:db8:1:2:3:4:5:6")), network(ip("2001:0DB8:1:2::9")));
        assert_ne!(network(ip("2001:db8:1:2::1")), network(ip("2001:db8:1:3::1")));
        assert_eq!(network(ip("::ffff:192.0.2.1")), network(ip("192.0.2.1")));
        assert_ne!(network(ip("192.0.2.1")), network(ip("192.0.2.2")));
        assert_eq!(network(ip("2001:db8:1:2:3::")).to_string(), "2001:db8:1:2::/64");
        assert_eq!(network(ip("192.0.2.1")).to_string(), "192.0.2.1");
    }

    #[test]
    fn networks_are_parsed_and_contain() {
        let parse = |text: &str| text.parse::<Network>();
        assert_eq!(parse("10.1.2.3/8").unwrap().to_string(), "10.0.0.0/8");
        assert_eq!(parse("::ffff:10.0.0.0/104").unwrap(), parse("10.0.0.0/8").unwrap());
        assert!(parse("10.0.0.0/8").unwrap().contains(ip("::ffff:10.200.0.1")));
        assert!(!parse("10.0.0.0/8").unwrap().contains(ip("11.0.0.1")));
        assert!(!parse("::/0").unwrap().contains(ip("10.0.0.1")));
        assert!(parse("127.0.0.1").unwrap().contains(ip("127.0.0.1")));
        assert!(parse("0.0.0.0/0").unwrap().is_everything() && parse("::/0").unwrap().is_everything());
        for bad in ["", "10.0.0.0/33", "10.0.0.0/+8", "10.0.0.0/", "::/129", "ten/8", "10.0.0.0/8/8"] {
            assert_eq!(parse(bad), Err(NotANetwork), "{bad:?}");
        }
    }
}
