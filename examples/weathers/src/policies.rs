//! The policies that labhook is compared with.

pub mod aimd;
pub mod breaker;
pub mod gradient;
pub mod oracle;
pub mod schedule;
pub mod sre;
