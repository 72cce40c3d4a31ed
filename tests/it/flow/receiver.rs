//! A simulated receiver, and an application that sends to it through a flow on a virtual clock.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{Flow, FlowDecision, FlowPolicy, Signal};

use super::{mix, ms};
use crate::support::at;

/// In microseconds.
pub(crate) fn between(earlier: Timestamp, later: Timestamp) -> u64 {
    later.saturating_since(earlier).as_micros().try_into().unwrap()
}

/// The response to one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reply {
    pub(crate) refused: bool,
    pub(crate) latency: Duration,
    /// `Retry-After`.
    pub(crate) pause: Option<Duration>,
}

impl Reply {
    pub(crate) fn new(refused: bool) -> Self {
        Self { refused, latency: ms(20), pause: None }
    }
}

/// How a receiver counts requests against its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counts {
    /// Those accepted in the second that ends with the request.
    Sliding,
    /// Those accepted in each whole second of its own clock, which is 370 ms off.
    Seconds,
    /// As `Seconds`, in windows of this many seconds.
    Windows(u64),
    /// As `Sliding`, and those refused too.
    All,
    /// A token bucket that holds this many seconds of its rate.
    Tokens(u64),
}

/// A receiver with a limit of requests per second.
pub(crate) struct Limiter {
    counts: Counts,
    pub(crate) capacity: u64,
    seen: VecDeque<Timestamp>,
    window: (u64, u64),
    /// In millionths of a token.
    tokens: u64,
    last: Timestamp,
}

impl Limiter {
    pub(crate) fn new(counts: Counts, capacity: u64) -> Self {
        let (seen, last) = (VecDeque::new(), at(0));
        Self { counts, capacity, seen, window: (0, 0), tokens: u64::MAX, last }
    }

    pub(crate) fn accepts(&mut self, now: Timestamp) -> bool {
        match self.counts {
            Counts::Sliding | Counts::All => {
                while self.seen.front().is_some_and(|at| *at + ms(1_000) <= now) {
                    self.seen.pop_front();
                }
                let accepted = self.seen.len() < usize::try_from(self.capacity).unwrap();
                if accepted || matches!(self.counts, Counts::All) {
                    self.seen.push_back(now);
                }
                accepted
            }
            Counts::Seconds => self.in_window(1, now),
            Counts::Windows(seconds) => self.in_window(seconds, now),
            Counts::Tokens(seconds) => {
                let more = between(self.last, now) * self.capacity;
                self.last = now;
                let most = self.capacity * seconds * 1_000_000;
                self.tokens = self.tokens.saturating_add(more).min(most);
                let accepted = self.tokens >= 1_000_000;
                self.tokens -= if accepted { 1_000_000 } else { 0 };
                accepted
            }
        }
    }

    fn in_window(&mut self, seconds: u64, now: Timestamp) -> bool {
        let window = (now + ms(370)).unix_seconds().unsigned_abs() / seconds;
        if window != self.window.0 {
            self.window = (window, 0);
        }
        let accepted = self.window.1 < self.capacity * seconds;
        self.window.1 += u64::from(accepted);
        accepted
    }
}

/// Refuses this many of a hundred requests, by chance.
pub(crate) struct Chance {
    pub(crate) percent: u64,
    seed: u64,
}

impl Chance {
    pub(crate) fn new(percent: u64) -> Self {
        Self { percent, seed: 0 }
    }

    pub(crate) fn refuses(&mut self) -> bool {
        self.seed += 1;
        mix(self.seed) % 100 < self.percent
    }
}

/// What happened in one [`Sim::run`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Figures {
    pub(crate) delivered: u64,
    pub(crate) refused: u64,
    /// The most attempts in flight.
    pub(crate) in_flight: u32,
}

impl Figures {
    /// Refusals per thousand requests.
    pub(crate) fn refused_permille(&self) -> u64 {
        self.refused * 1_000 / (self.delivered + self.refused).max(1)
    }
}

/// An application with a queue of messages. What is refused is sent again after 5 s, first attempts
/// and retries in turn.
pub(crate) struct Sim {
    pub(crate) policy: FlowPolicy,
    pub(crate) flow: Flow,
    pub(crate) now: Timestamp,
    /// By arrival: the start and the reply.
    replies: BTreeMap<(Timestamp, u64), (Timestamp, Reply)>,
    retries: VecDeque<Timestamp>,
    /// Messages never tried.
    pub(crate) waiting: u64,
    sent: u64,
    retry_next: bool,
}

impl Sim {
    pub(crate) fn new(policy: FlowPolicy) -> Self {
        Self {
            policy,
            flow: Flow::new(),
            now: at(0),
            replies: BTreeMap::new(),
            retries: VecDeque::new(),
            waiting: 0,
            sent: 0,
            retry_next: false,
        }
    }

    /// Drops all messages that wait.
    pub(crate) fn clear(&mut self) {
        self.waiting = 0;
        self.retries.clear();
    }

    /// Requests per second at the learned rate; `None` if it is not limited.
    pub(crate) fn rate(&self) -> Option<u64> {
        let spacing = self.flow.spacing(&self.policy)?;
        Some(1_000_000 / u64::try_from(spacing.as_micros()).unwrap().max(1))
    }

    /// Lets `offered` messages a second arrive for some time. `receiver` is asked when a request
    /// starts, with the number in flight.
    pub(crate) fn run(
        &mut self,
        time: Duration,
        offered: u64,
        mut receiver: impl FnMut(Timestamp, u32) -> Reply,
    ) -> Figures {
        let (start, end, mut arrived) = (self.now, self.now + time, 0);
        let mut figures = Figures::default();
        while self.now < end {
            self.hear(&mut figures);
            let arrivals = between(start, self.now) * offered / 1_000_000;
            (self.waiting, arrived) = (self.waiting + arrivals - arrived, arrivals);
            let mut wake = end;
            while let Some(retry) = self.next() {
                match self.flow.check(&self.policy, self.now) {
                    FlowDecision::Go => {
                        if retry {
                            self.retries.pop_front();
                        } else {
                            self.waiting -= 1;
                        }
                        self.retry_next = !retry;
                        self.flow.start(&self.policy, self.now);
                        let in_flight = self.flow.in_flight();
                        figures.in_flight = figures.in_flight.max(in_flight);
                        let reply = receiver(self.now, in_flight);
                        self.sent += 1;
                        let key = (self.now + reply.latency, self.sent);
                        self.replies.insert(key, (self.now, reply));
                    }
                    FlowDecision::Wait { until } => {
                        assert!(until > self.now);
                        wake = wake.min(until);
                        break;
                    }
                    FlowDecision::Busy => {
                        assert!(self.flow.in_flight() > 0);
                        break;
                    }
                }
            }
            let arrival = (arrivals + 1) * 1_000_000;
            let wakes = [
                self.replies.first_key_value().map(|((at, _), _)| *at),
                self.retries.front().copied().filter(|due| *due > self.now),
                (offered > 0)
                    .then(|| start + Duration::from_micros(arrival.div_ceil(offered.max(1)))),
            ];
            self.now = wakes.into_iter().flatten().fold(wake, Timestamp::min);
        }
        figures
    }

    /// Ends the attempts whose response has arrived.
    fn hear(&mut self, figures: &mut Figures) {
        while let Some(entry) = self.replies.first_entry().filter(|it| it.key().0 <= self.now) {
            let (started_at, reply) = entry.remove();
            let signal = if reply.refused { Signal::Refused } else { Signal::Success };
            self.flow.end(&self.policy, started_at, signal, reply.pause, self.now);
            if reply.refused {
                self.retries.push_back(self.now + ms(5_000));
                figures.refused += 1;
            } else {
                figures.delivered += 1;
            }
        }
    }

    /// Whether the next attempt is a retry; `None` if there is none to make.
    fn next(&self) -> Option<bool> {
        let retry = self.retries.front().is_some_and(|due| *due <= self.now);
        match (self.waiting > 0, retry) {
            (true, true) => Some(self.retry_next),
            (false, false) => None,
            _ => Some(retry),
        }
    }
}
