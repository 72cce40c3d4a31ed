//! Enums with fixed names: [`ParseNameError`], and the macro that writes their text conversions.

/// Parse error: a text is not a known name, of a variant of an enum such as
/// [`Verdict`](crate::Verdict) or [`State`](crate::health::State), or of a policy's preset.
///
/// ```
/// use labhook::Verdict;
///
/// assert_eq!("expired".parse(), Ok(Verdict::Expired));
/// let error = "lost".parse::<Verdict>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown verdict `lost`, expected one of `delivered`, "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} `{}`, expected one of {expected}", shown(name))]
pub struct ParseNameError {
    kind: &'static str,
    name: String,
    expected: String,
}

/// The start of a text as an error shows it: on one line, and not longer than a name can be.
fn shown(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

impl ParseNameError {
    pub(crate) fn new<'a>(
        kind: &'static str,
        name: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<String> = known.map(|known| format!("`{known}`")).collect();
        Self { kind, name: name.to_owned(), expected: known.join(", ") }
    }

    /// Returns the text that is not a name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Implements `as_str`, `Display` and `FromStr` for an enum without fields. If it has a
/// serde form, the names must be the same; a test compares them.
macro_rules! named {
    ($type:ident, $kind:literal, { $($variant:ident => $name:literal),+ $(,)? }) => {
        impl $type {
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Returns the name that saved state and configuration files use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = crate::named::ParseNameError;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                let all = || Self::ALL.iter().copied();
                all().find(|known| known.as_str() == name).ok_or_else(|| {
                    Self::Err::new($kind, name, all().map(Self::as_str))
                })
            }
        }
    };
}

pub(crate) use named;
