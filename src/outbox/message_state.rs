//! A message and its deliveries: [`MessageState`].

use std::sync::Arc;

use super::delivery_state::DeliveryState;
use super::index::timers::Scheduled;
use crate::id::EndpointId;
use crate::message::Message;
use crate::small_map::SmallMap;
use crate::time::Timestamp;

/// A message and its deliveries.
#[derive(Clone, Debug)]
pub(super) struct MessageState {
    pub(super) message: Arc<Message>,
    pub(super) accepted_at: Timestamp,
    /// From when on its age counts: see [`Self::age_from`].
    age_from: Timestamp,
    pub(super) deliveries: SmallMap<EndpointId, DeliveryState>,
    /// The number of deliveries that are pending.
    pub(super) open: usize,
    /// When the last delivery that has ended did so, or when the message was accepted.
    pub(super) settled_at: Timestamp,
    /// When to forget the message, if no delivery is pending.
    pub(super) forget_timer: Scheduled,
}

impl MessageState {
    pub(super) fn new(
        message: Arc<Message>,
        accepted_at: Timestamp,
        deliveries: SmallMap<EndpointId, DeliveryState>,
    ) -> Self {
        Self {
            message,
            accepted_at,
            age_from: accepted_at,
            deliveries,
            open: 0,
            settled_at: accepted_at,
            forget_timer: Scheduled::default(),
        }
    }

    /// Returns from when on the message's age counts: when it was accepted, or, if the clock was
    /// ahead then and has stepped back, when that was noticed.
    pub(super) fn age_from(&mut self, now: Timestamp) -> Timestamp {
        self.age_from =
            if now < self.accepted_at { self.age_from.min(now) } else { self.accepted_at };
        self.age_from
    }
}
