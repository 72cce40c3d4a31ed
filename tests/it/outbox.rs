//! The outbox, driven as a host drives it: one module for each behaviour.

mod at_most_once;
mod clocks;
mod determinism;
mod drain;
mod driving;
mod endpoints;
mod evidence;
mod expiry;
mod explain;
mod flow;
mod health;
mod incidents;
mod invariants;
mod known_faults;
mod noisy_neighbour;
mod operators;
mod ordering;
mod regressions;
mod replay;
mod reports;
mod rerun;
mod saves;
mod storm;
mod timing;
mod twins;
mod withdraw;
