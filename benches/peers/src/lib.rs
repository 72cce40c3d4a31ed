//! labhook against its peers, and against the least that the machine could do.
//!
//! The binary `peers` prints the table, and `counts` measures those rows that need an allocator
//! that counts.

#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it measures, and some peers read the clock"
)]

#[path = "../../shared/backlog.rs"]
pub mod backlog;
pub mod chart;
pub mod cycles;
#[path = "../../shared/fixture.rs"]
pub mod fixture;
pub mod heap;
pub mod instructions;
pub mod measure;
#[path = "../../shared/refusals.rs"]
pub mod refusals;
pub mod row;
pub mod rows;
pub mod table;
