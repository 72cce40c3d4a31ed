//! Each event once: [`Inbox`].

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::delivery::RetryPolicy;
use crate::receive::Reply;
use crate::time::{Timestamp, millis_up};

/// How long an event may be in progress, where nothing else was said.
const LEASE: Duration = Duration::from_secs(5 * 60);

/// Which events a receiver has had, so that a repetition is told from a new event.
///
/// Webhooks come at least once. An event is known by its source and its id: the source is the
/// receiver's own name for the sender, since two senders may well use one id. [`begin`] says
/// whether to handle it; [`done`] and [`abandon`] say how that went, so an event whose handler
/// failed is new again when the sender repeats it.
///
/// An event is remembered for the *horizon* after it was done. That is how long its sender may
/// go on repeating it, and has nothing to do with the tolerance of the signature's timestamp: a
/// retry is signed anew. The default is the [span](RetryPolicy::span) of the default policy.
///
/// At most *capacity* events are remembered. A full inbox makes room by forgetting the one that
/// would expire first: should that event be repeated after all, it counts as new. It never
/// forgets one in progress, and refuses a new event only where all places are held by such.
///
/// It is plain data: save it with serde, or keep what it keeps in a table with a unique key.
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
///     // ... the event is handled and what it changed is stored ...
///     inbox.done(&claim, now);
///     Reply::Accepted
/// };
/// let now = Timestamp::from_unix_seconds(1_744_882_200);
/// assert_eq!(receive("msg_1", now), Reply::Accepted);
/// assert_eq!(receive("msg_1", now), Reply::Accepted); // and was not handled again
/// assert_eq!(inbox.begin("scheduler", "msg_1", now), Admission::Seen);
/// ```
///
/// [`begin`]: Self::begin
/// [`done`]: Self::done
/// [`abandon`]: Self::abandon
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub struct Inbox {
    capacity: NonZeroUsize,
    horizon: Duration,
    lease: Duration,
    entries: BTreeMap<Key, Entry>,
    /// The events in progress, and those that are done, by when they expire.
    leases: BTreeSet<(Timestamp, Key)>,
    seen: BTreeSet<(Timestamp, Key)>,
    next_claim: u64,
    evictions: u64,
}

type Key = (Arc<str>, Arc<str>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    expires_at: Timestamp,
    /// `None` once the event is done.
    claim: Option<u64>,
}

impl Inbox {
    /// An inbox that remembers at most this many events.
    #[must_use]
    pub fn new(capacity: NonZeroUsize) -> Self {
        Self {
            capacity,
            horizon: RetryPolicy::default().span(),
            lease: LEASE,
            entries: BTreeMap::new(),
            leases: BTreeSet::new(),
            seen: BTreeSet::new(),
            next_claim: 0,
            evictions: 0,
        }
    }

    /// Sets for how long an event is remembered after it was done: at least as long as its
    /// sender may repeat it. Where the sender's policy is known, that is its
    /// [span](RetryPolicy::span). Rounded up to whole milliseconds.
    #[must_use]
    pub fn with_horizon(mut self, horizon: Duration) -> Self {
        self.horizon = whole_millis(horizon);
        self
    }

    /// Sets for how long an event may be in progress; the default is 5 minutes. After that its
    /// handler is taken to have died, and a repetition is new again. Rounded up to whole
    /// milliseconds, one at the least.
    #[must_use]
    pub fn with_lease(mut self, lease: Duration) -> Self {
        self.lease = whole_millis(lease).max(Duration::from_millis(1));
        self
    }

    /// Says whether the event is to be handled, and marks it as in progress if so.
    pub fn begin(&mut self, source: &str, id: &str, now: Timestamp) -> Admission {
        self.expire(now);
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

    /// Takes up an event that is known to have been handled, from a host's own table for instance.
    ///
    /// `false` where nothing has changed: it is known already, or there is no room.
    pub fn remember(&mut self, source: &str, id: &str, now: Timestamp) -> bool {
        match self.begin(source, id, now) {
            Admission::New(claim) => self.done(&claim, now),
            Admission::InProgress { .. } | Admission::Seen | Admission::Full { .. } => false,
        }
    }

    /// Says that the event was handled: it is remembered from now on.
    ///
    /// That the claim's lease has run out in the meantime does not matter: what was handled was
    /// handled. `false` where nothing has changed: the event was remembered already, or the lease
    /// has run out and there is no room any more.
    pub fn done(&mut self, claim: &Claim, now: Timestamp) -> bool {
        self.expire(now);
        let has_room = match self.entries.get(&claim.key) {
            Some(entry) => entry.claim.is_some(),
            None => self.make_room(),
        };
        if has_room {
            self.put(claim.key.clone(), Entry { expires_at: now + self.horizon, claim: None });
        }
        has_room
    }

    /// Says that handling the event failed: it is new again when it is repeated.
    ///
    /// `false`, and nothing has changed, where the claim does not hold any more.
    pub fn abandon(&mut self, claim: &Claim) -> bool {
        let holds = self.entries.get(&claim.key).is_some_and(|it| it.claim == Some(claim.number));
        if holds {
            self.take(&claim.key);
        }
        holds
    }

    /// How many events are remembered or in progress.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no event is remembered or in progress.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many events were forgotten before their horizon to make room. Where this grows, the
    /// capacity is too small for the traffic.
    #[must_use]
    pub const fn evictions(&self) -> u64 {
        self.evictions
    }

    fn expire(&mut self, now: Timestamp) {
        let due = |index: &BTreeSet<(Timestamp, Key)>| {
            index.first().filter(|(at, _)| *at <= now).map(|(_, key)| key.clone())
        };
        while let Some(key) = due(&self.leases).or_else(|| due(&self.seen)) {
            self.take(&key);
        }
    }

    /// Forgets the done events that would expire first, until a place is free. `false` where there
    /// are none.
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

/// The duration as it will be after it was saved, so that saving changes nothing.
fn whole_millis(duration: Duration) -> Duration {
    Duration::from_millis(millis_up(duration))
}

/// Whether to handle an event.
///
/// Exhaustive: a receiver must meet every arm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "an event that is new is in progress from here on"]
#[allow(clippy::exhaustive_enums, reason = "a receiver must meet every arm")]
pub enum Admission {
    /// Handle it, then say how that went. Answer 2xx only when what it changed is stored.
    New(Claim),
    /// Another handler is at it, at the longest until this instant. Answer that it should be
    /// sent again: the other one may yet fail.
    InProgress {
        /// When the other handler's lease runs out.
        until: Timestamp,
    },
    /// It was handled before. Answer 2xx.
    Seen,
    /// There is no room. Answer that it should be sent again.
    Full {
        /// When the first of the leases runs out.
        until: Timestamp,
    },
}

impl Admission {
    /// The claim on a new event, or else what to answer: a repetition is accepted, and what may
    /// yet be handled is to come again.
    ///
    /// # Errors
    ///
    /// The [`Reply`] where the event is not to be handled now.
    pub fn claim(self, now: Timestamp) -> Result<Claim, Reply> {
        match self {
            Self::New(claim) => Ok(claim),
            Self::Seen => Err(Reply::Accepted),
            Self::InProgress { until } | Self::Full { until } => {
                Err(Reply::RetryAfter(until.saturating_since(now)))
            }
        }
    }
}

/// The right, and the duty, to say how the handling of one event went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    key: Key,
    number: u64,
}

impl Claim {
    /// The event's source.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.key.0
    }

    /// The event's id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.key.1
    }
}

/// An inbox as it is saved: the index is made again.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    capacity: NonZeroUsize,
    horizon_ms: u64,
    lease_ms: u64,
    next_claim: u64,
    evictions: u64,
    events: Vec<SavedEvent>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedEvent {
    source: Box<str>,
    id: Box<str>,
    expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<u64>,
}

impl From<Saved> for Inbox {
    fn from(saved: Saved) -> Self {
        let mut inbox = Self {
            next_claim: saved.next_claim,
            evictions: saved.evictions,
            ..Self::new(saved.capacity)
                .with_horizon(Duration::from_millis(saved.horizon_ms))
                .with_lease(Duration::from_millis(saved.lease_ms))
        };
        for SavedEvent { source, id, expires_at, claim } in saved.events {
            inbox.put((source.into(), id.into()), Entry { expires_at, claim });
        }
        inbox
    }
}

impl From<Inbox> for Saved {
    fn from(inbox: Inbox) -> Self {
        Self {
            capacity: inbox.capacity,
            horizon_ms: millis_up(inbox.horizon),
            lease_ms: millis_up(inbox.lease),
            next_claim: inbox.next_claim,
            evictions: inbox.evictions,
            events: inbox
                .entries
                .into_iter()
                .map(|((source, id), Entry { expires_at, claim })| SavedEvent {
                    source: (*source).into(),
                    id: (*id).into(),
                    expires_at,
                    claim,
                })
                .collect(),
        }
    }
}
