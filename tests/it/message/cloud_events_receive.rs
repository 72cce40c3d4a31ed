//! Receiving CloudEvents from other senders.

use super::*;
use crate::support::body_malformed_at;

pub(super) fn read_binary(headers: &HeaderMap, body: &[u8]) -> Result<CloudEvent, String> {
    CloudEvent::from_binary(headers, danger::unsigned(body).trusted_body())
        .map_err(|error| error.to_string())
}

#[test]
fn structured_event_of_another_sender_decodes() {
    let event = |body: &str| {
        danger::unsigned(body.as_bytes()).decode::<CloudEvent>().unwrap().to_event(at())
    };
    // No time, no content type, null members, and an extension.
    let read = event(r#"{"data":"text","type":"com.example.some-event","source":"/x","subject":null,"id":"A","specversion":"1.0","comexampleextension1":"value","unset":null,"timestamp":"2009"}"#).unwrap();
    let LabEvent::Unknown(read) = read else { panic!("not in the catalogue") };
    assert_eq!(read.timestamp.timestamp(), Some(at()));
    assert_eq!(read.data.as_str(), r#""text""#);
    let members: Vec<_> = read.unknown.iter().collect();
    assert_eq!(members, [("comexampleextension1", r#""value""#)]);
    // JSON according to the content type, as bytes.
    for content_type in ["application/json", "TEXT/JSON; charset=utf-8", "application/vnd.x+json"] {
        let body = format!(
            r#"{{"specversion":"1.0","id":"1","source":"/","type":"a","datacontenttype":"{content_type}","data_base64":"eyAieHl6IjogMTIzIH0="}}"#
        );
        let LabEvent::Unknown(read) = event(&body).unwrap() else { panic!("not in the catalogue") };
        assert_eq!(read.data.as_str(), r#"{ "xyz": 123 }"#);
    }
}

#[test]
fn invalid_event_error_names_the_attribute() {
    let refusal = |members: &str| {
        let body = format!(r#"{{"id":"1","source":"/",{members}}}"#);
        let error = danger::unsigned(body.as_bytes())
            .decode::<CloudEvent>()
            .unwrap()
            .to_event(at())
            .unwrap_err();
        (error.to_string(), error.source().unwrap().to_string())
    };
    for (members, path, why) in [
        (r#""specversion":"0.3","type":"a","data":1"#, "specversion", "must be `1.0`"),
        (
            r#""specversion":"1.0","type":"a:b","data":1"#,
            "type",
            "event type must contain only `A-Z a-z 0-9 _ - .`",
        ),
        (r#""specversion":"1.0","type":"a""#, "data", "missing field `data`"),
        (
            r#""specversion":"1.0","type":"a","data":"<x/>","datacontenttype":"application/xml""#,
            "datacontenttype",
            "data is not JSON",
        ),
        (
            r#""specversion":"1.0","type":"a","data_base64":"MQ==","datacontenttype":"text/plain""#,
            "datacontenttype",
            "data is not JSON",
        ),
        // Bytes without a content type are not assumed to be JSON.
        (
            r#""specversion":"1.0","type":"a","data_base64":"MQ==""#,
            "datacontenttype",
            "data is not JSON",
        ),
        (
            r#""specversion":"1.0","type":"a","data_base64":"MQ==","data":1,"datacontenttype":"a/json""#,
            "data_base64",
            "must not be combined with `data`",
        ),
        (
            r#""specversion":"1.0","type":"a","data_base64":"!","datacontenttype":"a/json""#,
            "data_base64",
            "invalid base64",
        ),
        (
            r#""specversion":"1.0","type":"a","data_base64":"ew==","datacontenttype":"a/json""#,
            "data_base64",
            "EOF while parsing an object at line 1 column 1",
        ),
    ] {
        assert_eq!(refusal(members), (body_malformed_at(path), why.to_owned()));
    }
    for body in ["{}", "[]", r#"{"specversion":"1.0","id":"1","source":"/","type":7}"#] {
        assert!(danger::unsigned(body.as_bytes()).decode::<CloudEvent>().is_err());
    }
}

/// Neither the data nor an optional attribute loses an event.
#[test]
fn odd_event_is_kept() {
    let body = r#"{"specversion":"1.0","id":"1","source":"/","type":"run.state_changed","subject":7,"time":"x","data":{"run_id":1}}"#;
    let read: CloudEvent = danger::unsigned(body.as_bytes()).decode().unwrap();
    assert_eq!(read.unknown.get("subject"), Some("7"));
    let LabEvent::Unreadable { event, reason, .. } = read.to_event(at()).unwrap() else {
        panic!("no run id");
    };
    assert_eq!((event.timestamp.as_str(), event.timestamp.timestamp()), ("x", None));
    assert_eq!(reason.path(), "data.run_id");
}

fn foreign() -> HeaderMap {
    [
        ("ce-specversion", "1.0"),
        ("ce-type", "com.example.someevent"),
        ("ce-time", "2018-04-05T03:56:24Z"),
        ("ce-id", "1234-1234-1234"),
        ("ce-source", "/mycontext/subcontext"),
        ("ce-zext", "5"),
        ("ce-aext", "\"Euro \\\" %e2%82%ac\""),
        ("x-other", "\u{7f}"),
        ("content-type", "Application/JSON; charset=utf-8"),
    ]
    .into_iter()
    .map(|(name, value)| {
        let value = HeaderValue::from_bytes(value.replace('\u{7f}', "\u{fc}").as_bytes()).unwrap();
        (HeaderName::from_static(name), value)
    })
    .collect()
}

#[test]
fn binary_event_of_another_sender_decodes() {
    let read = read_binary(&foreign(), b" {\"a\" : 1.10} ").unwrap();
    assert_eq!(read.dataschema, None);
    let members: Vec<_> = read.unknown.iter().collect();
    assert_eq!(members, [("aext", r#""Euro \" €""#), ("zext", r#""5""#)]);
    let LabEvent::Unknown(event) = read.to_event(at()).unwrap() else { panic!("not ours") };
    assert_eq!(event.data.as_str(), r#"{"a" : 1.10}"#);
    assert_eq!(event.timestamp.as_str(), "2018-04-05T03:56:24Z");

    // Data that is not JSON is kept, but is not a lab event.
    for content_type in [Some("text/plain"), Some("application/jsonx"), None] {
        let mut headers = foreign();
        headers.remove("content-type");
        headers.extend(
            content_type
                .map(|it| (HeaderName::from_static("content-type"), HeaderValue::from_static(it))),
        );
        let read = read_binary(&headers, b"1\xff").unwrap();
        assert_eq!(read.datacontenttype.as_deref(), content_type);
        assert_eq!(read.data_base64.as_deref(), Some("Mf8="));
        assert!(read.data.is_absent() && read.to_event(at()).is_err());
        let read = read_binary(&headers, b"").unwrap();
        assert!(read.data.is_absent() && read.data_base64.is_none());
    }
}

#[test]
fn binary_json_without_content_type_decodes() {
    let mut headers = foreign();
    headers.remove("content-type");
    let read = read_binary(&headers, br#" {"a" : 1.10} "#).unwrap();
    assert_eq!((read.datacontenttype.as_deref(), read.data_base64.as_deref()), (None, None));
    let LabEvent::Unknown(event) = read.to_event(at()).unwrap() else { panic!("not ours") };
    assert_eq!(event.data.as_str(), r#"{"a" : 1.10}"#);
    // Text is no JSON, and JSON with a content type for text stays text.
    assert_eq!(read_binary(&headers, b"{").unwrap().data_base64.as_deref(), Some("ew=="));
    headers.insert("content-type", HeaderValue::from_static("text/plain"));
    assert_eq!(read_binary(&headers, b"{}").unwrap().data_base64.as_deref(), Some("e30="));
}

#[test]
fn batch_of_another_sender_decodes() {
    let batch = |body: &str| danger::unsigned(body.as_bytes()).decode::<Vec<CloudEvent>>();
    assert!(batch("[]").unwrap().is_empty());
    let one = |id: &str| {
        format!(r#"{{"specversion":"1.0","id":"{id}","source":"/","type":"a.b","data":{{}}}}"#)
    };
    let read = batch(&format!("[{},{}]", one("1"), one("2"))).unwrap();
    let ids: Vec<_> = read.iter().map(|event| &*event.id).collect();
    assert_eq!(ids, ["1", "2"]);
    assert_eq!(read[1].to_event(at()).unwrap().event_type().as_str(), "a.b");
    let error = batch(&format!(r#"[{},{{"id":7}}]"#, one("1"))).unwrap_err();
    assert_eq!(error.to_string(), body_malformed_at("[1].id"));
    assert!(batch(&one("1")).is_err(), "one event is no batch");
}

#[test]
fn header_error_texts_name_the_header() {
    let refusal = |change: &dyn Fn(&mut HeaderMap)| {
        let mut headers = foreign();
        change(&mut headers);
        read_binary(&headers, b"{}").unwrap_err()
    };
    for name in ["ce-specversion", "ce-type", "ce-id", "ce-source"] {
        let text = format!("missing header `{name}`");
        assert_eq!(refusal(&|headers| drop(headers.remove(name))), text);
    }
    for name in ["ce-type", "ce-zext", "content-type"] {
        let text = format!("duplicate header `{name}`");
        let repeat = |headers: &mut HeaderMap| {
            let value = headers[name].clone();
            headers.append(name, value);
        };
        assert_eq!(refusal(&repeat), text);
    }
    for name in ["ce-datacontenttype", "ce-data", "ce-data_base64"] {
        let text = format!("header `{name}` is not allowed in binary mode");
        let add = |headers: &mut HeaderMap| {
            headers.insert(name, HeaderValue::from_static("text/plain"));
        };
        assert_eq!(refusal(&add), text);
    }
    for (name, value) in [
        ("ce-id", &b"%C0%A0"[..]),
        ("ce-zext", b"%"),
        ("ce-subject", b"\"open"),
        ("content-type", b"\xff"),
    ] {
        let set = |headers: &mut HeaderMap| {
            headers.insert(name, HeaderValue::from_bytes(value).unwrap());
        };
        assert_eq!(refusal(&set), format!("header `{name}` is malformed"));
    }
    // A time that cannot be read is kept as text.
    let mut headers = foreign();
    headers.insert("ce-time", HeaderValue::from_static("yesterday"));
    let odd = CloudEvent::from_binary(&headers, danger::unsigned(b"{}").trusted_body()).unwrap();
    assert_eq!(odd.time.map(|time| time.to_string()), Some("yesterday".to_owned()));
    for structured in ["application/cloudevents+json", "Application/CloudEvents-batch+json; a=b"] {
        let set = |headers: &mut HeaderMap| {
            headers.insert("content-type", HeaderValue::from_static(structured));
        };
        assert_eq!(
            refusal(&set),
            "content type must not be `application/cloudevents*` in binary mode"
        );
    }
    let error =
        CloudEvent::from_binary(&foreign(), danger::unsigned(b"{").trusted_body()).unwrap_err();
    assert_eq!(error.to_string(), "body is not the JSON that `content-type` declares");
    assert_eq!(error.source().unwrap().to_string(), "the body is malformed");
}
