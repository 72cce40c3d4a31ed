//! Rate and concurrency limits for one endpoint: [`Flow`].
//!
//! A flow decides whether an attempt may start, and adapts to the results. It knows nothing of
//! messages, endpoints, their health or requests. An application with its own queue or table keeps
//! one `Flow` per receiver and can use it without an outbox.
//!
//! ```text
//!                  check(kind, now)
//!                       |
//!     ConcurrencyLimit  attempts in flight -------- full ----> Busy: check when one has ended
//!                       |
//!     pause             requested by Retry-After ---.
//!     RateLimit         configured rate             |
//!     AdaptiveRate      rate learned from refusals  +--------> Wait: check at `until`
//!     RetryBudget       share of retries, for one --'
//!                       |
//!                       Go -> start(kind, now) -> end(started_at, feedback, now)
//!
//!                Success      ConcurrencyLimit and AdaptiveRate increase
//!                TooFast      AdaptiveRate decreases (ConcurrencyLimit if there is no AdaptiveRate)
//!                Overloaded   both decrease
//!                Other        no effect
//! ```
//!
//! Each of the four machines can also be used on its own, with its own policy.
//!
//! # Guarantees
//!
//! - Any period contains at most `burst + rate × time` releases; exactly, for every rate.
//! - There is no deadlock. [`Busy`](FlowDecision::Busy) is returned only while an attempt is in
//!   flight. A [`Wait`](FlowDecision::Wait) is finite, exact and always after `now` (except at
//!   [`Timestamp::MAX`](crate::Timestamp::MAX)): if nothing starts or ends in between, there is no
//!   more wait at `until`, and there still is one a microsecond earlier.
//! - [`check`](Flow::check) changes nothing, so it may be called at any time and any number of
//!   times, and neither [`Busy`](FlowDecision::Busy) nor [`Wait`](FlowDecision::Wait) uses up an
//!   attempt.
//! - A first attempt never waits for the retry budget, and a retry is delayed but never dropped.
//!
//! A decision may change once its `until` has come, and after any call of `start`, `cancel_start`,
//! `end`, `pause_until`, `recovered` and `set_in_flight`; not otherwise. A probe is an attempt that
//! finds out whether the receiver is back. The caller decides how many probes there are at a time.
//! A probe is no retry, but every other limit applies to it.
//!
//! # Time
//!
//! All waits are absolute: a clock that steps back by `d` lengthens a wait by at most `d` and never
//! shortens one. A clock that stops, or is at either end of its range, does no harm.
//!
//! # Driving one flow
//!
//! ```
//! use std::collections::VecDeque;
//! use std::time::Duration;
//!
//! use labhook::Timestamp;
//! use labhook::flow::{AttemptKind, Feedback, Flow, FlowDecision, FlowPolicy};
//!
//! let policy = FlowPolicy::adaptive();
//! let mut flow = Flow::new();
//! let start = Timestamp::from_unix_seconds(1_744_882_200);
//!
//! // The application's clock and queue, and a receiver that responds after 20 ms: once with a 429
//! // and `Retry-After: 2`.
//! let mut now = start;
//! let mut queue: VecDeque<_> = [1, 2, 3, 4].into_iter().map(|n| (n, AttemptKind::First)).collect();
//! let refuses = |n, now| n == 2 && now < start + Duration::from_secs(1);
//!
//! while let Some((n, kind)) = queue.pop_front() {
//!     loop {
//!         match flow.check(&policy, kind, now) {
//!             FlowDecision::Go => break,
//!             FlowDecision::Wait { until } => now = until,
//!             // This loop awaits every response, so nothing is in flight here.
//!             FlowDecision::Busy => unreachable!(),
//!         }
//!     }
//!     let started_at = now;
//!     flow.start(&policy, kind, started_at);
//!     let refused = refuses(n, now);
//!     now = now + Duration::from_millis(20);
//!     if refused {
//!         flow.end(&policy, started_at, Feedback::TooFast, now);
//!         flow.pause_until(now + Duration::from_secs(2));
//!         queue.push_back((n, AttemptKind::Retry));
//!     } else {
//!         flow.end(&policy, started_at, Feedback::Success, now);
//!     }
//! }
//! assert!(now > start + Duration::from_secs(2));
//! ```

mod adaptive_rate;
mod bucket;
mod concurrency;
mod decision;
mod error;
mod limiter;
mod policy;
mod policy_file;
mod range;
mod rate_limit;
mod retry_budget;

pub use adaptive_rate::{AdaptiveRate, AdaptiveRatePolicy};
pub use concurrency::{ConcurrencyLimit, ConcurrencyLimitPolicy};
pub use decision::{AttemptKind, Feedback, FlowDecision};
pub use error::FlowPolicyError;
pub use limiter::{Flow, Receipt};
pub use policy::FlowPolicy;
pub use rate_limit::{RateLimit, RateLimitPolicy};
pub use retry_budget::{RetryBudget, RetryBudgetPolicy};

#[doc(no_inline)]
pub use crate::named::ParseNameError;
