//! An object whose members are taken out one by one, and put in one by one: [`Members`].

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::decode::JsonError;
use crate::json::{JsonText, UnknownMembers};

/// The members of an object in order, verbatim.
#[derive(Clone, Debug, Default)]
pub(super) struct Members(Vec<(Box<str>, JsonText)>);

impl Members {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| &**known == name)
    }

    /// Whether there is such a member with a value.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, text)| &**known == name && text.as_str() != "null")
    }

    /// Takes the member out where it has a value of this type. A `null`, and a value that does not
    /// fit, stay: nothing documents what is there, so nothing is wrong with it.
    pub(super) fn take<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let at = self.position(name)?;
        let (_, text) = self.0.get(at)?;
        if text.as_str() == "null" {
            return None;
        }
        let value = text.read().ok()?;
        self.0.remove(at);
        Some(value)
    }

    /// Takes `inner` out of the object that the member `outer` is, and `outer` with it where
    /// nothing else is in it.
    pub(super) fn take_within<T: DeserializeOwned>(
        &mut self,
        outer: &str,
        inner: &str,
    ) -> Option<T> {
        let at = self.position(outer)?;
        let (_, text) = self.0.get_mut(at)?;
        let mut object: Self = text.read().ok()?;
        let value = object.take(inner)?;
        if object.is_empty() {
            self.0.remove(at);
        } else {
            *text = JsonText::write(&object).ok()?;
        }
        Some(value)
    }

    pub(super) fn put<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), JsonError> {
        self.0.push((name.into(), JsonText::write(value)?));
        Ok(())
    }

    pub(super) fn put_some<T: Serialize>(
        &mut self,
        name: &str,
        value: Option<&T>,
    ) -> Result<(), JsonError> {
        value.map_or(Ok(()), |value| self.put(name, value))
    }

    /// Appends those of the members whose names are not here yet.
    pub(super) fn append_absent(&mut self, rest: Self) {
        let here: BTreeSet<Box<str>> = self.0.iter().map(|(name, _)| name.clone()).collect();
        self.0.extend(rest.0.into_iter().filter(|(name, _)| !here.contains(name)));
    }

    /// Appends all of the members.
    pub(super) fn append(&mut self, more: &UnknownMembers) -> Result<(), JsonError> {
        for (name, text) in more.iter() {
            self.0.push((name.into(), JsonText::new(text)?));
        }
        Ok(())
    }

    /// Whether no name stands twice.
    pub(super) fn are_distinct(&self) -> bool {
        let mut seen = BTreeSet::new();
        self.0.iter().all(|(name, _)| seen.insert(name))
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, text) in &self.0 {
            map.serialize_entry(name, text)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some(member) = map.next_entry()? {
                    members.0.push(member);
                }
                if members.are_distinct() {
                    Ok(members)
                } else {
                    Err(A::Error::custom("a name stands twice"))
                }
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
