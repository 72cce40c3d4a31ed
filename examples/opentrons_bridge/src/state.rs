//! What the bridge saw last: [`State`].

use std::collections::{BTreeMap, BTreeSet};

use labhook::lab::RunState;
use serde::{Deserialize, Serialize};

/// What the bridge saw last of a robot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// The runs that the server has, by id.
    pub runs: BTreeMap<String, SeenRun>,
    /// The devices `door` and `estop`.
    pub devices: BTreeMap<String, SeenDevice>,
    /// Whether anything was seen.
    pub has_begun: bool,
}

/// What the bridge saw last of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRun {
    /// The state that was published last.
    pub state: Option<RunState>,
    /// The number of state changes that were published.
    pub changes: u64,
    /// Whether its end, and each of its commands, was published.
    pub is_over: bool,
    /// Each command before this position has ended.
    pub next: u64,
    /// The commands from `next` on that have ended. There are some, because setup commands come
    /// last in the list and are run first.
    pub ended: BTreeSet<u64>,
}

/// What the bridge saw last of a device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDevice {
    pub status: String,
    /// The number of changes that were published.
    pub changes: u64,
}

impl SeenRun {
    /// Notes that the command at this position has ended. Returns whether that is new.
    pub fn end(&mut self, position: u64) -> bool {
        let is_new = position >= self.next && self.ended.insert(position);
        while self.ended.remove(&self.next) {
            self.next += 1;
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_end_in_any_order_and_once() {
        let mut run = SeenRun::default();
        assert!(run.end(2) && run.end(0) && !run.end(0) && !run.end(2));
        assert_eq!((run.next, run.ended.len()), (1, 1));
        assert!(run.end(1) && !run.end(1));
        assert_eq!((run.next, run.ended.len()), (3, 0));
    }
}
