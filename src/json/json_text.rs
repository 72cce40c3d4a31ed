//! JSON as somebody wrote it: [`JsonText`].

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::decode::{JsonError, JsonErrorAt};

/// One JSON value that keeps its writer's spelling.
///
/// `1.10` stays `1.10`, a number of any size keeps its digits and members keep their order. Two
/// texts are equal when their spellings are. `Debug` gives the length and no part of the text.
///
/// It reads from and writes to JSON through `serde_json` only: no other format can carry it, nor
/// can a member under `#[serde(flatten)]` or a variant of an untagged or internally tagged
/// enumeration, which serde reads through a form of its own.
///
/// ```
/// use labhook::json::JsonText;
///
/// let volume = JsonText::new(r#"{"microlitres":1.10}"#)?;
/// assert_eq!(serde_json::to_string(&volume).unwrap(), r#"{"microlitres":1.10}"#);
/// assert_eq!(format!("{volume:?}"), "JsonText(20 bytes)");
/// # Ok::<(), labhook::decode::JsonError>(())
/// ```
#[derive(Clone)]
pub struct JsonText(Box<RawValue>);

impl JsonText {
    /// Takes the text, without the white space around it.
    ///
    /// # Errors
    ///
    /// [`JsonError`] where the text is not one JSON value.
    pub fn new(text: impl Into<String>) -> Result<Self, JsonError> {
        RawValue::from_string(text.into()).map(Self).map_err(error)
    }

    /// Writes the value as compact JSON.
    ///
    /// # Errors
    ///
    /// [`JsonError`] where the value has no form in JSON.
    pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        serde_json::value::to_raw_value(value).map(Self).map_err(error)
    }

    /// Reads the text as a value of a type that owns what it holds.
    ///
    /// # Errors
    ///
    /// [`JsonError`] where the text is not of that type's form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        serde_json::from_str(self.as_str()).map_err(error)
    }

    /// The text, verbatim.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

fn error(source: serde_json::Error) -> JsonError {
    JsonErrorAt::from(source).source
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
    fn a_text_is_checked_and_trimmed() {
        assert_eq!(JsonText::new(" [1.10] \n").unwrap().as_str(), "[1.10]");
        assert_eq!(
            JsonText::new("{").unwrap_err().to_string(),
            "EOF while parsing an object at line 1 column 1"
        );
        assert!(JsonText::new("1 2").is_err());
        assert!(JsonText::new("").is_err());
    }

    #[test]
    fn values_go_in_and_out() {
        let text = JsonText::write(&[1_u8, 2]).unwrap();
        assert_eq!(text, JsonText::new("[1,2]").unwrap());
        assert_eq!(text.read::<Vec<u8>>().unwrap(), [1, 2]);
        assert!(text.read::<String>().is_err());
    }
}
