//! A receiver whose latency grows with its load: [`Queue`].

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use http::StatusCode;

use crate::delivery::Outcome;

const SECOND: Duration = Duration::from_secs(1);

/// Queue in front of a single server, which takes the requests one after another.
///
/// A request's response comes after its wait, its service and the receiver's latency. A request
/// whose sender has given up is still served, so a long queue answers nobody in time.
///
/// With a [threshold](Self::with_thrashing) the server thrashes: a request that arrives when more
/// than `threshold` requests are there (itself included) takes `length / threshold` times as long.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use labhook::simulate::{Queue, Receiver};
///
/// let count = |n| NonZeroU32::new(n).unwrap();
/// let queue = Queue::new(count(50)).with_max_waiting(1_000).with_thrashing(count(100));
/// let mut receiver =
///     Receiver::new().with_latency(Duration::ZERO).with_queue(queue).start(0);
/// let latency = |it: labhook::simulate::Reaction| it.response.unwrap().0;
/// assert_eq!(latency(receiver.handle(0, Duration::ZERO)), Duration::from_millis(20));
/// assert_eq!(latency(receiver.handle(1, Duration::ZERO)), Duration::from_millis(40));
/// ```
#[doc(alias = "congestion collapse")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    per_second: NonZeroU32,
    max_waiting: Option<u32>,
    threshold: Option<NonZeroU32>,
    full: Outcome,
}

impl Queue {
    /// Creates an unbounded queue of a server that serves `per_second` requests per second.
    #[must_use]
    pub const fn new(per_second: NonZeroU32) -> Self {
        let full = Outcome::bare(StatusCode::SERVICE_UNAVAILABLE);
        Self { per_second, max_waiting: None, threshold: None, full }
    }

    /// Sets how many requests may wait, besides the one that is served. The others are refused
    /// with a 503 after the receiver's latency.
    #[must_use]
    pub const fn with_max_waiting(mut self, max: u32) -> Self {
        self.max_waiting = Some(max);
        self
    }

    /// Sets the outcome of a request that finds the queue full; the default is a 503.
    #[must_use]
    pub fn with_outcome(mut self, outcome: Outcome) -> Self {
        self.full = outcome;
        self
    }

    /// Sets the number of requests beyond which the server slows down. By default it never does.
    #[must_use]
    pub const fn with_thrashing(mut self, threshold: NonZeroU32) -> Self {
        self.threshold = Some(threshold);
        self
    }

    /// The outcome of a request that finds the queue full.
    pub(in crate::simulate) const fn full(&self) -> &Outcome {
        &self.full
    }

    /// The service time of a request that is number `length` in the queue.
    fn service(&self, length: u32) -> Duration {
        let service = SECOND.checked_div(self.per_second.get()).unwrap_or_default();
        match self.threshold {
            Some(threshold) if length > threshold.get() => {
                let slow = service.saturating_mul(length);
                slow.checked_div(threshold.get()).unwrap_or(service)
            }
            _ => service,
        }
    }
}

/// The requests in a queue.
#[derive(Clone, Debug, Default)]
pub(in crate::simulate) struct RunningQueue {
    /// When each will have been served, in order.
    served_at: VecDeque<Duration>,
}

impl RunningQueue {
    fn length(&self, at: Duration) -> u32 {
        let served = self.served_at.partition_point(|served_at| *served_at <= at);
        u32::try_from(self.served_at.len().saturating_sub(served)).unwrap_or(u32::MAX)
    }

    /// Whether a request would be refused.
    pub(in crate::simulate) fn is_full(&self, queue: &Queue, at: Duration) -> bool {
        queue.max_waiting.is_some_and(|max| self.length(at) > max)
    }

    /// Adds a request, and returns the time until it has been served.
    pub(in crate::simulate) fn push(&mut self, queue: &Queue, at: Duration) -> Duration {
        while self.served_at.front().is_some_and(|served_at| *served_at <= at) {
            self.served_at.pop_front();
        }
        let length = self.length(at).saturating_add(1);
        let starts_at = self.served_at.back().copied().unwrap_or(at).max(at);
        let served_at = starts_at.saturating_add(queue.service(length));
        self.served_at.push_back(served_at);
        served_at.saturating_sub(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(count: u32) -> NonZeroU32 {
        NonZeroU32::new(count).unwrap()
    }

    #[test]
    fn latency_grows_with_the_queue() {
        let queue = Queue::new(count(10)).with_max_waiting(3);
        let mut running = RunningQueue::default();
        let mut push = |at: u64| {
            let at = Duration::from_millis(at);
            (!running.is_full(&queue, at)).then(|| running.push(&queue, at).as_millis())
        };
        let latencies = [0, 0, 0, 0, 0, 99, 100, 250].map(&mut push);
        let expected = [100, 200, 300, 400].map(Some);
        assert_eq!(latencies[..4], expected);
        // One is served and three wait; then one more fits, and one.
        assert_eq!(latencies[4..], [None, None, Some(400), Some(350)]);
        // Idle again.
        assert_eq!(push(10_000), Some(100));
    }

    #[test]
    fn service_slows_down_beyond_the_threshold() {
        let queue = Queue::new(count(10)).with_thrashing(count(2));
        let mut running = RunningQueue::default();
        let times = [(); 4].map(|()| running.push(&queue, Duration::ZERO).as_millis());
        // 100, 100, 150 and 200 ms each.
        assert_eq!(times, [100, 200, 350, 550]);
    }
}
