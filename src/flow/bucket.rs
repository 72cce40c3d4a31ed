//! The leaky bucket behind all rates.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// One second, in microseconds.
pub(super) const SECOND: u64 = 1_000_000;

/// The most releases beyond a full bucket: more were not allowed, or a record was edited by hand.
/// Without a bound the next release could be further off than the end of time.
const MOST_OVERDRAWN: u32 = 64;

/// Releases that have not leaked away yet, counted in whole units, so that every rational rate is
/// exact.
///
/// A release adds `cost` units, `leak` units flow out per microsecond, and a release is allowed
/// while the bucket has room for it. Numbers saturate towards fewer releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bucket {
    level: u64,
    /// The cost of a release in the units of `level`.
    cost: u64,
    at: Timestamp,
}

/// The size and leak of a [`Bucket`], passed to each call because policies may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// The number of releases that fit into an empty bucket.
    pub(super) burst: u32,
    /// Units added by a release; not zero.
    pub(super) cost: u64,
    /// Units that flow out per microsecond; not zero.
    pub(super) leak: u64,
}

/// One release that was charged to a [`Bucket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Charge {
    terms: Terms,
    at: Timestamp,
}

impl Bucket {
    pub(super) const EMPTY: Self = Self { level: 0, cost: 1, at: Timestamp::MIN };

    /// Returns when there is room for a release; `None` if there is room now. Always after `now`,
    /// except at [`Timestamp::MAX`].
    pub(super) fn wait(&self, terms: Terms, now: Timestamp) -> Option<Timestamp> {
        let (level, at) = self.leaked(terms, now);
        let room = terms.cost.saturating_mul(u64::from(terms.burst));
        // At a full counter a saturating sum would find room for one more, so this sum is wider.
        let over = u128::from(level).saturating_add(terms.cost.into()).saturating_sub(room.into());
        let over = u64::try_from(over).unwrap_or(u64::MAX);
        (over > 0).then(|| at + Duration::from_micros(over.div_ceil(terms.leak.max(1))))
    }

    pub(super) fn charge(&mut self, terms: Terms, now: Timestamp) -> Charge {
        let (level, at) = self.leaked(terms, now);
        *self = Self { level: level.saturating_add(terms.cost), cost: terms.cost, at };
        Charge { terms, at: now }
    }

    /// Refunds the part of a charge that has certainly not leaked away: all that has leaked since
    /// is attributed to it. Nothing is certain if the terms have changed.
    pub(super) fn refund(&mut self, terms: Terms, charge: Charge, now: Timestamp) {
        if charge.terms != terms {
            return;
        }
        let (level, at) = self.leaked(terms, now);
        let out = elapsed(charge.at, at).saturating_mul(terms.leak);
        let level = level.saturating_sub(terms.cost.saturating_sub(out));
        *self = Self { level, cost: terms.cost, at };
    }

    /// After the clock stepped back, moves the bucket's instant to `now`. Nothing leaks by that, so
    /// a wait is not shortened, and it is no longer than that of a full and overdrawn bucket.
    pub(super) fn pull_in(&mut self, now: Timestamp) {
        self.at = self.at.min(now);
    }

    fn leaked(&self, terms: Terms, now: Timestamp) -> (u64, Timestamp) {
        let scaled = u128::from(self.level)
            .saturating_mul(u128::from(terms.cost))
            .div_ceil(u128::from(self.cost.max(1)));
        let most = u64::from(terms.burst.saturating_add(MOST_OVERDRAWN));
        let most = terms.cost.saturating_mul(most);
        let level = u64::try_from(scaled).unwrap_or(u64::MAX).min(most);
        let out = elapsed(self.at, now).saturating_mul(terms.leak);
        (level.saturating_sub(out), self.at.max(now))
    }
}

/// Microseconds from `earlier` to `now`; zero if the clock stepped back.
pub(super) fn elapsed(earlier: Timestamp, now: Timestamp) -> u64 {
    // Any two timestamps are less than 2^64 microseconds apart.
    u64::try_from(now.saturating_since(earlier).as_micros()).unwrap_or(u64::MAX)
}
