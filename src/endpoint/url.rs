//! Validation of endpoint URLs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use http::Uri;

use super::error::EndpointError;
use crate::secret::wipe;

/// Returns scheme, host and port of a URL that was checked: the part that is not a secret.
pub(crate) fn origin(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at.saturating_add(3));
    let path = url.get(after_scheme..).and_then(|rest| rest.find(['/', '?']));
    path.and_then(|path| url.get(..after_scheme.saturating_add(path))).unwrap_or(url)
}

/// Checks that a request can be sent to the URL, with one of these schemes.
pub(crate) fn check_url(url: &str, schemes: &[&str]) -> Result<(), EndpointError> {
    parse_url(url, schemes).map(drop)
}

/// Parses a URL to which requests are sent, with one of these schemes. It is wiped when the last
/// request is dropped.
pub(super) fn parse_url(url: &str, schemes: &[&str]) -> Result<Uri, EndpointError> {
    if url.contains('#') {
        return Err(EndpointError::Fragment);
    }
    let uri =
        Uri::from_maybe_shared(wipe::shared(url.as_bytes())).map_err(EndpointError::NotUrl)?;
    let Some((scheme, authority)) = uri.scheme_str().zip(uri.authority()) else {
        return Err(EndpointError::NotAbsolute);
    };
    if !schemes.contains(&scheme) {
        return Err(match scheme {
            "http" => EndpointError::PlainHttp,
            _ => EndpointError::Scheme,
        });
    }
    if authority.as_str().contains('@') {
        return Err(EndpointError::UserInfo);
    }
    match authority.host() {
        "" => Err(EndpointError::NotAbsolute),
        host if !is_host(host) => Err(EndpointError::Host),
        host => match authority.as_str().strip_prefix(host) {
            Some(port) if !port.is_empty() && !is_port(port) => Err(EndpointError::Port),
            Some(_) if !uri.path_and_query().is_none_or(|text| is_uri_text(text.as_str())) => {
                Err(EndpointError::Characters)
            }
            Some(_) => Ok(uri),
            None => Err(EndpointError::Host),
        },
    }
}

/// Returns whether this is a colon and a port number: `Uri` accepts anything as a port, and an
/// integer is parsed with a sign.
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|port| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<NonZeroU16>().is_ok()
    })
}

/// Returns whether the text has only the characters of a URI (RFC 3986, section 2), with two digits
/// after each percent sign. Programs read others in different ways: some take a backslash for a
/// slash, and non-ASCII text has several encodings.
fn is_uri_text(text: &str) -> bool {
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut is_digit = || rest.next().is_some_and(|byte| byte.is_ascii_hexdigit());
        let is_allowed = match byte {
            b'%' => is_digit() && is_digit(),
            other => other.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()*+,;=".contains(&other),
        };
        if !is_allowed {
            return false;
        }
    }
    true
}

/// Returns whether this is a domain name, an IPv4 address, or an IPv6 address in brackets
/// (RFC 3986, section 3.2.2).
pub(super) fn is_host(host: &str) -> bool {
    if host.starts_with('[') { host_address(host).is_some() } else { is_domain(host) }
}

/// Returns the address that a valid host is, if it is no domain name. The full stop of the root may
/// follow an IPv4 address.
pub(super) fn host_address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::from),
        None => without_root(host).parse::<Ipv4Addr>().ok().map(IpAddr::from),
    }
}

/// Returns the host without the full stop of the root.
pub(super) fn without_root(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Returns whether this is a domain name of DNS, perhaps with the full stop of the root, or an IPv4
/// address. Underscores are accepted, because names of services inside a network have them.
fn is_domain(host: &str) -> bool {
    let name = without_root(host);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.len() <= 253
        && name.split('.').all(is_label)
        // No top-level domain is a number, so this is meant as an address. Programs also read
        // `127.1` and `0x7f000001` as one, and then as loopback.
        && (!name.rsplit('.').next().is_some_and(is_number) || name.parse::<Ipv4Addr>().is_ok())
}

/// Returns whether a URL parser takes this as a number: decimal, octal, or hexadecimal behind `0x`,
/// even with no digit (WHATWG URL Standard, "ends in a number").
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x").or_else(|| label.strip_prefix("0X")) {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}
