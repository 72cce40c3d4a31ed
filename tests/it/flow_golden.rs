//! Receivers that refuse more than so many requests a second and say no more than that, each run
//! for a simulated time against a flow that is told no rate.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{
    AttemptKind, ConcurrencyLimitPolicy, Feedback, Flow, FlowDecision, FlowPolicy,
};

use crate::support::at;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// In microseconds.
fn between(earlier: Timestamp, later: Timestamp) -> u64 {
    later.saturating_since(earlier).as_micros().try_into().unwrap()
}

/// How a receiver counts.
#[derive(Clone, Copy, Debug)]
enum Counts {
    /// What it took in the second that ends with the request.
    Sliding,
    /// What it took in each whole second of its own clock, which is 370 ms off.
    Seconds,
    /// As `Sliding`, and what it refused too.
    All,
    /// Tokens that it saves up, so many seconds' worth.
    Tokens(u64),
}

struct Receiver {
    counts: Counts,
    seen: VecDeque<Timestamp>,
    second: (i64, u64),
    /// In millionths.
    tokens: u64,
    last: Timestamp,
}

impl Receiver {
    fn new(counts: Counts) -> Self {
        Self { counts, seen: VecDeque::new(), second: (0, 0), tokens: u64::MAX, last: at(0) }
    }

    fn takes(&mut self, capacity: u64, now: Timestamp) -> bool {
        match self.counts {
            Counts::Sliding | Counts::All => {
                while self.seen.front().is_some_and(|at| *at + ms(1_000) <= now) {
                    self.seen.pop_front();
                }
                let takes = self.seen.len() < usize::try_from(capacity).unwrap();
                if takes || matches!(self.counts, Counts::All) {
                    self.seen.push_back(now);
                }
                takes
            }
            Counts::Seconds => {
                let second = (now + ms(370)).unix_seconds();
                if second != self.second.0 {
                    self.second = (second, 0);
                }
                let takes = self.second.1 < capacity;
                self.second.1 += u64::from(takes);
                takes
            }
            Counts::Tokens(seconds) => {
                let more = between(self.last, now) * capacity;
                self.last = now;
                let most = capacity * seconds * 1_000_000;
                self.tokens = self.tokens.saturating_add(more).min(most);
                let takes = self.tokens >= 1_000_000;
                self.tokens -= if takes { 1_000_000 } else { 0 };
                takes
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Run {
    counts: Counts,
    /// In the first half, and in the second.
    capacity: [u64; 2],
    /// Events a second.
    offered: u64,
    latency: Duration,
    /// The status it refuses with: 429, or 503.
    refusal: Feedback,
    seconds: u64,
    policy: FlowPolicy,
}

/// Over the second half of a run; over its last quarter where the receiver changed at half-time.
#[derive(Debug, PartialEq)]
struct Figures {
    delivered_per_minute: u64,
    /// Of a thousand requests.
    refused_permille: u64,
    /// The most that were in flight.
    in_flight: u32,
}

fn golden() -> Run {
    Run {
        counts: Counts::Sliding,
        capacity: [50, 50],
        offered: 200,
        latency: ms(20),
        refusal: Feedback::TooFast,
        seconds: 3_600,
        policy: FlowPolicy::adaptive(),
    }
}

fn run(run: &Run) -> Figures {
    let policy = &run.policy;
    let (start, mut now) = (at(0), at(0));
    let end = start + Duration::from_secs(run.seconds);
    let half = start + Duration::from_secs(run.seconds / 2);
    // Where it changes at half-time, the last quarter is measured.
    let measured = if run.capacity[0] == run.capacity[1] {
        half
    } else {
        half + (end.saturating_since(half) / 2)
    };
    let (mut flow, mut receiver) = (Flow::new(), Receiver::new(run.counts));
    let mut answers: BTreeMap<(Timestamp, u64), (Timestamp, bool)> = BTreeMap::new();
    let mut retries: VecDeque<Timestamp> = VecDeque::new();
    let (mut taken, mut sent, mut in_flight) = (0_u64, 0_u64, 0);
    let mut figures = [0_u64; 2];
    while now < end {
        while let Some(entry) = answers.first_entry().filter(|entry| entry.key().0 <= now) {
            let (started_at, takes) = entry.remove();
            let feedback = if takes { Feedback::Success } else { run.refusal };
            flow.end(policy, started_at, feedback, now);
            if !takes {
                retries.push_back(now + ms(5_000));
            }
            if now >= measured {
                figures[usize::from(!takes)] += 1;
            }
        }
        let arrived = between(start, now) * run.offered / 1_000_000;
        let mut next = end;
        // First attempts and retries in turn.
        loop {
            let mut went = false;
            for class in [AttemptKind::First, AttemptKind::Retry] {
                let waiting = match class {
                    AttemptKind::First => taken < arrived,
                    _ => retries.front().is_some_and(|due| *due <= now),
                };
                if !waiting {
                    continue;
                }
                match flow.check(policy, class, now) {
                    FlowDecision::Go => {
                        match class {
                            AttemptKind::First => taken += 1,
                            _ => _ = retries.pop_front(),
                        }
                        flow.start(policy, class, now);
                        in_flight = in_flight.max(flow.in_flight());
                        // It arrives after half the latency, and the answer after the other half.
                        let there = now + run.latency / 2;
                        let takes = receiver.takes(run.capacity[usize::from(there >= half)], there);
                        sent += 1;
                        answers.insert((now + run.latency, sent), (now, takes));
                        went = true;
                    }
                    FlowDecision::Wait { until } => {
                        assert!(until > now);
                        next = next.min(until);
                    }
                    FlowDecision::Busy => assert!(flow.in_flight() > 0),
                }
            }
            if !went {
                break;
            }
        }
        let arrival =
            start + Duration::from_micros(((arrived + 1) * 1_000_000).div_ceil(run.offered));
        let wakes = [
            answers.first_key_value().map(|((at, _), _)| *at),
            retries.front().copied().filter(|due| *due > now),
            (taken >= arrived).then_some(arrival),
        ];
        now = wakes.into_iter().flatten().fold(next, Timestamp::min);
    }
    let [delivered, refused] = figures;
    Figures {
        delivered_per_minute: delivered * 60 / end.saturating_since(measured).as_secs(),
        refused_permille: refused * 1_000 / (delivered + refused).max(1),
        in_flight,
    }
}

/// At least nine tenths of what it takes is delivered, and fewer than a tenth are refused.
fn settles(name: &str, it: Run) -> Figures {
    let figures = run(&it);
    println!("{name:<44} {figures:?}");
    let capacity = it.capacity[1].min(it.offered);
    assert!(figures.delivered_per_minute >= capacity * 54, "{name}: {figures:?}");
    assert!(figures.refused_permille < 100, "{name}: {figures:?}");
    figures
}

#[test]
fn golden_run() {
    settles("golden: 50/s of 200 after 20 ms, an hour", golden());
}

#[test]
fn golden_run_with_whole_seconds() {
    settles("golden, counted in whole seconds", Run { counts: Counts::Seconds, ..golden() });
}

const COUNTS: [Counts; 5] =
    [Counts::Sliding, Counts::Seconds, Counts::All, Counts::Tokens(1), Counts::Tokens(10)];

/// Each way of counting, at 20 and 200 ms, for what is taken in the two halves and what is offered.
fn all_settle(seconds: u64, cases: &[([u64; 2], u64)]) {
    let (few, many) = (8.try_into().unwrap(), 256.try_into().unwrap());
    // At 200 ms, 500 a second are a hundred in flight.
    let policy =
        FlowPolicy::adaptive().with_concurrency(ConcurrencyLimitPolicy::adaptive(few, many));
    for counts in COUNTS {
        for latency in [20, 200] {
            for &(capacity, offered) in cases {
                let name = format!("{counts:?} {capacity:?}/s of {offered} after {latency} ms");
                let latency = ms(latency);
                settles(
                    &name,
                    Run { counts, capacity, offered, latency, seconds, policy, ..golden() },
                );
            }
        }
    }
}

#[test]
fn slow_receivers_settle() {
    all_settle(1_200, &[([5, 5], 200), ([1, 1], 10)]);
}

#[test]
fn fast_receivers_settle() {
    all_settle(120, &[([50, 50], 200), ([500, 500], 1_000)]);
}

#[test]
fn receivers_that_change_are_followed() {
    all_settle(320, &[([50, 5], 200), ([5, 50], 200), ([500, 5], 600), ([5, 500], 600)]);
}

/// Nothing is taken for ten minutes, and then fifty a second.
#[test]
fn receivers_that_come_back_are_found() {
    all_settle(1_200, &[([0, 50], 200)]);
}

/// What is offered is little more, or less, than what is taken.
#[test]
fn demand_near_the_limit_is_met() {
    all_settle(480, &[([50, 50], 52), ([50, 50], 48), ([50, 50], 40)]);
}

/// A 503 may mean the rate or the number at once. Both yield, and with a short way it settles too.
#[test]
fn overload_that_is_a_rate_settles() {
    for counts in COUNTS {
        let name = format!("{counts:?} with 503");
        settles(&name, Run { counts, refusal: Feedback::Overloaded, ..golden() });
    }
}

/// The way there is a second long: less is reached, and it still does not swing.
#[test]
fn a_long_way_settles() {
    for counts in COUNTS {
        let run = run(&Run { counts, latency: ms(1_000), seconds: 1_200, ..golden() });
        println!("{counts:?} after 1000 ms {run:?}");
        assert!(run.delivered_per_minute >= 2_500 && run.refused_permille < 100, "{run:?}");
    }
}

#[test]
fn a_run_is_the_same_each_time() {
    let it = Run { seconds: 120, ..golden() };
    assert_eq!(run(&it), run(&it));
}
