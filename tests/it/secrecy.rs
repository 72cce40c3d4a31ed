//! No secret gets out: not into `Debug` and error output, saved state or freed memory.

mod errors;
mod fragments;
mod inventory;
#[cfg(target_os = "linux")]
mod memory;
mod printed;
mod types;

use std::error::Error;
use std::fmt::Debug;

use http::header::{HeaderName, HeaderValue};
use labhook::message::Rendering;
use labhook::{Endpoint, EventType, Keys, Message, Outbox, Secret, Signer, Step};

use crate::support::{Host, answer, at, eid, mid, registry};

const URL: &str = "https://eln.example:8443/canary-path/in?canary-query=1";

fn endpoint() -> Endpoint {
    let secret = Secret::from_text("canary-secret").unwrap();
    let older = Secret::from_text("canary-older-secret").unwrap();
    let header = HeaderValue::from_static("canary-header");
    Endpoint::new(eid("eln"), URL, Signer::standard_webhooks(secret).add_secret(older))
        .unwrap()
        .add_header(HeaderName::from_static("x-api-key"), &header)
        .unwrap()
}

fn message(id: &str) -> Message {
    let content_type = HeaderValue::from_static("text/plain");
    let rendering = Rendering::new(content_type, "canary-body")
        .add_header(HeaderName::from_static("x-format"), HeaderValue::from_static("canary-format"));
    let kind = EventType::from_static("own.thing");
    Message::new(mid(id), kind, at(0), Keys::new(), "labhook", rendering)
}

#[track_caller]
fn clean(text: &str) {
    let lower = text.to_ascii_lowercase();
    assert!(!lower.contains("canary"), "{text}");
    // Nor in base64, as a list of bytes or in hexadecimal.
    for hidden in ["y2fuyxj5", "99, 97, 110, 97, 114, 121", "63616e617279"] {
        assert!(!lower.contains(hidden), "{text}");
    }
}

#[track_caller]
fn clean_debug(value: &impl Debug) {
    clean(&format!("{value:?}"));
    clean(&format!("{value:#?}"));
}

#[track_caller]
fn clean_error(error: &dyn Error) {
    let mut next = Some(error);
    while let Some(error) = next {
        clean(&error.to_string());
        clean(&format!("{error:?} {error:#?}"));
        next = error.source();
    }
}

#[test]
fn endpoint_prints_only_its_id_and_origin() {
    assert_eq!(format!("{:?}", endpoint()), r#"Endpoint("eln", https://eln.example:8443)"#);
    clean_debug(&endpoint());
    clean_debug(&registry([endpoint()]));
    clean_debug(&endpoint().expose_url().len());
    for (url, origin) in [
        ("https://eln.example", "https://eln.example"),
        ("https://eln.example?canary", "https://eln.example"),
        ("https://eln.example/canary://canary", "https://eln.example"),
        ("https://eln.example?canary://canary/canary", "https://eln.example"),
        ("https://[::1]:80/canary?canary", "https://[::1]:80"),
    ] {
        let endpoint = Endpoint::new(eid("e"), url, Signer::unsigned()).unwrap();
        assert_eq!(format!("{endpoint:?}"), format!("Endpoint(\"e\", {origin})"));
    }
}

#[test]
fn outbox_output_has_no_secret_or_body() {
    let mut host = Host::new(Outbox::new(registry([endpoint()]), 7).with_strict_ids());
    let mut kinds = Vec::new();
    let published = host.outbox.publish(message("m"), at(0)).unwrap();
    clean_debug(&published);
    let other = {
        let mut json = serde_json::to_value(message("m")).unwrap();
        json["type"] = "own.other".into();
        serde_json::from_value(json).unwrap()
    };
    clean_error(&host.outbox.publish(other, at(0)).unwrap_err());
    for _ in 0..12 {
        let step = host.outbox.poll(host.now);
        clean_debug(&step);
        clean_debug(&host.outbox);
        kinds.push(std::mem::discriminant(&step));
        match step {
            Step::Save(changes) => {
                for change in changes.iter() {
                    clean_debug(change);
                }
                host.save(changes);
            }
            Step::Send(attempt) => {
                clean_debug(&attempt);
                clean_debug(&attempt.ticket());
                clean_debug(&attempt.endpoint());
                clean_debug(&attempt.message());
                let request = attempt.request(host.now).unwrap();
                assert_eq!(request.uri(), URL);
                let signature = request.headers()["webhook-signature"].to_str().unwrap();
                let shown = format!("{:?}", request.headers());
                let mac = &signature[3..20];
                assert!(!shown.contains(mac) && !shown.contains("canary-header"), "{shown}");
                host.resolve(attempt.ticket(), &answer(410));
            }
            Step::Notify(notice) => clean_debug(&notice),
            Step::Wait(_) | Step::Idle => host.now = at(60),
        }
    }
    kinds.dedup();
    assert!(kinds.len() >= 5, "save, send, save, notify, idle");
    let error = host.outbox.insert_endpoint(endpoint(), at(0)).unwrap_err();
    clean_error(&error);

    let records: Vec<_> = host.disk.values().cloned().collect();
    clean_debug(&records);
    let error = Outbox::new(registry([endpoint()]), 7)
        .restore(records.iter().chain(&records).cloned(), at(0))
        .unwrap_err();
    clean_error(&error);
}

#[test]
fn saved_state_has_no_secret_and_no_url() {
    let mut host = Host::new(Outbox::new(registry([endpoint()]), 7));
    host.outbox.publish(message("m"), at(0)).unwrap();
    let ticket = host.send();
    host.resolve(&ticket, &answer(410));
    host.sends();
    assert_eq!(host.keys(), ["delivery/m/eln", "endpoint/eln", "message/m"]);
    let saved = serde_json::to_string(&host.disk).unwrap();
    for body in ["canary-body", "canary-format"] {
        assert!(saved.contains(body), "the message itself is there");
    }
    for secret in ["canary-secret", "canary-older", "canary-header", "canary-path", "eln.example"] {
        assert!(!saved.contains(secret), "{secret} in {saved}");
    }
    clean(&serde_json::to_string(&ticket).unwrap());
}
