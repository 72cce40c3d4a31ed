//! Limiters, alone and with chance failures.

use std::time::Duration;

use labhook::simulate::{Chance, Limiter, Receiver};

use super::{bare, connect, status};
use crate::weather::{Class, Weather, count, secs};

fn receiver(limiter: Limiter) -> Receiver {
    Receiver::new().add_limiter(limiter)
}

fn sliding(limit: u32, seconds: u64) -> Limiter {
    Limiter::sliding_window(count(limit), secs(seconds))
}

fn fixed(limit: u32, seconds: u64) -> Limiter {
    Limiter::fixed_window(count(limit), secs(seconds))
}

pub fn list() -> Vec<Weather> {
    let limit = |name: &str, limiter| Weather::new(Class::Limit, name, receiver(limiter)).load(60);
    let long =
        |name: &str, limiter| Weather::new(Class::LongLimit, name, receiver(limiter)).load(60);
    let bucket = |burst| Limiter::token_bucket(count(50), secs(1), count(burst));
    let two = receiver(sliding(50, 1)).add_limiter(fixed(120, 3));
    let lossy = |name: &str, per_million, behaviour| {
        let chance = Chance::share(per_million, behaviour);
        let receiver = receiver(sliding(50, 1)).add_chance(chance);
        Weather::new(Class::LossAndLimit, name, receiver).load(60).seeds(2)
    };
    let quick = receiver(sliding(50, 1)).with_latency(Duration::from_millis(500));
    vec![
        limit("50/s, sliding", sliding(50, 1)).load(45),
        limit("50/s, sliding", sliding(50, 1)),
        limit("50/s, sliding", sliding(50, 1)).load(150),
        limit("5/s, sliding", sliding(5, 1)).load(6),
        limit("50/s, 503", sliding(50, 1).with_outcome(bare(503))),
        limit("50/s, with Retry-After", sliding(50, 1).with_retry_after()),
        limit("50/s, fixed window", fixed(50, 1)),
        limit("150 per 3 s, fixed", fixed(150, 3)),
        limit("150 per 3 s, Retry-After", fixed(150, 3).with_retry_after()),
        limit("bucket of 10", bucket(10)),
        limit("bucket of 500", bucket(500)),
        Weather::new(Class::Limit, "50/s, latency 500 ms", quick).load(60),
        Weather::new(Class::Limit, "50/s and 120 per 3 s", two).load(60),
        long("250 per 5 s, sliding", sliding(250, 5)),
        long("250 per 5 s, Retry-After", fixed(250, 5).with_retry_after()),
        long("500 per 10 s, fixed", fixed(500, 10)),
        long("500 per 10 s, Retry-After", sliding(500, 10).with_retry_after()),
        lossy("50/s, 10 % are 503", 100_000, status(503)),
        lossy("50/s, 30 % are 500", 300_000, status(500)),
        lossy("50/s, 20 % cannot connect", 200_000, connect()),
        lossy("50/s, 20 % are 429", 200_000, status(429)).load(40),
    ]
}
