//! What reports say about the sender: seconds held back, states, first successes.

use std::time::Duration;

use labhook::delivery::Schedule;
use labhook::flow::ConcurrencyLimitPolicy;
use labhook::health::State;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Poison, Receiver, Scenario};
use labhook::{EndpointPolicy, FlowPolicy, HealthPolicy, RetryPolicy, Verdict};

use super::{count, down, plain, run};
use crate::support::{answer, secs};

#[test]
fn idle_seconds_count_only_if_the_receiver_accepts() {
    // Ten messages at once, and one request at a time, which takes ten seconds.
    let flow = FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(count(1)));
    let policy =
        EndpointPolicy::new(RetryPolicy::none()).with_health(HealthPolicy::never()).with_flow(flow);
    let load = Load::per_second(count(10)).in_bursts(count(10));
    let scenario = |receiver: Receiver| {
        let receiver = receiver.with_latency(secs(10));
        run(&Scenario::new(load, secs(1)).add_endpoint(policy.clone(), receiver)).held_back
    };
    assert_eq!(scenario(Receiver::new()), secs(9 * 9));
    // Whole seconds of an outage are left out: 11 to 19, and 21 to 24.
    let refuses = Behaviour::Responds(answer(500));
    assert_eq!(scenario(down(25, refuses.clone())), secs(9 * 9 - 9 - 9 - 4));
    // A poisoned message would not have been accepted.
    let poison = |numbers| Receiver::new().add_poison(Poison::numbers(numbers, refuses.clone()));
    assert_eq!(scenario(poison(0..10)), Duration::ZERO);
    assert_eq!(scenario(poison(5..10)), secs(9 * 4));
}

#[test]
fn time_out_of_health_is_that_of_the_states() {
    let scenario = Scenario::new(Load::per_second(count(1)), secs(7_200))
        .add_endpoint(EndpointPolicy::default(), down(3_600, Behaviour::refuses_connections()));
    let report = run(&scenario);
    let mut expected = Duration::ZERO;
    for (index, (from, state)) in report.states.iter().enumerate() {
        let to = report.states.get(index + 1).map_or(report.ended_at, |(at, _)| *at);
        if *state != State::Healthy {
            expected += to - *from;
        }
    }
    assert!(expected > secs(3_000), "{expected:?}");
    assert_eq!(report.not_healthy, expected);
    assert_eq!(report.while_down, report.failed);
    assert!(report.while_down < 100, "{}", report.while_down);
    assert!(report.recovery.unwrap().first_success_after.is_some());
}

#[test]
fn first_success_follows_the_last_outage() {
    // Attempts at 0, 20, 40 s: down from 0 to 10 and from 15 to 30 s.
    let receiver = down(10, Behaviour::Responds(answer(503)))
        .add_outage(secs(15), secs(30), Behaviour::Hangs)
        .with_latency(Duration::ZERO);
    let policy = RetryPolicy::new(Schedule::list([secs(20); 2])).with_attempt_timeout(secs(5));
    let report = run(&super::one().add_endpoint(plain(policy), receiver));
    let recovery = report.recovery.unwrap();
    assert_eq!((recovery.at, recovery.first_success_after), (secs(30), Some(secs(15))));
    assert_eq!((report.while_down, report.failed, report.attempts), (2, 2, 3));
    assert_eq!(report.ended(Verdict::Delivered), 1);
}
