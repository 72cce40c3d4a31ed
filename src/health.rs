//! One endpoint's health: [`Health`].
//!
//! The machine says whether an attempt may start, counts what became of the attempts, and decides
//! when an endpoint is given a rest, asked again, given up, and taken back. It knows neither the
//! endpoint nor its messages, makes no request and reads no clock; a host with a table of its own
//! keeps one `Health` in the row of each endpoint and drives it alone.
//!
//! ```text
//!                 too many failures              too many failed probes
//!           .------------------------> Degraded ------------------------> Suspended
//!  new -> Healthy                       | ^  |                             |     |
//!           ^ ^------ probe succeeds ---' |  '- probe fails: next rung     |     | probe fails:
//!           |                             '--------- probe succeeds -------'     | next rung
//!           |                                                                    |
//!           |          a person or a program enables it                         | probe fails
//!           '---------------------------------------------- Disabled <-----------' too long after
//!                                                              ^
//!  Healthy, Degraded, Suspended -- operator, receiver ---------'
//!
//!  pause, resume: in any state, beside it
//! ```
//!
//! - **Healthy**: every attempt goes.
//! - **Degraded**: what there is waits, and what comes too. One attempt at a time goes as the
//!   *probe*, after waits that grow: the ladder.
//! - **Suspended**: the same, on the same ladder, but new messages are held or shed, as the policy
//!   says, and the time counts towards disabling.
//! - **Disabled**: nothing goes and nothing is taken. What waits is cancelled or kept, as the
//!   policy says; it is the host that does either, so that nothing is stranded.
//!
//! # What moves it
//!
//! | signal | of an attempt while healthy | of the probe | of an attempt from before the trip |
//! |---|---|---|---|
//! | [`Success`](Signal::Success) | forgets all failures | climbs one state | probe due at once |
//! | [`EndpointFault`](Signal::EndpointFault) | counts | next rung | nothing |
//! | [`Overload`](Signal::Overload) | counts | next rung | nothing |
//! | [`PayloadFault`](Signal::PayloadFault) | nothing | due again at once | nothing |
//! | [`SenderFault`](Signal::SenderFault) | nothing | due again after the first wait | nothing |
//! | [`Gone`](Signal::Gone) | disables | disables | disables |
//!
//! Faults degrade where they are too many, overloads where they also last too long: a receiver
//! that sheds load for a moment is not down. Each climb begins the ladder anew. A payload fault
//! does not use up the probe, since the next message may be fine.
//!
//! A success of an attempt that was in flight at the trip may be older than the failures that
//! tripped it, so that it asks instead of deciding: one request settles it. A disabled endpoint
//! takes no signal, and what started before the endpoint was enabled says nothing ever.
//!
//! | what the host saw | signal |
//! |---|---|
//! | 2xx | `Success` |
//! | 3xx, 401, 403, 404, 408, 5xx, no name, no connection, no TLS, a timeout | `EndpointFault` |
//! | 429, 502, 503, 504 | `Overload` |
//! | 400 and other 4xx, 501 | `PayloadFault` |
//! | its own resolver, way out or proxy was at fault | `SenderFault` |
//! | 410, the response header `webhook-delivery: disable` | `Gone` |
//!
//! # Time
//!
//! - Only the result of a probe moves the ladder: neither its start nor time alone. A wait starts
//!   when the probe ends: at the `now` of [`Health::record`], or at the deadline where
//!   [`Health::poll`] found it passed, however much later that call came.
//! - An endpoint is disabled by a probe that fails when the time to disable has run out, and never
//!   before. The last probe is due right then even where the ladder has a longer wait, so that a
//!   host which starts it on time is late by no more than the probe's timeout. Without a probe
//!   nothing is disabled: a host that was down for a week first asks again, and an endpoint for
//!   which no message comes stays suspended until one does.
//! - Time does not count towards disabling while an operator pauses the endpoint, nor up to a
//!   probe that was not the endpoint's fault or failed while the [guard](OutagePolicy) holds. It
//!   begins anew when a suspended endpoint that answered is suspended again.
//! - A host that calls [`Health::forget_in_flight`] when it restarts lets no crash move the ladder.
//! - All instants are absolute, so that a clock which goes back by `d` lengthens a wait by `d` and
//!   never shortens one. What was found due stays due.
//!
//! # A host that drives one endpoint
//!
//! ```
//! use std::time::Duration;
//!
//! use labhook::{HealthPolicy, Timestamp};
//! use labhook::health::{Gate, Health, SenderOutage, Signal, State};
//!
//! let policy = HealthPolicy::default();
//! // The host's clock, and a receiver that is down for a quarter of an hour.
//! let mut now = Timestamp::from_unix_seconds(1_744_882_200);
//! let back = now + Duration::from_secs(900);
//! let send = |now| if now < back { Signal::EndpointFault } else { Signal::Success };
//!
//! let mut health = Health::new();
//! let mut told = Vec::new();
//! let mut waiting = 20;
//! while waiting > 0 {
//!     // The guard is what an `OutagePolicy` makes of all endpoints.
//!     let standing = health.poll(&policy, SenderOutage::Clear, now);
//!     told.extend(standing.edge);
//!     match standing.admit {
//!         Gate::Open | Gate::Probe => {
//!             let Some(pass) = health.start(&policy, now) else { continue };
//!             // Save the health here where the pass is a probe's, then send.
//!             let signal = send(now);
//!             now = now + Duration::from_millis(80);
//!             if signal == Signal::Success {
//!                 waiting -= 1;
//!             }
//!             let effect = health.record(&policy, SenderOutage::Clear, pass, signal, now);
//!             told.extend(effect.transition());
//!         }
//!         Gate::Hold { until } => now = until,
//!         // Only after a restart here, since this host awaits each answer.
//!         Gate::Probing { deadline } => now = deadline,
//!         Gate::Paused | Gate::Disabled => break,
//!     }
//! }
//! let told: Vec<_> = told.iter().map(|edge| (edge.to, edge.at.to_string())).collect();
//! assert_eq!(
//!     told,
//!     [
//!         (State::Degraded, "2025-04-17T09:30:00.400Z".to_owned()),
//!         // Probes after 5 minutes, and then after 10.
//!         (State::Healthy, "2025-04-17T09:45:00.560Z".to_owned()),
//!     ]
//! );
//! assert_eq!(waiting, 0);
//! ```
//!
//! # Sources
//!
//! The four states, the single probe, the ladder that only results move and the provenance are
//! those of Shopware's decision record of 2026, "Webhooks health remodel" (shopware/shopware, issue
//! 16565), the count of failures in a row and the growing rest those of Envoy's outlier detection.
//! What is different here: the wake-ups are exact, where theirs is a task that runs each minute;
//! the last rung does not end the ladder, and the last probe comes when the time to disable is
//! over; a success in between stops that time; the machine disables nothing that it has not just
//! asked; faults of the sender and its [own outages](OutagePolicy) are kept apart; attempts that
//! started in an earlier time are told apart by their [`Permit`]; and a
//! [recovery](Transition::is_recovery) is an edge at which the host starts small, instead of
//! releasing all that waited at once.

mod answer;
mod disabled;
mod operator;
mod outage;
mod policy;
mod policy_file;
mod record;
mod signal;
mod state;
mod streak;

use serde::{Deserialize, Serialize};

pub use answer::{Gate, HealthStatus, Intake, Permit, SignalEffect, State, Transition};
pub use disabled::{Disabled, DisabledBy, EnableError, EnabledBy};
pub use outage::{OutagePolicy, OutagePolicyError, SenderOutage};
pub use policy::{HealthPolicy, NewMessages, PendingOnDisable};
pub use policy_file::HealthPolicyError;
pub use signal::Signal;

use crate::time::Timestamp;
use state::{Inner, Probe};
use streak::Streak;

/// One endpoint's health: the state of it, which can be saved at any moment.
///
/// See the [module](self) for the states and a host's loop. Calls may come in any order and be
/// repeated; none panics. Policy, outage and time are arguments of each call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Grows with each probe, and wherever the passes given out before are to mean no more. There
    /// is a probe between any two times of health, so that it tells them apart.
    serial: u64,
    /// What `serial` was when the endpoint was last enabled; older passes mean nothing.
    #[serde(default)]
    enabled: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused_since: Option<Timestamp>,
    state: Inner,
}

/// A healthy endpoint.
impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

impl Health {
    /// A healthy endpoint, of which nothing is known.
    #[must_use]
    pub const fn new() -> Self {
        Self { serial: 0, enabled: 0, paused_since: None, state: Inner::Healthy(Streak::NONE) }
    }

    /// The state.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state.state()
    }

    /// Since when the endpoint is not healthy but as [`state`](Self::state) says; `None` for a
    /// healthy one.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        match &self.state {
            Inner::Healthy(_) => None,
            Inner::Degraded(trouble) | Inner::Suspended { trouble, .. } => Some(trouble.since),
            Inner::Disabled(disabled) => Some(disabled.since),
        }
    }

    /// By whom, why and since when the endpoint is disabled, if it is.
    #[must_use]
    pub const fn disabled(&self) -> Option<&Disabled> {
        match &self.state {
            Inner::Disabled(disabled) => Some(disabled),
            _ => None,
        }
    }

    /// Since when an operator pauses the endpoint, if one does.
    #[must_use]
    pub const fn paused_since(&self) -> Option<Timestamp> {
        self.paused_since
    }

    /// How many failures are counted: of a healthy endpoint those since the last success, faults
    /// and overloads alike; of a degraded or suspended one the failed probes since the last that
    /// succeeded.
    #[must_use]
    pub fn failures(&self) -> u32 {
        match &self.state {
            Inner::Healthy(streak) => streak.failures(),
            Inner::Degraded(trouble) | Inner::Suspended { trouble, .. } => trouble.failed,
            Inner::Disabled(_) => 0,
        }
    }

    /// The probe in flight, if one is.
    #[must_use]
    pub fn probe(&self) -> Option<Permit> {
        match self.state.trouble()?.probe {
            Probe::InFlight { serial, deadline, .. } => {
                Some(Permit { serial, deadline: Some(deadline) })
            }
            _ => None,
        }
    }

    /// The instant at which the answer of the last [`poll`](Self::poll) changes by time alone, if
    /// it ever does: the key of a wake-up index.
    ///
    /// That is the deadline of a probe in flight, and the end of a wait for a probe. Every other
    /// call that changes something changes it. A probe that is due stays so: it is the host's turn.
    #[must_use]
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self.state.trouble()?.probe {
            Probe::InFlight { deadline, .. } => Some(deadline),
            Probe::Waiting { due } if self.paused_since.is_none() => Some(due),
            Probe::Waiting { .. } | Probe::Due { .. } => None,
        }
    }

    /// From when on there is something to do: what a host that keeps a row for each endpoint
    /// indexes it by.
    ///
    /// That is [`wake_at`](Self::wake_at), save that a probe which is due has something to do
    /// already, unless the endpoint is paused.
    #[must_use]
    pub fn claim_at(&self) -> Option<Timestamp> {
        match self.state.trouble()?.probe {
            Probe::Due { since } if self.paused_since.is_none() => Some(since),
            _ => self.wake_at(),
        }
    }

    /// Moves the endpoint on to `now`, and says where it stands and whether its state changed.
    ///
    /// A probe at or past its deadline counts as failed there, and one whose wait is over becomes
    /// due. Nothing else changes here, and calling it any number of times is fine: at the instants
    /// of [`wake_at`](Self::wake_at) is enough.
    pub fn poll(
        &mut self,
        policy: &HealthPolicy,
        guard: SenderOutage,
        now: Timestamp,
    ) -> HealthStatus {
        let edge = match self.probe().and_then(|pass| pass.deadline) {
            Some(deadline) if now >= deadline => self.probe_failed(policy, guard, deadline),
            _ => None,
        };
        if self.paused_since.is_none()
            && let Some(trouble) = self.state.trouble_mut()
            && let Probe::Waiting { due } = trouble.probe
            && now >= due
        {
            trouble.probe = Probe::Due { since: due };
        }
        HealthStatus::new(self.admit(), edge)
    }

    fn admit(&self) -> Gate {
        match (&self.state, self.paused_since) {
            (Inner::Disabled(_), _) => Gate::Disabled,
            (_, Some(_)) => Gate::Paused,
            (Inner::Healthy(_), None) => Gate::Open,
            (Inner::Degraded(trouble) | Inner::Suspended { trouble, .. }, None) => {
                match trouble.probe {
                    Probe::Waiting { due } => Gate::Hold { until: due },
                    Probe::Due { .. } => Gate::Probe,
                    Probe::InFlight { deadline, .. } => Gate::Probing { deadline },
                }
            }
        }
    }

    /// What becomes of a message that is published at `now`.
    #[must_use]
    pub fn intake(&self, policy: &HealthPolicy, now: Timestamp) -> Intake {
        match &self.state {
            Inner::Suspended { trouble, .. } => match policy.new_messages() {
                NewMessages::Hold => Intake::Take,
                NewMessages::Shed if self.paused_since.is_none() && trouble.is_due(now) => {
                    Intake::TakeIfNoneWaits
                }
                NewMessages::Shed => Intake::Shed,
            },
            Inner::Healthy(_) | Inner::Degraded(_) => Intake::Take,
            Inner::Disabled(_) => Intake::Shed,
        }
    }

    /// Starts an attempt; `None` where none may start.
    ///
    /// Of a healthy endpoint every attempt gets a pass. Of a degraded or suspended one the probe
    /// that is due gets one, and none other until its result is recorded or its deadline found
    /// passed. A host that saves does so before it sends the probe.
    #[must_use = "an attempt without its pass says nothing"]
    pub fn start(&mut self, policy: &HealthPolicy, now: Timestamp) -> Option<Permit> {
        if self.paused_since.is_some() {
            return None;
        }
        let serial = self.serial.saturating_add(1);
        match &mut self.state {
            Inner::Healthy(_) => Some(Permit { serial: self.serial, deadline: None }),
            Inner::Degraded(trouble) | Inner::Suspended { trouble, .. } if trouble.is_due(now) => {
                let deadline = now + policy.probe_timeout();
                trouble.probe = Probe::InFlight { serial, started: now, deadline };
                self.serial = serial;
                self.probe()
            }
            _ => None,
        }
    }

    /// Takes back the start of an attempt of which nothing has left the host: a probe is due
    /// again.
    ///
    /// `false`, and nothing is changed, where this is not the probe in flight.
    pub fn cancel_start(&mut self, pass: Permit) -> bool {
        self.state.trouble_mut().is_some_and(|trouble| trouble.give_back(Some(pass.serial)))
    }

    /// Forgets what was in flight: the host has restarted, and knows of no answer.
    ///
    /// A probe is due again, and moves the ladder as little as any other attempt whose pass was
    /// given out before. A host that does not call this lets a probe fail at its deadline.
    pub fn forget_in_flight(&mut self) {
        if let Some(trouble) = self.state.trouble_mut() {
            trouble.give_back(None);
        }
        self.renew();
    }

    /// Attempts that started before are no longer of this time. Only a record that was edited by
    /// hand is at the end of the numbers.
    const fn renew(&mut self) {
        self.serial = self.serial.saturating_add(1);
    }
}
