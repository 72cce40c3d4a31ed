//! Automata LINQ webhooks: decoding, encoding and mapping.

mod bodies;
mod events;
mod format;
mod hooks;
mod properties;

use labhook::decode::DecodeError;
use labhook::provider::linq::{Kind, Webhook};
use labhook::{LabEvent, danger};

/// The only body that the vendor publishes.
const PUBLISHED: &str = include_str!("../data/linq/run_state_change.json");

/// One body of each kind; all but the first have this crate's own fields.
const BODIES: [(Kind, &str); 5] = [
    (Kind::RunStateChange, PUBLISHED),
    (Kind::TaskStateChange, include_str!("../data/linq/own/task_state_change.json")),
    (Kind::SafetyStateChange, include_str!("../data/linq/own/safety_state_change.json")),
    (Kind::LabwareMovement, include_str!("../data/linq/own/labware_movement.json")),
    (Kind::NewPlan, include_str!("../data/linq/own/new_plan.json")),
];

fn decode(kind: Kind, body: &str) -> Result<Webhook, DecodeError> {
    Webhook::decode_as(kind, danger::unsigned(body.as_bytes()).trusted_body())
}

fn encode(webhook: &Webhook) -> String {
    serde_json::to_string(webhook).unwrap()
}

/// Decodes a body, maps it to an event and back, and encodes it.
fn there_and_back(kind: Kind, body: &str) -> (LabEvent, String) {
    let webhook = decode(kind, body).unwrap();
    let event = webhook.to_event().unwrap();
    let back = Webhook::from_event(&event).unwrap();
    assert_eq!(back, webhook, "{body}");
    (event, encode(&back))
}
