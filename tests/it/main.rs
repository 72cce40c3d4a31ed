//! The crate's one integration test binary: a module for each subject.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod argilla;
mod banned_words;
mod benchling;
mod cvat;
mod damaged_state;
mod delivery;
mod edges;
mod endpoint;
mod flow;
mod fuzz;
mod generated;
mod health;
mod inbox;
mod invariants;
mod label_studio;
mod linq;
mod message;
mod official;
mod outbox;
mod own_objects;
mod policy;
mod protocol;
mod public_api;
mod readme;
mod regressions;
mod saved_state;
mod secrecy;
mod segments;
mod send_sync;
mod signature;
mod simulate;
mod small_scope;
mod sources;
mod strateos;
mod strike;
mod support;
mod tiled;
