//! The world of the exhaustive search: one outbox, its storage, its receivers, and everything a
//! host may do next.
//!
//! Nothing here is random: a world follows from the list of its inputs.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use labhook::delivery::{Delivery, Resolution, ResponseRules};
use labhook::flow::ConcurrencyLimitPolicy;
use labhook::id::RunId;
use labhook::outbox::{Change, Changes, Record, Revision};
use labhook::{
    Endpoint, FlowPolicy, HealthPolicy, Message, Notice, Outbox, Registry, RetryPolicy, Step,
    Subscription, Ticket, Timestamp, Verdict,
};

use super::digest::{Pieces, Retention, digest};
use super::search::Model;
use crate::support::{answer, at, eid, endpoint, message, policy, registry, secs};

/// `m` goes to both endpoints and `n` to `a` alone: three deliveries in all.
pub(crate) const DELIVERIES: [(&str, &str); 3] = [("m", "a"), ("m", "b"), ("n", "a")];
const MESSAGES: [&str; 2] = ["m", "n"];

/// Longer than any run here.
const RETAIN: Duration = Duration::from_secs(1_000_000);

/// The most that the host, its storage and its receivers may do, in any order.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) crashes: u8,
    pub(crate) failed_saves: u8,
    pub(crate) late_answers: u8,
    /// How often time may pass while a save is under way.
    pub(crate) slow_saves: u8,
    /// Messages published after the first response, or after time first passes.
    pub(crate) late_messages: u8,
}

/// A search: policies, endpoints and limits.
pub(crate) struct Scope {
    registry: Registry,
    messages: [Message; 2],
    policy: RetryPolicy,
    limits: Limits,
    save_limit: NonZeroUsize,
    /// Whether the endpoints have neither health nor flow control to hold anything back.
    free: bool,
}

impl Scope {
    /// This number of attempts, with retries 5 s after a failure; an attempt has 10 s.
    pub(crate) fn new(attempts: usize, limits: Limits) -> Self {
        let policy = policy(&[5, 5][..attempts - 1]).with_responses(ResponseRules::shopware());
        Self::with(policy, limits, &HealthPolicy::never(), FlowPolicy::fixed())
    }

    /// Endpoints that react to the first failure: it opens the circuit, and five seconds later the
    /// endpoint is disabled; one attempt in flight at first, and two at most.
    pub(crate) fn strict(attempts: usize, limits: Limits) -> Self {
        let [one, two] = [1, 2].map(|count| NonZeroU32::new(count).unwrap());
        let health = HealthPolicy::new()
            .with_failures(NonZeroU32::MIN)
            .with_refused_for(Duration::ZERO)
            .with_probes(secs(5), secs(5))
            .with_disable_after(secs(5));
        let flow = FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::adaptive(one, two));
        let scope = Self::new(attempts, limits);
        Self { free: false, ..Self::with(scope.policy, limits, &health, flow) }
    }

    fn with(policy: RetryPolicy, limits: Limits, health: &HealthPolicy, flow: FlowPolicy) -> Self {
        let with = |id: &str| -> Endpoint {
            endpoint(id).with_retry(policy.clone()).with_health(*health).with_flow(flow)
        };
        let to_both = Subscription::all().runs([RunId::from("m")]);
        let registry = registry([with("a"), with("b").with_subscription(to_both)]);
        let save_limit = NonZeroUsize::MAX;
        Self { registry, messages: MESSAGES.map(message), policy, limits, save_limit, free: true }
    }

    /// Saves the records one by one.
    pub(crate) fn one_by_one(self) -> Self {
        Self { save_limit: NonZeroUsize::MIN, ..self }
    }

    fn outbox(&self) -> Outbox {
        let outbox = Outbox::new(self.registry.clone(), 7).with_retention(RETAIN);
        outbox.with_save_limit(self.save_limit)
    }
}

/// The next input. The numbers are indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    Publish,
    /// The receiver's response to the attempt.
    Answer(u8, u16),
    /// The save is durable, and the outbox is notified.
    Confirm,
    /// Writing failed after this number of changes.
    Fail(u8),
    /// The same, and the process crashes.
    Crash(u8),
    /// Time passes until the wake-up.
    Sleep,
}

/// An attempt that was sent, with no result yet.
#[derive(Clone, Debug)]
struct Sent {
    ticket: Ticket,
    delivery: usize,
}

/// What the world knows of one delivery.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    sent: u32,
    /// Attempts with a response other than a success.
    refused: u32,
    last_number: u32,
    verdict: Option<Verdict>,
    notified: Option<Verdict>,
}

#[derive(Clone)]
pub(crate) struct World<'a> {
    scope: &'a Scope,
    pub(crate) outbox: Outbox,
    now: Timestamp,
    disk: BTreeMap<String, Record>,
    saving: Option<Changes>,
    wire: Vec<Sent>,
    tallies: [Tally; 3],
    /// The revision that makes each published message durable; `None` if it is.
    published: Vec<Option<Revision>>,
    used: Limits,
    wait: Option<Timestamp>,
}

impl<'a> World<'a> {
    pub(crate) fn new(scope: &'a Scope) -> Self {
        let mut world = Self {
            scope,
            outbox: scope.outbox(),
            now: at(0),
            disk: BTreeMap::new(),
            saving: None,
            wire: Vec::new(),
            tallies: [Tally::default(); 3],
            published: Vec::new(),
            used: Limits::default(),
            wait: None,
        };
        world.drain();
        world
    }

    fn publish(&mut self, number: usize, durable: bool) {
        let published = self.outbox.publish(self.scope.messages[number].clone(), self.now).unwrap();
        assert!(published.duplicate || !durable, "a durable message is known");
        self.published[number] = Some(published.revision).filter(|_| !durable);
    }

    fn write(&mut self, changes: &Changes, count: usize) {
        for change in changes.iter().take(count) {
            match change {
                Change::Put(record) => {
                    self.disk.insert(record.key().to_string(), record.clone());
                }
                Change::Delete(key) => _ = self.disk.remove(&key.to_string()),
            }
        }
    }

    fn crash(&mut self, written: usize) {
        self.used.crashes += 1;
        if let Some(changes) = self.saving.take() {
            self.write(&changes, written);
        }
        let records = self.disk.values().cloned();
        self.outbox = self.scope.outbox().restore(records, self.now).unwrap();
        for tally in &mut self.tallies {
            // Only a confirmed save is known to be durable.
            tally.verdict = tally.notified;
        }
        // Durable messages are known, and the others are published again.
        for number in 0..self.published.len() {
            self.publish(number, self.published[number].is_none());
        }
    }

    fn answer(&mut self, index: usize, status: u16) {
        let live = self.is_live(&self.wire[index]);
        let Sent { ticket, delivery } = self.wire.remove(index);
        self.used.late_answers += u8::from(!live);
        self.tallies[delivery].refused += u32::from(status != 200);
        let before = self.delivery(delivery);
        let resolution = self.outbox.resolve(&ticket, &answer(status), self.now);
        match (live, status) {
            (true, 200) => assert_eq!(resolution, Resolution::Ended(Verdict::Delivered)),
            (true, 400) => assert_eq!(resolution, Resolution::Ended(Verdict::Rejected)),
            (true, 410) => assert_eq!(resolution, Resolution::Ended(Verdict::Gone)),
            (true, _) => assert!(!matches!(resolution, Resolution::Ignored(_))),
            // 5: a late success ends the delivery, a late failure changes nothing.
            (false, 200) => {
                assert_eq!(resolution, Resolution::LateSuccess);
                let verdict = self.delivery(delivery).unwrap().verdict();
                assert_eq!(verdict, Some(Verdict::Delivered));
            }
            (false, _) => {
                assert!(matches!(resolution, Resolution::Ignored(_)), "{resolution:?}");
                assert_eq!(self.delivery(delivery), before);
            }
        }
    }

    /// Whether the outbox waits for the attempt's result.
    fn is_live(&self, sent: &Sent) -> bool {
        let in_flight = self.delivery(sent.delivery).and_then(|it| it.in_flight());
        in_flight.is_some_and(|started| started.number == sent.ticket.attempt())
    }

    fn delivery(&self, index: usize) -> Option<Delivery> {
        let (message, endpoint) = DELIVERIES[index];
        let mut all = self.outbox.deliveries();
        all.find(|(m, e, _)| m.id().as_str() == message && e.as_str() == endpoint).map(|it| it.2)
    }

    /// Polls until there is nothing to do.
    fn drain(&mut self) {
        self.wait = None;
        loop {
            match self.outbox.poll(self.now) {
                Step::Save(changes) => {
                    assert!(self.saving.is_none() && !changes.is_empty());
                    self.saving = Some(changes);
                }
                Step::Send(attempt) => {
                    assert!(attempt.deadline() > self.now, "handed out past its deadline");
                    self.sent(attempt.ticket());
                }
                Step::Notify(Notice::Settled { message, endpoint, verdict, attempts }) => {
                    let index = index(message.as_str(), endpoint.as_str());
                    // 1: exactly one verdict, notified once, crashes or not.
                    assert_eq!(
                        self.tallies[index].notified.replace(verdict),
                        None,
                        "notified twice"
                    );
                    assert_eq!(self.delivery(index).unwrap().attempts(), attempts);
                }
                Step::Notify(_) => {}
                Step::Wait(until) => {
                    assert!(until > self.now, "a wait is after now");
                    // Only forgetting what has ended is left.
                    self.wait = Some(until).filter(|it| it.saturating_since(self.now) < RETAIN / 2);
                    break;
                }
                Step::Idle => break,
            }
        }
        for index in 0..DELIVERIES.len() {
            let verdict = self.delivery(index).and_then(|it| it.verdict());
            // 2: what has ended stays ended.
            let known = self.tallies[index].verdict;
            assert!(known.is_none() || known == verdict, "{known:?} became {verdict:?}");
            self.tallies[index].verdict = verdict;
        }
        // No result of these can count any longer.
        let late = self.used.late_answers < self.scope.limits.late_answers;
        let mut wire = std::mem::take(&mut self.wire);
        wire.retain(|sent| {
            self.tallies[sent.delivery].verdict.is_none() && (late || self.is_live(sent))
        });
        wire.sort_by(|one, other| one.ticket.cmp(&other.ticket));
        self.wire = wire;
    }

    fn sent(&mut self, ticket: &Ticket) {
        let (message, endpoint) = (ticket.message().as_str(), ticket.endpoint().as_str());
        let index = index(message, endpoint);
        // 10: no attempt starts at or past the end of the window.
        let delivery = self.delivery(index).unwrap();
        assert!(delivery.window_end(&self.scope.policy).is_none_or(|end| self.now < end));
        // Write-ahead.
        let Some(Record::Delivery(saved)) =
            self.disk.get(&format!("delivery/{message}/{endpoint}"))
        else {
            panic!("{ticket:?} was sent before it was saved");
        };
        let number = saved.delivery().in_flight().map(|started| started.number);
        assert_eq!(number, Some(ticket.attempt()));
        // 3: one live attempt, and numbers rise; by one, unless a crash hid that an attempt was not
        // made.
        let lost = self.used.crashes > 0;
        let tally = &mut self.tallies[index];
        let next = tally.last_number + 1;
        assert!(ticket.attempt() == next || lost && ticket.attempt() > next, "{ticket:?}");
        assert!(tally.verdict.is_none());
        tally.last_number = ticket.attempt();
        tally.sent += 1;
        self.wire.push(Sent { ticket: ticket.clone(), delivery: index });
    }

    /// 20 and 25: a delivery that has not ended is in flight, waits for an instant, or is about to
    /// be saved.
    fn check_moving(&self, index: usize, delivery: &Delivery) {
        if self.saving.is_some() {
            return;
        }
        let endpoint = DELIVERIES[index].1;
        let status = self.outbox.status(&eid(endpoint)).unwrap();
        let disabled = status.health.disabled().is_some();
        assert!(self.wait.is_some(), "{endpoint}: nothing drives {delivery:?}");
        if delivery.in_flight().is_some() {
            return;
        }
        assert!(!disabled, "{endpoint} is disabled, and strands {delivery:?}");
        // With nothing to hold it back, a due delivery would be in flight.
        if self.scope.free {
            let due = delivery.claim_at(&self.scope.policy).unwrap();
            assert!(due > self.now && self.wait.is_some_and(|wait| wait <= due));
        }
    }
}

impl Model for World<'_> {
    type Input = Input;
    type Broken = Infallible;

    fn inputs(&self) -> Vec<Input> {
        let mut inputs = Vec::new();
        let Limits { crashes, failed_saves, slow_saves, .. } = self.scope.limits;
        // Messages that cannot come late come first.
        let early = MESSAGES.len() - usize::from(self.scope.limits.late_messages);
        if self.published.len() < MESSAGES.len() {
            inputs.push(Input::Publish);
        }
        if self.published.len() < early {
            return inputs;
        }
        for (index, sent) in (0_u8..).zip(&self.wire) {
            let all = [200, 500, 400, 410];
            let late = &all[..2];
            let may = if self.is_live(sent) { &all } else { late };
            inputs.extend(may.iter().map(|status| Input::Answer(index, *status)));
        }
        let changes =
            self.saving.as_ref().map_or(0, |changes| u8::try_from(changes.len()).unwrap());
        if self.saving.is_some() {
            inputs.push(Input::Confirm);
            if self.used.failed_saves < failed_saves {
                inputs.extend([0, changes].map(Input::Fail));
            }
        }
        if self.used.crashes < crashes {
            inputs.extend((0..=changes).map(Input::Crash));
        }
        if self.wait.is_some() && (self.saving.is_none() || self.used.slow_saves < slow_saves) {
            inputs.push(Input::Sleep);
        }
        inputs
    }

    /// Storage works, receivers accept and time passes.
    fn fair(&self) -> Option<Input> {
        let early = MESSAGES.len() - usize::from(self.scope.limits.late_messages);
        if self.published.len() < early {
            return Some(Input::Publish);
        }
        if self.saving.is_some() {
            return Some(Input::Confirm);
        }
        if let Some((index, _)) = (0_u8..).zip(&self.wire).find(|(_, sent)| self.is_live(sent)) {
            return Some(Input::Answer(index, 200));
        }
        self.wait.map(|_| Input::Sleep)
    }

    fn act(&mut self, input: Input) -> Vec<Infallible> {
        match input {
            Input::Publish => {
                self.published.push(None);
                self.publish(self.published.len() - 1, false);
            }
            Input::Answer(index, status) => self.answer(usize::from(index), status),
            Input::Confirm => {
                let changes = self.saving.take().unwrap();
                self.write(&changes, changes.len());
                assert!(self.outbox.saved(changes.revision()));
                for (message, durable_with) in MESSAGES.iter().zip(&mut self.published) {
                    if durable_with.is_some_and(|it| it <= changes.revision()) {
                        assert!(self.disk.contains_key(&format!("message/{message}")));
                        *durable_with = None;
                    }
                }
            }
            Input::Fail(written) => {
                self.used.failed_saves += 1;
                let changes = self.saving.take().unwrap();
                self.write(&changes, usize::from(written));
                assert!(self.outbox.unsaved(changes.revision()));
            }
            Input::Crash(written) => self.crash(usize::from(written)),
            Input::Sleep => {
                self.used.slow_saves += u8::from(self.saving.is_some());
                self.now = self.wait.unwrap();
            }
        }
        self.drain();
        Vec::new()
    }

    /// Holds whenever the outbox has nothing left to do.
    fn check(&self) {
        let mut open = 0;
        for (index, tally) in self.tallies.iter().enumerate() {
            let Some(delivery) = self.delivery(index) else { continue };
            assert!(delivery.attempts() <= 3);
            open += usize::from(tally.verdict.is_none());
            // 4: every attempt that was not rejected may have been accepted.
            let copies = (tally.sent - tally.refused).saturating_sub(1);
            assert!(copies <= delivery.unanswered(), "{:?}: {copies} copies", DELIVERIES[index]);
            if tally.verdict == Some(Verdict::Delivered) {
                assert!(tally.sent > tally.refused, "delivered but not received");
            }
            if tally.verdict.is_none() {
                self.check_moving(index, &delivery);
            }
        }
        assert_eq!(self.outbox.pending(), open);
    }

    /// Everything published has ended, durably.
    fn check_end(&self) -> Vec<Infallible> {
        assert!(self.outbox.pending() == 0 && self.saving.is_none(), "stuck");
        Vec::new()
    }

    fn digest(&self, text: &mut String) -> u64 {
        text.clear();
        let _ = write!(text, "{:?}", self.outbox);
        let record = |text: &mut String, record: &Record| match record {
            Record::Delivery(record) => write!(text, "{:?},", record.delivery()),
            Record::Message(_) => write!(text, "message,"),
            other => write!(text, "{other:?},"),
        };
        // Stored state matters only while a crash is possible.
        let may_crash = self.used.crashes < self.scope.limits.crashes;
        for (key, it) in self.disk.iter().filter(|_| may_crash) {
            let _ = write!(text, "{key}").and_then(|()| record(text, it));
        }
        for change in self.saving.iter().flat_map(Changes::iter).filter(|_| may_crash) {
            let _ = match change {
                Change::Put(it) => write!(text, "{}", it.key()).and_then(|()| record(text, it)),
                Change::Delete(key) => write!(text, "{key} away,"),
            };
        }
        let saving = self.saving.as_ref().map(Changes::revision);
        for durable_with in &self.published {
            let _ = match durable_with {
                Some(revision) => write!(text, "{:?}", saving.map(|it| *revision <= it)),
                None => write!(text, "durable"),
            };
        }
        for Sent { ticket, .. } in &self.wire {
            let _ = write!(text, "{ticket:?}");
        }
        for tally in &self.tallies {
            let Tally { sent, refused, last_number, verdict, notified } = *tally;
            let _ = match verdict {
                Some(_) => write!(text, "{}", notified.is_some()),
                None => write!(text, "{} {last_number},", sent - refused),
            };
        }
        let _ = write!(text, "{:?}{:?}", self.wait, self.used);
        digest([&Pieces::new(text, Retention::Endless)], self.now)
    }
}

fn index(message: &str, endpoint: &str) -> usize {
    DELIVERIES.iter().position(|it| *it == (message, endpoint)).unwrap()
}
