//! Simulator: runs policies against a model of their receiver, on a virtual clock.
//!
//! ```text
//!  Load                       .--------.   Send   .----------.  limits, queue, latency,
//!  events per time - publish -> Outbox | -------> | Receiver |  outages and other faults
//!                             '--------' <------- '----------'
//!                                 |       resolve
//!                                 '-- notices --> Report
//! ```
//!
//! A [`Scenario`] drives a real [`Outbox`](crate::Outbox) through its public API. Its clock jumps
//! to the next event, response or [`Step::Wait`](crate::Step::Wait). A [`Report`] therefore shows
//! what a host would see, to the microsecond. All arithmetic is on integers, and a scenario always
//! gives the same report. All endpoints share one load, except those that are
//! [given their own](Scenario::add_endpoint_with_load).
//!
//! | Model | How |
//! |---|---|
//! | outages, flapping | [`add_outage`](Receiver::add_outage), [`add_flapping`](Receiver::add_flapping) |
//! | limits: fixed or sliding window, token bucket, `Retry-After` | [`Limiter`] |
//! | limits that change, slow starts after outages | [`Limiter::add_step`], [`Limiter::with_slow_start`] |
//! | latency that grows with the load, congestion collapse | [`Queue`] |
//! | latency that changes | [`add_latency_step`](Receiver::add_latency_step) |
//! | chance failures, brown-outs, dead backends | [`Chance`] |
//! | messages that always fail | [`Poison`] |
//! | slow messages, and repeats while one is in progress | [`Processing`] |
//! | bursts of events | [`Load::in_bursts`](crate::policy::Load::in_bursts) |
//! | a sender's clock that jumps | [`Scenario::add_clock_jump`] |
//! | expiring messages | [`Scenario::with_lifetime`] |
//!
//! Not modelled: time that the host takes, saves, crashes and restarts of the sender, a network
//! that loses or delays (use [`Chance`]), receivers that adapt to one sender, limits shared with
//! other senders or endpoints, and loads that change over time.
//!
//! To test your own code around an outbox, use a [`TestHost`].
//!
//! To test another policy than labhook's against the same receiver, drive a [`RunningReceiver`].
//! To check policies without running them, see [`policy::lint`](crate::policy::lint).
//!
//! ```
//! use std::num::NonZeroU32;
//! use std::time::Duration;
//!
//! use labhook::{EndpointPolicy, RetryPolicy, Verdict};
//! use labhook::delivery::Schedule;
//! use labhook::policy::Load;
//! use labhook::simulate::{Behaviour, Receiver, Scenario};
//!
//! let minutes = |n: u64| Duration::from_secs(n * 60);
//! // Twenty events a minute for an hour, and an outage of a quarter of an hour.
//! let load = Load::new(NonZeroU32::new(20).unwrap(), minutes(1));
//! let receiver =
//!     Receiver::new().add_outage(minutes(10), minutes(25), Behaviour::refuses_connections());
//! let policy = EndpointPolicy::new(RetryPolicy::new(Schedule::list([minutes(10), minutes(20)])));
//!
//! let report = &Scenario::new(load, minutes(60)).add_endpoint(policy, receiver).run()[0];
//! assert_eq!(report.accepted, 1_200);
//! assert_eq!(report.ended(Verdict::Delivered), 1_200);
//! assert_eq!(report.duplicates, 0);
//! assert!(report.latency.unwrap().max <= minutes(40));
//! ```

mod clock;
mod due_messages;
mod endpoint_sim;
mod held_back;
mod receiver;
mod recorder;
mod report;
mod run;
mod running_receiver;
mod scenario;
mod series;
mod source;
mod test_host;
mod watched;

pub use clock::{ClockJump, ClockShift};
pub use receiver::{
    Behaviour, Chance, Flapping, Limiter, Outage, Poison, Processing, Queue, Receiver,
};
pub use report::{GoodMessages, Latency, Recovery, Report};
pub use running_receiver::{Reaction, RunningReceiver};
pub use scenario::Scenario;
pub use series::{Point, Series};
pub use test_host::TestHost;
