//! Events that lack what the specification requires.

use fastrand::Rng;
use labhook::Timestamp;
use serde_json::{Map, Value, json};

use super::random;
use super::{Carried, Exchange, Mode};

#[derive(Clone, Debug, PartialEq)]
enum Fault {
    /// The attribute is missing.
    Without(&'static str),
    /// The attribute has this value.
    Set(&'static str, Value),
    /// The body is this.
    Body(&'static str),
    /// The body ends too early.
    Cut,
}

impl Fault {
    fn random(mode: Mode, random: &mut Rng) -> Self {
        let required = ["id", "source", "type", "specversion"][random.usize(0..4)];
        match (mode, random.u8(0..8)) {
            (_, 0..=2) => Self::Without(required),
            (_, 3..=4) => Self::Set(required, json!("")),
            (_, 5) => Self::Set("specversion", ["0.9", "1", "2.0"][random.usize(0..3)].into()),
            (Mode::Binary, _) => Self::Without("source"),
            (Mode::Structured, 6) => {
                Self::Set(required, [json!(7), json!([]), json!({})][random.usize(0..3)].clone())
            }
            (Mode::Structured, _) => match random.u8(0..2) {
                0 => Self::Cut,
                _ => Self::Body(["[]", "7", "\"x\"", "{}", "null"][random.usize(0..5)]),
            },
        }
    }

    /// Makes this of a well-formed event.
    fn apply(&self, carried: &mut Carried, random: &mut Rng) {
        match (self, carried.mode) {
            (Self::Without(name), Mode::Binary) => {
                carried.headers.remove(&format!("ce-{name}")).unwrap();
            }
            (Self::Set(name, value), Mode::Binary) => {
                carried.headers.insert(format!("ce-{name}"), random::header_text(value)).unwrap();
            }
            (Self::Without(name), Mode::Structured) => {
                edit(carried, |event| event.remove(*name));
            }
            (Self::Set(name, value), Mode::Structured) => {
                edit(carried, |event| event.insert((*name).to_owned(), value.clone()));
            }
            (Self::Body(body), _) => carried.body = (*body).into(),
            (Self::Cut, _) => carried.body.truncate(random.usize(1..carried.body.len())),
        }
    }

    /// Whether an SDK accepts it, because it fills in a missing attribute: the Python SDK an id and
    /// a version; the npm SDK an empty one too, but no id in binary mode.
    fn is_filled_in(&self, mode: Mode, is_npm: bool) -> bool {
        let (name, is_empty) = match self {
            Self::Without(name) => (*name, false),
            Self::Set(name, value) if *value == "" => (*name, true),
            _ => return false,
        };
        match name {
            "specversion" => is_npm || !is_empty,
            "id" if is_npm => mode == Mode::Structured,
            "id" => !is_empty,
            _ => false,
        }
    }
}

fn edit(carried: &mut Carried, change: impl FnOnce(&mut Map<String, Value>) -> Option<Value>) {
    let mut event = serde_json::from_slice(&carried.body).unwrap();
    change(&mut event).unwrap();
    carried.body = serde_json::to_vec(&event).unwrap();
}

impl Exchange {
    /// Returns whether both refuse a malformed event. The SDK does unless it fills something in.
    pub(super) fn malformed(&mut self, seed: u64) -> bool {
        let mut random = Rng::with_seed(seed);
        let mode = random::mode(&mut random);
        let (meaning, message) = random::message(false, &mut random);
        let mut carried = Carried::ours(mode, meaning.source(), &message);
        let fault = Fault::random(mode, &mut random);
        fault.apply(&mut carried, &mut random);
        let context = self.context(mode, seed, &fault);

        let ours = carried.read().and_then(|event| {
            event.to_event(Timestamp::UNIX_EPOCH).map_err(|error| error.to_string())
        });
        assert!(ours.is_err(), "ours: {context}");
        let is_filled_in = fault.is_filled_in(mode, self.is_npm());
        let theirs = self.read(&carried);
        assert_eq!(theirs.accepted, is_filled_in, "theirs: {context}: {:?}", theirs.why);
        if is_filled_in {
            self.note("malformed refused by ours: it fills in an `id` or a `specversion`");
        }
        !is_filled_in
    }
}
