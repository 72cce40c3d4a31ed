//! Ranges of IP addresses that are not the public internet: [`AddressKind`].

use std::net::IpAddr;

use self::AddressKind::{
    Benchmarking, CloudMetadata, Documentation, LinkLocal, Loopback, Multicast, Private, Protocol,
    Reserved, Shared, SiteLocal, Transition, UniqueLocal, Unspecified,
};
use super::network::Network;
use crate::named::named;

/// Kind of an IP address outside of the public internet.
///
/// Source: IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), its registries of
/// multicast and of unallocated IPv6 addresses, and the documentation of cloud providers. Addresses
/// that the registries call globally reachable are included: they belong to services such as
/// Teredo and AS112, which the nearest router may answer, and not to receivers of webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AddressKind {
    /// Unspecified, or "this network". Many systems take it as loopback.
    Unspecified,
    /// Loopback: the host itself.
    Loopback,
    /// Private use (RFC 1918).
    Private,
    /// Shared between a provider and its customers: carrier-grade NAT (RFC 6598).
    Shared,
    /// Link-local: the hosts of one link.
    LinkLocal,
    /// Unique local: the private use of IPv6 (RFC 4193).
    UniqueLocal,
    /// Site-local, which unique local addresses replaced (RFC 3879).
    SiteLocal,
    /// Multicast.
    Multicast,
    /// Documentation and examples.
    Documentation,
    /// Benchmarks of network devices.
    Benchmarking,
    /// Assigned to a protocol of the network itself.
    Protocol,
    /// Transition from IPv4 to IPv6: tunnels and translators that can lead to any IPv4 address.
    Transition,
    /// Reserved for the future, not allocated, or broadcast.
    Reserved,
    /// A cloud provider's metadata service, which hands out the credentials of the host.
    CloudMetadata,
}

named!(AddressKind, "address kind", {
    Unspecified => "unspecified",
    Loopback => "loopback",
    Private => "private",
    Shared => "shared",
    LinkLocal => "link_local",
    UniqueLocal => "unique_local",
    SiteLocal => "site_local",
    Multicast => "multicast",
    Documentation => "documentation",
    Benchmarking => "benchmarking",
    Protocol => "protocol",
    Transition => "transition",
    Reserved => "reserved",
    CloudMetadata => "cloud_metadata",
});

/// A range, and its kind; `None` if it is the public internet.
type Range = (Network, Option<AddressKind>);

const fn v4(octets: [u8; 4], prefix_len: u8, kind: AddressKind) -> Range {
    (Network::v4(octets, prefix_len), Some(kind))
}

const fn v6(segments: [u16; 8], prefix_len: u8, kind: AddressKind) -> Range {
    (Network::v6(segments, prefix_len), Some(kind))
}

/// The ranges, of which the most specific one counts. IPv4 is public except for these; IPv6 only in
/// the part that is allocated.
#[rustfmt::skip]
const RANGES: [Range; 56] = [
    v4([0, 0, 0, 0], 8, Unspecified),                         // RFC 791, RFC 1122
    v4([10, 0, 0, 0], 8, Private),                            // RFC 1918
    v4([100, 64, 0, 0], 10, Shared),                          // RFC 6598
    v4([100, 100, 100, 200], 32, CloudMetadata),              // Alibaba Cloud
    v4([127, 0, 0, 0], 8, Loopback),                          // RFC 1122
    v4([168, 63, 129, 16], 32, CloudMetadata),                // Azure, from a public range
    v4([169, 254, 0, 0], 16, LinkLocal),                      // RFC 3927
    v4([169, 254, 0, 23], 32, CloudMetadata),                 // Tencent Cloud
    v4([169, 254, 10, 10], 32, CloudMetadata),                // Tencent Cloud
    v4([169, 254, 42, 42], 32, CloudMetadata),                // Scaleway
    v4([169, 254, 169, 254], 32, CloudMetadata),              // AWS, Azure, Google Cloud and others
    v4([169, 254, 170, 2], 32, CloudMetadata),                // AWS: containers of ECS
    v4([169, 254, 170, 23], 32, CloudMetadata),               // AWS: pods of EKS
    v4([172, 16, 0, 0], 12, Private),                         // RFC 1918
    v4([192, 0, 0, 0], 24, Protocol),                         // RFC 6890 and what is in it
    v4([192, 0, 0, 192], 32, CloudMetadata),                  // Oracle Cloud, Classic
    v4([192, 0, 2, 0], 24, Documentation),                    // RFC 5737
    v4([192, 31, 196, 0], 24, Protocol),                      // RFC 7535: AS112
    v4([192, 52, 193, 0], 24, Protocol),                      // RFC 7450: AMT
    v4([192, 88, 99, 0], 24, Transition),                     // RFC 7526: relays of 6to4
    v4([192, 168, 0, 0], 16, Private),                        // RFC 1918
    v4([192, 175, 48, 0], 24, Protocol),                      // RFC 7534: AS112
    v4([198, 18, 0, 0], 15, Benchmarking),                    // RFC 2544
    v4([198, 51, 100, 0], 24, Documentation),                 // RFC 5737
    v4([203, 0, 113, 0], 24, Documentation),                  // RFC 5737
    v4([224, 0, 0, 0], 4, Multicast),                         // RFC 5771
    v4([240, 0, 0, 0], 4, Reserved),                          // RFC 1112, RFC 919: broadcast
    // Everything that is not allocated, RFC 4291.
    v6([0, 0, 0, 0, 0, 0, 0, 0], 0, Reserved),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 96, Transition),             // RFC 4291: IPv4-compatible
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, Unspecified),           // RFC 4291
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, Loopback),              // RFC 4291
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Transition),     // RFC 8215: NAT64 of a network
    v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64, Protocol),           // RFC 6666: discarded
    v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64, Protocol),           // RFC 9780: dummy
    (Network::v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3), None),    // RFC 4291: global unicast
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Protocol),          // RFC 2928 and what is in it
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Transition),        // RFC 4380: Teredo
    v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, Benchmarking),      // RFC 5180
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Documentation), // RFC 3849
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Transition),        // RFC 3056: 6to4
    v6([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, Protocol),  // RFC 7534: AS112
    v6([0x3ffe, 0, 0, 0, 0, 0, 0, 0], 16, Reserved),          // RFC 3701: the former 6bone
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Documentation),     // RFC 9637
    v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, Protocol),          // RFC 9602: segment routing
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, UniqueLocal),        // RFC 4193
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128, CloudMetadata),         // Scaleway
    v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128, CloudMetadata),  // Oracle Cloud
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128, CloudMetadata),        // AWS: pods of EKS
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, CloudMetadata),       // AWS
    v6([0xfd00, 0x100, 0, 0, 0, 0, 0x100, 0x200], 128, CloudMetadata),   // Alibaba Cloud
    v6([0xfd00, 0xa9fe, 0xa9fe, 0, 0, 0, 0, 1], 128, CloudMetadata),     // Akamai
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, CloudMetadata),        // Google Cloud
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, LinkLocal),         // RFC 4291
    v6([0xfe80, 0, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128, CloudMetadata),     // OpenStack, Akamai
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, SiteLocal),         // RFC 3879
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Multicast),          // RFC 4291
];

/// Returns the range of the address and its kind; `None` if it is an address of the public
/// internet.
pub(super) fn special_range(address: IpAddr) -> Option<(Network, AddressKind)> {
    let ranges = RANGES.iter().filter(|(network, _)| network.has(address));
    let (network, kind) = ranges.max_by_key(|(network, _)| network.prefix_len())?;
    kind.map(|kind| (*network, kind))
}
