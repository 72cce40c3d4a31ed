//! The queue of each endpoint, and whose turn it is.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::id::EndpointId;
use crate::outbox::disabled::Disabled;

/// Where a delivery stands in its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// No lane has seen it yet.
    New,
    /// It could be attempted now.
    Due,
    /// An attempt is under way.
    InFlight,
    /// It waits for an instant, or for its endpoint to come back.
    Waiting,
    /// It has ended: no lane knows it any more.
    Ended,
}

/// How a delivery stands in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It holds up those behind it.
    Holding,
    /// It lets them pass.
    LettingPass,
}

/// The deliveries of one endpoint that have not ended, by the sequence of their messages.
#[derive(Debug, Default)]
struct Lane {
    open: BTreeSet<u64>,
    due: BTreeSet<u64>,
    lines: BTreeMap<Box<str>, Line>,
    in_flight: u32,
    /// How many may be in flight: none where the endpoint is absent, not in use, or disabled.
    window: u32,
    disabled: Option<Disabled>,
}

/// Deliveries of which one waits for another.
#[derive(Debug, Default)]
struct Line {
    open: BTreeSet<u64>,
    /// Those that hold up all behind them.
    holding: BTreeSet<u64>,
}

impl Lane {
    fn can_go(&self) -> bool {
        self.in_flight < self.window && !self.due.is_empty()
    }

    fn is_idle(&self) -> bool {
        self.open.is_empty() && self.window == 0 && self.disabled.is_none()
    }
}

/// All lanes. Those that can go take turns, so no endpoint's backlog delays another's.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<EndpointId, Lane>,
    ready: BTreeSet<EndpointId>,
    last: Option<EndpointId>,
}

impl Lanes {
    pub(super) fn disabled(&self, id: &EndpointId) -> Option<Disabled> {
        self.lanes.get(id).and_then(|lane| lane.disabled)
    }

    pub(super) fn set_disabled(&mut self, id: &EndpointId, disabled: Option<Disabled>) {
        self.update(id, |lane| lane.disabled = disabled);
    }

    pub(super) fn set_window(&mut self, id: &EndpointId, window: u32) {
        self.update(id, |lane| lane.window = window);
    }

    /// The sequences of the endpoint's deliveries that have not ended, oldest first.
    pub(super) fn open(&self, id: &EndpointId) -> Vec<u64> {
        self.lanes.get(id).map(|lane| lane.open.iter().copied().collect()).unwrap_or_default()
    }

    /// Moves a delivery from one place to another.
    pub(super) fn shift(&mut self, id: &EndpointId, sequence: u64, from: Place, to: Place) {
        if from == to {
            return;
        }
        self.update(id, |lane| {
            match from {
                Place::Due => _ = lane.due.remove(&sequence),
                Place::InFlight => lane.in_flight = lane.in_flight.saturating_sub(1),
                Place::New => _ = lane.open.insert(sequence),
                Place::Waiting | Place::Ended => {}
            }
            match to {
                Place::Due => _ = lane.due.insert(sequence),
                Place::InFlight => lane.in_flight = lane.in_flight.saturating_add(1),
                Place::New | Place::Waiting => {}
                Place::Ended => _ = lane.open.remove(&sequence),
            }
        });
    }

    /// The oldest due delivery of the lane whose turn it is.
    pub(super) fn next(&mut self) -> Option<(EndpointId, u64)> {
        let after = self.last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut turns = self.ready.range((after, Bound::Unbounded)).chain(&self.ready);
        let id = turns.next()?.clone();
        let sequence = *self.lanes.get(&id)?.due.first()?;
        self.last = Some(id.clone());
        Some((id, sequence))
    }

    /// Takes up how a delivery stands in a line: whether it is in it, and whether it holds up those
    /// behind it. Answers which of these it held up until now and may have let go.
    pub(super) fn line_up(
        &mut self,
        id: &EndpointId,
        line: &str,
        sequence: u64,
        standing: Option<Standing>,
    ) -> Vec<u64> {
        let Some(lane) = self.lanes.get_mut(id) else { return Vec::new() };
        if standing.is_some() && !lane.lines.contains_key(line) {
            lane.lines.insert(line.into(), Line::default());
        }
        let Some(entry) = lane.lines.get_mut(line) else { return Vec::new() };
        match standing {
            Some(_) => entry.open.insert(sequence),
            None => entry.open.remove(&sequence),
        };
        if standing == Some(Standing::Holding) {
            entry.holding.insert(sequence);
            return Vec::new();
        }
        let mut free = Vec::new();
        if entry.holding.remove(&sequence) {
            // As far as the next that holds up those behind it, and that one too.
            let next = entry.holding.range(sequence..).next().copied().unwrap_or(u64::MAX);
            let behind = (Bound::Excluded(sequence), Bound::Included(next));
            free.extend(entry.open.range(behind));
        }
        if entry.open.is_empty() {
            lane.lines.remove(line);
        }
        free
    }

    /// Whether another delivery holds this one up.
    pub(super) fn is_held_up(&self, id: &EndpointId, line: &str, sequence: u64) -> bool {
        let line = self.lanes.get(id).and_then(|lane| lane.lines.get(line));
        let first = line.and_then(|line| line.holding.first());
        first.is_some_and(|first| *first < sequence)
    }

    fn update(&mut self, id: &EndpointId, change: impl FnOnce(&mut Lane)) {
        let lane = self.lanes.entry(id.clone()).or_default();
        change(lane);
        if lane.can_go() {
            self.ready.insert(id.clone());
        } else {
            self.ready.remove(id);
        }
        if lane.is_idle() {
            self.lanes.remove(id);
        }
    }
}
