//! Twilio's HMAC-SHA1 over URL and form.

use http::{HeaderMap, Request, request};
use labhook::signature::Scheme;
use labhook::{Secret, Signer, Verifier};

use super::{NOW, id, value};

const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
const FORM: &[u8] = b"Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309\
    &CallSid=CA1234567890ABCDE";
/// Of Twilio's "Webhooks security".
const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";
const JSON: &[u8] = br#"{"property": "value", "boolean": true}"#;

fn secret() -> Secret {
    Secret::from_text("12345").unwrap()
}

fn request(url: &str, content_type: &str, signature: &str) -> request::Parts {
    let request = Request::post(url)
        .header("content-type", content_type)
        .header("x-twilio-signature", signature);
    request.body(()).unwrap().into_parts().0
}

fn form(url: &str, signature: &str) -> request::Parts {
    request(url, "application/x-www-form-urlencoded; charset=utf-8", signature)
}

fn verdict(request: &request::Parts, body: &[u8]) -> Result<(), &'static str> {
    let verifier = Verifier::new(Scheme::Twilio, secret()).unwrap();
    verifier.verify_request(request, body, NOW).map(drop).map_err(|error| error.name())
}

#[test]
fn published_form_is_verified() {
    assert_eq!(verdict(&form(URL, SIGNATURE), FORM), Ok(()));
    for (url, body) in [
        ("https://mycompany.com/myapp.php?foo=1&bar=3", FORM),
        ("http://mycompany.com/myapp.php?foo=1&bar=2", FORM),
        (URL, &FORM[1..]),
        (URL, &[FORM, b"&a="].concat()),
        (URL, b""),
    ] {
        assert_eq!(verdict(&form(url, SIGNATURE), body), Err("no-match"), "{url}");
    }
    let other = "RSOYDt4T1cUTdK1PDd93/VVr8BA=";
    assert_eq!(verdict(&form(URL, other), FORM), Err("no-match"));
    for bad in ["RSOYDt4T1cUTdK1PDd93/VVr8B9=", "RSOYDt4T1cUTdK1PDd93/VVr8A==", "", "=", "RSOY"] {
        assert_eq!(verdict(&form(URL, bad), FORM), Err("no-usable-signature"), "{bad}");
    }
    let other = Verifier::new(Scheme::Twilio, Secret::from_text("12346").unwrap()).unwrap();
    let request = form(URL, SIGNATURE);
    assert_eq!(other.verify_request(&request, FORM, NOW).unwrap_err().name(), "no-match");
    let rotated = other.add_secret(secret());
    assert_eq!(rotated.verify_request(&request, FORM, NOW).unwrap().key_index(), 1);
}

/// Made by the vendor's npm package: a list with a duplicate, non-ASCII text, and other escapes.
#[test]
fn lists_are_sorted_without_duplicates() {
    let body = [FORM, b"&List=b&List=a&List=b&%C3%A9=%c2%b5+%2B"].concat();
    assert_eq!(verdict(&form(URL, "SW3OrJlURSK/z6g3jECf+KSlvNs="), &body), Ok(()));
}

/// Made by the vendor's npm package.
#[test]
fn digest_in_url_covers_other_bodies() {
    let signed = |digest: &str| format!("{URL}&bodySHA256={digest}");
    let digest = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    let json = |url: &str| request(url, "application/json", "a9nBmqA0ju/hNViExpshrM61xv4=");
    assert_eq!(verdict(&json(&signed(digest)), JSON), Ok(()));
    assert_eq!(verdict(&json(&signed(digest)), &JSON[1..]), Err("no-match"));
    assert_eq!(verdict(&json(&signed(&digest.replace('0', "1"))), JSON), Err("no-match"));
    assert_eq!(verdict(&json(&signed("")), JSON), Err("no-match"));
}

/// Names and values are signed in a row after the URL, so the text of a parameter could become a digest
/// in the query, and any body with it. Other parameters follow it there.
#[test]
fn parameter_does_not_become_a_digest() {
    let digest = "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620";
    let body = format!("AccountSid=AC1&Body=%26bodySHA256%3D{digest}%26&From=1555");
    let url = "https://mycompany.com/sms?foo=1";
    let signer = Signer::new(Scheme::Twilio, secret()).unwrap();
    let mut genuine = form(url, "");
    genuine.headers.remove("x-twilio-signature");
    let signature = signer.sign_request(&genuine, &id("m"), NOW, body.as_bytes()).unwrap();
    let signature = signature["x-twilio-signature"].to_str().unwrap();
    assert_eq!(verdict(&form(url, signature), body.as_bytes()), Ok(()));
    let moved = format!("{url}AccountSidAC1Body&bodySHA256={digest}&From1555");
    let moved = request(&moved, "application/json", signature);
    assert_eq!(verdict(&moved, JSON), Err("no-match"));
    let twice = format!("{url}&bodySHA256={digest}&bodySHA256={digest}");
    assert_eq!(verdict(&request(&twice, "application/json", signature), JSON), Err("no-match"));
}

#[test]
fn form_with_too_many_parameters_is_rejected() {
    let many = |count: usize| vec!["a=1"; count].join("&");
    assert_eq!(verdict(&form(URL, SIGNATURE), many(1000).as_bytes()), Err("no-match"));
    let over = many(1001);
    assert_eq!(verdict(&form(URL, SIGNATURE), over.as_bytes()), Err("too-many-parameters"));
}

#[test]
fn unsigned_body_is_rejected() {
    let signer = Signer::new(Scheme::Twilio, secret()).unwrap();
    let mut request = Request::post(URL).body(()).unwrap().into_parts().0;
    let signed = signer.sign_request(&request, &id("m"), NOW, b"").unwrap();
    request.headers = signed;
    assert_eq!(verdict(&request, b""), Ok(()), "an empty body needs no digest");
    assert_eq!(verdict(&request, JSON), Err("unsigned-body"));
    let error = signer.sign_request(&request, &id("m"), NOW, JSON).unwrap_err();
    assert_eq!(error.to_string(), "the scheme cannot sign this body");
}

#[test]
fn port_may_be_signed_or_not() {
    for url in ["https://mycompany.com:443/myapp.php?foo=1&bar=2", URL] {
        assert_eq!(verdict(&form(url, SIGNATURE), FORM), Ok(()), "{url}");
    }
    let verifier = Verifier::new(Scheme::Twilio, secret()).unwrap();
    let verifier = verifier.with_base_url("https://mycompany.com").unwrap();
    let behind_proxy = form("/myapp.php?foo=1&bar=2", SIGNATURE);
    assert!(verifier.verify_request(&behind_proxy, FORM, NOW).is_ok());
}

#[test]
fn headers_alone_are_not_enough() {
    let mut headers = HeaderMap::new();
    let verifier = Verifier::new(Scheme::Twilio, secret()).unwrap();
    let error = verifier.verify(&headers, FORM, NOW).unwrap_err();
    assert_eq!(error.name(), "missing-header");
    headers.insert("x-twilio-signature", value(SIGNATURE));
    let error = verifier.verify(&headers, FORM, NOW).unwrap_err();
    assert_eq!(error.name(), "request-required");
    let signer = Signer::new(Scheme::Twilio, secret()).unwrap();
    let error = signer.sign(&id("m"), NOW, FORM).unwrap_err();
    assert_eq!(error.to_string(), "the scheme signs method, URL or headers: use `sign_request`");
}
