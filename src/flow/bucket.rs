//! The leaky bucket that rates are kept with.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What was released and has not leaked away yet, in whole units, so that every rational rate is
/// kept exactly.
///
/// A release pours `cost` units in, `leak` units flow out each microsecond, and a release is
/// allowed while the bucket has room for it. Where a number saturates, it is towards fewer
/// releases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Bucket {
    level: u64,
    /// The cost that `level` is counted in.
    cost: u64,
    at: Timestamp,
}

/// How a [`Bucket`] fills and empties: lent to each call, like every policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// Releases that an empty bucket has room for.
    pub(super) burst: u32,
    /// Units that a release pours in; not zero.
    pub(super) cost: u64,
    /// Units that flow out each microsecond; not zero.
    pub(super) leak: u64,
}

/// One release that was poured into a [`Bucket`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Poured {
    terms: Terms,
    at: Timestamp,
}

impl Bucket {
    pub(super) const EMPTY: Self = Self { level: 0, cost: 1, at: Timestamp::MIN };

    /// Until when there is no room for a release; `None` where there is. Always after `now`, but
    /// at [`Timestamp::MAX`].
    pub(super) fn wait(&self, terms: Terms, now: Timestamp) -> Option<Timestamp> {
        let (level, at) = self.leaked(terms, now);
        let room = terms.cost.saturating_mul(u64::from(terms.burst));
        // One more than a full counter has no room either, so this one sum is wider.
        let over = u128::from(level).saturating_add(terms.cost.into()).saturating_sub(room.into());
        let over = u64::try_from(over).unwrap_or(u64::MAX);
        (over > 0).then(|| at + micros(over.div_ceil(terms.leak.max(1))))
    }

    pub(super) fn pour(&mut self, terms: Terms, now: Timestamp) -> Poured {
        let (level, at) = self.leaked(terms, now);
        *self = Self { level: level.saturating_add(terms.cost), cost: terms.cost, at };
        Poured { terms, at: now }
    }

    /// Takes back what was poured in, as far as it has certainly not leaked away: all that has
    /// leaked since is taken for its own. Under other terms than these nothing is certain.
    pub(super) fn scoop(&mut self, terms: Terms, poured: Poured, now: Timestamp) {
        if poured.terms != terms {
            return;
        }
        let (level, at) = self.leaked(terms, now);
        let out = elapsed(poured.at, at).saturating_mul(terms.leak);
        let level = level.saturating_sub(terms.cost.saturating_sub(out));
        *self = Self { level, cost: terms.cost, at };
    }

    /// A clock that went back leaks nothing until it is where it was: waits are absolute.
    fn leaked(&self, terms: Terms, now: Timestamp) -> (u64, Timestamp) {
        let scaled = u128::from(self.level)
            .saturating_mul(u128::from(terms.cost))
            .div_ceil(u128::from(self.cost.max(1)));
        let level = u64::try_from(scaled).unwrap_or(u64::MAX);
        let out = elapsed(self.at, now).saturating_mul(terms.leak);
        (level.saturating_sub(out), self.at.max(now))
    }
}

/// Microseconds from `earlier` to `now`, zero where the clock went back.
pub(super) fn elapsed(earlier: Timestamp, now: Timestamp) -> u64 {
    // Any two timestamps are less than 2^64 microseconds apart.
    u64::try_from(now.saturating_since(earlier).as_micros()).unwrap_or(u64::MAX)
}

pub(super) const fn micros(micros: u64) -> std::time::Duration {
    std::time::Duration::from_micros(micros)
}
