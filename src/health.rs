//! Circuit breaker for one endpoint: [`Health`].
//!
//! The breaker decides whether an attempt may start, counts results, and decides when an endpoint
//! is degraded, probed, recovered or disabled. It knows neither the endpoint nor its messages,
//! makes no request and reads no clock. An application with its own table keeps one `Health` in
//! each endpoint's row and can use it without an outbox.
//!
//! ```text
//!                 too many failures              too many failed probes
//!           .------------------------> Degraded ------------------------> Suspended
//!  new -> Healthy                       | ^  |                             |     |
//!           ^ ^------ probe succeeds ---' |  '- probe fails: next wait     |     | probe fails:
//!           |                             '--------- probe succeeds -------'     | next wait
//!           |                                                                    |
//!           |          an operator or automation enables it                     | probe fails
//!           '---------------------------------------------- Disabled <-----------' after too long
//!                                                              ^
//!  Healthy, Degraded, Suspended -- operator, receiver ---------'
//!
//!  pause, resume: in any state, and independent of it
//! ```
//!
//! - **Healthy** (closed): every attempt may start.
//! - **Degraded** (open): deliveries wait. One attempt at a time is let through as the *half-open
//!   probe*, with growing waits in between: the probe schedule.
//! - **Suspended** (open): the same, and the probe schedule continues. New messages are held or
//!   shed, depending on the policy, and the time counts towards disabling.
//! - **Disabled**: nothing is sent and no new message is accepted. Pending deliveries are cancelled
//!   or kept, depending on the policy. Your application must do either: the breaker does not know
//!   them.
//!
//! # Transitions
//!
//! | signal | while healthy | from the probe | from an attempt started before the circuit opened |
//! |---|---|---|---|
//! | [`Success`](Signal::Success) | clears all failures | improves by one state | makes the probe due now |
//! | [`EndpointFault`](Signal::EndpointFault) | counts | next wait | nothing |
//! | [`Overload`](Signal::Overload) | counts | next wait | nothing |
//! | [`PayloadFault`](Signal::PayloadFault) | nothing | probe due again now | nothing |
//! | [`SenderFault`](Signal::SenderFault) | nothing | probe due again after the first wait | nothing |
//! | [`Gone`](Signal::Gone) | disables | disables | disables |
//!
//! Endpoint faults degrade once there are too many. Overloads must also last too long, because a
//! receiver that sheds load for a moment is not down. Each improvement restarts the probe schedule.
//! A payload fault does not use up the probe, because the next message may be fine.
//!
//! A success from an attempt that was in flight when the circuit opened may be older than the
//! failures that opened it, so it makes the probe due instead of closing the circuit: one probe
//! then decides. A disabled endpoint ignores all signals, and the results of attempts that started
//! before it was enabled are always ignored.
//!
//! [`EndpointPolicy::observe`](crate::EndpointPolicy::observe) classifies an outcome as a signal:
//! [`Observation`](crate::policy::Observation#how-outcomes-are-classified) has the table.
//!
//! # Time
//!
//! - Only the result of a probe moves the probe schedule; neither its start nor time alone does. A
//!   wait begins when the probe ends: at the `now` of [`Health::record`], or at the probe's
//!   deadline if [`Health::poll`] found it passed, however late that call came.
//! - An endpoint is disabled only by a probe that fails after the time to disable has run out,
//!   never earlier. The last probe is due at that very instant, even if the schedule has a longer
//!   wait, so an application that starts it on time is late by at most the attempt timeout. Nothing
//!   is disabled without a probe: an application that was down for a week first probes again, and
//!   an endpoint without new messages stays suspended until there is one.
//! - Time does not count towards disabling while an operator pauses the endpoint, nor up to a probe
//!   that was not the endpoint's fault or that failed during a suspected
//!   [sender outage](OutagePolicy). It restarts if a suspended endpoint responds and is suspended
//!   again.
//! - If the application calls [`Health::forget_in_flight`] when it restarts, a crash does not move
//!   the probe schedule.
//! - All instants are absolute, so a clock that steps back by `d` lengthens a wait by `d` and never
//!   shortens one. A probe that was found due stays due.
//!
//! # Driving one endpoint
//!
//! ```
//! use std::time::Duration;
//!
//! use labhook::{HealthPolicy, RetryPolicy, Timestamp};
//! use labhook::health::{Gate, Health, SenderOutage, Signal, State};
//!
//! let (policy, retry) = (HealthPolicy::default(), RetryPolicy::default());
//! // The application's clock, and a receiver that is down for 15 minutes.
//! let mut now = Timestamp::from_unix_seconds(1_744_882_200);
//! let up_again = now + Duration::from_secs(900);
//! let send = |now| if now < up_again { Signal::EndpointFault } else { Signal::Success };
//!
//! let mut health = Health::new();
//! let mut transitions = Vec::new();
//! let mut pending = 20;
//! while pending > 0 {
//!     // An `OutagePolicy` over all endpoints would say whether an outage is suspected.
//!     let status = health.poll(&policy, SenderOutage::Clear, now);
//!     transitions.extend(status.transition);
//!     match status.gate {
//!         Gate::Open | Gate::Probe => {
//!             let deadline = now + retry.attempt_timeout();
//!             let Some(permit) = health.start(deadline, now) else { continue };
//!             // If the permit is the probe's, save the health here. Then send.
//!             let signal = send(now);
//!             now = now + Duration::from_millis(80);
//!             if signal == Signal::Success {
//!                 pending -= 1;
//!             }
//!             let effect = health.record(&policy, SenderOutage::Clear, permit, signal, now);
//!             transitions.extend(effect.transition());
//!         }
//!         Gate::Hold { until } => now = until,
//!         // Only after a restart, since this loop awaits every response.
//!         Gate::Probing { deadline } => now = deadline,
//!         Gate::Paused | Gate::Disabled => break,
//!     }
//! }
//! let transitions: Vec<_> = transitions.iter().map(|it| (it.to, it.at.to_string())).collect();
//! assert_eq!(
//!     transitions,
//!     [
//!         (State::Degraded, "2025-04-17T09:30:00.400Z".to_owned()),
//!         // Probes after 5 minutes, and then after 10.
//!         (State::Healthy, "2025-04-17T09:45:00.560Z".to_owned()),
//!     ]
//! );
//! assert_eq!(pending, 0);
//! ```
//!
//! # Sources
//!
//! The four states, the single probe, the schedule that only results move, and the record of who
//! disabled an endpoint come from Shopware's decision record of 2026, "Webhooks health remodel"
//! (shopware/shopware, issue 16565). The count of consecutive failures and the growing waits come
//! from Envoy's outlier detection.
//!
//! What is different here: wake-ups are exact, while theirs is a task that runs every minute; the
//! last wait repeats instead of ending the schedule, and the last probe comes when the time to
//! disable is over; a success stops that time; only a failed probe disables; faults of the sender
//! and its [own outages](OutagePolicy) are kept apart; a [`Permit`] identifies attempts that
//! started before the circuit opened; and a [recovery](Transition::is_recovery) is a transition at
//! which the application starts slowly instead of releasing the whole backlog at once.

mod breaker;
mod disabled;
mod error;
mod gate;
mod operator;
mod outage;
mod permit;
mod phase;
mod policy;
mod policy_file;
mod record;
mod signal;
mod state;
mod streak;
mod transition;

#[doc(no_inline)]
pub use crate::named::ParseNameError;
pub use breaker::Health;
pub use disabled::{Disabled, DisabledBy, EnabledBy};
pub use error::{EnableError, HealthPolicyError, OutagePolicyError};
pub use gate::{Gate, HealthStatus, Intake};
pub use outage::{OutagePolicy, SenderOutage};
pub use permit::Permit;
pub use policy::{HealthPolicy, NewMessages, PendingOnDisable};
pub use signal::Signal;
pub use state::State;
pub use transition::{SignalEffect, Transition};
