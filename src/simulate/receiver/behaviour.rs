//! Response of a receiver to a request: [`Behaviour`].

use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};

use crate::delivery::{Failure, Outcome};
use crate::time::{Timestamp, millis_up};

/// Behaviour of a receiver towards a request, in an [`Outage`](super::Outage) for example.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// The attempt ends with this outcome after the receiver's latency. The receiver has accepted
    /// the message if the outcome is a 2xx response.
    Responds(Outcome),
    /// The receiver neither accepts the message nor responds, so the attempt times out.
    Hangs,
    /// The receiver accepts the message but does not respond, so the attempt times out.
    AcceptsSilently,
}

impl Behaviour {
    /// Responds with this status.
    #[must_use]
    pub const fn status(status: StatusCode) -> Self {
        Self::Responds(Outcome::bare(status))
    }

    /// Responds with this status and a `Retry-After` of `pause`, rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(status: StatusCode, pause: Duration) -> Self {
        Self::Responds(retry_after(status, pause))
    }

    /// Refuses connections.
    #[must_use]
    pub const fn refuses_connections() -> Self {
        Self::Responds(Outcome::failed(Failure::Connect))
    }

    /// Whether the receiver has then accepted the message.
    pub(in crate::simulate) fn accepts(&self) -> bool {
        match self {
            Self::Responds(outcome) => is_success(outcome),
            Self::Hangs => false,
            Self::AcceptsSilently => true,
        }
    }
}

/// A response with a `Retry-After` of `pause`, rounded up to whole seconds.
pub(super) fn retry_after(status: StatusCode, pause: Duration) -> Outcome {
    let mut headers = HeaderMap::new();
    let seconds = millis_up(pause).div_ceil(1_000);
    headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
    Outcome::response(status, &headers, Timestamp::UNIX_EPOCH)
}

/// Whether the outcome is a 2xx response.
pub(in crate::simulate) fn is_success(outcome: &Outcome) -> bool {
    outcome.status().is_some_and(|status| status.is_success())
}
