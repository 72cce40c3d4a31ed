//! One endpoint's health with its policy, driven step by step.

use std::time::Duration;

use labhook::health::{Gate, Health, Permit, SenderOutage, Signal, SignalEffect, State};
use labhook::{HealthPolicy, Timestamp};

use SenderOutage::Clear;
use Signal::Failed;
use State::{Down, Healthy};

/// The timeout of every attempt.
pub(crate) const TIMEOUT: u64 = 30;

pub(crate) const TICK: Duration = Duration::from_micros(1);

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn days(days: u64) -> Duration {
    secs(days * 86_400)
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

    /// Down since `now`, because of first attempts that failed.
    pub(crate) fn down(policy: HealthPolicy, now: Timestamp) -> Self {
        let mut endpoint = Self::new(policy);
        endpoint.fail(now);
        endpoint
    }

    /// First attempts of a healthy endpoint fail until the circuit opens.
    pub(crate) fn fail(&mut self, now: Timestamp) {
        for _ in 1..self.policy.failures().unwrap().get() {
            assert_eq!(self.attempt(Failed, now), SignalEffect::Counted);
        }
        assert_eq!(self.transition(Failed, now), (Healthy, Down));
    }

    pub(crate) fn gate(&mut self, now: Timestamp) -> Gate {
        self.health.poll(&self.policy, now)
    }

    /// Starts the first attempt of a message, if one may start.
    pub(crate) fn try_start(&mut self, now: Timestamp) -> Option<Permit> {
        self.health.start(1, now + secs(TIMEOUT), now)
    }

    pub(crate) fn start(&mut self, now: Timestamp) -> Permit {
        self.try_start(now).unwrap()
    }

    pub(crate) fn record(
        &mut self,
        permit: Permit,
        signal: Signal,
        now: Timestamp,
    ) -> SignalEffect {
        self.health.record(&self.policy, Clear, permit, signal, now)
    }

    /// Starts a first attempt and records its result.
    pub(crate) fn attempt(&mut self, signal: Signal, now: Timestamp) -> SignalEffect {
        let permit = self.start(now);
        self.record(permit, signal, now)
    }

    /// Starts a retry and records its result.
    pub(crate) fn retry(&mut self, number: u32, signal: Signal, now: Timestamp) -> SignalEffect {
        let permit = self.health.start(number, now + secs(TIMEOUT), now).unwrap();
        self.record(permit, signal, now)
    }

    /// As [`attempt`](Self::attempt), and returns the states that it changed.
    pub(crate) fn transition(&mut self, signal: Signal, now: Timestamp) -> (State, State) {
        let transition = self.attempt(signal, now).transition().unwrap();
        assert_eq!(transition.at, now);
        (transition.from, transition.to)
    }

    /// When the next probe is due, which is not yet.
    pub(crate) fn due(&self) -> Timestamp {
        self.health.wake_at().unwrap()
    }

    /// Probes that start when they are due fail until `until`; returns when the last one did.
    pub(crate) fn fail_probes(&mut self, until: Timestamp) -> Timestamp {
        let mut last = self.due();
        while self.due() < until {
            last = self.due();
            assert_eq!(self.attempt(Failed, last), SignalEffect::Counted);
        }
        last
    }

    /// Checks that the wait from `from` is the policy's after so many failed probes, give or take
    /// a tenth.
    pub(crate) fn assert_waits(&mut self, from: Timestamp, failed: u32) {
        let Gate::Hold { until } = self.gate(from) else { panic!("no wait at {from}") };
        assert_eq!(until, self.due());
        let (wait, expected) = (until.saturating_since(from), self.policy.probe_wait(failed));
        assert!(
            wait >= expected * 9 / 10 && wait <= expected * 11 / 10,
            "{wait:?} of {expected:?}"
        );
    }

    /// Polls at a probe's deadline, and checks that the next wait is the first one from there.
    pub(crate) fn assert_waits_from_deadline(&mut self, deadline: Timestamp) {
        assert_eq!(self.due(), deadline);
        self.assert_waits(deadline, self.health.failed_probes());
    }
}
