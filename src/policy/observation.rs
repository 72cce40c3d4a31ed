//! What an outcome reveals about an endpoint: [`Observation`].

use std::time::Duration;

use http::StatusCode;

use super::endpoint_policy::EndpointPolicy;
use crate::delivery::{Control, Failure, Outcome, ResponseAction, RetryAfter};
use crate::signal::Signal;

/// What the outcome of one attempt reveals about its endpoint: the input of the circuit breaker
/// and of flow control.
///
/// Returned by [`EndpointPolicy::observe`]. An [`Outbox`](crate::Outbox) uses it internally; a host
/// without one passes it from an outcome to the [`Health`](crate::health::Health) and the
/// [`Flow`](crate::flow::Flow) of the endpoint:
///
/// ```
/// use std::time::Duration;
///
/// use http::{HeaderMap, HeaderValue, StatusCode};
/// use labhook::delivery::{Delivery, JitterSeed, Progress};
/// use labhook::flow::{Flow, FlowDecision};
/// use labhook::health::{Gate, Health, SenderOutage};
/// use labhook::{EndpointId, EndpointPolicy, MessageId, Outcome, Timestamp, Verdict};
///
/// let policy = EndpointPolicy::default();
/// let (message, endpoint) = (MessageId::new("run-17-started")?, EndpointId::new("eln")?);
/// let seed = JitterSeed::new(7, &message, &endpoint);
/// let start = Timestamp::from_unix_seconds(1_744_882_200);
///
/// // Three rows: one of the delivery, two of the endpoint.
/// let mut delivery = Delivery::new(start);
/// let (mut health, mut flow) = (Health::new(), Flow::new());
///
/// // The host's clock, and a receiver that is busy at first and asks for a pause of 30 s.
/// let mut now = start;
/// let send = |number: u32, now| {
///     let mut headers = HeaderMap::new();
///     if number > 1 {
///         return Outcome::response(StatusCode::NO_CONTENT, &headers, now);
///     }
///     headers.insert("retry-after", HeaderValue::from_static("30"));
///     Outcome::response(StatusCode::TOO_MANY_REQUESTS, &headers, now)
/// };
///
/// let verdict = loop {
///     match delivery.poll(&policy.retry, seed, now) {
///         Progress::Due => {}
///         Progress::Wait { until } => {
///             now = until;
///             continue;
///         }
///         Progress::Ended { verdict } => break verdict,
///         other => panic!("not in this example: {other:?}"),
///     }
///     match health.poll(&policy.health, now) {
///         Gate::Open | Gate::Probe => {}
///         Gate::Hold { until } | Gate::Probing { deadline: until } => {
///             now = until;
///             continue;
///         }
///         gate => panic!("not in this example: {gate:?}"),
///     }
///     match flow.check(&policy.flow, now) {
///         FlowDecision::Go => {}
///         FlowDecision::Wait { until } => {
///             now = until;
///             continue;
///         }
///         FlowDecision::Busy => panic!("this host awaits each response"),
///     }
///
///     let started = delivery.start(&policy.retry, now).expect("the delivery is due");
///     let permit = health.start(started.number, started.deadline, now);
///     let permit = permit.expect("the gate is open");
///     flow.start(&policy.flow, now);
///     // Save all three rows here, then send.
///     let outcome = send(started.number, now);
///     now = now + Duration::from_millis(80);
///
///     delivery.resolve(&policy.retry, seed, started.number, &outcome, now);
///     let observation = policy.observe(&outcome);
///     let (signal, pause) = (observation.signal, observation.pause);
///     let effect = health.record(&policy.health, SenderOutage::Clear, permit, signal, now);
///     if let Some(transition) = effect.transition() {
///         println!("the endpoint is {} now", transition.to);
///         if transition.is_recovery() {
///             flow.recovered(now);
///         }
///     }
///     flow.end(&policy.flow, started.at, signal, pause, now);
///     // Save all three rows again; that of the flow only if it `needs_save`.
/// };
/// assert_eq!((verdict, delivery.attempts()), (Verdict::Delivered, 2));
/// assert!(now > start + Duration::from_secs(30));
/// # Ok::<(), labhook::id::IdError>(())
/// ```
///
/// # What a host can get wrong
///
/// - **Report every timeout** as [`Failure::Timeout`], also if a machine has found the deadline
///   passed before. A deadline that passes unreported is no evidence against the endpoint, since
///   the clock may have leaped or the process slept.
/// - **Pass the attempt's number** to [`Health::start`](crate::health::Health::start), from 1 for
///   each message: only first attempts count as failures. If all are passed as first attempts, one
///   message that can never be accepted takes the endpoint down.
/// - **Choose the probe well**: the newest message that has never been tried, or else the retry
///   that has been due longest. If it is always the oldest message, one that can never be accepted
///   keeps the endpoint down for ever.
/// - **Restart slowly** with [`Flow::recovered`](crate::flow::Flow::recovered) when the endpoint
///   recovers. Otherwise the whole backlog goes out at once.
/// - **Pause by `pause` alone**, and never by the response's own `Retry-After`: that may concern
///   its message only, and is not capped.
///
/// # How outcomes are classified
///
/// | outcome | [`signal`](Self::signal) | holds |
/// |---|---|---|
/// | 2xx, and any status that the [response rules](crate::delivery::ResponseRules) deliver on | [`Success`](Signal::Success) | |
/// | 429, 503 | [`Refused`](Signal::Refused) | the endpoint, if others are refused too |
/// | 1xx, 3xx, 401, 403, 404, 407, 408, 500 and other 5xx | [`Failed`](Signal::Failed) | the message |
/// | 400, 409, 425 and other 4xx, 501 | [`Neutral`](Signal::Neutral) | the message |
/// | [`Failure::Sender`] | [`Neutral`](Signal::Neutral) | the message |
/// | any other [`Failure`]: name resolution, connection, TLS, timeout | [`Failed`](Signal::Failed) | the message |
///
/// A status on which the response rules [disable](ResponseAction::Disable), or the response header
/// `webhook-delivery: disable`, makes the signal [`Gone`](Signal::Gone).
///
/// The response rules affect this table only as shown. What a response means for the message is the
/// [`ResponseRules`](crate::delivery::ResponseRules)' decision: a 2xx that the rules retry still
/// shows a receiver that copes.
#[doc(alias = "classification")]
#[doc(alias = "response classification")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// Input of the circuit breaker, [`Health::record`](crate::health::Health::record), and of flow
    /// control, [`Flow::end`](crate::flow::Flow::end).
    pub signal: Signal,
    /// Whether the receiver sent a response, whatever its status.
    pub responded: bool,
    /// The pause that the receiver requested for the sender with a 429 or 503 and `Retry-After`, up
    /// to the retry policy's [cap](crate::RetryPolicy::retry_after_cap): input of
    /// [`Flow::end`](crate::flow::Flow::end). `None` if it did not ask, or if it asked about its
    /// message alone, with any other status.
    pub pause: Option<Duration>,
}

impl EndpointPolicy {
    /// Returns what an outcome reveals about the endpoint.
    #[must_use]
    pub fn observe(&self, outcome: &Outcome) -> Observation {
        let response = match outcome {
            Outcome::Response(response) => response,
            Outcome::Failed(failure) => return Observation::of_failure(*failure),
        };
        let action = self.retry.responses().action(response.status());
        let observation = Observation::of_status(response.status(), action);
        if action == ResponseAction::Disable || response.control() == Some(Control::Disable) {
            return Observation { signal: Signal::Gone, ..observation };
        }
        match response.retry_after() {
            Some(RetryAfter::Wait(asked)) if observation.signal == Signal::Refused => {
                Observation { pause: Some(asked.min(self.retry.retry_after_cap())), ..observation }
            }
            _ => observation,
        }
    }
}

impl Observation {
    const fn new(signal: Signal, responded: bool) -> Self {
        Self { signal, responded, pause: None }
    }

    const fn of_failure(failure: Failure) -> Self {
        let signal = match failure {
            Failure::Sender => Signal::Neutral,
            _ => Signal::Failed,
        };
        Self::new(signal, false)
    }

    fn of_status(status: StatusCode, action: ResponseAction) -> Self {
        let signal = match (action, status.as_u16()) {
            (ResponseAction::Deliver, _) | (_, 200..=299) => Signal::Success,
            (_, 429 | 503) => Signal::Refused,
            (_, 401 | 403 | 404 | 407 | 408) => Signal::Failed,
            (_, 400..=499 | 501) => Signal::Neutral,
            _ => Signal::Failed,
        };
        Self::new(signal, true)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::delivery::{ResponseRules, RetryPolicy};
    use crate::time::Timestamp;

    fn policy(cap_secs: u64) -> EndpointPolicy {
        let rules = ResponseRules::standard_webhooks()
            .with_status(StatusCode::CONFLICT, ResponseAction::Deliver)
            .with_status(StatusCode::ACCEPTED, ResponseAction::Retry);
        let retry = RetryPolicy::default().with_responses(rules);
        EndpointPolicy::new(retry.with_retry_after_cap(Duration::from_secs(cap_secs)))
    }

    fn response(status: u16, headers: &[(&'static str, &'static str)]) -> Outcome {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect();
        let status = StatusCode::from_u16(status).unwrap();
        Outcome::response(status, &headers, Timestamp::from_unix_seconds(0))
    }

    #[test]
    fn each_outcome_is_classified_as_the_table_says() {
        let statuses: [(&[u16], _); 5] = [
            (&[200, 202, 204, 299, 409], Signal::Success),
            (&[429, 503], Signal::Refused),
            (&[302, 401, 403, 404, 407, 408, 500, 502, 504, 505, 599], Signal::Failed),
            (&[400, 402, 405, 422, 425, 499, 501], Signal::Neutral),
            (&[410], Signal::Gone),
        ];
        for (statuses, signal) in statuses {
            for status in statuses {
                let seen = policy(60).observe(&response(*status, &[]));
                assert_eq!(seen, Observation::new(signal, true), "{status}");
            }
        }
        let failures = [
            (Failure::Timeout, Signal::Failed),
            (Failure::Sender, Signal::Neutral),
            (Failure::Dns, Signal::Failed),
            (Failure::Connect, Signal::Failed),
            (Failure::Broken, Signal::Failed),
        ];
        for (failure, signal) in failures {
            let seen = policy(60).observe(&Outcome::failed(failure));
            assert_eq!(seen, Observation::new(signal, false), "{failure:?}");
        }
        let conflict = EndpointPolicy::default().observe(&response(409, &[]));
        assert_eq!(conflict.signal, Signal::Neutral);
    }

    #[test]
    fn disable_header_makes_any_response_gone() {
        let disable = ("webhook-delivery", "disable");
        for status in [200, 503] {
            let seen = policy(60).observe(&response(status, &[disable, ("retry-after", "9")]));
            assert_eq!(seen, Observation::new(Signal::Gone, true));
        }
    }

    #[test]
    fn pause_is_capped_and_of_refusals_alone() {
        let pause =
            |cap, status| policy(cap).observe(&response(status, &[("retry-after", "90")])).pause;
        assert_eq!(pause(100, 503), Some(Duration::from_secs(90)));
        assert_eq!(pause(60, 429), Some(Duration::from_secs(60)));
        assert_eq!(pause(0, 429), Some(Duration::ZERO));
        for status in [200, 400, 409, 410, 425, 500, 502] {
            assert_eq!(pause(100, status), None, "{status}");
        }
    }
}
