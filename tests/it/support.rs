//! Shared fixtures: endpoints, messages, and a host that drives an outbox.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderMap, StatusCode};
use labhook::delivery::{ParseNameError, Resolution, Schedule};
use labhook::health::{Disabled, EnabledBy, Health};
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::{
    Change, Changes, EnableEndpointError, Published, Record, ReplayPlan, Revision,
};
use labhook::{
    Attempt, Endpoint, EndpointId, Event, FlowPolicy, HealthPolicy, LabEvent, Message, MessageId,
    Notice, Outbox, Outcome, Registry, RetryPolicy, Signer, Step, Ticket, Timestamp, Verdict,
};
use proptest::prelude::ProptestConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The configuration of properties: 256 cases unless `PROPTEST_CASES` says otherwise, and no file
/// of failures.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

pub(crate) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The error text for a body that is malformed at this path; `.` is the body itself.
pub(crate) fn body_malformed_at(path: &str) -> String {
    match path {
        "." => "the body is malformed".to_owned(),
        path => format!("the body is malformed at `{path}`"),
    }
}

/// The time this many seconds after the start of the test.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_seconds(1_744_882_200 + seconds)
}

pub(crate) fn eid(id: &str) -> EndpointId {
    EndpointId::new(id).unwrap()
}

pub(crate) fn mid(id: &str) -> MessageId {
    MessageId::new(id).unwrap()
}

/// A policy with these delays, an attempt timeout of 10 s, no jitter and no window.
pub(crate) fn policy(delays: &[u64]) -> RetryPolicy {
    RetryPolicy::new(Schedule::list(delays.iter().copied().map(secs)))
        .with_attempt_timeout(secs(10))
}

/// An unsigned endpoint that retries after 5 s and after 20 s, without health and flow limits.
pub(crate) fn endpoint(id: &str) -> Endpoint {
    let url = format!("https://{id}.example/hooks");
    let endpoint = Endpoint::new(eid(id), &url, Signer::unsigned()).unwrap();
    let plain = endpoint.with_health(HealthPolicy::never()).with_flow(FlowPolicy::fixed());
    plain.with_retry(policy(&[5, 20]))
}

pub(crate) fn registry(endpoints: impl IntoIterator<Item = Endpoint>) -> Registry {
    let mut registry = Registry::new();
    for endpoint in endpoints {
        registry.insert(endpoint).unwrap();
    }
    registry
}

/// A message with this id: the run of the same id has started.
pub(crate) fn message(id: &str) -> Message {
    Event::new(RunStateChanged::new(id, RunState::Started), at(-60)).into_message(mid(id)).unwrap()
}

pub(crate) fn answer(status: u16) -> Outcome {
    Outcome::bare(StatusCode::from_u16(status).unwrap())
}

/// A response with one header.
pub(crate) fn answer_with(status: u16, name: &'static str, value: &'static str) -> Outcome {
    let mut headers = HeaderMap::new();
    headers.insert(name, value.parse().unwrap());
    Outcome::response(StatusCode::from_u16(status).unwrap(), &headers, at(0))
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A value has this name in text, both ways, and in saved state.
pub(crate) fn assert_named<T>(value: T, name: &str)
where
    T: Copy + Debug + Display + PartialEq + Serialize + DeserializeOwned,
    T: FromStr<Err = ParseNameError>,
{
    assert_eq!(value.to_string(), name);
    assert_eq!(name.parse::<T>(), Ok(value));
    let json = format!("\"{name}\"");
    assert_eq!(serde_json::to_string(&value).unwrap(), json);
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
}

/// Saves at once, and returns all attempts that an outbox sends now.
pub(crate) fn drain(outbox: &mut Outbox, now: Timestamp) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    loop {
        match outbox.poll(now) {
            Step::Save(changes) => assert!(outbox.saved(changes.revision())),
            Step::Send(attempt) => attempts.push(attempt),
            Step::Notify(_) => {}
            Step::Wait(_) | Step::Idle => return attempts,
        }
    }
}

/// Carries out a whole plan, of which the caller keeps the copy.
pub(crate) fn replay_all(outbox: &mut Outbox, plan: &ReplayPlan, now: Timestamp) -> usize {
    let (mut plan, mut count) = (plan.clone(), 0);
    while !plan.is_empty() {
        count += outbox.replay(&mut plan, now);
    }
    count
}

/// A host: a clock, storage that serializes every record, and the notices received.
pub(crate) struct Host {
    pub(crate) outbox: Outbox,
    pub(crate) now: Timestamp,
    pub(crate) disk: BTreeMap<String, Record>,
    pub(crate) notices: Vec<Notice>,
    /// The wait that ended the latest round of polling; `None` for [`Step::Idle`].
    pub(crate) wait: Option<Timestamp>,
    pub(crate) saves: u32,
}

impl Host {
    pub(crate) fn new(outbox: Outbox) -> Self {
        let (disk, notices) = (BTreeMap::new(), Vec::new());
        Self { outbox, now: at(0), disk, notices, wait: None, saves: 0 }
    }

    pub(crate) fn with(endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        Self::new(Outbox::new(registry(endpoints), 7))
    }

    pub(crate) fn publish(&mut self, id: &str) -> Published {
        self.outbox.publish(message(id), self.now).unwrap()
    }

    pub(crate) fn write(&mut self, changes: Changes) {
        for change in changes {
            match change {
                Change::Put(record) => {
                    let text = serde_json::to_string(&record).unwrap();
                    let read = serde_json::from_str(&text).unwrap();
                    assert_eq!(record, read, "{text}");
                    self.disk.insert(record.key().to_string(), read);
                }
                Change::Delete(key) => _ = self.disk.remove(&key.to_string()),
            }
        }
    }

    pub(crate) fn save(&mut self, changes: Changes) {
        let revision = changes.revision();
        self.write(changes);
        self.saves += 1;
        assert!(self.outbox.saved(revision));
    }

    /// Polls until there is nothing to do, and saves at once. Returns the attempts to send.
    pub(crate) fn attempts(&mut self) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for _ in 0..10_000 {
            match self.outbox.poll(self.now) {
                Step::Save(changes) => self.save(changes),
                Step::Send(attempt) => attempts.push(attempt),
                Step::Notify(notice) => self.notices.push(notice),
                Step::Wait(until) => {
                    assert!(until > self.now || self.now == Timestamp::MAX, "a wait is after now");
                    self.wait = Some(until);
                    return attempts;
                }
                Step::Idle => {
                    self.wait = None;
                    return attempts;
                }
            }
        }
        panic!("polling does not come to an end");
    }

    /// Polls on while the outbox has more to do than one call does. Returns the attempts to send.
    pub(crate) fn catch_up(&mut self) -> Vec<Attempt> {
        let mut attempts = self.attempts();
        while self.wait == Some(self.now + Duration::from_micros(1)) {
            attempts.append(&mut self.attempts());
        }
        attempts
    }

    /// As [`attempts`](Self::attempts), by ticket.
    pub(crate) fn sends(&mut self) -> Vec<Ticket> {
        self.attempts().iter().map(|attempt| attempt.ticket().clone()).collect()
    }

    /// Returns the only attempt to send.
    pub(crate) fn send(&mut self) -> Ticket {
        let sends = self.sends();
        assert_eq!(sends.len(), 1, "{sends:?}");
        sends.into_iter().next().unwrap()
    }

    /// As [`sends`](Self::sends), each as `message>endpoint#attempt`.
    pub(crate) fn send_texts(&mut self) -> Vec<String> {
        self.sends().iter().map(show).collect()
    }

    /// Polls until there are changes, which the caller saves.
    pub(crate) fn unsaved(&mut self) -> Changes {
        match self.outbox.poll(self.now) {
            Step::Save(changes) => changes,
            other => panic!("{other:?} where changes were to be saved"),
        }
    }

    pub(crate) fn resolve(&mut self, ticket: &Ticket, outcome: &Outcome) -> Resolution {
        self.outbox.resolve(ticket, outcome, self.now)
    }

    /// Loses everything in memory.
    pub(crate) fn restart(&mut self, outbox: Outbox) {
        self.outbox = outbox.restore(self.disk.values().cloned(), self.now).unwrap();
    }

    pub(crate) fn keys(&self) -> Vec<&str> {
        self.disk.keys().map(String::as_str).collect()
    }

    /// Returns the notices since the last call, each as a short text.
    pub(crate) fn notice_texts(&mut self) -> Vec<String> {
        let notices = std::mem::take(&mut self.notices);
        notices
            .iter()
            .map(|notice| match notice {
                Notice::Settled { message, endpoint, verdict, attempts } => {
                    format!("{message}>{endpoint} {verdict} after {attempts}")
                }
                Notice::Failing { message, endpoint, attempts } => {
                    format!("{message}>{endpoint} failing after {attempts}")
                }
                Notice::InDoubt { message, endpoint, attempt, .. } => {
                    format!("{message}>{endpoint} in doubt after {attempt}")
                }
                Notice::EndpointDown { endpoint, .. } => format!("{endpoint} down"),
                Notice::EndpointDisabled { endpoint, .. } => format!("{endpoint} disabled"),
                Notice::EndpointRecovered { endpoint, .. } => format!("{endpoint} recovered"),
                Notice::EndpointPaced { endpoint, .. } => format!("{endpoint} paced"),
                Notice::RefusalsExcused { endpoint, .. } => format!("{endpoint} excused"),
                Notice::PausesIgnored { endpoint, .. } => format!("{endpoint} not paused"),
                Notice::SenderOutage { failing, all, .. } => {
                    format!("own outage: {failing} of {all}")
                }
                Notice::SenderOutageEnded { .. } => "own outage over".to_owned(),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    pub(crate) fn health(&self, endpoint: &str) -> &Health {
        self.outbox.status(&eid(endpoint)).unwrap().health
    }

    pub(crate) fn disabled(&self, endpoint: &str) -> Option<Disabled> {
        self.health(endpoint).disabled().cloned()
    }

    pub(crate) fn enable(&mut self, endpoint: &str) -> Result<(), EnableEndpointError> {
        self.outbox.enable_endpoint(&eid(endpoint), EnabledBy::Operator, self.now)
    }

    pub(crate) fn verdict(&self, message: &str, endpoint: &str) -> Option<Verdict> {
        let mut all = self.outbox.deliveries();
        let it = all.find(|(m, e, _)| m.id().as_str() == message && e.as_str() == endpoint);
        it.unwrap_or_else(|| panic!("{message}>{endpoint} is unknown")).2.verdict()
    }
}

pub(crate) fn show(ticket: &Ticket) -> String {
    format!("{}>{}#{}", ticket.message(), ticket.endpoint(), ticket.attempt())
}

/// The number of a revision, which is not public.
pub(crate) fn number(revision: Revision) -> u64 {
    revision.to_string().parse().unwrap()
}

/// Sends the event through a message's bytes, as between two processes.
pub(crate) fn through_a_message(event: LabEvent) -> LabEvent {
    let message = event.clone().into_message(MessageId::new("msg_1").unwrap()).unwrap();
    let received: LabEvent = message.event().unwrap();
    assert_eq!(received, event);
    received
}
