//! What there is to count: [`Counters`].

use serde::Serialize;

use crate::delivery::{Delivery, Verdict};

/// What became of the deliveries and attempts of an endpoint, or of all, counted since the outbox
/// was made or restored.
///
/// What was pending at a restart comes to its end and was not accepted since, and an attempt from
/// before it counts as unanswered and not as an attempt.
///
/// They only rise, as a monitoring system expects of a counter, and begin at 0 after a restart.
/// Attempts are counted as they start and come to an end, verdicts as they are reached, all of it
/// before the save that makes it durable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Deliveries that were accepted for an endpoint.
    pub accepted: u64,
    /// Deliveries that the endpoint did not take when their message was published: it was
    /// disabled, or suspended and shed new messages.
    pub shed: u64,
    /// Deliveries that had ended and were opened again by a replay. What was accepted and what was
    /// replayed is together as much as has ended and what is pending.
    pub replayed: u64,
    /// Attempts that were handed out.
    pub attempts: u64,
    /// Those of them that were not their delivery's first.
    pub retries: u64,
    /// Attempts that ended without an answer: each may have left a copy at the receiver.
    pub unanswered: u64,
    /// Deliveries that ended as [`Verdict::Delivered`].
    pub delivered: u64,
    /// Deliveries that ended because the receiver would not have them:
    /// [`Rejected`](Verdict::Rejected), [`Gone`](Verdict::Gone) and [`Stopped`](Verdict::Stopped).
    pub refused: u64,
    /// Deliveries of which the attempts or the time ran out: [`Exhausted`](Verdict::Exhausted) and
    /// [`Expired`](Verdict::Expired).
    pub given_up: u64,
    /// Deliveries that nobody knows the end of: [`Unconfirmed`](Verdict::Unconfirmed).
    pub unconfirmed: u64,
    /// Deliveries that this end took back: [`Cancelled`](Verdict::Cancelled).
    pub cancelled: u64,
}

impl Counters {
    /// Each by its name, such as `delivered`.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'static str, u64)> + use<> {
        [
            ("accepted", self.accepted),
            ("shed", self.shed),
            ("replayed", self.replayed),
            ("attempts", self.attempts),
            ("retries", self.retries),
            ("unanswered", self.unanswered),
            ("delivered", self.delivered),
            ("refused", self.refused),
            ("given_up", self.given_up),
            ("unconfirmed", self.unconfirmed),
            ("cancelled", self.cancelled),
        ]
        .into_iter()
    }

    pub(super) const fn accepted(&mut self) {
        self.accepted = self.accepted.saturating_add(1);
    }

    pub(super) const fn shed(&mut self) {
        self.shed = self.shed.saturating_add(1);
    }

    pub(super) const fn replayed(&mut self) {
        self.replayed = self.replayed.saturating_add(1);
    }

    /// The attempt of this number was handed out.
    pub(super) const fn sent(&mut self, number: u32) {
        self.attempts = self.attempts.saturating_add(1);
        if number > 1 {
            self.retries = self.retries.saturating_add(1);
        }
    }

    /// A delivery has come from one state to another.
    pub(super) fn moved(&mut self, from: &Delivery, to: &Delivery) {
        let more = to.unanswered().saturating_sub(from.unanswered());
        self.unanswered = self.unanswered.saturating_add(more.into());
        let count = match to.verdict().filter(|_| from.verdict().is_none()) {
            Some(Verdict::Delivered) => &mut self.delivered,
            Some(Verdict::Rejected | Verdict::Gone | Verdict::Stopped) => &mut self.refused,
            Some(Verdict::Exhausted | Verdict::Expired) => &mut self.given_up,
            Some(Verdict::Unconfirmed) => &mut self.unconfirmed,
            Some(Verdict::Cancelled) => &mut self.cancelled,
            None => return,
        };
        *count = count.saturating_add(1);
    }
}
