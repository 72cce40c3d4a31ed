//! What a receiver answers: [`Reply`].

use std::time::Duration;

use http::header::{HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};

use crate::decode::DecodeError;
use crate::signature::VerifyError;

/// What a receiver answers, as an `http::Response` of whatever body type its framework has.
///
/// The answer says to the sender what to do next, so it is worth choosing well: an event that
/// was handled is accepted, a repetition too, and anything that may go better later is not.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// The event was handled, now or before: 204.
    Accepted,
    /// The request is not genuine: 403. The reason belongs into the receiver's own log; told to
    /// the sender it would help a forger.
    Refused,
    /// Not now; again after this long, in whole seconds and rounded up: 503 with `Retry-After`
    /// (RFC 9110 section 10.2.3).
    RetryAfter(Duration),
    /// The event is genuine and useless, and would be no better if it came again: 422 with
    /// `webhook-delivery: abort-message`, which Svix's documentation defines and senders that do
    /// not know it pass over.
    AbortMessage,
    /// Nothing more, ever: 410. The Standard Webhooks specification 1.0.0 asks senders to
    /// disable the endpoint on it.
    Gone,
}

impl Reply {
    /// The status that says it.
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

/// For the `?` of a function that returns what to answer: [`Reply::Refused`]. Log the error first,
/// it says why.
impl From<VerifyError> for Reply {
    fn from(_: VerifyError) -> Self {
        Self::Refused
    }
}

/// For the `?` of a function that returns what to answer: [`Reply::AbortMessage`]. Log the error
/// first, it says where.
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
                let started = u64::from(delay.subsec_nanos() > 0);
                let seconds = delay.as_secs().saturating_add(started);
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
