//! The laboratory's clock: real time plus an offset that can be pushed forward.
//!
//! labhook takes the time as an argument, so a host may hand it any clock. This one runs in real
//! time while something is going on, and is moved on when nothing is: a night of waiting for a
//! retry passes at once. Sender and receivers share it, or signatures would not be fresh.

// The only place of this program that reads a clock.
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a host reads the clock")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use labhook::Timestamp;

/// A clock that every clone of it shares.
#[derive(Clone)]
pub struct Clock {
    start: Timestamp,
    started: Instant,
    /// How far it was pushed forward, in microseconds.
    jumped: Arc<AtomicU64>,
}

impl Clock {
    /// A clock that shows `start` now.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, started: Instant::now(), jumped: Arc::default() }
    }

    /// What it shows.
    pub fn now(&self) -> Timestamp {
        let jumped = Duration::from_micros(self.jumped.load(Ordering::SeqCst));
        self.start + jumped + self.started.elapsed()
    }

    /// Moves it on to this instant, unless that has passed.
    pub fn jump_to(&self, instant: Timestamp) {
        let ahead = instant.saturating_since(self.now()).as_micros();
        self.jumped.fetch_add(u64::try_from(ahead).unwrap_or(0), Ordering::SeqCst);
    }

    /// How long the program has been running, in real time.
    pub fn real(&self) -> Duration {
        self.started.elapsed()
    }
}
