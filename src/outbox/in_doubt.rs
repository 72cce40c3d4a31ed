//! Decisions about deliveries in doubt: [`Outbox::resend`] and [`Outbox::give_up`].

use super::Outbox;
use super::delivery_state::DeliveryState;
use super::input_log::Input;
use crate::delivery::Verdict;
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

impl Outbox {
    /// Sends a delivery that is [in doubt](crate::delivery::DeliveryGuarantee::Ask) again, although
    /// the receiver may already have the message.
    ///
    /// Returns `false`, and changes nothing, if the delivery is unknown or not in doubt.
    pub fn resend(&mut self, message: &MessageId, endpoint: &EndpointId, now: Timestamp) -> bool {
        let decided = self.decide(message, endpoint, now, |it| it.delivery.resend(now));
        let (message, endpoint) = (message.clone(), endpoint.clone());
        self.log(now, || Input::Resend { message, endpoint }, &decided);
        decided
    }

    /// Ends a delivery that is [in doubt](crate::delivery::DeliveryGuarantee::Ask) as
    /// [`Verdict::Unconfirmed`].
    ///
    /// Returns `false`, and changes nothing, if the delivery is unknown or not in doubt.
    pub fn give_up(&mut self, message: &MessageId, endpoint: &EndpointId, now: Timestamp) -> bool {
        let decided = self.decide(message, endpoint, now, |DeliveryState { delivery, .. }| {
            delivery.in_doubt().is_some() && delivery.end(Verdict::Unconfirmed, now)
        });
        let (message, endpoint) = (message.clone(), endpoint.clone());
        self.log(now, || Input::GiveUp { message, endpoint }, &decided);
        decided
    }

    /// Changes a delivery on someone's decision. Returns `false` if it is unknown or unchanged.
    pub(super) fn decide(
        &mut self,
        message: &MessageId,
        endpoint: &EndpointId,
        now: Timestamp,
        decide: impl FnOnce(&mut DeliveryState) -> bool,
    ) -> bool {
        let Some(number) = self.find(message, endpoint) else { return false };
        let Some(mut state) = self.load(number) else { return false };
        let decided = decide(&mut state);
        if decided {
            self.reconcile_delivery(number, state, None, now);
        }
        decided
    }
}
