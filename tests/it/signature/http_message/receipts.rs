//! Receipts of signed requests.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request};
use labhook::signature::{ReceiptProfile, SignError};
use labhook::{Secret, Timestamp};

use super::{NOW, key_pairs, profile, signed, unsigned};

fn secret() -> Secret {
    Secret::from_text("a secret of the receiver").unwrap()
}

fn receipt() -> HeaderMap {
    let receipts = ReceiptProfile::new(profile());
    receipts.sign(&secret().into(), &signed(), StatusCode::OK, NOW).unwrap()
}

fn verify(
    sent: &request::Parts,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Timestamp, &'static str> {
    let receipts = ReceiptProfile::new(profile());
    let result = receipts.verify(&secret().into(), sent, status, headers);
    result.map_err(|error| error.name())
}

#[test]
fn receipt_of_each_key_is_verified() {
    for (signing, verifying) in key_pairs() {
        let receipts = ReceiptProfile::new(profile());
        let sent = signed();
        let headers = receipts.sign(&signing, &sent, StatusCode::ACCEPTED, NOW).unwrap();
        let verify = |status| receipts.verify(&verifying, &sent, status, &headers);
        assert_eq!(verify(StatusCode::ACCEPTED), Ok(NOW));
        assert_eq!(verify(StatusCode::OK).unwrap_err().name(), "no-match");
    }
}

#[test]
fn receipt_covers_status_and_request() {
    assert_eq!(
        receipt()["signature-input"],
        "receipt=(\"@status\" \"@method\";req \"@authority\";req \"@path\";req \"@query\";req \
         \"content-digest\";req \"content-type\";req \"webhook-id\";req);created=1744882200;\
         alg=\"hmac-sha256\";tag=\"labhook-receipt\""
    );
    let headers = receipt();
    assert_eq!(verify(&signed(), StatusCode::OK, &headers), Ok(NOW));
    let with = |change: fn(&mut request::Parts)| {
        let mut sent = signed();
        change(&mut sent);
        verify(&sent, StatusCode::OK, &headers)
    };
    assert_eq!(with(|sent| sent.method = Method::PUT), Err("no-match"));
    for uri in
        ["https://lab.example/hook?run=17", "https://lab.example/hooks", "https://a/hooks?run=17"]
    {
        let mut sent = signed();
        sent.uri = uri.parse().unwrap();
        assert_eq!(verify(&sent, StatusCode::OK, &headers), Err("no-match"), "{uri}");
    }
    for name in ["content-digest", "content-type", "webhook-id"] {
        let mut sent = signed();
        sent.headers.insert(name, HeaderValue::from_static("other"));
        assert_eq!(verify(&sent, StatusCode::OK, &headers), Err("no-match"), "{name}");
    }
    // The signature of the request is not covered: a second attempt has another.
    assert_eq!(
        with(|sent| {
            sent.headers.insert("signature", HeaderValue::from_static("sig1=:AA==:"));
        }),
        Ok(NOW)
    );
}

#[test]
fn receiver_behind_a_proxy_signs_the_senders_url() {
    let mut seen = signed();
    seen.uri = "/hooks?run=17".parse().unwrap();
    seen.headers.insert(header::HOST, HeaderValue::from_static("10.0.0.7:8080"));
    let sign = |receipts: ReceiptProfile| {
        receipts.sign(&secret().into(), &seen, StatusCode::OK, NOW).unwrap()
    };
    let receipts = ReceiptProfile::new(profile());
    assert_eq!(verify(&signed(), StatusCode::OK, &sign(receipts.clone())), Err("no-match"));
    let receipts = receipts.with_base_url("https://lab.example").unwrap();
    assert_eq!(verify(&signed(), StatusCode::OK, &sign(receipts)), Ok(NOW));
}

#[test]
fn every_changed_byte_of_a_receipt_is_refused() {
    let headers = receipt();
    for name in headers.keys() {
        let value = headers[name].as_bytes();
        for at in 0..value.len() {
            let mut changed = value.to_vec();
            changed[at] ^= 1;
            let Ok(changed) = HeaderValue::from_bytes(&changed) else { continue };
            let mut headers = headers.clone();
            headers.insert(name, changed);
            assert!(verify(&signed(), StatusCode::OK, &headers).is_err(), "{name} {at}");
        }
    }
}

#[test]
fn other_than_a_receipt_is_refused() {
    let edited = |name: &'static str, from: &str, to: &str| {
        let mut headers = receipt();
        let text = headers[name].to_str().unwrap();
        assert!(text.contains(from));
        let text = HeaderValue::try_from(text.replacen(from, to, 1)).unwrap();
        headers.insert(HeaderName::from_static(name), text);
        verify(&signed(), StatusCode::OK, &headers)
    };
    let input = |from, to| edited("signature-input", from, to);
    assert_eq!(input(" \"@path\";req", ""), Err("missing-component"));
    assert_eq!(input("\"@path\";req", "\"@path\";req \"date\""), Err("unknown-component"));
    assert_eq!(input("\"@path\";req", "\"@path\";req \"@path\";req"), Err("repeated-component"));
    assert_eq!(input("\"@path\";req", "\"@path\""), Err("missing-component"));
    assert_eq!(input(";tag=\"labhook-receipt\"", ""), Err("other-parameter"));
    assert_eq!(input("hmac-sha256", "ed25519"), Err("other-parameter"));
    assert_eq!(input(";created=1744882200", ""), Err("missing-parameter"));
    assert_eq!(edited("signature", "receipt", "other"), Err("missing-label"));
    assert_eq!(verify(&signed(), StatusCode::OK, &HeaderMap::new()), Err("missing-header"));
    // The sender's own signature is none.
    assert_eq!(verify(&signed(), StatusCode::OK, &signed().headers), Err("missing-label"));

    let receipts = ReceiptProfile::new(profile());
    let error = receipts.sign(&secret().into(), &unsigned(), StatusCode::OK, NOW).unwrap_err();
    let name = HeaderName::from_static("content-digest");
    assert_eq!(error, SignError::MissingHeader { name });
}
