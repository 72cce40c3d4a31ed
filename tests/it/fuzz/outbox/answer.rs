//! What receivers do with requests: [`Answer`].

use http::{HeaderMap, StatusCode};
use labhook::{Failure, Outcome, Timestamp, Verdict};

/// What becomes of a request, which is settled once for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    Ok,
    /// The receiver accepts it, and the response comes late.
    OkLate,
    /// The connection breaks, and the receiver has it or has not.
    Broken {
        received: bool,
    },
    Refused,
    Unavailable,
    Later,
    Stop,
    Abort,
    Disable,
    Gone,
    Redirect,
    NeverConnected,
    Sender,
}

impl Answer {
    pub(super) const ALL: &'static [Self] = &[
        Self::Ok,
        Self::OkLate,
        Self::Broken { received: true },
        Self::Broken { received: false },
        Self::Refused,
        Self::Unavailable,
        Self::Later,
        Self::Stop,
        Self::Abort,
        Self::Disable,
        Self::Gone,
        Self::Redirect,
        Self::NeverConnected,
        Self::Sender,
        Self::Ok,
        Self::Unavailable,
    ];

    pub(super) fn is_accepted(self) -> bool {
        matches!(self, Self::Ok | Self::OkLate | Self::Broken { received: true })
    }

    /// The outcome that the host reports, if it does, and the verdict that it can give.
    pub(super) fn outcome(self, now: Timestamp) -> Option<(Outcome, Option<Verdict>)> {
        let bare = |status| Outcome::bare(StatusCode::from_u16(status).unwrap());
        let with = |status, name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            Outcome::response(StatusCode::from_u16(status).unwrap(), &headers, now)
        };
        Some(match self {
            Self::Ok => (bare(200), Some(Verdict::Delivered)),
            Self::OkLate => return None,
            Self::Broken { .. } => (Outcome::failed(Failure::Broken), None),
            Self::Refused => (bare(400), Some(Verdict::Rejected)),
            Self::Unavailable => (bare(503), None),
            Self::Later => (with(429, "retry-after", "7"), None),
            Self::Stop => (with(503, "retry-after", "-1"), Some(Verdict::Stopped)),
            Self::Abort => (with(500, "webhook-delivery", "abort-message"), Some(Verdict::Stopped)),
            Self::Disable => (with(500, "webhook-delivery", "disable"), Some(Verdict::Gone)),
            Self::Gone => (bare(410), Some(Verdict::Gone)),
            Self::Redirect => (bare(302), None),
            Self::NeverConnected => (Outcome::failed(Failure::Connect), None),
            Self::Sender => (Outcome::failed(Failure::Sender), None),
        })
    }
}
