//! What the code that [`open_object!`](super::open_object!) and [`open_enum!`](super::open_enum!)
//! generate calls. **Not public API**: it may change in any release.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};

use super::json_text::JsonText;
use super::unknown_members::{Member, UnknownMembers};
use crate::decode::{OBJECT, Strict};

pub use serde;

/// A typed JSON object.
pub trait Object: Sized {
    /// The names of the known members, in the order in which they are written.
    const NAMES: &'static [&'static str];

    /// Reads the members. `KEEPS` says whether an optional member of another type is kept, or an
    /// error.
    fn read<'de, A: MapAccess<'de>, const KEEPS: bool>(map: A) -> Result<Self, A::Error>;

    /// Writes the members that have a value.
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

pub fn serialize<T: Object, S: Serializer>(object: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    object.write(&mut map)?;
    map.end()
}

pub fn deserialize<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_newtype_struct(OBJECT, AskVisitor(PhantomData))
}

/// Learns from the deserializer whether it is [`Strict`].
struct AskVisitor<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for AskVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ObjectVisitor::<T, true>(PhantomData).expecting(f)
    }

    // Neither calls `deserialize_struct`, which accepts an array as well.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_map(ObjectVisitor::<T, true>(PhantomData))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_map(ObjectVisitor::<T, false>(PhantomData))
    }
}

struct ObjectVisitor<T, const KEEPS: bool>(PhantomData<T>);

impl<'de, T: Object, const KEEPS: bool> Visitor<'de> for ObjectVisitor<T, KEEPS> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read::<A, KEEPS>(map)
    }
}

/// Reads a text without a copy of it in between. `Other` needs the last one.
pub fn deserialize_text<'de, T: for<'a> From<&'a str>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    crate::text::deserialize(deserializer, |text| Ok::<T, Infallible>(text.into()))
}

/// Writes the unknown members after the others; `is_written` says which names those have.
pub fn write_unknown<M: SerializeMap>(
    unknown: &UnknownMembers,
    is_written: impl Fn(&str) -> bool,
    map: &mut M,
) -> Result<(), M::Error> {
    unknown.write(is_written, map)
}

/// Reads up to the next known member and returns what `known` has for its name. Unknown members on
/// the way are collected.
pub fn next_known<'de, F, A: MapAccess<'de>>(
    known: impl Fn(&str) -> Option<F>,
    map: &mut A,
    unknown: &mut UnknownCollector,
) -> Result<Option<F>, A::Error> {
    while let Some(name) = map.next_key_seed(NameSeed(&known))? {
        match name {
            MemberName::Known(field) => return Ok(Some(field)),
            MemberName::Unknown(name) => unknown.read(name, map)?,
        }
    }
    Ok(None)
}

/// The name of a member; a known name is not copied.
enum MemberName<F> {
    Known(F),
    Unknown(Box<str>),
}

/// Reads a [`MemberName`], given a function that knows some of the names.
struct NameSeed<'a, K>(&'a K);

impl<'de, F, K: Fn(&str) -> Option<F>> DeserializeSeed<'de> for NameSeed<'_, K> {
    type Value = MemberName<F>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F, K: Fn(&str) -> Option<F>> Visitor<'_> for NameSeed<'_, K> {
    type Value = MemberName<F>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok((self.0)(name).map_or_else(|| MemberName::Unknown(name.into()), MemberName::Known))
    }
}

/// Reads a known member into its slot; a slot that is already filled means a duplicate.
pub fn read<'de, const KEEPS: bool, T: DeserializeOwned, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    name: &'static str,
    map: &mut A,
) -> Result<(), A::Error> {
    if slot.is_some() {
        return map.next_value_seed(Duplicate(name));
    }
    *slot = Some(if KEEPS { map.next_value()? } else { map.next_value_seed(Strict(PhantomData))? });
    Ok(())
}

/// Reads a member that may have any value: one of another type is kept verbatim if `KEEPS`.
pub fn read_or_keep<'de, const KEEPS: bool, T: DeserializeOwned + Default, A: MapAccess<'de>>(
    slot: &mut Option<T>,
    name: &'static str,
    map: &mut A,
    unknown: &mut UnknownCollector,
) -> Result<(), A::Error> {
    if slot.is_some() || !KEEPS {
        return read::<KEEPS, T, A>(slot, name, map);
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
    members: Vec<Member>,
    /// The names of unknown members again, sorted, once there are many: a body with many unknown
    /// members must not take quadratic time.
    seen: BTreeSet<Box<str>>,
}

/// Up to this number, members are searched one by one.
const FEW: usize = 16;

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
        if self.has(&name) {
            return map.next_value_seed(Duplicate(&name));
        }
        let text = map.next_value()?;
        self.members.push((String::from(name).into(), text));
        Ok(())
    }

    fn has(&mut self, name: &str) -> bool {
        if self.members.len() <= FEW {
            return self.members.iter().any(|(seen, _)| seen == name);
        }
        for (name, _) in self.members.iter().skip(self.seen.len()) {
            self.seen.insert((&**name).into());
        }
        self.seen.contains(name)
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
