//! A flow that is saved only when it needs it, in a process that crashes every few answers.

use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{
    ConcurrencyLimitPolicy, Flow, FlowDecision, FlowPolicy, RateLimitPolicy, Signal,
};

use super::{ms, nz};
use crate::support::{at, secs};

/// A flow and what its host has saved of it.
struct Row {
    policy: FlowPolicy,
    flow: Flow,
    saved: Flow,
    saves: u32,
    now: Timestamp,
    starts: Vec<Timestamp>,
    latency: Duration,
}

impl Row {
    fn new(policy: FlowPolicy) -> Self {
        let (flow, saved) = (Flow::new(), Flow::new());
        let starts = Vec::new();
        Self { policy, flow, saved, saves: 0, now: at(0), starts, latency: ms(20) }
    }

    fn save(&mut self) {
        if self.flow.needs_save(&self.saved) {
            self.saved = self.flow.clone();
            self.saves += 1;
        }
    }

    fn crash(&mut self) {
        self.flow = self.saved.clone();
        self.flow.set_in_flight(0);
        self.now += ms(1);
    }

    /// Starts an attempt when it may, or returns `false` if as many as may be are in flight.
    fn start(&mut self) -> bool {
        loop {
            match self.flow.check(&self.policy, self.now) {
                FlowDecision::Go => break,
                FlowDecision::Wait { until } => self.now = until,
                FlowDecision::Busy => return false,
            }
        }
        self.flow.start(&self.policy, self.now);
        self.starts.push(self.now);
        self.save();
        true
    }

    fn end(&mut self, started_at: Timestamp, signal: Signal) {
        self.flow.end(&self.policy, started_at, signal, None, self.now);
        self.save();
    }

    /// Sends one attempt after the other, up to this number.
    fn send(&mut self, attempts: u32, signal: Signal) {
        for _ in 0..attempts {
            assert!(self.start());
            let started_at = self.now;
            self.now += self.latency;
            self.end(started_at, signal);
        }
    }

    /// As [`send`](Self::send), in processes that crash after a few answers each.
    fn crash_loop(&mut self, processes: u32, attempts: u32, signal: Signal) {
        for _ in 0..processes {
            self.send(attempts, signal);
            self.crash();
        }
    }

    fn spacing(&self) -> Duration {
        self.flow.spacing(&self.policy).unwrap_or_default()
    }
}

#[test]
fn healthy_receiver_needs_almost_no_save() {
    let mut row = Row::new(FlowPolicy::adaptive());
    row.send(10_000, Signal::Success);
    assert_eq!(row.saves, 1, "the latency without a queue, once");
    assert_ne!(row.flow, row.saved);
    // One that does not adapt has nothing to measure.
    let mut row = Row::new(FlowPolicy::fixed());
    row.send(100, Signal::Success);
    assert_eq!((row.saves, &row.flow), (0, &row.saved));
}

#[test]
fn first_refusal_saves_all_that_was_measured() {
    let mut row = Row::new(FlowPolicy::adaptive());
    row.send(5, Signal::Success);
    assert_ne!(row.flow, row.saved);
    row.send(1, Signal::Refused);
    assert_eq!(row.flow, row.saved);
    row.send(5, Signal::Success);
    assert_eq!(row.flow, row.saved, "each answer of a sample with a refusal counts");
}

#[test]
fn crash_loop_still_cuts_the_rate() {
    let mut row = Row::new(FlowPolicy::adaptive());
    row.latency = ms(200);
    row.crash_loop(10, 5, Signal::Refused);
    assert!(row.spacing() > Duration::ZERO);
    // The cut is a trial, and it ends.
    row.crash_loop(10, 3, Signal::Success);
    assert_eq!(row.flow.refused_percent(), 100);
}

#[test]
fn crash_loop_keeps_a_slow_rate_and_leaves_it() {
    let mut row = Row::new(FlowPolicy::adaptive());
    while row.spacing() < secs(1) {
        row.send(1, Signal::Refused);
    }
    row.starts.clear();
    let spacing = row.spacing();
    row.crash_loop(3, 1, Signal::Success);
    let early = row.starts.windows(2).any(|pair| pair[0] + spacing > pair[1]);
    assert!(!early, "{:?}", row.starts);
    row.crash_loop(1_000, 3, Signal::Success);
    assert!(row.spacing() <= ms(100), "{:?}", row.spacing());
}

#[test]
fn lost_charge_costs_at_most_a_tenth_of_a_second() {
    let mut row = Row::new(FlowPolicy::adaptive());
    row.flow.recovered(row.now);
    row.save();
    row.latency = Duration::ZERO;
    row.crash_loop(50, 1, Signal::Success);
    // Each process sends one at once. Without a crash they are a tenth of a second apart.
    assert!(row.starts.windows(2).all(|pair| pair[0] + ms(1) == pair[1]));
    row.send(3, Signal::Success);
    assert!(row.starts[51..].windows(2).all(|pair| pair[0] + ms(100) == pair[1]));
}

#[test]
fn crash_loop_keeps_a_configured_rate() {
    let rate = RateLimitPolicy::per_second(nz(2)).with_burst(nz(3));
    let mut row = Row::new(FlowPolicy::adaptive().with_rate_limit(rate));
    row.crash_loop(100, 1, Signal::Success);
    for (number, first) in row.starts.iter().enumerate() {
        let within = row.starts[number..].iter().take_while(|it| **it < *first + secs(10));
        assert!(within.count() <= 3 + 2 * 10);
    }
}

#[test]
fn crash_loop_ends_a_trial_of_concurrency() {
    let limits = ConcurrencyLimitPolicy::adaptive(nz(1), nz(16));
    let mut row = Row::new(FlowPolicy::fixed().with_concurrency(limits));
    let round = |row: &mut Row, latency| {
        let first = row.starts.len();
        while row.start() {}
        row.now += latency;
        for started_at in row.starts.split_off(first) {
            row.end(started_at, Signal::Success);
        }
    };
    let limit = |row: &Row| row.flow.concurrency_limit(&row.policy).get();
    for _ in 0..1_000 {
        round(&mut row, ms(20));
    }
    assert_eq!(limit(&row), 16);
    while limit(&row) == 16 {
        round(&mut row, secs(1));
    }
    // From here on, no process has the eight answers that a sample takes.
    let mut least = 16;
    for _ in 0..200 {
        for _ in 0..5 {
            assert!(row.start());
            let started_at = row.now;
            row.now += secs(1);
            row.end(started_at, Signal::Success);
        }
        row.crash();
        least = least.min(limit(&row));
    }
    assert!(least <= 8, "{least}: the trial goes on");
    assert_eq!(limit(&row), 16, "the receiver is slow by itself, so the limit is restored");
}
