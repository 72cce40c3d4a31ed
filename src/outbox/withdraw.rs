//! Takes messages back: [`Outbox::withdraw`] and [`Outbox::unpublish`].

use super::Outbox;
use super::index::timers::Timer;
use super::input_log::Input;
use super::record::RecordKey;
use crate::delivery::Verdict;
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

impl Outbox {
    /// Withdraws a message: all its pending deliveries end as [`Verdict::Withdrawn`], or as
    /// [`Verdict::Unconfirmed`] if they are in doubt. Returns how many.
    ///
    /// Deliveries that have ended keep their verdict, and only withdrawn ones cannot be
    /// [replayed](Self::replay) any more. The withdrawal is durable with the next save. A request in
    /// flight cannot be called back: the receiver may still take it, and the response changes
    /// nothing.
    /// [`Delivery::unanswered`](crate::delivery::Delivery::unanswered) tells whether earlier
    /// attempts may have left a copy. A message that was published but not saved yet can be taken
    /// back without a trace: see [`unpublish`](Self::unpublish).
    pub fn withdraw(&mut self, message: &MessageId, now: Timestamp) -> usize {
        let endpoints: Vec<_> = self
            .sequences
            .get(message)
            .and_then(|sequence| self.messages.get(sequence))
            .map(|state| state.deliveries.keys().cloned().collect())
            .unwrap_or_default();
        let count = endpoints.iter().filter(|id| self.end_withdrawn(message, id, now)).count();
        self.log(now, || Input::Withdraw { message: message.clone() }, &count);
        count
    }

    /// Withdraws a message from one endpoint, as [`withdraw`](Self::withdraw) does from all.
    ///
    /// Returns `false`, and changes nothing, if there is no such delivery, or if it has ended.
    pub fn withdraw_from(
        &mut self,
        message: &MessageId,
        endpoint: &EndpointId,
        now: Timestamp,
    ) -> bool {
        let withdrawn = self.end_withdrawn(message, endpoint, now);
        let (message, endpoint) = (message.clone(), endpoint.clone());
        self.log(now, || Input::WithdrawFrom { message, endpoint }, &withdrawn);
        withdrawn
    }

    /// Takes back a message that no save has made durable, as if it had never been published.
    ///
    /// This is for a host that saves the outbox's changes in the same transaction as its own rows,
    /// when that transaction is rolled back: call [`unsaved`](Self::unsaved) first, and then this
    /// for each message whose rows do not exist. Nothing of it was sent, because an attempt is
    /// handed out only after a save.
    ///
    /// Returns `false`, and changes nothing, if the message is unknown, if its save is confirmed, or
    /// if the save is outstanding: then [`withdraw`](Self::withdraw) it instead.
    pub fn unpublish(&mut self, message: &MessageId, now: Timestamp) -> bool {
        let taken_back = self.take_back(message, now);
        self.log(now, || Input::Unpublish { message: message.clone() }, &taken_back);
        taken_back
    }

    fn end_withdrawn(&mut self, message: &MessageId, id: &EndpointId, now: Timestamp) -> bool {
        self.decide(message, id, now, |state| {
            let is_pending = state.delivery.verdict().is_none();
            if is_pending {
                state.cancel(Verdict::Withdrawn, now);
            }
            is_pending
        })
    }

    fn take_back(&mut self, message: &MessageId, now: Timestamp) -> bool {
        let Some(sequence) = self.sequences.get(message).copied() else { return false };
        if !self.journal.has_changed(&RecordKey::Message(message.clone())) {
            return false;
        }
        let Some(state) = self.messages.get(&sequence) else { return false };
        let endpoints: Vec<_> = state.deliveries.keys().cloned().collect();
        for id in &endpoints {
            self.end_withdrawn(message, id, now);
        }
        if let Some(state) = self.messages.get_mut(&sequence) {
            self.timers.set(&mut state.forget_timer, None, || Timer::Forget(sequence));
        }
        // The records are deleted: a save that failed may have written some of them.
        self.forget(sequence);
        self.journal.retract(sequence, message, &endpoints);
        true
    }
}
