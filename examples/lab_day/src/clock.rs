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

/// A clock. Clones share the offset.
#[derive(Clone)]
pub struct Clock {
    start: Timestamp,
    started: Instant,
    /// The offset, in microseconds.
    offset: Arc<AtomicU64>,
}

impl Clock {
    /// Creates a clock that shows `start` now.
    pub fn starting_at(start: Timestamp) -> Self {
        Self { start, started: Instant::now(), offset: Arc::default() }
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        let offset = Duration::from_micros(self.offset.load(Ordering::SeqCst));
        self.start + offset + self.started.elapsed()
    }

    /// Advances to this instant, unless it has passed.
    pub fn jump_to(&self, instant: Timestamp) {
        let ahead = instant.saturating_since(self.now()).as_micros();
        self.offset.fetch_add(u64::try_from(ahead).unwrap_or(0), Ordering::SeqCst);
    }

    /// Returns how long the program has been running, in real time.
    pub fn real(&self) -> Duration {
        self.started.elapsed()
    }
}
