//! What a verifier refuses, each with its error.

use std::time::Duration;

use http::{HeaderName, HeaderValue};
use labhook::VerifyError;
use labhook::signature::HttpMessageError;

use super::{BODY, NOW, edit, profile, secret, signed, signed_with, signer, verdict, verifier};

/// The verdict on a signed request with one header edited.
fn edited(name: &str, from: &str, to: &str) -> &'static str {
    let mut request = signed();
    edit(&mut request, name, from, to);
    verdict(&verifier(profile()), &request, BODY)
}

#[test]
fn missing_headers_are_named() {
    for name in ["signature-input", "signature", "content-digest", "content-type", "webhook-id"] {
        let mut request = signed();
        request.headers.remove(name).unwrap();
        let verifier = verifier(profile());
        let error = verifier.verify_request(&request, BODY, NOW).unwrap_err();
        assert_eq!(error, VerifyError::MissingHeader { name: HeaderName::from_static(name) });
    }
}

#[test]
fn each_component_is_covered_once() {
    let input = |from: &str, to: &str| edited("signature-input", from, to);
    for name in ["@method", "@authority", "@path", "@query", "content-digest", "content-type"] {
        let mut request = signed();
        edit(&mut request, "signature-input", &format!("\"{name}\" "), "");
        let verifier = verifier(profile());
        let error = verifier.verify_request(&request, BODY, NOW).unwrap_err();
        let component = format!("\"{name}\"").into();
        assert_eq!(error, HttpMessageError::MissingComponent { component }.into());
    }
    assert_eq!(input(" \"webhook-id\"", ""), "missing-component");
    assert_eq!(input("\"@path\"", "\"@path\" \"@path\""), "repeated-component");
    assert_eq!(input("\"@path\"", "\"@path\" \"host\""), "unknown-component");
    assert_eq!(input("\"@path\"", "\"@path\" path"), "unknown-component");
    // With a parameter it is another component.
    assert_eq!(input("\"content-type\"", "\"content-type\";sf"), "missing-component");
    assert_eq!(input("\"@path\"", "\"@path\" \"@path\";req"), "unknown-component");
    // In another order, other bytes are signed.
    assert_eq!(input("\"@path\" \"@query\"", "\"@query\" \"@path\""), "no-match");
}

#[test]
fn each_parameter_is_checked() {
    let input = |from: &str, to: &str| edited("signature-input", from, to);
    let created = ";created=1744882200";
    let expires = ";expires=1744882500";
    for (from, to, name) in [
        (created, "", "missing-parameter"),
        (created, ";created=\"1744882200\"", "invalid-parameter"),
        (created, ";created", "invalid-parameter"),
        (created, ";created=1744882200.0", "invalid-parameter"),
        (created, ";created=1744882200;created=1744882200", "invalid-parameter"),
        (created, ";created=1744881899", "too-old"),
        (created, ";created=1744882501;x", "unknown-parameter"),
        (expires, ";expires=1744882200", "invalid-parameter"),
        (expires, ";expires=1744882201;nonce=1", "invalid-parameter"),
        (expires, ";expires=1744882499", "no-match"),
        (expires, ";created2=1", "unknown-parameter"),
        ("alg=\"hmac-sha256\"", "alg=hmac-sha256", "invalid-parameter"),
        ("alg=\"hmac-sha256\"", "alg=\"rsa-pss-sha512\"", "other-parameter"),
        ("alg=\"hmac-sha256\"", "alg=\"ed25519\"", "other-parameter"),
        ("alg=\"hmac-sha256\"", "alg=\"HMAC-SHA256\"", "other-parameter"),
        (";alg=\"hmac-sha256\"", "", "no-match"),
        (";alg", ";tag=\"a\";alg", "other-parameter"),
        (";alg", ";keyid=\"a\";alg", "no-match"),
        (";alg", ";nonce=\"a\";alg", "no-match"),
    ] {
        assert_eq!(input(from, to), name, "{from} {to}");
    }
    let tagged = profile().with_tag("lab").unwrap();
    assert_eq!(verdict(&verifier(tagged.clone()), &signed(), BODY), "other-parameter");
    let request = signed_with(&signer(tagged));
    assert_eq!(verdict(&verifier(profile()), &request, BODY), "other-parameter");
}

#[test]
fn times_outside_the_window_are_refused() {
    let request = signed();
    let verifier = verifier(profile());
    let at = |now| verifier.verify_request(&request, BODY, now).map(|_| ());
    let seconds = Duration::from_secs;
    assert_eq!(at(NOW + seconds(300)), Ok(()));
    assert_eq!(at(NOW + seconds(301)).unwrap_err().name(), "too-old");
    assert_eq!(at(NOW - seconds(300)), Ok(()));
    assert_eq!(at(NOW - seconds(301)).unwrap_err().name(), "too-new");
    let patient = verifier.clone().with_tolerance(seconds(3_600), Duration::ZERO);
    let late = NOW + seconds(300) + Duration::from_micros(1);
    let error = patient.verify_request(&request, BODY, late).unwrap_err();
    let age = Duration::from_micros(1);
    assert_eq!(error, VerifyError::HttpMessage(HttpMessageError::Expired { age }));
}

#[test]
fn labels_are_unique() {
    let other = verifier(profile().with_label("sig2").unwrap());
    assert_eq!(verdict(&other, &signed(), BODY), "missing-label");
    for name in ["signature-input", "signature"] {
        assert_eq!(edited(name, "sig1", "sig2"), "missing-label");
        let mut request = signed();
        let twice = request.headers[name].clone();
        request.headers.append(HeaderName::from_static(name), twice);
        assert_eq!(verdict(&verifier(profile()), &request, BODY), "repeated-label");
    }
}

#[test]
fn other_forms_of_the_headers_are_refused() {
    let input = |from: &str, to: &str| edited("signature-input", from, to);
    for (from, to) in [
        ("(\"@method\"", "( \"@method\""),
        ("\"@method\" ", "\"@method\"  "),
        (";created", "; created"),
        ("created=", "created=0"),
        ("sig1=", "sig1 ="),
        ("sig1=", "Sig1="),
        ("\"webhook-id\")", "\"webhook-id\""),
        ("sig1=", "sig1=1, b=,c="),
        ("sig1=(", "sig1=\"a\", b=("),
    ] {
        assert_eq!(input(from, to), "malformed-field", "{from} {to}");
    }
    let full = signed().headers["signature"].to_str().unwrap().to_owned();
    let base64 = full.trim_start_matches("sig1=:").trim_end_matches(':');
    for (text, name) in [
        ("sig1".to_owned(), "malformed-field"),
        ("sig1=()".to_owned(), "malformed-field"),
        (format!("sig1=\"{base64}\""), "malformed-field"),
        (format!("sig1=:{}:", base64.trim_end_matches('=')), "no-usable-signature"),
        ("sig1=::".to_owned(), "no-usable-signature"),
        ("sig1=:AAAA:".to_owned(), "no-usable-signature"),
        (format!("sig1=:{}:", "A".repeat(9_000)), "malformed-field"),
    ] {
        let mut request = signed();
        request.headers.insert("signature", HeaderValue::try_from(text.clone()).unwrap());
        assert_eq!(verdict(&verifier(profile()), &request, BODY), name, "{text}");
    }
}

#[test]
fn digest_must_be_that_of_the_body() {
    let verifier = verifier(profile());
    assert_eq!(verdict(&verifier, &signed(), b"{}"), "other-digest");
    assert_eq!(edited("content-digest", "sha-256", "sha-512"), "missing-digest");
    assert_eq!(edited("content-digest", "sha-256=:", "sha-256=:A"), "malformed-field");
    // Another digest beside it changes the signed header.
    assert_eq!(edited("content-digest", "sha-256", "sha-512=:AA==:, sha-256"), "no-match");
}

#[test]
fn other_keys_do_not_match() {
    let other = labhook::Secret::from_text("another secret").unwrap();
    let scheme = labhook::signature::Scheme::HttpMessageSignatures(profile());
    let verifier = labhook::Verifier::new(scheme, other).unwrap();
    assert_eq!(verdict(&verifier, &signed(), BODY), "no-match");
    let both = verifier.add_secret(secret());
    assert_eq!(both.verify_request(&signed(), BODY, NOW).unwrap().key_index(), 1);
}

#[test]
fn malformed_id_and_target_are_refused() {
    assert_eq!(edited("webhook-id", "msg_1", ""), "malformed-id");
    let mut request = signed();
    request.uri = "*".parse().unwrap();
    assert_eq!(verdict(&verifier(profile()), &request, BODY), "malformed-target");
    request.uri = "/hooks?run=17".parse().unwrap();
    assert_eq!(verdict(&verifier(profile()), &request, BODY), "missing-header");
}
