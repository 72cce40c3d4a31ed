//! The form in which a [`Record`] is saved: with its kind as one of its members.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, MapAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::record::{DeliveryRecord, EndpointRecord, MessageRecord, Record};

/// A record in a format for people.
#[derive(Serialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Written<'a> {
    Message(&'a MessageRecord),
    Delivery(&'a DeliveryRecord),
    Endpoint(&'a EndpointRecord),
}

/// As [`Written`], but read: the members are collected until the kind is known.
#[derive(Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
enum Collected {
    Message(MessageRecord),
    Delivery(DeliveryRecord),
    Endpoint(EndpointRecord),
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            let json = serde_json::to_vec(self).map_err(S::Error::custom)?;
            return serializer.serialize_bytes(&json);
        }
        match self {
            Self::Message(record) => Written::Message(record),
            Self::Delivery(record) => Written::Delivery(record),
            Self::Endpoint(record) => Written::Endpoint(record),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_map(Tagged)
        } else {
            deserializer.deserialize_byte_buf(Json)
        }
    }
}

/// Reads a record from a byte string of JSON.
struct Json;

impl Visitor<'_> for Json {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record as a byte string of JSON")
    }

    fn visit_bytes<E: de::Error>(self, json: &[u8]) -> Result<Record, E> {
        serde_json::from_slice(json).map_err(E::custom)
    }
}

/// Reads a record from its members.
struct Tagged;

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Name {
    Record,
    Other(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Message,
    Delivery,
    Endpoint,
}

impl<'de> Visitor<'de> for Tagged {
    type Value = Record;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Record, A::Error> {
        match members.next_key()? {
            // The kind comes first as it is written, and the others are read at once.
            Some(Name::Record) => {
                let kind = members.next_value()?;
                let members = MapAccessDeserializer::new(members);
                Ok(match kind {
                    Kind::Message => Record::Message(MessageRecord::deserialize(members)?),
                    Kind::Delivery => Record::Delivery(DeliveryRecord::deserialize(members)?),
                    Kind::Endpoint => Record::Endpoint(EndpointRecord::deserialize(members)?),
                })
            }
            // A column of type `jsonb` has an order of its own.
            Some(Name::Other(name)) => {
                let value = Some(members.next_value()?);
                let members = Replayed { name: Some(name), value, members };
                Ok(match Collected::deserialize(MapAccessDeserializer::new(members))? {
                    Collected::Message(record) => Record::Message(record),
                    Collected::Delivery(record) => Record::Delivery(record),
                    Collected::Endpoint(record) => Record::Endpoint(record),
                })
            }
            None => Err(de::Error::missing_field("record")),
        }
    }
}

/// Members of which the first was read already.
struct Replayed<A> {
    name: Option<String>,
    value: Option<Value>,
    members: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Replayed<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.name.take() {
            Some(name) => seed.deserialize(name.into_deserializer()).map(Some),
            None => self.members.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        match self.value.take() {
            Some(value) => seed.deserialize(value).map_err(de::Error::custom),
            None => self.members.next_value_seed(seed),
        }
    }
}
