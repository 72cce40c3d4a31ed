//! Requests that a limiter has counted: [`Usage`].
//!
//! All times are in microseconds, and none is before an earlier one.

use std::collections::VecDeque;
use std::num::{NonZeroU32, NonZeroU64};

/// Requests that a limiter has counted, as far as it must know them.
#[derive(Clone, Debug)]
pub(super) enum Usage {
    Fixed {
        window: NonZeroU64,
        /// The number of the window in which a request was last counted.
        number: u64,
        count: u32,
    },
    Sliding {
        window: NonZeroU64,
        /// More need not be known.
        max: usize,
        /// When each was counted.
        times: VecDeque<u64>,
    },
    Bucket {
        /// The price of a request, in units of which the bucket gains `limit` a microsecond.
        price: u128,
        full: u128,
        level: u128,
        at: u64,
    },
}

impl Usage {
    pub(super) const fn fixed(window: NonZeroU64) -> Self {
        Self::Fixed { window, number: 0, count: 0 }
    }

    pub(super) fn sliding(window: NonZeroU64, max: NonZeroU32) -> Self {
        let max = usize::try_from(max.get()).unwrap_or(usize::MAX);
        Self::Sliding { window, max, times: VecDeque::new() }
    }

    pub(super) fn bucket(window: NonZeroU64, burst: NonZeroU32) -> Self {
        let price = u128::from(window.get());
        let full = price.saturating_mul(u128::from(burst.get()));
        Self::Bucket { price, full, level: full, at: 0 }
    }

    /// Whether one more request is within the limit.
    pub(super) fn has_room(&self, now: u64, limit: u32) -> bool {
        match self {
            Self::Fixed { .. } | Self::Sliding { .. } => self.used(now) < limit,
            Self::Bucket { price, .. } => self.level(now, limit) >= *price,
        }
    }

    /// The number of requests that count at this time.
    fn used(&self, now: u64) -> u32 {
        match self {
            Self::Fixed { window, number, count } => {
                if window_number(now, *window) == *number {
                    *count
                } else {
                    0
                }
            }
            Self::Sliding { window, times, .. } => {
                let over = times.partition_point(|at| at.saturating_add(window.get()) <= now);
                u32::try_from(times.len().saturating_sub(over)).unwrap_or(u32::MAX)
            }
            Self::Bucket { .. } => 0,
        }
    }

    fn level(&self, now: u64, limit: u32) -> u128 {
        let Self::Bucket { full, level, at, .. } = self else { return 0 };
        let gained = u128::from(now.saturating_sub(*at)).saturating_mul(u128::from(limit));
        level.saturating_add(gained).min(*full)
    }

    /// Counts a request, whether or not it is within the limit.
    pub(super) fn count(&mut self, now: u64, limit: u32) {
        let (used, filled) = (self.used(now), self.level(now, limit));
        match self {
            Self::Fixed { window, number, count } => {
                *number = window_number(now, *window);
                *count = used.saturating_add(1);
            }
            Self::Sliding { window, max, times } => {
                let is_over = |at: &u64| at.saturating_add(window.get()) <= now;
                while times.len() >= *max || times.front().is_some_and(is_over) {
                    times.pop_front();
                }
                times.push_back(now);
            }
            Self::Bucket { price, level, at, .. } => {
                *level = filled.saturating_sub(*price);
                *at = now;
            }
        }
    }

    /// The time until there is room.
    pub(super) fn wait(&self, now: u64, limit: u32) -> u64 {
        match self {
            _ if self.has_room(now, limit) => 0,
            Self::Fixed { window, number, .. } => {
                let end = number.saturating_add(1).saturating_mul(window.get());
                end.saturating_sub(now)
            }
            Self::Sliding { window, times, .. } => {
                // All but `limit - 1` must be over.
                let limit = usize::try_from(limit).unwrap_or(usize::MAX);
                let last = times.len().saturating_sub(limit);
                let at = times.get(last).copied().unwrap_or(now);
                at.saturating_add(window.get()).saturating_sub(now)
            }
            Self::Bucket { price, .. } => {
                let missing = price.saturating_sub(self.level(now, limit));
                u64::try_from(missing.div_ceil(u128::from(limit.max(1)))).unwrap_or(u64::MAX)
            }
        }
    }
}

fn window_number(now: u64, window: NonZeroU64) -> u64 {
    now.checked_div(window.get()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: NonZeroU64 = NonZeroU64::new(100).unwrap();

    fn three() -> NonZeroU32 {
        NonZeroU32::new(3).unwrap()
    }

    /// The requests that are accepted at a limit of three, and the last wait.
    fn accepted(mut usage: Usage, times: &[u64], counts_refused: bool) -> (Vec<u64>, u64) {
        let (mut accepted, mut wait) = (Vec::new(), 0);
        for now in times {
            let has_room = usage.has_room(*now, 3);
            if has_room {
                accepted.push(*now);
            }
            if has_room || counts_refused {
                usage.count(*now, 3);
            }
            wait = usage.wait(*now, 3);
        }
        (accepted, wait)
    }

    #[test]
    fn fixed_window_ends_for_all_requests_at_once() {
        let times = [10, 90, 95, 99, 100, 101, 102, 103];
        let expected = (vec![10, 90, 95, 100, 101, 102], 97);
        assert_eq!(accepted(Usage::fixed(WINDOW), &times, false), expected);
        assert_eq!(accepted(Usage::fixed(WINDOW), &times, true), expected);
    }

    #[test]
    fn sliding_window_accepts_its_limit_in_any_window() {
        let times = [10, 90, 95, 99, 109, 110, 111];
        let sliding = || Usage::sliding(WINDOW, three());
        assert_eq!(accepted(sliding(), &times, false), (vec![10, 90, 95, 110], 79));
        // The refused ones at 99 and 109 take the place of those at 10 and 90.
        assert_eq!(accepted(sliding(), &times, true), (vec![10, 90, 95], 98));
    }

    #[test]
    fn token_bucket_fills_evenly() {
        let times = [0, 0, 0, 0, 33, 34, 67, 68];
        let bucket = || Usage::bucket(WINDOW, three());
        assert_eq!(accepted(bucket(), &times, false), (vec![0, 0, 0, 34, 67], 32));
        // A token takes 33.4, and each refused request empties the bucket.
        assert_eq!(accepted(bucket(), &times, true), (vec![0, 0, 0], 34));
    }
}
