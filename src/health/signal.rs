//! What an attempt says about its endpoint: [`Signal`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// What one attempt says about the endpoint's health.
///
/// The host makes it of what it saw: the [module](crate::health) has a table of responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signal {
    /// The receiver has the message.
    Success,
    /// The endpoint is broken, misconfigured or not there.
    EndpointFault,
    /// The endpoint has too much to do, or what stands before it says so.
    Overload,
    /// The receiver refused this one message; the next may be fine.
    PayloadFault,
    /// The sender is at fault: its resolver, its way out, its proxy.
    SenderFault,
    /// The receiver wants nothing more at all.
    Gone,
}

impl Signal {
    /// The signal as it is saved, such as `endpoint_fault`.
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
