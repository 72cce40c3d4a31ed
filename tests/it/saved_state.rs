//! The saved state of every released version loads forever.
//!
//! `tests/data/state/{version}.json` is an array of records as that version wrote them. A file is
//! written once, from the one that the failing test of a new version leaves behind, and never
//! changed after its version is released.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::num::{NonZeroU32, NonZeroUsize};

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use labhook::delivery::Failure;
use labhook::health::State;
use labhook::message::Rendering;
use labhook::message::format::{Format, FormatError};
use labhook::outbox::Record;
use labhook::{
    Endpoint, EventType, FlowPolicy, HealthPolicy, Inbox, Keys, Message, Outbox, Outcome, Registry,
    Subscription, Verdict,
};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::support::{
    Host, answer, answer_with, at, eid, endpoint, message, mid, registry, secs, show,
};

const V0_1_0: &str = include_str!("../data/state/0.1.0.json");

/// A custom format, whose messages the host builds itself.
#[derive(Debug)]
struct Own;

impl Format for Own {
    fn name(&self) -> &str {
        "own"
    }

    fn render(&self, _: &Message) -> Result<Rendering, FormatError> {
        Err(FormatError::new("made by the host alone"))
    }
}

pub(crate) fn endpoints() -> Registry {
    let of = |id, family: &str| -> Endpoint {
        endpoint(id).with_subscription(Subscription::all().event_types([family.parse().unwrap()]))
    };
    let touchy = HealthPolicy::new().with_failures(NonZeroU32::MIN).with_probes(secs(1), secs(600));
    registry([
        of("down", "down.*").with_format(Own).with_health(touchy).with_flow(FlowPolicy::adaptive()),
        of("gone", "run.*"),
        of("narrow", "run.*").with_max_in_flight(NonZeroU32::MIN),
        of("own", "own.*").with_format(Own),
        of("pausing", "pausing.*").with_format(Own),
        of("slow", "run.*"),
    ])
}

fn outbox() -> Outbox {
    Outbox::new(endpoints(), 7)
}

fn binary() -> Message {
    let rendering =
        Rendering::new(HeaderValue::from_static("application/x-own"), vec![0, 159, 255])
            .add_header(
                HeaderName::from_static("x-own"),
                HeaderValue::from_bytes(b"caf\xe9").unwrap(),
            );
    let keys = Keys::new().with_run("r1").with_labware("plate 4").with_ordering("r1");
    Message::new(mid("binary"), EventType::from_static("own.thing"), at(-1), keys, "own", rendering)
}

/// A message for the endpoint of this name.
fn message_for(id: &str, event_type: &'static str) -> Message {
    let rendering = Rendering::new(HeaderValue::from_static("text/plain"), id.as_bytes().to_vec());
    let event_type = EventType::from_static(event_type);
    Message::new(mid(id), event_type, at(-1), Keys::new(), "own", rendering)
}

/// A message without its body, and the body.
fn detached() -> (Message, Bytes) {
    let mut detached = message("m3");
    let body = detached.detach_bodies().remove(0).body;
    (detached, body)
}

/// A run that leaves a record of each kind and a delivery in each saved state.
fn story() -> Vec<Record> {
    let mut host = Host::new(outbox());
    host.publish("m1");
    host.publish("m2");
    host.outbox.publish(binary(), at(0)).unwrap();
    // Enabled once, and so sent to at a learned rate.
    host.outbox.disable_endpoint(&eid("down"), Some("moves".into()), at(0)).unwrap();
    host.enable("down").unwrap();
    for (id, event_type) in [("d1", "down.thing"), ("p1", "pausing.thing"), ("p2", "pausing.thing")]
    {
        host.outbox.publish(message_for(id, event_type), at(0)).unwrap();
    }
    let mut late = None;
    for ticket in host.sends() {
        let outcome = match show(&ticket).as_str() {
            "m1>gone#1" => answer(410),
            "m1>narrow#1" | "m2>gone#1" => answer(503),
            "m2>slow#1" => answer(200),
            "d1>down#1" => answer(500),
            "p1>pausing#1" | "p2>pausing#1" => answer_with(503, "retry-after", "30"),
            "m1>slow#1" => continue,
            "binary>own#1" => {
                late = Some(ticket);
                continue;
            }
            other => panic!("{other}"),
        };
        host.resolve(&ticket, &outcome);
    }
    assert_eq!(host.send_texts(), ["m2>narrow#1"]);
    host.now = at(1);
    host.resolve(&late.unwrap(), &Outcome::failed(Failure::Broken));
    host.now = at(4);
    host.outbox.publish(detached().0, at(4)).unwrap();
    host.outbox.publish(message_for("d2", "down.thing"), at(4)).unwrap();
    let mut sent = host.send_texts();
    sent.sort();
    assert_eq!(sent, ["d2>down#1", "m3>slow#1"]);
    host.now = at(5);
    assert!(host.sends().is_empty());
    host.disk.into_values().collect()
}

fn text(records: &[Record]) -> String {
    serde_json::to_string_pretty(records).unwrap() + "\n"
}

/// The records that version 0.1.0 wrote.
pub(crate) fn records_of_0_1_0() -> Vec<Record> {
    serde_json::from_str(V0_1_0).unwrap()
}

#[test]
fn this_version_writes_its_golden_file() {
    assert_eq!(env!("CARGO_PKG_VERSION"), "0.1.0", "a new version needs its own file");
    let written = text(&story());
    let path = concat!(env!("CARGO_TARGET_TMPDIR"), "/state.json");
    std::fs::write(path, &written).unwrap();
    assert_eq!(written, V0_1_0, "the records of this version are in {path}");
}

#[test]
fn state_of_0_1_0_round_trips_unchanged() {
    let records = records_of_0_1_0();
    assert_eq!(text(&records), V0_1_0);

    let (mut kinds, mut states) = (BTreeSet::new(), BTreeSet::new());
    let json: Value = serde_json::from_str(V0_1_0).unwrap();
    for record in json.as_array().unwrap() {
        kinds.insert(record["record"].as_str().unwrap());
        match &record["delivery"]["state"] {
            Value::String(state) => _ = states.insert(state.as_str()),
            Value::Object(state) => states.extend(state.keys().map(String::as_str)),
            _ => {}
        }
    }
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["delivery", "endpoint", "message"]);
    // A probe in flight, a learned rate and a pause.
    let endpoint = |name: &str| {
        let mut all = json.as_array().unwrap().iter();
        all.find(|it| it["record"] == "endpoint" && it["endpoint"] == name).unwrap()
    };
    assert!(endpoint("down")["health"]["state"]["down"]["probe"]["in_flight"].is_object());
    assert!(endpoint("down")["health"]["enabled_serial"].as_u64() > Some(0));
    assert!(endpoint("down")["flow"]["adaptive_rate"]["rate"].is_u64());
    assert!(endpoint("pausing")["flow"]["pause"].is_object());
    // The end of a wait is not saved.
    let all = ["ended", "in_flight", "waiting"];
    assert_eq!(states.into_iter().collect::<Vec<_>>(), all);
}

#[test]
fn deliveries_of_0_1_0_resume_and_end() {
    let records = records_of_0_1_0();
    let mut host = Host::new(outbox());
    host.now = at(5);
    host.disk = records.into_iter().map(|record| (record.key().to_string(), record)).collect();
    host.restart(outbox());

    assert_eq!(host.outbox.pending(), 10);
    assert_eq!(host.health("down").state(), State::Down);
    assert_eq!(host.disabled("gone").unwrap().since, at(0));
    assert_eq!(host.verdict("m1", "gone"), Some(Verdict::Gone));
    assert_eq!(host.verdict("m2", "gone"), Some(Verdict::Cancelled));
    assert_eq!(host.verdict("m2", "slow"), Some(Verdict::Delivered));
    let (message, ..) = host.outbox.deliveries().find(|(_, e, _)| **e == eid("own")).unwrap();
    assert_eq!(*message, binary());

    let mut sent = Vec::new();
    while host.outbox.pending() > 0 {
        let attempts = host.attempts();
        for attempt in &attempts {
            let ticket = attempt.ticket();
            let seconds = host.now.unix_seconds() - at(0).unix_seconds();
            sent.push(format!("{seconds}: {}", show(ticket)));
            if ticket.endpoint() == &eid("own") {
                let request = attempt.request(host.now).unwrap();
                assert_eq!(request.body(), &[0, 159, 255][..]);
                assert_eq!(request.headers()["x-own"], b"caf\xe9"[..]);
            }
            if ticket.message() == &mid("m3") {
                assert!(attempt.request_with_body(detached().1, host.now).is_ok());
            }
            host.resolve(ticket, &answer(200));
        }
        if attempts.is_empty() {
            host.now = host.wait.unwrap();
        }
    }
    let expected = [
        // The probe in flight is lost, so another delivery probes.
        "5: d1>down#2",
        "6: binary>own#2",
        "10: m3>narrow#1",
        "10: m1>narrow#2",
        "15: m1>slow#2",
        "15: m2>narrow#2",
        "19: d2>down#2",
        "19: m3>slow#2",
        "30: p1>pausing#2",
        "30: p2>pausing#2",
    ];
    assert_eq!(sent, expected);
    // At the end everything is forgotten except the endpoints' state: the receiver's request to
    // stop and what was learned remain.
    while let Some(wait) = host.wait {
        host.now = wait;
        assert!(host.sends().is_empty());
    }
    assert_eq!(host.now, at(30 + 24 * 60 * 60));
    let learned = ["endpoint/down", "endpoint/gone", "endpoint/narrow", "endpoint/pausing"];
    assert_eq!(host.keys(), learned);
}

/// A value survives the formats that name the fields, and the order that `jsonb` gives them.
fn assert_named_formats<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    let json = serde_json::to_value(value).unwrap();
    assert_eq!(serde_json::from_value::<T>(shuffled(&json)).unwrap(), *value);
    let mut cbor = Vec::new();
    ciborium::into_writer(value, &mut cbor).unwrap();
    assert_eq!(ciborium::from_reader::<T, _>(&cbor[..]).unwrap(), *value);
    let named = rmp_serde::to_vec_named(value).unwrap();
    assert_eq!(rmp_serde::from_slice::<T>(&named).unwrap(), *value);
}

/// A value survives binary formats that do not describe themselves as well.
fn assert_any_format<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    assert_named_formats(value);
    let packed = rmp_serde::to_vec(value).unwrap();
    assert_eq!(rmp_serde::from_slice::<T>(&packed).unwrap(), *value);
    let postcard = postcard::to_allocvec(value).unwrap();
    assert_eq!(postcard::from_bytes::<T>(&postcard).unwrap(), *value);
    let config = bincode::config::standard();
    let bincode = bincode::serde::encode_to_vec(value, config).unwrap();
    let (read, length) = bincode::serde::decode_from_slice::<T, _>(&bincode, config).unwrap();
    assert_eq!((&read, length), (value, bincode.len()));
}

/// The same JSON, with the members of each object by length and then by name, as `jsonb` has them.
fn shuffled(json: &Value) -> Value {
    match json {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| (name.len(), (*name).clone()));
            members.into_iter().map(|(name, value)| (name.clone(), shuffled(value))).collect()
        }
        Value::Array(items) => items.iter().map(shuffled).collect(),
        other => other.clone(),
    }
}

#[test]
fn record_survives_any_format() {
    for record in story() {
        assert_any_format(&record);
        match &record {
            Record::Message(it) => assert_named_formats(it.message()),
            Record::Delivery(it) => assert_named_formats(it.delivery()),
            Record::Endpoint(it) => {
                assert_named_formats(it.health());
                assert_named_formats(it.flow());
            }
            other => panic!("{other:?}"),
        }
    }
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    assert_any_format(&host.send());
}

#[test]
fn inbox_survives_any_format() {
    let mut inbox = Inbox::new(NonZeroUsize::new(3).unwrap());
    for started in [false, true] {
        if started {
            assert!(inbox.remember("s", "seen", at(0)));
            assert!(inbox.begin("s", "in progress", at(0)).claim(at(0)).is_ok());
        }
        assert_any_format(&inbox);
        let (state, events) = inbox.rows();
        assert_any_format(&state);
        events.for_each(|event| assert_any_format(&event));
    }
}
