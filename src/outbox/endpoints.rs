//! The endpoints of an outbox: [`Endpoints`].

use std::sync::Arc;

use super::endpoint_state::EndpointState;
use super::index::id_index::IdIndex;
use super::index::subscriptions::SubscriptionIndex;
use super::mark::Mark;
use super::roster::Roster;
use super::slab::{EndpointNo, Slab};
use crate::endpoint::Endpoint;
use crate::id::EndpointId;
use crate::message::Message;

/// An endpoint id that the outbox knows: that of an endpoint of the registry, or one that
/// deliveries name.
#[derive(Clone, Debug)]
pub(super) struct EndpointSlot {
    pub(super) id: EndpointId,
    /// The endpoint as the registry has it.
    pub(super) endpoint: Option<Arc<Endpoint>>,
    /// `None` if the endpoint was removed, and only deliveries that have ended name it.
    pub(super) state: Option<EndpointState>,
    pub(super) roster: Roster,
    pub(super) mark: Mark,
    /// Whether there is a record of it once all closed parts are saved.
    pub(super) has_record: bool,
    /// Whether its deliveries are being [swept](super::Outbox::sweep), and nothing may be sent.
    pub(super) is_swept: bool,
    /// Whether it was removed, and its deliveries are being cancelled.
    pub(super) is_leaving: bool,
}

impl EndpointSlot {
    /// Drops the state. Returns whether there is a record of it, which must be deleted.
    #[must_use = "the record must be deleted"]
    pub(super) fn drop_state(&mut self) -> bool {
        self.state = None;
        self.mark = Mark::Unchanged;
        std::mem::take(&mut self.has_record)
    }
}

/// The endpoints of an outbox.
#[derive(Clone, Debug)]
pub(super) struct Endpoints {
    slots: Slab<EndpointNo, EndpointSlot>,
    ids: IdIndex<EndpointNo>,
    subscriptions: SubscriptionIndex,
}

impl Endpoints {
    pub(super) const fn new(seed: u64) -> Self {
        Self {
            slots: Slab::new(),
            ids: IdIndex::new(seed),
            subscriptions: SubscriptionIndex::new(seed),
        }
    }

    pub(super) fn find(&self, id: &EndpointId) -> Option<EndpointNo> {
        self.ids.find(id.as_str(), |number| self.slots.get(number).is_some_and(|it| it.id == *id))
    }

    /// Returns the number of an id, which from now on is known, with a state.
    pub(super) fn find_or_insert(&mut self, id: &EndpointId) -> EndpointNo {
        let number = self.find(id).unwrap_or_else(|| {
            let slot = EndpointSlot {
                id: id.clone(),
                endpoint: None,
                state: None,
                roster: Roster::default(),
                mark: Mark::default(),
                has_record: false,
                is_swept: false,
                is_leaving: false,
            };
            let number = self.slots.insert(slot);
            self.ids.insert(id.as_str(), number);
            number
        });
        if let Some(slot) = self.slots.get_mut(number) {
            slot.state.get_or_insert_default();
        }
        number
    }

    /// Notes what the registry has under an id, and returns the id's number.
    pub(super) fn register(&mut self, endpoint: &Arc<Endpoint>) -> EndpointNo {
        let number = self.find_or_insert(endpoint.id());
        self.unregister(number);
        if let Some(slot) = self.slots.get_mut(number) {
            slot.endpoint = Some(Arc::clone(endpoint));
            self.subscriptions.insert(number, &endpoint.subscription);
        }
        number
    }

    /// Notes that the registry does not have an endpoint any more.
    pub(super) fn unregister(&mut self, number: EndpointNo) {
        if let Some(slot) = self.slots.get_mut(number)
            && let Some(endpoint) = slot.endpoint.take()
        {
            self.subscriptions.remove(number, &endpoint.subscription);
        }
    }

    /// Returns the enabled endpoints whose subscription selects the message, in the order of their
    /// ids.
    pub(super) fn subscribed(&self, message: &Message) -> Vec<(EndpointNo, Arc<Endpoint>)> {
        let candidates = self.subscriptions.candidates(message).into_iter();
        let registered = candidates.filter_map(|number| {
            let endpoint = self.slots.get(number)?.endpoint.as_ref()?;
            let wants = endpoint.enabled && endpoint.subscription.matches(message);
            wants.then(|| (number, Arc::clone(endpoint)))
        });
        let mut subscribed: Vec<_> = registered.collect();
        subscribed.sort_unstable_by(|(_, one), (_, other)| one.id().cmp(other.id()));
        subscribed
    }

    /// Drops the state of an id that the registry does not have, if it says nothing. Returns it if
    /// there is a record of it.
    #[must_use = "the record must be deleted"]
    pub(super) fn drop_unused_state(&mut self, number: EndpointNo) -> Option<EndpointId> {
        if let Some(slot) = self.slots.get_mut(number)
            && slot.endpoint.is_none()
            && slot.roster.pending() == 0
            && slot.state.as_ref().is_some_and(EndpointState::is_new)
        {
            let id = slot.drop_state().then(|| slot.id.clone());
            self.drop_unused(number);
            return id;
        }
        None
    }

    /// Drops an id that nothing names any more.
    pub(super) fn drop_unused(&mut self, number: EndpointNo) {
        let unused = self.slots.get(number).filter(|slot| {
            slot.state.is_none() && slot.endpoint.is_none() && slot.roster.is_empty()
        });
        if let Some(slot) = unused {
            self.ids.remove(slot.id.as_str(), number);
            self.slots.remove(number);
        }
    }

    pub(super) fn slot(&self, number: EndpointNo) -> Option<&EndpointSlot> {
        self.slots.get(number)
    }

    pub(super) fn slot_mut(&mut self, number: EndpointNo) -> Option<&mut EndpointSlot> {
        self.slots.get_mut(number)
    }

    pub(super) fn get(&self, number: EndpointNo) -> Option<&EndpointState> {
        self.slots.get(number)?.state.as_ref()
    }

    pub(super) fn get_mut(&mut self, number: EndpointNo) -> Option<&mut EndpointState> {
        self.slots.get_mut(number)?.state.as_mut()
    }

    /// Returns the numbers of all endpoints that have a state.
    pub(super) fn numbers(&self) -> Vec<EndpointNo> {
        self.slots.iter().filter(|(_, it)| it.state.is_some()).map(|(number, _)| number).collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &EndpointSlot> {
        self.slots.iter().map(|(_, slot)| slot)
    }
}
