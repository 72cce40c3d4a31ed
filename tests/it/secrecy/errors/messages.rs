//! Errors of bodies, messages and the outbox.

use http::HeaderMap;
use http::header::HeaderValue;
use labhook::lab::{PlanCreated, RunStateChanged};
use labhook::message::format::{CloudEvent, FormatError};
use labhook::provider::{strateos, strike};
use labhook::receive::{BodyError, Source, Sources};
use labhook::{Event, EventType, LabEvent, Outbox, Timestamp, Verifier, danger};

use super::super::printed::{BODY, HEADER, Printed};
use super::super::types::{cloud_event_headers, endpoint, message, secret};
use crate::support::{at, drain, mid, registry};

pub(super) fn print_all(printed: &mut Printed) {
    bodies(printed);
    outbox(printed);
}

fn bodies(printed: &mut Printed) {
    let trusted = |body: &'static str| danger::unsigned(body.as_bytes());
    printed.quoting_error(&trusted(BODY).decode::<strateos::Webhook>().unwrap_err());
    printed.quoting_error(&message("m").event::<LabEvent>().unwrap_err());
    let run = r#"{"type":"run.state_changed","timestamp":"2025-04-17T09:30:00Z","data":{}}"#;
    let malformed = trusted(run).decode::<Event<RunStateChanged>>();
    printed.quoting_error(&malformed.unwrap_err());
    printed.error(&trusted(run).decode::<Event<PlanCreated>>().unwrap_err());

    let no_webhook = strike::Webhook::from_event(&unknown_event(), &mid("m")).unwrap_err();
    printed.error(&no_webhook);
    printed.error(&BodyError::from(no_webhook));
    let decode = trusted(BODY).decode::<strateos::Webhook>().unwrap_err();
    printed.quoting_error(&BodyError::from(decode));
    let mut headers = HeaderMap::new();
    let mut cloud = |name: &'static str, value: &'static str| {
        headers.append(name, HeaderValue::from_static(value));
        let error = CloudEvent::from_binary(&headers, trusted(BODY).trusted_body()).unwrap_err();
        printed.error(&error);
        printed.error(&BodyError::from(error));
    };
    cloud("ce-specversion", "1.0");
    cloud("ce-id", HEADER);
    cloud("ce-id", HEADER);
    let mut headers = cloud_event_headers();
    let no_json = trusted(&BODY[1..]).trusted_body();
    printed.quoting_error(&CloudEvent::from_binary(&headers, no_json).unwrap_err());
    headers.insert("content-type", HeaderValue::from_static("application/cloudevents+json"));
    printed.error(&CloudEvent::from_binary(&headers, trusted(BODY).trusted_body()).unwrap_err());
    printed.quoting_error(&FormatError::from(message("m").event::<LabEvent>().unwrap_err()));

    let sources = [Source::envelope("a", Verifier::strike(secret())); 1];
    let [source] = sources;
    printed.error(&Sources::new([source.clone(), source]).unwrap_err());
}

fn unknown_event() -> LabEvent {
    let json =
        format!(r#"{{"type":"own.thing","timestamp":"2025-04-17T09:30:00Z","data":{BODY}}}"#);
    danger::unsigned(json.as_bytes()).decode().unwrap()
}

fn outbox(printed: &mut Printed) {
    let new = || Outbox::new(registry([endpoint()]), 7).with_strict_ids();
    let mut outbox = new();
    outbox.publish(message("m"), at(0)).unwrap();
    let mut other = serde_json::to_value(message("m")).unwrap();
    other["type"] = EventType::from_static("own.other").as_str().into();
    let other = serde_json::from_value(other).unwrap();
    printed.error(&outbox.publish(other, at(0)).unwrap_err());
    printed.error(&outbox.insert_endpoint(endpoint(), at(0)).unwrap_err());
    let attempts = drain(&mut outbox, at(0));
    printed.error(&attempts[0].request(Timestamp::MAX).unwrap_err());
}
