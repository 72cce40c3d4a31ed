//! The host of a byte program, with its clock, its store and its receivers: [`World`].

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::time::Duration;

use labhook::health::EnabledBy;
use labhook::outbox::{Change, Changes, Record, ReplayFilter};
use labhook::{Attempt, Outbox, Registry, Step, Ticket, Timestamp, Verdict};

use super::Model;
use super::answer::Answer;
use super::model::Pair;
use super::registry::{
    ENDPOINTS, GUARANTEES, MESSAGES, START, STRICT, endpoint, endpoint_id, index_of, message,
    message_id, secs,
};

const MICRO: Duration = Duration::from_micros(1);
const RETENTION: Duration = Duration::from_secs(300);
/// Once everything works, all ends within this time.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

struct Request {
    ticket: Ticket,
    answer: Option<Answer>,
    /// Whether its message was forgotten since, and published again.
    is_stale: bool,
}

pub(super) struct World {
    outbox: Outbox,
    registry: Registry,
    settings: (usize, usize),
    model: Model,
    now: Timestamp,
    /// The time that has really passed, whatever the clock says.
    elapsed: Duration,
    disk: BTreeMap<String, Record>,
    /// The changes being saved, and the number of them on disk.
    saving: Option<(Changes, usize)>,
    requests: Vec<Request>,
    wait: Option<Timestamp>,
    draining: bool,
    /// Whether each endpoint is paused, if that is known, and whether it was when all was saved.
    paused: [(Option<bool>, Option<bool>); ENDPOINTS],
}

impl World {
    pub(super) fn new(batch: usize, part: usize) -> Self {
        let mut registry = Registry::new();
        for which in 0..ENDPOINTS {
            registry.insert(endpoint(which, 0)).unwrap();
        }
        Self {
            outbox: Self::outbox(registry.clone(), (batch, part)),
            registry,
            settings: (batch, part),
            model: Model::default(),
            now: START,
            elapsed: Duration::ZERO,
            disk: BTreeMap::new(),
            saving: None,
            requests: Vec::new(),
            wait: None,
            draining: false,
            paused: [(Some(false), Some(false)); ENDPOINTS],
        }
    }

    fn outbox(registry: Registry, (batch, part): (usize, usize)) -> Outbox {
        Outbox::new(registry, 7)
            .with_batch(NonZeroUsize::new(batch).unwrap())
            .with_save_limit(NonZeroUsize::new(part).unwrap())
            .with_retention(RETENTION)
    }

    /// Compares the outbox with the model.
    pub(super) fn check(&mut self) {
        let mut open = 0;
        let mut found = BTreeMap::new();
        for (message, endpoint, delivery) in self.outbox.deliveries() {
            let (pair, verdict) = ((message.id().clone(), endpoint.clone()), delivery.verdict());
            open += usize::from(verdict.is_none());
            found.insert(pair, (verdict, delivery.unanswered(), message.expires_at().is_some()));
        }
        assert_eq!(self.outbox.pending(), open);
        for which in 0..ENDPOINTS {
            let id = endpoint_id(which);
            if self.outbox.status(&id).is_ok_and(|it| it.health.disabled().is_some()) {
                self.model.endpoint_ended(&id);
            }
        }
        let lost = self.model.pending().find(|pair| !found.contains_key(*pair));
        assert!(lost.is_none(), "{lost:?} is lost");
        for (pair, (verdict, unanswered, expires)) in found {
            let guarantee = GUARANTEES[index_of(&pair.1)];
            self.model.observe(&pair, verdict, unanswered, guarantee, expires);
        }
    }

    pub(super) fn publish(&mut self, which: usize) {
        let id = message_id(which);
        let published = self.outbox.publish(message(which), self.now).unwrap();
        assert!(!published.differs);
        if published.duplicate {
            assert!(!self.model.is_new(&id), "{id} is new");
            return;
        }
        assert!(!self.model.must_know(&id), "{id} was known");
        let mut all: Vec<_> = published.endpoints.clone();
        all.extend(published.shed.iter().cloned());
        assert!(published.render_failures.is_empty());
        all.sort();
        let enabled = self.registry.iter().filter(|it| it.enabled).map(|it| it.id().clone());
        assert_eq!(all, enabled.collect::<Vec<_>>());
        for request in &mut self.requests {
            request.is_stale |= *request.ticket.message() == id;
        }
        self.model.published(&id, published);
    }

    /// One step; returns whether there may be another one.
    pub(super) fn poll(&mut self) -> bool {
        self.wait = None;
        match self.outbox.poll(self.now) {
            Step::Save(changes) => {
                assert!(self.saving.is_none(), "one save at a time");
                assert!(!changes.is_empty());
                self.saving = Some((changes, 0));
            }
            Step::Send(attempt) => self.send(&attempt),
            Step::Notify(_) => {}
            Step::Wait(until) => {
                assert!(until > self.now, "a wait is after now");
                self.wait = Some(until);
                if until > self.now + MICRO {
                    let again = self.outbox.poll(self.now);
                    assert!(matches!(again, Step::Wait(same) if same == until), "{again:?}");
                    self.quiet();
                }
                return false;
            }
            Step::Idle => {
                let again = self.outbox.poll(self.now);
                assert!(matches!(again, Step::Idle), "{again:?}");
                self.quiet();
                return false;
            }
        }
        true
    }

    /// There is nothing to do: everything is saved, unless it is being saved.
    fn quiet(&mut self) {
        if self.saving.is_none() {
            self.check();
            self.model.all_saved();
            for (paused, durable) in &mut self.paused {
                *durable = *paused;
            }
        }
    }

    fn send(&mut self, attempt: &Attempt) {
        let ticket = attempt.ticket().clone();
        let pair: Pair = (ticket.message().clone(), ticket.endpoint().clone());
        let which = index_of(&pair.1);
        assert!(!self.draining, "{ticket:?} was sent while draining");
        assert_ne!(self.paused[which].0, Some(true), "{ticket:?} was sent while paused");
        assert!(attempt.deadline() > self.now);
        assert!(self.registry.get(&pair.1).is_some_and(|it| it.enabled), "{pair:?} is held");
        let request = attempt.request(self.now).unwrap();
        assert_eq!(request.uri(), attempt.endpoint().expose_url());
        if which == STRICT && !self.model.is_muddled(&pair.0) {
            for before in self.model.before(&pair) {
                let delivery = self.outbox.delivery(before, &pair.1);
                let has_ended = delivery.is_none_or(|(_, it)| it.verdict().is_some());
                assert!(has_ended || self.model.is_muddled(before), "{pair:?} overtook {before}");
            }
        }
        let timeout = attempt.timeout(self.now);
        self.model.sent(&ticket, self.elapsed, timeout, GUARANTEES[which]);
        self.requests.push(Request { ticket, answer: None, is_stale: false });
    }

    pub(super) fn write(&mut self, count: usize) {
        let Some((changes, written)) = &mut self.saving else { return };
        for change in changes.iter().skip(*written).take(count) {
            match change {
                Change::Put(record) => {
                    self.disk.insert(record.key().to_string(), record.clone());
                }
                Change::Delete(key) => _ = self.disk.remove(&key.to_string()),
            }
            *written += 1;
        }
    }

    pub(super) fn confirm(&mut self) {
        self.write(usize::MAX);
        let Some((changes, _)) = self.saving.take() else { return };
        assert!(self.outbox.saved(changes.revision()));
        assert!(!self.outbox.saved(changes.revision()), "confirming again changes nothing");
        self.model.confirmed(&changes);
    }

    pub(super) fn fail_to_write(&mut self, count: usize) {
        self.write(count);
        let Some((changes, _)) = self.saving.take() else { return };
        assert!(self.outbox.unsaved(changes.revision()));
        assert!(!self.outbox.unsaved(changes.revision()), "failing again changes nothing");
    }

    pub(super) fn answer(&mut self, which: usize, answer: Answer) {
        if self.requests.is_empty() {
            return;
        }
        let count = self.requests.len();
        let request = &mut self.requests[which % count];
        let ticket = request.ticket.clone();
        let answer = match request.answer {
            None => {
                if answer.is_accepted() && !request.is_stale {
                    self.model.accepted_by_receiver(&ticket);
                }
                answer
            }
            // It arrives after all.
            Some(Answer::OkLate) => Answer::Ok,
            Some(answer) => answer,
        };
        request.answer = Some(answer);
        let is_stale = request.is_stale;
        let Some((outcome, explains)) = answer.outcome(self.now) else { return };
        let resolution = self.outbox.resolve(&ticket, &outcome, self.now);
        if is_stale {
            let is_ignored = matches!(resolution, labhook::delivery::Resolution::Ignored(_));
            assert!(is_ignored, "{ticket:?} is of an earlier message: {resolution:?}");
        } else {
            let is_certain = !matches!(answer, Answer::Broken { .. });
            self.model.resolved(&ticket, is_certain, explains, resolution);
        }
    }

    pub(super) fn advance(&mut self, millis: u64) {
        self.pass(Duration::from_millis(millis));
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.elapsed += time;
    }

    /// Sleeps until the wake-up, if there is nothing else to do. Before it nothing changes.
    pub(super) fn sleep(&mut self) {
        let mut same = self.outbox.clone();
        let Step::Wait(until) = same.poll(self.now) else { return };
        if until > self.now + 2 * MICRO {
            let early = same.poll(until - MICRO);
            assert!(matches!(early, Step::Wait(same) if same == until), "{early:?} before {until}");
        }
        self.pass(until.saturating_since(self.now));
    }

    pub(super) fn turn_back(&mut self, millis: u64) {
        self.now -= Duration::from_millis(millis);
    }

    pub(super) fn leap(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.model.clock_leapt();
    }

    pub(super) fn crash(&mut self, written: usize) {
        self.check();
        self.write(written);
        (self.saving, self.draining) = (None, false);
        for (paused, durable) in &mut self.paused {
            if paused != durable {
                *paused = None;
            }
        }
        // After an earlier message of that id was restored, they may be valid again.
        self.requests.retain(|request| !request.is_stale);
        let outbox = Self::outbox(self.registry.clone(), self.settings);
        self.outbox = outbox.restore(self.disk.values().cloned(), self.now).unwrap();
        let found = self.outbox.deliveries().map(|(message, endpoint, delivery)| {
            ((message.id().clone(), endpoint.clone()), delivery.verdict())
        });
        let found: BTreeMap<Pair, Option<Verdict>> = found.collect();
        // The host publishes again what was not durable.
        for id in self.model.crashed(&found) {
            let which = (0..MESSAGES).find(|which| message_id(*which) == id).unwrap();
            self.publish(which);
        }
    }

    pub(super) fn disable(&mut self, which: usize) {
        let id = endpoint_id(which);
        if self.outbox.disable_endpoint(&id, None, self.now).is_ok() {
            self.model.endpoint_ended(&id);
        }
    }

    pub(super) fn enable(&mut self, which: usize, by_operator: bool) {
        let by = if by_operator { EnabledBy::Operator } else { EnabledBy::Automation };
        let _ = self.outbox.enable_endpoint(&endpoint_id(which), by, self.now);
    }

    pub(super) fn pause(&mut self, which: usize) {
        if self.outbox.pause_endpoint(&endpoint_id(which), self.now).is_ok() {
            self.paused[which].0 = Some(true);
        }
    }

    pub(super) fn resume(&mut self, which: usize) {
        if self.outbox.resume_endpoint(&endpoint_id(which), self.now).is_ok() {
            self.paused[which].0 = Some(false);
        }
    }

    pub(super) fn replace(&mut self, which: usize, variant: u8) {
        let endpoint = endpoint(which, variant);
        let was = self.registry.replace(endpoint.clone()).is_ok();
        assert_eq!(self.outbox.replace_endpoint(endpoint, self.now).is_ok(), was);
    }

    pub(super) fn remove(&mut self, which: usize) {
        let id = endpoint_id(which);
        self.registry.remove(&id);
        if self.outbox.remove_endpoint(&id, self.now).is_ok() {
            self.model.endpoint_ended(&id);
            self.paused[which].0 = None;
        }
    }

    pub(super) fn insert(&mut self, which: usize) {
        let endpoint = endpoint(which, 0);
        let is_new = self.registry.insert(endpoint.clone()).is_ok();
        assert_eq!(self.outbox.insert_endpoint(endpoint, self.now).is_ok(), is_new);
    }

    pub(super) fn withdraw(&mut self, which: usize) {
        self.check();
        let id = message_id(which);
        self.outbox.withdraw(&id, self.now);
        for endpoint in 0..ENDPOINTS {
            self.model.withdrawn(&(id.clone(), endpoint_id(endpoint)));
        }
    }

    pub(super) fn withdraw_from(&mut self, which: usize, endpoint: usize) {
        let (message, endpoint) = (message_id(which), endpoint_id(endpoint));
        if self.outbox.withdraw_from(&message, &endpoint, self.now) {
            self.model.withdrawn(&(message, endpoint));
        }
    }

    pub(super) fn unpublish(&mut self, which: usize) {
        let id = message_id(which);
        if self.outbox.unpublish(&id, self.now) {
            assert!(!self.model.is_durable(&id), "{id} was saved");
            self.model.unpublished(&id);
        }
    }

    pub(super) fn replay(&mut self, failed: bool, endpoint: Option<usize>) {
        self.check();
        let mut filter = ReplayFilter::all();
        if failed {
            filter = filter.only_failed();
        }
        if let Some(which) = endpoint {
            filter = filter.with_endpoint(endpoint_id(which));
        }
        let mut plan = self.outbox.plan_replay(&filter, secs(1), self.now);
        let planned: Vec<_> = plan.iter().map(|(m, e, _)| (m.clone(), e.clone())).collect();
        let mut again = plan.clone();
        assert_eq!(self.outbox.replay(&mut plan, self.now), planned.len());
        assert!(plan.is_empty());
        for pair in &planned {
            self.model.replayed(pair);
        }
        assert_eq!(self.outbox.replay(&mut again, self.now), 0, "a plan is carried out once");
    }

    pub(super) fn resend(&mut self, which: usize, endpoint: usize) {
        let (message, endpoint) = (message_id(which), endpoint_id(endpoint));
        if self.outbox.resend(&message, &endpoint, self.now) {
            self.model.resent(&(message, endpoint));
        }
    }

    pub(super) fn give_up(&mut self, which: usize, endpoint: usize) {
        let (message, endpoint) = (message_id(which), endpoint_id(endpoint));
        if self.outbox.give_up(&message, &endpoint, self.now) {
            self.model.given_up(&(message, endpoint));
        }
    }

    pub(super) fn drain(&mut self, draining: bool) {
        if draining {
            self.outbox.drain();
        } else {
            self.outbox.undrain();
        }
        self.draining = draining;
    }

    /// From here on, everything works.
    pub(super) fn finish(&mut self) {
        self.confirm();
        self.drain(false);
        for which in 0..ENDPOINTS {
            self.insert(which);
            self.replace(which, 0);
            self.enable(which, true);
            self.resume(which);
        }
        let start = self.elapsed;
        for _ in 0..10_000 {
            while self.poll() {
                self.confirm();
                let last = self.requests.len().saturating_sub(1);
                if self.requests.last().is_some_and(|it| it.answer.is_none()) {
                    self.answer(last, Answer::Ok);
                }
            }
            self.confirm();
            for message in 0..MESSAGES {
                self.give_up(message, ENDPOINTS - 1);
            }
            self.check();
            if self.outbox.pending() == 0 {
                self.model.finished();
                return;
            }
            if let Some(until) = self.wait {
                self.pass(until.saturating_since(self.now));
            }
            assert!(self.elapsed - start < LONGEST, "still pending after {:?}", self.elapsed);
        }
        panic!("the outbox does not come to an end");
    }
}
