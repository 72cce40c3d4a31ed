//! Comparison of the inbox with a simple model.

use std::time::Duration;

use labhook::Timestamp;
use labhook::receive::{Admission, Claim};
use proptest::prelude::*;

use super::rows::Rows;
use super::{inbox, saved};
use crate::support::{at, config, secs};

/// An inbox without indexes: the id, expiry and, if in progress, claim of each event.
struct Model {
    capacity: usize,
    /// The age clock, and the reading from which the next one is measured.
    clock: Option<(Timestamp, Timestamp)>,
    events: Vec<(u8, Timestamp, Option<u32>)>,
    claims: u32,
    evictions: u64,
}

#[derive(Debug, PartialEq)]
enum Outcome {
    New,
    InProgress(Timestamp),
    Seen,
    Full(Timestamp),
}

impl Model {
    /// Takes a reading, and forgets what is over. Returns the age clock.
    fn tick(&mut self, now: Timestamp) -> Timestamp {
        let step = Duration::from_millis(12_500);
        let (mut time, mut read_at) = self.clock.unwrap_or((now, now));
        if now >= read_at {
            time += now.saturating_since(read_at).min(step);
            read_at = now;
        } else if now + step < read_at {
            read_at = now;
        }
        self.clock = Some((time, read_at));
        for (_, until, claim) in &mut self.events {
            if claim.is_some() {
                *until = (*until).min(now + secs(10));
            }
        }
        self.events.retain(|(_, at, claim)| *at > if claim.is_some() { now } else { time });
        time
    }

    fn begin(&mut self, id: u8, now: Timestamp) -> Outcome {
        self.tick(now);
        match self.events.iter().find(|event| event.0 == id) {
            Some((_, _, None)) => return Outcome::Seen,
            Some((_, until, Some(_))) => return Outcome::InProgress(*until),
            None => {}
        }
        if !self.has_room() {
            return Outcome::Full(self.events.iter().map(|event| event.1).min().unwrap());
        }
        self.events.push((id, now + secs(10), Some(self.claims)));
        self.claims += 1;
        Outcome::New
    }

    fn has_room(&mut self) -> bool {
        if self.events.len() < self.capacity {
            return true;
        }
        let done = self.events.iter().enumerate().filter(|(_, event)| event.2.is_none());
        // The first of equals: events are in the order in which they were handled.
        let Some((oldest, _)) = done.min_by_key(|(_, event)| event.1) else {
            return false;
        };
        self.events.remove(oldest);
        self.evictions += 1;
        true
    }

    fn done(&mut self, id: u8, now: Timestamp) -> bool {
        let time = self.tick(now);
        let known = self.events.iter().position(|event| event.0 == id);
        let changes = match known {
            Some(known) => self.events[known].2.is_some(),
            None => self.has_room(),
        };
        if changes {
            self.events.retain(|event| event.0 != id);
            self.events.push((id, time + Duration::from_millis(112_500), None));
        }
        changes
    }

    fn forget(&mut self, id: u8) -> bool {
        let before = self.events.len();
        self.events.retain(|event| event.0 != id || event.2.is_some());
        self.events.len() < before
    }

    fn abandon(&mut self, id: u8, claim: u32) -> bool {
        let before = self.events.len();
        self.events.retain(|event| (event.0, event.2) != (id, Some(claim)));
        self.events.len() < before
    }
}

#[derive(Clone, Debug)]
enum Action {
    Begin(u8),
    Done(usize),
    Abandon(usize),
    Forget(u8),
    Advance(i64),
    Save,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action = prop_oneof![
        8 => (0..6_u8).prop_map(Action::Begin),
        4 => (0..20_usize).prop_map(Action::Done),
        2 => (0..20_usize).prop_map(Action::Abandon),
        1 => (0..6_u8).prop_map(Action::Forget),
        4 => (0..12_i64).prop_map(Action::Advance),
        1 => (50..110_i64).prop_map(Action::Advance),
        1 => (-30..0_i64).prop_map(Action::Advance),
        1 => prop_oneof![-1_000..0_i64, 110..1_000_i64].prop_map(Action::Advance),
        1 => Just(Action::Save),
    ];
    proptest::collection::vec(action, 1..150)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn inbox_agrees_with_the_model(capacity in 1..5_usize, actions in actions()) {
        let mut inbox = inbox(capacity).with_changes();
        let mut rows = Rows::default();
        let mut model =
            Model { capacity, clock: None, events: Vec::new(), claims: 0, evictions: 0 };
        let mut claims: Vec<(u8, u32, Claim)> = Vec::new();
        let mut now = 0;
        for action in actions {
            match action {
                Action::Begin(id) => {
                    let outcome = match inbox.begin("s", &id.to_string(), at(now)) {
                        Admission::New(claim) => {
                            claims.push((id, model.claims, claim));
                            Outcome::New
                        }
                        Admission::InProgress { until } => Outcome::InProgress(until),
                        Admission::Seen => Outcome::Seen,
                        Admission::Full { until } => Outcome::Full(until),
                    };
                    prop_assert_eq!(outcome, model.begin(id, at(now)));
                }
                // Any claim that was ever granted, including stale ones.
                Action::Done(which) if which < claims.len() => {
                    let (id, _, claim) = &claims[claims.len() - 1 - which];
                    prop_assert_eq!(inbox.done(claim, at(now)), model.done(*id, at(now)));
                }
                Action::Abandon(which) if which < claims.len() => {
                    let (id, number, claim) = &claims[claims.len() - 1 - which];
                    prop_assert_eq!(inbox.abandon(claim), model.abandon(*id, *number));
                }
                Action::Done(_) | Action::Abandon(_) => {}
                Action::Forget(id) => {
                    prop_assert_eq!(inbox.forget("s", &id.to_string()), model.forget(id));
                }
                Action::Advance(seconds) => now += seconds,
                Action::Save => {
                    let restored = rows.restore(capacity);
                    let json = |inbox| serde_json::to_string(inbox).unwrap();
                    prop_assert_eq!(json(&restored), json(&inbox));
                    inbox = saved(&restored).with_changes();
                }
            }
            rows.save(&mut inbox);
            prop_assert_eq!(inbox.len(), model.events.len());
            prop_assert!(inbox.len() <= capacity);
            prop_assert_eq!(inbox.evictions(), model.evictions);
            prop_assert_eq!(inbox.is_empty(), model.events.is_empty());
        }
    }
}
