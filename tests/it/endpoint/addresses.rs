//! Address policies: special ranges, IPv4 inside of IPv6, allowed and refused networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use labhook::endpoint::{AddressError, AddressKind, AddressPolicy, Network};
use proptest::prelude::*;

use crate::support::config;

/// The registries' ranges, by first and last address. Those of cloud providers are below.
const SPECIAL: [(&str, &str, &str); 65] = [
    ("0.0.0.0", "0.255.255.255", "unspecified"),
    ("10.0.0.0", "10.255.255.255", "private"),
    ("100.64.0.0", "100.127.255.255", "shared"),
    ("127.0.0.0", "127.255.255.255", "loopback"),
    ("169.254.0.0", "169.254.255.255", "link_local"),
    ("172.16.0.0", "172.31.255.255", "private"),
    ("192.0.0.0", "192.0.0.255", "protocol"),
    // Dual-Stack Lite, dummy, PCP, TURN, DNS64.
    ("192.0.0.0", "192.0.0.7", "protocol"),
    ("192.0.0.8", "192.0.0.8", "protocol"),
    ("192.0.0.9", "192.0.0.9", "protocol"),
    ("192.0.0.10", "192.0.0.10", "protocol"),
    ("192.0.0.170", "192.0.0.171", "protocol"),
    ("192.0.2.0", "192.0.2.255", "documentation"),
    ("192.31.196.0", "192.31.196.255", "protocol"),
    ("192.52.193.0", "192.52.193.255", "protocol"),
    ("192.88.99.0", "192.88.99.255", "transition"),
    ("192.168.0.0", "192.168.255.255", "private"),
    ("192.175.48.0", "192.175.48.255", "protocol"),
    ("198.18.0.0", "198.19.255.255", "benchmarking"),
    ("198.51.100.0", "198.51.100.255", "documentation"),
    ("203.0.113.0", "203.0.113.255", "documentation"),
    ("224.0.0.0", "239.255.255.255", "multicast"),
    ("240.0.0.0", "255.255.255.255", "reserved"),
    ("255.255.255.255", "255.255.255.255", "reserved"),
    ("::", "::", "unspecified"),
    ("::1", "::1", "loopback"),
    ("::2", "::ffff:ffff", "transition"),
    ("::1:0:0", "::fffe:ffff:ffff", "reserved"),
    // IPv4-mapped, IPv4-translated, NAT64, and what is between them.
    ("::ffff:a00:0", "::ffff:aff:ffff", "private"),
    ("::ffff:0:0:0", "::ffff:0:ffff:ffff", "reserved"),
    ("::1:0:0:0", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
    ("64:ff9b::a00:0", "64:ff9b::aff:ffff", "private"),
    ("64:ff9b::1:0:0", "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", "reserved"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "transition"),
    ("64:ff9b:2::", "ff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
    ("100::", "100::ffff:ffff:ffff:ffff", "protocol"),
    ("100:0:0:1::", "100::1:ffff:ffff:ffff:ffff", "protocol"),
    ("100:0:0:2::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "transition"),
    // PCP, TURN, DNS-SD, then benchmarks, AMT, AS112, both ORCHIDs, drones, and what is left of
    // 2001::/23.
    ("2001:1::", "2001:1:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"),
    ("2001:1::1", "2001:1::1", "protocol"),
    ("2001:1::2", "2001:1::2", "protocol"),
    ("2001:1::3", "2001:1::3", "protocol"),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "benchmarking"),
    ("2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"),
    ("2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", "protocol"),
    ("2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"),
    ("2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"),
    ("2001:30::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"),
    ("2001:2:1::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"),
    ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "transition"),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", "protocol"),
    ("3ffe::", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"),
    ("4000::", "5eff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "protocol"),
    ("5f01::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
    ("fc00::", "fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unique_local"),
    ("fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unique_local"),
    ("fe00::", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link_local"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "site_local"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"),
    ("ff02::1", "ff02::1", "multicast"),
];

const METADATA: [&str; 17] = [
    "100.100.100.200",
    "168.63.129.16",
    "169.254.0.23",
    "169.254.10.10",
    "169.254.42.42",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.170.23",
    "192.0.0.192",
    "fd00:42::42",
    "fd00:c1::a9fe:a9fe",
    "fd00:ec2::23",
    "fd00:ec2::254",
    "fd00:100::100:200",
    "fd00:a9fe:a9fe::1",
    "fd20:ce::254",
    "fe80::a9fe:a9fe",
];

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn net(text: &str) -> Network {
    text.parse().unwrap()
}

/// The address as a number, above all IPv4 addresses if it is IPv6.
fn number(address: IpAddr) -> (bool, u128) {
    match address {
        IpAddr::V4(v4) => (false, u32::from(v4).into()),
        IpAddr::V6(v6) => (true, v6.into()),
    }
}

fn address((is_v6, number): (bool, u128)) -> IpAddr {
    match is_v6 {
        false => Ipv4Addr::from(u32::try_from(number).unwrap()).into(),
        true => Ipv6Addr::from(number).into(),
    }
}

/// The address by whose rules this one is judged.
fn reached(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)).into()
        }
        _ => address,
    }
}

/// Whether the tables above have the address.
fn is_special(address: IpAddr) -> bool {
    let address = reached(address);
    let inside = |(first, last, _): &(&str, &str, &str)| {
        (number(ip(first))..=number(ip(last))).contains(&number(address))
    };
    METADATA.iter().any(|it| ip(it) == address) || SPECIAL.iter().any(inside)
}

fn kind(policy: &AddressPolicy, address: IpAddr) -> Option<&'static str> {
    match policy.check_address(address) {
        Ok(()) => None,
        Err(AddressError::Special { kind, network, address: reported }) => {
            assert!(network.contains(address) && reported == address);
            Some(kind.as_str())
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn special_range_is_refused_up_to_its_ends() {
    let policy = AddressPolicy::public();
    for (first, last, expected) in SPECIAL {
        let ((is_v6, first), (_, last)) = (number(ip(first)), number(ip(last)));
        for inside in [first, first + (last - first) / 2, last] {
            let inside = address((is_v6, inside));
            let is_metadata = METADATA.iter().any(|it| ip(it) == inside);
            let expected = if is_metadata { "cloud_metadata" } else { expected };
            assert_eq!(kind(&policy, inside), Some(expected), "{inside}");
        }
        let max = if is_v6 { u128::MAX } else { u32::MAX.into() };
        let below = first.checked_sub(1);
        let above = Some(last).filter(|last| *last < max).map(|last| last + 1);
        for neighbour in below.into_iter().chain(above) {
            let neighbour = address((is_v6, neighbour));
            assert_eq!(kind(&policy, neighbour).is_some(), is_special(neighbour), "{neighbour}");
        }
    }
}

#[test]
fn public_address_is_allowed() {
    for public in ["1.1.1.1", "9.255.255.255", "2000::", "2606:4700::1", "64:ff9b::101:101"] {
        assert_eq!(kind(&AddressPolicy::public(), ip(public)), None, "{public}");
    }
    assert_eq!(AddressPolicy::public(), AddressPolicy::default());
}

/// Addresses near the ends of ranges, and any.
fn addresses() -> impl Strategy<Value = IpAddr> {
    let ends = SPECIAL.map(|(first, last, _)| [ip(first), ip(last)]).concat();
    let near = (prop::sample::select(ends), -2_i8..=2).prop_map(|(end, step)| {
        let (is_v6, end) = number(end);
        let max = if is_v6 { u128::MAX } else { u32::MAX.into() };
        address((is_v6, end.saturating_add_signed(step.into()).min(max)))
    });
    prop_oneof![
        near,
        any::<u32>().prop_map(|bits| Ipv4Addr::from(bits).into()),
        any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).into()),
        // Most IPv6 addresses are not allocated.
        any::<u128>().prop_map(|bits| Ipv6Addr::from(bits >> 3 | 1 << 125).into()),
    ]
}

/// Every form of IPv6 that embeds this IPv4 address.
fn embedded(v4: Ipv4Addr) -> [Ipv6Addr; 9] {
    let bits = u128::from(u32::from(v4));
    let prefix = |prefix: &str| u128::from(prefix.parse::<Ipv6Addr>().unwrap());
    [
        prefix("::ffff:0:0") | bits,
        prefix("64:ff9b::") | bits,
        prefix("::") | bits,
        prefix("::ffff:0:0:0") | bits,
        // Of a network's own NAT64, with the prefix lengths 96, 48 and 64.
        prefix("64:ff9b:1::") | bits,
        prefix("64:ff9b:1::") | (bits >> 16) << 64 | (bits & 0xffff) << 40,
        prefix("64:ff9b:1::") | bits << 24,
        prefix("2002::1") | bits << 80,
        // Teredo inverts the address of the client, behind that of the server.
        prefix("2001::") | u128::from(0x0102_0304_u32) << 64 | u128::from(!u32::from(v4)),
    ]
    .map(Ipv6Addr::from)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn public_policy_refuses_what_is_special(address in addresses()) {
        let policy = AddressPolicy::public();
        prop_assert_eq!(policy.check_address(address).is_err(), is_special(address));
    }

    #[test]
    fn refused_ipv4_is_refused_in_every_ipv6_form(address in addresses()) {
        let policy = AddressPolicy::public();
        if let IpAddr::V4(v4) = address {
            let is_refused = is_special(address);
            for (index, form) in embedded(v4).into_iter().enumerate() {
                // Mapped and NAT64 are judged by the address inside, the others refused as such.
                let expected = is_refused || index >= 2;
                prop_assert_eq!(policy.check_address(form.into()).is_err(), expected, "{}", form);
            }
        }
    }

    #[test]
    fn most_specific_network_decides(
        rules in prop::collection::vec((any::<bool>(), any::<u32>(), 0_u8..=32), 0..8),
        any_bits: u32,
        near in 0_usize..8,
    ) {
        // Few bits that matter, so that the networks overlap: 10.0.0.0 to 11.3.3.3, by their ends.
        let thin = |bits: u32| 0x0a00_0000 | bits & 0x0103_0303;
        let mut policy = AddressPolicy::public();
        let mut networks = Vec::new();
        for (allows, bits, len) in rules {
            let bits = u64::from(thin(bits)) >> (32 - len) << (32 - len);
            let start = Ipv4Addr::from(u32::try_from(bits).unwrap());
            let network = Network::new(start.into(), len).unwrap();
            networks.push((len, allows, network));
            policy = match allows {
                true => policy.allow_network(network),
                false => policy.refuse_network(network),
            };
        }
        let bits = match networks.get(near) {
            Some((_, _, network)) => thin(u32::try_from(number(network.address()).1).unwrap()),
            None => thin(any_bits),
        };
        let address = IpAddr::from(Ipv4Addr::from(bits));
        // The range of 10.0.0.0/8 is refused, and everything public is allowed. Of equal networks
        // the refusal counts, except that an allowed network may be the special range itself.
        networks.push((0, true, net("0.0.0.0/0")));
        let own = |allowed: bool| {
            let matching = networks.iter().filter(|(_, it, network)| {
                *it == allowed && network.contains(address)
            });
            matching.map(|(len, _, _)| i32::from(*len)).max().unwrap_or(-1)
        };
        // The default of the public internet is weaker than a refusal of everything.
        let (allowed, refused) = (own(true), own(false));
        let special = if bits >> 24 == 10 { 8 } else { 0 };
        let expected = allowed > refused && allowed >= special;
        prop_assert_eq!(policy.check_address(address).is_ok(), expected, "{} {:?}", address, policy);
        let mapped = match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().into(),
            IpAddr::V6(_) => address,
        };
        prop_assert_eq!(policy.check_address(mapped).is_ok(), expected, "{}", mapped);
    }
}

#[test]
fn metadata_service_needs_its_exact_address() {
    for text in METADATA {
        let service = ip(text);
        let wide = AddressPolicy::public()
            .allow_network(net("168.63.128.0/17"))
            .allow_network(net("100.64.0.0/10"))
            .allow_network(net("169.254.0.0/16"))
            .allow_network(net("192.0.0.0/24"))
            .allow_network(net("fc00::/7"))
            .allow_network(net("fe80::/10"))
            .allow_host("*.lab.internal".parse().unwrap());
        assert_eq!(kind(&wide, service), Some("cloud_metadata"), "{text}");
        let (is_v6, bits) = number(service);
        let pair = Network::new(address((is_v6, bits & !1)), if is_v6 { 127 } else { 31 }).unwrap();
        let wide = wide.allow_network(pair);
        assert_eq!(kind(&wide, service), Some("cloud_metadata"), "{text}");
        let error = wide.check_resolved("eln.lab.internal", service).unwrap_err();
        assert!(matches!(error, AddressError::Special { kind: AddressKind::CloudMetadata, .. }));
        // Its neighbours in the same network are allowed.
        assert_eq!(kind(&wide, address((is_v6, bits ^ 1))), None, "{text}");
        assert_eq!(kind(&wide.allow_network(Network::from(service)), service), None, "{text}");
    }
}

#[test]
fn allowed_host_may_have_a_private_address() {
    let policy = AddressPolicy::public()
        .allow_host("*.lab.internal".parse().unwrap())
        .refuse_network(net("10.9.0.0/16"));
    let check = |host: &str, address: &str| policy.check_resolved(host, ip(address)).is_ok();
    for address in ["10.1.2.3", "127.0.0.1", "fd12::1", "100.64.0.1", "1.1.1.1", "::ffff:10.0.0.1"]
    {
        assert!(check("eln.lab.internal", address) && check("ELN.LAB.internal.", address));
    }
    assert!(!check("eln.lab.internal", "10.9.0.1") && !check("eln.lab.internal", "64:ff9b::a09:1"));
    assert!(!check("lab.internal", "10.1.2.3") && check("lab.internal", "1.1.1.1"));
}

#[test]
fn ipv6_network_decides_about_nat64() {
    for (rules, expected) in [
        // The rules, and whether 64:ff9b::808:808 is allowed.
        ("", true),
        ("-::/0", false),
        ("-64:ff9b::/64", false),
        ("-64:ff9b::/96", false),
        ("-64:ff9b::808:800/120", false),
        ("-64:ff9b::908:800/120", true),
        ("-::/0 +64:ff9b::/96", true),
        ("-64:ff9b::/96 +::/0", false),
        ("-::/0 +8.8.0.0/16", true),
        ("-64:ff9b::/96 +0.0.0.0/0", false),
        ("-64:ff9b::/96 +8.8.0.0/16", true),
        ("-64:ff9b::808:800/120 +8.8.0.0/16", false),
        ("-0.0.0.0/0 +64:ff9b::/64", false),
        ("-0.0.0.0/0 +64:ff9b::808:800/120", true),
    ] {
        let policy = rules.split_whitespace().fold(AddressPolicy::public(), |policy, rule| {
            match rule.split_at(1) {
                ("+", network) => policy.allow_network(net(network)),
                (_, network) => policy.refuse_network(net(network)),
            }
        });
        let nat64 = policy.check_address(ip("64:ff9b::808:808"));
        assert_eq!(nat64.is_ok(), expected, "{rules}: {nat64:?}");
        // The same receiver over IPv4, mapped or not, is under the rules for IPv4 alone.
        for v4 in ["8.8.8.8", "::ffff:8.8.8.8"] {
            assert_eq!(policy.check_address(ip(v4)).is_ok(), !rules.contains("-0"), "{v4} {rules}");
        }
    }
}

#[test]
fn private_address_in_nat64_needs_its_own_rule() {
    let private = ip("64:ff9b::a00:1");
    for (network, expected) in [
        ("::/0", Some("private")),
        ("64:ff9b::/96", Some("private")),
        ("0.0.0.0/0", Some("private")),
        ("10.0.0.0/8", None),
        ("64:ff9b::a00:0/104", None),
    ] {
        let policy = AddressPolicy::public().allow_network(net(network));
        assert_eq!(kind(&policy, private), expected, "{network}");
    }
    let policy = AddressPolicy::public().allow_network(net("64:ff9b::a00:0/104"));
    assert_eq!(kind(&policy, ip("10.0.0.1")), Some("private"));
}

#[test]
fn loopback_is_allowed_by_itself() {
    let policy = AddressPolicy::public().allow_loopback();
    for (address, expected) in [
        ("127.0.0.1", None),
        ("127.255.255.255", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("0.0.0.0", Some("unspecified")),
        ("::", Some("unspecified")),
        ("10.0.0.1", Some("private")),
    ] {
        assert_eq!(kind(&policy, ip(address)), expected, "{address}");
    }
}

#[test]
fn address_error_names_address_and_rule() {
    let policy = AddressPolicy::public()
        .refuse_network(net("198.51.0.0/17"))
        .refuse_network(net("64:ff9b::800:0/104"));
    for (address, text) in [
        ("10.1.2.3", "address 10.1.2.3 is refused: 10.0.0.0/8 is `private`"),
        ("::ffff:10.1.2.3", "address ::ffff:10.1.2.3 is refused: 10.0.0.0/8 is `private`"),
        ("64:ff9b::a01:203", "address 64:ff9b::a01:203 is refused: 10.0.0.0/8 is `private`"),
        (
            "169.254.169.254",
            "address 169.254.169.254 is refused: 169.254.169.254/32 is `cloud_metadata`",
        ),
        ("4000::1", "address 4000::1 is refused: ::/0 is `reserved`"),
        ("198.51.1.1", "address 198.51.1.1 is refused: the policy refuses 198.51.0.0/17"),
        ("198.51.100.1", "address 198.51.100.1 is refused: the policy refuses 198.51.0.0/17"),
        (
            "64:ff9b::808:808",
            "address 64:ff9b::808:808 is refused: the policy refuses 64:ff9b::800:0/104",
        ),
    ] {
        assert_eq!(policy.check_address(ip(address)).unwrap_err().to_string(), text);
    }
}
