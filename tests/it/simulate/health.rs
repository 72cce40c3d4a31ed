//! Changes of state, and recovery.

use labhook::delivery::Schedule;
use labhook::health::State;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Scenario};
use labhook::{EndpointPolicy, RetryPolicy, Verdict};

use super::{DAY, count, down, millis, plain, run};
use crate::support::secs;

#[test]
fn states_change_when_the_policy_says() {
    let load = Load::new(count(1), secs(60));
    let scenario = Scenario::new(load, secs(8 * DAY)).add_endpoint(
        EndpointPolicy::new(RetryPolicy::default()),
        down(8 * DAY, Behaviour::refuses_connections()),
    );
    let report = run(&scenario);
    // The fifth failure is that of the third message; each message before it has failed twice.
    let degraded = secs(120) + millis(20);
    let suspended = degraded + secs(22_500) + 6 * millis(20);
    let disabled = suspended + secs(7 * DAY) + millis(20);
    let states = [State::Degraded, State::Suspended, State::Disabled];
    let times = [degraded, suspended, disabled].map(Some);
    assert_eq!(states.map(|state| report.time_to(state)), times);
    assert_eq!(report.time_to(State::Healthy), None);
    assert_eq!(report.accepted, disabled.as_secs() / 60 + 1);
    assert_eq!(report.shed, 8 * 1_440 - report.accepted);
    assert_eq!(report.ended(Verdict::Delivered), 0);
    assert_eq!(report.pending, 0);
    // Four probes an hour at first, then one in four hours.
    assert!(report.attempts < 60, "{}", report.attempts);
}

#[test]
fn default_policy_recovers_gently() {
    let sides =
        [plain(RetryPolicy::new(Schedule::list([secs(30)]).forever())), EndpointPolicy::default()];
    let [hard, gentle] = sides.map(|policies| {
        let receiver = Receiver::new().with_capacity(count(20)).add_outage(
            secs(60),
            secs(660),
            Behaviour::refuses_connections(),
        );
        run(&Scenario::new(Load::per_second(count(5)), secs(1_800))
            .add_endpoint(policies, receiver))
    });
    assert_eq!([&hard, &gentle].map(|it| it.ended(Verdict::Delivered)), [9_000; 2]);
    // 3 000 wait, and each is retried every half minute.
    assert_eq!(hard.recovery.unwrap().peak_retries, 100);
    // Slow start doubles until requests are refused.
    assert!(gentle.recovery.unwrap().peak_requests < 2 * 20, "{:?}", gentle.recovery);
    assert!(gentle.overloaded * 20 < hard.overloaded, "{} {}", gentle.overloaded, hard.overloaded);
    assert!(gentle.attempts < 9_500, "{}", gentle.attempts);
    // Degraded by the fifth message, recovered by the second probe.
    assert_eq!(gentle.time_to(State::Degraded), Some(millis(820)));
    assert_eq!(gentle.time_to(State::Healthy), Some(millis(820 + 900_040)));
}
