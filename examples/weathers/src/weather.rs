//! One weather: a receiver, a load and how long both last.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::policy::Load;
use labhook::simulate::{Poison, Receiver};

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

/// How the sender's clock is disturbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockFault {
    /// At this time it jumps forward by so much.
    Ahead(Duration, Duration),
    /// At this time it jumps back by so much.
    Back(Duration, Duration),
}

#[derive(Clone, Debug)]
pub struct Weather {
    pub class: Class,
    pub name: String,
    pub receiver: Receiver,
    /// Messages per period.
    pub events: u32,
    pub per: Duration,
    /// Messages beyond the load that arrive at once.
    pub bursts: Vec<(Duration, u32)>,
    pub clock: Vec<ClockFault>,
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
    /// Whether a false trip breaks the bar.
    pub may_not_trip: bool,
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
            bursts: Vec::new(),
            clock: Vec::new(),
            lasts: hours(1),
            ends: hours(1) + TAIL,
            recovered_at,
            oracle_in_flight: usize::MAX,
            capacity: None,
            seeds: 1,
            may_not_trip: false,
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

    pub fn burst(mut self, at: Duration, messages: u32) -> Self {
        self.bursts.push((at, messages));
        self
    }

    /// Adds a burst of poisoned messages.
    pub fn poisoned_burst(
        mut self,
        at: Duration,
        messages: u32,
        behaviour: labhook::simulate::Behaviour,
    ) -> Self {
        self = self.burst(at, messages);
        let numbers = self.burst_numbers(self.bursts.len() - 1);
        self.receiver = self.receiver.add_poison(Poison::numbers(numbers, behaviour));
        self
    }

    pub fn clock(mut self, fault: ClockFault) -> Self {
        self.clock.push(fault);
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

    pub fn may_not_trip(mut self) -> Self {
        self.may_not_trip = true;
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
            3_600 => format!("{events}/h"),
            _ => format!("{events} per {per} s"),
        }
    }

    pub fn steady_load(&self) -> Load {
        Load::new(count(self.events), self.per)
    }

    /// When each message arrives, in the order of their numbers.
    pub fn arrivals(&self) -> Vec<Micros> {
        let load = self.steady_load();
        let times = (0..).map(|number| load.at(number)).take_while(|at| *at < self.lasts);
        let bursts = self.bursts.iter();
        let burst_times = bursts.flat_map(|(at, messages)| (0..*messages).map(|_| *at));
        let mut times: Vec<_> = times.chain(burst_times).map(|at| at.as_micros() as u64).collect();
        times.sort_unstable();
        times
    }

    /// The numbers of a burst's messages. Bursts must be added in the order of their times.
    fn burst_numbers(&self, index: usize) -> std::ops::Range<u64> {
        let (at, messages) = self.bursts[index];
        let load = self.steady_load();
        let steady = (0..).take_while(|number| load.at(*number) <= at).count() as u64;
        let bursts: u32 = self.bursts[..index].iter().map(|burst| burst.1).sum();
        let first = steady + u64::from(bursts);
        first..first + u64::from(messages)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn burst_arrives_after_the_steady_message() {
        let weather = Weather::new(Class::Bursts, "burst", Receiver::new())
            .load(1)
            .lasts(secs(4))
            .burst(secs(2), 3);
        let at = [0, 1, 2, 2, 2, 2, 3].map(|seconds| seconds * 1_000_000);
        assert_eq!(weather.arrivals(), at);
        assert_eq!(weather.burst_numbers(0), 3..6);
    }
}
