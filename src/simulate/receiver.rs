//! Model of a receiver: [`Receiver`], its [`Outage`]s and their [`Behaviour`].

use std::num::NonZeroU32;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};

use crate::delivery::{Failure, Outcome};
use crate::time::{Timestamp, millis_up};

/// Simulated receiver with a latency, a capacity and scheduled outages.
///
/// By default it accepts every message after 20 ms.
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
    pub(super) latency: Duration,
    pub(super) capacity: Option<NonZeroU32>,
    pub(super) overload: Outcome,
    pub(super) outages: Vec<Outage>,
}

/// A period in which a receiver misbehaves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outage {
    /// Start of the outage, since the start of the simulation.
    pub from: Duration,
    /// End of the outage, exclusive.
    pub to: Duration,
    /// Behaviour during the outage.
    pub behaviour: Behaviour,
}

/// Behaviour of a receiver during an [`Outage`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Behaviour {
    /// The attempt ends with this outcome after the receiver's latency. The receiver has accepted
    /// the message if the outcome is a 2xx response.
    Responds(Outcome),
    /// The receiver neither accepts the message nor responds, so the attempt times out.
    Hangs,
    /// The receiver accepts the message but does not respond, so the attempt times out.
    AcceptsSilently,
}

impl Behaviour {
    /// Responds with this status.
    #[must_use]
    pub const fn status(status: StatusCode) -> Self {
        Self::Responds(Outcome::bare(status))
    }

    /// Responds with this status and a `Retry-After` of `pause`, rounded up to whole seconds.
    #[must_use]
    pub fn retry_after(status: StatusCode, pause: Duration) -> Self {
        let mut headers = HeaderMap::new();
        let seconds = millis_up(pause).div_ceil(1_000);
        headers.insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
        Self::Responds(Outcome::response(status, &headers, Timestamp::UNIX_EPOCH))
    }

    /// Refuses connections.
    #[must_use]
    pub const fn refuses_connections() -> Self {
        Self::Responds(Outcome::failed(Failure::Connect))
    }
}

impl Receiver {
    /// Creates a receiver that accepts every message and responds after 20 ms.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            latency: Duration::from_millis(20),
            capacity: None,
            overload: Outcome::bare(StatusCode::TOO_MANY_REQUESTS),
            outages: Vec::new(),
        }
    }

    /// Sets the response latency. A response at the attempt's deadline or later counts as a
    /// timeout. With a latency of zero, endless retries follow one another as fast as the schedule
    /// allows, a millisecond apart or less if it is jittered, up to the
    /// [limit](super::Scenario::with_limit).
    #[must_use]
    pub const fn with_latency(mut self, latency: Duration) -> Self {
        self.latency = latency;
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

    /// Adds an outage. Times are since the start of the simulation. If outages overlap, the one
    /// that was added first applies.
    #[must_use]
    pub fn add_outage(mut self, from: Duration, to: Duration, behaviour: Behaviour) -> Self {
        self.outages.push(Outage { from, to, behaviour });
        self
    }

    /// Returns the outages, in the order in which they were added.
    #[must_use]
    pub fn outages(&self) -> &[Outage] {
        &self.outages
    }

    /// The start of the first outage.
    pub(super) fn down_at(&self) -> Option<Duration> {
        self.outages.iter().map(|outage| outage.from).min()
    }

    /// The end of the last outage.
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
