//! What is simulated: [`Scenario`].

use std::num::NonZeroUsize;
use std::time::Duration;

use super::receiver::Receiver;
use super::report::Report;
use super::run::Run;
use crate::policy::{EndpointPolicy, Load};

/// How many points a series has at the most, where nothing else was said.
const POINTS: NonZeroUsize = NonZeroUsize::new(512).expect("512 is not zero");

/// A load, and the endpoints that all of it goes to, save those that have one of their own.
///
/// The [module](super) says what is simulated and what is not.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use labhook::EndpointPolicy;
/// use labhook::policy::Load;
/// use labhook::simulate::{Behaviour, Receiver, Scenario};
///
/// let per_second = |n| Load::per_second(NonZeroU32::new(n).unwrap());
/// let minute = Duration::from_secs(60);
/// // One that hangs, and is sent a hundred times as much as the other two.
/// let hangs = Receiver::new().add_outage(Duration::ZERO, minute * 60, Behaviour::Hangs);
/// let reports = Scenario::new(per_second(1), minute)
///     .add_endpoint(EndpointPolicy::default(), Receiver::new())
///     .add_endpoint(EndpointPolicy::default(), Receiver::new())
///     .add_endpoint_with_load(EndpointPolicy::default(), hangs, per_second(100))
///     .run();
/// assert_eq!(reports[2].accepted, 6_000);
/// for report in &reports[..2] {
///     assert_eq!(report.accepted, 60);
///     assert_eq!(report.delays.unwrap().max, Duration::from_millis(20));
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub(super) load: Load,
    pub(super) lasting: Duration,
    pub(super) lifetime: Option<Duration>,
    pub(super) seed: u64,
    pub(super) limit: Duration,
    pub(super) points: NonZeroUsize,
    pub(super) endpoints: Vec<Site>,
}

/// An endpoint of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    pub(super) policies: EndpointPolicy,
    pub(super) receiver: Receiver,
    /// The load that goes to it alone; `None` for the scenario's.
    pub(super) load: Option<Load>,
}

impl Scenario {
    /// This load for so long, and no endpoint yet.
    #[must_use]
    pub const fn new(load: Load, lasting: Duration) -> Self {
        Self {
            load,
            lasting,
            lifetime: None,
            seed: 0,
            limit: Duration::from_secs(60 * 86_400),
            points: POINTS,
            endpoints: Vec::new(),
        }
    }

    /// Adds an endpoint with these policies, at which this receiver answers.
    #[must_use]
    pub fn add_endpoint(mut self, policies: EndpointPolicy, receiver: Receiver) -> Self {
        self.endpoints.push(Site { policies, receiver, load: None });
        self
    }

    /// Adds an endpoint like [`endpoint`](Self::add_endpoint), to which this load goes and no other.
    #[must_use]
    pub fn add_endpoint_with_load(
        mut self,
        policies: EndpointPolicy,
        receiver: Receiver,
        load: Load,
    ) -> Self {
        self.endpoints.push(Site { policies, receiver, load: Some(load) });
        self
    }

    /// Sets how long a message lives after it was accepted:
    /// [`Message::with_expires_at`](crate::Message::with_expires_at). The default is for ever.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Sets the seed that all jitter comes from; the default is 0.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets after how long the simulation ends at the latest, whatever is pending; the default is
    /// 60 days. It is what ends policies without an end.
    #[must_use]
    pub const fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the most points that a report's [`Series`](super::Series) has; the default is 512.
    #[must_use]
    pub const fn with_points(mut self, most: NonZeroUsize) -> Self {
        self.points = most;
        self
    }

    /// Runs it to its end: when the loads are over and every delivery has ended, when nothing more
    /// would happen, or at the [limit](Self::with_limit).
    ///
    /// There is one report for each endpoint, in the order in which these were added. The same
    /// scenario gives the same reports. A run takes time and memory as the number of messages and
    /// attempts grows, and not with the time that it spans.
    #[must_use]
    pub fn run(&self) -> Vec<Report> {
        Run::new(self).reports()
    }
}
