//! Enumerations of the world: [`open_enum`].

/// Writes an open enumeration: named values, each with its exact text, and an arm for the rest.
///
/// ```text
/// open_enum! {
///     /// Documentation, with the source of the vocabulary.
///     pub enum Severity {
///         /// Documentation.
///         Normal = "normal",
///     }
/// }
/// ```
macro_rules! open_enum {
    (
        $(#[$doc:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$arm_doc:meta])*
                $arm:ident = $text:literal,
            )+
        }
    ) => {
        $(#[$doc])*
        ///
        /// Open: text that is not listed is kept in `Other` and written as it came. Make one from
        /// text with `From`, which finds the listed value; two are equal when their texts are.
        #[derive(Clone)]
        #[non_exhaustive]
        $vis enum $name {
            $(
                $(#[$arm_doc])*
                #[doc = concat!("\n\nText: `", $text, "`.")]
                $arm,
            )+
            /// Any other text, as it came.
            Other(Box<str>),
        }

        impl $name {
            /// The listed values.
            $vis const KNOWN: &'static [Self] = &[$(Self::$arm),+];

            /// The text that stands for this value.
            #[must_use]
            $vis fn as_str(&self) -> &str {
                match self {
                    $(Self::$arm => $text,)+
                    Self::Other(text) => text,
                }
            }

            fn known(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$arm),)+
                    _ => None,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::known(text).unwrap_or_else(|| Self::Other(text.into()))
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::known(&text).unwrap_or_else(|| Self::Other(text.into()))
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $name {}

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.as_str(), f)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <String as serde::Deserialize>::deserialize(deserializer).map(Self::from)
            }
        }
    };
}
pub(crate) use open_enum;
