//! Headers of a message: [`Message::add_header`].

use std::fmt;

use http::header::{self, HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Message;
use crate::signature::is_brand_header;

/// The headers that are set by the request itself, and those that belong to one connection
/// (RFC 9110, sections 7.6.1 and 10.1; RFC 9113, section 8.2.2): the HTTP client sets them.
const RESERVED: [HeaderName; 15] = [
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::CONNECTION,
    header::EXPECT,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    HeaderName::from_static("proxy-authentication-info"),
    HeaderName::from_static("http2-settings"),
];

/// Returns whether a header is set by the request itself, belongs to the connection, or belongs to
/// a signature. A receiver that knows both brands of signature headers refuses a request with a
/// header of the other one.
pub(crate) fn is_reserved(name: &HeaderName) -> bool {
    belongs_to_request(name) || is_brand_header(name)
}

/// Returns whether a header is set by the request itself or belongs to the connection.
pub(crate) fn belongs_to_request(name: &HeaderName) -> bool {
    RESERVED.contains(name)
}

impl Message {
    /// Adds a header that every endpoint gets with the message, such as `traceparent`.
    ///
    /// It is saved with the message, so it must not be a secret. An endpoint's static header with
    /// the same name replaces it. In the [CloudEvents](super::format::CloudEvents) format
    /// `traceparent` and `tracestate` become attributes as well (extension "Distributed Tracing").
    ///
    /// ```
    /// # use labhook::{Event, MessageId, Timestamp};
    /// # use labhook::lab::{RunState, RunStateChanged};
    /// # let at = Timestamp::from_unix_seconds(1_744_882_200);
    /// # let event = Event::new(RunStateChanged::new("run-17", RunState::Started), at);
    /// use http::{HeaderName, HeaderValue};
    ///
    /// let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    /// let message = event.into_message(MessageId::new("run-17-started")?)?.add_header(
    ///     HeaderName::from_static("traceparent"),
    ///     HeaderValue::from_str(traceparent)?,
    /// )?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`MessageHeaderError`] if the header is set by the request or its signature, belongs
    /// to the connection or is an attribute of a CloudEvent (`ce-`), if its value is marked as
    /// sensitive, or if it was already added.
    pub fn add_header(
        mut self,
        name: HeaderName,
        value: HeaderValue,
    ) -> Result<Self, MessageHeaderError> {
        if is_reserved(&name) || name.as_str().starts_with("ce-") {
            return Err(MessageHeaderError::Reserved { name });
        }
        if value.is_sensitive() {
            return Err(MessageHeaderError::Sensitive { name });
        }
        if self.header(&name).is_some() {
            return Err(MessageHeaderError::Duplicate { name });
        }
        let header = Header { name, value };
        for (_, rendering) in self.renderings.iter_mut() {
            rendering.push_header(header.clone());
        }
        self.headers.push(header);
        Ok(self)
    }

    /// Returns the value of a header that was added with [`add_header`](Self::add_header).
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.iter().find(|header| header.name == *name).map(|header| &header.value)
    }
}

/// A header that cannot be added to a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageHeaderError {
    /// The header is set by the request itself, its signer or its format, or belongs to the
    /// connection.
    #[error("header `{name}` is reserved for the request, its format or its signature")]
    Reserved {
        /// The header name.
        name: HeaderName,
    },
    /// The value is marked as sensitive, but is saved with the message.
    #[error("value of header `{name}` is sensitive, and would be saved with the message")]
    Sensitive {
        /// The header name.
        name: HeaderName,
    },
    /// The header was already added.
    #[error("duplicate header `{name}`")]
    Duplicate {
        /// The header name.
        name: HeaderName,
    },
}

/// The headers of a message or of a rendering. Most have none, and a list without spare room takes
/// less memory while the message is pending.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Headers(Box<[Header]>);

impl Headers {
    pub(super) fn push(&mut self, header: Header) {
        let mut headers = std::mem::take(&mut self.0).into_vec();
        headers.reserve_exact(1);
        headers.push(header);
        self.0 = headers.into_boxed_slice();
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.0.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A header in saved state.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    #[serde(with = "name")]
    pub(super) name: HeaderName,
    #[serde(with = "value")]
    pub(super) value: HeaderValue,
}

/// The name alone: what a host puts into a value is its own affair.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name, f)
    }
}

mod name {
    use super::{Deserialize, Deserializer, HeaderName, Serializer};

    pub(super) fn serialize<S: Serializer>(name: &HeaderName, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(name.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<HeaderName, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Header values are bytes. Each is saved as the character with its number (ISO 8859-1), which is
/// lossless and keeps the usual values readable.
pub(super) mod value {
    use super::{Deserialize, Deserializer, HeaderValue, Serializer};

    pub(in crate::message) fn serialize<S: Serializer>(
        value: &HeaderValue,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(&value.as_bytes().iter().copied().map(char::from).collect::<String>())
    }

    pub(in crate::message) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<HeaderValue, D::Error> {
        use serde::de::Error;
        let text = String::deserialize(from)?;
        let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
        HeaderValue::from_bytes(&bytes.map_err(Error::custom)?).map_err(Error::custom)
    }
}
