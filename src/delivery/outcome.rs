//! What the host saw of one attempt: [`Outcome`].

use std::fmt;

use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::retry_after::RetryAfter;
use crate::time::Timestamp;

/// The header by which a receiver steers its sender, as Svix documents it.
const CONTROL: &str = "webhook-delivery";

/// What the host saw of one attempt: a response, or none.
///
/// It holds what decides over the delivery and nothing else of the response, and can be saved, so
/// that it can pass through a host's queue.
///
/// ```
/// use http::{HeaderMap, StatusCode};
/// use labhook::Timestamp;
/// use labhook::delivery::{Failure, Outcome};
///
/// let now = Timestamp::from_unix_seconds(1_744_882_200);
/// let mut headers = HeaderMap::new();
/// headers.insert("retry-after", "120".parse()?);
/// let answered = Outcome::response(StatusCode::SERVICE_UNAVAILABLE, &headers, now);
/// assert_eq!(answered.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
///
/// let broken = Outcome::failed(Failure::Broken);
/// assert_eq!(broken.status(), None);
/// # Ok::<(), http::header::InvalidHeaderValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The receiver answered.
    Response(Response),
    /// No answer came.
    Failed(Failure),
}

impl Outcome {
    /// The receiver answered with this status and these headers at `now`.
    ///
    /// Of the headers, `Retry-After` and `webhook-delivery` are read. A redirect is handed in as
    /// it is: a host never follows one, since a POST that is redirected may arrive as a GET
    /// without its body.
    #[must_use]
    pub fn response(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        Self::Response(Response {
            status,
            retry_after: RetryAfter::from_headers(headers, now),
            control: Control::from_headers(headers),
        })
    }

    /// The receiver answered with this status, and its headers say nothing of retries.
    #[must_use]
    pub const fn bare(status: StatusCode) -> Self {
        Self::Response(Response { status, retry_after: None, control: None })
    }

    /// No answer came, for this reason.
    #[must_use]
    pub const fn failed(failure: Failure) -> Self {
        Self::Failed(failure)
    }

    /// The answer's status, if one came.
    #[must_use]
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Response(response) => Some(response.status),
            Self::Failed(_) => None,
        }
    }

    /// What the answer's `webhook-delivery` asked for, if it did.
    ///
    /// With a success the delivery takes no notice of it, and a host should still honour
    /// [`Control::Disable`].
    #[must_use]
    pub const fn control(&self) -> Option<Control> {
        match self {
            Self::Response(response) => response.control,
            Self::Failed(_) => None,
        }
    }

    /// Whether the receiver may have the message although no answer says so.
    #[must_use]
    pub const fn is_in_doubt(&self) -> bool {
        match self {
            Self::Response(_) => false,
            Self::Failed(failure) => failure.is_in_doubt(),
        }
    }
}

/// What matters of a receiver's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    #[serde(with = "code")]
    status: StatusCode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<RetryAfter>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    control: Option<Control>,
}

impl Response {
    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What `Retry-After` asked for, if it was there and could be read.
    #[must_use]
    pub const fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// What `webhook-delivery` asked for, if it was there and known.
    #[must_use]
    pub const fn control(&self) -> Option<Control> {
        self.control
    }
}

/// What the response header `webhook-delivery` asks for. Source: Svix, "Delivery Control".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Control {
    /// `abort-message`: no more attempts at this message. Without effect on a success.
    AbortMessage,
    /// `disable`: no more messages to this endpoint.
    Disable,
}

impl Control {
    /// Reads the header; an unknown value is ignored, and of several the one that ends more
    /// counts.
    fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(CONTROL).iter();
        values
            .filter_map(|value| {
                let value = value.as_bytes().trim_ascii();
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

/// Why no answer came. Every failure is retried.
///
/// The host should tell the kinds apart as well as its HTTP client lets it, and name
/// [`Broken`](Self::Broken) when in doubt: it is the one that claims least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failure {
    /// The receiver's name could not be resolved. Nothing was sent.
    Dns,
    /// No connection came about. Nothing was sent.
    Connect,
    /// The TLS handshake failed. No part of the message was sent.
    Tls,
    /// The attempt's deadline passed. The receiver may have the message.
    Timeout,
    /// The connection broke before an answer was complete. The receiver may have the message.
    Broken,
    /// A fault of the sender itself: its resolver, its way out, its proxy. Nothing reached the
    /// receiver.
    ///
    /// To the delivery it is an attempt like any other: it has its number, and the schedule goes
    /// on to the next delay. It says nothing about the receiver, so a host must not hold it
    /// against the endpoint. Where the request was not even tried,
    /// [`Delivery::cancel_start`](super::Delivery::cancel_start) gives the number back instead.
    Sender,
}

impl Failure {
    /// Whether the receiver may have the message although no answer says so.
    #[must_use]
    pub const fn is_in_doubt(self) -> bool {
        matches!(self, Self::Timeout | Self::Broken)
    }

    /// The failure as it is saved, such as `timeout`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Broken => "broken",
            Self::Sender => "sender",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
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
