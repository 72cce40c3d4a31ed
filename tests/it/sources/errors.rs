//! Every receive error with its text, name and reply.

use std::error::Error as _;
use std::fmt::Debug;

use labhook::Reply;

use super::*;

#[track_caller]
fn assert_error(error: &ReceiveError, text: &str, name: &str, reply: Reply, source: Option<&str>) {
    assert_eq!(error.to_string(), text);
    assert_eq!(error.name(), name);
    assert_eq!(error.reply(), reply);
    assert_eq!(error.source().map(ToString::to_string).as_deref(), source);
}

#[test]
fn unknown_source_is_refused() {
    let text = "request matches no configured source";
    let none = Sources::default();
    let error = refused(none.receive(&HeaderMap::new(), STRATEOS.as_bytes(), now()));
    assert_error(&error, text, "no-source", Reply::Refused, None);

    let strike = sources([Source::strike("payments", Verifier::strike(secret("key-strike")))]);
    let error = refused(strike.receive(&HeaderMap::new(), STRIKE.as_bytes(), now()));
    assert_error(&error, text, "no-source", Reply::Refused, None);

    let error = refused(all().receive_from("nobody", &HeaderMap::new(), b"{}", now()));
    assert_error(&error, text, "no-source", Reply::Refused, None);
    assert_eq!(Reply::from(error), Reply::Refused);
}

#[test]
fn unverified_request_is_refused() {
    let headers = signed(&Signer::strike(secret("key-wrong")), STRIKE);
    let error = refused(all().receive(&headers, STRIKE.as_bytes(), now()));
    let text = "no source could verify the request's signature or token";
    assert_error(&error, text, "no-match", Reply::Refused, None);
    assert_eq!(tried(&error), [("payments", "no-match")]);

    // Several sources with the same reason.
    let headers = with_token("key-wrong");
    let error = refused(all().receive(&headers, LINQ.as_bytes(), now()));
    assert_error(&error, text, "no-match", Reply::Refused, None);
    assert_eq!(tried(&error), [("runs", "no-match"), ("tasks", "no-match")]);

    // One changed byte.
    let mut headers = signed(&Signer::svix(secret("key-segments")), SEGMENTS);
    let changed = SEGMENTS.replacen("jane", "jade", 1);
    let error = refused(all().receive(&headers, changed.as_bytes(), now()));
    assert_eq!(error.name(), "no-match");

    // A repeated header; equal values do not conflict.
    let same = headers["svix-id"].clone();
    headers.append("svix-id", same);
    assert!(all().receive(&headers, SEGMENTS.as_bytes(), now()).is_ok());
    headers.append("svix-id", HeaderValue::from_static("msg_2"));
    let error = refused(all().receive(&headers, SEGMENTS.as_bytes(), now()));
    assert_eq!(error.name(), "conflicting-header");

    // Both header brands that agree, and that do not: then neither of the two sources accepts it.
    let mut headers = signed(&Signer::svix(secret("key-segments")), SEGMENTS);
    headers.extend(signed(&Signer::standard_webhooks(secret("key-segments")), SEGMENTS));
    let received = all().receive(&headers, SEGMENTS.as_bytes(), now()).unwrap();
    assert_eq!(received.source, "labelling");
    headers.insert("svix-id", HeaderValue::from_static("msg_2"));
    let error = refused(all().receive(&headers, SEGMENTS.as_bytes(), now()));
    assert_error(&error, text, "not-genuine", Reply::Refused, None);
    assert_eq!(tried(&error), [("scheduler", "no-match"), ("labelling", "mixed-brands")]);
}

#[test]
fn malformed_body_aborts_the_message() {
    let body = r#"{"id":"1","eventType":7}"#;
    let headers = signed(&Signer::strike(secret("key-strike")), body);
    let error = refused(all().receive(&headers, body.as_bytes(), now()));
    let text = "request from `payments` has a malformed body";
    assert_error(
        &error,
        text,
        "malformed",
        Reply::AbortMessage,
        Some("the body is malformed at `eventType`"),
    );

    // A duplicate member.
    let body = STRIKE.replacen('{', r#"{"id":"2","#, 1);
    let headers = signed(&Signer::strike(secret("key-strike")), &body);
    let error = refused(all().receive(&headers, body.as_bytes(), now()));
    assert_error(
        &error,
        text,
        "malformed",
        Reply::AbortMessage,
        Some("the body is malformed at `id`"),
    );
}

#[test]
fn malformed_cloud_event_headers_abort() {
    let mut headers = signed(&Signer::custom(CustomScheme::GITHUB, secret("key-wire")), "{}");
    let text = "request from `wire` has malformed CloudEvents headers";
    let name = "malformed-headers";
    let error = refused(all().receive(&headers, b"{}", now()));
    let why = "missing header `ce-specversion`";
    assert_error(&error, text, name, Reply::AbortMessage, Some(why));

    for header in ["ce-specversion", "ce-id", "ce-source", "ce-type"] {
        headers.insert(header, HeaderValue::from_static("1.0"));
    }
    headers.insert("content-type", HeaderValue::from_static("application/cloudevents+json"));
    let error = refused(all().receive(&headers, b"{}", now()));
    let why = "content type must not be `application/cloudevents*` in binary mode";
    assert_error(&error, text, name, Reply::AbortMessage, Some(why));
}

#[test]
fn unmappable_event_aborts_the_message() {
    let body = r#"{"state":"running"}"#;
    let error = refused(all().receive(&with_token("key-tasks"), body.as_bytes(), now()));
    assert_error(
        &error,
        "request from `tasks` cannot be mapped to a lab event",
        "unmapped",
        Reply::AbortMessage,
        Some("LINQ webhook has no value for `run_id`"),
    );
}

#[test]
fn duplicate_source_name_is_an_error() {
    let error = Sources::new([
        Source::strike("payments", Verifier::strike(secret("one"))),
        danger::strateos("cloud lab"),
        Source::strike("payments", Verifier::strike(secret("two"))),
    ])
    .unwrap_err();
    assert_eq!(error.to_string(), "duplicate source name `payments`");
}

/// A request with any source's signature header is never accepted as unsigned.
#[test]
fn signed_request_is_never_received_as_unsigned() {
    let all = all();
    assert!(all.receive(&HeaderMap::new(), STRATEOS.as_bytes(), now()).is_ok());
    for header in [
        "webhook-signature",
        "svix-signature",
        "x-webhook-signature",
        "stripe-signature",
        "x-hub-signature-256",
        "linear-signature",
        "x-lab-token",
    ] {
        for value in ["garbage", "v1,AAAA", "t=1,v1=00", ""] {
            let mut headers = HeaderMap::new();
            headers.insert(header, HeaderValue::from_static(value));
            let error = refused(all.receive(&headers, STRATEOS.as_bytes(), now()));
            assert!(!tried(&error).is_empty(), "{header}: {value}");
            assert_eq!(error.reply(), Reply::Refused);
        }
    }
}

/// Headers that accompany a signature do not count as one: a proxy may set them.
#[test]
fn unsigned_request_reaches_unsigned_sources_only() {
    let mut headers = signed(&Signer::svix(secret("key-segments")), STRATEOS);
    headers.remove("svix-signature");
    let received = all().receive(&headers, STRATEOS.as_bytes(), now()).map(|it| it.source);
    assert_eq!(received.unwrap(), "cloud lab");

    // The unsigned sources cannot decode these bodies; the last one's error is returned.
    for body in [STRIKE, SEGMENTS, ENVELOPE] {
        let error = refused(all().receive(&headers, body.as_bytes(), now()));
        assert_eq!(error.to_string(), "request from `bare plans` cannot be mapped to a lab event");
    }
}

/// Each source checks a bounded number of signatures, however many the request has.
#[test]
fn many_signatures_are_refused_by_each_source() {
    let one = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ";
    let sources = sources(["a", "b", "c"].map(|name| {
        Source::envelope(name, Verifier::standard_webhooks(secret(&format!("key-{name}"))))
    }));
    let mut headers = signed(&Signer::standard_webhooks(secret("key-c")), ENVELOPE);
    let genuine = headers["webhook-signature"].to_str().unwrap().to_owned();
    let mut receive = |count: usize| {
        let list = one.repeat(count) + &genuine;
        headers.insert("webhook-signature", HeaderValue::try_from(list).unwrap());
        sources.receive(&headers, ENVELOPE.as_bytes(), now()).map(|received| received.source)
    };
    assert_eq!(receive(31).unwrap(), "c");
    let error = receive(32).unwrap_err();
    assert_eq!(tried(&error), ["a", "b", "c"].map(|name| (name, "too-many-candidates")));
}

#[track_caller]
fn assert_hides_secrets(it: &impl Debug) {
    for text in [format!("{it:?}"), format!("{it:#?}")] {
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains("99, 97, 110, 97, 114, 121"), "{text}");
    }
}

#[test]
fn debug_and_errors_hide_secrets_and_bodies() {
    let sources = sources([
        Source::strike("payments", Verifier::strike(secret("canary-strike"))),
        Source::linq("tasks", Kind::TaskStateChange, token_verifier("canary-token")),
        danger::strateos("cloud lab"),
    ]);
    assert_hides_secrets(&sources);
    // The source of a malformed body's error may quote the body; the error's own text does not.
    for body in [r#"{"state":"plover"}"#, r#"{"plover"}"#, r#""plover""#] {
        let strike = signed(&Signer::strike(secret("canary-strike")), body);
        let (right, wrong) = (with_token("canary-token"), with_token("canary-wrong"));
        for headers in [strike, right, wrong, HeaderMap::new()] {
            let error = refused(sources.receive(&headers, body.as_bytes(), now()));
            assert_hides_secrets(&error);
            assert!(!error.to_string().contains("plover"));
        }
    }
    let body = STRATEOS.replace("pGFP", "canary");
    let received = sources.receive(&HeaderMap::new(), body.as_bytes(), now()).unwrap();
    assert_hides_secrets(&received.proof);
}
