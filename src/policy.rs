//! The policy of one endpoint: [`EndpointPolicy`], its file form and its linter.
//!
//! An endpoint has four policies, and each of them makes sense on its own: [`RetryPolicy`] says
//! when one message is tried again, [`HealthPolicy`] when the endpoint is held back and probed,
//! [`FlowPolicy`] how fast it may be sent to, and [`Order`] which messages follow one another.
//! [`EndpointPolicy`] holds all four, and can be read from one table of a configuration file. The
//! [`lint`] module finds what does not make sense together.
//!
//! [`RetryPolicy`]: crate::RetryPolicy
//! [`HealthPolicy`]: crate::HealthPolicy
//! [`FlowPolicy`]: crate::FlowPolicy

mod endpoint_policy;
pub mod lint;
mod load;
mod order;
mod reach;
mod summary;

pub use endpoint_policy::EndpointPolicy;
pub use load::Load;
pub use order::{Order, OrderScope};
pub use summary::PolicySummary;
