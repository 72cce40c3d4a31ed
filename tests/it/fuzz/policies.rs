//! Files: policies, subscriptions, endpoints and descriptions of schemes. What is read is written
//! and read as the same, and a scheme that is accepted signs what it verifies.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use http::Request;
use labhook::delivery::{Jitter, ResponseRules, Schedule};
use labhook::endpoint::{EndpointConfig, EventPattern};
use labhook::event::Keys;
use labhook::policy::lint::Assumptions;
use labhook::signature::{CustomScheme, SchemeSpec, TimestampForm};
use labhook::{
    EndpointId, EndpointPolicy, FlowPolicy, HealthPolicy, MessageId, Order, RetryPolicy, Secret,
    Signer, Subscription, Timestamp, Verifier,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::reader::Reader;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);

/// The first byte selects the kind of file, and its highest bit TOML instead of JSON.
pub(crate) fn run(data: &[u8]) {
    let mut input = Reader::new(data);
    let selected = input.byte();
    if selected & 127 == 0 {
        return scheme(&mut input);
    }
    let Ok(text) = std::str::from_utf8(input.rest()) else { return };
    let is_toml = selected >= 128;
    match selected & 127 {
        1 => {
            if let Some(policy) = file::<EndpointPolicy>(text, is_toml) {
                let lint = Assumptions::new().with_outage(Duration::from_secs(86_400));
                for finding in policy.lint(&lint) {
                    assert!(!finding.to_string().is_empty());
                }
                let _ = policy.summary();
            }
        }
        2 => {
            if let Some(policy) = file::<RetryPolicy>(text, is_toml) {
                retry(&policy);
            }
        }
        3 => _ = file::<HealthPolicy>(text, is_toml),
        4 => _ = file::<FlowPolicy>(text, is_toml),
        5 => _ = file::<Order>(text, is_toml),
        6 => _ = file::<ResponseRules>(text, is_toml),
        7 => _ = file::<Schedule>(text, is_toml),
        8 => _ = file::<Jitter>(text, is_toml),
        9 => _ = file::<Subscription>(text, is_toml),
        10 => _ = file::<Keys>(text, is_toml),
        11 => endpoints(text, is_toml),
        _ => {
            if let Ok(pattern) = text.parse::<EventPattern>() {
                assert_eq!(pattern.to_string(), text);
            }
        }
    }
}

/// Reads a file, if it is one, and checks that it is written and read the same in both formats.
fn file<T: Serialize + DeserializeOwned + PartialEq + Debug>(
    text: &str,
    is_toml: bool,
) -> Option<T> {
    let read: T = read(text, is_toml)?;
    let json = serde_json::to_string(&read).unwrap();
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), read, "{json}");
    // A value that is no table cannot be a TOML file.
    if json.starts_with('{') {
        match toml::to_string(&read) {
            Ok(toml) => assert_eq!(toml::from_str::<T>(&toml).unwrap(), read, "{toml}"),
            // TOML has no numbers above i64.
            Err(error) => assert!(error.to_string().contains("out-of-range"), "{error}: {json}"),
        }
    }
    Some(read)
}

fn read<T: DeserializeOwned>(text: &str, is_toml: bool) -> Option<T> {
    if is_toml { toml::from_str(text).ok() } else { serde_json::from_str(text).ok() }
}

/// Delays are what the policy says they can be.
fn retry(policy: &RetryPolicy) {
    let (message, endpoint) = (MessageId::new("m").unwrap(), EndpointId::new("e").unwrap());
    let seed = labhook::delivery::JitterSeed::new(7, &message, &endpoint);
    let jitter = policy.jitter();
    for retry in [1, 2, 3, 100, u32::MAX] {
        let delay = Duration::from_secs(u64::from(retry));
        assert!(jitter.apply(delay, retry, seed) <= jitter.longest(delay), "{jitter:?}");
    }
    let _ = (policy.span(), policy.retries(), policy.max_attempts());
}

fn endpoints(text: &str, is_toml: bool) {
    let Some(all) = read::<BTreeMap<EndpointId, EndpointConfig>>(text, is_toml) else { return };
    for (id, config) in all {
        let shown = format!("{config:?}");
        let built = config.endpoint(id.clone(), |name| match name {
            "SECRET" => Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "URL" => Some("https://hooks.example/services/T0/B0/hidden"),
            _ => None,
        });
        if let Ok(endpoint) = built {
            assert_eq!(endpoint.id(), &id);
            assert!(!format!("{endpoint:?} {shown}").contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        }
    }
}

/// One line for each text of the description, and then the message.
fn scheme(input: &mut Reader<'_>) {
    let flags = input.byte();
    let (form, separators) = (input.byte(), input.byte());
    let text = |line| std::str::from_utf8(line).unwrap_or_default();
    let mut spec = SchemeSpec::new(text(input.line()), text(input.line()));
    spec.prefix = text(input.line());
    if flags & 1 != 0 {
        spec = spec.with_base64();
    }
    let form = match form % 3 {
        0 => TimestampForm::UnixSeconds,
        1 => TimestampForm::UnixMillis,
        _ => TimestampForm::Rfc3339,
    };
    if flags & 2 != 0 {
        spec = spec.with_timestamp_header(text(input.line()), form);
    }
    if flags & 4 != 0 {
        spec = spec.with_timestamp_field(text(input.line()), form);
    }
    if flags & 8 != 0 {
        spec = spec.with_id_header(text(input.line()));
    }
    if flags & 16 != 0 {
        spec = spec.with_stronger_prefix(text(input.line()));
    }
    const SEPARATORS: [char; 8] = [',', ';', ' ', '|', '=', '.', 'x', '\u{e9}'];
    if flags & 32 != 0 {
        spec = spec.with_separator(SEPARATORS[usize::from(separators & 7)]);
    }
    if flags & 64 != 0 {
        spec = spec.with_value_separator(SEPARATORS[usize::from(separators >> 3 & 7)]);
    }
    let scheme = match CustomScheme::new(spec) {
        Ok(scheme) => scheme,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let secret = || Secret::from_bytes(b"0123456789abcdef01234567").unwrap();
    let signer = Signer::custom(scheme.clone(), secret()).unwrap().add_secret(secret());
    let verifier = Verifier::custom(scheme.clone(), secret()).unwrap();
    let Ok(id) = MessageId::new(text(input.line())) else { return };
    let body = input.rest();
    let request = Request::post("https://lab.example/in?a=b").header("x-signed", "value");
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let Ok(headers) = signer.sign_request(&parts, &id, NOW, body) else { return };
    parts.headers.extend(headers);
    let verified = verifier.verify_request(&parts, body, NOW);
    assert!(verified.is_ok(), "{scheme:?}: {verified:?} {:?}", parts.headers);
    let other = [body, b"."].concat();
    assert!(verifier.verify_request(&parts, &other, NOW).is_err(), "{scheme:?}");
}
