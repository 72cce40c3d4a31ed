//! What an outcome reveals about an endpoint: [`Observation`].

use std::time::Duration;

use http::StatusCode;

use super::endpoint_policy::EndpointPolicy;
use crate::delivery::{Control, Failure, Outcome, ResponseAction, RetryAfter};
use crate::flow::Feedback;
use crate::health::Signal;

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
/// use labhook::flow::{AttemptKind, Flow, FlowDecision};
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
///     let first = delivery.attempts() == 0;
///     let kind = match health.poll(&policy.health, SenderOutage::Clear, now).gate {
///         Gate::Open if first => AttemptKind::First,
///         Gate::Open => AttemptKind::Retry,
///         Gate::Probe => AttemptKind::Probe,
///         Gate::Hold { until } | Gate::Probing { deadline: until } => {
///             now = until;
///             continue;
///         }
///         gate => panic!("not in this example: {gate:?}"),
///     };
///     match flow.check(&policy.flow, kind, now) {
///         FlowDecision::Go => {}
///         FlowDecision::Wait { until } => {
///             now = until;
///             continue;
///         }
///         FlowDecision::Busy => panic!("this host awaits each response"),
///     }
///
///     let started = delivery.start(&policy.retry, now).expect("the delivery is due");
///     let permit = health.start(started.deadline, now).expect("the gate is open");
///     flow.start(&policy.flow, kind, now);
///     // Save all three rows here, then send.
///     let outcome = send(started.number, now);
///     now = now + Duration::from_millis(80);
///
///     delivery.resolve(&policy.retry, seed, started.number, &outcome, now);
///     let observation = policy.observe(&outcome);
///     let effect =
///         health.record(&policy.health, SenderOutage::Clear, permit, observation.signal, now);
///     if let Some(transition) = effect.transition() {
///         println!("the endpoint is {} now", transition.to);
///     }
///     flow.end(&policy.flow, started.at, observation.feedback, now);
///     if let Some(pause) = observation.pause {
///         flow.pause_until(now + pause);
///     }
///     // Save all three rows again.
/// };
/// assert_eq!((verdict, delivery.attempts()), (Verdict::Delivered, 2));
/// assert!(now > start + Duration::from_secs(30));
/// # Ok::<(), labhook::id::IdError>(())
/// ```
///
/// # How outcomes are classified
///
/// | outcome | [`signal`](Self::signal) | [`feedback`](Self::feedback) |
/// |---|---|---|
/// | 2xx, and any status that the [response rules](crate::delivery::ResponseRules) deliver on | [`Success`](Signal::Success) | [`Success`](Feedback::Success) |
/// | 429 | [`Overload`](Signal::Overload) | [`TooFast`](Feedback::TooFast) |
/// | 502, 503, 504 | [`Overload`](Signal::Overload) | [`Overloaded`](Feedback::Overloaded) |
/// | 1xx, 3xx, 401, 403, 404, 408, 500 and other 5xx | [`EndpointFault`](Signal::EndpointFault) | [`Other`](Feedback::Other) |
/// | 400 and other 4xx, 501 | [`PayloadFault`](Signal::PayloadFault) | [`Success`](Feedback::Success) |
/// | [`Failure::Timeout`] | [`EndpointFault`](Signal::EndpointFault) | [`Overloaded`](Feedback::Overloaded) |
/// | [`Failure::Sender`] | [`SenderFault`](Signal::SenderFault) | [`Other`](Feedback::Other) |
/// | any other [`Failure`]: name resolution, connection, TLS | [`EndpointFault`](Signal::EndpointFault) | [`Other`](Feedback::Other) |
///
/// A status on which the response rules [disable](ResponseAction::Disable), or the response header
/// `webhook-delivery: disable`, makes the signal [`Gone`](Signal::Gone) and leaves the feedback.
///
/// The response rules affect this table only as shown. What a response means for the message is the
/// [`ResponseRules`](crate::delivery::ResponseRules)' decision: a 2xx that the rules retry still
/// shows a receiver that copes.
#[doc(alias = "classification")]
#[doc(alias = "response classification")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Observation {
    /// Input of the circuit breaker: [`Health::record`](crate::health::Health::record).
    pub signal: Signal,
    /// Input of flow control: [`Flow::end`](crate::flow::Flow::end).
    pub feedback: Feedback,
    /// Whether the receiver sent a response, whatever its status.
    pub responded: bool,
    /// The pause that the receiver requested with `Retry-After`, up to the retry policy's
    /// [cap](crate::RetryPolicy::retry_after_cap); `None` if it did not ask, if it took the
    /// message, or if it asked to be disabled:
    /// [`Flow::pause_until`](crate::flow::Flow::pause_until).
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
            Some(RetryAfter::Wait(asked)) if observation.signal != Signal::Success => {
                Observation { pause: Some(asked.min(self.retry.retry_after_cap())), ..observation }
            }
            _ => observation,
        }
    }
}

impl Observation {
    const fn new(signal: Signal, feedback: Feedback, responded: bool) -> Self {
        Self { signal, feedback, responded, pause: None }
    }

    const fn of_failure(failure: Failure) -> Self {
        let (signal, feedback) = match failure {
            Failure::Sender => (Signal::SenderFault, Feedback::Other),
            Failure::Timeout => (Signal::EndpointFault, Feedback::Overloaded),
            _ => (Signal::EndpointFault, Feedback::Other),
        };
        Self::new(signal, feedback, false)
    }

    fn of_status(status: StatusCode, action: ResponseAction) -> Self {
        let (signal, feedback) = match (action, status.as_u16()) {
            (ResponseAction::Deliver, _) | (_, 200..=299) => (Signal::Success, Feedback::Success),
            (_, 429) => (Signal::Overload, Feedback::TooFast),
            (_, 502..=504) => (Signal::Overload, Feedback::Overloaded),
            (_, 401 | 403 | 404 | 408) => (Signal::EndpointFault, Feedback::Other),
            (_, 400..=499 | 501) => (Signal::PayloadFault, Feedback::Success),
            _ => (Signal::EndpointFault, Feedback::Other),
        };
        Self::new(signal, feedback, true)
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
        use Feedback as F;
        use Signal as S;
        let statuses: [(&[u16], _, _); 6] = [
            (&[200, 202, 204, 299, 409], S::Success, F::Success),
            (&[429], S::Overload, F::TooFast),
            (&[502, 503, 504], S::Overload, F::Overloaded),
            (&[302, 401, 403, 404, 408, 500, 505, 599], S::EndpointFault, F::Other),
            (&[400, 402, 405, 422, 499, 501], S::PayloadFault, F::Success),
            (&[410], S::Gone, F::Success),
        ];
        for (statuses, signal, feedback) in statuses {
            for status in statuses {
                let seen = policy(60).observe(&response(*status, &[]));
                assert_eq!(seen, Observation::new(signal, feedback, true), "{status}");
            }
        }
        let failures = [
            (Failure::Timeout, S::EndpointFault, F::Overloaded),
            (Failure::Sender, S::SenderFault, F::Other),
            (Failure::Dns, S::EndpointFault, F::Other),
            (Failure::Connect, S::EndpointFault, F::Other),
            (Failure::Broken, S::EndpointFault, F::Other),
        ];
        for (failure, signal, feedback) in failures {
            let seen = policy(60).observe(&Outcome::failed(failure));
            assert_eq!(seen, Observation::new(signal, feedback, false), "{failure:?}");
        }
    }

    #[test]
    fn disable_header_makes_any_response_gone() {
        let disable = ("webhook-delivery", "disable");
        let seen = policy(60).observe(&response(200, &[disable]));
        assert_eq!(seen, Observation::new(Signal::Gone, Feedback::Success, true));
        let seen = policy(60).observe(&response(503, &[disable, ("retry-after", "9")]));
        assert_eq!(seen, Observation::new(Signal::Gone, Feedback::Overloaded, true));
    }

    #[test]
    fn pause_is_capped_by_the_retry_policy() {
        let pause =
            |cap, status| policy(cap).observe(&response(status, &[("retry-after", "90")])).pause;
        assert_eq!(pause(100, 503), Some(Duration::from_secs(90)));
        assert_eq!(pause(60, 429), Some(Duration::from_secs(60)));
        assert_eq!(pause(0, 400), Some(Duration::ZERO));
        assert_eq!(pause(100, 200), None);
        assert_eq!(pause(100, 410), None);
    }
}
