//! A raw JSON value: [`JsonText`].

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::decode::{JsonError, JsonErrorAt, from_json_strictly};

/// A raw JSON value, kept exactly as it was written.
///
/// `1.10` stays `1.10`, numbers of any size keep their digits, and members keep their order.
/// Equality compares the text. `Debug` shows the length and none of the text.
///
/// Serialization works with `serde_json` only. A `JsonText` cannot be used under
/// `#[serde(flatten)]` or in an untagged or internally tagged enum, which serde buffers in its own
/// representation.
///
/// ```
/// use labhook::json::JsonText;
///
/// let volume = JsonText::new(r#"{"microlitres":1.10}"#)?;
/// assert_eq!(serde_json::to_string(&volume).unwrap(), r#"{"microlitres":1.10}"#);
/// assert_eq!(format!("{volume:?}"), "JsonText(20 bytes)");
/// # Ok::<(), labhook::decode::JsonError>(())
/// ```
#[doc(alias = "RawValue")]
#[derive(Clone)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// Parses a JSON value, dropping the whitespace around it.
    ///
    /// # Errors
    ///
    /// Returns [`JsonError`] if the text is not a single JSON value.
    pub fn new(text: impl Into<String>) -> Result<Self, JsonError> {
        RawValue::from_string(text.into()).map(Self).map_err(error)
    }

    /// Serializes a value as compact JSON.
    ///
    /// # Errors
    ///
    /// Returns [`JsonError`] if the value cannot be represented in JSON.
    pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        serde_json::value::to_raw_value(value).map(Self).map_err(error)
    }

    /// Deserializes the value.
    ///
    /// # Errors
    ///
    /// Returns [`JsonError`] if the JSON does not match the type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        serde_json::from_str(self.as_str()).map_err(error)
    }

    /// Deserializes the value if every member in it has its type. `None` says nothing:
    /// [`read`](Self::read) has to decide.
    pub(crate) fn read_strictly<T: DeserializeOwned>(&self) -> Option<T> {
        from_json_strictly(self.as_str())
    }

    /// Returns the JSON text, verbatim.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

fn error(source: serde_json::Error) -> JsonError {
    JsonErrorAt::from(source).source
}

impl FromStr for JsonText {
    type Err = JsonError;

    fn from_str(text: &str) -> Result<Self, JsonError> {
        Self::new(text)
    }
}

impl PartialEq for JsonText {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for JsonText {}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JsonText({} bytes)", self.as_str().len())
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_text_is_checked_and_trimmed() {
        assert_eq!(JsonText::new(" [1.10] \n").unwrap().as_str(), "[1.10]");
        assert_eq!(
            JsonText::new("{").unwrap_err().to_string(),
            "EOF while parsing an object at line 1 column 1"
        );
        assert!(JsonText::new("1 2").is_err());
        assert!(JsonText::new("").is_err());
    }

    #[test]
    fn json_text_converts_from_and_to_values() {
        let text = JsonText::write(&[1_u8, 2]).unwrap();
        assert_eq!(text, JsonText::new("[1,2]").unwrap());
        assert_eq!(text.read::<Vec<u8>>().unwrap(), [1, 2]);
        assert!(text.read::<String>().is_err());
    }
}
