//! The states of a delivery, as they are saved.

use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// The next attempt may start.
    Due,
    /// The next attempt may start from `due` on.
    Waiting {
        due: Timestamp,
    },
    /// The last attempt that was started is live, since `at`.
    InFlight {
        at: Timestamp,
        deadline: Timestamp,
    },
    /// The last attempt that was started ended without an answer, and the host is asked.
    InDoubt {
        since: Timestamp,
    },
    Ended {
        verdict: Verdict,
        at: Timestamp,
    },
}

/// The last replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Replayed {
    /// How many replays there were, this one included.
    pub(super) times: u32,
    /// How many attempts were started before it: the schedule counts from here.
    pub(super) after: u32,
    /// When its first attempt was to be due: the window counts from here.
    pub(super) due: Timestamp,
}
