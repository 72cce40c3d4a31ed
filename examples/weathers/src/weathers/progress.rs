//! Answers about one message ("still at it"), and periods in which part of the work fails.

use labhook::simulate::{Behaviour, Chance, Processing, Receiver};

use super::{code_of, status};
use crate::weather::{Class, Weather, minutes, secs};

pub fn list() -> Vec<Weather> {
    let busy = |code, after| Behaviour::retry_after(code_of(code), secs(after));
    let slow = |name: &str, behaviour| {
        let processing = Processing::new(minutes(1), behaviour).with_share(20_000);
        let receiver = Receiver::new().with_processing(processing);
        Weather::new(Class::InProgress, name, receiver).seeds(2)
    };
    let some = |name: &str, per_million, behaviour| {
        let receiver = Receiver::new().add_chance(Chance::share(per_million, behaviour));
        Weather::new(Class::InProgress, name, receiver).seeds(2)
    };
    let brown_out = |name: &str, per_million, behaviour| {
        let chance = Chance::share(per_million, behaviour).within(minutes(15), minutes(25));
        Weather::new(Class::InProgress, name, Receiver::new().add_chance(chance)).seeds(2)
    };
    vec![
        slow("2 % take 1 min, then 409", busy(409, 30)),
        slow("2 % take 1 min, then 425", status(425)),
        slow("2 % take 1 min, then 503", busy(503, 30)),
        some("10 % are 409, Retry-After", 100_000, busy(409, 30)),
        some("10 % are 503, Retry-After", 100_000, busy(503, 30)),
        brown_out("10 min: half are 500", 500_000, status(500)),
        brown_out("10 min: 80 % are 503", 800_000, status(503)),
        brown_out("10 min: 30 % hang", 300_000, Behaviour::Hangs),
    ]
}
