//! The response to a webhook request: [`Reply`].

use std::time::Duration;

use http::header::{HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use crate::decode::DecodeError;
use crate::signature::VerifyError;

/// The response to a webhook request; converts into an [`http::Response`] with any body type.
///
/// The status decides what the sender does next. Accept an event that was handled, and a duplicate
/// of one; ask for a retry when a later attempt may succeed.
///
/// ```
/// use std::time::Duration;
/// use http::Response;
/// use labhook::Reply;
///
/// let busy: Response<Vec<u8>> = Reply::RetryAfter(Duration::from_secs(30)).into();
/// assert_eq!(busy.status(), 503);
/// assert_eq!(busy.headers()["retry-after"], "30");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "response")]
#[doc(alias = "acknowledge")]
#[doc(alias = "ack")]
#[doc(alias = "Retry-After")]
#[non_exhaustive]
pub enum Reply {
    /// The event was handled, now or before: 204.
    Accepted,
    /// The event was not handled, and a later attempt may succeed: 500. This is the default for a
    /// genuine request that could not be read. It asks for no pause; senders retry the message by
    /// their own schedule.
    Retry,
    /// Another handler holds the lease on this event: 409 with `Retry-After`, the delay in whole
    /// seconds, from 1 to 5. A sender should hold back this message only, as an
    /// [`Outbox`](crate::Outbox) does; the lease may end long before it expires.
    InProgress(Duration),
    /// The request could not be verified: 403. Log the reason; sending it back would help a forger.
    Refused,
    /// Send nothing until this delay has passed, rounded up to whole seconds: 503 with
    /// `Retry-After` (RFC 9110 section 10.2.3). A sender may hold back the whole endpoint.
    RetryAfter(Duration),
    /// The request is genuine but can never be processed, so retries are pointless: 422 with
    /// `webhook-delivery: abort-message`. Svix's documentation defines the header; other senders
    /// ignore it. No error of this crate converts to it: the sender gives up the event for good, so
    /// only your application can say so.
    AbortMessage,
    /// Stop sending to this endpoint: 410. The Standard Webhooks specification 1.0.0 asks senders
    /// to disable the endpoint.
    Gone,
}

impl Reply {
    /// The longest delay that a busy receiver asks for. Most handlers end long before their lease.
    pub(super) const LONGEST_HINT: Duration = Duration::from_secs(5);

    /// Returns the HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Accepted => StatusCode::NO_CONTENT,
            Self::Retry => StatusCode::INTERNAL_SERVER_ERROR,
            Self::InProgress(_) => StatusCode::CONFLICT,
            Self::Refused => StatusCode::FORBIDDEN,
            Self::RetryAfter(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::AbortMessage => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Gone => StatusCode::GONE,
        }
    }
}

/// Lets `?` turn the error into [`Reply::Refused`]. Log the error first: the response does not
/// contain the reason.
impl From<VerifyError> for Reply {
    fn from(_: VerifyError) -> Self {
        Self::Refused
    }
}

/// Lets `?` turn the error into [`Reply::Retry`]: the request is genuine, and a later version of
/// the receiver may be able to read it. Log the error first: the response does not contain the
/// reason.
impl From<DecodeError> for Reply {
    fn from(_: DecodeError) -> Self {
        Self::Retry
    }
}

impl<B: Default> From<Reply> for Response<B> {
    fn from(reply: Reply) -> Self {
        let mut response = Self::new(B::default());
        *response.status_mut() = reply.status();
        match reply {
            Reply::InProgress(delay) => {
                let seconds = whole_seconds(delay.min(Reply::LONGEST_HINT)).max(1);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            Reply::RetryAfter(delay) => {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(whole_seconds(delay)));
            }
            Reply::AbortMessage => {
                let abort = HeaderValue::from_static("abort-message");
                response.headers_mut().insert("webhook-delivery", abort);
            }
            Reply::Accepted | Reply::Retry | Reply::Refused | Reply::Gone => {}
        }
        response
    }
}

fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reply_has_its_status_and_headers() {
        let shown = |reply: Reply| {
            let response: Response<()> = reply.into();
            format!("{} {:?}", response.status().as_u16(), response.headers())
        };
        assert_eq!(shown(Reply::Accepted), "204 {}");
        assert_eq!(shown(Reply::Refused), "403 {}");
        assert_eq!(shown(Reply::Gone), "410 {}");
        assert_eq!(shown(Reply::Retry), "500 {}");
        for (millis, seconds) in [(0, 1), (1_001, 2), (5_000, 5), (275_000, 5)] {
            let reply = Reply::InProgress(Duration::from_millis(millis));
            assert_eq!(shown(reply), format!(r#"409 {{"retry-after": "{seconds}"}}"#));
        }
        assert_eq!(shown(Reply::AbortMessage), r#"422 {"webhook-delivery": "abort-message"}"#);
        for (millis, seconds) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2)] {
            let reply = Reply::RetryAfter(Duration::from_millis(millis));
            assert_eq!(shown(reply), format!(r#"503 {{"retry-after": "{seconds}"}}"#));
        }
    }
}
