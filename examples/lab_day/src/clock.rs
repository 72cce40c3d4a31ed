//! The laboratory's clock: real time plus an offset that can be advanced.
//!
//! labhook takes the time as an argument, so a host can use any clock. This one runs in real time
//! while requests are in flight and jumps when none are, so that a night of waiting for a retry
//! passes at once. Sender and receivers share it: otherwise signatures would be out of tolerance.

// The only place of this program that reads a clock.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a host reads the clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use labhook::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;

/// A clock. Clones share the offset.
#[derive(Clone)]
pub struct Clock {
    start: Timestamp,
    started: Instant,
    /// The offset, in microseconds.
    offset: Arc<AtomicU64>,
    /// When the next event of the day happens, beyond which the clock does not jump.
    upcoming: watch::Sender<Option<Timestamp>>,
    jumps: watch::Sender<()>,
}

impl Clock {
    /// Creates a clock that shows `start` now.
    pub fn starting_at(start: Timestamp) -> Self {
        Self {
            start,
            started: Instant::now(),
            offset: Arc::default(),
            upcoming: watch::Sender::new(None),
            jumps: watch::Sender::new(()),
        }
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        let offset = Duration::from_micros(self.offset.load(Ordering::SeqCst));
        self.start + offset + self.started.elapsed()
    }

    /// Says when the next event of the day happens. The clock jumps no further until the next call.
    pub fn expect(&self, upcoming: Option<Timestamp>) {
        self.upcoming.send_replace(upcoming);
    }

    /// Waits for the event that is expected at this instant.
    pub async fn reach(&self, instant: Timestamp) {
        let mut jumps = self.jumps.subscribe();
        while self.now() < instant {
            tokio::select! {
                _ = jumps.changed() => {}
                () = sleep(instant.saturating_since(self.now())) => {}
            }
        }
    }

    /// Returns how long the program has been running, in real time.
    pub fn real(&self) -> Duration {
        self.started.elapsed()
    }

    /// Advances to this instant, unless it has passed.
    fn jump_to(&self, instant: Timestamp) {
        let ahead = instant.saturating_since(self.now()).as_micros();
        self.offset.fetch_add(u64::try_from(ahead).unwrap_or(0), Ordering::SeqCst);
        self.jumps.send_replace(());
    }
}

impl host::Clock for Clock {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    async fn wait(&self, until: Option<Timestamp>, idle: bool) {
        if !idle {
            let real = until.map_or(Duration::MAX, |until| until.saturating_since(self.now()));
            return sleep(real).await;
        }
        let mut expected = self.upcoming.subscribe();
        loop {
            let upcoming = *expected.borrow_and_update();
            if let Some(next) = until.into_iter().chain(upcoming).min() {
                self.jump_to(next);
            }
            if until.is_some_and(|until| until <= self.now()) {
                return;
            }
            // If an event has happened now, it is published, and then the next one is expected.
            let _ = expected.changed().await;
        }
    }
}
