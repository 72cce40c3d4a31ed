//! Errors of values with secrets, each variant once at least: [`print_all`].

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, request};
use labhook::endpoint::{AddressPolicy, EndpointConfig, EndpointError, Network, Registry};
use labhook::lab::{PlanCreated, RunStateChanged};
use labhook::message::format::{CloudEvent, FormatError};
use labhook::provider::strike::{CreateSubscription, UpdateSubscription, WebhookVersion};
use labhook::provider::{linq, segments, strateos, strike};
use labhook::receive::{BodyError, Source, Sources};
use labhook::secret::SecretRef;
use labhook::signature::{CustomScheme, HttpMessageProfile, Scheme, SchemeSpec, TimestampForm};
use labhook::{
    Endpoint, Event, EventType, LabEvent, Outbox, Secret, Signer, Timestamp, Verifier, danger,
};

use super::printed::{BODY, HEADER, Printed, SECRET, URL};
use super::types::{
    body_of, endpoint, hide_macs, message, older, rendering, request, schemes, secret,
};
use crate::support::{at, drain, eid, mid, registry};

pub(super) fn print_all(printed: &mut Printed) {
    secrets(printed);
    keys(printed);
    verifying(printed);
    http_messages(printed);
    signing(printed);
    endpoints(printed);
    addresses(printed);
    requests(printed);
    hooks(printed);
    bodies(printed);
    outbox(printed);
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

fn endpoints(printed: &mut Printed) {
    for url in [
        SECRET.to_owned(),
        format!("/{SECRET}"),
        URL.replace(":8443", " "),
        URL.replace(":8443", &format!(":{SECRET}")),
        URL.replace("eln", &format!("{SECRET}:{SECRET}@eln")),
        URL.replace("eln.example", "-.example"),
        URL.replace("https", "http"),
        URL.replace("https", "ftp"),
        format!("{URL}#{SECRET}"),
        format!("{URL}\\"),
        format!("{URL}\u{e9}"),
    ] {
        printed.error(&Endpoint::new(eid("eln"), &url, Signer::unsigned()).unwrap_err());
    }
    printed.error(&EndpointError::NotUrl(format!("{URL} ").parse::<http::Uri>().unwrap_err()));
    for name in ["x-api-key", "host"] {
        let header = HeaderValue::from_static(HEADER);
        let error = endpoint().add_header(HeaderName::from_static(name), &header).unwrap_err();
        printed.error(&error);
    }
    let mut full = registry([endpoint()]);
    printed.error(&full.insert(endpoint()).unwrap_err());
    printed.error(&Registry::new().with_limit(0).insert(endpoint()).unwrap_err());
    printed.error(&Registry::new().replace(endpoint()).unwrap_err());
    let secret = format!(r#"{{"encoding":"text","value":"{SECRET}"}}"#);
    for members in [
        format!(r#""url":{{"encoding":"text","env":"ELN"}},"secret":{secret}"#),
        format!(r#""url":"{URL}\\","secret":{secret}"#),
        format!(r#""url":"{URL}","secret":{secret},"headers":{{"x y":"{HEADER}"}}"#),
        format!(r#""url":"{URL}","secret":{secret},"headers":{{"x":"{HEADER}\n"}}"#),
        format!(
            r#""url":"{URL}","secret":{secret},"format":{{"cloudevents_binary":"{URL}\u0001"}}"#
        ),
    ] {
        let config: EndpointConfig = serde_json::from_str(&format!("{{{members}}}")).unwrap();
        printed.error(&config.endpoint(eid("eln"), |_| None::<&str>).unwrap_err());
    }
    for members in [
        format!(r#""url":["{URL}"]"#),
        format!(r#""url":"{URL}","secret":"{SECRET}""#),
        format!(r#""url":"{URL}","signature":"{SECRET}""#),
        format!(r#""url":"{URL}","headers":"x-api-key: {HEADER}""#),
        format!(r#""url":"{URL}","headers":{{"x-api-key":["{HEADER}"]}}"#),
    ] {
        let error = serde_json::from_str::<EndpointConfig>(&format!("{{{members}}}")).unwrap_err();
        printed.error(&error);
    }
}

fn addresses(printed: &mut Printed) {
    let at_address = |address| URL.replace("eln.example", address);
    let refusing = AddressPolicy::public().refuse_network("8.8.8.0/24".parse().unwrap());
    for url in [at_address("127.0.0.1"), at_address("8.8.8.8"), format!("{URL}#{SECRET}")] {
        printed.error(&refusing.check_url(&url).unwrap_err());
    }
    for text in [SECRET, "10.0.0.0/33", "10.0.0.1/8", "::ffff:0:0/96"] {
        printed.error(&text.parse::<Network>().unwrap_err());
    }
}

fn requests(printed: &mut Printed) {
    let endpoint = endpoint();
    let request = |body: &'static str| {
        endpoint.request_with_body(&mid("m"), &rendering(), body, at(0)).unwrap_err()
    };
    printed.error(&request(SECRET));
    let mut detached = message("m");
    assert_eq!(detached.detach_bodies().len(), 1);
    let kept = detached.rendering("labhook").unwrap();
    printed.error(&endpoint.request(&mid("m"), kept, at(0)).unwrap_err());
    let spec = SchemeSpec::new("x-signature", "{timestamp}.{body}")
        .with_timestamp_header("x-timestamp", TimestampForm::Rfc3339);
    let signer = Signer::custom(CustomScheme::new(spec).unwrap(), secret()).unwrap();
    let timed = Endpoint::new(eid("eln"), URL, signer).unwrap();
    printed.error(&timed.request(&mid("m"), &rendering(), Timestamp::MAX).unwrap_err());

    let mut many = HeaderMap::new();
    let error = (0..40_000).find_map(|number| {
        let name = HeaderName::try_from(format!("x-{number}")).unwrap();
        many.try_insert(name, HeaderValue::from_static(HEADER)).err()
    });
    printed.error(&labhook::endpoint::RequestError::from(error.unwrap()));
}

fn hooks(printed: &mut Printed) {
    let hook = |url: &str| linq::Hook::new(linq::Watch::NewPlan, url);
    for hook in [
        hook(&URL.replace("https", "http")),
        hook(URL).add_header("x y", HEADER),
        hook(URL).add_header("x-api-key", &format!("{HEADER}\n")),
        hook(URL).add_header("host", HEADER),
    ] {
        printed.error(&hook.endpoint(eid("eln")).unwrap_err());
    }
    let parameters = format!(r#""parameters":{{"url":"{URL}","headers":{{"x":"{HEADER}"}}}}"#);
    for json in [
        format!("{{{parameters}}}"),
        format!(r#"{{"task_ids":[],"labware_ids":[],{parameters}}}"#),
        format!(r#"{{"filter":["{SECRET}"],{parameters}}}"#),
        format!(r#"{{"filter":"on_new_plan","parameters":{{"url":["{URL}"]}}}}"#),
        format!(r#"{{"filter":"on_new_plan","parameters":"{URL}"}}"#),
    ] {
        printed.error(&linq::Hook::from_json(&json).unwrap_err());
        printed.error(&linq::Hook::list_from_json(&format!("[{json}]")).unwrap_err());
        printed.error(&serde_json::from_str::<linq::Hook>(&json).unwrap_err());
    }
    let plain = URL.replace("https", "http");
    printed.error(&segments::Hook::new(&plain, "jane").unwrap_err());
    printed.error(&segments::Hook::new(URL, "").unwrap_err());
    let segments = segments::Hook::new(URL, "jane").unwrap();
    printed.error(&segments.endpoint(eid("eln"), Signer::strike(secret())).unwrap_err());
    let project = strateos::ProjectWebhook::new(strateos::Project::new("p1"));
    printed.error(&project.with_url(&plain).unwrap_err());

    let create = |url: &str, secret: Secret, types: &[&str]| {
        let types = types.iter().copied();
        CreateSubscription::new(url, WebhookVersion::V1, secret, types)
    };
    let short = Secret::from_text(&SECRET[..9]).unwrap();
    let bytes = Secret::from_bytes(&[b"\xff\xff", SECRET.as_bytes()].concat()).unwrap();
    for error in [
        create(&plain, secret(), &["invoice.updated"]).unwrap_err(),
        create(&format!("{URL}#{SECRET}"), secret(), &["invoice.updated"]).unwrap_err(),
        create(URL, short, &["invoice.updated"]).unwrap_err(),
        create(URL, bytes, &["invoice.updated"]).unwrap_err(),
        create(URL, secret(), &[]).unwrap_err(),
        UpdateSubscription::new().with_webhook_version("v9".into()).unwrap_err(),
        create(URL, secret(), &["ping"]).unwrap().endpoint(eid("eln")).unwrap_err(),
    ] {
        printed.error(&error);
    }
    let json = format!(r#"{{"id":"1","webhookUrl":["{URL}"],"secret":["{SECRET}"]}}"#);
    printed.error(&serde_json::from_str::<strike::Subscription>(&json).unwrap_err());
}

fn bodies(printed: &mut Printed) {
    let trusted = |body: &'static str| danger::unsigned(body.as_bytes());
    printed.quoting_error(&trusted(BODY).decode::<strateos::Webhook>().unwrap_err());
    printed.quoting_error(&message("m").event::<LabEvent>().unwrap_err());
    let run = r#"{"type":"run.state_changed","timestamp":"2025-04-17T09:30:00Z","data":{}}"#;
    let malformed = trusted(run).decode::<Event<RunStateChanged>>();
    printed.quoting_error(&malformed.unwrap_err());
    printed.error(&trusted(run).decode::<Event<PlanCreated>>().unwrap_err());

    let no_webhook = strike::Webhook::from_event(&unknown_event(), &mid("m")).unwrap_err();
    printed.error(&no_webhook);
    printed.error(&BodyError::from(no_webhook));
    let decode = trusted(BODY).decode::<strateos::Webhook>().unwrap_err();
    printed.quoting_error(&BodyError::from(decode));
    let mut headers = HeaderMap::new();
    let mut cloud = |name: &'static str, value: &'static str| {
        headers.append(name, HeaderValue::from_static(value));
        let error = CloudEvent::from_binary(&headers, trusted(BODY).trusted_body()).unwrap_err();
        printed.error(&error);
        printed.error(&BodyError::from(error));
    };
    cloud("ce-specversion", "1.0");
    cloud("ce-id", HEADER);
    cloud("ce-id", HEADER);
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("ce-specversion", "1.0"),
        ("ce-id", "1"),
        ("ce-source", "/lab"),
        ("ce-type", "own.thing"),
        ("content-type", "application/json"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let no_json = trusted(&BODY[1..]).trusted_body();
    printed.quoting_error(&CloudEvent::from_binary(&headers, no_json).unwrap_err());
    headers.insert("content-type", HeaderValue::from_static("application/cloudevents+json"));
    printed.error(&CloudEvent::from_binary(&headers, trusted(BODY).trusted_body()).unwrap_err());
    printed.quoting_error(&FormatError::from(message("m").event::<LabEvent>().unwrap_err()));

    let sources = [Source::envelope("a", Verifier::strike(secret())); 1];
    let [source] = sources;
    printed.error(&Sources::new([source.clone(), source]).unwrap_err());
}

fn unknown_event() -> LabEvent {
    let json =
        format!(r#"{{"type":"own.thing","timestamp":"2025-04-17T09:30:00Z","data":{BODY}}}"#);
    danger::unsigned(json.as_bytes()).decode().unwrap()
}

fn outbox(printed: &mut Printed) {
    let new = || Outbox::new(registry([endpoint()]), 7).with_strict_ids();
    let mut outbox = new();
    outbox.publish(message("m"), at(0)).unwrap();
    let mut other = serde_json::to_value(message("m")).unwrap();
    other["type"] = EventType::from_static("own.other").as_str().into();
    let other = serde_json::from_value(other).unwrap();
    printed.error(&outbox.publish(other, at(0)).unwrap_err());
    printed.error(&outbox.insert_endpoint(endpoint(), at(0)).unwrap_err());
    let attempts = drain(&mut outbox, at(0));
    printed.error(&attempts[0].request(Timestamp::MAX).unwrap_err());
}
