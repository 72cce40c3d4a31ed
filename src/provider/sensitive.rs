//! Secret text in the vendors' definitions and requests.

use std::{fmt, io};

use http::Uri;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use crate::decode::{JsonError, JsonErrorAt};
use crate::secret::wipe;

/// Text that `Debug` does not print, wiped when dropped. `Serialize` writes it: use it only in
/// functions named `expose_*`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct SecretText(Zeroizing<Box<str>>);

impl SecretText {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Returns a view for `Debug` that shows only the origin of a URL.
    pub(super) fn as_url(&self) -> UrlOrigin<'_> {
        UrlOrigin(self.expose())
    }
}

impl From<&str> for SecretText {
    fn from(text: &str) -> Self {
        Self(Zeroizing::new(text.into()))
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretText({} bytes)", self.0.len())
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// Shows the origin of a URL, and nothing of any other text.
pub(super) struct UrlOrigin<'a>(&'a str);

impl fmt::Debug for UrlOrigin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = Uri::from_maybe_shared(wipe::shared(self.0.as_bytes())).ok();
        let origin = uri.as_ref().and_then(|uri| uri.scheme_str().zip(uri.host()));
        match (origin, uri.as_ref().and_then(Uri::port)) {
            (Some((scheme, host)), Some(port)) => write!(f, "{scheme}://{host}:{port}"),
            (Some((scheme, host)), None) => write!(f, "{scheme}://{host}"),
            (None, _) => f.write_str("malformed URL"),
        }
    }
}

/// Serializes into a buffer that never reallocates, so no copy of a secret stays on the heap.
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

/// Counts the bytes written.
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
