//! Errors of reading a genuine body: [`BodyError`].

use std::error::Error;

use crate::decode::{DecodeError, Mismatch};
use crate::message::format::CloudEventHeaderError;
use crate::provider::MapError;

/// Why a genuine body could not be read.
///
/// Its text contains no part of the body, as long as an error of your own decoder contains none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The body does not have the source's format.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// The `ce-*` headers are not those of a CloudEvent.
    #[error(transparent)]
    CloudEventHeaders(#[from] CloudEventHeaderError),
    /// The body is well-formed but has no equivalent lab event.
    #[error(transparent)]
    Unmapped(#[from] MapError),
    /// An error of your own decoder.
    #[error(transparent)]
    Other(Box<dyn Error + Send + Sync>),
}

impl BodyError {
    /// The error of a decoder, which may be one of this crate's.
    pub(super) fn of_decoder(error: Box<dyn Error + Send + Sync>) -> Self {
        let error = match error.downcast::<DecodeError>() {
            Ok(error) => return Self::Malformed(*error),
            Err(error) => error,
        };
        match error.downcast::<MapError>() {
            Ok(error) => Self::Unmapped(*error),
            Err(error) => Self::Other(error),
        }
    }

    /// Returns a short, stable name for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::CloudEventHeaders(_) => "malformed-headers",
            Self::Unmapped(_) => "unmapped",
            Self::Other(_) => "other",
        }
    }

    pub(super) fn mismatch(&self) -> Mismatch {
        match self {
            Self::Malformed(error) => Mismatch::from(error),
            Self::Unmapped(error) => Mismatch::from(error),
            Self::CloudEventHeaders(_) | Self::Other(_) => Mismatch::new(".", self),
        }
    }
}
