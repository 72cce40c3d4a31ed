//! Errors of endpoints: [`EndpointError`] and [`RequestError`].

use http::header::{self, HeaderName};

use crate::message::BodyDigest;
use crate::signature::SignError;

/// An invalid endpoint.
///
/// No variant contains a part of the URL or of a header value, because both can be secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The URL does not parse.
    #[error("endpoint URL is malformed")]
    NotUrl(#[source] http::uri::InvalidUri),
    /// The URL has no scheme or no host.
    #[error("endpoint URL must be absolute, with a scheme and a host")]
    NotAbsolute,
    /// The URL's host is neither a domain name nor an IP address.
    #[error("host of the endpoint URL must be a domain name or an IP address")]
    Host,
    /// The URL's port is not a port number.
    #[error("port of the endpoint URL must be between 1 and 65535")]
    Port,
    /// The URL's path or query contains a character that a URI cannot contain (RFC 3986,
    /// section 2), such as a backslash or one outside of ASCII, or a percent sign without two
    /// digits.
    #[error("path and query of the endpoint URL must have other characters percent-encoded")]
    Characters,
    /// The URL's scheme is `http`: see [`Endpoint::plain_http`](crate::Endpoint::plain_http).
    #[error(
        "scheme of the endpoint URL must be `https`; only `Endpoint::plain_http` accepts `http`"
    )]
    PlainHttp,
    /// The URL's scheme is neither `https` nor `http`.
    #[error("scheme of the endpoint URL must be `https` or `http`")]
    Scheme,
    /// The URL contains a user name or password. Use a static header instead.
    #[error("endpoint URL must not contain a user name or password")]
    UserInfo,
    /// The URL contains a fragment, which requests do not transmit.
    #[error("endpoint URL must not contain a fragment")]
    Fragment,
    /// The header is set by the request itself or by its signer, belongs to the connection, or is a
    /// signature header of Standard Webhooks or Svix.
    #[error("header `{name}` is reserved for the request or its signature")]
    ReservedHeader {
        /// The header name.
        name: HeaderName,
    },
    /// The header was already added.
    #[error("duplicate header `{name}`")]
    DuplicateHeader {
        /// The header name.
        name: HeaderName,
    },
}

/// A request that cannot be built. The sender is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The attempt's deadline has passed. Another process may be sending the message by now.
    #[error("deadline of the attempt has passed")]
    TooLate,
    /// The rendering has a reference instead of its body, which your application
    /// [keeps](crate::Message::detach_bodies).
    #[error("body of the message is kept by your application: pass it to `request_with_body`")]
    BodyKept,
    /// The body that was passed in is not the one that was rendered.
    #[error(
        "body must have {} bytes and {expected}, found {} bytes and {found}",
        expected.body_len(),
        found.body_len()
    )]
    OtherBody {
        /// The digest of the body that was rendered.
        expected: BodyDigest,
        /// The digest of the body that was passed in.
        found: BodyDigest,
    },
    /// The signer cannot sign the message.
    #[error("message cannot be signed")]
    Sign(#[from] SignError),
    /// The rendering has more headers than a request can carry.
    #[error("request has too many headers")]
    TooManyHeaders(#[from] header::MaxSizeReached),
}
