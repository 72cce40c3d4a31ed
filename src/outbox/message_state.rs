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
            deliveries,
            open: 0,
            settled_at: accepted_at,
            forget_timer: Scheduled::default(),
        }
    }
}
