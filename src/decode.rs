//! Decoding trusted request bodies into typed values: [`Decode`].

mod strict;

use std::fmt;

use serde::de::DeserializeOwned;

use crate::event_type::EventType;

pub(crate) use strict::{OBJECT, Strict};

/// Request body that was verified, or explicitly accepted as unsigned.
///
/// It has no public constructor, and [`Decode`] requires one, so an unverified body cannot be
/// decoded by accident. [`Verified`](crate::signature::Verified) and
/// [`danger::unsigned`](crate::danger::unsigned) create it.
#[derive(Clone, Copy)]
pub struct TrustedBody<'a>(&'a [u8]);

impl<'a> TrustedBody<'a> {
    pub(crate) const fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// Returns the body, byte for byte as received.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Parses the whole body as JSON.
    ///
    /// # Errors
    ///
    /// [`DecodeError::Body`], with the path of the field that does not match `T`.
    pub fn json<T: DeserializeOwned>(self) -> Result<T, DecodeError> {
        from_json(self.0).map_err(|JsonErrorAt { path, source }| DecodeError::Body { path, source })
    }
}

impl fmt::Debug for TrustedBody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedBody({} bytes)", self.0.len())
    }
}

/// Type that can be decoded from a trusted request body.
///
/// [`Event`](crate::Event) and [`LabEvent`](crate::LabEvent) decode the crate's own envelope.
/// Implement it for your own types to decode another system's bodies under the same guarantee;
/// [`TrustedBody::json`] does most of the work.
///
/// ```
/// use labhook::danger;
/// use labhook::decode::{Decode, DecodeError, TrustedBody};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Calibrated { instrument: String }
///
/// impl Decode for Calibrated {
///     fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
///         body.json()
///     }
/// }
///
/// let body = danger::unsigned(br#"{"instrument": "reader 2"}"#);
/// assert_eq!(body.decode::<Calibrated>()?.instrument, "reader 2");
///
/// let body = danger::unsigned(br#"{"instrument": 2}"#);
/// let error = body.decode::<Calibrated>().map(|_| ()).unwrap_err();
/// assert_eq!(error.to_string(), "the body is malformed at `instrument`");
/// # Ok::<(), DecodeError>(())
/// ```
pub trait Decode: Sized {
    /// Decodes the body.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the body is not a `Self`.
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError>;
}

/// Decode error for a trusted body.
///
/// The sender made a mistake, or sends a newer format than this receiver knows. `Display` reports
/// the path of the field, shortened and escaped, and no value; the source may quote the value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The body as a whole does not match the requested type.
    #[error("the body is malformed{}", at(path))]
    Body {
        /// Path of the field that does not match; `.` is the body itself.
        path: String,
        /// Why it does not match.
        source: JsonError,
    },
    /// The event's type is known, but its data does not match that type.
    #[error("the {event_type} event is malformed{}", at(path))]
    Data {
        /// The event's type.
        event_type: EventType,
        /// Path of the field that does not match, such as `data.state`.
        path: String,
        /// Why it does not match.
        source: JsonError,
    },
    /// The event has another type than the requested one.
    #[error("expected event type `{expected}`, found `{found}`")]
    OtherType {
        /// The requested type.
        expected: EventType,
        /// The event's type.
        found: EventType,
    },
}

impl DecodeError {
    /// Returns the path of the field that does not match, such as `data.state`; `None` if the event
    /// is well-formed but has another type.
    ///
    /// The path is neither shortened nor escaped: the sender chooses the names of unknown fields.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::Body { path, .. } | Self::Data { path, .. } => Some(path),
            Self::OtherType { .. } => None,
        }
    }
}

/// Why an event of a known type does not match the model of that type.
///
/// `Display` reports the path of the field, shortened and escaped, and no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event does not match its type{}", at(path))]
pub struct Mismatch {
    path: Box<str>,
    why: Box<str>,
}

impl Mismatch {
    pub(crate) fn new(path: impl Into<Box<str>>, why: impl fmt::Display) -> Self {
        Self { path: path.into(), why: why.to_string().into() }
    }

    /// Returns the path of the field that is missing or does not match, such as `data.state`; `.`
    /// if it is the whole. It is neither shortened nor escaped.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the cause. It may quote the value.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }
}

impl From<&DecodeError> for Mismatch {
    fn from(error: &DecodeError) -> Self {
        match error {
            DecodeError::Body { path, source } | DecodeError::Data { path, source, .. } => {
                Self::new(path.as_str(), source)
            }
            DecodeError::OtherType { .. } => Self::new(".", error),
        }
    }
}

/// Formats a path for `Display`. The sender chooses the names of unknown fields, so the path is
/// shortened and escaped.
fn at(path: &str) -> String {
    const LONGEST: usize = 120;
    match path.char_indices().nth(LONGEST) {
        _ if path == "." => String::new(),
        Some((end, _)) => format!(" at `{}...`", path.get(..end).unwrap_or(path).escape_debug()),
        None => format!(" at `{}`", path.escape_debug()),
    }
}

/// JSON error: why a text or a value does not match.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(serde_json::Error);

impl From<serde_json::Error> for JsonErrorAt {
    fn from(source: serde_json::Error) -> Self {
        Self { path: ".".to_owned(), source: JsonError(source) }
    }
}

/// [`JsonError`] and its path, for conversion into the errors of this crate.
#[derive(Debug)]
pub(crate) struct JsonErrorAt {
    pub(crate) path: String,
    pub(crate) source: JsonError,
}

/// Parses `bytes` as exactly one JSON text.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonErrorAt> {
    // UTF-8 is checked once for the whole, and not string by string.
    match std::str::from_utf8(bytes).ok().and_then(from_json_strictly) {
        Some(value) => Ok(value),
        None => from_json_with_path(bytes),
    }
}

/// Parses `text` as exactly one JSON text in which every member has its type. `None` says nothing:
/// it has to be parsed with the plain deserializer.
pub(crate) fn from_json_strictly<T: DeserializeOwned>(text: &str) -> Option<T> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = T::deserialize(Strict(&mut deserializer)).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// Keeps track of the path, which takes twice as long.
pub(crate) fn from_json_with_path<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, JsonErrorAt> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        JsonErrorAt { path, source: JsonError(error.into_inner()) }
    })?;
    deserializer.end()?;
    Ok(value)
}
