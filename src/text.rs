//! Reading text with serde, without a copy of it in between.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Reads a text and makes a value of it.
pub(crate) fn deserialize<'de, T, E, D>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    E: fmt::Display,
    D: Deserializer<'de>,
{
    // Outside of the visitor, or a parser adds its position to the error.
    deserializer.deserialize_str(TextVisitor(read))?.map_err(D::Error::custom)
}

struct TextVisitor<F>(F);

impl<T, F: FnOnce(&str) -> T> Visitor<'_> for TextVisitor<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<R: Error>(self, text: &str) -> Result<T, R> {
        Ok((self.0)(text))
    }

    // Some formats have texts as bytes.
    fn visit_bytes<R: Error>(self, bytes: &[u8]) -> Result<T, R> {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.visit_str(text),
            Err(_) => Err(R::invalid_value(Unexpected::Bytes(bytes), &self)),
        }
    }
}
