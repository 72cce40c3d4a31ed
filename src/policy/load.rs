//! Load on an endpoint: events per time: [`Load`].

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use crate::time::micros;

/// Load: `events` per `per`, evenly spaced or in bursts.
#[doc(alias = "throughput")]
#[doc(alias = "arrival rate")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Load {
    events: NonZeroU32,
    per_us: NonZeroU64,
    keys: Option<NonZeroU32>,
    burst: NonZeroU32,
    backlog: u32,
}

impl Load {
    /// Creates a load of `events` per `per`, which is at least a microsecond.
    #[must_use]
    pub fn new(events: NonZeroU32, per: Duration) -> Self {
        let per_us = NonZeroU64::new(micros(per)).unwrap_or(NonZeroU64::MIN);
        Self { events, per_us, keys: None, burst: NonZeroU32::MIN, backlog: 0 }
    }

    /// Creates a load of `events` per second.
    #[must_use]
    pub fn per_second(events: NonZeroU32) -> Self {
        Self::new(events, Duration::from_secs(1))
    }

    /// Sets the number of [ordering keys](crate::Keys::ordering) that the events cycle through.
    /// By default each event has a key of its own.
    #[must_use]
    pub const fn with_keys(mut self, keys: NonZeroU32) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Sets the number of events that arrive at once; the default is 1. The rate stays the same:
    /// 60 a minute in bursts of 30 are 30 each half minute.
    ///
    /// Only the [simulator](crate::simulate) follows it; the linter assumes an even load.
    #[must_use]
    pub const fn in_bursts(mut self, of: NonZeroU32) -> Self {
        self.burst = of;
        self
    }

    /// Sets the number of events that arrive at once at the start, before the others; the default
    /// is 0.
    ///
    /// Only the [simulator](crate::simulate) follows it; the linter assumes an even load.
    #[must_use]
    pub const fn with_backlog(mut self, events: u32) -> Self {
        self.backlog = events;
        self
    }

    /// Returns the number of events in each [`per`](Self::per).
    #[must_use]
    pub const fn events(&self) -> NonZeroU32 {
        self.events
    }

    /// Returns the time in which [`events`](Self::events) arrive.
    #[must_use]
    pub const fn per(&self) -> Duration {
        Duration::from_micros(self.per_us.get())
    }

    /// Returns the number of ordering keys, or `None` if each event has its own.
    #[must_use]
    pub const fn keys(&self) -> Option<NonZeroU32> {
        self.keys
    }

    /// Returns the number of events that arrive at once.
    #[must_use]
    pub const fn burst(&self) -> NonZeroU32 {
        self.burst
    }

    /// Returns the number of events that arrive at once at the start.
    #[must_use]
    pub const fn backlog(&self) -> u32 {
        self.backlog
    }

    /// Returns when event `number` arrives. Event 0 arrives at 0; later ones saturate.
    #[must_use]
    pub fn at(&self, number: u64) -> Duration {
        let number = number.saturating_sub(self.backlog.into());
        let in_burst = number.checked_rem(u64::from(self.burst.get())).unwrap_or(0);
        let number = number.saturating_sub(in_burst);
        let micros = u128::from(number).saturating_mul(u128::from(self.per_us.get()));
        let micros = micros.checked_div(u128::from(self.events.get())).unwrap_or(u128::MAX);
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}
