//! The macros that describe what [`open_object!`](super::open_object!) and
//! [`open_enum!`](super::open_enum!) define; without the feature `schema`, they expand to nothing.
//!
//! The feature is that of this crate, so a macro in another crate cannot ask for it with `cfg`.

#[cfg(feature = "schema")]
#[doc(hidden)]
#[macro_export]
macro_rules! __describe_object {
    (
        [$(#[$($attribute:tt)*])*]
        $name:ident {
            $([$(#[$($field_attribute:tt)*])*] $kind:ident $wire:expr, $type:ty;)+
        }
    ) => {
        impl $crate::schema::Describe for $name {
            fn shape() -> $crate::schema::Shape {
                #[allow(unused_imports, reason = "for fields of types that are not described")]
                use $crate::schema::macro_support::Undescribed as _;
                $crate::schema::Shape::Object(const {
                    &$crate::schema::ObjectShape::new(
                        ::std::stringify!($name),
                        ::std::concat!($($crate::__describe_docs!($($attribute)*)),*),
                        // Within its own `const`, the array lives as long as the program.
                        const { &[$($crate::schema::MemberShape::new(
                            $wire,
                            ::std::concat!($($crate::__describe_docs!($($field_attribute)*)),*),
                            $crate::__describe_object!(@presence $kind),
                            $crate::schema::macro_support::Field::<$type>::shape,
                        )),+] },
                    )
                })
            }
        }
    };

    (@presence optional) => { $crate::schema::Presence::Optional };
    (@presence nullable) => { $crate::schema::Presence::Nullable };
    (@presence strict) => { $crate::schema::Presence::Strict };
    (@presence strict_nullable) => { $crate::schema::Presence::StrictNullable };
    (@presence $kind:ident) => { $crate::schema::Presence::Required };
}

#[cfg(feature = "schema")]
#[doc(hidden)]
#[macro_export]
macro_rules! __describe_enum {
    (
        [$(#[$($attribute:tt)*])*]
        $name:ident {
            $([$(#[$($arm_attribute:tt)*])*] $text:literal $(| $also:literal)*;)+
        }
    ) => {
        impl $crate::schema::Describe for $name {
            fn shape() -> $crate::schema::Shape {
                $crate::schema::Shape::Enum(const {
                    &$crate::schema::EnumShape::new(
                        ::std::stringify!($name),
                        ::std::concat!($($crate::__describe_docs!($($attribute)*)),*),
                        const { &[$($crate::schema::ValueShape::new(
                            $text,
                            &[$($also),*],
                            ::std::concat!($($crate::__describe_docs!($($arm_attribute)*)),*),
                        )),+] },
                    )
                })
            }
        }
    };
}

/// A line of documentation, and nothing for any other attribute.
#[cfg(feature = "schema")]
#[doc(hidden)]
#[macro_export]
macro_rules! __describe_docs {
    (doc = $($text:tt)+) => { ::std::concat!($($text)+, "\n") };
    ($($other:tt)*) => { "" };
}

#[cfg(not(feature = "schema"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __describe_object {
    ($($any:tt)*) => {};
}

#[cfg(not(feature = "schema"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __describe_enum {
    ($($any:tt)*) => {};
}
