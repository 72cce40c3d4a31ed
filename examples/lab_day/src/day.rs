//! The laboratory's day: five runs on one workcell, from 07:30 to the evening.
//!
//! The day is deterministic, ids included, so that a scheduler can publish it again after a crash.
//! All eight families of events occur.

use labhook::id::{DatasetId, LabwareId, ProjectId, RunId, SampleId, TaskId};
use labhook::lab::{
    Dataset, DatasetCreated, DatasetDeleted, DatasetUpdated, DeviceState, InstructionCompleted,
    LabwareMoved, LabwareTrigger, Location, PlanCreated, PlanStatus, RunState, RunStateChanged,
    SafetyStateChanged, Sample, SampleCreated, SampleDeleted, SampleUpdated, Severity, TaskState,
    TaskStateChanged,
};
use labhook::{Event, Message, MessageId, Payload, Timestamp};

/// 2026-03-02T00:00:00Z, a Monday.
const MIDNIGHT: i64 = 1_772_409_600;
const WORKCELL: &str = "workcell-1";
const PROJECT: &str = "kinase-screen";

/// The steps of a run: operation and device.
const STEPS: [(&str, &str); 9] = [
    ("dispense", "handler-1"),
    ("shake", "shaker-1"),
    ("read", "reader-1"),
    ("seal", "sealer-1"),
    ("incubate", "incubator-2"),
    ("peel", "sealer-1"),
    ("read", "reader-1"),
    ("wash", "washer-1"),
    ("read", "reader-1"),
];

/// How a run ends.
#[derive(PartialEq)]
enum Ending {
    Completes,
    /// A light curtain is broken during the sixth step; the run resumes after the all-clear.
    IsHalted,
    /// The last step fails, and the data is deleted.
    Fails,
}

/// Returns this time of the day.
pub const fn at(hour: i64, minute: i64) -> Timestamp {
    Timestamp::from_unix_seconds(MIDNIGHT + hour * 3_600 + minute * 60)
}

/// When the day begins.
pub const START: Timestamp = at(7, 25);

/// Returns all messages of the day, in order.
pub fn messages() -> anyhow::Result<Vec<Message>> {
    let mut day = Vec::new();
    for (run, start, ending) in [
        ("run-1", at(7, 30), Ending::Completes),
        ("run-2", at(9, 10), Ending::Completes),
        ("run-3", at(11, 5), Ending::IsHalted),
        ("run-4", at(13, 20), Ending::Completes),
        ("run-5", at(15, 15), Ending::Fails),
    ] {
        day.append(&mut RunLog::new(run, start).write(&ending)?);
    }
    // Runs overlap.
    day.sort_by_key(Message::timestamp);
    Ok(day)
}

/// The events of one run.
struct RunLog {
    run: RunId,
    plate: LabwareId,
    dataset: DatasetId,
    now: Timestamp,
    random: u64,
    messages: Vec<Message>,
}

impl RunLog {
    fn new(run: &str, start: Timestamp) -> Self {
        Self {
            run: run.into(),
            plate: format!("plate-of-{run}").into(),
            dataset: format!("data-of-{run}").into(),
            now: start,
            random: run.bytes().fold(7, |seed, byte| seed * 31 + u64::from(byte)),
            messages: Vec::new(),
        }
    }

    fn write(mut self, ending: &Ending) -> anyhow::Result<Vec<Message>> {
        let mut plan = PlanCreated::new(format!("plan-of-{}", self.run), PlanStatus::Completed);
        plan.makespan_seconds = Some(5_400);
        plan.run_id = Some(self.run.clone());
        plan.workcell_id = Some(WORKCELL.into());
        self.record(plan)?;
        self.record(DatasetCreated::new(self.dataset()))?;
        self.advance(60, 120);
        self.run_state(RunState::Started)?;

        for (index, (operation, device)) in STEPS.into_iter().enumerate() {
            let task = TaskId::from(format!("{}-task-{}", self.run, index + 1));
            let from = index.checked_sub(1).map_or("hotel-1", |before| STEPS[before].1);
            self.move_plate(&task, from, device)?;
            self.task_state(&task, device, TaskState::Running)?;
            self.advance(180, 600);
            if *ending == Ending::IsHalted && index == 5 {
                self.halt()?;
            }
            if *ending == Ending::Fails && index + 1 == STEPS.len() {
                self.task_state(&task, device, TaskState::Failed)?;
                return self.fail();
            }
            let mut done =
                InstructionCompleted::new(self.run.clone(), format!("{task}-{operation}").into());
            done.sequence_no = Some(index as u64);
            done.operation = Some(operation.to_owned());
            done.completed_at = Some(self.now.into());
            done.project_id = Some(PROJECT.into());
            self.record(done)?;
            self.task_state(&task, device, TaskState::Completed)?;
            if operation == "read" {
                self.record(SampleCreated::new(self.sample(index)))?;
            }
        }

        self.advance(30, 90);
        let mut updated = SampleUpdated::new(self.sample(2));
        updated.changes = Some(vec!["metadata".to_owned()]);
        self.record(updated)?;
        self.record(DatasetUpdated::new(self.dataset()))?;
        self.run_state(RunState::Completed)?;
        Ok(self.messages)
    }

    /// The plate is picked up and put down.
    fn move_plate(&mut self, task: &TaskId, from: &str, to: &str) -> anyhow::Result<()> {
        for trigger in [LabwareTrigger::Start, LabwareTrigger::End] {
            let mut moved = LabwareMoved::new(self.plate.clone(), trigger);
            moved.from = Some(Location::new(from));
            moved.to = Some(Location::new(to));
            moved.run_id = Some(self.run.clone());
            moved.task_id = Some(task.clone());
            self.advance(15, 45);
            self.record(moved)?;
        }
        Ok(())
    }

    /// An emergency stop of the workcell pauses the run.
    fn halt(&mut self) -> anyhow::Result<()> {
        let mut stop = SafetyStateChanged::new(WORKCELL, DeviceState::EmergencyStop);
        stop.previous_state = Some(DeviceState::Running);
        stop.severity = Some(Severity::Critical);
        stop.message = Some("The light curtain at door 2 was broken.".to_owned());
        stop.run_id = Some(self.run.clone());
        self.record(stop)?;
        self.run_state(RunState::Paused)?;
        self.advance(400, 900);
        let mut clear = SafetyStateChanged::new(WORKCELL, DeviceState::Ready);
        clear.previous_state = Some(DeviceState::EmergencyStop);
        clear.severity = Some(Severity::Normal);
        clear.run_id = Some(self.run.clone());
        self.record(clear)?;
        self.run_state(RunState::Resumed)
    }

    fn fail(mut self) -> anyhow::Result<Vec<Message>> {
        self.run_state(RunState::Failed)?;
        self.advance(300, 600);
        for (index, (operation, _)) in STEPS.iter().enumerate().take(STEPS.len() - 1) {
            if *operation == "read" {
                self.record(SampleDeleted::new(self.sample(index)))?;
            }
        }
        self.record(DatasetDeleted::new(self.dataset()))?;
        Ok(self.messages)
    }

    fn run_state(&mut self, state: RunState) -> anyhow::Result<()> {
        let mut changed = RunStateChanged::new(self.run.clone(), state);
        changed.project_id = Some(PROJECT.into());
        changed.workcell_id = Some(WORKCELL.into());
        self.record(changed)
    }

    fn task_state(&mut self, task: &TaskId, device: &str, state: TaskState) -> anyhow::Result<()> {
        let mut changed = TaskStateChanged::new(self.run.clone(), task.clone(), state);
        changed.device = Some(device.to_owned());
        changed.project_id = Some(PROJECT.into());
        self.record(changed)
    }

    fn dataset(&self) -> Dataset {
        let mut dataset = Dataset::new(self.dataset.clone());
        dataset.name = Some(format!("readings of {}", self.run));
        dataset.run_id = Some(self.run.clone());
        dataset.project_id = Some(ProjectId::from(PROJECT));
        dataset
    }

    fn sample(&self, step: usize) -> Sample {
        let mut sample = Sample::new(SampleId::from(format!("{}-reading-{}", self.run, step + 1)));
        sample.dataset_id = Some(self.dataset.clone());
        sample.labware_id = Some(self.plate.clone());
        sample.run_id = Some(self.run.clone());
        sample
    }

    /// Records an event that happens now. The id is the run and the event's number in it.
    fn record<P: Payload>(&mut self, data: P) -> anyhow::Result<()> {
        let id = MessageId::new(format!("{}-{:03}", self.run, self.messages.len() + 1))?;
        self.messages.push(Event::new(data, self.now).into_message(id)?);
        Ok(())
    }

    /// Advances the time by `min` to `max` seconds.
    fn advance(&mut self, min: u64, max: u64) {
        // Knuth's multiplier for a 64-bit linear congruential generator.
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let millis = 1_000 * min + (self.random >> 33) % (1_000 * (max - min));
        self.now += std::time::Duration::from_millis(millis);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn day_has_all_families_and_unique_ids() {
        let day = messages().unwrap();
        let family =
            |message: &Message| message.event_type().as_str().split('.').next().unwrap().to_owned();
        assert_eq!(day.iter().map(family).collect::<BTreeSet<_>>().len(), 8);
        assert_eq!(day.iter().map(Message::id).collect::<BTreeSet<_>>().len(), day.len());
        assert!(day.len() >= 200);
        assert!(day.is_sorted_by_key(Message::timestamp));
        assert_eq!(day, messages().unwrap());
    }
}
