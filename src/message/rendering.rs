//! The frozen content type, headers and body of a message: [`Rendering`].

use std::fmt;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::header::{self, Header};

/// A message rendered in one format: content type, headers and body.
///
/// The bytes are rendered once, when the message is published, and saved with it. Every attempt
/// signs and sends exactly these bytes, even after a restart or an upgrade. Clones share the body.
///
/// In saved state, a UTF-8 body is a string; any other body is base64.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rendering {
    #[serde(with = "header::value")]
    content_type: HeaderValue,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    headers: Vec<Header>,
    #[serde(with = "body")]
    body: Bytes,
}

impl Rendering {
    /// Creates a rendering without headers.
    #[must_use]
    pub fn new(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self { content_type, headers: Vec::new(), body: body.into() }
    }

    /// Returns whether the other rendering has the same content type and body.
    pub(super) fn has_body_of(&self, other: &Self) -> bool {
        self.content_type == other.content_type && self.body == other.body
    }

    pub(super) fn push_header(&mut self, header: Header) {
        self.headers.push(header);
    }

    /// Adds a header that belongs to the format, such as `ce-id` in the CloudEvents binary mode.
    ///
    /// The header is saved with the message, so it must not be a secret. Adding a name twice sends
    /// both values. An endpoint's static header with the same name replaces them, and headers of
    /// the request itself (such as `content-type` and `host`) or of the connection are ignored.
    #[must_use]
    pub fn add_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push(Header { name, value });
        self
    }

    /// Returns the value of the `content-type` header.
    #[must_use]
    pub const fn content_type(&self) -> &HeaderValue {
        &self.content_type
    }

    /// Iterates over the format's headers, in insertion order.
    pub fn headers(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.headers.iter().map(|header| (&header.name, &header.value))
    }

    /// Returns the body.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }
}

impl fmt::Debug for Rendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rendering({:?}, {} bytes)", self.content_type, self.body.len())
    }
}

mod body {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    use super::{Bytes, Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Saved<T> {
        Text(T),
        Base64(T),
    }

    pub(super) fn serialize<S: Serializer>(body: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(body) {
            Ok(text) => Saved::Text(text).serialize(to),
            Err(_) => Saved::Base64(&*STANDARD.encode(body)).serialize(to),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        match Saved::<String>::deserialize(from)? {
            Saved::Text(text) => Ok(text.into()),
            Saved::Base64(text) => match STANDARD.decode(text) {
                Ok(bytes) => Ok(bytes.into()),
                Err(error) => Err(serde::de::Error::custom(error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(rendering: &Rendering) -> String {
        let json = serde_json::to_string(rendering).unwrap();
        assert_eq!(&serde_json::from_str::<Rendering>(&json).unwrap(), rendering);
        json
    }

    #[test]
    fn rendering_round_trips_through_saved_state() {
        let json = HeaderValue::from_static("application/json");
        let text = Rendering::new(json.clone(), r#"{"a":1}"#);
        assert_eq!(
            round_trip(&text),
            r#"{"content_type":"application/json","body":{"text":"{\"a\":1}"}}"#
        );

        let every_byte: Vec<u8> = (0..=255).collect();
        let header = HeaderValue::from_bytes(b"caf\xe9\t\xff").unwrap();
        let bytes =
            Rendering::new(json, every_byte).add_header(HeaderName::from_static("ce-id"), header);
        assert!(round_trip(&bytes).contains(r#""body":{"base64":"AAECAw"#));
        assert_eq!(format!("{bytes:?}"), "Rendering(\"application/json\", 256 bytes)");
    }
}
