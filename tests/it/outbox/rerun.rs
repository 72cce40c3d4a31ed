//! An incident that is run again from the log of its inputs.

use std::collections::VecDeque;
use std::time::Duration;

use labhook::delivery::{DeliveryGuarantee, Failure};
use labhook::health::EnabledBy;
use labhook::outbox::{Change, LogEntry, Record, ReplayFilter, RerunError, Revision};
use labhook::{Endpoint, Order, Outbox, Outcome, Registry, Step, Ticket, Timestamp};
use proptest::prelude::*;

use crate::support::{
    answer, answer_with, at, config, eid, endpoint, message, mid, policy, registry, replay_all,
    secs,
};

#[derive(Clone, Debug)]
enum Op {
    Publish(u8),
    Poll,
    Confirm(bool),
    Respond(u8, u8),
    Decide(u8, bool),
    Replay,
    Operate(u8, u8),
    Withdraw(u8, u8),
    Drain(bool),
    Clock(i32),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (0..12_u8).prop_map(Op::Publish),
        12 => Just(Op::Poll),
        5 => prop::bool::weighted(0.8).prop_map(Op::Confirm),
        6 => (any::<u8>(), 0..6_u8).prop_map(|(which, outcome)| Op::Respond(which, outcome)),
        1 => (0..12_u8, any::<bool>()).prop_map(|(message, again)| Op::Decide(message, again)),
        1 => Just(Op::Replay),
        2 => (0..2_u8, 0..7_u8).prop_map(|(which, what)| Op::Operate(which, what)),
        2 => (0..12_u8, 0..3_u8).prop_map(|(message, how)| Op::Withdraw(message, how)),
        1 => prop::bool::weighted(0.3).prop_map(Op::Drain),
        4 => (-20..60_i32).prop_map(Op::Clock),
    ];
    proptest::collection::vec(op, 1..200)
}

const IDS: [&str; 2] = ["asks", "strict"];

fn configured(id: &str) -> Endpoint {
    match id {
        "asks" => {
            endpoint(id).with_retry(policy(&[1, 5, 20]).with_guarantee(DeliveryGuarantee::Ask))
        }
        _ => endpoint(id).with_order(Order::strict()).with_retry(policy(&[0, 3])),
    }
}

fn new_outbox() -> Outbox {
    Outbox::new(registry(IDS.map(configured)), 11).with_retention(secs(60)).with_attempt_reports()
}

/// A process that logs, until it crashes.
struct Process {
    outbox: Outbox,
    now: Timestamp,
    sent: Vec<Ticket>,
    saving: Option<(Revision, Vec<Change>)>,
    disk: Vec<Record>,
    /// The endpoints that were inserted or replaced.
    changed: VecDeque<Endpoint>,
}

impl Process {
    fn start(disk: Vec<Record>, now: Timestamp) -> Self {
        let outbox = new_outbox().with_input_log().restore(disk.clone(), now).unwrap();
        let (sent, changed) = (Vec::new(), VecDeque::new());
        Self { outbox, now, sent, saving: None, disk, changed }
    }

    fn apply(&mut self, op: &Op) {
        let (outbox, now) = (&mut self.outbox, self.now);
        match op {
            Op::Publish(number) => _ = outbox.publish(message(&format!("m{number}")), now),
            Op::Poll => match outbox.poll(now) {
                Step::Save(changes) => {
                    self.saving = Some((changes.revision(), changes.into_iter().collect()));
                }
                Step::Send(attempt) => self.sent.push(attempt.ticket().clone()),
                Step::Notify(_) | Step::Wait(_) | Step::Idle => {}
            },
            Op::Confirm(true) => {
                let Some((revision, changes)) = self.saving.take() else { return };
                for change in changes {
                    let key = match &change {
                        Change::Put(record) => record.key(),
                        Change::Delete(key) => key.clone(),
                    };
                    self.disk.retain(|record| record.key() != key);
                    self.disk.extend(match change {
                        Change::Put(record) => Some(record),
                        Change::Delete(_) => None,
                    });
                }
                assert!(outbox.saved(revision));
            }
            Op::Confirm(false) => {
                let Some((revision, _)) = self.saving.take() else { return };
                assert!(outbox.unsaved(revision));
            }
            Op::Respond(which, outcome) => {
                let Some(index) = usize::from(*which).checked_rem(self.sent.len()) else { return };
                let outcome = match outcome {
                    0 | 1 => answer(200),
                    2 => answer(500),
                    3 => answer_with(503, "retry-after", "30"),
                    4 => Outcome::failed(Failure::Timeout),
                    _ => answer(410),
                };
                outbox.resolve(&self.sent[index], &outcome, now);
            }
            Op::Decide(number, again) => {
                let id = mid(&format!("m{number}"));
                if *again {
                    outbox.resend(&id, &eid("asks"), now);
                } else {
                    outbox.give_up(&id, &eid("asks"), now);
                }
            }
            Op::Withdraw(number, how) => {
                let id = mid(&format!("m{number}"));
                match how {
                    0 => _ = outbox.withdraw(&id, now),
                    1 => _ = outbox.withdraw_from(&id, &eid("strict"), now),
                    _ => _ = outbox.unpublish(&id, now),
                }
            }
            Op::Drain(true) => _ = outbox.drain(),
            Op::Drain(false) => _ = outbox.undrain(),
            Op::Replay => {
                let filter = ReplayFilter::all().only_failed();
                let plan = outbox.plan_replay(&filter, Duration::from_secs(2), now);
                replay_all(outbox, &plan, now);
            }
            Op::Operate(which, what) => self.operate(IDS[usize::from(*which)], *what),
            Op::Clock(seconds) => {
                self.now = Timestamp::from_unix_seconds(now.unix_seconds() + i64::from(*seconds));
            }
        }
    }

    fn operate(&mut self, id: &str, what: u8) {
        let (outbox, now, name) = (&mut self.outbox, self.now, eid(id));
        match what {
            0 => _ = outbox.pause_endpoint(&name, now),
            1 => _ = outbox.resume_endpoint(&name, now),
            2 => _ = outbox.disable_endpoint(&name, Some("upgrade".to_owned()), now),
            3 => _ = outbox.enable_endpoint(&name, EnabledBy::Operator, now),
            4 => _ = outbox.remove_endpoint(&name, now),
            5 => {
                let endpoint = configured(id);
                _ = outbox.insert_endpoint(endpoint.clone(), now);
                self.changed.push_back(endpoint);
            }
            _ => {
                let endpoint = configured(id).with_retry(policy(&[2]));
                _ = outbox.replace_endpoint(endpoint.clone(), now);
                self.changed.push_back(endpoint);
            }
        }
    }

    /// Runs the log again, as it comes from its file.
    fn assert_reruns(mut self) {
        let log = self.outbox.take_input_log();
        let mut again = new_outbox().with_input_log();
        for entry in &log {
            let line = serde_json::to_string(entry).unwrap();
            let read: LogEntry = serde_json::from_str(&line).unwrap();
            assert_eq!(read, *entry);
            again.rerun(&read, |_, _| self.changed.pop_front()).unwrap();
        }
        // The same state, bit for bit.
        assert_eq!(again.take_input_log(), log);
        assert_eq!(format!("{again:?}"), format!("{:?}", self.outbox));
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_incident_runs_again_bit_for_bit(before in ops(), after in ops()) {
        let mut process = Process::start(Vec::new(), at(0));
        for op in &before {
            process.apply(op);
        }
        let (disk, now) = (process.disk.clone(), process.now);
        process.assert_reruns();
        // It crashed, and a new process starts with what was saved.
        let mut process = Process::start(disk, now);
        for op in &after {
            process.apply(op);
        }
        process.assert_reruns();
    }
}

/// The log of one message that fails once.
fn failed_once() -> Vec<LogEntry> {
    let mut process = Process::start(Vec::new(), at(0));
    let rounds = [Op::Publish(1), Op::Poll, Op::Confirm(true), Op::Poll, Op::Respond(0, 2)];
    for op in &rounds {
        process.apply(op);
    }
    process.outbox.take_input_log()
}

#[test]
fn log_reads_as_a_timeline() {
    let timeline: Vec<_> = failed_once().iter().map(ToString::to_string).collect();
    assert_eq!(
        timeline,
        [
            "2025-04-17T09:30:00.000Z restore 0 records: done",
            "2025-04-17T09:30:00.000Z publish m1: accepted for asks, strict",
            "2025-04-17T09:30:00.000Z poll: save 1: 3 changes",
            "2025-04-17T09:30:00.000Z saved 1: done",
            "2025-04-17T09:30:00.000Z poll: send m1 to asks, attempt 1",
            "2025-04-17T09:30:00.000Z resolve m1 to asks, attempt 1, with 500: \
             retry at 2025-04-17T09:30:01.000Z",
        ]
    );
}

#[test]
fn other_settings_are_noticed() {
    let log = failed_once();
    let mut again = Outbox::new(Registry::new(), 11);
    let differing: Vec<_> =
        log.iter().filter_map(|entry| again.rerun(entry, |_, _| None).err()).collect();
    assert!(
        matches!(&differing[0], RerunError::Differs { at, logged, answer }
            if *at == crate::support::at(0)
                && logged == "accepted for asks, strict"
                && answer == "accepted"),
        "{differing:?}"
    );
}

#[test]
fn replaced_endpoint_is_asked_for() {
    let mut outbox = new_outbox().with_input_log();
    outbox.replace_endpoint(configured("asks"), at(5)).unwrap();
    let log = outbox.take_input_log();
    let mut again = new_outbox();
    let missing = RerunError::NoEndpoint { id: eid("asks") };
    assert_eq!(again.rerun(&log[0], |_, _| None), Err(missing.clone()));
    assert_eq!(again.rerun(&log[0], |_, _| Some(configured("strict"))), Err(missing));
    let found = again.rerun(&log[0], |id, now| {
        assert_eq!((id.as_str(), now), ("asks", at(5)));
        Some(configured(id.as_str()))
    });
    assert_eq!(found, Ok(()));
}

#[test]
fn nothing_is_logged_unless_asked_for() {
    let mut outbox = new_outbox();
    outbox.publish(message("m"), at(0)).unwrap();
    let _ = outbox.poll(at(0));
    assert_eq!(outbox.take_input_log(), []);
}
