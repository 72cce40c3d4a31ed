//! One case of the conformance file, and what this crate says of it: [`Case`].

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Request, request};
use labhook::{Timestamp, Verifier};
use serde::Deserialize;

use super::key::{self, SecretCase};
use super::scheme::{self, CustomCase, ProfileCase};

pub(super) const FILE: &str = include_str!("../../../data/conformance.json");

/// Documented in `tests/data/conformance.md`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) source: Option<String>,
    pub(super) scheme: String,
    pub(super) header: Option<String>,
    pub(super) custom: Option<CustomCase>,
    pub(super) profile: Option<ProfileCase>,
    pub(super) secrets: Vec<SecretCase>,
    base_url: Option<String>,
    method: Option<String>,
    url: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    now: i64,
    tolerance: Option<(u64, u64)>,
    pub(super) verdict: String,
    pub(super) refusal: Option<String>,
    pub(super) key_index: Option<usize>,
    pub(super) optional: Option<String>,
}

/// The three members that a runner compares.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    verdict: &'static str,
    refusal: Option<String>,
    key_index: Option<usize>,
}

impl Outcome {
    fn accepted(key_index: usize) -> Self {
        Self { verdict: "accepted", refusal: None, key_index: Some(key_index) }
    }

    fn refused(verdict: &'static str, refusal: String) -> Self {
        Self { verdict, refusal: Some(refusal), key_index: None }
    }

    pub(super) fn is_of(&self, case: &Case) -> bool {
        self.verdict == case.verdict
            && self.refusal == case.refusal
            && self.key_index == case.key_index
    }
}

impl Case {
    pub(super) fn all() -> &'static [Self] {
        static ALL: LazyLock<Vec<Case>> = LazyLock::new(|| serde_json::from_str(FILE).unwrap());
        &ALL
    }

    /// `None` if a feature that the case needs is off.
    pub(super) fn run(&self) -> Option<Outcome> {
        let scheme = match scheme::read(self)? {
            Ok(scheme) => scheme,
            Err(name) => return Some(Outcome::refused("invalid-scheme", name)),
        };
        let verifier = match key::verifier(scheme, &self.secrets)? {
            Ok(verifier) => self.set(verifier),
            Err(name) => return Some(Outcome::refused("invalid-secret", name)),
        };
        assert_eq!(verifier.scheme().to_string(), self.scheme, "{}", self.name);

        let (headers, body) = (self.headers(), self.body());
        let now = Timestamp::from_unix_seconds(self.now);
        let request = self.request(&headers);
        let result = match &request {
            Some(request) => verifier.verify_request(request, &body, now),
            None => verifier.verify(&headers, &body, now),
        };
        Some(match result {
            Ok(verified) => {
                assert_eq!(verified.body(), body, "{}", self.name);
                Outcome::accepted(verified.key_index())
            }
            Err(error) => Outcome::refused("refused", error.name().to_owned()),
        })
    }

    fn set(&self, mut verifier: Verifier) -> Verifier {
        if let Some((past, future)) = self.tolerance {
            verifier =
                verifier.with_tolerance(Duration::from_secs(past), Duration::from_secs(future));
        }
        match &self.base_url {
            Some(url) => verifier.with_base_url(url).unwrap(),
            None => verifier,
        }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let bytes: Vec<u8> = value.chars().map(|it| u8::try_from(it).unwrap()).collect();
            headers.append(name, HeaderValue::from_bytes(&bytes).unwrap());
        }
        headers
    }

    /// `None` if only the headers are passed to the verifier.
    fn request(&self, headers: &HeaderMap) -> Option<request::Parts> {
        let (Some(method), Some(url)) = (&self.method, &self.url) else {
            assert!(self.method.is_none() && self.url.is_none(), "{}", self.name);
            return None;
        };
        let request = Request::builder().method(&**method).uri(url).body(()).unwrap();
        let mut request = request.into_parts().0;
        request.headers = headers.clone();
        Some(request)
    }

    fn body(&self) -> Vec<u8> {
        match (&self.body, &self.body_base64) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(text)) => STANDARD.decode(text).unwrap(),
            _ => panic!("{}: one of `body` and `body_base64`", self.name),
        }
    }
}

/// The name of an error without a name: that of its variant, as `NotBase64` is `not-base64`.
pub(super) fn variant_name(error: &impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    kebab(text.split(|it: char| !it.is_ascii_alphanumeric()).next().unwrap())
}

/// Writes `NotBase64` as `not-base64`.
pub(super) fn kebab(variant: &str) -> String {
    let mut name = String::new();
    for letter in variant.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
