//! What the outbox keeps of one endpoint: [`EndpointState`].

use serde::{Deserialize, Serialize};

use super::backlog::Backlog;
use super::counters::Counters;
use super::fair_queue::FairShare;
use super::in_flight::{Clearance, EndedAttempt, InFlight};
use super::observation::Observation;
use super::outage::Census;
use crate::endpoint::Endpoint;
use crate::flow::{AttemptKind, Feedback, Flow, FlowDecision, FlowPolicy, Receipt};
use crate::health::{Gate, Health, HealthPolicy, Intake, Permit, SenderOutage, State, Transition};
use crate::time::Timestamp;

/// How many first attempts come before a retry that could go as well.
const FIRSTS: u8 = 3;

/// One endpoint: its queue, its health, its flow, and where it is indexed.
#[derive(Debug, Default)]
pub(super) struct EndpointState {
    pub(super) queue: Backlog,
    pub(super) kept: Persisted,
    /// What the record of it says, or will say when what has changed is saved.
    pub(super) recorded: Persisted,
    pub(super) counters: Counters,
    pub(super) turn: FairShare,
    pub(super) alarm: Option<Timestamp>,
    /// The probe in flight, until it is handed out.
    pub(super) unsent_probe: Option<Permit>,
    /// How it counts for the guard against the sender's own outage.
    pub(super) census: Option<Census>,
}

/// What is saved of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Persisted {
    #[serde(skip_serializing_if = "is_default")]
    pub(super) health: Health,
    /// Those in flight are counted here alone. They are none in what is recorded, for the
    /// deliveries' records tell.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) flow: Flow,
    /// The worst state that the host was told of since the endpoint was last healthy.
    #[serde(skip_serializing_if = "State::is_healthy")]
    pub(super) told: State,
    /// First attempts that came, in a row, before a retry that could have gone.
    #[serde(skip_serializing_if = "is_default")]
    firsts: u8,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Default for Persisted {
    fn default() -> Self {
        Self { health: Health::new(), flow: Flow::new(), told: State::Healthy, firsts: 0 }
    }
}

/// What a lane says to the question what may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// An attempt at this delivery.
    Go { sequence: u64, class: AttemptKind },
    /// Nothing, before this instant.
    Wait { until: Timestamp },
    /// Nothing, until something other than time changes.
    Nothing,
}

impl EndpointState {
    /// What goes next. An endpoint's health and flow are of now: see
    /// [`Outbox::tend`](super::Outbox::tend).
    pub(super) fn next(&self, endpoint: &Endpoint, admit: Gate, now: Timestamp) -> Next {
        let (first, retry) = (self.queue.first(), self.queue.retry());
        let ask = |class, due: Option<u64>| match due {
            Some(sequence) => match self.kept.flow.check(&endpoint.policy.flow, class, now) {
                FlowDecision::Go => Next::Go { sequence, class },
                FlowDecision::Wait { until } => Next::Wait { until },
                FlowDecision::Busy => Next::Nothing,
            },
            None => Next::Nothing,
        };
        let oldest = first.into_iter().chain(retry).min();
        match admit {
            Gate::Open => {
                match (ask(AttemptKind::First, first), ask(AttemptKind::Retry, retry)) {
                    (first @ Next::Go { .. }, retry @ Next::Go { .. }) => {
                        if self.kept.firsts < FIRSTS { first } else { retry }
                    }
                    (go @ Next::Go { .. }, _) | (_, go @ Next::Go { .. }) => go,
                    (Next::Wait { until: one }, Next::Wait { until: other }) => {
                        Next::Wait { until: one.min(other) }
                    }
                    (wait @ Next::Wait { .. }, _) | (_, wait) => wait,
                }
            }
            Gate::Probe => ask(AttemptKind::Probe, oldest),
            // The probe's end is the health's to find, whether there is something to send or not.
            Gate::Probing { deadline } => Next::Wait { until: deadline },
            Gate::Hold { until } => match ask(AttemptKind::Probe, oldest) {
                Next::Go { .. } => Next::Wait { until },
                Next::Wait { until: later } => Next::Wait { until: until.max(later) },
                Next::Nothing => Next::Nothing,
            },
            // A probe that ends in the pause is to end in it, and not with the resumption.
            Gate::Paused => match self.kept.health.wake_at() {
                Some(until) => Next::Wait { until },
                None => Next::Nothing,
            },
            Gate::Disabled => Next::Nothing,
        }
    }

    /// An attempt of this class has been started, and with that taken its turn.
    pub(super) fn start(
        &mut self,
        policy: &FlowPolicy,
        class: AttemptKind,
        now: Timestamp,
    ) -> Receipt {
        let held_back = class == AttemptKind::First && self.queue.retry().is_some();
        self.kept.firsts = if held_back { self.kept.firsts.saturating_add(1) } else { 0 };
        self.kept.flow.start(policy, class, now)
    }

    /// Takes a probe back that was not handed out before its deadline: it was not made, so that it
    /// has not failed.
    pub(super) fn cancel_unsent_probe(&mut self, now: Timestamp) {
        let over = |pass: &mut Permit| pass.deadline().is_none_or(|deadline| now >= deadline);
        if let Some(pass) = self.unsent_probe.take_if(over) {
            self.kept.health.cancel_start(pass);
        }
    }

    /// Whether an attempt that was started, and was not handed out yet, would not be started now:
    /// its endpoint was degraded since, or it was to be the probe and is it no more.
    pub(super) fn is_overtaken(&self, flight: &InFlight) -> bool {
        let health = &self.kept.health;
        match flight.pass() {
            Some(pass) if pass.is_probe() => health.probe() != Some(pass),
            Some(_) => !health.state().is_healthy(),
            None => false,
        }
    }

    /// Whether a message that is published now, to stand in this line, is for the endpoint.
    pub(super) fn takes(&self, policy: &HealthPolicy, line: Option<&str>, now: Timestamp) -> bool {
        match self.kept.health.intake(policy, now) {
            Intake::Take => true,
            // What is not due yet is of no use to the probe, nor is what would be held up.
            Intake::TakeIfNoneWaits => {
                let held_up = line.is_some_and(|line| self.queue.is_held_up(line, u64::MAX));
                self.queue.due() == 0 && !held_up
            }
            Intake::Shed => false,
        }
    }

    /// Whether the endpoint is sent to, as far as people and its receiver have a say.
    pub(super) fn is_in_use(&self, endpoint: &Endpoint) -> bool {
        let health = &self.kept.health;
        endpoint.enabled && health.disabled().is_none() && health.paused_since().is_none()
    }

    /// An attempt is under way no more, with this outcome, if it has one.
    pub(super) fn attempt_ended(
        &mut self,
        endpoint: Option<&Endpoint>,
        guard: SenderOutage,
        landing: &EndedAttempt<'_>,
    ) -> Option<Transition> {
        let EndedAttempt { flight, outcome, ended_at: now, sent } = *landing;
        let Persisted { health, flow, .. } = &mut self.kept;
        let Some(endpoint) = endpoint else {
            flow.set_in_flight(flow.in_flight().saturating_sub(1));
            return None;
        };
        let heard =
            outcome.map(|outcome| Observation::of(outcome, endpoint.policy.retry.responses()));
        // After a restart nobody knows whether an attempt without an answer was made at all.
        let heard = heard.filter(|heard| flight.clearance.is_some() || heard.answered);
        let feedback = heard.map_or(Feedback::Other, |heard| heard.feedback);
        match flight.clearance {
            Some(Clearance { spent, .. }) if !sent => {
                flow.cancel_start(&endpoint.policy.flow, spent, now)
            }
            _ => flow.end(&endpoint.policy.flow, flight.started.at, feedback, now),
        }
        if let Some(pause) = heard.and_then(|heard| heard.pause) {
            flow.pause_until(now + pause.min(endpoint.policy.retry.retry_after_cap()));
        }
        match (flight.pass(), heard.map(|heard| heard.signal)) {
            (Some(pass), Some(signal)) => {
                health.record(&endpoint.policy.health, guard, pass, signal, now).transition()
            }
            (Some(pass), None) => {
                health.cancel_start(pass);
                None
            }
            (None, _) => None,
        }
    }

    /// How it counts for the guard.
    pub(super) fn census(&self, in_use: bool) -> Option<Census> {
        let health = &self.kept.health;
        match health.state() {
            _ if !in_use || health.paused_since().is_some() => None,
            State::Healthy => Some(Census::Well),
            State::Degraded | State::Suspended => Some(Census::Failing),
            State::Disabled => None,
        }
    }

    /// Whether the endpoint has moved since it was recorded. How many attempts are in flight is in
    /// the deliveries' records.
    pub(super) fn has_news(&mut self) -> bool {
        self.recorded.flow.set_in_flight(self.kept.flow.in_flight());
        self.recorded != self.kept
    }

    /// Whether there is anything to know of the endpoint while it is away.
    pub(super) fn is_worth_keeping(&self) -> bool {
        self.queue.open().len() > 0 || self.to_record().is_some()
    }

    /// What the record of the endpoint is to say: nothing where it is as a new one.
    pub(super) fn to_record(&self) -> Option<Persisted> {
        let mut kept = self.kept.clone();
        kept.flow.set_in_flight(0);
        (kept != Persisted::default()).then_some(kept)
    }
}
