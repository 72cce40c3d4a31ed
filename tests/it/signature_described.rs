//! Vendors' schemes as data: each draft signs, verifies what it signs, and refuses what it should.

use http::HeaderName;
use labhook::signature::{Described, Description, TimestampForm};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};

const SECONDS: TimestampForm = TimestampForm::UnixSeconds;

const STRIPE: Described = Described::from_static(
    Description::new("stripe-signature", "{timestamp}.{body}")
        .separator(',')
        .prefix("v1=")
        .timestamp_field("t=", SECONDS),
);
const SHOPIFY: Described =
    Described::from_static(Description::new("x-shopify-hmac-sha256", "{body}").base64());
const TWITCH: Described = Described::from_static(
    Description::new("twitch-eventsub-message-signature", "{id}{timestamp}{body}")
        .prefix("sha256=")
        .id_header("twitch-eventsub-message-id")
        .timestamp_header("twitch-eventsub-message-timestamp", TimestampForm::Rfc3339),
);
const ZOOM: Described = Described::from_static(
    Description::new("x-zm-signature", "v0:{timestamp}:{body}")
        .prefix("v0=")
        .timestamp_header("x-zm-request-timestamp", SECONDS),
);
const LINEAR: Described = Described::from_static(Description::new("linear-signature", "{body}"));
const DROPBOX: Described =
    Described::from_static(Description::new("x-dropbox-signature", "{body}"));
const LINE: Described =
    Described::from_static(Description::new("x-line-signature", "{body}").base64());

fn all() -> [Described; 9] {
    [STRIPE, SHOPIFY, TWITCH, ZOOM, LINEAR, DROPBOX, LINE, Described::GITHUB, Described::SLACK]
}

const BODY: &[u8] = br#"{"test": 2432232314}"#;
const NOW: Timestamp = Timestamp::from_unix_seconds(1_614_265_330);

fn secret() -> Secret {
    Secret::from_text("s3cRe7s3cRe7").unwrap()
}

fn other() -> Secret {
    Secret::from_text("another secret").unwrap()
}

fn id() -> MessageId {
    MessageId::new("e76c6bd4-55c9-4987-8304-da1588d8988b").unwrap()
}

#[test]
fn each_scheme_verifies_what_it_signs() {
    for scheme in all() {
        let signer = Signer::described(scheme.clone(), secret());
        let headers = signer.sign(&id(), NOW, BODY).unwrap();
        let verifier = Verifier::described(scheme.clone(), other()).also(secret());
        let verified = verifier.verify(&headers, BODY, NOW).unwrap();
        assert_eq!(verified.key_index(), 1);

        // What the scheme names, it signs; what it does not name, it does not report.
        let signs_id = scheme.header() == TWITCH.header();
        assert_eq!(verified.id(), signs_id.then(id).as_ref());
        let signs_time = [STRIPE, TWITCH, ZOOM, Described::SLACK].contains(&scheme);
        assert_eq!(verified.timestamp(), signs_time.then_some(NOW));

        let error = verifier.verify(&headers, b"{}", NOW).unwrap_err();
        assert_eq!(error.name(), "no-match");
        let strangers = Verifier::described(scheme, other());
        let error = strangers.verify(&headers, BODY, NOW).unwrap_err();
        assert_eq!(error.name(), "no-match");
    }
}

#[test]
fn the_headers_are_written_as_the_vendors_write_them() {
    let sign = |scheme: Described, header: &str| {
        let signer = Signer::described(scheme, secret());
        let headers = signer.sign(&id(), NOW, BODY).unwrap();
        headers[header].to_str().unwrap().to_owned()
    };
    let stripe = sign(STRIPE, "stripe-signature");
    assert!(stripe.starts_with("t=1614265330,v1="), "{stripe}");
    assert_eq!(stripe.len(), "t=1614265330,v1=".len() + 64);

    let shopify = sign(SHOPIFY, "x-shopify-hmac-sha256");
    assert_eq!(shopify.len(), 44);
    assert!(shopify.ends_with('='));

    let twitch = sign(TWITCH, "twitch-eventsub-message-timestamp");
    assert_eq!(twitch, "2021-02-25T15:02:10.000Z");
}

#[test]
fn a_scheme_with_a_separator_signs_with_every_key() {
    let signer = Signer::described(STRIPE, secret()).also(other());
    let headers = signer.sign(&id(), NOW, BODY).unwrap();
    for key in [secret(), other()] {
        let verifier = Verifier::described(STRIPE, key);
        assert!(verifier.verify(&headers, BODY, NOW).is_ok());
    }
}

#[test]
fn a_scheme_from_a_configuration_is_the_constant() {
    let header = String::from("X-Hub-Signature-256");
    let read = Described::new(Description::new(&header, "{body}").prefix("sha256=")).unwrap();
    assert_eq!(read, Described::GITHUB);
    let slack = Description::new("X-Slack-Signature", "v0:{timestamp}:{body}")
        .prefix("v0=")
        .timestamp_header("X-Slack-Request-Timestamp", SECONDS);
    assert_eq!(Described::new(slack).unwrap(), Described::SLACK);
    assert_eq!(
        Described::SLACK.header_names().map(HeaderName::as_str).collect::<Vec<_>>(),
        ["x-slack-request-timestamp", "x-slack-signature"]
    );
}
