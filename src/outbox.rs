//! Many messages to many endpoints: [`Outbox`].
//!
//! # The loop
//!
//! The outbox decides and the host does. Each [`poll`](Outbox::poll) hands out one piece of work:
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
//! // The host's: a store, an HTTP client and a clock.
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
//!             // `Outcome::response` reads what the answer's headers ask for as well.
//!             let outcome = match attempt.request(now) {
//!                 Ok(request) => Outcome::bare(post(request)),
//!                 Err(_) => Outcome::failed(Failure::Sender),
//!             };
//!             outbox.resolve(attempt.ticket(), &outcome, now);
//!         }
//!         Step::Notify(notice) => println!("{notice:?}"),
//!         Step::Wait(until) => now = until,
//!         Step::Idle => break,
//!     }
//! }
//! assert_eq!(now.to_string(), "2025-04-17T09:30:05.000Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A host that sends on other threads or tasks goes on polling while they are at it, and turns
//! to whatever comes first: an answer, a message to publish, or the instant of [`Step::Wait`].
//!
//! # The host's duties
//!
//! - It follows no redirect: a POST that is redirected may arrive as a GET without its body, and
//!   the answer to that says nothing. A 3xx is an outcome like any other.
//! - It makes each request once: a client that retries by itself makes copies that nobody counts.
//! - It gives a request up at [`Attempt::deadline`] at the latest, and hands in
//!   [`Failure::Timeout`](crate::delivery::Failure::Timeout).
//! - It says [`saved`](Outbox::saved) when the changes will survive what it means to survive, a
//!   power failure say, and not before.
//! - It hands in its clock's time as it is. A clock that goes back does no harm but delay.
//!
//! # What is promised
//!
//! Nothing that [`publish`](Outbox::publish) accepted and a save made durable is lost: each of
//! its deliveries ends in a [`Verdict`], whatever crashes come between, or is held in the open: by
//! an endpoint that is paused, disabled, out of use or absent, or in doubt. No attempt is handed
//! out before it is saved as being in flight, nor while another one of its delivery is. So a
//! receiver gets each message at least once, and the copies that it accepts beyond the first are at
//! most [`Delivery::unanswered`](crate::delivery::Delivery::unanswered): the attempts that ended without an
//! answer.
//!
//! Under [`DeliveryGuarantee::AtMostOnce`](crate::delivery::DeliveryGuarantee) and [`DeliveryGuarantee::Ask`](crate::delivery::DeliveryGuarantee) it
//! gets it at most once: after an attempt without an answer, a crash's too, there is no other
//! unless somebody decides so.
//!
//! What a `Save` guards can still go wrong in one way. Should it take an attempt's whole timeout
//! until it is written and polled for, the attempt is not handed out but started anew, without
//! being counted. One that would not be started any more by then is taken back in the same way: its
//! endpoint was paused or degraded, say, or what stands before it in its line was replayed.
//!
//! # When a message goes
//!
//! ```text
//!  published --> first attempt due          retry due: the delivery's RetryPolicy says when
//!                      |                            |
//!            order     '-- none before it in its line holds it up --.
//!            health       Healthy: all go; else one probe at a time |
//!            flow         pause asked for, window, rate, pace, and  | per endpoint
//!                         for a retry the budget                    |
//!            turns     .-- first attempts, then a retry ------------'
//!                      '-- the endpoints in turn, by bytes
//!                      |
//!                   Step::Save, saved, Step::Send --> resolve, or the deadline
//! ```
//!
//! Each stage only ever waits. Nothing but an attempt that left the host is counted as one, every
//! wait ends at an instant that [`Step::Wait`] knows or by an event, and if anything may go,
//! something goes. A delivery whose window or lifetime is over ends where it stands, as
//! [`Verdict::Expired`].
//!
//! The stages are machines of their own: [`delivery`](crate::delivery) draws the states of one
//! delivery, [`health`](crate::health) those of an endpoint, and [`flow`](crate::flow) what limits
//! the pace. All of an endpoint's policies are members of its [`Endpoint`](crate::Endpoint). A
//! probe is no request of its own but the oldest delivery that is due, so that with few messages
//! the next probe may be a long way off: as far as these have to wait.
//!
//! # What an outcome says of the endpoint
//!
//! What it means for its delivery is in the policy's [table](crate::delivery::ResponseRules). Beside
//! that it is heard by the endpoint's health and flow:
//!
//! | outcome | health | flow |
//! |---|---|---|
//! | 2xx, and what the table delivers on | [`Success`] | grows |
//! | 429 | [`Overload`] | a slower pace |
//! | 502, 503, 504 | [`Overload`] | a slower pace, a smaller window |
//! | other 5xx, 3xx, 401, 403, 404, 408 | [`EndpointFault`] | |
//! | 400 and the other 4xx, 501 | [`PayloadFault`] | grows |
//! | a timeout | [`EndpointFault`] | a slower pace, a smaller window |
//! | no name, no connection, no TLS, a broken connection | [`EndpointFault`] | |
//! | [`Failure::Sender`] | [`SenderFault`] | |
//! | what the table disables on, `webhook-delivery: disable` | [`Gone`] | |
//!
//! Where anything but a success comes with a `Retry-After`, nothing at all goes to the endpoint
//! before that, up to the [cap](crate::RetryPolicy::retry_after_cap) of its retry policy. What was in flight at a
//! crash says nothing of the endpoint. While so many endpoints fail together that the fault is
//! likely this end's, none is suspended or disabled for it: [`Outbox::outage_guard`].
//!
//! # Endpoints that change
//!
//! | change | what is pending | new messages |
//! |---|---|---|
//! | [replaced](Outbox::replace_endpoint) | goes on under what is new | by the new subscription |
//! | not [`enabled`](crate::Endpoint::enabled) | is held | are not for it |
//! | [paused](Outbox::pause_endpoint) | is held | are held |
//! | degraded, suspended | waits for a probe's success | wait too, or are shed where suspended |
//! | [disabled](Outbox::disable_endpoint) | is cancelled, or held | are not for it |
//! | [removed](Outbox::remove_endpoint) | is cancelled | are not for it |
//! | absent at [`restore`](Outbox::restore) | is held | are not for it |
//!
//! What is held still expires, where its policy or its message sets it a limit and the endpoint is
//! known. [`Status`] shows how an endpoint is doing, and [`Notice`] tells what an operator would
//! want to be woken for.
//!
//! [`Success`]: Signal::Success
//! [`Overload`]: Signal::Overload
//! [`EndpointFault`]: Signal::EndpointFault
//! [`PayloadFault`]: Signal::PayloadFault
//! [`SenderFault`]: Signal::SenderFault
//! [`Gone`]: Signal::Gone
//! [`Failure::Sender`]: crate::delivery::Failure::Sender

mod attempt;
mod attempt_report;
mod backlog;
mod counters;
mod decide;
mod delivery_state;
mod drive;
mod endpoint_state;
mod fair_queue;
mod in_flight;
mod journal;
mod notice;
mod observation;
mod operate;
mod outage;
mod publish;
mod reconcile_delivery;
mod reconcile_endpoint;
mod record;
mod replay;
mod restore;
mod save;
mod setup;
mod status;
mod step;
mod timers;

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use crate::delivery::{Control, Ignored, JitterSeed, Outcome, Resolution, RetryPolicy, Verdict};
use crate::endpoint::Registry;
#[cfg(doc)]
use crate::health::Signal;
use crate::id::{EndpointId, MessageId};
use crate::message::Message;
use crate::small_map::SmallMap;
use crate::time::Timestamp;

pub use self::attempt::{Attempt, Ticket};
pub use self::attempt_report::{AttemptReport, Cause};
pub use self::counters::Counters;
pub use self::notice::Notice;
pub use self::publish::{PublishError, Published, RenderFailure};
pub use self::record::{
    Change, Changes, DeliveryRecord, EndpointRecord, MessageRecord, Record, RecordKey, Revision,
};
pub use self::replay::{ReplayFilter, ReplayPlan};
pub use self::restore::RestoreError;
pub use self::status::Status;
pub use self::step::Step;

use self::delivery_state::DeliveryState;
use self::endpoint_state::EndpointState;
use self::fair_queue::FairQueue;
use self::journal::{Closed, Journal};
use self::outage::OutageCensus;
use self::timers::Timers;

/// The sender: takes messages in, and says what to save, what to send, and until when to sleep.
///
/// The [module's documentation](self) teaches the loop, the host's duties and what is promised.
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
    lanes: BTreeMap<EndpointId, EndpointState>,
    turns: FairQueue,
    watch: OutageCensus,
    failing_after: NonZeroU32,
    report_attempts: bool,
    alarms: Timers,
    journal: Journal,
}

/// A message and its deliveries.
#[derive(Debug)]
struct Entry {
    message: Arc<Message>,
    accepted_at: Timestamp,
    slots: SmallMap<EndpointId, DeliveryState>,
    /// How many deliveries have not ended.
    open: usize,
    /// When the last of them that has ended did so, or the message was accepted.
    settled_at: Timestamp,
    /// When it is to be forgotten, while that is none.
    forget_at: Option<Timestamp>,
}

impl Entry {
    const fn new(
        message: Arc<Message>,
        accepted_at: Timestamp,
        slots: SmallMap<EndpointId, DeliveryState>,
    ) -> Self {
        Self { message, accepted_at, slots, open: 0, settled_at: accepted_at, forget_at: None }
    }
}

impl Outbox {
    /// What to do next.
    ///
    /// Each call hands out one piece of work; call until it says [`Step::Wait`] or
    /// [`Step::Idle`]. From then on the answer changes when the instant has come, and otherwise
    /// only after [`publish`](Self::publish), [`resolve`](Self::resolve), [`saved`](Self::saved),
    /// [`unsaved`](Self::unsaved), a decision ([`replay`](Self::replay), [`resend`](Self::resend),
    /// [`give_up`](Self::give_up)) or a change of an endpoint (whatever ends in `_endpoint`). Those
    /// may come back to back and in any order, and calling `poll` more often than needed does no
    /// harm.
    ///
    /// The instant can be that at which a settled message is to be forgotten. All is delivered
    /// when [`pending`](Self::pending) is 0 and `poll` has neither work nor changes left.
    pub fn poll(&mut self, now: Timestamp) -> Step {
        self.advance(now);
        loop {
            if let Some(notice) = self.journal.next_notice() {
                return Step::Notify(notice);
            }
            while let Some(ticket) = self.journal.next_attempt() {
                if let Some(attempt) = self.send(ticket, now) {
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
    /// Hand in every outcome once, late ones too: a late success still ends its delivery, over as
    /// many attempts as [`Delivery::resolve`](crate::delivery::Delivery::resolve) says. A ticket that is
    /// stale, repeated or of another outbox is reported as [`Resolution::Ignored`] and changes
    /// nothing.
    pub fn resolve(&mut self, ticket: &Ticket, outcome: &Outcome, now: Timestamp) -> Resolution {
        const UNKNOWN: Resolution = Resolution::Ignored(Ignored::NeverStarted);
        let Ticket { sequence, message, endpoint: id, attempt, pass } = ticket;
        let Some(entry) = self.messages.get_mut(sequence) else { return UNKNOWN };
        let Some(slot) = entry.slots.get_mut(id) else { return UNKNOWN };
        if entry.message.id() != message {
            return UNKNOWN;
        }
        let live = slot.delivery.in_flight().is_some_and(|started| started.number == *attempt);
        if live && !slot.sent {
            return UNKNOWN;
        }
        let dice = JitterSeed::new(self.seed, message, id);
        let resolution = match self.registry.get(id) {
            Some(endpoint) => slot.resolve(&endpoint.policy.retry, dice, *attempt, outcome, now),
            // An endpoint that is away has no policy to judge by. A success is one under any.
            None if outcome.status().is_some_and(|status| status.is_success()) => {
                slot.resolve(&RetryPolicy::default(), dice, *attempt, outcome, now)
            }
            None => return Resolution::Ignored(Ignored::NoPolicy),
        };
        if matches!(resolution, Resolution::Ignored(_)) {
            return resolution;
        }
        let replayed = *attempt <= slot.delivery.before_replay();
        let passed = slot.flight.is_some_and(|flight| flight.clearance.is_some());
        self.settle(*sequence, id, Some(outcome).filter(|_| live), now);
        // A success can say that it was the last. The health hears that of an attempt whose pass it
        // is still to get; a late one, and one from before a restart, has no say over it save this.
        // From before a replay it may be of an endpoint that was removed since; whoever still wants
        // nothing more says so again.
        let gone = resolution == Resolution::Ended(Verdict::Gone)
            || outcome.control() == Some(Control::Disable);
        if gone && !replayed && !(live && passed) {
            let edge = self.operate(id, now, |health| health.gone(*pass, now)).flatten();
            self.follow(id, edge, now);
        }
        // Of an endpoint that is disabled nothing is retried, nor asked.
        let verdict = self.slot(*sequence, id).and_then(|slot| slot.delivery.verdict());
        match (resolution, verdict) {
            (Resolution::Retry { .. } | Resolution::InDoubt, Some(verdict)) => {
                Resolution::Ended(verdict)
            }
            _ => resolution,
        }
    }
}
