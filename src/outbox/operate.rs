//! Changes of endpoints, by the host and by operators, while deliveries are pending.

use super::Outbox;
use super::index::timers::Timer;
use super::input_log::Input;
use super::record::RecordKey;
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
            self.endpoints.entry(id.clone()).or_default();
            self.refresh(&id, now);
        }
        self.log(now, || Input::InsertEndpoint { endpoint: id }, &inserted);
        inserted
    }

    /// Replaces the endpoint with the same id.
    ///
    /// Its pending deliveries continue under the new URL, signer and policies, in the format in
    /// which they were published, whether or not the new subscription matches them. Its health is
    /// kept: if the change repairs the endpoint, [a probe](crate::health) will find out.
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
            self.refresh(&id, now);
        }
        self.log(now, || Input::ReplaceEndpoint { endpoint: id }, &replaced);
        replaced
    }

    /// Removes an endpoint and all that was learned about it.
    ///
    /// Its pending deliveries end as [`Verdict::Cancelled`],
    /// including those with an attempt in flight; those in doubt end as
    /// [`Unconfirmed`](Verdict::Unconfirmed).
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
        let registered = self.registry.remove(id).is_some();
        let Some(state) = self.endpoints.get(id) else {
            let error = UnknownEndpointError { id: id.clone() };
            return if registered { Ok(()) } else { Err(error) };
        };
        let open: Vec<_> = state.backlog.open().collect();
        for sequence in open {
            if let Some(state) = self.delivery_mut(sequence, id) {
                state.cancel(Verdict::Cancelled, now);
                self.reconcile_delivery(sequence, id, None, now);
            }
        }
        // Without its endpoint the state leaves the fair queue and the census.
        self.reconcile_endpoint(id, now);
        if let Some(mut state) = self.endpoints.remove(id) {
            self.timers.set(&mut state.timer, None, || Timer::Endpoint(id.clone()));
            if state.to_record().is_some() {
                self.journal.touch(RecordKey::Endpoint(id.clone()));
            }
        }
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
        let paused = self.operate(id, now, |health| health.pause(now));
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
        let resumed = self.operate(id, now, |health| health.resume(now));
        self.log(now, || Input::ResumeEndpoint { endpoint: id.clone() }, &resumed);
        resumed
    }

    /// Disables an endpoint on an operator's behalf, optionally with a reason, across restarts.
    ///
    /// The endpoint takes no new messages. Its pending deliveries are cancelled or kept, depending
    /// on its [policy](crate::HealthPolicy::pending_on_disable). Only an operator can enable it
    /// again.
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
        let transition = self.operate(id, now, |health| health.disable(reason, now));
        let disabled = transition.map(|transition| {
            self.follow_transition(id, transition, now);
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
    /// small.
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
        let transition = self.operate(id, now, |health| health.enable(by, now))??;
        self.follow_transition(id, Some(transition), now);
        Ok(())
    }

    /// Changes an endpoint's health on someone's decision.
    pub(super) fn operate<T>(
        &mut self,
        id: &EndpointId,
        now: Timestamp,
        decide: impl FnOnce(&mut Health) -> T,
    ) -> Result<T, UnknownEndpointError> {
        let Some(state) = self.endpoints.get_mut(id) else {
            return Err(UnknownEndpointError { id: id.clone() });
        };
        let decided = decide(&mut state.persisted.health);
        self.reconcile_endpoint(id, now);
        Ok(decided)
    }

    /// Applies a change of an endpoint's state, if there is one, to its deliveries as well.
    pub(super) fn follow_transition(
        &mut self,
        id: &EndpointId,
        transition: Option<Transition>,
        now: Timestamp,
    ) {
        if let Some(transition) = transition {
            let moved = self.apply_transition(id, transition);
            self.reconcile_deliveries(moved, id, now);
            self.reconcile_endpoint(id, now);
        }
    }

    /// Reconciles an endpoint and its pending deliveries with the registry.
    pub(super) fn refresh(&mut self, id: &EndpointId, now: Timestamp) {
        let open = self.endpoints.get(id).map(|state| state.backlog.open().collect());
        self.reconcile_deliveries(open.unwrap_or_default(), id, now);
        self.reconcile_endpoint(id, now);
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
