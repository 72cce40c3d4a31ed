//! What is not taken, and why: every refusal with its text, its name and what is answered.

use std::error::Error as _;
use std::fmt::Debug;

use labhook::Reply;

use super::*;

#[track_caller]
fn is(refusal: &ReceiveError, text: &str, name: &str, reply: Reply, source: Option<&str>) {
    assert_eq!(refusal.to_string(), text);
    assert_eq!(refusal.name(), name);
    assert_eq!(refusal.reply(), reply);
    assert_eq!(refusal.source().map(ToString::to_string).as_deref(), source);
}

#[test]
fn of_no_known_source() {
    let text = "request matches no configured source";
    let none = Sources::default();
    let refusal = refused(none.receive(&HeaderMap::new(), STRATEOS.as_bytes(), now()));
    is(&refusal, text, "no-source", Reply::Refused, None);

    let strike = sources([Source::strike("payments", Verifier::strike(secret("key-strike")))]);
    let refusal = refused(strike.receive(&HeaderMap::new(), STRIKE.as_bytes(), now()));
    is(&refusal, text, "no-source", Reply::Refused, None);

    let refusal = refused(all().receive_from("nobody", &HeaderMap::new(), b"{}", now()));
    is(&refusal, text, "no-source", Reply::Refused, None);
    assert_eq!(Reply::from(refusal), Reply::Refused);
}

#[test]
fn not_genuine() {
    let headers = signed(&Signer::strike(secret("key-wrong")), STRIKE);
    let refusal = refused(all().receive(&headers, STRIKE.as_bytes(), now()));
    let text = "no source could verify the request's signature or token";
    is(&refusal, text, "no-match", Reply::Refused, None);
    assert_eq!(tried(&refusal), [("payments", "no-match")]);

    // Several sources with one reason.
    let headers = with_token("key-wrong");
    let refusal = refused(all().receive(&headers, LINQ.as_bytes(), now()));
    is(&refusal, text, "no-match", Reply::Refused, None);
    assert_eq!(tried(&refusal), [("runs", "no-match"), ("tasks", "no-match")]);

    // A single byte.
    let mut headers = signed(&Signer::svix(secret("key-segments")), SEGMENTS);
    let changed = SEGMENTS.replacen("jane", "jade", 1);
    let refusal = refused(all().receive(&headers, changed.as_bytes(), now()));
    assert_eq!(refusal.name(), "no-match");

    // A repeated header; equal values are no conflict.
    let same = headers["svix-id"].clone();
    headers.append("svix-id", same);
    assert!(all().receive(&headers, SEGMENTS.as_bytes(), now()).is_ok());
    headers.append("svix-id", HeaderValue::from_static("msg_2"));
    let refusal = refused(all().receive(&headers, SEGMENTS.as_bytes(), now()));
    assert_eq!(refusal.name(), "conflicting-header");

    // Both brands: of the two sources that look for the one or the other, neither takes it.
    let mut headers = signed(&Signer::svix(secret("key-segments")), SEGMENTS);
    headers.extend(signed(&Signer::standard_webhooks(secret("key-segments")), SEGMENTS));
    let refusal = refused(all().receive(&headers, SEGMENTS.as_bytes(), now()));
    is(&refusal, text, "not-genuine", Reply::Refused, None);
    assert_eq!(tried(&refusal), [("scheduler", "no-match"), ("labelling", "mixed-brands")]);
}

#[test]
fn malformed() {
    let body = r#"{"id":"1","eventType":7}"#;
    let headers = signed(&Signer::strike(secret("key-strike")), body);
    let refusal = refused(all().receive(&headers, body.as_bytes(), now()));
    let text = "request from `payments` has a malformed body";
    is(
        &refusal,
        text,
        "malformed",
        Reply::AbortMessage,
        Some("the body is malformed at `eventType`"),
    );

    // A name that stands twice.
    let body = STRIKE.replacen('{', r#"{"id":"2","#, 1);
    let headers = signed(&Signer::strike(secret("key-strike")), &body);
    let refusal = refused(all().receive(&headers, body.as_bytes(), now()));
    is(&refusal, text, "malformed", Reply::AbortMessage, Some("the body is malformed at `id`"));
}

#[test]
fn malformed_cloud_event_headers() {
    let mut headers = signed(&Signer::custom(CustomScheme::GITHUB, secret("key-wire")), "{}");
    let text = "request from `wire` has malformed CloudEvents headers";
    let name = "malformed-headers";
    let refusal = refused(all().receive(&headers, b"{}", now()));
    let why = "the ce-specversion header is missing";
    is(&refusal, text, name, Reply::AbortMessage, Some(why));

    for header in ["ce-specversion", "ce-id", "ce-source", "ce-type"] {
        headers.insert(header, HeaderValue::from_static("1.0"));
    }
    headers.insert("content-type", HeaderValue::from_static("application/cloudevents+json"));
    let refusal = refused(all().receive(&headers, b"{}", now()));
    let why = "the content type says that the CloudEvent is in the body";
    is(&refusal, text, name, Reply::AbortMessage, Some(why));
}

#[test]
fn no_lab_event() {
    let body = r#"{"state":"running"}"#;
    let refusal = refused(all().receive(&with_token("key-tasks"), body.as_bytes(), now()));
    is(
        &refusal,
        "request from `tasks` cannot be mapped to a lab event",
        "unmapped",
        Reply::AbortMessage,
        Some("LINQ webhook has no value for `run_id`"),
    );
}

#[test]
fn two_sources_of_one_name() {
    let error = Sources::new([
        Source::strike("payments", Verifier::strike(secret("one"))),
        danger::strateos("cloud lab"),
        Source::strike("payments", Verifier::strike(secret("two"))),
    ])
    .unwrap_err();
    assert_eq!(error.to_string(), "duplicate source name `payments`");
}

/// Nobody comes in as unsigned with a signature that some source looks for.
#[test]
fn what_has_a_signature_is_never_taken_for_unsigned() {
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
            let refusal = refused(all.receive(&headers, STRATEOS.as_bytes(), now()));
            assert!(!tried(&refusal).is_empty(), "{header}: {value}");
            assert_eq!(refusal.reply(), Reply::Refused);
        }
    }
}

/// Headers that go along with a signature are none: a proxy may well set such.
#[test]
fn what_has_no_signature_reaches_the_unsigned_sources_only() {
    let mut headers = signed(&Signer::svix(secret("key-segments")), STRATEOS);
    headers.remove("svix-signature");
    let received = all().receive(&headers, STRATEOS.as_bytes(), now()).map(|it| it.source);
    assert_eq!(received.unwrap(), "cloud lab");

    // What signed sources send is nothing that those can read; the last of them says why.
    for body in [STRIKE, SEGMENTS, ENVELOPE] {
        let refusal = refused(all().receive(&headers, body.as_bytes(), now()));
        assert_eq!(
            refusal.to_string(),
            "request from `bare plans` cannot be mapped to a lab event"
        );
    }
}

/// However many signatures a request brings, each source looks at a bounded number.
#[test]
fn a_flood_of_signatures_is_refused_by_each_source() {
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
    let refusal = receive(32).unwrap_err();
    assert_eq!(tried(&refusal), ["a", "b", "c"].map(|name| (name, "too-many-candidates")));
}

#[track_caller]
fn clean(it: &impl Debug) {
    for text in [format!("{it:?}"), format!("{it:#?}")] {
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.contains("99, 97, 110, 97, 114, 121"), "{text}");
    }
}

#[test]
fn nothing_prints_a_secret_a_token_or_a_body() {
    let sources = sources([
        Source::strike("payments", Verifier::strike(secret("canary-strike"))),
        Source::linq("tasks", Kind::TaskStateChange, token_verifier("canary-token")),
        danger::strateos("cloud lab"),
    ]);
    clean(&sources);
    // What a source of a malformed body's error quotes is said there; the door's own text is clean.
    for body in [r#"{"state":"plover"}"#, r#"{"plover"}"#, r#""plover""#] {
        let strike = signed(&Signer::strike(secret("canary-strike")), body);
        let (right, wrong) = (with_token("canary-token"), with_token("canary-wrong"));
        for headers in [strike, right, wrong, HeaderMap::new()] {
            let refusal = refused(sources.receive(&headers, body.as_bytes(), now()));
            clean(&refusal);
            assert!(!refusal.to_string().contains("plover"));
        }
    }
    let body = STRATEOS.replace("pGFP", "canary");
    let received = sources.receive(&HeaderMap::new(), body.as_bytes(), now()).unwrap();
    clean(&received.proof);
}
