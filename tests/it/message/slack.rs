//! Sending to a Slack incoming webhook.

use labhook::Payload;
use labhook::lab::{
    Dataset, DatasetUpdated, DeviceState, InstructionCompleted, Issue, IssueCreated, Label,
    LabelUpdated, PlanCreated, PlanStatus, Release, ReleaseCreated, ResourceChanged,
    ResourceOperation, SafetyStateChanged, Sample, SampleCreated, TaskState, TaskStateChanged,
};

use super::*;

fn render(event: impl Into<LabEvent>) -> String {
    let rendering = SlackMessage::new().render(&message(event)).unwrap();
    assert_eq!(rendering.content_type(), "application/json");
    assert_eq!(rendering.headers().count(), 0);
    body(&rendering).to_owned()
}

fn text(event: impl Into<LabEvent>) -> String {
    let body = render(event);
    body.strip_prefix(r#"{"text":""#).unwrap().strip_suffix(r#""}"#).unwrap().to_owned()
}

fn of<P: Payload>(data: P) -> String
where
    LabEvent: From<Event<P>>,
{
    text(Event::new(data, at()))
}

#[test]
fn slack_describes_every_event() {
    let expected = [
        "Run pGFP lower concs Transform, Spread, Pick on 2016-03-11 (00000000-0000-0000-000000000000) is paused. The run is paused.",
        "Instruction i1c5k2 (thermocycle) of run r19a428rm8tbp has completed.",
        "Task t-17 of run r1 has failed on washer-2 (attempt 2). Nozzle 3 blocked.",
        "Labware plate-7 was placed down, from incubator-1 slot 12 to reader-2. Plate 7 is in the reader.",
        "Safety: device arm-1 of workcell cell-1 is now emergency stop (critical). The door was opened.",
        "Plan plan-9 for run r1 is now completed, and takes 5400 s. A shorter plan.",
        "Dataset jane/flowers was created.",
        "Dataset jane/flowers was updated (description, labels).",
        "Dataset jane/flowers was deleted.",
        "Sample rose.png (9f3b) in labware plate-7 of dataset jane/flowers was created.",
        "Sample 9f3b was updated (metadata).",
        "Sample 9f3b was deleted.",
        "The label of sample s-1 in the set ground-truth was updated (attributes) and is now labeled.",
        "The label of sample s-1 was deleted.",
        "Issue i-1 about sample rose.png (s-1) was raised. The lid is on.",
        "Issue i-1 was updated (status) and is now wontfix.",
        "Release v1.0 (rel-1) of dataset jane/flowers was created (succeeded). All of May.",
        "payment-method.bank 602cc206-6b4a-42dd-bc89-9a534bb04034: updated (state).",
        "There was a batch.labelled event.",
    ];
    for (line, expected) in BODIES.into_iter().zip(expected) {
        assert_eq!(text(lab_event(line)), expected);
    }
}

#[test]
fn slack_describes_events_without_optional_fields() {
    for (found, expected) in [
        (
            of(InstructionCompleted::new("r1", "i1".into())),
            "Instruction i1 of run r1 has completed.",
        ),
        (
            of(TaskStateChanged::new("r1", "t1".into(), TaskState::Pending)),
            "Task t1 of run r1 waits to begin.",
        ),
        (of(LabwareMoved::new("l1", LabwareTrigger::Start)), "Labware l1 was picked up."),
        (
            of(SafetyStateChanged::new("c1", DeviceState::Ready)),
            "Safety: workcell c1 is now ready.",
        ),
        (of(PlanCreated::new("p1", PlanStatus::Pending)), "Plan p1 is now pending."),
        (of(DatasetUpdated::new(Dataset::new("d1"))), "Dataset d1 was updated."),
        (of(SampleCreated::new(Sample::new("s1"))), "Sample s1 was created."),
        (of(LabelUpdated::new(Label::new("s1"))), "The label of sample s1 was updated."),
        (of(IssueCreated::new(Issue::new("i1"))), "Issue i1 was raised."),
        (of(ReleaseCreated::new(Release::new("r1"))), "Release r1 was created."),
        (of(ResourceChanged::new("invoice", ResourceOperation::Created)), "invoice: created."),
    ] {
        assert_eq!(found, expected);
    }
}

#[test]
fn slack_describes_every_state() {
    let run: Vec<_> =
        RunState::KNOWN.iter().map(|state| of(RunStateChanged::new("1", state.clone()))).collect();
    assert_eq!(
        run,
        [
            "Run 1 waits to begin.",
            "Run 1 has started.",
            "Run 1 is paused.",
            "Run 1 waits for a person.",
            "Run 1 goes on.",
            "Run 1 was stopped.",
            "Run 1 has completed.",
            "Run 1 has failed.",
            "Run 1 was canceled.",
            "Run 1 was aborted.",
        ]
    );
    let of_run = |state: &str| of(RunStateChanged::new("1", state.into()));
    assert_eq!(of_run("WARMING_up"), "Run 1 is now warming up.");
    let task: Vec<_> = TaskState::KNOWN
        .iter()
        .cloned()
        .chain([TaskState::from("on_hold")])
        .map(|state| of(TaskStateChanged::new("r", "1".into(), state)))
        .collect();
    assert_eq!(
        task,
        [
            "Task 1 of run r waits to begin.",
            "Task 1 of run r is running.",
            "Task 1 of run r is paused.",
            "Task 1 of run r waits for a person.",
            "Task 1 of run r has completed.",
            "Task 1 of run r has failed.",
            "Task 1 of run r was skipped.",
            "Task 1 of run r was canceled.",
            "Task 1 of run r was aborted.",
            "Task 1 of run r is now on hold.",
        ]
    );
    let shaken = LabwareMoved::new("l1", LabwareTrigger::Other("shaken".into()));
    assert_eq!(of(shaken), "Labware l1 was moved (shaken).");
}

#[test]
fn slack_escapes_control_sequences() {
    let mut data = RunStateChanged::new("<@U024BE7LH>", "<!channel>".into());
    data.title = Some("A & B &amp; \"C\"\n".to_owned());
    assert_eq!(
        render(Event::new(data, at())),
        r#"{"text":"Run A &amp; B &amp;amp; \"C\"\n (&lt;@U024BE7LH&gt;) is now &lt;!channel&gt;."}"#
    );
}

#[test]
fn slack_text_has_at_most_40_000_characters() {
    let mut data = RunStateChanged::new("1", RunState::Failed);
    data.message = Some("<".repeat(20_000));
    let body: serde_json::Value = serde_json::from_str(&render(Event::new(data, at()))).unwrap();
    let text = body["text"].as_str().unwrap();
    assert!((39_990..=40_000).contains(&text.chars().count()));
    assert!(text.ends_with("&lt;..."));
}

#[test]
fn slack_cannot_express_bytes() {
    assert_eq!(SlackMessage::new().name(), SlackMessage::NAME);
    assert_has_no_event(&SlackMessage::new().render(&from_bytes()).unwrap_err());
}
