//! The lab's and every vendor's bodies: whatever decodes is written and decodes to the same value,
//! and its event survives a message and the vendor's webhook.

use std::fmt::Debug;

use labhook::decode::{Decode, TrustedBody};
use labhook::event::UnknownEvent;
use labhook::message::format::CloudEvent;
use labhook::provider::{
    MapError, argilla, benchling, cvat, label_studio, linq, segments, strateos, strike, tiled,
};
use labhook::receive::{self, Sources};
use labhook::{LabEvent, MessageId, Timestamp, danger};
use serde::Serialize;

use super::reader::Reader;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_744_882_201);

/// The number of formats, of which the first byte selects one.
const FORMATS: usize = 21;

/// The first byte selects the format, and the rest is the body.
pub(crate) fn run(data: &[u8]) {
    let mut input = Reader::new(data);
    let format = input.below(FORMATS);
    let bytes = input.rest();
    let body = danger::unsigned(bytes).trusted_body();
    match format {
        0 => lab_event(body),
        1 => _ = round_trip::<UnknownEvent>(body),
        2 => {
            if let Some(it) = round_trip::<strateos::Webhook>(body) {
                let _ = it.dedupe_key();
                both_ways(&it, |it| it.to_event(NOW), strateos::Webhook::from_event);
            }
        }
        3..=7 => linq_body(linq::Kind::ALL[format - 3], body),
        8 => {
            if let Some(it) = round_trip::<strike::Webhook>(body) {
                let id = MessageId::new("own").unwrap();
                let _ = it.dedupe_key();
                both_ways(&it, strike::Webhook::to_event, |it| {
                    strike::Webhook::from_event(it, &id)
                });
            }
        }
        9 => {
            if let Some(it) = round_trip::<segments::Webhook>(body) {
                both_ways(&it, segments::Webhook::to_event, segments::Webhook::from_event);
            }
        }
        10 => {
            if let Some(it) = round_trip::<benchling::Webhook>(body) {
                let _ = it.dedupe_key();
                if let Ok(event) = it.to_event(NOW) {
                    through_a_message(&event);
                }
            }
        }
        11 => {
            if let Some(it) = round_trip::<tiled::Webhook>(body) {
                both_ways(&it, tiled::Webhook::to_event, tiled::Webhook::from_event);
            }
        }
        12 => {
            if let Some(it) = round_trip::<argilla::Webhook>(body) {
                let _ = it.dedupe_key();
                both_ways(&it, argilla::Webhook::to_event, argilla::Webhook::from_event);
            }
        }
        13 => {
            if let Some(it) = round_trip::<cvat::Webhook>(body) {
                let _ = it.dedupe_key();
                both_ways(&it, |it| it.to_event(NOW), cvat::Webhook::from_event);
            }
        }
        14 => {
            if let Some(it) = round_trip::<label_studio::Webhook>(body) {
                let _ = it.dedupe_key();
                both_ways(&it, |it| it.to_event(NOW), label_studio::Webhook::from_event);
            }
        }
        15 => {
            if let Some(it) = round_trip::<CloudEvent>(body)
                && let Ok(event) = it.to_event(NOW)
            {
                through_a_message(&event);
            }
        }
        16 => _ = round_trip::<Vec<CloudEvent>>(body),
        17 => cloud_event_from_binary(bytes),
        18 => hooks(bytes),
        19 => strike_subscription(bytes),
        _ => unsigned_sources(bytes),
    }
}

/// Decodes a body, if it decodes, and checks what it is written as.
fn round_trip<T: Decode + Serialize + PartialEq + Debug>(body: TrustedBody<'_>) -> Option<T> {
    let read = T::decode(body).ok()?;
    let written = serde_json::to_vec(&read).unwrap();
    let again = T::decode(danger::unsigned(&written).trusted_body()).unwrap();
    assert_eq!(again, read);
    assert_eq!(serde_json::to_vec(&again).unwrap(), written);
    Some(read)
}

/// Only an event with a time that can be read becomes a message. Of one that is unreadable the
/// message has all but the reason.
fn through_a_message(event: &LabEvent) {
    let message = event.clone().into_message(MessageId::new("m").unwrap());
    if event.timestamp().timestamp().is_none() {
        return assert!(message.is_err());
    }
    let message = message.unwrap();
    match (message.event::<LabEvent>().unwrap(), event) {
        (LabEvent::Unknown(again), LabEvent::Unreadable { event, .. }) => {
            assert_eq!(&again, event);
        }
        (again, event) => assert_eq!(&again, event),
    }
}

fn lab_event(body: TrustedBody<'_>) {
    let Ok(event) = LabEvent::decode(body) else { return };
    assert_eq!(event.event_type(), &UnknownEvent::decode(body).unwrap().event_type);
    let _ = event.keys();
    through_a_message(&event);
}

/// Maps a webhook to its event and back. Members may change their order on the way, once.
fn both_ways<W: Decode + Serialize + Debug>(
    webhook: &W,
    to_event: impl Fn(&W) -> Result<LabEvent, MapError>,
    from_event: impl Fn(&LabEvent) -> Result<W, MapError>,
) {
    let Ok(event) = to_event(webhook) else { return };
    through_a_message(&event);
    let back = from_event(&event).unwrap();
    let written = serde_json::to_vec(&back).unwrap();
    let back = W::decode(danger::unsigned(&written).trusted_body()).unwrap();
    let same = to_event(&back).unwrap();
    assert_eq!((same.event_type(), same.timestamp()), (event.event_type(), event.timestamp()));
    assert_eq!(same.keys(), event.keys());
    assert_eq!(serde_json::to_vec(&from_event(&same).unwrap()).unwrap(), written);
}

fn linq_body(kind: linq::Kind, body: TrustedBody<'_>) {
    let Ok(webhook) = linq::Webhook::decode_as(kind, body) else { return };
    let written = serde_json::to_vec(&webhook).unwrap();
    let again = danger::unsigned(&written);
    assert_eq!(linq::Webhook::decode_as(kind, again.trusted_body()).unwrap(), webhook);
    let _ = webhook.dedupe_key();
    let webhook = webhook.timestamp_or(NOW).workcell_or("cell");
    let Ok(event) = webhook.to_event() else { return };
    through_a_message(&event);
    // A message that the vendor's page requires is written if there is none.
    let back = linq::Webhook::from_event(&event).unwrap();
    let same = back.to_event().unwrap();
    assert_eq!((same.event_type(), same.timestamp()), (event.event_type(), event.timestamp()));
    assert_eq!(same.keys(), event.keys());
    assert_eq!(linq::Webhook::from_event(&same).unwrap(), back);
}

/// Each line a header, up to an empty line, and then the body.
fn cloud_event_from_binary(bytes: &[u8]) {
    let mut input = Reader::new(bytes);
    let headers = input.headers();
    let body = input.rest();
    let body = danger::unsigned(body).trusted_body();
    let Ok(event) = CloudEvent::from_binary(&headers, body) else { return };
    let written = serde_json::to_vec(&event).unwrap();
    let again = CloudEvent::decode(danger::unsigned(&written).trusted_body()).unwrap();
    assert_eq!(again, event);
    if let Ok(event) = event.to_event(NOW) {
        through_a_message(&event);
    }
}

/// The hooks of LINQ and of Segments.ai.
fn hooks(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(hook) = linq::Hook::from_json(text) {
        let again = linq::Hook::from_json(&hook.expose_json()).unwrap();
        assert_eq!(again.expose_json(), hook.expose_json());
        let _ = (hook.subscription().is_ok(), hook.endpoint("e".parse().unwrap()).is_ok());
    }
    if let Ok(hooks) = linq::Hook::list_from_json(text) {
        let written = linq::Hook::expose_list_json(&hooks);
        let again = linq::Hook::list_from_json(&written).unwrap();
        assert_eq!(linq::Hook::expose_list_json(&again), written);
    }
}

fn strike_subscription(bytes: &[u8]) {
    let Ok(read) = serde_json::from_slice::<strike::Subscription>(bytes) else { return };
    let written = read.expose_json().unwrap();
    let again: strike::Subscription = serde_json::from_slice(&written).unwrap();
    assert_eq!(again, read);
}

/// Unsigned requests, of which several sources are asked whether it is theirs.
fn unsigned_sources(bytes: &[u8]) {
    let mut input = Reader::new(bytes);
    let headers = input.headers();
    let body = input.rest();
    let mut sources = vec![
        receive::danger::strateos("strateos"),
        receive::danger::cvat("cvat"),
        receive::danger::label_studio("label_studio"),
    ];
    for kind in linq::Kind::ALL {
        sources.push(receive::danger::linq(kind.filter(), *kind));
    }
    let sources = Sources::new(sources).unwrap();
    if let Ok(received) = sources.receive(&headers, body, NOW) {
        through_a_message(&received.event);
    }
}
