//! What the linter says of each [`Finding`].

use std::fmt;

use super::figures::Long;
use super::finding::Finding;

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ProbeWithinAttempt { wait, timeout } => write!(
                f,
                "a probe comes after {}, which is no longer than the attempt timeout of {}",
                Long(wait),
                Long(timeout)
            ),
            Self::ProbeAfterWindow { wait, window } => write!(
                f,
                "the first probe comes after {}, and the window ends after {}",
                Long(wait),
                Long(window)
            ),
            Self::FailuresBeyondTimeouts { failures, window, timeouts } => write!(
                f,
                "{failures} failures in {} degrade, and at most {timeouts} of them can be timeouts",
                Long(window)
            ),
            Self::FailuresBeyondLoad { failures, window, attempts } => write!(
                f,
                "{failures} failures in {} degrade, and the load brings {attempts} at most",
                Long(window)
            ),
            Self::NeverSheds => {
                f.write_str("new messages are shed while suspended, and nothing suspends")
            }
            Self::DisabledWithinSpan { disabled, span } => write!(
                f,
                "a failing endpoint is disabled within {}, and a delivery is retried for {}",
                Long(disabled),
                Long(span)
            ),
            Self::RateBelowLoad { releases, per, events, every } => write!(
                f,
                "the rate of {releases} in {} is below the load of {events} in {}",
                Long(per),
                Long(every)
            ),
            Self::RateEqualsLoad { releases, per } => write!(
                f,
                "the rate of {releases} in {} is no more than the load, and drains no backlog",
                Long(per)
            ),
            Self::BacklogOutlivesMessages { outage, drain, limit } => write!(
                f,
                "the backlog of an outage of {} takes {} to drain, and a message lives for {}",
                Long(outage),
                Long(drain),
                Long(limit)
            ),
            Self::OutageOutlivesMessages { outage, limit } => write!(
                f,
                "an outage of {} outlasts the {} for which a message lives",
                Long(outage),
                Long(limit)
            ),
            Self::WindowBeyondSchedule { window, span } => write!(
                f,
                "the window of {} is longer than the {} that the schedule can fill",
                Long(window),
                Long(span)
            ),
            Self::WindowCutsSchedule { window, fit, of } => {
                write!(f, "the window of {} leaves {fit} of {of} retries", Long(window))
            }
            Self::LimitBeyondSchedule { limit, attempts } => write!(
                f,
                "the limit of {limit} attempts is above the {attempts} that the schedule gives"
            ),
            Self::LimitCutsSchedule { limit, attempts } => write!(
                f,
                "the limit of {limit} attempts is below the {attempts} that the schedule gives"
            ),
            Self::LimitBeyondWindow { limit, attempts, window } => write!(
                f,
                "the limit of {limit} attempts is above the {attempts} that the window of {} leaves",
                Long(window)
            ),
            Self::TimeoutOutlivesMessages { timeout, limit } => write!(
                f,
                "an attempt is given up after {}, and a message lives for {}",
                Long(timeout),
                Long(limit)
            ),
            Self::LongTimeout { timeout } => {
                write!(f, "an attempt is given up only after {}", Long(timeout))
            }
            Self::CapBeyondWindow { cap, window } => write!(
                f,
                "Retry-After is heeded for up to {}, and the window is {}",
                Long(cap),
                Long(window)
            ),
            Self::NothingDelivers => f.write_str("no response counts as delivered"),
            Self::SuccessRetried { status } => {
                write!(f, "a {} is retried, although it is a success", status.as_u16())
            }
            Self::FailureDelivers { status } => {
                write!(f, "a {} counts as delivered", status.as_u16())
            }
            Self::GoneRetried => f.write_str("a 410 is retried"),
            Self::NoJitter { events, every } => {
                write!(f, "nothing spreads the retries of {events} events in {}", Long(every))
            }
            Self::Endless => f.write_str("nothing ends the retries"),
            Self::HeldWithoutEnd => f.write_str("nothing ends what waits for a failing endpoint"),
            Self::HeadOfLine { span, strict } => write!(
                f,
                "one message can hold up all others{} for {}",
                if strict { "" } else { " of its key" },
                Long(span)
            ),
            Self::PassedAtOnce => {
                f.write_str("others may pass a message at once, so that there is no order")
            }
            Self::PassedInFlight { skip, timeout } => write!(
                f,
                "others may pass a message after {}, and its first attempt takes up to {}",
                Long(skip),
                Long(timeout)
            ),
            Self::TrickleBelowSchedule { trickle, delay } => write!(
                f,
                "the retry budget trickles one retry in {}, and the schedule waits {}",
                Long(trickle),
                Long(delay)
            ),
            Self::BudgetBelowLoad { given, due } => write!(
                f,
                "the retry budget gives {given} retries an hour in an outage, and {due} fall due"
            ),
            Self::RetriedPastLifetime { lifetime, span } => write!(
                f,
                "a message is of use for {}, and is retried for {}",
                Long(lifetime),
                Long(span)
            ),
            Self::NoRetry => f.write_str("there is no retry"),
        }
    }
}
