//! The policies of one endpoint: [`EndpointPolicy`], its file form, and a linter.
//!
//! An endpoint has four policies: [`RetryPolicy`] decides when a failed delivery is retried,
//! [`HealthPolicy`] when the endpoint's circuit breaker opens and how it is probed, [`FlowPolicy`]
//! how fast the endpoint may be sent to, and [`Order`] which messages must follow one another.
//! [`EndpointPolicy`] holds all four and can be read from one table of a configuration file. An
//! [`Observation`] is what the outcome of an attempt reveals about the endpoint. The [`lint`]
//! module reports combinations that contradict each other.
//!
//! [`RetryPolicy`]: crate::RetryPolicy
//! [`HealthPolicy`]: crate::HealthPolicy
//! [`FlowPolicy`]: crate::FlowPolicy

mod endpoint_policy;
pub mod lint;
mod load;
mod observation;
mod order;
mod reach;
mod summary;

pub use endpoint_policy::EndpointPolicy;
pub use load::Load;
pub use observation::Observation;
pub use order::{Order, OrderScope};
pub use summary::PolicySummary;

#[doc(no_inline)]
pub use crate::named::ParseNameError;
