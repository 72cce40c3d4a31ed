//! What each class of weather demands of labhook: [`Bar`].

use std::fmt;
use std::time::Duration;

use crate::measure::Measure;
use crate::weather::{Class, Weather, minutes};

/// The most requests while the receiver is down.
const WHILE_DOWN: u64 = 600;
/// The longest time from a recovery to the first success.
const FIRST_SUCCESS: Duration = minutes(11);
/// The highest peak at a recovery, in times the capacity.
const PEAK: u64 = 4;

/// The bar of one weather.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// Goodput in percent of the oracle's, at least.
    pub goodput: f64,
    /// Failed requests in percent of all, beyond the oracle's, at most.
    pub failed: Option<f64>,
    /// Whether the rules for outages apply, and the capacity at the recovery.
    outage: Option<Option<u64>>,
    most_unhealthy: Option<Duration>,
}

/// The bars: class, goodput at least, failed beyond the oracle's at most.
const BARS: [(Class, f64, Option<f64>); 14] = [
    (Class::Healthy, 99.5, Some(0.5)),
    (Class::Chance, 98.0, Some(0.5)),
    (Class::HeavyChance, 85.0, Some(0.5)),
    (Class::Limit, 96.0, Some(9.0)),
    (Class::LongLimit, 85.0, Some(22.0)),
    (Class::Queue, 88.0, Some(1.0)),
    (Class::Thrashing, 60.0, Some(1.0)),
    (Class::LossAndLimit, 78.0, Some(6.0)),
    (Class::Steps, 95.0, Some(9.0)),
    (Class::Bursts, 98.0, Some(9.0)),
    (Class::Poison, 99.0, Some(4.0)),
    (Class::InProgress, 98.0, Some(0.5)),
    (Class::Flapping, 98.0, Some(26.0)),
    // Everything; the share that fails is bounded by the rules for outages.
    (Class::Outage, 99.99, None),
];

impl Bar {
    /// The bar of a weather; `None` if there is none.
    pub fn of(weather: &Weather) -> Option<Self> {
        let (_, goodput, failed) = BARS.into_iter().find(|bar| bar.0 == weather.class)?;
        let outage = (weather.class == Class::Outage).then_some(weather.capacity);
        Some(Self { goodput, failed, outage, most_unhealthy: weather.most_unhealthy })
    }

    /// The rules that labhook's run breaks.
    pub fn broken(&self, run: &Measure, oracle: &Measure) -> Vec<String> {
        let mut broken = Vec::new();
        let goodput = run.goodput(oracle);
        let failed_beyond = run.failed_percent() - oracle.failed_percent();
        if goodput < self.goodput {
            broken.push(format!("goodput {goodput:.1}"));
        }
        let by_chance = 3.0 * deviation(run, oracle);
        if self.failed.is_some_and(|most| failed_beyond > most.max(by_chance)) {
            broken.push(format!("failed +{failed_beyond:.1}"));
        }
        let unhealthy = run.not_healthy.unwrap_or_default();
        if self.most_unhealthy.is_some_and(|most| unhealthy > most) {
            broken.push(format!("unhealthy for {:.0} s", unhealthy.as_secs_f64()));
        }
        let Some(capacity) = self.outage else { return broken };
        if run.while_down > WHILE_DOWN {
            broken.push(format!("{} requests while down", run.while_down));
        }
        match run.first_success {
            Some(after) if after <= FIRST_SUCCESS => {}
            Some(after) => broken.push(format!("first success after {} s", after.as_secs())),
            None => broken.push("no success".to_owned()),
        }
        if capacity.is_some_and(|capacity| run.peak > PEAK * capacity) {
            broken.push(format!("peak {}/s", run.peak));
        }
        broken
    }
}

/// The standard deviation of the difference between two shares that differ by chance alone, in
/// points: of a few hundred requests, half a point more may fail by chance.
fn deviation(run: &Measure, oracle: &Measure) -> f64 {
    let share = oracle.failed_percent() / 100.0;
    let per_request = |it: &Measure| 1.0 / it.requests.max(1) as f64;
    100.0 * (share * (1.0 - share) * (per_request(run) + per_request(oracle))).sqrt()
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "goodput >= {}", self.goodput)?;
        if let Some(failed) = self.failed {
            write!(f, ", failed <= +{failed}")?;
        }
        if let Some(most) = self.most_unhealthy {
            write!(f, ", unhealthy <= {} s", most.as_secs())?;
        }
        if let Some(capacity) = self.outage {
            write!(f, ", while down <= {WHILE_DOWN}")?;
            write!(f, ", first success <= {} s", FIRST_SUCCESS.as_secs())?;
            if let Some(capacity) = capacity {
                write!(f, ", peak <= {}/s", PEAK * capacity)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use labhook::simulate::Receiver;

    use super::*;

    #[test]
    fn outage_breaks_each_rule_by_itself() {
        let weather = Weather::new(Class::Outage, "down", Receiver::new()).capacity(50);
        let bar = Bar::of(&weather).unwrap();
        let oracle = Measure { good: 1_000, ..Measure::default() };
        let good = Measure {
            good: 1_000,
            requests: 2_000,
            failed: 1_000,
            while_down: 600,
            first_success: Some(FIRST_SUCCESS),
            peak: 200,
            ..Measure::default()
        };
        assert!(bar.broken(&good, &oracle).is_empty());
        let bad = Measure { good: 990, while_down: 601, first_success: None, peak: 201, ..good };
        let broken = bar.broken(&bad, &oracle);
        assert_eq!(broken, ["goodput 99.0", "601 requests while down", "no success", "peak 201/s"]);
    }

    #[test]
    fn few_requests_may_fail_by_chance() {
        let bar = Bar::of(&Weather::new(Class::Chance, "chance", Receiver::new())).unwrap();
        let oracle = Measure { good: 85, requests: 100, failed: 15, ..Measure::default() };
        let run = |requests, failed| Measure { good: 85, requests, failed, ..Measure::default() };
        assert!(bar.broken(&run(100, 20), &oracle).is_empty());
        assert_eq!(bar.broken(&run(100, 40), &oracle), ["failed +25.0"]);
    }

    #[test]
    fn trip_breaks_the_bar_of_a_chance_failure() {
        let weather = Weather::new(Class::Chance, "chance", Receiver::new()).may_not_trip();
        let bar = Bar::of(&weather).unwrap();
        let run = Measure { not_healthy: Some(Duration::from_secs(3)), ..Measure::default() };
        assert_eq!(bar.broken(&run, &Measure::default()), ["unhealthy for 3 s"]);
        let open = Weather::new(Class::Open, "open", Receiver::new());
        assert_eq!(Bar::of(&open), None);
    }
}
