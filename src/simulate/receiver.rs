//! Model of a receiver: [`Receiver`].

mod behaviour;
mod chance;
mod limiter;
mod outage;
mod poison;
mod processing;
mod queue;
mod steps;
mod usage;

use std::num::NonZeroU32;
use std::time::Duration;

use http::StatusCode;

use steps::Steps;

use crate::delivery::Outcome;

pub use behaviour::Behaviour;
pub use chance::Chance;
pub use limiter::Limiter;
pub use outage::{Flapping, Outage};
pub use poison::Poison;
pub use processing::Processing;
pub use queue::Queue;

pub(super) use behaviour::is_success;
pub(super) use limiter::RunningLimiter;
pub(super) use processing::InProgress;
pub(super) use queue::RunningQueue;

/// Simulated receiver with a latency, limits, outages and other faults.
///
/// By default it accepts every message after 20 ms. A request passes what was added in this order,
/// and the first that fails it decides:
///
/// 1. outages and flapping
/// 2. the capacity and the limiters; all must accept it
/// 3. chance failures
/// 4. the queue
/// 5. poison
/// 6. processing
///
/// Times are since the start of the simulation.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use http::StatusCode;
/// use labhook::simulate::{Behaviour, Receiver};
///
/// let minutes = |n: u64| Duration::from_secs(n * 60);
/// let receiver = Receiver::new()
///     .with_latency(Duration::from_millis(80))
///     .with_capacity(NonZeroU32::new(50).unwrap())
///     .add_outage(minutes(10), minutes(25), Behaviour::Hangs)
///     .add_outage(minutes(25), minutes(40), Behaviour::status(StatusCode::SERVICE_UNAVAILABLE));
/// assert_eq!(receiver.outages().len(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    latency: Steps<Duration>,
    capacity: Option<NonZeroU32>,
    overload: Outcome,
    outages: Vec<Outage>,
    flapping: Vec<Flapping>,
    limiters: Vec<Limiter>,
    chances: Vec<Chance>,
    pub(super) queue: Option<Queue>,
    poison: Vec<Poison>,
    pub(super) processing: Option<Processing>,
}

impl Receiver {
    /// Creates a receiver that accepts every message and responds after 20 ms.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            latency: Steps::new(Duration::from_millis(20)),
            capacity: None,
            overload: Outcome::bare(StatusCode::TOO_MANY_REQUESTS),
            outages: Vec::new(),
            flapping: Vec::new(),
            limiters: Vec::new(),
            chances: Vec::new(),
            queue: None,
            poison: Vec::new(),
            processing: None,
        }
    }

    /// Sets the response latency. A response at the attempt's deadline or later counts as a
    /// timeout. With a latency of zero, endless retries follow one another as fast as the schedule
    /// allows, a millisecond apart or less if it is jittered, up to the
    /// [limit](super::Scenario::with_limit).
    #[must_use]
    pub const fn with_latency(mut self, latency: Duration) -> Self {
        self.latency.set_first(latency);
        self
    }

    /// Changes the response latency at this time.
    #[must_use]
    pub fn add_latency_step(mut self, at: Duration, latency: Duration) -> Self {
        self.latency.add(at, latency);
        self
    }

    /// Sets the number of messages that are accepted in any second. Requests beyond it get a 429,
    /// and do not count towards the capacity.
    #[must_use]
    pub const fn with_capacity(mut self, per_second: NonZeroU32) -> Self {
        self.capacity = Some(per_second);
        self
    }

    /// Sets the outcome of requests beyond the capacity; the default is a 429.
    #[must_use]
    pub fn with_overload_outcome(mut self, outcome: Outcome) -> Self {
        self.overload = outcome;
        self
    }

    /// Adds an outage. If outages overlap, the one that was added first applies.
    #[must_use]
    pub fn add_outage(mut self, from: Duration, to: Duration, behaviour: Behaviour) -> Self {
        self.outages.push(Outage { from, to, behaviour });
        self
    }

    /// Adds repeated outages: from `from` to `to`, the first `down` of each `period` is one.
    #[must_use]
    pub fn add_flapping(
        mut self,
        from: Duration,
        to: Duration,
        period: Duration,
        down: Duration,
        behaviour: Behaviour,
    ) -> Self {
        self.flapping.push(Flapping { from, to, period, down, behaviour });
        self
    }

    /// Adds a limiter. Several must all accept a request.
    #[must_use]
    pub fn add_limiter(mut self, limiter: Limiter) -> Self {
        self.limiters.push(limiter);
        self
    }

    /// Adds a chance failure.
    #[must_use]
    pub fn add_chance(mut self, chance: Chance) -> Self {
        self.chances.push(chance);
        self
    }

    /// Sets the queue that requests wait in. By default each is served at once.
    #[must_use]
    pub fn with_queue(mut self, queue: Queue) -> Self {
        self.queue = Some(queue);
        self
    }

    /// Adds poisoned messages. If a message is poisoned twice, the behaviour that was added first
    /// applies.
    #[must_use]
    pub fn add_poison(mut self, poison: Poison) -> Self {
        self.poison.push(poison);
        self
    }

    /// Sets the processing time of messages, and the response to repeats in progress.
    #[must_use]
    pub fn with_processing(mut self, processing: Processing) -> Self {
        self.processing = Some(processing);
        self
    }

    /// Returns the outages, in the order in which they were added.
    #[must_use]
    pub fn outages(&self) -> &[Outage] {
        &self.outages
    }

    /// The start of the first outage.
    pub(super) fn down_at(&self) -> Option<Duration> {
        let flapping = self.flapping.iter().map(|flapping| flapping.from);
        self.outages.iter().map(|outage| outage.from).chain(flapping).min()
    }

    /// The end of the last outage.
    pub(super) fn back_at(&self) -> Option<Duration> {
        let flapping = self.flapping.iter().filter_map(|it| it.last_end(Duration::MAX));
        self.outages.iter().map(|outage| outage.to).chain(flapping).max()
    }

    /// The end of the last outage that has ended.
    pub(super) fn last_back_at(&self, at: Duration) -> Option<Duration> {
        let flapping = self.flapping.iter().filter_map(|it| it.last_end(at));
        self.outages.iter().filter_map(|it| it.last_end(at)).chain(flapping).max()
    }

    /// The outage at this time: its behaviour and its end.
    pub(super) fn outage(&self, at: Duration) -> Option<(&Behaviour, Duration)> {
        let outages = self.outages.iter().map(|it| (it.down_until(at), &it.behaviour));
        let flapping = self.flapping.iter().map(|it| (it.down_until(at), &it.behaviour));
        outages.chain(flapping).find_map(|(until, behaviour)| Some((behaviour, until?)))
    }

    pub(super) fn latency(&self, at: Duration) -> Duration {
        self.latency.at(at)
    }

    /// The capacity and the limiters, at their start.
    pub(super) fn limiters(&self) -> Vec<RunningLimiter> {
        let capacity = self.capacity.map(|per_second| {
            let limiter = Limiter::sliding_window(per_second, Duration::from_secs(1));
            limiter.with_outcome(self.overload.clone())
        });
        capacity.into_iter().chain(self.limiters.iter().cloned()).map(RunningLimiter::new).collect()
    }

    /// The chance failure that meets this request, if one does.
    pub(super) fn chance_failure(
        &self,
        seed: u64,
        message: u64,
        request: u64,
        at: Duration,
    ) -> Option<&Behaviour> {
        if self.chances.is_empty() {
            return None;
        }
        chance::failure(&self.chances, chance::draw(seed, message, request), request, at)
    }

    /// Whether some messages are treated otherwise than others, chance failures aside.
    pub(super) const fn tells_messages_apart(&self) -> bool {
        !self.poison.is_empty() || self.processing.is_some()
    }

    /// The behaviour towards a message, if it is poisoned.
    pub(super) fn poisoned(&self, seed: u64, message: u64) -> Option<&Behaviour> {
        self.poison.iter().find(|it| it.applies(seed, message)).map(|it| &it.behaviour)
    }
}

/// [`Receiver::new`].
impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}
