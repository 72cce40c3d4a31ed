//! A message on its way to one endpoint, and where it is indexed: [`DeliveryState`].

use std::num::NonZeroU32;

use super::attempt_report::AttemptReport;
use super::backlog::{GroupStatus, Phase};
use super::in_flight::{EndedAttempt, InFlight};
use super::notice::Notice;
use crate::delivery::{
    Delivery, Failure, JitterSeed, Outcome, Progress, Resolution, RetryPolicy, Started, Verdict,
};
use crate::endpoint::Endpoint;
use crate::id::{EndpointId, MessageId};
use crate::policy::Order;
use crate::time::Timestamp;

/// A delivery, and where it is indexed.
#[derive(Clone, Debug)]
pub(super) struct DeliveryState {
    pub(super) format: Box<str>,
    pub(super) delivery: Delivery,
    /// What the record of it says, or will say when what has changed is saved.
    pub(super) recorded: Delivery,
    pub(super) place: Phase,
    /// The line that it stands in.
    pub(super) line: Option<Box<str>>,
    pub(super) alarm: Option<Timestamp>,
    /// When it was found to have ended, where that was later.
    pub(super) found_at: Option<Timestamp>,
    /// Whether the attempt in flight was handed out; until then it was certainly not made.
    pub(super) sent: bool,
    pub(super) flight: Option<InFlight>,
}

impl DeliveryState {
    pub(super) fn new(format: Box<str>, delivery: Delivery) -> Self {
        Self {
            format,
            recorded: delivery.clone(),
            delivery,
            place: Phase::New,
            line: None,
            alarm: None,
            found_at: None,
            sent: false,
            flight: None,
        }
    }

    /// Whether the delivery has moved since it was recorded. A wait that is over is no news: time
    /// will have passed for a restored delivery too.
    pub(super) fn has_news(&self) -> bool {
        let attempts = |it: &Delivery| (it.attempts(), it.in_flight(), it.unanswered());
        let state = |it: &Delivery| (it.in_doubt(), it.replays(), it.verdict());
        attempts(&self.delivery) != attempts(&self.recorded)
            || state(&self.delivery) != state(&self.recorded)
    }

    /// The attempt in flight that was not handed out yet, and so not made, if there is one.
    fn unsent(&self) -> Option<Started> {
        self.delivery.in_flight().filter(|_| !self.sent)
    }

    /// How many of these attempts have failed, or ended without an answer.
    fn failed(delivery: &Delivery) -> u32 {
        delivery.attempts().saturating_sub(u32::from(delivery.in_flight().is_some()))
    }

    /// Brings the delivery up to `now`, and answers besides where it stands whether its attempt
    /// has timed out. An endpoint that is out of use gets nothing that was not handed out yet.
    pub(super) fn advance(
        &mut self,
        endpoint: &Endpoint,
        in_use: bool,
        dice: JitterSeed<'_>,
        now: Timestamp,
    ) -> (Progress, bool) {
        // Where it is too late for one that was not made, or its endpoint is out of use by now, no
        // attempt is used up.
        if let Some(started) = self.unsent() {
            let close = self.delivery.window_end(&endpoint.policy.retry);
            let too_late = now >= started.deadline || close.is_some_and(|close| now >= close);
            if too_late || !in_use {
                self.delivery.cancel_start(started.number);
            }
        }
        let unanswered = self.delivery.unanswered();
        let progress = self.delivery.poll(&endpoint.policy.retry, dice, now);
        (progress, self.delivery.unanswered() > unanswered)
    }

    /// Takes in the outcome of an attempt that is in flight or was. Where an earlier one has
    /// succeeded after all, one that was not handed out was not made.
    pub(super) fn resolve(
        &mut self,
        policy: &RetryPolicy,
        dice: JitterSeed<'_>,
        attempt: u32,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Resolution {
        let Some(unsent) = self.unsent() else {
            return self.delivery.resolve(policy, dice, attempt, outcome, now);
        };
        let mut without = self.delivery.clone();
        without.cancel_start(unsent.number);
        let resolution = without.resolve(policy, dice, attempt, outcome, now);
        if !matches!(resolution, Resolution::Ignored(_)) {
            self.delivery = without;
        }
        resolution
    }

    /// Ends the delivery because its endpoint is out of use.
    pub(super) fn cancel(&mut self, now: Timestamp) {
        if let Some(started) = self.unsent() {
            self.delivery.cancel_start(started.number);
        }
        let doubt = self.delivery.in_doubt().map(|_| Verdict::Unconfirmed);
        self.delivery.end(doubt.unwrap_or(Verdict::Cancelled), now);
    }

    /// The flight that is over, if one is since this was last asked.
    pub(super) fn landing<'a>(
        &mut self,
        outcome: Option<&'a Outcome>,
        timed_out: bool,
        now: Timestamp,
    ) -> Option<EndedAttempt<'a>> {
        const TIMEOUT: &Outcome = &Outcome::failed(Failure::Timeout);
        let in_flight = self.delivery.in_flight().is_some();
        let (flight, sent) = (self.flight.take_if(|_| !in_flight)?, self.sent);
        Some(if timed_out {
            let ended_at = flight.started.deadline;
            EndedAttempt { flight, sent, outcome: Some(TIMEOUT), ended_at }
        } else {
            EndedAttempt { flight, sent, outcome, ended_at: now }
        })
    }

    /// Has the record of it say what it is like.
    pub(super) fn note(&mut self, now: Timestamp) {
        let ended_at = self.delivery.ended_at();
        if ended_at != self.recorded.ended_at() {
            self.found_at = ended_at.filter(|at| now > *at).map(|_| now);
        }
        self.recorded = self.delivery.clone();
    }

    /// From when on it is kept, if it has ended: what ended while nobody looked, from when that was
    /// found, so that it can be told.
    pub(super) fn kept_from(&self) -> Option<Timestamp> {
        self.found_at.or(self.delivery.ended_at())
    }

    /// What a host's history says of an attempt that is over.
    pub(super) fn report(
        &self,
        message: &MessageId,
        endpoint: &EndpointId,
        landing: &EndedAttempt<'_>,
        now: Timestamp,
    ) -> AttemptReport {
        let EndedAttempt { flight, outcome, ended_at, .. } = landing;
        let verdict = self.delivery.verdict();
        let goes_on = verdict.is_none() && self.delivery.in_doubt().is_none();
        AttemptReport {
            message: message.clone(),
            endpoint: endpoint.clone(),
            number: flight.started.number,
            cause: flight.cause(&self.delivery),
            started_at: flight.started.at,
            ended_at: *ended_at,
            outcome: outcome.cloned(),
            next_at: goes_on.then(|| self.delivery.next_at().unwrap_or(now)),
            verdict,
        }
    }

    /// What there is to tell of how the delivery has moved since it was recorded.
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
        let doubt = to.in_doubt().filter(|_| from.in_doubt().is_none());
        let in_doubt = doubt.map(|since| Notice::InDoubt {
            message: message.clone(),
            endpoint: endpoint.clone(),
            attempt: to.attempts(),
            since,
        });
        settled.into_iter().chain(failing).chain(in_doubt)
    }

    /// How it stands in its line, and from when on it lets others pass by time alone.
    pub(super) fn standing(
        &self,
        order: Order,
        accepted_at: Timestamp,
        now: Timestamp,
    ) -> (GroupStatus, Option<Timestamp>) {
        let skip_at = order.skip_at(accepted_at);
        let passed = skip_at.is_some_and(|skip_at| now >= skip_at);
        if passed || order.skips(Self::failed(&self.delivery)) {
            (GroupStatus::LettingPass, None)
        } else {
            (GroupStatus::Holding, skip_at)
        }
    }

    /// Where it stands in the queue.
    pub(super) fn place(&self, progress: Option<Progress>, held_up: bool) -> Phase {
        if self.delivery.verdict().is_some() {
            Phase::Ended
        } else if self.delivery.in_flight().is_some() {
            Phase::InFlight
        } else if progress != Some(Progress::Due) || held_up {
            Phase::Waiting
        } else if self.delivery.attempts() == 0 {
            Phase::First
        } else {
            Phase::Retry
        }
    }
}
