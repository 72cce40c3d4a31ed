//! Receivers with an unknown limit of requests per second, each simulated against an adaptive flow.

use std::time::Duration;

use labhook::flow::FlowPolicy;

use super::ms;
use super::receiver::{Counts, Figures, Limiter, Reply, Sim};
use crate::support::secs;

#[derive(Clone, Copy)]
struct Run {
    counts: Counts,
    /// In the first half, and in the second.
    capacity: [u64; 2],
    /// Events per second.
    offered: u64,
    latency: Duration,
    seconds: u64,
}

fn golden() -> Run {
    Run {
        counts: Counts::Sliding,
        capacity: [50, 50],
        offered: 200,
        latency: ms(20),
        seconds: 3_600,
    }
}

/// Over the second half of a run, or over its last quarter if the receiver changed at half-time.
fn run(it: &Run) -> (Figures, u64) {
    let (mut sim, half) = (Sim::new(FlowPolicy::adaptive()), it.seconds / 2);
    let mut limiter = Limiter::new(it.counts, it.capacity[0]);
    let mut receive = |sim: &mut Sim, seconds: u64, capacity: u64| {
        limiter.capacity = capacity;
        // The request arrives after half the latency, the response after the other half.
        sim.run(secs(seconds), it.offered, |now, _| Reply {
            latency: it.latency,
            ..Reply::new(!limiter.accepts(now + it.latency / 2))
        })
    };
    receive(&mut sim, half, it.capacity[0]);
    if it.capacity[0] == it.capacity[1] {
        return (receive(&mut sim, half, it.capacity[1]), half);
    }
    receive(&mut sim, half / 2, it.capacity[1]);
    (receive(&mut sim, half / 2, it.capacity[1]), half / 2)
}

/// What is demanded of a run.
#[derive(Clone, Copy)]
struct Demand {
    /// At least so many percent of the limit are delivered.
    delivered: u64,
    /// At most so many of a hundred requests are refused.
    refused: u64,
}

const GOOD: Demand = Demand { delivered: 90, refused: 10 };

/// Makes the runs, and checks them all at the end.
fn all_meet(demand: Demand, runs: impl IntoIterator<Item = Run>) {
    let mut failed = Vec::new();
    for it in runs {
        let (figures, seconds) = run(&it);
        let Run { counts, capacity, offered, latency, .. } = it;
        let most = capacity[1].min(offered) * seconds;
        let (reached, refused) = (figures.delivered * 100 / most, figures.refused_permille());
        let name = format!("{counts:?} {capacity:?}/s of {offered} after {latency:?}");
        let line = format!("{name:<44} {reached:>3} %, refused {refused} permille, {figures:?}");
        println!("{line}");
        if reached < demand.delivered || refused >= demand.refused * 10 {
            failed.push(line);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The ways of counting that do not punish what is refused.
const COUNTS: [Counts; 4] =
    [Counts::Sliding, Counts::Seconds, Counts::Tokens(1), Counts::Tokens(10)];

/// Every way of counting, at 20 and 200 ms, for the limits in the two halves and the load offered.
fn all_converge(seconds: u64, demand: Demand, cases: &[([u64; 2], u64)]) {
    let mut runs = Vec::new();
    for counts in COUNTS {
        for latency in [20, 200].map(ms) {
            for &(capacity, offered) in cases {
                runs.push(Run { counts, capacity, offered, latency, seconds });
            }
        }
    }
    all_meet(demand, runs);
}

#[test]
fn sliding_window_converges() {
    all_meet(GOOD, [golden()]);
}

#[test]
fn whole_seconds_converge() {
    all_meet(GOOD, [Run { counts: Counts::Seconds, ..golden() }]);
}

#[test]
fn windows_of_three_seconds_converge() {
    all_meet(GOOD, [2, 3].map(|seconds| Run { counts: Counts::Windows(seconds), ..golden() }));
}

/// What such a receiver refuses uses up its limit too. It takes a configured rate to do better.
#[test]
fn limiter_that_counts_refused_ones_is_used() {
    let demand = Demand { delivered: 65, refused: 25 };
    let of = |capacity| Run { counts: Counts::All, capacity: [capacity; 2], ..golden() };
    all_meet(demand, [5, 20, 50, 150].map(of));
}

#[test]
fn slow_receivers_converge() {
    all_converge(3_600, GOOD, &[([5, 5], 200)]);
}

/// Such a receiver refuses every other request of a sender that is a little too fast.
#[test]
fn one_request_per_second_is_found() {
    all_converge(3_600, Demand { delivered: 60, refused: 10 }, &[([1, 1], 10)]);
}

#[test]
fn fast_receivers_converge() {
    all_converge(120, GOOD, &[([50, 50], 200), ([500, 500], 1_000)]);
}

#[test]
fn changing_receivers_are_followed() {
    // At 5 per second it takes minutes until a thousand answers allow a climb.
    all_converge(3_200, GOOD, &[([50, 5], 200), ([5, 50], 200), ([500, 5], 600), ([5, 500], 600)]);
}

/// Nothing is accepted for ten minutes, and then fifty per second.
#[test]
fn recovered_receivers_are_found() {
    all_converge(1_200, GOOD, &[([0, 50], 200)]);
}

/// The load is a little above or below the limit.
#[test]
fn load_near_the_limit_is_met() {
    all_converge(480, GOOD, &[([50, 50], 52), ([50, 50], 48), ([50, 50], 40)]);
}

/// At a latency of one second less is reached, but the rate does not oscillate.
#[test]
fn long_latency_converges() {
    let demand = Demand { delivered: 83, refused: 10 };
    let of = |counts| Run { counts, latency: ms(1_000), seconds: 1_200, ..golden() };
    all_meet(demand, COUNTS.map(of));
}

#[test]
fn run_is_deterministic() {
    let it = Run { seconds: 120, ..golden() };
    assert_eq!(run(&it), run(&it));
}
