//! Weathers in which no bar holds, and in which a configured rate is the answer.

use labhook::simulate::{Limiter, Receiver};

use super::status;
use crate::weather::{Class, Weather, count, hours, minutes, secs};

pub fn list() -> Vec<Weather> {
    let open = |name: &str, receiver| Weather::new(Class::Open, name, receiver);
    let limited = |name: &str, limiter| open(name, Receiver::new().add_limiter(limiter));
    let turns =
        || Receiver::new().add_flapping(secs(0), hours(24), secs(40), secs(10), status(503));
    let minute = Limiter::fixed_window(count(600), minutes(1));
    let hour = Limiter::fixed_window(count(3_000), hours(1));
    let counting = || Limiter::sliding_window(count(50), secs(1)).counting_refused();
    vec![
        limited("50/s, counts what it refuses", counting()).load(60),
        limited("50/s, counts, Retry-After", counting().with_retry_after()).load(60),
        limited("600 per minute", minute.clone()).load(12),
        limited("600 per minute, Retry-After", minute.with_retry_after()).load(12),
        limited("3000 per hour", hour.clone()).load(1).lasts(hours(3)),
        limited("3000 per hour, Retry-After", hour.with_retry_after()).load(1).lasts(hours(3)),
        open("503 for 10 s of each 40 s", turns()).load(7),
        open("503 for 10 s of each 40 s", turns()).load(150),
    ]
}
