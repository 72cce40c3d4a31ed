//! What an outcome says of an endpoint: [`Observation`].
//!
//! The table of the module `outbox`, row by row.

use std::time::Duration;

use http::StatusCode;

use crate::delivery::{Control, Failure, Outcome, ResponseAction, ResponseRules, RetryAfter};
use crate::flow::Feedback;
use crate::health::Signal;

/// What an outcome says of its endpoint: to its health, and to its flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Observation {
    pub(super) signal: Signal,
    pub(super) feedback: Feedback,
    /// Whether an answer came.
    pub(super) answered: bool,
    /// For how long the receiver wants to be left in peace.
    pub(super) pause: Option<Duration>,
}

impl Observation {
    const fn new(signal: Signal, feedback: Feedback) -> Self {
        Self { signal, feedback, answered: false, pause: None }
    }

    pub(super) fn of(outcome: &Outcome, responses: &ResponseRules) -> Self {
        match outcome {
            Outcome::Failed(Failure::Sender) => Self::new(Signal::SenderFault, Feedback::Other),
            Outcome::Failed(Failure::Timeout) => {
                Self::new(Signal::EndpointFault, Feedback::Overloaded)
            }
            Outcome::Failed(_) => Self::new(Signal::EndpointFault, Feedback::Other),
            Outcome::Response(response) => {
                let reaction = responses.action(response.status());
                let heard = Self::of_answer(response.status(), reaction);
                if reaction == ResponseAction::Disable
                    || response.control() == Some(Control::Disable)
                {
                    return Self { signal: Signal::Gone, ..heard };
                }
                match response.retry_after() {
                    Some(RetryAfter::Wait(asked)) if heard.signal != Signal::Success => {
                        Self { pause: Some(asked), ..heard }
                    }
                    _ => heard,
                }
            }
        }
    }

    fn of_answer(status: StatusCode, reaction: ResponseAction) -> Self {
        let (signal, feedback) = match (reaction, status.as_u16()) {
            // A 2xx that the policy does not take for a delivery is still one of a receiver that
            // copes.
            (ResponseAction::Deliver, _) | (_, 200..=299) => (Signal::Success, Feedback::Success),
            (_, 429) => (Signal::Overload, Feedback::TooFast),
            (_, 502..=504) => (Signal::Overload, Feedback::Overloaded),
            (_, 401 | 403 | 404 | 408) => (Signal::EndpointFault, Feedback::Other),
            (_, 400..=499 | 501) => (Signal::PayloadFault, Feedback::Success),
            _ => (Signal::EndpointFault, Feedback::Other),
        };
        Self { answered: true, ..Self::new(signal, feedback) }
    }
}
