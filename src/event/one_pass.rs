//! Reads an event in one pass, data included: [`read`].

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use crate::decode::Strict;
use crate::json::UnknownMembers;
use crate::json::macro_support::{self, UnknownCollector};
use crate::time::TimeText;

/// Event types whose data can be read.
pub(crate) trait Model: Sized {
    /// The data of an event of any of the types.
    type Data;

    /// Returns the model of this type's data.
    fn of(event_type: &str) -> Option<Self>;

    /// Reads the data.
    fn read<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Data, D::Error>;
}

/// An envelope and its data.
pub(crate) struct Whole<T> {
    pub(crate) timestamp: TimeText,
    pub(crate) data: T,
    pub(crate) unknown: UnknownMembers,
}

/// Reads an event of a type that `M` knows and whose members have their types. `None` means that
/// the envelope and its data have to be read one after the other: the type is unknown, or comes
/// after the data, or anything does not match.
pub(crate) fn read<M: Model>(body: &[u8]) -> Option<Whole<M::Data>> {
    // Once for the whole, and not string by string.
    let body = std::str::from_utf8(body).ok()?;
    let mut deserializer = serde_json::Deserializer::from_str(body);
    let whole = deserializer.deserialize_map(EnvelopeVisitor::<M>(PhantomData)).ok()?;
    deserializer.end().ok()?;
    Some(whole)
}

enum Member {
    Type,
    Timestamp,
    Data,
}

fn member(name: &str) -> Option<Member> {
    match name {
        "type" => Some(Member::Type),
        "timestamp" => Some(Member::Timestamp),
        "data" => Some(Member::Data),
        _ => None,
    }
}

struct EnvelopeVisitor<M>(PhantomData<M>);

impl<'de, M: Model> Visitor<'de> for EnvelopeVisitor<M> {
    type Value = Whole<M::Data>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut model = None;
        let (mut is_typed, mut timestamp, mut data) = (false, None, None);
        let mut unknown = UnknownCollector::new();
        while let Some(member) = macro_support::next_known(member, &mut map, &mut unknown)? {
            match member {
                Member::Type if !is_typed => {
                    model = map.next_value_seed(ModelSeed(PhantomData))?;
                    is_typed = true;
                }
                Member::Timestamp if timestamp.is_none() => timestamp = Some(map.next_value()?),
                // A second `data` finds no model.
                Member::Data => match model.take() {
                    Some(model) => data = Some(map.next_value_seed(DataSeed::<M>(model))?),
                    None => return Err(not_in_one_pass()),
                },
                Member::Type | Member::Timestamp => return Err(not_in_one_pass()),
            }
        }
        match (timestamp, data) {
            (Some(timestamp), Some(data)) => {
                Ok(Whole { timestamp, data, unknown: unknown.finish() })
            }
            _ => Err(not_in_one_pass()),
        }
    }
}

/// Nobody sees it.
fn not_in_one_pass<E: Error>() -> E {
    E::custom("")
}

struct ModelSeed<M>(PhantomData<M>);

impl<'de, M: Model> DeserializeSeed<'de> for ModelSeed<M> {
    type Value = Option<M>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<M>, D::Error> {
        let model = |event_type: &str| M::of(event_type).ok_or("");
        crate::text::deserialize(deserializer, model).map(Some)
    }
}

struct DataSeed<M>(M);

impl<'de, M: Model> DeserializeSeed<'de> for DataSeed<M> {
    type Value = M::Data;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<M::Data, D::Error> {
        self.0.read(Strict(deserializer))
    }
}
