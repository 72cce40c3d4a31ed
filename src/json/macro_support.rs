//! What the code that [`open_object!`](super::open_object!) and [`open_enum!`](super::open_enum!)
//! generate calls. **Not public API**: it may change in any release.

use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};

use super::json_text::JsonText;
use super::unknown_members::UnknownMembers;

pub use serde;

/// A typed JSON object.
pub trait Object: Sized {
    /// The names of the known members, in the order in which they are written.
    const NAMES: &'static [&'static str];

    /// Reads the members.
    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;

    /// Writes the members that have a value.
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

pub fn serialize<T: Object, S: Serializer>(object: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    object.write(&mut map)?;
    map.end()
}

pub fn deserialize<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    // Not `deserialize_struct`, which accepts an array as well.
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read(map)
    }
}

/// Writes the unknown members after the others; `is_written` says which names those have.
pub fn write_unknown<M: SerializeMap>(
    unknown: &UnknownMembers,
    is_written: impl Fn(&str) -> bool,
    map: &mut M,
) -> Result<(), M::Error> {
    unknown.write(is_written, map)
}

/// Reads up to the next known member and returns its name. Unknown members on the way are
/// collected.
pub fn next_known<'de, A: MapAccess<'de>>(
    names: &'static [&'static str],
    map: &mut A,
    unknown: &mut UnknownCollector,
) -> Result<Option<&'static str>, A::Error> {
    while let Some(name) = map.next_key_seed(NameSeed(names))? {
        match name {
            MemberName::Known(name) => return Ok(Some(name)),
            MemberName::Unknown(name) => unknown.read(name, map)?,
        }
    }
    Ok(None)
}

/// The name of a member; a known name is not copied.
enum MemberName {
    Known(&'static str),
    Unknown(Box<str>),
}

/// Reads a [`MemberName`], given the names that the type knows.
struct NameSeed(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = MemberName;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<MemberName, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed {
    type Value = MemberName;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<MemberName, E> {
        Ok(match self.0.iter().find(|known| **known == name) {
            Some(known) => MemberName::Known(known),
            None => MemberName::Unknown(name.into()),
        })
    }
}

/// Reads a known member into its slot; a slot that is already filled means a duplicate.
pub fn read<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return map.next_value_seed(Duplicate(name));
    }
    *slot = Some(map.next_value()?);
    Ok(())
}

/// Reads a member that may have any value: one of another type is kept verbatim.
pub fn read_or_keep<'de, T: DeserializeOwned + Default, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    name: &'static str,
    map: &mut A,
    unknown: &mut UnknownCollector,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return map.next_value_seed(Duplicate(name));
    }
    let text: JsonText = map.next_value()?;
    *slot = Some(text.read().unwrap_or_else(|_| {
        unknown.members.push((name.into(), text));
        T::default()
    }));
    Ok(())
}

/// Collects the members that a type does not know, or cannot read.
#[derive(Debug, Default)]
pub struct UnknownCollector {
    members: Vec<(Box<str>, JsonText)>,
    /// The names again, sorted: a body with many unknown members must not take quadratic time.
    seen: BTreeSet<Box<str>>,
}

impl UnknownCollector {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn read<'de, A: MapAccess<'de>>(
        &mut self,
        name: Box<str>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        if self.seen.contains(&name) {
            return map.next_value_seed(Duplicate(&name));
        }
        let text = map.next_value()?;
        self.seen.insert(name.clone());
        self.members.push((name, text));
        Ok(())
    }

    #[must_use]
    pub fn finish(self) -> UnknownMembers {
        UnknownMembers::from_distinct(self.members)
    }
}

/// Rejects the value of a duplicate member. As a seed it fails inside the value, so that the error
/// carries the path of the member.
struct Duplicate<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Duplicate<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        Err(D::Error::custom(format_args!("duplicate field `{}`", self.0)))
    }
}
