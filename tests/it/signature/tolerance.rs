//! Timestamps: tolerance, canonical form and extreme values.

use std::time::Duration;

use labhook::{Signer, Timestamp, Verifier};

use super::{BODY, NOW, id, secret, signed, value};

/// Fault 3 of other implementations.
#[test]
fn extreme_timestamps_are_rejected_without_panic() {
    let mut headers = signed(BODY);
    for (text, expected) in [
        ("-9223372036854775808", "too-old"),
        ("-9223372036854775807", "too-old"),
        ("9223372036854775807", "too-new"),
        ("9223372036854775808", "malformed-timestamp"),
    ] {
        headers.insert("webhook-timestamp", value(text));
        for now in [Timestamp::UNIX_EPOCH, NOW] {
            let verifier = Verifier::standard_webhooks(secret());
            let error = verifier.verify(&headers, BODY, now).unwrap_err();
            assert_eq!(error.name(), expected, "{text}");
        }
        let widest =
            Verifier::standard_webhooks(secret()).with_tolerance(Duration::MAX, Duration::MAX);
        for now in [Timestamp::MIN, Timestamp::MAX] {
            assert!(widest.verify(&headers, BODY, now).is_err());
        }
    }
}

/// Fault 7 of other implementations.
#[test]
fn timestamp_not_in_canonical_form_is_rejected() {
    let now = Timestamp::from_unix_seconds(5);
    let signer = Signer::standard_webhooks(secret());
    let mut headers = signer.sign(&id("m"), now, BODY).unwrap();
    let verifier = Verifier::standard_webhooks(secret());
    assert!(verifier.verify(&headers, BODY, now).is_ok());
    for spelling in ["+5", "05", "5.0", "0x5"] {
        headers.insert("webhook-timestamp", value(spelling));
        let error = verifier.verify(&headers, BODY, now).unwrap_err();
        assert_eq!(error.name(), "malformed-timestamp", "{spelling}");
    }
}
