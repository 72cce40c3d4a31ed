//! Address policies: URLs whose host is an address, or is read as one.

use std::net::{IpAddr, Ipv4Addr};

use labhook::endpoint::{AddressError, AddressPolicy};
use proptest::prelude::*;

use crate::support::config;

fn check(policy: &AddressPolicy, host: &str) -> Result<(), AddressError> {
    policy.check_url(&format!("https://{host}/canary-path?canary-query"))
}

/// How a URL parser reads a host (WHATWG URL Standard, "host parser" and "IPv4 parser").
#[derive(Debug, PartialEq)]
enum Read {
    Name,
    Address(Ipv4Addr),
    Failure,
}

fn read(host: &str) -> Read {
    let mut parts: Vec<&str> = host.split('.').collect();
    if parts.len() > 1 && parts.last() == Some(&"") {
        parts.pop();
    }
    let last = parts.last().copied().unwrap_or_default();
    let ends_in_number = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
        || matches!(number(last), Some(Ok(_)));
    if !ends_in_number {
        return Read::Name;
    }
    let count = parts.len();
    let numbers: Option<Vec<u64>> =
        parts.into_iter().map(|part| number(part).and_then(Result::ok)).collect();
    let Some(numbers) = numbers.filter(|_| count <= 4) else { return Read::Failure };
    let (last, first) = numbers.split_last().unwrap();
    let unit = 256_u64.pow(5 - u32::try_from(count).unwrap());
    if first.iter().any(|part| *part > 255) || *last >= unit {
        return Read::Failure;
    }
    let shifts = first.iter().zip([24, 16, 8]);
    let bits: u64 = shifts.map(|(part, shift)| part << shift).sum::<u64>() + last;
    Read::Address(Ipv4Addr::from(u32::try_from(bits).unwrap()))
}

/// Reads a decimal, octal or hexadecimal number. `None` if it is empty, an error if it is none.
fn number(text: &str) -> Option<Result<u64, ()>> {
    if text.is_empty() {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    let (digits, radix) = match lower.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (&*lower, 10),
    };
    if digits.is_empty() {
        return Some(Ok(0));
    }
    if !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Some(Err(()));
    }
    // So large a number is out of range anyway.
    Some(Ok(u64::from_str_radix(digits, radix).unwrap_or(u64::MAX >> 8)))
}

#[test]
fn reader_reads_as_a_browser_does() {
    let loopback = Read::Address(Ipv4Addr::LOCALHOST);
    for host in
        ["127.1", "0x7f.1", "2130706433", "017700000001", "0x7F000001", "127.0.0.1.", "127.0x1"]
    {
        assert_eq!(read(host), loopback, "{host}");
    }
    for host in ["256.1.1.1", "1.1.1.1.1", "09", "eln.1", "1..2", "4294967296"] {
        assert_eq!(read(host), Read::Failure, "{host}");
    }
    for host in ["eln.example", "1.example", "0xg", "a..b", "1e1"] {
        assert_eq!(read(host), Read::Name, "{host}");
    }
}

/// Parts of which addresses are made, and of which they are not.
fn hosts() -> impl Strategy<Value = String> {
    let byte =
        prop_oneof![Just(127_u32), Just(10), Just(0), Just(169), Just(254), Just(192), 0..300_u32];
    let whole =
        prop_oneof![any::<u32>(), Just(0x7f00_0001), Just(0x0a00_0001), Just(0xa9fe_a9fe), Just(1)];
    let number = (prop_oneof![byte, whole], 0..6_u8).prop_map(|(number, form)| match form {
        0 | 1 => number.to_string(),
        2 => format!("{number:#x}"),
        3 => format!("0X{number:08X}"),
        4 => format!("0{number:o}"),
        _ => format!("00000{number:o}"),
    });
    let part = prop_oneof![8 => number, 1 => "[0-9a-fxX%]{0,4}", 1 => "[a-z0-9-]{1,3}"];
    (prop::collection::vec(part, 1..6), "\\.{0,2}").prop_map(|(parts, end)| parts.join(".") + &end)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn host_read_as_an_address_is_judged_by_it(host in hosts()) {
        for policy in [
            AddressPolicy::public(),
            AddressPolicy::public().allow_loopback(),
            AddressPolicy::public().allow_network("10.0.0.0/8".parse().unwrap()),
        ] {
            let accepted = check(&policy, &host).is_ok();
            match read(&host) {
                Read::Address(address) if accepted => {
                    prop_assert!(policy.check_address(address.into()).is_ok(), "{}", host);
                    // Only the form that all programs read in the same way.
                    prop_assert_eq!(host.trim_end_matches('.'), address.to_string());
                }
                Read::Failure => prop_assert!(!accepted, "{}", host),
                _ => {}
            }
        }
    }

    #[test]
    fn literal_address_is_judged_as_if_resolved(bits: u128, v4: u32, shift in 0..128_u32) {
        let policy = AddressPolicy::public().allow_network("fc00::/7".parse().unwrap());
        let v6 = std::net::Ipv6Addr::from(bits >> shift);
        let judged = policy.check_address(v6.into()).is_ok();
        prop_assert_eq!(check(&policy, &format!("[{v6}]:8443")).is_ok(), judged, "{}", v6);
        let v4 = Ipv4Addr::from(v4);
        let judged = policy.check_address(v4.into()).is_ok();
        for host in [format!("{v4}"), format!("{v4}:80"), format!("{v4}.")] {
            prop_assert_eq!(check(&policy, &host).is_ok(), judged, "{}", host);
        }
    }
}

#[test]
fn host_that_hides_loopback_is_refused() {
    let public = AddressPolicy::public();
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "0x7f.1",
        "0x7f.0.0.1",
        "127.0.0.0x1",
        "0X7F000001",
        "0177.0.0.1",
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f000001.",
        "0",
        "0x",
        "0.0.0.0",
        "%31%32%37.0.0.1",
        "127%2e0.0.1",
        "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
        "127\u{3002}0.0.1",
        "\u{2460}27.0.0.1",
        "127.0.0.1..",
        "..",
        ".",
        "a..b",
        ".127.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[fe80::1%25eth0]",
        "[fe80::1%eth0]",
        "[::1",
        "[127.0.0.1]",
        "localhost",
        "LocalHost.",
        "eln.localhost",
        "user@eln.example",
        "eln.example@127.0.0.1",
        "eln.example\\@127.0.0.1",
        "127.0.0.1#@eln.example",
        "127.0.0.1:80",
        "localhost:80",
    ] {
        let error = check(&public, host).expect_err(host);
        // No part of the URL but its address.
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = source {
            assert!(!format!("{error} {error:?}").contains("canary"), "{host}: {error:?}");
            source = error.source();
        }
    }
    for host in
        ["eln.example", "eln.example.", "localhost.example", "0x7f.example", "[2606:4700::1]:80"]
    {
        assert!(check(&public, host).is_ok(), "{host}");
    }
    for url in ["ftp://eln.example/", "file:///etc/passwd", "eln.example", "//127.0.0.1/", ""] {
        assert!(matches!(public.check_url(url), Err(AddressError::Url(_))), "{url}");
    }
    assert!(public.check_url("http://eln.example/").is_ok());
}

#[test]
fn allowed_loopback_is_accepted_as_a_host() {
    let loopback = AddressPolicy::public().allow_loopback();
    let v6 = AddressPolicy::public().allow_network("::1".parse().unwrap());
    let host = AddressPolicy::public().allow_host("localhost".parse().unwrap());
    for (policy, host, expected) in [
        (&loopback, "127.0.0.1:8080", true),
        (&loopback, "localhost:8080", true),
        (&loopback, "[::1]:8080", true),
        (&loopback, "127.1", false),
        (&loopback, "0x7f000001", false),
        (&v6, "localhost", true),
        (&v6, "[::1]", true),
        (&v6, "127.0.0.1", false),
        (&host, "localhost", true),
        (&host, "127.0.0.1", false),
    ] {
        assert_eq!(check(policy, host).is_ok(), expected, "{host}");
    }
    assert!(host.check_resolved("localhost", IpAddr::from([127, 0, 0, 1])).is_ok());
    let error = check(&v6, "127.0.0.1").unwrap_err();
    assert_eq!(error.to_string(), "address 127.0.0.1 is refused: 127.0.0.0/8 is `loopback`");
}
