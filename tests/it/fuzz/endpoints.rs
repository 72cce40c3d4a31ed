//! Endpoints: a URL and headers that are accepted make a request with exactly them.

use http::header::HeaderValue;
use http::{Method, header};
use labhook::endpoint::EndpointError;
use labhook::message::Rendering;
use labhook::message::format::CloudEvents;
use labhook::signature::{CustomScheme, HttpMessageProfile, Scheme};
use labhook::{Endpoint, EndpointId, MessageId, Secret, Signer, Timestamp, Verifier};

use super::reader::Reader;

fn secret() -> Secret {
    Secret::from_bytes(&[7; 24]).unwrap()
}

/// The signer of this number.
fn signer(which: usize) -> Signer {
    let custom = |scheme| Signer::custom(scheme, secret()).unwrap();
    match which {
        0 => Signer::unsigned(),
        1 => Signer::standard_webhooks(secret()),
        2 => Signer::svix(secret()),
        3 => custom(CustomScheme::HUBSPOT),
        4 => custom(CustomScheme::SQUARE),
        5 => Signer::new(
            Scheme::HttpMessageSignatures(HttpMessageProfile::new().with_target_uri()),
            secret(),
        )
        .unwrap(),
        _ => custom(CustomScheme::TWITCH),
    }
}

/// A byte of settings, the time, and lines: the URL, the message's id, headers, a content type; the
/// rest is the body.
pub(crate) fn run(data: &[u8]) {
    let mut input = Reader::new(data);
    let (settings, millis) = (input.byte(), input.u64());
    let which = usize::from(settings >> 1) % 7;
    let now = Timestamp::from_unix_millis((millis % 253_402_300_799_000).cast_signed());
    let Ok(url) = std::str::from_utf8(input.line()) else { return };
    let Ok(id) = MessageId::new(String::from_utf8_lossy(input.line())) else { return };
    let eid = EndpointId::new("e").unwrap();
    let is_plain = settings & 1 == 1;
    let endpoint = if is_plain {
        Endpoint::plain_http(eid.clone(), url, signer(which))
    } else {
        Endpoint::new(eid.clone(), url, signer(which))
    };
    let mut endpoint = match endpoint {
        Ok(endpoint) => endpoint,
        Err(error) => return assert_hidden(&error, url),
    };
    assert_acceptable(url, is_plain);
    let _ = CloudEvents::structured(url);
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for (name, value) in &input.headers() {
        endpoint = match endpoint.clone().add_header(name.clone(), value) {
            Ok(with) => {
                names.push(name.clone());
                values.push(value.clone());
                with
            }
            Err(_) => endpoint,
        };
    }
    assert_eq!(endpoint.expose_url(), url);
    let shown = format!("{endpoint:?}");
    // Nothing behind the origin.
    let (scheme, rest) = url.split_once("://").unwrap();
    let origin = scheme.len() + 3 + rest.find(['/', '?']).unwrap_or(rest.len());
    assert!(shown.len() <= "Endpoint(\"e\", )".len() + origin, "{shown}");

    let Ok(content_type) = HeaderValue::from_bytes(input.line().trim_ascii()) else { return };
    let body = input.rest().to_vec();
    let rendering = Rendering::new(content_type.clone(), body.clone());
    let Ok(request) = endpoint.request(&id, &rendering, now) else { return };
    assert_eq!(request.method(), Method::POST);
    // `http` adds the root path, which no origin differs by.
    let uri = request.uri().to_string();
    assert!(uri == url || uri.to_ascii_lowercase().starts_with(&url.to_ascii_lowercase()[..8]));
    assert_eq!(request.uri().path_and_query().map(ToString::to_string), path_of(url));
    assert_eq!(request.body(), &body);
    assert_eq!(request.headers()[header::CONTENT_TYPE], content_type);
    for (name, value) in names.iter().zip(&values) {
        assert_eq!(request.headers().get(name), Some(value), "{name}");
    }
    for reserved in [header::HOST, header::CONTENT_LENGTH, header::TRANSFER_ENCODING] {
        assert!(!request.headers().contains_key(reserved));
    }
    if which == 1 {
        let verifier = Verifier::standard_webhooks(secret());
        let verified = verifier.verify(request.headers(), &body, now);
        assert_eq!(verified.unwrap().id(), Some(id.as_str()));
    }
    let with_body = endpoint.request_with_body(&id, &rendering, body, now).unwrap();
    assert_eq!(with_body.headers(), request.headers());
}

/// The path and query as the URL has them.
fn path_of(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let start = rest.find(['/', '?']).unwrap_or(rest.len());
    let path = &rest[start..];
    Some(if path.starts_with('/') { path.to_owned() } else { format!("/{path}") })
}

/// What no URL of an endpoint has.
fn assert_acceptable(url: &str, is_plain: bool) {
    let lower = url.to_ascii_lowercase();
    let scheme = lower.split_once("://").map(|(scheme, _)| scheme);
    assert!(scheme == Some("https") || (is_plain && scheme == Some("http")), "{url:?}");
    assert!(url.bytes().all(|byte| byte.is_ascii_graphic()), "{url:?}");
    assert!(!url.contains(['#', '\\', '"', '<', '>', '^', '`', '{', '}', '|']), "{url:?}");
    let authority = lower.split('/').nth(2).unwrap_or_default();
    let authority = authority.split('?').next().unwrap_or_default();
    assert!(!authority.contains(['@', '%']) && !authority.is_empty(), "{url:?}");
}

/// No error has a part of the URL that may be a secret.
fn assert_hidden(error: &EndpointError, url: &str) {
    let text = format!("{error} {error:?}");
    // It may have the error's own words.
    let is_prose = !url.contains("://") && url.bytes().all(|it| !b"/0123456789".contains(&it));
    assert!(url.len() < 16 || is_prose || !text.contains(url), "{text}");
}
