//! The macro for open enums: [`open_enum`].

/// Defines an open enum: named values with their exact texts, and a variant for any other text.
///
/// A vocabulary of the world, such as the states of a system, grows. An open enum keeps a value
/// that it does not know, and writes it back:
///
/// ```
/// use labhook::json::open_enum;
///
/// open_enum! {
///     /// The state of a lid.
///     pub enum Lid {
///         /// It is open.
///         Open = "open",
///         /// It is closed. Some devices write `shut`, which is read but not written.
///         Closed = "closed" | "shut",
///     }
/// }
///
/// assert_eq!(Lid::from("shut"), Lid::Closed);
/// assert_eq!(Lid::Closed.as_str(), "closed");
/// assert_eq!(Lid::from("ajar"), Lid::Other("ajar".into()));
/// assert_eq!(serde_json::to_string(&Lid::from("ajar"))?, r#""ajar""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// It writes the enum with `KNOWN`, `as_str` and `is_known`, conversions from and to text,
/// `Serialize` and `Deserialize`. Texts after `|` are other spellings of the value: they are read,
/// and the first text is written. Comparison, ordering and hashing use the text that is written.
///
/// ```compile_fail
/// labhook::json::open_enum! {
///     // "`open_enum!` expects `enum Name { Variant = "text", .. }`, .."
///     enum Lid { Open, Closed }
/// }
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __open_enum {
    (
        $(#[$($attribute:tt)*])*
        $vis:vis enum $name:ident {
            $(
                $(#[$($arm_attribute:tt)*])*
                $arm:ident = $text:literal $(| $also:literal)*
            ),+ $(,)?
        }
    ) => {
        $(#[$($attribute)*])*
        ///
        /// Open enum: an unknown value is preserved in `Other` and written back unchanged. `From`
        /// and `FromStr` map known texts to their variants. Comparison, ordering and hashing use
        /// the text.
        #[derive(::std::clone::Clone)]
        #[non_exhaustive]
        $vis enum $name {
            $(
                $(#[$($arm_attribute)*])*
                #[doc = ::std::concat!(
                    "\n\nText: `", $text, "`", $("; also read: `", $also, "`",)* "."
                )]
                $arm,
            )+
            /// Any other value, verbatim.
            Other(::std::boxed::Box<str>),
        }

        $crate::__describe_enum! {
            [$(#[$($attribute)*])*]
            $name {
                $([$(#[$($arm_attribute)*])*] $text $(| $also)*;)+
            }
        }

        #[allow(dead_code, reason = "some private enums use a part of this only")]
        impl $name {
            /// The known values.
            $vis const KNOWN: &'static [Self] = &[$(Self::$arm),+];

            /// Returns the value's text.
            #[must_use]
            $vis fn as_str(&self) -> &str {
                match self {
                    $(Self::$arm => $text,)+
                    // A value made by hand may have the other spelling of a known one.
                    Self::Other(text) => match &**text {
                        $($($also => $text,)*)+
                        text => text,
                    },
                }
            }

            /// Returns whether this is one of the [known values](Self::KNOWN).
            #[must_use]
            $vis fn is_known(&self) -> bool {
                Self::KNOWN.contains(self)
            }
        }

        impl ::std::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text $(| $also)* => Self::$arm,)+
                    other => Self::Other(::std::convert::Into::into(other)),
                }
            }
        }

        impl ::std::convert::From<::std::string::String> for $name {
            fn from(text: ::std::string::String) -> Self {
                match &*text {
                    $($text $(| $also)* => Self::$arm,)+
                    _ => Self::Other(::std::convert::Into::into(text)),
                }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                ::std::result::Result::Ok(<Self as ::std::convert::From<&str>>::from(text))
            }
        }

        impl ::std::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        // By text, not by variant: `Other("paused")` made by hand equals `Paused`.
        impl ::std::cmp::PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl ::std::cmp::Eq for $name {}

        impl ::std::cmp::PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> ::std::option::Option<::std::cmp::Ordering> {
                ::std::option::Option::Some(::std::cmp::Ord::cmp(self, other))
            }
        }

        impl ::std::cmp::Ord for $name {
            fn cmp(&self, other: &Self) -> ::std::cmp::Ordering {
                ::std::cmp::Ord::cmp(self.as_str(), other.as_str())
            }
        }

        impl ::std::hash::Hash for $name {
            fn hash<__H: ::std::hash::Hasher>(&self, state: &mut __H) {
                ::std::hash::Hash::hash(self.as_str(), state);
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl $crate::json::macro_support::serde::Serialize for $name {
            fn serialize<__S: $crate::json::macro_support::serde::Serializer>(
                &self,
                serializer: __S,
            ) -> ::std::result::Result<__S::Ok, __S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::json::macro_support::serde::Deserialize<'de> for $name {
            fn deserialize<__D: $crate::json::macro_support::serde::Deserializer<'de>>(
                deserializer: __D,
            ) -> ::std::result::Result<Self, __D::Error> {
                $crate::json::macro_support::deserialize_text(deserializer)
            }
        }
    };

    ($($other:tt)*) => {
        ::std::compile_error!(::std::concat!(
            "`open_enum!` expects `enum Name { Variant = \"text\", .. }`, with at least one ",
            "variant and no variant `Other`; `| \"text\"` adds another spelling to read"
        ));
    };
}
pub use __open_enum as open_enum;
