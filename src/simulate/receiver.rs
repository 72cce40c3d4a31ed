//! What answers in a simulation: [`Receiver`], its [`Outage`]s and their [`Behaviour`].

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};

use crate::delivery::{Failure, Outcome};
use crate::time::{Timestamp, millis_up};

/// A receiver that takes every message after 20 ms, save where it has no capacity left or is
/// having an outage.
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
    latency: Duration,
    capacity: Option<NonZeroU32>,
    refusal: Outcome,
    outages: Vec<Outage>,
}

/// A stretch of time in which a receiver does something else than take messages.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outage {
    /// From when on, since the start of the simulation.
    pub from: Duration,
    /// Until when, that instant excluded.
    pub to: Duration,
    /// What it does.
    pub behaviour: Behaviour,
}

/// What a receiver does with a request in an outage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// After its latency the attempt comes to this. The receiver has taken the message where that
    /// is a 2xx.
    Answers(Outcome),
    /// It takes nothing and says nothing, so that the attempt runs into its deadline.
    Hangs,
    /// It takes the message and says nothing.
    Swallows,
}

impl Behaviour {
    /// It answers with this status.
    #[must_use]
    pub const fn status(status: StatusCode) -> Self {
        Self::Answers(Outcome::bare(status))
    }

    /// It answers with this status and asks for so long a pause, in whole seconds, rounded up.
    #[must_use]
    pub fn retry_after(status: StatusCode, pause: Duration) -> Self {
        let mut headers = HeaderMap::new();
        let seconds = millis_up(pause).div_ceil(1_000);
        headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
        Self::Answers(Outcome::response(status, &headers, Timestamp::UNIX_EPOCH))
    }

    /// No connection comes about.
    #[must_use]
    pub const fn refuses() -> Self {
        Self::Answers(Outcome::failed(Failure::Connect))
    }
}

impl Receiver {
    /// One that takes every message, and says so after 20 ms.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            latency: Duration::from_millis(20),
            capacity: None,
            refusal: Outcome::bare(StatusCode::TOO_MANY_REQUESTS),
            outages: Vec::new(),
        }
    }

    /// With so long to each answer, whichever it is. One that comes at the attempt's deadline or
    /// later does not come. Without any, retries without end come as fast as the schedule lets
    /// them, a millisecond apart or less where it is jittered, up to the
    /// [limit](super::Scenario::with_limit).
    #[must_use]
    pub const fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
        self
    }

    /// Takes so many messages in any second and refuses those over them with a 429. What it
    /// refuses does not count.
    #[must_use]
    pub const fn with_capacity(mut self, per_second: NonZeroU32) -> Self {
        self.capacity = Some(per_second);
        self
    }

    /// Refuses what is over its capacity in this way.
    #[must_use]
    pub fn with_refusal(mut self, outcome: Outcome) -> Self {
        self.refusal = outcome;
        self
    }

    /// Adds an outage, in times since the start of the simulation. Of two at a time, the one that
    /// was added first counts.
    #[must_use]
    pub fn add_outage(mut self, from: Duration, to: Duration, behaviour: Behaviour) -> Self {
        self.outages.push(Outage { from, to, behaviour });
        self
    }

    /// The outages, as they were added.
    #[must_use]
    pub fn outages(&self) -> &[Outage] {
        &self.outages
    }

    /// When the first outage begins.
    pub(super) fn down_at(&self) -> Option<Duration> {
        self.outages.iter().map(|outage| outage.from).min()
    }

    /// When the last outage ends.
    pub(super) fn back_at(&self) -> Option<Duration> {
        self.outages.iter().map(|outage| outage.to).max()
    }
}

/// [`Receiver::new`].
impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

/// A receiver at work.
pub(super) struct Door {
    receiver: Receiver,
    /// When each message of the last second was taken.
    taken: VecDeque<Duration>,
}

/// What became of a request.
pub(super) struct Answer {
    /// Whether the receiver has the message.
    pub(super) taken: bool,
    /// Whether it was one too many.
    pub(super) refused: bool,
    /// What the sender sees, and after how long; `None` for nothing.
    pub(super) seen: Option<(Duration, Outcome)>,
}

impl Door {
    pub(super) fn new(receiver: Receiver) -> Self {
        Self { receiver, taken: VecDeque::new() }
    }

    /// A request comes at this time since the start.
    pub(super) fn request(&mut self, at: Duration) -> Answer {
        let Receiver { latency, capacity, refusal, outages } = &self.receiver;
        let answers = |outcome: Outcome, refused| Answer {
            taken: outcome.status().is_some_and(|status| status.is_success()),
            refused,
            seen: Some((*latency, outcome)),
        };
        match outages.iter().find(|it| it.from <= at && at < it.to).map(|it| &it.behaviour) {
            Some(Behaviour::Answers(outcome)) => return answers(outcome.clone(), false),
            Some(Behaviour::Hangs) => return Answer { taken: false, refused: false, seen: None },
            Some(Behaviour::Swallows) => return Answer { taken: true, refused: false, seen: None },
            None => {}
        }
        if let Some(capacity) = capacity {
            let second = Duration::from_secs(1);
            while self.taken.front().is_some_and(|taken| taken.saturating_add(second) <= at) {
                self.taken.pop_front();
            }
            if self.taken.len() >= usize::try_from(capacity.get()).unwrap_or(usize::MAX) {
                return answers(refusal.clone(), true);
            }
            self.taken.push_back(at);
        }
        answers(Outcome::bare(StatusCode::OK), false)
    }
}
