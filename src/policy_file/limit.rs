//! A limit in a file that can be lifted: [`Limit`].

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroU32;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, IntoDeserializer, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What lifts a limit in formats without `null`, such as TOML.
const NONE: &str = "none";

/// A limit, or none: `"none"`, or `null` where a format has it. It is written as `"none"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit<T>(pub(crate) Option<T>);

impl<T: Serialize> Serialize for Limit<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(limit) => limit.serialize(serializer),
            None => serializer.serialize_str(NONE),
        }
    }
}

/// What can be a limit: a number, or a table.
pub(crate) trait Limiting<'de>: Deserialize<'de> {
    /// Reads it from a map: a table, or the form in which `serde_json` hands over a number if its
    /// feature `arbitrary_precision` is on.
    fn of_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map))
    }
}

macro_rules! limiting_numbers {
    ($($number:ty),*) => {$(
        impl<'de> Limiting<'de> for $number {
            fn of_map<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
                let number = serde_json::Number::deserialize(MapAccessDeserializer::new(map))?;
                let number = number.as_u64().ok_or_else(|| A::Error::custom("not a whole number"))?;
                Self::deserialize(number.into_deserializer())
            }
        }
    )*};
}

limiting_numbers!(u32, u64, NonZeroU32);

impl<'de, T: Limiting<'de>> Deserialize<'de> for Limit<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LimitOrNone(PhantomData))
    }
}

struct LimitOrNone<T>(PhantomData<T>);

impl<'de, T: Limiting<'de>> Visitor<'de> for LimitOrNone<T> {
    type Value = Limit<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a limit, or `none`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Limit<T>, E> {
        if text == NONE {
            return Ok(Limit(None));
        }
        let text: StrDeserializer<'_, E> = text.into_deserializer();
        T::deserialize(text).map(|limit| Limit(Some(limit)))
    }

    fn visit_unit<E: Error>(self) -> Result<Limit<T>, E> {
        Ok(Limit(None))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Limit<T>, E> {
        T::deserialize(number.into_deserializer()).map(|limit| Limit(Some(limit)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Limit<T>, E> {
        T::deserialize(number.into_deserializer()).map(|limit| Limit(Some(limit)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Limit<T>, A::Error> {
        T::of_map(map).map(|limit| Limit(Some(limit)))
    }
}
