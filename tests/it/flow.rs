//! The rate and concurrency limits of one endpoint.

use std::num::NonZeroU32;
use std::time::Duration;

mod adaptive_rate;
mod climb;
mod concurrency;
mod excuses;
mod golden;
mod limiter;
mod line;
mod needs_save;
mod pauses;
mod policy_file;
mod properties;
mod rate_limit;
mod receiver;
mod refunds;
mod sample_bounds;
mod samples;
mod saving;

const TICK: Duration = Duration::from_micros(1);

fn nz(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The output function of SplitMix64, for receivers that fail by chance.
pub(crate) const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
