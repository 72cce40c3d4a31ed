//! Validation of endpoint URLs.

use std::net::Ipv6Addr;
use std::num::NonZeroU16;

use http::Uri;

use super::error::EndpointError;

/// Returns scheme, host and port of a URL that was checked: the part that is not a secret.
pub(crate) fn origin(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at.saturating_add(3));
    let path = url.get(after_scheme..).and_then(|rest| rest.find(['/', '?']));
    path.and_then(|path| url.get(..after_scheme.saturating_add(path))).unwrap_or(url)
}

/// Checks that a request can be sent to the URL, with one of these schemes.
pub(crate) fn check_url(url: &str, schemes: &[&str]) -> Result<(), EndpointError> {
    if url.contains('#') {
        return Err(EndpointError::Fragment);
    }
    let uri: Uri = url.parse().map_err(EndpointError::NotUrl)?;
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
            Some("") => Ok(()),
            // `Uri` accepts anything as a port.
            Some(port) => match port.strip_prefix(':').map(str::parse::<NonZeroU16>) {
                Some(Ok(_)) => Ok(()),
                _ => Err(EndpointError::Port),
            },
            None => Err(EndpointError::Host),
        },
    }
}

/// Returns whether this is a domain name, an IPv4 address, or an IPv6 address in brackets
/// (RFC 3986, section 3.2.2).
fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').map(|rest| rest.strip_suffix(']')) {
        Some(Some(address)) => address.parse::<Ipv6Addr>().is_ok(),
        Some(None) => false,
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte)),
    }
}
