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
    // The twentieth message, each of which has been retried in vain, opens the circuit.
    let down = secs(19 * 60) + millis(20);
    let disabled = down + secs(7 * DAY) + millis(20);
    let states = [State::Down, State::Disabled];
    assert_eq!(states.map(|state| report.time_to(state)), [down, disabled].map(Some));
    assert_eq!(report.states.len(), 2);
    assert_eq!(report.accepted, disabled.as_secs() / 60 + 1);
    assert_eq!(report.shed, 8 * 1_440 - report.accepted);
    assert_eq!(report.ended(Verdict::Delivered), 0);
    assert_eq!(report.pending, 0);
    // A probe every ten minutes, and three attempts of each message before.
    assert!(report.attempts < 7 * 150 + 60, "{}", report.attempts);
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
    assert!(gentle.recovery.unwrap().peak_requests <= 2 * 20, "{:?}", gentle.recovery);
    assert!(gentle.overloaded * 20 < hard.overloaded, "{} {}", gentle.overloaded, hard.overloaded);
    assert!(gentle.attempts < 9_500, "{}", gentle.attempts);
    // Down with the twentieth message, 3.8 s after the start of the outage. The probes are 10, 15,
    // 22 s and so on apart, so the recovery is found within half as long again as the outage.
    assert_eq!(gentle.time_to(State::Down), Some(millis(3_820)));
    let healthy = gentle.time_to(State::Healthy).unwrap();
    assert!(healthy > secs(600) && healthy < secs(900), "{healthy:?}");
}
