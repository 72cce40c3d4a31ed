//! The OpenAPI document: each event as a webhook.

use serde_json::{Map, Value, json};

use crate::definitions::{self, event_name};
use crate::{Catalogue, version};

const SCHEMAS: &str = "#/components/schemas/";

pub(crate) fn document(catalogue: &Catalogue) -> Value {
    let mut schemas = definitions::all(catalogue, SCHEMAS);
    let mapping: Map<_, _> = catalogue
        .0
        .iter()
        .map(|event| {
            let name = event_name(event);
            (event.shape.event_type.to_string(), json!(format!("{SCHEMAS}{name}")))
        })
        .collect();
    if let Some(event) = schemas.get_mut("LabEvent") {
        event["discriminator"] = json!({ "propertyName": "type", "mapping": mapping });
    }
    let webhooks: Map<_, _> = catalogue
        .0
        .iter()
        .map(|event| {
            let webhook = webhook(event.name, &event.summary, &event_name(event));
            (event.shape.event_type.to_string(), json!({ "post": webhook }))
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Lab events of labhook",
            "version": version(),
            "description":
                "The webhooks that a sender with labhook sends in its default format. A request is \
                 signed as the Standard Webhooks specification 1.0.0 says: verify it with one of \
                 the specification's libraries before you read it, and skip a `webhook-id` that \
                 you have handled. Other event types may appear: ignore or store them.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "webhooks": webhooks,
        "components": { "schemas": schemas, "parameters": parameters() },
    })
}

fn webhook(name: &str, summary: &str, schema: &str) -> Value {
    json!({
        "operationId": format!("on{name}"),
        "summary": summary,
        "parameters": HEADERS.map(|(name, ..)| json!({ "$ref": format!("#/components/parameters/{name}") })),
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": { "$ref": format!("{SCHEMAS}{schema}") } } },
        },
        "responses": {
            "2XX": { "description": "The event was accepted, now or earlier." },
            "default": {
                "description":
                    "The event was not accepted. Depending on the status and on the sender's \
                     policy, it is sent again later, with the same `webhook-id`.",
            },
        },
    })
}

/// The headers of a request: name, description, format of the text, example.
pub(crate) const HEADERS: [(&str, &str, &str, &str); 3] = [
    (
        "webhook-id",
        "The id of the message: the same for all attempts. Use it to detect duplicates.",
        "^[!-~]([ -~]*[!-~])?$",
        "msg_run17_started",
    ),
    (
        "webhook-timestamp",
        "The time of the attempt, in seconds since 1970-01-01T00:00:00Z.",
        "^[0-9]+$",
        "1744882200",
    ),
    (
        "webhook-signature",
        "Signatures of `{webhook-id}.{webhook-timestamp}.{body}`, with a space between two.",
        "^[^ ,]+,[^ ]+( [^ ,]+,[^ ]+)*$",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
];

fn parameters() -> Map<String, Value> {
    let parameter = |(name, description, pattern, example): (&str, &str, &str, &str)| {
        let parameter = json!({
            "name": name,
            "in": "header",
            "required": true,
            "description": description,
            "schema": { "type": "string", "pattern": pattern },
            "example": example,
        });
        (name.to_owned(), parameter)
    };
    HEADERS.into_iter().map(parameter).collect()
}
