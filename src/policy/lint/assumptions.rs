//! What the linter may assume: [`Assumptions`].

use std::time::Duration;

use crate::policy::load::Load;

/// What the [linter](crate::EndpointPolicy::lint) may take for granted of the world. What is left away is
/// not checked against.
///
/// ```
/// use std::num::NonZeroU32;
/// use std::time::Duration;
/// use labhook::policy::Load;
/// use labhook::policy::lint::Assumptions;
///
/// let expected = Assumptions::new()
///     .with_load(Load::per_second(NonZeroU32::new(20).unwrap()))
///     .with_outage(Duration::from_secs(4 * 3_600))
///     .with_lifetime(Duration::from_secs(86_400));
/// assert_eq!(expected.lifetime(), Some(Duration::from_secs(86_400)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Assumptions {
    load: Option<Load>,
    outage: Option<Duration>,
    lifetime: Option<Duration>,
}

impl Assumptions {
    /// Nothing is expected.
    #[must_use]
    pub const fn new() -> Self {
        Self { load: None, outage: None, lifetime: None }
    }

    /// With this load.
    #[must_use]
    pub const fn with_load(mut self, load: Load) -> Self {
        self.load = Some(load);
        self
    }

    /// With outages of the receiver of up to this long.
    #[must_use]
    pub const fn with_outage(mut self, outage: Duration) -> Self {
        self.outage = Some(outage);
        self
    }

    /// With messages that are of use for so long after they were accepted.
    #[must_use]
    pub const fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    /// The load.
    #[must_use]
    pub const fn load(&self) -> Option<&Load> {
        self.load.as_ref()
    }

    /// The longest outage.
    #[must_use]
    pub const fn outage(&self) -> Option<Duration> {
        self.outage
    }

    /// How long a message is of use.
    #[must_use]
    pub const fn lifetime(&self) -> Option<Duration> {
        self.lifetime
    }
}
