//! IP addresses that requests may be sent to: [`AddressPolicy`].

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize};

use super::error::EndpointError;
use super::host_pattern::HostPattern;
use super::network::{Network, reached};
use super::special_ranges::{AddressKind, special_range};
use super::url::{host_address, parse_url, without_root};
use crate::policy_file;

/// Address policy: the IP addresses that requests may be sent to. It protects your internal network
/// from URLs that users choose (server-side request forgery, SSRF).
///
/// By default only the public internet is allowed, and no [`AddressKind`] of special address.
/// Receivers inside of your network are allowed by their network or by their host name.
///
/// A check of the URL alone is not enough, because a name can resolve to any address, and to
/// another one a moment later (DNS rebinding). Resolve the name, check every address, and connect
/// to the addresses that were checked, without resolving again:
///
/// ```no_run
/// use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
///
/// use labhook::endpoint::AddressPolicy;
///
/// /// Connects to the host of an HTTPS URL. TLS and HTTP are next; follow no redirects.
/// fn connect(policy: &AddressPolicy, url: &str) -> Result<TcpStream, Box<dyn std::error::Error>> {
///     policy.check_url(url)?; // also when a user enters it
///     let uri: http::Uri = url.parse()?;
///     let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(443));
///     let addresses: Vec<SocketAddr> = format!("{host}:{port}").to_socket_addrs()?.collect();
///     for address in &addresses {
///         policy.check_resolved(host, address.ip())?;
///     }
///     Ok(TcpStream::connect(&addresses[..])?)
/// }
///
/// let policy = AddressPolicy::public()
///     .allow_network("10.20.0.0/16".parse()?)
///     .allow_host("*.lab.internal".parse()?);
/// connect(&policy, "https://eln.lab.internal/hooks")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Use no proxy then, because a proxy resolves names itself.
///
/// # Which rule counts
///
/// As in a routing table, the most specific network that contains the address decides, whether it
/// is one of yours or a range of special addresses. If you allow and refuse the same network, it is
/// refused. So `10.0.0.0/8` allows all of that private range, and `0.0.0.0/0` none of it.
///
/// Metadata services of cloud providers, such as 169.254.169.254, are ranges of one address each.
/// They hand out the credentials of your host, and stay refused until exactly that address is
/// allowed.
///
/// A host that is allowed may resolve to any address, except to a metadata service and to a network
/// that you refuse. So allow only names of which you control the DNS.
///
/// # IPv4 inside of IPv6
///
/// Addresses of `::ffff:0:0/96` (IPv4-mapped) and `64:ff9b::/96` (NAT64) are judged by the IPv4
/// address in them, because that is what the connection reaches. On a network with IPv6 alone,
/// every IPv4 receiver has an address of NAT64. Your IPv6 networks apply to it too, and there a
/// prefix of IPv4 is 96 bits longer: if you refuse `::/0`, or `64:ff9b::/96` alone, all of NAT64 is
/// refused, except for IPv4 networks that you allow.
///
/// The other forms are refused as such: IPv4-compatible addresses, 6to4 and Teredo are out of use and
/// lead through a tunnel, and in `64:ff9b:1::/48` the position of the IPv4 address is up to the
/// network. If your network has a NAT64 prefix of its own among public addresses, refuse it, or its
/// part with your private addresses, such as `2001:db8:64::a00:0/104`.
///
/// # What it cannot know
///
/// Hosts of your own with public addresses, as on many a campus, look like any other: refuse their
/// networks.
///
/// # In a file
///
/// All fields may be absent; unknown fields are errors.
///
/// ```
/// use labhook::endpoint::AddressPolicy;
///
/// let policy: AddressPolicy = serde_json::from_str(
///     r#"{
///         "allow_networks": ["10.20.0.0/16", "fd12:3456::7"],
///         "allow_hosts": ["*.lab.internal"],
///         "refuse_networks": ["198.51.100.0/24"]
///     }"#,
/// )?;
/// assert!(policy.check_url("https://10.20.7.1/hooks").is_ok());
/// let error = policy.check_url("https://10.21.7.1/hooks").unwrap_err();
/// assert_eq!(error.to_string(), "address 10.21.7.1 is refused: 10.0.0.0/8 is `private`");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[doc(alias = "SSRF")]
#[doc(alias = "egress")]
#[doc(alias = "allow list")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AddressPolicy {
    allow_networks: BTreeSet<Network>,
    allow_hosts: BTreeSet<HostPattern>,
    refuse_networks: BTreeSet<Network>,
}

impl AddressPolicy {
    /// Creates a policy that allows the public internet only.
    #[must_use]
    pub fn public() -> Self {
        Self::default()
    }

    /// Allows a network, except for more specific ranges of special addresses in it.
    #[must_use]
    pub fn allow_network(mut self, network: Network) -> Self {
        self.allow_networks.insert(network);
        self
    }

    /// Allows loopback, for receivers on the same host and for tests: `127.0.0.0/8` and `::1`.
    #[must_use]
    pub fn allow_loopback(self) -> Self {
        self.allow_network(Network::v4([127, 0, 0, 0], 8))
            .allow_network(Network::from(IpAddr::from(Ipv6Addr::LOCALHOST)))
    }

    /// Allows host names to resolve to any address, except to a cloud provider's metadata service
    /// and to a network that is refused.
    #[must_use]
    pub fn allow_host(mut self, host: HostPattern) -> Self {
        self.allow_hosts.insert(host);
        self
    }

    /// Refuses a network, except for more specific networks in it that are allowed.
    #[must_use]
    pub fn refuse_network(mut self, network: Network) -> Self {
        self.refuse_networks.insert(network);
        self
    }

    /// Checks a URL when it is entered, and again before a request is sent.
    ///
    /// It must be a URL of scheme `https` or `http` that an [`Endpoint`](super::Endpoint) accepts.
    /// If its host is an IP address, that must be allowed. So must loopback if the host is
    /// `localhost` or ends in `.localhost`, unless the host is allowed. Hosts that some programs
    /// read as an address, such as `127.1`, `0x7f000001` and `2130706433`, are refused. Any other
    /// name can resolve to an address that is not allowed: see
    /// [`check_resolved`](Self::check_resolved).
    ///
    /// # Errors
    ///
    /// [`AddressError`].
    pub fn check_url(&self, url: &str) -> Result<(), AddressError> {
        let uri = parse_url(url, &["https", "http"])?;
        let host = uri.host().unwrap_or_default();
        match host_address(host) {
            Some(address) => self.check_address(address),
            None if is_localhost(host) => {
                let check = |address| self.check_resolved(host, address);
                let v4 = check(Ipv4Addr::LOCALHOST.into());
                v4.or_else(|error| check(Ipv6Addr::LOCALHOST.into()).map_err(|_| error))
            }
            None => Ok(()),
        }
    }

    /// Checks an address that a host name has resolved to.
    ///
    /// If one of several addresses is refused, use none of them: a name of the public internet with
    /// an address in your network is a mistake or an attack.
    ///
    /// # Errors
    ///
    /// [`AddressError::Special`] or [`AddressError::Network`] if the address is refused.
    pub fn check_resolved(&self, host: &str, address: IpAddr) -> Result<(), AddressError> {
        match self.check_address(address) {
            Err(AddressError::Special { kind, .. })
                if kind != AddressKind::CloudMetadata
                    && self.allow_hosts.iter().any(|pattern| pattern.matches(host)) =>
            {
                Ok(())
            }
            result => result,
        }
    }

    /// Checks an address without a host name.
    ///
    /// # Errors
    ///
    /// [`AddressError::Special`] or [`AddressError::Network`] if the address is refused.
    pub fn check_address(&self, address: IpAddr) -> Result<(), AddressError> {
        let allowed = most_specific(&self.allow_networks, address).map(|(len, _)| len);
        match (most_specific(&self.refuse_networks, address), special_range(reached(address))) {
            (Some((len, network)), _) if allowed <= Some(len) => {
                Err(AddressError::Network { address, network })
            }
            (_, Some((network, kind))) if allowed < network.shared_len(address) => {
                Err(AddressError::Special { address, network, kind })
            }
            _ => Ok(()),
        }
    }
}

/// Returns the most specific network that contains the address, with the length that decides.
fn most_specific(networks: &BTreeSet<Network>, address: IpAddr) -> Option<(u8, Network)> {
    networks.iter().filter_map(|network| Some((network.shared_len(address)?, *network))).max()
}

/// Returns whether this is a name of loopback, which may be resolved without DNS (RFC 6761).
fn is_localhost(host: &str) -> bool {
    let top = without_root(host).rsplit('.').next();
    top.is_some_and(|label| label.eq_ignore_ascii_case("localhost"))
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "an address policy table")]
struct Form {
    allow_networks: BTreeSet<Network>,
    allow_hosts: BTreeSet<HostPattern>,
    refuse_networks: BTreeSet<Network>,
}

impl From<Form> for AddressPolicy {
    fn from(form: Form) -> Self {
        let Form { allow_networks, allow_hosts, refuse_networks } = form;
        Self { allow_networks, allow_hosts, refuse_networks }
    }
}

impl<'de> Deserialize<'de> for AddressPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        policy_file::read_table::<Form, _, _>(deserializer)
    }
}

/// A URL or an address that is refused. It contains no part of a URL except an address.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// No endpoint can have the URL.
    #[error(transparent)]
    Url(#[from] EndpointError),
    /// The address is not on the public internet, and is not allowed.
    #[error("address {address} is refused: {network} is `{kind}`")]
    Special {
        /// The address. If it is IPv6 and embeds an IPv4 address, the network is that of the
        /// latter.
        address: IpAddr,
        /// The most specific range that contains it.
        network: Network,
        /// The kind of the range.
        kind: AddressKind,
    },
    /// The policy refuses a network that contains the address.
    #[error("address {address} is refused: the policy refuses {network}")]
    Network {
        /// The address. If it is IPv6 and embeds an IPv4 address, the network may be that of the
        /// latter.
        address: IpAddr,
        /// The most specific network that contains it.
        network: Network,
    },
}
