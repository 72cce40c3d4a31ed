//! Published vectors of Ad Context Protocol: `tests/data/signature/http_message_adcp.json`.
//!
//! `outcome` is the published one, `verdict` the name of our error. Vectors of rules that a verifier
//! does not check (the purpose and revocation of keys, repeated nonces, rates, and parameters that
//! are optional here) are accepted. The one whose URL needs further normalization is refused.

use labhook::signature::{HttpMessageProfile, Scheme};
use labhook::{Timestamp, Verifier};
use serde::Deserialize;

const CASES: &str = include_str!("../../../data/signature/http_message_adcp.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(rename = "source")]
    _source: String,
    outcome: String,
    algorithm: String,
    key: String,
    key_id: String,
    tag: String,
    now: i64,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    verdict: String,
}

impl Case {
    /// `None` if a feature is off.
    fn run(&self) -> Option<&'static str> {
        let key = super::key(&self.algorithm, &self.key)?;
        let profile = HttpMessageProfile::new()
            .with_target_uri()
            .without_id_header()
            .with_tag(&self.tag)
            .unwrap()
            .with_key_ids([&*self.key_id])
            .unwrap();
        let verifier = Verifier::new(Scheme::HttpMessageSignatures(profile), key).unwrap();
        let request = super::request(&self.method, &self.url, &self.headers);
        let now = Timestamp::from_unix_seconds(self.now);
        let result = verifier.verify_request(&request, self.body.as_bytes(), now);
        Some(result.map_or_else(|error| error.name(), |_| "accepted"))
    }
}

#[test]
fn ad_context_protocol_vectors_give_their_verdicts() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert_eq!(cases.len(), 30);
    let mut failures = Vec::new();
    for case in &cases {
        if let Some(verdict) = case.run()
            && verdict != case.verdict
        {
            failures
                .push(format!("{}: {verdict}, not {}; {}", case.name, case.verdict, case.outcome));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
