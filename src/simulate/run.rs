//! A simulation at work: an outbox, receivers, and a clock that jumps.

use std::collections::BTreeMap;
use std::time::Duration;

use super::receiver::Door;
use super::report::Report;
use super::scenario::{Scenario, Site};
use super::source::{self, Source};
use super::tally::Tally;
use crate::delivery::{Failure, Outcome};
use crate::endpoint::{Endpoint, Registry};
use crate::id::EndpointId;
use crate::outbox::{Attempt, Notice, Outbox, Step, Ticket};
use crate::signature::Signer;
use crate::time::Timestamp;

const START: Timestamp = Timestamp::UNIX_EPOCH;

pub(super) struct Run<'a> {
    scenario: &'a Scenario,
    outbox: Outbox,
    now: Timestamp,
    sources: Vec<Source>,
    /// What will be handed in, by when; the number keeps those of one instant in their order.
    answers: BTreeMap<(Timestamp, u64), (Ticket, Outcome)>,
    next_answer: u64,
    booths: BTreeMap<EndpointId, Booth>,
}

/// An endpoint as this end of the road sees it: its door, what is counted of it, and which source's
/// messages come to it.
struct Booth {
    /// Where it stands in the scenario.
    place: usize,
    door: Door,
    tally: Tally,
    source: usize,
}

impl<'a> Run<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let mut registry = Registry::new();
        let (mut sources, mut shared) = (Vec::new(), None);
        let mut booths = BTreeMap::new();
        for (place, Site { policies, receiver, load }) in scenario.endpoints.iter().enumerate() {
            let name = format!("endpoint-{place}");
            let id = EndpointId::new(name.clone()).expect("a word and a number are an id");
            let mut add = |name: String, load| {
                sources.push(Source::new(name, load));
                sources.len().saturating_sub(1)
            };
            let source = match load {
                Some(load) => add(name, *load),
                None => *shared.get_or_insert_with(|| add("message".into(), scenario.load)),
            };
            let (door, tally) =
                (Door::new(receiver.clone()), Tally::new(receiver, scenario.points));
            booths.insert(id.clone(), Booth { place, door, tally, source });
            let subscription = sources.get(source).map(Source::subscription).unwrap_or_default();
            let endpoint = Endpoint::new(id, "https://receiver.example/", Signer::unsigned())
                .expect("the URL is absolute and HTTPS")
                .with_subscription(subscription)
                .with_policy(policies.clone());
            registry.insert(endpoint).expect("each has another number");
        }
        // What has ended needs no keeping: no message is published twice.
        let outbox =
            Outbox::new(registry, scenario.seed).without_storage().with_retention(Duration::ZERO);
        Self {
            scenario,
            outbox,
            now: START,
            sources,
            answers: BTreeMap::new(),
            next_answer: 0,
            booths,
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
                // Whatever would come later comes at the end of time too, again and again.
                Some(next) if next <= limit && next < Timestamp::MAX => self.now = next,
                _ => break,
            }
        }
        let ended_at = self.since_start();
        let mut booths: Vec<_> = self.booths.into_values().collect();
        booths.sort_by_key(|booth| booth.place);
        booths.into_iter().map(|booth| booth.tally.report(ended_at)).collect()
    }

    fn since_start(&self) -> Duration {
        self.now.saturating_since(START)
    }

    /// When the next event comes, while the loads last.
    fn event_at(&self) -> Option<Timestamp> {
        let lasting = self.scenario.lasting;
        self.sources.iter().filter_map(|source| source.next(lasting)).min().map(|at| START + at)
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
        let (now, since_start) = (self.now, self.since_start());
        let Scenario { lasting, lifetime, .. } = *self.scenario;
        for (index, source) in self.sources.iter_mut().enumerate() {
            while source.next(lasting).is_some_and(|at| at <= since_start) {
                let published = self.outbox.publish(source.message(lifetime, now), now);
                let wanted = published.expect("each message has another id").endpoints;
                for (id, booth) in &mut self.booths {
                    if booth.source == index {
                        booth.tally.published(wanted.contains(id), since_start);
                    }
                }
            }
        }
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
        let booth = self.booths.get_mut(ticket.endpoint());
        let Some(Booth { door, tally, .. }) = booth else { return };
        tally.started(ticket.attempt(), at);
        let answer = door.request(at);
        if answer.refused {
            tally.refused();
        }
        if answer.taken
            && let Some(number) = source::number(ticket.message())
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
            && let Some(number) = source::number(message)
            && let Some(Booth { tally, source, .. }) = self.booths.get_mut(endpoint)
            && let Some(source) = self.sources.get(*source)
        {
            tally.settled(source.accepted_at(number), *verdict, *attempts, at);
        }
    }

    /// Looks at how the endpoints are.
    fn look(&mut self) {
        let at = self.since_start();
        for (id, booth) in &mut self.booths {
            if let Some(status) = self.outbox.status(id) {
                booth.tally.is(status.health.state(), at);
            }
        }
    }
}
