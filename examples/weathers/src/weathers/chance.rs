//! A share of the requests fails, whatever the message and however slow the sender.

use labhook::simulate::{Behaviour, Chance, Receiver};

use super::{connect, status};
use crate::weather::{Class, Weather, count, hours, minutes};

/// A receiver that fails this share of its requests, in percent.
pub fn share(percent: u32, behaviour: Behaviour) -> Receiver {
    Receiver::new().add_chance(Chance::share(percent * 10_000, behaviour))
}

pub fn list() -> Vec<Weather> {
    let chance = |name: &str, percent, behaviour| {
        Weather::new(Class::Chance, name, share(percent, behaviour)).may_not_trip().seeds(2)
    };
    let dead = Receiver::new().add_chance(Chance::one_in(count(3), connect()));
    vec![
        chance("1 % are 503", 1, status(503)),
        chance("5 % are 503", 5, status(503)).load(100),
        chance("15 % are 503", 15, status(503)).load(1),
        chance("15 % are 503", 15, status(503)),
        chance("15 % are 503", 15, status(503)).load(100),
        chance("50 % are 503", 50, status(503)),
        chance("15 % are 429", 15, status(429)),
        chance("33 % are 429", 33, status(429)).load(50),
        chance("33 % are 500", 33, status(500)),
        chance("33 % are 500", 33, status(500)).load_per(1, minutes(1)).lasts(hours(24)),
        chance("50 % are 500", 50, status(500)).load(50),
        chance("5 % time out", 5, Behaviour::Hangs),
        chance("20 % time out", 20, Behaviour::Hangs).load(20),
        chance("33 % cannot connect", 33, connect()),
        Weather::new(Class::Chance, "one of three backends dead", dead).may_not_trip(),
        Weather::new(Class::HeavyChance, "60 % are 503", share(60, status(503))).seeds(2),
        Weather::new(Class::HeavyChance, "60 % are 500", share(60, status(500))).seeds(2),
    ]
}
