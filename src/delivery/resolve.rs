//! Effect of an outcome on a delivery.

use std::time::Duration;

use super::retry_policy::Classification;
use super::{
    Delivery, DeliveryGuarantee, Ignored, JitterSeed, Outcome, Resolution, RetryPolicy, State,
    Verdict,
};
use crate::time::Timestamp;

impl Delivery {
    /// Reports the outcome of attempt `number` at `now`.
    ///
    /// A success ends the delivery, even if the attempt had counted as timed out or its connection
    /// as broken, and even if a later attempt is in flight. Any other outcome counts only for the
    /// attempt in flight, or, if it resolves the doubt, for the attempt in doubt. An outcome of an
    /// attempt that was never started or already answered, or of a delivery that has ended, is
    /// [`Ignored`].
    ///
    /// So that the saved state stays small, only the last 16 runs of consecutive unanswered
    /// attempts are remembered. An attempt is forgotten no sooner than 32 attempts later. From then
    /// on its outcome changes nothing, even if it is a success, and is reported as
    /// [`Ignored::AlreadyResolved`]; it still counts in [`unanswered`](Self::unanswered).
    pub fn resolve(
        &mut self,
        policy: &RetryPolicy,
        seed: JitterSeed<'_>,
        number: u32,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Resolution {
        if number == 0 || number > self.attempts {
            return Resolution::Ignored(Ignored::NeverStarted);
        }
        if self.verdict().is_some() {
            return Resolution::Ignored(Ignored::Ended);
        }
        let classification = policy.classify(outcome);
        let latest = number == self.attempts;
        if latest && self.in_flight().is_some() {
            return if outcome.is_in_doubt() {
                self.end_unanswered(policy, seed, now)
            } else {
                self.end_answered(policy, seed, classification, now)
            };
        }
        if !self.unanswered.contains(number) {
            return Resolution::Ignored(Ignored::AlreadyResolved);
        }
        if let Classification::Final(verdict @ Verdict::Delivered) = classification {
            // It is answered now, so that a repeated report does not end a replay, and still counts.
            let forgotten = self.unanswered.remove(number);
            self.forgotten = self.forgotten.saturating_add(forgotten).saturating_add(1);
            self.abandon();
            self.state = State::Ended { verdict, at: now };
            Resolution::LateSuccess
        } else if latest && self.in_doubt().is_some() && !outcome.is_in_doubt() {
            let forgotten = self.unanswered.remove(number);
            self.forgotten = self.forgotten.saturating_add(forgotten);
            self.end_answered(policy, seed, classification, now)
        } else {
            Resolution::Ignored(Ignored::LateFailure)
        }
    }

    /// Ends the latest attempt at `end` with a response, or a failure that proves it was not sent.
    fn end_answered(
        &mut self,
        policy: &RetryPolicy,
        seed: JitterSeed<'_>,
        classification: Classification,
        end: Timestamp,
    ) -> Resolution {
        match classification {
            Classification::Final(verdict) => {
                self.state = State::Ended { verdict, at: end };
                Resolution::Ended(verdict)
            }
            Classification::Retry { min_wait } => self.retry(policy, seed, min_wait, end),
        }
    }

    /// Ends the latest attempt at `end` without a response.
    pub(super) fn end_unanswered(
        &mut self,
        policy: &RetryPolicy,
        seed: JitterSeed<'_>,
        end: Timestamp,
    ) -> Resolution {
        self.count_unanswered();
        match policy.guarantee() {
            DeliveryGuarantee::AtLeastOnce => self.retry(policy, seed, Duration::ZERO, end),
            DeliveryGuarantee::AtMostOnce => {
                self.state = State::Ended { verdict: Verdict::Unconfirmed, at: end };
                Resolution::Ended(Verdict::Unconfirmed)
            }
            DeliveryGuarantee::Ask => {
                self.state = State::InDoubt { since: end };
                Resolution::InDoubt
            }
        }
    }

    /// Remembers that the latest attempt was not answered, since its response can still arrive.
    pub(super) fn count_unanswered(&mut self) {
        let forgotten = self.unanswered.push(self.attempts);
        self.forgotten = self.forgotten.saturating_add(forgotten);
    }

    /// Schedules the retry after the latest attempt, which failed at `end`.
    fn retry(
        &mut self,
        policy: &RetryPolicy,
        seed: JitterSeed<'_>,
        min_wait: Duration,
        end: Timestamp,
    ) -> Resolution {
        let wait = policy.retry_wait(seed, self.attempts, self.before_replay(), min_wait);
        let verdict = match wait {
            Some(wait) => {
                let due = end + wait;
                if self.retry_window_end(policy).is_none_or(|window_end| due < window_end) {
                    self.state = State::Waiting { due };
                    return Resolution::Retry { at: due };
                }
                Verdict::Expired
            }
            None => Verdict::Exhausted,
        };
        self.state = State::Ended { verdict, at: end };
        Resolution::Ended(verdict)
    }
}
