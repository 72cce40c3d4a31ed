//! The CloudEvents SDKs: they read our events, we read theirs, and both refuse malformed ones.

mod malformed;
mod random;

use std::collections::BTreeMap;
use std::fmt::Debug;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fastrand::Rng;
use http::HeaderMap;
use labhook::message::format::{CloudEvent, CloudEvents, Format};
use labhook::time::TimeText;
use labhook::{Message, Timestamp, danger};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::driver::{Driver, Headers, Sent};
use super::install::Language;
use super::{LARGE_EVERY, MESSAGES, SEED};
use random::{Data, Meaning};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Structured,
    Binary,
}

impl Mode {
    const fn name(self) -> &'static str {
        match self {
            Self::Structured => "structured",
            Self::Binary => "binary",
        }
    }
}

/// What an SDK reads.
#[derive(Debug, Deserialize)]
struct Read {
    accepted: bool,
    why: Option<String>,
    #[serde(default)]
    attributes: Map<String, Value>,
    /// The text attributes, with percent-encoding decoded by the driver.
    #[serde(default)]
    decoded: Map<String, Value>,
    data: Option<Value>,
}

/// A CloudEvent in a request.
struct Carried {
    mode: Mode,
    headers: Headers,
    body: Vec<u8>,
}

impl Carried {
    /// Renders our message.
    fn ours(mode: Mode, source: &str, message: &Message) -> Self {
        let format = match mode {
            Mode::Structured => CloudEvents::structured(source),
            Mode::Binary => CloudEvents::binary(source),
        };
        let rendering = format.unwrap().render(message).unwrap();
        let content_type = rendering.content_type().to_str().unwrap().to_owned();
        let mut headers = Headers::from([("content-type".to_owned(), content_type)]);
        for (name, value) in rendering.headers() {
            headers.insert(name.to_string(), value.to_str().unwrap().to_owned());
        }
        Self { mode, headers, body: rendering.body().unwrap().to_vec() }
    }

    /// Reads it with this crate.
    fn read(&self) -> Result<CloudEvent, String> {
        let body = danger::unsigned(&self.body);
        match self.mode {
            Mode::Structured => body.decode().map_err(|error| error.to_string()),
            Mode::Binary => {
                let header = |(name, value): (&String, &String)| {
                    (name.parse().unwrap(), http::HeaderValue::from_str(value).unwrap())
                };
                let headers: HeaderMap = self.headers.iter().map(header).collect();
                CloudEvent::from_binary(&headers, body.trusted_body())
                    .map_err(|error| error.to_string())
            }
        }
    }
}

struct Exchange {
    language: Language,
    driver: Driver,
    /// What the SDK does otherwise, and how often it did.
    otherwise: BTreeMap<&'static str, u64>,
}

impl Exchange {
    fn run(language: Language) {
        let Some(driver) = Driver::start(language, "cloudevents") else { return };
        let mut exchange = Self { language, driver, otherwise: BTreeMap::new() };
        for number in 0..MESSAGES {
            exchange.ours(SEED + number);
            exchange.theirs(SEED + number);
        }
        let (mut number, mut malformed) = (0, 0);
        while malformed < MESSAGES {
            malformed += u64::from(exchange.malformed(SEED + number));
            number += 1;
        }
        let name = &exchange.driver.name;
        println!(
            "official: {name}: {MESSAGES} ours read by it, {MESSAGES} its read by ours, \
             {malformed} malformed refused by both"
        );
        for (what, count) in &exchange.otherwise {
            println!("official: {name}: {count} {what}");
        }
    }

    fn note(&mut self, what: &'static str) {
        *self.otherwise.entry(what).or_default() += 1;
    }

    fn context(&self, mode: Mode, seed: u64, what: &impl Debug) -> String {
        let name = &self.driver.name;
        let text = format!("{name}, {mode:?} event of seed {seed}: {what:?}");
        text.chars().take(1_000).collect()
    }

    fn is_npm(&self) -> bool {
        self.language == Language::JavaScript
    }

    fn read(&mut self, carried: &Carried) -> Read {
        let body = STANDARD.encode(&carried.body);
        self.driver.call(&json!({ "op": "read", "headers": carried.headers, "body": body }))
    }

    /// The SDK reads our event with equal attributes and equal data.
    fn ours(&mut self, seed: u64) {
        let mut random = Rng::with_seed(seed);
        let mode = random::mode(&mut random);
        let (meaning, message) = random::message(seed.is_multiple_of(LARGE_EVERY), &mut random);
        let carried = Carried::ours(mode, meaning.source(), &message);
        let mut read = self.read(&carried);
        let context = self.context(mode, seed, &meaning);
        assert!(read.accepted, "{context}: {:?}", read.why);

        let mut expected = meaning.attributes.clone();
        if mode == Mode::Binary {
            // A header carries no type.
            expected.values_mut().for_each(|value| *value = random::header_text(value).into());
        }
        self.check_time(&mut expected, &mut read.attributes, &context);
        if mode == Mode::Binary && self.is_npm() {
            for (name, value) in &read.attributes {
                if name != "datacontenttype" {
                    let sent = &carried.headers[&format!("ce-{name}")];
                    assert_eq!(value.as_str(), Some(&**sent), "{name} is as sent: {context}");
                }
            }
            if read.attributes != expected {
                self.note("of ours in binary mode read with percent-encoding: it decodes none");
            }
            read.decoded.remove("time");
            read.attributes = read.decoded;
        }
        assert_eq!(read.attributes, expected, "{context}");

        let data = meaning.data.json().unwrap();
        let expected = self.data_read(mode, data);
        assert_eq!(read.data.as_ref(), expected.as_ref(), "{context}");
    }

    /// The data that the SDK reads: that of the event, except for two faults of the npm SDK.
    fn data_read(&mut self, mode: Mode, data: &Value) -> Option<Value> {
        let is_falsy = *data == json!(null) || *data == 0 || *data == false || *data == "";
        let is_bare = !data.is_object() && !data.is_array() && !data.is_string();
        match mode {
            Mode::Structured if self.is_npm() && is_falsy => {
                self.note(
                    "of ours in structured mode with `null`, `false`, 0 or \"\": it drops them",
                );
                None
            }
            Mode::Binary if self.is_npm() && is_bare => {
                self.note(
                    "of ours in binary mode with a number, a boolean or `null`: read as text",
                );
                Some(data.to_string().into())
            }
            // The answer has no other form for it.
            _ if data.is_null() => None,
            _ => Some(data.clone()),
        }
    }

    /// We read the SDK's event with equal attributes and equal data.
    fn theirs(&mut self, seed: u64) {
        let mut random = Rng::with_seed(seed);
        let mode = random::mode(&mut random);
        let is_large = seed.is_multiple_of(LARGE_EVERY);
        let meaning = Meaning::writable(self.language, mode, is_large, &mut random);
        let context = self.context(mode, seed, &meaning);
        let mut write = json!({
            "op": "write", "mode": mode.name(), "attributes": meaning.attributes,
        });
        match &meaning.data {
            Data::None => {}
            Data::Json(data) => write["data"] = data.clone(),
            Data::Text(text) => write["data"] = json!(text),
            Data::Bytes(bytes) => write["data_base64"] = json!(STANDARD.encode(bytes)),
        }
        let sent: Sent = self.driver.call(&write);
        let carried = Carried { mode, body: sent.body(), headers: sent.headers };
        let read = carried.read().unwrap_or_else(|error| panic!("{context}: {error}"));
        let Value::Object(mut found) = serde_json::to_value(&read).unwrap() else { panic!() };

        let mut expected = meaning.attributes.clone();
        if mode == Mode::Binary {
            for (_, value) in &mut expected {
                let text = match value {
                    Value::Bool(is_true) if !self.is_npm() => {
                        self.note(
                            "of its in binary mode with a boolean: it writes `True`, `False`",
                        );
                        if *is_true { "True".to_owned() } else { "False".to_owned() }
                    }
                    ref value => random::header_text(value),
                };
                *value = text.into();
            }
            if self.is_npm() && !expected.contains_key("datacontenttype") {
                expected.insert("datacontenttype".into(), "application/json; charset=utf-8".into());
            }
        }
        self.check_time(&mut expected, &mut found, &context);
        let is_json = matches!(meaning.data, Data::Json(_));
        match (meaning.data, mode) {
            (Data::None, _) => None,
            (Data::Json(data), _) => expected.insert("data".into(), data),
            (Data::Text(text), Mode::Structured) => expected.insert("data".into(), text.into()),
            (Data::Text(text), Mode::Binary) => {
                expected.insert("data_base64".into(), STANDARD.encode(text).into())
            }
            (Data::Bytes(bytes), _) => {
                expected.insert("data_base64".into(), STANDARD.encode(bytes).into())
            }
        };
        assert_eq!(found, expected, "{context}");
        let event = read.to_event(Timestamp::UNIX_EPOCH);
        assert_eq!(event.is_ok(), is_json, "{context}: {event:?}");
    }

    /// Removes and compares the times: the npm SDK has milliseconds, and all have another text.
    fn check_time(
        &self,
        expected: &mut Map<String, Value>,
        found: &mut Map<String, Value>,
        context: &str,
    ) {
        let [expected, found] = [expected, found].map(|attributes| {
            let text = attributes.remove("time").unwrap();
            let time = TimeText::verbatim(text.as_str().unwrap()).timestamp().unwrap();
            if self.is_npm() { time.unix_millis() } else { time.unix_micros() }
        });
        assert_eq!(found, expected, "time: {context}");
    }
}

official! {
    cloud_events_of_javascript_agrees: Exchange::run(Language::JavaScript),
    cloud_events_of_python_agrees: Exchange::run(Language::Python),
}
