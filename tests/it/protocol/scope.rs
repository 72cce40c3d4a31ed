//! What one search goes through: [`Scope`].

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::delivery::{DeliveryGuarantee, Jitter, ResponseRules};
use labhook::{HealthPolicy, Message, Outbox, Registry, Timestamp};

use super::duty::{Duty, Limits};
use crate::small_scope::digest::Retention;
use crate::support::{eid, endpoint, message, policy, registry, secs};

pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than any run here, whatever the clock does.
pub(super) const RETAIN: Duration = Duration::from_secs(1 << 40);
/// The receiver's endpoint.
const ENDPOINT: &str = "a";

/// A search: policies, limits, and the duty that is left out.
pub(crate) struct Scope {
    registry: Registry,
    pub(super) messages: Vec<Message>,
    /// A message with the content of the first, under another id.
    pub(super) renamed: Message,
    pub(super) limits: Limits,
    pub(super) without: Option<Duty>,
    pub(super) at_most_once: bool,
    /// Whether a save is written change by change.
    pub(super) one_by_one: bool,
    retention: Duration,
}

impl Scope {
    /// One message with this number of attempts, and retries 5 s after a failure.
    pub(crate) fn new(attempts: usize, guarantee: DeliveryGuarantee, limits: Limits) -> Self {
        let policy = policy(&[5, 5][..attempts - 1])
            .with_responses(ResponseRules::shopware())
            .with_retry_after_cap(Duration::ZERO)
            .with_guarantee(guarantee);
        Self {
            registry: registry([endpoint(ENDPOINT).with_retry(policy)]),
            messages: vec![message("m")],
            renamed: message("n"),
            limits,
            without: None,
            at_most_once: guarantee == DeliveryGuarantee::AtMostOnce,
            one_by_one: false,
            retention: RETAIN,
        }
    }

    pub(crate) fn without(self, duty: Duty) -> Self {
        let mut scope = Self { without: Some(duty), ..self };
        if duty == Duty::KeepTheSeed {
            let endpoint = scope.registry.get(&eid(ENDPOINT)).unwrap().as_ref().clone();
            let retry = endpoint.policy.retry.clone().with_jitter(Jitter::plus_minus(20));
            scope.registry = registry([endpoint.with_retry(retry)]);
        }
        scope
    }

    pub(crate) fn one_by_one(self) -> Self {
        Self { one_by_one: true, ..self }
    }

    pub(crate) fn forgetting(self, retention: Duration) -> Self {
        Self { retention, ..self }
    }

    pub(crate) fn two_messages(mut self) -> Self {
        self.messages.push(message("n"));
        self
    }

    pub(super) fn outbox(&self, seed: u64) -> Outbox {
        Outbox::new(self.registry.clone(), seed).with_retention(self.retention)
    }

    /// Endpoints that react to the first failure: it opens the circuit, and five seconds later the
    /// endpoint is disabled.
    #[cfg_attr(debug_assertions, allow(dead_code, reason = "searched in release"))]
    pub(crate) fn strict(mut self) -> Self {
        let health = HealthPolicy::new()
            .with_failures(NonZeroU32::MIN)
            .with_refused_for(Duration::ZERO)
            .with_probes(secs(5), secs(5))
            .with_disable_after(secs(5));
        let endpoint = self.registry.get(&eid(ENDPOINT)).unwrap().as_ref().clone();
        self.registry = registry([endpoint.with_health(health)]);
        self
    }

    pub(super) fn is_too_old(&self, published: Timestamp, now: Timestamp) -> bool {
        now.saturating_since(published) >= self.retention
    }

    pub(super) fn retention(&self) -> Retention {
        if self.retention == RETAIN { Retention::Endless } else { Retention::Ends }
    }

    /// The longest wait that anything here asks for.
    pub(super) fn longest_wait(&self) -> Duration {
        if self.retention == RETAIN { TIMEOUT } else { self.retention.max(TIMEOUT) }
    }

    pub(super) fn is_without(&self, duty: Duty) -> bool {
        self.without == Some(duty)
    }
}
