//! The definitions that the three documents have in common.

use labhook::schema::{EnumShape, MemberShape, ObjectShape, Presence, Shape};
use serde_json::{Map, Value, json};

use crate::description::{description, known_values};
use crate::{Catalogue, CatalogueEvent};

/// Defines every event and what it contains, by name. `prefix` is the place of the definitions in
/// the document.
pub(crate) fn all(catalogue: &Catalogue, prefix: &'static str) -> Map<String, Value> {
    let mut definitions = Definitions { prefix, all: Map::new() };
    let events: Vec<_> =
        catalogue.0.iter().map(|event| definitions.reference(&event_name(event))).collect();
    definitions.all.insert(
        "LabEvent".to_owned(),
        json!({
            "title": "LabEvent",
            "description": "An event whose type is in the catalogue.",
            "oneOf": events,
        }),
    );
    definitions.all.insert("UnknownEvent".to_owned(), unknown_event(catalogue));
    for event in &catalogue.0 {
        definitions.event(event);
    }
    definitions.all
}

/// The name of the definition of an event with its envelope.
pub(crate) fn event_name(event: &CatalogueEvent) -> String {
    format!("{}Event", event.name)
}

/// The format that [`EventType`](labhook::EventType) documents.
fn event_type() -> Map<String, Value> {
    let pattern = "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*$";
    object(json!({ "type": "string", "pattern": pattern, "maxLength": 128 }))
}

/// Any value. Generators take a schema without a keyword for that of an object.
fn any() -> Value {
    json!({ "anyOf": [true] })
}

fn timestamp() -> Value {
    json!({
        "description": "The time at which the event happened, which may be long before it is sent.",
        "type": "string",
        "format": "date-time",
    })
}

fn unknown_event(catalogue: &Catalogue) -> Value {
    let mut event_type = event_type();
    event_type.insert("not".to_owned(), json!({ "enum": catalogue.types().collect::<Vec<_>>() }));
    json!({
        "title": "UnknownEvent",
        "description":
            "An event whose type is not in the catalogue: one of a later version, or of another \
             vocabulary.",
        "type": "object",
        "properties": {
            "type": event_type,
            "timestamp": timestamp(),
            "data": any(),
        },
        "required": ["type", "timestamp", "data"],
        "additionalProperties": true,
    })
}

struct Definitions {
    prefix: &'static str,
    all: Map<String, Value>,
}

impl Definitions {
    fn reference(&self, name: &str) -> Value {
        json!({ "$ref": format!("{}{name}", self.prefix) })
    }

    fn event(&mut self, event: &CatalogueEvent) {
        let definition = json!({
            "title": event_name(event),
            "description": event.summary,
            "type": "object",
            "properties": {
                "type": { "type": "string", "const": event.shape.event_type },
                "timestamp": timestamp(),
                "data": self.reference(event.name),
            },
            "required": ["type", "timestamp", "data"],
            "additionalProperties": true,
            "examples": [event.example],
        });
        self.all.insert(event_name(event), definition);
        let data = event.shape.data;
        self.value(data);
    }

    /// Returns the schema of a value. Objects and enums are defined once, by their name.
    fn value(&mut self, shape: Shape) -> Map<String, Value> {
        object(match shape {
            Shape::Bool => json!({ "type": "boolean" }),
            Shape::Integer { min, max } => {
                json!({ "type": "integer", "minimum": number(min), "maximum": number(max) })
            }
            Shape::Number => json!({ "type": "number" }),
            Shape::Text => json!({ "type": "string" }),
            Shape::Time => json!({ "type": "string", "format": "date-time" }),
            Shape::EventType => event_type().into(),
            Shape::Enum(shape) => self.named(shape.name, |_| open_enum(shape)),
            Shape::List(items) => json!({ "type": "array", "items": self.value(items()) }),
            Shape::Nullable(value) => nullable(self.value(value())).into(),
            Shape::Object(shape) => self.named(shape.name, |all| all.open_object(shape)),
            // Any value, and whatever a later version of labhook has.
            _ => any(),
        })
    }

    fn named(&mut self, name: &str, define: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.all.contains_key(name) {
            // Before its members, which may contain it.
            self.all.insert(name.to_owned(), Value::Null);
            let definition = define(self);
            self.all.insert(name.to_owned(), definition);
        }
        self.reference(name)
    }

    fn open_object(&mut self, shape: &ObjectShape) -> Value {
        let is_required = |member: &&MemberShape| member.presence == Presence::Required;
        let required: Vec<_> =
            shape.members.iter().filter(is_required).map(|member| member.name).collect();
        let mut properties = Map::new();
        for member in shape.members {
            properties.insert(member.name.to_owned(), self.member(member));
        }
        json!({
            "title": shape.name,
            "description": description(shape.docs),
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": true,
        })
    }

    fn member(&mut self, member: &MemberShape) -> Value {
        let mut schema = object(json!({ "description": description(member.docs) }));
        let value = self.value((member.shape)());
        schema.extend(match member.presence {
            // Generators take a reference with a description beside it for another type.
            Presence::Required if value.contains_key("$ref") => object(json!({ "allOf": [value] })),
            Presence::Required => value,
            _ => nullable(value),
        });
        schema.into()
    }
}

/// Allows `null` too.
fn nullable(mut schema: Map<String, Value>) -> Map<String, Value> {
    if schema.contains_key("$ref") {
        return object(json!({ "anyOf": [schema, { "type": "null" }] }));
    }
    // Without a type, any value is allowed; with two, one of them is `null` already.
    if let Some(Value::String(name)) = schema.get("type") {
        let names = json!([name, "null"]);
        schema.insert("type".to_owned(), names);
    }
    schema
}

/// The known values, or any other text.
fn open_enum(shape: &EnumShape) -> Value {
    let known: Vec<_> = shape.values.iter().map(|value| value.text).collect();
    json!({
        "title": shape.name,
        "description": format!("{}\n\n{}", description(shape.docs), known_values(shape)),
        "anyOf": [{ "type": "string", "enum": known }, { "type": "string" }],
    })
}

/// Every limit of an integer of up to 64 bits fits one of these.
fn number(limit: i128) -> Value {
    i64::try_from(limit)
        .map(Value::from)
        .or_else(|_| u64::try_from(limit).map(Value::from))
        .unwrap_or_default()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
