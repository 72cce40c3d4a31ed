//! What people decide over deliveries that stand in doubt.

use super::Outbox;
use crate::delivery::{Delivery, Verdict};
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

impl Outbox {
    /// Decides that a delivery [in doubt](crate::delivery::DeliveryGuarantee::Ask) is sent again, although the
    /// receiver may have it.
    ///
    /// `false`, and nothing has changed, where it is not in doubt, or unknown.
    pub fn resend(&mut self, message: &MessageId, endpoint: &EndpointId, now: Timestamp) -> bool {
        self.decide(message, endpoint, now, |delivery| delivery.resend(now))
    }

    /// Decides that a delivery [in doubt](crate::delivery::DeliveryGuarantee::Ask) ends as
    /// [`Verdict::Unconfirmed`].
    ///
    /// `false`, and nothing has changed, where it is not in doubt, or unknown.
    pub fn give_up(&mut self, message: &MessageId, endpoint: &EndpointId, now: Timestamp) -> bool {
        self.decide(message, endpoint, now, |delivery| {
            delivery.in_doubt().is_some() && delivery.end(Verdict::Unconfirmed, now)
        })
    }

    fn decide(
        &mut self,
        message: &MessageId,
        endpoint: &EndpointId,
        now: Timestamp,
        decide: impl FnOnce(&mut Delivery) -> bool,
    ) -> bool {
        let Some(sequence) = self.sequences.get(message).copied() else { return false };
        let Some(slot) = self.slot(sequence, endpoint) else { return false };
        let decided = decide(&mut slot.delivery);
        if decided {
            self.settle(sequence, endpoint, None, now);
        }
        decided
    }
}
