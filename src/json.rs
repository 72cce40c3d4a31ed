//! The one helper behind every typed JSON object: known members typed, the others verbatim.
//!
//! serde's own `flatten` is no help here. It buffers what it does not know as numbers and maps of
//! its own, and so loses the order, the spelling of numbers and the digits of big ones; and it
//! cannot hold raw text. The visitor which the macro `object!` writes reads each member once, from
//! the parser, so it is also right when another crate turns on features of `serde_json` that change
//! how its `Value` works.

mod json_text;
mod nullable;
mod object;
mod open_enum;
mod unknown;

#[cfg(test)]
mod tests;

pub use json_text::JsonText;
pub use nullable::Nullable;
pub use unknown::UnknownMembers;

pub(crate) use object::{Collector, MemberName, NameSeed, object, read};
pub(crate) use open_enum::open_enum;
