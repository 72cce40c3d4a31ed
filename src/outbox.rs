//! Transactional outbox: many messages to many endpoints: [`Outbox`].
//!
//! An outbox decides what to save, what to send and how long to wait. It makes no request, opens no
//! file and reads no clock: your application, the *host*, does that in a loop.
//!
//! # The loop
//!
//! [`Outbox::poll`] returns the host's next action:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use http::StatusCode;
//! use labhook::{
//!     Endpoint, EndpointId, Event, Failure, MessageId, Outbox, Outcome, Registry, Secret, Signer,
//!     Step, Timestamp,
//! };
//! use labhook::lab::{RunState, RunStateChanged};
//! use labhook::outbox::{Change, Record};
//!
//! let secret = Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")?;
//! let signer = Signer::standard_webhooks(secret);
//! let mut registry = Registry::new();
//! registry.insert(Endpoint::new(EndpointId::new("eln")?, "https://eln.example/in", signer)?)?;
//!
//! // The host's storage, HTTP client and clock.
//! let mut store: BTreeMap<String, Record> = BTreeMap::new();
//! let mut post = {
//!     let mut statuses = [StatusCode::BAD_GATEWAY, StatusCode::NO_CONTENT].into_iter();
//!     move |request: http::Request<bytes::Bytes>| {
//!         assert!(request.headers().contains_key("webhook-signature"));
//!         statuses.next().unwrap_or(StatusCode::OK)
//!     }
//! };
//! let mut now = Timestamp::from_unix_seconds(1_744_882_200);
//!
//! let mut outbox = Outbox::new(registry.clone(), 7).restore(store.values().cloned(), now)?;
//! let event = Event::new(RunStateChanged::new("run-17", RunState::Started), now);
//! outbox.publish(event.into_message(MessageId::new("run-17-started")?)?, now)?;
//!
//! while outbox.pending() > 0 {
//!     match outbox.poll(now) {
//!         Step::Save(changes) => {
//!             let revision = changes.revision();
//!             for change in changes {
//!                 match change {
//!                     Change::Put(record) => _ = store.insert(record.key().to_string(), record),
//!                     Change::Delete(key) => _ = store.remove(&key.to_string()),
//!                 }
//!             }
//!             outbox.saved(revision);
//!         }
//!         Step::Send(attempt) => {
//!             // `Outcome::response` reads the response headers too, such as `Retry-After`.
//!             let outcome = match attempt.request(now) {
//!                 Ok(request) => Outcome::bare(post(request)),
//!                 Err(_) => Outcome::failed(Failure::Sender),
//!             };
//!             outbox.resolve(attempt.ticket(), &outcome, now);
//!         }
//!         Step::Notify(notice) => println!("{notice}"),
//!         Step::Wait(until) => now = until,
//!         Step::Idle => break,
//!     }
//! }
//! assert_eq!(now.to_string(), "2025-04-17T09:30:05.000Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A host that sends from other threads or tasks keeps polling while requests are in flight. It
//! then waits for whatever comes first: a response, a message to publish, or the instant of
//! [`Step::Wait`].
//!
//! # The host's duties
//!
//! - **One process at a time drives one set of records.** Two would send everything twice and
//!   overwrite each other's state. The [guide](crate::guide::persisting) has the lock that sees to
//!   it.
//! - **Follow no redirects.** A redirected POST may arrive as a GET without its body, so its
//!   response means nothing. Report a 3xx as the outcome.
//! - **Send to allowed addresses only**, if users choose the URLs: see
//!   [`AddressPolicy`](crate::endpoint::AddressPolicy).
//! - **Send each request once.** An HTTP client that retries by itself makes copies that are not
//!   counted.
//! - **Abandon a request at [`Attempt::deadline`]** at the latest, and report
//!   [`Failure::Timeout`](crate::delivery::Failure::Timeout).
//! - **Call [`saved`](Outbox::saved) only when the changes are durable**: when they will survive
//!   whatever the host must survive, such as a power failure.
//! - **Pass the clock's time unchanged.** A clock that goes back delays deliveries but does no
//!   other harm. One that leaps ahead can time an attempt out early: then the next request is sent
//!   while the client still waits for the response to the last.
//!
//! The guide says [which guarantee needs which
//! duty](crate::guide::persisting#which-guarantee-needs-which-duty).
//!
//! # Guarantees
//!
//! **Nothing is lost.** Once [`publish`](Outbox::publish) has accepted a message and a save has
//! made it durable, each of its deliveries ends with a [`Verdict`](crate::Verdict), whatever
//! crashes happen in between. Until then it is visibly pending: due, waiting for a retry, held for
//! an endpoint that is paused, disabled, not enabled or absent, or in doubt.
//!
//! **A crash loses no decision.** Each endpoint's circuit is saved, with the failures counted so
//! far, each pause, the use of a configured rate, and what has been learned. A crash loses at most
//! the running [measurements](crate::flow#saving) of a healthy receiver.
//! [`drain`](Outbox::drain) saves those too.
//!
//! **At least once** is the default. An attempt is handed out only after its start was saved, and
//! only one attempt of a delivery is in flight at a time. A receiver may therefore accept
//! duplicates, but no more than [`Delivery::unanswered`](crate::delivery::Delivery::unanswered):
//! the number of attempts that ended without a response.
//!
//! **At most once** is available with
//! [`DeliveryGuarantee::AtMostOnce`](crate::delivery::DeliveryGuarantee::AtMostOnce) and
//! [`DeliveryGuarantee::Ask`](crate::delivery::DeliveryGuarantee::Ask). After an attempt that ends
//! without a response, or is interrupted by a crash, the message is not sent again unless someone
//! decides to resend it.
//!
//! **A start can become obsolete while it is saved.** If saving takes longer than the attempt's
//! timeout, the attempt is not handed out but started again, without being counted. If by then it
//! would no longer be started, because its endpoint was paused or went down, an earlier delivery of
//! its ordering group was replayed, or the outbox is [draining](Outbox::drain), its start is
//! cancelled in the same way.
//!
//! **The clock may leap.** If an attempt's deadline is found passed so late that the clock must have
//! leaped or the process slept, and the delivery would end with it, the attempt gets another
//! timeout: a success that is on its way still counts.
//!
//! # When a message is sent
//!
//! ```text
//!  publish --> first attempt due        retry due, by the RetryPolicy
//!                          |               |
//!                          v               v
//!   order     wait for earlier deliveries of the ordering group
//!                          |
//!   health    circuit closed: all go;  open: one probe at a time
//!                          |
//!   flow      pause, concurrency limit, rate limit, adaptive rate
//!                          |
//!   fairness  first attempts go ahead of retries, up to three in a row;
//!             endpoints share the sender fairly, by bytes
//!                          v
//!             Step::Save, saved, Step::Send --> resolve, or the deadline
//! ```
//!
//! Every stage delays a delivery; none drops it. Only attempts that were handed out are counted.
//! Every wait ends at the instant of [`Step::Wait`] or with an input, and if any attempt may start,
//! one does. A delivery whose lifetime ends at any stage, or whose retry
//! window does once it has been tried, ends as [`Verdict::Expired`](crate::Verdict::Expired).
//!
//! Each stage is documented in its own module: [`delivery`](crate::delivery) has the states of a
//! delivery, [`health`](crate::health) those of an endpoint, and [`flow`](crate::flow) the limits.
//! The policies are in [`Endpoint::policy`](crate::Endpoint::policy).
//!
//! A probe is not a separate request. It is a delivery that is due: the newest that was never
//! tried, or else the retry that has been due longest, so that a message that can never be accepted
//! is not probed twice in a row while another is due. An endpoint that gets few messages may wait a
//! long time for its next probe.
//!
//! [`Outbox::explain`] says what one delivery waits for, and [`Outbox::rerun`] repeats an incident
//! from a log of the inputs.
//!
//! # What an outcome means
//!
//! For the **delivery**, the policy's [`ResponseRules`](crate::delivery::ResponseRules) decide: it
//! is delivered, retried or refused, or the endpoint is gone.
//!
//! For the **endpoint**, the outcome is an input of the circuit breaker and of flow control:
//! [`Observation`](crate::policy::Observation) has the
//! [table](crate::policy::Observation#how-outcomes-are-classified). `Retry-After` always holds its
//! message, up to the [cap](crate::RetryPolicy::retry_after_cap) of the retry policy. With a 429 or
//! 503 it also pauses the endpoint, unless it is alone among successes.
//!
//! An attempt that was interrupted by a crash reveals nothing about the endpoint, nor does a
//! deadline that the outbox finds passed by itself: report every timeout. While too many endpoints
//! fail at once, the sender is probably at fault, and none of them is disabled: see
//! [`Outbox::with_outage_policy`].
//!
//! # Endpoints that change
//!
//! | change | pending deliveries | new messages |
//! |---|---|---|
//! | [replaced](Outbox::replace_endpoint) | continue under the new settings | by the new subscription |
//! | not [enabled](crate::Endpoint::with_enabled) | held | not accepted |
//! | [paused](Outbox::pause_endpoint) | held | held |
//! | down | wait until a probe succeeds | wait, or are [shed](crate::HealthPolicy::shed_after) |
//! | [disabled](Outbox::disable_endpoint) | cancelled or kept, depending on the policy | not accepted |
//! | [removed](Outbox::remove_endpoint) | cancelled | not accepted |
//! | absent at [`restore`](Outbox::restore) | held | not accepted |
//!
//! Held deliveries still expire if their message sets a limit, or their policy once they have been
//! tried, unless the endpoint is absent. [`Status`] shows the state of an endpoint, and a
//! [`Notice`] reports every change that may need an operator.

mod attempt;
mod attempt_report;
mod changes;
mod clock;
mod collect_changes;
mod counters;
mod debug;
mod deliveries;
mod delivery_state;
mod dispatch;
mod drain;
mod endpoint_state;
mod endpoints;
mod explain;
mod group;
mod in_doubt;
mod in_flight;
mod index;
mod input_log;
mod journal;
mod lookup;
mod mark;
mod message_state;
mod notice;
mod operate;
mod publish;
mod published;
mod reconcile_delivery;
mod reconcile_endpoint;
mod record;
mod replay;
mod replay_plan;
mod rerun;
mod resolve;
mod restore;
mod roster;
mod settings;
mod slab;
mod status;
mod step;
mod sweep;
mod tagged_record;
mod withdraw;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use crate::endpoint::Registry;
use crate::time::Timestamp;

pub use self::attempt::{Attempt, Ticket};
pub use self::attempt_report::{AttemptReport, Cause};
pub use self::changes::{Change, Changes, Revision};
pub use self::counters::Counters;
pub use self::explain::Explanation;
pub use self::input_log::LogEntry;
pub use self::notice::Notice;
pub use self::operate::EnableEndpointError;
pub use self::published::{PublishError, Published, RenderFailure};
pub use self::record::{DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey};
pub use self::replay_plan::{ReplayFilter, ReplayPlan};
pub use self::rerun::RerunError;
pub use self::restore::RestoreError;
pub use self::status::Status;
pub use self::step::Step;

use self::deliveries::Deliveries;
use self::endpoints::Endpoints;
use self::index::fair_queue::FairQueue;
use self::index::outage::OutageCensus;
use self::index::timers::Timers;
use self::input_log::{Input, InputLog};
use self::journal::Journal;
use self::message_state::Messages;
use self::sweep::Sweep;

/// Transactional outbox: accepts messages, and decides what to save, what to send and how long to
/// wait.
///
/// The [module documentation](self) explains the loop, the host's duties and the guarantees.
///
/// ```
/// use std::time::Duration;
///
/// use labhook::{Outbox, Registry, Step, Timestamp};
///
/// let now = Timestamp::from_unix_seconds(1_744_882_200);
/// let registry = Registry::new(); // with your endpoints
/// let mut outbox = Outbox::new(registry, 7)
///     .with_retention(Duration::from_secs(7 * 86_400)) // redelivery is possible for a week
///     .restore([], now)?; // with the records that an earlier process saved
/// assert!(matches!(outbox.poll(now), Step::Idle));
/// # Ok::<(), labhook::outbox::RestoreError>(())
/// ```
#[doc(alias = "transactional outbox")]
#[doc(alias = "outbox pattern")]
#[doc(alias = "queue")]
#[doc(alias = "dispatcher")]
#[derive(Clone)]
pub struct Outbox {
    seed: u64,
    batch: NonZeroUsize,
    retention: Duration,
    registry: Registry,
    messages: Messages,
    deliveries: Deliveries,
    next_sequence: u64,
    pending: usize,
    endpoints: Endpoints,
    fair_queue: FairQueue,
    outage: OutageCensus,
    failing_after: NonZeroU32,
    report_attempts: bool,
    timers: Timers,
    journal: Journal,
    /// The latest instant seen, by which a clock that steps back is noticed.
    latest: Timestamp,
    sweeps: Vec<Sweep>,
    log: InputLog,
    /// Whether no attempt may start, because the process is to end.
    draining: bool,
    strict_ids: bool,
}

impl Outbox {
    /// Returns the host's next action.
    ///
    /// Each call returns one action. Call until it returns [`Step::Wait`] or [`Step::Idle`]. The
    /// result then changes at the instant of the wait, or after an input:
    ///
    /// - [`publish`](Self::publish), [`resolve`](Self::resolve), [`saved`](Self::saved) or
    ///   [`unsaved`](Self::unsaved),
    /// - a decision: [`replay`](Self::replay), [`resend`](Self::resend),
    ///   [`give_up`](Self::give_up), [`withdraw`](Self::withdraw), [`drain`](Self::drain) or
    ///   [`undrain`](Self::undrain),
    /// - a change of an endpoint, by a method whose name ends in `_endpoint`.
    ///
    /// Inputs may come back to back and in any order. Extra calls of `poll` do no harm.
    ///
    /// A call looks at no more than 1,024 timers, and as many deliveries of an endpoint that was
    /// disabled, removed or replaced, or after the clock has stepped back. If work remains, it
    /// returns the next action, or a [`Step::Wait`] that ends one microsecond later: call again.
    /// What one save writes is [limited](Self::with_save_limit) too, and the rest goes in the next.
    ///
    /// All messages are delivered when [`pending`](Self::pending) returns 0. Their last records are
    /// saved when `poll` then returns `Wait` or `Idle` and no save is outstanding. The instant of
    /// the wait can be the end of a settled message's retention.
    pub fn poll(&mut self, now: Timestamp) -> Step {
        let step = self.next_step(now);
        self.log(now, || Input::Poll, &step);
        step
    }

    fn next_step(&mut self, now: Timestamp) -> Step {
        self.follow_clock(now);
        self.expire_timers(now);
        let mut has_swept = false;
        loop {
            if let Some(notice) = self.journal.next_notice() {
                return Step::Notify(notice);
            }
            while let Some(start) = self.journal.next_attempt() {
                if let Some(attempt) = self.send(start, now) {
                    return Step::Send(attempt);
                }
            }
            if self.journal.is_saving() {
                break;
            }
            // Only once all that it led to so far is handed out: a save stays as small as a part.
            if !std::mem::replace(&mut has_swept, true) {
                self.go_on_sweeping(now);
            }
            self.start_due(now);
            if !self.journal.has_closed() {
                self.close_part();
            }
            if let Some(part) = self.journal.next_part() {
                let (revision, list) = (part.revision, Arc::clone(&part.changes));
                return Step::Save(Changes { revision, list });
            }
            if !self.journal.has_released() {
                break;
            }
        }
        let is_behind = self.is_behind() && !self.journal.is_saving();
        let next_at = if is_behind { Some(now) } else { self.next_timer_at() };
        match next_at {
            // At the end of time no instant is after `now`.
            Some(at) => Step::Wait(at.max(now + Duration::from_micros(1))),
            None => Step::Idle,
        }
    }

    /// Confirms that the changes with this revision are durable. This releases the attempts and
    /// notices that depend on them.
    ///
    /// Returns `false`, and changes nothing, if this is not the revision being saved.
    pub fn saved(&mut self, revision: Revision) -> bool {
        let messages = self.journal.saved(revision);
        let confirmed = messages.is_some();
        self.note_saved(messages.unwrap_or_default());
        self.log(self.latest, || Input::Saved { revision: revision.0 }, &confirmed);
        confirmed
    }

    /// Reports that the changes with this revision could not be saved.
    ///
    /// They become part of the next [`Step::Save`], which [`poll`](Self::poll) returns at once.
    /// Pause before you try again.
    ///
    /// Returns `false`, and changes nothing, if this is not the revision being saved.
    pub fn unsaved(&mut self, revision: Revision) -> bool {
        let merged = self.journal.unsaved(revision);
        self.log(self.latest, || Input::Unsaved { revision: revision.0 }, &merged);
        merged
    }
}
