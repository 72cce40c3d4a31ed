//! Genuine requests that do not match a model, and sources of the host's own: none is turned away.

use std::num::NonZeroUsize;
use std::time::Duration;

use labhook::decode::{Decode, DecodeError, TrustedBody};
use labhook::event::UnknownEvent;
use labhook::json::JsonText;
use labhook::lab::{RunState, RunStateChanged};
use labhook::provider::{linq, segments, strateos, strike};
use labhook::signature::SchemeSpec;
use labhook::{EndpointPolicy, Event, EventType, Inbox, Outcome, Reply};

use super::*;

fn envelope(data: &str, timestamp: &str) -> String {
    format!(r#"{{"type":"run.state_changed","timestamp":{timestamp},"data":{data}}}"#)
}

/// Receives a request with the signed message id `msg_1`.
fn receive_signed(source: fn(&'static str, Verifier) -> Source, body: &str) -> Received<'_> {
    let sources = sources([source("it", Verifier::svix(secret("key-of-the-source")))]);
    let headers = leaked(signed(&Signer::svix(secret("key-of-the-source")), body));
    let received = sources.receive(headers, body.as_bytes(), now()).unwrap();
    assert!(matches!(received.proof, Proof::Verified(_)));
    assert_eq!(received.proof.body(), body.as_bytes());
    received
}

#[test]
fn odd_optional_members_do_not_fail_an_event() {
    let data = r#"{"run_id":"r1","state":"paused","message":{"text":"why"},"title":7}"#;
    let body = envelope(data, r#""2025-04-17T09:30:00.123""#);
    let received = receive_signed(Source::envelope, &body);
    let LabEvent::RunStateChanged(run) = &received.event else { panic!("{received:?}") };
    assert_eq!((&run.data.message, &run.data.title), (&None, &None));
    assert_eq!(run.data.unknown.get("message"), Some(r#"{"text":"why"}"#));
    assert_eq!(run.timestamp.as_str(), "2025-04-17T09:30:00.123");
    assert_eq!(run.timestamp.timestamp(), None);
    assert_eq!(serde_json::to_string(&received.event).unwrap(), body);
    assert_eq!(key(&received), Some("msg_1"));
    // A time is never guessed: whoever sends it on must say which.
    let error = received.event.into_message(id()).unwrap_err();
    assert_eq!(error.to_string(), "the event's `timestamp` is not an RFC 3339 date-time");
}

#[test]
fn event_without_a_required_member_is_unreadable() {
    let body = envelope(r#"{"run_id":17,"state":"paused"}"#, r#""2025-04-17T09:30:00Z""#);
    let received = receive_signed(Source::envelope, &body);
    assert_eq!(unreadable(&received), ("run.state_changed", "data.run_id"));
    let LabEvent::Unreadable { event, reason, .. } = &received.event else { unreachable!() };
    assert_eq!(event.data.as_str(), r#"{"run_id":17,"state":"paused"}"#);
    assert_eq!(reason.to_string(), "the event does not match its type at `data.run_id`");
    assert!(reason.why().starts_with("invalid type: integer `17`, expected a string"));
    assert_eq!(key(&received), Some("msg_1"));
    assert_eq!(serde_json::to_string(&received.event).unwrap(), body);
    assert_eq!(received.event.keys(), Default::default());
    assert!(received.proof.decode::<Event<RunStateChanged>>().is_err());
}

#[test]
fn segments_event_without_an_id_is_unreadable() {
    let body = r#"{"event_type":"sample.created","created_at":"2021-08-09T14:40:19.987691+00:00","api_version":"2021-08-01","dataset":"jane/flowers","object":{"name":"rose.png"}}"#;
    let received = receive_signed(Source::segments, body);
    assert_eq!(unreadable(&received), ("segments.sample.created", "object.uuid"));
    assert_eq!(key(&received), Some("msg_1"));
    assert_eq!(received.event.timestamp().as_str(), "2021-08-09T14:40:19.987691+00:00");
    let webhook: segments::Webhook = received.proof.decode().unwrap();
    assert_eq!(segments::Webhook::from_event(&received.event).unwrap(), webhook);

    // Without the published envelope, too, as long as the type is there.
    let received = receive_signed(Source::segments, r#"{"event_type":"sample.created"}"#);
    assert_eq!(unreadable(&received), ("segments.sample.created", "."));
    assert_eq!(received.event.timestamp().timestamp(), Some(now()));
}

#[test]
fn segments_members_of_another_type_are_kept() {
    let body = r#"{"event_type":"sample.updated","created_at":"yesterday","api_version":"2021-08-01","dataset":"jane/flowers","object":{"uuid":"9f3b"},"text":{"en":"x"},"changes":"name","z":1}"#;
    let received = receive_signed(Source::segments, body);
    let LabEvent::SampleUpdated(event) = &received.event else { panic!("{received:?}") };
    assert_eq!((&event.data.changes, event.timestamp.as_str()), (&None, "yesterday"));
    let webhook = segments::Webhook::from_event(&received.event).unwrap();
    assert_eq!(serde_json::to_string(&webhook).unwrap(), body);
}

#[test]
fn strike_members_of_another_type_are_kept() {
    let odd = r#"{"id":"e1","eventType":"invoice.updated","webhookVersion":"v1","data":{"entityId":7,"changes":{"state":1}},"created":"today","deliverySuccess":"yes"}"#;
    let headers = signed(&Signer::strike(secret("key-strike")), odd);
    let all = all();
    let received = all.receive(&headers, odd.as_bytes(), now()).unwrap();
    let LabEvent::ResourceChanged(event) = &received.event else { panic!("{received:?}") };
    assert_eq!((&event.data.resource_id, &event.data.changes), (&None, &None));
    let webhook = strike::Webhook::from_event(&received.event, &id()).unwrap();
    assert_eq!(serde_json::to_string(&webhook).unwrap(), odd);

    let short = r#"{"id":"e1","eventType":"invoice.updated"}"#;
    let headers = signed(&Signer::strike(secret("key-strike")), short);
    let received = all.receive(&headers, short.as_bytes(), now()).unwrap();
    assert_eq!(unreadable(&received), ("strike.invoice.updated", "."));
    assert_eq!(key(&received), Some("e1"));
}

#[test]
fn strateos_run_without_a_title_is_received() {
    let body =
        STRATEOS.replace(r#""pGFP lower concs Transform, Spread, Pick on 2016-03-11""#, "null");
    assert_ne!(body, STRATEOS);
    let received = all().receive(no_headers(), body.as_bytes(), now()).unwrap();
    let LabEvent::RunStateChanged(run) = &received.event else { panic!("{received:?}") };
    assert_eq!(run.data.title, None);
    let webhook: strateos::Webhook = received.proof.decode().unwrap();
    assert_eq!(strateos::Webhook::from_event(&received.event).unwrap(), webhook);
}

/// Plainly Strateos's, although unsigned and unreadable.
#[test]
fn plain_body_of_an_unsigned_vendor_is_unreadable() {
    let all = all();
    let body = r#"{"run":{"id":7},"project":{"id":"p1"},"event":{"op":"run_started"}}"#;
    let received = all.receive(no_headers(), body.as_bytes(), now()).unwrap();
    assert_eq!((&*received.source, key(&received)), ("cloud lab", None));
    assert_eq!(unreadable(&received), ("strateos.run_started", "run.id"));

    let linq = sources([danger::linq("runs", Kind::RunStateChange)]);
    let body = LINQ.replace(r#""run_id":"#, r#""run_id":1,"z":"#);
    let received = linq.receive(no_headers(), body.as_bytes(), now()).unwrap();
    assert_eq!(unreadable(&received), ("linq.on_run_state_change", "run_id"));
    let error = refused(linq.receive(no_headers(), br#"{"run_id":1}"#, now()));
    assert_eq!((error.name(), error.reply()), ("not-recognized", Reply::Refused));
    let ReceiveError::NotRecognized { tried } = &error else { panic!("{error:?}") };
    assert_eq!(tried.iter().map(|(_, reason)| reason.path()).collect::<Vec<_>>(), ["run_id"]);
    // At a URL of its own the body is the source's, whatever it is.
    let received = linq.receive_from("runs", no_headers(), br#"{"run_id":1}"#, now());
    assert_eq!(unreadable(&received.unwrap()), ("linq.on_run_state_change", "run_id"));
}

#[test]
fn linq_run_keeps_an_odd_message() {
    let body = LINQ.trim_end().replace(r#""The run is paused.""#, r#"{"en":"Paused."}"#);
    let headers = with_token("key-runs");
    let all = all();
    let received = all.receive(&headers, body.as_bytes(), now()).unwrap();
    let LabEvent::RunStateChanged(run) = &received.event else { panic!("{received:?}") };
    assert_eq!(run.data.unknown.get("message"), Some(r#"{"en":"Paused."}"#));
    let webhook: linq::RunStateChange = received.proof.decode().unwrap();
    assert_eq!(linq::RunStateChange::from_event(run).unwrap(), webhook);
}

/// What `dataset.created` means is up to its sender.
#[test]
fn foreign_event_is_not_read_as_our_model() {
    let body = r#"{"type":"dataset.created","version":1,"timestamp":"2025-04-17T09:30:00Z","data":{"id":7}}"#;
    let received = receive_signed(Source::standard_webhooks, body);
    let LabEvent::Unknown(event) = &received.event else { panic!("{received:?}") };
    assert_eq!(
        (event.event_type.as_str(), event.data.as_str()),
        ("dataset.created", r#"{"id":7}"#)
    );
    assert_eq!(
        serde_json::to_string(event).unwrap(),
        r#"{"type":"dataset.created","timestamp":"2025-04-17T09:30:00Z","data":{"id":7},"version":1}"#
    );
    let received = receive_signed(Source::envelope, body);
    assert_eq!(unreadable(&received), ("dataset.created", "data"));
}

#[derive(serde::Deserialize)]
struct Notification {
    delivery: String,
    run: String,
}

impl Decode for Notification {
    fn decode(body: TrustedBody<'_>) -> Result<Self, DecodeError> {
        body.json()
    }
}

fn arm(verifier: Option<Verifier>) -> Source {
    let decoder = |request: &labhook::receive::Incoming<'_>| {
        let it: Notification = request.decode()?;
        if it.run.is_empty() {
            return Err("the run has no name".into());
        }
        let event = Event::new(RunStateChanged::new(it.run, RunState::Paused), request.received_at);
        Ok(Decoded::new(event).with_dedupe_key(&it.delivery))
    };
    match verifier {
        Some(verifier) => Source::custom("arm", verifier, decoder),
        None => danger::custom("arm", decoder),
    }
}

#[test]
fn custom_source_stands_beside_the_vendors() {
    let scheme = CustomScheme::new(SchemeSpec::new("x-arm-signature", "{body}")).unwrap();
    let arm = arm(Some(Verifier::custom(scheme.clone(), secret("key-arm")).unwrap()));
    let sources =
        sources([arm, Source::strike("payments", Verifier::strike(secret("key-strike")))]);
    let receive = |body: &'static str| {
        let headers =
            leaked(signed(&Signer::custom(scheme.clone(), secret("key-arm")).unwrap(), body));
        sources.receive(headers, body.as_bytes(), now())
    };
    let received = receive(r#"{"delivery":"d-1","run":"r1"}"#).unwrap();
    assert_eq!((&*received.source, key(&received)), ("arm", Some("d-1")));
    assert!(matches!(received.proof, Proof::Verified(_)));
    assert_eq!(received.event.keys().run.unwrap().as_str(), "r1");

    for (body, name, why) in [
        (r#"{"delivery":"d-1"}"#, "malformed", "the body is malformed"),
        (r#"{"delivery":"d-1","run":""}"#, "other", "the run has no name"),
    ] {
        let error = refused(receive(body));
        assert_eq!((error.name(), error.reply()), (name, Reply::Retry));
        let ReceiveError::Unreadable(refusal) = error else { panic!("{error:?}") };
        assert_eq!(refusal.reason.to_string(), why);
        assert_eq!(refusal.proof.body(), body.as_bytes());
        assert_eq!(refusal.dedupe_key, None);
    }
    // The decoder is not asked about a request that is not genuine.
    let headers = signed(&Signer::custom(scheme, secret("key-other")).unwrap(), "{}");
    let error = refused(sources.receive(&headers, b"{}", now()));
    assert_eq!(tried(&error), [("arm", "no-match")]);
}

#[test]
fn custom_source_may_be_unsigned() {
    let sources = sources([danger::strateos("cloud lab"), arm(None)]);
    let body = r#"{"delivery":"d-1","run":"r1"}"#;
    let received = sources.receive(no_headers(), body.as_bytes(), now()).unwrap();
    assert_eq!(received.source, "arm");
    assert!(matches!(received.proof, Proof::Unsigned(_)));
    let error = refused(sources.receive(no_headers(), b"junk", now()));
    assert_eq!(error.reply(), Reply::Refused);
    let ReceiveError::NotRecognized { tried } = error else { panic!("{error:?}") };
    let why: Vec<_> = tried.iter().map(|(name, reason)| (&**name, reason.path())).collect();
    assert_eq!(why, [("cloud lab", "."), ("arm", ".")]);
}

/// The decoder decides what it recognizes.
#[test]
fn unreadable_event_of_an_unsigned_decoder_is_its_own() {
    let ours = danger::custom("ours", |request| Ok(Decoded::new(request.decode::<LabEvent>()?)));
    let body = envelope(r#"{"state":"paused"}"#, r#""2025-04-17T09:30:00Z""#);
    let sources = sources([danger::linq("plans", Kind::NewPlan), ours]);
    let received = sources.receive(no_headers(), body.as_bytes(), now()).unwrap();
    assert_eq!(received.source, "ours");
    assert_eq!(unreadable(&received), ("run.state_changed", "data"));
}

#[test]
fn decoder_may_return_an_event_of_its_own_type() {
    let source = Source::custom("arm", token_verifier("key"), |request| {
        let data: JsonText = request.proof.trusted_body().json()?;
        let event_type = EventType::from_static("arm.moved");
        Ok(Decoded::new(UnknownEvent::new(event_type, data, request.received_at)))
    });
    let sources = sources([source]);
    let received = sources.receive(leaked(with_token("key")), b"[1]", now()).unwrap();
    assert_eq!(received.event.event_type().as_str(), "arm.moved");
    assert_eq!(received.dedupe_key, None);
}

#[test]
fn busy_inbox_asks_for_a_short_wait() {
    let mut inbox = Inbox::new(NonZeroUsize::MIN);
    let claim = inbox.begin("it", "m1", now()).claim(now()).unwrap();
    let later = now() + Duration::from_secs(25);
    let again = inbox.begin("it", "m1", later).claim(later);
    assert_eq!(again, Err(Reply::InProgress(Duration::from_secs(275))));
    let response: http::Response<()> = again.unwrap_err().into();
    assert_eq!((response.status().as_u16(), &response.headers()["retry-after"]), (409, &5.into()));
    let full = inbox.begin("it", "m2", later).claim(later);
    assert_eq!(full, Err(Reply::RetryAfter(Duration::from_secs(5))));
    assert!(inbox.done(&claim, later));
    assert_eq!(inbox.begin("it", "m1", later).claim(later), Err(Reply::Accepted));
}

/// A receiver of ours holds back its own message, and not the endpoint of a sender of ours.
#[test]
fn message_in_progress_does_not_pause_the_endpoint() {
    let outcome = |reply: Reply| {
        let response: http::Response<()> = reply.into();
        Outcome::response(response.status(), response.headers(), now())
    };
    let policy = EndpointPolicy::default();
    let lease = Duration::from_secs(275);
    for reply in [Reply::InProgress(lease), Reply::Retry] {
        assert_eq!(policy.observe(&outcome(reply)).pause, None, "{reply:?}");
    }
    let busy = outcome(Reply::RetryAfter(lease));
    assert_eq!(policy.observe(&busy).pause, Some(lease));
}
