//! How endpoints come and go, and what people decide over them, while deliveries are pending.

use super::Outbox;
use super::record::RecordKey;
use super::timers::Timer;
use crate::endpoint::{Endpoint, RegistryError, UnknownEndpointError};
use crate::health::{EnableError, EnabledBy, Health, Transition};
use crate::id::EndpointId;
use crate::time::Timestamp;

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
        self.lanes.entry(id.clone()).or_default();
        self.refresh(&id, now);
        Ok(())
    }

    /// Puts an endpoint in the place of the one of the same id.
    ///
    /// Its deliveries that are pending go on under the new URL, signer and policies, in the format
    /// that they were published in, whether the new subscription would have them or not. Its health
    /// stays what it is: where the change mends it, [a probe](crate::health) will show.
    ///
    /// # Errors
    ///
    /// [`UnknownEndpointError`] if there is none.
    pub fn replace_endpoint(
        &mut self,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), UnknownEndpointError> {
        let id = endpoint.id().clone();
        self.registry.replace(endpoint)?;
        self.refresh(&id, now);
        Ok(())
    }

    /// Takes an endpoint out. Its deliveries that have not ended end as
    /// [`Verdict::Cancelled`](crate::delivery::Verdict::Cancelled), those with an attempt in flight
    /// too (those in doubt as [`Unconfirmed`](crate::delivery::Verdict::Unconfirmed)), and what was
    /// learned about it is forgotten.
    ///
    /// `false` where there was neither an endpoint of this id nor a delivery that named it.
    pub fn remove_endpoint(&mut self, id: &EndpointId, now: Timestamp) -> bool {
        let known = self.registry.remove(id).is_some();
        let Some(lane) = self.lanes.get(id) else { return known };
        let open: Vec<_> = lane.queue.open().collect();
        for sequence in &open {
            if let Some(slot) = self.slot(*sequence, id) {
                slot.cancel(now);
                self.settle(*sequence, id, None, now);
            }
        }
        // Without an endpoint it neither is ready nor counts for the guard.
        self.tend(id, now);
        if let Some(lane) = self.lanes.remove(id) {
            self.alarms.change(lane.alarm, None, Timer::Endpoint(id.clone()));
            if lane.to_record().is_some() {
                self.journal.touch(RecordKey::Endpoint(id.clone()));
            }
        }
        known || !open.is_empty()
    }

    /// An operator pauses the endpoint: nothing more is started until
    /// [`resume_endpoint`](Self::resume_endpoint), and what waits is held, as is what is published
    /// meanwhile. What was handed out may still be resolved. It stays so over restarts.
    ///
    /// `false`, and nothing has changed, where the endpoint is unknown or paused already.
    pub fn pause_endpoint(&mut self, id: &EndpointId, now: Timestamp) -> bool {
        self.operate(id, now, |health| health.pause(now)).unwrap_or(false)
    }

    /// An operator resumes what was paused: the endpoint is in the state that it was in.
    ///
    /// `false`, and nothing has changed, where the endpoint is unknown or not paused.
    pub fn resume_endpoint(&mut self, id: &EndpointId, now: Timestamp) -> bool {
        self.operate(id, now, |health| health.resume(now)).unwrap_or(false)
    }

    /// An operator disables the endpoint, and may say why: it receives nothing new, and what waits
    /// is cancelled or kept, as its [policy](crate::HealthPolicy::pending_on_disable) says. It stays so over
    /// restarts, and no program lifts it.
    ///
    /// `false` where the endpoint is unknown or disabled already; in the latter case the decision
    /// is the operator's from here on.
    pub fn disable_endpoint(
        &mut self,
        id: &EndpointId,
        reason: Option<String>,
        now: Timestamp,
    ) -> bool {
        let edge = self.operate(id, now, |health| health.disable(reason, now)).flatten();
        self.follow(id, edge, now);
        edge.is_some()
    }

    /// Lifts what [`Notice::EndpointDisabled`](super::Notice::EndpointDisabled) told of: the
    /// endpoint receives messages again, its failures forgotten and its window starting small.
    ///
    /// # Errors
    ///
    /// [`EnableError`] where the endpoint is not disabled or is unknown, or where a program would
    /// undo what a person did. Nothing has changed then.
    pub fn enable_endpoint(
        &mut self,
        id: &EndpointId,
        by: EnabledBy,
        now: Timestamp,
    ) -> Result<(), EnableError> {
        let enabled = self.operate(id, now, |health| health.enable(by, now));
        let edge = enabled.unwrap_or(Err(EnableError::NotDisabled))?;
        self.follow(id, Some(edge), now);
        Ok(())
    }

    /// Lets somebody decide over an endpoint's health; `None` where it is unknown.
    pub(super) fn operate<T>(
        &mut self,
        id: &EndpointId,
        now: Timestamp,
        decide: impl FnOnce(&mut Health) -> T,
    ) -> Option<T> {
        let decided = decide(&mut self.lanes.get_mut(id)?.kept.health);
        self.tend(id, now);
        Some(decided)
    }

    /// Carries out what a change of an endpoint's state means for its deliveries.
    pub(super) fn follow(&mut self, id: &EndpointId, edge: Option<Transition>, now: Timestamp) {
        if let Some(edge) = edge {
            let moved = self.turned(id, edge);
            self.settle_all(moved, id, now);
            self.tend(id, now);
        }
    }

    /// Brings the endpoint's deliveries, and then itself, up to the registry.
    fn refresh(&mut self, id: &EndpointId, now: Timestamp) {
        let open = self.lanes.get(id).map(|lane| lane.queue.open().collect());
        self.settle_all(open.unwrap_or_default(), id, now);
        self.tend(id, now);
    }
}
