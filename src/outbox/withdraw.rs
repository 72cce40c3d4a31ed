//! Takes messages back: [`Outbox::withdraw`] and [`Outbox::unpublish`].

use super::Outbox;
use super::input_log::Input;
use super::slab::{DeliveryNo, MessageNo};
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
        let number = self.messages.find(message);
        let count = number.map_or(0, |number| self.end_all_withdrawn(number, now));
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
        let number = self.find(message, endpoint);
        let withdrawn = number.is_some_and(|number| self.end_withdrawn(number, now));
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

    /// Withdraws all deliveries of a message, and returns how many were pending.
    fn end_all_withdrawn(&mut self, number: MessageNo, now: Timestamp) -> usize {
        let deliveries: Vec<_> = self.fan_out(number).into_iter().map(|(_, it)| it).collect();
        deliveries.into_iter().filter(|it| self.end_withdrawn(*it, now)).count()
    }

    fn end_withdrawn(&mut self, number: DeliveryNo, now: Timestamp) -> bool {
        let Some(mut state) = self.load(number) else { return false };
        let is_pending = state.delivery.verdict().is_none();
        if is_pending {
            state.cancel(Verdict::Withdrawn, now);
            self.reconcile_delivery(number, state, None, now);
        }
        is_pending
    }

    fn take_back(&mut self, message: &MessageId, now: Timestamp) -> bool {
        let Some(number) = self.messages.find(message) else { return false };
        let Some(state) = self.messages.get(number) else { return false };
        let sequence = state.sequence;
        if !self.journal.can_retract(sequence, state.mark) {
            return false;
        }
        let ids = state.fan_out.iter().filter_map(|(it, _)| self.endpoints.slot(it));
        let ids: Vec<_> = ids.map(|slot| slot.id.clone()).collect();
        self.end_all_withdrawn(number, now);
        // The records are deleted: a save that failed may have written some of them.
        self.forget(number);
        self.journal.retract(sequence, message, ids);
        true
    }
}
