//! Messages: renderings, the formats that create them, and their saved form.

use std::error::Error as _;

use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::event::UnknownEvent;
use labhook::json::JsonText;
use labhook::lab::{LabwareMoved, LabwareTrigger, RunState, RunStateChanged};
use labhook::message::Rendering;
use labhook::message::format::{CloudEvent, CloudEvents, Format, FormatError, SlackMessage};
use labhook::{
    Endpoint, EndpointId, Event, Keys, LabEvent, Message, MessageId, Secret, Signer, Timestamp,
    Verifier, danger,
};

mod cloud_events_receive;
mod cloud_events_send;
mod detach;
mod headers;
mod rendering;
mod shared_renderings;
mod slack;

/// One event of each type, full of unknown members and values; the type of the last is not in the
/// catalogue.
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
    std::str::from_utf8(rendering.body().unwrap()).unwrap()
}

/// A message created from bytes.
fn from_bytes() -> Message {
    Message::new(
        MessageId::new("msg_1").unwrap(),
        "a.b".parse().unwrap(),
        at(),
        Keys::new(),
        "own",
        Rendering::new(HeaderValue::from_static("text/plain"), "x"),
    )
}

fn assert_has_no_event(error: &FormatError) {
    assert_eq!(error.to_string(), "cannot read the event of the message");
    assert_eq!(
        error.source().unwrap().to_string(),
        "message was created from bytes, not from an event"
    );
}
