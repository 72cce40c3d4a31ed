//! The one integration binary of the crate: one module for each thing that is tested.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod outbox;
mod signature;
mod signature_conformance;
mod signature_described;
mod signature_properties;
mod signature_secrecy;
mod signature_vendors;
