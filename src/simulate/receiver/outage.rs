//! Periods in which a receiver is down: [`Outage`] and [`Flapping`].

use std::time::Duration;

use super::behaviour::Behaviour;
use crate::time::micros;

/// A period in which a receiver misbehaves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outage {
    /// Start of the outage, since the start of the simulation.
    pub from: Duration,
    /// End of the outage, exclusive.
    pub to: Duration,
    /// Behaviour during the outage.
    pub behaviour: Behaviour,
}

impl Outage {
    /// When the receiver is back, if this outage is on.
    pub(super) fn down_until(&self, at: Duration) -> Option<Duration> {
        (self.from <= at && at < self.to).then_some(self.to)
    }

    /// When the outage ended, if it has.
    pub(super) fn last_end(&self, at: Duration) -> Option<Duration> {
        (self.from < self.to && self.to <= at).then_some(self.to)
    }
}

/// A period in which a receiver is down and up by turns.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flapping {
    /// Start, since the start of the simulation.
    pub from: Duration,
    /// End, exclusive.
    pub to: Duration,
    /// Time from one outage's start to the next one's.
    pub period: Duration,
    /// Length of each outage, at the start of its period.
    pub down: Duration,
    /// Behaviour during the outages.
    pub behaviour: Behaviour,
}

impl Flapping {
    /// The outage of the period that `at` belongs to, also if it is over.
    fn outage_at(&self, at: Duration) -> Option<(Duration, Duration)> {
        if at < self.from || self.from >= self.to || self.down.is_zero() {
            return None;
        }
        let since = micros(at.saturating_sub(self.from));
        let phase = since.checked_rem(micros(self.period)).unwrap_or(since);
        let start = self.from.saturating_add(Duration::from_micros(since.saturating_sub(phase)));
        Some((start, start.saturating_add(self.down).min(self.to)))
    }

    /// When the receiver is back, if it is down.
    pub(super) fn down_until(&self, at: Duration) -> Option<Duration> {
        let (_, end) = self.outage_at(at)?;
        (at < self.to && at < end).then_some(end)
    }

    /// The end of the last outage that has ended.
    pub(super) fn last_end(&self, at: Duration) -> Option<Duration> {
        let last = self.to.saturating_sub(Duration::from_micros(1));
        let (start, end) = self.outage_at(at.min(last))?;
        if end <= at {
            return Some(end);
        }
        let before = start.checked_sub(self.period).filter(|before| *before >= self.from)?;
        Some(before.saturating_add(self.down).min(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn outage_has_ended_from_its_end_on() {
        let outage = |from, to| Outage { from, to, behaviour: Behaviour::Hangs };
        let end = |it: &Outage| [19, 20, 21].map(|at| it.last_end(secs(at)));
        assert_eq!(end(&outage(secs(10), secs(20))), [None, Some(secs(20)), Some(secs(20))]);
        // One that ends as it starts, or before, never was.
        for from in [20, 30] {
            assert_eq!(end(&outage(secs(from), secs(20))), [None; 3]);
        }
    }

    #[test]
    fn flapping_is_down_at_the_start_of_each_period() {
        let behaviour = Behaviour::Hangs;
        let (from, to, period, down) = (secs(10), secs(35), secs(10), secs(4));
        let flapping = Flapping { from, to, period, down, behaviour };
        let until = |at| flapping.down_until(secs(at)).map(|end| end.as_secs());
        let downs: Vec<_> = (0..50).filter(|at| until(*at).is_some()).collect();
        assert_eq!(downs, [10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33]);
        assert_eq!(until(12), Some(14));
        let ends = [9, 13, 14, 20, 23, 24, 33, 34, 99];
        let ends = ends.map(|at| flapping.last_end(secs(at)).map_or(0, |end| end.as_secs()));
        assert_eq!(ends, [0, 0, 14, 14, 14, 24, 24, 34, 34]);
        // The last outage is cut short.
        let short = Flapping { to: secs(32), ..flapping };
        assert_eq!(short.down_until(secs(31)), Some(secs(32)));
        assert_eq!(short.last_end(secs(99)), Some(secs(32)));
    }
}
