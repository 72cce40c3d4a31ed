//! Simulates what a policy does to a receiver, before an outage does: [`Scenario`].
//!
//! The [linter](crate::policy::lint) needs no run; this shows one.
//!
//! ```text
//!  Load     so many events    .--------.  Send    .----------.  capacity, latency,
//!  in so much time -- publish -> Outbox | -------> | Receiver |  outages
//!                             '--------' <------- '----------'
//!                                 |       resolve
//!                                 '-- notices --> Report
//! ```
//!
//! A [`Scenario`] drives a real [`Outbox`](crate::Outbox) by its public calls, on a clock that
//! jumps to whatever comes next: an event, an answer, the instant of
//! [`Step::Wait`](crate::Step::Wait). What it shows is therefore what a host would see, down to the
//! microsecond, save for what it leaves out: the host takes no time, saves nothing and never
//! crashes, nothing is lost on the way, and receivers do not learn. Everything in it is a whole
//! number, and the same scenario always gives the same [`Report`]. All endpoints have the one load,
//! save those that are given [one of their own](Scenario::add_endpoint_with_load).
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
//! // Twenty events a minute for an hour, and a quarter of an hour in which nobody listens.
//! let load = Load::new(NonZeroU32::new(20).unwrap(), minutes(1));
//! let receiver = Receiver::new().add_outage(minutes(10), minutes(25), Behaviour::refuses());
//! let policies = EndpointPolicy::new(RetryPolicy::new(Schedule::list([minutes(10), minutes(20)])));
//!
//! let scenario = Scenario::new(load, minutes(60)).add_endpoint(policies, receiver);
//! let report = &scenario.run()[0];
//! assert_eq!(report.accepted, 1_200);
//! assert_eq!(report.ended(Verdict::Delivered), 1_200);
//! assert_eq!(report.duplicates, 0);
//! assert!(report.delays.unwrap().max <= minutes(40));
//! ```

mod receiver;
mod report;
mod run;
mod scenario;
mod series;
mod source;
mod tally;

pub use receiver::{Behaviour, Outage, Receiver};
pub use report::{Delays, Recovery, Report};
pub use scenario::Scenario;
pub use series::{Point, Series};
