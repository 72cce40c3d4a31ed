//! Runs a [`Scenario`]: an outbox, receivers, and a clock that jumps.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use super::clock::{next_jump, shifted};
use super::endpoint_sim::EndpointSim;
use super::receiver::is_success;
use super::recorder::Recorder;
use super::report::Report;
use super::scenario::{EndpointSpec, Scenario};
use super::source::{Source, endpoint_index, message_number};
use super::watched::Watched;
use crate::delivery::{Failure, Outcome, Verdict};
use crate::endpoint::{Endpoint, Registry};
use crate::id::{EndpointId, MessageId};
use crate::mix::mix;
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
    /// The true time, which the outbox does not see while its clock is wrong.
    now: Timestamp,
    sources: Vec<Source>,
    /// When the next event of each source arrives, and the index of the source.
    arrivals: BinaryHeap<Reverse<(Duration, usize)>>,
    /// Outcomes to resolve, by their time; the number keeps those of one instant in order.
    responses: BTreeMap<(Timestamp, u64), (Ticket, Outcome)>,
    next_response: u64,
    endpoints: Vec<EndpointSim>,
    /// The endpoints at which a second can begin with a delivery that is held back.
    watched: Watched,
    /// The indexes of endpoints whose state has changed at this instant.
    changed: BTreeSet<usize>,
}

impl<'a> Run<'a> {
    fn new(scenario: &'a Scenario) -> Self {
        let mut registry = Registry::new();
        let (mut sources, mut shared) = (Vec::new(), None);
        let mut endpoints = Vec::new();
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
            let subscription = sources.get_mut(source).map(|source| source.subscribe(index));
            let recorder = Recorder::new(receiver, scenario.points);
            // Each has another seed.
            let number = u64::try_from(index).unwrap_or(u64::MAX);
            let receiver = receiver.start(mix(scenario.seed) ^ number);
            endpoints.push(EndpointSim::new(id.clone(), receiver, recorder, source));
            let endpoint = Endpoint::new(id, "https://receiver.example/", Signer::unsigned())
                .expect("the URL is absolute and HTTPS")
                .with_subscription(subscription.unwrap_or_default())
                .with_policy(policy.clone());
            registry.insert(endpoint).expect("each has another number");
        }
        // Ended deliveries need not be retained: no message is published twice.
        let outbox =
            Outbox::new(registry, scenario.seed).without_storage().with_retention(Duration::ZERO);
        let next = |source: &Source| source.next_at(scenario.duration);
        let arrivals = sources.iter().map(next).enumerate();
        let arrivals = arrivals.filter_map(|(index, at)| Some(Reverse((at?, index)))).collect();
        Self {
            scenario,
            outbox,
            now: START,
            sources,
            arrivals,
            responses: BTreeMap::new(),
            next_response: 0,
            endpoints,
            watched: Watched::default(),
            changed: BTreeSet::new(),
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
                Some(next) if next <= limit && next < Timestamp::MAX => self.advance(next),
                _ => break,
            }
        }
        let ended_at = self.elapsed();
        let endpoints = self.endpoints.into_iter();
        endpoints.map(|endpoint| endpoint.recorder.finish(ended_at)).collect()
    }

    /// Moves on to the next instant at which something happens, or to an earlier jump of the clock.
    fn advance(&mut self, next: Timestamp) {
        let elapsed = self.elapsed();
        let jump = next_jump(&self.scenario.clock_jumps, elapsed).map(|at| START + at);
        let next = jump.map_or(next, |jump| jump.min(next));
        let to = next.saturating_since(START);
        if elapsed.as_secs() != to.as_secs() {
            let clock = self.clock();
            self.watched.pass(&mut self.endpoints, &self.outbox, clock, elapsed, to);
        }
        self.now = next;
    }

    /// The sender's time.
    fn clock(&self) -> Timestamp {
        shifted(&self.scenario.clock_jumps, self.elapsed(), self.now)
    }

    fn elapsed(&self) -> Duration {
        self.now.saturating_since(START)
    }

    fn next_event_at(&self) -> Option<Timestamp> {
        self.arrivals.peek().map(|Reverse((at, _))| START + *at)
    }

    /// Resolves the attempts whose responses have arrived.
    fn resolve(&mut self) {
        let clock = self.clock();
        while let Some(entry) = self.responses.first_entry()
            && entry.key().0 <= self.now
        {
            let (ticket, outcome) = entry.remove();
            self.outbox.resolve(&ticket, &outcome, clock);
        }
    }

    /// Publishes the events that have arrived, source by source.
    fn publish(&mut self) {
        let elapsed = self.elapsed();
        let mut due = BTreeSet::new();
        while let Some(Reverse((at, source))) = self.arrivals.peek()
            && *at <= elapsed
        {
            due.insert(*source);
            self.arrivals.pop();
        }
        for source in due {
            self.publish_from(source, elapsed);
        }
    }

    fn publish_from(&mut self, index: usize, elapsed: Duration) {
        let now = self.clock();
        let Scenario { duration, lifetime, .. } = *self.scenario;
        let Some(source) = self.sources.get_mut(index) else { return };
        while source.next_at(duration).is_some_and(|at| at <= elapsed) {
            let number = source.next_number();
            let published = self.outbox.publish(source.next_message(lifetime, now), now);
            let accepted = published.expect("each message has another id").endpoints;
            // Mostly all of them, which saves the search.
            let by_all = accepted.len() == source.endpoints().len();
            let accepted: BTreeSet<_> = if by_all { [].into() } else { accepted.iter().collect() };
            for endpoint in source.endpoints() {
                let Some(sim) = self.endpoints.get_mut(*endpoint) else { continue };
                let is_good = !sim.receiver.is_poisoned(number);
                let is_accepted = by_all || accepted.contains(&sim.id);
                sim.recorder.published(is_accepted, is_good, elapsed);
                if is_accepted {
                    self.watched.add(*endpoint, sim);
                }
            }
        }
        if let Some(at) = source.next_at(duration) {
            self.arrivals.push(Reverse((at, index)));
        }
    }

    /// Does everything that is due, and returns when to poll again.
    fn drain(&mut self) -> Option<Timestamp> {
        let clock = self.clock();
        loop {
            match self.outbox.poll(clock) {
                // An outbox without storage has nothing to save.
                Step::Save(changes) => _ = self.outbox.saved(changes.revision()),
                Step::Send(attempt) => self.send(&attempt, clock),
                Step::Notify(notice) => self.record(&notice),
                // Only at the end of time it is not later.
                Step::Wait(until) if until <= clock => return None,
                Step::Wait(until) => return Some(self.now + until.saturating_since(clock)),
                Step::Idle => return None,
            }
        }
    }

    /// Lets the receiver handle an attempt that starts at `clock`, the sender's time.
    fn send(&mut self, attempt: &Attempt, clock: Timestamp) {
        let at = self.elapsed();
        let ticket = attempt.ticket();
        let endpoint = endpoint_index(ticket.endpoint());
        let endpoint = endpoint.and_then(|index| self.endpoints.get_mut(index));
        let Some(EndpointSim { receiver, recorder, .. }) = endpoint else { return };
        let Some(number) = message_number(ticket.message()) else { return };
        recorder.attempt_started(ticket.attempt(), receiver.down_until(at).is_some(), at);
        let reaction = receiver.handle(number, at);
        if reaction.refused {
            recorder.overloaded();
        }
        if reaction.accepted {
            recorder.received(number, at);
        }
        let timeout = attempt.timeout(clock);
        let response = reaction.response.filter(|(latency, _)| *latency < timeout);
        let (latency, outcome) =
            response.unwrap_or_else(|| (timeout, Outcome::failed(Failure::Timeout)));
        if !is_success(&outcome) {
            recorder.failed();
        }
        let key = (self.now + latency, self.next_response);
        self.responses.insert(key, (ticket.clone(), outcome));
        self.next_response = self.next_response.saturating_add(1);
    }

    fn record(&mut self, notice: &Notice) {
        match notice {
            Notice::Settled { message, endpoint, verdict, attempts } => {
                self.record_end(message, endpoint, *verdict, *attempts);
            }
            // Every change of state has one of these.
            Notice::EndpointDown { endpoint, .. }
            | Notice::EndpointDisabled { endpoint, .. }
            | Notice::EndpointRecovered { endpoint, .. } => {
                self.changed.extend(endpoint_index(endpoint));
            }
            _ => {}
        }
    }

    fn record_end(
        &mut self,
        message: &MessageId,
        endpoint: &EndpointId,
        verdict: Verdict,
        attempts: u32,
    ) {
        let at = self.elapsed();
        let endpoint = endpoint_index(endpoint);
        if let Some(number) = message_number(message)
            && let Some(EndpointSim { receiver, recorder, source, .. }) =
                endpoint.and_then(|index| self.endpoints.get_mut(index))
            && let Some(source) = self.sources.get(*source)
        {
            let is_good = !receiver.is_poisoned(number);
            let published_at = source.published_at(number);
            recorder.delivery_ended(published_at, verdict, attempts, is_good, at);
        }
    }

    /// Records the states at the end of an instant.
    fn record_states(&mut self) {
        let at = self.elapsed();
        for index in std::mem::take(&mut self.changed) {
            if let Some(endpoint) = self.endpoints.get_mut(index)
                && let Ok(status) = self.outbox.status(&endpoint.id)
            {
                endpoint.recorder.state(status.health.state(), at);
            }
        }
    }
}
