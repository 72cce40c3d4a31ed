//! Errors of values with secrets, each variant once at least: [`print_all`].

mod endpoints;
mod messages;

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, request};
use labhook::secret::SecretRef;
use labhook::signature::{CustomScheme, HttpMessageProfile, Scheme, SchemeSpec, TimestampForm};
use labhook::{Secret, Signer, Timestamp, Verifier};

use super::printed::{BODY, HEADER, Printed, SECRET, URL};
use super::types::{body_of, hide_macs, older, request, schemes, secret};
use crate::support::{at, mid};

pub(super) fn print_all(printed: &mut Printed) {
    secrets(printed);
    keys(printed);
    verifying(printed);
    http_messages(printed);
    signing(printed);
    endpoints::print_all(printed);
    messages::print_all(printed);
}

fn secrets(printed: &mut Printed) {
    let whsec = format!("whsec_{SECRET}");
    for error in [
        Secret::from_whsec(SECRET).unwrap_err(),
        Secret::from_whsec(&format!("v1,{whsec}")).unwrap_err(),
        Secret::from_whsec(&format!("{whsec}!")).unwrap_err(),
        Secret::from_whsec(&whsec[..20]).unwrap_err(),
        Secret::from_base64(&whsec).unwrap_err(),
        Secret::from_base64(&format!("{SECRET}!")).unwrap_err(),
        Secret::from_text(&format!(" {SECRET}")).unwrap_err(),
        Secret::from_text("").unwrap_err(),
    ] {
        printed.error(&error);
    }
    let env: SecretRef = serde_json::from_str(r#"{"encoding":"whsec","env":"ELN"}"#).unwrap();
    printed.error(&env.resolve(|_| None::<&str>).unwrap_err());
    printed.error(&env.resolve(|_| Some(SECRET)).unwrap_err());
    for json in [
        format!(r#""{SECRET}""#),
        format!(r#"{{"encoding":"{SECRET}","env":"ELN"}}"#),
        format!(r#"{{"{SECRET}":"whsec"}}"#),
        format!(r#"{{"encoding":"whsec","value":"{SECRET}"}}"#),
        format!(r#"{{"encoding":"text","value":["{SECRET}"]}}"#),
        format!(r#"{{"encoding":"text","value":"{SECRET}","value":"{SECRET}"}}"#),
    ] {
        printed.error(&serde_json::from_str::<SecretRef>(&json).unwrap_err());
    }
}

fn keys(printed: &mut Printed) {
    let header = HeaderName::from_static("x-token");
    let line = Secret::from_bytes(format!("{SECRET}\n").as_bytes()).unwrap();
    printed.error(&Signer::token(header, line).unwrap_err());
    printed.error(&Signer::custom(CustomScheme::DISCORD, secret()).unwrap_err());
    printed.error(&Verifier::strike(secret()).with_base_url(&URL[8..]).unwrap_err());
    let standard = Signer::standard_webhooks(secret());
    printed.error(&standard.clone().add_signer(standard).unwrap_err());
    #[cfg(feature = "ed25519")]
    {
        use labhook::signature::{Ed25519PrivateKey, Ed25519PublicKey};

        let whsk = format!("whsk_{SECRET}");
        for error in [
            Ed25519PrivateKey::from_whsk(SECRET).unwrap_err(),
            Ed25519PrivateKey::from_whsk(&whsk).unwrap_err(),
            Ed25519PrivateKey::from_whsk(&format!("{whsk}!")).unwrap_err(),
            Ed25519PrivateKey::from_whsk(&format!("{whsk} ")).unwrap_err(),
            Ed25519PrivateKey::from_whsk(&format!("{whsk}{SECRET}AAAAAAAAAAAAAAAAAAAAAA=="))
                .unwrap_err(),
            Ed25519PublicKey::from_whpk(&whsk).unwrap_err(),
            Ed25519PublicKey::from_hex(SECRET).unwrap_err(),
        ] {
            printed.error(&error);
        }
    }
    #[cfg(feature = "p256")]
    {
        use labhook::signature::{P256PrivateKey, P256PublicKey};

        printed.error(&P256PrivateKey::from_scalar(&[0xff; 32]).unwrap_err());
        printed.error(&P256PublicKey::from_spki(SECRET).unwrap_err());
        printed.error(&P256PublicKey::from_spki(&format!("{SECRET}!")).unwrap_err());
    }
    #[cfg(any(feature = "ed25519", feature = "p256"))]
    {
        use labhook::signature::KeySet;

        let jwk = format!(r#"{{"kty":"oct","k":"{SECRET}"}}"#);
        let many = vec![&*jwk; KeySet::MAX_KEYS + 1].join(",");
        for json in
            [jwk.clone(), format!(r#"{{"keys":[{jwk}]}}"#), format!(r#"{{"keys":[{many}]}}"#)]
        {
            printed.error(&KeySet::from_json(json.as_bytes()).unwrap_err());
        }
    }
}

/// Every error that requests near a genuine one can cause.
fn verifying(printed: &mut Printed) {
    for (signer, verifier) in schemes() {
        let body = body_of(&signer);
        let mut genuine = request();
        let headers = signer.sign_request(&genuine, &mid("m"), at(0), body).unwrap();
        hide_macs(printed, &headers);
        genuine.headers.extend(headers.clone());
        let mut refuse = |request: &request::Parts, body: &[u8], now: Timestamp| {
            if let Err(error) = verifier.verify_request(request, body, now) {
                printed.error(&error);
            }
        };
        for now in [at(0), at(1_000), at(-1_000), Timestamp::MIN, Timestamp::MAX] {
            refuse(&genuine, body, now);
            refuse(&genuine, b"other", now);
            refuse(&genuine, BODY.as_bytes(), now);
        }
        for name in headers.keys() {
            for value in WRONG.map(HeaderValue::from_static).iter().chain(&[nonsense()]) {
                let mut request = genuine.clone();
                request.headers.append(name, value.clone());
                refuse(&request, body, at(0));
                request.headers.insert(name, value.clone());
                refuse(&request, body, at(0));
            }
            let mut request = genuine.clone();
            request.headers.remove(name);
            refuse(&request, body, at(0));
        }
        let mut request = genuine.clone();
        request.uri = "*".parse().unwrap();
        refuse(&request, body, at(0));
        if let Err(error) = verifier.verify(&genuine.headers, body, at(0)) {
            printed.error(&error);
        }
    }
    let spec = SchemeSpec::new("x-signature", "{timestamp}.{body}").with_separator(',');
    let spec = spec.with_prefix("v0=").with_timestamp_field("t=", TimestampForm::UnixSeconds);
    let scheme = CustomScheme::new(spec.with_stronger_prefix("v1=")).unwrap();
    let mut headers = HeaderMap::new();
    let both = HeaderValue::try_from(format!("t=1744882200,v0={SECRET},v1={SECRET}")).unwrap();
    headers.insert("x-signature", both);
    let verifier = Verifier::custom(scheme, secret()).unwrap();
    printed.error(&verifier.verify(&headers, BODY.as_bytes(), at(0)).unwrap_err());
    // No scheme gives it without the feature.
    #[cfg(not(feature = "twilio"))]
    printed.error(&labhook::VerifyError::TooManyParameters { limit: 1_000 });
    #[cfg(feature = "twilio")]
    {
        let form = vec!["a=b"; 1_001].join("&");
        let verifier = Verifier::new(Scheme::Twilio, secret()).unwrap();
        let request =
            http::Request::post(URL).header("x-twilio-signature", "g0hM9SsE+OTPJTGt/tmIKtSyZlE=");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let (request, ()) = request.body(()).unwrap().into_parts();
        printed.error(&verifier.verify_request(&request, form.as_bytes(), at(0)).unwrap_err());
    }
}

const WRONG: [&str; 9] = [
    "",
    "m.1",
    "v1,AAAA",
    "v1a,AAAA",
    "+5",
    "t=5,t=6,v1=00",
    "v1=00",
    SECRET,
    "v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A \
     v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A v1,A",
];

/// A header value that is not ASCII.
fn nonsense() -> HeaderValue {
    HeaderValue::from_bytes(b"\xb5\xff").unwrap()
}

fn http_messages(printed: &mut Printed) {
    let profile = HttpMessageProfile::new().with_tag("lab").unwrap();
    let scheme = Scheme::HttpMessageSignatures(profile);
    let signer = Signer::new(scheme.clone(), secret()).unwrap();
    let verifier = Verifier::new(scheme, secret()).unwrap();
    let mut genuine = request();
    let headers = signer.sign_request(&genuine, &mid("m"), at(0), BODY.as_bytes()).unwrap();
    hide_macs(printed, &headers);
    genuine.headers.extend(headers);
    for (name, from, to) in [
        ("signature-input", "(", "( "),
        ("signature-input", "sig1", "sig2"),
        ("signature-input", "\"@method\" ", ""),
        ("signature-input", "\"@method\" ", "\"@method\" \"x\" "),
        ("signature-input", "\"@method\" ", "\"@method\" \"@method\" "),
        ("signature-input", ";created=1744882200", ""),
        ("signature-input", ";created=1744882200", ";created=\"1\""),
        ("signature-input", ";tag=\"lab\"", ";tag=\"mab\""),
        ("signature-input", ";tag", ";gat"),
        ("content-digest", "sha-256", "sha-512"),
        ("content-digest", "sha-256", "sha-256=::, sha-256"),
    ] {
        let mut request = genuine.clone();
        let text = request.headers[name].to_str().unwrap().replace(from, to);
        request.headers.insert(name, text.parse().unwrap());
        if let Err(error) = verifier.verify_request(&request, BODY.as_bytes(), at(0)) {
            printed.error(&error);
        }
    }
    let mut request = genuine.clone();
    request.headers.append("signature", genuine.headers["signature"].clone());
    printed.error(&verifier.verify_request(&request, BODY.as_bytes(), at(0)).unwrap_err());
    let mut request = genuine.clone();
    request.headers.insert("content-type", nonsense());
    printed.error(&verifier.verify_request(&request, BODY.as_bytes(), at(0)).unwrap_err());
    let day = std::time::Duration::from_secs(86_400);
    let patient = verifier.with_tolerance(day, day);
    printed.error(&patient.verify_request(&genuine, BODY.as_bytes(), at(900)).unwrap_err());
    printed.error(&patient.verify_request(&genuine, b"other", at(0)).unwrap_err());
    for error in [
        HttpMessageProfile::new().with_label("A").unwrap_err(),
        HttpMessageProfile::new().with_tag("\u{e9}").unwrap_err(),
        HttpMessageProfile::new().with_key_ids([""]).unwrap_err(),
        HttpMessageProfile::new().with_id_header(HeaderName::from_static("signature")).unwrap_err(),
    ] {
        printed.error(&error);
    }
}

fn signing(printed: &mut Printed) {
    for (signer, _) in schemes() {
        let body = body_of(&signer);
        let mut refuse = |request: &request::Parts, body: &[u8]| {
            if let Err(error) = signer.sign_request(request, &mid("m"), at(0), body) {
                printed.error(&error);
            }
        };
        refuse(&request(), BODY.as_bytes());
        let mut other = request();
        other.headers.clear();
        refuse(&other, body);
        other.headers.insert("content-type", nonsense());
        refuse(&other, body);
        other.uri = "/in".parse().unwrap();
        refuse(&other, body);
        if let Err(error) = signer.sign(&mid("m"), at(0), body) {
            printed.error(&error);
        }
    }
    let many = (0..33).fold(Signer::standard_webhooks(secret()), |it, _| it.add_secret(older()));
    printed.error(&many.sign(&mid("m"), at(0), BODY.as_bytes()).unwrap_err());
    let spec = SchemeSpec::new("x-signature", "{header:x-extra}\n{timestamp}\n{body}")
        .with_timestamp_header("x-timestamp", TimestampForm::Rfc3339);
    let scheme = CustomScheme::new(spec).unwrap();
    let signer = Signer::custom(scheme, secret()).unwrap();
    let mut request = request();
    for now in [Timestamp::MAX, at(0)] {
        printed.error(&signer.sign_request(&request, &mid("m"), now, b"").unwrap_err());
        for value in [SECRET, HEADER] {
            request.headers.append("x-extra", HeaderValue::from_static(value));
        }
        printed.error(&signer.sign_request(&request, &mid("m"), now, b"").unwrap_err());
        request.headers.clear();
    }
}
