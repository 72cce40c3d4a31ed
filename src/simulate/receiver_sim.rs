//! A receiver at run time: [`ReceiverSim`].

use std::collections::VecDeque;
use std::time::Duration;

use http::StatusCode;

use super::receiver::{Behaviour, Receiver};
use crate::delivery::Outcome;

const SECOND: Duration = Duration::from_secs(1);

/// A receiver, and its use of its capacity.
pub(super) struct ReceiverSim {
    receiver: Receiver,
    /// When each message of the last second was accepted.
    accepted: VecDeque<Duration>,
}

/// A receiver's reaction to a request.
pub(super) struct Reaction {
    /// Whether the receiver has accepted the message.
    pub(super) accepted: bool,
    /// Whether the request exceeded the capacity.
    pub(super) overloaded: bool,
    /// The latency and outcome of the response, unless there is none.
    pub(super) response: Option<(Duration, Outcome)>,
}

impl ReceiverSim {
    pub(super) const fn new(receiver: Receiver) -> Self {
        Self { receiver, accepted: VecDeque::new() }
    }

    /// Handles a request that arrives at this time since the start.
    pub(super) fn handle(&mut self, at: Duration) -> Reaction {
        let Receiver { latency, capacity, overload, outages } = &self.receiver;
        let respond = |outcome: Outcome, overloaded| Reaction {
            accepted: outcome.status().is_some_and(|status| status.is_success()),
            overloaded,
            response: Some((*latency, outcome)),
        };
        let silent = |accepted| Reaction { accepted, overloaded: false, response: None };
        match outages.iter().find(|it| it.from <= at && at < it.to).map(|it| &it.behaviour) {
            Some(Behaviour::Responds(outcome)) => return respond(outcome.clone(), false),
            Some(Behaviour::Hangs) => return silent(false),
            Some(Behaviour::AcceptsSilently) => return silent(true),
            None => {}
        }
        if let Some(capacity) = capacity {
            while self.accepted.front().is_some_and(|time| time.saturating_add(SECOND) <= at) {
                self.accepted.pop_front();
            }
            if self.accepted.len() >= usize::try_from(capacity.get()).unwrap_or(usize::MAX) {
                return respond(overload.clone(), true);
            }
            self.accepted.push_back(at);
        }
        respond(Outcome::bare(StatusCode::OK), false)
    }
}
