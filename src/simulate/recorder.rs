//! Collects one endpoint's [`Report`] while a simulation runs.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::held_back::HeldBack;
use super::receiver::Receiver;
use super::report::{GoodMessages, Latency, Recovery, Report};
use super::series::Series;
use crate::delivery::Verdict;
use crate::health::State;
use crate::time::micros;

/// Attempts that were started in the current second.
#[derive(Default)]
struct Second {
    number: u64,
    requests: u64,
    retries: u64,
}

impl Second {
    /// Counts an attempt in second `number`, and returns that second's requests and retries.
    fn count(&mut self, number: u64, is_retry: bool) -> (u64, u64) {
        if self.number != number {
            *self = Self { number, ..Self::default() };
        }
        self.requests = self.requests.saturating_add(1);
        self.retries = self.retries.saturating_add(u64::from(is_retry));
        (self.requests, self.retries)
    }
}

pub(super) struct Recorder {
    back_at: Option<Duration>,
    second: Second,
    /// The same, only of attempts since the recovery.
    second_since: Second,
    /// Whether each message was accepted by the receiver, by number.
    received: Vec<bool>,
    latencies: Vec<u64>,
    /// Those of messages that are not poisoned.
    good_latencies: Vec<u64>,
    held_back: HeldBack,
    /// The number of open deliveries from before the recovery.
    old: u64,
    /// When the last of them ended.
    drained_at: Duration,
    report: Report,
}

impl Recorder {
    pub(super) fn new(receiver: &Receiver, points: NonZeroUsize) -> Self {
        let back_at = receiver.back_at();
        let recovery = back_at.map(|at| Recovery {
            at,
            first_success_after: None,
            peak_requests: 0,
            peak_retries: 0,
            drained_after: None,
        });
        let report = Report {
            accepted: 0,
            shed: 0,
            verdicts: BTreeMap::new(),
            pending: 0,
            attempts: 0,
            retries: 0,
            most_attempts: 0,
            failed: 0,
            while_down: 0,
            overloaded: 0,
            duplicates: 0,
            latency: None,
            good: GoodMessages::default(),
            peak_requests: 0,
            peak_retries: 0,
            held_back: Duration::ZERO,
            not_healthy: Duration::ZERO,
            outage_start: receiver.down_at(),
            recovery,
            states: Vec::new(),
            ended_at: Duration::ZERO,
            series: Series::new(points),
        };
        Self {
            back_at,
            second: Second::default(),
            second_since: Second::default(),
            received: Vec::new(),
            latencies: Vec::new(),
            good_latencies: Vec::new(),
            held_back: HeldBack::default(),
            old: 0,
            drained_at: Duration::ZERO,
            report,
        }
    }

    fn is_old(&self, accepted_at: Duration) -> bool {
        self.back_at.is_some_and(|back_at| accepted_at < back_at)
    }

    /// A message was published, and accepted for this endpoint or shed.
    pub(super) fn published(&mut self, accepted: bool, is_good: bool, at: Duration) {
        let published = &mut self.report.good.published;
        *published = published.saturating_add(u64::from(is_good));
        if !accepted {
            self.report.shed = self.report.shed.saturating_add(1);
            return;
        }
        if self.is_old(at) {
            self.old = self.old.saturating_add(1);
        }
        let Report { accepted, pending, series, .. } = &mut self.report;
        *accepted = accepted.saturating_add(1);
        let before = *pending;
        *pending = pending.saturating_add(1);
        let point = series.point(at.as_secs(), before);
        point.backlog = point.backlog.max(*pending);
    }

    pub(super) fn attempt_started(&mut self, attempt: u32, is_down: bool, at: Duration) {
        self.held_back.sent(at);
        let while_down = &mut self.report.while_down;
        *while_down = while_down.saturating_add(u64::from(is_down));
        let (is_retry, number) = (attempt > 1, at.as_secs());
        let (requests, retries) = self.second.count(number, is_retry);
        let report = &mut self.report;
        let point = report.series.point(number, report.pending);
        point.peak_requests = point.peak_requests.max(requests);
        let kind = if is_retry { &mut point.retries } else { &mut point.first_attempts };
        *kind = kind.saturating_add(1);
        report.attempts = report.attempts.saturating_add(1);
        report.retries = report.retries.saturating_add(u64::from(is_retry));
        report.peak_requests = report.peak_requests.max(requests);
        report.peak_retries = report.peak_retries.max(retries);
        if let Some(recovery) = report.recovery.as_mut().filter(|it| at >= it.at) {
            let (requests, retries) = self.second_since.count(number, is_retry);
            recovery.peak_requests = recovery.peak_requests.max(requests);
            recovery.peak_retries = recovery.peak_retries.max(retries);
        }
    }

    pub(super) const fn overloaded(&mut self) {
        self.report.overloaded = self.report.overloaded.saturating_add(1);
    }

    /// An attempt gets no 2xx response in time.
    pub(super) const fn failed(&mut self) {
        self.report.failed = self.report.failed.saturating_add(1);
    }

    /// The number of deliveries that were accepted and have not ended.
    pub(super) const fn pending(&self) -> u64 {
        self.report.pending
    }

    /// Seconds in which nothing happens.
    pub(super) const fn held_back(&mut self) -> &mut HeldBack {
        &mut self.held_back
    }

    /// The receiver accepted a copy of this message.
    pub(super) fn received(&mut self, number: u64, at: Duration) {
        if let Some(recovery) = self.report.recovery.as_mut().filter(|it| at >= it.at) {
            recovery.first_success_after.get_or_insert(at.saturating_sub(recovery.at));
        }
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        if self.received.len() <= index {
            self.received.resize(index.saturating_add(1), false);
        }
        if let Some(received) = self.received.get_mut(index)
            && std::mem::replace(received, true)
        {
            self.report.duplicates = self.report.duplicates.saturating_add(1);
        }
    }

    pub(super) fn delivery_ended(
        &mut self,
        accepted_at: Duration,
        verdict: Verdict,
        attempts: u32,
        is_good: bool,
        at: Duration,
    ) {
        if self.is_old(accepted_at) {
            self.old = self.old.saturating_sub(1);
            if self.old == 0 {
                self.drained_at = at;
            }
        }
        let report = &mut self.report;
        let count = report.verdicts.entry(verdict).or_default();
        *count = count.saturating_add(1);
        report.most_attempts = report.most_attempts.max(attempts);
        let point = report.series.point(at.as_secs(), report.pending);
        if verdict.is_delivered() {
            point.delivered = point.delivered.saturating_add(1);
            let latency = micros(at.saturating_sub(accepted_at));
            self.latencies.push(latency);
            if is_good {
                self.good_latencies.push(latency);
            }
        }
        report.pending = report.pending.saturating_sub(1);
    }

    /// Records the endpoint's state, if it has changed.
    pub(super) fn state(&mut self, state: State, at: Duration) {
        let states = &mut self.report.states;
        let before = states.last().map_or(State::Healthy, |(_, state)| *state);
        if state != before {
            states.push((at, state));
        }
    }

    pub(super) fn finish(self, ended_at: Duration) -> Report {
        let Self { old, drained_at, latencies, good_latencies, held_back, mut report, .. } = self;
        report.series.point(ended_at.as_secs(), report.pending);
        if let Some(recovery) = &mut report.recovery {
            let drained_after = drained_at.saturating_sub(recovery.at);
            recovery.drained_after = Some(drained_after).filter(|_| old == 0);
        }
        report.good.delivered = u64::try_from(good_latencies.len()).unwrap_or(u64::MAX);
        report.good.latency = Latency::from_micros(good_latencies);
        Report {
            ended_at,
            latency: Latency::from_micros(latencies),
            held_back: held_back.total(),
            not_healthy: not_healthy(&report.states, ended_at),
            ..report
        }
    }
}

/// The time in another state than healthy, which is the first one.
fn not_healthy(states: &[(Duration, State)], ended_at: Duration) -> Duration {
    let ends = states.iter().skip(1).map(|(at, _)| *at).chain([ended_at]);
    let sick = states.iter().zip(ends).filter(|((_, state), _)| *state != State::Healthy);
    let times = sick.map(|((from, _), to)| to.saturating_sub(*from));
    times.fold(Duration::ZERO, Duration::saturating_add)
}
