//! How endpoints come and go while deliveries are pending.

use super::Outbox;
use super::disabled::{Disabled, DisabledBy};
use super::notice::Notice;
use super::record::RecordKey;
use crate::delivery::Verdict;
use crate::endpoint::Endpoint;
use crate::id::EndpointId;
use crate::registry::RegistryError;
use crate::timestamp::Timestamp;

impl Outbox {
    /// Adds an endpoint. Messages that were published before do not go to it, except for those
    /// that name an endpoint of this id: they were held while it was away.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] where the id is taken or the limit is reached.
    pub fn insert_endpoint(
        &mut self,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let id = endpoint.id().clone();
        self.registry.insert(endpoint)?;
        self.refresh(&id, now);
        Ok(())
    }

    /// Puts an endpoint in the place of the one of the same id. Its deliveries that are pending
    /// go on under the new URL, signer and policy, in the format that they were published in.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`] where there is none.
    pub fn replace_endpoint(
        &mut self,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let id = endpoint.id().clone();
        self.registry.replace(endpoint)?;
        self.refresh(&id, now);
        Ok(())
    }

    /// Takes an endpoint out. Its deliveries that have not ended end as [`Verdict::Cancelled`],
    /// those with an attempt in flight too.
    ///
    /// `false` where there was neither an endpoint of this id nor a delivery that named it.
    pub fn remove_endpoint(&mut self, id: &EndpointId, now: Timestamp) -> bool {
        let known = self.registry.remove(id).is_some();
        let open = self.lanes.open(id);
        for sequence in &open {
            if let Some(slot) = self.slot(*sequence, id) {
                slot.delivery.end(Verdict::Cancelled, now);
                self.settle(*sequence, id, now);
            }
        }
        if self.lanes.disabled(id).is_some() {
            self.lanes.set_disabled(id, None);
            self.journal.touch(RecordKey::Endpoint(id.clone()));
        }
        self.lanes.set_window(id, 0);
        known || !open.is_empty()
    }

    /// Lifts what [`Notice::EndpointDisabled`] told of: the endpoint receives new messages again.
    ///
    /// `false` where the endpoint was not disabled.
    pub fn enable_endpoint(&mut self, id: &EndpointId, now: Timestamp) -> bool {
        if self.lanes.disabled(id).is_none() {
            return false;
        }
        self.lanes.set_disabled(id, None);
        self.journal.touch(RecordKey::Endpoint(id.clone()));
        self.refresh(id, now);
        true
    }

    /// Ends what waits for an endpoint whose receiver wants no more.
    pub(super) fn disable(&mut self, id: &EndpointId, by: DisabledBy, now: Timestamp) {
        if self.lanes.disabled(id).is_some() {
            return;
        }
        let disabled = Disabled::new(now, by);
        self.lanes.set_disabled(id, Some(disabled));
        self.journal.touch(RecordKey::Endpoint(id.clone()));
        self.journal.guard_notice(Notice::EndpointDisabled { endpoint: id.clone(), disabled });
        self.refresh(id, now);
    }

    /// Brings the endpoint's lane, and its deliveries, up to the registry.
    pub(super) fn refresh(&mut self, id: &EndpointId, now: Timestamp) {
        self.open_lane(id);
        for sequence in self.lanes.open(id) {
            self.settle(sequence, id, now);
        }
    }

    /// Sets how wide the endpoint's lane is.
    pub(super) fn open_lane(&mut self, id: &EndpointId) {
        let endpoint = self.registry.get(id).filter(|endpoint| endpoint.enabled);
        let endpoint = endpoint.filter(|_| self.lanes.disabled(id).is_none());
        self.lanes
            .set_window(id, endpoint.map_or(0, |endpoint| endpoint.flow.window().max().get()));
    }
}
