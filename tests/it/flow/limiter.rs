//! The flow of one endpoint, step by step.

use labhook::flow::{Flow, FlowDecision, FlowPolicy, RateLimitPolicy, Signal};

use super::{TICK, ms, nz};
use crate::support::{at, secs};

use Signal::{Failed, Gone, Neutral, Refused, Success};

/// The number of attempts that start at once.
fn room(flow: &mut Flow, policy: &FlowPolicy, second: i64) -> u32 {
    let mut went = 0;
    while flow.check(policy, at(second)) == FlowDecision::Go {
        flow.start(policy, at(second));
        went += 1;
    }
    went
}

// Known fault: a success while half-open releases the whole backlog at once.
#[test]
fn recovered_receiver_gets_a_slow_start() {
    let policy = FlowPolicy::adaptive();
    let mut flow = Flow::new();
    let min = policy.concurrency().min().unwrap();
    assert_eq!(room(&mut flow, &policy, 0), min.get());
    flow.set_in_flight(0);
    flow.recovered(at(1));
    flow.recovered(at(1));
    assert_eq!(flow.concurrency_limit(&policy), min);
    assert_eq!(room(&mut flow, &policy, 1), 1, "evenly spaced from the first on");
    assert_eq!(flow.check(&policy, at(1)), FlowDecision::Wait { until: at(1) + ms(100) });
    // A fixed limit has nothing to learn, and no rate.
    let mut flow = Flow::new();
    flow.recovered(at(1));
    assert_eq!(room(&mut flow, &FlowPolicy::fixed(), 1), 8);
}

// Known fault: an open breaker that returns a zero delay makes its caller spin.
#[test]
fn wait_is_always_later_than_now() {
    let policy = FlowPolicy::adaptive().with_rate_limit(RateLimitPolicy::per_second(nz(1)));
    let mut flow = Flow::new();
    flow.recovered(at(0));
    for clock in [at(0), at(0), at(-5)] {
        flow.start(&policy, clock);
        flow.end(&policy, clock, Refused, Some(secs(0)), clock);
        let FlowDecision::Wait { until } = flow.check(&policy, clock) else { panic!() };
        assert!(until > clock);
        assert_eq!(flow.check(&policy, until - TICK), FlowDecision::Wait { until });
        assert_eq!(flow.check(&policy, until), FlowDecision::Go);
    }
    assert_eq!(flow.in_flight(), 0, "no attempt was used up");
}

#[test]
fn each_signal_has_its_machine() {
    // Of one signal each, a hundred a second, slower than before and each with a wish for a pause.
    let after = |policy: &FlowPolicy, signal| {
        let mut flow = Flow::new();
        for (latency, signal) in [(20, Success), (900, signal)] {
            for tick in 0..400 {
                let now = at(if latency == 20 { 0 } else { 60 }) + ms(tick * 10);
                flow.start(policy, now);
                flow.end(policy, now, signal, None, now + ms(latency));
            }
        }
        let limit = flow.concurrency_limit(policy).get();
        (flow.spacing(policy).is_some(), limit)
    };
    let adaptive = FlowPolicy::adaptive();
    assert_eq!(after(&adaptive, Refused), (true, 8));
    for signal in [Failed, Neutral, Gone] {
        assert_eq!(after(&adaptive, signal), (false, 8), "{signal}");
    }
    assert!(!after(&adaptive, Success).0);
    assert_eq!(after(&adaptive.with_adaptive_rate(None), Refused), (false, 8));
    assert_eq!(after(&FlowPolicy::fixed(), Refused), (false, 8));
}

#[test]
fn in_flight_counts_starts_and_ends() {
    let policy = FlowPolicy::fixed();
    let mut flow = Flow::new();
    flow.end(&policy, at(0), Success, None, at(0));
    assert_eq!(room(&mut flow, &policy, 0), 8, "an extra end does no harm");
    for signal in [Success, Refused, Failed, Neutral, Gone] {
        assert_eq!(flow.check(&policy, at(0)), FlowDecision::Busy);
        flow.end(&policy, at(0), signal, None, at(0));
        assert_eq!(room(&mut flow, &policy, 0), 1, "{signal}");
    }
    assert_eq!(flow.check(&policy, at(0)).wake_at(), None);
    flow.set_in_flight(0);
    assert_eq!(flow.check(&policy, at(0)), FlowDecision::Go);
}
