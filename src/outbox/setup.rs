//! An outbox and its settings: [`Outbox::new`].

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use super::Outbox;
use super::endpoint_state::EndpointState;
use super::fair_queue::FairQueue;
use super::journal::Journal;
use super::outage::OutageCensus;
use super::timers::Timers;
#[cfg(doc)]
use super::{Notice, Step};
use crate::endpoint::Registry;
use crate::health::OutagePolicy;
use crate::time::Timestamp;

/// How many attempts one save starts at the most, where nothing else was said.
const BATCH: NonZeroUsize = NonZeroUsize::new(64).expect("sixty-four is not zero");

/// Of how many failed attempts the host is told, where nothing else was said.
const FAILING_AFTER: NonZeroU32 = NonZeroU32::new(3).expect("three is not zero");

/// How long a settled message is kept, where nothing else was said.
const RETAIN: Duration = Duration::from_secs(24 * 60 * 60);

impl Outbox {
    /// An outbox without messages.
    ///
    /// The seed is what all jitter comes from. Roll it once and keep it with the configuration:
    /// outboxes of one seed jitter alike.
    #[must_use]
    pub fn new(registry: Registry, seed: u64) -> Self {
        let lanes = registry.iter().map(|it| (it.id().clone(), EndpointState::default())).collect();
        let mut outbox = Self {
            seed,
            batch: BATCH,
            retain: RETAIN,
            registry,
            messages: BTreeMap::new(),
            sequences: BTreeMap::new(),
            next_sequence: 0,
            pending: 0,
            lanes,
            turns: FairQueue::default(),
            watch: OutageCensus::default(),
            failing_after: FAILING_AFTER,
            report_attempts: false,
            alarms: Timers::default(),
            journal: Journal::new(),
        };
        let ids: Vec<_> = outbox.lanes.keys().cloned().collect();
        for id in &ids {
            // Nothing has moved, so that it does not matter when that is.
            outbox.tend(id, Timestamp::MIN);
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
    pub fn with_batch(mut self, attempts: NonZeroUsize) -> Self {
        self.batch = attempts;
        self
    }

    /// Sets how long a message is kept after its last delivery has ended; the default is a day. It
    /// counts for what is settled from here on, so set it before [`restore`](Self::restore).
    ///
    /// For that long, publishing it again is known to be a repetition. Then its records are
    /// deleted, verdicts and all: a host that keeps a history copies them from the
    /// [changes](Step::Save), or from [`Notice::Settled`].
    #[must_use]
    pub fn with_retention(mut self, duration: Duration) -> Self {
        self.retain = duration;
        self
    }

    /// Sets after how many failed attempts at one delivery [`Notice::Failing`] tells of it, once,
    /// and once more where it is replayed and fails as often again; the default is 3.
    #[must_use]
    pub const fn with_failing_after(mut self, attempts: NonZeroU32) -> Self {
        self.failing_after = attempts;
        self
    }

    /// Has [`Notice::AttemptEnded`] tell of every attempt that is over, for the host's history.
    #[must_use]
    pub const fn with_attempt_reports(mut self) -> Self {
        self.report_attempts = true;
        self
    }

    /// Sets when a failure of many endpoints is taken for the sender's own; the default is that of
    /// [`OutagePolicy`]. It counts the endpoints in use that nobody paused or disabled, and of these
    /// those that are degraded or suspended.
    #[must_use]
    pub fn with_outage_policy(mut self, guard: OutagePolicy) -> Self {
        self.watch.set_policy(guard);
        self
    }
}
