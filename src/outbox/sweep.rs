//! Looks at all pending deliveries, of one endpoint or of all, in several calls if they are many.

use super::Outbox;
use super::record::RecordKey;
use super::slab::{DeliveryNo, EndpointNo};
use crate::delivery::Verdict;
use crate::time::Timestamp;

/// The number of timers, or of deliveries of a [`Sweep`], that one call looks at: a process that has
/// slept, a clock that has jumped or a decision about an endpoint must not stall the host.
pub(super) const PER_CALL: usize = 1_024;

/// A look at all pending deliveries that is not done yet.
#[derive(Clone, Debug)]
pub(super) struct Sweep {
    /// `None` for those of all endpoints.
    endpoint: Option<EndpointNo>,
    /// Where in the table of deliveries to go on.
    from: u32,
}

impl Outbox {
    /// Reconciles all pending deliveries, or cancels them if their endpoint is being removed. If
    /// they are too many for one call, the next calls of [`poll`](Self::poll) go on with it, and
    /// nothing is sent to the endpoint until it is done.
    pub(super) fn sweep(&mut self, endpoint: Option<EndpointNo>, now: Timestamp) {
        let slot = endpoint.and_then(|number| self.endpoints.slot_mut(number));
        let pending = slot.as_ref().map_or(self.pending, |slot| slot.roster.pending());
        self.sweeps.retain(|sweep| sweep.endpoint != endpoint);
        if pending > PER_CALL {
            if let Some(slot) = slot {
                slot.is_swept = true;
            }
            self.sweeps.push(Sweep { endpoint, from: 0 });
            if let Some(endpoint) = endpoint {
                self.reconcile_endpoint(endpoint, now);
            }
            return;
        }
        let numbers = endpoint.map_or_else(|| self.endpoints.numbers(), |number| vec![number]);
        for endpoint in numbers {
            for delivery in self.pending_in_order(endpoint) {
                self.sweep_one(delivery, now);
            }
            self.end_sweep(endpoint, now);
        }
    }

    /// Goes on with the sweeps that are not done, up to [`PER_CALL`] deliveries.
    pub(super) fn go_on_sweeping(&mut self, now: Timestamp) {
        if self.sweeps.is_empty() {
            return;
        }
        let Sweep { endpoint, from } = self.sweeps.remove(0);
        let (numbers, next) = self.deliveries.pending_from(endpoint, from, PER_CALL);
        for number in numbers {
            self.sweep_one(number, now);
            self.close_large_part();
        }
        // What was found may have started it again.
        let is_new = self.sweeps.iter().any(|sweep| sweep.endpoint == endpoint);
        match (next, endpoint) {
            _ if is_new => {}
            (Some(from), _) => self.sweeps.insert(0, Sweep { endpoint, from }),
            (None, Some(endpoint)) => self.end_sweep(endpoint, now),
            (None, None) => {}
        }
    }

    fn sweep_one(&mut self, number: DeliveryNo, now: Timestamp) {
        let place = self.deliveries.place(number);
        let slot = place.and_then(|place| self.endpoints.slot(place.endpoint));
        match slot {
            Some(slot) if slot.is_leaving => {
                if let Some(mut state) = self.load(number) {
                    state.cancel(Verdict::Cancelled, now);
                    self.reconcile_delivery(number, state, None, now);
                }
            }
            _ => self.refresh_delivery(number, now),
        }
    }

    fn end_sweep(&mut self, endpoint: EndpointNo, now: Timestamp) {
        if let Some(slot) = self.endpoints.slot_mut(endpoint) {
            slot.is_swept = false;
        }
        // Without its endpoint the state leaves the fair queue and the census.
        self.reconcile_endpoint(endpoint, now);
        let Some(slot) = self.endpoints.slot_mut(endpoint) else { return };
        if slot.is_leaving {
            slot.is_leaving = false;
            if slot.drop_state() {
                self.journal.delete(RecordKey::Endpoint(slot.id.clone()));
            }
            self.endpoints.drop_unused(endpoint);
        }
    }

    /// Ends a sweep of an endpoint at once, however long that takes: another decision about the
    /// endpoint must find all deliveries as the earlier one leaves them.
    pub(super) fn finish_sweep(&mut self, endpoint: EndpointNo, now: Timestamp) {
        if !self.endpoints.slot(endpoint).is_some_and(|slot| slot.is_swept) {
            return;
        }
        for delivery in self.pending_in_order(endpoint) {
            self.sweep_one(delivery, now);
        }
        self.sweeps.retain(|sweep| sweep.endpoint != Some(endpoint));
        self.end_sweep(endpoint, now);
    }

    /// Returns the pending deliveries of an endpoint in the order of their messages.
    fn pending_in_order(&self, endpoint: EndpointNo) -> Vec<DeliveryNo> {
        let Some(slot) = self.endpoints.slot(endpoint) else { return Vec::new() };
        self.in_order(slot.roster.open(&self.deliveries))
    }

    /// Returns whether [`poll`](Self::poll) has left over what it could have done now.
    pub(super) const fn is_behind(&self) -> bool {
        !self.sweeps.is_empty()
    }
}
