//! Applies the outcomes of attempts: [`Outbox::resolve`].

use super::Outbox;
use super::attempt::Ticket;
use crate::delivery::{Control, Ignored, JitterSeed, Outcome, Resolution, RetryPolicy, Verdict};
use crate::time::Timestamp;

impl Outbox {
    /// Applies the outcome of an attempt.
    ///
    /// Report every outcome once, late ones too: a late success still ends its delivery, within the
    /// limits of [`Delivery::resolve`](crate::delivery::Delivery::resolve). A ticket that is stale,
    /// repeated or from another outbox changes nothing, and returns [`Resolution::Ignored`].
    pub fn resolve(&mut self, ticket: &Ticket, outcome: &Outcome, now: Timestamp) -> Resolution {
        const UNKNOWN: Resolution = Resolution::Ignored(Ignored::NeverStarted);
        let Ticket { sequence, message, endpoint: id, attempt, permit } = ticket;
        let Some(message_state) = self.messages.get_mut(sequence) else { return UNKNOWN };
        let Some(state) = message_state.deliveries.get_mut(id) else { return UNKNOWN };
        if message_state.message.id() != message {
            return UNKNOWN;
        }
        let live = state.delivery.in_flight().is_some_and(|started| started.number == *attempt);
        if live && !state.is_sent() {
            return UNKNOWN;
        }
        let seed = JitterSeed::new(self.seed, message, id);
        let resolution = match self.registry.get(id) {
            Some(endpoint) => state.resolve(&endpoint.policy.retry, seed, *attempt, outcome, now),
            // Without its endpoint there is no policy to judge by. A 2xx is a success under any.
            None if outcome.status().is_some_and(|status| status.is_success()) => {
                state.resolve(&RetryPolicy::default(), seed, *attempt, outcome, now)
            }
            None => return Resolution::Ignored(Ignored::NoPolicy),
        };
        if matches!(resolution, Resolution::Ignored(_)) {
            return resolution;
        }
        let before_replay = *attempt <= state.delivery.before_replay();
        let has_permit = state.in_flight.is_some_and(|it| it.permit().is_some());
        self.reconcile_delivery(*sequence, id, Some(outcome).filter(|_| live), now);
        // A receiver can ask for nothing more, even in a success. If the attempt was live and has a
        // permit, its health has heard that just now. A late attempt, or one from before a restart,
        // affects health only in this. One from before a replay does not: its endpoint may have
        // been removed and added again since, and a receiver that still wants nothing will say so
        // again.
        let gone = resolution == Resolution::Ended(Verdict::Gone)
            || outcome.control() == Some(Control::Disable);
        if gone && !before_replay && !(live && has_permit) {
            let transition =
                self.operate(id, now, |health| health.gone(*permit, now)).ok().flatten();
            self.follow_transition(id, transition, now);
        }
        // If that disabled the endpoint, the delivery may have ended instead.
        let verdict = self.delivery_mut(*sequence, id).and_then(|it| it.delivery.verdict());
        match (resolution, verdict) {
            (Resolution::Retry { .. } | Resolution::InDoubt, Some(verdict)) => {
                Resolution::Ended(verdict)
            }
            _ => resolution,
        }
    }
}
