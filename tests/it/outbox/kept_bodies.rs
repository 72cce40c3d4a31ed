//! Bodies that the host keeps: stored with the record of their message, and deleted after it.

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use bytes::Bytes;
use labhook::endpoint::RequestError;
use labhook::lab::{RunState, RunStateChanged};
use labhook::message::format::SlackMessage;
use labhook::message::{BodyDigest, DetachedBody};
use labhook::outbox::{Change, Changes, Record, RecordKey, ReplayFilter};
use labhook::{
    Attempt, Endpoint, Event, Failure, HealthPolicy, LabEvent, Message, MessageId, Outbox, Outcome,
    Secret, Signer, Step, Subscription, Verdict, Verifier,
};

use crate::support::{Host, answer, at, eid, endpoint, message, mid, registry, show};

/// A host that keeps the bodies.
struct Keeper {
    host: Host,
    /// The bodies of messages that are not saved yet.
    unsaved: BTreeMap<MessageId, Vec<DetachedBody>>,
    bodies: BTreeMap<(MessageId, BodyDigest), Bytes>,
    /// The number of times that the record of a message was written.
    message_puts: u32,
}

impl Keeper {
    fn new(outbox: Outbox) -> Self {
        let (unsaved, bodies) = (BTreeMap::new(), BTreeMap::new());
        Self { host: Host::new(outbox), unsaved, bodies, message_puts: 0 }
    }

    fn publish(&mut self, mut message: Message, formats: &[&Endpoint]) {
        for endpoint in formats {
            message.render(endpoint.format()).unwrap();
        }
        let (id, bodies) = (message.id().clone(), message.detach_bodies());
        let published = self.host.outbox.publish(message, self.host.now).unwrap();
        assert!(published.render_failures.is_empty() && !published.duplicate);
        self.unsaved.insert(id, bodies);
    }

    fn write(&mut self, changes: &Changes) {
        for change in changes.iter() {
            match change {
                Change::Put(Record::Message(record)) => {
                    self.message_puts += 1;
                    let id = record.message().id();
                    for it in &self.unsaved[id] {
                        self.bodies.insert((id.clone(), it.digest), it.body.clone());
                    }
                }
                Change::Delete(RecordKey::Message(id)) => {
                    self.bodies.retain(|(message, _), _| message != id);
                }
                _ => {}
            }
        }
    }

    fn attempts(&mut self) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        loop {
            match self.host.outbox.poll(self.host.now) {
                Step::Save(changes) => {
                    self.write(&changes);
                    let accepted: Vec<_> = changes.accepted().cloned().collect();
                    self.host.save(changes);
                    self.unsaved.retain(|id, _| !accepted.contains(id));
                }
                Step::Send(attempt) => attempts.push(attempt),
                Step::Notify(notice) => self.host.notices.push(notice),
                Step::Wait(until) => {
                    self.host.wait = Some(until);
                    return attempts;
                }
                Step::Idle => {
                    self.host.wait = None;
                    return attempts;
                }
            }
        }
    }

    fn body(&self, attempt: &Attempt) -> Bytes {
        let digest = *attempt.kept_body().expect("the message was detached");
        self.bodies[&(attempt.message().id().clone(), digest)].clone()
    }
}

fn secret() -> Secret {
    Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()
}

fn signed() -> Endpoint {
    let signer = Signer::standard_webhooks(secret());
    Endpoint::new(eid("eln"), "https://eln.example/in", signer)
        .unwrap()
        .with_policy(endpoint("x").policy)
}

fn slack() -> Endpoint {
    endpoint("slack").with_format(SlackMessage::new())
}

#[test]
fn kept_body_is_sent_after_a_restart_and_verified() {
    let outbox = || Outbox::new(registry([signed(), slack()]), 7);
    let mut keeper = Keeper::new(outbox());
    keeper.publish(message("m"), &[&slack()]);
    let formats: Vec<_> = keeper.unsaved[&mid("m")].iter().map(|it| it.format.clone()).collect();
    assert_eq!(formats, ["labhook", "slack"].map(Box::from));
    let first = keeper.attempts();
    assert_eq!(keeper.bodies.len(), 2);
    for attempt in &first {
        let format = if attempt.ticket().endpoint() == &eid("eln") { "labhook" } else { "slack" };
        assert_eq!(attempt.format(), format);
        let rendering = attempt.message().rendering(format).unwrap();
        assert_eq!((rendering.body(), rendering.kept_body()), (None, attempt.kept_body()));
        let request = attempt.request_with_body(keeper.body(attempt), at(0)).unwrap();
        assert_eq!(request.body().starts_with(br#"{"text":"#), format == "slack");
        let status = if format == "slack" { 204 } else { 503 };
        keeper.host.resolve(attempt.ticket(), &answer(status));
    }
    assert!(keeper.attempts().is_empty());

    // The records have no body. Another format of the endpoint changes nothing.
    for record in keeper.host.disk.values() {
        assert!(!serde_json::to_string(record).unwrap().contains("started"), "{record:?}");
    }
    keeper.host.restart(outbox());
    let other = signed().with_format(SlackMessage::new());
    keeper.host.outbox.replace_endpoint(other, at(0)).unwrap();
    assert!(keeper.attempts().is_empty());
    let due = keeper.host.wait.unwrap();
    keeper.host.now = due;
    let [attempt] = &keeper.attempts()[..] else { panic!("one retry is due") };
    assert_eq!((&*show(attempt.ticket()), attempt.format()), ("m>eln#2", "labhook"));

    assert!(matches!(attempt.request(due), Err(RequestError::BodyKept)));
    let right = keeper.body(attempt);
    let of_slack = *attempt.message().rendering("slack").unwrap().kept_body().unwrap();
    let of_slack = keeper.bodies[&(mid("m"), of_slack)].clone();
    let mut changed = right.to_vec();
    changed[0] = b'[';
    for wrong in [changed.into(), right.slice(1..), of_slack] {
        let result = attempt.request_with_body(wrong, due);
        assert!(matches!(result, Err(RequestError::OtherBody { .. })), "{result:?}");
    }
    let late = attempt.request_with_body(right.clone(), attempt.deadline());
    assert!(matches!(late, Err(RequestError::TooLate)));
    assert!(matches!(attempt.request(attempt.deadline()), Err(RequestError::TooLate)));

    let request = attempt.request_with_body(right, due).unwrap();
    let verifier = Verifier::standard_webhooks(secret());
    let verified = verifier.verify(request.headers(), request.body(), due).unwrap();
    assert_eq!(verified.id(), Some("m"));
    let event = Event::new(RunStateChanged::new("m", RunState::Started), at(-60));
    assert_eq!(verified.decode::<LabEvent>().unwrap(), LabEvent::from(event));
    keeper.host.resolve(attempt.ticket(), &answer(200));

    // The message's record was written once, and the bodies go with it.
    assert!(keeper.attempts().is_empty());
    assert_eq!((keeper.message_puts, keeper.bodies.len()), (1, 2));
    keeper.host.now = keeper.host.wait.unwrap();
    assert!(keeper.attempts().is_empty());
    assert_eq!((keeper.host.outbox.deliveries().count(), keeper.bodies.len()), (0, 0));
}

#[test]
fn failed_save_writes_record_and_bodies_again() {
    let mut keeper = Keeper::new(Outbox::new(registry([endpoint("a")]), 7));
    keeper.publish(message("m"), &[]);
    let changes = keeper.host.unsaved();
    assert!(changes.accepted().eq([&mid("m")]));
    assert!(keeper.host.outbox.unsaved(changes.revision()));
    let [attempt] = &keeper.attempts()[..] else { panic!("it is due") };
    assert!(attempt.request_with_body(keeper.body(attempt), at(0)).is_ok());
    // Nothing that happens to a delivery writes it again.
    keeper.host.resolve(attempt.ticket(), &answer(500));
    for _ in 0..2 {
        keeper.attempts();
        keeper.host.now = keeper.host.wait.unwrap();
        for attempt in keeper.attempts() {
            keeper.host.resolve(attempt.ticket(), &answer(500));
        }
    }
    keeper.attempts();
    assert_eq!(keeper.host.verdict("m", "a"), Some(Verdict::Exhausted));
    let now = keeper.host.now;
    let mut plan = keeper.host.outbox.plan_replay(&ReplayFilter::all(), Duration::ZERO, now);
    keeper.host.outbox.replay(&mut plan, now);
    assert_eq!(keeper.attempts().len(), 1);
    keeper.host.outbox.withdraw(&mid("m"), now);
    keeper.attempts();
    assert_eq!(keeper.message_puts, 1);
}

#[test]
fn lost_body_ends_as_a_dead_letter() {
    let touchy = endpoint("a").with_health(HealthPolicy::new().with_failures(NonZeroU32::MIN));
    let mut keeper = Keeper::new(Outbox::new(registry([touchy]), 7));
    keeper.publish(message("m"), &[]);
    let mut numbers = Vec::new();
    loop {
        for attempt in keeper.attempts() {
            numbers.push(attempt.ticket().attempt());
            keeper.bodies.clear();
            keeper.host.resolve(attempt.ticket(), &Outcome::failed(Failure::Sender));
        }
        keeper.attempts();
        if keeper.host.outbox.pending() == 0 {
            break;
        }
        keeper.host.now = keeper.host.wait.unwrap();
    }
    assert_eq!(numbers, [1, 2, 3]);
    assert_eq!(keeper.host.verdict("m", "a"), Some(Verdict::Exhausted));
    // The receiver is not blamed.
    assert!(keeper.host.health("a").state().is_healthy());
    assert_eq!(keeper.host.health("a").failures(), 0);
}

/// A message of this run with a body of about `bytes` bytes.
fn sized(id: &str, bytes: usize) -> Message {
    let run = "r".repeat(bytes);
    Event::new(RunStateChanged::new(run, RunState::Started), at(0)).into_message(mid(id)).unwrap()
}

#[test]
fn fair_queue_counts_the_bytes_of_kept_bodies() {
    let only = |id: &str, bytes: usize| {
        let run = "r".repeat(bytes);
        let subscription = Subscription::all().runs([run.as_str().into()]);
        endpoint(id).with_max_in_flight(NonZeroU32::MAX).with_subscription(subscription)
    };
    let sends = |detach: bool| {
        let endpoints = registry([only("long", 9_000), only("short", 1_000)]);
        let outbox = Outbox::new(endpoints, 7).with_batch(NonZeroUsize::MIN);
        let mut host = Host::new(outbox);
        for number in 0..60 {
            for (name, bytes) in [("l", 9_000), ("s", 1_000)] {
                let mut message = sized(&format!("{name}{number}"), bytes);
                if detach {
                    assert_eq!(message.detach_bodies().len(), 1);
                }
                host.outbox.publish(message, at(0)).unwrap();
            }
        }
        host.send_texts()
    };
    let kept = sends(true);
    assert_eq!(kept, sends(false));
    let long = kept[..60].iter().filter(|it| it.starts_with('l')).count();
    assert!((8..=14).contains(&long), "{long} of the first 60 are long ones");
}
