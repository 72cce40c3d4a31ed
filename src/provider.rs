//! Vendor webhooks, decoded and encoded: Strateos, Automata LINQ, Strike, Segments.ai, Benchling
//! and Tiled.
//!
//! | vendor | signature | event id | time in the payload |
//! |---|---|---|---|
//! | [`strateos`] | none published | none | for instructions only |
//! | [`linq`] | none published; a token in a header of your choice | none | yes |
//! | [`strike`] | HMAC-SHA256 of the body, without a timestamp | in the body | yes |
//! | [`segments`] | Svix's | in a header | yes |
//! | [`benchling`] | ECDSA P-256, with id and timestamp | in a header; of events also in the body | for events only |
//! | [`tiled`] | HMAC-SHA256 of the body, without a timestamp | in an unsigned header | yes |
//!
//! Each module contains the vendor's wire types as published, the mapping to and from the models in
//! [`lab`](crate::lab), the vendor's subscriptions, a [`Format`](crate::message::format::Format)
//! for sending, and the retry policy; [`benchling`] is for receivers only. If a vendor publishes nothing on a point, the documentation
//! says so, and the behaviour is this crate's own.
//!
//! To receive from several vendors, use [`Sources`](crate::receive::Sources).
//!
//! # Members without a typed field
//!
//! Vendor members without a typed field are kept in `unknown`, and written back by `from_event`.
//! For a member with a typed field, `null` means the same as absent, and its position among the
//! other members may change.
//!
//! | vendor | kept in `event.unknown` | kept in `event.data.unknown` |
//! |---|---|---|
//! | [`strateos`] | nothing | `run`, `project`, `event` and unknown members next to them |
//! | [`linq`] | nothing | the members of the body |
//! | [`strike`] | the members of the webhook | the members of its `data` |
//! | [`segments`] | nothing | the members of the webhook; the rest of `object` as one member |
//! | [`benchling`] | nothing | the members of the webhook, with the whole `message` as one member |
//! | [`tiled`] | nothing | the members of the webhook except `timestamp` |
//!
//! In the other direction, an event from another source may have its own `event.unknown`.
//! [`strateos`], [`strike`], [`segments`] and [`tiled`] write it next to the members of the webhook. [`linq`]
//! bodies have a single level, so such an event is rejected. A webhook of an unknown type becomes
//! an unknown event with the whole webhook as its data.
//!
//! A member with a value of an unexpected type counts as one without a typed field, unless the event
//! requires it. In that case `to_event` fails, and [`Sources`](crate::receive::Sources) returns the
//! whole webhook as a [`LabEvent::Unreadable`](crate::LabEvent::Unreadable) with the reason.

pub mod benchling;
mod dedupe_key;
pub mod linq;
mod map_error;
pub mod segments;
mod sensitive;
pub mod strateos;
pub mod strike;
pub mod tiled;
mod vendor;

pub use dedupe_key::DedupeKey;
pub use map_error::MapError;
