//! The receiver is down, once or by turns.

use std::time::Duration;

use labhook::simulate::{Behaviour, Limiter, Receiver};

use super::{code_of, connect, status};
use crate::weather::{Class, Weather, count, hours, minutes, secs};

const START: Duration = minutes(10);

/// An outage of this length, under a load that goes on for an hour after it, until three hours
/// after it.
fn outage(name: &str, lasts: Duration, behaviour: Behaviour, receiver: Receiver) -> Weather {
    let back = START + lasts;
    let receiver = receiver.add_outage(START, back, behaviour);
    Weather::new(Class::Outage, name, receiver).lasts(back + hours(1)).ends(back + hours(3))
}

/// Down by turns, up to the end of the run and beyond.
fn flapping(name: &str, period: Duration, down: Duration, behaviour: Behaviour) -> Weather {
    let receiver = Receiver::new().add_flapping(minutes(5), hours(24), period, down, behaviour);
    Weather::new(Class::Flapping, name, receiver).lasts(hours(2))
}

pub fn list() -> Vec<Weather> {
    let plain = Receiver::new;
    let second = secs(1);
    let limited = || Receiver::new().add_limiter(Limiter::sliding_window(count(50), second));
    let slow_start =
        Limiter::sliding_window(count(100), second).with_slow_start(count(5), minutes(5));
    let pause = Behaviour::retry_after(code_of(503), minutes(5));
    vec![
        outage("1 min, no connection", minutes(1), connect(), plain()).load(20),
        outage("10 min, hangs", minutes(10), Behaviour::Hangs, plain()).load(20),
        outage("30 min, 503", minutes(30), status(503), plain()).load(20),
        outage("30 min, 503 with Retry-After", minutes(30), pause, plain()).load(20),
        outage("30 min, 404", minutes(30), status(404), plain()).load(20),
        outage("30 min, then a limit of 50/s", minutes(30), connect(), limited())
            .load(20)
            .capacity(50),
        outage(
            "30 min, then a slow start",
            minutes(30),
            status(503),
            plain().add_limiter(slow_start),
        )
        .load(20)
        .capacity(100),
        outage("6 h, no connection", hours(6), connect(), plain()).load(20),
        outage("6 h, then a limit of 50/s", hours(6), status(502), limited()).load(10).capacity(50),
        outage("a day, 500", hours(24), status(500), plain()).load(2),
        outage("3 days, no connection", hours(72), connect(), plain()).load(1),
        outage("3 days, no connection", hours(72), connect(), plain()).load_per(1, minutes(1)),
        flapping("down 10 s of each minute", minutes(1), secs(10), connect()),
        flapping("down half of each minute", minutes(1), secs(30), connect()),
        flapping("down 3 of each 10 min", minutes(10), minutes(3), status(503)),
        flapping("down half of each 10 min", minutes(10), minutes(5), status(500)).load(5),
    ]
}
