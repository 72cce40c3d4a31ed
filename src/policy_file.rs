//! Reads a policy from a configuration file: a preset's name, or a table.

mod duration;
mod limit;
mod table;

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::named::ParseNameError;

pub(crate) use self::limit::{Limit, Limiting};
pub(crate) use self::table::table;

/// A preset: its name in a file, and its constructor.
type Preset<T> = (&'static str, fn() -> T);

/// Presets by name, in the order in which an error lists them.
#[derive(Debug)]
pub(crate) struct Presets<T: 'static>(pub(crate) &'static [Preset<T>]);

impl<T> Presets<T> {
    pub(crate) fn get(&self, name: &str) -> Option<T> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, make)| make())
    }

    pub(crate) fn find(&self, name: &str) -> Result<T, ParseNameError> {
        let known = self.0.iter().map(|(known, _)| *known);
        self.get(name).ok_or_else(|| ParseNameError::new("preset", name, known))
    }
}

/// Reads the name of a preset, or a [`table()`] of form `F`.
pub(crate) fn read<'de, F, T, D>(
    deserializer: D,
    expecting: &'static str,
    presets: Presets<T>,
) -> Result<T, D::Error>
where
    F: Deserialize<'de> + TryInto<T, Error: fmt::Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_any(NameOrMap { expecting, presets, form: PhantomData::<F> })
}

/// Reads a [`table()`] of form `F` alone.
pub(crate) fn read_table<'de, F, T, D>(deserializer: D) -> Result<T, D::Error>
where
    F: Deserialize<'de> + TryInto<T, Error: fmt::Display>,
    D: Deserializer<'de>,
{
    let form: F = table(deserializer)?;
    form.try_into().map_err(D::Error::custom)
}

/// Reads a field as present even if it is `null`: `None` if it is absent (by `serde(default)`),
/// `Some(None)` if it is `null`.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

struct NameOrMap<T: 'static, F> {
    expecting: &'static str,
    presets: Presets<T>,
    form: PhantomData<F>,
}

impl<'de, T, F> Visitor<'de> for NameOrMap<T, F>
where
    F: Deserialize<'de> + TryInto<T, Error: fmt::Display>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<T, E> {
        self.presets.find(name).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let form: F = table(MapAccessDeserializer::new(map))?;
        form.try_into().map_err(A::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Limit(u8);

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Form {
        percent: u8,
    }

    impl TryFrom<Form> for Limit {
        type Error = &'static str;

        fn try_from(form: Form) -> Result<Self, &'static str> {
            if form.percent > 100 {
                return Err("`percent` must be at most 100");
            }
            Ok(Self(form.percent))
        }
    }

    const PRESETS: Presets<Limit> = Presets(&[("low", || Limit(10)), ("high", || Limit(90))]);

    fn limit(json: &str) -> Result<Limit, String> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        read::<Form, _, _>(&mut deserializer, "a limit's name or table", PRESETS)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_or_a_map_is_read() {
        assert_eq!(limit(r#""high""#), Ok(Limit(90)));
        assert_eq!(limit(r#"{"percent": 5}"#), Ok(Limit(5)));
    }

    #[test]
    fn refusals_say_what_is_expected() {
        for (json, error) in [
            (r#""mid""#, "unknown preset `mid`, expected one of `low`, `high`"),
            ("[5]", "invalid type: sequence, expected a limit's name or table"),
            ("5", "invalid type: integer `5`, expected a limit's name or table"),
            (r#"{"percent": 101}"#, "`percent` must be at most 100"),
            (r#"{"percents": 5}"#, "unknown field `percents`, expected `percent`"),
        ] {
            let read = limit(json).unwrap_err();
            assert!(read.starts_with(error), "{json}: {read}");
        }
    }

    #[test]
    fn null_is_present() {
        #[derive(Deserialize)]
        struct Fields {
            #[serde(default, deserialize_with = "present")]
            limit: Option<Option<u8>>,
        }
        for (json, limit) in
            [("{}", None), (r#"{"limit": null}"#, Some(None)), (r#"{"limit": 1}"#, Some(Some(1)))]
        {
            assert_eq!(serde_json::from_str::<Fields>(json).unwrap().limit, limit, "{json}");
        }
    }
}
