//! Rate and concurrency limits for one endpoint: [`Flow`].
//!
//! A flow decides whether an attempt may start, and adapts to the results. It knows nothing of
//! messages, endpoints, their health or requests. An application with its own queue or table keeps
//! one `Flow` per receiver and can use it without an outbox.
//!
//! ```text
//!                  check(now)
//!                       |
//!     concurrency limit: attempts in flight -------- full ---> Busy: check when one has ended
//!                       |
//!     pause             requested by Retry-After ---.
//!     rate limit        configured rate             +--------> Wait: check at `until`
//!     adaptive rate     learned from refusals ------'
//!                       |
//!                       Go -> start(now) -> end(started_at, signal, pause, now)
//! ```
//!
//! # What is learned, and from what
//!
//! The **adaptive rate** follows refusals (429 and 503), and the **concurrency limit** follows
//! latency: two controllers on one signal oscillate. Both treat a cut as a *trial*. If attempts are
//! refused at random, because one of several instances is broken, or for the sake of single
//! messages, a lower rate does not help: then the cut is undone, and that share of refusals is no
//! longer held against the rate. Pauses that the receiver requests with `Retry-After` are put on
//! trial in the same way.
//!
//! - The rate is judged by **samples** of at least a second; of three if some attempts are refused
//!   and others are not, because a receiver may count by windows. If all refusals came before the
//!   first success, the receiver is back, and only what it has accepted since counts.
//! - The rate is **cut** if clearly more was refused than is excused: by a sixteenth of all answers
//!   and by two standard deviations, or 2.4 if a share is excused. It falls to the rate delivered,
//!   but to no less than a quarter, or to half if everything was refused.
//! - The cut is **undone** if it did not help: if the share refused stays at least a third of the
//!   way from what the cut should have achieved to what it was before, for two cuts in a row. The
//!   excuse is tried again after 16 samples, and each time after twice as many, up to 1 024.
//! - The rate **climbs** half-way to the rate delivered at the last cut, and from there in steps
//!   that double, if it is used: an unused rate reveals nothing. The longer it has to wait before a
//!   step, the more often such a step has failed. From twice that rate on, without a refusal, it
//!   doubles with each sample, up to ten per second.
//! - The concurrency limit shrinks while even the quickest answer takes more than twice as long as
//!   without a queue, and grows while it is used.
//!
//! A receiver that refuses at a limit therefore refuses about one attempt in twenty: that is the
//! price of noticing when the limit rises. A configured [rate limit](RateLimitPolicy) has no such
//! price, if the receiver's limit is known.
//!
//! # Guarantees
//!
//! - Any period contains at most `burst + rate × time` releases of the configured rate; exactly,
//!   for every rate.
//! - There is no deadlock. [`Busy`](FlowDecision::Busy) is returned only while an attempt is in
//!   flight. A [`Wait`](FlowDecision::Wait) is finite, exact and always after `now` (except at
//!   [`Timestamp::MAX`](crate::Timestamp::MAX)): if nothing starts or ends in between, there is no
//!   more wait at `until`, and there still is one a microsecond earlier.
//! - [`check`](Flow::check) may be called at any time and any number of times, and neither
//!   [`Busy`](FlowDecision::Busy) nor [`Wait`](FlowDecision::Wait) uses up an attempt.
//!
//! A decision may change once its `until` has come, and after any call of `start`, `cancel_start`,
//! `end`, `recovered` and `set_in_flight`; not otherwise.
//!
//! # Saving
//!
//! A flow can be saved at any moment, and must be saved when [`needs_save`](Flow::needs_save)
//! returns `true`. Then a crash loses only running measurements of a healthy receiver:
//!
//! - the current rate sample, if nothing was refused, and the current latency sample. Each begins
//!   again, and is complete after about eight responses;
//! - the last rate without a refusal, which only bounds how far the rate climbs after a cut. The
//!   next sample without a refusal sets it again;
//! - at a learned rate of ten per second or more, the wait after the last request: one request may
//!   come too early, by a tenth of a second at most.
//!
//! Everything else is in the save. A process that crashes every few seconds keeps to a configured
//! rate, a pause and a slow learned rate, and the rate is cut and raised as it would be without the
//! crashes.
//!
//! The number of attempts in flight is saved too, and a crash ends them all: after a restart, call
//! [`set_in_flight`](Flow::set_in_flight) with the number that you still wait for, usually 0.
//! Otherwise the flow stays [`Busy`](FlowDecision::Busy) once they reach the limit.
//!
//! # Time
//!
//! A clock that steps back by `d` lengthens a wait by at most `d`, never beyond what could have
//! been asked for at that time, and never shortens one. A clock that stops, or is at either end of
//! its range, does no harm.
//!
//! # Driving one flow
//!
//! ```
//! use std::time::Duration;
//!
//! use labhook::Timestamp;
//! use labhook::flow::{Flow, FlowDecision, FlowPolicy, Signal};
//!
//! let policy = FlowPolicy::adaptive();
//! let mut flow = Flow::new();
//! let start = Timestamp::from_unix_seconds(1_744_882_200);
//!
//! // The application's clock and queue, and a receiver that responds after 20 ms. It refuses
//! // everything in the first second, and asks for two seconds' rest.
//! let mut now = start;
//! let refuses = |now| now < start + Duration::from_secs(1);
//!
//! let mut pending = 4;
//! while pending > 0 {
//!     match flow.check(&policy, now) {
//!         FlowDecision::Go => {}
//!         FlowDecision::Wait { until } => {
//!             now = until;
//!             continue;
//!         }
//!         // This loop awaits every response, so nothing is in flight here.
//!         FlowDecision::Busy => unreachable!(),
//!     }
//!     let started_at = now;
//!     flow.start(&policy, started_at);
//!     let refused = refuses(now);
//!     now = now + Duration::from_millis(20);
//!     if refused {
//!         let pause = Some(Duration::from_secs(2));
//!         flow.end(&policy, started_at, Signal::Refused, pause, now);
//!     } else {
//!         flow.end(&policy, started_at, Signal::Success, None, now);
//!         pending -= 1;
//!     }
//! }
//! // The first request might have concerned its message alone. The second one is granted.
//! assert_eq!(now, start + Duration::from_millis(2_120));
//! ```
//!
//! # Sources
//!
//! A limit found by cutting and climbing is that of RFC 5681; a remembered ceiling is the idea of
//! CUBIC (RFC 9438); measuring the delivered rate is that of TCP Westwood and BBR; the standing
//! queue is that of CoDel (RFC 8289). Trials are this crate's.

mod adaptive_rate;
mod bucket;
mod concurrency;
mod decision;
mod error;
mod limiter;
mod pauses;
mod policy;
mod policy_file;
mod range;
mod rate_limit;
mod rate_trial;
mod sample;
mod share;

pub use adaptive_rate::AdaptiveRatePolicy;
pub use concurrency::ConcurrencyLimitPolicy;
pub use decision::FlowDecision;
pub use error::FlowPolicyError;
pub(crate) use limiter::Limit;
pub use limiter::{Flow, Receipt};
pub use policy::FlowPolicy;
pub use rate_limit::RateLimitPolicy;

#[doc(no_inline)]
pub use crate::named::ParseNameError;
pub use crate::signal::Signal;
