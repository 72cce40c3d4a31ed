//! Endpoint defaults, headers and signed requests.

use std::error::Error as _;
use std::num::NonZeroU32;

use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use labhook::endpoint::{EndpointError, RequestError};
use labhook::message::Rendering;
use labhook::signature::{CustomScheme, SchemeSpec, SignError, TimestampForm};
use labhook::{Endpoint, RetryPolicy, Secret, Signer, Subscription, Timestamp, Verifier};

use crate::support::{at, eid, endpoint, mid};

const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn secret() -> Secret {
    Secret::from_whsec(WHSEC).unwrap()
}

fn name(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

fn value(value: &'static str) -> HeaderValue {
    HeaderValue::from_static(value)
}

fn json(body: &str) -> Rendering {
    Rendering::new(value("application/json"), body.to_owned())
}

#[test]
fn reserved_or_duplicate_header_is_refused() {
    let endpoint = || {
        Endpoint::new(eid("eln"), "https://eln.example", Signer::standard_webhooks(secret()))
            .unwrap()
    };
    for reserved in [
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::HOST,
        header::TRANSFER_ENCODING,
        name("webhook-id"),
        name("webhook-timestamp"),
        name("webhook-signature"),
        name("svix-id"),
        name("svix-timestamp"),
        name("svix-signature"),
        header::CONNECTION,
        header::EXPECT,
        header::TE,
        header::TRAILER,
        header::UPGRADE,
        header::PROXY_AUTHENTICATE,
        header::PROXY_AUTHORIZATION,
        name("keep-alive"),
        name("proxy-connection"),
        name("proxy-authentication-info"),
        name("http2-settings"),
    ] {
        let error = endpoint().add_header(reserved.clone(), &value("x")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("header `{reserved}` is reserved for the request or its signature")
        );
    }
    // Another scheme sets other headers.
    assert!(endpoint().add_header(name("x-webhook-signature"), &value("x")).is_ok());
    let svix = Endpoint::new(eid("eln"), "https://eln.example", Signer::svix(secret())).unwrap();
    assert!(svix.clone().add_header(name("webhook-id"), &value("x")).is_err());
    assert!(svix.add_header(name("svix-id"), &value("x")).is_err());

    let once = endpoint().add_header(name("x-key"), &value("1")).unwrap();
    let error = once.add_header(name("x-key"), &value("2")).unwrap_err();
    assert!(matches!(&error, EndpointError::DuplicateHeader { name } if name == "x-key"));
    assert_eq!(error.to_string(), "duplicate header `x-key`");
}

#[test]
fn endpoint_defaults_are_documented() {
    let url = "https://eln.example/in";
    let endpoint = Endpoint::new(eid("eln"), url, Signer::unsigned()).unwrap();
    assert_eq!(endpoint.subscription, Subscription::all());
    assert_eq!(endpoint.policy.retry, RetryPolicy::default());
    assert_eq!(endpoint.policy.flow.concurrency().max().get(), 256);
    assert!(endpoint.enabled);
    assert_eq!(endpoint.format().name(), "labhook");
    assert_eq!(endpoint.id(), &eid("eln"));
    assert_eq!(endpoint.expose_headers().count(), 0);

    let wanted = Subscription::all().runs(["r1".into()]);
    let endpoint = endpoint
        .with_subscription(wanted.clone())
        .with_retry(RetryPolicy::svix())
        .with_max_in_flight(NonZeroU32::MIN)
        .with_enabled(false);
    assert_eq!(endpoint.subscription, wanted);
    assert_eq!(endpoint.policy.retry, RetryPolicy::svix());
    assert_eq!(endpoint.policy.flow.concurrency().max(), NonZeroU32::MIN);
    assert!(!endpoint.enabled);
}

#[test]
fn request_carries_body_type_and_headers() {
    let key = value("canary-key");
    assert!(!key.is_sensitive());
    let endpoint = endpoint("eln").add_header(name("x-api-key"), &key).unwrap();
    let exposed: Vec<_> = endpoint.expose_headers().collect();
    assert_eq!(exposed, [(&name("x-api-key"), &b"canary-key"[..])]);

    let rendering = Rendering::new(value("application/octet-stream"), vec![0, 255, 10])
        .add_header(name("ce-id"), value("m"))
        .add_header(name("ce-source"), value("/lab"));
    let request = endpoint.request(&mid("m"), &rendering, at(0)).unwrap();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://eln.example/hooks");
    assert_eq!(request.body(), &[0, 255, 10][..]);
    assert_eq!(
        request.body().as_ptr(),
        rendering.body().unwrap().as_ptr(),
        "the body is not copied"
    );
    let headers = request.headers();
    assert_eq!(headers.len(), 4);
    assert_eq!(headers["content-type"], "application/octet-stream");
    assert_eq!((&headers["ce-id"], &headers["ce-source"]), (&value("m"), &value("/lab")));
    assert_eq!(headers["x-api-key"], "canary-key");
    assert!(headers["x-api-key"].is_sensitive());
    assert!(!headers["ce-id"].is_sensitive());
    assert!(!format!("{headers:?}").contains("canary"));
}

#[test]
fn static_header_accepts_any_bytes() {
    let odd = HeaderValue::from_bytes(b"caf\xe9\t\xff").unwrap();
    let endpoint = endpoint("eln").add_header(name("x-odd"), &odd).unwrap();
    let request = endpoint.request(&mid("m"), &json("{}"), at(0)).unwrap();
    assert_eq!(request.headers()["x-odd"], odd);
}

#[test]
fn endpoint_headers_override_format_headers() {
    // Endpoint headers override format headers, and the request's own override both.
    let endpoint =
        Endpoint::new(eid("eln"), "https://eln.example", Signer::standard_webhooks(secret()))
            .unwrap()
            .add_header(name("ce-id"), &value("from the endpoint"))
            .unwrap();
    let rendering = json("{}")
        .add_header(name("ce-id"), value("from the format"))
        .add_header(name("link"), value("<a>"))
        .add_header(name("link"), value("<b>"))
        .add_header(header::TRANSFER_ENCODING, value("chunked"))
        .add_header(header::CONTENT_TYPE, value("from the format"))
        .add_header(name("webhook-id"), value("from the format"));
    let request = endpoint.request(&mid("m"), &rendering, at(0)).unwrap();
    assert_eq!(request.headers()["ce-id"], "from the endpoint");
    assert_eq!(request.headers().get_all("link").iter().count(), 2);
    assert!(!request.headers().contains_key(header::TRANSFER_ENCODING));
    let types: Vec<_> = request.headers().get_all(header::CONTENT_TYPE).iter().collect();
    assert_eq!(types, ["application/json"]);
    let ids: Vec<_> = request.headers().get_all("webhook-id").iter().collect();
    assert_eq!(ids, ["m"]);
}

#[test]
fn request_verifies_only_with_its_own_scheme() {
    let token = || Secret::from_text("testtesttest").unwrap();
    let github = || CustomScheme::GITHUB;
    let pairs = [
        (Signer::standard_webhooks(secret()), Verifier::standard_webhooks(secret())),
        (Signer::svix(secret()), Verifier::svix(secret())),
        (Signer::strike(token()), Verifier::strike(token())),
        (
            Signer::token(name("x-token"), token()).unwrap(),
            Verifier::token(name("x-token"), token()).unwrap(),
        ),
        (Signer::custom(github(), token()).unwrap(), Verifier::custom(github(), token()).unwrap()),
    ];
    for (index, (signer, _)) in pairs.iter().enumerate() {
        let endpoint = Endpoint::new(eid("eln"), "https://eln.example", signer.clone()).unwrap();
        let request = endpoint.request(&mid("m"), &json(r#"{"a":1}"#), at(0)).unwrap();
        let signed: Vec<_> = signer.header_names().collect();
        assert!(!signed.is_empty());
        assert_eq!(request.headers().len(), 1 + signed.len());
        for (other, (_, verifier)) in pairs.iter().enumerate() {
            let verified = verifier.verify(request.headers(), request.body(), at(1));
            // Svix's verifiers accept the header names of the Standard Webhooks too.
            let genuine = other == index || (index, other) == (0, 1);
            assert_eq!(verified.is_ok(), genuine, "{other} of {index}");
        }
        let (_, verifier) = &pairs[index];
        let token_only = index == 3;
        let changed = verifier.verify(request.headers(), br#"{"a":2}"#, at(1));
        assert_eq!(changed.is_ok(), token_only, "a token alone signs no body");
        assert!(verifier.verify(&HeaderMap::new(), request.body(), at(1)).is_err());
    }
}

#[test]
fn each_attempt_is_signed_with_its_own_time() {
    let verifier = Verifier::standard_webhooks(secret());
    let endpoint =
        Endpoint::new(eid("eln"), "https://eln.example", Signer::standard_webhooks(secret()))
            .unwrap();
    for now in [at(0), at(1_000_000)] {
        let request = endpoint.request(&mid("m"), &json("{}"), now).unwrap();
        let verified = verifier.verify(request.headers(), request.body(), now).unwrap();
        assert_eq!(verified.timestamp(), Some(now));
        assert_eq!(verified.id(), Some("m"));
    }
}

#[test]
fn unsignable_message_is_a_request_error() {
    let spec = SchemeSpec::new("x-signature", "{timestamp}.{body}")
        .with_timestamp_header("x-timestamp", TimestampForm::Rfc3339);
    let signer = Signer::custom(
        CustomScheme::new(spec).unwrap(),
        Secret::from_text("testtesttest").unwrap(),
    )
    .unwrap();
    let endpoint = Endpoint::new(eid("eln"), "https://eln.example", signer).unwrap();
    assert!(endpoint.request(&mid("m"), &json("{}"), at(0)).is_ok());
    let error = endpoint.request(&mid("m"), &json("{}"), Timestamp::MAX).unwrap_err();
    assert!(matches!(error, RequestError::Sign(SignError::Time)));
    assert_eq!(error.to_string(), "message cannot be signed");
    assert_eq!(error.source().unwrap().to_string(), SignError::Time.to_string());
}

#[test]
fn added_secret_signs_beside_the_first() {
    let old = Secret::from_whsec("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap();
    let signer = Signer::standard_webhooks(secret());
    let endpoint =
        Endpoint::new(eid("eln"), "https://eln.example", signer).unwrap().add_secret(old.clone());
    let request = endpoint.request(&mid("m"), &json("{}"), at(0)).unwrap();
    for secret in [secret(), old] {
        let verifier = Verifier::standard_webhooks(secret);
        assert!(verifier.verify(request.headers(), request.body(), at(0)).is_ok());
    }
}
