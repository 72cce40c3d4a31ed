//! What happened over time, in a bounded number of points: [`Series`].

use std::num::NonZeroUsize;
use std::time::Duration;

/// What happened over time: one [`Point`] for each stretch of [`width`](Self::width), without a
/// gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Series {
    /// In seconds, a power of two.
    width: u64,
    most: NonZeroUsize,
    points: Vec<Point>,
}

/// What happened in one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Point {
    /// First attempts that were started.
    pub firsts: u64,
    /// Other attempts that were started.
    pub retries: u64,
    /// Deliveries that ended as delivered.
    pub delivered: u64,
    /// The most attempts that were started in one whole second of it.
    pub busiest: u64,
    /// The most deliveries that were accepted and had not ended.
    pub backlog: u64,
}

impl Series {
    pub(super) const fn new(most: NonZeroUsize) -> Self {
        Self { width: 1, most, points: Vec::new() }
    }

    /// How long a stretch is: a power of two in seconds.
    #[must_use]
    pub const fn width(&self) -> Duration {
        Duration::from_secs(self.width)
    }

    /// The points, the first of which begins with the simulation.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// The point for this second, in which there was such a backlog at first.
    pub(super) fn point(&mut self, second: u64, backlog: u64) -> &mut Point {
        let index = |width| second.checked_div(width).unwrap_or(0);
        let most = u64::try_from(self.most.get()).unwrap_or(u64::MAX);
        while index(self.width) >= most {
            self.halve();
        }
        // Less than `most`, which is a `usize`.
        let index = usize::try_from(index(self.width)).unwrap_or(usize::MAX);
        while self.points.len() <= index {
            self.points.push(Point { backlog, ..Point::default() });
        }
        self.points.get_mut(index).expect("the points were filled up to the index")
    }

    /// Makes one point of each two.
    fn halve(&mut self) {
        let pairs = self.points.chunks(2).map(|pair| {
            pair.iter().fold(Point::default(), |sum, it| Point {
                firsts: sum.firsts.saturating_add(it.firsts),
                retries: sum.retries.saturating_add(it.retries),
                delivered: sum.delivered.saturating_add(it.delivered),
                busiest: sum.busiest.max(it.busiest),
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
    fn it_has_no_more_points_than_it_may() {
        let mut series = Series::new(NonZeroUsize::new(4).unwrap());
        series.point(0, 0).firsts = 1;
        series.point(3, 7).retries = 2;
        assert_eq!(series.points().iter().map(|it| it.backlog).collect::<Vec<_>>(), [0, 7, 7, 7]);
        series.point(4, 9).busiest = 5;
        assert_eq!(series.width(), Duration::from_secs(2));
        let shown: Vec<_> = series.points().iter().map(|it| (it.firsts, it.retries)).collect();
        assert_eq!(shown, [(1, 0), (0, 2), (0, 0)]);
        series.point(u64::MAX, 0);
        assert_eq!(series.points().len(), 4);
        assert_eq!(series.points()[0].backlog, 9);
    }
}
