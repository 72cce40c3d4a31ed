//! The frozen content type, headers and body of a message: [`Rendering`].

use std::fmt;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::body_digest::BodyDigest;
use super::header::{self, Header, Headers};

/// A message rendered in one format: content type, headers and body.
///
/// The bytes are rendered once, when the message is published, and saved with it. Every attempt
/// signs and sends exactly these bytes, even after a restart or an upgrade. Clones share the body.
///
/// Instead of the body it may have a reference to one that your application keeps: see
/// [`Message::detach_bodies`](crate::Message::detach_bodies). A rendering with a body does not
/// equal one with a reference to it.
///
/// In saved state, a UTF-8 body is a string; any other body is base64; a reference has the length
/// in bytes and the SHA-256 as hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rendering {
    #[serde(with = "header::value")]
    content_type: HeaderValue,
    #[serde(default, skip_serializing_if = "Headers::is_empty")]
    headers: Headers,
    body: Body,
}

impl Rendering {
    /// Creates a rendering without headers.
    #[must_use]
    pub fn new(content_type: HeaderValue, body: impl Into<Bytes>) -> Self {
        Self { content_type, headers: Headers::default(), body: Body::Inline(body.into()) }
    }

    /// Creates a rendering without headers, of a body that your application keeps.
    #[must_use]
    pub fn by_reference(content_type: HeaderValue, digest: BodyDigest) -> Self {
        Self { content_type, headers: Headers::default(), body: Body::Kept(digest) }
    }

    /// Returns whether the other rendering has the same content type and body. If one of them has a
    /// reference, the digests are compared.
    pub(super) fn has_body_of(&self, other: &Self) -> bool {
        self.content_type == other.content_type && self.body.is_same(&other.body)
    }

    /// Returns whether these are the bytes of the body.
    pub(crate) fn has_body(&self, body: &[u8]) -> bool {
        self.body.is(body)
    }

    /// Returns the digest of the body.
    pub(crate) fn body_digest(&self) -> BodyDigest {
        self.body.digest()
    }

    /// Replaces the body by a reference to it, and returns both.
    pub(super) fn detach_body(&mut self) -> Option<(BodyDigest, Bytes)> {
        let digest = BodyDigest::of(self.body()?);
        match std::mem::replace(&mut self.body, Body::Kept(digest)) {
            Body::Inline(body) => Some((digest, body)),
            Body::Kept(_) => None,
        }
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

    /// Returns the body; `None` if your application [keeps](Self::kept_body) it.
    #[must_use]
    pub const fn body(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Inline(body) => Some(body),
            Body::Kept(_) => None,
        }
    }

    /// Returns the reference to the body, if your application keeps it.
    #[must_use]
    pub const fn kept_body(&self) -> Option<&BodyDigest> {
        match &self.body {
            Body::Inline(_) => None,
            Body::Kept(digest) => Some(digest),
        }
    }

    /// Returns the length of the body in bytes, wherever it is.
    #[must_use]
    pub fn body_len(&self) -> u64 {
        self.body.len()
    }
}

impl fmt::Debug for Rendering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = if self.kept_body().is_some() { " kept elsewhere" } else { "" };
        write!(f, "Rendering({:?}, {} bytes{kept})", self.content_type, self.body_len())
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

    #[test]
    fn reference_round_trips_through_saved_state() {
        let digest = BodyDigest::of(b"{}");
        let kept = Rendering::by_reference(HeaderValue::from_static("text/plain"), digest);
        assert_eq!(
            round_trip(&kept),
            concat!(
                r#"{"content_type":"text/plain","body":{"kept":{"len":2,"sha256":"#,
                r#""44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}}}"#
            )
        );
        assert_eq!(format!("{kept:?}"), "Rendering(\"text/plain\", 2 bytes kept elsewhere)");
        assert_eq!((kept.body(), kept.kept_body(), kept.body_len()), (None, Some(&digest), 2));
    }

    #[test]
    fn reference_takes_no_more_room_than_a_digest() {
        assert_eq!(size_of::<Body>(), 48);
    }

    #[test]
    fn same_body_is_recognised_wherever_it_is() {
        let kind = HeaderValue::from_static("text/plain");
        let inline = |body: &'static [u8]| Rendering::new(kind.clone(), body);
        let kept = |body| Rendering::by_reference(kind.clone(), BodyDigest::of(body));
        let both = |body| [inline(body), kept(body)];
        for (one, other) in both(b"a").iter().zip(both(b"b")) {
            for same in both(b"a") {
                assert!(one.has_body_of(&same) && same.has_body_of(one), "{one:?}, {same:?}");
            }
            for different in both(b"b").iter().chain([&other]) {
                assert!(!one.has_body_of(different) && !different.has_body_of(one));
            }
            assert!(one.has_body(b"a") && !one.has_body(b"b") && !one.has_body(b""));
        }
        let typed = Rendering::by_reference(HeaderValue::from_static("a/b"), BodyDigest::of(b"a"));
        assert!(!typed.has_body_of(&kept(b"a")));
    }

    #[test]
    fn detached_body_is_handed_out_once() {
        let mut rendering = Rendering::new(HeaderValue::from_static("text/plain"), "abc");
        let digest = BodyDigest::of(b"abc");
        assert_eq!(rendering.detach_body(), Some((digest, Bytes::from_static(b"abc"))));
        assert_eq!(rendering.kept_body(), Some(&digest));
        assert_eq!(rendering.detach_body(), None);
        assert_eq!(rendering.kept_body(), Some(&digest));
    }
}
