//! Messages that always fail, among good ones.

use labhook::simulate::{Behaviour, Poison, Receiver};

use super::status;
use crate::weather::{Class, Weather, hours, minutes, secs};

fn share(name: &str, per_million: u32, behaviour: Behaviour) -> Weather {
    let receiver = Receiver::new().add_poison(Poison::share(per_million, behaviour));
    Weather::new(Class::Poison, name, receiver).seeds(2)
}

/// One message a minute for a day, and poisoned ones that come at once before the first.
fn burst(name: &str, messages: u32, behaviour: Behaviour) -> Weather {
    let numbers = 0..u64::from(messages);
    let receiver = Receiver::new().add_poison(Poison::numbers(numbers, behaviour));
    Weather::new(Class::Poison, name, receiver)
        .load_per(1, minutes(1))
        .lasts(hours(24))
        .backlog(messages)
}

/// The same in a steady load: poisoned messages in a row.
fn row(name: &str, messages: u64, behaviour: Behaviour) -> Weather {
    let receiver = Receiver::new().add_poison(Poison::numbers(600..600 + messages, behaviour));
    Weather::new(Class::Poison, name, receiver).load(1)
}

pub fn list() -> Vec<Weather> {
    vec![
        burst("3 at once (500)", 3, status(500)).may_not_trip(),
        burst("8 at once (500)", 8, status(500)).may_not_trip(),
        burst("15 at once (404)", 15, status(404)).may_not_trip(),
        burst("15 at once, hanging", 15, Behaviour::Hangs).may_not_trip(),
        burst("96 at once (500)", 96, status(500)).may_trip_for(secs(240)),
        burst("300 at once (500)", 300, status(500)).load_per(10, minutes(1)),
        row("15 in a row (500)", 15, status(500)).may_not_trip(),
        row("96 in a row (500)", 96, status(500)).may_trip_for(secs(240)),
        share("1 % (500)", 10_000, status(500)),
        share("1 % (404)", 10_000, status(404)).load(100),
        share("1 % hang", 10_000, Behaviour::Hangs).load(20),
        share("10 % (500)", 100_000, status(500)),
        share("a third (404)", 333_333, status(404)),
        share("a third (500)", 333_333, status(500)).load(1),
    ]
}
