//! Whether pauses that the receiver requests help: [`Pauses`].

use serde::{Deserialize, Serialize};

use super::share::Share;

/// Answers after which a share is compared with another.
const ENOUGH: u32 = 64;
/// Answers that suffice if all or nearly all are refused.
const CLEAR: u32 = 16;
/// Pauses before they are put on trial: 2, and twice as many each time that they turn out to help.
const FIRST_PATIENCE: u16 = 2;
const LAST_PATIENCE: u16 = 1_024;

/// Pauses that the receiver requests with `Retry-After`, as a trial.
///
/// A pause is granted at first: the receiver knows best. If a receiver that accepts some attempts
/// keeps asking, its requests may concern single messages and not the sender, and pauses would
/// starve all others. So after a while no pause is granted for one sample. If the share refused
/// stays about the same, pauses did not help, and are no longer granted until it rises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pauses {
    /// The share refused while pauses were granted; `None` while they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused_with: Option<Share>,
    answers: u32,
    refused: u32,
    granted: u16,
    /// Pauses until the next trial.
    patience: u16,
    /// Whether a trial has shown that they do not help.
    useless: bool,
}

impl Pauses {
    pub(super) const fn new() -> Self {
        Self {
            refused_with: None,
            answers: 0,
            refused: 0,
            granted: 0,
            patience: FIRST_PATIENCE,
            useless: false,
        }
    }

    /// Returns whether a trial has shown that pauses do not help.
    pub(super) const fn are_useless(&self) -> bool {
        self.useless
    }

    /// Counts an answer.
    pub(super) fn answered(&mut self, refused: bool) {
        // Of a receiver that never refuses, there is nothing to save.
        if !refused && self.refused == 0 && self.refused_with.is_none() {
            return;
        }
        self.answers = self.answers.saturating_add(1);
        self.refused = self.refused.saturating_add(u32::from(refused));
        let Some(with) = self.refused_with else {
            // Recent answers count more.
            if self.answers >= ENOUGH.saturating_mul(16) {
                (self.answers, self.refused) = (self.answers >> 1, self.refused >> 1);
            }
            return;
        };
        let (answers, refused) = (self.answers, self.refused);
        let clear = answers >= CLEAR && refused.saturating_mul(4) >= answers.saturating_mul(3);
        if !clear && answers < ENOUGH {
            return;
        }
        let without = Share::of(refused.into(), answers.into());
        (self.answers, self.refused) = (0, 0);
        // Without pauses a limit refuses at least twice as much, or half of what it took.
        let helpful = with.plus(with).plus(Share::of(1, 16)).min(with.towards(Share::of(1, 1), 2));
        if without > helpful {
            let patience = self.patience.saturating_mul(2).clamp(FIRST_PATIENCE, LAST_PATIENCE);
            *self = Self { patience, ..Self::new() };
        } else {
            self.useless = true;
        }
    }

    /// Decides on a pause that the receiver requests. Returns whether it is granted.
    pub(super) fn requested(&mut self) -> bool {
        if self.refused_with.is_some() {
            return false;
        }
        let takes_some = self.refused.saturating_mul(8) <= self.answers.saturating_mul(7);
        let patience = self.patience.clamp(FIRST_PATIENCE, LAST_PATIENCE);
        if self.granted >= patience && self.answers >= CLEAR && takes_some {
            self.refused_with = Some(Share::of(self.refused.into(), self.answers.into()));
            (self.answers, self.refused, self.granted) = (0, 0, 0);
            return false;
        }
        self.granted = self.granted.saturating_add(1);
        true
    }
}
