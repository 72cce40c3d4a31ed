//! The one integration binary of the crate: one module for each thing that is tested.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod attacks;
mod attacks_engine;
mod banned_words;
mod delivery_doubt;
mod delivery_lifetime;
mod delivery_replay;
mod drive_faults;
mod edges;
mod endpoint;
mod engine_faults;
mod flow;
mod health;
mod inbox;
mod invariants;
mod jitter_golden;
mod linq;
mod lone_delivery;
mod message;
mod neighbours_golden;
mod outbox;
mod outbox_determinism;
mod outbox_doubt;
mod outbox_endpoints;
mod outbox_faults;
mod outbox_flow;
mod outbox_health;
mod outbox_incidents;
mod outbox_invariants;
mod outbox_operators;
mod outbox_order;
mod outbox_replay;
mod outbox_reports;
mod outbox_saves;
mod outbox_twins;
mod policy;
mod public_api;
mod schedules_golden;
mod secrecy;
mod segments;
mod send_sync;
mod signature;
mod simulate;
mod small_scope;
mod small_scope_digest;
mod small_scope_world;
mod sources;
mod state;
mod strateos;
mod strike;
mod support;
