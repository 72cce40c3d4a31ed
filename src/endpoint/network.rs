//! Networks of IP addresses: [`Network`].

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text;

/// A network of IP addresses in CIDR notation, such as `10.20.0.0/16`.
///
/// An address without a prefix length is the network of that address alone. An IPv4-mapped address
/// is an IPv4 address. One of NAT64 belongs to its IPv6 networks, and to those of the IPv4 address
/// [in it](super::AddressPolicy#ipv4-inside-of-ipv6).
///
/// ```
/// use labhook::endpoint::Network;
///
/// let instruments: Network = "10.20.0.0/16".parse()?;
/// assert!(instruments.contains("10.20.7.1".parse()?));
/// assert!(!instruments.contains("10.21.0.1".parse()?));
/// assert_eq!("fd12:3456::7".parse::<Network>()?.to_string(), "fd12:3456::7/128");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "CIDR")]
#[doc(alias = "subnet")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    address: IpAddr,
    prefix_len: u8,
}

impl Network {
    /// Creates the network that starts at this address.
    ///
    /// # Errors
    ///
    /// Returns [`NetworkError`] if the prefix is too long, if bits behind it are set, or if these
    /// are IPv4-mapped addresses.
    pub fn new(address: IpAddr, prefix_len: u8) -> Result<Self, NetworkError> {
        let network = Self { address, prefix_len };
        let max = network.max_prefix_len();
        if prefix_len > max {
            return Err(NetworkError::PrefixLen { prefix_len, max });
        }
        let zeros = match address {
            IpAddr::V4(address) => u32::from(address).trailing_zeros(),
            IpAddr::V6(address) => u128::from(address).trailing_zeros(),
        };
        if zeros < u32::from(max.saturating_sub(prefix_len)) {
            return Err(NetworkError::HostBits { address, prefix_len });
        }
        if MAPPED.prefix_len <= prefix_len && MAPPED.has(address) {
            return Err(NetworkError::Embedded { network });
        }
        Ok(network)
    }

    pub(super) const fn v4(octets: [u8; 4], prefix_len: u8) -> Self {
        let [a, b, c, d] = octets;
        Self { address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix_len }
    }

    pub(super) const fn v6(segments: [u16; 8], prefix_len: u8) -> Self {
        let [a, b, c, d, e, f, g, h] = segments;
        Self { address: IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), prefix_len }
    }

    /// Returns the first address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// Returns the number of leading bits that all addresses of the network share.
    #[must_use]
    pub const fn prefix_len(&self) -> u8 {
        self.prefix_len
    }

    /// Returns whether the address, or the IPv4 address in it, belongs to the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.shared_len(address).is_some()
    }

    /// Returns the number of leading bits that the address shares with all others of the network;
    /// `None` if the network does not contain it.
    ///
    /// An IPv4 network fixes the prefix of NAT64, too: so the networks of both families that contain
    /// an address can be compared.
    pub(super) fn shared_len(&self, address: IpAddr) -> Option<u8> {
        let address = unmapped(address);
        if self.has(address) {
            Some(self.prefix_len)
        } else if self.has(reached(address)) {
            Some(NAT64.prefix_len.saturating_add(self.prefix_len))
        } else {
            None
        }
    }

    /// Returns whether the address starts with the network's prefix.
    pub(super) fn has(&self, address: IpAddr) -> bool {
        let equal_bits = match (self.address, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros(),
            _ => return false,
        };
        equal_bits >= u32::from(self.prefix_len)
    }

    const fn max_prefix_len(&self) -> u8 {
        match self.address {
            IpAddr::V4(_) => 32,
            IpAddr::V6(_) => 128,
        }
    }
}

/// IPv4-mapped addresses, RFC 4291: the socket itself uses IPv4.
const MAPPED: Network = Network::v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96);

/// NAT64 with the well-known prefix, RFC 6052: the socket uses IPv6, and a translator on the way
/// IPv4.
const NAT64: Network = Network::v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

/// Returns the address that the socket uses.
fn unmapped(address: IpAddr) -> IpAddr {
    if MAPPED.has(address) { embedded(address) } else { address }
}

/// Returns the address that a connection reaches: the one that this address embeds, or itself.
pub(super) fn reached(address: IpAddr) -> IpAddr {
    if MAPPED.has(address) || NAT64.has(address) { embedded(address) } else { address }
}

/// Returns the IPv4 address of the last 32 bits.
fn embedded(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [.., a, b, c, d] = v6.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
    }
}

/// The network of this address alone. An IPv4-mapped address is taken as the IPv4 address.
impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        let network = Self { address: unmapped(address), prefix_len: 0 };
        Self { prefix_len: network.max_prefix_len(), ..network }
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let (address, prefix_len) = match text.split_once('/') {
            Some((address, prefix_len)) => (address, Some(prefix_len)),
            None => (text, None),
        };
        let address = address.parse().map_err(|_| NetworkError::Malformed)?;
        let Some(digits) = prefix_len else { return Ok(Self::from(address)) };
        // An integer is parsed with a sign and with leading zeros.
        let prefix_len = digits.parse::<u8>().map_err(|_| NetworkError::Malformed)?;
        if prefix_len.to_string() != digits {
            return Err(NetworkError::Malformed);
        }
        Self::new(address, prefix_len)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_len)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer, str::parse)
    }
}

/// A text or a prefix length that makes no [`Network`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// The text is neither an address nor an address with a prefix length.
    #[error("network must be an IP address, or one with a prefix length such as `10.20.0.0/16`")]
    Malformed,
    /// The prefix is longer than an address.
    #[error("prefix length of the network must be at most {max}, not {prefix_len}")]
    PrefixLen {
        /// The prefix length.
        prefix_len: u8,
        /// The length of an address.
        max: u8,
    },
    /// The address has bits set behind the prefix. Either may be mistyped.
    #[error("network {address}/{prefix_len} has bits set behind its prefix")]
    HostBits {
        /// The address.
        address: IpAddr,
        /// The prefix length.
        prefix_len: u8,
    },
    /// The network consists of IPv4-mapped addresses.
    #[error("network {network} must be written as an IPv4 network")]
    Embedded {
        /// The network.
        network: Network,
    },
}
