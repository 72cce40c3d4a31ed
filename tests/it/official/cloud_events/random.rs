//! Random events.

use fastrand::Rng;
use labhook::event::UnknownEvent;
use labhook::json::JsonText;
use labhook::lab::{LabEvent, RunState, RunStateChanged};
use labhook::time::TimeText;
use labhook::{Event, Message, MessageId};
use serde_json::{Map, Value, json};

use super::super::install::Language;
use super::Mode;

/// The size of the data of the few events that are large.
const LARGE: usize = 1 << 20;

/// What an event says, in any mode and to any SDK.
#[derive(Debug)]
pub(super) struct Meaning {
    pub(super) attributes: Map<String, Value>,
    pub(super) data: Data,
}

#[derive(Debug)]
pub(super) enum Data {
    None,
    Json(Value),
    Text(String),
    Bytes(Vec<u8>),
}

impl Data {
    pub(super) const fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(data) => Some(data),
            _ => None,
        }
    }
}

impl Meaning {
    pub(super) fn source(&self) -> &str {
        self.attributes["source"].as_str().unwrap()
    }

    /// An event that the SDK can write in this mode:
    ///
    /// - The npm SDK encodes nothing in binary mode, so attributes are as headers can have them.
    /// - In binary mode, both write bare values of JSON in other forms than JSON; the Python SDK
    ///   arrays too.
    /// - The Python SDK has one value for no data and `null`.
    pub(super) fn writable(
        language: Language,
        mode: Mode,
        is_large: bool,
        random: &mut Rng,
    ) -> Self {
        let is_npm = language == Language::JavaScript;
        let text = match (is_npm, mode) {
            (true, Mode::Binary) => |random: &mut Rng| header_safe(random),
            _ => |random: &mut Rng| text(random),
        };
        let mut attributes = Map::new();
        let mut set = |name: &str, value: Value| _ = attributes.insert(name.to_owned(), value);
        set("specversion", "1.0".into());
        set("id", text(random).into());
        set("source", source(random).replace('%', "-").into());
        set("type", event_type(random).into());
        set("time", time(random).into());
        if random.bool() {
            set("subject", text(random).into());
        }
        if random.u8(0..4) == 0 {
            set("dataschema", format!("https://lab.example/{}", random.alphanumeric()).into());
        }
        for _ in 0..random.usize(0..3) {
            set(&extension_name(random), extension(random, text));
        }

        let data = match random.u8(0..10) {
            _ if is_large => Data::Bytes((0..LARGE).map(|_| random.u8(..)).collect()),
            0 => Data::None,
            1 => Data::Text(text(random)),
            2 => Data::Bytes((0..random.usize(1..300)).map(|_| random.u8(..)).collect()),
            _ => Data::Json(loop {
                let data = json_value(3, random);
                let is_writable = match mode {
                    Mode::Structured => is_npm || !data.is_null(),
                    Mode::Binary => data.is_object() || (is_npm && data.is_array()),
                };
                if is_writable {
                    break data;
                }
            }),
        };
        let content_type = match data {
            Data::Text(_) => Some("text/plain"),
            Data::Bytes(_) => Some("application/octet-stream"),
            _ => [None, Some("application/json"), Some("application/vnd.lab+json")]
                [random.usize(0..3)],
        };
        if let Some(content_type) = content_type {
            set("datacontenttype", content_type.into());
        }
        Self { attributes, data }
    }
}

pub(super) fn mode(random: &mut Rng) -> Mode {
    if random.bool() { Mode::Structured } else { Mode::Binary }
}

/// A message of ours, and what its event says: one of the catalogue, which has a subject, or one of
/// any other type with any data.
pub(super) fn message(is_large: bool, random: &mut Rng) -> (Meaning, Message) {
    let id = loop {
        let text: String = (0..random.usize(1..60)).map(|_| random.char(' '..='~')).collect();
        if let Ok(id) = MessageId::new(text) {
            break id;
        }
    };
    let time = time(random);
    let mut attributes = Map::new();
    let (event_type, data) = if is_large {
        let note: String = (0..LARGE).map(|_| random.char(' '..='~')).collect();
        (event_type(random), json!({ "note": note }))
    } else if random.bool() {
        let run = text(random);
        attributes.insert("subject".into(), run.as_str().into());
        ("run.state_changed".to_owned(), json!({ "run_id": run, "state": "started" }))
    } else {
        (event_type(random), json_value(3, random))
    };
    let mut extensions = Map::new();
    for _ in 0..random.usize(0..4) {
        extensions.insert(extension_name(random), extension(random, text));
    }

    let mut event: LabEvent = match data.get("run_id").and_then(Value::as_str) {
        Some(run) => {
            let run = RunStateChanged::new(run, RunState::Started);
            Event::new(run, TimeText::verbatim(&*time)).into()
        }
        None => {
            let data = JsonText::write(&data).unwrap();
            let event_type = event_type.parse().unwrap();
            LabEvent::Unknown(UnknownEvent::new(event_type, data, TimeText::verbatim(&*time)))
        }
    };
    let unknown = match &mut event {
        LabEvent::RunStateChanged(event) => &mut event.unknown,
        LabEvent::Unknown(event) => &mut event.unknown,
        other => panic!("{other:?}"),
    };
    for (name, value) in &extensions {
        unknown.insert(&**name, value.to_string()).unwrap();
    }

    for (name, text) in [
        ("specversion", "1.0"),
        ("id", id.as_str()),
        ("source", &source(random)),
        ("type", &event_type),
        ("time", &time),
        ("datacontenttype", "application/json"),
    ] {
        attributes.insert(name.to_owned(), text.into());
    }
    attributes.append(&mut extensions);
    (Meaning { attributes, data: Data::Json(data) }, event.into_message(id).unwrap())
}

/// An attribute as a header has it, before it is encoded.
pub(super) fn header_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A string that an attribute can have: no control characters and no noncharacters.
fn text(random: &mut Rng) -> String {
    let char = |random: &mut Rng| match random.u8(0..10) {
        0 => random.char('\u{a1}'..='\u{7ff}'),
        1 => random.char('\u{800}'..='\u{d7ff}'),
        2 => random.char('\u{1_0000}'..='\u{1_fffd}'),
        3 => ['%', '"', '\\', ' ', '+'][random.usize(0..5)],
        _ => random.char(' '..='~'),
    };
    (0..random.usize(1..60)).map(|_| char(random)).collect()
}

/// A string that needs no encoding in a header.
fn header_safe(random: &mut Rng) -> String {
    let char = |random: &mut Rng| {
        std::iter::repeat_with(|| random.char('!'..='~')).find(|char| !"\"%".contains(*char))
    };
    (0..random.usize(1..60)).filter_map(|_| char(random)).collect()
}

fn source(random: &mut Rng) -> String {
    let start = ["https://lab.example/", "/", "urn:lab:", "cell-"][random.usize(0..4)];
    let piece = |random: &mut Rng| ["a", "7", "%20", "~", "/", "-"][random.usize(0..6)];
    let rest: String = (0..random.usize(1..20)).map(|_| piece(random)).collect();
    format!("{start}a{rest}")
}

fn event_type(random: &mut Rng) -> String {
    let segments: Vec<String> = (0..random.usize(1..4))
        .map(|_| (0..random.usize(1..12)).map(|_| random.alphanumeric()).collect())
        .collect();
    // Outside of the catalogue, whose data is not any.
    format!("own.{}", segments.join("."))
}

/// An RFC 3339 time in any spelling that has at most microseconds.
fn time(random: &mut Rng) -> String {
    let (year, month, day) = (random.u16(1971..2200), random.u8(1..=12), random.u8(1..=28));
    let (hour, minute, second) = (random.u8(0..24), random.u8(0..60), random.u8(0..60));
    let digits: String = (0..random.usize(0..=6)).map(|_| random.digit(10)).collect();
    let fraction = if digits.is_empty() { digits } else { format!(".{digits}") };
    let offset = match random.u8(0..3) {
        0 => format!("+{:02}:{:02}", random.u8(0..14), random.u8(0..60)),
        1 => format!("-{:02}:30", random.u8(0..12)),
        _ => "Z".to_owned(),
    };
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{offset}")
}

/// With a start that no other attribute has.
fn extension_name(random: &mut Rng) -> String {
    let rest: String = (0..random.usize(1..10)).map(|_| random.digit(36)).collect();
    format!("x{rest}")
}

fn extension(random: &mut Rng, text: impl Fn(&mut Rng) -> String) -> Value {
    match random.u8(0..4) {
        0 => random.bool().into(),
        1 => random.i32(..).into(),
        _ => text(random).into(),
    }
}

/// JSON that every language reads alike: integers up to 2^53, and
/// fractions that are exact.
fn json_value(depth: u8, random: &mut Rng) -> Value {
    let count = random.usize(0..5);
    match random.u8(if depth == 0 { 0..7 } else { 0..12 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i64(-(1 << 53)..=1 << 53).into(),
        3 => [0.5, -2.25, 1024.125][random.usize(0..3)].into(),
        4 => 0.into(),
        5 => "".into(),
        6 => text(random).into(),
        7..=8 => (0..count).map(|_| json_value(depth - 1, random)).collect(),
        _ => (0..count).map(|_| (text(random), json_value(depth - 1, random))).collect(),
    }
}
