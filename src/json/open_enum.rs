//! The macro for open enums: [`open_enum`].

/// Defines an open enum: named values with their exact texts, and a variant for any other text.
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
        /// Open enum: an unknown value is preserved in `Other` and written back unchanged. `From`
        /// and `FromStr` map known texts to their variants. Comparison, ordering and hashing use
        /// the text.
        #[derive(Clone)]
        #[non_exhaustive]
        $vis enum $name {
            $(
                $(#[$arm_doc])*
                #[doc = concat!("\n\nText: `", $text, "`.")]
                $arm,
            )+
            /// Any other value, verbatim.
            Other(Box<str>),
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
                    Self::Other(text) => text,
                }
            }

            /// Returns whether this is one of the [known values](Self::KNOWN).
            #[must_use]
            $vis fn is_known(&self) -> bool {
                Self::known(self.as_str()).is_some()
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

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        // By text, not by variant: `Other("paused")` made by hand equals `Paused`.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
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
