//! labhook against its peers, and against the least that the machine could do.
//!
//! The binary `peers` prints the table; `counts` is the same with an allocator that counts.

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
