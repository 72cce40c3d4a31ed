//! Duplicate detection for received events: [`Inbox`].

mod admission;
mod age;
mod changes;
mod key;
mod saved;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::delivery::RetryPolicy;
use crate::time::{Timestamp, millis_up};
use age::AgeClock;
use changes::Recorder;
use key::{Key, key, keys};
use saved::Saved;

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
/// memory.
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
    entries: BTreeMap<Key, Entry>,
    /// Events in progress, by when their lease ends.
    leases: Index,
    /// Handled events, by when they are forgotten on the age clock, then in the order in which they
    /// were handled.
    seen: Index,
    state: InboxState,
    /// `None` if changes are not recorded.
    recorder: Option<Recorder>,
}

type Index = BTreeSet<(Timestamp, u64, Key)>;

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
            entries: BTreeMap::new(),
            leases: BTreeSet::new(),
            seen: BTreeSet::new(),
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
        let key = key(source, id);
        match self.entries.get(&key) {
            Some(Entry { is_handled: true, .. }) => return Admission::Seen,
            Some(Entry { expires_at, .. }) => return Admission::InProgress { until: *expires_at },
            None => {}
        }
        if !self.make_room()
            && let Some((until, ..)) = self.leases.first()
        {
            return Admission::Full { until: *until };
        }
        let number = self.next_number();
        let entry = Entry { expires_at: now + self.lease, number, is_handled: false };
        self.put(key.clone(), entry);
        Admission::New(Claim { key, number })
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
        self.expire(now);
        let key = key(source, id);
        let is_new = !self.entries.contains_key(&key) && self.make_room();
        if is_new {
            self.put_seen(key, now);
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
        let has_room = match self.entries.get(&claim.key) {
            Some(entry) => !entry.is_handled,
            None => self.make_room(),
        };
        if has_room {
            self.put_seen(claim.key.clone(), now);
        }
        has_room
    }

    /// Releases the lease on an event whose handling failed, so that a redelivery counts as new.
    ///
    /// Returns `false` and changes nothing if the claim is no longer valid.
    pub fn abandon(&mut self, claim: &Claim) -> bool {
        let is_valid = self
            .entries
            .get(&claim.key)
            .is_some_and(|entry| !entry.is_handled && entry.number == claim.number);
        if is_valid {
            self.take(&claim.key);
        }
        is_valid
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
        let is_handled = |key: &Key| self.entries.get(key).is_some_and(|entry| entry.is_handled);
        let Some(key) = keys(source, id).find(is_handled) else { return false };
        self.take(&key);
        true
    }

    /// Returns the number of events that are handled and remembered, or in progress.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether the inbox holds no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
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
        let horizon = self.horizon;
        let (clock, step) = self.clock_at(now);
        clock.read(now, step);
        let longest = clock.time + step + horizon;
        // A lease that appears to start in the future starts now. An event that would be remembered
        // for too long was saved with a longer horizon.
        let lease_end = now + self.lease;
        pull_in(&mut self.leases, &mut self.entries, &mut self.recorder, lease_end);
        pull_in(&mut self.seen, &mut self.entries, &mut self.recorder, longest);
        self.expire(now);
    }

    /// Removes the leases that end at or before `now`, and the handled events whose time is over.
    fn expire(&mut self, now: Timestamp) {
        let due = |index: &Index, now: Timestamp| {
            index.first().filter(|(at, ..)| *at <= now).map(|(.., key)| key.clone())
        };
        let seen_at = self.state.clock.map_or(now, |clock| clock.time);
        while let Some(key) = due(&self.leases, now).or_else(|| due(&self.seen, seen_at)) {
            self.take(&key);
        }
    }

    /// Adds or keeps the event as handled on the present age clock.
    fn put_seen(&mut self, key: Key, now: Timestamp) {
        let horizon = self.horizon;
        let (clock, step) = self.clock_at(now);
        let forget_at = clock.time + step + horizon;
        let number = self.next_number();
        self.put(key, Entry { expires_at: forget_at, number, is_handled: true });
    }

    fn next_number(&mut self) -> u64 {
        let number = self.state.next_number;
        self.state.next_number = number.wrapping_add(1);
        number
    }

    /// Evicts the handled events that would expire first until there is room for one more. Returns
    /// `false` if every entry is in progress.
    fn make_room(&mut self) -> bool {
        while self.entries.len() >= self.capacity.get() {
            let Some((.., key)) = self.seen.first().cloned() else { return false };
            self.take(&key);
            self.state.evictions = self.state.evictions.saturating_add(1);
        }
        true
    }

    fn put(&mut self, key: Key, entry: Entry) {
        self.take(&key);
        record(&mut self.recorder, &key);
        self.index(entry).insert((entry.expires_at, entry.number, key.clone()));
        self.entries.insert(key, entry);
    }

    fn take(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            record(&mut self.recorder, key);
            self.index(entry).remove(&(entry.expires_at, entry.number, key.clone()));
        }
    }

    const fn index(&mut self, entry: Entry) -> &mut Index {
        if entry.is_handled { &mut self.seen } else { &mut self.leases }
    }
}

fn record(recorder: &mut Option<Recorder>, key: &Key) {
    if let Some(recorder) = recorder {
        recorder.changed.insert(key.clone());
    }
}

/// Pulls in the entries of an index that expire after `latest`.
fn pull_in(
    index: &mut Index,
    entries: &mut BTreeMap<Key, Entry>,
    recorder: &mut Option<Recorder>,
    latest: Timestamp,
) {
    while index.last().is_some_and(|(at, ..)| *at > latest) {
        let Some((_, number, key)) = index.pop_last() else { return };
        if let Some(entry) = entries.get_mut(&key) {
            entry.expires_at = latest;
        }
        record(recorder, &key);
        index.insert((latest, number, key));
    }
}

/// Rounds as the saved form does, so that saving changes nothing.
fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(millis_up(duration))
}
