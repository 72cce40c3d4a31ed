//! Random weathers, drawn from a seed.

use std::time::Duration;

use labhook::simulate::{Behaviour, Chance, Limiter, Poison, Processing, Queue, Receiver};

use crate::contest::Row;
use crate::policy::Name;
use crate::weather::{Class, Weather, count, hours, minutes, secs};

/// No run has more messages.
const MOST_MESSAGES: f64 = 200_000.0;

/// Draws `number` weathers. Each is run with one seed.
pub fn draw(seed: u64, number: u64) -> Vec<(Weather, Vec<u64>)> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..number).map(|index| (Draw::new(random.fork()).weather(), vec![seed + index])).collect()
}

struct Draw {
    random: fastrand::Rng,
    /// Messages per second.
    rate: f64,
    lasts: Duration,
    ends: Duration,
    at_once: u32,
    oracle_in_flight: usize,
    names: Vec<String>,
}

impl Draw {
    fn new(random: fastrand::Rng) -> Self {
        let mut draw = Self {
            random,
            rate: 0.0,
            lasts: Duration::ZERO,
            ends: Duration::ZERO,
            at_once: 1,
            oracle_in_flight: usize::MAX,
            names: Vec::new(),
        };
        draw.rate = draw.between(0.1, 200.0);
        let most = (MOST_MESSAGES / draw.rate).min(6.0 * 3_600.0);
        draw.lasts = secs(draw.between(600.0, most.max(900.0)) as u64);
        draw.ends = draw.lasts + minutes(10);
        draw
    }

    /// A number between two others, evenly on a logarithmic scale.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        (low.ln() + self.random.f64() * (high / low).ln()).exp()
    }

    fn weather(mut self) -> Weather {
        let mut receiver = Receiver::new();
        let mut kinds = vec![self.random.u8(0..10)];
        // A quarter of the weathers is two in one.
        if self.random.u8(0..4) == 0 {
            let other = self.random.u8(0..10);
            kinds.extend(Some(other).filter(|other| *other != kinds[0]));
        }
        for kind in kinds {
            receiver = match kind {
                0 | 1 => self.chance(receiver),
                2 => self.poison(receiver),
                3 | 4 => self.limiter(receiver),
                5 => self.queue(receiver),
                6 => self.outage(receiver),
                7 => self.flapping(receiver),
                8 => self.burst(receiver),
                _ => self.slow(receiver),
            };
        }
        let events = (self.rate * 1_000.0).round().max(1.0) as u32;
        let name = self.names.join(" + ");
        Weather::new(Class::Open, format!("{name}, for {} s", self.lasts.as_secs()), receiver)
            .load_per(events, secs(1_000))
            .lasts(self.lasts)
            .ends(self.ends)
            .at_once(self.at_once)
            .oracle_in_flight(self.oracle_in_flight)
    }

    fn behaviour(&mut self) -> (&'static str, Behaviour) {
        let status = |code| Behaviour::status(code);
        let pause = secs(self.between(1.0, 60.0) as u64);
        match self.random.u8(0..7) {
            0 => ("429", status(http::StatusCode::TOO_MANY_REQUESTS)),
            1 => ("500", status(http::StatusCode::INTERNAL_SERVER_ERROR)),
            2 => ("503", status(http::StatusCode::SERVICE_UNAVAILABLE)),
            3 => ("404", status(http::StatusCode::NOT_FOUND)),
            4 => ("hangs", Behaviour::Hangs),
            5 => {
                let busy = http::StatusCode::SERVICE_UNAVAILABLE;
                ("503 with Retry-After", Behaviour::retry_after(busy, pause))
            }
            _ => ("no connection", Behaviour::refuses_connections()),
        }
    }

    fn chance(&mut self, receiver: Receiver) -> Receiver {
        let (name, behaviour) = self.behaviour();
        let share = self.between(0.01, 0.6);
        self.names.push(format!("{:.0} % chance ({name})", share * 100.0));
        receiver.add_chance(Chance::share((share * 1e6) as u32, behaviour))
    }

    fn poison(&mut self, receiver: Receiver) -> Receiver {
        let (name, behaviour) = self.behaviour();
        let share = self.between(0.001, 0.33);
        self.names.push(format!("{:.1} % poisoned ({name})", share * 100.0));
        receiver.add_poison(Poison::share((share * 1e6) as u32, behaviour))
    }

    fn limiter(&mut self, receiver: Receiver) -> Receiver {
        let window = self.between(0.5, 10.0);
        let per_second = self.rate * self.between(0.4, 3.0);
        let limit = count((per_second * window).round().max(1.0) as u32);
        let time = Duration::from_secs_f64(window);
        let (kind, limiter) = match self.random.u8(0..3) {
            0 => ("sliding", Limiter::sliding_window(limit, time)),
            1 => ("fixed", Limiter::fixed_window(limit, time)),
            _ => {
                let burst = count((self.between(1.0, 10.0) * f64::from(limit.get())) as u32);
                ("bucket", Limiter::token_bucket(limit, time, burst))
            }
        };
        let pauses = self.random.bool();
        let limiter = if pauses { limiter.with_retry_after() } else { limiter };
        let with = if pauses { ", Retry-After" } else { "" };
        self.names.push(format!("{limit} per {window:.1} s {kind}{with}"));
        receiver.add_limiter(limiter)
    }

    fn queue(&mut self, receiver: Receiver) -> Receiver {
        let per_second = (self.rate * self.between(0.6, 3.0)).ceil() as u32;
        let queue = Queue::new(count(per_second));
        let threshold = self.between(4.0, 200.0) as u32;
        self.oracle_in_flight = threshold as usize;
        if self.random.bool() {
            self.names.push(format!("queue {per_second}/s, thrashes beyond {threshold}"));
            return receiver.with_queue(queue.with_thrashing(count(threshold)));
        }
        self.names.push(format!("queue {per_second}/s, {threshold} wait"));
        receiver.with_queue(queue.with_max_waiting(threshold))
    }

    fn outage(&mut self, receiver: Receiver) -> Receiver {
        let (name, behaviour) = self.behaviour();
        let down = secs(self.between(60.0, 12.0 * 3_600.0) as u64);
        let from = self.lasts / 4;
        self.ends = self.ends.max(from + down + hours(2));
        self.names.push(format!("outage of {} s ({name})", down.as_secs()));
        receiver.add_outage(from, from + down, behaviour)
    }

    fn flapping(&mut self, receiver: Receiver) -> Receiver {
        let (name, behaviour) = self.behaviour();
        let period = self.between(20.0, 1_200.0);
        let down = period * self.between(0.1, 0.7);
        self.names.push(format!("down {down:.0} s of each {period:.0} s ({name})"));
        let [period, down] = [period, down].map(Duration::from_secs_f64);
        receiver.add_flapping(secs(60), hours(48), period, down, behaviour)
    }

    fn burst(&mut self, receiver: Receiver) -> Receiver {
        let most = (self.rate * self.lasts.as_secs_f64() / 3.0).clamp(2.0, 10_000.0);
        self.at_once = self.between(2.0, most).ceil() as u32;
        let limit = (self.rate * self.between(1.2, 4.0)).ceil() as u32;
        self.names.push(format!("bursts of {}, limit {limit}/s", self.at_once));
        receiver.add_limiter(Limiter::sliding_window(count(limit), secs(1)))
    }

    fn slow(&mut self, receiver: Receiver) -> Receiver {
        let latency = Duration::from_secs_f64(self.between(0.001, 5.0));
        self.names.push(format!("latency {} ms", latency.as_millis()));
        let receiver = receiver.with_latency(latency);
        if self.random.bool() {
            return receiver;
        }
        let (name, behaviour) = self.behaviour();
        let time = self.between(25.0, 300.0);
        let share = self.between(0.001, 0.1);
        self.names.push(format!("{:.1} % take {time:.0} s, then {name}", share * 100.0));
        let processing = Processing::new(Duration::from_secs_f64(time), behaviour);
        receiver.with_processing(processing.with_share((share * 1e6) as u32))
    }
}

/// Prints how often each policy was far below the oracle, and in which weathers the first was.
pub fn summarise(rows: &[Row], policies: &[Name]) {
    for name in policies.iter().filter(|name| **name != Name::Oracle) {
        let all: Vec<_> = rows.iter().filter(|row| row.name == *name).collect();
        let below = |bound| all.iter().filter(|row| row.goodput < bound).count();
        let mean = |value: fn(&Row) -> f64| {
            all.iter().map(|row| value(row)).sum::<f64>() / all.len().max(1) as f64
        };
        println!(
            "{:>9}: {} weathers, {} below 90 % of the oracle's goodput, {} below 50 %; \
             on average {:.1} %, and {:.1} points more failed requests",
            name.as_str(),
            all.len(),
            below(90.0),
            below(50.0),
            mean(|row| row.goodput),
            mean(|row| row.wasted),
        );
    }
    let Some(first) = policies.first() else { return };
    let mut low: Vec<_> = rows.iter().filter(|row| row.name == *first).collect();
    low.retain(|row| row.goodput < 90.0);
    low.sort_by(|a, b| a.goodput.total_cmp(&b.goodput));
    println!("\n{} below 90 %:", first.as_str());
    for Row { goodput, failed, weather, load, seed, .. } in low {
        println!("{goodput:5.1} % / {failed:3.0} %  {weather}, {load}, seed {seed}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_draws_the_same_weathers() {
        let names = |seed| draw(seed, 20).into_iter().map(|it| it.0.name).collect::<Vec<_>>();
        assert_eq!(names(3), names(3));
        assert_ne!(names(3), names(4));
    }
}
