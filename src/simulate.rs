//! Simulator: runs policies against a model of their receiver, on a virtual clock.
//!
//! ```text
//!  Load                       .--------.   Send   .----------.  capacity, latency,
//!  events per time - publish -> Outbox | -------> | Receiver |  outages
//!                             '--------' <------- '----------'
//!                                 |       resolve
//!                                 '-- notices --> Report
//! ```
//!
//! A [`Scenario`] drives a real [`Outbox`](crate::Outbox) through its public API. Its clock jumps
//! to the next event, response or [`Step::Wait`](crate::Step::Wait). A [`Report`] therefore shows
//! what a host would see, to the microsecond, under ideal conditions: the host takes no time, saves
//! nothing and never crashes, the network loses nothing, and receivers do not adapt. All arithmetic
//! is on integers, and a scenario always gives the same report. All endpoints share one load,
//! except those that are [given their own](Scenario::add_endpoint_with_load).
//!
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
mod held_back;
mod receiver;
mod recorder;
mod report;
mod run;
mod running_receiver;
mod scenario;
mod series;
mod source;

pub use clock::{ClockJump, ClockShift};
pub use receiver::{
    Behaviour, Chance, Flapping, Limiter, Outage, Poison, Processing, Queue, Receiver,
};
pub use report::{GoodMessages, Latency, Recovery, Report};
pub use running_receiver::{Reaction, RunningReceiver};
pub use scenario::Scenario;
pub use series::{Point, Series};
