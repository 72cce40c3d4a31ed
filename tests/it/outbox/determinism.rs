//! The same inputs give the same outputs: over runs, restarts, and ways to drive the outbox.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};

use labhook::delivery::{Failure, Jitter};
use labhook::{Outbox, Outcome, Registry, Step, Ticket, Timestamp};
use proptest::prelude::*;

use crate::support::{
    Host, answer, answer_with, at, config, eid, endpoint, message, policy, registry, secs, show,
};

/// External inputs, all at whole seconds.
#[derive(Clone, Debug)]
struct Scenario {
    inputs: Vec<(i64, Input)>,
    /// Selects the receivers' responses.
    salt: u64,
    jitter: bool,
    batch: usize,
}

#[derive(Clone, Debug)]
enum Input {
    Publish(u8),
    Use(usize, bool),
    Enable(usize),
    Remove(usize),
    Restart,
}

const IDS: [&str; 3] = ["steady", "narrow", "hasty"];
const END: i64 = 400;

fn endpoints(jitter: bool) -> Registry {
    let jitter_policy = if jitter { Jitter::plus_minus(30) } else { Jitter::NONE };
    let policy = |delays: &[u64]| policy(delays).with_jitter(jitter_policy.clone());
    registry([
        endpoint("steady").with_retry(policy(&[1, 5, 20])),
        endpoint("narrow").with_retry(policy(&[0, 3])).with_max_in_flight(NonZeroU32::MIN),
        endpoint("hasty").with_retry(policy(&[2, 2, 2, 2, 2]).with_window(secs(12))),
    ])
}

fn scenarios(jitter: bool) -> impl Strategy<Value = Scenario> {
    let input = prop_oneof![
        12 => (0..8_u8).prop_map(Input::Publish),
        1 => (0..3_usize, any::<bool>()).prop_map(|(which, is)| Input::Use(which, is)),
        1 => (0..3_usize).prop_map(Input::Enable),
        1 => (0..3_usize).prop_map(Input::Remove),
        3 => Just(Input::Restart),
    ];
    let inputs = proptest::collection::vec((0..120_i64, input), 1..40);
    (inputs, any::<u64>(), 1..5_usize).prop_map(move |(mut inputs, salt, batch)| {
        inputs.sort_by_key(|(seconds, _)| *seconds);
        Scenario { inputs, salt, jitter, batch }
    })
}

/// How the host drives the outbox.
#[derive(Clone, Copy)]
struct HostOptions {
    storage: bool,
    restarts: bool,
    /// Polls every half second, and not only at wake-ups.
    ticks: bool,
}

const DEFAULT_HOST: HostOptions = HostOptions { storage: true, restarts: false, ticks: false };

/// The observable result, by instant: the attempts with their deadlines, and the notices.
#[derive(Debug, Default, PartialEq)]
struct Trace {
    sends: BTreeMap<Timestamp, Vec<(String, Timestamp)>>,
    notices: BTreeMap<Timestamp, Vec<String>>,
    pending: usize,
}

impl Scenario {
    fn outbox(&self, registry: Registry) -> Outbox {
        let batch = NonZeroUsize::new(self.batch).unwrap();
        Outbox::new(registry, self.salt)
            .with_batch(batch)
            .with_save_limit(batch)
            .with_retention(secs(40))
    }

    /// The receiver's response to an attempt and its latency in seconds, if there is one.
    fn response(&self, ticket: &Ticket) -> Option<(Outcome, u64)> {
        let hash = show(ticket).bytes().fold(self.salt, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let latency = (hash >> 40) % 14;
        let outcome = match (hash >> 20) % 16 {
            0..=4 => answer(200),
            5..=7 => answer(503),
            8..=9 => answer_with(429, "retry-after", "7"),
            10 => answer_with(503, "retry-after", "-1"),
            11 => answer(410),
            12 => Outcome::failed(Failure::Broken),
            13 => answer_with(200, "webhook-delivery", "disable"),
            _ => return None,
        };
        Some((outcome, latency))
    }

    fn run(&self, options: HostOptions) -> Trace {
        let mut outbox = self.outbox(endpoints(self.jitter));
        if !options.storage {
            outbox = outbox.without_storage();
        }
        let mut host = Host::new(outbox);
        let mut trace = Trace::default();
        let mut inputs = self.inputs.iter().peekable();
        let mut answers: BTreeSet<(Timestamp, Ticket)> = BTreeSet::new();
        while host.now < at(END) {
            let mut restart = false;
            while let Some((_, input)) = inputs.next_if(|(seconds, _)| at(*seconds) <= host.now) {
                restart |= matches!(input, Input::Restart) && options.restarts;
                Self::input(&mut host, input);
            }
            while let Some((when, ticket)) = answers.pop_first() {
                if when > host.now {
                    answers.insert((when, ticket));
                    break;
                }
                let (outcome, _) = self.response(&ticket).unwrap();
                host.resolve(&ticket, &outcome);
            }
            for attempt in host.attempts() {
                let sent = trace.sends.entry(host.now).or_default();
                sent.push((show(attempt.ticket()), attempt.deadline()));
                if let Some((_, latency)) = self.response(attempt.ticket()) {
                    answers.insert((host.now + secs(latency), attempt.ticket().clone()));
                }
            }
            let notices = host.notice_texts();
            if !notices.is_empty() {
                trace.notices.entry(host.now).or_default().extend(notices);
            }
            // Of an attempt in flight, and of a response to come, less is known after a restart.
            let in_flight = host.outbox.deliveries().any(|(.., it)| it.in_flight().is_some());
            if restart && answers.is_empty() && !in_flight {
                // Idle: everything is saved and notified.
                let wait = host.wait;
                let registry = host.outbox.registry().clone();
                host.restart(self.outbox(registry));
                assert!(host.attempts().is_empty());
                assert_eq!(host.wait, wait);
            }
            let tick = options.ticks.then(|| host.now + secs(1) / 2);
            let next = [
                tick,
                host.wait,
                answers.first().map(|(when, _)| *when),
                inputs.peek().map(|(seconds, _)| at(*seconds)),
            ];
            // An immediate response means another round at this instant.
            host.now = next.into_iter().flatten().min().unwrap_or(at(END)).max(host.now);
        }
        // Fair-queue positions are not saved, so the order within an instant may differ.
        trace.sends.values_mut().for_each(|sends| sends.sort());
        trace.notices.values_mut().for_each(|notices| notices.sort());
        trace.pending = host.outbox.pending();
        trace
    }

    fn input(host: &mut Host, input: &Input) {
        let now = host.now;
        match input {
            Input::Publish(number) => {
                host.outbox.publish(message(&format!("m{number}")), now).unwrap();
            }
            Input::Use(which, is) => {
                if let Some(endpoint) = host.outbox.registry().get(&eid(IDS[*which])) {
                    let endpoint = endpoint.as_ref().clone().with_enabled(*is);
                    host.outbox.replace_endpoint(endpoint, now).unwrap();
                }
            }
            Input::Enable(which) => _ = host.enable(IDS[*which]),
            Input::Remove(which) => _ = host.outbox.remove_endpoint(&eid(IDS[*which]), now),
            Input::Restart => {}
        }
    }

    /// Every step in order, as text.
    fn steps(&self) -> Vec<String> {
        let mut outbox = self.outbox(endpoints(self.jitter));
        let (mut now, mut steps) = (at(0), Vec::new());
        for (seconds, input) in &self.inputs {
            now = now.max(at(*seconds));
            if let Input::Publish(number) = input {
                let published = outbox.publish(message(&format!("m{number}")), now);
                steps.push(format!("{published:?}"));
            }
            loop {
                let step = outbox.poll(now);
                steps.push(format!("{step:?}"));
                match step {
                    Step::Save(changes) => assert!(outbox.saved(changes.revision())),
                    Step::Send(attempt) => {
                        if let Some((outcome, _)) = self.response(attempt.ticket()) {
                            outbox.resolve(attempt.ticket(), &outcome, now);
                        }
                    }
                    Step::Notify(_) => {}
                    Step::Wait(_) | Step::Idle => break,
                }
            }
        }
        steps.push(format!("{outbox:?}"));
        steps
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn same_inputs_give_the_same_steps(scenario in scenarios(true)) {
        prop_assert_eq!(scenario.steps(), scenario.steps());
    }

    #[test]
    fn restart_when_idle_changes_nothing(scenario in scenarios(true)) {
        let restarts = HostOptions { restarts: true, ..DEFAULT_HOST };
        prop_assert_eq!(scenario.run(restarts), scenario.run(DEFAULT_HOST));
    }

    #[test]
    fn outbox_without_storage_sends_at_the_same_times(scenario in scenarios(true)) {
        let without = HostOptions { storage: false, ..DEFAULT_HOST };
        prop_assert_eq!(scenario.run(without), scenario.run(DEFAULT_HOST));
    }

    #[test]
    fn driving_at_wake_ups_equals_polling_every_tick(scenario in scenarios(false)) {
        let ticks = HostOptions { ticks: true, ..DEFAULT_HOST };
        prop_assert_eq!(scenario.run(ticks), scenario.run(DEFAULT_HOST));
    }
}

#[test]
fn scenarios_exercise_every_response() {
    // Each response above occurs, so the properties cover all of them.
    let inputs = (0..8).map(|number| (i64::from(number), Input::Publish(number))).collect();
    let mut notices = BTreeSet::new();
    for salt in 0..20 {
        let inputs = Vec::clone(&inputs);
        let trace = Scenario { inputs, salt, jitter: true, batch: 2 }.run(DEFAULT_HOST);
        assert_eq!(trace.pending, 0);
        for line in trace.notices.values().flatten() {
            notices.extend(line.split_whitespace().nth(1).map(str::to_owned));
        }
    }
    let expected = [
        "cancelled",
        "delivered",
        "disabled",
        "exhausted",
        "expired",
        "failing",
        "gone",
        "stopped",
    ];
    assert_eq!(notices.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
