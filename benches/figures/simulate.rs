//! The simulator.

use std::num::NonZeroU32;
use std::time::Duration;

use criterion::Criterion;
use labhook::EndpointPolicy;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Scenario};

pub(crate) fn simulate(criterion: &mut Criterion) {
    let minute = Duration::from_secs(60);
    // Periods that differ, so that the events do not come at once.
    let load = |number: u64| Load::new(NonZeroU32::MIN, Duration::from_millis(9_500 + 10 * number));
    let mut scenario = Scenario::new(load(0), minute).with_limit(minute);
    for number in 0..100_u64 {
        let down = Behaviour::refuses_connections();
        let receiver = Receiver::new();
        let receiver = if number % 5 == 0 {
            receiver.add_outage(Duration::ZERO, minute, down)
        } else {
            receiver
        };
        let policy = EndpointPolicy::default();
        scenario = scenario.add_endpoint_with_load(policy, receiver, load(number));
    }
    criterion.bench_function("simulate a minute, 100 endpoints, 10 events/s", |bencher| {
        bencher.iter(|| scenario.run());
    });
}
