//! An ordered JSON object for reading and writing member by member: [`Members`].

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::decode::JsonError;
use crate::json::{JsonText, Member, UnknownMembers};

/// Members of a JSON object, in order and verbatim.
#[derive(Clone, Debug, Default)]
pub(super) struct Members(Vec<Member>);

impl Members {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value of the member.
    pub(super) fn get(&self, name: &str) -> Option<&JsonText> {
        self.0.iter().find_map(|(known, text)| (known == name).then_some(text))
    }

    /// Reads the member if its value has this type.
    pub(super) fn read<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.get(name)?.read().ok()
    }

    /// Returns the text at this path of names, or the integer there, such as an id.
    pub(super) fn text_at(&self, path: &[&str]) -> Option<String> {
        match path {
            [] => None,
            [name] => {
                let text = self.get(name)?;
                text.read::<u64>().map(|number| number.to_string()).or_else(|_| text.read()).ok()
            }
            [name, rest @ ..] => self.read::<Self>(name)?.text_at(rest),
        }
    }

    /// Iterates over the names, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| known == name)
    }

    /// Returns whether the member is present and not `null`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, text)| known == name && text.as_str() != "null")
    }

    /// Removes and returns the member if its value has this type. `null` and values of other types
    /// stay: the vendor documents no types, so they are not errors.
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

    /// Removes and returns member `inner` of the object `outer`, and removes `outer` if it is then
    /// empty.
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
        self.0.push((name.to_owned().into(), JsonText::write(value)?));
        Ok(())
    }

    pub(super) fn put_some<T: Serialize>(
        &mut self,
        name: &str,
        value: Option<&T>,
    ) -> Result<(), JsonError> {
        value.map_or(Ok(()), |value| self.put(name, value))
    }

    /// Appends the member, or replaces its value in place.
    pub(super) fn set<T: Serialize>(&mut self, name: &str, value: &T) -> Result<(), JsonError> {
        let value = JsonText::write(value)?;
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, text)) => *text = value,
            None => self.0.push((name.to_owned().into(), value)),
        }
        Ok(())
    }

    /// Moves the members with these names to the front, in the order of the names.
    pub(super) fn sort_like(&mut self, names: &[&str]) {
        let rank = |name: &str| names.iter().position(|known| *known == name);
        self.0.sort_by_key(|(name, _)| rank(name).unwrap_or(names.len()));
    }

    /// Appends the members whose names are not present yet.
    pub(super) fn append_absent(&mut self, rest: Self) {
        let present: BTreeSet<_> = self.0.iter().map(|(name, _)| name.clone()).collect();
        self.0.extend(rest.0.into_iter().filter(|(name, _)| !present.contains(name)));
    }

    /// Appends all of the members.
    pub(super) fn append(&mut self, more: &UnknownMembers) -> Result<(), JsonError> {
        for (name, text) in more.iter() {
            self.0.push((name.to_owned().into(), JsonText::new(text)?));
        }
        Ok(())
    }

    /// Returns whether all names are different.
    pub(super) fn are_distinct(&self) -> bool {
        let mut seen = BTreeSet::new();
        self.0.iter().all(|(name, _)| seen.insert(name))
    }
}

/// The members of an object, whose names are distinct.
impl From<UnknownMembers> for Members {
    fn from(members: UnknownMembers) -> Self {
        Self(members.into_members())
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
                    Err(A::Error::custom("duplicate field"))
                }
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}
