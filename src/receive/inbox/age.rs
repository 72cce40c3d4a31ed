//! Clock by which events age: [`AgeClock`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Clock that no single reading of your application's clock can throw far.
///
/// It adds up the time that passes between readings, of which one call counts at most `step`. A
/// reading behind the latest one adds nothing. If it is further behind than `step`, the next one is
/// measured from there: either the clock is right again after it was ahead, or it is behind now and
/// will add up to one `step` when it returns. If it is less far behind, as readings of several
/// threads are, nothing counts until the readings have caught up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AgeClock {
    /// The sum, which starts as the first reading.
    pub(super) time: Timestamp,
    /// The reading that the next one is measured from.
    read_at: Timestamp,
}

impl AgeClock {
    /// Creates a clock with its first reading.
    pub(super) const fn new(now: Timestamp) -> Self {
        Self { time: now, read_at: now }
    }

    /// Takes a reading.
    pub(super) fn read(&mut self, now: Timestamp, step: Duration) {
        self.advance(now, step);
        if self.read_at.saturating_since(now) > step {
            self.read_at = now;
        }
    }

    /// Takes a reading that may be an old one, such as the time at which a row was written.
    pub(super) fn advance(&mut self, now: Timestamp, step: Duration) {
        self.time += now.saturating_since(self.read_at).min(step);
        self.read_at = now.max(self.read_at);
    }
}
