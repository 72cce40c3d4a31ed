//! One weather: a receiver, a load and how long both last.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::policy::Load;
use labhook::simulate::{ClockShift, Receiver};

use crate::engine::Micros;

/// How long a run goes on after the load, by default: long enough for two retries.
const TAIL: Duration = Duration::from_secs(600);

/// Kinds of weather. Each has its own bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    Healthy,
    Chance,
    HeavyChance,
    Poison,
    InProgress,
    Outage,
    Flapping,
    Limit,
    LongLimit,
    LossAndLimit,
    Steps,
    Bursts,
    Queue,
    Thrashing,
    Open,
}

impl Class {
    pub const fn heading(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy receiver",
            Self::Chance => "Failures by chance",
            Self::HeavyChance => "Heavy failures by chance",
            Self::Poison => "Poisoned messages",
            Self::InProgress => "Brown-outs, and work in progress",
            Self::Outage => "Outages",
            Self::Flapping => "Flapping",
            Self::Limit => "Limits, windows up to 3 s",
            Self::LongLimit => "Limits, windows of 5 to 10 s",
            Self::LossAndLimit => "Chance and a limit together",
            Self::Steps => "Capacity steps",
            Self::Bursts => "Bursts of messages",
            Self::Queue => "Queue: slower when busy",
            Self::Thrashing => "Queue that thrashes",
            Self::Open => "Without a bar",
        }
    }

    /// A word for the class, before a weather's name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Chance | Self::HeavyChance => "chance",
            Self::Poison => "poison",
            Self::InProgress => "message",
            Self::Outage => "outage",
            Self::Flapping => "flapping",
            Self::Limit | Self::LongLimit => "limit",
            Self::LossAndLimit => "chance and limit",
            Self::Steps => "steps",
            Self::Bursts => "bursts",
            Self::Queue => "queue",
            Self::Thrashing => "thrashing",
            Self::Open => "open",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Weather {
    pub class: Class,
    pub name: String,
    pub receiver: Receiver,
    /// Messages per period.
    pub events: u32,
    pub per: Duration,
    /// How many messages arrive at once.
    pub at_once: u32,
    /// Messages that come at once at the start.
    pub backlog: u32,
    /// Jumps of the sender's clock: when, for how long, and by how much.
    pub clock_jumps: Vec<(Duration, Duration, ClockShift)>,
    /// How long the load lasts.
    pub lasts: Duration,
    /// When the run ends.
    pub ends: Duration,
    /// When the receiver is back for good, if it was down.
    pub recovered_at: Option<Duration>,
    /// The most that the oracle has in flight.
    pub oracle_in_flight: usize,
    /// What the receiver accepts a second after its recovery.
    pub capacity: Option<u64>,
    /// How many seeds it is run with.
    pub seeds: u64,
    /// How long labhook may take the endpoint for unhealthy.
    pub most_unhealthy: Option<Duration>,
}

pub fn count(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("no count of the catalogue is zero")
}

pub const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

pub const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3_600)
}

impl Weather {
    /// Creates a weather with a load of 10/s for an hour, and one seed.
    pub fn new(class: Class, name: impl Into<String>, receiver: Receiver) -> Self {
        let recovered_at = receiver.outages().iter().map(|it| it.to).max();
        Self {
            class,
            name: name.into(),
            receiver,
            events: 10,
            per: secs(1),
            at_once: 1,
            backlog: 0,
            clock_jumps: Vec::new(),
            lasts: hours(1),
            ends: hours(1) + TAIL,
            recovered_at,
            oracle_in_flight: usize::MAX,
            capacity: None,
            seeds: 1,
            most_unhealthy: None,
        }
    }

    pub fn load(mut self, per_second: u32) -> Self {
        (self.events, self.per) = (per_second, secs(1));
        self
    }

    pub fn load_per(mut self, events: u32, per: Duration) -> Self {
        (self.events, self.per) = (events, per);
        self
    }

    pub fn lasts(mut self, lasts: Duration) -> Self {
        (self.lasts, self.ends) = (lasts, lasts + TAIL);
        self
    }

    pub fn ends(mut self, ends: Duration) -> Self {
        self.ends = ends;
        self
    }

    /// Sets the number of messages that arrive at once at the start, before the others.
    pub fn backlog(mut self, messages: u32) -> Self {
        self.backlog = messages;
        self
    }

    /// Lets the messages arrive in bursts, at the same rate.
    pub fn at_once(mut self, messages: u32) -> Self {
        self.at_once = messages;
        self
    }

    pub fn clock_jump(mut self, at: Duration, lasts: Duration, shift: ClockShift) -> Self {
        self.clock_jumps.push((at, lasts, shift));
        self
    }

    pub fn oracle_in_flight(mut self, most: usize) -> Self {
        self.oracle_in_flight = most;
        self
    }

    pub fn capacity(mut self, per_second: u64) -> Self {
        self.capacity = Some(per_second);
        self
    }

    pub fn seeds(mut self, seeds: u64) -> Self {
        self.seeds = seeds;
        self
    }

    /// Nothing is wrong with the endpoint, so that each trip is a false one.
    pub fn may_not_trip(self) -> Self {
        self.may_trip_for(Duration::ZERO)
    }

    pub fn may_trip_for(mut self, most: Duration) -> Self {
        self.most_unhealthy = Some(most);
        self
    }

    /// The class and the name.
    pub fn full_name(&self) -> String {
        format!("{}: {}", self.class.word(), self.name)
    }

    /// The load as text.
    pub fn load_text(&self) -> String {
        let (events, per) = (self.events, self.per.as_secs());
        match per {
            1 => format!("{events}/s"),
            60 => format!("{events}/min"),
            3_600 if events < 3_600 => format!("{events}/h"),
            _ => format!("{:.1}/s", f64::from(events) / per as f64),
        }
    }

    pub fn arrival_load(&self) -> Load {
        Load::new(count(self.events), self.per)
            .in_bursts(count(self.at_once))
            .with_backlog(self.backlog)
    }

    /// How many messages arrive.
    pub fn messages(&self) -> u64 {
        self.lasts.as_secs() * u64::from(self.events) / self.per.as_secs()
    }

    /// When each message arrives, in the order of their numbers.
    pub fn arrivals(&self) -> Vec<Micros> {
        let load = self.arrival_load();
        let times = (0..).map(|number| load.at(number)).take_while(|at| *at < self.lasts);
        times.map(|at| at.as_micros() as Micros).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_arrive_at_the_same_rate() {
        let weather = Weather::new(Class::Bursts, "bursts", Receiver::new());
        let weather = weather.load(1).lasts(secs(6)).at_once(3);
        assert_eq!(weather.arrivals(), [0, 0, 0, 3_000_000, 3_000_000, 3_000_000]);
    }
}
