//! The AsyncAPI document: a channel of events, sent by HTTP.

use serde_json::{Map, Value, json};

use crate::definitions::{self, event_name};
use crate::openapi::HEADERS;
use crate::{Catalogue, CatalogueEvent, version};

/// The definitions use no keyword that the default schema format of AsyncAPI, a superset of JSON
/// Schema draft 7, lacks.
const SCHEMAS: &str = "#/components/schemas/";

pub(crate) fn document(catalogue: &Catalogue) -> Value {
    let names: Vec<_> = catalogue.0.iter().map(|event| event.name).collect();
    let channel: Map<_, _> = names
        .iter()
        .map(|name| {
            ((*name).to_owned(), json!({ "$ref": format!("#/components/messages/{name}") }))
        })
        .collect();
    let sent: Vec<_> = names
        .iter()
        .map(|name| json!({ "$ref": format!("#/channels/labEvents/messages/{name}") }))
        .collect();
    let messages: Map<_, _> =
        catalogue.0.iter().map(|event| (event.name.to_owned(), message(event))).collect();
    let mut schemas = definitions::all(catalogue, SCHEMAS);
    schemas.insert("Headers".to_owned(), headers());
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lab events of labhook",
            "version": version(),
            "description":
                "What a sender with labhook sends in its default format, signed as the Standard \
                 Webhooks specification 1.0.0 says.",
            "license": { "name": "MIT" },
        },
        "defaultContentType": "application/json",
        "channels": {
            "labEvents": {
                "address": null,
                "description": "Each receiver has a URL of its own.",
                "messages": channel,
            },
        },
        "operations": {
            "sendLabEvent": {
                "action": "send",
                "channel": { "$ref": "#/channels/labEvents" },
                "summary": "An event is sent to each endpoint that subscribed to it.",
                "messages": sent,
                "bindings": { "http": { "method": "POST", "bindingVersion": "0.3.0" } },
            },
        },
        "components": { "messages": messages, "schemas": schemas },
    })
}

fn message(event: &CatalogueEvent) -> Value {
    json!({
        "name": event.shape.event_type,
        "title": event.name,
        "summary": event.summary,
        "contentType": "application/json",
        "headers": { "$ref": format!("{SCHEMAS}Headers") },
        "payload": { "$ref": format!("{SCHEMAS}{}", event_name(event)) },
        "examples": [{ "payload": event.example }],
    })
}

fn headers() -> Value {
    let property = |(name, description, pattern, example): (&str, &str, &str, &str)| {
        let schema = json!({
            "description": description,
            "type": "string",
            "pattern": pattern,
            "examples": [example],
        });
        (name.to_owned(), schema)
    };
    json!({
        "title": "Headers",
        "description": "The headers of the Standard Webhooks specification.",
        "type": "object",
        "properties": HEADERS.into_iter().map(property).collect::<Map<_, _>>(),
        "required": HEADERS.map(|(name, ..)| name),
    })
}
