//! The general formats: CloudEvents and messages for Slack.

use std::error::Error as _;

use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::event::UnknownEvent;
use labhook::json::JsonText;
use labhook::lab::{LabwareMoved, LabwareTrigger, RunState, RunStateChanged};
use labhook::message::Rendering;
use labhook::message::format::{CloudEvent, CloudEvents, Format, FormatError, SlackMessage};
use labhook::{
    Endpoint, EndpointId, Event, Keys, LabEvent, Message, MessageId, Outbox, Registry, Secret,
    Signer, Step, Timestamp, Verifier, danger,
};

mod cloud_event;
mod cloud_events;
mod slack;

/// One event of each type, full of members and values that nobody knows; the last is of a type
/// that is not in the catalogue.
const BODIES: [&str; 19] = [
    include_str!("../data/lab/run.state_changed.json"),
    include_str!("../data/lab/instruction.completed.json"),
    include_str!("../data/lab/task.state_changed.json"),
    include_str!("../data/lab/labware.moved.json"),
    include_str!("../data/lab/safety.state_changed.json"),
    include_str!("../data/lab/plan.created.json"),
    include_str!("../data/lab/dataset.created.json"),
    include_str!("../data/lab/dataset.updated.json"),
    include_str!("../data/lab/dataset.deleted.json"),
    include_str!("../data/lab/sample.created.json"),
    include_str!("../data/lab/sample.updated.json"),
    include_str!("../data/lab/sample.deleted.json"),
    include_str!("../data/lab/label.updated.json"),
    include_str!("../data/lab/label.deleted.json"),
    include_str!("../data/lab/issue.created.json"),
    include_str!("../data/lab/issue.updated.json"),
    include_str!("../data/lab/release.created.json"),
    include_str!("../data/lab/resource.changed.json"),
    include_str!("../data/lab/batch.labelled.json"),
];

const SOURCE: &str = "https://lab.example/cell-1";

fn at() -> Timestamp {
    Timestamp::from_unix_seconds(1_744_882_200)
}

fn lab_event(body: &str) -> LabEvent {
    danger::unsigned(body.as_bytes()).decode().unwrap()
}

fn message(event: impl Into<LabEvent>) -> Message {
    event.into().into_message(MessageId::new("msg_1").unwrap()).unwrap()
}

fn body(rendering: &Rendering) -> &str {
    std::str::from_utf8(rendering.body()).unwrap()
}

/// A message that the host made from bytes.
fn of_bytes() -> Message {
    Message::new(
        MessageId::new("msg_1").unwrap(),
        "a.b".parse().unwrap(),
        at(),
        Keys::new(),
        "own",
        Rendering::new(HeaderValue::from_static("text/plain"), "x"),
    )
}

fn refuses_bytes(error: &FormatError) {
    assert_eq!(error.to_string(), "the message does not give its event");
    assert_eq!(
        error.source().unwrap().to_string(),
        "the message was made from bytes, not from an event"
    );
}

#[derive(Debug)]
struct Counted<F>(F, std::sync::Arc<std::sync::atomic::AtomicU32>);

impl<F: Format> Format for Counted<F> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn render(&self, message: &Message) -> Result<Rendering, FormatError> {
        self.1.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.0.render(message)
    }
}

/// Several endpoints, attempts and a restart: one rendering of a message for each format.
#[test]
fn an_outbox_renders_a_message_once_for_each_format() {
    let made = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let registry = || {
        let mut registry = Registry::new();
        for number in 0..8_u8 {
            let id = EndpointId::new(format!("e{number}")).unwrap();
            let endpoint = Endpoint::new(id, "https://x.example/", Signer::unsigned()).unwrap();
            let source = if number < 6 { SOURCE } else { "/cell-2" };
            let endpoint = match number % 3 {
                0 => endpoint
                    .with_format(Counted(CloudEvents::structured(source).unwrap(), made.clone())),
                1 => endpoint
                    .with_format(Counted(CloudEvents::binary(source).unwrap(), made.clone())),
                _ => endpoint.with_format(Counted(SlackMessage::new(), made.clone())),
            };
            registry.insert(endpoint).unwrap();
        }
        registry
    };
    let run = Event::new(RunStateChanged::new("r1", RunState::Started), at());
    let mut outbox = Outbox::new(registry(), 7);
    assert_eq!(outbox.publish(message(run), at()).unwrap().endpoints.len(), 8);
    // Three formats, and two of them for another source.
    assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 5);

    let mut bodies = std::collections::BTreeMap::<_, u32>::new();
    loop {
        match outbox.poll(at()) {
            Step::Save(changes) => {
                outbox.saved(changes.revision());
            }
            Step::Send(attempt) => {
                let request = attempt.request(at()).unwrap();
                let mode = request.headers().contains_key("ce-id");
                *bodies.entry((mode, request.body().clone())).or_default() += 1;
            }
            _ => break,
        }
    }
    assert_eq!(bodies.values().sum::<u32>(), 8);
    // The data of both sources is the same.
    assert_eq!(bodies.len(), 4);
    assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 5);
}
