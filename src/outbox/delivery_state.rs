//! One delivery while it is changed: [`DeliveryState`].

use std::num::NonZeroU32;

use super::attempt_report::AttemptReport;
use super::in_flight::{EndedAttempt, InFlight};
use super::index::backlog::{Phase, Placement};
use super::index::ordering::GroupStatus;
use super::notice::Notice;
use crate::delivery::{
    Delivery, Failure, JitterSeed, Outcome, Progress, Resolution, RetryPolicy, Started, Verdict,
};
use crate::endpoint::Endpoint;
use crate::id::{EndpointId, MessageId};
use crate::policy::Order;
use crate::time::Timestamp;

/// One message to one endpoint, taken from the table to be changed and reconciled.
#[derive(Clone, Debug)]
pub(super) struct DeliveryState {
    pub(super) delivery: Delivery,
    /// The delivery as it was in the table: as its record has it, or will have it after the next
    /// save.
    pub(super) recorded: Delivery,
    pub(super) placement: Placement,
    /// When the delivery was found to have ended, if that was later than its end.
    pub(super) found_at: Option<Timestamp>,
    /// `Some` from the start of an attempt until its end is applied to the endpoint.
    pub(super) in_flight: Option<InFlight>,
    /// The number of the latest attempt whose deadline was found passed before the host reported an
    /// outcome, which may still come; 0 for none.
    pub(super) unreported: u32,
}

impl DeliveryState {
    /// Returns whether the delivery differs from its record. The end of a wait is not recorded:
    /// time passes for a restored delivery too.
    pub(super) fn has_changed(&self) -> bool {
        let attempts = |it: &Delivery| (it.attempts(), it.in_flight(), it.unanswered());
        let state = |it: &Delivery| (it.in_doubt(), it.replays(), it.verdict());
        attempts(&self.delivery) != attempts(&self.recorded)
            || state(&self.delivery) != state(&self.recorded)
    }

    /// Returns whether the attempt in flight was handed out.
    pub(super) fn is_sent(&self) -> bool {
        self.in_flight.is_some_and(|in_flight| in_flight.sent)
    }

    /// Returns the attempt in flight if it was not handed out, and so was not made.
    fn unsent(&self) -> Option<Started> {
        self.delivery.in_flight().filter(|_| !self.is_sent())
    }

    /// Returns whether an attempt that was not handed out may still be made.
    fn may_go(&self, started: Started, endpoint: &Endpoint, in_use: bool, now: Timestamp) -> bool {
        let window_end = self.delivery.window_end(&endpoint.policy.retry);
        in_use && now < started.deadline && window_end.is_none_or(|end| now < end)
    }

    /// Returns whether the delivery has an attempt to hand out, and [`advance`](Self::advance)
    /// would change nothing.
    pub(super) fn is_ready(&self, endpoint: &Endpoint, in_use: bool, now: Timestamp) -> bool {
        self.unsent().is_some_and(|it| now >= it.at && self.may_go(it, endpoint, in_use, now))
    }

    /// Returns the number of attempts that failed or ended without a response.
    fn failed(delivery: &Delivery) -> u32 {
        delivery.attempts().saturating_sub(u32::from(delivery.in_flight().is_some()))
    }

    /// Advances the delivery to `now`. Returns its progress, and whether its attempt has timed out.
    ///
    /// An attempt that was not handed out is cancelled, without being counted, if it is too late
    /// for it or its endpoint is no longer in use.
    pub(super) fn advance(
        &mut self,
        endpoint: &Endpoint,
        in_use: bool,
        seed: JitterSeed<'_>,
        now: Timestamp,
    ) -> (Progress, bool) {
        if let Some(started) = self.unsent()
            && !self.may_go(started, endpoint, in_use, now)
        {
            self.delivery.cancel_start(started.number);
        }
        self.renew_attempt(&endpoint.policy.retry, seed, now);
        let unanswered = self.delivery.unanswered();
        let progress = self.delivery.poll(&endpoint.policy.retry, seed, now);
        (progress, self.delivery.unanswered() > unanswered)
    }

    /// Lets the attempt in flight go on for another timeout, once, if its deadline is found passed
    /// late and would end the delivery: the clock has leaped, and a success may be on its way.
    fn renew_attempt(&mut self, policy: &RetryPolicy, seed: JitterSeed<'_>, now: Timestamp) {
        let Some(in_flight) = self.in_flight.as_mut().filter(|it| it.may_renew()) else { return };
        let Some(started) = self.delivery.in_flight() else { return };
        let timeout = started.deadline.saturating_since(started.at);
        let found_late = now >= started.deadline + timeout;
        let ends = || {
            let progress = self.delivery.clone().poll(policy, seed, now);
            matches!(progress, Progress::Ended { .. })
        };
        if found_late && ends() {
            in_flight.renewed = true;
            self.delivery.renew_attempt(now);
        }
    }

    /// Applies the outcome of an attempt, in flight or earlier. If an earlier one turns out to have
    /// succeeded, an attempt that was not handed out is cancelled.
    pub(super) fn resolve(
        &mut self,
        policy: &RetryPolicy,
        seed: JitterSeed<'_>,
        attempt: u32,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Resolution {
        let Some(unsent) = self.unsent() else {
            return self.delivery.resolve(policy, seed, attempt, outcome, now);
        };
        let mut without = self.delivery.clone();
        without.cancel_start(unsent.number);
        let resolution = without.resolve(policy, seed, attempt, outcome, now);
        if !matches!(resolution, Resolution::Ignored(_)) {
            self.delivery = without;
        }
        resolution
    }

    /// Ends the delivery on the sender's side, with this verdict unless it is in doubt.
    pub(super) fn cancel(&mut self, verdict: Verdict, now: Timestamp) {
        self.unreported = 0;
        if let Some(started) = self.unsent() {
            self.delivery.cancel_start(started.number);
        }
        let in_doubt = self.delivery.in_doubt().map(|_| Verdict::Unconfirmed);
        self.delivery.end(in_doubt.unwrap_or(verdict), now);
    }

    /// Takes the attempt that was in flight and no longer is, if there is one.
    pub(super) fn take_ended<'a>(
        &mut self,
        outcome: Option<&'a Outcome>,
        timed_out: bool,
        now: Timestamp,
    ) -> Option<EndedAttempt<'a>> {
        const TIMEOUT: &Outcome = &Outcome::failed(Failure::Timeout);
        let is_over = self.delivery.in_flight().is_none();
        let in_flight = self.in_flight.take_if(|_| is_over)?;
        // Every start was recorded when the delivery was reconciled, and its end is not yet.
        let started = self.recorded.in_flight()?;
        Some(if timed_out {
            self.unreported = if in_flight.permit().is_some() { started.number } else { 0 };
            let ended_at = started.deadline;
            EndedAttempt { started, in_flight, outcome: Some(TIMEOUT), unreported: true, ended_at }
        } else {
            EndedAttempt { started, in_flight, outcome, unreported: false, ended_at: now }
        })
    }

    /// Brings the record up to date with the delivery.
    pub(super) fn update_record(&mut self, now: Timestamp) {
        let ended_at = self.delivery.ended_at();
        if ended_at != self.recorded.ended_at() {
            self.found_at = ended_at.filter(|at| now > *at).map(|_| now);
        }
        self.recorded = self.delivery.clone();
    }

    /// Returns the report of an attempt that has ended.
    pub(super) fn report(
        &self,
        message: &MessageId,
        endpoint: &EndpointId,
        ended: &EndedAttempt<'_>,
        now: Timestamp,
    ) -> AttemptReport {
        let verdict = self.delivery.verdict();
        let goes_on = verdict.is_none() && self.delivery.in_doubt().is_none();
        AttemptReport {
            message: message.clone(),
            endpoint: endpoint.clone(),
            number: ended.started.number,
            cause: ended.cause(&self.delivery),
            started_at: ended.started.at,
            ended_at: ended.ended_at,
            outcome: ended.outcome.cloned(),
            next_at: goes_on.then(|| self.delivery.next_at().unwrap_or(now)),
            verdict,
        }
    }

    /// Returns the notices of what has changed since the delivery was recorded.
    pub(super) fn notices(
        &self,
        message: &MessageId,
        endpoint: &EndpointId,
        failing_after: NonZeroU32,
    ) -> impl Iterator<Item = Notice> {
        let (from, to) = (&self.recorded, &self.delivery);
        let verdict = to.verdict().filter(|_| from.verdict().is_none());
        let settled = verdict.map(|verdict| Notice::Settled {
            message: message.clone(),
            endpoint: endpoint.clone(),
            verdict,
            attempts: to.attempts(),
        });
        let too_often = |it: &Delivery| {
            Self::failed(it).saturating_sub(it.before_replay()) >= failing_after.get()
        };
        let fails = to.verdict().is_none() && too_often(to) && !too_often(from);
        let failing = fails.then(|| Notice::Failing {
            message: message.clone(),
            endpoint: endpoint.clone(),
            attempts: Self::failed(to),
        });
        let in_doubt = to.in_doubt().filter(|_| from.in_doubt().is_none());
        let in_doubt = in_doubt.map(|since| Notice::InDoubt {
            message: message.clone(),
            endpoint: endpoint.clone(),
            attempt: to.attempts(),
            since,
        });
        settled.into_iter().chain(failing).chain(in_doubt)
    }

    /// Returns whether the delivery blocks later ones of its ordering group, and when it stops
    /// doing so by time alone.
    pub(super) fn group_status(
        &self,
        order: Order,
        age_from: Timestamp,
        now: Timestamp,
    ) -> (GroupStatus, Option<Timestamp>) {
        let skip_at = order.skip_at(age_from);
        let is_past = skip_at.is_some_and(|skip_at| now >= skip_at);
        if is_past || order.skips(Self::failed(&self.delivery)) {
            (GroupStatus::Skipped, None)
        } else {
            (GroupStatus::Blocking, skip_at)
        }
    }

    /// Returns the delivery's phase. Without an endpoint it has no progress, and waits.
    pub(super) fn phase(&self, progress: Option<Progress>, blocked: bool) -> Phase {
        if self.delivery.verdict().is_some() {
            Phase::Ended
        } else if self.delivery.in_flight().is_some() {
            Phase::InFlight
        } else if progress != Some(Progress::Due) || blocked {
            Phase::Waiting
        } else if self.delivery.attempts() == 0 {
            Phase::First
        } else {
            Phase::Retry { since: self.delivery.due_since().unwrap_or(Timestamp::MIN) }
        }
    }
}
