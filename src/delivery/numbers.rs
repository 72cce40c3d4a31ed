//! A set of attempt numbers: [`Numbers`].

use serde::{Deserialize, Serialize};

/// A set of rising numbers, as the runs of which it consists, the first and the last of each: an
/// endless series of timeouts is one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Numbers(Vec<(u32, u32)>);

impl Numbers {
    pub(super) const NONE: Self = Self(Vec::new());

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a number that is above all that are there.
    pub(super) fn push(&mut self, number: u32) {
        match self.0.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => self.0.push((number, number)),
        }
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
        let runs = self.0.iter().map(|(first, last)| {
            let beyond_the_first = last.checked_sub(*first);
            beyond_the_first.map_or(0, |beyond| beyond.saturating_add(1))
        });
        runs.fold(0, u32::saturating_add)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "small numbers")]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_of_which_the_last_may_go(acts in proptest::collection::vec(0..3_u8, 0..40)) {
            let (mut numbers, mut set, mut next) = (Numbers::NONE, BTreeSet::new(), 1_u32);
            for act in acts {
                match act {
                    0 => next += 1,
                    1 => {
                        numbers.push(next);
                        set.insert(next);
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
    fn a_run_is_saved_as_its_ends() {
        let mut numbers = Numbers::NONE;
        for number in [1, 2, 3, 7] {
            numbers.push(number);
        }
        assert_eq!(serde_json::to_string(&numbers).unwrap(), "[[1,3],[7,7]]");
        let edited: Numbers = serde_json::from_str("[[9,2],[0,4294967295],[5,6]]").unwrap();
        assert_eq!(edited.count(), u32::MAX);
    }
}
