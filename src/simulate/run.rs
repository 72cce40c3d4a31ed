//! Runs a [`Scenario`]: an outbox, receivers, and a clock that jumps.

use std::collections::BTreeMap;
use std::time::Duration;

use super::receiver::mix;
use super::recorder::Recorder;
use super::report::Report;
use super::running_receiver::RunningReceiver;
use super::scenario::{EndpointSpec, Scenario};
use super::source::{Source, message_number};
use crate::delivery::{Failure, Outcome};
use crate::endpoint::{Endpoint, Registry};
use crate::id::EndpointId;
use crate::outbox::{Attempt, Notice, Outbox, Step, Ticket};
use crate::signature::Signer;
use crate::time::Timestamp;

const START: Timestamp = Timestamp::UNIX_EPOCH;

impl Scenario {
    /// Runs the simulation and returns one report per endpoint, in the order in which they were
    /// added.
    ///
    /// It ends when the loads are over and every delivery has ended, when nothing more would
    /// happen, or at the [limit](Self::with_limit). The same scenario gives the same reports. Time
    /// and memory grow with the number of messages and attempts, not with the simulated time.
    #[must_use]
    pub fn run(&self) -> Vec<Report> {
        Run::new(self).reports()
    }
}

struct Run<'a> {
    scenario: &'a Scenario,
    outbox: Outbox,
    now: Timestamp,
    sources: Vec<Source>,
    /// Outcomes to resolve, by their time; the number keeps those of one instant in order.
    responses: BTreeMap<(Timestamp, u64), (Ticket, Outcome)>,
    next_response: u64,
    endpoints: BTreeMap<EndpointId, EndpointSim>,
}

/// The receiving side of one endpoint.
struct EndpointSim {
    /// Its index in the scenario.
    index: usize,
    receiver: RunningReceiver,
    recorder: Recorder,
    /// The index of the source whose messages it gets.
    source: usize,
}

impl<'a> Run<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let mut registry = Registry::new();
        let (mut sources, mut shared) = (Vec::new(), None);
        let mut endpoints = BTreeMap::new();
        for (index, EndpointSpec { policy, receiver, load }) in
            scenario.endpoints.iter().enumerate()
        {
            let name = format!("endpoint-{index}");
            let id = EndpointId::new(name.clone()).expect("a word and a number are an id");
            let mut add = |name: String, load| {
                sources.push(Source::new(name, load));
                sources.len().saturating_sub(1)
            };
            let source = match load {
                Some(load) => add(name, *load),
                None => *shared.get_or_insert_with(|| add("message".into(), scenario.load)),
            };
            let recorder = Recorder::new(receiver, scenario.points);
            // Each has another seed.
            let number = u64::try_from(index).unwrap_or(u64::MAX);
            let receiver = receiver.start(mix(scenario.seed) ^ number);
            endpoints.insert(id.clone(), EndpointSim { index, receiver, recorder, source });
            let subscription = sources.get(source).map(Source::subscription).unwrap_or_default();
            let endpoint = Endpoint::new(id, "https://receiver.example/", Signer::unsigned())
                .expect("the URL is absolute and HTTPS")
                .with_subscription(subscription)
                .with_policy(policy.clone());
            registry.insert(endpoint).expect("each has another number");
        }
        // Ended deliveries need not be retained: no message is published twice.
        let outbox =
            Outbox::new(registry, scenario.seed).without_storage().with_retention(Duration::ZERO);
        Self {
            scenario,
            outbox,
            now: START,
            sources,
            responses: BTreeMap::new(),
            next_response: 0,
            endpoints,
        }
    }

    fn reports(mut self) -> Vec<Report> {
        let limit = START + self.scenario.limit;
        loop {
            self.resolve();
            self.publish();
            let wake_at = self.drain();
            self.record_states();
            let event_at = self.next_event_at();
            if event_at.is_none() && self.responses.is_empty() && self.outbox.pending() == 0 {
                break;
            }
            let response_at = self.responses.keys().next().map(|(at, _)| *at);
            match event_at.into_iter().chain(response_at).chain(wake_at).min() {
                // Later instants saturate at the end of time, and would come again and again.
                Some(next) if next <= limit && next < Timestamp::MAX => self.now = next,
                _ => break,
            }
        }
        let ended_at = self.elapsed();
        let mut endpoints: Vec<_> = self.endpoints.into_values().collect();
        endpoints.sort_by_key(|endpoint| endpoint.index);
        endpoints.into_iter().map(|endpoint| endpoint.recorder.finish(ended_at)).collect()
    }

    fn elapsed(&self) -> Duration {
        self.now.saturating_since(START)
    }

    fn next_event_at(&self) -> Option<Timestamp> {
        let duration = self.scenario.duration;
        self.sources.iter().filter_map(|source| source.next_at(duration)).min().map(|at| START + at)
    }

    /// Resolves the attempts whose responses have arrived.
    fn resolve(&mut self) {
        while let Some(entry) = self.responses.first_entry()
            && entry.key().0 <= self.now
        {
            let (ticket, outcome) = entry.remove();
            self.outbox.resolve(&ticket, &outcome, self.now);
        }
    }

    /// Publishes the events that have arrived.
    fn publish(&mut self) {
        let (now, elapsed) = (self.now, self.elapsed());
        let Scenario { duration, lifetime, .. } = *self.scenario;
        for (index, source) in self.sources.iter_mut().enumerate() {
            while source.next_at(duration).is_some_and(|at| at <= elapsed) {
                let published = self.outbox.publish(source.next_message(lifetime, now), now);
                let accepted = published.expect("each message has another id").endpoints;
                for (id, endpoint) in &mut self.endpoints {
                    if endpoint.source == index {
                        endpoint.recorder.published(accepted.contains(id), elapsed);
                    }
                }
            }
        }
    }

    /// Does everything that is due, and returns when to poll again.
    fn drain(&mut self) -> Option<Timestamp> {
        loop {
            match self.outbox.poll(self.now) {
                // An outbox without storage has nothing to save.
                Step::Save(changes) => _ = self.outbox.saved(changes.revision()),
                Step::Send(attempt) => self.send(&attempt),
                Step::Notify(notice) => self.record(&notice),
                Step::Wait(until) => return Some(until),
                Step::Idle => return None,
            }
        }
    }

    fn send(&mut self, attempt: &Attempt) {
        let at = self.elapsed();
        let ticket = attempt.ticket();
        let endpoint = self.endpoints.get_mut(ticket.endpoint());
        let Some(EndpointSim { receiver, recorder, .. }) = endpoint else { return };
        recorder.attempt_started(ticket.attempt(), at);
        let Some(number) = message_number(ticket.message()) else { return };
        let reaction = receiver.handle(number, at);
        if reaction.refused {
            recorder.overloaded();
        }
        if reaction.accepted {
            recorder.received(number);
        }
        let deadline = attempt.deadline();
        let response = reaction.response.map(|(after, outcome)| (self.now + after, outcome));
        let (at, outcome) = response
            .filter(|(at, _)| *at < deadline)
            .unwrap_or_else(|| (deadline, Outcome::failed(Failure::Timeout)));
        self.responses.insert((at, self.next_response), (ticket.clone(), outcome));
        self.next_response = self.next_response.saturating_add(1);
    }

    fn record(&mut self, notice: &Notice) {
        let at = self.elapsed();
        // Endpoint notices are not needed: `record_states` sees every change of state.
        if let Notice::Settled { message, endpoint, verdict, attempts } = notice
            && let Some(number) = message_number(message)
            && let Some(EndpointSim { recorder, source, .. }) = self.endpoints.get_mut(endpoint)
            && let Some(source) = self.sources.get(*source)
        {
            recorder.delivery_ended(source.published_at(number), *verdict, *attempts, at);
        }
    }

    fn record_states(&mut self) {
        let at = self.elapsed();
        for (id, endpoint) in &mut self.endpoints {
            if let Ok(status) = self.outbox.status(id) {
                endpoint.recorder.state(status.health.state(), at);
            }
        }
    }
}
