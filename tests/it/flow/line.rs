//! One attempt after the other, each answered at once, at instants known to the microsecond.

use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{ConcurrencyLimitPolicy, Flow, FlowPolicy, Signal};

use super::nz;
use crate::support::at;

pub(crate) struct Line {
    pub(crate) policy: FlowPolicy,
    pub(crate) flow: Flow,
    /// The time between two starts, unless the flow asks for more.
    pub(crate) gap: Duration,
    pub(crate) now: Timestamp,
}

impl Line {
    /// A line with an adaptive rate, and a concurrency limit that learns nothing.
    pub(crate) fn new(gap: Duration) -> Self {
        let concurrency = ConcurrencyLimitPolicy::fixed(nz(8));
        let policy = FlowPolicy::adaptive().with_concurrency(concurrency);
        Self { policy, flow: Flow::new(), gap, now: at(0) }
    }

    /// Sends one attempt for each answer: `+` is a success, and `-` a refusal.
    pub(crate) fn send(&mut self, answers: &str) {
        for answer in answers.chars() {
            self.now += self.gap;
            self.now = self.flow.check(&self.policy, self.now).wake_at().unwrap_or(self.now);
            self.flow.start(&self.policy, self.now);
            let signal = if answer == '+' { Signal::Success } else { Signal::Refused };
            self.flow.end(&self.policy, self.now, signal, None, self.now);
        }
    }

    /// Sends successes until the rate changes. Returns their number, and the new spacing.
    pub(crate) fn climb(&mut self) -> (u32, u128) {
        let before = self.spacing();
        for answers in 1..1_000 {
            self.send("+");
            if self.spacing() != before {
                return (answers, self.spacing().unwrap());
            }
        }
        panic!("the rate stays at a spacing of {before:?}");
    }

    /// Of the learned rate, in microseconds.
    pub(crate) fn spacing(&self) -> Option<u128> {
        self.flow.spacing(&self.policy).map(|spacing| spacing.as_micros())
    }
}
