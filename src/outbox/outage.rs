//! Whether too many endpoints fail together: [`OutageCensus`].

use crate::health::{OutagePolicy, SenderOutage};

/// How an endpoint counts among those of which too many may be failing at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Census {
    Well,
    Failing,
}

/// The guard against the sender's own outage, and what it counts.
#[derive(Clone, Debug, Default)]
pub(super) struct OutageCensus {
    policy: OutagePolicy,
    well: u64,
    failing: u64,
    guard: SenderOutage,
}

impl OutageCensus {
    pub(super) fn set_policy(&mut self, policy: OutagePolicy) {
        self.policy = policy;
        self.check();
    }

    pub(super) const fn guard(&self) -> SenderOutage {
        self.guard
    }

    /// How many endpoints fail, and how many there are in all.
    pub(super) const fn counts(&self) -> (u64, u64) {
        (self.failing, self.failing.saturating_add(self.well))
    }

    /// An endpoint counts in another way from here on. Answers whether the guard has turned.
    pub(super) fn count(&mut self, from: Option<Census>, to: Option<Census>) -> bool {
        if let Some(count) = self.tally(from) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.tally(to) {
            *count = count.saturating_add(1);
        }
        self.check()
    }

    const fn tally(&mut self, census: Option<Census>) -> Option<&mut u64> {
        match census {
            Some(Census::Well) => Some(&mut self.well),
            Some(Census::Failing) => Some(&mut self.failing),
            None => None,
        }
    }

    fn check(&mut self) -> bool {
        let (failing, all) = self.counts();
        let before = std::mem::replace(&mut self.guard, self.policy.check(failing, all));
        before != self.guard
    }
}
