//! Unsigned sources: anyone who knows the URL can forge their requests.
//!
//! The vendors here publish no signature, or make it optional. Keep the URL secret, have a proxy or gateway check where
//! requests come from, and take no harmful action on the strength of such a request alone.

use super::decoder::{BoxError, Decoded, Incoming};
use super::source::Source;
use crate::provider::linq;

/// Strateos without a signature: nothing proves who sent a request.
#[must_use]
pub fn strateos(name: impl Into<Box<str>>) -> Source {
    Source::unsigned_strateos(name)
}

/// Automata LINQ hooks of one kind, without a token header.
#[must_use]
pub fn linq(name: impl Into<Box<str>>, kind: linq::Kind) -> Source {
    Source::unsigned_linq(name, kind)
}

/// CVAT webhooks without a secret.
#[must_use]
pub fn cvat(name: impl Into<Box<str>>) -> Source {
    Source::unsigned_cvat(name)
}

/// Label Studio webhooks without a token header.
#[must_use]
pub fn label_studio(name: impl Into<Box<str>>) -> Source {
    Source::unsigned_label_studio(name)
}

/// A sender that does not sign, with a decoder of your own: see [`Source::custom`].
///
/// Beside other unsigned sources, the decoder must fail for their requests.
#[must_use]
pub fn custom(
    name: impl Into<Box<str>>,
    decoder: impl Fn(&Incoming<'_>) -> Result<Decoded, BoxError> + Send + Sync + 'static,
) -> Source {
    Source::unsigned_custom(name, decoder)
}
