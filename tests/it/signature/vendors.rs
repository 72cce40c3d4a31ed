//! Vendor constants: each verifies its vectors, writes the vendor's format and rejects changed
//! requests; and the claims about its vectors are true.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::signature::{CustomScheme, SchemeSpec, TimestampForm};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};
use serde::Deserialize;

use super::VECTORS;

const VENDORS: &str = include_str!("../../data/signature/vendors.json");
const SOURCE: &str = include_str!("../../../src/signature/vendors.rs");

const NOW: Timestamp = Timestamp::from_unix_seconds(1_614_265_330);
const BODY: &[u8] = b"{\"run\":\"R-7\"}\xff";

/// Every constant, its name, and the headers that it reads and writes.
static ALL: [(&str, CustomScheme, &str); 39] = [
    ("ASANA", CustomScheme::ASANA, "x-hook-signature"),
    ("BITBUCKET", CustomScheme::BITBUCKET, "x-hub-signature"),
    ("BOX", CustomScheme::BOX, "box-delivery-timestamp box-signature-primary"),
    ("BUILDKITE", CustomScheme::BUILDKITE, "x-buildkite-signature"),
    ("CAL_COM", CustomScheme::CAL_COM, "x-cal-signature-256"),
    ("CIRCLECI", CustomScheme::CIRCLECI, "circleci-signature"),
    ("CLICKUP", CustomScheme::CLICKUP, "x-signature"),
    ("COINBASE_COMMERCE", CustomScheme::COINBASE_COMMERCE, "x-cc-webhook-signature"),
    ("DATASAUR", CustomScheme::DATASAUR, "x-datasaur-signature"),
    ("DOCUSIGN", CustomScheme::DOCUSIGN, "x-docusign-signature-1"),
    ("DROPBOX", CustomScheme::DROPBOX, "x-dropbox-signature"),
    ("FINTOC", CustomScheme::FINTOC, "fintoc-signature"),
    ("FORGEJO", CustomScheme::FORGEJO, "x-forgejo-signature"),
    ("GITEA", CustomScheme::GITEA, "x-gitea-signature"),
    ("GITHUB", CustomScheme::GITHUB, "x-hub-signature-256"),
    ("GRAFANA", CustomScheme::GRAFANA, "x-grafana-alerting-signature"),
    ("JIRA", CustomScheme::JIRA, "x-hub-signature"),
    ("LEMON_SQUEEZY", CustomScheme::LEMON_SQUEEZY, "x-signature"),
    ("LINE", CustomScheme::LINE, "x-line-signature"),
    ("LINEAR", CustomScheme::LINEAR, "linear-signature"),
    ("MOLLIE", CustomScheme::MOLLIE, "x-mollie-signature"),
    ("MUX", CustomScheme::MUX, "mux-signature"),
    ("NOTION", CustomScheme::NOTION, "x-notion-signature"),
    ("PADDLE", CustomScheme::PADDLE, "paddle-signature"),
    ("PAGERDUTY", CustomScheme::PAGERDUTY, "x-pagerduty-signature"),
    ("PUSHER", CustomScheme::PUSHER, "x-pusher-signature"),
    ("RAZORPAY", CustomScheme::RAZORPAY, "x-razorpay-signature"),
    ("SENTRY", CustomScheme::SENTRY, "sentry-hook-signature"),
    ("SHOPIFY", CustomScheme::SHOPIFY, "x-shopify-hmac-sha256"),
    ("SLACK", CustomScheme::SLACK, "x-slack-request-timestamp x-slack-signature"),
    ("STRIPE", CustomScheme::STRIPE, "stripe-signature"),
    ("TAILSCALE", CustomScheme::TAILSCALE, "tailscale-webhook-signature"),
    ("TODOIST", CustomScheme::TODOIST, "x-todoist-hmac-sha256"),
    (
        "TWITCH",
        CustomScheme::TWITCH,
        "twitch-eventsub-message-id twitch-eventsub-message-timestamp \
         twitch-eventsub-message-signature",
    ),
    ("TYPEFORM", CustomScheme::TYPEFORM, "typeform-signature"),
    ("WEBFLOW", CustomScheme::WEBFLOW, "x-webflow-timestamp x-webflow-signature"),
    ("XERO", CustomScheme::XERO, "x-xero-signature"),
    (
        "ZENDESK",
        CustomScheme::ZENDESK,
        "x-zendesk-webhook-signature-timestamp x-zendesk-webhook-signature",
    ),
    ("ZOOM", CustomScheme::ZOOM, "x-zm-request-timestamp x-zm-signature"),
];

/// A signed request. `published` means that the vendor published it. `exact` means that a signer
/// writes the same headers; it does not if the request contains signatures of other versions or
/// another form of the time.
#[derive(Deserialize)]
struct Vector {
    constant: String,
    published: bool,
    source: String,
    secret: String,
    headers: BTreeMap<String, String>,
    id: Option<String>,
    now: i64,
    body: String,
    tag: String,
    exact: bool,
}

impl Vector {
    fn all() -> Vec<Self> {
        serde_json::from_str(VENDORS).unwrap()
    }

    fn scheme(&self) -> CustomScheme {
        let (_, scheme, _) = ALL.iter().find(|(name, ..)| *name == self.constant).unwrap();
        scheme.clone()
    }

    fn secret(&self) -> Secret {
        Secret::from_text(&self.secret).unwrap()
    }

    fn verifier(&self) -> Verifier {
        Verifier::custom(self.scheme(), self.secret()).unwrap()
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.now)
    }

    fn headers(&self) -> HeaderMap {
        let header = |(name, text): (&String, &String)| {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            (name, HeaderValue::try_from(text).unwrap())
        };
        self.headers.iter().map(header).collect()
    }
}

fn secret() -> Secret {
    Secret::from_text("s3cRe7s3cRe7").unwrap()
}

fn id() -> MessageId {
    MessageId::new("e76c6bd4-55c9-4987-8304-da1588d8988b").unwrap()
}

#[test]
fn constants_verify_their_vectors() {
    for vector in Vector::all() {
        let name = &vector.constant;
        let (headers, body) = (vector.headers(), vector.body.as_bytes());
        let verdict = vector.verifier().verify(&headers, body, vector.now());
        let verified = verdict.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(verified.body(), body, "{name}");
        assert_eq!(verified.id(), vector.id.as_deref(), "{name}");
        if let Some(timestamp) = verified.timestamp() {
            assert_eq!(timestamp.unix_seconds(), vector.now, "{name}");
        }
    }
}

#[test]
fn constants_write_their_vectors() {
    for vector in Vector::all().iter().filter(|vector| vector.exact) {
        let signer = Signer::custom(vector.scheme(), vector.secret()).unwrap();
        let id = vector.id.as_deref().map_or_else(id, |text| MessageId::new(text).unwrap());
        let headers = signer.sign(&id, vector.now(), vector.body.as_bytes()).unwrap();
        assert_eq!(headers, vector.headers(), "{}", vector.constant);
    }
}

#[test]
fn changed_byte_is_rejected() {
    for vector in Vector::all() {
        let name = &vector.constant;
        let (verifier, now) = (vector.verifier(), vector.now());
        let error_name = |headers: &HeaderMap, body: &[u8]| {
            verifier.verify(headers, body, now).unwrap_err().name()
        };

        let body = vector.body.as_bytes();
        for index in 0..body.len() {
            let mut changed = body.to_vec();
            changed[index] ^= 1;
            assert_eq!(error_name(&vector.headers(), &changed), "no-match", "{name} at {index}");
        }
        for changed in [&body[1..], &body[..body.len() - 1], &[body, b" "].concat(), b""] {
            assert_eq!(error_name(&vector.headers(), changed), "no-match", "{name}");
        }

        let flipped = |byte: u8| if byte == b'0' { '1' } else { '0' };
        for index in [0, vector.tag.len() / 2] {
            let mut tag = vector.tag.clone();
            tag.replace_range(index..=index, &flipped(tag.as_bytes()[index]).to_string());
            let mut headers = vector.headers();
            for value in headers.values_mut() {
                let text = value.to_str().unwrap().replace(&vector.tag, &tag);
                *value = HeaderValue::try_from(text).unwrap();
            }
            assert_ne!(headers, vector.headers());
            assert_eq!(error_name(&headers, body), "no-match", "{name} at {index} of the tag");
        }
    }
}

#[test]
fn changed_id_or_timestamp_is_rejected() {
    for (name, scheme, _) in &ALL {
        let verifier = Verifier::custom(scheme.clone(), secret()).unwrap();
        let signer = Signer::custom(scheme.clone(), secret()).unwrap();
        let signed = signer.sign(&id(), NOW, BODY).unwrap();
        let later = NOW + Duration::from_secs(1);
        let later = signer.sign(&MessageId::new("another").unwrap(), later, BODY).unwrap();
        let signs_more = verifier.verify(&signed, BODY, NOW).unwrap().timestamp().is_some();
        assert_eq!(signed != later, signs_more, "{name}");
        if !signs_more {
            continue;
        }
        for header in scheme.header_names() {
            let mut changed = signed.clone();
            if scheme.header_names().count() > 1 {
                changed.insert(header, later[header].clone());
            } else {
                let text = signed[header].to_str().unwrap().replace("1614265330", "1614265331");
                changed.insert(header, HeaderValue::try_from(text).unwrap());
            }
            assert_ne!(changed, signed, "{name}: {header}");
            let error = verifier.verify(&changed, BODY, NOW).unwrap_err();
            assert_eq!(error.name(), "no-match", "{name}: {header}");
        }
    }
}

/// Without text between placeholders, the RFC 3339 format shows where a time starts and ends,
/// regardless of the tolerance.
#[test]
fn rfc_3339_time_has_fixed_boundaries() {
    let time = |header: &str| {
        let signed = Signer::custom(CustomScheme::TWITCH, secret()).unwrap().sign(&id(), NOW, BODY);
        signed.unwrap()[header].to_str().unwrap().to_owned()
    };
    let time = time("twitch-eventsub-message-timestamp");
    for (name, scheme, time_header) in [
        ("TWITCH", CustomScheme::TWITCH, "twitch-eventsub-message-timestamp"),
        ("ZENDESK", CustomScheme::ZENDESK, "x-zendesk-webhook-signature-timestamp"),
        ("BOX", CustomScheme::BOX, "box-delivery-timestamp"),
    ] {
        let verifier = Verifier::custom(scheme.clone(), secret())
            .unwrap()
            .with_tolerance(Duration::MAX, Duration::MAX);
        let signed = Signer::custom(scheme, secret()).unwrap().sign(&id(), NOW, BODY).unwrap();
        let (first, last) = (&BODY[..1], &BODY[BODY.len() - 1..]);
        let moved: &[(Vec<u8>, Vec<u8>)] = &[
            // Out of the time, into its neighbour.
            (time.as_bytes()[..time.len() - 1].to_vec(), [b"Z", BODY].concat()),
            (time.as_bytes()[1..].to_vec(), [BODY, b"2"].concat()),
            // Out of the body, into the time.
            ([time.as_bytes(), first].concat(), BODY[1..].to_vec()),
            ([last, time.as_bytes()].concat(), BODY[..BODY.len() - 1].to_vec()),
        ];
        for (text, body) in moved {
            let mut headers = signed.clone();
            headers.insert(time_header, HeaderValue::from_bytes(text).unwrap());
            let error = verifier.verify(&headers, body, NOW).unwrap_err();
            assert_eq!(error.name(), "malformed-timestamp", "{name}: {text:?}");
        }
    }
}

/// See [`CustomScheme`] on integers next to the body: only the tolerance detects the change.
#[test]
fn integer_time_next_to_body_needs_the_tolerance() {
    let touching = CustomScheme::new(
        SchemeSpec::new("x-signature", "{timestamp}{body}")
            .with_timestamp_header("x-time", TimestampForm::UnixSeconds),
    );
    let touching = touching.unwrap();
    let early = Timestamp::from_unix_seconds(161_426_533);
    let long = [b"0", BODY].concat();
    let signer = Signer::custom(touching.clone(), secret()).unwrap();
    let mut headers = signer.sign(&id(), early, &long).unwrap();
    headers.insert("x-time", HeaderValue::from_static("1614265330"));
    let verifier = Verifier::custom(touching, secret()).unwrap();
    assert_eq!(
        verifier.verify(&headers, BODY, early).unwrap_err().name(),
        "too-new",
        "rejected at the time of signing"
    );
    let verified = verifier.verify(&headers, BODY, NOW).unwrap();
    assert_eq!(verified.body(), BODY, "accepted as another request, much later");
}

#[test]
fn constants_verify_what_they_sign() {
    let other = || Secret::from_text("another secret").unwrap();
    let id = id();
    for (name, scheme, headers) in &ALL {
        let names: Vec<_> = scheme.header_names().map(HeaderName::as_str).collect();
        assert_eq!(names.join(" "), *headers, "{name}");

        let signed =
            Signer::custom(scheme.clone(), secret()).unwrap().sign(&id, NOW, BODY).unwrap();
        assert_eq!(signed.len(), names.len(), "{name}");
        let verifier = Verifier::custom(scheme.clone(), other()).unwrap().add_secret(secret());
        let verified = verifier.verify(&signed, BODY, NOW).unwrap();
        assert_eq!(verified.key_index(), 1, "{name}");
        assert_eq!(verified.id(), (*name == "TWITCH").then_some(id.as_str()), "{name}");
        assert!(verified.timestamp().is_none_or(|timestamp| timestamp == NOW), "{name}");

        let stranger = Verifier::custom(scheme.clone(), other()).unwrap();
        let error = stranger.verify(&signed, BODY, NOW).unwrap_err();
        assert_eq!(error.name(), "no-match", "{name}");
    }
}

/// Reads the constants and their claims from the source: whether the vendor published a vector.
fn claims() -> BTreeMap<String, bool> {
    let mut claims = BTreeMap::new();
    let mut docs = String::new();
    for line in SOURCE.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            docs.push_str(doc);
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let name = rest.split(':').next().unwrap().to_owned();
            let published = docs.contains("Vector: published by the vendor, ");
            let none = docs
                .contains("Vector: none published; checked against an independent computation.");
            assert!(published != none, "{name} makes one claim about its vector");
            assert_eq!(docs.matches("Source: ").count(), 1, "{name} names its source");
            claims.insert(name, published);
        } else {
            docs.clear();
        }
    }
    claims
}

#[test]
fn vector_claims_are_true() {
    let listed: BTreeSet<_> = ALL.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(listed.len(), ALL.len());
    let claims = claims();
    assert_eq!(claims.keys().cloned().collect::<BTreeSet<_>>(), listed, "every constant is here");

    let mut found: BTreeMap<String, bool> = BTreeMap::new();
    for vector in Vector::all() {
        let own = vector.source.starts_with("computed with ");
        assert_eq!(vector.published, !own, "{}: {}", vector.constant, vector.source);
        *found.entry(vector.constant).or_default() |= vector.published;
    }
    // The vectors of these two are in `vectors.json`, with those of Standard Webhooks.
    let first: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
    for (scheme, constant) in [("github-sha256", "GITHUB"), ("slack-v0", "SLACK")] {
        let vector = first.iter().find(|vector| vector["scheme"] == scheme).unwrap();
        let published = vector["published_by_provider"].as_bool().unwrap();
        found.insert(constant.to_owned(), published);
    }
    assert_eq!(found, claims);
}
