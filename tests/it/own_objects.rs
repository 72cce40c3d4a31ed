//! The macros for payloads, as another crate uses them.

use labhook::json::{Nullable, open_enum, open_object};
use labhook::{Event, EventType, Keys, MessageId, Payload, Subscription, Timestamp, danger};

open_enum! {
    /// The result of a calibration.
    pub enum Calibration {
        /// It is within its limits.
        Passed = "passed" | "ok" | "pass",
        /// It is not.
        Failed = "failed"
    }
}

open_object! {
    /// A reader was calibrated. A float is not `Eq`, so neither is the struct.
    pub struct ReaderCalibrated {
        /// The reader.
        required reader: String,
        /// The result.
        exact result: Calibration,
        /// The drift since the previous calibration.
        optional drift: f64,
        /// The lamp.
        optional lamp: Lamp as "lamp-1",
        /// The calibration before this one.
        optional previous: Box<Self>,
        /// The operator.
        nullable operator: String
    }
}

open_object! {
    #[derive(Eq)]
    #[doc = "A lamp."]
    pub struct Lamp {
        strict hours: u32,
        strict_nullable limit: u32,
    }
}

impl Payload for ReaderCalibrated {
    const EVENT_TYPE: EventType = EventType::from_static("reader.calibrated");

    fn keys(&self) -> Keys {
        Keys::new().with_custom("instrument", self.reader.as_str())
    }
}

fn envelope(data: &str) -> String {
    format!(
        r#"{{"type":"reader.calibrated","timestamp":"2025-04-17T09:30:00.000Z","data":{data}}}"#
    )
}

fn decode(body: &str) -> Result<Event<ReaderCalibrated>, labhook::decode::DecodeError> {
    danger::unsigned(body.as_bytes()).decode()
}

#[test]
fn own_payload_keeps_unknown_members_verbatim() {
    let body = envelope(
        r#"{"reader":"r2","result":"warm","drift":0.5,"lamp-1":{"hours":7,"limit":null,"w":[2.50]},"previous":{"reader":"r2","result":"passed","gain":1.10},"operator":null,"gain":1.10,"n":123456789012345678901234567890,"x":{"b":1e400,"a":-0.0}}"#,
    );
    let event = decode(&body).unwrap();
    assert_eq!(event.data.unknown.get("gain"), Some("1.10"));
    assert_eq!(event.data.lamp.as_ref().unwrap().limit, Nullable::Null);
    assert_eq!(event.data.operator, Nullable::Null);
    assert_eq!(event.data.result, Calibration::from("warm"));
    assert_eq!(event.data.previous.as_ref().unwrap().unknown.get("gain"), Some("1.10"));
    assert_eq!(serde_json::to_string(&event).unwrap(), body);

    let subscription = Subscription::all().custom("instrument", ["r2"]);
    let message = event.into_message(MessageId::new("m").unwrap()).unwrap();
    assert!(subscription.matches(&message));
    assert_eq!(&message.rendering("labhook").unwrap().body().unwrap()[..], body.as_bytes());
}

#[test]
fn own_optional_member_of_another_type_is_kept() {
    let body = envelope(r#"{"reader":"r2","result":"failed","drift":"high","operator":7}"#);
    let event = decode(&body).unwrap();
    assert_eq!((event.data.drift, event.data.unknown.len()), (None, 2));
    assert_eq!(serde_json::to_string(&event).unwrap(), body);
}

#[test]
fn own_payload_errors_name_the_path() {
    for (data, text) in [
        (r#"{"reader":"r2"}"#, "the reader.calibrated event is malformed at `data`"),
        (
            r#"{"reader":"r2","result":"failed","result":"ok"}"#,
            "the reader.calibrated event is malformed at `data.result`",
        ),
    ] {
        assert_eq!(decode(&envelope(data)).unwrap_err().to_string(), text);
    }
    // The strict member is an error of its object, which is optional and kept whole.
    let kept =
        decode(&envelope(r#"{"reader":"r2","result":"ok","lamp-1":{"hours":"7"}}"#)).unwrap();
    assert_eq!(kept.data.unknown.get("lamp-1"), Some(r#"{"hours":"7"}"#));
    assert!(serde_json::from_str::<Lamp>(r#"{"hours":"7"}"#).is_err());
}

#[test]
fn own_enum_reads_its_spellings_and_writes_one() {
    for text in ["passed", "ok", "pass"] {
        let read: Calibration = serde_json::from_str(&format!("{text:?}")).unwrap();
        assert!(matches!(read, Calibration::Passed), "{text}");
        assert_eq!(serde_json::to_string(&read).unwrap(), r#""passed""#);
        assert_eq!(Calibration::Other(text.into()), Calibration::Passed);
    }
    let warm = Calibration::from("warm");
    assert!(!warm.is_known());
    assert_eq!(serde_json::to_string(&warm).unwrap(), r#""warm""#);
    assert_eq!(Calibration::KNOWN.len(), 2);
}

#[test]
fn own_object_is_created_from_its_required_fields() {
    let mut made = ReaderCalibrated::new("r2", Calibration::Passed);
    made.lamp = Some(Lamp::new());
    made.unknown.insert("gain", "1.10").unwrap();
    let json = r#"{"reader":"r2","result":"passed","lamp-1":{},"gain":1.10}"#;
    assert_eq!(serde_json::to_string(&made).unwrap(), json);
    made.unknown.insert("lamp-1", "1").unwrap();
    let error = serde_json::to_string(&made).unwrap_err().to_string();
    assert_eq!(error, "unknown member `lamp-1` collides with a known field");
    let event = Event::new(made, Timestamp::UNIX_EPOCH);
    assert!(event.into_message(MessageId::new("m").unwrap()).is_err());
}

/// The macros work where no name means what it usually does.
#[no_implicit_prelude]
mod hygiene {
    #![allow(non_camel_case_types, dead_code, reason = "names that a macro might use")]

    use ::labhook::json::{open_enum, open_object};

    pub(super) type A = u8;
    pub(super) type D = u8;
    pub(super) type M = u8;
    pub(super) type S = u8;
    pub(super) type Option = u8;
    pub(super) type String = u8;
    struct Result;
    struct Box;
    mod std {}
    mod core {}
    mod serde {}
    mod labhook {}
    mod json {}

    open_object! {
        pub(super) struct Members {
            required map: A,
            exact name: D,
            optional value: M as "for",
            nullable serializer: S,
            strict slot: Option,
            strict_nullable text: String,
            optional has: Known,
        }
    }

    open_enum! {
        pub(super) enum Known {
            Some = "some" | "one",
            None = "none",
        }
    }
}

#[test]
fn macros_work_without_any_name_in_scope() {
    let json =
        r#"{"map":1,"name":2,"for":3,"serializer":4,"slot":5,"text":6,"has":"some","u":1.10}"#;
    let read: hygiene::Members = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), json);
    assert_eq!((read.value, read.has), (Some(3), Some(hygiene::Known::Some)));
    let made = hygiene::Members::new(1, 2);
    assert_eq!(serde_json::to_string(&made).unwrap(), r#"{"map":1,"name":2}"#);
}

#[cfg(feature = "schema")]
#[test]
fn shape_describes_declaration_and_docs() {
    use labhook::schema::{Describe, EventShape, ObjectShape, Presence, Shape};

    fn object(shape: Shape) -> &'static ObjectShape {
        match shape {
            Shape::Object(object) => object,
            other => panic!("{other:?} is no object"),
        }
    }

    let event = EventShape::of::<ReaderCalibrated>();
    assert_eq!(event.event_type, ReaderCalibrated::EVENT_TYPE);
    let reader = object(event.data);
    assert_eq!(reader.name, "ReaderCalibrated");
    let docs = " A reader was calibrated. A float is not `Eq`, so neither is the struct.\n";
    assert_eq!(reader.docs, docs);
    let presences: Vec<_> = reader.members.iter().map(|it| (it.name, it.presence)).collect();
    assert_eq!(
        presences,
        [
            ("reader", Presence::Required),
            ("result", Presence::Required),
            ("drift", Presence::Optional),
            ("lamp-1", Presence::Optional),
            ("previous", Presence::Optional),
            ("operator", Presence::Nullable),
        ]
    );
    let shape = |index: usize| (reader.members[index].shape)();
    assert!(matches!(shape(0), Shape::Text));
    assert!(matches!(shape(2), Shape::Number));
    assert_eq!(object(shape(4)).name, "ReaderCalibrated", "a type may contain itself");

    let Shape::Enum(calibration) = shape(1) else { panic!("an enum") };
    let values: Vec<_> = calibration.values.iter().map(|it| (it.text, it.also)).collect();
    assert_eq!(values, [("passed", &["ok", "pass"][..]), ("failed", &[][..])]);
    assert_eq!(calibration.values[1].docs, " It is not.\n");

    let lamp = object(shape(3));
    assert_eq!(lamp.docs, "A lamp.\n", "from an attribute, and not from `derive`");
    assert_eq!(lamp.members[0].presence, Presence::Strict);
    assert_eq!(lamp.members[1].presence, Presence::StrictNullable);
    assert!(matches!((lamp.members[0].shape)(), Shape::Integer { min: 0, max: 4_294_967_295 }));

    type Names = std::collections::BTreeMap<String, String>;
    open_object! {
        struct Rack {
            required names: Names,
            required more: Vec<Names>,
            required tubes: Vec<Option<bool>>,
        }
    }
    let rack = object(Rack::shape());
    assert!(matches!((rack.members[0].shape)(), Shape::Any), "its type is not described");
    assert!(matches!((rack.members[1].shape)(), Shape::Any));
    let Shape::List(tube) = (rack.members[2].shape)() else { panic!("a list") };
    let Shape::Nullable(full) = tube() else { panic!("nullable") };
    assert!(matches!(full(), Shape::Bool));
}
