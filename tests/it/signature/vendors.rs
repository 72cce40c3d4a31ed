//! Vendor constants: each verifies its vectors, writes the vendor's format and rejects changed
//! requests; and the claims about its vectors are true.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Request, request};
use labhook::signature::{
    Algorithm, CustomScheme, SchemeSpec, SigningKey, TimestampForm, VerifyingKey,
};
use labhook::{MessageId, Secret, Signer, Timestamp, Verifier};
use serde::Deserialize;

use super::VECTORS;

const VENDORS: &str = include_str!("../../data/signature/vendors.json");
const SOURCE: &str = include_str!("../../../src/signature/vendors.rs");

const NOW: Timestamp = Timestamp::from_unix_seconds(1_614_265_330);
const BODY: &[u8] = b"{\"run\":\"R-7\"}\xff";
const URL: &str = "https://lab.example:8443/hooks/7?from=vendor%20x";

/// Every constant, its name, and the headers that it reads and writes.
pub(crate) static ALL: [(&str, CustomScheme, &str); 52] = [
    ("ASANA", CustomScheme::ASANA, "x-hook-signature"),
    ("BITBUCKET", CustomScheme::BITBUCKET, "x-hub-signature"),
    ("BOX", CustomScheme::BOX, "box-delivery-timestamp box-signature-primary"),
    ("BUILDKITE", CustomScheme::BUILDKITE, "x-buildkite-signature"),
    ("CAL_COM", CustomScheme::CAL_COM, "x-cal-signature-256"),
    ("CALENDLY", CustomScheme::CALENDLY, "calendly-webhook-signature"),
    ("CIRCLECI", CustomScheme::CIRCLECI, "circleci-signature"),
    ("CLICKUP", CustomScheme::CLICKUP, "x-signature"),
    ("COINBASE_COMMERCE", CustomScheme::COINBASE_COMMERCE, "x-cc-webhook-signature"),
    ("CVAT", CustomScheme::CVAT, "x-signature-256"),
    ("DATASAUR", CustomScheme::DATASAUR, "x-datasaur-signature"),
    ("DISCORD", CustomScheme::DISCORD, "x-signature-timestamp x-signature-ed25519"),
    ("DOCUSIGN", CustomScheme::DOCUSIGN, "x-docusign-signature-1"),
    ("DROPBOX", CustomScheme::DROPBOX, "x-dropbox-signature"),
    ("FINTOC", CustomScheme::FINTOC, "fintoc-signature"),
    ("FORGEJO", CustomScheme::FORGEJO, "x-forgejo-signature"),
    ("GITEA", CustomScheme::GITEA, "x-gitea-signature"),
    ("GITHUB", CustomScheme::GITHUB, "x-hub-signature-256"),
    ("GRAFANA", CustomScheme::GRAFANA, "x-grafana-alerting-signature"),
    ("HEROKU", CustomScheme::HEROKU, "heroku-webhook-hmac-sha256"),
    ("HUBSPOT", CustomScheme::HUBSPOT, "x-hubspot-request-timestamp x-hubspot-signature-v3"),
    ("JIRA", CustomScheme::JIRA, "x-hub-signature"),
    ("LEMON_SQUEEZY", CustomScheme::LEMON_SQUEEZY, "x-signature"),
    ("LINE", CustomScheme::LINE, "x-line-signature"),
    ("LINEAR", CustomScheme::LINEAR, "linear-signature"),
    ("META", CustomScheme::META, "x-hub-signature-256"),
    ("MLFLOW", CustomScheme::MLFLOW, "x-mlflow-delivery-id x-mlflow-timestamp x-mlflow-signature"),
    ("MOLLIE", CustomScheme::MOLLIE, "x-mollie-signature"),
    ("MUX", CustomScheme::MUX, "mux-signature"),
    ("NOTION", CustomScheme::NOTION, "x-notion-signature"),
    ("PADDLE", CustomScheme::PADDLE, "paddle-signature"),
    ("PAGERDUTY", CustomScheme::PAGERDUTY, "x-pagerduty-signature"),
    ("PUSHER", CustomScheme::PUSHER, "x-pusher-signature"),
    ("RAZORPAY", CustomScheme::RAZORPAY, "x-razorpay-signature"),
    (
        "SENDGRID",
        CustomScheme::SENDGRID,
        "x-twilio-email-event-webhook-timestamp x-twilio-email-event-webhook-signature",
    ),
    ("SENTRY", CustomScheme::SENTRY, "sentry-hook-signature"),
    ("SHOPIFY", CustomScheme::SHOPIFY, "x-shopify-hmac-sha256"),
    ("SLACK", CustomScheme::SLACK, "x-slack-request-timestamp x-slack-signature"),
    ("SQUARE", CustomScheme::SQUARE, "x-square-hmacsha256-signature"),
    ("STRIPE", CustomScheme::STRIPE, "stripe-signature"),
    ("TAILSCALE", CustomScheme::TAILSCALE, "tailscale-webhook-signature"),
    ("TEAMS", CustomScheme::TEAMS, "authorization"),
    ("TILED", CustomScheme::TILED, "x-tiled-signature"),
    ("TODOIST", CustomScheme::TODOIST, "x-todoist-hmac-sha256"),
    (
        "TWITCH",
        CustomScheme::TWITCH,
        "twitch-eventsub-message-id twitch-eventsub-message-timestamp \
         twitch-eventsub-message-signature",
    ),
    ("TYPEFORM", CustomScheme::TYPEFORM, "typeform-signature"),
    ("WEBFLOW", CustomScheme::WEBFLOW, "x-webflow-timestamp x-webflow-signature"),
    ("WOOCOMMERCE", CustomScheme::WOOCOMMERCE, "x-wc-webhook-signature"),
    ("WORKOS", CustomScheme::WORKOS, "workos-signature"),
    ("XERO", CustomScheme::XERO, "x-xero-signature"),
    (
        "ZENDESK",
        CustomScheme::ZENDESK,
        "x-zendesk-webhook-signature-timestamp x-zendesk-webhook-signature",
    ),
    ("ZOOM", CustomScheme::ZOOM, "x-zm-request-timestamp x-zm-signature"),
];

/// A signed request. `checked` says who vouches for it: the vendor published it, the vendor's code made
/// it, the vendor's library accepted it, or it was computed from the vendor's description. `exact` means that a signer
/// writes the same headers; it does not if the request contains signatures of other versions or
/// another form of the time.
#[derive(Deserialize)]
struct Vector {
    constant: String,
    /// `vector`, `code`, `library` or `computation`.
    checked: String,
    source: String,
    /// The secret or the public key, as the vendor shows it.
    secret: String,
    /// Of a POST request; not signed by most.
    url: Option<String>,
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
        match &*self.constant {
            "TEAMS" => Secret::from_base64(&self.secret).unwrap(),
            _ => Secret::from_text(&self.secret).unwrap(),
        }
    }

    /// `None` if the algorithm's feature is off.
    fn verifier(&self) -> Option<Verifier> {
        let scheme = self.scheme();
        let key: VerifyingKey = match scheme.algorithm() {
            Algorithm::HmacSha256 => self.secret().into(),
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => {
                labhook::signature::Ed25519PublicKey::from_hex(&self.secret).unwrap().into()
            }
            #[cfg(feature = "p256")]
            Algorithm::EcdsaP256 => {
                labhook::signature::P256PublicKey::from_spki(&self.secret).unwrap().into()
            }
            _ => return None,
        };
        Some(Verifier::custom(scheme, key).unwrap())
    }

    fn request(&self) -> request::Parts {
        parts(self.url.as_deref().unwrap_or(URL), self.headers())
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

fn parts(url: &str, headers: HeaderMap) -> request::Parts {
    let (mut parts, ()) = Request::post(url).body(()).unwrap().into_parts();
    parts.headers = headers;
    parts
}

/// Two pairs of keys for the scheme; none if the algorithm's feature is off.
fn keys(scheme: &CustomScheme) -> Vec<(SigningKey, VerifyingKey)> {
    match scheme.algorithm() {
        Algorithm::HmacSha256 => {
            let other = Secret::from_text("another secret").unwrap();
            [secret(), other].map(|key| (key.clone().into(), key.into())).into()
        }
        #[cfg(feature = "ed25519")]
        Algorithm::Ed25519 => {
            let key = |seed| labhook::signature::Ed25519PrivateKey::from_seed(&[seed; 32]);
            [key(1), key(2)].map(|key| (key.clone().into(), key.public().into())).into()
        }
        #[cfg(feature = "p256")]
        Algorithm::EcdsaP256 => {
            let key = |byte| labhook::signature::P256PrivateKey::from_scalar(&[byte; 32]).unwrap();
            [key(1), key(2)].map(|key| (key.clone().into(), key.public().into())).into()
        }
        _ => Vec::new(),
    }
}

fn id() -> MessageId {
    MessageId::new("e76c6bd4-55c9-4987-8304-da1588d8988b").unwrap()
}

#[test]
fn constants_verify_their_vectors() {
    for vector in Vector::all() {
        let name = &vector.constant;
        let (request, body) = (vector.request(), vector.body.as_bytes());
        let Some(verifier) = vector.verifier() else { continue };
        let verdict = verifier.verify_request(&request, body, vector.now());
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
    let is_shared = |vector: &&Vector| vector.scheme().algorithm() == Algorithm::HmacSha256;
    for vector in Vector::all().iter().filter(|vector| vector.exact).filter(is_shared) {
        let signer = Signer::custom(vector.scheme(), vector.secret()).unwrap();
        let id = vector.id.as_deref().map_or_else(id, |text| MessageId::new(text).unwrap());
        let request = parts(vector.url.as_deref().unwrap_or(URL), HeaderMap::new());
        let body = vector.body.as_bytes();
        let headers = signer.sign_request(&request, &id, vector.now(), body).unwrap();
        assert_eq!(headers, vector.headers(), "{}", vector.constant);
    }
}

#[test]
fn changed_byte_is_rejected() {
    for vector in Vector::all() {
        let name = &vector.constant;
        let Some(verifier) = vector.verifier() else { continue };
        let mut request = vector.request();
        let mut error_name = |headers: &HeaderMap, body: &[u8]| {
            request.headers = headers.clone();
            verifier.verify_request(&request, body, vector.now()).unwrap_err().name()
        };

        let body = vector.body.as_bytes();
        for index in 0..body.len() {
            let mut changed = body.to_vec();
            changed[index] ^= 1;
            assert_eq!(error_name(&vector.headers(), &changed), "no-match", "{name} at {index}");
        }
        let (shorter, longer) = (body.split_first(), [body, b" "].concat());
        let shorter = shorter.map_or(vec![], |(_, rest)| vec![rest, &body[..rest.len()], b""]);
        for changed in shorter.into_iter().chain([&*longer]) {
            assert_eq!(error_name(&vector.headers(), changed), "no-match", "{name}");
        }

        // In a DER signature, only changes inside of the two numbers keep its form.
        let len = vector.tag.len();
        let is_der = vector.scheme().algorithm() == Algorithm::EcdsaP256;
        let flipped = |byte: u8| if byte == b'0' { '1' } else { '0' };
        for index in if is_der { [len / 4, len * 3 / 4] } else { [0, len / 2] } {
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
        let Some((signing, verifying)) = keys(scheme).into_iter().next() else { continue };
        let verifier = Verifier::custom(scheme.clone(), verifying).unwrap();
        let signer = Signer::custom(scheme.clone(), signing).unwrap();
        let mut request = parts(URL, HeaderMap::new());
        let signed = signer.sign_request(&request, &id(), NOW, BODY).unwrap();
        let another = MessageId::new("another").unwrap();
        let later = signer.sign_request(&request, &another, NOW + Duration::from_secs(1), BODY);
        let later = later.unwrap();
        request.headers = signed.clone();
        let signs_more =
            verifier.verify_request(&request, BODY, NOW).unwrap().timestamp().is_some();
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
            request.headers = changed;
            let error = verifier.verify_request(&request, BODY, NOW).unwrap_err();
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
    let id = id();
    for (name, scheme, headers) in &ALL {
        let names: Vec<_> = scheme.header_names().map(HeaderName::as_str).collect();
        assert_eq!(names.join(" "), *headers, "{name}");
        let [(signing, verifying), (_, other)] = &keys(scheme)[..] else { continue };

        let mut request = parts(URL, HeaderMap::new());
        let signer = Signer::custom(scheme.clone(), signing.clone()).unwrap();
        request.headers = signer.sign_request(&request, &id, NOW, BODY).unwrap();
        assert_eq!(request.headers.len(), names.len(), "{name}");
        let stranger = Verifier::custom(scheme.clone(), other.clone()).unwrap();
        let error = stranger.verify_request(&request, BODY, NOW).unwrap_err();
        assert_eq!(error.name(), "no-match", "{name}");

        let verifier = stranger.add_key(verifying.clone()).unwrap();
        let verified = verifier.verify_request(&request, BODY, NOW).unwrap();
        assert_eq!(verified.key_index(), 1, "{name}");
        let signs_id = ["MLFLOW", "TWITCH"].contains(name);
        assert_eq!(verified.id(), signs_id.then_some(id.as_str()), "{name}");
        assert!(verified.timestamp().is_none_or(|timestamp| timestamp == NOW), "{name}");
    }
}

#[test]
fn changed_method_or_url_is_rejected() {
    for (name, signs_method) in [("SQUARE", false), ("HUBSPOT", true)] {
        let (_, scheme, _) = ALL.iter().find(|(other, ..)| *other == name).unwrap();
        let signer = Signer::custom(scheme.clone(), secret()).unwrap();
        let verifier = Verifier::custom(scheme.clone(), secret()).unwrap();
        let mut signed = parts(URL, HeaderMap::new());
        signed.headers = signer.sign_request(&signed, &id(), NOW, BODY).unwrap();
        let verdict = |request: &request::Parts| {
            verifier.verify_request(request, BODY, NOW).map(drop).map_err(|error| error.name())
        };
        assert_eq!(verdict(&signed), Ok(()), "{name}");
        for url in [
            "http://lab.example:8443/hooks/7?from=vendor%20x",
            "https://lab.example/hooks/7?from=vendor%20x",
            "https://lab.example:8443/hooks/8?from=vendor%20x",
            "https://lab.example:8443/hooks/7?from=vendor%20y",
            "https://lab.example:8443/hooks/7",
        ] {
            let request = parts(url, signed.headers.clone());
            assert_eq!(verdict(&request), Err("no-match"), "{name}: {url}");
        }
        let mut put = signed.clone();
        put.method = http::Method::PUT;
        let expected = if signs_method { Err("no-match") } else { Ok(()) };
        assert_eq!(verdict(&put), expected, "{name}");
        // Letters of the URL's scheme cannot move into the method.
        for (method, url) in [
            ("POSTh", "ttps://lab.example:8443/hooks/7?from=vendor%20x"),
            ("POSThttp", "s://lab.example:8443/hooks/7?from=vendor%20x"),
            ("POS", "Thttps://lab.example:8443/hooks/7?from=vendor%20x"),
        ] {
            let mut moved = parts(url, signed.headers.clone());
            moved.method = method.parse().unwrap();
            assert_eq!(verdict(&moved), Err("malformed-target"), "{name}: {method}");
        }
        // Headers alone are not enough.
        let error = verifier.verify(&signed.headers, BODY, NOW).unwrap_err();
        assert_eq!(error.name(), "request-required", "{name}");
        let error = signer.sign(&id(), NOW, BODY).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the scheme signs method, URL or headers: use `sign_request`",
            "{name}"
        );
    }
}

/// What checks a constant, from the weakest.
const CHECKS: [(&str, &str); 4] = [
    ("computation", "Vector: none published; checked against an independent computation."),
    ("library", "Vector: none published; accepted by the vendor's library."),
    ("code", "Vector: none published; made by the vendor's own code."),
    ("vector", "Vector: published by the vendor, "),
];

/// Reads the constants and their claims from the source: what checks them.
fn claims() -> BTreeMap<String, &'static str> {
    let mut claims = BTreeMap::new();
    let mut docs = String::new();
    for line in SOURCE.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            docs.push_str(doc);
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let name = rest.split(':').next().unwrap().to_owned();
            let found: Vec<_> = CHECKS.iter().filter(|(_, claim)| docs.contains(claim)).collect();
            let [(checked, _)] = found[..] else { panic!("{name} makes one claim, {found:?}") };
            assert_eq!(docs.matches("Source: ").count(), 1, "{name} names its source");
            claims.insert(name, *checked);
        } else {
            docs.clear();
        }
    }
    claims
}

/// The strongest check of each constant's vectors.
fn checks() -> BTreeMap<String, &'static str> {
    let rank = |checked: &str| CHECKS.iter().position(|(name, _)| *name == checked).unwrap();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for vector in Vector::all() {
        let computed = vector.source.starts_with("computed with ");
        let by_library = vector.source.contains("accepted by the vendor's npm package ");
        let expected = match (computed, by_library) {
            (_, true) => "library",
            (true, false) => "computation",
            _ if vector.source.starts_with("made by ") => "code",
            _ => "vector",
        };
        assert_eq!(vector.checked, expected, "{}: {}", vector.constant, vector.source);
        let best = found.entry(vector.constant).or_default();
        *best = (*best).max(rank(&vector.checked));
    }
    // The vectors of these two are in `vectors.json`, with those of Standard Webhooks.
    let first: Vec<serde_json::Value> = serde_json::from_str(VECTORS).unwrap();
    for (scheme, constant) in [("github-sha256", "GITHUB"), ("slack-v0", "SLACK")] {
        let vector = first.iter().find(|vector| vector["scheme"] == scheme).unwrap();
        assert_eq!(vector["published_by_provider"], true, "{constant}");
        found.insert(constant.to_owned(), rank("vector"));
    }
    found.into_iter().map(|(name, rank)| (name, CHECKS[rank].0)).collect()
}

#[test]
fn vector_claims_are_true() {
    let listed: BTreeSet<_> = ALL.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(listed.len(), ALL.len());
    let claims = claims();
    assert_eq!(claims.keys().cloned().collect::<BTreeSet<_>>(), listed, "every constant is here");
    assert_eq!(checks(), claims);
}

/// The table in the docs of [`CustomScheme`] lists each constant, its algorithm, its headers and
/// what it is checked against.
#[test]
fn documented_table_is_true() {
    let checks = checks();
    let algorithm = |scheme: &CustomScheme| match scheme.algorithm() {
        Algorithm::HmacSha256 => "HMAC-SHA256",
        Algorithm::Ed25519 => "Ed25519",
        Algorithm::EcdsaP256 => "ECDSA P-256",
        _ => unreachable!(),
    };
    let against = |name: &str| match checks[name] {
        "vector" => "the vendor's vector",
        "code" => "the vendor's code",
        "library" => "the vendor's library",
        _ => "an independent computation",
    };
    let expected: Vec<_> = ALL
        .iter()
        .map(|(name, scheme, _)| {
            let headers: Vec<_> =
                scheme.header_names().map(|header| format!("`{header}`")).collect();
            let (algorithm, headers) = (algorithm(scheme), headers.join(" "));
            format!(
                "| [`{name}`](CustomScheme::{name}) | {algorithm} | {headers} | {} |",
                against(name)
            )
        })
        .collect();
    let table = include_str!("../../../src/signature/vendors.md");
    let found: Vec<_> = table.lines().filter(|line| line.starts_with("| [`")).collect();
    assert_eq!(found, expected);
}
