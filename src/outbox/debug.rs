//! An outbox as text, for debugging: without its numbers, and the indexes that repeat the rest.

use std::fmt;

use super::Outbox;
use super::index::timers::{Scheduled, Timer};
use super::slab::{DeliveryNo, MessageNo};
use crate::id::{EndpointId, MessageId};
use crate::time::Timestamp;

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let messages = self.messages.in_order().into_iter().filter_map(|number| {
            let state = self.messages.get(number)?;
            Some((state.sequence, MessageText { outbox: self, number }))
        });
        let endpoints = self.endpoints.iter().map(|slot| (&slot.id, (&slot.state, slot.mark)));
        let mut endpoints: Vec<_> = endpoints.collect();
        endpoints.sort_unstable_by_key(|(id, _)| *id);
        f.debug_struct("Outbox")
            .field("seed", &self.seed)
            .field("batch", &self.batch)
            .field("retention", &self.retention)
            .field("registry", &self.registry)
            .field("messages", &Map(messages.collect()))
            .field("next_sequence", &self.next_sequence)
            .field("pending", &self.pending)
            .field("endpoints", &Map(endpoints))
            .field("fair_queue", &self.fair_queue)
            .field("outage", &self.outage)
            .field("failing_after", &self.failing_after)
            .field("report_attempts", &self.report_attempts)
            .field("timers", &self.timer_texts())
            .field("journal", &self.journal)
            .field("latest", &self.latest)
            .field("sweeps", &self.sweeps)
            .field("log", &self.log)
            .field("draining", &self.draining)
            .field("strict_ids", &self.strict_ids)
            .finish()
    }
}

impl Outbox {
    fn timer_texts(&self) -> Vec<(Timestamp, TimerText<'_>)> {
        let list = self.timers.list(|timer| self.scheduled(timer)).into_iter();
        let message = |number| self.messages.get(number).map(|state| state.message.id());
        let endpoint = |number| self.endpoints.slot(number).map(|slot| &slot.id);
        let texts = list.filter_map(|(at, timer)| {
            let text = match timer {
                Timer::Delivery(number) => {
                    let place = self.deliveries.place(number)?;
                    TimerText::Delivery(message(place.message)?, endpoint(place.endpoint)?)
                }
                Timer::Endpoint(number) => TimerText::Endpoint(endpoint(number)?),
                Timer::Forget(number) => TimerText::Forget(message(number)?),
            };
            Some((at, text))
        });
        let mut texts: Vec<_> = texts.collect();
        texts.sort_unstable();
        texts
    }

    pub(super) fn scheduled(&self, timer: Timer) -> Scheduled {
        super::dispatch::scheduled(&self.deliveries, &self.endpoints, &self.messages, timer)
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(dead_code, reason = "read by `Debug`")]
enum TimerText<'a> {
    Delivery(&'a MessageId, &'a EndpointId),
    Endpoint(&'a EndpointId),
    Forget(&'a MessageId),
}

/// Pairs that are shown as a map.
struct Map<K, V>(Vec<(K, V)>);

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(key, value)| (key, value))).finish()
    }
}

struct MessageText<'a> {
    outbox: &'a Outbox,
    number: MessageNo,
}

impl fmt::Debug for MessageText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outbox, number } = *self;
        let Some(state) = outbox.messages.get(number) else { return Ok(()) };
        let deliveries = outbox.fan_out(number).into_iter();
        let deliveries = deliveries.map(|(id, number)| (id, DeliveryText { outbox, number }));
        f.debug_struct("Message")
            .field("message", &state.message)
            .field("accepted_at", &state.accepted_at)
            .field("age_from", &outbox.messages.later_age(number))
            .field("deliveries", &Map(deliveries.collect()))
            .field("open", &state.open)
            .field("forget_timer", &state.forget_timer)
            .field("mark", &state.mark)
            .finish()
    }
}

struct DeliveryText<'a> {
    outbox: &'a Outbox,
    number: DeliveryNo,
}

impl fmt::Debug for DeliveryText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outbox, number } = *self;
        let Some(state) = outbox.load(number) else { return Ok(()) };
        f.debug_struct("Delivery")
            .field("delivery", &state.delivery)
            .field("phase", &state.placement.phase())
            .field("timer", &outbox.deliveries.timer(number))
            .field("found_at", &state.found_at)
            .field("in_flight", &state.in_flight)
            .field("unreported", &state.unreported)
            .field("mark", &outbox.deliveries.mark(number))
            .finish()
    }
}
