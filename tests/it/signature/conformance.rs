//! Conformance suite: runs `tests/data/signature/conformance.json`, which an implementation in any
//! language can run.
//!
//! A case has a unique `name`; a `scheme` (`standard-webhooks`, `svix`, `strike`, `token` with its
//! `header`, or `custom` with the spec); `secrets` in the verifier's order (`whsec_` and
//! `whpk_` text for the first two schemes, UTF-8 text for the others); `headers` as pairs, so that
//! one can occur twice; a `body`, or a `body_base64` if it is not UTF-8; `now` in Unix seconds; and
//! a `tolerance` of past and future seconds if it is not 300 s either way.
//!
//! The `verdict` is `accepted`, with the `key_index` that matched; or the name of the verify error;
//! or `invalid-secret` if one of the secrets is rejected before any request is verified.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use labhook::signature::{CustomScheme, Scheme, SchemeSpec, TimestampForm, VerifyingKey};
use labhook::{Secret, Timestamp, Verifier};
use serde::Deserialize;

const CASES: &str = include_str!("../../data/signature/conformance.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    scheme: String,
    header: Option<String>,
    #[serde(rename = "custom")]
    spec: Option<SpecCase>,
    secrets: Vec<String>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    now: i64,
    tolerance: Option<(u64, u64)>,
    verdict: String,
    key_index: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpecCase {
    header: String,
    template: String,
    #[serde(default)]
    prefix: String,
    encoding: String,
    separator: Option<char>,
    timestamp_header: Option<String>,
    timestamp_field: Option<String>,
    timestamp_form: Option<String>,
    id_header: Option<String>,
}

impl SpecCase {
    fn read(&self) -> CustomScheme {
        let mut spec = SchemeSpec::new(&self.header, &self.template).with_prefix(&self.prefix);
        spec.separator = self.separator;
        spec.id_header = self.id_header.as_deref();
        spec.encoding = self.encoding.parse().unwrap();
        let form = self.timestamp_form.as_deref();
        let form = form.map_or(TimestampForm::UnixSeconds, |text| text.parse().unwrap());
        if let Some(name) = &self.timestamp_header {
            spec = spec.with_timestamp_header(name, form);
        }
        if let Some(prefix) = &self.timestamp_field {
            spec = spec.with_timestamp_field(prefix, form);
        }
        CustomScheme::new(spec).unwrap()
    }
}

impl Case {
    fn scheme(&self) -> Scheme {
        match self.scheme.as_str() {
            "standard-webhooks" => Scheme::StandardWebhooks,
            "svix" => Scheme::Svix,
            "strike" => Scheme::Strike,
            "token" => Scheme::Token(self.header.as_ref().unwrap().parse().unwrap()),
            "custom" => Scheme::CustomScheme(self.spec.as_ref().unwrap().read()),
            other => panic!("{}: no scheme {other}", self.name),
        }
    }

    /// `None` if the secret is rejected.
    fn key(&self, text: &str) -> Option<VerifyingKey> {
        #[cfg(feature = "ed25519")]
        if text.starts_with("whpk_") {
            let key = labhook::signature::Ed25519PublicKey::from_whpk(text);
            return key.ok().map(VerifyingKey::from);
        }
        let secret = match self.scheme.as_str() {
            "standard-webhooks" | "svix" => Secret::from_whsec(text),
            _ => Secret::from_text(text),
        };
        secret.ok().map(VerifyingKey::from)
    }

    fn run(&self) -> (String, Option<usize>) {
        let keys: Option<Vec<_>> = self.secrets.iter().map(|text| self.key(text)).collect();
        let Some(keys) = keys else {
            return ("invalid-secret".to_owned(), None);
        };
        let mut keys = keys.into_iter();
        let mut verifier = Verifier::new(self.scheme(), keys.next().unwrap()).unwrap();
        assert_eq!(verifier.scheme().to_string(), self.scheme);
        for key in keys {
            verifier = verifier.add_key(key).unwrap();
        }
        if let Some((past, future)) = self.tolerance {
            verifier =
                verifier.with_tolerance(Duration::from_secs(past), Duration::from_secs(future));
        }

        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let body = match (&self.body, &self.body_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(text)) => STANDARD.decode(text).unwrap(),
            _ => panic!("{}: one body", self.name),
        };
        match verifier.verify(&headers, &body, Timestamp::from_unix_seconds(self.now)) {
            Ok(verified) => {
                assert_eq!(verified.body(), body);
                ("accepted".to_owned(), Some(verified.key_index()))
            }
            Err(error) => (error.name().to_owned(), None),
        }
    }

    fn needs_ed25519(&self) -> bool {
        self.secrets.iter().any(|text| text.starts_with("whpk_"))
    }
}

#[test]
fn conformance_cases_give_their_verdicts() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() >= 45);
    let mut failures = Vec::new();
    for case in &cases {
        if case.needs_ed25519() && !cfg!(feature = "ed25519") {
            continue;
        }
        let (verdict, key_index) = case.run();
        if verdict != case.verdict || key_index != case.key_index {
            failures.push(format!("{}: {verdict} {key_index:?}", case.name));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

/// An error without a case would not be checked in other implementations.
#[test]
fn every_error_and_signing_fault_has_a_case() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    for error in [
        "missing-header",
        "conflicting-header",
        "mixed-brands",
        "malformed-id",
        "ambiguous-id",
        "missing-timestamp",
        "conflicting-timestamp",
        "malformed-timestamp",
        "too-old",
        "too-new",
        "too-many-candidates",
        "no-usable-signature",
        "no-match",
        "invalid-secret",
    ] {
        let found = cases.iter().any(|case| case.verdict == error);
        assert!(found, "{error}");
    }
    // Fault 9 is about printing, 12 to 14 about decoding.
    for fault in [1, 2, 3, 4, 5, 6, 7, 8, 10, 11] {
        let prefix = format!("fault-{fault}-");
        let found = cases.iter().any(|case| case.name.starts_with(&prefix));
        assert!(found, "{prefix}");
    }
}
