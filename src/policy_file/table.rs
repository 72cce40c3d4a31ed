//! A table of a policy file: [`table()`].

use std::fmt;

use serde::de::value::{SeqDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};

use super::duration::millis;

/// Reads a struct from a table.
///
/// - A field `x_ms` can also be written as `x`, with a duration such as `"90s"`.
/// - A sequence is refused, although serde's derived impls accept one for a struct: positional
///   fields would change their meaning when a field is added.
/// - Behind `#[serde(flatten)]` unknown fields are refused too, because the struct reads all fields
///   that are left.
pub(crate) fn table<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(Table(deserializer))
}

struct Table<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Table<D> {
    type Error = D::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Rows { fields, visitor })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Visits the rows of a table with these fields.
struct Rows<V> {
    fields: &'static [&'static str],
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Rows<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Renamed { map, fields: self.fields, is_duration: false })
    }
}

/// A map in which the duration `x` has the name `x_ms`, and its value is in milliseconds.
struct Renamed<A> {
    map: A,
    fields: &'static [&'static str],
    /// Whether the next value is a duration as text.
    is_duration: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Renamed<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        let Some(mut key) = self.map.next_key::<String>()? else { return Ok(None) };
        let in_millis = format!("{key}_ms");
        self.is_duration = self.fields.contains(&&*in_millis);
        if self.is_duration {
            key = in_millis;
        }
        let key: StringDeserializer<A::Error> = key.into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, A::Error> {
        if self.is_duration {
            self.map.next_value_seed(Millis(seed))
        } else {
            self.map.next_value_seed(seed)
        }
    }

    fn size_hint(&self) -> Option<usize> {
        self.map.size_hint()
    }
}

/// Reads durations as text, and passes milliseconds on.
struct Millis<T>(T);

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Millis<T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: DeserializeSeed<'de>> Visitor<'de> for Millis<T> {
    type Value = T::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a duration as text, such as `90s`, or milliseconds in a field that ends in `_ms`",
        )
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T::Value, E> {
        match millis(text) {
            Some(millis) => self.0.deserialize(Present(millis.into_deserializer())),
            // It lifts a limit.
            None if text == "none" => self.0.deserialize(Present(text.into_deserializer())),
            None => Err(E::custom(format_args!(
                "`{text}` is not a duration such as `90s`, `1h 30m` or `3d`"
            ))),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<T::Value, E> {
        self.0.deserialize(().into_deserializer())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<T::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(millis) = texts.next_element_seed(Millis(std::marker::PhantomData::<u64>))? {
            list.push(millis);
        }
        self.0.deserialize(Present(SeqDeserializer::new(list.into_iter())))
    }
}

/// A value that is present where it may be absent.
struct Present<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Present<D> {
    type Error = D::Error;

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_some(self.0)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
