//! What policies do before they do it to a receiver: the linter of one endpoint's [`Policies`].

mod bounds;
mod caps;
mod figures;
mod load;
mod policies;
mod reach;
mod warning;

pub use load::{Expected, Load};
pub use policies::{Policies, Summary};
pub use warning::{Severity, Warning};
