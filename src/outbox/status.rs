//! What an outbox shows of itself, and how an endpoint is doing: [`Status`].

use super::Outbox;
use super::counters::Counters;
use crate::delivery::Delivery;
use crate::endpoint::Registry;
use crate::flow::Flow;
use crate::health::{Health, SenderOutage};
use crate::id::EndpointId;
use crate::message::Message;

/// How an endpoint is doing at this moment: what a host shows to its operators and exports to its
/// monitoring.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Status<'a> {
    /// Its health.
    pub health: &'a Health,
    /// How fast it may be sent to, and how many attempts are in flight.
    pub flow: &'a Flow,
    /// What was counted since the outbox was made or restored.
    pub counters: Counters,
    /// How many deliveries have not ended.
    pub pending: usize,
    /// How many of them could be attempted now, if health and flow had nothing against it.
    pub due: usize,
}

impl Outbox {
    /// How many deliveries have not ended.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.pending
    }

    /// The deliveries that the outbox knows, those of settled messages until these are forgotten.
    pub fn deliveries(&self) -> impl Iterator<Item = (&Message, &EndpointId, &Delivery)> {
        self.messages.values().flat_map(|entry| {
            let message = &*entry.message;
            entry.slots.iter().map(move |(endpoint, slot)| (message, endpoint, &slot.delivery))
        })
    }

    /// The endpoints.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// How an endpoint is doing; `None` where the outbox knows none of this id.
    #[must_use]
    pub fn status(&self, endpoint: &EndpointId) -> Option<Status<'_>> {
        let lane = self.lanes.get(endpoint)?;
        Some(Status {
            health: &lane.kept.health,
            flow: &lane.kept.flow,
            counters: lane.counters,
            pending: lane.queue.open().len(),
            due: lane.queue.due(),
        })
    }

    /// Whether so many endpoints fail together that the fault is likely the sender's own.
    #[must_use]
    pub const fn own_outage(&self) -> SenderOutage {
        self.watch.guard()
    }
}
