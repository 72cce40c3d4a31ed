//! The meaning of an attempt's result for its endpoint: [`Signal`].

use serde::{Deserialize, Serialize};

use crate::named::named;

/// What the result of one attempt says about the endpoint: the input of
/// [`Health`](crate::health::Health) and of [`Flow`](crate::flow::Flow).
///
/// [`EndpointPolicy::observe`](crate::EndpointPolicy::observe) derives it from an outcome:
/// [`Observation`](crate::policy::Observation#how-outcomes-are-classified) has the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Signal {
    /// The receiver accepted the message.
    Success,
    /// The receiver refused the attempt because of too much load: 429 or 503.
    Refused,
    /// The attempt failed, and the endpoint may be broken, misconfigured or unreachable.
    Failed,
    /// Nothing: the receiver rejected this message, it is still handling an earlier copy, or the
    /// sender is at fault.
    Neutral,
    /// The receiver wants no further messages.
    Gone,
}

named!(Signal, "signal", {
    Success => "success",
    Refused => "refused",
    Failed => "failed",
    Neutral => "neutral",
    Gone => "gone",
});
