//! The parts of a subscription that are not for every eye.

use std::{fmt, io};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::decode::{JsonError, JsonErrorAt};
use crate::endpoint::{check_url, origin};

/// A receiver's URL, which is wiped and not shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct WebhookUrl(Zeroizing<Box<str>>);

impl WebhookUrl {
    pub(super) fn new(url: &str) -> Self {
        Self(Zeroizing::new(url.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(self.as_str()).fmt(f)
    }
}

impl Serialize for WebhookUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for WebhookUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&Zeroizing::new(String::deserialize(deserializer)?)))
    }
}

/// What may be seen of a URL.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only of a URL of this form is the origin free of secrets.
        match check_url(self.0, &["https", "http"]) {
            Ok(()) => f.write_str(origin(self.0)),
            Err(_) => write!(f, "{} bytes", self.0.len()),
        }
    }
}

/// Writes the value into a buffer that never grows, and so leaves no copy behind on the heap.
pub(super) fn expose<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>, JsonError> {
    let mut length = Length(0);
    serde_json::to_writer(&mut length, value).map_err(error)?;
    let mut json = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *json, value).map_err(error)?;
    Ok(json)
}

fn error(source: serde_json::Error) -> JsonError {
    JsonErrorAt::from(source).source
}

/// Counts what is written.
struct Length(usize);

impl io::Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
