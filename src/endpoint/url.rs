//! Validation of endpoint URLs.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU16;

use bytes::Bytes;
use http::Uri;
use zeroize::Zeroizing;

use super::error::EndpointError;

/// Returns scheme, host and port of a URL that was checked: the part that is not a secret.
pub(crate) fn origin(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at.saturating_add(3));
    let path = url.get(after_scheme..).and_then(|rest| rest.find(['/', '?']));
    path.and_then(|path| url.get(..after_scheme.saturating_add(path))).unwrap_or(url)
}

/// Returns a copy of the bytes that is wiped when the last handle is dropped.
pub(super) fn wiped(bytes: &[u8]) -> Bytes {
    Bytes::from_owner(Zeroizing::new(Box::<[u8]>::from(bytes)))
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
    let uri = Uri::from_maybe_shared(wiped(url.as_bytes())).map_err(EndpointError::NotUrl)?;
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
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(Some(address)) => address.parse::<Ipv6Addr>().is_ok(),
        Some(None) => false,
        None => is_domain(host),
    }
}

/// Returns whether this is a domain name of DNS, perhaps with the full stop of the root, or an IPv4
/// address. Underscores are accepted, because names of services inside a network have them.
fn is_domain(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= 253
        && name.split('.').all(is_label)
        // No top-level domain is a number, so this is meant as an address.
        && (!name.rsplit('.').next().is_some_and(is_number) || name.parse::<Ipv4Addr>().is_ok())
}
