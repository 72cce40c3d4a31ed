//! The events that an endpoint is offered: [`Load`].

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use crate::time::micros;

/// So many events in so much time, evenly spaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Load {
    events: NonZeroU32,
    per_us: NonZeroU64,
    keys: Option<NonZeroU32>,
}

impl Load {
    /// So many events in so much time, which counts as a microsecond at least.
    #[must_use]
    pub fn new(events: NonZeroU32, per: Duration) -> Self {
        let per_us = NonZeroU64::new(micros(per)).unwrap_or(NonZeroU64::MIN);
        Self { events, per_us, keys: None }
    }

    /// So many events a second.
    #[must_use]
    pub fn per_second(events: NonZeroU32) -> Self {
        Self::new(events, Duration::from_secs(1))
    }

    /// With the events going round so many [ordering keys](crate::Keys::with_ordering); without, each
    /// has one of its own.
    #[must_use]
    pub const fn with_keys(mut self, keys: NonZeroU32) -> Self {
        self.keys = Some(keys);
        self
    }

    /// How many events there are in [`per`](Self::per).
    #[must_use]
    pub const fn events(&self) -> NonZeroU32 {
        self.events
    }

    /// The time in which there are so many [`events`](Self::events).
    #[must_use]
    pub const fn per(&self) -> Duration {
        Duration::from_micros(self.per_us.get())
    }

    /// How many ordering keys the events go round.
    #[must_use]
    pub const fn keys(&self) -> Option<NonZeroU32> {
        self.keys
    }

    /// When event `number` comes, the first being 0 and at 0. It saturates.
    #[must_use]
    pub fn at(&self, number: u64) -> Duration {
        let micros = u128::from(number).saturating_mul(u128::from(self.per_us.get()));
        let micros = micros.checked_div(u128::from(self.events.get())).unwrap_or(u128::MAX);
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}
