//! Receivers with an unknown limit of requests per second, each simulated against an adaptive flow.

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

/// How a receiver counts requests against its limit.
#[derive(Clone, Copy, Debug)]
enum Counts {
    /// Those accepted in the second that ends with the request.
    Sliding,
    /// Those accepted in each whole second of its own clock, which is 370 ms off.
    Seconds,
    /// As `Sliding`, and those refused too.
    All,
    /// A token bucket that holds this many seconds of its rate.
    Tokens(u64),
}

struct Receiver {
    counts: Counts,
    seen: VecDeque<Timestamp>,
    second: (i64, u64),
    /// In millionths of a token.
    tokens: u64,
    last: Timestamp,
}

impl Receiver {
    fn new(counts: Counts) -> Self {
        Self { counts, seen: VecDeque::new(), second: (0, 0), tokens: u64::MAX, last: at(0) }
    }

    fn accepts(&mut self, capacity: u64, now: Timestamp) -> bool {
        match self.counts {
            Counts::Sliding | Counts::All => {
                while self.seen.front().is_some_and(|at| *at + ms(1_000) <= now) {
                    self.seen.pop_front();
                }
                let accepted = self.seen.len() < usize::try_from(capacity).unwrap();
                if accepted || matches!(self.counts, Counts::All) {
                    self.seen.push_back(now);
                }
                accepted
            }
            Counts::Seconds => {
                let second = (now + ms(370)).unix_seconds();
                if second != self.second.0 {
                    self.second = (second, 0);
                }
                let accepted = self.second.1 < capacity;
                self.second.1 += u64::from(accepted);
                accepted
            }
            Counts::Tokens(seconds) => {
                let more = between(self.last, now) * capacity;
                self.last = now;
                let most = capacity * seconds * 1_000_000;
                self.tokens = self.tokens.saturating_add(more).min(most);
                let accepted = self.tokens >= 1_000_000;
                self.tokens -= if accepted { 1_000_000 } else { 0 };
                accepted
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Run {
    counts: Counts,
    /// In the first half, and in the second.
    capacity: [u64; 2],
    /// Events per second.
    offered: u64,
    latency: Duration,
    /// What a refusal means: a 429, or a 503.
    refusal: Feedback,
    seconds: u64,
    policy: FlowPolicy,
}

/// Over the second half of a run, or over its last quarter if the receiver changed at half-time.
#[derive(Debug, PartialEq)]
struct Figures {
    delivered_per_minute: u64,
    /// Refusals per thousand requests.
    refused_permille: u64,
    /// The most attempts in flight.
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
    let measured = if run.capacity[0] == run.capacity[1] {
        half
    } else {
        half + (end.saturating_since(half) / 2)
    };
    let (mut flow, mut receiver) = (Flow::new(), Receiver::new(run.counts));
    let mut responses: BTreeMap<(Timestamp, u64), (Timestamp, bool)> = BTreeMap::new();
    let mut retries: VecDeque<Timestamp> = VecDeque::new();
    let (mut started, mut sent, mut in_flight) = (0_u64, 0_u64, 0);
    let mut figures = [0_u64; 2];
    while now < end {
        while let Some(entry) = responses.first_entry().filter(|entry| entry.key().0 <= now) {
            let (started_at, accepted) = entry.remove();
            let feedback = if accepted { Feedback::Success } else { run.refusal };
            flow.end(policy, started_at, feedback, now);
            if !accepted {
                retries.push_back(now + ms(5_000));
            }
            if now >= measured {
                figures[usize::from(!accepted)] += 1;
            }
        }
        let arrived = between(start, now) * run.offered / 1_000_000;
        let mut next = end;
        // First attempts and retries in turn.
        loop {
            let mut went = false;
            for kind in [AttemptKind::First, AttemptKind::Retry] {
                let waiting = match kind {
                    AttemptKind::First => started < arrived,
                    _ => retries.front().is_some_and(|due| *due <= now),
                };
                if !waiting {
                    continue;
                }
                match flow.check(policy, kind, now) {
                    FlowDecision::Go => {
                        match kind {
                            AttemptKind::First => started += 1,
                            _ => _ = retries.pop_front(),
                        }
                        flow.start(policy, kind, now);
                        in_flight = in_flight.max(flow.in_flight());
                        // The request arrives after half the latency, the response after the other half.
                        let arrives = now + run.latency / 2;
                        let accepted =
                            receiver.accepts(run.capacity[usize::from(arrives >= half)], arrives);
                        sent += 1;
                        responses.insert((now + run.latency, sent), (now, accepted));
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
            responses.first_key_value().map(|((at, _), _)| *at),
            retries.front().copied().filter(|due| *due > now),
            (started >= arrived).then_some(arrival),
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

/// At least nine tenths of the limit is delivered, and less than a tenth is refused.
fn converges(name: &str, it: Run) -> Figures {
    let figures = run(&it);
    println!("{name:<44} {figures:?}");
    let capacity = it.capacity[1].min(it.offered);
    assert!(figures.delivered_per_minute >= capacity * 54, "{name}: {figures:?}");
    assert!(figures.refused_permille < 100, "{name}: {figures:?}");
    figures
}

#[test]
fn sliding_window_converges() {
    converges("golden: 50/s of 200 after 20 ms, one hour", golden());
}

#[test]
fn whole_seconds_converge() {
    converges("golden, counted in whole seconds", Run { counts: Counts::Seconds, ..golden() });
}

const COUNTS: [Counts; 5] =
    [Counts::Sliding, Counts::Seconds, Counts::All, Counts::Tokens(1), Counts::Tokens(10)];

/// Every way of counting, at 20 and 200 ms, for the limits in the two halves and the load offered.
fn all_converge(seconds: u64, cases: &[([u64; 2], u64)]) {
    let (few, many) = (8.try_into().unwrap(), 256.try_into().unwrap());
    // At 200 ms, 500 per second are a hundred in flight.
    let policy =
        FlowPolicy::adaptive().with_concurrency(ConcurrencyLimitPolicy::adaptive(few, many));
    for counts in COUNTS {
        for latency in [20, 200] {
            for &(capacity, offered) in cases {
                let name = format!("{counts:?} {capacity:?}/s of {offered} after {latency} ms");
                let latency = ms(latency);
                converges(
                    &name,
                    Run { counts, capacity, offered, latency, seconds, policy, ..golden() },
                );
            }
        }
    }
}

#[test]
fn slow_receivers_converge() {
    all_converge(1_200, &[([5, 5], 200), ([1, 1], 10)]);
}

#[test]
fn fast_receivers_converge() {
    all_converge(120, &[([50, 50], 200), ([500, 500], 1_000)]);
}

#[test]
fn changing_receivers_are_followed() {
    all_converge(320, &[([50, 5], 200), ([5, 50], 200), ([500, 5], 600), ([5, 500], 600)]);
}

/// Nothing is accepted for ten minutes, and then fifty per second.
#[test]
fn recovered_receivers_are_found() {
    all_converge(1_200, &[([0, 50], 200)]);
}

/// The load is a little above or below the limit.
#[test]
fn load_near_the_limit_is_met() {
    all_converge(480, &[([50, 50], 52), ([50, 50], 48), ([50, 50], 40)]);
}

/// A 503 may mean rate or concurrency. Both decrease, and at a short latency that converges too.
#[test]
fn overload_by_rate_converges() {
    for counts in COUNTS {
        let name = format!("{counts:?} with 503");
        converges(&name, Run { counts, refusal: Feedback::Overloaded, ..golden() });
    }
}

/// At a latency of one second less is reached, but the rate does not oscillate.
#[test]
fn long_latency_converges() {
    for counts in COUNTS {
        let run = run(&Run { counts, latency: ms(1_000), seconds: 1_200, ..golden() });
        println!("{counts:?} after 1000 ms {run:?}");
        assert!(run.delivered_per_minute >= 2_500 && run.refused_permille < 100, "{run:?}");
    }
}

#[test]
fn run_is_deterministic() {
    let it = Run { seconds: 120, ..golden() };
    assert_eq!(run(&it), run(&it));
}
