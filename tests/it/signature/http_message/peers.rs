//! Requests that another implementation signed: `tests/data/signature/http_message_peers.json`.

use http::HeaderName;
use labhook::signature::{HttpMessageProfile, Scheme};
use labhook::{Timestamp, Verifier};
use serde::Deserialize;

const CASES: &str = include_str!("../../../data/signature/http_message_peers.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    algorithm: String,
    key: String,
    key_id: String,
    label: String,
    tag: Option<String>,
    /// Further covered headers.
    headers: Vec<String>,
    request: RequestCase,
    body: String,
    now: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestCase {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

#[test]
fn signatures_of_other_libraries_are_accepted() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let Some(key) = super::key(&case.algorithm, &case.key) else { continue };
        let headers = case.headers.iter().map(|name| HeaderName::try_from(name).unwrap());
        let mut profile = HttpMessageProfile::new()
            .with_label(&case.label)
            .unwrap()
            .with_key_ids([&*case.key_id])
            .unwrap()
            .with_headers(headers)
            .unwrap();
        if let Some(tag) = &case.tag {
            profile = profile.with_tag(tag).unwrap();
        }
        let verifier = Verifier::new(Scheme::HttpMessageSignatures(profile), key).unwrap();
        let RequestCase { method, url, headers } = &case.request;
        let request = super::request(method, url, headers);
        let now = Timestamp::from_unix_seconds(case.now);
        let body = case.body.as_bytes();
        let verified = verifier.verify_request(&request, body, now).unwrap();
        assert_eq!(verified.id(), Some("msg_1"), "{}", case.name);
        assert_eq!(verified.timestamp(), Some(now), "{}", case.name);
    }
}
