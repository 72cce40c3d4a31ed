//! Strike subscriptions and their endpoints.

use std::error::Error as _;

use labhook::endpoint::RegistryError;
use labhook::lab::{ResourceChanged, RunState, RunStateChanged};
use labhook::provider::strike::{
    self, CreateSubscription, MAX_SUBSCRIPTIONS, Subscription, SubscriptionError,
    UpdateSubscription, Webhook, WebhookVersion,
};
use labhook::{EndpointId, Event, Outbox, Registry, RetryPolicy, Secret, Timestamp, Verifier};

use super::{at, body, decode, encode, message, updated};
use crate::support::drain;

const URL: &str = "https://pay.example/hooks/s3cr3t-path";

fn secret(text: &str) -> Secret {
    Secret::from_text(text).unwrap()
}

fn create(event_types: &[&str]) -> CreateSubscription {
    let event_types = event_types.iter().copied();
    CreateSubscription::new(URL, WebhookVersion::V1, secret("0123456789"), event_types).unwrap()
}

#[test]
fn request_json_is_as_published() {
    assert_eq!(
        *create(&["invoice.created", "invoice.updated"]).with_enabled(false).expose_json(),
        br#"{"webhookUrl":"https://pay.example/hooks/s3cr3t-path","webhookVersion":"v1","secret":"0123456789","enabled":false,"eventTypes":["invoice.created","invoice.updated"]}"#
    );
    assert_eq!(*UpdateSubscription::new().expose_json(), b"{}");
    let update =
        UpdateSubscription::new().with_secret(secret("\"ten\"\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}"));
    let json = r#"{"secret":"\"ten\"ééééé"}"#;
    assert_eq!(*update.unwrap().expose_json(), json.as_bytes());
    let all = UpdateSubscription::new()
        .event_types(["payment.created"])
        .and_then(|it| it.with_enabled(true).with_secret(secret("testtesttest")))
        .and_then(|it| it.with_webhook_version(WebhookVersion::V2))
        .and_then(|it| it.with_webhook_url("https://other.example"))
        .unwrap();
    let json = br#"{"webhookUrl":"https://other.example","webhookVersion":"v2","secret":"testtesttest","enabled":true,"eventTypes":["payment.created"]}"#;
    assert_eq!(*all.expose_json(), json);
    assert_eq!(*create(&["a.b"]).with_enabled(false).updated(all).expose_json(), json);
    let same = create(&["a.b"]);
    let still = same.clone().updated(UpdateSubscription::new());
    assert_eq!(same.expose_json(), still.expose_json());
}

#[test]
fn subscription_errors_have_exact_texts() {
    let new = |url: &str, version: WebhookVersion, key: Secret, event_types: &[&str]| {
        CreateSubscription::new(url, version, key, event_types.iter().copied()).unwrap_err()
    };
    let v1 = || WebhookVersion::V1;
    let key = || secret("0123456789");
    let both = |error: SubscriptionError, update: Result<UpdateSubscription, _>, text: &str| {
        assert_eq!(error.to_string(), text);
        let error: SubscriptionError = update.unwrap_err();
        assert_eq!(error.to_string(), text);
    };
    let update = UpdateSubscription::new;
    for url in ["http://pay.example/", "ftp://pay.example/"] {
        both(
            new(url, v1(), key(), &["a.b"]),
            update().with_webhook_url(url),
            "`webhookUrl` must use HTTPS",
        );
    }
    for url in ["", "pay.example", "/hooks", "https://u:p@pay.example", "https://pay.example/#x"] {
        let error = new(url, v1(), key(), &["a.b"]);
        assert!(error.source().is_some(), "{url}");
        both(error, update().with_webhook_url(url), "invalid `webhookUrl`");
    }
    both(
        new(URL, "v3".into(), key(), &["a.b"]),
        update().with_webhook_version("v3".into()),
        "unknown `webhookVersion` `v3`, expected one of `v1`, `v2`",
    );
    for (length, taken) in [(1, false), (9, false), (10, true), (50, true), (51, false)] {
        for letter in ["x", "é"] {
            let key = || secret(&letter.repeat(length));
            if taken {
                assert!(CreateSubscription::new(URL, v1(), key(), ["a.b"]).is_ok());
                assert!(update().with_secret(key()).is_ok());
            } else {
                both(
                    new(URL, v1(), key(), &["a.b"]),
                    update().with_secret(key()),
                    &format!("`secret` is {length} characters long; 10 to 50 are required"),
                );
            }
        }
    }
    let bytes = || Secret::from_bytes(&[0xff; 20]).unwrap();
    both(
        new(URL, v1(), bytes(), &["a.b"]),
        update().with_secret(bytes()),
        "`secret` must be UTF-8 text",
    );
    both(
        new(URL, v1(), key(), &[]),
        update().event_types::<&str>([]),
        "`eventTypes` must contain at least one event type and no empty ones",
    );
    assert_eq!(
        create(&["a.b", "ping"]).endpoint(EndpointId::new("e").unwrap()).unwrap_err().to_string(),
        r#"event type "ping" must have the form `<resource type>.<operation>`"#
    );
}

#[test]
fn response_never_contains_the_secret() {
    let body = r#"{"id":"s1","webhookUrl":"https://pay.example/hooks/s3cr3t-path","webhookVersion":"v1","enabled":true,"created":"2009-01-03T18:15:00+01:00","eventTypes":["invoice.updated"],"z":1.10}"#;
    let subscription: Subscription = serde_json::from_str(body).unwrap();
    assert_eq!(*subscription.expose_json().unwrap(), body.as_bytes());
    assert_eq!(subscription.unknown.get("z"), Some("1.10"));

    for leaked in [r#""0123456789""#, "null", r#"{"a":["0123456789"]}"#] {
        let leaking = body.replace(r#""z":1.10"#, &format!(r#""z":1.10,"secret":{leaked}"#));
        let read: Subscription = serde_json::from_str(&leaking).unwrap();
        assert_eq!(read, subscription);
        assert_eq!(*read.expose_json().unwrap(), body.as_bytes());
        assert!(!format!("{read:?}").contains("0123456789"));
    }
    let twice = body.replace(r#""z":1.10"#, r#""secret":"a","secret":"b""#);
    let error = serde_json::from_str::<Subscription>(&twice).unwrap_err().to_string();
    assert!(error.starts_with("duplicate field `secret`"), "{error}");

    let mut added = subscription;
    added.unknown.insert("secret", "1").unwrap();
    assert_eq!(
        added.expose_json().unwrap_err().to_string(),
        "unknown member `secret` collides with a known field"
    );

    let answer = create(&["invoice.updated"]).response("s1", at());
    let json = answer.expose_json().unwrap();
    assert_eq!(*json, body.replace(r#","z":1.10"#, "").as_bytes());
}

#[test]
fn debug_hides_the_secret_and_the_path() {
    let subscription = create(&["invoice.updated"]);
    assert!(subscription.is_enabled());
    assert!(!create(&["invoice.updated"]).with_enabled(false).is_enabled());
    assert_eq!(
        format!("{subscription:?}"),
        "CreateSubscription { webhook_url: https://pay.example, webhook_version: \"v1\", \
         secret: Secret(10 bytes), enabled: true, event_types: [\"invoice.updated\"] }"
    );
    let update = UpdateSubscription::new().with_webhook_url(URL).unwrap();
    assert_eq!(
        format!("{update:?}"),
        "UpdateSubscription { webhook_url: Some(https://pay.example), webhook_version: None, \
         secret: None, enabled: None, event_types: None }"
    );
    let answer = subscription.response("s1", at());
    assert_eq!(
        format!("{answer:?}"),
        "Subscription { id: \"s1\", webhook_url: https://pay.example, webhook_version: \"v1\", \
         enabled: true, created: \"2009-01-03T18:15:00+01:00\", \
         event_types: [\"invoice.updated\"], unknown: {} }"
    );
    let json = String::from_utf8(answer.expose_json().unwrap().to_vec()).unwrap();
    for url in ["s3cr3t", "https://u:s3cr3t@pay.example"] {
        let read: Subscription = serde_json::from_str(&json.replace(URL, url)).unwrap();
        assert_eq!(read.expose_webhook_url(), url);
        assert!(!format!("{read:?}").contains("s3cr3t"), "{read:?}");
    }
}

#[test]
fn endpoint_signs_and_retries_like_strike() {
    let endpoint = create(&["invoice.updated"]).endpoint(EndpointId::new("pay").unwrap()).unwrap();
    assert_eq!(endpoint.policy.retry, RetryPolicy::strike());
    assert_eq!(endpoint.policy.retry, strike::policy());
    assert_eq!(endpoint.format().name(), "strike");
    assert_eq!(endpoint.expose_url(), URL);
    assert!(endpoint.enabled);

    let mut registry = Registry::new().with_limit(MAX_SUBSCRIPTIONS);
    registry.insert(endpoint).unwrap();
    let off = create(&["invoice.updated"]).with_enabled(false);
    registry.insert(off.endpoint(EndpointId::new("off").unwrap()).unwrap()).unwrap();
    let mut outbox = Outbox::new(registry, 7);
    let now = Timestamp::from_unix_seconds(1_614_265_330);

    let published = outbox.publish(updated("m1"), now).unwrap();
    assert_eq!(published.endpoints, [EndpointId::new("pay").unwrap()]);
    for other in [
        message(Event::new(ResourceChanged::new("invoice", "created".into()), at()), "m2"),
        message(Event::new(RunStateChanged::new("r1", RunState::Paused), at()), "m3"),
        message(decode(&body("ping", "{}", "")).to_event().unwrap(), "m4"),
    ] {
        let published = outbox.publish(other, now).unwrap();
        assert!(published.endpoints.is_empty() && published.render_failures.is_empty());
    }

    let [attempt] = drain(&mut outbox, now).try_into().unwrap();
    let request = attempt.request(now).unwrap();
    let verifier = Verifier::strike(secret("0123456789"));
    let verified = verifier.verify(request.headers(), request.body(), now).unwrap();
    let webhook: Webhook = verified.decode().unwrap();
    assert_eq!(webhook.dedupe_key().as_str(), "m1");
    assert_eq!(encode(&webhook), body("invoice.updated", "{}", "").replace("e1", "m1"));
}

#[test]
fn registry_holds_at_most_fifty_subscriptions() {
    let mut registry = Registry::new().with_limit(MAX_SUBSCRIPTIONS);
    let endpoint = |number: usize| {
        let id = EndpointId::new(format!("e{number}")).unwrap();
        create(&["invoice.updated"]).endpoint(id).unwrap()
    };
    for number in 0..50 {
        registry.insert(endpoint(number)).unwrap();
    }
    assert_eq!(registry.insert(endpoint(50)), Err(RegistryError::Full { limit: 50 }));
}
