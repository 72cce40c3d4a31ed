//! Follows a clock that steps back.

use std::time::Duration;

use super::Outbox;
use crate::time::Timestamp;

/// A clock that is slewed by less than this is not worth a look at every delivery.
const NOTICEABLE: Duration = Duration::from_secs(1);

impl Outbox {
    /// After the clock stepped back, reconciles everything that waits: no instant may lie further
    /// ahead than its policy could ask for at `now`. So a clock that was a day ahead for a moment
    /// holds nothing for a day.
    pub(super) fn follow_clock(&mut self, now: Timestamp) {
        if self.latest.saturating_since(now) < NOTICEABLE {
            self.latest = self.latest.max(now);
            return;
        }
        self.latest = now;
        for number in self.endpoints.numbers() {
            self.reconcile_endpoint(number, now);
        }
        self.sweep(None, now);
    }
}
