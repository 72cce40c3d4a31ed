//! Metrics of one endpoint: [`Counters`].

use serde::Serialize;

use crate::delivery::{Delivery, Verdict};

/// Counters of one endpoint since the outbox was created or restored.
///
/// They only rise, as a monitoring system expects of a counter, and start at 0 after a restart.
/// Events are counted as they happen, before the save that makes them durable.
///
/// Restored deliveries are counted when they end but not as accepted. An attempt interrupted by the
/// restart counts only as unanswered.
#[doc(alias = "metrics")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counters {
    /// Deliveries accepted for the endpoint.
    pub accepted: u64,
    /// Messages that matched but were not accepted, because the endpoint was disabled, or had
    /// been down for so long that it shed new messages.
    pub shed: u64,
    /// Deliveries that had ended and were reopened by a replay. `accepted` plus `replayed` equals
    /// all ended deliveries plus those that are pending.
    pub replayed: u64,
    /// Attempts that were handed out.
    pub attempts: u64,
    /// Attempts that were not the first of their delivery.
    pub retries: u64,
    /// Attempts that ended without a response. Each may have left a copy at the receiver.
    pub unanswered: u64,
    /// Deliveries that ended as [`Verdict::Delivered`].
    pub delivered: u64,
    /// Deliveries that the receiver refused: [`Rejected`](Verdict::Rejected),
    /// [`Gone`](Verdict::Gone) and [`Stopped`](Verdict::Stopped).
    pub refused: u64,
    /// Deliveries that ran out of attempts or time: [`Exhausted`](Verdict::Exhausted) and
    /// [`Expired`](Verdict::Expired).
    #[doc(alias = "given_up")]
    pub exhausted: u64,
    /// Deliveries that ended without anyone knowing whether the receiver has the message:
    /// [`Unconfirmed`](Verdict::Unconfirmed).
    pub unconfirmed: u64,
    /// Deliveries that the sender ended: [`Cancelled`](Verdict::Cancelled) and
    /// [`Withdrawn`](Verdict::Withdrawn).
    pub cancelled: u64,
}

impl Counters {
    /// Returns each counter with its name, such as `delivered`.
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
            ("exhausted", self.exhausted),
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

    /// Counts an attempt that was handed out.
    pub(super) const fn sent(&mut self, number: u32) {
        self.attempts = self.attempts.saturating_add(1);
        if number > 1 {
            self.retries = self.retries.saturating_add(1);
        }
    }

    /// Counts a change of a delivery.
    pub(super) fn changed(&mut self, from: &Delivery, to: &Delivery) {
        let more = to.unanswered().saturating_sub(from.unanswered());
        self.unanswered = self.unanswered.saturating_add(more.into());
        let count = match to.verdict().filter(|_| from.verdict().is_none()) {
            Some(Verdict::Delivered) => &mut self.delivered,
            Some(Verdict::Rejected | Verdict::Gone | Verdict::Stopped) => &mut self.refused,
            Some(Verdict::Exhausted | Verdict::Expired) => &mut self.exhausted,
            Some(Verdict::Unconfirmed) => &mut self.unconfirmed,
            Some(Verdict::Cancelled | Verdict::Withdrawn) => &mut self.cancelled,
            None => return,
        };
        *count = count.saturating_add(1);
    }
}
