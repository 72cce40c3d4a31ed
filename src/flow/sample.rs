//! The answers to attempts that started within one sample: [`Sample`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::{SECOND, elapsed};
use super::share::{Share, scale};
use crate::time::Timestamp;

/// One request. Rates are counted in millionths of a request per second.
pub(super) const REQUEST: u64 = 1_000_000;
/// The most that a gap between two starts can count, in mean gaps: a longer one is idle time.
const LONGEST_GAP: u64 = 4;
/// Answers that suffice, however little time they took.
const MANY: u32 = 256;
/// Answers without a refusal that suffice, however small the share was that was refused before.
const PLENTY: u32 = 1_024;
/// The most time that they count: what is longer is idle time between bursts.
const MINUTE: u64 = 60 * SECOND;
/// Refusals in a row, and then other answers in a row, by which a receiver is known to be back.
const RUN: u32 = 8;

/// The answers to attempts that started after `since`, and the time over which they started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sample {
    /// Attempts that started later belong to the sample.
    since: Timestamp,
    last_start: Timestamp,
    starts: u32,
    /// Microseconds from the first start to the last, without idle time.
    active: u64,
    answers: u32,
    refused: u32,
    /// Refusals before the first other answer.
    first_refused: u32,
    /// Refusals after the last other answer.
    last_refused: u32,
}

/// What a sample amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) answers: u32,
    pub(super) refused: u32,
    /// Requests per second that were started, in millionths.
    pub(super) seen: u64,
    pub(super) turn: Option<Turn>,
}

/// All refusals came together at one end of the sample: the receiver changed within it, so the
/// refused share says nothing about a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It refused everything, and then nothing.
    ForTheBetter,
    /// It refused nothing, and then everything.
    ForTheWorse,
}

impl Findings {
    /// Leaves out what was refused before the receiver was back.
    pub(super) fn since_it_is_back(self) -> Self {
        match self.turn {
            Some(Turn::ForTheBetter) => {
                Self { answers: self.answers.saturating_sub(self.refused), refused: 0, ..self }
            }
            _ => self,
        }
    }

    pub(super) fn share(&self) -> Share {
        Share::of(self.refused.into(), self.answers.into())
    }
}

/// Returns whether this number of answers without a refusal shows that fewer are refused than
/// before.
pub(super) fn suffice(answers: u32, refused_before: Share) -> bool {
    refused_before.times(answers.into()) >= 4 || answers >= PLENTY
}

impl Sample {
    pub(super) const fn new(since: Timestamp) -> Self {
        Self {
            since,
            last_start: Timestamp::MIN,
            starts: 0,
            active: 0,
            answers: 0,
            refused: 0,
            first_refused: 0,
            last_refused: 0,
        }
    }

    /// Counts the start of an attempt.
    pub(super) fn started(&mut self, now: Timestamp) {
        if self.starts > 0 {
            let gap = elapsed(self.last_start, now);
            let gaps = u64::from(self.starts.saturating_sub(1));
            let longest = match gaps {
                0 => SECOND,
                _ => scale(self.active.max(1), LONGEST_GAP, gaps),
            };
            self.active = self.active.saturating_add(gap.min(longest.max(1)));
        } else if self.since == Timestamp::MIN {
            // The first sample begins with the first attempt.
            self.since = now - Duration::from_micros(1);
        }
        self.starts = self.starts.saturating_add(1);
        self.last_start = now;
    }

    /// Reverses a start that was never sent.
    pub(super) const fn cancelled(&mut self) {
        self.starts = self.starts.saturating_sub(1);
    }

    /// Counts the answer to an attempt, if it belongs to the sample.
    pub(super) fn answered(&mut self, started_at: Timestamp, refused: bool) {
        if started_at <= self.since {
            return;
        }
        if refused {
            self.refused = self.refused.saturating_add(1);
            self.last_refused = self.last_refused.saturating_add(1);
            if self.refused > self.answers {
                self.first_refused = self.refused;
            }
        } else {
            self.last_refused = 0;
        }
        self.answers = self.answers.saturating_add(1);
    }

    pub(super) const fn has_refusals(&self) -> bool {
        self.refused > 0
    }

    /// Returns what the sample amounts to, once it is long enough to say something: at least a second,
    /// since a shorter one says nothing about a receiver that counts by the second.
    ///
    /// During a trial, `loss` is the share refused before: without a refusal, there must be
    /// enough answers for some to have been refused. Some refusals among successes take longer to
    /// judge than none or only refusals, since a receiver may count by windows of a few seconds.
    ///
    /// Many answers suffice even if they came in a short burst, between pauses.
    pub(super) fn findings(
        &self,
        loss: Option<Share>,
        excused: Share,
        now: Timestamp,
    ) -> Option<Findings> {
        let Self { answers, refused, active, .. } = *self;
        let active = if answers >= MANY { elapsed(self.since, now).min(MINUTE) } else { active };
        let enough = if refused == 0 {
            match loss {
                None => answers >= 8,
                Some(loss) => suffice(answers, loss),
            }
        } else if refused == answers {
            active >= SECOND.saturating_mul(3) && answers >= 16
        } else if refused.saturating_mul(4) >= answers.saturating_mul(3) && excused.is_none() {
            answers >= 24
        } else {
            // A trial may begin within a window that was used up before it.
            let (seconds, least) = match loss {
                Some(_) => (6, 64),
                None if excused.is_none() => (3, 24),
                None => (3, 96),
            };
            active >= SECOND.saturating_mul(seconds) && answers >= least
        };
        let turn = match refused {
            0 => None,
            _ if refused == answers => None,
            _ if self.first_refused == refused => Some(Turn::ForTheBetter),
            _ if self.last_refused == refused => Some(Turn::ForTheWorse),
            _ => None,
        };
        // The receiver is back: what it refused before need not be held against the rate. At a low
        // rate it would take minutes to outweigh.
        let is_back = turn == Some(Turn::ForTheBetter)
            && answers.saturating_sub(refused) >= RUN
            && (refused >= RUN || active >= SECOND.saturating_mul(30));
        if !(enough || is_back) || active < SECOND {
            return None;
        }
        let gaps = u64::from(self.starts.saturating_sub(1));
        let seen = scale(gaps.saturating_mul(REQUEST), SECOND, active.max(1));
        Some(Findings { answers, refused, seen, turn })
    }

    /// After the clock stepped back, moves instants that lie ahead of it to `now`.
    pub(super) fn pull_in(&mut self, now: Timestamp) {
        self.since = self.since.min(now);
        self.last_start = self.last_start.min(now);
    }
}
