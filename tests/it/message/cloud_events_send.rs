//! Sending CloudEvents, and reading them back.

use proptest::prelude::*;

use super::cloud_events_receive::read_binary;
use super::*;

fn structured() -> CloudEvents {
    CloudEvents::structured(SOURCE).unwrap()
}

fn binary() -> CloudEvents {
    CloudEvents::binary(SOURCE).unwrap()
}

/// The headers of a request with this rendering.
fn headers(rendering: &Rendering) -> HeaderMap {
    let mut headers: HeaderMap =
        rendering.headers().map(|(name, value)| (name.clone(), value.clone())).collect();
    headers.insert("content-type", rendering.content_type().clone());
    headers
}

fn lines(rendering: &Rendering) -> Vec<String> {
    rendering
        .headers()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect()
}

fn read_structured(rendering: &Rendering) -> CloudEvent {
    danger::unsigned(rendering.body().unwrap()).decode().unwrap()
}

fn paused() -> LabEvent {
    let mut data = RunStateChanged::new("r 1", RunState::Paused);
    data.unknown.insert("volume", "1.10").unwrap();
    let mut event = Event::new(data, at());
    event.timestamp = "2009-01-03T18:15:00+01:00".parse().unwrap();
    event.unknown.insert("dataset", r#""jane/\u00fcber \"x\"""#).unwrap();
    event.unknown.insert("n", "-5").unwrap();
    event.unknown.insert("yes", "true").unwrap();
    event.into()
}

#[test]
fn structured_mode_is_one_json_object() {
    let rendering = structured().render(&message(paused())).unwrap();
    assert_eq!(rendering.content_type(), "application/cloudevents+json");
    assert_eq!(rendering.headers().count(), 0);
    assert_eq!(
        body(&rendering),
        r#"{"specversion":"1.0","id":"msg_1","source":"https://lab.example/cell-1","type":"run.state_changed","subject":"r 1","time":"2009-01-03T18:15:00+01:00","datacontenttype":"application/json","data":{"run_id":"r 1","state":"paused","volume":1.10},"dataset":"jane/\u00fcber \"x\"","n":-5,"yes":true}"#
    );
}

#[test]
fn batched_mode_is_an_array_of_structured_events() {
    let one = structured().render(&message(paused())).unwrap();
    let format = CloudEvents::batched(SOURCE).unwrap();
    assert_eq!(format.name(), format!("cloudevents-batched {SOURCE}"));
    let batch = format.render(&message(paused())).unwrap();
    assert_eq!(batch.content_type(), "application/cloudevents-batch+json");
    assert_eq!(batch.headers().count(), 0);
    assert_eq!(body(&batch), format!("[{}]", body(&one)));

    let messages = [message(paused()), message(paused())];
    let batch = binary().render_batch(&messages).unwrap();
    assert_eq!(batch.content_type(), "application/cloudevents-batch+json");
    assert_eq!(body(&batch), format!("[{0},{0}]", body(&one)));
    let read: Vec<CloudEvent> = danger::unsigned(batch.body().unwrap()).decode().unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(body(&format.render_batch([]).unwrap()), "[]");
    assert_has_no_event(&format.render_batch([&from_bytes()]).unwrap_err());
}

#[test]
fn binary_mode_is_headers_and_data() {
    let rendering = binary().render(&message(paused())).unwrap();
    assert_eq!(rendering.content_type(), "application/json");
    assert_eq!(
        lines(&rendering),
        [
            "ce-specversion: 1.0",
            "ce-id: msg_1",
            "ce-source: https://lab.example/cell-1",
            "ce-type: run.state_changed",
            "ce-subject: r%201",
            "ce-time: 2009-01-03T18:15:00+01:00",
            "ce-dataset: jane/%C3%BCber%20%22x%22",
            "ce-n: -5",
            "ce-yes: true",
        ]
    );
    assert_eq!(body(&rendering), r#"{"run_id":"r 1","state":"paused","volume":1.10}"#);
}

#[test]
fn percent_sign_is_encoded_and_decoded_once() {
    let format = CloudEvents::binary("/cell%201").unwrap();
    let event = Event::new(RunStateChanged::new("100%", RunState::Paused), at());
    let message = LabEvent::from(event).into_message(MessageId::new("a%20\"b").unwrap()).unwrap();
    let rendering = format.render(&message).unwrap();
    assert_eq!(
        &lines(&rendering)[1..5],
        [
            "ce-id: a%2520%22b",
            "ce-source: /cell%25201",
            "ce-type: run.state_changed",
            "ce-subject: 100%25"
        ]
    );
    let read = read_binary(&headers(&rendering), rendering.body().unwrap()).unwrap();
    assert_eq!((&*read.id, &*read.source), ("a%20\"b", "/cell%201"));
    assert_eq!(read.subject.as_deref(), Some("100%"));
}

#[test]
fn event_round_trips_through_both_modes() {
    for line in BODIES
        .into_iter()
        .chain([r#"{"type":"a.b","timestamp":"2025-04-17T09:30:00Z","data":null}"#])
    {
        let event = lab_event(line);
        let message = message(event.clone());
        let (one, other) = match (structured().render(&message), binary().render(&message)) {
            (Ok(one), Ok(other)) => (one, other),
            (Err(one), Err(other)) => {
                assert_eq!(one.to_string(), other.to_string());
                assert!(
                    ["run.state_changed", "labware.moved"].contains(&event.event_type().as_str())
                );
                continue;
            }
            _ => panic!("both or none"),
        };
        for read in
            [read_structured(&one), read_binary(&headers(&other), other.body().unwrap()).unwrap()]
        {
            assert_eq!((&*read.id, &*read.source), ("msg_1", SOURCE));
            assert_eq!(read.event_type, event.event_type().as_str());
            assert_eq!(read.datacontenttype.as_deref(), Some("application/json"));
            assert_eq!(read.to_event(Timestamp::MAX).unwrap(), event);
        }
    }
}

#[test]
fn member_that_is_no_attribute_is_an_error() {
    let refusal = |name: &str, json: &str| {
        let mut event = Event::new(RunStateChanged::new("r1", RunState::Paused), at());
        event.unknown.insert(name, json).unwrap();
        let message = message(event);
        let errors = [structured(), binary()].map(|format| format.render(&message).unwrap_err());
        assert_eq!(errors[0].to_string(), errors[1].to_string());
        errors[0].to_string()
    };
    for (name, json) in [
        ("api_version", "\"1\""),
        ("subject", "\"1\""),
        ("seq", "1.0"),
        ("trace", "{}"),
        ("trace", "null"),
        ("trace", r#""a\nb""#),
    ] {
        let text = format!("envelope member {name:?} is not a valid CloudEvents attribute");
        assert_eq!(refusal(name, json), text);
    }
    let long = "x".repeat(70_000);
    let mut event = Event::new(RunStateChanged::new("r1", RunState::Paused), at());
    event.unknown.insert(&*long, "1").unwrap();
    assert!(binary().render(&message(event)).is_err());
}

#[test]
fn cloud_events_cannot_express_bytes() {
    assert_has_no_event(&structured().render(&from_bytes()).unwrap_err());
    assert_has_no_event(&binary().render(&from_bytes()).unwrap_err());
}

#[test]
fn subject_is_the_types_id_or_the_ordering_key() {
    let subject =
        |event: LabEvent| read_structured(&structured().render(&message(event)).unwrap()).subject;
    let of = |line: &str| {
        let line =
            line.replace(r#","api_version":"2025-04-01","trace":{"parent":null,"id":7E+2}"#, "");
        subject(lab_event(&line.replace(r#","seq":1.0"#, "")))
    };
    let expected = [
        Some("00000000-0000-0000-000000000000"),
        Some("r19a428rm8tbp"),
        Some("t-17"),
        Some("plate-7"),
        Some("cell-1"),
        Some("r1"),
        Some("jane/flowers"),
        Some("jane/flowers"),
        Some("jane/flowers"),
        Some("9f3b"),
        Some("9f3b"),
        Some("9f3b"),
        Some("s-1"),
        Some("s-1"),
        Some("i-1"),
        Some("i-1"),
        Some("rel-1"),
        Some("602cc206-6b4a-42dd-bc89-9a534bb04034"),
        None,
    ];
    for (line, expected) in BODIES.into_iter().zip(expected) {
        assert_eq!(of(line).as_deref(), expected, "{line}");
    }
    for no_text in ["", "a\nb", "a\u{85}", "a\u{fffe}"] {
        assert_eq!(
            subject(Event::new(RunStateChanged::new(no_text, RunState::Paused), at()).into()),
            None
        );
    }
}

#[test]
fn source_must_be_a_uri_reference() {
    let text = |source: &str| CloudEvents::structured(source).unwrap_err().to_string();
    for source in
        ["/a", "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", "mailto:a@b.example", "a%2fb?c#d"]
    {
        assert!(CloudEvents::binary(source).is_ok(), "{source}");
    }
    assert_eq!(text(""), "CloudEvents `source` must not be empty");
    for source in ["a b", "é", "a\nb", "a\"", "100%", "%4", "%4g", "<a>", "a\\b"] {
        assert_eq!(
            text(source),
            "CloudEvents `source` must contain only characters allowed in a URI reference"
        );
        assert!(CloudEvents::binary(source).is_err());
    }
}

#[test]
fn format_name_depends_on_mode_and_source() {
    let names = ["/a", "/b"].map(|source| {
        [CloudEvents::structured(source).unwrap(), CloudEvents::binary(source).unwrap()]
            .map(|format| format.name().to_owned())
    });
    assert_eq!(names[0], ["cloudevents-structured /a", "cloudevents-binary /a"]);
    assert_eq!(names[1], ["cloudevents-structured /b", "cloudevents-binary /b"]);
}

/// Verify first, then read, as a receiver does.
#[test]
fn signed_binary_request_verifies_and_decodes() {
    let secret = || Secret::from_whsec("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let id = EndpointId::new("e").unwrap();
    let endpoint = Endpoint::new(id, "https://x.example/", Signer::standard_webhooks(secret()))
        .unwrap()
        .with_format(binary());
    let mut message = message(paused());
    message.render(endpoint.format()).unwrap();
    let rendering = message.rendering(binary().name()).unwrap();
    let request = endpoint.request(message.id(), rendering, at()).unwrap();

    let verified = Verifier::standard_webhooks(secret())
        .verify(request.headers(), request.body(), at())
        .unwrap();
    let read = CloudEvent::from_binary(request.headers(), verified.trusted_body()).unwrap();
    assert_eq!(verified.id().unwrap(), read.id);
    let LabEvent::RunStateChanged(run) = read.to_event(at()).unwrap() else { panic!("a run") };
    assert_eq!(run.data.unknown.get("volume"), Some("1.10"));
}

#[test]
fn unknown_event_can_be_sent_as_cloud_event() {
    let data = JsonText::new("[1.10, 2]").unwrap();
    let own = UnknownEvent::new("balance.weighed".parse().unwrap(), data, at());
    let rendering = structured().render(&message(own)).unwrap();
    assert_eq!(
        body(&rendering),
        r#"{"specversion":"1.0","id":"msg_1","source":"https://lab.example/cell-1","type":"balance.weighed","time":"2025-04-17T09:30:00.000Z","datacontenttype":"application/json","data":[1.10, 2]}"#
    );
    // The subject of a labware event is the labware, even if it has a run.
    let mut moved = LabwareMoved::new("plate-7", LabwareTrigger::Other("shaken".into()));
    moved.run_id = Some("r1".into());
    let read = read_structured(&structured().render(&message(Event::new(moved, at()))).unwrap());
    assert_eq!(read.subject.as_deref(), Some("plate-7"));
}

proptest! {
    #![proptest_config(crate::support::config())]

    #[test]
    fn any_text_round_trips_through_both_modes(run in any::<String>(), extension in any::<String>()) {
        let mut event = Event::new(RunStateChanged::new(&*run, RunState::Paused), at());
        event.unknown.insert("ext", serde_json::to_string(&extension).unwrap()).unwrap();
        let event = LabEvent::from(event);
        let message = message(event.clone());
        if let Ok(rendering) = binary().render(&message) {
            let read = read_binary(&headers(&rendering), rendering.body().unwrap()).unwrap();
            prop_assert_eq!(&read.subject, &read_structured(&structured().render(&message).unwrap()).subject);
            prop_assert!(read.subject.is_none_or(|subject| subject == run));
            let read_extension: String = serde_json::from_str(read.unknown.get("ext").unwrap()).unwrap();
            prop_assert_eq!(read_extension, extension);
        } else {
            prop_assert!(structured().render(&message).is_err());
        }
    }

    #[test]
    fn any_headers_decode_or_fail(
        value in proptest::collection::vec(any::<u8>(), 0..12),
        name in proptest::sample::select(vec!["ce-id", "ce-time", "ce-", "ce-x", "content-type"]),
        body in proptest::collection::vec(any::<u8>(), 0..6),
    ) {
        let rendering = binary().render(&message(paused())).unwrap();
        let mut headers = headers(&rendering);
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
        if let Ok(read) = read_binary(&headers, &body) {
            drop(read.to_event(at()));
        }
    }
}
