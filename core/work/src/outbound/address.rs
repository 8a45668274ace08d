//! Which addresses are everybody's, and which are only ours: the special-purpose registries of
//! RFC 6890 and their additions, as a closed list for IPv4 and an open one for IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address that is not everybody's is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    /// This machine.
    Loopback,
    /// A private network, that of a carrier included.
    Private,
    /// The own link, where clouds keep their metadata.
    LinkLocal,
    /// Anything else that no host of the internet has.
    Reserved,
}

const V4: [(Ipv4Addr, u32, Range); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, Range::Reserved),
    (Ipv4Addr::new(10, 0, 0, 0), 8, Range::Private),
    (Ipv4Addr::new(100, 64, 0, 0), 10, Range::Private),
    (Ipv4Addr::new(127, 0, 0, 0), 8, Range::Loopback),
    // Looks public, but is the host of a virtual machine in Azure.
    (Ipv4Addr::new(168, 63, 129, 16), 32, Range::LinkLocal),
    (Ipv4Addr::new(169, 254, 0, 0), 16, Range::LinkLocal),
    (Ipv4Addr::new(172, 16, 0, 0), 12, Range::Private),
    (Ipv4Addr::new(192, 0, 0, 0), 24, Range::Reserved),
    (Ipv4Addr::new(192, 0, 2, 0), 24, Range::Reserved),
    (Ipv4Addr::new(192, 88, 99, 0), 24, Range::Reserved),
    (Ipv4Addr::new(192, 168, 0, 0), 16, Range::Private),
    (Ipv4Addr::new(198, 18, 0, 0), 15, Range::Reserved),
    (Ipv4Addr::new(198, 51, 100, 0), 24, Range::Reserved),
    (Ipv4Addr::new(203, 0, 113, 0), 24, Range::Reserved),
    (Ipv4Addr::new(224, 0, 0, 0), 4, Range::Reserved),
    (Ipv4Addr::new(240, 0, 0, 0), 4, Range::Reserved),
];

/// What a canonical address is kept for; none if it is an ordinary one of the internet.
pub(super) fn range(address: IpAddr) -> Option<Range> {
    match address {
        IpAddr::V4(v4) => range_v4(v4),
        IpAddr::V6(v6) => range_v6(v6),
    }
}

fn range_v4(address: Ipv4Addr) -> Option<Range> {
    let within = |network: Ipv4Addr, prefix| (address.to_bits() ^ network.to_bits()) >> (32 - prefix) == 0;
    V4.iter().find(|(network, prefix, _)| within(*network, *prefix)).map(|(_, _, range)| *range)
}

fn range_v6(address: Ipv6Addr) -> Option<Range> {
    let low = |shift: u32| Ipv4Addr::from_bits((address.to_bits() >> shift) as u32);
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Range::Loopback),
        // IPv4 in IPv6: mapped (RFC 4291), translated (RFC 6052), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _] => range_v4(low(0)),
        [0x2002, ..] => range_v4(low(80)),
        [first, ..] if first & 0xfe00 == 0xfc00 => Some(Range::Private),
        [first, ..] if first & 0xffc0 == 0xfe80 => Some(Range::LinkLocal),
        // Protocols' own (Teredo, benchmarks, ORCHID; RFC 2928) and documentation.
        [0x2001, second, ..] if second < 0x0200 || second == 0x0db8 => Some(Range::Reserved),
        [first, second, ..] if first == 0x3fff && second < 0x1000 => Some(Range::Reserved),
        // All that was ever given out is in 2000::/3.
        [first, ..] if first & 0xe000 == 0x2000 => None,
        _ => Some(Range::Reserved),
    }
}
