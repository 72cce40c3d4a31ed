//! What the linter finds: [`Finding`] and its [`Severity`].

use std::fmt;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use http::StatusCode;

/// How much a [`Finding`] weighs, the lightest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// It is as somebody may want it, and worth knowing.
    Note,
    /// It works, until the world is as it now and then is.
    Risk,
    /// Two settings do not go together: one of them never takes effect, or undoes the other.
    Contradiction,
}

impl Severity {
    /// The severity in a word, such as `risk`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Risk => "risk",
            Self::Contradiction => "contradiction",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Something about an endpoint's policies that its owner may not have meant.
///
/// [`Display`](fmt::Display) says what in one clause, with the figures in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finding {
    /// An attempt that was in flight when the endpoint was degraded can outlast the wait for the
    /// probe. The probe then goes to a receiver that still has the last attempts on its hands, and
    /// learns what they were about to tell.
    ProbeWithinAttempt {
        /// The shortest wait before a probe.
        wait: Duration,
        /// The timeout of an attempt.
        timeout: Duration,
    },
    /// Whatever waits when the endpoint is degraded expires before anybody asks whether it is back.
    ProbeAfterWindow {
        /// The wait before the first probe.
        wait: Duration,
        /// The window of a delivery.
        window: Duration,
    },
    /// An endpoint whose receiver hangs is never degraded: the attempts that the flow's window, the
    /// rate and the order let go time out one after the other, and the first of them counts no more
    /// when the last is there. The receiver is given no rest, and never disabled.
    FailuresBeyondTimeouts {
        /// The failures that degrade.
        failures: NonZeroU8,
        /// The time in which they have to fall.
        window: Duration,
        /// The most attempts that can time out in it.
        timeouts: u64,
    },
    /// An endpoint that is gone is never degraded: with retries and all there are too few attempts
    /// for their failures to count together. Reckoned without jitter, pauses and order.
    FailuresBeyondLoad {
        /// The failures that degrade.
        failures: NonZeroU8,
        /// The time in which they have to fall.
        window: Duration,
        /// The most attempts that fall in it.
        attempts: u64,
    },
    /// New messages are to be shed while the endpoint is suspended, and no failure suspends it, so
    /// that all of them wait.
    NeverSheds,
    /// The endpoint is disabled, and what waits for it cancelled, while deliveries have retries
    /// left. Both are reckoned for a receiver that asks for no pause with `Retry-After`, as one
    /// that is gone does not: pauses put off its probes and the retries alike.
    DisabledWithinSpan {
        /// How long a failing endpoint takes to be disabled, at the longest and with nothing that
        /// puts a probe off: see [`PolicySummary::time_to_disable`](super::PolicySummary::time_to_disable).
        disabled: Duration,
        /// How long a delivery is retried, at the longest.
        span: Duration,
    },
    /// Messages come faster than they may go, so that more and more wait.
    RateBelowLoad {
        /// So many releases
        releases: NonZeroU32,
        /// in so much time.
        per: Duration,
        /// So many events
        events: NonZeroU32,
        /// in so much time.
        every: Duration,
    },
    /// Messages come as fast as they may go, so that what once waits, after an outage say, waits
    /// on until fewer come.
    RateEqualsLoad {
        /// So many releases
        releases: NonZeroU32,
        /// in so much time.
        per: Duration,
    },
    /// What waits at the end of an outage goes out so slowly beside what is new that the last of it
    /// expires, or is of no more use.
    BacklogOutlivesMessages {
        /// The outage.
        outage: Duration,
        /// How long its backlog takes to drain.
        drain: Duration,
        /// How long a message lives.
        limit: Duration,
    },
    /// What is accepted when the outage begins cannot be delivered, at whatever rate.
    OutageOutlivesMessages {
        /// The outage.
        outage: Duration,
        /// How long a message lives.
        limit: Duration,
    },
    /// The schedule alone does not reach the end of the window: the last retry comes before it. The
    /// window ends only what something else holds up as well: the limits of the flow, among them
    /// the pauses that a receiver asks for; an operator; a host that is down, or does not answer in
    /// doubt. Where the endpoint's health or an order holds deliveries up, each outage makes them
    /// wait so, and there is no such warning.
    WindowBeyondSchedule {
        /// The window.
        window: Duration,
        /// The longest that the schedule takes, `Retry-After` at its cap included.
        span: Duration,
    },
    /// The schedule's later retries are never made. Reckoned without jitter.
    WindowCutsSchedule {
        /// The window.
        window: Duration,
        /// How many retries come before its end.
        fit: u32,
        /// How many there are.
        of: u32,
    },
    /// The attempt limit is never reached, since the schedule ends before.
    LimitBeyondSchedule {
        /// The limit.
        limit: NonZeroU32,
        /// The attempts that the schedule gives.
        attempts: u32,
    },
    /// The schedule's later retries are never made, since the attempt limit ends it before.
    LimitCutsSchedule {
        /// The limit.
        limit: NonZeroU32,
        /// The attempts that the schedule gives.
        attempts: u32,
    },
    /// The attempt limit is never reached, since the window ends before. Reckoned without jitter.
    LimitBeyondWindow {
        /// The limit.
        limit: NonZeroU32,
        /// The attempts that come before the window's end.
        attempts: u32,
        /// The window.
        window: Duration,
    },
    /// A receiver that hangs loses the message: when its first attempt is given up, the message has
    /// no time left for a retry.
    TimeoutOutlivesMessages {
        /// The timeout of an attempt.
        timeout: Duration,
        /// How long a message lives.
        limit: Duration,
    },
    /// An attempt is given up after an hour at the earliest. Where the receiver falls silent and
    /// does not close the connection, its message comes that much later, and so it does where the
    /// sender was restarted. A receiver that needs the time can ask for it with `Retry-After`, for
    /// which no connection stays open, and which is heeded for an hour by default.
    LongTimeout {
        /// The timeout of an attempt.
        timeout: Duration,
    },
    /// A receiver that asks for the pause that it may ask for loses the message.
    CapBeyondWindow {
        /// How far `Retry-After` is heeded.
        cap: Duration,
        /// The window.
        window: Duration,
    },
    /// No response counts as delivered, so that every message is sent until it is given up.
    NothingDelivers,
    /// A success is retried: the receiver gets copies of what it said it has.
    SuccessRetried {
        /// The lowest such status.
        status: StatusCode,
    },
    /// A receiver that is overloaded or broken says that it did not take the message, and the
    /// message is not sent again.
    FailureDelivers {
        /// The lowest such status.
        status: StatusCode,
    },
    /// A receiver that says it is gone for good is asked again, and so are the addresses of those
    /// who left.
    GoneRetried,
    /// Deliveries that fail together come back together, each time.
    NoJitter {
        /// So many events
        events: NonZeroU32,
        /// in so much time.
        every: Duration,
    },
    /// A message that its receiver always refuses is retried for ever.
    Endless,
    /// Deliveries wait for a failing endpoint without an end: they have no window, and it is never
    /// disabled.
    HeldWithoutEnd,
    /// One message that its receiver does not take holds up all that come after it.
    HeadOfLine {
        /// For how long; [`Duration::MAX`] for ever.
        span: Duration,
        /// Whether it holds up all messages to the endpoint, and not those of its key alone.
        strict: bool,
    },
    /// Others may pass a message as soon as it is accepted, so that none waits for another: there
    /// is no order.
    PassedAtOnce,
    /// Others may pass a message whose first attempt is still under way, so that a receiver which
    /// is slow, and never fails, gets them at the same time or the wrong way round.
    PassedInFlight {
        /// After how long they may.
        skip: Duration,
        /// The timeout of an attempt.
        timeout: Duration,
    },
    /// While no new messages come, retries come by the trickle of the budget, and so later than the
    /// schedule says.
    TrickleBelowSchedule {
        /// The time in which there is one retry.
        trickle: Duration,
        /// The schedule's shortest delay.
        delay: Duration,
    },
    /// In an outage there are more retries due than the budget gives, so that they come later than
    /// the schedule says, and more and more of them wait. Not where the endpoint's health
    /// stops them first.
    BudgetBelowLoad {
        /// The retries that the budget gives in an hour.
        given: u64,
        /// The retries that fall due in an hour once the outage has lasted.
        due: u64,
    },
    /// A message that is of no more use is retried.
    RetriedPastLifetime {
        /// How long it is of use.
        lifetime: Duration,
        /// How long it is retried.
        span: Duration,
    },
    /// One failed attempt loses the message.
    NoRetry,
}

impl Finding {
    /// How much it weighs.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::ProbeWithinAttempt { .. }
            | Self::ProbeAfterWindow { .. }
            | Self::NeverSheds
            | Self::DisabledWithinSpan { .. }
            | Self::RateBelowLoad { .. }
            | Self::BacklogOutlivesMessages { .. }
            | Self::WindowCutsSchedule { .. }
            | Self::LimitBeyondSchedule { .. }
            | Self::LimitCutsSchedule { .. }
            | Self::LimitBeyondWindow { .. }
            | Self::PassedAtOnce
            | Self::NothingDelivers
            | Self::SuccessRetried { .. } => Severity::Contradiction,
            Self::FailuresBeyondTimeouts { .. }
            | Self::FailuresBeyondLoad { .. }
            | Self::OutageOutlivesMessages { .. }
            | Self::RateEqualsLoad { .. }
            | Self::TimeoutOutlivesMessages { .. }
            | Self::LongTimeout { .. }
            | Self::CapBeyondWindow { .. }
            | Self::FailureDelivers { .. }
            | Self::GoneRetried
            | Self::NoJitter { .. }
            | Self::Endless
            | Self::HeldWithoutEnd
            | Self::HeadOfLine { .. }
            | Self::PassedInFlight { .. }
            | Self::TrickleBelowSchedule { .. }
            | Self::NoRetry => Severity::Risk,
            // The window may be there for what else holds a delivery up.
            Self::WindowBeyondSchedule { .. }
            | Self::BudgetBelowLoad { .. }
            | Self::RetriedPastLifetime { .. } => Severity::Note,
        }
    }
}
