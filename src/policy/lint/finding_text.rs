//! The text of each [`Finding`].

use std::fmt;

use super::finding::Finding;
use super::units::{Events, For, Long, Per};

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ProbeAfterWindow { wait, window } => write!(
                f,
                "the first probe comes after {}, but the retry window ends after {}",
                Long(wait),
                Long(window)
            ),
            Self::FewFailures { failures } => write!(
                f,
                "{failures} messages in a row open the circuit, which chance or a few messages \
                 that are never accepted can do"
            ),
            Self::OrderHidesFailures { failures } => write!(
                f,
                "{failures} messages in a row open the circuit, but in strict order one is tried \
                 at a time"
            ),
            Self::NeverSheds => {
                f.write_str("new messages are shed after some time down, but that time never comes")
            }
            Self::DisabledBeforeRetriesEnd { disabled, span } => write!(
                f,
                "a failing endpoint is disabled within {}, but deliveries are retried for {}",
                Long(disabled),
                Long(span)
            ),
            Self::RateBelowLoad { releases, per, events, every } => write!(
                f,
                "the rate limit of {releases}{} is below the load of {}",
                Per(per),
                Events(events, every)
            ),
            Self::RateEqualsLoad { releases, per } => write!(
                f,
                "the rate limit of {releases}{} equals the load, so a backlog never drains",
                Per(per)
            ),
            Self::BacklogExpires { outage, drain, lifetime } => write!(
                f,
                "the backlog of an outage of {} takes {} to drain, but messages live for {}",
                Long(outage),
                Long(drain),
                Long(lifetime)
            ),
            Self::OutageExceedsLifetime { outage, lifetime } => write!(
                f,
                "messages live for {}, which does not outlast an outage of {}",
                Long(lifetime),
                Long(outage)
            ),
            Self::WindowExceedsSchedule { window, span } => write!(
                f,
                "the retry window of {} is longer than the schedule, which takes at most {}",
                Long(window),
                Long(span)
            ),
            Self::WindowCutsRetries { window, allowed, retries } => {
                write!(
                    f,
                    "the retry window of {} allows {allowed} of {retries} retries",
                    Long(window)
                )
            }
            Self::LimitExceedsSchedule { limit, attempts } => {
                write!(f, "the limit of {limit} attempts exceeds the schedule's {attempts}")
            }
            Self::LimitCutsSchedule { limit, attempts } => {
                write!(f, "the limit of {limit} attempts is below the schedule's {attempts}")
            }
            Self::LimitExceedsWindow { limit, attempts, window } => write!(
                f,
                "the limit of {limit} attempts exceeds the {attempts} that fit in the retry window \
                 of {}",
                Long(window)
            ),
            Self::TimeoutExceedsLifetime { timeout, lifetime } => write!(
                f,
                "the attempt timeout of {} leaves no time for a retry, since messages live for {}",
                Long(timeout),
                Long(lifetime)
            ),
            Self::LongTimeout { timeout } => {
                write!(f, "the attempt timeout of {} is an hour or more", Long(timeout))
            }
            Self::RetryAfterExceedsWindow { cap, window } => write!(
                f,
                "the Retry-After cap of {} is not shorter than the retry window of {}",
                Long(cap),
                Long(window)
            ),
            Self::NothingCountsAsDelivered => f.write_str("no response counts as delivered"),
            Self::SuccessRetried { status } => {
                write!(f, "status {} is retried, although it is a success", status.as_u16())
            }
            Self::FailureCountsAsDelivered { status } => {
                write!(f, "status {} counts as delivered", status.as_u16())
            }
            Self::GoneRetried => f.write_str("status 410 is retried"),
            Self::NoJitter { events, every } => {
                write!(f, "no jitter: the retries of {} arrive together", Events(events, every))
            }
            Self::EndlessRetries => f.write_str("retries never end"),
            Self::EndlessHold => f.write_str("deliveries can wait for a failing endpoint forever"),
            Self::HeadOfLineBlocking { span, strict } => write!(
                f,
                "head-of-line blocking: one message can block all others{} {}",
                if strict { "" } else { " with its key" },
                For(span)
            ),
            Self::OrderWithoutEffect => {
                f.write_str("others may skip a message at once, so the order has no effect")
            }
            Self::SkipBeforeTimeout { skip_after, timeout } => write!(
                f,
                "others may skip a message after {}, but its first attempt may take {}",
                Long(skip_after),
                Long(timeout)
            ),
            Self::RetriedPastLifetime { lifetime, span } => write!(
                f,
                "messages are useful for {}, but are retried {}",
                Long(lifetime),
                For(span)
            ),
            Self::NoRetries => f.write_str("a failed attempt is never retried"),
        }
    }
}
