//! One delivery on its own, as a host without an outbox drives it.

mod fixture;
mod guarantees;
mod jitter;
mod lifetime;
mod names;
mod replay;
mod response_rules;
mod schedules;
