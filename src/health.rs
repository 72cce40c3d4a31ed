//! Circuit breaker for one endpoint: [`Health`].
//!
//! The breaker decides whether an attempt may start, counts results, and decides when an endpoint
//! is down, probed, recovered or disabled. It knows neither the endpoint nor its messages,
//! makes no request and reads no clock. An application with its own table keeps one `Health` in
//! each endpoint's row and can use it without an outbox.
//!
//! ```text
//!                20 messages in a row fail                 down for 7 days
//!           .--------------------------------> Down ------------------------.
//!  new -> Healthy                              | ^ |                        |
//!           ^ ^------ any success -------------' | '- probe fails:          v
//!           |                                    '--- next wait         Disabled
//!           |            an operator or automation enables it               | ^
//!           '---------------------------------------------------------------' |
//!                                                                             |
//!  Healthy, Down -- operator, receiver ---------------------------------------'
//!
//!  pause, resume: in any state, and independent of it
//! ```
//!
//! - **Healthy** (closed): every attempt may start.
//! - **Down** (open): deliveries wait. One attempt at a time is let through as the *half-open
//!   probe*, with growing waits in between: the probe schedule. The time counts towards disabling,
//!   and if the policy says so, new messages are shed after a while.
//! - **Disabled**: nothing is sent and no new message is accepted. Pending deliveries are cancelled
//!   or kept, depending on the policy. Your application must do either: the breaker does not know
//!   them.
//!
//! # Evidence
//!
//! The breaker counts messages, not attempts. If a message is retried and fails again, this says
//! nothing new about the endpoint: the message may be one that it can never accept. So only a
//! message's first attempt counts as a failure, and any success clears the count.
//!
//! | signal | while healthy | from the probe | from an attempt started before the circuit opened |
//! |---|---|---|---|
//! | [`Success`](Signal::Success) | clears all failures | recovers | makes the probe due now |
//! | [`Failed`](Signal::Failed) | counts, if the attempt is its message's first | next wait | nothing |
//! | [`Refused`](Signal::Refused) | counts, if the attempt is its message's first | next wait | nothing |
//! | [`Neutral`](Signal::Neutral) | nothing | probe due again after the first wait | nothing |
//! | [`Gone`](Signal::Gone) | disables | disables | disables |
//!
//! The circuit opens once there are enough failures in a row. If at least half of them are
//! refusals, they must also last for some time, because a receiver that sheds load is not down.
//!
//! While a [sender outage](OutagePolicy) is suspected or an operator pauses the endpoint, a failure
//! from the probe leaves the schedule where it is: the next probe waits as long as this one did.
//!
//! Any success of an attempt that started after the circuit opened closes it, even one that arrives
//! after the probe's deadline. A success from an attempt that was in flight when the circuit opened
//! may be older than the failures, so it makes the probe due instead. A disabled endpoint ignores
//! all signals, and the results of attempts that started before it was enabled are always ignored.
//!
//! Choose the probe well, if several deliveries are pending: the newest message that has never been
//! tried, or else the retry that has been due longest. A message that the receiver can never accept
//! is then not probed twice in a row while another is due.
//!
//! [`EndpointPolicy::observe`](crate::EndpointPolicy::observe) classifies an outcome as a signal:
//! [`Observation`](crate::policy::Observation#how-outcomes-are-classified) has the table.
//!
//! # Time
//!
//! - Only the result of a probe moves the probe schedule; neither its start nor time alone does. A
//!   wait begins when the probe's result is recorded. Report timeouts as [`Signal::Failed`]: a
//!   deadline that [`Health::poll`] finds passed is no failure in itself, because the clock may
//!   have leaped or the process slept.
//! - An endpoint is disabled only by a probe that fails after the time to disable has run out,
//!   never earlier. The last probe is due at that very instant, even if the schedule has a longer
//!   wait, so an application that starts it on time is late by at most the attempt timeout. Nothing
//!   is disabled without a probe: an application that was down for a week first probes again, and
//!   an endpoint without new messages stays down until there is one.
//! - Between two probes at most a day counts towards disabling, so that a clock that leaps cannot
//!   disable. Time does not count while an operator pauses the endpoint, nor up to a probe that was
//!   not the endpoint's fault or that failed during a suspected [sender outage](OutagePolicy). Any
//!   success starts it over.
//! - If the application calls [`Health::forget_in_flight`] when it restarts, a crash does not move
//!   the probe schedule.
//! - All instants are absolute, so a clock that steps back by `d` lengthens a wait by at most `d`,
//!   never beyond what the policy can ask for, and never shortens one. A probe that was found due
//!   stays due.
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
//! // The application's clock, and a receiver that is down for a minute.
//! let mut now = Timestamp::from_unix_seconds(1_744_882_200);
//! let up_again = now + Duration::from_secs(60);
//! let send = |now| if now < up_again { Signal::Failed } else { Signal::Success };
//!
//! let mut health = Health::new();
//! let mut transitions = Vec::new();
//! let mut pending = 30;
//! while pending > 0 {
//!     match health.poll(&policy, now) {
//!         Gate::Open | Gate::Probe => {
//!             // This loop sends each message once; a retry would have a higher number.
//!             let deadline = now + retry.attempt_timeout();
//!             let Some(permit) = health.start(1, deadline, now) else { continue };
//!             // If the permit is the probe's, save the health here. Then send.
//!             let signal = send(now);
//!             now = now + Duration::from_millis(80);
//!             if signal == Signal::Success {
//!                 pending -= 1;
//!             }
//!             // An `OutagePolicy` over all endpoints would say whether an outage is suspected.
//!             let effect = health.record(&policy, SenderOutage::Clear, permit, signal, now);
//!             transitions.extend(effect.transition());
//!         }
//!         Gate::Hold { until } => now = until,
//!         // Only after a restart, since this loop awaits every response.
//!         Gate::Probing { deadline } => now = deadline,
//!         Gate::Paused | Gate::Disabled => break,
//!     }
//! }
//! let states: Vec<_> = transitions.iter().map(|it| it.to).collect();
//! assert_eq!(states, [State::Down, State::Healthy]);
//! assert_eq!(transitions[0].at.to_string(), "2025-04-17T09:30:01.600Z");
//! assert_eq!(pending, 0);
//! ```
//!
//! # Sources
//!
//! The single probe, the schedule that only results move, and the record of who disabled an
//! endpoint come from Shopware's decision record of 2026, "Webhooks health remodel"
//! (shopware/shopware, issue 16565). The count of consecutive failures and the growing waits come
//! from Envoy's outlier detection.
//!
//! What is different here: failures are counted by message; wake-ups are exact, while theirs is a
//! task that runs every minute; the last probe comes when the time to disable is over; a success
//! stops that time; only a failed probe disables; faults of the sender and its [own
//! outages](OutagePolicy) are kept apart; a [`Permit`] identifies attempts that started before the
//! circuit opened; and a [recovery](Transition::is_recovery) is a transition at which the
//! application starts slowly instead of releasing the whole backlog at once.

mod breaker;
mod disable_timer;
mod disabled;
mod error;
mod gate;
mod operator;
mod outage;
mod permit;
mod phase;
mod policy;
mod policy_file;
mod probe;
mod record;
mod state;
mod streak;
mod transition;

#[doc(no_inline)]
pub use crate::named::ParseNameError;
pub use crate::signal::Signal;
pub use breaker::Health;
pub use disabled::{Disabled, DisabledBy, EnabledBy};
pub use error::{EnableError, HealthPolicyError, OutagePolicyError};
pub use gate::{Gate, Intake};
pub use outage::{OutagePolicy, SenderOutage};
pub use permit::Permit;
pub use policy::{HealthPolicy, PendingOnDisable};
pub use state::State;
pub use transition::{SignalEffect, Transition};
