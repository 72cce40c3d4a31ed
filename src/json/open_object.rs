//! The macro for typed JSON objects: [`open_object`].

/// Defines a typed JSON object that keeps the members it does not know.
///
/// For the payloads of your own events, and for the objects inside of them. This crate's own
/// [models](crate::lab) are made with it. It writes the struct, a `new` that takes the required
/// fields, `Serialize` in the declared order, and `Deserialize`:
///
/// ```
/// use labhook::json::open_object;
///
/// open_object! {
///     /// A channel of a plate reader.
///     pub struct Channel {
///         /// The wavelength, in nanometres.
///         required wavelength_nm: u16,
///         /// The kind of detector.
///         optional kind: String as "type",
///     }
/// }
///
/// let json = r#"{"wavelength_nm":450,"type":"PMT","gain":1.10}"#;
/// let mut channel: Channel = serde_json::from_str(json)?;
/// assert_eq!(channel.kind.as_deref(), Some("PMT"));
/// // Number by number as it was written, which `#[serde(flatten)]` cannot do.
/// assert_eq!(channel.unknown.get("gain"), Some("1.10"));
/// assert_eq!(serde_json::to_string(&channel)?, json);
///
/// channel = Channel::new(620_u16);
/// assert_eq!(serde_json::to_string(&channel)?, r#"{"wavelength_nm":620}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Each field begins with its kind:
///
/// | kind | on the wire | field of type `T` | in `new` |
/// |---|---|---|---|
/// | `required` | must be present and have a value | `T` | `impl Into<T>` |
/// | `exact` | like `required` | `T` | `T`, so that arguments cannot be swapped |
/// | `optional` | may be absent or `null`, both `None`; `None` is not written | `Option<T>` | |
/// | `nullable` | absent, `null` or a value | [`Nullable<T>`](crate::json::Nullable) | |
/// | `strict` | like `optional`; a value of another type is an error | `Option<T>` | |
/// | `strict_nullable` | like `nullable`; a value of another type is an error | `Nullable<T>` | |
///
/// A member has the name of its field, or the text after `as`. Unknown members are kept in a last
/// field, `unknown`, which is [`UnknownMembers`](crate::json::UnknownMembers), and so is an
/// `optional` or `nullable` member with a value of another type: only the required members decide
/// whether an object can be read. Use the strict kinds for definitions, such as filters, in which
/// to ignore a member would change what the rest means. A duplicate member, known or not, is an
/// error at its path.
///
/// The struct is `#[non_exhaustive]` and derives `Clone`, `Debug` and `PartialEq`. Attributes are
/// passed on, so `#[derive(Eq)]` adds to them, except serde's, which have no effect on a struct
/// without serde's derive and are errors. There is no form with generics. The type of a field
/// implements these three, `Serialize` and `DeserializeOwned`. Your crate needs no dependency on
/// serde for it. Reading and writing work with `serde_json` only.
///
/// # Errors
///
/// A mistake is one error that says what is expected:
///
/// ```compile_fail
/// labhook::json::open_object! {
///     struct Channel {
///         // "field `gain` has the unknown kind `maybe`: expected `required`, `exact`, .."
///         maybe gain: u32,
///     }
/// }
/// ```
///
/// ```compile_fail
/// labhook::json::open_object! {
///     // "`open_object!` expects `struct Name { kind field: Type, .. }`, .."
///     struct Channel {
///         gain: u32,
///     }
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __open_object {
    (
        $(#[$($attribute:tt)*])*
        $vis:vis struct $name:ident {
            $(
                $(#[$($field_attribute:tt)*])*
                $kind:ident $field:ident: $type:ty $(as $wire:literal)?
            ),+ $(,)?
        }
    ) => {
        $($crate::json::open_object!(@check $kind $field);)+

        $(#[$($attribute)*])*
        #[derive(::std::clone::Clone, ::std::fmt::Debug, ::std::cmp::PartialEq)]
        #[non_exhaustive]
        $vis struct $name {
            $(
                $(#[$($field_attribute)*])*
                $vis $field: $crate::json::open_object!(@type $kind $type),
            )+
            /// The members that this version does not know, verbatim.
            $vis unknown: $crate::json::UnknownMembers,
        }

        $crate::json::open_object!(@new $vis $name [] [] $($kind $field: $type,)+);

        $crate::__describe_object! {
            [$(#[$($attribute)*])*]
            $name {
                $(
                    [$(#[$($field_attribute)*])*]
                    $kind $crate::json::open_object!(@name $field $($wire)?), $type;
                )+
            }
        }

        // Names that begin with `__` are not those of a field's type.
        impl $crate::json::macro_support::Object for $name {
            const NAMES: &'static [&'static str] =
                &[$($crate::json::open_object!(@name $field $($wire)?)),+];

            fn read<
                'de,
                __A: $crate::json::macro_support::serde::de::MapAccess<'de>,
                const __KEEPS: bool,
            >(
                mut map: __A,
            ) -> ::std::result::Result<Self, __A::Error> {
                #[allow(non_camel_case_types, reason = "the names are those of the fields")]
                enum __Field {
                    $($field,)+
                }
                let known = |name: &str| {
                    $(
                        if name == $crate::json::open_object!(@name $field $($wire)?) {
                            return ::std::option::Option::Some(__Field::$field);
                        }
                    )+
                    ::std::option::Option::None
                };
                $(
                    let mut $field: ::std::option::Option<
                        $crate::json::open_object!(@type $kind $type)
                    > = ::std::option::Option::None;
                )+
                let mut unknown = $crate::json::macro_support::UnknownCollector::new();
                while let ::std::option::Option::Some(field) =
                    $crate::json::macro_support::next_known(known, &mut map, &mut unknown)?
                {
                    match field {
                        $(
                            __Field::$field => $crate::json::open_object!(
                                @read $kind $field, __KEEPS,
                                ($crate::json::open_object!(@name $field $($wire)?)),
                                map, unknown
                            ),
                        )+
                    }
                }
                ::std::result::Result::Ok(Self {
                    $(
                        $field: $crate::json::open_object!(
                            @take $kind $field,
                            ($crate::json::open_object!(@name $field $($wire)?))
                        ),
                    )+
                    unknown: unknown.finish(),
                })
            }

            fn write<__M: $crate::json::macro_support::serde::ser::SerializeMap>(
                &self,
                map: &mut __M,
            ) -> ::std::result::Result<(), __M::Error> {
                $(
                    $crate::json::open_object!(
                        @write $kind map, self.$field,
                        ($crate::json::open_object!(@name $field $($wire)?))
                    );
                )+
                let has = |name: &str| false $(
                    || (name == $crate::json::open_object!(@name $field $($wire)?)
                        && $crate::json::open_object!(@has $kind self.$field))
                )+;
                $crate::json::macro_support::write_unknown(&self.unknown, has, map)
            }
        }

        impl $crate::json::macro_support::serde::Serialize for $name {
            fn serialize<__S: $crate::json::macro_support::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::std::result::Result<__S::Ok, __S::Error> {
                $crate::json::macro_support::serialize(self, serializer)
            }
        }

        impl<'de> $crate::json::macro_support::serde::Deserialize<'de> for $name {
            fn deserialize<__D: $crate::json::macro_support::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::std::result::Result<Self, __D::Error> {
                $crate::json::macro_support::deserialize(deserializer)
            }
        }
    };

    (@check $kind:ident unknown) => {
        ::std::compile_error!("`open_object!` adds the field `unknown` itself");
    };
    (@check required $field:ident) => {};
    (@check exact $field:ident) => {};
    (@check optional $field:ident) => {};
    (@check nullable $field:ident) => {};
    (@check strict $field:ident) => {};
    (@check strict_nullable $field:ident) => {};
    (@check $kind:ident $field:ident) => {
        ::std::compile_error!(::std::concat!(
            "field `", ::std::stringify!($field), "` has the unknown kind `",
            ::std::stringify!($kind), "`: expected `required`, `exact`, `optional`, `nullable`, ",
            "`strict` or `strict_nullable`"
        ));
    };

    (@name $field:ident) => { ::std::stringify!($field) };
    (@name $field:ident $wire:literal) => { $wire };

    // The arms for any kind are those of `required`, and of a kind that `@check` has reported.
    (@type optional $type:ty) => { ::std::option::Option<$type> };
    (@type nullable $type:ty) => { $crate::json::Nullable<$type> };
    (@type strict $type:ty) => { ::std::option::Option<$type> };
    (@type strict_nullable $type:ty) => { $crate::json::Nullable<$type> };
    (@type $kind:ident $type:ty) => { $type };

    (@read optional $slot:ident, $keeps:ident, ($name:expr), $map:ident, $unknown:ident) => {
        $crate::json::macro_support::read_or_keep::<$keeps, _, _>(
            &mut $slot, $name, &mut $map, &mut $unknown
        )?
    };
    (@read nullable $slot:ident, $keeps:ident, ($name:expr), $map:ident, $unknown:ident) => {
        $crate::json::macro_support::read_or_keep::<$keeps, _, _>(
            &mut $slot, $name, &mut $map, &mut $unknown
        )?
    };
    (@read $kind:ident $slot:ident, $keeps:ident, ($name:expr), $map:ident, $unknown:ident) => {
        $crate::json::macro_support::read::<$keeps, _, _>(&mut $slot, $name, &mut $map)?
    };

    (@take optional $slot:ident, ($name:expr)) => { $slot.flatten() };
    (@take nullable $slot:ident, ($name:expr)) => { $slot.unwrap_or_default() };
    (@take strict $slot:ident, ($name:expr)) => { $slot.flatten() };
    (@take strict_nullable $slot:ident, ($name:expr)) => { $slot.unwrap_or_default() };
    (@take $kind:ident $slot:ident, ($name:expr)) => {
        match $slot {
            ::std::option::Option::Some(value) => value,
            ::std::option::Option::None => {
                return ::std::result::Result::Err(
                    $crate::json::macro_support::serde::de::Error::missing_field($name)
                );
            }
        }
    };

    (@has optional $value:expr) => { $value.is_some() };
    (@has nullable $value:expr) => { !$value.is_absent() };
    // No value of a strict member is kept among the unknown ones, so its name is always taken.
    (@has $kind:ident $value:expr) => { true };

    (@write optional $map:ident, $value:expr, ($name:expr)) => {
        if let ::std::option::Option::Some(value) = &$value {
            $crate::json::macro_support::serde::ser::SerializeMap::serialize_entry(
                $map, $name, value
            )?;
        }
    };
    (@write nullable $map:ident, $value:expr, ($name:expr)) => {
        if !$value.is_absent() {
            $crate::json::open_object!(@write required $map, $value, ($name));
        }
    };
    (@write strict $map:ident, $value:expr, ($name:expr)) => {
        $crate::json::open_object!(@write optional $map, $value, ($name))
    };
    (@write strict_nullable $map:ident, $value:expr, ($name:expr)) => {
        $crate::json::open_object!(@write nullable $map, $value, ($name))
    };
    (@write $kind:ident $map:ident, $value:expr, ($name:expr)) => {
        $crate::json::macro_support::serde::ser::SerializeMap::serialize_entry(
            $map, $name, &$value
        )?;
    };

    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        exact $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::open_object!(
            @new $vis $name [$($args)* $field: $type,] [$($init)* $field,] $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        optional $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::open_object!(
            @new $vis $name
            [$($args)*]
            [$($init)* $field: ::std::default::Default::default(),]
            $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        nullable $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::open_object!(
            @new $vis $name [$($args)*] [$($init)*] optional $field: $type, $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        strict $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::open_object!(
            @new $vis $name [$($args)*] [$($init)*] optional $field: $type, $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        strict_nullable $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::open_object!(
            @new $vis $name [$($args)*] [$($init)*] optional $field: $type, $($rest)*
        );
    };
    (@new $vis:vis $name:ident [$($args:tt)*] [$($init:tt)*]
        $kind:ident $field:ident: $type:ty, $($rest:tt)*) => {
        $crate::json::open_object!(
            @new $vis $name
            [$($args)* $field: impl ::std::convert::Into<$type>,]
            [$($init)* $field: ::std::convert::Into::into($field),]
            $($rest)*
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

    ($($other:tt)*) => {
        ::std::compile_error!(::std::concat!(
            "`open_object!` expects `struct Name { kind field: Type, .. }`, with at least one ",
            "field and without generics, such as `struct Lid { required id: String, optional ",
            "kind: String as \"type\" }`"
        ));
    };
}
pub use __open_object as open_object;
