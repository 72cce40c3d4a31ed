//! Collects one endpoint's [`Report`] while a simulation runs.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use super::receiver::Receiver;
use super::report::{Latency, Recovery, Report};
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
            overloaded: 0,
            duplicates: 0,
            latency: None,
            peak_requests: 0,
            peak_retries: 0,
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
            old: 0,
            drained_at: Duration::ZERO,
            report,
        }
    }

    fn is_old(&self, accepted_at: Duration) -> bool {
        self.back_at.is_some_and(|back_at| accepted_at < back_at)
    }

    /// A message was published, and accepted for this endpoint or shed.
    pub(super) fn published(&mut self, accepted: bool, at: Duration) {
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

    pub(super) fn attempt_started(&mut self, attempt: u32, at: Duration) {
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

    /// The receiver accepted a copy of this message.
    pub(super) fn received(&mut self, number: u64) {
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
            self.latencies.push(micros(at.saturating_sub(accepted_at)));
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
        let Self { old, drained_at, latencies, mut report, .. } = self;
        report.series.point(ended_at.as_secs(), report.pending);
        if let Some(recovery) = &mut report.recovery {
            let drained_after = drained_at.saturating_sub(recovery.at);
            recovery.drained_after = Some(drained_after).filter(|_| old == 0);
        }
        Report { ended_at, latency: Latency::from_micros(latencies), ..report }
    }
}
