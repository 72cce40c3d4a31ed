//! Sources without a signature: anybody who knows the URL can write what they say.
//!
//! The vendors named here publish none. Keep the URL secret, let something before the receiver
//! check where requests come from, and do nothing on their word alone that could do harm.

use super::sources::Source;
use crate::provider::linq;

/// Strateos as it is: nothing proves where its requests come from.
#[must_use]
pub fn strateos(name: impl Into<Box<str>>) -> Source {
    Source::unsigned_strateos(name)
}

/// Automata LINQ's hooks of one kind, without a token among their headers.
#[must_use]
pub fn linq(name: impl Into<Box<str>>, kind: linq::Kind) -> Source {
    Source::unsigned_linq(name, kind)
}
