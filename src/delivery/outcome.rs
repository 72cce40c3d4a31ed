//! Outcome of one attempt: [`Outcome`].

use std::fmt;

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::retry_after::RetryAfter;
use crate::named::named;
use crate::time::Timestamp;

/// The response header that lets a receiver control retries, as Svix documents it.
const CONTROL: &str = "webhook-delivery";

/// Outcome of one attempt: a response, or the failure that prevented one.
///
/// It holds only what decides the delivery, not the whole response, and can be saved, so it can
/// pass through a job queue.
///
/// ```
/// use http::{HeaderMap, StatusCode};
/// use labhook::Timestamp;
/// use labhook::delivery::{Failure, Outcome};
///
/// let now = Timestamp::from_unix_seconds(1_744_882_200);
/// let mut headers = HeaderMap::new();
/// headers.insert("retry-after", "120".parse()?);
/// let overloaded = Outcome::response(StatusCode::SERVICE_UNAVAILABLE, &headers, now);
/// assert_eq!(overloaded.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
///
/// let broken = Outcome::failed(Failure::Broken);
/// assert_eq!(broken.status(), None);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The receiver responded.
    Response(Response),
    /// There was no response.
    Failed(Failure),
}

impl Outcome {
    /// Creates the outcome of an attempt that was answered with this status and these headers at
    /// `now`.
    ///
    /// Only `Retry-After` and `webhook-delivery` are read from the headers. Pass a redirect as it
    /// is, and never follow one: a redirected POST may arrive as a GET without its body.
    #[must_use]
    pub fn response(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        Self::Response(Response {
            status,
            retry_after: RetryAfter::from_headers(headers, now),
            control: Control::from_headers(headers),
        })
    }

    /// Creates the outcome of an attempt that was answered with this status, without headers that
    /// control retries.
    #[must_use]
    pub const fn bare(status: StatusCode) -> Self {
        Self::Response(Response { status, retry_after: None, control: None })
    }

    /// Creates the outcome of an attempt that got no response.
    #[must_use]
    pub const fn failed(failure: Failure) -> Self {
        Self::Failed(failure)
    }

    /// Returns the status of the response, if there was one.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Response(response) => Some(response.status),
            Self::Failed(_) => None,
        }
    }

    /// Returns the request in the response header `webhook-delivery`, if there is one.
    ///
    /// A [`Delivery`](super::Delivery) ignores it on a success, but your application should still
    /// honour [`Control::Disable`].
    #[must_use]
    pub const fn control(&self) -> Option<Control> {
        match self {
            Self::Response(response) => response.control,
            Self::Failed(_) => None,
        }
    }

    /// Returns whether the receiver may have the message although there was no response.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        match self {
            Self::Response(_) => false,
            Self::Failed(failure) => failure.is_in_doubt(),
        }
    }
}

/// The status, such as `503`, or the failure, such as `timeout`.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response(response) => f.write_str(response.status.as_str()),
            Self::Failed(failure) => fmt::Display::fmt(failure, f),
        }
    }
}

/// Response of a receiver, reduced to what decides a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Response {
    #[serde(with = "code")]
    status: StatusCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<RetryAfter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    control: Option<Control>,
}

impl Response {
    /// Returns the status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the value of `Retry-After`, if it was present and valid.
    #[must_use]
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// Returns the value of `webhook-delivery`, if it was present and known. Of several the more
    /// drastic one counts.
    #[must_use]
    pub const fn control(&self) -> Option<Control> {
        self.control
    }
}

/// Value of the response header `webhook-delivery`. Source: Svix, "Delivery Control".
#[doc(alias = "webhook-delivery")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Control {
    /// `abort-message`: do not retry this message. No effect on a success.
    AbortMessage,
    /// `disable`: send no more messages to this endpoint.
    Disable,
}

named!(Control, "`webhook-delivery` value", {
    AbortMessage => "abort-message",
    Disable => "disable",
});

impl Control {
    /// Reads the header. Unknown values are ignored; of several, the more drastic one counts,
    /// whether they are in several header lines or in one, joined by commas as a proxy may do.
    fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(CONTROL).iter();
        lines
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
            .filter_map(|value| {
                let value = value.trim_ascii();
                if value.eq_ignore_ascii_case(b"abort-message") {
                    Some(Self::AbortMessage)
                } else if value.eq_ignore_ascii_case(b"disable") {
                    Some(Self::Disable)
                } else {
                    None
                }
            })
            .max()
    }
}

/// Reason why an attempt got no response. If the receiver may have the message, the
/// [`DeliveryGuarantee`](super::DeliveryGuarantee) decides what follows; otherwise the attempt is
/// retried.
///
/// Distinguish the kinds as well as your HTTP client permits. If in doubt, use
/// [`Broken`](Self::Broken): it claims the least.
///
/// ```
/// use std::io;
///
/// use labhook::Failure;
///
/// /// Classifies the error of an HTTP client.
/// fn failure(error: &io::Error) -> Failure {
///     match error.kind() {
///         io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable => Failure::Connect,
///         io::ErrorKind::TimedOut => Failure::Timeout,
///         _ => Failure::Broken,
///     }
/// }
/// assert_eq!(failure(&io::ErrorKind::ConnectionRefused.into()), Failure::Connect);
/// assert_eq!(failure(&io::ErrorKind::ConnectionReset.into()), Failure::Broken);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failure {
    /// The receiver's host name could not be resolved. Nothing was sent.
    Dns,
    /// The connection could not be established. Nothing was sent.
    Connect,
    /// The TLS handshake failed. No part of the message was sent.
    Tls,
    /// The attempt's deadline passed. The receiver may have the message.
    Timeout,
    /// The connection broke before the response was complete. The receiver may have the message.
    Broken,
    /// The sender itself failed: its resolver, its network, its proxy. Nothing reached the
    /// receiver.
    ///
    /// To the delivery it is a failed attempt like any other: it has a number, and the schedule
    /// moves to its next delay. It says nothing about the receiver, so do not count it against the
    /// endpoint's health. If the request was not even tried, call
    /// [`Delivery::cancel_start`](super::Delivery::cancel_start) instead.
    Sender,
}

named!(Failure, "failure", {
    Dns => "dns",
    Connect => "connect",
    Tls => "tls",
    Timeout => "timeout",
    Broken => "broken",
    Sender => "sender",
});

impl Failure {
    /// Returns whether the receiver may have the message although there was no response.
    #[must_use]
    pub const fn is_in_doubt(self) -> bool {
        matches!(self, Self::Timeout | Self::Broken)
    }
}

mod code {
    use super::{Deserialize, Deserializer, Serializer, StatusCode};

    pub(super) fn serialize<S: Serializer>(
        status: &StatusCode,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(status.as_u16())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<StatusCode, D::Error> {
        StatusCode::from_u16(u16::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcome_shows_its_status_or_failure() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTROL, "disable".parse().unwrap());
        let now = Timestamp::from_unix_seconds(0);
        let response = Outcome::response(StatusCode::SERVICE_UNAVAILABLE, &headers, now);
        assert_eq!((response.control(), &*response.to_string()), (Some(Control::Disable), "503"));
        let failed = Outcome::failed(Failure::Timeout);
        assert_eq!((failed.control(), &*failed.to_string()), (None, "timeout"));
    }

    #[test]
    fn most_drastic_control_of_a_list_counts() {
        let read = |lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CONTROL, line.parse().unwrap());
            }
            Control::from_headers(&headers)
        };
        let (abort, disable) = (Some(Control::AbortMessage), Some(Control::Disable));
        for (lines, expected) in [
            (&["abort-message"][..], abort),
            (&["abort-message, disable"], disable),
            (&["Disable,abort-message"], disable),
            (&["pause, , abort-message,abort-message"], abort),
            (&["abort-message", "pause, disable"], disable),
            (&["abort-message disable"], None),
            (&["disabled, ,"], None),
            (&[""], None),
            (&[], None),
        ] {
            assert_eq!(read(lines), expected, "{lines:?}");
        }
    }
}
