//! Values that change at instants: [`Steps`].

use std::time::Duration;

/// A value, and those that replace it over time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Steps<T> {
    first: T,
    later: Vec<(Duration, T)>,
}

impl<T: Copy + Ord> Steps<T> {
    pub(super) const fn new(first: T) -> Self {
        Self { first, later: Vec::new() }
    }

    /// The value at the start, which keeps its steps.
    pub(super) const fn set_first(&mut self, first: T) {
        self.first = first;
    }

    /// Of steps at one instant, the last one applies.
    pub(super) fn add(&mut self, at: Duration, value: T) {
        let index = self.later.partition_point(|(before, _)| *before <= at);
        self.later.insert(index, (at, value));
    }

    pub(super) fn at(&self, at: Duration) -> T {
        let index = self.later.partition_point(|(from, _)| *from <= at);
        let step = index.checked_sub(1).and_then(|last| self.later.get(last));
        step.map_or(self.first, |(_, value)| *value)
    }

    pub(super) fn max(&self) -> T {
        self.later.iter().map(|(_, value)| *value).fold(self.first, T::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_step_before_an_instant_applies() {
        let secs = Duration::from_secs;
        let mut steps = Steps::new(1);
        steps.add(secs(20), 3);
        steps.add(secs(10), 7);
        steps.add(secs(20), 2);
        assert_eq!([0, 9, 10, 19, 20, 99].map(|at| steps.at(secs(at))), [1, 1, 7, 7, 2, 2]);
        assert_eq!(steps.max(), 7);
    }
}
