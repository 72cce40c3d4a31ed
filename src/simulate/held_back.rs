//! Seconds in which a sender held back for no reason: [`HeldBack`].

use std::time::Duration;

/// Counts the whole seconds that began with a due delivery that the receiver would have accepted,
/// and in which nothing was sent.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    /// The second that began so, if it is the current one.
    suspect: Option<u64>,
    last_sent: Option<u64>,
    seconds: u64,
}

impl HeldBack {
    /// A request was sent.
    pub(super) const fn sent(&mut self, at: Duration) {
        self.last_sent = Some(at.as_secs());
    }

    /// Time passes without requests, responses or events. `could_send` is asked for each second
    /// that begins, unless `idle_until` says that none could be sent before an instant.
    pub(super) fn pass(
        &mut self,
        from: Duration,
        to: Duration,
        mut idle_until: impl FnMut(Duration) -> Option<Duration>,
        mut could_send: impl FnMut(Duration) -> bool,
    ) {
        let mut second = from.as_secs().saturating_add(1);
        while second <= to.as_secs() {
            let was_sent = self.last_sent == second.checked_sub(1);
            if self.suspect.take().is_some() && !was_sent {
                self.seconds = self.seconds.saturating_add(1);
            }
            let at = Duration::from_secs(second);
            second = second.saturating_add(1);
            match idle_until(at) {
                Some(until) => second = second.max(whole_second(until)),
                None => self.suspect = could_send(at).then_some(at.as_secs()),
            }
        }
    }

    /// Whether it depends on what comes if the current second counts.
    pub(super) const fn is_open(&self) -> bool {
        self.suspect.is_some()
    }

    pub(super) const fn total(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// The first second that begins at this instant or later.
pub(super) fn whole_second(at: Duration) -> u64 {
    at.as_secs().saturating_add(u64::from(at.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_idle_seconds_that_began_with_a_due_delivery_count() {
        let millis = Duration::from_millis;
        let mut held_back = HeldBack::default();
        let mut pass = |from, to, could_send| {
            held_back.pass(millis(from), millis(to), |_| None, |_| could_send);
            held_back.total().as_secs()
        };
        // Second 0 began before anything was due; 1, 2 and 3 count, and 4 has not ended.
        assert_eq!(pass(500, 4_900, true), 3);
        assert_eq!(pass(4_900, 5_000, false), 4);
        assert_eq!(pass(5_000, 8_000, true), 6);
        // Sent in second 8.
        held_back.sent(millis(8_500));
        held_back.pass(millis(8_500), millis(9_100), |_| None, |_| false);
        assert_eq!(held_back.total().as_secs(), 6);
        // Down until 19.5 s, then 20 to 22.
        let down = |at| Some(millis(19_500)).filter(|until| at < *until);
        held_back.pass(millis(9_100), millis(23_000), down, |_| true);
        assert_eq!(held_back.total().as_secs(), 9);
    }

    #[test]
    fn second_that_begins_now_is_the_next_one() {
        let seconds = [0, 1, 999, 1_000, 1_001].map(|at| whole_second(Duration::from_millis(at)));
        assert_eq!(seconds, [0, 1, 1, 1, 2]);
    }
}
