//! Duplicate detection for received events: [`Inbox`].

mod age;
mod saved;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::delivery::RetryPolicy;
use crate::receive::Reply;
use crate::time::{Timestamp, millis_up};
use age::AgeClock;
use saved::Saved;

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
/// A handled event is remembered for the *horizon*, and an eighth of it longer. Choose it by how long the sender retries, not
/// by the tolerance of the signature's timestamp: each retry has a new signature. The default is
/// the [span](RetryPolicy::span) of the default retry policy.
///
/// The inbox holds up to *capacity* events. When it is full, it evicts the handled event that
/// was handled first; a later redelivery of that event counts as new. An event in progress is
/// never evicted, so a new event is rejected only if every entry is in progress.
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
/// An inbox is plain data. Save it with serde, or keep the same columns in a database table with a
/// unique key.
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
    leases: BTreeSet<(Timestamp, Key)>,
    /// Handled events, by when they are forgotten on the age clock.
    seen: BTreeSet<(Timestamp, Key)>,
    /// `None` before the first call with a time.
    clock: Option<AgeClock>,
    next_claim: u64,
    evictions: u64,
}

type Key = (Arc<str>, Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// On the age clock if the event is handled, otherwise on your application's.
    expires_at: Timestamp,
    /// The lease's number; `None` once the event is handled.
    claim: Option<u64>,
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
            clock: None,
            next_claim: 0,
            evictions: 0,
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
        let key: Key = (source.into(), id.into());
        match self.entries.get(&key) {
            Some(Entry { claim: None, .. }) => return Admission::Seen,
            Some(Entry { expires_at, .. }) => return Admission::InProgress { until: *expires_at },
            None => {}
        }
        if !self.make_room()
            && let Some((until, _)) = self.leases.first()
        {
            return Admission::Full { until: *until };
        }
        let number = self.next_claim;
        self.next_claim = number.wrapping_add(1);
        self.put(key.clone(), Entry { expires_at: now + self.lease, claim: Some(number) });
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
        let key: Key = (source.into(), id.into());
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
            Some(entry) => entry.claim.is_some(),
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
        let is_valid =
            self.entries.get(&claim.key).is_some_and(|entry| entry.claim == Some(claim.number));
        if is_valid {
            self.take(&claim.key);
        }
        is_valid
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
        self.evictions
    }

    /// How much of the time between two calls counts, and how much longer than the horizon an event
    /// is remembered.
    fn step(&self) -> Duration {
        self.horizon.checked_div(8).unwrap_or_default()
    }

    /// Returns the age clock, which this reading starts if it is the first, and its step.
    fn clock_at(&mut self, now: Timestamp) -> (&mut AgeClock, Duration) {
        let step = self.step();
        (self.clock.get_or_insert(AgeClock::new(now)), step)
    }

    /// Takes a reading of the clock, and removes what has expired.
    fn tick(&mut self, now: Timestamp) {
        let horizon = self.horizon;
        let (clock, step) = self.clock_at(now);
        clock.read(now, step);
        let longest = clock.time + step + horizon;
        // A lease that appears to start in the future starts now. An event that would be remembered
        // for too long was saved with a longer horizon.
        pull_in(&mut self.leases, &mut self.entries, now + self.lease);
        pull_in(&mut self.seen, &mut self.entries, longest);
        self.expire(now);
    }

    /// Removes the leases that end at or before `now`, and the handled events whose time is over.
    fn expire(&mut self, now: Timestamp) {
        let due = |index: &BTreeSet<(Timestamp, Key)>, now: Timestamp| {
            index.first().filter(|(at, _)| *at <= now).map(|(_, key)| key.clone())
        };
        let seen_at = self.clock.map_or(now, |clock| clock.time);
        while let Some(key) = due(&self.leases, now).or_else(|| due(&self.seen, seen_at)) {
            self.take(&key);
        }
    }

    /// Adds or keeps the event as handled on the present age clock.
    fn put_seen(&mut self, key: Key, now: Timestamp) {
        let horizon = self.horizon;
        let (clock, step) = self.clock_at(now);
        let forget_at = clock.time + step + horizon;
        self.put(key, Entry { expires_at: forget_at, claim: None });
    }

    /// Evicts the handled events that would expire first until there is room for one more. Returns
    /// `false` if every entry is in progress.
    fn make_room(&mut self) -> bool {
        while self.entries.len() >= self.capacity.get() {
            let Some((_, key)) = self.seen.pop_first() else { return false };
            self.entries.remove(&key);
            self.evictions = self.evictions.saturating_add(1);
        }
        true
    }

    fn put(&mut self, key: Key, entry: Entry) {
        self.take(&key);
        let index = if entry.claim.is_some() { &mut self.leases } else { &mut self.seen };
        index.insert((entry.expires_at, key.clone()));
        self.entries.insert(key, entry);
    }

    fn take(&mut self, key: &Key) {
        if let Some(entry) = self.entries.remove(key) {
            let index = if entry.claim.is_some() { &mut self.leases } else { &mut self.seen };
            index.remove(&(entry.expires_at, key.clone()));
        }
    }
}

/// Pulls in the entries of an index that expire after `latest`.
fn pull_in(
    index: &mut BTreeSet<(Timestamp, Key)>,
    entries: &mut BTreeMap<Key, Entry>,
    latest: Timestamp,
) {
    while index.last().is_some_and(|(at, _)| *at > latest) {
        let Some((_, key)) = index.pop_last() else { return };
        if let Some(entry) = entries.get_mut(&key) {
            entry.expires_at = latest;
        }
        index.insert((latest, key));
    }
}

/// Rounds as the saved form does, so that saving changes nothing.
fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(millis_up(duration))
}

/// Whether an event is new: the result of [`Inbox::begin`].
///
/// Exhaustive: a receiver must handle every case.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a new event is in progress until its claim is done, abandoned or expired"]
#[allow(clippy::exhaustive_enums, reason = "a receiver must handle every case")]
pub enum Admission {
    /// New. Handle it, then call [`Inbox::done`] or [`Inbox::abandon`]. Respond with 2xx only after
    /// its effects are stored.
    New(Claim),
    /// Another handler holds the lease. Ask for a retry, since that handler may still fail.
    InProgress {
        /// When the lease expires.
        until: Timestamp,
    },
    /// A duplicate of a handled event. Respond with 2xx.
    Seen,
    /// The inbox is full of events in progress. Ask for a retry.
    Full {
        /// When the first lease expires.
        until: Timestamp,
    },
}

impl Admission {
    /// Returns the claim on a new event, or the response to send instead.
    ///
    /// # Errors
    ///
    /// [`Reply::Accepted`] for a duplicate, [`Reply::InProgress`] if another handler has the event,
    /// and a short [`Reply::RetryAfter`] if the inbox is full.
    pub fn claim(self, now: Timestamp) -> Result<Claim, Reply> {
        match self {
            Self::New(claim) => Ok(claim),
            Self::Seen => Err(Reply::Accepted),
            Self::InProgress { until } => Err(Reply::InProgress(until.saturating_since(now))),
            Self::Full { until } => {
                let wait = until.saturating_since(now).min(Reply::LONGEST_HINT);
                Err(Reply::RetryAfter(wait))
            }
        }
    }
}

/// A lease on one event; pass it to [`Inbox::done`] or [`Inbox::abandon`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "lease")]
pub struct Claim {
    key: Key,
    number: u64,
}

impl Claim {
    /// Returns the event's source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.key.0
    }

    /// Returns the event's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.key.1
    }
}
