//! Custom schemes that sign method, URL and headers; and weaker ones beside stronger ones.

use http::{HeaderMap, HeaderName, Method, Request, request};
use labhook::endpoint::Endpoint;
use labhook::message::Rendering;
use labhook::signature::{CustomScheme, SchemeSpec, SchemeSpecError, TimestampForm};
use labhook::{EndpointId, Secret, Signer, Verifier};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{BODY, NOW, id, secret, value};

const ALL: &str = "{method}{path}?{query}\n{header:x-cell}\n{timestamp}\n{id}\n{body}";

fn scheme(template: &str) -> CustomScheme {
    let mut spec = SchemeSpec::new("x-signature", template);
    if template.contains("{id}") {
        spec = spec.with_id_header("x-id");
    }
    if template.contains("{timestamp}") {
        spec = spec.with_timestamp_header("x-time", TimestampForm::UnixSeconds);
    }
    CustomScheme::new(spec).unwrap()
}

fn parts(method: Method, uri: &str, cell: Option<&str>) -> request::Parts {
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri.parse().unwrap();
    if let Some(cell) = cell {
        request.headers_mut().insert("x-cell", value(cell));
    }
    request.into_parts().0
}

#[test]
fn every_value_of_the_request_is_signed() {
    let scheme = scheme(ALL);
    let signer = Signer::custom(scheme.clone(), secret()).unwrap();
    let verifier = Verifier::custom(scheme, secret()).unwrap();
    let verdict = |request: &request::Parts| {
        verifier.verify_request(request, BODY, NOW).map(drop).map_err(|error| error.name())
    };
    let mut request = parts(Method::POST, "https://lab.example/a/b?c=d", Some("7"));
    let signature = signer.sign_request(&request, &id("msg_1"), NOW, BODY).unwrap();
    request.headers.extend(signature);
    assert_eq!(verdict(&request), Ok(()));

    let changed = |change: fn(&mut request::Parts)| {
        let mut request = request.clone();
        change(&mut request);
        verdict(&request)
    };
    assert_eq!(changed(|it| it.method = Method::PUT), Err("no-match"));
    assert_eq!(changed(|it| it.uri = "/a/c?c=d".parse().unwrap()), Err("no-match"));
    assert_eq!(changed(|it| it.uri = "/a/b?c=e".parse().unwrap()), Err("no-match"));
    assert_eq!(changed(|it| it.uri = "/a/b".parse().unwrap()), Err("no-match"));
    assert_eq!(changed(|it| it.uri = "/a%2Fb?c=d".parse().unwrap()), Err("no-match"));
    assert_eq!(changed(|it| it.uri = "*".parse().unwrap()), Err("malformed-target"));
    assert_eq!(changed(|it| drop(it.headers.insert("x-cell", value("8")))), Err("no-match"));
    assert_eq!(changed(|it| drop(it.headers.remove("x-cell"))), Err("missing-header"));
    let conflict = |it: &mut request::Parts| _ = it.headers.append("x-cell", value("8"));
    assert_eq!(changed(conflict), Err("conflicting-header"));
    // The host is not in the template.
    assert_eq!(changed(|it| it.uri = "/a/b?c=d".parse().unwrap()), Ok(()));
}

#[test]
fn headers_are_verified_without_a_request() {
    let scheme = scheme("{header:x-cell}\n{body}");
    let signer = Signer::custom(scheme.clone(), secret()).unwrap();
    let mut request = parts(Method::POST, "https://lab.example/", Some("7"));
    request.headers.extend(signer.sign_request(&request, &id("m"), NOW, BODY).unwrap());
    let verifier = Verifier::custom(scheme, secret()).unwrap();
    assert!(verifier.verify(&request.headers, BODY, NOW).is_ok());
}

#[test]
fn each_signing_error_has_its_text() {
    let sign = |template: &str, request: &request::Parts| {
        let signer = Signer::custom(scheme(template), secret()).unwrap();
        signer.sign_request(request, &id("m"), NOW, BODY).unwrap_err().to_string()
    };
    let relative = parts(Method::POST, "/hooks", None);
    assert_eq!(
        sign("{url}{body}", &relative),
        "the request must have an absolute URL, which the scheme signs"
    );
    assert_eq!(
        sign("{header:x-cell}\n{body}", &relative),
        "the request must have the x-cell header, which the scheme signs"
    );
    let mut twice = parts(Method::POST, "/hooks", Some("7"));
    twice.headers.append("x-cell", value("8"));
    assert_eq!(
        sign("{header:x-cell}\n{body}", &twice),
        "the x-cell header, which the scheme signs, is repeated with different values"
    );
}

#[test]
fn endpoint_signs_the_request_that_it_sends() {
    let scheme = scheme("{method}{url}\n{header:content-type}\n{header:x-api-key}\n{body}");
    let signer = Signer::custom(scheme.clone(), secret()).unwrap();
    let endpoint =
        Endpoint::new(EndpointId::new("e").unwrap(), "https://lab.example/hooks?a=1", signer)
            .unwrap()
            .add_header(HeaderName::from_static("x-api-key"), &value("k-17"))
            .unwrap();
    let rendering = Rendering::new(value("application/json"), BODY.to_vec());
    let request = endpoint.request(&id("m"), &rendering, NOW).unwrap();
    let (mut parts, body) = request.into_parts();
    let verifier = Verifier::custom(scheme, secret()).unwrap();
    assert!(verifier.verify_request(&parts, &body, NOW).is_ok());
    parts.headers.insert("x-api-key", value("k-18"));
    let error = verifier.verify_request(&parts, &body, NOW).unwrap_err();
    assert_eq!(error.name(), "no-match");
}

#[test]
fn movable_values_of_a_request_are_rejected() {
    for template in [
        "{path}{body}",
        "{path}.{body}",
        "{query} {url}{timestamp}{body}",
        "{method}{query}{body}",
        "{method}.{path}\n{body}",
        "{header:x-cell} {body}",
        "{header:x-cell}{header:x-b}\n{body}",
        "{id}.{path}\n{body}",
        "{timestamp}.{url}\n{body}",
        "{body}.{method}{url}",
        "{body}\n{method}{url}",
        "{body}\n{path}?{query}",
        "{url}-{body}",
        "{body}-{url}",
    ] {
        let spec = SchemeSpec::new("x-signature", template)
            .with_id_header("x-id")
            .with_timestamp_header("x-time", TimestampForm::UnixSeconds);
        let error = CustomScheme::new(spec).unwrap_err();
        assert_eq!(error, SchemeSpecError::RequestValueNotDelimited, "{template}");
    }
    for template in
        ["{method}{url}{body}", "{body}{url}", "{method}{path}?{query}\n{body}", "{body}\n{path}"]
    {
        assert!(CustomScheme::new(SchemeSpec::new("x-signature", template)).is_ok(), "{template}");
    }
    let error = |template: &str| {
        CustomScheme::new(SchemeSpec::new("x-signature", template)).unwrap_err().to_string()
    };
    assert_eq!(
        error("{path}{body}"),
        "the template must have text between a value of the request and another value that the \
         former cannot contain, such as a line feed"
    );
    assert_eq!(
        error(
            "{header:a}\n{header:b}\n{header:c}\n{header:d}\n{header:e}\n{header:f}\n{header:g}\n\
               {header:h}\n{body}"
        ),
        "the template must have at most 12 placeholders and texts"
    );
    for bad in ["{header:}{body}", "{header:X-Cell}{body}", "{header:x cell}{body}", "{host}{body}"]
    {
        assert_eq!(
            error(bad),
            "the template has a brace outside a placeholder such as `{body}`",
            "{bad}"
        );
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Signed {
    method: String,
    target: String,
    cell: String,
    id: String,
    body: String,
}

fn signed() -> impl Strategy<Value = Signed> {
    let text = |pieces: &'static [&'static str]| {
        vec(select(pieces), 1..4).prop_map(|pieces| pieces.concat())
    };
    (
        text(&["POST", "h", "http", "s", "!"]),
        text(&["/", "a", "?", "POST", "http:", "\u{7e}", "."]),
        text(&["/a", "?", "POST", " ", "m", "."]),
        text(&["m", ".", "/a", "?", " ", "POST"]),
        text(&["\n", "/a", "?", "m", " ", "POST", ".", "https://lab.example/"]),
    )
        .prop_map(|(method, target, cell, id, body)| Signed {
            method,
            target: format!("/{target}"),
            cell: cell.trim().to_owned(),
            id: id.trim().to_owned(),
            body,
        })
        .prop_filter("an id is not empty", |it| !it.id.is_empty())
}

proptest! {
    /// Two requests that differ in a signed value never have one signature.
    #[test]
    fn different_requests_have_other_signatures(
        template in select(&[
            ALL,
            "{method} {path}?{query}\n{header:x-cell}\n{id}\n{body}",
            "{method}{url}\n{header:x-cell}\n{id}.{body}",
            "{id}\n{body}\n{method} {path} {query}\n{header:x-cell}",
        ][..]),
        one in signed(),
        other in signed(),
    ) {
        let signer = Signer::custom(scheme(template), secret()).unwrap();
        let sign = |it: &Signed| {
            let method = Method::from_bytes(it.method.as_bytes()).unwrap();
            let uri = format!("https://lab.example{}", it.target);
            let request = parts(method, &uri, Some(&it.cell));
            // `/a` and `/a?` are one request to a template with the query in it.
            let known = request.uri.path_and_query().unwrap().as_str().trim_end_matches('?').to_owned();
            let signature = signer.sign_request(&request, &id(&it.id), NOW, it.body.as_bytes());
            signature.ok().map(|headers: HeaderMap| (known, headers["x-signature"].clone()))
        };
        if let (Some((one_target, one_signature)), Some((other_target, other_signature))) =
            (sign(&one), sign(&other))
        {
            let same = Signed { target: one_target, ..one.clone() }
                == Signed { target: other_target, ..other.clone() };
            prop_assert_eq!(one_signature == other_signature, same);
        }
    }
}

#[test]
fn stronger_signature_rules_out_the_weaker() {
    let spec = |template: &'static str, prefix: &'static str| {
        SchemeSpec::new("x-signature", template)
            .with_separator(',')
            .with_prefix(prefix)
            .with_timestamp_field("t=", TimestampForm::UnixSeconds)
    };
    let weak = CustomScheme::new(spec("{timestamp}.{body}", "v0=").with_stronger_prefix("v1="));
    let weak = weak.unwrap();
    let strong = CustomScheme::new(spec("{timestamp}\n{header:x-cell}\n{body}", "v1=")).unwrap();
    let (weak_secret, strong_secret) =
        (Secret::from_text("weak secret").unwrap(), Secret::from_text("strong secret").unwrap());
    let request = parts(Method::POST, "https://lab.example/", Some("7"));
    let line = |scheme: &CustomScheme, secret: &Secret| {
        let signer = Signer::custom(scheme.clone(), secret.clone()).unwrap();
        let headers = signer.sign_request(&request, &id("m"), NOW, BODY).unwrap();
        headers["x-signature"].to_str().unwrap().to_owned()
    };
    let verdict = |scheme: &CustomScheme, secret: &Secret, text: &str| {
        let mut request = request.clone();
        request.headers.insert("x-signature", value(text));
        let verifier = Verifier::custom(scheme.clone(), secret.clone()).unwrap();
        verifier.verify_request(&request, BODY, NOW).map(drop).map_err(|error| error.name())
    };
    let only_weak = line(&weak, &weak_secret);
    assert_eq!(verdict(&weak, &weak_secret, &only_weak), Ok(()));
    // The weaker code is right, the stronger one is wrong: neither accepts it.
    let forged = line(&strong, &weak_secret);
    let both = format!("{only_weak},{}", forged.split_once(',').unwrap().1);
    assert_eq!(verdict(&strong, &strong_secret, &both), Err("no-match"));
    assert_eq!(verdict(&weak, &weak_secret, &both), Err("stronger-signature"));
    assert_eq!(
        verdict(&weak, &weak_secret, &format!("{only_weak},v1=x")),
        Err("stronger-signature")
    );

    let error = |spec: SchemeSpec<'_>| CustomScheme::new(spec).unwrap_err();
    let plain = || SchemeSpec::new("x-signature", "{body}").with_prefix("v0=");
    assert_eq!(error(plain().with_stronger_prefix("v1=")), SchemeSpecError::Separator);
    let listed = || plain().with_separator(',');
    assert_eq!(error(listed().with_stronger_prefix("v1,")), SchemeSpecError::Separator);
    assert_eq!(error(listed().with_stronger_prefix("")), SchemeSpecError::Prefix);
    assert_eq!(error(listed().with_stronger_prefix("v0=")), SchemeSpecError::SamePrefix);
    assert_eq!(error(listed().with_stronger_prefix("v")), SchemeSpecError::SamePrefix);
    // A sixteenth of the signatures would begin like a stronger one.
    assert_eq!(error(listed().with_stronger_prefix("v0=3")), SchemeSpecError::SamePrefix);
    let with_values = || listed().with_value_separator(';');
    assert_eq!(error(with_values().with_stronger_prefix("3")), SchemeSpecError::SamePrefix);
    for (time, stronger) in [("t=", "t"), ("t", "t="), ("t=", "t=")] {
        let timed = SchemeSpec::new("x-signature", "{timestamp}.{body}")
            .with_prefix("v0=")
            .with_separator(',')
            .with_timestamp_field(time, TimestampForm::UnixSeconds);
        assert_eq!(error(timed.with_stronger_prefix(stronger)), SchemeSpecError::SamePrefix);
    }
    for spec in [listed().with_stronger_prefix("v0=x"), listed().with_stronger_prefix("3")] {
        assert!(CustomScheme::new(spec).is_ok(), "{spec:?}");
    }
    assert!(CustomScheme::new(with_values().with_stronger_prefix("v1=")).is_ok());
}

#[test]
fn stronger_prefix_that_would_be_split_is_refused() {
    let spec = |prefix: &'static str| {
        SchemeSpec::new("x-signature", "{body}").with_separator(' ').with_prefix(prefix)
    };
    let timed = SchemeSpec::new("x-signature", "{timestamp}.{body}")
        .with_prefix("v0=")
        .with_separator(';')
        .with_timestamp_field("t=", TimestampForm::UnixSeconds);
    for spec in [
        spec("sha256=").with_stronger_prefix("v2,"),
        spec("sha256,").with_stronger_prefix("sha512,"),
        spec("v1,").with_stronger_prefix("v2,x"),
        spec("v0=").with_value_separator(';').with_stronger_prefix("v;1="),
        timed.with_stronger_prefix("v 1="),
    ] {
        assert_eq!(CustomScheme::new(spec).unwrap_err(), SchemeSpecError::Separator, "{spec:?}");
    }
    let secret = Secret::from_text("a secret of a lab").unwrap();
    for (prefix, stronger) in [("v1,", "v2,"), ("v1,", "x="), ("a,b,", "c,d,"), ("v1=", "v2=")] {
        let scheme = CustomScheme::new(spec(prefix).with_stronger_prefix(stronger)).unwrap();
        let signer = Signer::custom(scheme.clone(), secret.clone()).unwrap();
        let signed = signer.sign(&id("m"), NOW, BODY).unwrap();
        let signature = signed["x-signature"].to_str().unwrap();
        let verifier = Verifier::custom(scheme, secret.clone()).unwrap();
        let verdict = |line: &str| {
            let name = HeaderName::from_static("x-signature");
            let headers = HeaderMap::from_iter([(name, value(line))]);
            verifier.verify(&headers, BODY, NOW).map(drop).map_err(|error| error.name())
        };
        assert_eq!(verdict(signature), Ok(()));
        for both in [format!("{signature} {stronger}x"), format!("{stronger}x {signature}")] {
            assert_eq!(verdict(&both), Err("stronger-signature"), "{both}");
        }
    }
}
