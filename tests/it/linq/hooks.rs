//! Hook definitions of a LINQ workflow.

use std::error::Error as _;

use labhook::endpoint::TriggerOn;
use labhook::lab::{
    LabwareMoved, LabwareTrigger, PlanCreated, PlanStatus, RunState, RunStateChanged, TaskState,
    TaskStateChanged,
};
use labhook::provider::linq::{Hook, HookError, Kind, Watch, policy};
use labhook::{EndpointId, Event, Message, MessageId, Payload, Timestamp};

const HOOKS: &str = include_str!("../../data/linq/hooks.json");
const SECRET: &str = "s3cRe7-0123456789";

fn id() -> EndpointId {
    EndpointId::new("e").unwrap()
}

fn read(json: &str) -> Hook {
    Hook::from_json(json).unwrap()
}

fn message(data: impl Payload) -> Message {
    Event::new(data, Timestamp::UNIX_EPOCH).into_message(MessageId::new("m").unwrap()).unwrap()
}

#[test]
fn hook_list_error_names_the_hook() {
    assert_eq!(Hook::list_from_json("[]"), Ok(Vec::new()));
    let list = |second: &str| {
        let first = r#"{"filter":"on_new_plan","parameters":{"url":"http://canary"}}"#;
        Hook::list_from_json(&format!("[{first},{second}]")).unwrap_err()
    };
    for (second, source) in [
        (
            r#"{"filter":"on_new_plan","parameters":{"url":7}}"#,
            "the hook is malformed at `parameters.url`",
        ),
        (
            r#"{"filter":"on_task_state_change","parameters":{"url":"http://canary"},"task_ids":"t"}"#,
            "the hook is malformed at `task_ids`",
        ),
        (
            r#"{"parameters":{"url":"http://canary"}}"#,
            "the hook has no `filter`, and no other field identifies its kind",
        ),
    ] {
        let error = list(second);
        assert_eq!(error.to_string(), "hook 1 of the list is malformed");
        assert_eq!(error.source().unwrap().to_string(), source);
        assert!(!format!("{error:?}").contains("canary"));
    }
    for text in ["{}", "[", r#"{"hooks":[]}"#] {
        let error = Hook::list_from_json(text).unwrap_err();
        assert!(matches!(error, HookError::Malformed { .. }), "{text}");
    }
}

#[test]
fn hook_list_round_trips_verbatim() {
    let hooks = Hook::list_from_json(HOOKS).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Hook>>(HOOKS).unwrap(), hooks);
    assert_eq!(*Hook::expose_list_json(&hooks), HOOKS.trim_end());
    let kinds: Vec<_> = hooks.iter().filter_map(Hook::kind).collect();
    assert_eq!(kinds, Kind::ALL);
    for hook in &hooks {
        assert_eq!(&read(&hook.expose_json()), hook);
        assert_eq!(hook.expose_url(), "http://example.com");
    }
    assert_eq!(*hooks[1].watch(), Watch::TaskState { task_ids: vec!["t-17".into()] });
    let headers: Vec<_> = hooks[4].expose_headers().collect();
    assert_eq!(headers, [("X-Z", "1"), ("X-A", "2")]);
    assert_eq!(hooks[1].expose_headers().count(), 0);
}

#[test]
fn unknown_members_and_filters_round_trip() {
    for json in [
        r#"{"filter":"on_new_plan","parameters":{"url":"u","headers":null,"verify":1.0},"z":1.10,"task_ids":["t"],"a":{}}"#,
        r#"{"filter":"on_fire","parameters":{"url":"u"},"b":1,"task_ids":[5],"a":null}"#,
        r#"{"filter":"on_labware_movement","parameters":{"url":"u"},"labware_ids":["l"],"trigger_on":"start","task_ids":[]}"#,
    ] {
        assert_eq!(*read(json).expose_json(), json);
    }
    let other = read(r#"{"filter":"on_fire","parameters":{"url":"u"},"colour":"red"}"#);
    assert_eq!(other.kind(), None);
    assert_eq!(other.watch().filter(), "on_fire");
    assert_eq!(other.unknown().get("colour"), Some("\"red\""));
}

#[test]
fn missing_filter_infers_kind_from_other_fields() {
    let parameters = r#""parameters":{"url":"u"}"#;
    for (members, filter, written) in [
        (r#","task_ids":["t"]"#, "on_task_state_change", r#","task_ids":["t"]"#),
        (r#","labware_ids":[]"#, "on_labware_movement", r#","labware_ids":[],"trigger_on":"both""#),
        (
            r#","trigger_on":"end""#,
            "on_labware_movement",
            r#","labware_ids":[],"trigger_on":"end""#,
        ),
        (
            r#","filter":null,"x":1,"task_ids":[]"#,
            "on_task_state_change",
            r#","task_ids":[],"x":1"#,
        ),
    ] {
        assert_eq!(
            *read(&format!("{{{parameters}{members}}}")).expose_json(),
            format!(r#"{{"filter":"{filter}",{parameters}{written}}}"#)
        );
    }
    let refused = |members| Hook::from_json(&format!("{{{parameters}{members}}}")).unwrap_err();
    let none = refused("");
    assert_eq!(none, HookError::NoKind);
    assert_eq!(
        none.to_string(),
        "the hook has no `filter`, and no other field identifies its kind"
    );
    let two = refused(r#","task_ids":[],"trigger_on":"both""#);
    assert_eq!(two, HookError::TwoKinds);
    assert_eq!(two.to_string(), "the hook has no `filter`, and its fields match two kinds");
}

#[test]
fn malformed_hook_error_names_the_path() {
    for (json, path) in [
        (format!(r#""{SECRET}""#), "."),
        (r#"{"filter":"on_new_plan"}"#.to_owned(), "."),
        (format!(r#"{{"filter":5,"parameters":{{"url":"{SECRET}"}}}}"#), "filter"),
        (format!(r#"{{"parameters":"{SECRET}"}}"#), "parameters"),
        (format!(r#"{{"parameters":{{"headers":{{"x":"{SECRET}"}}}}}}"#), "parameters"),
        (format!(r#"{{"parameters":{{"url":["{SECRET}"]}}}}"#), "parameters.url"),
        (format!(r#"{{"parameters":{{"url":"{SECRET}","url":""}}}}"#), "parameters.url"),
        (format!(r#"{{"parameters":{{"url":"u","headers":"{SECRET}"}}}}"#), "parameters.headers"),
        (r#"{"parameters":{"url":"u","headers":{"x":1234}}}"#.to_owned(), "parameters.headers.x"),
        (
            format!(r#"{{"parameters":{{"url":"u","headers":{{"x":"{SECRET}","x":""}}}}}}"#),
            "parameters.headers",
        ),
        (format!(r#"{{"task_ids":"{SECRET}","parameters":{{"url":"u"}}}}"#), "task_ids"),
        (
            format!(
                r#"{{"filter":"on_labware_movement","trigger_on":"{SECRET}","parameters":{{"url":"u"}}}}"#
            ),
            "trigger_on",
        ),
    ] {
        let text = format!("the hook is malformed at `{path}`");
        let error = Hook::from_json(&json).unwrap_err();
        assert_eq!(error.to_string(), text, "{json}");
        assert!(error.source().is_none());
        assert!(!format!("{error:?}").contains(SECRET));
        // As part of a workflow.
        let error = serde_json::from_str::<Vec<Hook>>(&format!("[{json}]")).unwrap_err();
        assert!(error.to_string().starts_with(&text), "{error}");
        assert!(!format!("{error} {error:?}").contains(SECRET));
    }
}

#[test]
fn hook_debug_and_errors_hide_secrets() {
    for (url, printed) in [
        (
            format!("https://user:{SECRET}@lab.example:8443/{SECRET}?{SECRET}"),
            "https://lab.example:8443",
        ),
        (format!("http://lab.example/{SECRET}"), "http://lab.example"),
        (SECRET.to_owned(), "malformed URL"),
        (format!("{SECRET} {SECRET}"), "malformed URL"),
    ] {
        let hook = Hook::new(Watch::NewPlan, &url).add_header("X-Token", SECRET);
        assert_eq!(format!("{hook:?}"), format!("Hook(\"on_new_plan\", {printed})"));
        assert_eq!(format!("{hook:#?}"), format!("{hook:?}"));
        assert!(hook.expose_json().contains(&url));
    }
}

#[test]
fn hook_json_matches_the_sdk() {
    let labware_ids = vec!["plate-7".into()];
    let watch = Watch::LabwareMovement { labware_ids, trigger_on: TriggerOn::Start };
    let hook = Hook::new(watch, "http://example.com/\"x")
        .add_header("X-B", "1")
        .add_header("X-A", "2")
        .add_header("X-B", "3");
    assert_eq!(
        *hook.expose_json(),
        concat!(
            r#"{"filter":"on_labware_movement","parameters":{"url":"http://example.com/\"x","#,
            r#""headers":{"X-B":"3","X-A":"2"}},"labware_ids":["plate-7"],"trigger_on":"start"}"#,
        )
    );
    let other = Watch::Other { filter: "on_fire".into() };
    assert_eq!(
        *Hook::new(other, "u").expose_json(),
        r#"{"filter":"on_fire","parameters":{"url":"u"}}"#
    );
}

#[test]
fn hook_subscribes_to_its_kind() {
    let run = message(RunStateChanged::new("r", RunState::Paused));
    let t1 = message(TaskStateChanged::new("r", "t1".into(), TaskState::Failed));
    let t2 = message(TaskStateChanged::new("r", "t2".into(), TaskState::Failed));
    let plan = message(PlanCreated::new("p", PlanStatus::Completed));
    let up = message(LabwareMoved::new("l1", LabwareTrigger::Start));
    let down = message(LabwareMoved::new("l2", LabwareTrigger::End));
    let all = [&run, &t1, &t2, &plan, &up, &down];

    let labware = |ids: &[&str], trigger_on| Watch::LabwareMovement {
        labware_ids: ids.iter().map(|id| (*id).into()).collect(),
        trigger_on,
    };
    for (watch, wanted) in [
        (Watch::RunState, "100000"),
        (Watch::TaskState { task_ids: Vec::new() }, "011000"),
        (Watch::TaskState { task_ids: vec!["t2".into()] }, "001000"),
        (Watch::SafetyState, "000000"),
        (Watch::NewPlan, "000100"),
        (labware(&[], TriggerOn::Both), "000011"),
        (labware(&[], TriggerOn::End), "000001"),
        (labware(&["l1"], TriggerOn::Both), "000010"),
        (labware(&["l1"], TriggerOn::End), "000000"),
    ] {
        let subscription = Hook::new(watch.clone(), "u").subscription().unwrap();
        let found: String = all
            .map(|message| if subscription.matches(message) { '1' } else { '0' })
            .iter()
            .collect();
        assert_eq!(found, wanted, "{watch:?}");
    }
}

#[test]
fn hook_builds_an_endpoint() {
    let hook =
        Hook::new(Watch::RunState, "https://lab.example/hooks").add_header("X-Token", SECRET);
    let endpoint = hook.endpoint(id()).unwrap();
    assert_eq!(endpoint.expose_url(), "https://lab.example/hooks");
    assert_eq!(endpoint.format().name(), "linq");
    assert_eq!(endpoint.policy.retry, policy());
    assert_eq!(endpoint.subscription, hook.subscription().unwrap());

    let mut message = message(RunStateChanged::new("r", RunState::Paused));
    message.render(endpoint.format()).unwrap();
    let rendering = message.rendering("linq").unwrap();
    let request = endpoint.request(message.id(), rendering, Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(request.headers().len(), 2);
    assert_eq!(request.headers()["x-token"], SECRET);
    assert_eq!(request.headers()["content-type"], "application/json");
    assert!(!format!("{request:?}").contains(SECRET));
}

#[test]
fn invalid_hook_endpoint_error_has_its_cause() {
    let plain = read(HOOKS.trim_end().strip_prefix('[').unwrap().split(",{").next().unwrap());
    assert!(plain.plain_http_endpoint(id()).is_ok());
    let new = |url: &str| Hook::new(Watch::RunState, url);
    let ok = "https://lab.example";
    let other = Hook::new(Watch::Other { filter: "on_fire".into() }, ok);
    let http =
        "scheme of the endpoint URL must be `https`; only `Endpoint::plain_http` accepts `http`";
    for (hook, text, source) in [
        (other, "unknown `filter` in the hook", None),
        (plain, "cannot build an endpoint from the hook", Some(http)),
        (new(""), "cannot build an endpoint from the hook", Some("endpoint URL is malformed")),
        (
            new(ok).add_header("Content-Type", "x"),
            "cannot build an endpoint from the hook",
            Some("header `content-type` is reserved for the request or its signature"),
        ),
        (
            new(ok).add_header("X-A", "1").add_header("x-a", "2"),
            "cannot build an endpoint from the hook",
            Some("duplicate header `x-a`"),
        ),
        (
            new(ok).add_header("x a", SECRET),
            "malformed header name in the hook",
            Some("invalid HTTP header name"),
        ),
        (
            new(ok).add_header("X-A", &format!("{SECRET}\n")),
            "malformed value of the hook's header `x-a`",
            Some("failed to parse header value"),
        ),
    ] {
        let error = hook.endpoint(id()).unwrap_err();
        assert_eq!(error.to_string(), text);
        assert_eq!(error.source().map(ToString::to_string).as_deref(), source);
        assert!(!format!("{error:?}").contains(SECRET));
    }
}
