//! Custom schemes: header formats, and schemes from a configuration.

use http::HeaderName;
use labhook::signature::{CustomScheme, SchemeSpec, TimestampForm};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};

const SECONDS: TimestampForm = TimestampForm::UnixSeconds;

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
fn vendor_schemes_write_the_vendor_format() {
    let sign = |scheme: CustomScheme, header: &str| {
        let signer = Signer::custom(scheme, secret()).unwrap();
        let headers = signer.sign(&id(), NOW, BODY).unwrap();
        headers[header].to_str().unwrap().to_owned()
    };
    let stripe = sign(CustomScheme::STRIPE, "stripe-signature");
    assert!(stripe.starts_with("t=1614265330,v1="), "{stripe}");
    assert_eq!(stripe.len(), "t=1614265330,v1=".len() + 64);

    let shopify = sign(CustomScheme::SHOPIFY, "x-shopify-hmac-sha256");
    assert_eq!(shopify.len(), 44);
    assert!(shopify.ends_with('='));

    let twitch = sign(CustomScheme::TWITCH, "twitch-eventsub-message-timestamp");
    assert_eq!(twitch, "2021-02-25T15:02:10.000Z");
}

#[test]
fn scheme_with_separator_signs_with_every_key() {
    let signer = Signer::custom(CustomScheme::STRIPE, secret()).unwrap().add_secret(other());
    let headers = signer.sign(&id(), NOW, BODY).unwrap();
    for key in [secret(), other()] {
        let verifier = Verifier::custom(CustomScheme::STRIPE, key).unwrap();
        assert!(verifier.verify(&headers, BODY, NOW).is_ok());
    }
}

#[test]
fn scheme_from_configuration_equals_the_constant() {
    let header = String::from("X-Hub-Signature-256");
    let read =
        CustomScheme::new(SchemeSpec::new(&header, "{body}").with_prefix("sha256=")).unwrap();
    assert_eq!(read, CustomScheme::GITHUB);
    let slack = SchemeSpec::new("X-Slack-Signature", "v0:{timestamp}:{body}")
        .with_prefix("v0=")
        .with_timestamp_header("X-Slack-Request-Timestamp", SECONDS);
    assert_eq!(CustomScheme::new(slack).unwrap(), CustomScheme::SLACK);
    assert_eq!(
        CustomScheme::SLACK.header_names().map(HeaderName::as_str).collect::<Vec<_>>(),
        ["x-slack-request-timestamp", "x-slack-signature"]
    );
}
