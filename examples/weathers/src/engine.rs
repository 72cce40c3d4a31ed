//! A small event-driven sender: a queue of due messages, a retry schedule and a [`Policy`].

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::policy::{Due, End, Gate, Policy};
use crate::tally::Tally;

/// Microseconds since the start.
pub type Micros = u64;

pub const SECOND: Micros = 1_000_000;
pub const TIMEOUT: Micros = 20 * SECOND;
/// Waits between the attempts of the Standard Webhooks specification, in seconds.
pub const STEPS: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// A receiver's response, or its absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The latency, if there is a response.
    pub after: Option<Micros>,
    pub end: End,
    pub retry_after: Option<Micros>,
}

/// The receiver.
pub trait World {
    fn handle(&mut self, message: u64, at: Micros) -> Reply;
    fn would_accept(&self, message: u64, at: Micros) -> bool;
    fn is_poisoned(&self, message: u64) -> bool;
    fn is_down(&self, at: Micros) -> bool;
}

/// When messages arrive, and what is measured.
pub struct Course<'a> {
    /// When each message is published, in order.
    pub arrivals: &'a [Micros],
    pub end: Micros,
    /// When the receiver is back for good, if it was down.
    pub recovered_at: Option<Micros>,
}

#[derive(Clone, Copy, Default)]
struct Message {
    attempts: u8,
    put_off: u8,
}

type Ending = (Micros, u64, u32, Micros, u8, Option<Micros>);

struct Engine<'a> {
    course: &'a Course<'a>,
    policy: &'a mut dyn Policy,
    world: &'a mut dyn World,
    now: Micros,
    next: usize,
    messages: Vec<Message>,
    ready: VecDeque<u32>,
    due: BinaryHeap<Reverse<(Micros, u32)>>,
    /// Attempts in flight: when they end, a number that keeps their order, the message, the
    /// latency, how they end, and `Retry-After`.
    ends: BinaryHeap<Reverse<Ending>>,
    sent: u64,
    wake: Option<Micros>,
    tally: Tally,
}

/// Runs a policy against a receiver.
pub fn run(course: &Course<'_>, policy: &mut dyn Policy, world: &mut dyn World) -> Tally {
    let mut engine = Engine {
        course,
        policy,
        world,
        now: 0,
        next: 0,
        messages: vec![Message::default(); course.arrivals.len()],
        ready: VecDeque::new(),
        due: BinaryHeap::new(),
        ends: BinaryHeap::new(),
        sent: 0,
        wake: None,
        tally: Tally::new(course.recovered_at),
    };
    engine.run();
    engine.finish()
}

impl Engine<'_> {
    fn run(&mut self) {
        loop {
            while let Some(Reverse(ending)) = self.ends.peek().copied()
                && ending.0 <= self.now
            {
                self.ends.pop();
                self.ended(ending);
            }
            while let Some(Reverse((at, message))) = self.due.peek().copied()
                && at <= self.now
            {
                self.due.pop();
                self.ready.push_back(message);
            }
            while let Some(at) = self.course.arrivals.get(self.next)
                && *at <= self.now
            {
                self.ready.push_back(self.next as u32);
                self.next += 1;
            }
            self.dispatch();
            let ending = self.ends.peek().map(|it| it.0.0);
            let due = self.due.peek().map(|it| it.0.0);
            let arrival = self.course.arrivals.get(self.next).copied();
            match [ending, due, arrival, self.wake].into_iter().flatten().min() {
                Some(at) if at <= self.course.end => self.now = at.max(self.now),
                _ => return,
            }
        }
    }

    fn dispatch(&mut self) {
        self.wake = None;
        while let Some(message) = self.ready.front().copied() {
            let due = Due {
                message: message.into(),
                put_off: self.messages[message as usize].put_off,
                in_flight: self.ends.len(),
                world: &*self.world,
            };
            match self.policy.may_send(self.now, &due) {
                Gate::Send => {
                    self.ready.pop_front();
                    self.send(message);
                }
                Gate::Later(wait) => {
                    self.ready.pop_front();
                    let put_off = &mut self.messages[message as usize].put_off;
                    *put_off = put_off.saturating_add(1);
                    self.due.push(Reverse((self.now + wait.max(1), message)));
                }
                Gate::Until(at) => {
                    self.wake = Some(at.max(self.now + 1));
                    return;
                }
                Gate::Busy => return,
            }
        }
    }

    fn send(&mut self, message: u32) {
        let state = &mut self.messages[message as usize];
        (state.attempts, state.put_off) = (state.attempts + 1, 0);
        self.policy.started(self.now);
        self.tally.started(self.now, self.world.is_down(self.now));
        let reply = self.world.handle(message.into(), self.now);
        let after = reply.after.filter(|after| *after < TIMEOUT);
        let latency = after.unwrap_or(TIMEOUT);
        let end = if after.is_some() { reply.end } else { End::Failed };
        if end == End::Taken {
            self.tally.accepted(self.now);
        }
        self.sent += 1;
        let retry_after = reply.retry_after.filter(|_| after.is_some());
        self.ends.push(Reverse((
            self.now + latency,
            self.sent,
            message,
            latency,
            end as u8,
            retry_after,
        )));
    }

    fn ended(&mut self, (at, _, message, latency, end, retry_after): Ending) {
        let end = [End::Taken, End::Refused, End::Failed][usize::from(end)];
        self.policy.ended(at, latency, self.ends.len(), end);
        self.tally.ended(end);
        if end == End::Taken {
            if !self.world.is_poisoned(message.into()) {
                self.tally.delivered(at - self.course.arrivals[message as usize]);
            }
            return;
        }
        let failed = usize::from(self.messages[message as usize].attempts) - 1;
        match STEPS.get(failed) {
            Some(step) => {
                let wait = (step * SECOND).max(retry_after.unwrap_or(0));
                self.due.push(Reverse((at + wait, message)));
            }
            None => self.tally.given_up += 1,
        }
    }

    fn finish(mut self) -> Tally {
        let pending = self.ready.len() + self.due.len() + self.ends.len();
        self.tally.pending = pending as u64;
        self.tally.published = self.next as u64;
        self.tally
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::policies::oracle::Oracle;
    use crate::policies::schedule::Schedule;
    use crate::policy::Name;

    /// Accepts when it is up, unless the message is in the list; every third request fails.
    pub struct Fake {
        pub down: (Micros, Micros),
        pub poisoned: Vec<u64>,
        pub third_fails: bool,
        handled: u64,
    }

    impl World for Fake {
        fn handle(&mut self, message: u64, at: Micros) -> Reply {
            self.handled += 1;
            let chance = self.third_fails && self.handled.is_multiple_of(3);
            let taken = self.would_accept(message, at) && !chance;
            let end = if taken { End::Taken } else { End::Refused };
            Reply { after: Some(20_000), end, retry_after: None }
        }

        fn would_accept(&self, message: u64, at: Micros) -> bool {
            !self.is_down(at) && !self.is_poisoned(message)
        }

        fn is_poisoned(&self, message: u64) -> bool {
            self.poisoned.contains(&message)
        }

        fn is_down(&self, at: Micros) -> bool {
            (self.down.0..self.down.1).contains(&at)
        }
    }

    pub fn up() -> Fake {
        Fake { down: (0, 0), poisoned: Vec::new(), third_fails: false, handled: 0 }
    }

    /// A due message of a healthy receiver.
    pub fn due(in_flight: usize) -> Due<'static> {
        static UP: std::sync::OnceLock<Fake> = std::sync::OnceLock::new();
        Due { message: 0, put_off: 0, in_flight, world: UP.get_or_init(up) }
    }

    fn course(arrivals: &[Micros], end: Micros) -> Course<'_> {
        Course { arrivals, end, recovered_at: None }
    }

    #[test]
    fn every_message_is_delivered_pending_or_given_up() {
        let arrivals: Vec<_> = (0..2_000).map(|n| n * SECOND / 7).collect();
        for end in [100 * SECOND, 3_600 * SECOND, 400_000 * SECOND] {
            for name in &Name::ALL[1..] {
                let mut world = up();
                world.down = (50 * SECOND, 200 * SECOND);
                world.poisoned = (0..100).map(|n| n * 20).collect();
                world.third_fails = true;
                let mut policy = name.policy(7, 256).unwrap();
                let tally = run(&course(&arrivals, end), &mut *policy, &mut world);
                let all = tally.good() + tally.pending + tally.given_up;
                assert_eq!(all, tally.published, "{name:?} until {end}");
                assert!(tally.requests >= tally.good(), "{name:?}");
            }
        }
    }

    #[test]
    fn poisoned_message_is_tried_ten_times() {
        let mut world = up();
        world.poisoned = vec![0];
        let tally = run(&course(&[0], 400_000 * SECOND), &mut Schedule, &mut world);
        assert_eq!((tally.requests, tally.failed, tally.given_up), (10, 10, 1));
    }

    #[test]
    fn oracle_sends_nothing_while_down() {
        let arrivals: Vec<_> = (0..600).map(|n| n * SECOND / 10).collect();
        let mut world = up();
        world.down = (10 * SECOND, 40 * SECOND);
        let tally = run(&course(&arrivals, 100 * SECOND), &mut Oracle::new(256), &mut world);
        assert_eq!((tally.good(), tally.requests, tally.failed), (600, 600, 0));
    }
}
