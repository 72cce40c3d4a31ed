//! The schema and the models agree: what one accepts, the other does too.
//!
//! A model accepts an event if it decodes to its own variant, or to `Unknown`, and no member that
//! it knows is kept among the unknown ones.

use std::collections::BTreeMap;
use std::fs;

use fastrand::Rng;
use jsonschema::Validator;
use labhook::json::UnknownMembers;
use labhook::schema::{EventShape, MemberShape, ObjectShape, Presence, Shape};
use labhook::{LabEvent, danger};
use serde_json::{Map, Value, json};

fn validator() -> Validator {
    let [(_, schema), ..] = schemas::documents().unwrap();
    let schema = serde_json::from_str(&schema).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    jsonschema::draft202012::new(&schema).unwrap()
}

/// The known members of each object, by the name of the object.
struct Models(BTreeMap<&'static str, Vec<&'static str>>);

impl Models {
    fn new() -> Self {
        let mut models = Self(BTreeMap::new());
        for event in LabEvent::shapes() {
            models.add(event.data);
        }
        models
    }

    fn add(&mut self, shape: Shape) {
        match shape {
            Shape::Object(object) => {
                let names = object.members.iter().map(|member| member.name).collect();
                self.0.insert(object.name, names);
                object.members.iter().for_each(|member| self.add((member.shape)()));
            }
            Shape::List(items) => self.add(items()),
            _ => {}
        }
    }

    fn accept(&self, body: &str) -> bool {
        match danger::unsigned(body.as_bytes()).decode() {
            Err(_) | Ok(LabEvent::Unreadable { .. }) => false,
            Ok(LabEvent::Unknown(_)) => true,
            Ok(event) => {
                let all_known = |(object, unknown): (&str, UnknownMembers)| {
                    unknown.iter().all(|(name, _)| !self.0[object].contains(&name))
                };
                unknown_members(event).into_iter().all(all_known)
            }
        }
    }
}

/// The unknown members of each object in an event, by the name of the object.
fn unknown_members(event: LabEvent) -> Vec<(&'static str, UnknownMembers)> {
    macro_rules! by_variant {
        ($($payload:ident $($(@$optional:ident)? $member:ident: $object:literal)*,)+) => {
            match event {
                $(
                    LabEvent::$payload(event) => {
                        let data = event.data;
                        #[allow(unused_mut, reason = "not every payload contains objects")]
                        let mut all = vec![(stringify!($payload), data.unknown)];
                        $(by_variant!(@add all, data.$member, $object $(, $optional)?);)*
                        all
                    }
                )+
                other => panic!("no line for {}", other.event_type()),
            }
        };
        (@add $all:ident, $object:expr, $name:literal) => {
            $all.push(($name, $object.unknown))
        };
        (@add $all:ident, $object:expr, $name:literal, optional) => {
            $all.extend($object.map(|object| ($name, object.unknown)))
        };
    }
    by_variant! {
        RunStateChanged,
        InstructionCompleted,
        TaskStateChanged,
        LabwareMoved @optional from: "Location" @optional to: "Location",
        SafetyStateChanged,
        PlanCreated,
        DatasetCreated dataset: "Dataset",
        DatasetUpdated dataset: "Dataset",
        DatasetDeleted dataset: "Dataset",
        SampleCreated sample: "Sample",
        SampleUpdated sample: "Sample",
        SampleDeleted sample: "Sample",
        LabelUpdated label: "Label",
        LabelDeleted label: "Label",
        IssueCreated issue: "Issue",
        IssueUpdated issue: "Issue",
        ReleaseCreated release: "Release",
        ResourceChanged,
    }
}

/// Returns whether both accept the event.
fn agreed(validator: &Validator, models: &Models, event: &Value) -> bool {
    let accepted = models.accept(&event.to_string());
    if let Err(error) = validator.validate(event) {
        assert!(!accepted, "only the model accepts {event}: {error}");
    } else {
        assert!(accepted, "only the schema accepts {event}");
    }
    accepted
}

fn fixture_events() -> Vec<Value> {
    let files = schemas::fixtures().unwrap();
    let read = |file| serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    files.into_iter().map(read).collect()
}

/// Values of every type. None is an integer in another spelling: see the test below.
fn any_values() -> Vec<Value> {
    let texts = [
        "null",
        "true",
        "0",
        "-1",
        "255",
        "256",
        "4294967295",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
        "1.5",
        r#""""#,
        r#""text""#,
        "[]",
        r#"["text"]"#,
        "[1]",
        "[null]",
        "{}",
        r#"{"id":"i"}"#,
        r#"{"device":1}"#,
    ];
    texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

/// Calls `change` with each value in the tree of `value`.
fn each_place(value: &Value, path: &str, change: &mut impl FnMut(&str)) {
    if let Value::Object(members) = value {
        for (name, value) in members {
            let path = format!("{path}/{name}");
            change(&path);
            each_place(value, &path, change);
        }
    }
}

#[test]
fn fixture_is_accepted_by_schema_and_model() {
    let (validator, models) = (validator(), Models::new());
    let events = fixture_events();
    assert!(events.len() >= 19);
    for event in events {
        assert!(agreed(&validator, &models, &event), "{event}");
    }
}

#[test]
fn changed_fixture_gets_the_same_verdict() {
    let (validator, models) = (validator(), Models::new());
    let (mut accepted, mut refused) = (0, 0);
    let mut count = |event: &Value| match agreed(&validator, &models, event) {
        true => accepted += 1,
        false => refused += 1,
    };
    for event in fixture_events() {
        each_place(&event, "", &mut |path| {
            let (parent, name) = path.rsplit_once('/').unwrap();
            let mut changed = event.clone();
            let members = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            members.remove(name);
            count(&changed);
            for value in any_values() {
                *changed
                    .pointer_mut(parent)
                    .unwrap()
                    .as_object_mut()
                    .unwrap()
                    .entry(name)
                    .or_insert(Value::Null) = value;
                count(&changed);
            }
        });
    }
    assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused");
}

struct Generator {
    rng: Rng,
    values: Vec<Value>,
}

impl Generator {
    fn one_in(&mut self, times: u32) -> bool {
        self.rng.u32(..times) == 0
    }

    fn any(&mut self) -> Value {
        self.values[self.rng.usize(..self.values.len())].clone()
    }

    fn event(&mut self, shape: &EventShape) -> Value {
        let event_type = match self.rng.u8(..40) {
            0 => json!("acme.weighed"),
            1 => json!("a b"),
            2 => json!("a..b"),
            3 => json!("a".repeat(128)),
            4 => json!("a".repeat(129)),
            5 => self.any(),
            _ => json!(shape.event_type),
        };
        let timestamp = if self.one_in(30) { self.any() } else { json!("2025-04-17T09:30:00Z") };
        let data = self.value(shape.data);
        let mut event = json!({ "type": event_type, "timestamp": timestamp, "data": data });
        if self.one_in(20) {
            let name = ["type", "timestamp", "data", "id"][self.rng.usize(..4)];
            event.as_object_mut().unwrap().shift_remove(name);
        }
        event
    }

    fn value(&mut self, shape: Shape) -> Value {
        if self.one_in(40) {
            return self.any();
        }
        match shape {
            Shape::Bool => self.rng.bool().into(),
            Shape::Integer { min, max } => {
                let number = if self.rng.bool() { min } else { max };
                serde_json::from_str(&number.to_string()).unwrap()
            }
            Shape::Text => "text".into(),
            Shape::Time => ["2025-04-17T09:30:00Z", "yesterday"][self.rng.usize(..2)].into(),
            Shape::Enum(shape) => match self.rng.usize(..=shape.values.len()) {
                0 => "some other value".into(),
                number => {
                    let value = &shape.values[number - 1];
                    value.also.first().unwrap_or(&value.text).to_string().into()
                }
            },
            Shape::List(items) => {
                let number = self.rng.usize(..3);
                (0..number).map(|_| self.value(items())).collect()
            }
            Shape::Object(shape) => self.object(shape),
            Shape::Any => self.any(),
            other => panic!("no value for {other:?}"),
        }
    }

    fn object(&mut self, shape: &ObjectShape) -> Value {
        let mut members = Map::new();
        for MemberShape { name, presence, shape, .. } in shape.members {
            let often = if *presence == Presence::Required { 40 } else { 2 };
            if !self.one_in(often) {
                let null = *presence != Presence::Required && self.one_in(10);
                let value = if null { Value::Null } else { self.value(shape()) };
                members.insert((*name).to_owned(), value);
            }
        }
        if self.one_in(3) {
            members.insert("unheard_of".to_owned(), self.any());
        }
        members.into()
    }
}

#[test]
fn generated_event_gets_the_same_verdict() {
    let (validator, models) = (validator(), Models::new());
    let mut generator = Generator { rng: Rng::with_seed(13), values: any_values() };
    for shape in LabEvent::shapes() {
        let mut accepted = 0;
        for _ in 0..1_000 {
            let event = generator.event(&shape);
            if agreed(&validator, &models, &event) {
                accepted += 1;
                // What the model writes is valid as well.
                let body = event.to_string();
                let event: LabEvent = danger::unsigned(body.as_bytes()).decode().unwrap();
                let written = serde_json::to_string(&event).unwrap();
                validator.validate(&serde_json::from_str(&written).unwrap()).unwrap();
            }
        }
        assert!((200..950).contains(&accepted), "{accepted} of {}", shape.event_type);
    }
}

#[test]
fn integer_spelled_otherwise_is_valid_json_schema() {
    let (validator, models) = (validator(), Models::new());
    for number in ["2.0", "2E0", "-0"] {
        let body = format!(
            r#"{{"type":"task.state_changed","timestamp":"2025-04-17T09:30:00Z",
                "data":{{"run_id":"r","task_id":"t","state":"failed","attempt":{number}}}}}"#
        );
        assert!(validator.is_valid(&serde_json::from_str(&body).unwrap()));
        assert!(!models.accept(&body));
    }
}

#[test]
fn duplicate_member_is_refused_by_the_model_only() {
    let body = r#"{"type":"dataset.deleted","timestamp":"2025-04-17T09:30:00Z",
        "data":{"dataset":{"id":"d","id":"d"}}}"#;
    assert!(validator().is_valid(&serde_json::from_str(body).unwrap()));
    assert!(!Models::new().accept(body));
}
