//! What an outbox tells its host: [`Notice`].

use crate::delivery::Verdict;
use crate::health::Disabled;
use crate::id::{EndpointId, MessageId};
use crate::outbox::attempt_report::AttemptReport;
use crate::time::Timestamp;

/// Something happened that the host may want to know.
///
/// Of an endpoint each state is told once between two recoveries, however often it comes and goes.
/// A notice is told once, after the change that it tells of is durable. A crash between the two
/// loses the notice and not the change, which is in the saved records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A delivery has ended.
    Settled {
        /// The message.
        message: MessageId,
        /// The endpoint.
        endpoint: EndpointId,
        /// How it ended.
        verdict: Verdict,
        /// How many attempts were made.
        attempts: u32,
    },
    /// A delivery has failed so often that somebody should know:
    /// [`Outbox::with_failing_after`](crate::Outbox::with_failing_after). It is retried all the same.
    Failing {
        /// The message.
        message: MessageId,
        /// The endpoint.
        endpoint: EndpointId,
        /// How many attempts have failed.
        attempts: u32,
    },
    /// An attempt ended without an answer, and under [`DeliveryGuarantee::Ask`](crate::delivery::DeliveryGuarantee::Ask)
    /// nothing more is sent until somebody decides: [`Outbox::resend`](crate::Outbox::resend),
    /// [`Outbox::give_up`](crate::Outbox::give_up) or [`Outbox::replay`](crate::Outbox::replay).
    /// Those of [`Outbox::deliveries`](crate::Outbox::deliveries) that are
    /// [in doubt](crate::delivery::Delivery::in_doubt) are all there are, after a restart too.
    InDoubt {
        /// The message.
        message: MessageId,
        /// The endpoint.
        endpoint: EndpointId,
        /// The number of the attempt.
        attempt: u32,
        /// Since when.
        since: Timestamp,
    },
    /// An attempt is over; told only where
    /// [`Outbox::with_attempt_reports`](crate::Outbox::with_attempt_reports) was asked for.
    AttemptEnded(AttemptReport),
    /// An endpoint fails too often: what there is for it waits, and probes ask whether it is back.
    EndpointDegraded {
        /// The endpoint.
        endpoint: EndpointId,
        /// Since when.
        since: Timestamp,
    },
    /// The probes failed too: new messages may be shed, and time counts towards disabling.
    EndpointSuspended {
        /// The endpoint.
        endpoint: EndpointId,
        /// Since when.
        since: Timestamp,
    },
    /// An endpoint receives nothing more: its receiver wants no more, an operator said so, or its
    /// probes have failed for too long. The deliveries that waited end as [`Verdict::Cancelled`],
    /// each with a notice of its own, or wait on, as the endpoint's
    /// [policy](crate::HealthPolicy::pending_on_disable) says.
    ///
    /// It stays so over restarts until
    /// [`Outbox::enable_endpoint`](crate::Outbox::enable_endpoint) lifts it.
    EndpointDisabled {
        /// The endpoint.
        endpoint: EndpointId,
        /// Since when, by whom and why.
        disabled: Disabled,
    },
    /// An endpoint that was degraded, suspended or disabled is healthy again, and what waited for
    /// it goes, a little at first.
    EndpointRecovered {
        /// The endpoint.
        endpoint: EndpointId,
        /// Since when.
        at: Timestamp,
    },
    /// So many endpoints fail together that the fault is likely this end's: the network, a proxy,
    /// the name service. Until that is over none of them is suspended or disabled for it.
    SenderOutage {
        /// How many fail.
        failing: u64,
        /// How many there are.
        all: u64,
        /// Since when.
        since: Timestamp,
    },
    /// No longer do so many endpoints fail together.
    SenderOutageEnded {
        /// Since when.
        at: Timestamp,
    },
}
