//! What the linter may assume: [`Assumptions`].

use std::time::Duration;

use crate::policy::load::Load;

/// Assumptions that the [linter](crate::EndpointPolicy::lint) may make. Unset ones are not
/// checked.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use labhook::policy::Load;
/// use labhook::policy::lint::Assumptions;
///
/// let assumptions = Assumptions::new()
///     .with_load(Load::per_second(NonZeroU32::new(20).unwrap()))
///     .with_outage(Duration::from_secs(4 * 3_600))
///     .with_lifetime(Duration::from_secs(86_400));
/// assert_eq!(assumptions.lifetime(), Some(Duration::from_secs(86_400)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Assumptions {
    load: Option<Load>,
    outage: Option<Duration>,
    lifetime: Option<Duration>,
}

impl Assumptions {
    /// Creates an empty set of assumptions.
    #[must_use]
    pub const fn new() -> Self {
        Self { load: None, outage: None, lifetime: None }
    }

    /// Sets the load on the endpoint.
    #[must_use]
    pub const fn with_load(mut self, load: Load) -> Self {
        self.load = Some(load);
        self
    }

    /// Sets the longest outage of the receiver.
    #[must_use]
    pub const fn with_outage(mut self, outage: Duration) -> Self {
        self.outage = Some(outage);
        self
    }

    /// Sets how long a message is useful after it was accepted.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// Returns the load on the endpoint.
    #[must_use]
    pub const fn load(&self) -> Option<&Load> {
        self.load.as_ref()
    }

    /// Returns the longest outage of the receiver.
    #[must_use]
    pub const fn outage(&self) -> Option<Duration> {
        self.outage
    }

    /// Returns how long a message is useful after it was accepted.
    #[must_use]
    pub const fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }
}
