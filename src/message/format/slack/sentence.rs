//! Human-readable descriptions of lab events.

use crate::lab::{
    Dataset, InstructionCompleted, Issue, LabEvent, Label, LabwareMoved, LabwareTrigger, Location,
    PlanCreated, Release, ResourceChanged, RunState, RunStateChanged, SafetyStateChanged, Sample,
    TaskState, TaskStateChanged,
};

/// Describes the event in one sentence, followed by the sender's own message, if there is one.
pub(super) fn describe(event: &LabEvent) -> String {
    match event {
        LabEvent::RunStateChanged(event) => run(&event.data),
        LabEvent::InstructionCompleted(event) => instruction(&event.data),
        LabEvent::TaskStateChanged(event) => task(&event.data),
        LabEvent::LabwareMoved(event) => labware(&event.data),
        LabEvent::SafetyStateChanged(event) => safety(&event.data),
        LabEvent::PlanCreated(event) => plan(&event.data),
        LabEvent::DatasetCreated(event) => dataset(&event.data.dataset, "created"),
        LabEvent::DatasetUpdated(event) => {
            dataset(&event.data.dataset, &updated(&event.data.changes))
        }
        LabEvent::DatasetDeleted(event) => dataset(&event.data.dataset, "deleted"),
        LabEvent::SampleCreated(event) => sample(&event.data.sample, "created"),
        LabEvent::SampleUpdated(event) => sample(&event.data.sample, &updated(&event.data.changes)),
        LabEvent::SampleDeleted(event) => sample(&event.data.sample, "deleted"),
        LabEvent::LabelUpdated(event) => {
            let status = event.data.label.status.as_ref().map(|state| words(state.as_str()));
            let status = prefixed(" and is now ", status.as_deref());
            label(&event.data.label, &(updated(&event.data.changes) + &status))
        }
        LabEvent::LabelDeleted(event) => label(&event.data.label, "deleted"),
        LabEvent::IssueCreated(event) => issue(&event.data.issue, "raised"),
        LabEvent::IssueUpdated(event) => {
            let status = event.data.issue.status.as_ref().map(|state| words(state.as_str()));
            let status = prefixed(" and is now ", status.as_deref());
            issue(&event.data.issue, &(updated(&event.data.changes) + &status))
        }
        LabEvent::ReleaseCreated(event) => release(&event.data.release),
        LabEvent::ResourceChanged(event) => resource(&event.data),
        LabEvent::Unknown(event) | LabEvent::Unreadable { event, .. } => {
            format!("There was a {} event.", event.event_type)
        }
    }
}

fn run(data: &RunStateChanged) -> String {
    let verb = match &data.state {
        RunState::Queued => "waits to begin",
        RunState::Started => "has started",
        RunState::Paused => "is paused",
        RunState::ActionRequired => "waits for a person",
        RunState::Resumed => "goes on",
        RunState::Stopped => "was stopped",
        RunState::Completed => "has completed",
        RunState::Failed => "has failed",
        RunState::Canceled => "was canceled",
        RunState::Aborted => "was aborted",
        RunState::Other(state) => &format!("is now {}", words(state)),
    };
    let run = with_name(data.run_id.as_str(), data.title.as_deref());
    with_message(format!("Run {run} {verb}."), data.message.as_deref())
}

fn instruction(data: &InstructionCompleted) -> String {
    let operation = parenthesized(data.operation.as_deref());
    format!("Instruction {}{operation} of run {} has completed.", data.instruction_id, data.run_id)
}

fn task(data: &TaskStateChanged) -> String {
    let verb = match &data.state {
        TaskState::Pending => "waits to begin",
        TaskState::Running => "is running",
        TaskState::Paused => "is paused",
        TaskState::ActionRequired => "waits for a person",
        TaskState::Completed => "has completed",
        TaskState::Failed => "has failed",
        TaskState::Skipped => "was skipped",
        TaskState::Canceled => "was canceled",
        TaskState::Aborted => "was aborted",
        TaskState::Other(state) => &format!("is now {}", words(state)),
    };
    let device = prefixed(" on ", data.device.as_deref());
    let attempt = data.attempt.map(|attempt| format!(" (attempt {attempt})")).unwrap_or_default();
    let sentence = format!("Task {} of run {} {verb}{device}{attempt}.", data.task_id, data.run_id);
    with_message(sentence, data.message.as_deref())
}

fn labware(data: &LabwareMoved) -> String {
    let verb = match &data.trigger {
        LabwareTrigger::Start => "was picked up",
        LabwareTrigger::End => "was placed down",
        LabwareTrigger::Other(trigger) => &format!("was moved ({})", words(trigger)),
    };
    let from =
        data.from.as_ref().map(|from| format!(" from {}", location(from))).unwrap_or_default();
    let to = data.to.as_ref().map(|to| format!(" to {}", location(to))).unwrap_or_default();
    let separator = if from.is_empty() && to.is_empty() { "" } else { "," };
    let sentence = format!("Labware {} {verb}{separator}{from}{to}.", data.labware_id);
    with_message(sentence, data.message.as_deref())
}

fn location(location: &Location) -> String {
    format!("{}{}", location.device, prefixed(" slot ", location.slot.as_deref()))
}

fn safety(data: &SafetyStateChanged) -> String {
    let device =
        data.device.as_ref().map(|device| format!("device {device} of ")).unwrap_or_default();
    let state = words(data.state.as_str());
    let severity = data.severity.as_ref().map(|state| words(state.as_str()));
    let severity = parenthesized(severity.as_deref());
    let sentence =
        format!("Safety: {device}workcell {} is now {state}{severity}.", data.workcell_id);
    with_message(sentence, data.message.as_deref())
}

fn plan(data: &PlanCreated) -> String {
    let run = prefixed(" for run ", data.run_id.as_ref().map(AsRef::as_ref));
    let status = words(data.status.as_str());
    let takes =
        data.makespan_seconds.map(|seconds| format!(", and takes {seconds} s")).unwrap_or_default();
    let sentence = format!("Plan {}{run} is now {status}{takes}.", data.plan_id);
    with_message(sentence, data.message.as_deref())
}

fn dataset(dataset: &Dataset, verb: &str) -> String {
    let name = dataset.full_name.as_deref().or(dataset.name.as_deref());
    format!("Dataset {} was {verb}.", with_name(dataset.id.as_str(), name))
}

fn sample(sample: &Sample, verb: &str) -> String {
    let name = with_name(sample.id.as_str(), sample.name.as_deref());
    let labware = prefixed(" in labware ", sample.labware_id.as_ref().map(AsRef::as_ref));
    let dataset = prefixed(" of dataset ", sample.dataset_id.as_ref().map(AsRef::as_ref));
    format!("Sample {name}{labware}{dataset} was {verb}.")
}

fn label(label: &Label, verb: &str) -> String {
    let labelset = prefixed(" in the set ", label.labelset.as_deref());
    format!("The label of sample {}{labelset} was {verb}.", label.sample_id)
}

fn issue(issue: &Issue, verb: &str) -> String {
    let name = issue.sample_name.clone();
    let sample = issue.sample_id.as_ref().map(|id| with_name(id.as_str(), name.as_deref()));
    let sample = prefixed(" about sample ", sample.or(name).as_deref());
    let sentence = format!("Issue {}{sample} was {verb}.", issue.id);
    with_message(sentence, issue.description.as_deref())
}

fn release(release: &Release) -> String {
    let name = with_name(release.id.as_str(), release.name.as_deref());
    let dataset = prefixed(" of dataset ", release.dataset_id.as_ref().map(AsRef::as_ref));
    let status = release.status.as_ref().map(|state| words(state.as_str()));
    let status = parenthesized(status.as_deref());
    with_message(
        format!("Release {name}{dataset} was created{status}."),
        release.description.as_deref(),
    )
}

fn resource(data: &ResourceChanged) -> String {
    let id = prefixed(" ", data.resource_id.as_ref().map(AsRef::as_ref));
    let changes = name_list(&data.changes);
    format!("{}{id}: {}{changes}.", data.resource_type, words(data.operation.as_str()))
}

/// The display name followed by the id, or the id alone.
fn with_name(id: &str, name: Option<&str>) -> String {
    match name {
        Some(name) if !name.is_empty() && name != id => format!("{name} ({id})"),
        _ => id.to_owned(),
    }
}

/// A state in plain words: `LABELING_IN_PROGRESS` becomes `labeling in progress`.
fn words(state: &str) -> String {
    state.replace('_', " ").to_lowercase()
}

fn prefixed(prefix: &str, text: Option<&str>) -> String {
    text.map(|text| format!("{prefix}{text}")).unwrap_or_default()
}

fn updated(changes: &Option<Vec<String>>) -> String {
    format!("updated{}", name_list(changes))
}

fn parenthesized(text: Option<&str>) -> String {
    text.map(|text| format!(" ({text})")).unwrap_or_default()
}

fn name_list(changes: &Option<Vec<String>>) -> String {
    match changes.as_deref() {
        None | Some([]) => String::new(),
        Some(changes) => format!(" ({})", changes.join(", ")),
    }
}

fn with_message(sentence: String, message: Option<&str>) -> String {
    match message {
        None | Some("") => sentence,
        Some(message) => format!("{sentence} {message}"),
    }
}
