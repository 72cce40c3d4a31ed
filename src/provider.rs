//! Vendor webhooks, decoded and encoded: Strateos, Automata LINQ, Strike, Segments.ai, Argilla,
//! Benchling, CVAT, Label Studio and Tiled.
//!
//! | vendor | signature | event id | time in the payload |
//! |---|---|---|---|
//! | [`strateos`] | none published | none | for instructions only |
//! | [`linq`] | none published; a token in a header of your choice | none | yes |
//! | [`strike`] | HMAC-SHA256 of the body, without a timestamp | in the body | yes |
//! | [`segments`] | Svix's | in a header | yes |
//! | [`argilla`] | Standard Webhooks | none that is the same for all attempts | yes |
//! | [`benchling`] | ECDSA P-256, with id and timestamp | in a header; of events also in the body | for events only |
//! | [`cvat`] | HMAC-SHA256 of the body, without a timestamp | none | in the resource |
//! | [`label_studio`] | none published; a token in a header of your choice | none | in the object |
//! | [`tiled`] | HMAC-SHA256 of the body, without a timestamp | in an unsigned header | yes |
//!
//! Each module contains the vendor's wire types as published, the mapping to and from the models in
//! [`lab`](crate::lab), a [`Format`](crate::message::format::Format) for sending, and the retry
//! policy; those of the first four also have the vendor's subscriptions, and [`benchling`] is for
//! receivers only. If a vendor publishes nothing on a point, the documentation
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
//! | [`argilla`] | nothing | the members of the webhook; the rest of `data` as one member |
//! | [`benchling`] | nothing | the members of the webhook, with the whole `message` as one member |
//! | [`cvat`] | nothing | the members of the webhook; the rest of the resource as `resource` |
//! | [`label_studio`] | nothing | the members of the webhook; the rest of each object under its name |
//! | [`tiled`] | nothing | the members of the webhook except `timestamp` |
//!
//! In the other direction, an event from another source may have its own `event.unknown`.
//! All but [`linq`] write it next to the members of the webhook. [`linq`] bodies have a single
//! level, so such an event is rejected. A webhook of an unknown type becomes
//! an unknown event with the whole webhook as its data.
//!
//! A member with a value of an unexpected type counts as one without a typed field, unless the event
//! requires it. In that case `to_event` fails, and [`Sources`](crate::receive::Sources) returns the
//! whole webhook as a [`LabEvent::Unreadable`](crate::LabEvent::Unreadable) with the reason.

pub mod argilla;
pub mod benchling;
mod carrier;
pub mod cvat;
mod dedupe_key;
pub mod label_studio;
pub mod linq;
mod map_error;
mod mapping;
mod members;
pub mod segments;
mod sensitive;
pub mod strateos;
pub mod strike;
pub mod tiled;
mod vendor;

pub use dedupe_key::DedupeKey;
pub use map_error::MapError;
