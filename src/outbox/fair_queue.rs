//! Whose turn it is among the endpoints that could be sent to: [`FairQueue`].

use std::collections::BTreeSet;

use crate::id::EndpointId;

/// What a request costs besides its body, in bytes: the headers, and the work of making one.
const OVERHEAD: u64 = 1_024;

/// The endpoints that could be sent to now, and in what order they are.
///
/// It is fair queueing by start tags (Goyal, Vin and Cheng, 1996). A clock runs on with the bytes
/// that are served; an endpoint that is served moves back by what it cost, and one that joins in
/// stands at the clock's time, so that it neither has to make up for having been quiet nor gains by
/// it. Each of `k` endpoints with a backlog gets `1 / k` of the bytes, give or take one message,
/// which is what deficit round robin gives, without its rounds.
#[derive(Clone, Debug, Default)]
pub(super) struct FairQueue {
    ready: BTreeSet<(u64, EndpointId)>,
    clock: u64,
}

/// Where an endpoint stands among the others.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FairShare {
    /// As which it stands among the ready ones, if it does.
    tag: Option<u64>,
    /// Before this it has had its share.
    served_up_to: u64,
}

impl FairQueue {
    /// Whose turn it is.
    pub(super) fn next(&self) -> Option<&EndpointId> {
        self.ready.first().map(|(_, id)| id)
    }

    /// Takes up whether an endpoint could be sent to.
    pub(super) fn set(&mut self, id: &EndpointId, turn: &mut FairShare, ready: bool) {
        if ready == turn.tag.is_some() {
            return;
        }
        if let Some(tag) = turn.tag.take() {
            self.ready.remove(&(tag, id.clone()));
        } else {
            let tag = turn.served_up_to.max(self.clock);
            self.ready.insert((tag, id.clone()));
            turn.tag = Some(tag);
        }
    }

    /// An endpoint has had its turn, with a body of so many bytes.
    pub(super) fn served(&mut self, id: &EndpointId, turn: &mut FairShare, body: usize) {
        let cost = OVERHEAD.saturating_add(u64::try_from(body).unwrap_or(u64::MAX));
        if let Some(tag) = turn.tag {
            self.set(id, turn, false);
            self.clock = tag;
            turn.served_up_to = tag.saturating_add(cost);
            self.set(id, turn, true);
        }
    }
}
