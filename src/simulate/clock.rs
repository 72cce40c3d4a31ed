//! Jumps of the sender's clock: [`ClockJump`].

use std::time::Duration;

use crate::time::Timestamp;

/// A period in which the sender's clock is wrong.
///
/// The outbox sees the shifted time. Events, receivers and reports are not affected, nor is a
/// request's timeout, which a host measures with a monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ClockJump {
    /// When the clock jumps, since the start of the simulation.
    pub at: Duration,
    /// How long it is wrong, until it jumps back.
    pub lasts: Duration,
    /// By how much it is wrong.
    pub shift: ClockShift,
}

/// Error of the sender's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClockShift {
    /// The clock is ahead by this.
    Ahead(Duration),
    /// The clock is behind by this.
    Behind(Duration),
}

impl ClockJump {
    const fn end(&self) -> Duration {
        self.at.saturating_add(self.lasts)
    }
}

/// The sender's time at a true time. Jumps that overlap add up.
pub(super) fn shifted(jumps: &[ClockJump], elapsed: Duration, now: Timestamp) -> Timestamp {
    let current = jumps.iter().filter(|jump| jump.at <= elapsed && elapsed < jump.end());
    current.fold(now, |now, jump| match jump.shift {
        ClockShift::Ahead(shift) => now + shift,
        ClockShift::Behind(shift) => now - shift,
    })
}

/// When the clock jumps next, there or back.
pub(super) fn next_jump(jumps: &[ClockJump], elapsed: Duration) -> Option<Duration> {
    jumps.iter().flat_map(|jump| [jump.at, jump.end()]).filter(|at| *at > elapsed).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_jumps_add_up() {
        let secs = Duration::from_secs;
        let jumps = [
            ClockJump { at: secs(10), lasts: secs(10), shift: ClockShift::Ahead(secs(100)) },
            ClockJump { at: secs(15), lasts: secs(10), shift: ClockShift::Behind(secs(30)) },
        ];
        let times = [9, 10, 15, 20, 25].map(|at| {
            let now = Timestamp::UNIX_EPOCH + secs(at);
            shifted(&jumps, secs(at), now).unix_seconds()
        });
        assert_eq!(times, [9, 110, 85, -10, 25]);
        let next = [0, 10, 15, 20, 25].map(|at| next_jump(&jumps, secs(at)).map(|it| it.as_secs()));
        assert_eq!(next, [Some(10), Some(15), Some(20), Some(25), None]);
    }
}
