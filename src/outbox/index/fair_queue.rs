//! Fair queue of endpoints: [`FairQueue`].

use std::collections::BTreeSet;

use crate::outbox::slab::EndpointNo;

/// Cost of a request besides its body, in bytes: its headers, and the work of making one.
const OVERHEAD: u64 = 1_024;

/// The endpoints that could be sent to now, in the order in which they are served.
///
/// This is start-time fair queueing (Goyal, Vin and Cheng, 1996). A virtual clock advances with the
/// bytes that are served. An endpoint that was served moves back by the cost of its request; one
/// that joins starts at the clock's time, so an idle period is neither a debt nor a credit. Each of
/// `k` backlogged endpoints gets `1 / k` of the bytes, give or take one message. Deficit round
/// robin has the same property, but needs rounds.
#[derive(Clone, Debug, Default)]
pub(in crate::outbox) struct FairQueue {
    ready: BTreeSet<(u64, EndpointNo)>,
    clock: u64,
}

/// An endpoint's position in the [`FairQueue`], which alone changes it.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::outbox) struct FairShare {
    /// Start tag in the queue, if the endpoint is ready.
    tag: Option<u64>,
    /// Virtual time up to which the endpoint has had its share.
    served_up_to: u64,
}

impl FairQueue {
    /// Returns the endpoint to serve next.
    pub(in crate::outbox) fn next(&self) -> Option<EndpointNo> {
        self.ready.first().map(|(_, endpoint)| *endpoint)
    }

    /// Sets whether an endpoint is ready to be served.
    pub(in crate::outbox) fn set(
        &mut self,
        endpoint: EndpointNo,
        share: &mut FairShare,
        ready: bool,
    ) {
        if ready == share.tag.is_some() {
            return;
        }
        if let Some(tag) = share.tag.take() {
            self.ready.remove(&(tag, endpoint));
        } else {
            let tag = share.served_up_to.max(self.clock);
            self.ready.insert((tag, endpoint));
            share.tag = Some(tag);
        }
    }

    /// Charges an endpoint for a request with a body of `body` bytes.
    pub(in crate::outbox) fn served(
        &mut self,
        endpoint: EndpointNo,
        share: &mut FairShare,
        body: u64,
    ) {
        let cost = OVERHEAD.saturating_add(body);
        if let Some(tag) = share.tag {
            self.set(endpoint, share, false);
            self.clock = tag;
            share.served_up_to = tag.saturating_add(cost);
            self.set(endpoint, share, true);
        }
    }
}
