//! The lab events for other languages: as JSON Schema 2020-12, OpenAPI 3.1 and AsyncAPI 3.
//!
//! All three contain the same definitions, rendered from [`LabEvent::shapes`], that is from the
//! declarations of labhook's own models. Member by member they accept what those read, with these
//! differences:
//!
//! - An optional member of another type is refused here. labhook keeps it, unread, in `unknown`. A
//!   definition that accepts anything would give no types, and no sender means it.
//! - `2.0`, `2E0` and `-0` are integers to JSON Schema. labhook reads integers in their plain
//!   spelling only, and keeps these in `unknown`.
//! - Duplicate members are refused by labhook, and not seen by most validators.
//! - `format: date-time` is an annotation in JSON Schema, and labhook reads any text there too.
//!   Generated types may insist on it: a sender that uses labhook writes RFC 3339.

mod asyncapi;
mod definitions;
mod description;
mod examples;
mod openapi;
pub mod signed;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use labhook::LabEvent;
use labhook::schema::{EventShape, Shape};
use serde_json::{Value, json};

/// A document: the name of its file, and its text.
pub type Document = (&'static str, String);

/// Returns the committed documents, as they should be.
pub fn documents() -> anyhow::Result<[Document; 3]> {
    let catalogue = Catalogue::read()?;
    Ok([
        ("lab-events.schema.json", pretty(&json_schema(&catalogue))),
        ("openapi.json", pretty(&openapi::document(&catalogue))),
        ("asyncapi.json", pretty(&asyncapi::document(&catalogue))),
    ])
}

fn pretty(document: &Value) -> String {
    format!("{document:#}\n")
}

/// The folder of this package.
#[must_use]
pub fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the example events, one per event type, and one of a type outside of the catalogue.
pub fn fixtures() -> anyhow::Result<Vec<PathBuf>> {
    let folder = home().join("../../tests/data/lab");
    let files = folder.read_dir().with_context(|| folder.display().to_string())?;
    let mut files: Vec<_> = files.map(|file| Ok(file?.path())).collect::<std::io::Result<_>>()?;
    files.sort();
    Ok(files)
}

/// The events of the catalogue, each with an example.
struct Catalogue(Vec<CatalogueEvent>);

struct CatalogueEvent {
    shape: EventShape,
    /// The name of the payload.
    name: &'static str,
    /// The first paragraph of the payload's documentation.
    summary: String,
    example: Value,
}

impl Catalogue {
    fn read() -> anyhow::Result<Self> {
        let events = LabEvent::shapes().into_iter().map(|shape| {
            let Shape::Object(object) = shape.data else {
                anyhow::bail!("the data of {} is no object", shape.event_type);
            };
            Ok(CatalogueEvent {
                name: object.name,
                summary: description::summary(object.docs),
                example: examples::read(&shape)?,
                shape,
            })
        });
        Ok(Self(events.collect::<anyhow::Result<_>>()?))
    }

    fn types(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|event| event.shape.event_type.as_str())
    }
}

fn json_schema(catalogue: &Catalogue) -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "AnyEvent",
        "description": "An event of labhook, of any type: the body of a webhook.",
        "anyOf": [
            { "$ref": "#/$defs/LabEvent" },
            { "$ref": "#/$defs/UnknownEvent" },
        ],
        "$defs": definitions::all(catalogue, "#/$defs/"),
    })
}

/// The version of labhook that the documents describe.
fn version() -> &'static str {
    let manifest = include_str!("../../../Cargo.toml");
    let line = manifest.lines().find_map(|line| line.strip_prefix("version = "));
    line.map_or("", |version| version.trim_matches('"'))
}
