//! What an object holds besides the members its type knows: [`UnknownMembers`].

use std::collections::BTreeSet;
use std::fmt;

use serde::ser::{Error as _, SerializeMap};

use super::JsonText;
use crate::decode::JsonError;

/// The members of a JSON object that its type does not know, verbatim and in the order in which
/// they came.
///
/// They are written after the known ones, so nothing that a newer or richer sender says is lost
/// on the way through. A value keeps its spelling; a name keeps its characters, whichever escapes
/// they were written with. `Debug` gives the names and no part of the values.
///
/// A sender may add members of its own. Names that the type knows are not for adding: the object
/// refuses to be written, for a body that says one thing twice means different things to
/// different readers.
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
pub struct UnknownMembers(Vec<(Box<str>, JsonText)>);

impl UnknownMembers {
    /// No members.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Takes the members, whose names the caller knows to be distinct.
    pub(crate) const fn from_distinct(members: Vec<(Box<str>, JsonText)>) -> Self {
        Self(members)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The names and their JSON texts, in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (&**name, text.as_str()))
    }

    /// The names and their values, in order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &JsonText)> {
        self.0.iter().map(|(name, text)| (&**name, text))
    }

    /// The JSON text of the member with this name. Looks through all of them.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find_map(|(known, text)| (known == name).then_some(text))
    }

    /// Adds a member at the end, or gives the one of that name, in its place, another value.
    ///
    /// # Errors
    ///
    /// [`JsonError`] where `json` is not one JSON value; nothing is added then.
    pub fn insert(
        &mut self,
        name: impl Into<Box<str>>,
        json: impl Into<String>,
    ) -> Result<(), JsonError> {
        let (name, text) = (name.into(), JsonText::new(json)?);
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = text,
            None => self.0.push((name, text)),
        }
        Ok(())
    }

    /// Takes the member with this name out. Looks through all of them.
    pub(crate) fn remove(&mut self, name: &str) -> Option<JsonText> {
        let at = self.0.iter().position(|(known, _)| &**known == name)?;
        Some(self.0.remove(at).1)
    }

    /// Appends the members of `more`, unless a name would stand twice.
    pub(crate) fn append(&mut self, more: &Self) -> bool {
        let mut seen: BTreeSet<&str> = self.0.iter().map(|(name, _)| &**name).collect();
        let distinct = more.0.iter().all(|(name, _)| seen.insert(name));
        if distinct {
            self.0.extend(more.0.iter().cloned());
        }
        distinct
    }

    /// Writes the members behind those of a type that knows `names`.
    pub(crate) fn write<M: SerializeMap>(
        &self,
        names: &[&'static str],
        map: &mut M,
    ) -> Result<(), M::Error> {
        for (name, text) in &self.0 {
            if names.contains(&&**name) {
                return Err(M::Error::custom(format_args!(
                    "`{name}` is among the unknown members, and the type knows it"
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
