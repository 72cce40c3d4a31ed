//! State of one endpoint in the outbox: [`EndpointState`].

use serde::Serialize;

use super::counters::Counters;
use super::in_flight::{AttemptKind, Clearance, EndedAttempt, InFlight};
use super::index::backlog::{Backlog, Phase};
use super::index::fair_queue::FairShare;
use super::index::outage::{Condition, Counted};
use super::index::timers::Scheduled;
use super::notice::Notice;
use super::slab::DeliveryNo;
use crate::endpoint::Endpoint;
use crate::flow::{Flow, FlowDecision, FlowPolicy, Receipt, Signal};
use crate::health::{
    Gate, Health, HealthPolicy, Intake, PendingOnDisable, SenderOutage, State, Transition,
};
use crate::id::EndpointId;
use crate::time::Timestamp;

/// The number of first attempts in a row after which a retry that is due goes next.
const MAX_FIRST_STREAK: u8 = 3;

/// One endpoint: its backlog, its health and flow, its record and its index entries.
#[derive(Clone, Debug, Default)]
pub(super) struct EndpointState {
    pub(super) backlog: Backlog,
    pub(super) persisted: Persisted,
    /// The state with which the record was last found to need writing. What the record has, or will
    /// have after the next save, is this or later, and differs from it only in measurements.
    pub(super) recorded: Persisted,
    pub(super) counters: Counters,
    pub(super) share: FairShare,
    pub(super) timer: Scheduled,
    /// Whether the probe in flight, if there is one, has not been handed out.
    pub(super) probe_unsent: bool,
    pub(super) counted: Counted,
}

/// The saved state of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Persisted {
    #[serde(skip_serializing_if = "is_default")]
    pub(super) health: Health,
    /// Attempts in flight are counted here only while the outbox runs. A record has none: the
    /// records of the deliveries contain them.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) flow: Flow,
    /// The number of first attempts in a row that went ahead of a retry that was due.
    #[serde(skip_serializing_if = "is_default")]
    pub(super) first_streak: u8,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What may go to an endpoint next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// An attempt at this delivery.
    Go { delivery: DeliveryNo, kind: AttemptKind },
    /// Nothing before this instant.
    Wait { until: Timestamp },
    /// Nothing until something other than time changes.
    Nothing,
}

impl EndpointState {
    /// Returns what may go next. Health and flow must be up to date: see
    /// [`Outbox::reconcile_endpoint`](super::Outbox::reconcile_endpoint).
    pub(super) fn next(&mut self, endpoint: &Endpoint, gate: Gate, now: Timestamp) -> Next {
        let Persisted { health, flow, first_streak } = &mut self.persisted;
        let (first, retry) = (self.backlog.first(), self.backlog.retry());
        let open = match (first, retry) {
            (Some(delivery), retry) if retry.is_none() || *first_streak < MAX_FIRST_STREAK => {
                Some((delivery, AttemptKind::First))
            }
            (_, retry) => retry.map(|delivery| (delivery, AttemptKind::Retry)),
        };
        let probe = self.backlog.probe().map(|delivery| (delivery, AttemptKind::Probe));
        let mut ask = |due: Option<(DeliveryNo, AttemptKind)>| match due {
            Some((delivery, kind)) => match flow.check(&endpoint.policy.flow, now) {
                FlowDecision::Go => Next::Go { delivery, kind },
                FlowDecision::Wait { until } => Next::Wait { until },
                FlowDecision::Busy => Next::Nothing,
            },
            None => Next::Nothing,
        };
        match gate {
            Gate::Open => ask(open),
            Gate::Probe => ask(probe),
            // The probe times out even if there is nothing else to send.
            Gate::Probing { deadline } => Next::Wait { until: deadline },
            Gate::Hold { until } => match ask(probe) {
                Next::Go { .. } => Next::Wait { until },
                Next::Wait { until: later } => Next::Wait { until: until.max(later) },
                Next::Nothing => Next::Nothing,
            },
            // A probe that times out during the pause must do so then, and not on resumption.
            Gate::Paused => match health.wake_at() {
                Some(until) => Next::Wait { until },
                None => Next::Nothing,
            },
            Gate::Disabled => Next::Nothing,
        }
    }

    /// Returns the number of deliveries due now that go before this one, as [`next`](Self::next)
    /// chooses them.
    pub(super) fn ahead(&self, sequence: u64, phase: Phase) -> usize {
        let streak = usize::from(self.persisted.first_streak.min(MAX_FIRST_STREAK));
        let most = usize::from(MAX_FIRST_STREAK);
        match phase {
            Phase::First => {
                let firsts = self.backlog.firsts(Some(sequence));
                let turns = streak.saturating_add(firsts).checked_div(most).unwrap_or(0);
                firsts.saturating_add(turns.min(self.backlog.retries(None)))
            }
            Phase::Retry { since } => {
                let retries = self.backlog.retries(Some((since, sequence)));
                let turns = retries.saturating_add(1).saturating_mul(most).saturating_sub(streak);
                retries.saturating_add(turns.min(self.backlog.firsts(None)))
            }
            _ => 0,
        }
    }

    /// Charges flow for the start of an attempt.
    pub(super) fn start(
        &mut self,
        policy: &FlowPolicy,
        kind: AttemptKind,
        now: Timestamp,
    ) -> Receipt {
        let goes_first = kind == AttemptKind::First && self.backlog.retry().is_some();
        let streak = &mut self.persisted.first_streak;
        *streak = if goes_first { streak.saturating_add(1) } else { 0 };
        self.persisted.flow.start(policy, now)
    }

    /// Cancels a probe that was not handed out before its deadline. It was not made, so it has not
    /// failed.
    pub(super) fn cancel_unsent_probe(&mut self, now: Timestamp) {
        if let Some(probe) = self.persisted.health.probe().filter(|_| self.probe_unsent)
            && probe.deadline().is_none_or(|deadline| now >= deadline)
        {
            self.probe_unsent = false;
            self.persisted.health.cancel_start(probe);
        }
    }

    /// Returns whether an attempt that was not handed out yet would not be started now: the
    /// endpoint is down now, or this attempt is no longer the probe.
    pub(super) fn is_overtaken(&self, in_flight: &InFlight) -> bool {
        let health = &self.persisted.health;
        match in_flight.permit() {
            Some(permit) if permit.is_probe() => !health.awaits(permit),
            Some(_) => !health.state().is_healthy(),
            None => false,
        }
    }

    /// Returns whether the endpoint takes a message of this ordering group if it is published now.
    pub(super) fn takes(&self, policy: &HealthPolicy, group: Option<&str>, now: Timestamp) -> bool {
        match self.persisted.health.intake(policy, now) {
            Intake::Take => true,
            // A delivery that is not due, or would be blocked, cannot be the probe.
            Intake::TakeIfNoneWaits => {
                let blocked = group.is_some_and(|group| self.backlog.is_blocked(group, u64::MAX));
                self.backlog.due() == 0 && !blocked
            }
            Intake::Shed => false,
        }
    }

    /// Returns whether the endpoint is enabled, and neither paused nor disabled.
    pub(super) fn is_in_use(&self, endpoint: &Endpoint) -> bool {
        let health = &self.persisted.health;
        endpoint.enabled && health.disabled().is_none() && health.paused_since().is_none()
    }

    /// Returns whether the endpoint is disabled, and its policy cancels what is pending then.
    pub(super) fn cancels_pending(&self, endpoint: &Endpoint) -> bool {
        self.persisted.health.disabled().is_some()
            && endpoint.policy.health.pending_on_disable() == PendingOnDisable::Cancel
    }

    /// Applies the end of an attempt to health and flow.
    pub(super) fn apply_ended(
        &mut self,
        endpoint: Option<&Endpoint>,
        outage: SenderOutage,
        ended: &EndedAttempt<'_>,
    ) -> Option<Transition> {
        let EndedAttempt { started, in_flight, outcome, ended_at: now, .. } = *ended;
        let Persisted { health, flow, .. } = &mut self.persisted;
        let Some(endpoint) = endpoint else {
            flow.set_in_flight(flow.in_flight().saturating_sub(1));
            return None;
        };
        let policy = &endpoint.policy;
        // A deadline that was found passed says nothing, and an attempt from before a restart may
        // never have been made: only a response proves that it was.
        let observation = outcome
            .filter(|_| !ended.unreported)
            .map(|outcome| policy.observe(outcome))
            .filter(|it| in_flight.clearance.is_some() || it.responded);
        let signal = observation.map(|it| it.signal);
        match in_flight.clearance {
            Some(Clearance { receipt, .. }) if !in_flight.sent => {
                flow.cancel_start(&policy.flow, receipt, now)
            }
            _ => {
                let pause = observation.and_then(|it| it.pause);
                flow.end(&policy.flow, started.at, signal.unwrap_or(Signal::Neutral), pause, now);
            }
        }
        match (in_flight.permit(), signal) {
            (Some(permit), Some(signal)) => {
                health.record(&policy.health, outage, permit, signal, now).transition()
            }
            // Its result may still be reported.
            (Some(_), None) if ended.unreported => None,
            (Some(permit), None) => {
                health.cancel_start(permit);
                None
            }
            (None, _) => None,
        }
    }

    /// Returns the notices of what was learned since the state was recorded.
    pub(super) fn flow_notices(
        &self,
        id: &EndpointId,
        policy: Option<&FlowPolicy>,
        pending: usize,
        at: Timestamp,
    ) -> impl Iterator<Item = Notice> {
        let (before, after) = (&self.recorded, &self.persisted);
        let endpoint = || id.clone();
        let learned = after.flow.refused_percent() > 0 && before.flow.refused_percent() == 0;
        let spacing = policy.filter(|_| learned).and_then(|policy| after.flow.spacing(policy));
        let paced = spacing.map(|spacing| Notice::EndpointPaced {
            endpoint: endpoint(),
            at,
            spacing,
            refused_percent: after.flow.refused_percent(),
            pending,
        });
        let refused_percent = after.flow.excused_percent();
        let excused = (refused_percent > 0 && before.flow.excused_percent() == 0)
            .then(|| Notice::RefusalsExcused { endpoint: endpoint(), at, refused_percent });
        let ignored = (after.flow.ignores_pauses() && !before.flow.ignores_pauses())
            .then(|| Notice::PausesIgnored { endpoint: endpoint(), at });
        paced.into_iter().chain(excused).chain(ignored)
    }

    /// Returns how the endpoint counts in the census of failing endpoints.
    pub(super) fn condition(&self, enabled: bool) -> Option<Condition> {
        let health = &self.persisted.health;
        match health.state() {
            _ if !enabled || health.paused_since().is_some() => None,
            State::Healthy => Some(Condition::Working),
            State::Down => Some(Condition::Failing),
            State::Disabled => None,
        }
    }

    /// Returns whether the record must be written: losing what it lacks would matter. In an orderly
    /// stop nothing may be lost.
    ///
    /// A crash then loses at most the running measurements of a healthy receiver, on which no
    /// guarantee depends: see [`Flow::needs_save`]. Health changes only if that matters, and the
    /// first attempts in a row are counted only while a retry waits for its turn.
    pub(super) fn needs_record(&self, stopping: bool) -> bool {
        self.persisted.needs_save(&self.recorded) || stopping && !self.is_recorded()
    }

    fn is_recorded(&self) -> bool {
        self.without_attempts().flow == self.recorded.flow
    }

    /// Notes that the record has, or will have, the state as it is.
    pub(super) fn note_recorded(&mut self) {
        self.recorded = self.without_attempts();
    }

    /// Returns whether the state is that of a new endpoint.
    pub(super) fn is_new(&self) -> bool {
        self.without_attempts() == Persisted::default()
    }

    /// Returns the state to record; `None` if losing it would not matter, or, when the process is to
    /// stop, if it is that of a new endpoint.
    ///
    /// Whether there is a record does not depend on when it is made: on what is saved with it.
    pub(super) fn record(&mut self, stopping: bool) -> Option<Persisted> {
        let matters = self.persisted.needs_save(&Persisted::default());
        if matters || stopping && !self.is_new() {
            return Some(self.without_attempts());
        }
        self.recorded = Persisted::default();
        None
    }

    /// Returns the state without attempts in flight, which a restart ends.
    fn without_attempts(&self) -> Persisted {
        let mut persisted = self.persisted.clone();
        persisted.flow.set_in_flight(0);
        persisted
    }
}

impl Persisted {
    /// Returns whether losing what differs from the saved state would matter.
    fn needs_save(&self, saved: &Self) -> bool {
        let Self { health, flow, first_streak } = self;
        *health != saved.health
            || *first_streak != saved.first_streak
            || flow.needs_save(&saved.flow)
    }
}
