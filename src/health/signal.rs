//! The meaning of an attempt's result for the endpoint: [`Signal`].

use serde::{Deserialize, Serialize};

use crate::named::named;

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

named!(Signal, "signal", {
    Success => "success",
    EndpointFault => "endpoint_fault",
    Overload => "overload",
    PayloadFault => "payload_fault",
    SenderFault => "sender_fault",
    Gone => "gone",
});
