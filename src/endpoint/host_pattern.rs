//! Patterns that match host names: [`HostPattern`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::url::{host_address, is_host, without_root};
use crate::text;

/// A pattern that matches host names.
///
/// `*.lab.internal` matches every name under `lab.internal`, and any other text exactly that name.
/// Case and the full stop of the root do not matter.
///
/// ```
/// use labhook::endpoint::HostPattern;
///
/// let pattern: HostPattern = "*.lab.internal".parse()?;
/// assert!(pattern.matches("ELN.lab.internal.") && pattern.matches("a.b.lab.internal"));
/// assert!(!pattern.matches("lab.internal") && !pattern.matches("eln-lab.internal"));
/// # Ok::<(), labhook::endpoint::HostPatternError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPattern {
    /// In lower case, without the full stop of the root.
    name: Box<str>,
    is_wildcard: bool,
}

impl HostPattern {
    /// Returns whether the pattern matches the host name.
    #[must_use]
    pub fn matches(&self, host: &str) -> bool {
        let host = without_root(host);
        let Some(start) = host.len().checked_sub(self.name.len()) else { return false };
        let Some((above, name)) = host.split_at_checked(start) else { return false };
        name.eq_ignore_ascii_case(&self.name)
            && match self.is_wildcard {
                true => above.len() > 1 && above.ends_with('.'),
                false => above.is_empty(),
            }
    }
}

impl FromStr for HostPattern {
    type Err = HostPatternError;

    fn from_str(text: &str) -> Result<Self, HostPatternError> {
        let (is_wildcard, name) = match text.strip_prefix("*.") {
            Some(name) => (true, name),
            None => (false, text),
        };
        if !is_host(name) || host_address(name).is_some() {
            return Err(HostPatternError);
        }
        Ok(Self { name: without_root(name).to_ascii_lowercase().into(), is_wildcard })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_wildcard { "*." } else { "" }, self.name)
    }
}

impl fmt::Debug for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl Serialize for HostPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text::deserialize(deserializer, str::parse)
    }
}

/// A text that is not a valid [`HostPattern`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("host pattern must be a domain name, or `*.` and a domain name, and no IP address")]
#[non_exhaustive]
pub struct HostPatternError;
