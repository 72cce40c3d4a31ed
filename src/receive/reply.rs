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
    /// The request could not be verified: 403. Log the reason; sending it back would help a forger.
    Refused,
    /// Try again after this delay, rounded up to whole seconds: 503 with `Retry-After`
    /// (RFC 9110 section 10.2.3).
    RetryAfter(Duration),
    /// The request is genuine but can never be processed, so retries are pointless: 422 with
    /// `webhook-delivery: abort-message`. Svix's documentation defines the header; other senders
    /// ignore it.
    AbortMessage,
    /// Stop sending to this endpoint: 410. The Standard Webhooks specification 1.0.0 asks senders
    /// to disable the endpoint.
    Gone,
}

impl Reply {
    /// Returns the HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::Accepted => StatusCode::NO_CONTENT,
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

/// Lets `?` turn the error into [`Reply::AbortMessage`]. Log the error first: the response does not
/// contain the reason.
impl From<DecodeError> for Reply {
    fn from(_: DecodeError) -> Self {
        Self::AbortMessage
    }
}

impl<B: Default> From<Reply> for Response<B> {
    fn from(reply: Reply) -> Self {
        let mut response = Self::new(B::default());
        *response.status_mut() = reply.status();
        match reply {
            Reply::RetryAfter(delay) => {
                let partial = u64::from(delay.subsec_nanos() > 0);
                let seconds = delay.as_secs().saturating_add(partial);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
            }
            Reply::AbortMessage => {
                let abort = HeaderValue::from_static("abort-message");
                response.headers_mut().insert("webhook-delivery", abort);
            }
            Reply::Accepted | Reply::Refused | Reply::Gone => {}
        }
        response
    }
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
        assert_eq!(shown(Reply::AbortMessage), r#"422 {"webhook-delivery": "abort-message"}"#);
        for (millis, seconds) in [(0, 0), (1, 1), (1_000, 1), (1_001, 2)] {
            let reply = Reply::RetryAfter(Duration::from_millis(millis));
            assert_eq!(shown(reply), format!(r#"503 {{"retry-after": "{seconds}"}}"#));
        }
    }
}
