//! Many messages to many endpoints: [`Outbox`].

mod alarm;
mod attempt;
mod disabled;
mod journal;
mod lane;
mod notice;
mod publish;
mod record;
mod restore;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Delivery, Dice, Ignored, Outcome, Progress, Resolution, Verdict};
use crate::endpoint::Endpoint;
use crate::id::{EndpointId, MessageId};
use crate::message::Message;
use crate::registry::{Registry, RegistryError};
use crate::timestamp::Timestamp;

pub use self::attempt::{Attempt, Ticket};
pub use self::disabled::{Disabled, DisabledBy};
pub use self::notice::Notice;
pub use self::publish::{Inexpressible, PublishError, Published};
pub use self::record::{
    Change, Changes, DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey, Revision,
};
pub use self::restore::RestoreError;
pub use self::step::Step;

use self::alarm::{Alarm, Alarms};
use self::journal::{Closed, Journal};
use self::lane::{Lanes, Place};

/// How many attempts one save starts at the most, where nothing else was said.
const BATCH: NonZeroUsize = NonZeroUsize::new(64).expect("sixty-four is not zero");

/// How long a settled message is kept, where nothing else was said.
const RETAIN: Duration = Duration::from_secs(24 * 60 * 60);

/// The sender: takes messages in, and says what to save, what to send, and until when to sleep.
#[derive(Debug)]
pub struct Outbox {
    seed: u64,
    batch: NonZeroUsize,
    retain: Duration,
    registry: Registry,
    messages: BTreeMap<u64, Entry>,
    sequences: BTreeMap<MessageId, u64>,
    next_sequence: u64,
    pending: usize,
    lanes: Lanes,
    alarms: Alarms,
    journal: Journal,
}

/// A message and its deliveries.
#[derive(Debug)]
struct Entry {
    message: Arc<Message>,
    accepted_at: Timestamp,
    slots: BTreeMap<EndpointId, Slot>,
    /// How many deliveries have not ended.
    open: usize,
}

impl Entry {
    /// When the last delivery ended, or the message was accepted for no endpoint.
    fn settled_at(&self) -> Timestamp {
        let ended = self.slots.values().filter_map(|slot| slot.delivery.ended_at());
        ended.max().unwrap_or(self.accepted_at)
    }
}

/// A delivery, and where it is indexed.
#[derive(Debug)]
struct Slot {
    format: Box<str>,
    delivery: Delivery,
    /// What the record of it says, or will say when what has changed is saved.
    recorded: Delivery,
    place: Place,
    alarm: Option<Timestamp>,
    /// Whether the attempt in flight was handed out; until then it was certainly not made.
    sent: bool,
}

impl Outbox {
    /// An outbox without messages.
    ///
    /// The seed is what all jitter comes from. Roll it once and keep it with the configuration:
    /// outboxes of one seed jitter alike.
    #[must_use]
    pub fn new(registry: Registry, seed: u64) -> Self {
        let ids: Vec<_> = registry.iter().map(|endpoint| endpoint.id().clone()).collect();
        let mut outbox = Self {
            seed,
            batch: BATCH,
            retain: RETAIN,
            registry,
            messages: BTreeMap::new(),
            sequences: BTreeMap::new(),
            next_sequence: 0,
            pending: 0,
            lanes: Lanes::default(),
            alarms: Alarms::default(),
            journal: Journal::new(),
        };
        for id in &ids {
            outbox.open_lane(id);
        }
        outbox
    }

    /// Does without storage: [`Step::Save`] never comes, and a crash loses what is pending.
    #[must_use]
    pub fn without_storage(mut self) -> Self {
        self.journal.without_storage();
        self
    }

    /// Sets how many attempts one [`Step::Save`] starts at the most; the default is 64.
    ///
    /// A crash between a save and its sends leaves that many attempts in doubt, each of which is
    /// made again after its deadline.
    #[must_use]
    pub fn batch(mut self, attempts: NonZeroUsize) -> Self {
        self.batch = attempts;
        self
    }

    /// Sets how long a message is kept after its last delivery has ended; the default is a day.
    ///
    /// For that long, publishing it again is known to be a repetition.
    #[must_use]
    pub fn retain(mut self, duration: Duration) -> Self {
        self.retain = duration;
        self
    }

    /// What to do next.
    ///
    /// Each call hands out one piece of work; call until it says [`Step::Wait`] or
    /// [`Step::Idle`]. From then on the answer changes when the instant has come, and otherwise
    /// only after [`publish`](Self::publish), [`resolve`](Self::resolve), [`saved`](Self::saved),
    /// [`unsaved`](Self::unsaved) or a change of the endpoints. Those may come back to back and
    /// in any order, and calling `poll` more often than needed does no harm.
    pub fn poll(&mut self, now: Timestamp) -> Step {
        self.advance(now);
        loop {
            if let Some(notice) = self.journal.next_notice() {
                return Step::Notify(notice);
            }
            while let Some(ticket) = self.journal.next_attempt() {
                if let Some(attempt) = self.send(ticket) {
                    return Step::Send(attempt);
                }
            }
            if self.journal.is_saving() {
                break;
            }
            self.start_due(now);
            match self.journal.close() {
                Some(Closed::Save(revision, keys)) => {
                    return Step::Save(Changes { revision, list: self.changes(keys) });
                }
                Some(Closed::Released) => {}
                None => break,
            }
        }
        match self.alarms.next() {
            // At the end of time an instant after `now` does not exist.
            Some(at) => Step::Wait(at.max(now + Duration::from_micros(1))),
            None => Step::Idle,
        }
    }

    /// Confirms that the changes of this revision are durable, and with that releases what they
    /// guard.
    ///
    /// `false`, and nothing has changed, where that revision is not the one being saved.
    pub fn saved(&mut self, revision: Revision) -> bool {
        self.journal.saved(revision)
    }

    /// Says that the changes of this revision could not be made durable. They become part of the
    /// next [`Step::Save`], which [`poll`](Self::poll) gives at once: pause before writing again.
    ///
    /// `false`, and nothing has changed, where that revision is not the one being saved.
    pub fn unsaved(&mut self, revision: Revision) -> bool {
        self.journal.unsaved(revision)
    }

    /// Takes in what came of an attempt.
    ///
    /// Hand in every outcome once, late ones too: a late success still ends its delivery. A
    /// ticket that is stale, repeated or of another outbox is reported as
    /// [`Resolution::Ignored`] and changes nothing.
    pub fn resolve(&mut self, ticket: &Ticket, outcome: &Outcome, now: Timestamp) -> Resolution {
        const UNKNOWN: Resolution = Resolution::Ignored(Ignored::NeverStarted);
        let Ticket { sequence, message, endpoint: id, attempt } = ticket;
        let Some(endpoint) = self.registry.get(id) else { return UNKNOWN };
        let Some(entry) = self.messages.get_mut(sequence) else { return UNKNOWN };
        let Some(slot) = entry.slots.get_mut(id) else { return UNKNOWN };
        if entry.message.id() != message {
            return UNKNOWN;
        }
        let dice = Dice::new(self.seed, message, id);
        let resolution = slot.delivery.resolve(&endpoint.policy, dice, *attempt, outcome, now);
        self.settle(*sequence, id, now);
        if resolution == Resolution::Ended(Verdict::Gone) {
            self.disable(id, Disabled::new(now, DisabledBy::Receiver), now);
        }
        resolution
    }

    /// How many deliveries have not ended.
    #[must_use]
    pub const fn pending(&self) -> usize {
        self.pending
    }

    /// The deliveries that the outbox knows, those of settled messages until these are forgotten.
    pub fn deliveries(&self) -> impl Iterator<Item = (&Message, &EndpointId, &Delivery)> {
        self.messages.values().flat_map(|entry| {
            let message = &*entry.message;
            entry.slots.iter().map(move |(endpoint, slot)| (message, endpoint, &slot.delivery))
        })
    }

    /// The endpoints.
    #[must_use]
    pub const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Since when and by what an endpoint is disabled.
    #[must_use]
    pub fn disabled(&self, endpoint: &EndpointId) -> Option<Disabled> {
        self.lanes.disabled(endpoint)
    }

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

    /// Takes a message and its deliveries in, new or restored.
    fn admit(&mut self, sequence: u64, mut entry: Entry, now: Timestamp) {
        let endpoints: Vec<_> = entry.slots.keys().cloned().collect();
        entry.open = endpoints.len();
        self.pending = self.pending.saturating_add(entry.open);
        if endpoints.is_empty() {
            let forget_at = entry.settled_at() + self.retain;
            self.alarms.change(None, Some(forget_at), Alarm::Forget(sequence));
        }
        self.messages.insert(sequence, entry);
        for endpoint in &endpoints {
            self.settle(sequence, endpoint, now);
        }
    }

    /// Moves what is due by time alone.
    fn advance(&mut self, now: Timestamp) {
        while let Some(alarm) = self.alarms.ring(now) {
            match alarm {
                Alarm::Delivery(sequence, endpoint) => {
                    if let Some(slot) = self.slot(sequence, &endpoint) {
                        // What was not handed out was not made: no attempt is used up.
                        if let Some(started) = slot.delivery.in_flight().filter(|_| !slot.sent) {
                            slot.delivery.unstart(started.number);
                        }
                        self.settle(sequence, &endpoint, now);
                    }
                }
                Alarm::Forget(sequence) => self.forget(sequence),
            }
        }
    }

    /// Starts attempts on what is due, endpoint by endpoint in turn, up to one batch.
    fn start_due(&mut self, now: Timestamp) {
        while self.journal.guarded_attempts() < self.batch.get() {
            let Some((endpoint, sequence)) = self.lanes.next() else { return };
            if !self.start(sequence, &endpoint, now) {
                return;
            }
        }
    }

    /// Starts one attempt. `false` where the lane's word that it was due was wrong, and still is.
    fn start(&mut self, sequence: u64, id: &EndpointId, now: Timestamp) -> bool {
        let Some(endpoint) = self.registry.get(id) else { return false };
        let Some(entry) = self.messages.get_mut(&sequence) else { return false };
        let Some(slot) = entry.slots.get_mut(id) else { return false };
        if let Some(started) = slot.delivery.start(&endpoint.policy, now) {
            slot.sent = false;
            let (message, endpoint) = (entry.message.id().clone(), id.clone());
            let attempt = started.number;
            self.journal.guard_attempt(Ticket { sequence, message, endpoint, attempt });
        }
        // A clock that went back since makes what was due wait again; that is found out here.
        self.settle(sequence, id, now);
        self.slot(sequence, id).is_some_and(|slot| slot.place != Place::Due)
    }

    /// Hands an attempt out, unless it was overtaken while it was being saved.
    fn send(&mut self, ticket: Ticket) -> Option<Attempt> {
        let endpoint = Arc::clone(self.registry.get(&ticket.endpoint)?);
        let message = Arc::clone(&self.messages.get(&ticket.sequence)?.message);
        let slot = self.slot(ticket.sequence, &ticket.endpoint)?;
        let started = slot.delivery.in_flight()?;
        if slot.sent || started.number != ticket.attempt {
            return None;
        }
        slot.sent = true;
        let rendering = message.rendering(&slot.format)?.clone();
        Some(Attempt { ticket, deadline: started.deadline, endpoint, message, rendering })
    }

    /// Ends what waits for an endpoint whose receiver wants no more.
    fn disable(&mut self, id: &EndpointId, disabled: Disabled, now: Timestamp) {
        if self.lanes.disabled(id).is_some() {
            return;
        }
        self.lanes.set_disabled(id, Some(disabled));
        self.journal.touch(RecordKey::Endpoint(id.clone()));
        self.journal.guard_notice(Notice::EndpointDisabled { endpoint: id.clone(), disabled });
        self.refresh(id, now);
    }

    /// Brings the endpoint's lane, and its deliveries, up to the registry.
    fn refresh(&mut self, id: &EndpointId, now: Timestamp) {
        self.open_lane(id);
        for sequence in self.lanes.open(id) {
            self.settle(sequence, id, now);
        }
    }

    /// Sets how wide the endpoint's lane is.
    fn open_lane(&mut self, id: &EndpointId) {
        let endpoint = self.registry.get(id).filter(|endpoint| endpoint.enabled);
        let endpoint = endpoint.filter(|_| self.lanes.disabled(id).is_none());
        self.lanes.set_window(id, endpoint.map_or(0, |endpoint| endpoint.max_in_flight.get()));
    }

    /// Brings every index up to a delivery's state: whatever moves a delivery ends here.
    fn settle(&mut self, sequence: u64, id: &EndpointId, now: Timestamp) {
        let policy = self.registry.get(id).map(|endpoint| &endpoint.policy);
        let Some(entry) = self.messages.get_mut(&sequence) else { return };
        let Some(slot) = entry.slots.get_mut(id) else { return };
        let message = entry.message.id();
        let dice = Dice::new(self.seed, message, id);
        let progress = policy.map(|policy| slot.delivery.poll(policy, dice, now));
        let in_flight = slot.delivery.in_flight().is_some();
        if self.lanes.disabled(id).is_some() && !in_flight {
            slot.delivery.end(Verdict::Cancelled, now);
        }

        if slot.delivery != slot.recorded {
            self.journal.touch(RecordKey::Delivery(message.clone(), id.clone()));
            if let Some(verdict) =
                slot.delivery.verdict().filter(|_| slot.recorded.verdict().is_none())
            {
                self.journal.guard_notice(Notice::Settled {
                    message: message.clone(),
                    endpoint: id.clone(),
                    verdict,
                    attempts: slot.delivery.attempts(),
                });
            }
            slot.recorded = slot.delivery.clone();
        }
        let alarm = policy.and_then(|policy| slot.delivery.wake_at(policy));
        if slot.alarm != alarm {
            let name = Alarm::Delivery(sequence, id.clone());
            self.alarms.change(slot.alarm, alarm, name);
            slot.alarm = alarm;
        }
        let place = if slot.delivery.verdict().is_some() {
            Place::Ended
        } else if in_flight {
            Place::InFlight
        } else if progress == Some(Progress::Due) {
            Place::Due
        } else {
            Place::Waiting
        };
        let from = std::mem::replace(&mut slot.place, place);
        self.lanes.shift(id, sequence, from, place);

        if place == Place::Ended && from != Place::Ended {
            self.pending = self.pending.saturating_sub(1);
            entry.open = entry.open.saturating_sub(1);
            if entry.open == 0 {
                let forget_at = entry.settled_at() + self.retain;
                self.alarms.change(None, Some(forget_at), Alarm::Forget(sequence));
            }
        }
    }

    /// Lets go of a message that was settled long enough ago.
    fn forget(&mut self, sequence: u64) {
        let Some(entry) = self.messages.remove(&sequence) else { return };
        let message = entry.message.id();
        self.sequences.remove(message);
        self.journal.touch(RecordKey::Message(message.clone()));
        for endpoint in entry.slots.into_keys() {
            self.journal.touch(RecordKey::Delivery(message.clone(), endpoint));
        }
    }

    fn slot(&mut self, sequence: u64, endpoint: &EndpointId) -> Option<&mut Slot> {
        self.messages.get_mut(&sequence)?.slots.get_mut(endpoint)
    }

    /// What these records have become, in an order of which every prefix can be restored from.
    fn changes(&self, keys: BTreeSet<RecordKey>) -> Vec<Change> {
        let change = |key| match self.record(&key) {
            Some(record) => Change::Put(record),
            None => Change::Delete(key),
        };
        let mut list: Vec<_> = keys.into_iter().map(change).collect();
        // A message goes before its deliveries' rows, which are nothing without it, and comes
        // before them, because a row that is not there yet is made again from the message.
        list.sort_by_key(|change| match change {
            Change::Delete(RecordKey::Message(_)) => 0,
            Change::Delete(RecordKey::Delivery(..)) => 1,
            Change::Put(Record::Message(_)) => 2,
            Change::Put(Record::Delivery(_)) => 3,
            Change::Delete(RecordKey::Endpoint(_)) | Change::Put(Record::Endpoint(_)) => 4,
        });
        list
    }

    fn record(&self, key: &RecordKey) -> Option<Record> {
        let entry = |message| {
            let sequence = *self.sequences.get(message)?;
            Some((sequence, self.messages.get(&sequence)?))
        };
        match key {
            RecordKey::Message(message) => {
                let (sequence, entry) = entry(message)?;
                let fan_out = entry.slots.iter();
                Some(Record::Message(MessageRecord {
                    sequence,
                    accepted_at: entry.accepted_at,
                    fan_out: fan_out.map(|(id, slot)| (id.clone(), slot.format.clone())).collect(),
                    message: Arc::clone(&entry.message),
                }))
            }
            RecordKey::Delivery(message, endpoint) => {
                let (sequence, entry) = entry(message)?;
                Some(Record::Delivery(DeliveryRecord {
                    sequence,
                    message: message.clone(),
                    endpoint: endpoint.clone(),
                    delivery: entry.slots.get(endpoint)?.delivery.clone(),
                }))
            }
            RecordKey::Endpoint(endpoint) => Some(Record::Endpoint(EndpointRecord {
                endpoint: endpoint.clone(),
                disabled: self.lanes.disabled(endpoint)?,
            })),
        }
    }
}
