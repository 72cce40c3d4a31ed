//! How an endpoint is doing: [`Status`].

use super::Outbox;
use super::counters::Counters;
use crate::flow::Flow;
use crate::health::{Guard, Health};
use crate::id::EndpointId;

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
    pub const fn own_outage(&self) -> Guard {
        self.watch.guard()
    }
}
