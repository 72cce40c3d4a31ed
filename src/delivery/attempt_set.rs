//! A set of attempt numbers: [`AttemptSet`].

use serde::{Deserialize, Serialize};

/// How many runs are kept.
///
/// A run is forgotten when the 16th after it begins. Another attempt lies between any two runs, so
/// that is 32 attempts later at the soonest. A delivery that is not replayed makes no more than 30
/// under any preset, and the request that could still be answered should have ended at its
/// deadline, before all of these. Saved, 16 runs take up less than 400 bytes.
const MOST: usize = 16;

/// A set of rising numbers, as the runs of which it consists, the first and the last of each: an
/// endless series of timeouts is one of them. Only the last of the runs are kept, so that it stays
/// small where timeouts come now and then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct AttemptSet(Vec<(u32, u32)>);

impl AttemptSet {
    pub(super) const NONE: Self = Self(Vec::new());

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a number that is above all that are there, and gives how many were forgotten for it.
    #[must_use = "whoever counts them has to count these as well"]
    pub(super) fn push(&mut self, number: u32) -> u32 {
        match self.0.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => self.0.push((number, number)),
        }
        let beyond = self.0.len().saturating_sub(MOST);
        count(self.0.drain(..beyond))
    }

    /// Takes the number out, where it is the last.
    pub(super) fn pop(&mut self, number: u32) {
        match self.0.last_mut() {
            Some((first, last)) if *last == number && *first < number => {
                *last = last.saturating_sub(1);
            }
            Some((_, last)) if *last == number => _ = self.0.pop(),
            _ => {}
        }
    }

    pub(super) fn contains(&self, number: u32) -> bool {
        self.0.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// How many numbers there are.
    pub(super) fn count(&self) -> u32 {
        count(self.0.iter().copied())
    }
}

/// How many numbers are in these runs.
fn count(runs: impl Iterator<Item = (u32, u32)>) -> u32 {
    let counts = runs.map(|(first, last)| {
        let beyond_the_first = last.checked_sub(first);
        beyond_the_first.map_or(0, |beyond| beyond.saturating_add(1))
    });
    counts.fold(0, u32::saturating_add)
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "small numbers")]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// The number at which the second run of a set begins; `None` where there is one, or none.
    fn second_run(set: &BTreeSet<u32>) -> Option<u32> {
        set.iter().zip(set.iter().skip(1)).find(|(one, next)| *one + 1 != **next).map(|it| *it.1)
    }

    /// How many runs a set has.
    fn runs(set: &BTreeSet<u32>) -> usize {
        set.iter().filter(|it| !set.contains(&(**it - 1))).count()
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_which_the_last_may_go_and_the_first_do(
            acts in proptest::collection::vec(
                prop_oneof![4 => Just(0_u8), 6 => Just(1), 1 => Just(2)],
                0..160,
            ),
        ) {
            let (mut numbers, mut set, mut next) = (AttemptSet::NONE, BTreeSet::new(), 1_u32);
            for act in acts {
                match act {
                    0 => next += 1,
                    1 => {
                        let forgotten = numbers.push(next);
                        set.insert(next);
                        let before = set.len();
                        while runs(&set) > MOST {
                            set = set.split_off(&second_run(&set).unwrap());
                        }
                        prop_assert_eq!(forgotten as usize, before - set.len());
                        next += 1;
                    }
                    _ => {
                        let last = set.pop_last().unwrap_or(next);
                        numbers.pop(last);
                        next = next.max(last + 1);
                    }
                }
                prop_assert_eq!(numbers.count() as usize, set.len());
                prop_assert!((0..next + 2).all(|it| numbers.contains(it) == set.contains(&it)));
                prop_assert_eq!(numbers.is_empty(), set.is_empty());
            }
        }
    }

    #[test]
    fn the_seventeenth_run_is_one_too_many() {
        let mut numbers = AttemptSet::NONE;
        // One that ends with 3, and then every other one.
        for number in (1..=3).chain((5..=33).step_by(2)) {
            assert_eq!(numbers.push(number), 0);
        }
        assert_eq!((numbers.count(), numbers.contains(3)), (18, true));
        assert_eq!(numbers.push(34), 0);
        assert_eq!(numbers.push(3 + 32), 0);
        numbers.pop(35);
        numbers.pop(34);
        assert_eq!(numbers.push(35), 3);
        assert_eq!((numbers.count(), numbers.contains(3)), (16, false));
        // A file that somebody has edited.
        let mut many: AttemptSet =
            serde_json::from_value((0..40).map(|_| [0, u32::MAX]).collect()).unwrap();
        assert_eq!(many.push(7), u32::MAX);
        assert_eq!(many.0.len(), MOST);
    }

    #[test]
    fn saved_it_stays_small() {
        let mut numbers = AttemptSet::NONE;
        for number in (u32::MAX - 100..=u32::MAX).step_by(2) {
            _ = numbers.push(number);
        }
        assert_eq!(serde_json::to_string(&numbers).unwrap().len(), 385);
    }

    #[test]
    fn a_run_is_saved_as_its_ends() {
        let mut numbers = AttemptSet::NONE;
        for number in [1, 2, 3, 7] {
            assert_eq!(numbers.push(number), 0);
        }
        assert_eq!(serde_json::to_string(&numbers).unwrap(), "[[1,3],[7,7]]");
        let edited: AttemptSet = serde_json::from_str("[[9,2],[0,4294967295],[5,6]]").unwrap();
        assert_eq!(edited.count(), u32::MAX);
    }
}
