//! A simulation at work: an outbox, receivers, and a clock that jumps.

use std::collections::BTreeMap;
use std::time::Duration;

use super::receiver::Door;
use super::report::Report;
use super::scenario::Scenario;
use super::tally::Tally;
use crate::delivery::{Failure, Outcome};
use crate::endpoint::Endpoint;
use crate::event::Event;
use crate::id::{EndpointId, MessageId};
use crate::lab::{RunState, RunStateChanged};
use crate::message::Message;
use crate::outbox::{Attempt, Notice, Outbox, Step, Ticket};
use crate::registry::Registry;
use crate::signature::Signer;
use crate::timestamp::Timestamp;

const START: Timestamp = Timestamp::UNIX_EPOCH;

/// What comes before a message's number in its id.
const PREFIX: &str = "message-";

pub(super) struct Run<'a> {
    scenario: &'a Scenario,
    outbox: Outbox,
    now: Timestamp,
    next_event: u64,
    /// What will be handed in, by when; the number keeps those of one instant in their order.
    answers: BTreeMap<(Timestamp, u64), (Ticket, Outcome)>,
    next_answer: u64,
    places: BTreeMap<EndpointId, usize>,
    doors: Vec<(Door, Tally)>,
}

impl<'a> Run<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let mut registry = Registry::new();
        let (mut places, mut doors) = (BTreeMap::new(), Vec::new());
        for (policies, receiver) in &scenario.endpoints {
            let id = EndpointId::new(format!("endpoint-{}", doors.len()))
                .expect("a word and a number are an id");
            places.insert(id.clone(), doors.len());
            let endpoint = Endpoint::new(id, "https://receiver.example/", Signer::unsigned())
                .expect("the URL is absolute and HTTPS")
                .policy(policies.delivery.clone())
                .health(policies.health.clone())
                .flow(policies.flow)
                .order(policies.order);
            registry.insert(endpoint).expect("each has another number");
            let tally = Tally::new(receiver, scenario.points);
            doors.push((Door::new(receiver.clone()), tally));
        }
        // What has ended needs no keeping: no message is published twice.
        let outbox = Outbox::new(registry, scenario.seed).without_storage().retain(Duration::ZERO);
        Self {
            scenario,
            outbox,
            now: START,
            next_event: 0,
            answers: BTreeMap::new(),
            next_answer: 0,
            places,
            doors,
        }
    }

    pub(super) fn reports(mut self) -> Vec<Report> {
        let limit = START + self.scenario.limit;
        loop {
            self.answer();
            self.publish();
            let wait = self.drain();
            self.look();
            let event = self.event_at();
            if event.is_none() && self.answers.is_empty() && self.outbox.pending() == 0 {
                break;
            }
            let answer = self.answers.keys().next().map(|(at, _)| *at);
            match event.into_iter().chain(answer).chain(wait).min() {
                Some(next) if next <= limit => self.now = next,
                _ => break,
            }
        }
        let ended_at = self.since_start();
        self.doors.into_iter().map(|(_, tally)| tally.report(ended_at)).collect()
    }

    fn since_start(&self) -> Duration {
        self.now.saturating_since(START)
    }

    /// When the next event comes, while the load lasts.
    fn event_at(&self) -> Option<Timestamp> {
        let at = self.scenario.load.at(self.next_event);
        (at < self.scenario.lasting).then(|| START + at)
    }

    /// Hands in the answers that have come.
    fn answer(&mut self) {
        while let Some(entry) = self.answers.first_entry()
            && entry.key().0 <= self.now
        {
            let (ticket, outcome) = entry.remove();
            self.outbox.resolve(&ticket, &outcome, self.now);
        }
    }

    /// Publishes the events that have come.
    fn publish(&mut self) {
        while self.event_at().is_some_and(|at| at <= self.now) {
            let number = self.next_event;
            self.next_event = number.saturating_add(1);
            let published = self.outbox.publish(self.message(number), self.now);
            let wanted = published.expect("each message has another id").endpoints;
            let at = self.since_start();
            for (id, place) in &self.places {
                if let Some((_, tally)) = self.doors.get_mut(*place) {
                    tally.published(wanted.contains(id), at);
                }
            }
        }
    }

    fn message(&self, number: u64) -> Message {
        let key = match self.scenario.load.keys() {
            Some(keys) => number.checked_rem(u64::from(keys.get())).unwrap_or(number),
            None => number,
        };
        let id =
            MessageId::new(format!("{PREFIX}{number}")).expect("a word and a number are an id");
        let event = RunStateChanged::new(format!("run-{key}"), RunState::Started);
        let message = Event::new(event, self.now).into_message(id);
        let expires_at = self.scenario.lifetime.map(|lifetime| self.now + lifetime);
        message.expect("a run's state is written as JSON").with_expires_at(expires_at)
    }

    /// Does all that is to be done, and says until when there is nothing.
    fn drain(&mut self) -> Option<Timestamp> {
        loop {
            match self.outbox.poll(self.now) {
                // An outbox without storage has nothing to save.
                Step::Save(changes) => _ = self.outbox.saved(changes.revision()),
                Step::Send(attempt) => self.send(&attempt),
                Step::Notify(notice) => self.note(&notice),
                Step::Wait(until) => return Some(until),
                Step::Idle => return None,
            }
        }
    }

    fn send(&mut self, attempt: &Attempt) {
        let at = self.since_start();
        let ticket = attempt.ticket();
        let place = self.places.get(ticket.endpoint());
        let Some((door, tally)) = place.and_then(|place| self.doors.get_mut(*place)) else {
            return;
        };
        tally.started(ticket.attempt(), at);
        let answer = door.request(at);
        if answer.refused {
            tally.refused();
        }
        if answer.taken
            && let Some(number) = number(ticket.message())
        {
            tally.took(number);
        }
        let deadline = attempt.deadline();
        let seen = answer.seen.map(|(after, outcome)| (self.now + after, outcome));
        let (at, outcome) = seen
            .filter(|(at, _)| *at < deadline)
            .unwrap_or_else(|| (deadline, Outcome::failed(Failure::Timeout)));
        self.answers.insert((at, self.next_answer), (ticket.clone(), outcome));
        self.next_answer = self.next_answer.saturating_add(1);
    }

    fn note(&mut self, notice: &Notice) {
        let at = self.since_start();
        // Of the endpoints it is their status that counts, which tells of every change.
        if let Notice::Settled { message, endpoint, verdict, attempts } = notice
            && let Some(number) = number(message)
            && let Some((_, tally)) =
                self.places.get(endpoint).and_then(|place| self.doors.get_mut(*place))
        {
            tally.settled(self.scenario.load.at(number), *verdict, *attempts, at);
        }
    }

    /// Looks at how the endpoints are.
    fn look(&mut self) {
        let at = self.since_start();
        for (id, place) in &self.places {
            if let (Some(status), Some((_, tally))) =
                (self.outbox.status(id), self.doors.get_mut(*place))
            {
                tally.is(status.health.state(), at);
            }
        }
    }
}

/// The number of a message that [`Run::message`] made.
fn number(message: &MessageId) -> Option<u64> {
    message.as_str().strip_prefix(PREFIX)?.parse().ok()
}
