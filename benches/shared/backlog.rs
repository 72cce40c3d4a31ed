//! An outbox with many pending deliveries, each waiting up to 24 h for its retry: [`Backlog`].

#![allow(dead_code, unreachable_pub, reason = "each target uses its part")]

use std::hint::black_box;

use labhook::{Message, Outbox, Outcome, Step, Timestamp};

use crate::fixture::{self, SEED};

/// An outbox and its clock. Saves are confirmed at once, and requests are not built.
pub struct Backlog {
    pub outbox: Outbox,
    pub now: Timestamp,
    /// When something becomes due, as of the latest step that had nothing to do.
    pub until: Timestamp,
    random: fastrand::Rng,
    failure: Outcome,
    success: Outcome,
}

impl Backlog {
    /// Nothing pending, for this number of endpoints under a policy that holds nothing back.
    pub fn empty(endpoints: usize) -> Self {
        let endpoints =
            (0..endpoints).map(|it| fixture::endpoint(it).with_policy(fixture::patient()));
        Self::of(Outbox::new(fixture::registry(endpoints), SEED))
    }

    pub fn of(outbox: Outbox) -> Self {
        Self {
            outbox,
            now: fixture::start(),
            until: fixture::start(),
            random: fastrand::Rng::with_seed(SEED),
            failure: fixture::failure(),
            success: fixture::success(),
        }
    }

    /// Deliveries that have failed once: of each message to all endpoints.
    pub fn new(pending: usize, endpoints: usize) -> Self {
        let mut backlog = Self::empty(endpoints);
        let messages = pending / endpoints;
        let at_once = (1_000 / endpoints).max(1);
        for first in (0..messages).step_by(at_once) {
            for _ in first..messages.min(first + at_once) {
                let message = backlog.message();
                backlog.publish(message);
            }
            backlog.fail_all();
        }
        backlog
    }

    pub fn message(&mut self) -> Message {
        fixture::message(&mut self.random)
    }

    pub fn publish(&mut self, message: Message) {
        self.outbox.publish(message, self.now).expect("ids need not be strict");
    }

    /// Fails all that is due now.
    pub fn fail_all(&mut self) {
        while self.step(false).is_some() {}
    }

    /// Delivers all that is due now.
    pub fn deliver_all(&mut self) {
        while self.step(true).is_some() {}
    }

    /// Fails the next deliveries that become due, waits in between, and saves what they changed.
    pub fn retry(&mut self, mut cycles: usize) {
        loop {
            match self.step(false) {
                Some(sent) => cycles = cycles.saturating_sub(usize::from(sent)),
                None if cycles == 0 => return,
                None => self.now = self.until,
            }
        }
    }

    /// Does one step. Returns whether it sent, or `None` if there is nothing to do now.
    fn step(&mut self, accept: bool) -> Option<bool> {
        match self.outbox.poll(self.now) {
            Step::Save(changes) => {
                self.outbox.saved(black_box(&changes).revision());
                Some(false)
            }
            Step::Send(attempt) => {
                let outcome = if accept { &self.success } else { &self.failure };
                self.outbox.resolve(attempt.ticket(), outcome, self.now);
                Some(true)
            }
            Step::Notify(notice) => {
                black_box(notice);
                Some(false)
            }
            Step::Wait(until) => {
                self.until = until;
                None
            }
            Step::Idle => None,
        }
    }
}
