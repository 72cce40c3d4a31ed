//! Messages that an endpoint could be sent: [`DueMessages`].

use std::time::Duration;

use super::running_receiver::RunningReceiver;
use super::source::message_number;
use crate::id::EndpointId;
use crate::outbox::Outbox;
use crate::time::Timestamp;

/// The messages whose deliveries to an endpoint are due, while nothing happens.
pub(super) struct DueMessages<'a> {
    outbox: &'a Outbox,
    endpoint: &'a EndpointId,
    receiver: &'a RunningReceiver,
    /// The sender's time.
    clock: Timestamp,
    /// One that was accepted last time.
    found: Option<u64>,
    /// All that are not poisoned, once one has been looked for in vain.
    good: Option<Vec<u64>>,
}

impl<'a> DueMessages<'a> {
    pub(super) const fn new(
        outbox: &'a Outbox,
        endpoint: &'a EndpointId,
        receiver: &'a RunningReceiver,
        clock: Timestamp,
    ) -> Self {
        Self { outbox, endpoint, receiver, clock, found: None, good: None }
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.outbox.status(self.endpoint).map_or(0, |status| status.due) == 0
    }

    /// Whether the receiver would accept one of them at this time, if there is one.
    pub(super) fn any_accepted(&mut self, at: Duration) -> bool {
        let accepts = |message: &u64| self.receiver.would_accept(*message, at);
        // No message has this number.
        if !accepts(&u64::MAX) || !self.receiver.tells_messages_apart() {
            return accepts(&u64::MAX);
        }
        if self.found.as_ref().is_some_and(accepts) {
            return true;
        }
        self.found = match &self.good {
            Some(good) => good.iter().copied().find(accepts),
            None => self.numbers().find(accepts),
        };
        if self.found.is_none() && self.good.is_none() {
            let is_good = |message: &u64| !self.receiver.is_poisoned(*message);
            self.good = Some(self.numbers().filter(is_good).collect());
        }
        self.found.is_some()
    }

    /// The numbers of the messages. Those that wait for an earlier one of their ordering group are
    /// among them.
    fn numbers(&self) -> impl Iterator<Item = u64> {
        let due = self.outbox.deliveries().filter(|(_, id, delivery)| {
            let is_open = delivery.verdict().is_none() && delivery.in_doubt().is_none();
            let is_due = delivery.next_at().is_none_or(|at| at <= self.clock);
            *id == self.endpoint && is_open && is_due && delivery.in_flight().is_none()
        });
        due.filter_map(|(message, ..)| message_number(message.id()))
    }
}
