//! Every receive error with its text, name and reply.

use std::error::Error as _;
use std::fmt::Debug;

use labhook::Reply;

use super::*;

#[track_caller]
fn assert_error(
    error: &ReceiveError<'_>,
    text: &str,
    name: &str,
    reply: Reply,
    source: Option<&str>,
) {
    assert_eq!(error.to_string(), text);
    assert_eq!(error.name(), name);
    assert_eq!(error.reply(), reply);
    assert_eq!(error.source().map(ToString::to_string).as_deref(), source);
}

#[test]
fn unknown_source_is_refused() {
    let text = "request matches no configured source";
    let none = Sources::default();
    let error = refused(none.receive(no_headers(), STRATEOS.as_bytes(), now()));
    assert_error(&error, text, "no-source", Reply::Refused, None);

    let strike = sources([Source::strike("payments", Verifier::strike(secret("key-strike")))]);
    let error = refused(strike.receive(no_headers(), STRIKE.as_bytes(), now()));
    assert_error(&error, text, "no-source", Reply::Refused, None);

    let error = refused(all().receive_from("nobody", no_headers(), b"{}", now()));
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

/// The body names no event type, so there is no event; all the rest is there, to be stored.
#[test]
fn unreadable_body_is_refused_with_its_proof() {
    let body = r#"{"id":"1","eventType":7}"#;
    let headers = signed(&Signer::strike(secret("key-strike")), body);
    let all = all();
    let error = refused(all.receive(&headers, body.as_bytes(), now()));
    let text = "request from `payments` cannot be read";
    assert_error(
        &error,
        text,
        "malformed",
        Reply::Retry,
        Some("the body is malformed at `eventType`"),
    );
    let ReceiveError::Unreadable(refusal) = error else { panic!("{error:?}") };
    assert_eq!(refusal.source, "payments");
    assert!(matches!(refusal.proof, Proof::Verified(_)));
    assert_eq!(refusal.proof.body(), body.as_bytes());
    assert!(refusal.dedupe_key.unwrap().as_str().starts_with("sha256:"));

    // A duplicate member.
    let body = STRIKE.replacen('{', r#"{"id":"2","#, 1);
    let headers = signed(&Signer::strike(secret("key-strike")), &body);
    let error = refused(all.receive(&headers, body.as_bytes(), now()));
    let why = "the body is malformed at `id`";
    assert_error(&error, text, "malformed", Reply::Retry, Some(why));
    assert_eq!(Reply::from(error), Reply::Retry);
}

/// The key of a refusal is the signed id, if there is one, and never a guess.
#[test]
fn refusal_has_the_key_that_the_request_has() {
    let all = all();
    let key_of = |headers: &HeaderMap, body: &str| {
        let error = refused(all.receive(headers, body.as_bytes(), now()));
        let ReceiveError::Unreadable(refusal) = error else { panic!("{error:?}") };
        (refusal.source, refusal.dedupe_key.map(|key| key.to_string()))
    };
    let segments = key_of(&signed(&Signer::svix(secret("key-segments")), "[]"), "[]");
    assert_eq!(segments, ("labelling".to_owned(), Some("msg_1".to_owned())));
    let tasks = key_of(&with_token("key-tasks"), "[]");
    assert_eq!(tasks, ("tasks".to_owned(), None));
}

#[test]
fn malformed_cloud_event_headers_are_retried() {
    let mut headers =
        signed(&Signer::custom(CustomScheme::GITHUB, secret("key-wire")).unwrap(), "{}");
    let text = "request from `wire` cannot be read";
    let name = "malformed-headers";
    let all = all();
    let error = refused(all.receive(&headers, b"{}", now()));
    let why = "missing header `ce-specversion`";
    assert_error(&error, text, name, Reply::Retry, Some(why));

    for header in ["ce-specversion", "ce-id", "ce-source", "ce-type"] {
        headers.insert(header, HeaderValue::from_static("1.0"));
    }
    headers.insert("content-type", HeaderValue::from_static("application/cloudevents+json"));
    let error = refused(all.receive(&headers, b"{}", now()));
    let why = "content type must not be `application/cloudevents*` in binary mode";
    assert_error(&error, text, name, Reply::Retry, Some(why));
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
    assert!(all.receive(no_headers(), STRATEOS.as_bytes(), now()).is_ok());
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

    // The unsigned sources do not recognize these bodies, and anyone can send them.
    let all = all();
    for body in [STRIKE, SEGMENTS, ENVELOPE, "", "{}", "[]", "<html>", "{\"event\":{\"op\":\"x\"}}"]
    {
        let error = refused(all.receive(&headers, body.as_bytes(), now()));
        let text = "request is unsigned, and no unsigned source recognizes its body";
        assert_error(&error, text, "not-recognized", Reply::Refused, None);
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
        sources
            .receive(leaked(headers.clone()), ENVELOPE.as_bytes(), now())
            .map(|received| received.source)
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
            let error: Box<dyn Debug> = match sources.receive(&headers, body.as_bytes(), now()) {
                Ok(received) => {
                    unreadable(&received);
                    assert!(!format!("{received:?}").contains("plover"));
                    Box::new(received)
                }
                Err(error) => {
                    assert!(!error.to_string().contains("plover"));
                    Box::new(error)
                }
            };
            assert_hides_secrets(&error);
        }
    }
    let body = STRATEOS.replace("pGFP", "canary");
    let received = sources.receive(no_headers(), body.as_bytes(), now()).unwrap();
    assert_hides_secrets(&received.proof);
}

#[test]
fn debug_of_a_request_shows_no_token() {
    let secret = Secret::from_text("Bearer s3cRe7").unwrap();
    let verifier = Verifier::token("authorization".parse().unwrap(), secret).unwrap();
    let source = Source::custom("x", verifier, |request| Err(format!("{request:?}").into()));
    let sources = Sources::new([source]).unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("authorization", "Bearer s3cRe7".parse().unwrap());
    let now = Timestamp::from_unix_seconds(0);
    let text = format!("{:?}", sources.receive(&headers, b"{}", now).unwrap_err());
    assert!(text.contains("authorization") && !text.contains("s3cRe7"), "{text}");
}
