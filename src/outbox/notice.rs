//! Events for the host: [`Notice`].

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::delivery::Verdict;
use crate::health::Disabled;
use crate::id::{EndpointId, MessageId};
use crate::outbox::attempt_report::AttemptReport;
use crate::time::Timestamp;

/// Event that a host may want to log, count or alert on: the content of
/// [`Step::Notify`](crate::Step::Notify).
///
/// A notice comes once, after the change that it reports is durable. A crash between the two loses
/// the notice but not the change, which is in the saved records.
///
/// [`name`](Self::name) is a stable label for metrics, [`Display`](fmt::Display) a sentence for a
/// log, and serde gives all fields, with the name under `notice`.
///
/// ```
/// use labhook::{Notice, Verdict};
///
/// /// Returns whether somebody should look at it soon.
/// fn needs_attention(notice: &Notice) -> bool {
///     match notice {
///         Notice::Settled { verdict, .. } => *verdict != Verdict::Delivered,
///         Notice::EndpointDisabled { .. } => true,
///         _ => false,
///     }
/// }
/// ```
#[doc(alias = "dead letter")]
#[doc(alias = "DLQ")]
#[doc(alias = "alert")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// A delivery has ended.
    ///
    /// Unless the verdict is [`Verdict::Delivered`], the delivery can be
    /// [replayed](crate::Outbox::replay) until its message's
    /// [retention](crate::Outbox::with_retention) ends.
    Settled {
        /// The id of the message.
        message: MessageId,
        /// The id of the endpoint.
        endpoint: EndpointId,
        /// How the delivery ended.
        verdict: Verdict,
        /// The number of attempts that were made.
        attempts: u32,
    },
    /// A delivery has failed [several times](crate::Outbox::with_failing_after). Retries continue.
    Failing {
        /// The id of the message.
        message: MessageId,
        /// The id of the endpoint.
        endpoint: EndpointId,
        /// The number of attempts that have failed.
        attempts: u32,
    },
    /// An attempt ended without a response, and the delivery waits for a decision, under
    /// [`DeliveryGuarantee::Ask`](crate::delivery::DeliveryGuarantee::Ask).
    ///
    /// Decide with [`Outbox::resend`](crate::Outbox::resend),
    /// [`Outbox::give_up`](crate::Outbox::give_up) or [`Outbox::replay`](crate::Outbox::replay). To
    /// list all such deliveries, also after a restart, filter
    /// [`Outbox::deliveries`](crate::Outbox::deliveries) by
    /// [`Delivery::in_doubt`](crate::delivery::Delivery::in_doubt).
    InDoubt {
        /// The id of the message.
        message: MessageId,
        /// The id of the endpoint.
        endpoint: EndpointId,
        /// The number of the attempt.
        attempt: u32,
        /// When the attempt ended.
        since: Timestamp,
    },
    /// An attempt has ended. Reported only if
    /// [`Outbox::with_attempt_reports`](crate::Outbox::with_attempt_reports) is set.
    AttemptEnded(AttemptReport),
    /// An endpoint is down: its circuit breaker is open. Deliveries wait while probes check whether
    /// it is back, and the time until it is disabled counts.
    EndpointDown {
        /// The id of the endpoint.
        endpoint: EndpointId,
        /// Since when it is down.
        since: Timestamp,
    },
    /// An endpoint is disabled: its receiver or an operator wanted it, or its probes failed for too
    /// long.
    ///
    /// Pending deliveries end as [`Verdict::Cancelled`], each with a notice of its own, or stay
    /// pending, depending on the endpoint's [policy](crate::HealthPolicy::pending_on_disable). The
    /// endpoint stays disabled across restarts until
    /// [`Outbox::enable_endpoint`](crate::Outbox::enable_endpoint).
    EndpointDisabled {
        /// The id of the endpoint.
        endpoint: EndpointId,
        /// When the endpoint was disabled, by whom and why.
        disabled: Disabled,
    },
    /// An endpoint that was down or disabled is healthy again. Its backlog is
    /// released gradually.
    EndpointRecovered {
        /// The id of the endpoint.
        endpoint: EndpointId,
        /// When it recovered.
        at: Timestamp,
    },
    /// A receiver refuses too many attempts above some rate, so the endpoint is paced: deliveries
    /// may fall behind. Reported once until the endpoint recovers from an outage or is enabled.
    EndpointPaced {
        /// The id of the endpoint.
        endpoint: EndpointId,
        /// When it was found.
        at: Timestamp,
        /// The time between two attempts.
        spacing: Duration,
        /// The share of attempts that was refused above this rate, in percent.
        refused_percent: u8,
        /// The number of pending deliveries.
        pending: usize,
    },
    /// A receiver refuses a share of attempts at any rate: a lower one did not help, and was
    /// undone. The share is no longer held against the rate.
    RefusalsExcused {
        /// The id of the endpoint.
        endpoint: EndpointId,
        /// When it was found.
        at: Timestamp,
        /// The share of attempts that is refused, in percent.
        refused_percent: u8,
    },
    /// A receiver keeps requesting pauses with `Retry-After` while it accepts most attempts, and
    /// granting them did not help. From now on they hold back only the messages that they concern,
    /// until more is refused.
    PausesIgnored {
        /// The id of the endpoint.
        endpoint: EndpointId,
        /// When it was found.
        at: Timestamp,
    },
    /// Too many endpoints fail at once: probably an outage on the sender's side, such as its
    /// network, proxy or name service. Until it ends, no endpoint is disabled for it.
    SenderOutage {
        /// The number of endpoints that fail.
        failing: u64,
        /// The number of endpoints counted: those enabled, and neither paused nor disabled.
        all: u64,
        /// When the outage was detected.
        since: Timestamp,
    },
    /// Few enough endpoints fail again.
    SenderOutageEnded {
        /// When the outage ended.
        at: Timestamp,
    },
}

impl Notice {
    /// Returns the notice's name, such as `endpoint_down`: a stable label for metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Settled { .. } => "settled",
            Self::Failing { .. } => "failing",
            Self::InDoubt { .. } => "in_doubt",
            Self::AttemptEnded(_) => "attempt_ended",
            Self::EndpointDown { .. } => "endpoint_down",
            Self::EndpointDisabled { .. } => "endpoint_disabled",
            Self::EndpointRecovered { .. } => "endpoint_recovered",
            Self::EndpointPaced { .. } => "endpoint_paced",
            Self::RefusalsExcused { .. } => "refusals_excused",
            Self::PausesIgnored { .. } => "pauses_ignored",
            Self::SenderOutage { .. } => "sender_outage",
            Self::SenderOutageEnded { .. } => "sender_outage_ended",
        }
    }

    /// Returns the endpoint that the notice is about, if it is about one.
    #[must_use]
    pub const fn endpoint(&self) -> Option<&EndpointId> {
        match self {
            Self::Settled { endpoint, .. }
            | Self::Failing { endpoint, .. }
            | Self::InDoubt { endpoint, .. }
            | Self::AttemptEnded(AttemptReport { endpoint, .. })
            | Self::EndpointDown { endpoint, .. }
            | Self::EndpointDisabled { endpoint, .. }
            | Self::EndpointRecovered { endpoint, .. }
            | Self::EndpointPaced { endpoint, .. }
            | Self::RefusalsExcused { endpoint, .. }
            | Self::PausesIgnored { endpoint, .. } => Some(endpoint),
            Self::SenderOutage { .. } | Self::SenderOutageEnded { .. } => None,
        }
    }

    /// Returns the message that the notice is about, if it is about one.
    #[must_use]
    pub const fn message(&self) -> Option<&MessageId> {
        match self {
            Self::Settled { message, .. }
            | Self::Failing { message, .. }
            | Self::InDoubt { message, .. }
            | Self::AttemptEnded(AttemptReport { message, .. }) => Some(message),
            Self::EndpointDown { .. }
            | Self::EndpointDisabled { .. }
            | Self::EndpointRecovered { .. }
            | Self::EndpointPaced { .. }
            | Self::RefusalsExcused { .. }
            | Self::PausesIgnored { .. }
            | Self::SenderOutage { .. }
            | Self::SenderOutageEnded { .. } => None,
        }
    }
}

/// A sentence without a full stop, such as `endpoint eln recovered at 2025-04-17T09:45:00.000Z`.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settled { message, endpoint, verdict, attempts } => {
                let attempts = Attempts(*attempts);
                write!(f, "delivery of {message} to {endpoint} ended as {verdict} after {attempts}")
            }
            Self::Failing { message, endpoint, attempts } => {
                let attempts = Attempts(*attempts);
                write!(f, "delivery of {message} to {endpoint} is failing after {attempts}")
            }
            Self::InDoubt { message, endpoint, attempt, since } => write!(
                f,
                "delivery of {message} to {endpoint} has been in doubt since {since}: \
                 attempt {attempt} ended without a response"
            ),
            Self::AttemptEnded(report) => {
                let AttemptReport { message, endpoint, number, ended_at, .. } = report;
                write!(f, "attempt {number} of {message} to {endpoint} ended at {ended_at}")
            }
            Self::EndpointDown { endpoint, since } => {
                write!(f, "endpoint {endpoint} has been down since {since}")
            }
            Self::EndpointDisabled { endpoint, disabled } => {
                write!(f, "endpoint {endpoint} has been disabled since {}", disabled.since)
            }
            Self::EndpointRecovered { endpoint, at } => {
                write!(f, "endpoint {endpoint} recovered at {at}")
            }
            Self::EndpointPaced { endpoint, spacing, refused_percent, pending, .. } => write!(
                f,
                "endpoint {endpoint} is paced at one attempt per {spacing:?}, because \
                 {refused_percent} % were refused above that rate; {pending} deliveries are pending"
            ),
            Self::RefusalsExcused { endpoint, refused_percent, .. } => write!(
                f,
                "endpoint {endpoint} refuses {refused_percent} % of attempts at any rate, so the \
                 rate is not reduced"
            ),
            Self::PausesIgnored { endpoint, .. } => write!(
                f,
                "endpoint {endpoint} requests pauses that do not help, so only the messages that \
                 they concern are held back"
            ),
            Self::SenderOutage { failing, all, since } => {
                write!(
                    f,
                    "sender outage suspected since {since}: {failing} of {all} endpoints fail"
                )
            }
            Self::SenderOutageEnded { at } => write!(f, "sender outage ended at {at}"),
        }
    }
}

/// A number of attempts, as text.
struct Attempts(u32);

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, if self.0 == 1 { "attempt" } else { "attempts" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::DisabledBy;
    use crate::outbox::attempt_report::Cause;

    #[test]
    fn each_notice_has_a_name_and_a_sentence() {
        let message = || MessageId::new("m").unwrap();
        let endpoint = || EndpointId::new("eln").unwrap();
        let at = Timestamp::from_unix_seconds(1_744_882_200);
        let disabled = serde_json::json!({ "since": at, "by": "operator", "reason": "moved" });
        let disabled: Disabled = serde_json::from_value(disabled).unwrap();
        assert_eq!(disabled.by, DisabledBy::Operator);
        let report = AttemptReport {
            message: message(),
            endpoint: endpoint(),
            number: 2,
            cause: Cause::Retry,
            started_at: at,
            ended_at: at,
            outcome: None,
            next_at: None,
            verdict: None,
        };
        let of_message = [
            (
                Notice::Settled {
                    message: message(),
                    endpoint: endpoint(),
                    verdict: Verdict::Exhausted,
                    attempts: 8,
                },
                "settled",
                "delivery of m to eln ended as exhausted after 8 attempts",
            ),
            (
                Notice::Failing { message: message(), endpoint: endpoint(), attempts: 1 },
                "failing",
                "delivery of m to eln is failing after 1 attempt",
            ),
            (
                Notice::InDoubt { message: message(), endpoint: endpoint(), attempt: 1, since: at },
                "in_doubt",
                "delivery of m to eln has been in doubt since 2025-04-17T09:30:00.000Z: \
                 attempt 1 ended without a response",
            ),
            (
                Notice::AttemptEnded(report),
                "attempt_ended",
                "attempt 2 of m to eln ended at 2025-04-17T09:30:00.000Z",
            ),
        ];
        let of_endpoint = [
            (
                Notice::EndpointDown { endpoint: endpoint(), since: at },
                "endpoint_down",
                "endpoint eln has been down since 2025-04-17T09:30:00.000Z",
            ),
            (
                Notice::EndpointDisabled { endpoint: endpoint(), disabled },
                "endpoint_disabled",
                "endpoint eln has been disabled since 2025-04-17T09:30:00.000Z",
            ),
            (
                Notice::EndpointRecovered { endpoint: endpoint(), at },
                "endpoint_recovered",
                "endpoint eln recovered at 2025-04-17T09:30:00.000Z",
            ),
            (
                Notice::EndpointPaced {
                    endpoint: endpoint(),
                    at,
                    spacing: Duration::from_millis(83),
                    refused_percent: 31,
                    pending: 700,
                },
                "endpoint_paced",
                "endpoint eln is paced at one attempt per 83ms, because 31 % were refused above that \
                 rate; 700 deliveries are pending",
            ),
            (
                Notice::RefusalsExcused { endpoint: endpoint(), at, refused_percent: 15 },
                "refusals_excused",
                "endpoint eln refuses 15 % of attempts at any rate, so the rate is not reduced",
            ),
            (
                Notice::PausesIgnored { endpoint: endpoint(), at },
                "pauses_ignored",
                "endpoint eln requests pauses that do not help, so only the messages that they \
                 concern are held back",
            ),
        ];
        let of_none = [
            (
                Notice::SenderOutage { failing: 3, all: 4, since: at },
                "sender_outage",
                "sender outage suspected since 2025-04-17T09:30:00.000Z: 3 of 4 endpoints fail",
            ),
            (
                Notice::SenderOutageEnded { at },
                "sender_outage_ended",
                "sender outage ended at 2025-04-17T09:30:00.000Z",
            ),
        ];
        let all = of_message.iter().chain(&of_endpoint).chain(&of_none);
        for (notice, name, text) in all {
            assert_eq!(notice.name(), *name);
            assert_eq!(notice.to_string(), *text);
            assert_eq!(serde_json::to_value(notice).unwrap()["notice"], *name);
        }
        assert!(of_message.iter().all(|(it, ..)| it.message() == Some(&message())));
        assert!(of_message.iter().chain(&of_endpoint).all(|(it, ..)| it.endpoint().is_some()));
        assert!(of_endpoint.iter().chain(&of_none).all(|(it, ..)| it.message().is_none()));
        assert!(of_none.iter().all(|(it, ..)| it.endpoint().is_none()));
    }
}
