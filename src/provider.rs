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
//! [`lab`](crate::lab), what subscriptions look like, a [`Format`](crate::message::format::Format)
//! to send in, and the policy. Where a vendor publishes nothing the documentation says so, and what
//! stands there instead is this crate's own.
//!
//! A receiver of several of them has one door, [`Sources`](crate::receive::Sources).
//!
//! # What the other side has no field for
//!
//! Nothing that comes in is lost: what a vendor's webhook has and the lab's event has no field for
//! stands among the event's unknown members, and the vendor's `from_event` puts it back.
//! Where the lab's event has a field for a member, `null` is as good as absent, and the member may
//! come back in another place among the others.
//!
//! | system | beside `data`, in `event.unknown` | inside, in `event.data.unknown` |
//! |---|---|---|
//! | [`strateos`] | nothing | `run`, `project` and `event`, and what stands beside them |
//! | [`linq`] | nothing | the members of the body |
//! | [`strike`] | the members of the webhook | those of its `data` |
//! | [`segments`] | nothing | the members of the webhook, with what is left of `object` as one |
//!
//! The other way `event.unknown`, of which an event may have come by elsewhere, is not forgotten
//! either: [`strateos`], [`strike`] and [`segments`] write it beside the members of the webhook,
//! and [`linq`], whose bodies have one level only, refuses such an event. A webhook of no known
//! type is an unknown event that has the whole webhook as its data.

mod dedupe_key;
pub mod linq;
mod map_error;
pub mod segments;
mod sensitive;
pub mod strateos;
pub mod strike;
mod vendor;

pub use dedupe_key::DedupeKey;
pub use map_error::MapError;
