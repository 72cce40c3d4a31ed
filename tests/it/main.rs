//! The one integration binary of the crate: one module for each thing that is tested.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod edges;
mod endpoint;
mod flow;
mod flow_golden;
mod flow_policy;
mod flow_properties;
mod inbox;
mod message;
mod outbox;
mod outbox_determinism;
mod outbox_endpoints;
mod outbox_faults;
mod outbox_saves;
mod registry;
mod secrecy_doors;
mod send_sync;
mod signature;
mod signature_conformance;
mod signature_described;
mod signature_properties;
mod signature_secrecy;
mod state;
mod subscription;
mod support;
