//! Strateos webhooks: decoding, encoding and mapping.

use std::error::Error as _;

use labhook::event::UnknownEvent;
use labhook::json::JsonText;
use labhook::lab::{
    InstructionCompleted, RunState, RunStateChanged, SafetyStateChanged, TaskState,
    TaskStateChanged,
};
use labhook::message::format::Format as _;
use labhook::provider::MapError;
use labhook::provider::strateos::{self, Event as Happened, Op, Project, ProjectWebhook, Webhook};
use labhook::{
    EndpointId, Event, EventType, LabEvent, Message, MessageId, Outbox, Registry, RetryPolicy,
    Timestamp, danger,
};

use crate::support::{body_malformed_at, drain};

mod properties;

/// The structure is from the vendor's page. The instruction's id is invented; its number and time
/// resemble the sample data of the vendor's software.
const RUN_STARTED: &str = include_str!("../data/strateos/run_started.json");
const RUN_COMPLETED: &str = include_str!("../data/strateos/run_completed.json");
const INSTRUCTION_COMPLETED: &str = include_str!("../data/strateos/instruction_completed.json");

fn at() -> Timestamp {
    Timestamp::from_unix_seconds(1_744_882_200)
}

fn decode(body: &str) -> Webhook {
    danger::unsigned(body.as_bytes()).decode().unwrap()
}

fn encode(webhook: &Webhook) -> String {
    serde_json::to_string(webhook).unwrap()
}

/// A webhook about one run with this `event`.
fn about(event: &str) -> String {
    format!(
        r#"{{"run":{{"id":"r1","title":"T"}},"project":{{"id":"p1","name":"P"}},"event":{event}}}"#
    )
}

/// Sends the event through the crate's own envelope.
fn over_the_wire(event: LabEvent) -> LabEvent {
    let message = event.into_message(MessageId::new("m1").unwrap()).unwrap();
    message.event().unwrap()
}

fn there_and_back(body: &str) -> Result<String, MapError> {
    let event = over_the_wire(decode(body).to_event(at())?);
    Webhook::from_event(&event).map(|webhook| encode(&webhook))
}

fn run_started() -> RunStateChanged {
    let mut data = RunStateChanged::new("r1", RunState::Started);
    data.title = Some("T".to_owned());
    data.project_id = Some("p1".into());
    data.unknown.insert("project", r#"{"name":"P"}"#).unwrap();
    data
}

fn instruction_completed() -> InstructionCompleted {
    let mut data = InstructionCompleted::new("r1", "i1".into());
    data.sequence_no = Some(0);
    data.completed_at = Some(at().into());
    data.project_id = Some("p1".into());
    data.unknown.insert("run", r#"{"title":"T"}"#).unwrap();
    data.unknown.insert("project", r#"{"name":"P"}"#).unwrap();
    data
}

fn project(id: &str, name: &str) -> Project {
    let mut project = Project::new(id);
    project.name = Some(name.to_owned());
    project
}

fn from_run(data: RunStateChanged) -> Result<Webhook, MapError> {
    Webhook::from_event(&Event::new(data, at()).into())
}

fn from_instruction(data: InstructionCompleted) -> Result<Webhook, MapError> {
    Webhook::from_event(&Event::new(data, at()).into())
}

#[test]
fn published_payloads_round_trip_verbatim() {
    for body in [RUN_STARTED, RUN_COMPLETED, INSTRUCTION_COMPLETED] {
        let body = body.trim_end();
        assert_eq!(encode(&decode(body)), body);
        assert_eq!(there_and_back(body).unwrap(), body);
    }
}

#[test]
fn run_operations_map_to_state_changes() {
    for (body, state) in [(RUN_STARTED, RunState::Started), (RUN_COMPLETED, RunState::Completed)] {
        let LabEvent::RunStateChanged(event) = decode(body).to_event(at()).unwrap() else {
            panic!("a run's state");
        };
        assert_eq!(event.timestamp.timestamp(), Some(at()));
        assert_eq!(event.data.state, state);
        assert_eq!(event.data.run_id.as_str(), "r19a428rm8tbp");
        let title = "pGFP lower concs Transform, Spread, Pick on 2016-03-11";
        assert_eq!(event.data.title.as_deref(), Some(title));
        assert_eq!(event.keys().project.unwrap().as_str(), "p18sjzxaeaff9");
        let kept: Vec<_> = event.data.unknown.iter().collect();
        assert_eq!(kept, [("project", r#"{"id":"p18sjzxaeaff9","name":"Demo Project"}"#)]);
    }
}

#[test]
fn instruction_event_has_its_completion_time() {
    let LabEvent::InstructionCompleted(event) =
        decode(INSTRUCTION_COMPLETED).to_event(at()).unwrap()
    else {
        panic!("an instruction");
    };
    assert_eq!(event.timestamp.as_str(), "2020-06-01T15:39:55.049-07:00");
    assert_eq!(event.data.completed_at.as_ref(), Some(&event.timestamp));
    assert_eq!(event.data.instruction_id.as_str(), "i1dqnfzhb53rx");
    assert_eq!(event.data.sequence_no, Some(0));
    let kept: Vec<_> = event.data.unknown.iter().map(|(name, _)| name).collect();
    assert_eq!(kept, ["run", "project"]);
}

#[test]
fn unlisted_operation_is_an_unknown_event() {
    let body = r#"{"run":{"id":"r1","title":"T","z":1.10},"project":{"id":"p1","name":"P"},"event":{"op":"run_status_updated","status":"canceled"},"v":2}"#;
    let webhook = decode(body);
    assert_eq!(webhook.event.op, Op::from("run_status_updated"));
    let event = webhook.to_event(at()).unwrap();
    assert_eq!(event.event_type().as_str(), "strateos.run_status_updated");
    assert_eq!(event.timestamp().timestamp(), Some(at()));
    let LabEvent::Unknown(unknown) = &event else { panic!("an unknown event") };
    assert_eq!(unknown.data.as_str(), body);
    assert_eq!(there_and_back(body).unwrap(), body);
}

#[test]
fn members_without_a_field_are_kept() {
    for body in [
        // Names of the lab event's fields, and the prefixed names.
        r#"{"run":{"id":"r1","title":"T","status":"complete"},"project":{"id":"p1","name":"P","n":1.10},"event":{"op":"run_completed","by":{"z":1,"a":2}},"run_id":"x","message":null,"strateos.message":2,"strateos.strateos.":3,"instruction_id":[]}"#,
        r#"{"run":{"id":"r1","title":"T","status":"complete"},"project":{"id":"p1","name":"P","n":1.10},"event":{"op":"instruction_completed","id":"i1","sequence_no":18446744073709551615,"completed_at":"2009-01-03T18:15:00+01:00","by":{}},"run_id":"x","instruction_id":[],"title":1e400}"#,
        // Members of another operation.
        &about(r#"{"op":"run_started","id":"i1","sequence_no":4}"#),
        &about(r#"{"op":"run_completed","completed_at":"2009-01-03T18:15:00+01:00"}"#),
        &about(r#"{"op":"","x":1}"#).replace(r#""op":"""#, r#""op":"a.b-c_D""#),
    ] {
        assert_eq!(there_and_back(body).unwrap(), body);
    }
}

#[test]
fn own_events_have_the_published_body() {
    let started = r#"{"op":"run_started"}"#;
    assert_eq!(encode(&from_run(run_started()).unwrap()), about(started));
    let mut completed = run_started();
    completed.state = RunState::Other("completed".into());
    assert_eq!(encode(&from_run(completed).unwrap()), about(r#"{"op":"run_completed"}"#));
    assert_eq!(
        encode(&from_instruction(instruction_completed()).unwrap()),
        about(
            r#"{"op":"instruction_completed","id":"i1","sequence_no":0,"completed_at":"2025-04-17T09:30:00.000Z"}"#
        )
    );
    let mut run = strateos::Run::new("r1");
    run.title = Some("T".to_owned());
    let made = Webhook::new(run, project("p1", "P"), Happened::new(Op::RunStarted));
    assert_eq!(encode(&made), about(started));
}

#[test]
fn event_field_overrides_the_kept_member() {
    let LabEvent::RunStateChanged(mut event) = decode(RUN_STARTED).to_event(at()).unwrap() else {
        panic!("a run's state");
    };
    event.data.run_id = "r2".into();
    event.data.project_id = Some("p2".into());
    event.data.unknown.insert("project", r#"{"name":"Second Project"}"#).unwrap();
    event.data.title = Some("U".to_owned());
    event.data.state = RunState::Completed;
    let webhook = from_run(event.data).unwrap();
    assert_eq!(
        encode(&webhook),
        r#"{"run":{"id":"r2","title":"U"},"project":{"id":"p2","name":"Second Project"},"event":{"op":"run_completed"}}"#
    );
}

/// The event may be from another source.
#[test]
fn envelope_unknown_members_go_next_to_run() {
    let with = |name: &str| {
        let mut event = Event::new(run_started(), at());
        event.data.unknown.insert("z", "1.10").unwrap();
        event.unknown.insert(name, r#""00-1""#).unwrap();
        Webhook::from_event(&event.into())
    };
    let body = encode(&with("traceparent").unwrap());
    assert!(body.ends_with(r#""event":{"op":"run_started"},"z":1.10,"traceparent":"00-1"}"#));
    assert_eq!(there_and_back(&body).unwrap(), body);

    let text = "`unknown` cannot be mapped between a Strateos webhook and a lab event";
    for taken in ["run", "project", "event", "z"] {
        assert_eq!(with(taken).unwrap_err().to_string(), text);
    }
}

fn unmapped(field: &str) -> String {
    format!("`{field}` cannot be mapped between a Strateos webhook and a lab event")
}

#[test]
fn event_errors_have_exact_texts() {
    let refusal = |event: LabEvent| Webhook::from_event(&event).unwrap_err().to_string();
    let run = |change: fn(&mut RunStateChanged)| {
        let mut data = run_started();
        change(&mut data);
        refusal(Event::new(data, at()).into())
    };
    let instruction = |change: fn(&mut InstructionCompleted)| {
        let mut data = instruction_completed();
        change(&mut data);
        refusal(Event::new(data, at()).into())
    };
    let unknown = |event_type: &str, data: &str| {
        let event_type = EventType::new(event_type).unwrap();
        refusal(UnknownEvent::new(event_type, JsonText::new(data).unwrap(), at()).into())
    };
    let missing = |field: &str| format!("Strateos webhook has no value for `{field}`");
    let task = TaskStateChanged::new("r1", "t1".into(), TaskState::Failed);

    assert_eq!(
        refusal(Event::new(task, at()).into()),
        "Strateos has no webhook for `task.state_changed` events"
    );
    assert_eq!(unknown("a.b", "{}"), "Strateos has no webhook for `a.b` events");
    for state in RunState::KNOWN {
        let mut data = run_started();
        data.state = state.clone();
        match from_run(data) {
            Ok(_) => assert!([RunState::Started, RunState::Completed].contains(state)),
            Err(error) => {
                assert_eq!(error.to_string(), unmapped("data.state"));
            }
        }
    }
    assert_eq!(run(|it| it.title = None), missing("run.title"));
    assert_eq!(run(|it| it.project_id = None), missing("project.id"));
    assert_eq!(run(|it| it.unknown = Default::default()), missing("project.name"));
    let keep = |it: &mut RunStateChanged, name: &str| it.unknown.insert(name, "[]").unwrap();
    assert_eq!(run(|it| it.unknown.insert("run", "[]").unwrap()), unmapped("data.run"));
    let mut data = run_started();
    keep(&mut data, "project");
    assert_eq!(from_run(data).unwrap_err().to_string(), unmapped("data.project"));
    let mut data = run_started();
    keep(&mut data, "event");
    assert_eq!(from_run(data).unwrap_err().to_string(), unmapped("data.event"));
    assert_eq!(instruction(|it| it.sequence_no = None), missing("event.sequence_no"));
    assert_eq!(instruction(|it| it.completed_at = None), missing("event.completed_at"));
    assert_eq!(instruction(|it| it.unknown = Default::default()), missing("run.title"));
    assert_eq!(unknown("strateos.x", "{}"), unmapped("data"));
    assert_eq!(unknown("strateos.x", &about(r#"{"op":"y"}"#)), unmapped("data.event.op"));
}

#[test]
fn webhook_errors_have_exact_texts() {
    let refusal = |webhook: &Webhook| webhook.to_event(at()).unwrap_err().to_string();
    let missing = |field: &str| format!("Strateos webhook has no value for `{field}`");
    assert_eq!(
        refusal(&decode(&about(r#"{"op":"instruction_completed","id":null}"#))),
        missing("event.id")
    );
    for op in ["", "run started", "a..b", &"x".repeat(128)] {
        assert_eq!(refusal(&decode(&about(&format!(r#"{{"op":"{op}"}}"#)))), unmapped("event.op"));
    }
    type Change = fn(&mut Webhook);
    let changes: [(&str, Change); 3] = [
        ("run", |it| it.run.unknown.insert("id", "1").unwrap()),
        ("project", |it| it.project.unknown.insert("id", "1").unwrap()),
        ("event", |it| it.event.unknown.insert("op", "1").unwrap()),
    ];
    for (member, change) in changes {
        let mut webhook = decode(RUN_STARTED);
        change(&mut webhook);
        assert_eq!(refusal(&webhook), unmapped(member));
        webhook.event.op = Op::from("x");
        assert_eq!(refusal(&webhook), unmapped("webhook"));
    }
}

/// Neither an absent nor an unexpected value of a member that no event needs fails it.
#[test]
fn odd_webhook_round_trips_through_its_event() {
    let whole = r#""run":{"id":"r1","title":"T"},"project":{"id":"p1","name":"P"}"#;
    for about in [
        r#""run":{"id":"r1"},"project":{"id":"p1"}"#,
        r#""run":{"id":"r1","title":7},"project":{"id":"p1","name":{"en":"P"}}"#,
        whole,
    ] {
        for event in [
            r#"{"op":"run_started"}"#,
            r#"{"op":"run_completed","id":7,"completed_at":12.50}"#,
            r#"{"op":"instruction_completed","id":"i1"}"#,
            r#"{"op":"instruction_completed","id":"i1","sequence_no":-1}"#,
            r#"{"op":"instruction_completed","id":"i1","completed_at":"today"}"#,
            r#"{"op":"instruction_completed","id":"i1","sequence_no":3,"completed_at":[]}"#,
            r#"{"op":"later","sequence_no":"3"}"#,
        ] {
            let body = format!(r#"{{{about},"event":{event}}}"#);
            assert_eq!(there_and_back(&body).unwrap(), body);
        }
    }
    // `null` means the same as absent.
    let body = format!(r#"{{{whole},"event":{{"op":"run_started"}}}}"#);
    assert_eq!(
        there_and_back(&body.replace(r#""T""#, "null")).unwrap(),
        body.replace(r#","title":"T""#, "")
    );
}

#[test]
fn unreadable_completion_time_stays_as_text() {
    let body = about(r#"{"op":"instruction_completed","id":"i1","completed_at":"today"}"#);
    let LabEvent::InstructionCompleted(event) = decode(&body).to_event(at()).unwrap() else {
        panic!("an instruction");
    };
    assert_eq!(event.data.completed_at.unwrap().as_str(), "today");
    assert_eq!(event.timestamp.timestamp(), Some(at()));
}

#[test]
fn malformed_body_error_names_the_path() {
    for (body, path) in [
        ("{}", "."),
        (r#"{"run":{"id":"r1"},"project":{},"event":{}}"#, "project"),
        (r#"{"run":{"id":7},"project":{},"event":{}}"#, "run.id"),
        (&about(r#"{"op":null}"#), "event.op"),
        (&about(r#"{"op":"run_started","op":"run_started"}"#), "event.op"),
    ] {
        let error = danger::unsigned(body.as_bytes()).decode::<Webhook>().unwrap_err();
        assert_eq!(error.to_string(), body_malformed_at(path), "{body}");
    }
}

#[test]
fn redelivery_has_the_same_dedupe_key() {
    let key = |body: &str| decode(body).dedupe_key().to_string();
    assert_eq!(key(RUN_STARTED), "13:p18sjzxaeaff9/13:r19a428rm8tbp/11:run_started");
    assert_eq!(
        key(INSTRUCTION_COMPLETED),
        "13:p18sjzxaeaff9/13:r19a428rm8tbp/21:instruction_completed/13:i1dqnfzhb53rx"
    );
    assert_ne!(key(RUN_STARTED), key(RUN_COMPLETED));
    assert_ne!(key(&about(r#"{"op":"x","id":""}"#)), key(&about(r#"{"op":"x"}"#)));
}

#[test]
fn project_webhook_builds_the_endpoint() {
    let none = ProjectWebhook::new(project("p1", "P"));
    let id = EndpointId::new("eln").unwrap();
    assert!(none.endpoint(id.clone()).unwrap().is_none());
    assert_eq!(none.expose_url(), None);
    assert_eq!(format!("{none:?}"), r#"ProjectWebhook("p1", no URL)"#);

    let hook = none.clone().with_url("https://eln.example/hooks/SECRET?k=SECRET").unwrap();
    assert_eq!(format!("{hook:?}"), r#"ProjectWebhook("p1", https://eln.example)"#);
    assert_eq!(hook.clone().without_url().expose_url(), None);
    for (url, text) in [
        (
            "http://eln.example/",
            "scheme of the endpoint URL must be `https`; only `Endpoint::plain_http` accepts `http`",
        ),
        ("https://me:SECRET@eln.example/", "endpoint URL must not contain a user name or password"),
        ("eln.example", "endpoint URL must be absolute, with a scheme and a host"),
        ("", "endpoint URL is malformed"),
    ] {
        assert_eq!(none.clone().with_url(url).unwrap_err().to_string(), text);
    }

    let endpoint = hook.endpoint(id).unwrap().unwrap();
    assert_eq!(endpoint.expose_url(), "https://eln.example/hooks/SECRET?k=SECRET");
    assert_eq!(endpoint.policy.retry, RetryPolicy::default());
    assert_eq!(strateos::policy(), RetryPolicy::default());
    assert_eq!(endpoint.format().name(), "strateos 2:p1/1:P");

    let mut registry = Registry::new();
    registry.insert(endpoint).unwrap();
    let mut outbox = Outbox::new(registry, 7);
    let mut publish = |number: u8, event: LabEvent| {
        let id = MessageId::new(format!("m{number}")).unwrap();
        outbox.publish(event.into_message(id).unwrap(), at()).unwrap()
    };

    // The format has the project's name.
    let mut named = run_started();
    named.unknown = Default::default();
    assert_eq!(publish(1, Event::new(named.clone(), at()).into()).endpoints.len(), 1);
    // An event of another project.
    named.project_id = Some("p2".into());
    assert!(publish(2, Event::new(named, at()).into()).endpoints.is_empty());
    // An event without a project.
    let safety = SafetyStateChanged::new("cell-1", labhook::lab::DeviceState::Error);
    assert!(publish(3, Event::new(safety, at()).into()).endpoints.is_empty());
    // An event that cannot be expressed.
    let mut paused = run_started();
    paused.state = RunState::Paused;
    let published = publish(4, Event::new(paused, at()).into());
    assert!(published.endpoints.is_empty());
    let error = &published.render_failures[0].error;
    assert_eq!(error.to_string(), "cannot write the event as a Strateos webhook");
    assert_eq!(
        error.source().unwrap().downcast_ref::<MapError>().unwrap().to_string(),
        "`data.state` cannot be mapped between a Strateos webhook and a lab event"
    );

    let [attempt] = drain(&mut outbox, at()).try_into().unwrap();
    let request = attempt.request(at()).unwrap();
    assert_eq!(request.body(), about(r#"{"op":"run_started"}"#).as_bytes());
    assert_eq!(request.headers().len(), 1);
    assert_eq!(request.headers()["content-type"], "application/json");
}

#[test]
fn format_name_contains_the_project() {
    let event: LabEvent = Event::new(run_started(), at()).into();
    let mut message: Message = event.into_message(MessageId::new("m1").unwrap()).unwrap();
    let plain = strateos::Format::new();
    assert_eq!(plain.name(), strateos::Format::NAME);
    assert_eq!(strateos::Format::default().name(), "strateos");
    message.render(&plain).unwrap();
    // The project's name in the event takes precedence over the format's.
    let named = strateos::Format::of(project("p1", "Q"));
    message.render(&named).unwrap();
    let body = |name: &str| message.rendering(name).unwrap().body().unwrap().clone();
    assert_eq!(body("strateos"), about(r#"{"op":"run_started"}"#).as_bytes());
    assert_eq!(body("strateos 2:p1/1:Q"), body("strateos"));
    let names = [("p", "1"), ("p/1:1", ""), ("", "p")]
        .map(|(id, name)| strateos::Format::of(project(id, name)).name().to_owned());
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
}

#[test]
fn field_without_a_member_error_names_the_field() {
    let texts = |change: fn(&mut RunStateChanged)| {
        let mut run = run_started();
        change(&mut run);
        from_run(run).unwrap_err().to_string()
    };
    let text = |member: &str| {
        format!("`{member}` cannot be mapped between a Strateos webhook and a lab event")
    };
    assert_eq!(texts(|run| run.message = Some("m".to_owned())), text("data.message"));
    assert_eq!(
        texts(|run| run.previous_state = Some("paused".into())),
        text("data.previous_state")
    );
    assert_eq!(texts(|run| run.workflow_id = Some("w".into())), text("data.workflow_id"));
    assert_eq!(texts(|run| run.workcell_id = Some("w".into())), text("data.workcell_id"));
    assert_eq!(texts(|run| run.device = Some("d".into())), text("data.device"));
    assert_eq!(texts(|run| run.progress_percent = Some(50)), text("data.progress_percent"));
    assert_eq!(texts(|run| run.expected_end = Some(at().into())), text("data.expected_end"));
    assert_eq!(texts(|run| run.actor = Some("a".into())), text("data.actor"));
    let mut instruction = instruction_completed();
    instruction.operation = Some("cover".to_owned());
    let error = from_instruction(instruction).unwrap_err();
    assert_eq!(error.to_string(), text("data.operation"));
}

#[test]
fn kept_project_name_is_not_used_for_another() {
    let LabEvent::RunStateChanged(mut event) = decode(RUN_STARTED).to_event(at()).unwrap() else {
        panic!()
    };
    event.data.project_id = Some("p_other".into());
    let error = Webhook::from_event(&event.into()).unwrap_err();
    assert_eq!(error.to_string(), "Strateos webhook has no value for `project.name`");
}

#[test]
fn unlisted_operations_have_different_keys() {
    let key = |status: &str| {
        let event = format!(r#"{{"op":"run_status_updated","status":"{status}"}}"#);
        decode(&about(&event)).dedupe_key()
    };
    assert_ne!(key("paused"), key("failed"));
    assert_eq!(key("paused"), key("paused"));
}

#[test]
fn many_members_are_mapped_in_linear_time() {
    let members: Vec<_> = (0..100_000).map(|number| format!(r#""m{number}":{number}"#)).collect();
    let body = format!(
        r#"{{"run":{{"id":"r","title":"t"}},"project":{{"id":"p","name":"n"}},"event":{{"op":"run_started"}},{}}}"#,
        members.join(",")
    );
    // Quadratic time would take minutes.
    let event = decode(&body).to_event(at()).unwrap();
    assert_eq!(encode(&Webhook::from_event(&event).unwrap()), body);
}
