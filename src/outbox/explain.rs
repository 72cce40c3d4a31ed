//! Why a delivery has not been sent yet: [`Explanation`].

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Serialize;

use super::Outbox;
use super::endpoint_state::EndpointState;
use crate::delivery::Verdict;
use crate::endpoint::Endpoint;
use crate::flow::Limit;
use crate::health::{Disabled, State};
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

/// What a delivery waits for, or how it ended: the result of [`Outbox::explain`].
///
/// [`Display`](fmt::Display) writes a plain sentence, and serde gives the fields, with the name of
/// the reason under `reason`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Explanation {
    /// The delivery has ended.
    Ended {
        /// How it ended.
        verdict: Verdict,
        /// The number of attempts that were made.
        attempts: u32,
    },
    /// An attempt is in flight.
    InFlight {
        /// The attempt's number.
        attempt: u32,
        /// When it times out.
        deadline: Timestamp,
    },
    /// An attempt has started, and its start must be saved before it is sent.
    Saving {
        /// The attempt's number.
        attempt: u32,
    },
    /// An attempt ended without a response, and someone must decide: see
    /// [`Notice::InDoubt`](super::Notice::InDoubt).
    InDoubt {
        /// When the attempt ended.
        since: Timestamp,
    },
    /// The process is to end: see [`Outbox::drain`].
    Draining,
    /// The registry does not have the endpoint.
    EndpointAbsent,
    /// The endpoint is not [enabled](crate::Endpoint::with_enabled).
    EndpointNotEnabled,
    /// An operator has paused the endpoint.
    EndpointPaused {
        /// Since when.
        since: Timestamp,
    },
    /// The endpoint is disabled, and keeps its pending deliveries.
    EndpointDisabled {
        /// When it was disabled, by whom and why.
        disabled: Disabled,
    },
    /// An earlier message of its ordering group comes first.
    Ordered {
        /// The id of that message.
        after: MessageId,
    },
    /// The next attempt is not due yet, by the retry schedule or the receiver's `Retry-After`.
    Retry {
        /// The number of attempts so far.
        attempts: u32,
        /// When the next attempt is due.
        at: Timestamp,
    },
    /// The endpoint is down: its circuit breaker is open, and probes check whether it is back.
    EndpointDown {
        /// Since when.
        since: Timestamp,
        /// The messages in a row whose first attempt failed.
        failures: u32,
        /// How many of them were refused, with 429 or 503.
        refusals: u32,
        /// The number of probes that failed since.
        failed_probes: u32,
        /// When the next probe is due, or when the one in flight is no longer awaited.
        next_probe: Option<Timestamp>,
    },
    /// The receiver has requested a pause.
    PauseRequested {
        /// Its end.
        until: Timestamp,
    },
    /// As many attempts are in flight as the concurrency limit allows.
    Concurrency {
        /// The number of attempts in flight.
        in_flight: u32,
        /// The limit.
        limit: NonZeroU32,
    },
    /// The configured rate limit is used up.
    RateLimit {
        /// When it allows the next attempt.
        until: Timestamp,
    },
    /// The rate is limited because the receiver refused too many attempts at a higher one, or
    /// because the endpoint restarts slowly after an outage.
    AdaptiveRate {
        /// When the next attempt is allowed.
        until: Timestamp,
        /// The time between two attempts.
        spacing: Duration,
        /// The share of attempts that was refused above this rate, in percent, rounded up; 0 if the
        /// endpoint restarts slowly after an outage.
        refused_percent: u8,
    },
    /// Nothing holds it back: it is sent with one of the next [`poll`](crate::Outbox::poll)s.
    Next {
        /// The number of deliveries to the endpoint that are due now and go before it: first
        /// attempts, and retries in between.
        ahead: usize,
    },
}

impl Outbox {
    /// Explains why a delivery has not been sent yet: the first thing that holds it back, in the
    /// order of [the stages](crate::outbox#when-a-message-is-sent). Returns `None` if the outbox
    /// does not have the delivery.
    ///
    /// ```
    /// # use labhook::lab::{RunState, RunStateChanged};
    /// # use labhook::{Endpoint, EndpointId, Event, MessageId, Outbox, Registry, Signer, Timestamp};
    /// # let mut registry = Registry::new();
    /// # let id = EndpointId::new("eln")?;
    /// # let eln = Endpoint::new(id.clone(), "https://eln.example/in", Signer::unsigned())?;
    /// # registry.insert(eln)?;
    /// # let mut outbox = Outbox::new(registry, 7).without_storage();
    /// # let now = Timestamp::from_unix_seconds(1_744_882_200);
    /// # let started = Event::new(RunStateChanged::new("run-17", RunState::Started), now);
    /// # let message = MessageId::new("run-17-started")?;
    /// # outbox.publish(started.into_message(message.clone())?, now)?;
    /// outbox.pause_endpoint(&id, now)?;
    /// let explanation = outbox.explain(&message, &id, now).expect("it is pending");
    /// assert_eq!(
    ///     explanation.to_string(),
    ///     "the endpoint has been paused by an operator since 2025-04-17T09:30:00.000Z"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain(
        &self,
        message: &MessageId,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> Option<Explanation> {
        let number = self.find(message, endpoint)?;
        let place = self.deliveries.place(number)?;
        let message_state = self.messages.get(place.message)?;
        let sequence = message_state.sequence;
        let state = self.load(number)?;
        let delivery = &state.delivery;
        let attempts = delivery.attempts();
        if let Some(verdict) = delivery.verdict() {
            return Some(Explanation::Ended { verdict, attempts });
        }
        if let Some(started) = delivery.in_flight() {
            let (attempt, deadline) = (started.number, started.deadline);
            return Some(if state.is_sent() {
                Explanation::InFlight { attempt, deadline }
            } else {
                Explanation::Saving { attempt }
            });
        }
        if let Some(since) = delivery.in_doubt() {
            return Some(Explanation::InDoubt { since });
        }
        if self.draining {
            return Some(Explanation::Draining);
        }
        let slot = self.endpoints.slot(place.endpoint)?;
        let endpoint_state = slot.state.as_ref()?;
        let Some(endpoint) = &slot.endpoint else {
            return Some(Explanation::EndpointAbsent);
        };
        let held = endpoint_state.holds(endpoint);
        if held.is_some() {
            return held;
        }
        let group = endpoint.policy.order.group(message_state.message.keys());
        let head = group.and_then(|group| endpoint_state.backlog.head(group));
        if let Some((_, head)) = head.filter(|(head, _)| *head < sequence) {
            let head = self.messages.get(self.deliveries.place(head)?.message)?;
            let after = head.message.id().clone();
            return Some(Explanation::Ordered { after });
        }
        if let Some(at) = delivery.next_at().filter(|at| *at > now) {
            return Some(Explanation::Retry { attempts, at });
        }
        let limited = endpoint_state.limits(endpoint, now);
        let phase = state.placement.phase();
        Some(
            limited.unwrap_or_else(|| Explanation::Next {
                ahead: endpoint_state.ahead(sequence, phase),
            }),
        )
    }
}

impl EndpointState {
    /// Returns whether someone holds all deliveries of the endpoint.
    fn holds(&self, endpoint: &Endpoint) -> Option<Explanation> {
        let health = &self.persisted.health;
        if !endpoint.enabled {
            Some(Explanation::EndpointNotEnabled)
        } else if let Some(disabled) = health.disabled() {
            Some(Explanation::EndpointDisabled { disabled: disabled.clone() })
        } else {
            health.paused_since().map(|since| Explanation::EndpointPaused { since })
        }
    }

    /// Returns what limits the attempts to the endpoint now.
    fn limits(&self, endpoint: &Endpoint, now: Timestamp) -> Option<Explanation> {
        let (health, flow) = (&self.persisted.health, &self.persisted.flow);
        let policy = &endpoint.policy.flow;
        if health.state() == State::Down {
            return Some(Explanation::EndpointDown {
                since: health.since().unwrap_or(now),
                failures: health.failures(),
                refusals: health.refusals(),
                failed_probes: health.failed_probes(),
                next_probe: health.claim_at(),
            });
        }
        let (in_flight, limit) = (flow.in_flight(), flow.concurrency_limit(policy));
        if in_flight >= limit.get() {
            return Some(Explanation::Concurrency { in_flight, limit });
        }
        let (until, limit) = flow.wait(policy, now)?;
        Some(match limit {
            Limit::Pause => Explanation::PauseRequested { until },
            Limit::Configured => Explanation::RateLimit { until },
            Limit::Learned => Explanation::AdaptiveRate {
                until,
                spacing: flow.spacing(policy).unwrap_or_default(),
                refused_percent: flow.refused_before_cut(),
            },
        })
    }
}

/// A sentence without a full stop, such as `waits for the earlier message run-17-started`.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { verdict, attempts } => {
                write!(f, "ended as {verdict} after {}", Count(*attempts, "attempt"))
            }
            Self::InFlight { attempt, deadline } => {
                write!(f, "attempt {attempt} is in flight and times out at {deadline}")
            }
            Self::Saving { attempt } => {
                write!(f, "the start of attempt {attempt} is being saved")
            }
            Self::InDoubt { since } => {
                write!(
                    f,
                    "has been in doubt since {since}: someone must decide whether to resend it"
                )
            }
            Self::Draining => f.write_str("no attempt starts, because the process is to end"),
            Self::EndpointAbsent => f.write_str("the registry does not have the endpoint"),
            Self::EndpointNotEnabled => f.write_str("the endpoint is not enabled"),
            Self::EndpointPaused { since } => {
                write!(f, "the endpoint has been paused by an operator since {since}")
            }
            Self::EndpointDisabled { disabled } => {
                let Disabled { since, by, .. } = disabled;
                write!(f, "the endpoint has been disabled by {by} since {since}")
            }
            Self::Ordered { after } => write!(f, "waits for the earlier message {after}"),
            Self::Retry { attempts, at } => {
                write!(f, "the next attempt is due at {at}, {} so far", Count(*attempts, "attempt"))
            }
            Self::EndpointDown { since, failures, refusals, failed_probes, next_probe } => {
                write!(f, "the endpoint has been down since {since}")?;
                if let Some(next) = next_probe {
                    write!(f, ", next probe at {next}")?;
                }
                write!(f, ": {} in a row failed", Count(*failures, "message"))?;
                if *refusals > 0 {
                    write!(f, ", of which {refusals} were refused")?;
                }
                if *failed_probes > 0 {
                    write!(f, ", and {}", Count(*failed_probes, "probe"))?;
                }
                Ok(())
            }
            Self::PauseRequested { until } => {
                write!(f, "the receiver has requested a pause until {until}")
            }
            Self::Concurrency { in_flight, limit } => {
                write!(f, "{in_flight} attempts are in flight, and the limit is {limit}")
            }
            Self::RateLimit { until } => {
                write!(f, "the rate limit allows the next attempt at {until}")
            }
            Self::AdaptiveRate { until, spacing, refused_percent } => {
                write!(f, "paced at one attempt per {spacing:?}, the next at {until}: ")?;
                match refused_percent {
                    0 => f.write_str("the endpoint restarts slowly after an outage"),
                    share => write!(f, "{share} % were refused above that rate"),
                }
            }
            Self::Next { ahead: 0 } => f.write_str("it is sent next"),
            Self::Next { ahead } => {
                write!(
                    f,
                    "it is due, after {}",
                    Count(u32::try_from(*ahead).unwrap_or(u32::MAX), "other")
                )
            }
        }
    }
}

/// A number of things, as text.
struct Count(u32, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}
