//! Finds deliveries and endpoints, and takes deliveries out of the table and puts them back.

use super::Outbox;
use super::delivery_state::DeliveryState;
use super::slab::{DeliveryNo, EndpointNo, MessageNo};
use crate::endpoint::UnknownEndpointError;
use crate::id::{EndpointId, MessageId};

impl Outbox {
    /// Returns the deliveries of a message, in the order of the endpoints' ids. What can be seen
    /// follows the ids, because the numbers are others after a restart.
    pub(super) fn fan_out(&self, message: MessageNo) -> Vec<(&EndpointId, DeliveryNo)> {
        let Some(state) = self.messages.get(message) else { return Vec::new() };
        let deliveries = state
            .fan_out
            .iter()
            .filter_map(|(endpoint, number)| Some((&self.endpoints.slot(endpoint)?.id, number)));
        let mut deliveries: Vec<_> = deliveries.collect();
        deliveries.sort_unstable();
        deliveries
    }

    /// Returns the number of a delivery.
    pub(super) fn find(&self, message: &MessageId, endpoint: &EndpointId) -> Option<DeliveryNo> {
        let message = self.messages.get(self.messages.find(message)?)?;
        message.fan_out.get(self.endpoints.find(endpoint)?)
    }

    /// Returns the number of an endpoint that has a state.
    pub(super) fn find_endpoint(
        &self,
        id: &EndpointId,
    ) -> Result<EndpointNo, UnknownEndpointError> {
        let number = self.endpoints.find(id).filter(|number| {
            let slot = self.endpoints.slot(*number);
            slot.is_some_and(|slot| slot.state.is_some() && !slot.is_leaving)
        });
        number.ok_or_else(|| UnknownEndpointError { id: id.clone() })
    }

    /// Takes a delivery out of the table, to be changed and then
    /// [reconciled](Self::reconcile_delivery).
    pub(super) fn load(&self, number: DeliveryNo) -> Option<DeliveryState> {
        let message = self.messages.get(self.deliveries.place(number)?.message)?;
        self.deliveries.load(number, message.sequence, &message.new_delivery())
    }

    /// Puts a delivery back as it is, without reconciling it.
    pub(super) fn store(&mut self, number: DeliveryNo, state: DeliveryState) {
        let place = self.deliveries.place(number);
        let message = place.and_then(|place| self.messages.get(place.message));
        if let Some(message) = message {
            let new = message.new_delivery();
            self.deliveries.store(number, message.sequence, &new, state);
        }
    }

    /// Sorts deliveries by the order in which their messages were accepted.
    pub(super) fn in_order(&self, deliveries: impl Iterator<Item = DeliveryNo>) -> Vec<DeliveryNo> {
        let mut deliveries: Vec<_> = deliveries.collect();
        deliveries.sort_by_cached_key(|number| {
            let message = self.deliveries.place(*number).map(|place| place.message);
            message.and_then(|it| self.messages.get(it)).map(|message| message.sequence)
        });
        deliveries
    }
}
