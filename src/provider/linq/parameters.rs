//! The URL and headers of a LINQ hook, which are secret: [`Parameters`].

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::json::object;
use crate::provider::sensitive::SecretText;

object! {
    /// The SDK's `HookParameters`. Private: `Serialize` writes the secrets, for
    /// [`Hook::expose_json`](super::Hook::expose_json).
    pub(super) struct Parameters {
        required url: SecretText,
        strict_nullable headers: Headers,
    }
}

/// Header names and values in order, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Headers(Vec<(Box<str>, SecretText)>);

impl Headers {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.expose()))
    }

    pub(super) fn set(&mut self, name: &str, value: &str) {
        match self.0.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, old)) => *old = value.into(),
            None => self.0.push((name.into(), value.into())),
        }
    }
}

impl Serialize for Headers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of header names and values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut headers = Headers::default();
        let mut seen = std::collections::BTreeSet::new();
        while let Some(name) = map.next_key::<Box<str>>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom("duplicate header name"));
            }
            headers.0.push((name, map.next_value()?));
        }
        Ok(headers)
    }
}
