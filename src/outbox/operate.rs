//! Changes of endpoints, by the host and by operators, while deliveries are pending.

use super::Outbox;
use super::input_log::Input;
use super::slab::EndpointNo;
#[cfg(doc)]
use crate::delivery::Verdict;
use crate::endpoint::{Endpoint, RegistryError, UnknownEndpointError};
use crate::health::{EnableError, EnabledBy, Health, Transition};
use crate::id::EndpointId;
use crate::time::Timestamp;

impl Outbox {
    /// Adds an endpoint.
    ///
    /// Messages that were published before do not go to it, except those that already name an
    /// endpoint with this id: their deliveries were held while it was absent.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] if the id is taken or the limit is reached.
    pub fn insert_endpoint(
        &mut self,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let id = endpoint.id().clone();
        let inserted = self.registry.insert(endpoint);
        if inserted.is_ok() {
            self.follow_registry(&id, now);
        }
        self.log(now, || Input::InsertEndpoint { endpoint: id }, &inserted);
        inserted
    }

    /// Replaces the endpoint with the same id.
    ///
    /// Its pending deliveries continue under the new URL, signer and policies, in the format in
    /// which they were published, whether or not the new subscription matches them. Its health is
    /// kept: if the change repairs the endpoint, [a probe](crate::health) will find out. Each
    /// call of [`poll`](Self::poll) goes through up to 1,024 of its pending deliveries, and nothing
    /// is sent to it until all are done. What is left of an earlier change of the endpoint is done
    /// at once, which takes time in proportion to its backlog.
    ///
    /// # Errors
    ///
    /// [`UnknownEndpointError`] if the registry has no endpoint with this id.
    pub fn replace_endpoint(
        &mut self,
        endpoint: Endpoint,
        now: Timestamp,
    ) -> Result<(), UnknownEndpointError> {
        let id = endpoint.id().clone();
        let replaced = self.registry.replace(endpoint).map(|_| ());
        if replaced.is_ok() {
            self.follow_registry(&id, now);
        }
        self.log(now, || Input::ReplaceEndpoint { endpoint: id }, &replaced);
        replaced
    }

    /// Removes an endpoint and all that was learned about it.
    ///
    /// Its pending deliveries end as [`Verdict::Cancelled`],
    /// including those with an attempt in flight; those in doubt end as
    /// [`Unconfirmed`](Verdict::Unconfirmed). If there are many, the next calls of
    /// [`poll`](Self::poll) end the rest. A crash before they are saved leaves them to an endpoint
    /// that the registry does not have: call this again then.
    ///
    /// # Errors
    ///
    /// [`UnknownEndpointError`] if the outbox has neither an endpoint with this id nor anything
    /// left of one.
    pub fn remove_endpoint(
        &mut self,
        id: &EndpointId,
        now: Timestamp,
    ) -> Result<(), UnknownEndpointError> {
        let removed = self.remove(id, now);
        self.log(now, || Input::RemoveEndpoint { endpoint: id.clone() }, &removed);
        removed
    }

    fn remove(&mut self, id: &EndpointId, now: Timestamp) -> Result<(), UnknownEndpointError> {
        self.registry.remove(id);
        let number = self.find_endpoint(id)?;
        self.endpoints.unregister(number);
        if let Some(slot) = self.endpoints.slot_mut(number) {
            slot.is_leaving = true;
        }
        self.sweep(Some(number), now);
        Ok(())
    }

    /// Pauses an endpoint on an operator's behalf, across restarts.
    ///
    /// No attempt starts until [`resume_endpoint`](Self::resume_endpoint). Pending deliveries are
    /// held, and so are messages published in the meantime. Attempts that were handed out can still
    /// be resolved.
    ///
    /// Returns `false`, and changes nothing, if the endpoint is already paused.
    ///
    /// # Errors
    ///
    /// [`UnknownEndpointError`] if the outbox has no endpoint with this id.
    pub fn pause_endpoint(
        &mut self,
        id: &EndpointId,
        now: Timestamp,
    ) -> Result<bool, UnknownEndpointError> {
        let paused = self.operate_endpoint(id, now, |health| health.pause(now));
        let paused = paused.map(|(_, paused)| paused);
        self.log(now, || Input::PauseEndpoint { endpoint: id.clone() }, &paused);
        paused
    }

    /// Resumes a paused endpoint on an operator's behalf, in the state in which it was paused.
    ///
    /// Returns `false`, and changes nothing, if the endpoint is not paused.
    ///
    /// # Errors
    ///
    /// [`UnknownEndpointError`] if the outbox has no endpoint with this id.
    pub fn resume_endpoint(
        &mut self,
        id: &EndpointId,
        now: Timestamp,
    ) -> Result<bool, UnknownEndpointError> {
        let resumed = self.operate_endpoint(id, now, |health| health.resume(now));
        let resumed = resumed.map(|(_, resumed)| resumed);
        self.log(now, || Input::ResumeEndpoint { endpoint: id.clone() }, &resumed);
        resumed
    }

    /// Disables an endpoint on an operator's behalf, optionally with a reason, across restarts.
    ///
    /// The endpoint takes no new messages. Its pending deliveries are cancelled or kept, depending
    /// on its [policy](crate::HealthPolicy::pending_on_disable): a large backlog over the next calls
    /// of [`poll`](Self::poll). Only an operator can enable it again.
    ///
    /// Returns `false` if the endpoint is already disabled. The decision is the operator's from
    /// then on, even if the receiver or automation made it.
    ///
    /// # Errors
    ///
    /// [`UnknownEndpointError`] if the outbox has no endpoint with this id.
    pub fn disable_endpoint(
        &mut self,
        id: &EndpointId,
        reason: Option<String>,
        now: Timestamp,
    ) -> Result<bool, UnknownEndpointError> {
        let logged = reason.clone();
        let transition = self.operate_endpoint(id, now, |health| health.disable(reason, now));
        let disabled = transition.map(|(number, transition)| {
            self.follow_transition(number, transition, now);
            transition.is_some()
        });
        let input = || Input::DisableEndpoint { endpoint: id.clone(), reason: logged };
        self.log(now, input, &disabled);
        disabled
    }

    /// Enables a disabled endpoint: undoes
    /// [`Notice::EndpointDisabled`](super::Notice::EndpointDisabled).
    ///
    /// The endpoint is healthy again. Its failures are forgotten, and its concurrency limit starts
    /// small. Deliveries that are still to be cancelled because it was disabled are cancelled first.
    ///
    /// # Errors
    ///
    /// [`EnableEndpointError`] if the endpoint is unknown or not disabled, or if automation
    /// tries to undo an operator's decision. Nothing has changed then.
    pub fn enable_endpoint(
        &mut self,
        id: &EndpointId,
        by: EnabledBy,
        now: Timestamp,
    ) -> Result<(), EnableEndpointError> {
        let enabled = self.enable(id, by, now);
        self.log(now, || Input::EnableEndpoint { endpoint: id.clone(), by }, &enabled);
        enabled
    }

    fn enable(
        &mut self,
        id: &EndpointId,
        by: EnabledBy,
        now: Timestamp,
    ) -> Result<(), EnableEndpointError> {
        self.finish_sweep(self.find_endpoint(id)?, now);
        let (number, transition) =
            self.operate_endpoint(id, now, |health| health.enable(by, now))?;
        self.follow_transition(number, Some(transition?), now);
        Ok(())
    }

    fn operate_endpoint<T>(
        &mut self,
        id: &EndpointId,
        now: Timestamp,
        decide: impl FnOnce(&mut Health) -> T,
    ) -> Result<(EndpointNo, T), UnknownEndpointError> {
        let number = self.find_endpoint(id)?;
        let decided = self.operate(number, now, decide);
        decided.map(|it| (number, it)).ok_or_else(|| UnknownEndpointError { id: id.clone() })
    }

    /// Changes an endpoint's health on someone's decision. Returns `None` if it was removed.
    pub(super) fn operate<T>(
        &mut self,
        number: EndpointNo,
        now: Timestamp,
        decide: impl FnOnce(&mut Health) -> T,
    ) -> Option<T> {
        let decided = decide(&mut self.endpoints.get_mut(number)?.persisted.health);
        self.reconcile_endpoint(number, now);
        Some(decided)
    }

    /// Applies a change of an endpoint's state, if there is one, to its deliveries as well.
    pub(super) fn follow_transition(
        &mut self,
        number: EndpointNo,
        transition: Option<Transition>,
        now: Timestamp,
    ) {
        if let Some(transition) = transition {
            self.apply_transition(number, transition);
            if transition.is_disabling() {
                self.sweep(Some(number), now);
            }
            self.reconcile_endpoint(number, now);
        }
    }

    /// Follows a change of the registry.
    fn follow_registry(&mut self, id: &EndpointId, now: Timestamp) {
        if let Some(number) = self.endpoints.find(id) {
            self.finish_sweep(number, now);
        }
        if let Some(endpoint) = self.registry.get(id) {
            let number = self.endpoints.register(endpoint);
            self.sweep(Some(number), now);
            self.reconcile_endpoint(number, now);
        }
    }
}

/// Error of [`Outbox::enable_endpoint`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnableEndpointError {
    /// The outbox has no endpoint with this id.
    #[error(transparent)]
    Unknown(#[from] UnknownEndpointError),
    /// The endpoint's health refuses.
    #[error(transparent)]
    Refused(#[from] EnableError),
}
