//! What happens in the laboratory: five runs on one workcell, from 07:30 to the evening.
//!
//! The day is the same whenever it is made, ids included: so a scheduler that has lost its memory
//! can publish it again. All eight families of events occur.

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

/// The steps of a run: what is done, and where.
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

/// What becomes of a run.
#[derive(PartialEq)]
enum Fate {
    Completes,
    /// A light curtain is broken during the sixth step; it goes on after the all-clear.
    IsHalted,
    /// The last step fails; its data is thrown away.
    Fails,
}

/// This time of the day.
pub const fn at(hour: i64, minute: i64) -> Timestamp {
    Timestamp::from_unix_seconds(MIDNIGHT + hour * 3_600 + minute * 60)
}

/// When the day begins.
pub const START: Timestamp = at(7, 25);

/// Everything that happens, in order.
pub fn messages() -> anyhow::Result<Vec<Message>> {
    let mut day = Vec::new();
    for (run, start, fate) in [
        ("run-1", at(7, 30), Fate::Completes),
        ("run-2", at(9, 10), Fate::Completes),
        ("run-3", at(11, 5), Fate::IsHalted),
        ("run-4", at(13, 20), Fate::Completes),
        ("run-5", at(15, 15), Fate::Fails),
    ] {
        day.append(&mut Diary::new(run, start).write(&fate)?);
    }
    // Runs overlap.
    day.sort_by_key(Message::timestamp);
    Ok(day)
}

/// The story of one run.
struct Diary {
    run: RunId,
    plate: LabwareId,
    dataset: DatasetId,
    now: Timestamp,
    dice: u64,
    messages: Vec<Message>,
}

impl Diary {
    fn new(run: &str, start: Timestamp) -> Self {
        Self {
            run: run.into(),
            plate: format!("plate-of-{run}").into(),
            dataset: format!("data-of-{run}").into(),
            now: start,
            dice: run.bytes().fold(7, |dice, byte| dice * 31 + u64::from(byte)),
            messages: Vec::new(),
        }
    }

    fn write(mut self, fate: &Fate) -> anyhow::Result<Vec<Message>> {
        let mut plan = PlanCreated::new(format!("plan-of-{}", self.run), PlanStatus::Completed);
        plan.makespan_seconds = Some(5_400);
        plan.run_id = Some(self.run.clone());
        plan.workcell_id = Some(WORKCELL.into());
        self.note(plan)?;
        self.note(DatasetCreated::new(self.dataset()))?;
        self.pass(60, 120);
        self.run_is(RunState::Started)?;

        for (index, (operation, device)) in STEPS.into_iter().enumerate() {
            let task = TaskId::from(format!("{}-task-{}", self.run, index + 1));
            let from = index.checked_sub(1).map_or("hotel-1", |before| STEPS[before].1);
            self.carry(&task, from, device)?;
            self.task_is(&task, device, TaskState::Running)?;
            self.pass(180, 600);
            if *fate == Fate::IsHalted && index == 5 {
                self.halt()?;
            }
            if *fate == Fate::Fails && index + 1 == STEPS.len() {
                self.task_is(&task, device, TaskState::Failed)?;
                return self.fail();
            }
            let mut done =
                InstructionCompleted::new(self.run.clone(), format!("{task}-{operation}").into());
            done.sequence_no = Some(index as u64);
            done.operation = Some(operation.to_owned());
            done.completed_at = Some(self.now.into());
            done.project_id = Some(PROJECT.into());
            self.note(done)?;
            self.task_is(&task, device, TaskState::Completed)?;
            if operation == "read" {
                self.note(SampleCreated::new(self.sample(index)))?;
            }
        }

        self.pass(30, 90);
        let mut judged = SampleUpdated::new(self.sample(2));
        judged.changes = Some(vec!["metadata".to_owned()]);
        self.note(judged)?;
        self.note(DatasetUpdated::new(self.dataset()))?;
        self.run_is(RunState::Completed)?;
        Ok(self.messages)
    }

    /// The plate is picked up, and placed down.
    fn carry(&mut self, task: &TaskId, from: &str, to: &str) -> anyhow::Result<()> {
        for trigger in [LabwareTrigger::Start, LabwareTrigger::End] {
            let mut moved = LabwareMoved::new(self.plate.clone(), trigger);
            moved.from = Some(Location::new(from));
            moved.to = Some(Location::new(to));
            moved.run_id = Some(self.run.clone());
            moved.task_id = Some(task.clone());
            self.pass(15, 45);
            self.note(moved)?;
        }
        Ok(())
    }

    /// The workcell stops for somebody's safety, and the run with it.
    fn halt(&mut self) -> anyhow::Result<()> {
        let mut stop = SafetyStateChanged::new(WORKCELL, DeviceState::EmergencyStop);
        stop.previous_state = Some(DeviceState::Running);
        stop.severity = Some(Severity::Critical);
        stop.message = Some("The light curtain at door 2 was broken.".to_owned());
        stop.run_id = Some(self.run.clone());
        self.note(stop)?;
        self.run_is(RunState::Paused)?;
        self.pass(400, 900);
        let mut clear = SafetyStateChanged::new(WORKCELL, DeviceState::Ready);
        clear.previous_state = Some(DeviceState::EmergencyStop);
        clear.severity = Some(Severity::Normal);
        clear.run_id = Some(self.run.clone());
        self.note(clear)?;
        self.run_is(RunState::Resumed)
    }

    fn fail(mut self) -> anyhow::Result<Vec<Message>> {
        self.run_is(RunState::Failed)?;
        self.pass(300, 600);
        for (index, (operation, _)) in STEPS.iter().enumerate().take(STEPS.len() - 1) {
            if *operation == "read" {
                self.note(SampleDeleted::new(self.sample(index)))?;
            }
        }
        self.note(DatasetDeleted::new(self.dataset()))?;
        Ok(self.messages)
    }

    fn run_is(&mut self, state: RunState) -> anyhow::Result<()> {
        let mut changed = RunStateChanged::new(self.run.clone(), state);
        changed.project_id = Some(PROJECT.into());
        changed.workcell_id = Some(WORKCELL.into());
        self.note(changed)
    }

    fn task_is(&mut self, task: &TaskId, device: &str, state: TaskState) -> anyhow::Result<()> {
        let mut changed = TaskStateChanged::new(self.run.clone(), task.clone(), state);
        changed.device = Some(device.to_owned());
        changed.project_id = Some(PROJECT.into());
        self.note(changed)
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

    /// It happened now. The id comes from the run and the entry's place in its diary.
    fn note<P: Payload>(&mut self, what: P) -> anyhow::Result<()> {
        let id = MessageId::new(format!("{}-{:03}", self.run, self.messages.len() + 1))?;
        self.messages.push(Event::new(what, self.now).into_message(id)?);
        Ok(())
    }

    /// Some time passes: so many seconds at least, and so many at the most.
    fn pass(&mut self, least: u64, most: u64) {
        // Knuth's multiplier for a 64-bit linear congruential generator.
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let millis = 1_000 * least + (self.dice >> 33) % (1_000 * (most - least));
        self.now = self.now + std::time::Duration::from_millis(millis);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_day_has_all_eight_families_and_no_id_twice() {
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
