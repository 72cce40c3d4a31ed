//! The webhooks of four systems, both ways: Strateos, Automata LINQ, Strike and Segments.ai.
//!
//! | system | signature | its own id of an event | time in the payload |
//! |---|---|---|---|
//! | [`strateos`] | none published | none | of instructions only |
//! | [`linq`] | none published; a header of the receiver's choice | none | yes |
//! | [`strike`] | HMAC-SHA256 of the body, without a time | in the body | yes |
//! | [`segments`] | Svix's | in a header | yes |
//!
//! Each module has the wire types as the vendor publishes them, the way to and from the models in
//! [`lab`](crate::lab), what subscriptions look like, a [`Format`](crate::Format) to send in, and
//! the policy. Where a vendor publishes nothing the documentation says so, and what stands there
//! instead is this crate's own.
//!
//! A receiver of several of them has one door, [`Sources`].

pub mod danger;
mod dedupe_key;
pub mod linq;
pub mod segments;
mod sources;
pub mod strateos;
pub mod strike;
mod unmapped;

pub use dedupe_key::DedupeKey;
pub use sources::{Proof, Received, Refusal, Source, SourceTaken, Sources};
pub use unmapped::Unmapped;
