//! Requests that are refused, one for each error.

#![allow(unreachable_pub, reason = "one target is a library")]

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::signature::CustomScheme;
use labhook::{Signer, Timestamp, Verifier};

use crate::fixture;

/// Returns the name of each error that `Verifier::verify` can return, with what brings it about.
pub fn refusals() -> Vec<(&'static str, Verifier, HeaderMap, Timestamp)> {
    let signed = fixture::signed(fixture::body(200), fixture::start());
    let standard = Verifier::standard_webhooks(fixture::secret());
    let good = signed.headers;
    let with = |name: &'static str, value: &str| {
        let mut headers = good.clone();
        headers.insert(name, HeaderValue::try_from(value).expect("the value is valid"));
        headers
    };
    let and = |name: &'static str, value: &'static str| {
        let mut headers = good.clone();
        headers.append(name, HeaderValue::from_static(value));
        headers
    };
    let list = ["v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="].repeat(40).join(" ");
    let no_match = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let svix = Verifier::svix(fixture::secret());
    let custom = |scheme| Verifier::custom(scheme, fixture::secret()).unwrap();
    let stripe = |value: &'static str| {
        let name = HeaderName::from_static("stripe-signature");
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    };
    let signer = Signer::custom(CustomScheme::TWITCH, fixture::secret()).unwrap();
    let id = fixture::message_id(&mut fastrand::Rng::with_seed(fixture::SEED));
    let mut twitch = signer.sign(&id, signed.at, b"{}").expect("the id can be signed");
    let ambiguous = HeaderValue::from_static("m2021-02-25T15:02:10.000Z");
    twitch.insert("twitch-eventsub-message-id", ambiguous);
    let hour = Duration::from_secs(3_600);
    let at = signed.at;
    vec![
        ("missing-header", standard.clone(), HeaderMap::new(), at),
        ("conflicting-header", standard.clone(), and("webhook-id", "msg_2"), at),
        ("mixed-brands", svix, and("svix-id", "msg_2"), at),
        ("malformed-id", standard.clone(), with("webhook-id", ""), at),
        ("ambiguous-id", custom(CustomScheme::TWITCH), twitch, at),
        ("missing-timestamp", custom(CustomScheme::STRIPE), stripe("v1=00"), at),
        ("conflicting-timestamp", custom(CustomScheme::STRIPE), stripe("t=1,t=2,v1=00"), at),
        ("malformed-timestamp", standard.clone(), with("webhook-timestamp", "now"), at),
        ("too-old", standard.clone(), good.clone(), at + hour),
        ("too-new", standard.clone(), good.clone(), Timestamp::UNIX_EPOCH),
        ("too-many-candidates", standard.clone(), with("webhook-signature", &list), at),
        ("no-usable-signature", standard.clone(), with("webhook-signature", "v9,AAAA"), at),
        ("no-match", standard, with("webhook-signature", no_match), at),
    ]
}
