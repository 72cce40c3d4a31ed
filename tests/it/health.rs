//! The circuit breaker of one endpoint.

mod circuit;
mod clocks;
mod evidence;
mod fixture;
mod names;
mod operators;
mod outage_policy;
mod policy_file;
mod probes;
mod properties;
mod saved_state;
mod world;
