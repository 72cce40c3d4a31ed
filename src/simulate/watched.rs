//! The endpoints that may be holding back: [`Watched`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::due_messages::DueMessages;
use super::endpoint_sim::EndpointSim;
use super::held_back::whole_second;
use crate::outbox::Outbox;
use crate::time::Timestamp;

/// The endpoints at which a second can begin with a due delivery that is not sent: those with a
/// pending delivery. The others need no attention as time passes.
#[derive(Default)]
pub(super) struct Watched {
    /// Their indexes.
    awake: Vec<usize>,
    /// Those whose receivers are down, by the first second after that.
    asleep: BinaryHeap<Reverse<(u64, usize)>>,
}

impl Watched {
    /// Adds an endpoint that has a pending delivery.
    pub(super) fn add(&mut self, index: usize, endpoint: &mut EndpointSim) {
        if !std::mem::replace(&mut endpoint.is_watched, true) {
            self.awake.push(index);
        }
    }

    /// Time passes without requests, responses or events, and at least one second begins.
    pub(super) fn pass(
        &mut self,
        endpoints: &mut [EndpointSim],
        outbox: &Outbox,
        clock: Timestamp,
        from: Duration,
        to: Duration,
    ) {
        let Self { awake, asleep } = self;
        while let Some(Reverse((second, index))) = asleep.peek()
            && *second <= to.as_secs()
        {
            awake.push(*index);
            asleep.pop();
        }
        let first = Duration::from_secs(from.as_secs().saturating_add(1));
        awake.retain(|index| {
            let Some(endpoint) = endpoints.get_mut(*index) else { return false };
            let EndpointSim { id, receiver, recorder, is_watched, .. } = endpoint;
            if !recorder.held_back().is_open() {
                if recorder.pending() == 0 {
                    *is_watched = false;
                    return false;
                }
                // Nothing is held back from a receiver that is down.
                let back_at = receiver.down_until(first).map(whole_second);
                if let Some(second) = back_at.filter(|second| *second > to.as_secs()) {
                    asleep.push(Reverse((second, *index)));
                    return false;
                }
            }
            let mut due = DueMessages::new(outbox, id, receiver, clock);
            let is_idle = due.is_empty();
            let idle_until = |at| if is_idle { Some(to) } else { receiver.down_until(at) };
            recorder.held_back().pass(from, to, idle_until, |at| due.any_accepted(at));
            true
        });
    }
}
