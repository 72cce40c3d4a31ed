//! One endpoint's health with its policy, driven step by step.

use std::time::Duration;

use labhook::health::{
    Gate, Health, Permit, SenderOutage, Signal, SignalEffect, State, Transition,
};
use labhook::{HealthPolicy, Timestamp};

use SenderOutage::Clear;
use Signal::EndpointFault;
use State::{Degraded, Healthy, Suspended};

/// The timeout of every attempt.
pub(crate) const TIMEOUT: u64 = 30;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn restored(health: &Health) -> Health {
    serde_json::from_str(&serde_json::to_string(health).unwrap()).unwrap()
}

pub(crate) fn default() -> HealthPolicy {
    HealthPolicy::default()
}

/// An endpoint's health with its policy, and no sender outage.
pub(crate) struct Endpoint {
    pub(crate) policy: HealthPolicy,
    pub(crate) health: Health,
}

impl Endpoint {
    pub(crate) fn new(policy: HealthPolicy) -> Self {
        Self { policy, health: Health::new() }
    }

    pub(crate) fn gate(&mut self, now: i64) -> Gate {
        self.health.poll(&self.policy, Clear, at(now)).gate
    }

    /// Starts an attempt, if one may start.
    pub(crate) fn try_start(&mut self, now: i64) -> Option<Permit> {
        self.health.start(at(now) + secs(TIMEOUT), at(now))
    }

    pub(crate) fn start(&mut self, now: i64) -> Permit {
        self.try_start(now).unwrap()
    }

    pub(crate) fn record(&mut self, permit: Permit, signal: Signal, now: i64) -> SignalEffect {
        self.health.record(&self.policy, Clear, permit, signal, at(now))
    }

    /// Starts an attempt and records its result.
    pub(crate) fn attempt(&mut self, signal: Signal, now: i64) -> SignalEffect {
        let permit = self.start(now);
        self.record(permit, signal, now)
    }

    /// As [`attempt`](Self::attempt), and returns the states that it changed.
    pub(crate) fn transition(&mut self, signal: Signal, now: i64) -> (State, State) {
        let Transition { from, to, at: when, .. } = self.attempt(signal, now).transition().unwrap();
        assert_eq!(when, at(now));
        (from, to)
    }

    /// Degraded at `now`.
    pub(crate) fn degraded(policy: HealthPolicy, now: i64) -> Self {
        let mut endpoint = Self::new(policy);
        for _ in 1..endpoint.policy.failures().unwrap().get() {
            assert_eq!(endpoint.attempt(EndpointFault, now), SignalEffect::Counted);
        }
        assert_eq!(endpoint.transition(EndpointFault, now), (Healthy, Degraded));
        endpoint
    }

    /// Suspended by probes that failed when they were due, and the second at which it was.
    pub(crate) fn suspended(policy: HealthPolicy, now: i64) -> (Self, i64) {
        let mut endpoint = Self::degraded(policy, now);
        loop {
            let due = endpoint.health.wake_at().unwrap().unix_seconds();
            if endpoint.attempt(EndpointFault, due).transition().is_some() {
                assert_eq!(endpoint.health.state(), Suspended);
                return (endpoint, due);
            }
        }
    }
}
