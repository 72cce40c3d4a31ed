//! A set of attempt numbers: [`AttemptSet`].

use serde::{Deserialize, Serialize};

/// The number of runs kept.
///
/// A run is forgotten when the 16th run after it begins. At least one other attempt separates two
/// runs, so that is at least 32 attempts later. Under every preset, a delivery that is not replayed
/// makes at most 30 attempts, and a request that could still be answered should have ended at its
/// deadline, before all of these. 16 runs take less than 400 bytes in saved state.
const MAX_RUNS: usize = 16;

/// Set of rising attempt numbers, stored as runs of consecutive ones: the first and the last number
/// of each. An endless series of timeouts is a single run. Only the latest runs are kept, so the
/// set stays small if timeouts occur now and then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct AttemptSet(Vec<(u32, u32)>);

impl AttemptSet {
    pub(super) const NONE: Self = Self(Vec::new());

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a number above all others, and returns how many old numbers were forgotten.
    #[must_use = "the caller counts forgotten numbers too"]
    pub(super) fn push(&mut self, number: u32) -> u32 {
        match self.0.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => self.0.push((number, number)),
        }
        self.forget()
    }

    /// Removes a number, and returns how many old numbers were forgotten.
    #[must_use = "the caller counts forgotten numbers too"]
    pub(super) fn remove(&mut self, number: u32) -> u32 {
        let run = self.0.iter().position(|(first, last)| (*first..=*last).contains(&number));
        let Some(index) = run else { return 0 };
        let (first, last) = self.0.remove(index);
        let after = number.checked_add(1).map(|next| (next, last));
        let before = number.checked_sub(1).map(|previous| (first, previous));
        for run in [after, before].into_iter().flatten().filter(|(first, last)| first <= last) {
            self.0.insert(index, run);
        }
        self.forget()
    }

    /// Forgets the oldest runs if there are too many, and returns how many numbers these were.
    fn forget(&mut self) -> u32 {
        let excess = self.0.len().saturating_sub(MAX_RUNS);
        count(self.0.drain(..excess))
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// Returns the number of elements.
    pub(super) fn count(&self) -> u32 {
        count(self.0.iter().copied())
    }
}

/// Returns the number of elements in these runs; a run that ends before it begins has none.
fn count(runs: impl Iterator<Item = (u32, u32)>) -> u32 {
    let counts = runs.map(|(first, last)| {
        let after_first = last.checked_sub(first);
        after_first.map_or(0, |rest| rest.saturating_add(1))
    });
    counts.fold(0, u32::saturating_add)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "small numbers")]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The number at which the second run of a set begins, if there is one.
    fn second_run(set: &BTreeSet<u32>) -> Option<u32> {
        set.iter().zip(set.iter().skip(1)).find(|(one, next)| *one + 1 != **next).map(|it| *it.1)
    }

    /// The number of runs in a set.
    fn runs(set: &BTreeSet<u32>) -> usize {
        set.iter().filter(|it| !set.contains(&(**it - 1))).count()
    }

    proptest! {
        #[test]
        fn behaves_like_a_set_of_the_latest_runs(
            calls in proptest::collection::vec(
                prop_oneof![4 => Just(0_u8), 6 => Just(1), 1 => Just(2), 1 => Just(3)],
                0..160,
            ),
        ) {
            let (mut numbers, mut set, mut next) = (AttemptSet::NONE, BTreeSet::new(), 1_u32);
            for call in calls {
                match call {
                    0 => next += 1,
                    1 => {
                        let forgotten = numbers.push(next);
                        set.insert(next);
                        let before = set.len();
                        while runs(&set) > MAX_RUNS {
                            set = set.split_off(&second_run(&set).unwrap());
                        }
                        prop_assert_eq!(forgotten as usize, before - set.len());
                        next += 1;
                    }
                    // The latest, or one in the middle.
                    call => {
                        let skipped = if call == 2 { 0 } else { set.len() / 2 };
                        let number = set.iter().rev().nth(skipped).copied().unwrap_or(next);
                        let forgotten = numbers.remove(number);
                        let before = set.len() - usize::from(set.remove(&number));
                        while runs(&set) > MAX_RUNS {
                            set = set.split_off(&second_run(&set).unwrap());
                        }
                        prop_assert_eq!(forgotten as usize, before - set.len());
                    }
                }
                prop_assert_eq!(numbers.count() as usize, set.len());
                prop_assert!((0..next + 2).all(|it| numbers.contains(it) == set.contains(&it)));
                prop_assert_eq!(numbers.is_empty(), set.is_empty());
            }
        }
    }

    #[test]
    fn seventeenth_run_evicts_the_first() {
        let mut numbers = AttemptSet::NONE;
        // One run that ends with 3, and then single numbers.
        for number in (1..=3).chain((5..=33).step_by(2)) {
            assert_eq!(numbers.push(number), 0);
        }
        assert_eq!((numbers.count(), numbers.contains(3)), (18, true));
        assert_eq!(numbers.push(34), 0);
        assert_eq!(numbers.push(3 + 32), 0);
        assert_eq!(numbers.remove(35) + numbers.remove(34), 0);
        assert_eq!(numbers.push(35), 3);
        assert_eq!((numbers.count(), numbers.contains(3)), (16, false));
        // Saved state that was edited by hand.
        let mut many: AttemptSet =
            serde_json::from_value((0..40).map(|_| [0, u32::MAX]).collect()).unwrap();
        assert_eq!(many.push(7), u32::MAX);
        assert_eq!(many.0.len(), MAX_RUNS);
    }

    #[test]
    fn number_is_removed_from_within_a_run() {
        let mut numbers = AttemptSet::NONE;
        for number in [1, 2, 3, 5] {
            assert_eq!(numbers.push(number), 0);
        }
        for (number, left) in [(0, 4), (4, 4), (6, 4), (2, 3), (2, 3), (5, 2), (1, 1), (3, 0)] {
            assert_eq!(numbers.remove(number), 0);
            assert_eq!((numbers.count(), numbers.contains(number)), (left, false), "{number}");
        }
        assert!(numbers.is_empty());
    }

    #[test]
    fn saved_set_stays_small() {
        let mut numbers = AttemptSet::NONE;
        for number in (u32::MAX - 100..=u32::MAX).step_by(2) {
            _ = numbers.push(number);
        }
        assert_eq!(serde_json::to_string(&numbers).unwrap().len(), 385);
    }

    #[test]
    fn run_is_saved_as_its_ends() {
        let mut numbers = AttemptSet::NONE;
        for number in [1, 2, 3, 7] {
            assert_eq!(numbers.push(number), 0);
        }
        assert_eq!(serde_json::to_string(&numbers).unwrap(), "[[1,3],[7,7]]");
        let edited: AttemptSet = serde_json::from_str("[[9,2],[0,4294967295],[5,6]]").unwrap();
        assert_eq!(edited.count(), u32::MAX);
    }
}
