//! Errors of endpoints, their addresses and requests, and of vendors' hooks.

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use labhook::endpoint::{AddressPolicy, EndpointConfig, EndpointError, Network, Registry};
use labhook::provider::strike::{CreateSubscription, UpdateSubscription, WebhookVersion};
use labhook::provider::{linq, segments, strateos, strike};
use labhook::signature::{CustomScheme, SchemeSpec, TimestampForm};
use labhook::{Endpoint, Secret, Signer, Timestamp};

use super::super::printed::{HEADER, Printed, SECRET, URL};
use super::super::types::{endpoint, message, rendering, secret};
use crate::support::{at, eid, mid, registry};

pub(super) fn print_all(printed: &mut Printed) {
    endpoints(printed);
    addresses(printed);
    requests(printed);
    hooks(printed);
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
