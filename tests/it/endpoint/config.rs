//! Endpoints in a configuration file.

use std::collections::BTreeMap;

use labhook::endpoint::{EndpointConfig, EndpointConfigError};
use labhook::policy::lint::{Assumptions, Severity};
use labhook::{Endpoint, EndpointId, EventType, Keys, Message, MessageId, Order, Signer};

use crate::support::{at, eid, message};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn lookup(name: &str) -> Option<&'static str> {
    match name {
        "ELN_SECRET" => Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"),
        "API_KEY" => Some("hunter2hunter2"),
        "SLACK_URL" => Some("https://hooks.slack.example/services/T0/B0/hidden"),
        _ => None,
    }
}

const FILE: &str = r#"
    [eln]
    url = "https://eln.example/in"
    secret = { encoding = "whsec", env = "ELN_SECRET" }
    headers = { x-api-key = { encoding = "text", env = "API_KEY" }, x-tenant = "lab-1" }
    subscription = { event_types = ["run.*"] }
    format = { cloudevents_structured = "/cell-1" }
    retry = { preset = "svix", window = "1d" }
    order = { scope = "per_key", skip_after = "10m" }

    [slack]
    url = { encoding = "text", env = "SLACK_URL" }
    signature = "unsigned"
    format = "slack"
    enabled = false

    [local]
    url = "http://127.0.0.1:8080/in"
    plain_http = true
    signature = "svix"
    secret = { encoding = "whsec", value = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }

    [pay]
    url = "https://pay.example/in"
    signature = "strike"
    secret = { encoding = "text", value = "s3cRe7 of the lab" }
"#;

fn read(file: &str) -> Result<BTreeMap<EndpointId, EndpointConfig>, String> {
    toml::from_str(file).map_err(|error| error.message().to_owned())
}

fn endpoint(id: &str) -> Endpoint {
    read(FILE).unwrap()[id].endpoint(eid(id), lookup).unwrap()
}

#[test]
fn endpoint_is_built_from_one_table() {
    let eln = endpoint("eln");
    assert_eq!(eln.expose_url(), "https://eln.example/in");
    assert_eq!(eln.format().name(), "cloudevents-structured /cell-1");
    assert!(eln.enabled && eln.subscription.matches(&message("m")));
    let other = EventType::from_static("task.state_changed");
    let rendering = message("m").rendering("labhook").unwrap().clone();
    let id = MessageId::new("t").unwrap();
    let task = Message::new(id, other, at(0), Keys::new(), "labhook", rendering);
    assert!(!eln.subscription.matches(&task));
    assert_eq!(eln.policy.order.scope(), Order::per_key().scope());
    assert_eq!(eln.policy.retry.schedule().retries(), Some(7));

    let mut published = message("m");
    published.render(eln.format()).unwrap();
    let rendering = published.rendering(eln.format().name()).unwrap();
    let request = eln.request(published.id(), rendering, at(0)).unwrap();
    let headers = request.headers();
    assert_eq!(headers["x-api-key"], "hunter2hunter2");
    assert_eq!(headers["x-tenant"], "lab-1");
    assert!(headers.contains_key("webhook-signature"));

    let slack = endpoint("slack");
    assert_eq!(slack.expose_url(), "https://hooks.slack.example/services/T0/B0/hidden");
    assert!(!slack.enabled);
    assert_eq!(slack.format().name(), "slack");
    let local = endpoint("local");
    let rendering = published.rendering("labhook").unwrap();
    let request = local.request(published.id(), rendering, at(0)).unwrap();
    assert!(request.headers().contains_key("svix-signature"));
    let request = endpoint("pay").request(published.id(), rendering, at(0)).unwrap();
    assert!(request.headers().contains_key("x-webhook-signature"));
}

#[test]
fn table_with_a_mistake_is_refused() {
    for (file, error) in [
        ("[a]\nsignature = \"unsigned\"", "missing field `url`"),
        ("[a]\nurl = \"https://a.example/\"", "a signed endpoint needs a `secret`"),
        (
            "[a]\nurl = \"https://a.example/\"\nsignature = \"unsigned\"\n\
             secret = { encoding = \"text\", value = \"x\" }",
            "an unsigned endpoint has no `secret`",
        ),
        ("[a]\nurl = \"u\"\nsecrets = 1", "unknown field `secrets`"),
        ("[a]\nurl = \"u\"\nretry = { windw = 1 }", "unknown field `windw`"),
        ("[a]\nurl = \"u\"\nsubscription = [[\"run.*\"]]", "invalid type: sequence"),
        ("a = [\"https://a.example/\"]", "invalid type: sequence"),
    ] {
        let refused = read(file).unwrap_err();
        assert!(refused.contains(error), "{file}: {refused}");
    }
}

#[test]
fn failures_show_neither_url_nor_secret() {
    let unset = read(FILE).unwrap()["eln"].endpoint(eid("eln"), |_| None::<&str>).unwrap_err();
    assert!(matches!(unset, EndpointConfigError::Secret(_)), "{unset}");
    let file = FILE.replace("https://eln.example/in", "http://eln.example/hidden");
    let plain = read(&file).unwrap()["eln"].endpoint(eid("eln"), lookup).unwrap_err();
    assert!(matches!(plain, EndpointConfigError::Endpoint(_)), "{plain}");
    let file = FILE.replace("x-tenant", "\"x tenant\"");
    let name = read(&file).unwrap()["eln"].endpoint(eid("eln"), lookup).unwrap_err();
    for text in [
        format!("{plain} {plain:?}"),
        format!("{name} {name:?}"),
        format!("{:?}", read(FILE).unwrap()),
    ] {
        for hidden in ["hidden", SECRET, "hunter2", "eln.example"] {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
}

#[test]
fn error_of_a_file_quotes_no_secret() {
    let table = "an endpoint table with a `url`";
    let headers = "a table of `headers`, with a value for each name";
    let text = "text, or a secret with `encoding` and either `env` or `value`";
    let signature = "`signature` as one of `standard_webhooks`, `svix`, `strike`, `unsigned`";
    let endpoint = |rest: &str| format!(r#"{{"url": "https://s3cRe7.example", {rest}}}"#);
    for (json, expected) in [
        (r#""https://s3cRe7.example""#.to_owned(), table),
        ("5377".to_owned(), table),
        (r#"{"url": 5377}"#.to_owned(), text),
        (r#"{"url": -53.77}"#.to_owned(), text),
        (r#"{"url": ["s3cRe7"]}"#.to_owned(), text),
        (r#"{"url": {"s3cRe7": "s3cRe7"}}"#.to_owned(), text),
        (endpoint(r#""headers": "x: s3cRe7""#), headers),
        (endpoint(r#""headers": 5377"#), headers),
        (endpoint(r#""headers": -5377"#), headers),
        (endpoint(r#""headers": true"#), headers),
        (endpoint(r#""headers": ["x: s3cRe7"]"#), headers),
        (endpoint(r#""headers": {"x": 5377}"#), text),
        (endpoint(r#""headers": {"x": ["s3cRe7"]}"#), text),
        (endpoint(r#""headers": {"x": {"encoding": "text", "value": 5377}}"#), text),
        (endpoint(r#""signature": "s3cRe7""#), signature),
        (endpoint(r#""signature": 5377"#), signature),
        (endpoint(r#""secret": "s3cRe7""#), "an object with `encoding`"),
        (endpoint(r#""secret": 5377"#), "an object with `encoding`"),
    ] {
        let error = serde_json::from_str::<EndpointConfig>(&json).unwrap_err();
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let again = serde_json::from_value::<EndpointConfig>(value).unwrap_err();
        for error in [error.to_string(), again.to_string()] {
            assert!(error.contains(expected), "{json}: {error}");
            assert!(!["s3cRe7", "5377", "53.77"].iter().any(|it| error.contains(it)), "{error}");
        }
    }
}

#[test]
fn default_endpoint_has_no_finding_of_risk() {
    let new = Endpoint::new(eid("a"), "https://a.example/", Signer::unsigned()).unwrap();
    let file = "[a]\nurl = \"https://a.example/\"\nsignature = \"unsigned\"";
    let read = read(file).unwrap()["a"].endpoint(eid("a"), lookup).unwrap();
    assert_eq!(new.policy, read.policy);
    let findings = new.policy.lint(&Assumptions::new());
    assert!(findings.iter().all(|it| it.severity() < Severity::Risk), "{findings:?}");
}
