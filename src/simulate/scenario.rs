//! Input of a simulation: [`Scenario`].

use std::num::NonZeroUsize;
use std::time::Duration;

use super::clock::{ClockJump, ClockShift};
use super::receiver::Receiver;
use crate::policy::{EndpointPolicy, Load};

const DEFAULT_POINTS: NonZeroUsize = NonZeroUsize::new(512).expect("512 is not zero");

/// Simulation scenario: a load, its duration, and the endpoints that it goes to.
///
/// The [module](super) describes what is simulated.
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
/// // One receiver hangs, and gets a hundred times the load of the other two.
/// let hanging = Receiver::new().add_outage(Duration::ZERO, minute * 60, Behaviour::Hangs);
/// let reports = Scenario::new(per_second(1), minute)
///     .add_endpoint(EndpointPolicy::default(), Receiver::new())
///     .add_endpoint(EndpointPolicy::default(), Receiver::new())
///     .add_endpoint_with_load(EndpointPolicy::default(), hanging, per_second(100))
///     .run();
/// assert_eq!(reports[2].accepted, 6_000);
/// for report in &reports[..2] {
///     assert_eq!(report.accepted, 60);
///     assert_eq!(report.latency.unwrap().max, Duration::from_millis(20));
/// }
/// ```
#[doc(alias = "simulation")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    pub(super) load: Load,
    pub(super) duration: Duration,
    pub(super) lifetime: Option<Duration>,
    pub(super) seed: u64,
    pub(super) limit: Duration,
    pub(super) points: NonZeroUsize,
    pub(super) clock_jumps: Vec<ClockJump>,
    pub(super) endpoints: Vec<EndpointSpec>,
}

/// One endpoint of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EndpointSpec {
    pub(super) policy: EndpointPolicy,
    pub(super) receiver: Receiver,
    /// The endpoint's own load; `None` for the scenario's.
    pub(super) load: Option<Load>,
}

impl Scenario {
    /// Creates a scenario without endpoints, in which all loads last for `duration`.
    #[must_use]
    pub const fn new(load: Load, duration: Duration) -> Self {
        Self {
            load,
            duration,
            lifetime: None,
            seed: 0,
            limit: Duration::from_secs(60 * 86_400),
            points: DEFAULT_POINTS,
            clock_jumps: Vec::new(),
            endpoints: Vec::new(),
        }
    }

    /// Adds an endpoint with this policy and receiver, which gets the scenario's load.
    #[must_use]
    pub fn add_endpoint(mut self, policy: EndpointPolicy, receiver: Receiver) -> Self {
        self.endpoints.push(EndpointSpec { policy, receiver, load: None });
        self
    }

    /// Adds an endpoint with this policy and receiver, which gets this load instead of the
    /// scenario's.
    #[must_use]
    pub fn add_endpoint_with_load(
        mut self,
        policy: EndpointPolicy,
        receiver: Receiver,
        load: Load,
    ) -> Self {
        self.endpoints.push(EndpointSpec { policy, receiver, load: Some(load) });
        self
    }

    /// Sets the lifetime of a message after its acceptance:
    /// [`Message::with_expires_at`](crate::Message::with_expires_at). By default messages do not
    /// expire.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Sets the seed of all jitter, and of what the receivers do by chance; the default is 0.
    #[must_use]
    pub const fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds a [jump](ClockJump) of the sender's clock. Jumps that overlap add up.
    #[must_use]
    pub fn add_clock_jump(mut self, at: Duration, lasts: Duration, shift: ClockShift) -> Self {
        self.clock_jumps.push(ClockJump { at, lasts, shift });
        self
    }

    /// Sets when the simulation ends even if deliveries are pending; the default is 60 days. It
    /// bounds the run if retries are endless.
    #[must_use]
    pub const fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sets the maximum number of points in a report's [`Series`](super::Series); the default is
    /// 512.
    #[must_use]
    pub const fn with_points(mut self, max: NonZeroUsize) -> Self {
        self.points = max;
        self
    }
}
