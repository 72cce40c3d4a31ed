//! States of a delivery, in their saved form.

use serde::{Deserialize, Serialize};

use super::verdict::Verdict;
use crate::time::Timestamp;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum State {
    /// The next attempt may start, and has been due since `since`.
    Due {
        since: Timestamp,
    },
    /// The next attempt may start at or after `due`.
    Waiting {
        due: Timestamp,
    },
    /// The latest attempt started at `at` and awaits its response.
    InFlight {
        at: Timestamp,
        deadline: Timestamp,
    },
    /// The latest attempt ended without a response, and the application decides what follows.
    InDoubt {
        since: Timestamp,
    },
    Ended {
        verdict: Verdict,
        at: Timestamp,
    },
}

/// The latest replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replayed {
    /// The number of replays so far, including this one.
    pub(super) times: u32,
    /// The number of attempts started before it: the schedule counts from here.
    pub(super) after: u32,
    /// When its first attempt was due: the retry window counts from here.
    pub(super) due: Timestamp,
}
