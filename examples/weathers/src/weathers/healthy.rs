//! Nothing is wrong with the receiver, but perhaps with the clock.

use std::time::Duration;

use labhook::simulate::{ClockShift, Receiver};

use crate::weather::{Class, Weather, hours, minutes, secs};

pub fn list() -> Vec<Weather> {
    let healthy =
        |name: &str, receiver| Weather::new(Class::Healthy, name, receiver).may_not_trip();
    let step = |to| Receiver::new().add_latency_step(minutes(20), to);
    vec![
        healthy("20 ms", Receiver::new()).load_per(1, minutes(1)).lasts(hours(6)),
        healthy("20 ms", Receiver::new()).load(10),
        healthy("20 ms", Receiver::new()).load(200).lasts(minutes(30)),
        healthy("200 ms", Receiver::new().with_latency(Duration::from_millis(200))).load(100),
        healthy("2 s", Receiver::new().with_latency(secs(2))).load(20),
        healthy("20 ms, then 200 ms", step(Duration::from_millis(200))).load(50),
        healthy("20 ms, then 2 s", step(secs(2))).load(20),
        healthy("20 ms, then 8 s", step(secs(8))).load(10),
        healthy("clock a day ahead for 3 s", Receiver::new()).clock_jump(
            minutes(20),
            secs(3),
            ClockShift::Ahead(hours(24)),
        ),
        healthy("clock 5 min ahead, for good", Receiver::new().with_latency(secs(1))).clock_jump(
            minutes(20),
            hours(24),
            ClockShift::Ahead(minutes(5)),
        ),
        healthy("clock 1 h behind, for good", Receiver::new()).clock_jump(
            minutes(20),
            hours(24),
            ClockShift::Behind(hours(1)),
        ),
    ]
}
