//! Findings of the linter: [`Finding`].

use std::num::NonZeroU32;
use std::time::Duration;

use http::StatusCode;

use super::severity::Severity;

/// A likely mistake in an endpoint's policies.
///
/// [`Display`](std::fmt::Display) writes it as one clause with its numbers, and
/// [`name`](Self::name) is a stable label for configuration and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// Deliveries that wait when the circuit opens expire before the first probe.
    ProbeAfterWindow {
        /// The wait before the first probe.
        wait: Duration,
        /// The retry window.
        window: Duration,
    },
    /// Few failures open the circuit. A receiver that fails half of all attempts by chance, or a
    /// handful of messages that it can never accept, is then taken for one that is down, and
    /// everything waits for probes.
    FewFailures {
        /// The messages in a row whose first attempt must fail.
        failures: NonZeroU32,
    },
    /// In strict order one message is tried until it is delivered or given up, so that many
    /// messages in a row rarely fail: a receiver that is gone is not probed, but gets retries by
    /// the schedule.
    OrderHidesFailures {
        /// The messages in a row whose first attempt must fail.
        failures: NonZeroU32,
    },
    /// New messages are to be shed after some time down, but no failure opens the circuit, or the
    /// endpoint is disabled before.
    NeverSheds,
    /// The endpoint is disabled, and its pending deliveries cancelled, while those deliveries have
    /// retries left. Both times assume a receiver that sends no `Retry-After`, such as one that is
    /// gone: pauses would delay probes and retries alike.
    DisabledBeforeRetriesEnd {
        /// The longest time until a failing endpoint is disabled, if nothing delays a probe: see
        /// [`PolicySummary::time_to_disable`](crate::policy::PolicySummary::time_to_disable).
        disabled: Duration,
        /// The longest time for which a delivery is retried.
        span: Duration,
    },
    /// Messages arrive faster than the rate limit lets them go, so the backlog grows without end.
    RateBelowLoad {
        /// The rate limit: releases
        releases: NonZeroU32,
        /// per this time.
        per: Duration,
        /// The load: events
        events: NonZeroU32,
        /// per this time.
        every: Duration,
    },
    /// Messages arrive as fast as the rate limit lets them go, so a backlog, after an outage for
    /// example, does not drain until the load falls.
    RateEqualsLoad {
        /// The rate limit: releases
        releases: NonZeroU32,
        /// per this time.
        per: Duration,
    },
    /// The backlog of an outage drains so slowly beside new messages that the last of it expires,
    /// or is no longer useful.
    BacklogExpires {
        /// The outage.
        outage: Duration,
        /// The time in which its backlog drains.
        drain: Duration,
        /// The lifetime of a message.
        lifetime: Duration,
    },
    /// Messages that are accepted when an outage begins cannot be delivered, at any rate.
    OutageExceedsLifetime {
        /// The outage.
        outage: Duration,
        /// The lifetime of a message.
        lifetime: Duration,
    },
    /// The schedule alone never reaches the end of the retry window: the last retry comes before.
    /// The window ends only deliveries that something else delays: the flow limits, including the
    /// pauses that a receiver asks for, an operator, a host that is down, or an in-doubt delivery
    /// that waits for a decision. If health or an order can hold deliveries back, each outage does
    /// so, and this is not reported.
    WindowExceedsSchedule {
        /// The retry window.
        window: Duration,
        /// The longest time that the schedule takes, with `Retry-After` at its cap.
        span: Duration,
    },
    /// The retry window ends before the schedule's later retries. Computed without jitter.
    WindowCutsRetries {
        /// The retry window.
        window: Duration,
        /// The retries that come before its end.
        allowed: u32,
        /// All retries of the schedule and the attempt limit.
        retries: u32,
    },
    /// The attempt limit is never reached, because the schedule ends before.
    LimitExceedsSchedule {
        /// The attempt limit.
        limit: NonZeroU32,
        /// The attempts that the schedule allows.
        attempts: u32,
    },
    /// The attempt limit ends before the schedule's later retries.
    LimitCutsSchedule {
        /// The attempt limit.
        limit: NonZeroU32,
        /// The attempts that the schedule allows.
        attempts: u32,
    },
    /// The attempt limit is never reached, because the retry window ends before. Computed without
    /// jitter.
    LimitExceedsWindow {
        /// The attempt limit.
        limit: NonZeroU32,
        /// The attempts that come before the window's end.
        attempts: u32,
        /// The retry window.
        window: Duration,
    },
    /// A receiver that hangs loses the message: when the first attempt times out, the message has
    /// no time left for a retry.
    TimeoutExceedsLifetime {
        /// The attempt timeout.
        timeout: Duration,
        /// The lifetime of a message.
        lifetime: Duration,
    },
    /// An attempt times out after an hour or more. If the receiver goes silent without closing the
    /// connection, or the sender is restarted, the message is delayed by that time. A receiver that
    /// needs time can send `Retry-After` instead, which keeps no connection open and is honoured
    /// for up to an hour by default.
    LongTimeout {
        /// The attempt timeout.
        timeout: Duration,
    },
    /// A receiver that asks for the longest pause that `Retry-After` may impose loses the message.
    RetryAfterExceedsWindow {
        /// The cap of `Retry-After`.
        cap: Duration,
        /// The retry window.
        window: Duration,
    },
    /// No response counts as delivered, so every message is sent until its retries end.
    NothingCountsAsDelivered,
    /// A 2xx status is retried, so the receiver gets duplicates of messages that it acknowledged.
    SuccessRetried {
        /// The lowest such status.
        status: StatusCode,
    },
    /// A status of an overloaded or failing receiver counts as delivered, so a message that it did
    /// not accept is not sent again.
    FailureCountsAsDelivered {
        /// The lowest such status.
        status: StatusCode,
    },
    /// Status 410 is retried: a receiver that is gone for good keeps getting requests.
    GoneRetried,
    /// Without jitter, deliveries that fail together are retried together, each time.
    NoJitter {
        /// The load: events
        events: NonZeroU32,
        /// per this time.
        every: Duration,
    },
    /// A message that its receiver always rejects is retried forever.
    EndlessRetries,
    /// Deliveries wait for a failing endpoint forever: they have no retry window, and the endpoint
    /// is never disabled, or keeps its pending deliveries when it is.
    EndlessHold,
    /// Head-of-line blocking: one message that is not accepted blocks all that come after it.
    HeadOfLineBlocking {
        /// The longest time for which it blocks them; [`Duration::MAX`] for forever.
        span: Duration,
        /// Whether it blocks all messages to the endpoint, or only those with the same key.
        strict: bool,
    },
    /// Others may skip a message as soon as it is accepted, so the order has no effect.
    OrderWithoutEffect,
    /// Others may skip a message whose first attempt is still in flight. A receiver that is slow,
    /// but never fails, gets them at the same time or out of order.
    SkipBeforeTimeout {
        /// The age at which others may skip a message.
        skip_after: Duration,
        /// The attempt timeout.
        timeout: Duration,
    },
    /// A message is retried when it is no longer useful.
    RetriedPastLifetime {
        /// How long a message is useful.
        lifetime: Duration,
        /// The longest time for which it is retried.
        span: Duration,
    },
    /// One failed attempt loses the message.
    NoRetries,
}

impl Finding {
    /// Returns the severity of this finding.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::ProbeAfterWindow { .. }
            | Self::NeverSheds
            | Self::DisabledBeforeRetriesEnd { .. }
            | Self::RateBelowLoad { .. }
            | Self::BacklogExpires { .. }
            | Self::WindowCutsRetries { .. }
            | Self::LimitExceedsSchedule { .. }
            | Self::LimitCutsSchedule { .. }
            | Self::LimitExceedsWindow { .. }
            | Self::OrderWithoutEffect
            | Self::NothingCountsAsDelivered
            | Self::SuccessRetried { .. } => Severity::Contradiction,
            Self::FewFailures { .. }
            | Self::OutageExceedsLifetime { .. }
            | Self::RateEqualsLoad { .. }
            | Self::TimeoutExceedsLifetime { .. }
            | Self::LongTimeout { .. }
            | Self::RetryAfterExceedsWindow { .. }
            | Self::FailureCountsAsDelivered { .. }
            | Self::GoneRetried
            | Self::NoJitter { .. }
            | Self::EndlessRetries
            | Self::EndlessHold
            | Self::HeadOfLineBlocking { .. }
            | Self::SkipBeforeTimeout { .. }
            | Self::NoRetries => Severity::Risk,
            // The window may be meant for what else delays a delivery.
            Self::WindowExceedsSchedule { .. }
            | Self::OrderHidesFailures { .. }
            | Self::RetriedPastLifetime { .. } => Severity::Note,
        }
    }

    /// Returns a stable `snake_case` label for this kind of finding, such as `rate_below_load`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ProbeAfterWindow { .. } => "probe_after_window",
            Self::FewFailures { .. } => "few_failures",
            Self::OrderHidesFailures { .. } => "order_hides_failures",
            Self::NeverSheds => "never_sheds",
            Self::DisabledBeforeRetriesEnd { .. } => "disabled_before_retries_end",
            Self::RateBelowLoad { .. } => "rate_below_load",
            Self::RateEqualsLoad { .. } => "rate_equals_load",
            Self::BacklogExpires { .. } => "backlog_expires",
            Self::OutageExceedsLifetime { .. } => "outage_exceeds_lifetime",
            Self::WindowExceedsSchedule { .. } => "window_exceeds_schedule",
            Self::WindowCutsRetries { .. } => "window_cuts_retries",
            Self::LimitExceedsSchedule { .. } => "limit_exceeds_schedule",
            Self::LimitCutsSchedule { .. } => "limit_cuts_schedule",
            Self::LimitExceedsWindow { .. } => "limit_exceeds_window",
            Self::TimeoutExceedsLifetime { .. } => "timeout_exceeds_lifetime",
            Self::LongTimeout { .. } => "long_timeout",
            Self::RetryAfterExceedsWindow { .. } => "retry_after_exceeds_window",
            Self::NothingCountsAsDelivered => "nothing_counts_as_delivered",
            Self::SuccessRetried { .. } => "success_retried",
            Self::FailureCountsAsDelivered { .. } => "failure_counts_as_delivered",
            Self::GoneRetried => "gone_retried",
            Self::NoJitter { .. } => "no_jitter",
            Self::EndlessRetries => "endless_retries",
            Self::EndlessHold => "endless_hold",
            Self::HeadOfLineBlocking { .. } => "head_of_line_blocking",
            Self::OrderWithoutEffect => "order_without_effect",
            Self::SkipBeforeTimeout { .. } => "skip_before_timeout",
            Self::RetriedPastLifetime { .. } => "retried_past_lifetime",
            Self::NoRetries => "no_retries",
        }
    }
}
