//! The unknown members of a JSON object: [`UnknownMembers`].

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::ser::{Error as _, SerializeMap};

use super::json_text::JsonText;
use crate::decode::JsonError;

/// The members of a JSON object that its type does not know, verbatim and in their original order.
/// Optional members with a value of an unexpected type are among them.
///
/// They are written back after the known members, so data from a newer or richer sender survives
/// a round trip. Values keep their spelling; names keep their characters, but not the escapes they
/// were written with. `Debug` shows the names and no values.
///
/// A sender can add members of its own. The name of a field that has a value makes serialization
/// fail, because a body with a duplicate member means different things to different parsers.
///
/// ```
/// use labhook::json::UnknownMembers;
///
/// let mut unknown = UnknownMembers::new();
/// unknown.insert("bench", r#"{"row":4}"#)?;
/// assert_eq!(unknown.get("bench"), Some(r#"{"row":4}"#));
/// assert!(unknown.insert("lid", "not JSON").is_err());
/// assert_eq!(unknown.len(), 1);
/// # Ok::<(), labhook::decode::JsonError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UnknownMembers(Vec<Member>);

/// The name and the value of a member. The names that this crate gives are static.
pub(crate) type Member = (Cow<'static, str>, JsonText);

impl UnknownMembers {
    /// Creates an empty list of members.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Wraps members with distinct names. The caller guarantees that they are distinct.
    pub(crate) const fn from_distinct(members: Vec<Member>) -> Self {
        Self(members)
    }

    /// Returns whether there are no members.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of members.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Iterates over the names and their JSON texts, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (&**name, text.as_str()))
    }

    /// Iterates over the names and their values, in order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &JsonText)> {
        self.0.iter().map(|(name, text)| (&**name, text))
    }

    /// Returns the JSON text of the member with this name. Takes linear time.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(known, text)| (known == name).then_some(text))
    }

    /// Appends a member, or replaces the value of the member with the same name, in place.
    ///
    /// # Errors
    ///
    /// Returns [`JsonError`] and changes nothing if `json` is not a single JSON value.
    pub fn insert(
        &mut self,
        name: impl Into<Box<str>>,
        json: impl Into<String>,
    ) -> Result<(), JsonError> {
        let name: Box<str> = name.into();
        self.put(String::from(name), JsonText::new(json)?);
        Ok(())
    }

    /// Like [`insert`](Self::insert), with a value that is JSON already.
    pub(crate) fn put(&mut self, name: impl Into<Cow<'static, str>>, text: JsonText) {
        let name = name.into();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = text,
            None => self.0.push((name, text)),
        }
    }

    /// Returns the members, in order.
    pub(crate) fn into_members(self) -> Vec<Member> {
        self.0
    }

    /// Removes and returns the member with this name. Takes linear time.
    pub fn remove(&mut self, name: &str) -> Option<JsonText> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Appends the members of `more`. Returns `false` and changes nothing if a name is duplicated.
    pub(crate) fn append(&mut self, more: &Self) -> bool {
        let mut seen: BTreeSet<&str> = self.0.iter().map(|(name, _)| &**name).collect();
        let distinct = more.0.iter().all(|(name, _)| seen.insert(name));
        if distinct {
            self.0.extend(more.0.iter().cloned());
        }
        distinct
    }

    /// Writes the members after those of a type; `is_written` says which names it has written.
    pub(crate) fn write<M: SerializeMap>(
        &self,
        is_written: impl Fn(&str) -> bool,
        map: &mut M,
    ) -> Result<(), M::Error> {
        for (name, text) in &self.0 {
            if is_written(name) {
                return Err(M::Error::custom(format_args!(
                    "unknown member `{name}` collides with a known field"
                )));
            }
            map.serialize_entry(name, text)?;
        }
        Ok(())
    }
}

impl fmt::Debug for UnknownMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}
