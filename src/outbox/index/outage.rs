//! Census of failing endpoints, to detect an outage on the sender's side: [`OutageCensus`].

use crate::health::{OutagePolicy, SenderOutage};

/// Condition of an endpoint in the census.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::outbox) enum Condition {
    Working,
    Failing,
}

/// How an endpoint is counted, if it is. Only the [`OutageCensus`] changes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::outbox) struct Counted(Option<Condition>);

/// The numbers of working and failing endpoints, and whether they suggest an outage on the sender's
/// side.
#[derive(Clone, Debug, Default)]
pub(in crate::outbox) struct OutageCensus {
    policy: OutagePolicy,
    working: u64,
    failing: u64,
    outage: SenderOutage,
}

impl OutageCensus {
    pub(in crate::outbox) fn set_policy(&mut self, policy: OutagePolicy) {
        self.policy = policy;
        self.check();
    }

    pub(in crate::outbox) const fn outage(&self) -> SenderOutage {
        self.outage
    }

    /// Returns the number of failing endpoints, and of all that are counted.
    pub(in crate::outbox) const fn counts(&self) -> (u64, u64) {
        (self.failing, self.failing.saturating_add(self.working))
    }

    /// Sets how an endpoint is counted. Returns whether an outage began or ended with that.
    pub(in crate::outbox) fn set(
        &mut self,
        counted: &mut Counted,
        condition: Option<Condition>,
    ) -> bool {
        let before = std::mem::replace(&mut counted.0, condition);
        if let Some(count) = self.count_of(before) {
            *count = count.saturating_sub(1);
        }
        if let Some(count) = self.count_of(condition) {
            *count = count.saturating_add(1);
        }
        self.check()
    }

    const fn count_of(&mut self, condition: Option<Condition>) -> Option<&mut u64> {
        match condition {
            Some(Condition::Working) => Some(&mut self.working),
            Some(Condition::Failing) => Some(&mut self.failing),
            None => None,
        }
    }

    fn check(&mut self) -> bool {
        let (failing, all) = self.counts();
        let before = std::mem::replace(&mut self.outage, self.policy.check(failing, all));
        before != self.outage
    }
}
