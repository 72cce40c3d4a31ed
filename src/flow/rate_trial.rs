//! A cut of the rate on trial: [`RateTrial`].

use serde::{Deserialize, Deserializer, Serialize};

use super::share::Share;

/// A cut that must show that it helps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RateTrial {
    /// The rate before; `None` if there was no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rate: Option<u64>,
    /// The share refused before; not 0.
    pub(super) loss: Share,
    /// The rate at which requests were sent before.
    pub(super) seen: u64,
    /// Whether a first cut has not helped.
    pub(super) again: bool,
}

/// In a record edited by hand, a trial that nothing was refused before is none: no lower share
/// could show that it helps.
pub(super) fn read<'de, D>(deserializer: D) -> Result<Option<RateTrial>, D::Error>
where
    D: Deserializer<'de>,
{
    let trial = Option::<RateTrial>::deserialize(deserializer)?;
    Ok(trial.filter(|trial| !trial.loss.is_none()))
}

impl RateTrial {
    /// Returns whether more was refused than is excused, so that the excuse is not on trial.
    pub(super) fn exceeds(&self, excused: Share) -> bool {
        self.loss > excused.plus(Share::of(1, 16))
    }

    /// Returns whether the cut did not help: the share refused stayed at least a third of the way
    /// from what is foreseen if the rate were the cause to what it was.
    ///
    /// A lower rate cannot bring down what is excused, unless that excuse is what is on trial.
    pub(super) fn failed(&self, share: Share, seen: u64, excused: Share) -> bool {
        let slower = Share::of(seen, self.seen).min(Share::of(15, 16));
        let mut foreseen = self.loss.rest().over(slower).rest();
        if self.exceeds(excused) {
            foreseen = foreseen.max(excused);
        }
        share >= foreseen.towards(self.loss, 3) && share <= Share::of(7, 8)
    }
}
