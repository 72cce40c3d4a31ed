//! Decoders of your own for a source: [`Incoming`] and [`Decoded`].

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use super::body_error::BodyError;
use super::proof::Proof;
use crate::decode::{Decode, DecodeError};
use crate::lab::LabEvent;
use crate::provider::DedupeKey;
use crate::time::Timestamp;

/// A genuine request, for a decoder: the argument of [`Source::custom`](super::Source::custom).
///
/// Its `Debug` shows the names of the headers alone, because a value can be a token.
#[non_exhaustive]
pub struct Incoming<'a> {
    /// The proof of origin, with the body.
    pub proof: &'a Proof<'a>,
    /// The request's headers. Most signatures do not cover them.
    pub headers: &'a HeaderMap,
    /// The time of receipt.
    pub received_at: Timestamp,
}

impl fmt::Debug for Incoming<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("proof", &self.proof)
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("received_at", &self.received_at)
            .finish()
    }
}

impl Incoming<'_> {
    /// Decodes the body as a typed value.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the body is not a `T`.
    pub fn decode<T: Decode>(&self) -> Result<T, DecodeError> {
        self.proof.decode()
    }
}

/// What a decoder read from a request: the event and its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Decoded {
    /// The event.
    pub event: LabEvent,
    /// The event's idempotency key within its source. `None` means the message's id, if the
    /// signature covers one, and otherwise no key.
    pub dedupe_key: Option<DedupeKey>,
}

impl Decoded {
    /// Creates it from the event: a model of [`lab`](crate::lab), or an
    /// [`UnknownEvent`](crate::event::UnknownEvent) of a type of your own.
    #[must_use]
    pub fn new(event: impl Into<LabEvent>) -> Self {
        Self { event: event.into(), dedupe_key: None }
    }

    /// Sets the idempotency key: an id in the body that is the same for each delivery of the event.
    #[must_use]
    pub fn with_dedupe_key(mut self, key: &str) -> Self {
        self.dedupe_key = Some(DedupeKey::of_id(key));
        self
    }
}

/// The error of a decoder, of any type; `?` converts into it.
pub(super) type BoxError = Box<dyn Error + Send + Sync>;

type Decoder = dyn Fn(&Incoming<'_>) -> Result<Decoded, BoxError> + Send + Sync;

/// A decoder of your application's.
#[derive(Clone)]
pub(super) struct CustomDecoder(Arc<Decoder>);

impl CustomDecoder {
    pub(super) fn new(
        decoder: impl Fn(&Incoming<'_>) -> Result<Decoded, BoxError> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(decoder))
    }

    pub(super) fn decode(&self, incoming: &Incoming<'_>) -> Result<Decoded, BodyError> {
        (self.0)(incoming).map_err(BodyError::of_decoder)
    }
}

impl fmt::Debug for CustomDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomDecoder")
    }
}
