//! The simulator's receiver as a [`World`].

use std::time::Duration;

use http::StatusCode;
use labhook::Outcome;
use labhook::delivery::RetryAfter;
use labhook::simulate::RunningReceiver;

use crate::engine::{Micros, Reply, World};
use crate::policy::End;

impl World for RunningReceiver {
    fn handle(&mut self, message: u64, at: Micros) -> Reply {
        let reaction = self.handle(message, Duration::from_micros(at));
        let Some((after, outcome)) = reaction.response else {
            return Reply { after: None, end: End::Failed, retry_after: None };
        };
        let end = match outcome.status() {
            Some(status) if status.is_success() => End::Taken,
            Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) => End::Refused,
            _ => End::Failed,
        };
        let retry_after = match outcome {
            Outcome::Response(response) => response.retry_after(),
            _ => None,
        };
        let retry_after = match retry_after {
            Some(RetryAfter::Wait(wait)) => Some(wait.as_micros() as Micros),
            _ => None,
        };
        Reply { after: Some(after.as_micros() as Micros), end, retry_after }
    }

    fn would_accept(&self, message: u64, at: Micros) -> bool {
        self.would_accept(message, Duration::from_micros(at))
    }

    fn is_poisoned(&self, message: u64) -> bool {
        self.is_poisoned(message)
    }

    fn is_down(&self, at: Micros) -> bool {
        self.down_until(Duration::from_micros(at)).is_some()
    }
}
