//! From a body that came through a door to a typed value: [`Decode`].

use std::fmt;

use serde::de::DeserializeOwned;

use crate::event_type::EventType;

/// A body that came through one of the two doors: verified, or named unsigned in so many words.
///
/// It has no public constructor, and [`Decode`] asks for one: what was not verified cannot be
/// decoded by accident.
#[derive(Clone, Copy)]
pub struct TrustedBody<'a>(&'a [u8]);

impl<'a> TrustedBody<'a> {
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The body's bytes, exactly as they were received.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Reads the whole body as JSON.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Body`], with the path of the member that does not fit.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, DecodeError> {
        from_json(self.0).map_err(|JsonErrorAt { path, source }| DecodeError::Body { path, source })
    }
}

impl fmt::Debug for TrustedBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedBody({} bytes)", self.0.len())
    }
}

/// A type that can be read from an admitted body.
///
/// [`Event`](crate::Event) and [`LabEvent`](crate::LabEvent) are read from the crate's own
/// envelope. Implement it for a type of your own to read another system's body behind the same
/// doors; [`TrustedBody::json`] does most of the work.
pub trait Decode: Sized {
    /// Reads the value.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] where the body does not hold one.
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError>;
}

/// A genuine body that could not be read.
///
/// The sender is at fault, or has moved on to a form that this receiver does not know. `Display`
/// gives the path of the member, that is the names of members, shortened and escaped, and no
/// value; the source may quote the value that did not fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body as a whole is not what was asked for.
    #[error("the body is malformed{}", at(path))]
    Body {
        /// The path of the member that does not fit; `.` is the body itself.
        path: String,
        /// Why it does not fit.
        source: JsonError,
    },
    /// The event's type is known and its data is not of that type's form.
    #[error("the {event_type} event is malformed{}", at(path))]
    Data {
        /// The type that the event says it is of.
        event_type: EventType,
        /// The path of the member that does not fit, such as `data.state`.
        path: String,
        /// Why it does not fit.
        source: JsonError,
    },
    /// The event is of another type than the one that was asked for.
    #[error("the event is of type {found}, not {expected}")]
    OtherType {
        /// The type that was asked for.
        expected: EventType,
        /// The type that the event says it is of.
        found: EventType,
    },
}

impl DecodeError {
    /// The path of the member that does not fit, such as `data.state`, as it is: an unknown member
    /// has whatever name its sender gave it. `None` where the event is well-formed and of another
    /// type.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Body { path, .. } | Self::Data { path, .. } => Some(path),
            Self::OtherType { .. } => None,
        }
    }
}

/// The path names members, and an unknown one has whatever name its sender gave it.
fn at(path: &str) -> String {
    const LONGEST: usize = 120;
    match path.char_indices().nth(LONGEST) {
        _ if path == "." => String::new(),
        Some((end, _)) => format!(" at `{}...`", path.get(..end).unwrap_or(path).escape_debug()),
        None => format!(" at `{}`", path.escape_debug()),
    }
}

/// Why a piece of JSON does not fit.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(serde_json::Error);

impl From<serde_json::Error> for JsonErrorAt {
    fn from(source: serde_json::Error) -> Self {
        Self { path: ".".to_owned(), source: JsonError(source) }
    }
}

/// A [`JsonError`] and the path at which it arose, for the errors of this crate to take apart.
#[derive(Debug)]
pub(crate) struct JsonErrorAt {
    pub(crate) path: String,
    pub(crate) source: JsonError,
}

/// Reads one JSON text that fills `bytes`.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonErrorAt> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        JsonErrorAt { path, source: JsonError(error.into_inner()) }
    })?;
    deserializer.end()?;
    Ok(value)
}
