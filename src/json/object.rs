//! The macro for typed JSON objects: [`object`].

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};

use super::json_text::JsonText;
use super::unknown_members::UnknownMembers;

/// Defines a typed JSON object: the struct, a `new` that takes the required fields, `Serialize` in
/// the declared order, and `Deserialize`.
///
/// ```text
/// object! {
///     /// Documentation.
///     pub struct Location {
///         /// Documentation.
///         required device: String,
///         /// Documentation.
///         optional kind: String as "type",
///     }
/// }
/// ```
///
/// | kind | on the wire | in `new` |
/// |---|---|---|
/// | `required` | must be present and have a value | `impl Into<T>` |
/// | `exact` | like `required` | `T` itself, so that arguments cannot be swapped |
/// | `optional` | may be absent or `null`, both `None`; `None` is not written | `None` |
/// | `nullable` | absent, `null` or a value: [`Nullable`](super::Nullable) | absent |
/// | `strict` | like `optional`, but a value of another type is an error | `None` |
/// | `strict_nullable` | like `nullable`, but a value of another type is an error | absent |
///
/// A member has the name of its field, or the text after `as`. Unknown members are kept in a last
/// field, `unknown`, and so is an `optional` or `nullable` member with a value of another type:
/// only the required members decide whether an object can be read. Use the strict kinds for
/// definitions, such as filters, in which to ignore a member would change what the rest means. A
/// duplicate member, known or not, is an error at its path.
///
/// Each kind is defined by one arm each of `@type`, `@read`, `@take`, `@has`, `@write` and `@new`.
macro_rules! object {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[$field_doc:meta])*
                $kind:ident $field:ident: $type:ty $(as $wire:literal)?,
            )+
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        $vis struct $name {
            $(
                $(#[$field_doc])*
                $vis $field: $crate::json::object!(@type $kind $type),
            )+
            /// The members that this version does not know, verbatim.
            $vis unknown: $crate::json::UnknownMembers,
        }

        impl $name {
            /// The names of the known members, in the order in which they are written.
            pub(crate) const NAMES: &[&'static str] =
                &[$($crate::json::object!(@name $field $($wire)?)),+];
        }

        $crate::json::object!(@new $vis $name [] [] $($kind $field: $type,)+);

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(None)?;
                $(
                    $crate::json::object!(
                        @write $kind map, self.$field, ($crate::json::object!(@name $field $($wire)?))
                    );
                )+
                let has = |name: &str| false $(
                    || (name == $crate::json::object!(@name $field $($wire)?)
                        && $crate::json::object!(@has $kind self.$field))
                )+;
                self.unknown.write(has, &mut map)?;
                serde::ser::SerializeMap::end(map)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Members;

                impl<'de> serde::de::Visitor<'de> for Members {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("a JSON object")
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> Result<$name, A::Error> {
                        $(
                            let mut $field: Option<$crate::json::object!(@type $kind $type)> =
                                None;
                        )+
                        let mut unknown = $crate::json::UnknownCollector::default();
                        while let Some(name) =
                            map.next_key_seed($crate::json::NameSeed($name::NAMES))?
                        {
                            match name {
                                $crate::json::MemberName::Known(name) => {
                                    $(
                                        if name == $crate::json::object!(@name $field $($wire)?) {
                                            $crate::json::object!(
                                                @read $kind $field, name, map, unknown
                                            );
                                            continue;
                                        }
                                    )+
                                }
                                $crate::json::MemberName::Unknown(name) => {
                                    unknown.read(name, &mut map)?;
                                }
                            }
                        }
                        Ok($name {
                            $(
                                $field: $crate::json::object!(
                                    @take $kind $field, ($crate::json::object!(@name $field $($wire)?))
                                ),
                            )+
                            unknown: unknown.finish(),
                        })
                    }
                }

                // Not `deserialize_struct`, which accepts an array as well.
                deserializer.deserialize_map(Members)
            }
        }
    };

    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $wire:literal) => { $wire };

    (@type required $type:ty) => { $type };
    (@type exact $type:ty) => { $type };
    (@type optional $type:ty) => { Option<$type> };
    (@type nullable $type:ty) => { $crate::json::Nullable<$type> };
    (@type strict $type:ty) => { Option<$type> };
    (@type strict_nullable $type:ty) => { $crate::json::Nullable<$type> };

    (@read optional $slot:ident, $name:ident, $map:ident, $unknown:ident) => {
        $crate::json::read_or_keep(&mut $slot, $name, &mut $map, &mut $unknown)?;
    };
    (@read nullable $slot:ident, $name:ident, $map:ident, $unknown:ident) => {
        $crate::json::read_or_keep(&mut $slot, $name, &mut $map, &mut $unknown)?;
    };
    (@read $kind:ident $slot:ident, $name:ident, $map:ident, $unknown:ident) => {
        $crate::json::read(&mut $slot, $name, &mut $map)?;
    };

    (@take required $slot:ident, ($name:expr)) => {
        match $slot {
            Some(value) => value,
            None => return Err(serde::de::Error::missing_field($name)),
        }
    };
    (@take exact $slot:ident, ($name:expr)) => {
        $crate::json::object!(@take required $slot, ($name))
    };
    (@take optional $slot:ident, ($name:expr)) => { $slot.flatten() };
    (@take nullable $slot:ident, ($name:expr)) => { $slot.unwrap_or_default() };
    (@take strict $slot:ident, ($name:expr)) => { $slot.flatten() };
    (@take strict_nullable $slot:ident, ($name:expr)) => { $slot.unwrap_or_default() };

    (@has required $value:expr) => { true };
    (@has exact $value:expr) => { true };
    (@has optional $value:expr) => { $value.is_some() };
    (@has nullable $value:expr) => { !$value.is_absent() };
    // No value of a strict member is kept among the unknown ones, so its name is always taken.
    (@has strict $value:expr) => { true };
    (@has strict_nullable $value:expr) => { true };

    (@write required $map:ident, $value:expr, ($name:expr)) => {
        serde::ser::SerializeMap::serialize_entry(&mut $map, $name, &$value)?;
    };
    (@write exact $map:ident, $value:expr, ($name:expr)) => {
        $crate::json::object!(@write required $map, $value, ($name))
    };
    (@write optional $map:ident, $value:expr, ($name:expr)) => {
        if let Some(value) = &$value {
            serde::ser::SerializeMap::serialize_entry(&mut $map, $name, value)?;
        }
    };
    (@write nullable $map:ident, $value:expr, ($name:expr)) => {
        if !$value.is_absent() {
            serde::ser::SerializeMap::serialize_entry(&mut $map, $name, &$value)?;
        }
    };

    (@write strict $map:ident, $value:expr, ($name:expr)) => {
        $crate::json::object!(@write optional $map, $value, ($name))
    };
    (@write strict_nullable $map:ident, $value:expr, ($name:expr)) => {
        $crate::json::object!(@write nullable $map, $value, ($name))
    };

    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        required $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::object!(
            @new $vis $name
            [$($args)* $field: impl Into<$type>,]
            [$($init)* $field: $field.into(),]
            $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        exact $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::object!(
            @new $vis $name
            [$($args)* $field: $type,]
            [$($init)* $field,]
            $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        optional $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::object!(
            @new $vis $name [$($args)*] [$($init)* $field: None,] $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        nullable $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::object!(
            @new $vis $name [$($args)*] [$($init)* $field: Default::default(),] $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        strict $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::object!(
            @new $vis $name [$($args)*] [$($init)*] optional $field: $type, $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        strict_nullable $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::object!(
            @new $vis $name [$($args)*] [$($init)*] nullable $field: $type, $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]) => {
        impl $name {
            /// Creates the object from its required fields. Set the optional fields directly.
            #[must_use]
            #[allow(dead_code, reason = "some private objects are only ever read")]
            $vis fn new($($args)*) -> Self {
                Self {
                    $($init)*
                    unknown: $crate::json::UnknownMembers::new(),
                }
            }
        }
    };
}
pub(crate) use object;

/// The name of a member; a known name is not copied.
#[derive(Debug)]
pub(crate) enum MemberName {
    Known(&'static str),
    Unknown(Box<str>),
}

/// Reads a [`MemberName`], given the names that the type knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameSeed(pub(crate) &'static [&'static str]);

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
pub(crate) fn read<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
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
pub(crate) fn read_or_keep<'de, T: DeserializeOwned + Default, A: MapAccess<'de>>(
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
pub(crate) struct UnknownCollector {
    members: Vec<(Box<str>, JsonText)>,
    /// The names again, sorted: a body with many unknown members must not take quadratic time.
    seen: BTreeSet<Box<str>>,
}

impl UnknownCollector {
    pub(crate) fn read<'de, A: MapAccess<'de>>(
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

    pub(crate) fn finish(self) -> UnknownMembers {
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
