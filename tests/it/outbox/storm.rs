//! The outbox in a world that crashes, loses responses and turns its clock back.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use labhook::delivery::{Failure, Jitter, Resolution, Schedule};
use labhook::health::State;
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::{Change, Changes, Record, Revision};
use labhook::{
    Endpoint, EndpointId, Event, HealthPolicy, Message, MessageId, Notice, Order, Outbox, Outcome,
    Registry, RetryPolicy, Signer, Step, Ticket, Timestamp, Verdict,
};
use proptest::prelude::*;

const START: i64 = 1_744_882_200;
const ENDPOINTS: [&str; 4] = ["steady", "narrow", "hasty", "orderly"];

type Pair = (MessageId, EndpointId);

fn registry() -> Registry {
    let secs = Duration::from_secs;
    let policy = |delays: &[u64]| {
        RetryPolicy::new(Schedule::list(delays.iter().copied().map(secs)))
            .with_attempt_timeout(secs(10))
            .with_retry_after_cap(secs(30))
    };
    let endpoint = |id: &str| {
        let url = format!("https://{id}.example/hooks");
        Endpoint::new(EndpointId::new(id).unwrap(), &url, Signer::unsigned()).unwrap()
    };
    let mut registry = Registry::new();
    for endpoint in [
        endpoint("steady").with_retry(policy(&[1, 5, 20]).with_jitter(Jitter::plus_minus(20))),
        endpoint("narrow").with_retry(policy(&[0, 3])).with_max_in_flight(NonZeroU32::MIN),
        endpoint("orderly")
            .with_retry(policy(&[0, 1, 4]))
            .with_order(Order::strict())
            .with_health(fragile()),
        endpoint("hasty").with_retry(policy(&[2, 2, 2, 2, 2, 2]).with_window(secs(15))),
    ] {
        registry.insert(endpoint).unwrap();
    }
    registry
}

/// Goes through all states within a minute.
fn fragile() -> HealthPolicy {
    let secs = Duration::from_secs;
    HealthPolicy::default()
        .with_failures(NonZeroU32::new(2))
        .with_refused_for(Duration::ZERO)
        .with_probes(secs(3), secs(5))
        .with_disable_after(secs(20))
}

fn outbox(batch: usize) -> Outbox {
    let batch = NonZeroUsize::new(batch).unwrap();
    Outbox::new(registry(), 7)
        .with_batch(batch)
        // In several parts, if the batch is small.
        .with_save_limit(batch)
        .with_retention(Duration::from_secs(300))
}

fn message(number: u8) -> Message {
    let run = format!("run-{number}");
    Event::new(RunStateChanged::new(run.as_str(), RunState::Started), Timestamp::UNIX_EPOCH)
        .into_message(MessageId::new(format!("msg-{number}")).unwrap())
        .unwrap()
}

/// The next event in the world.
#[derive(Clone, Debug)]
enum Action {
    /// Publish a message, new or known.
    Publish(u8),
    /// Poll this number of times.
    Poll(u8),
    /// Write this number of the changes that are being saved.
    Write(u8),
    /// Write the rest of the changes that are being saved, and confirm them.
    Confirm,
    /// Report that writing failed after this number of changes.
    FailToWrite(u8),
    /// Respond to one of the attempts that were sent.
    Answer(u8, Answer),
    /// Advance the clock, in milliseconds.
    Advance(u32),
    /// Sleep exactly until the wake-up.
    Sleep,
    /// Turn the clock back, in milliseconds.
    TurnBack(u32),
    /// Lose everything in memory, with this number of the changes being saved on disk.
    Crash(u8),
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Ok,
    /// The receiver accepts it, and the response is lost.
    OkLost,
    /// The connection breaks; the receiver may have the request.
    Broken {
        received: bool,
    },
    Refused,
    Unavailable,
    Later,
    Stop,
    NeverConnected,
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let answer = prop_oneof![
        4 => Just(Answer::Ok),
        2 => Just(Answer::OkLost),
        1 => any::<bool>().prop_map(|received| Answer::Broken { received }),
        1 => Just(Answer::Refused),
        2 => Just(Answer::Unavailable),
        1 => Just(Answer::Later),
        1 => Just(Answer::Stop),
        1 => Just(Answer::NeverConnected),
    ];
    let action = prop_oneof![
        4 => (0..6_u8).prop_map(Action::Publish),
        8 => (1..12_u8).prop_map(Action::Poll),
        3 => (0..6_u8).prop_map(Action::Write),
        6 => Just(Action::Confirm),
        1 => (0..6_u8).prop_map(Action::FailToWrite),
        8 => (any::<u8>(), answer).prop_map(|(which, answer)| Action::Answer(which, answer)),
        3 => (0..15_000_u32).prop_map(Action::Advance),
        4 => Just(Action::Sleep),
        1 => (0..8_000_u32).prop_map(Action::TurnBack),
        2 => (0..8_u8).prop_map(Action::Crash),
    ];
    proptest::collection::vec(action, 1..120)
}

/// An attempt that was sent.
struct Sent {
    ticket: Ticket,
    /// When its time is over.
    until: Duration,
    /// Its result, which stays the same however often it is reported.
    result: Option<Answer>,
}

#[derive(Default)]
struct Tally {
    /// Copies that the receiver answered with 2xx, whether or not the sender received the response.
    accepted_copies: u32,
    last_number: u32,
    /// The last state in the outbox: how the delivery ended, and the number of its attempts without
    /// a response.
    verdict: Option<Verdict>,
    unanswered: u32,
}

struct World {
    outbox: Outbox,
    batch: usize,
    now: Timestamp,
    /// The time that has really passed, whatever the clock says.
    elapsed: Duration,
    disk: BTreeMap<String, Record>,
    /// The changes being saved, and the number of them on disk.
    saving: Option<(Changes, usize)>,
    sent: Vec<Sent>,
    tallies: BTreeMap<Pair, Tally>,
    /// Messages that were published, and the revision that makes them durable.
    unconfirmed: BTreeMap<u8, Option<Revision>>,
    accepted: BTreeSet<Pair>,
    verdicts: BTreeMap<Pair, Verdict>,
    /// Verdicts notified since the last restart.
    notified: BTreeSet<Pair>,
    failing: BTreeSet<Pair>,
    endpoint_states: BTreeMap<EndpointId, State>,
    /// Messages that were published again after they had been forgotten: a notice may be about
    /// either.
    republished: BTreeSet<MessageId>,
    wait: Option<Timestamp>,
}

impl World {
    fn new(batch: usize) -> Self {
        let now = Timestamp::from_unix_seconds(START);
        Self {
            outbox: outbox(batch),
            batch,
            now,
            elapsed: Duration::ZERO,
            disk: BTreeMap::new(),
            saving: None,
            sent: Vec::new(),
            tallies: BTreeMap::new(),
            unconfirmed: BTreeMap::new(),
            accepted: BTreeSet::new(),
            verdicts: BTreeMap::new(),
            notified: BTreeSet::new(),
            failing: BTreeSet::new(),
            endpoint_states: BTreeMap::new(),
            republished: BTreeSet::new(),
            wait: None,
        }
    }

    fn action(&mut self, action: Action) {
        self.apply(action);
        self.record_verdicts();
    }

    /// Records every delivery's state before anything is forgotten.
    fn record_verdicts(&mut self) {
        for (message, endpoint, delivery) in self.outbox.deliveries() {
            let pair = (message.id().clone(), endpoint.clone());
            let tally = self.tallies.entry(pair).or_default();
            tally.verdict = delivery.verdict();
            tally.unanswered = delivery.unanswered();
        }
        let open = || self.outbox.deliveries().filter(|(_, _, it)| it.verdict().is_none());
        assert_eq!(self.outbox.pending(), open().count());
    }

    fn apply(&mut self, action: Action) {
        match action {
            Action::Publish(number) => self.publish(number),
            Action::Poll(times) => _ = (0..times).all(|_| self.poll()),
            Action::Write(count) => self.write(usize::from(count)),
            Action::Confirm => self.confirm(),
            Action::FailToWrite(count) => {
                self.write(usize::from(count));
                if let Some((changes, _)) = self.saving.take() {
                    assert!(self.outbox.unsaved(changes.revision()));
                    assert!(!self.outbox.unsaved(changes.revision()), "confirming a failure again");
                }
            }
            Action::Answer(which, answer) => self.answer(usize::from(which), answer),
            Action::Advance(millis) => self.advance(Duration::from_millis(millis.into())),
            Action::Sleep => {
                if let Some(until) = self.wait {
                    self.advance(until.saturating_since(self.now));
                }
            }
            Action::TurnBack(millis) => {
                self.now -= Duration::from_millis(millis.into());
            }
            Action::Crash(written) => self.crash(usize::from(written)),
        }
    }

    fn advance(&mut self, duration: Duration) {
        self.now += duration;
        self.elapsed += duration;
    }

    fn publish(&mut self, number: u8) {
        let message = message(number);
        let id = message.id().clone();
        let known = self.outbox.deliveries().any(|(known, ..)| *known.id() == id);
        let published = self.outbox.publish(message, self.now).unwrap();
        assert_eq!(published.duplicate, known, "only a known message is a no-op");
        if !known {
            assert_eq!(published.endpoints.len() + published.shed.len(), ENDPOINTS.len());
        }
        if !known && self.unconfirmed.insert(number, Some(published.revision)).is_some() {
            // It was settled and then forgotten: a new message in all but its id.
            for endpoint in &published.endpoints {
                let pair = (id.clone(), endpoint.clone());
                self.tallies.entry(pair).or_default().last_number = 0;
            }
            self.republished.insert(id.clone());
            self.sent.retain(|sent| *sent.ticket.message() != id);
        }
        self.accepted.extend(published.endpoints.into_iter().map(|it| (id.clone(), it)));
        // Different content under a known id is noticed and changes nothing.
        let other = Event::new(RunStateChanged::new("other", RunState::Failed), self.now);
        let other = self.outbox.publish(other.into_message(id).unwrap(), self.now).unwrap();
        assert!(other.duplicate && other.differs);
    }

    /// One step; returns `false` if there is nothing to do.
    fn poll(&mut self) -> bool {
        self.wait = None;
        match self.outbox.poll(self.now) {
            Step::Save(changes) => {
                assert!(self.saving.is_none(), "one save at a time");
                assert!(!changes.is_empty());
                self.saving = Some((changes, 0));
            }
            Step::Send(attempt) => {
                let ticket = attempt.ticket().clone();
                let pair = (ticket.message().clone(), ticket.endpoint().clone());
                let window = attempt.endpoint().policy.flow.concurrency().max().get();
                let mut live_there = 1;
                for earlier in &self.sent {
                    let same =
                        *earlier.ticket.message() == pair.0 && *earlier.ticket.endpoint() == pair.1;
                    let live = earlier.result.is_none() && earlier.until > self.elapsed;
                    assert!(!same || !live, "two live attempts of {pair:?}");
                    // An attempt whose delivery has ended, by the late success of an earlier one,
                    // is the host's to abandon, and no longer counts.
                    let of = (earlier.ticket.message().clone(), earlier.ticket.endpoint().clone());
                    let counts = live && of.1 == pair.1 && self.tallies[&of].verdict.is_none();
                    live_there += u32::from(counts);
                }
                assert!(live_there <= window, "{} has more in flight than it may", pair.1);
                assert!(attempt.deadline() > self.now);
                assert!(attempt.request(self.now).is_ok());
                let tally = self.tallies.entry(pair.clone()).or_default();
                assert!(ticket.attempt() > tally.last_number, "attempt numbers rise");
                tally.last_number = ticket.attempt();
                self.assert_written_ahead(&ticket);
                self.assert_in_order(&pair);
                let until = self.elapsed + attempt.timeout(self.now);
                self.sent.push(Sent { ticket, until, result: None });
            }
            Step::Notify(Notice::Settled { message, endpoint, verdict, .. }) => {
                if self.republished.contains(&message) {
                    return true;
                }
                let pair = (message, endpoint);
                assert!(self.notified.insert(pair.clone()), "a verdict is notified once");
                assert_eq!(*self.verdicts.entry(pair).or_insert(verdict), verdict);
            }
            Step::Notify(Notice::Failing { message, endpoint, attempts }) => {
                assert_eq!(attempts, 3, "notified after exactly this number of failures");
                let new = self.failing.insert((message.clone(), endpoint));
                assert!(new || self.republished.contains(&message), "and notified once");
            }
            Step::Notify(notice) => self.check_state_notice(notice),
            Step::Wait(until) => {
                assert!(until > self.now, "a wait is after now");
                self.wait = Some(until);
                return false;
            }
            Step::Idle => return false,
        }
        true
    }

    /// Between two recoveries, each state is notified once. A crash may hide a notice.
    fn check_state_notice(&mut self, notice: Notice) {
        let (endpoint, state) = match notice {
            Notice::EndpointDown { endpoint, .. } => (endpoint, State::Down),
            Notice::EndpointDisabled { endpoint, .. } => (endpoint, State::Disabled),
            Notice::EndpointRecovered { endpoint, .. } => {
                self.endpoint_states.remove(&endpoint);
                return;
            }
            Notice::SenderOutage { .. }
            | Notice::SenderOutageEnded { .. }
            | Notice::EndpointPaced { .. }
            | Notice::RefusalsExcused { .. }
            | Notice::PausesIgnored { .. } => return,
            other => panic!("{other:?}"),
        };
        let before = self.endpoint_states.insert(endpoint, state);
        assert!(before.is_none_or(|before| before < state), "{state} was notified before");
    }

    /// Everything accepted for the endpoint before has ended.
    fn assert_in_order(&self, (message, endpoint): &Pair) {
        if endpoint.as_str() == "orderly" {
            let to_it = self.outbox.deliveries().filter(|(_, it, _)| *it == endpoint);
            for (_, _, before) in to_it.take_while(|(before, ..)| before.id() != message) {
                assert!(before.verdict().is_some(), "{message} came out of order");
            }
        }
    }

    fn assert_written_ahead(&self, ticket: &Ticket) {
        let key = format!("delivery/{}/{}", ticket.message(), ticket.endpoint());
        let Some(Record::Delivery(record)) = self.disk.get(&key) else {
            panic!("{key} was sent before it was saved");
        };
        let saved = record.delivery().in_flight().expect("saved as in flight");
        assert_eq!(saved.number, ticket.attempt());
        assert!(self.disk.contains_key(&format!("message/{}", ticket.message())));
    }

    fn write(&mut self, count: usize) {
        let Some((changes, written)) = &mut self.saving else { return };
        for change in changes.iter().skip(*written).take(count) {
            match change {
                // Through text and back, as in any storage.
                Change::Put(record) => {
                    let text = serde_json::to_string(record).unwrap();
                    self.disk
                        .insert(record.key().to_string(), serde_json::from_str(&text).unwrap());
                }
                Change::Delete(key) => _ = self.disk.remove(&key.to_string()),
            }
            *written += 1;
        }
    }

    fn confirm(&mut self) {
        self.write(usize::MAX);
        if let Some((changes, _)) = self.saving.take() {
            assert!(self.outbox.saved(changes.revision()));
            assert!(!self.outbox.saved(changes.revision()), "confirming again changes nothing");
            for revision in self.unconfirmed.values_mut() {
                if revision.is_some_and(|revision| revision <= changes.revision()) {
                    *revision = None;
                }
            }
        }
    }

    fn answer(&mut self, which: usize, answer: Answer) {
        let count = self.sent.len();
        if count == 0 {
            return;
        }
        let sent = &mut self.sent[which % count];
        let ticket = sent.ticket.clone();
        let first_time = sent.result.is_none();
        let answer = match sent.result.replace(answer) {
            None => answer,
            // The lost response arrives after all.
            Some(Answer::OkLost) => Answer::Ok,
            Some(result) => result,
        };
        sent.result = Some(answer);
        let pair = (ticket.message().clone(), ticket.endpoint().clone());
        let tally = self.tallies.get_mut(&pair).unwrap();
        let accepted = match answer {
            Answer::Ok | Answer::OkLost | Answer::Broken { received: true } => 1,
            _ => 0,
        };
        if first_time {
            tally.accepted_copies += accepted;
        }
        let with = |status: StatusCode, header: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.extend(header.map(|it| (http::header::RETRY_AFTER, it.parse().unwrap())));
            Outcome::response(status, &headers, self.now)
        };
        let outcome = match answer {
            Answer::Ok => Outcome::bare(StatusCode::OK),
            Answer::OkLost => return,
            Answer::Broken { .. } => Outcome::failed(Failure::Broken),
            Answer::Refused => Outcome::bare(StatusCode::BAD_REQUEST),
            Answer::Unavailable => with(StatusCode::SERVICE_UNAVAILABLE, None),
            Answer::Later => with(StatusCode::TOO_MANY_REQUESTS, Some("7")),
            Answer::Stop => with(StatusCode::SERVICE_UNAVAILABLE, Some("-1")),
            Answer::NeverConnected => Outcome::failed(Failure::Connect),
        };
        if self.outbox.resolve(&ticket, &outcome, self.now) == Resolution::LateSuccess {
            self.tallies.get_mut(&pair).unwrap().verdict = Some(Verdict::Delivered);
        }
    }

    fn crash(&mut self, written: usize) {
        self.write(written);
        self.saving = None;
        self.notified.clear();
        self.wait = None;
        let records: Vec<Record> = self.disk.values().cloned().collect();
        self.outbox = outbox(self.batch).restore(records, self.now).unwrap();
        // The host publishes again what was not durable.
        let unconfirmed: Vec<u8> = self
            .unconfirmed
            .iter()
            .filter(|(_, it)| it.is_some())
            .map(|(number, _)| *number)
            .collect();
        for number in unconfirmed {
            let id = message(number).id().clone();
            let known = self.outbox.deliveries().any(|(known, ..)| *known.id() == id);
            let published = self.outbox.publish(message(number), self.now).unwrap();
            assert_eq!(published.duplicate, known);
            self.unconfirmed.insert(number, Some(published.revision));
        }
    }

    /// From here on, every receiver responds, storage works, and time advances.
    fn finish(&mut self) {
        for _ in 0..10_000 {
            self.confirm();
            while self.poll() {
                self.confirm();
                let live = self.sent.iter().position(|sent| sent.result.is_none());
                if let Some(live) = live {
                    self.answer(live, Answer::Ok);
                }
            }
            self.record_verdicts();
            if self.outbox.pending() == 0 && self.saving.is_none() {
                return;
            }
            let until = self.wait.expect("something is pending, so there is something to wait for");
            self.advance(until.saturating_since(self.now));
        }
        panic!("the outbox does not become idle");
    }

    fn assert_nothing_lost(&self) {
        for pair in &self.accepted {
            let tally = &self.tallies[pair];
            let verdict = tally.verdict.expect("every accepted delivery has a verdict");
            assert!(
                tally.accepted_copies > 0 || verdict != Verdict::Delivered,
                "{pair:?} counts as delivered but was not received"
            );
            if let Some(notified) =
                self.verdicts.get(pair).filter(|_| !self.republished.contains(&pair.0))
            {
                assert_eq!(*notified, verdict, "{pair:?} was notified with another verdict");
            }
            if self.republished.contains(&pair.0) {
                continue;
            }
            let copies = tally.accepted_copies.saturating_sub(1);
            assert!(
                copies <= tally.unanswered,
                "{pair:?}: {copies} copies too many, {} attempts without a response",
                tally.unanswered
            );
        }
    }
}

proptest! {
    #![proptest_config(crate::support::config())]

    /// Whatever the outcomes, with restarts after any prefix of the changes and clocks that go
    /// back: nothing is lost, no attempt is sent while another of its delivery is live, everything
    /// sent was saved first, copies are bounded by the attempts without a response, and the outbox
    /// becomes idle.
    #[test]
    fn deliveries_survive_crashes_without_loss_or_overlap(batch in 1..5_usize, actions in actions()) {
        let mut world = World::new(batch);
        for action in actions {
            world.action(action);
        }
        world.finish();
        world.assert_nothing_lost();
    }
}
