//! The meaning of an attempt's result for the endpoint: [`Signal`].

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::UnknownNameError;

/// What the result of one attempt says about the endpoint's health.
///
/// The application derives it from the response or failure it observed: the
/// [module](crate::health) has a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signal {
    /// The receiver has the message.
    Success,
    /// The endpoint is broken, misconfigured or unreachable.
    EndpointFault,
    /// The endpoint, or a proxy in front of it, reports too much load.
    Overload,
    /// The receiver rejected this message; the next may be fine.
    PayloadFault,
    /// The sender is at fault: its resolver, its network or its proxy.
    SenderFault,
    /// The receiver wants no further messages.
    Gone,
}

impl Signal {
    const ALL: [Self; 6] = [
        Self::Success,
        Self::EndpointFault,
        Self::Overload,
        Self::PayloadFault,
        Self::SenderFault,
        Self::Gone,
    ];

    /// Returns the name used in saved state, such as `endpoint_fault`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::EndpointFault => "endpoint_fault",
            Self::Overload => "overload",
            Self::PayloadFault => "payload_fault",
            Self::SenderFault => "sender_fault",
            Self::Gone => "gone",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Parses the name returned by [`Signal::as_str`].
impl FromStr for Signal {
    type Err = UnknownNameError;

    fn from_str(name: &str) -> Result<Self, UnknownNameError> {
        UnknownNameError::find("signal", name, &Self::ALL, Self::as_str)
    }
}
