//! The simulator.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::EndpointPolicy;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Scenario};

use super::outbox::count;
use crate::fixture::DAY;
use crate::measure::{Effort, Work, compare_once, millis};
use crate::row::{Row, Unit};

/// A fifth of the endpoints are down all the time. All together get 100 events a second, each for
/// one endpoint, and at instants that differ: the periods differ by up to a tenth.
fn scenario(endpoints: u32, duration: Duration) -> Scenario {
    let period = Duration::from_millis(10) * endpoints;
    let load =
        |number| Load::new(NonZeroU32::MIN, (period * 19 + period * 2 * number / endpoints) / 20);
    let mut scenario = Scenario::new(load(0), duration).with_limit(duration);
    for number in 0..endpoints {
        let receiver = if number % 5 == 0 {
            let down = Behaviour::refuses_connections();
            Receiver::new().add_outage(Duration::ZERO, duration, down)
        } else {
            Receiver::new()
        };
        let policy = EndpointPolicy::default();
        scenario = scenario.add_endpoint_with_load(policy, receiver, load(number));
    }
    scenario
}

pub fn simulate(effort: Effort) -> Vec<Row> {
    let endpoints = if effort.quick { 100 } else { 1_000 };
    let probe = Duration::from_secs(if effort.quick { 10 } else { 60 });
    let (first, _) = millis(|| scenario(endpoints, probe).run());
    // A whole day if that takes at most some minutes, or else as much of it as does.
    let budget = if effort.quick {
        2e3
    } else if effort.huge {
        f64::MAX
    } else {
        120e3
    };
    let affordable = probe.mul_f64((budget / first).min(1e6)).min(DAY);
    let duration = Duration::from_secs(affordable.as_secs().max(probe.as_secs()));
    let (taken, _) = millis(|| scenario(endpoints, duration).run());
    let work = format!(
        "simulate {}, {} endpoints of which a fifth are down, 100 events/s",
        show(duration),
        count(endpoints as usize)
    );
    let speed = duration.as_secs_f64() * 1e3 / taken;
    let speed = Row::new(work, "real time", Unit::TimesFaster).one(speed);

    let few = endpoints / 100;
    let duration = probe;
    let mut many = Work(|| scenario(endpoints, duration).run());
    let mut fewer = Work(|| scenario(few.max(1), duration).run());
    let compared = compare_once(effort, &mut many, &mut fewer);
    let work = format!("simulate 100 events/s, {} endpoints", count(endpoints as usize));
    let against = format!("the same events, {few} endpoints");
    vec![speed, Row::new(work, against, Unit::Times).one(compared.ratio)]
}

fn show(duration: Duration) -> String {
    match duration {
        DAY => "a day".to_owned(),
        other if other.as_secs() >= 7_200 => format!("{} h", other.as_secs() / 3_600),
        other if other.as_secs() >= 120 => format!("{} min", other.as_secs() / 60),
        other => format!("{} s", other.as_secs()),
    }
}
