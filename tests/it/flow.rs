//! The rate and concurrency limits of one endpoint.

use std::num::NonZeroU32;
use std::time::Duration;

mod adaptive_rate;
mod concurrency;
mod golden;
mod limiter;
mod policy_file;
mod properties;
mod rate_limit;
mod refunds;
mod retry_budget;

const TICK: Duration = Duration::from_micros(1);

fn nz(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
