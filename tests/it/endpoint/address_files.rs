//! Address policies in configuration files, and the texts of networks and host patterns.

use labhook::endpoint::{AddressPolicy, HostPattern, HostPatternError, Network, NetworkError};

#[test]
fn address_policy_is_read_and_written_as_a_table() {
    let file = r#"
        allow_networks = ["10.20.0.0/16", "fd12:3456::7"]
        allow_hosts = ["*.Lab.internal", "eln.example."]
        refuse_networks = ["198.51.100.0/24"]
    "#;
    let policy: AddressPolicy = toml::from_str(file).unwrap();
    let built = AddressPolicy::public()
        .allow_network("fd12:3456::7/128".parse().unwrap())
        .allow_network("10.20.0.0/16".parse().unwrap())
        .allow_host("*.lab.internal".parse().unwrap())
        .allow_host("ELN.example".parse().unwrap())
        .refuse_network("198.51.100.0/24".parse().unwrap());
    assert_eq!(policy, built);
    let json = serde_json::to_string(&policy).unwrap();
    let written = concat!(
        r#"{"allow_networks":["10.20.0.0/16","fd12:3456::7/128"],"#,
        r#""allow_hosts":["eln.example","*.lab.internal"],"#,
        r#""refuse_networks":["198.51.100.0/24"]}"#,
    );
    assert_eq!(json, written);
    assert_eq!(serde_json::from_str::<AddressPolicy>(&json).unwrap(), policy);
    let empty: AddressPolicy = toml::from_str("").unwrap();
    assert_eq!(empty, AddressPolicy::public());
}

#[test]
fn mistake_in_an_address_policy_is_an_error() {
    for (json, expected) in [
        (r#"{"allow_network": []}"#, "unknown field `allow_network`"),
        ("[]", "invalid type: sequence, expected an address policy table"),
        (r#""public""#, "invalid type: string \"public\", expected an address policy table"),
        (r#"{"allow_networks": ["10.20.0.1/16"]}"#, "network 10.20.0.1/16 has bits set"),
        (r#"{"allow_networks": [10]}"#, "invalid type: integer `10`, expected a string"),
        (r#"{"allow_hosts": ["10.0.0.1"]}"#, "host pattern must be a domain name"),
    ] {
        let error = serde_json::from_str::<AddressPolicy>(json).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{json}: {error}");
    }
}

#[test]
fn network_text_is_read_strictly() {
    for (text, written) in [
        ("10.20.0.0/16", "10.20.0.0/16"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("10.0.0.5", "10.0.0.5/32"),
        ("FD00::/8", "fd00::/8"),
        ("::/0", "::/0"),
        ("fd12::7", "fd12::7/128"),
        ("::ffff:10.0.0.5", "10.0.0.5/32"),
        ("64:ff9b:1::/48", "64:ff9b:1::/48"),
        ("64:ff9b::/64", "64:ff9b::/64"),
        ("64:ff9b::/96", "64:ff9b::/96"),
        ("64:ff9b::808:808", "64:ff9b::808:808/128"),
    ] {
        let network: Network = text.parse().unwrap();
        assert_eq!(network.to_string(), written);
        assert_eq!(format!("{network:?}"), format!("\"{written}\""));
        assert_eq!(network, Network::new(network.address(), network.prefix_len()).unwrap());
    }
    let malformed =
        "network must be an IP address, or one with a prefix length such as `10.20.0.0/16`";
    for (text, expected) in [
        ("", malformed),
        ("lab.internal", malformed),
        ("10.20", malformed),
        ("10.20.0.0/", malformed),
        ("10.20.0.0/+8", malformed),
        ("10.20.0.0/08", malformed),
        ("10.20.0.0/ 8", malformed),
        ("10.20.0.0/255.255.0.0", malformed),
        ("10.20.0.0/16/16", malformed),
        ("010.20.0.0/16", malformed),
        ("10.20.0.0/256", malformed),
        ("fe80::1%eth0", malformed),
        ("10.0.0.0/33", "prefix length of the network must be at most 32, not 33"),
        ("fd00::/129", "prefix length of the network must be at most 128, not 129"),
        ("10.20.0.1/16", "network 10.20.0.1/16 has bits set behind its prefix"),
        ("128.0.0.0/0", "network 128.0.0.0/0 has bits set behind its prefix"),
        ("fd00::1/127", "network fd00::1/127 has bits set behind its prefix"),
        ("::ffff:10.0.0.0/104", "network ::ffff:10.0.0.0/104 must be written as an IPv4 network"),
    ] {
        let error: NetworkError = text.parse::<Network>().unwrap_err();
        assert_eq!(error.to_string(), expected, "{text}");
    }
}

#[test]
fn network_contains_its_addresses_alone() {
    for (network, address, expected) in [
        ("10.20.0.0/16", "10.20.255.255", true),
        ("10.20.0.0/16", "10.21.0.0", false),
        ("10.20.0.0/16", "::ffff:10.20.0.1", true),
        ("10.20.0.0/16", "64:ff9b::a14:1", true),
        ("10.20.0.0/16", "::10.20.0.1", false),
        ("0.0.0.0/0", "255.255.255.255", true),
        ("0.0.0.0/0", "2606:4700::1", false),
        ("::/0", "2606:4700::1", true),
        ("::/0", "1.1.1.1", false),
        ("::/0", "::ffff:1.1.1.1", false),
        ("::/0", "64:ff9b::101:101", true),
        ("64:ff9b::/96", "64:ff9b::101:101", true),
        ("64:ff9b::/96", "1.1.1.1", false),
        ("10.0.0.5/32", "10.0.0.4", false),
    ] {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), expected, "{network} {address}");
    }
}

#[test]
fn host_pattern_matches_whole_labels() {
    let pattern: HostPattern = "*.lab.internal".parse().unwrap();
    for (host, expected) in [
        ("eln.lab.internal", true),
        ("ELN.Lab.Internal.", true),
        ("a.b.lab.internal", true),
        ("lab.internal", false),
        (".lab.internal", false),
        ("eln-lab.internal", false),
        ("lab.internal.example", false),
        ("\u{e9}lab.internal", false),
        ("", false),
    ] {
        assert_eq!(pattern.matches(host), expected, "{host}");
    }
    let exact: HostPattern = "Eln_2.lab.internal.".parse().unwrap();
    assert!(exact.matches("eln_2.lab.internal") && !exact.matches("a.eln_2.lab.internal"));
    assert_eq!(
        (exact.to_string(), pattern.to_string()),
        ("eln_2.lab.internal".into(), "*.lab.internal".into())
    );
    let expected =
        "host pattern must be a domain name, or `*.` and a domain name, and no IP address";
    for text in [
        "",
        "*",
        "*.",
        "*.*.lab",
        "a.*",
        "a..b",
        "10.0.0.1",
        "0x7f.1",
        "[::1]",
        "*.10.0.0.1",
        "a/b",
    ] {
        let error: HostPatternError = text.parse::<HostPattern>().expect_err(text);
        assert_eq!(error.to_string(), expected);
    }
}
