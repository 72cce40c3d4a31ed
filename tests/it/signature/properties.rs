//! Properties: every body, id, time, key and header.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::signature::{CustomScheme, SchemeSpec, TimestampForm};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const SIGNED: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

fn stripe_like() -> CustomScheme {
    CustomScheme::new(
        SchemeSpec::new("x-stripe", "{timestamp}.{body}")
            .with_separator(',')
            .with_prefix("v1=")
            .with_timestamp_field("t=", TimestampForm::UnixSeconds),
    )
    .unwrap()
}

fn twitch_like() -> CustomScheme {
    CustomScheme::new(
        SchemeSpec::new("x-twitch", "{id}{timestamp}{body}")
            .with_prefix("sha256=")
            .with_id_header("x-id")
            .with_timestamp_header("x-time", TimestampForm::Rfc3339),
    )
    .unwrap()
}

fn pairs(key: &[u8]) -> Vec<(Signer, Verifier)> {
    let key = || Secret::from_bytes(key).unwrap();
    let mut pairs = vec![
        (Signer::standard_webhooks(key()), Verifier::standard_webhooks(key())),
        (Signer::svix(key()), Verifier::svix(key())),
        (Signer::standard_webhooks(key()), Verifier::svix(key())),
        (Signer::strike(key()), Verifier::strike(key())),
    ];
    for scheme in [CustomScheme::GITHUB, CustomScheme::SLACK, stripe_like(), twitch_like()] {
        pairs.push((
            Signer::custom(scheme.clone(), key()).unwrap(),
            Verifier::custom(scheme, key()).unwrap(),
        ));
    }
    pairs
}

fn id() -> impl Strategy<Value = MessageId> {
    "[!-\\-/-~]{1,64}".prop_map(|text| MessageId::new(text).unwrap())
}

/// Ids with few characters, which are most likely to be confused.
fn short_id() -> impl Strategy<Value = MessageId> {
    "m[m0-9. ]{0,7}".prop_filter_map("not an id", |text| MessageId::new(text).ok())
}

/// Every message whose signed bytes are these.
fn readings(signed: &str) -> Vec<(&str, &str, &str)> {
    let stops: Vec<usize> = signed.match_indices('.').map(|(at, _)| at).collect();
    let mut found = Vec::new();
    for (index, &first) in stops.iter().enumerate() {
        for &second in &stops[index + 1..] {
            let (id, time) = (&signed[..first], &signed[first + 1..second]);
            let is_time = time.parse::<i64>().is_ok_and(|number| number.to_string() == time);
            if is_time && MessageId::new(id).is_ok() {
                found.push((id, time, &signed[second + 1..]));
            }
        }
    }
    found
}

fn year_1970_to_9999() -> impl Strategy<Value = Timestamp> {
    (0..253_402_300_799_999_999_i64).prop_map(Timestamp::from_unix_micros)
}

fn verifiers() -> Vec<Verifier> {
    let secret = || Secret::from_text("s3cRe7").unwrap();
    let token = Verifier::token(HeaderName::from_static("x-token"), secret()).unwrap();
    let mut verifiers: Vec<_> = pairs(b"s3cRe7").into_iter().map(|pair| pair.1).collect();
    verifiers.push(token);
    #[cfg(feature = "ed25519")]
    {
        let key = labhook::signature::Ed25519PrivateKey::from_seed(&[7; 32]);
        verifiers.push(Verifier::standard_webhooks(key.public()));
    }
    verifiers
}

/// Header values that are almost valid, and some that are not.
fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        "(v1,|v1a,|sha256=|v0=|v1=|t=)?[0-9A-Za-z+/=]{0,90}".prop_map(String::into_bytes),
        "[-+]?[0-9]{0,22}".prop_map(String::into_bytes),
        vec("(v1|v1a|v2|t)[,=][0-9A-Fa-f+/=]{0,64}", 0..40)
            .prop_map(|fields| fields.join(" ").into_bytes()),
    ]
}

proptest! {
    #[test]
    fn signed_request_verifies(
        key in vec(any::<u8>(), 1..200),
        id in id(),
        now in year_1970_to_9999(),
        body in vec(any::<u8>(), 0..500),
    ) {
        for (signer, verifier) in pairs(&key) {
            let headers = match signer.sign(&id, now, &body) {
                Ok(headers) => headers,
                Err(error) => panic!("{error}: {id} {now}"),
            };
            let verified = verifier.verify(&headers, &body, now);
            let verified = verified.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(verified.body(), body.as_slice());
            prop_assert!(verified.id().is_none_or(|found| found == id.as_str()));
            let near = |at: Timestamp| at <= now && now.saturating_since(at) < Duration::from_secs(1);
            prop_assert!(verified.timestamp().is_none_or(near));
        }
    }

    /// At every instant and with every tolerance, a request that was just signed is accepted.
    #[test]
    fn any_time_and_tolerance_is_safe(
        micros in any::<i64>(),
        now in any::<i64>(),
        past in any::<u64>(),
        future in any::<u64>(),
    ) {
        let secret = || Secret::from_text("s3cRe7").unwrap();
        let id = MessageId::new("m").unwrap();
        let at = Timestamp::from_unix_micros(micros);
        let headers = Signer::standard_webhooks(secret()).sign(&id, at, b"").unwrap();
        let verifier = Verifier::standard_webhooks(secret());
        prop_assert!(verifier.verify(&headers, b"", at).is_ok());
        let (past, future) = (Duration::from_micros(past), Duration::from_micros(future));
        let verifier = verifier.with_tolerance(past, future);
        let now = Timestamp::from_unix_micros(now);
        match verifier.verify(&headers, b"", now) {
            Ok(verified) => {
                let last = verified.expires_at().unwrap();
                prop_assert!(now <= last);
                prop_assert!(verifier.verify(&headers, b"", last).is_ok());
                let after = last + Duration::from_micros(1);
                let rejected = verifier.verify(&headers, b"", after).is_err();
                prop_assert!(rejected || last == Timestamp::MAX);
            }
            Err(error) => prop_assert!(["too-old", "too-new"].contains(&error.name())),
        }
    }

    #[test]
    fn any_flipped_byte_is_rejected(
        key in vec(any::<u8>(), 1..100),
        id in id(),
        now in year_1970_to_9999(),
        body in vec(any::<u8>(), 1..200),
        position in any::<Index>(),
        mask in 1..=255_u8,
        flip_body in any::<bool>(),
        header in select(&SIGNED[..]),
    ) {
        let secret = || Secret::from_bytes(&key).unwrap();
        let mut headers = Signer::standard_webhooks(secret()).sign(&id, now, &body).unwrap();
        let mut body = body;
        if flip_body {
            let at = position.index(body.len());
            body[at] ^= mask;
        } else {
            let mut value = headers[header].as_bytes().to_vec();
            let at = position.index(value.len());
            value[at] ^= mask;
            match HeaderValue::from_bytes(&value) {
                Ok(value) => headers.insert(header, value),
                Err(_) => return Ok(()),
            };
        }
        // The widest tolerance, so that a changed time is rejected by its signature.
        let verifier = Verifier::standard_webhooks(secret()).with_tolerance(Duration::MAX, Duration::MAX);
        prop_assert!(verifier.verify(&headers, &body, now).is_err());
    }

    #[test]
    fn arbitrary_headers_never_panic_nor_verify(
        values in vec((any::<Index>(), value()), 0..8),
        body in vec(any::<u8>(), 0..50),
        now in any::<i64>(),
    ) {
        let names: Vec<HeaderName> = verifiers()
            .iter()
            .flat_map(|verifier| match verifier.scheme() {
                labhook::signature::Scheme::Token(name) => vec![name.clone()],
                labhook::signature::Scheme::CustomScheme(scheme) => scheme.header_names().cloned().collect(),
                _ => SIGNED
                    .into_iter()
                    .chain(["svix-id", "svix-timestamp", "svix-signature"])
                    .chain(["x-webhook-signature"])
                    .map(HeaderName::from_static)
                    .collect(),
            })
            .collect();
        let mut headers = HeaderMap::new();
        for (index, value) in values {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.append(names[index.index(names.len())].clone(), value);
            }
        }
        for verifier in verifiers() {
            let verifier = verifier.with_tolerance(Duration::MAX, Duration::MAX);
            let now = Timestamp::from_unix_micros(now);
            prop_assert!(verifier.verify(&headers, &body, now).is_err());
        }
    }

    /// No signed bytes are those of two messages.
    #[test]
    fn signed_bytes_are_read_in_one_way(signed in "[m1-]{1,2}([.m1-]{1,3}){0,6}") {
        let found = readings(&signed);
        prop_assert!(found.len() < 2, "{:?}", found);
    }

    /// The boundaries between id, time and body are unambiguous.
    #[test]
    fn distinct_messages_have_distinct_signatures(
        first in (short_id(), 0..100_i64, "[m0-9. ]{0,8}"),
        second in (short_id(), 0..100_i64, "[m0-9. ]{0,8}"),
    ) {
        prop_assume!(first != second);
        let signer = Signer::standard_webhooks(Secret::from_text("s3cRe7").unwrap());
        let sign = |(id, seconds, body): (MessageId, i64, String)| {
            let now = Timestamp::from_unix_seconds(seconds);
            let mut headers = signer.sign(&id, now, body.as_bytes()).unwrap();
            headers.remove("webhook-signature")
        };
        prop_assert_ne!(sign(first), sign(second));
    }
}

#[cfg(feature = "ed25519")]
proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn ed25519_verifies_and_rejects_a_flipped_bit(
        seed in any::<[u8; 32]>(),
        id in id(),
        now in year_1970_to_9999(),
        body in vec(any::<u8>(), 1..200),
        position in any::<Index>(),
        bit in 0..8_u32,
    ) {
        let key = labhook::signature::Ed25519PrivateKey::from_seed(&seed);
        let verifier = Verifier::standard_webhooks(key.public());
        let headers = Signer::standard_webhooks(key).sign(&id, now, &body).unwrap();
        prop_assert!(verifier.verify(&headers, &body, now).is_ok());
        let mut flipped = body;
        let at = position.index(flipped.len());
        flipped[at] ^= 1 << bit;
        prop_assert!(verifier.verify(&headers, &flipped, now).is_err());
    }
}
