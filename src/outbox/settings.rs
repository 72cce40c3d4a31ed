//! Construction and settings: [`Outbox::new`].

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use super::Outbox;
use super::deliveries::Deliveries;
use super::endpoints::Endpoints;
use super::index::fair_queue::FairQueue;
use super::index::outage::OutageCensus;
use super::index::timers::Timers;
use super::input_log::InputLog;
use super::journal::Journal;
use super::message_state::Messages;
#[cfg(doc)]
use super::{Notice, Step};
use crate::endpoint::Registry;
use crate::health::OutagePolicy;
use crate::time::Timestamp;

/// Default of [`Outbox::with_batch`].
const BATCH: NonZeroUsize = NonZeroUsize::new(64).expect("sixty-four is not zero");

/// Default of [`Outbox::with_failing_after`].
const FAILING_AFTER: NonZeroU32 = NonZeroU32::new(3).expect("three is not zero");

/// Default of [`Outbox::with_retention`].
const RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

impl Outbox {
    /// Creates an outbox without messages.
    ///
    /// All jitter is derived from the seed. Choose it at random once, and keep it with your
    /// configuration. Outboxes with the same seed have the same jitter.
    #[must_use]
    pub fn new(registry: Registry, seed: u64) -> Self {
        let mut endpoints = Endpoints::new(seed);
        for endpoint in registry.iter() {
            endpoints.register(endpoint);
        }
        let mut outbox = Self {
            seed,
            batch: BATCH,
            retention: RETENTION,
            registry,
            messages: Messages::new(seed),
            deliveries: Deliveries::default(),
            next_sequence: 0,
            pending: 0,
            endpoints,
            fair_queue: FairQueue::default(),
            outage: OutageCensus::default(),
            failing_after: FAILING_AFTER,
            report_attempts: false,
            timers: Timers::default(),
            journal: Journal::new(),
            latest: Timestamp::MIN,
            sweeps: Vec::new(),
            log: InputLog::default(),
            draining: false,
            strict_ids: false,
        };
        for number in outbox.endpoints.numbers() {
            // A new endpoint has nothing that depends on the time.
            outbox.reconcile_endpoint(number, Timestamp::MIN);
        }
        outbox
    }

    /// Turns storage off: there is no [`Step::Save`], and a crash loses what is pending.
    #[must_use]
    pub fn without_storage(mut self) -> Self {
        self.close_part();
        let messages = self.journal.without_storage();
        self.note_saved(messages);
        self
    }

    /// Sets the maximum number of attempts that one [`Step::Save`] starts; the default is 64.
    ///
    /// A crash between a save and its sends interrupts up to that many attempts, each of which is
    /// repeated after its deadline.
    #[must_use]
    pub fn with_batch(mut self, attempts: NonZeroUsize) -> Self {
        self.batch = attempts;
        self
    }

    /// Sets after how many changed records a [`Step::Save`] is full; the default is 1,024.
    ///
    /// What changes after that goes in the next ones. An input is never divided, so a save can have
    /// a little more: all that a call of [`poll`](Self::poll) or [`publish`](Self::publish) changes.
    /// A save that failed is repeated as a whole, together with the next one, so each failure in a
    /// row makes the next save larger.
    #[must_use]
    pub const fn with_save_limit(mut self, records: NonZeroUsize) -> Self {
        self.journal.set_limit(records);
        self
    }

    /// Sets how long a message is kept after its last delivery has ended; the default is one day.
    ///
    /// During that time publishing it again is recognised as a duplicate, and its dead letters can
    /// be replayed. Then its records are deleted, including the verdicts: a host that keeps a
    /// delivery log copies them from the [changes](Step::Save) or from [`Notice::Settled`].
    ///
    /// The setting applies to messages that settle later, so set it before
    /// [`restore`](Self::restore).
    #[must_use]
    pub fn with_retention(mut self, duration: Duration) -> Self {
        self.retention = duration;
        self
    }

    /// Sets the number of failed attempts after which [`Notice::Failing`] reports a delivery; the
    /// default is 3.
    ///
    /// Each delivery is reported once, and again if it is replayed and fails as often.
    #[must_use]
    pub const fn with_failing_after(mut self, attempts: NonZeroU32) -> Self {
        self.failing_after = attempts;
        self
    }

    /// Makes [`publish`](Self::publish) refuse a message whose id the outbox has with other content.
    /// Without this the first message stands, and the other one is reported as a
    /// [duplicate that differs](super::Published::differs).
    #[must_use]
    pub const fn with_strict_ids(mut self) -> Self {
        self.strict_ids = true;
        self
    }

    /// Turns attempt reports on: [`Notice::AttemptEnded`] reports every attempt that has ended, for
    /// the host's delivery log.
    #[must_use]
    pub const fn with_attempt_reports(mut self) -> Self {
        self.report_attempts = true;
        self
    }

    /// Sets when simultaneous failures of many endpoints count as an outage on the sender's side;
    /// the default is [`OutagePolicy::default`].
    ///
    /// The census covers all enabled endpoints that are neither paused nor disabled. Those that are
    /// down count as failing.
    #[must_use]
    pub fn with_outage_policy(mut self, policy: OutagePolicy) -> Self {
        self.outage.set_policy(policy);
        self
    }
}
