//! A message on its way to one endpoint, and where it is indexed: [`Slot`].

use super::lane::Flight;
use super::queue::{Place, Standing};
use crate::delivery::{Delivery, Dice, Progress, Verdict};
use crate::endpoint::Endpoint;
use crate::timestamp::Timestamp;

/// A delivery, and where it is indexed.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) format: Box<str>,
    pub(super) delivery: Delivery,
    /// What the record of it says, or will say when what has changed is saved.
    pub(super) recorded: Delivery,
    pub(super) place: Place,
    /// The line that it stands in.
    pub(super) line: Option<Box<str>>,
    pub(super) alarm: Option<Timestamp>,
    /// Whether the attempt in flight was handed out; until then it was certainly not made.
    pub(super) sent: bool,
    pub(super) flight: Option<Flight>,
}

impl Slot {
    pub(super) fn new(format: Box<str>, delivery: Delivery) -> Self {
        Self {
            format,
            recorded: delivery.clone(),
            delivery,
            place: Place::New,
            line: None,
            alarm: None,
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

    /// How many of these attempts have failed, or ended without an answer.
    pub(super) fn failed(delivery: &Delivery) -> u32 {
        delivery.attempts().saturating_sub(u32::from(delivery.in_flight().is_some()))
    }

    /// Brings the delivery up to `now`. An endpoint that is out of use gets nothing that was not
    /// handed out yet.
    pub(super) fn advance(
        &mut self,
        endpoint: &Endpoint,
        in_use: bool,
        dice: Dice<'_>,
        now: Timestamp,
    ) -> Progress {
        // What was not handed out was not made: where it is too late for it, or its endpoint is
        // out of use by now, no attempt is used up.
        if let Some(started) = self.delivery.in_flight().filter(|_| !self.sent) {
            let close = self.delivery.window_end(&endpoint.policy);
            let too_late = now >= started.deadline || close.is_some_and(|close| now >= close);
            if too_late || !in_use {
                self.delivery.unstart(started.number);
            }
        }
        self.delivery.poll(&endpoint.policy, dice, now)
    }

    /// Ends the delivery because its endpoint is out of use.
    pub(super) fn cancel(&mut self, now: Timestamp) {
        if let Some(started) = self.delivery.in_flight().filter(|_| !self.sent) {
            self.delivery.unstart(started.number);
        }
        let doubt = self.delivery.in_doubt().map(|_| Verdict::Unconfirmed);
        self.delivery.end(doubt.unwrap_or(Verdict::Cancelled), now);
    }

    /// The flight that is over, if one is since this was last asked.
    pub(super) fn landed(&mut self) -> Option<Flight> {
        let in_flight = self.delivery.in_flight().is_some();
        self.flight.take_if(|_| !in_flight)
    }

    /// How it stands in its line, and from when on it lets others pass by time alone.
    pub(super) fn standing(
        &self,
        endpoint: Option<&Endpoint>,
        accepted_at: Timestamp,
        now: Timestamp,
    ) -> (Standing, Option<Timestamp>) {
        let order = endpoint.map(|endpoint| endpoint.order).unwrap_or_default();
        let skip_at = order.skip_at(accepted_at);
        let passed = skip_at.is_some_and(|skip_at| now >= skip_at);
        if passed || order.skips(Self::failed(&self.delivery)) {
            (Standing::LettingPass, None)
        } else {
            (Standing::Holding, skip_at)
        }
    }

    /// Where it stands in the queue.
    pub(super) fn place(&self, progress: Option<Progress>, held_up: bool) -> Place {
        if self.delivery.verdict().is_some() {
            Place::Ended
        } else if self.delivery.in_flight().is_some() {
            Place::InFlight
        } else if progress != Some(Progress::Due) || held_up {
            Place::Waiting
        } else if self.delivery.attempts() == 0 {
            Place::First
        } else {
            Place::Retry
        }
    }
}
