//! What a verifier accepts.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Request, header};
use labhook::endpoint::EndpointError;
use labhook::message::Rendering;
use labhook::signature::{HttpMessageProfile, Scheme, SignError};
use labhook::{Endpoint, EndpointId, Secret, Signer, Verifier, VerifyError};

use super::{
    BODY, NOW, edit, key_pairs, profile, secret, signed, signed_with, signer, unsigned, verdict,
    verifier,
};

#[test]
fn verified_request_has_id_time_and_window() {
    let request = signed();
    let verified = verifier(profile()).verify_request(&request, BODY, NOW).unwrap();
    assert_eq!(verified.id(), Some("msg_1"));
    assert_eq!(verified.timestamp(), Some(NOW));
    assert_eq!(verified.expires_at(), Some(NOW + Duration::from_secs(300)));

    let short = profile().with_validity(Duration::from_secs(60));
    let request = signed_with(&signer(short));
    let verified = verifier(profile()).verify_request(&request, BODY, NOW).unwrap();
    assert_eq!(verified.expires_at(), Some(NOW + Duration::from_secs(60)));

    let narrow = verifier(profile()).with_tolerance(Duration::from_secs(30), Duration::ZERO);
    let verified = narrow.verify_request(&request, BODY, NOW).unwrap();
    assert_eq!(verified.expires_at(), Some(NOW + Duration::from_secs(30)));
}

#[test]
fn each_key_signs_and_verifies() {
    for (signing, verifying) in key_pairs() {
        let scheme = Scheme::HttpMessageSignatures(profile());
        let request = signed_with(&Signer::new(scheme.clone(), signing).unwrap());
        let verifier = Verifier::new(scheme, verifying).unwrap();
        assert_eq!(verdict(&verifier, &request, BODY), "accepted");
        // The algorithm is that of the key, not the one in the signature.
        let is_shared = request.headers["signature-input"].to_str().unwrap().contains("hmac");
        let found = verdict(&super::verifier(profile()), &request, BODY);
        assert_eq!(found, if is_shared { "accepted" } else { "other-parameter" });
    }
}

#[test]
fn key_id_chooses_among_the_keys() {
    let named = |ids: &[&str]| profile().with_key_ids(ids.iter().copied()).unwrap();
    let other = Secret::from_text("another secret").unwrap();
    let scheme = |ids: &[&str]| Scheme::HttpMessageSignatures(named(ids));
    let verifier =
        |ids: &[&str]| Verifier::new(scheme(ids), other.clone()).unwrap().add_secret(secret());
    let request = signed_with(&signer(named(&["old"])));
    let index = |ids: &[&str]| {
        let verifier = verifier(ids);
        let verified = verifier.verify_request(&request, BODY, NOW);
        verified.map(|verified| verified.key_index()).map_err(|error| error.name())
    };
    assert_eq!(index(&["new", "old"]), Ok(1));
    assert_eq!(index(&[]), Ok(1));
    assert_eq!(index(&["new"]), Ok(1));
    assert_eq!(index(&["new", "older"]), Err("other-parameter"));
    assert_eq!(index(&["old", "new"]), Err("no-match"));
    // A key with an id needs a signature with one.
    assert_eq!(verdict(&verifier(&["new", "old"]), &signed(), BODY), "other-parameter");
}

#[test]
fn other_signatures_and_lines_are_ignored() {
    let mut request = signed();
    let own = |name: &str| signed().headers[name].clone();
    for name in ["signature-input", "signature"] {
        let name = HeaderName::from_static(name);
        let proxy = match name.as_str() {
            "signature" => "proxy=:AA==:,\ta=?1",
            _ => "proxy=(\"@method\";req \"x\");created=1;unknown, ttrp=()",
        };
        request.headers.insert(name.clone(), HeaderValue::from_static(proxy));
        request.headers.append(name.clone(), own(name.as_str()));
    }
    assert_eq!(verdict(&verifier(profile()), &request, BODY), "accepted");
}

#[test]
fn base_url_stands_for_the_senders_url() {
    let request = signed();
    let mut seen = Request::post("/in?run=17").body(()).unwrap().into_parts().0;
    seen.headers = request.headers;
    seen.headers.insert(header::HOST, HeaderValue::from_static("10.0.0.7:8080"));
    assert_eq!(verdict(&verifier(profile()), &seen, BODY), "no-match");
    let base = |url| verifier(profile()).with_base_url(url).unwrap();
    assert_eq!(verdict(&base("https://lab.example"), &seen, BODY), "no-match");

    let mut seen = seen;
    seen.uri = "/hooks?run=17".parse().unwrap();
    assert_eq!(verdict(&base("https://LAB.example:443"), &seen, BODY), "accepted");
    let mut short = seen;
    short.uri = "/?run=17".parse().unwrap();
    assert_eq!(verdict(&base("https://lab.example/hooks"), &short, BODY), "no-match");
}

#[test]
fn further_headers_are_covered() {
    let name = HeaderName::from_static("x-run");
    let wider = || profile().with_headers([HeaderName::from_static("x-run")]).unwrap();
    let missing = signer(wider()).sign_request(&unsigned(), &super::super::id("m"), NOW, BODY);
    assert_eq!(missing, Err(SignError::MissingHeader { name: name.clone() }));

    let mut request = unsigned();
    request.headers.append(&name, HeaderValue::from_static("R-7"));
    request.headers.append(&name, HeaderValue::from_static("R-8"));
    let signer = signer(wider());
    let headers = signer.sign_request(&request, &super::super::id("m"), NOW, BODY).unwrap();
    request.headers.extend(headers);
    assert_eq!(verdict(&verifier(wider()), &request, BODY), "accepted");
    // A profile without the header refuses what it did not ask for.
    assert_eq!(verdict(&verifier(profile()), &request, BODY), "unknown-component");
    request.headers.insert(&name, HeaderValue::from_static("R-7, R-8"));
    assert_eq!(verdict(&verifier(wider()), &request, BODY), "accepted");
    request.headers.insert(&name, HeaderValue::from_static("R-8, R-7"));
    assert_eq!(verdict(&verifier(wider()), &request, BODY), "no-match");

    request.headers.insert(&name, HeaderValue::from_bytes(b"\xb5l").unwrap());
    assert_eq!(verdict(&verifier(wider()), &request, BODY), "not-ascii");
    let error = signer.sign_request(&request, &super::super::id("m"), NOW, BODY).unwrap_err();
    assert_eq!(error, SignError::NotAscii { name });
    assert_eq!(error.to_string(), "the x-run header, which the scheme signs, must be ASCII");
}

#[test]
fn id_header_may_be_another_or_none() {
    let other = profile().with_id_header(HeaderName::from_static("idempotency-key")).unwrap();
    let request = signed_with(&signer(other.clone()));
    assert_eq!(request.headers["idempotency-key"], "msg_1");
    let verifier = verifier(other);
    let verified = verifier.verify_request(&request, BODY, NOW).unwrap();
    assert_eq!(verified.id(), Some("msg_1"));

    let none = profile().without_id_header();
    let request = signed_with(&signer(none.clone()));
    assert!(!request.headers.contains_key("webhook-id"));
    let verifier = super::verifier(none);
    assert_eq!(verifier.verify_request(&request, BODY, NOW).unwrap().id(), None);
}

#[test]
fn method_and_url_are_required() {
    let request = signed();
    let verified = verifier(profile()).verify(&request.headers, BODY, NOW);
    assert_eq!(verified.unwrap_err(), VerifyError::RequestRequired);
    let headers = signer(profile()).sign(&super::super::id("m"), NOW, BODY);
    assert_eq!(headers, Err(SignError::RequestRequired));
}

#[test]
fn extreme_times_are_signed_and_refused() {
    for now in [labhook::Timestamp::MIN, labhook::Timestamp::MAX] {
        let signer = signer(profile().with_validity(Duration::MAX));
        let mut request = unsigned();
        let headers = signer.sign_request(&request, &super::super::id("m"), now, BODY).unwrap();
        request.headers.extend(headers);
        assert_ne!(verdict(&verifier(profile()), &request, BODY), "accepted");
    }
    for created in ["-999999999999999", "0", "999999999999999"] {
        let mut request = signed();
        edit(
            &mut request,
            "signature-input",
            ";created=1744882200;expires=1744882500",
            &format!(";created={created}"),
        );
        let found = verdict(&verifier(profile()), &request, BODY);
        assert_eq!(found, if created.starts_with('9') { "too-new" } else { "too-old" });
    }
}

/// An endpoint signs what it sends: method, URL, content type and body.
#[test]
fn endpoint_signs_its_requests() -> Result<(), EndpointError> {
    let profile = HttpMessageProfile::new().with_tag("lab-events").unwrap();
    let url = "https://lab.example/hooks?run=17";
    let endpoint = Endpoint::new(EndpointId::new("eln").unwrap(), url, signer(profile.clone()))?;
    let rendering = Rendering::new(HeaderValue::from_static("application/json"), BODY);
    let request = endpoint.request(&super::super::id("msg_1"), &rendering, NOW).unwrap();
    let (request, body) = request.into_parts();
    assert_eq!(verdict(&verifier(profile), &request, &body), "accepted");
    Ok(())
}
