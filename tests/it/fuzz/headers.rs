//! Headers and the texts in them: `Retry-After` and dates, timestamps, ids, signature lists,
//! structured fields, content digests and content types.

use std::sync::LazyLock;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Request, StatusCode};
use labhook::delivery::{Outcome, RetryAfter};
use labhook::message::format::CloudEvent;
use labhook::signature::{
    CustomScheme, HttpMessageProfile, ReceiptProfile, Scheme, SigningKey, VerifyingKey,
};
use labhook::time::TimeText;
use labhook::{EventType, MessageId, Secret, Signer, Timestamp, Verifier, danger};

use super::reader::Reader;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_744_882_200);
const URL: &str = "https://lab.example/hooks?run=7";

fn secret() -> Secret {
    Secret::from_bytes(b"0123456789abcdef01234567").unwrap()
}

/// Verifiers of every way to read headers, and one that wants a tag and more components.
static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    let http = |profile| Verifier::new(Scheme::HttpMessageSignatures(profile), secret()).unwrap();
    let strict = HttpMessageProfile::new().with_target_uri().with_tag("lab").unwrap();
    let strict = strict.with_headers([http::HeaderName::from_static("x-lab")]).unwrap();
    let mut all = vec![
        http(HttpMessageProfile::new()),
        http(strict.without_id_header()),
        Verifier::standard_webhooks(secret()),
        Verifier::svix(secret()),
        Verifier::strike(secret()),
    ];
    for scheme in [
        CustomScheme::STRIPE,
        CustomScheme::PADDLE,
        CustomScheme::BOX,
        CustomScheme::PAGERDUTY,
        CustomScheme::TWITCH,
        CustomScheme::WEBFLOW,
    ] {
        all.push(Verifier::custom(scheme, secret()).unwrap());
    }
    #[cfg(feature = "twilio")]
    all.push(Verifier::new(Scheme::Twilio, secret()).unwrap());
    all
});

/// The first byte selects what the rest is.
pub(crate) fn run(data: &[u8]) {
    let mut input = Reader::new(data);
    match input.below(6) {
        0 => response(input.headers()),
        1 => retry_after(input.rest()),
        2 => texts(input.rest()),
        3 => verifiers(&mut input),
        4 => signed_message(&mut input),
        _ => content_type(&mut input),
    }
}

fn response(headers: HeaderMap) {
    let outcome = Outcome::response(StatusCode::SERVICE_UNAVAILABLE, &headers, NOW);
    let written = serde_json::to_string(&outcome).unwrap();
    assert_eq!(serde_json::from_str::<Outcome>(&written).unwrap(), outcome, "{written}");
    assert!(!outcome.to_string().is_empty());
    let Outcome::Response(response) = outcome else { panic!("{outcome:?}") };
    assert_eq!(response.retry_after(), RetryAfter::from_headers(&headers, NOW));
}

/// Plain seconds are read as such; of two values the greater counts, in one line or in two.
fn retry_after(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let read = |values: &[&HeaderValue]| {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(http::header::RETRY_AFTER, (*value).clone());
        }
        RetryAfter::from_headers(&headers, NOW)
    };
    let found = read(&[&value]);
    let text = value.to_str().unwrap_or_default().trim_matches(' ');
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    if is_digits(text) {
        let seconds = text.parse().unwrap_or(u64::MAX);
        let expected = Duration::from_millis(seconds.saturating_mul(1_000));
        assert_eq!(found, Some(RetryAfter::Wait(expected)), "{text}");
    }
    if let Some(rest) = text.strip_prefix('-')
        && rest.parse::<u64>().is_ok_and(|number| number > 0)
        && is_digits(rest)
    {
        assert_eq!(found, Some(RetryAfter::Stop), "{text}");
    }
    let minute = HeaderValue::from_static("60");
    let both = read(&[&value, &minute]);
    assert_eq!(both, found.max(Some(RetryAfter::Wait(Duration::from_secs(60)))), "{text}");
    // Later the wait until a date is no longer, and any other is the same.
    let mut headers = HeaderMap::new();
    headers.insert(http::header::RETRY_AFTER, value.clone());
    let later = RetryAfter::from_headers(&headers, NOW + Duration::from_secs(3_600));
    assert!(later <= found && later.is_some() == found.is_some(), "{text}");
}

fn texts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(at) = text.parse::<Timestamp>() {
        let written = at.to_string();
        assert_eq!(written.parse::<Timestamp>(), Ok(at), "{text}");
        let kept: TimeText = text.parse().unwrap();
        assert_eq!((kept.as_str(), kept.timestamp()), (text, Some(at)));
    }
    assert_eq!(TimeText::verbatim(text).timestamp(), text.parse().ok());
    if let Ok(id) = MessageId::new(text) {
        assert_eq!(id.as_str(), text);
        assert!(HeaderValue::from_str(text).is_ok(), "{text:?}");
    }
    if let Ok(event_type) = EventType::new(text) {
        assert_eq!(event_type.segments().collect::<Vec<_>>().join("."), text);
    }
    if let Ok(name) = Secret::from_whsec(text) {
        let _ = format!("{name:?}");
    }
    let _ = Verifier::standard_webhooks(secret()).with_base_url(text);
}

/// Headers of a request and its body: nobody has signed it.
fn verifiers(input: &mut Reader<'_>) {
    let which = input.below(VERIFIERS.len());
    let (mut parts, ()) = Request::post(URL).body(()).unwrap().into_parts();
    parts.headers = input.headers();
    let body = input.rest();
    let verdict = VERIFIERS[which].verify_request(&parts, body, NOW);
    let error = verdict.expect_err("nobody has the key");
    assert!(!error.to_string().is_empty() && !error.name().is_empty());
    if which < 2 {
        let key: VerifyingKey = secret().into();
        let receipts = ReceiptProfile::new(HttpMessageProfile::new());
        assert!(receipts.verify(&key, &parts, StatusCode::OK, &parts.headers).is_err());
    }
}

/// A request with these headers is signed with them, and its receipt too.
fn signed_message(input: &mut Reader<'_>) {
    let name = http::HeaderName::from_static("x-lab");
    let Ok(value) = HeaderValue::from_bytes(input.line()) else { return };
    let (label, tag) =
        (String::from_utf8_lossy(input.line()), String::from_utf8_lossy(input.line()));
    let profile = HttpMessageProfile::new().with_headers([name.clone()]).unwrap();
    let Ok(profile) = profile.with_label(&label).and_then(|it| it.with_tag(&tag)) else { return };
    let (mut parts, ()) = Request::post(URL).body(()).unwrap().into_parts();
    parts.headers = input.headers();
    parts.headers.insert(name, value);
    let body = input.rest();
    let scheme = Scheme::HttpMessageSignatures(profile.clone());
    let signer = Signer::new(scheme.clone(), secret()).unwrap();
    let Ok(signed) = signer.sign_request(&parts, &MessageId::new("m").unwrap(), NOW, body) else {
        return;
    };
    for (name, value) in &signed {
        parts.headers.insert(name, value.clone());
    }
    let verifier = Verifier::new(scheme, secret()).unwrap();
    let verified = verifier.verify_request(&parts, body, NOW);
    assert!(verified.is_ok(), "{verified:?} {parts:?}");
    let receipts = ReceiptProfile::new(profile);
    let key: SigningKey = secret().into();
    let Ok(receipt) = receipts.sign(&key, &parts, StatusCode::OK, NOW) else { return };
    let verify = |status| receipts.verify(&secret().into(), &parts, status, &receipt);
    assert_eq!(verify(StatusCode::OK), Ok(NOW));
    assert!(verify(StatusCode::CREATED).is_err());
}

/// JSON is data, and anything else is bytes.
fn content_type(input: &mut Reader<'_>) {
    let Ok(value) = HeaderValue::from_bytes(input.line()) else { return };
    let mut headers = HeaderMap::new();
    for (name, value) in
        [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/"), ("ce-type", "t")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(http::header::CONTENT_TYPE, value);
    for (name, value) in &input.headers() {
        headers.append(name, value.clone());
    }
    let body = input.rest();
    let body = danger::unsigned(body).trusted_body();
    if let Ok(event) = CloudEvent::from_binary(&headers, body) {
        assert!(event.data_base64.is_none() || event.data == labhook::json::Nullable::Absent);
        let _ = event.to_event(NOW);
    }
}
