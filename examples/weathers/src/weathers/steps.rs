//! The capacity changes, or messages come in bursts.

use labhook::simulate::{Limiter, Receiver};

use crate::weather::{Class, Weather, count, hours, minutes, secs};

fn steps(name: &str, first: u32, steps: &[(u64, u32)]) -> Weather {
    let mut limiter = Limiter::sliding_window(count(first), secs(1));
    for (at, limit) in steps {
        limiter = limiter.add_step(minutes(*at), count(*limit));
    }
    Weather::new(Class::Steps, name, Receiver::new().add_limiter(limiter))
}

/// Bursts of `messages`, every `every` minutes.
fn bursts(name: &str, messages: u32, every: u64, limit: Option<u32>) -> Weather {
    let mut receiver = Receiver::new();
    if let Some(limit) = limit {
        receiver = receiver.add_limiter(Limiter::sliding_window(count(limit), secs(1)));
    }
    let weather = Weather::new(Class::Bursts, name, receiver);
    weather.load_per(messages, minutes(every)).at_once(messages)
}

pub fn list() -> Vec<Weather> {
    vec![
        steps("100/s, 10/s, 100/s", 100, &[(20, 10), (40, 100)]).load(60),
        steps("100/s, then 50/s", 100, &[(20, 50)]).load(60),
        steps("20/s, then 200/s", 20, &[(20, 200)]).load(60),
        steps(
            "50/s and 100/s, every 5 min",
            50,
            &[(5, 100), (10, 50), (15, 100), (20, 50), (25, 100)],
        )
        .load(60),
        bursts("1000 every 5 min, no limit", 1_000, 5, None),
        bursts("1000 every 5 min, 50/s", 1_000, 5, Some(50)),
        bursts("20 000 at once, 50/s", 20_000, 60, Some(50)).ends(hours(2)),
        bursts("5000 every 15 min, 20/s", 5_000, 15, Some(20)).ends(hours(2)),
    ]
}
