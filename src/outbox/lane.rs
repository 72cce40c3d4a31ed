//! What the outbox keeps of one endpoint: [`Lane`].

use serde::{Deserialize, Serialize};

use super::counters::Counters;
use super::flight::{Clearance, Flight, Landing};
use super::heard::Heard;
use super::queue::Queue;
use super::turns::Turn;
use super::watch::Census;
use crate::endpoint::Endpoint;
use crate::flow::{Class, Feedback, Flow, FlowPolicy, Permission, Spent};
use crate::health::{Admit, Edge, Guard, Health, HealthPolicy, Intake, Pass, State};
use crate::timestamp::Timestamp;

/// How many first attempts come before a retry that could go as well.
const FIRSTS: u8 = 3;

/// One endpoint: its queue, its health, its flow, and where it is indexed.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) queue: Queue,
    pub(super) kept: Kept,
    /// What the record of it says, or will say when what has changed is saved.
    pub(super) recorded: Kept,
    pub(super) counters: Counters,
    pub(super) turn: Turn,
    pub(super) alarm: Option<Timestamp>,
    /// The probe in flight, until it is handed out.
    pub(super) unsent_probe: Option<Pass>,
    /// How it counts for the guard against the sender's own outage.
    pub(super) census: Option<Census>,
}

/// What is saved of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Kept {
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

impl Default for Kept {
    fn default() -> Self {
        Self { health: Health::new(), flow: Flow::new(), told: State::Healthy, firsts: 0 }
    }
}

/// What a lane says to the question what may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// An attempt at this delivery.
    Go { sequence: u64, class: Class },
    /// Nothing, before this instant.
    Wait { until: Timestamp },
    /// Nothing, until something other than time changes.
    Nothing,
}

impl Lane {
    /// What goes next. An endpoint's health and flow are of now: see
    /// [`Outbox::tend`](super::Outbox::tend).
    pub(super) fn next(&self, endpoint: &Endpoint, admit: Admit, now: Timestamp) -> Next {
        let (first, retry) = (self.queue.first(), self.queue.retry());
        let ask = |class, due: Option<u64>| match due {
            Some(sequence) => match self.kept.flow.ask(&endpoint.flow, class, now) {
                Permission::Go => Next::Go { sequence, class },
                Permission::Wait { until } => Next::Wait { until },
                Permission::Busy => Next::Nothing,
            },
            None => Next::Nothing,
        };
        let oldest = first.into_iter().chain(retry).min();
        match admit {
            Admit::Open => {
                match (ask(Class::First, first), ask(Class::Retry, retry)) {
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
            Admit::Probe => ask(Class::Probe, oldest),
            // The probe's end is the health's to find, whether there is something to send or not.
            Admit::Probing { deadline } => Next::Wait { until: deadline },
            Admit::Hold { until } => match ask(Class::Probe, oldest) {
                Next::Go { .. } => Next::Wait { until },
                Next::Wait { until: later } => Next::Wait { until: until.max(later) },
                Next::Nothing => Next::Nothing,
            },
            // A probe that ends in the pause is to end in it, and not with the resumption.
            Admit::Paused => match self.kept.health.wake_at() {
                Some(until) => Next::Wait { until },
                None => Next::Nothing,
            },
            Admit::Disabled => Next::Nothing,
        }
    }

    /// An attempt of this class has been started, and with that taken its turn.
    pub(super) fn started(&mut self, policy: &FlowPolicy, class: Class, now: Timestamp) -> Spent {
        let held_back = class == Class::First && self.queue.retry().is_some();
        self.kept.firsts = if held_back { self.kept.firsts.saturating_add(1) } else { 0 };
        self.kept.flow.started(policy, class, now)
    }

    /// Takes a probe back that was not handed out before its deadline: it was not made, so that it
    /// has not failed.
    pub(super) fn take_probe_back(&mut self, now: Timestamp) {
        let over = |pass: &mut Pass| pass.deadline().is_none_or(|deadline| now >= deadline);
        if let Some(pass) = self.unsent_probe.take_if(over) {
            self.kept.health.unstart(pass);
        }
    }

    /// Whether an attempt that was started, and was not handed out yet, would not be started now:
    /// its endpoint was degraded since, or it was to be the probe and is it no more.
    pub(super) fn is_overtaken(&self, flight: &Flight) -> bool {
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
    pub(super) fn landed(
        &mut self,
        endpoint: Option<&Endpoint>,
        guard: Guard,
        landing: &Landing<'_>,
    ) -> Option<Edge> {
        let Landing { flight, outcome, ended_at: now, sent } = *landing;
        let Kept { health, flow, .. } = &mut self.kept;
        let Some(endpoint) = endpoint else {
            flow.set_in_flight(flow.in_flight().saturating_sub(1));
            return None;
        };
        let heard = outcome.map(|outcome| Heard::of(outcome, endpoint.policy.responses()));
        // After a restart nobody knows whether an attempt without an answer was made at all.
        let heard = heard.filter(|heard| flight.clearance.is_some() || heard.answered);
        let feedback = heard.map_or(Feedback::Other, |heard| heard.feedback);
        match flight.clearance {
            Some(Clearance { spent, .. }) if !sent => flow.unstarted(&endpoint.flow, spent, now),
            _ => flow.ended(&endpoint.flow, flight.started.at, feedback, now),
        }
        if let Some(pause) = heard.and_then(|heard| heard.pause) {
            flow.hold_until(&endpoint.flow, now + pause, now);
        }
        match (flight.pass(), heard.map(|heard| heard.signal)) {
            (Some(pass), Some(signal)) => {
                health.record(&endpoint.health, guard, pass, signal, now).edge()
            }
            (Some(pass), None) => {
                health.unstart(pass);
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
    pub(super) fn to_record(&self) -> Option<Kept> {
        let mut kept = self.kept.clone();
        kept.flow.set_in_flight(0);
        (kept != Kept::default()).then_some(kept)
    }
}
