//! Time series with a bounded number of points: [`Series`].

use std::num::NonZeroUsize;
use std::time::Duration;

/// Time series of an endpoint's traffic: one [`Point`] for each interval of
/// [`width`](Self::width), without gaps.
#[doc(alias = "time series")]
#[doc(alias = "histogram")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// In seconds, a power of two.
    width: u64,
    max_points: NonZeroUsize,
    points: Vec<Point>,
}

/// Traffic in one interval of a [`Series`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Point {
    /// First attempts that were started.
    pub first_attempts: u64,
    /// Retries that were started.
    pub retries: u64,
    /// Deliveries that ended as delivered.
    pub delivered: u64,
    /// The most attempts that were started in one whole second.
    pub peak_requests: u64,
    /// The most deliveries that were pending at once.
    pub backlog: u64,
}

impl Series {
    pub(super) const fn new(max_points: NonZeroUsize) -> Self {
        Self { width: 1, max_points, points: Vec::new() }
    }

    /// Returns the width of an interval, a power of two in seconds.
    #[must_use]
    pub const fn width(&self) -> Duration {
        Duration::from_secs(self.width)
    }

    /// Returns the points. The first begins at the start of the simulation.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The point of this second. Points that are added up to it start with this backlog.
    pub(super) fn point(&mut self, second: u64, backlog: u64) -> &mut Point {
        let index = |width| second.checked_div(width).unwrap_or(0);
        let max_points = u64::try_from(self.max_points.get()).unwrap_or(u64::MAX);
        while index(self.width) >= max_points {
            self.merge_pairs();
        }
        // Less than `max_points`, which is a `usize`.
        let index = usize::try_from(index(self.width)).unwrap_or(usize::MAX);
        while self.points.len() <= index {
            self.points.push(Point { backlog, ..Point::default() });
        }
        self.points.get_mut(index).expect("the points were filled up to the index")
    }

    /// Merges each two points into one, which doubles the width.
    fn merge_pairs(&mut self) {
        let pairs = self.points.chunks(2).map(|pair| {
            pair.iter().fold(Point::default(), |sum, it| Point {
                first_attempts: sum.first_attempts.saturating_add(it.first_attempts),
                retries: sum.retries.saturating_add(it.retries),
                delivered: sum.delivered.saturating_add(it.delivered),
                peak_requests: sum.peak_requests.max(it.peak_requests),
                backlog: sum.backlog.max(it.backlog),
            })
        });
        self.points = pairs.collect();
        self.width = self.width.saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_never_exceeds_its_maximum_of_points() {
        let mut series = Series::new(NonZeroUsize::new(4).unwrap());
        series.point(0, 0).first_attempts = 1;
        series.point(3, 7).retries = 2;
        assert_eq!(series.points().iter().map(|it| it.backlog).collect::<Vec<_>>(), [0, 7, 7, 7]);
        series.point(4, 9).peak_requests = 5;
        assert_eq!(series.width(), Duration::from_secs(2));
        let attempts: Vec<_> =
            series.points().iter().map(|it| (it.first_attempts, it.retries)).collect();
        assert_eq!(attempts, [(1, 0), (0, 2), (0, 0)]);
        series.point(u64::MAX, 0);
        assert_eq!(series.points().len(), 4);
        assert_eq!(series.points()[0].backlog, 9);
    }
}
