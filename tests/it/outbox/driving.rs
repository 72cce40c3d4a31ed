//! Faults of mature engines that depend on how a host drives the outbox: 12, a wake-up that misses
//! something, and 13, inputs between two steps.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use labhook::flow::{AdaptiveRatePolicy, ConcurrencyLimitPolicy, FlowDecision, RateLimitPolicy};
use labhook::outbox::Changes;
use labhook::{Endpoint, FlowPolicy, Notice, Outbox, Step, Ticket, Timestamp};
use proptest::prelude::*;

use super::known_faults::touchy;
use crate::support::{
    Host, answer, at, config, eid, endpoint, message, policy, registry, secs, show,
};

/// A receiver's response to an attempt and its latency in half seconds; `None` for no response.
fn response(salt: u64, shown: &str) -> Option<(u16, u32)> {
    let hash = shown.bytes().fold(salt ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let status = [200, 200, 200, 429, 503, 500, 400][usize::try_from((hash >> 20) % 7).unwrap()];
    let halves = u32::try_from((hash >> 40) % 25).unwrap();
    (halves < 21).then_some((status, halves))
}

const HALF: Duration = Duration::from_millis(500);

/// When the host must be woken for an endpoint, according to its machines asked one by one.
fn wake_by(host: &Host, endpoint: &Endpoint) -> Option<Timestamp> {
    let status = host.outbox.status(endpoint.id()).unwrap();
    let permitted = match status.flow.clone().check(&endpoint.policy.flow, host.now) {
        // What is due and permitted has been sent.
        FlowDecision::Go => host.now,
        FlowDecision::Wait { until } => until,
        FlowDecision::Busy => return status.health.probe().and_then(|it| it.deadline()),
    };
    match status.health.wake_at() {
        Some(deadline) if status.health.probe().is_some() => Some(deadline),
        _ if status.due == 0 => None,
        due => Some(permitted).max(due),
    }
}

/// The attempts by time, and how each delivery ends. With `ticks`, the host also polls every half
/// second.
fn trace(endpoints: &[Endpoint], times: &[u32], salt: u64, ticks: bool) -> Vec<String> {
    let mut host = Host::with(endpoints.iter().cloned());
    let mut inputs: Vec<(Timestamp, usize)> =
        times.iter().enumerate().map(|(id, halves)| (at(0) + HALF * *halves, id)).collect();
    inputs.sort();
    let mut inputs = inputs.into_iter().peekable();
    let mut answers: BTreeMap<(Timestamp, Ticket), u16> = BTreeMap::new();
    let mut lines = Vec::new();
    while host.outbox.pending() > 0 || inputs.peek().is_some() {
        assert!(host.now < at(20_000), "something waits forever");
        while let Some((_, id)) = inputs.next_if(|(when, _)| *when <= host.now) {
            host.publish(&format!("m{id}"));
        }
        while let Some(entry) = answers.first_entry().filter(|it| it.key().0 <= host.now) {
            let ((_, ticket), status) = entry.remove_entry();
            host.resolve(&ticket, &answer(status));
        }
        for ticket in host.sends() {
            let shown = show(&ticket);
            lines.push(format!("{} {shown}", host.now));
            if let Some((status, halves)) = response(salt, &shown) {
                answers.insert((host.now + HALF * halves, ticket), status);
            }
        }
        for endpoint in endpoints {
            if let Some(by) = wake_by(&host, endpoint) {
                assert!(host.wait.is_some_and(|it| it <= by), "{} {by}", endpoint.id());
            }
        }
        let tick = ticks.then(|| host.now + HALF);
        let input = inputs.peek().map(|it| it.0);
        let answer = answers.first_key_value().map(|it| it.0.0);
        let next = [tick, host.wait, input, answer].into_iter().flatten().min();
        host.now = next.unwrap_or(Timestamp::MAX).max(host.now);
    }
    let ended = host.outbox.deliveries().map(|(message, endpoint, delivery)| {
        format!("{} {endpoint} {:?}", message.id(), delivery.verdict())
    });
    lines.extend(ended);
    lines
}

proptest! {
    #![proptest_config(config())]

    /// Circuit breakers, concurrency limits, rate limits and adaptive rates report exact wake-ups.
    // Fault 12.
    #[test]
    fn wake_up_covers_what_health_and_flow_hold_back(
        times in proptest::collection::vec(0..120_u32, 1..25),
        salt in any::<u64>(),
    ) {
        let [one, two] = [1, 2].map(|count| NonZeroU32::new(count).unwrap());
        let narrow = FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::adaptive(one, two));
        let hasty = touchy("b").policy.retry.with_attempt_timeout(secs(4));
        let endpoints = [
            touchy("a"),
            touchy("b").with_retry(hasty).with_flow(narrow.with_rate_limit(RateLimitPolicy::new(one, secs(2)))),
            // Also at half seconds.
            endpoint("c").with_flow(
                narrow.with_adaptive_rate(AdaptiveRatePolicy::new(secs(4))),
            ),
        ];
        prop_assert_eq!(
            trace(&endpoints, &times, salt, true),
            trace(&endpoints, &times, salt, false)
        );
    }
}

/// The host's next action, all at one instant.
#[derive(Clone, Copy, Debug)]
enum Input {
    Publish,
    /// A single step.
    Poll,
    Confirm,
    Fail,
    Answer(u8, u16),
    Replace(u8),
}

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let status = prop_oneof![3 => Just(200_u16), 3 => Just(500), 1 => Just(400)];
    let input = prop_oneof![
        3 => Just(Input::Publish),
        9 => Just(Input::Poll),
        4 => Just(Input::Confirm),
        1 => Just(Input::Fail),
        5 => (any::<u8>(), status).prop_map(|(which, status)| Input::Answer(which, status)),
        1 => any::<u8>().prop_map(Input::Replace),
    ];
    proptest::collection::vec(input, 1..120)
}

const IDS: [&str; 2] = ["a", "b"];

/// Retries immediately, so everything ends while the clock stands still.
fn immediate(id: &str) -> Endpoint {
    endpoint(id).with_retry(policy(&[0, 0]))
}

/// A host that puts inputs between any two steps.
struct InterleavedHost {
    host: Host,
    batch: NonZeroUsize,
    published: u32,
    saving: Option<Changes>,
    in_flight: Vec<Ticket>,
    resolved: BTreeSet<String>,
}

impl InterleavedHost {
    fn outbox(batch: NonZeroUsize) -> Outbox {
        Outbox::new(registry(IDS.map(immediate)), 7)
            .with_batch(batch)
            .with_save_limit(batch)
            .with_attempt_reports()
    }

    /// Returns `false` if there is nothing to do.
    fn poll(&mut self) -> bool {
        match self.host.outbox.poll(self.host.now) {
            Step::Save(changes) => self.saving = Some(changes),
            Step::Send(attempt) => self.in_flight.push(attempt.ticket().clone()),
            Step::Notify(notice) => self.host.notices.push(notice),
            Step::Wait(_) | Step::Idle => return false,
        }
        true
    }

    fn input(&mut self, input: Input) {
        match input {
            Input::Publish => {
                self.published += 1;
                self.host.publish(&format!("m{}", self.published));
            }
            Input::Poll => _ = self.poll(),
            Input::Confirm => {
                if let Some(changes) = self.saving.take() {
                    self.host.save(changes);
                }
            }
            Input::Fail => {
                if let Some(changes) = self.saving.take() {
                    assert!(self.host.outbox.unsaved(changes.revision()));
                }
            }
            Input::Answer(which, status) => {
                if !self.in_flight.is_empty() {
                    let ticket = self.in_flight.remove(usize::from(which) % self.in_flight.len());
                    self.host.resolve(&ticket, &answer(status));
                    assert!(self.resolved.insert(show(&ticket)));
                }
            }
            Input::Replace(which) => {
                let like = immediate(IDS[usize::from(which) % 2]);
                self.host.outbox.replace_endpoint(like, self.host.now).unwrap();
            }
        }
    }

    /// Runs until everything has ended.
    fn drain(&mut self) {
        loop {
            let more = self.saving.is_some() | self.poll();
            self.input(Input::Confirm);
            if !more && self.in_flight.is_empty() {
                return;
            }
            while !self.in_flight.is_empty() {
                self.input(Input::Answer(0, 200));
            }
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// However the inputs fall between the steps, each attempt is handed out and reported once,
    /// each verdict is notified once, and storage has all of it.
    // Fault 13.
    #[test]
    fn inputs_between_any_two_steps_lose_nothing(
        inputs in inputs(),
        batch in 1..5_usize,
    ) {
        let batch = NonZeroUsize::new(batch).unwrap();
        let mut world = InterleavedHost {
            host: Host::new(InterleavedHost::outbox(batch)),
            batch,
            published: 0,
            saving: None,
            in_flight: Vec::new(),
            resolved: BTreeSet::new(),
        };
        for input in inputs {
            world.input(input);
        }
        world.drain();
        let InterleavedHost { mut host, batch, published, resolved, .. } = world;
        prop_assert_eq!(host.outbox.pending(), 0, "every attempt in flight was handed out");
        let (mut settled, mut reported) = (Vec::new(), Vec::new());
        for notice in &host.notices {
            match notice {
                Notice::Settled { message, endpoint, verdict, attempts } => {
                    settled.push(format!("{message}>{endpoint} {verdict} {attempts}"));
                }
                Notice::AttemptEnded(it) => {
                    reported.push(format!("{}>{}#{}", it.message, it.endpoint, it.number));
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
        settled.sort();
        reported.sort();
        let shown = |outbox: &Outbox| {
            let shown = outbox.deliveries().map(|(message, endpoint, delivery)| {
                let verdict = delivery.verdict().unwrap();
                format!("{}>{endpoint} {verdict} {}", message.id(), delivery.attempts())
            });
            let mut shown: Vec<_> = shown.collect();
            shown.sort();
            shown
        };
        prop_assert_eq!(settled.len(), usize::try_from(published).unwrap() * IDS.len());
        prop_assert_eq!(&settled, &shown(&host.outbox));
        prop_assert_eq!(reported, resolved.into_iter().collect::<Vec<_>>());
        host.restart(InterleavedHost::outbox(batch));
        prop_assert_eq!(settled, shown(&host.outbox));
    }
}

// Fault 13.
#[test]
fn endpoint_changes_between_steps_lose_nothing() {
    let run = |drained: bool| {
        let mut host = Host::with([endpoint("a"), endpoint("b")]);
        let mut sent = Vec::new();
        let pause = |host: &mut Host, sent: &mut Vec<String>| {
            if drained {
                sent.extend(host.send_texts());
            }
        };
        host.publish("m");
        let first = host.sends();
        host.publish("n");
        pause(&mut host, &mut sent);
        for ticket in &first {
            host.resolve(ticket, &answer(500));
            pause(&mut host, &mut sent);
            host.resolve(ticket, &answer(200));
            pause(&mut host, &mut sent);
        }
        host.outbox.replace_endpoint(endpoint("a"), host.now).unwrap();
        pause(&mut host, &mut sent);
        assert!(host.outbox.remove_endpoint(&eid("b"), host.now).is_ok());
        host.outbox.insert_endpoint(endpoint("b"), host.now).unwrap();
        pause(&mut host, &mut sent);
        host.outbox.publish(message("o"), host.now).unwrap();
        sent.extend(host.send_texts());
        host.now = at(5);
        sent.extend(host.send_texts());
        sent.retain(|it| !it.starts_with("n>b"));
        sent.sort();
        sent
    };
    let expected = ["m>a#2", "n>a#1", "o>a#1", "o>b#1"];
    assert_eq!(run(true), expected);
    assert_eq!(run(false), expected);
}
