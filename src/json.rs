//! Lossless JSON: raw values, nullable fields, and unknown members preserved verbatim.
//!
//! The crate's typed objects (the [lab payloads](crate::lab) and the
//! [vendors' webhooks](crate::provider)) have typed fields for the members they know, and keep all
//! others in [`UnknownMembers`], number by number as they were written. An optional member with a
//! value of an unexpected type is kept there too, and its field has no value.
//!
//! The macros [`open_object!`](open_object!) and [`open_enum!`](open_enum!), which define them,
//! define those of your own payloads as well.

// Not serde's `flatten`: it buffers unknown members as its own numbers and maps, which loses their
// order, the spelling of numbers and the digits of large ones, and it cannot hold raw text. The
// visitor that `open_object!` generates reads each member once, straight from the parser, so it is also
// unaffected if another crate enables `serde_json` features that change how `Value` works.

mod describe;
mod json_text;
#[doc(hidden)]
pub mod macro_support;
mod nullable;
mod object;
mod open_enum;
mod open_object;
mod unknown_members;

#[cfg(test)]
mod tests;

pub use json_text::JsonText;
pub use nullable::Nullable;
#[doc(inline)]
pub use open_enum::open_enum;
#[doc(inline)]
pub use open_object::open_object;
pub use unknown_members::UnknownMembers;

pub(crate) use object::object;
pub(crate) use unknown_members::Member;
