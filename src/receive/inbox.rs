//! Duplicate detection for received events: [`Inbox`].

mod admission;
mod age;
mod changes;
mod key;
mod names;
mod saved;
mod table;

use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::delivery::RetryPolicy;
use crate::time::{Timestamp, millis_up};
use age::AgeClock;
use changes::Recorder;
use key::{Key, keys};
use saved::Saved;
use table::{MAX_EVENTS, Table};

pub use admission::{Admission, Claim};
pub use changes::{InboxChange, InboxEvent, InboxState};

/// The default lease.
const LEASE: Duration = Duration::from_secs(5 * 60);

/// Remembers handled events to detect duplicates.
///
/// Webhooks are delivered at least once, so a receiver must expect redeliveries. The idempotency
/// key of an event is its source and its id; the source is your name for the sender, because two
/// senders may use the same id. [`begin`] grants a lease on a new event and reports a duplicate.
/// [`done`] marks the event as handled. [`abandon`] releases the lease, so that a redelivery is
/// handled again.
///
/// A handled event is remembered for the *horizon*, and an eighth of it longer. Choose it by how
/// long the sender retries, not by the tolerance of the signature's timestamp: each retry has a new
/// signature. The default is the [span](RetryPolicy::span) of the default retry policy.
///
/// The inbox holds up to *capacity* events. When it is full, it evicts the handled event that
/// was handled first; a later redelivery of that event counts as new. An event in progress is
/// never evicted, so a new event is rejected only if every entry is in progress. A source or id of
/// more than 256 bytes is stored as its SHA-256, so that a sender of long ids cannot fill the
/// memory. An event takes about 70 bytes beside the text of its id; a source is stored once.
///
/// If a sender is asked to redeliver an event on purpose, call [`forget`](Self::forget) first:
/// otherwise the event is a duplicate until its horizon.
///
/// # Clocks that step
///
/// Handled events age by the time that passes between calls, of which one call counts at most an
/// eighth of the horizon; a call with an earlier time than the last counts nothing. So a clock that
/// is wrong for a while, whether for one call or for many, and whether ahead or behind, ages them
/// by at most an eighth of the horizon, for which the memory is longer: nothing is forgotten before
/// its horizon. A reading far ahead does not empty the inbox, and a step back makes no event
/// immortal. The limits:
///
/// - If the clock steps more than once within a horizon, each further step can shorten the memory
///   by an eighth.
/// - After a pause between calls of more than an eighth of the horizon, the memory is longer by the
///   rest of the pause, up to the capacity.
/// - After a step back of less than an eighth of the horizon, time counts again when the clock has
///   caught up. An event handled meanwhile has the age of those handled just before.
/// - Leases are short, and go by the clock itself: a reading far ahead ends them, and a
///   redelivery of an event in progress is then handled twice. A step back lengthens a lease to at
///   most a whole one.
///
/// # Saving
///
/// An inbox is plain data. Save it as a whole with serde; or save what each call changes, with
/// [`with_changes`](Self::with_changes); or keep the same columns in a database table with a unique
/// key.
///
/// ```
/// use std::num::NonZeroUsize;
/// use labhook::{Inbox, Reply, Timestamp};
/// use labhook::receive::Admission;
///
/// let mut inbox = Inbox::new(NonZeroUsize::new(10_000).unwrap());
/// let mut receive = |id: &str, now: Timestamp| {
///     let claim = match inbox.begin("scheduler", id, now).claim(now) {
///         Ok(claim) => claim,
///         Err(reply) => return reply,
///     };
///     // ... handle the event and commit its effects ...
///     inbox.done(&claim, now);
///     Reply::Accepted
/// };
/// let now = Timestamp::from_unix_seconds(1_744_882_200);
/// assert_eq!(receive("msg_1", now), Reply::Accepted);
/// assert_eq!(receive("msg_1", now), Reply::Accepted); // a duplicate: not handled again
/// assert_eq!(inbox.begin("scheduler", "msg_1", now), Admission::Seen);
/// ```
///
/// [`begin`]: Self::begin
/// [`done`]: Self::done
/// [`abandon`]: Self::abandon
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
#[doc(alias = "deduplication")]
#[doc(alias = "idempotency key")]
#[doc(alias = "redelivery")]
#[doc(alias = "lease")]
#[doc(alias = "inbox pattern")]
pub struct Inbox {
    capacity: NonZeroUsize,
    horizon: Duration,
    lease: Duration,
    /// Events in progress by when their lease ends, and handled events by when they are forgotten
    /// on the age clock, then in the order in which they were handled.
    table: Table,
    state: InboxState,
    /// `None` if changes are not recorded.
    recorder: Option<Recorder>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// On the age clock if the event is handled, otherwise on your application's.
    expires_at: Timestamp,
    /// The number of its lease, or of when it was handled, in one sequence.
    number: u64,
    is_handled: bool,
}

impl Inbox {
    /// Creates an inbox that holds up to `capacity` events.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self {
            capacity,
            horizon: RetryPolicy::default().span(),
            lease: LEASE,
            table: Table::default(),
            state: InboxState::default(),
            recorder: None,
        }
    }

    /// Sets how long a handled event is remembered at least, rounded up to whole milliseconds.
    ///
    /// Use at least the time for which the sender retries: the [span](RetryPolicy::span) of its
    /// retry policy, if that is known.
    #[doc(alias = "deduplication window")]
    #[must_use]
    pub fn with_horizon(mut self, horizon: Duration) -> Self {
        self.horizon = whole_millis(horizon);
        self
    }

    /// Sets how long an event may be in progress; the default is 5 minutes. Rounded up to whole
    /// milliseconds, at least 1.
    ///
    /// After that its handler counts as crashed, and a redelivery counts as new.
    #[doc(alias = "visibility timeout")]
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = whole_millis(lease).max(Duration::from_millis(1));
        self
    }

    /// Starts handling an event: grants a lease if it is new, or reports why not.
    pub fn begin(&mut self, source: &str, id: &str, now: Timestamp) -> Admission {
        self.tick(now);
        let key = Key::new(source, id);
        match self.find(&key) {
            Some((_, Entry { is_handled: true, .. })) => return Admission::Seen,
            Some((_, Entry { expires_at, .. })) => {
                return Admission::InProgress { until: expires_at };
            }
            None => {}
        }
        if !self.make_room()
            && let Some((_, until)) = self.table.first(false)
        {
            return Admission::Full { until };
        }
        let number = self.next_number();
        let entry = Entry { expires_at: now + self.lease, number, is_handled: false };
        let slot = self.table.add(&key, entry);
        self.record(slot);
        let source =
            self.table.names(slot).map_or_else(|| (&*key.source).into(), |it| it.0.clone());
        Admission::New(Claim { source, id: key.id.into(), digest: key.digest, number })
    }

    /// Adds an event that was handled already, for example when loading from a database table. Its
    /// horizon starts with this call, or at `now` if that is later than all times passed before.
    /// So you may pass the present for each event, or the time at which each was handled, in any
    /// order.
    ///
    /// Returns `false` if the event is known already, or if every entry is in progress.
    pub fn remember(&mut self, source: &str, id: &str, now: Timestamp) -> bool {
        let (clock, step) = self.clock_at(now);
        clock.advance(now, step);
        self.pull_in(true, self.forget_at(now));
        self.expire(now);
        let key = Key::new(source, id);
        let is_new = self.find(&key).is_none() && self.make_room();
        if is_new {
            self.put_seen(&key, now);
        }
        is_new
    }

    /// Marks an event as handled and starts its horizon.
    ///
    /// This holds even if the lease has expired: the event was handled. Returns `false` if the
    /// event was marked as handled before, or if the lease has expired and every entry is in
    /// progress.
    pub fn done(&mut self, claim: &Claim, now: Timestamp) -> bool {
        self.tick(now);
        let key = claim.key();
        let has_room = match self.find(&key) {
            Some((_, entry)) => !entry.is_handled,
            None => self.make_room(),
        };
        if has_room {
            self.put_seen(&key, now);
        }
        has_room
    }

    /// Releases the lease on an event whose handling failed, so that a redelivery counts as new.
    ///
    /// Returns `false` and changes nothing if the claim is no longer valid.
    pub fn abandon(&mut self, claim: &Claim) -> bool {
        let is_valid = |entry: Entry| !entry.is_handled && entry.number == claim.number;
        let Some((slot, _)) = self.find(&claim.key()).filter(|(_, entry)| is_valid(*entry)) else {
            return false;
        };
        self.take(slot);
        true
    }

    /// Forgets a handled event, so that a redelivery counts as new: for a replay on purpose, such
    /// as after a handler with a fault was corrected. Source and id may be those of the event or of
    /// its [row](InboxEvent), in which a long one is a digest.
    ///
    /// Returns `false` and changes nothing if the event is unknown or in progress. An event in
    /// progress that fails is new again in any case.
    #[doc(alias = "replay")]
    #[doc(alias = "remove")]
    pub fn forget(&mut self, source: &str, id: &str) -> bool {
        let handled = |key: Key<'_>| self.find(&key).filter(|(_, entry)| entry.is_handled);
        let Some((slot, _)) = keys(source, id).find_map(handled) else { return false };
        self.take(slot);
        true
    }

    /// Returns the number of events that are handled and remembered, or in progress.
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns whether the inbox holds no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Returns the number of events that were evicted before their horizon to make room. If it
    /// grows, the capacity is too small for the traffic.
    #[must_use]
    pub const fn evictions(&self) -> u64 {
        self.state.evictions
    }

    /// How much of the time between two calls counts, and how much longer than the horizon an event
    /// is remembered.
    fn step(&self) -> Duration {
        self.horizon.checked_div(8).unwrap_or_default()
    }

    /// Returns the age clock, which this reading starts if it is the first, and its step.
    fn clock_at(&mut self, now: Timestamp) -> (&mut AgeClock, Duration) {
        let step = self.step();
        (self.state.clock.get_or_insert(AgeClock::new(now)), step)
    }

    /// Takes a reading of the clock, and removes what has expired.
    fn tick(&mut self, now: Timestamp) {
        let (clock, step) = self.clock_at(now);
        clock.read(now, step);
        // A lease that appears to start in the future starts now. An event that would be remembered
        // for too long was saved with a longer horizon.
        self.pull_in(false, now + self.lease);
        self.pull_in(true, self.forget_at(now));
        self.expire(now);
    }

    /// Returns when an event that is handled now is forgotten, on the age clock.
    fn forget_at(&self, now: Timestamp) -> Timestamp {
        self.state.clock.map_or(now, |clock| clock.time) + self.step() + self.horizon
    }

    /// Pulls in the events in progress, or the handled ones, that expire after `latest`.
    fn pull_in(&mut self, is_handled: bool, latest: Timestamp) {
        let recorder = &mut self.recorder;
        self.table.pull_in(is_handled, latest, |table, slot| record(recorder, table, slot));
    }

    /// Removes the leases that end at or before `now`, and the handled events whose time is over.
    fn expire(&mut self, now: Timestamp) {
        let seen_at = self.state.clock.map_or(now, |clock| clock.time);
        for (is_handled, now) in [(false, now), (true, seen_at)] {
            while let Some((slot, at)) = self.table.first(is_handled)
                && at <= now
            {
                self.take(slot);
            }
        }
    }

    /// Adds or keeps the event as handled on the present age clock.
    fn put_seen(&mut self, key: &Key<'_>, now: Timestamp) {
        let number = self.next_number();
        self.put(key, Entry { expires_at: self.forget_at(now), number, is_handled: true });
    }

    fn next_number(&mut self) -> u64 {
        let number = self.state.next_number;
        self.state.next_number = number.wrapping_add(1);
        number
    }

    /// Evicts the handled events that would expire first until there is room for one more. Returns
    /// `false` if every entry is in progress.
    fn make_room(&mut self) -> bool {
        let capacity = self.capacity.get().min(usize::try_from(MAX_EVENTS).unwrap_or(usize::MAX));
        while self.table.len() >= capacity {
            let Some((slot, _)) = self.table.first(true) else { return false };
            self.take(slot);
            self.state.evictions = self.state.evictions.saturating_add(1);
        }
        true
    }

    fn find(&self, key: &Key<'_>) -> Option<(u32, Entry)> {
        let slot = self.table.find(key)?;
        Some((slot, self.table.entry(slot)?))
    }

    fn put(&mut self, key: &Key<'_>, entry: Entry) {
        let slot = match self.table.find(key) {
            Some(slot) => {
                self.table.set(slot, entry);
                slot
            }
            None => self.table.add(key, entry),
        };
        self.record(slot);
    }

    fn take(&mut self, slot: u32) {
        self.record(slot);
        self.table.remove(slot);
    }

    fn record(&mut self, slot: u32) {
        record(&mut self.recorder, &self.table, slot);
    }
}

fn record(recorder: &mut Option<Recorder>, table: &Table, slot: u32) {
    if let Some(recorder) = recorder
        && let Some((source, id)) = table.names(slot)
    {
        recorder.changed.insert((source.clone(), id.into()));
    }
}

/// Rounds as the saved form does, so that saving changes nothing.
fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(millis_up(duration))
}
