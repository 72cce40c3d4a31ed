//! Two outboxes with the same history of health, flow, order, doubt, replays and operators. One of
//! them is restarted whenever nothing is in flight, or polled at every tick; their state stays
//! identical. After a crash only the running measurements differ, and nothing does if the limits do
//! not adapt.

use std::collections::{BTreeMap, VecDeque};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use labhook::delivery::{DeliveryGuarantee, Failure, Jitter};
use labhook::flow::RateLimitPolicy;
use labhook::health::{EnabledBy, OutagePolicy, PendingOnDisable};
use labhook::lab::{RunState, RunStateChanged};
use labhook::outbox::{ReplayFilter, Status};
use labhook::{
    Endpoint, Event, FlowPolicy, HealthPolicy, Order, Outbox, Outcome, Registry, Ticket, Timestamp,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::{
    Host, answer, answer_with, at, config, eid, endpoint, mid, policy, registry, replay_all, secs,
    show,
};

const IDS: [&str; 4] = ["steep", "keyed", "asking", "shedding"];
/// How long a history runs on after its last input, in seconds.
const COOL_DOWN: u64 = 2_000;

#[derive(Clone, Copy, Debug)]
enum Action {
    Publish { run: u8 },
    Pause(usize),
    Resume(usize),
    Disable(usize),
    Enable(usize, bool),
    Use(usize, bool),
    Remove(usize),
    Insert(usize),
    Replay { failed: bool },
    Resend,
    GiveUp,
}

/// Each action, with the seconds since the one before.
#[derive(Clone, Debug)]
struct History {
    actions: Vec<(u64, Action)>,
    /// Selects the receivers' responses.
    salt: u64,
    batch: usize,
}

fn histories() -> impl Strategy<Value = History> {
    let which = 0..IDS.len();
    let act = prop_oneof![
        24 => (0..3_u8).prop_map(|run| Action::Publish { run }),
        1 => which.clone().prop_map(Action::Pause),
        2 => which.clone().prop_map(Action::Resume),
        1 => which.clone().prop_map(Action::Disable),
        3 => (which.clone(), any::<bool>()).prop_map(|(which, person)| Action::Enable(which, person)),
        1 => (which.clone(), any::<bool>()).prop_map(|(which, is)| Action::Use(which, is)),
        1 => which.clone().prop_map(Action::Remove),
        2 => which.prop_map(Action::Insert),
        1 => any::<bool>().prop_map(|failed| Action::Replay { failed }),
        2 => Just(Action::Resend),
        2 => Just(Action::GiveUp),
    ];
    let gap = prop_oneof![6 => 0..4_u64, 2 => 4..60_u64, 1 => 60..400_u64];
    let actions = proptest::collection::vec((gap, act), 1..60);
    (actions, any::<u64>(), 1..5_usize).prop_map(|(actions, salt, batch)| History {
        actions,
        salt,
        batch,
    })
}

fn endpoints() -> [Endpoint; 4] {
    let policy = |delays: &[u64]| policy(delays).with_jitter(Jitter::plus_minus(20));
    let health = HealthPolicy::new()
        .with_failures(NonZeroU32::new(2))
        .with_refused_for(secs(20))
        .with_probes(secs(15), secs(40))
        .with_disable_after(secs(120));
    let whole = |id| endpoint(id).with_health(health).with_flow(FlowPolicy::adaptive());
    let [steep, keyed, asking, shedding] = IDS.map(whole);
    let keep = health.with_pending_on_disable(PendingOnDisable::Keep);
    let shed = health.with_shed_after(secs(40));
    [
        steep
            .with_retry(policy(&[1, 5, 20, 60, 60, 60]))
            .with_max_in_flight(NonZeroU32::new(2).unwrap()),
        keyed
            .with_retry(policy(&[2, 9, 30]).with_window(secs(300)))
            .with_order(Order::per_key().with_skip_after(secs(25)))
            .with_health(keep),
        asking
            .with_retry(policy(&[1, 30]).with_guarantee(DeliveryGuarantee::Ask))
            .with_order(Order::strict().with_skip_after_attempts(NonZeroU32::new(2).unwrap())),
        shedding
            .with_retry(policy(&[3, 3, 50]).with_guarantee(DeliveryGuarantee::AtMostOnce))
            .with_health(shed),
    ]
}

/// The same with limits that do not adapt: a fixed concurrency, and for two a fixed rate.
fn fixed_endpoints() -> [Endpoint; 4] {
    let rate = RateLimitPolicy::new(NonZeroU32::MIN, secs(7));
    let two = NonZeroU32::new(2).unwrap();
    let [steep, keyed, asking, shedding] = endpoints().map(|it| it.with_flow(FlowPolicy::fixed()));
    let paced = |it: Endpoint| it.with_flow(FlowPolicy::fixed().with_rate_limit(rate));
    [steep.with_max_in_flight(two), paced(keyed), asking, paced(shedding)]
}

impl History {
    fn outbox(&self, registry: Registry) -> Outbox {
        Outbox::new(registry, self.salt)
            .with_batch(NonZeroUsize::new(self.batch).unwrap())
            .with_save_limit(NonZeroUsize::new(self.batch).unwrap())
            .with_retention(secs(200))
            .with_failing_after(NonZeroU32::new(2).unwrap())
            .with_outage_policy(OutagePolicy::new(60, 3))
            .with_attempt_reports()
    }

    fn draw(&self, text: &str) -> u64 {
        text.bytes().fold(self.salt, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// The response to an attempt and its latency in tenths of a second, if there is one. The
    /// receivers have good and bad minutes.
    fn response(&self, ticket: &Ticket, now: Timestamp) -> Option<(Outcome, u64)> {
        let minute = now.saturating_since(at(0)).as_secs() / 120;
        let bad = self.draw(&format!("{}{minute}", ticket.endpoint())) >> 33 & 1 == 1;
        let hash = self.draw(&show(ticket));
        let latency = if hash >> 50 & 15 == 0 { 115 } else { (hash >> 40) % 20 };
        let outcome = match (bad, (hash >> 20) % 16) {
            (false, 0..=11) | (true, 0..=1) => answer(200),
            (_, 12) => answer_with(429, "retry-after", "7"),
            (_, 13) => Outcome::failed(Failure::Sender),
            (_, 14) if hash >> 60 == 0 => answer_with(200, "webhook-delivery", "disable"),
            (_, 14) if hash >> 60 == 1 => answer_with(503, "webhook-delivery", "abort-message"),
            (true, 14) if hash >> 60 < 4 => answer(410),
            (_, 15) => return None,
            (true, 2..=5) => answer(503),
            (true, 6..=8) => answer(500),
            (true, _) => Outcome::failed(Failure::Broken),
            (false, _) => answer(422),
        };
        Some((outcome, latency))
    }
}

/// One of the two outboxes and its host.
struct Twin {
    host: Host,
    endpoints: [Endpoint; 4],
    answers: BTreeMap<Timestamp, VecDeque<(Ticket, Outcome)>>,
    published: u32,
}

impl Twin {
    fn new(history: &History, endpoints: [Endpoint; 4]) -> Self {
        let host = Host::new(history.outbox(registry(endpoints.clone())));
        Self { host, endpoints, answers: BTreeMap::new(), published: 0 }
    }

    fn act(&mut self, act: Action) {
        let Self { host, published, endpoints, .. } = self;
        let now = host.now;
        let id = |which: usize| eid(IDS[which]);
        match act {
            Action::Publish { run } => {
                *published += 1;
                let event =
                    Event::new(RunStateChanged::new(format!("r{run}"), RunState::Started), now);
                let message = event.into_message(mid(&format!("m{published}"))).unwrap();
                // Every fourth message expires.
                let expires = (published.is_multiple_of(4)).then(|| now + secs(45));
                host.outbox.publish(message.with_expires_at(expires), now).unwrap();
            }
            Action::Pause(which) => _ = host.outbox.pause_endpoint(&id(which), now),
            Action::Resume(which) => _ = host.outbox.resume_endpoint(&id(which), now),
            Action::Disable(which) => _ = host.outbox.disable_endpoint(&id(which), None, now),
            Action::Enable(which, person) => {
                let by = if person { EnabledBy::Operator } else { EnabledBy::Automation };
                _ = host.outbox.enable_endpoint(&id(which), by, now);
            }
            Action::Use(which, is) => {
                if let Some(endpoint) = host.outbox.registry().get(&id(which)) {
                    let endpoint = endpoint.as_ref().clone().with_enabled(is);
                    host.outbox.replace_endpoint(endpoint, now).unwrap();
                }
            }
            Action::Remove(which) => _ = host.outbox.remove_endpoint(&id(which), now),
            Action::Insert(which) => {
                _ = host.outbox.insert_endpoint(endpoints[which].clone(), now);
            }
            Action::Replay { failed } => {
                let all = ReplayFilter::all();
                let selection =
                    if failed { all.only_failed() } else { all.with_accepted_from(now + secs(0)) };
                let plan = host.outbox.plan_replay(&selection, secs(2), now);
                replay_all(&mut host.outbox, &plan, now);
            }
            Action::Resend | Action::GiveUp => {
                let found = host.outbox.deliveries().find_map(|(message, endpoint, delivery)| {
                    delivery.in_doubt().map(|_| (message.id().clone(), endpoint.clone()))
                });
                let Some((message, endpoint)) = found else { return };
                let outbox = &mut host.outbox;
                let decided = match act {
                    Action::Resend => outbox.resend(&message, &endpoint, now),
                    _ => outbox.give_up(&message, &endpoint, now),
                };
                assert!(decided);
            }
        }
    }

    /// Does everything there is to do at this instant, and returns the attempts and the notices.
    fn run_instant(&mut self, history: &History, actions: &[Action]) -> (Vec<String>, Vec<String>) {
        let (mut sent, mut notices) = (Vec::new(), Vec::new());
        actions.iter().for_each(|act| self.act(*act));
        loop {
            let now = self.host.now;
            for attempt in self.host.attempts() {
                let ticket = attempt.ticket();
                sent.push(format!("{} by {}", show(ticket), attempt.deadline()));
                if let Some((outcome, tenths)) = history.response(ticket, now) {
                    let due = now + Duration::from_millis(100) * u32::try_from(tenths).unwrap();
                    self.answers.entry(due).or_default().push_back((ticket.clone(), outcome));
                }
            }
            notices.extend(self.host.notices.drain(..).map(|notice| format!("{notice:?}")));
            let Some(mut due) = self.answers.first_entry().filter(|it| *it.key() <= now) else {
                break;
            };
            // Fair-queue positions are not saved, so the order within an instant may differ.
            due.get_mut().make_contiguous().sort_by_key(|(ticket, _)| show(ticket));
            let (ticket, outcome) = due.get_mut().pop_front().unwrap();
            if due.get().is_empty() {
                due.remove();
            }
            self.host.resolve(&ticket, &outcome);
        }
        sent.sort();
        notices.sort();
        (sent, notices)
    }

    /// All visible state, except what is counted since the restart.
    fn visible_state(&self) -> Vec<String> {
        let outbox = &self.host.outbox;
        let mut lines = self.state_without_flow();
        lines.push(format!("{:?}", self.host.wait));
        let flow = |id| Some(format!("{id} {:?}", outbox.status(&eid(id)).ok()?.flow));
        lines.extend(IDS.into_iter().filter_map(flow));
        lines
    }

    fn state_without_flow(&self) -> Vec<String> {
        let outbox = &self.host.outbox;
        let mut lines = vec![format!("{} {:?}", outbox.pending(), outbox.sender_outage())];
        lines.extend(IDS.iter().filter_map(|id| {
            let Status { health, pending, due, .. } = outbox.status(&eid(id)).ok()?;
            // The end of a wait may be noticed later, so the getters are compared and not the
            // machines themselves.
            let state = (
                health.state(),
                health.since(),
                health.failures(),
                health.failed_probes(),
                health.disabled(),
            );
            let probing = (health.paused_since(), health.probe(), health.claim_at());
            Some(format!("{id} {state:?} {probing:?} {pending} {due}"))
        }));
        lines.extend(outbox.deliveries().map(|(message, endpoint, it)| {
            let id = message.id();
            let state = (it.attempts(), it.in_flight(), it.next_at(), it.in_doubt(), it.verdict());
            format!("{id}>{endpoint} {state:?} {:?} {}", it.unanswered(), it.replays())
        }));
        lines.extend(self.host.disk.keys().cloned());
        lines
    }

    /// Whether nothing is in flight, and no response is still to come. A late one of an attempt from
    /// before a restart says nothing about its endpoint.
    fn is_quiet(&self) -> bool {
        let mut all = self.host.outbox.deliveries();
        self.answers.is_empty() && all.all(|(_, _, delivery)| delivery.in_flight().is_none())
    }

    fn next(&self) -> Option<Timestamp> {
        let answer = self.answers.first_key_value().map(|(due, _)| *due);
        answer.into_iter().chain(self.host.wait).min()
    }
}

/// What is left of a history's actions.
struct Timeline {
    actions: VecDeque<(Timestamp, Action)>,
    end: Timestamp,
}

impl Timeline {
    fn new(history: &History) -> Self {
        let mut when = at(0);
        let actions = history.actions.iter().map(|(gap, act)| {
            when += secs(*gap);
            (when, *act)
        });
        Self { actions: actions.collect(), end: when + secs(COOL_DOWN) }
    }

    fn due(&mut self, now: Timestamp) -> Vec<Action> {
        let due = self.actions.iter().take_while(|(when, _)| *when <= now).count();
        self.actions.drain(..due).map(|(_, act)| act).collect()
    }

    fn next(&self, twin: &Twin) -> Timestamp {
        let acted = self.actions.front().map(|(when, _)| *when);
        acted.into_iter().chain(twin.next()).min().unwrap_or(self.end)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Variation {
    /// Both outboxes stop in an orderly way, and only one of them is restarted.
    Restarts,
    /// One of two outboxes whose limits do not adapt crashes.
    Crashes,
    Ticks,
}

fn assert_same(one: &Twin, two: &Twin, now: Timestamp) {
    let (one, two) = (one.visible_state(), two.visible_state());
    for (one, two) in one.iter().zip(&two) {
        assert_eq!(one, two, "at {now}");
    }
    assert_eq!(one.len(), two.len(), "at {now}");
}

/// Runs the history twice, side by side. Returns how often the second run was restarted or polled
/// in between, and the notices.
fn run_both(history: &History, other: Variation) -> (u32, Vec<String>) {
    let mut timeline = Timeline::new(history);
    let end = timeline.end;
    let endpoints = if other == Variation::Crashes { fixed_endpoints() } else { endpoints() };
    let [mut one, mut two] = [(); 2].map(|()| Twin::new(history, endpoints.clone()));
    let (mut count, mut notices) = (0, Vec::new());
    while one.host.now < end {
        let now = one.host.now;
        let due = timeline.due(now);
        two.host.now = now;
        let instant = one.run_instant(history, &due);
        assert_eq!(instant, two.run_instant(history, &due), "at {now}");
        notices.extend(instant.1);
        assert_same(&one, &two, now);

        let next = timeline.next(&one);
        match other {
            Variation::Restarts if two.is_quiet() => {
                for twin in [&mut one, &mut two] {
                    twin.host.outbox.drain();
                    assert_eq!(twin.run_instant(history, &[]), Default::default());
                    assert!(twin.host.outbox.is_drained());
                }
                let registry = two.host.outbox.registry().clone();
                two.host.restart(history.outbox(registry));
                one.host.outbox.undrain();
                for twin in [&mut one, &mut two] {
                    let instant = twin.run_instant(history, &[]);
                    assert_eq!(instant, Default::default(), "restarted at {now}");
                }
                assert_same(&one, &two, now);
                count += 1;
            }
            Variation::Crashes if two.is_quiet() => {
                let registry = two.host.outbox.registry().clone();
                two.host.restart(history.outbox(registry));
                assert_eq!(two.run_instant(history, &[]), Default::default(), "restarted at {now}");
                assert_same(&one, &two, now);
                count += 1;
            }
            Variation::Ticks => {
                let gap = next.saturating_since(now) / 4;
                for _ in 0..3 {
                    two.host.now += gap;
                    if two.host.now < next {
                        assert_eq!(
                            two.run_instant(history, &[]),
                            Default::default(),
                            "{}",
                            two.host.now
                        );
                        count += 1;
                    }
                }
            }
            Variation::Restarts | Variation::Crashes => {}
        }
        one.host.now = next;
    }
    (count, notices)
}

/// Runs the history, and restores a copy from the records whenever nothing is in flight: it has the
/// same state, except for what need not be saved. Returns in how many copies that was missing.
fn run_and_crash_copies(history: &History) -> u32 {
    let mut timeline = Timeline::new(history);
    let end = timeline.end;
    let mut twin = Twin::new(history, endpoints());
    let mut lossy = 0;
    while twin.host.now < end {
        let now = twin.host.now;
        let due = timeline.due(now);
        twin.run_instant(history, &due);
        if twin.is_quiet() {
            let registry = twin.host.outbox.registry().clone();
            let mut copy = Twin::new(history, endpoints());
            (copy.host.now, copy.host.disk) = (now, twin.host.disk.clone());
            copy.host.restart(history.outbox(registry));
            lossy += u32::from(assert_crashed(&twin, &mut copy, history));
        }
        twin.host.now = timeline.next(&twin);
    }
    lossy
}

/// Asserts that nothing is lost but measurements. Returns whether one is.
fn assert_crashed(twin: &Twin, copy: &mut Twin, history: &History) -> bool {
    let now = twin.host.now;
    let (sent, notices) = copy.run_instant(history, &[]);
    let copy = &*copy;
    // At a learned rate of ten per second or more, one attempt may come too early by that much.
    let early = twin.host.wait.is_some_and(|it| it <= now + Duration::from_millis(100));
    if !sent.is_empty() {
        // It may have been answered at once, which is notified.
        assert!(early, "{sent:?} at {now}, and not {:?}", twin.host.wait);
        return true;
    }
    assert!(notices.is_empty(), "{notices:?} at {now}");
    let mut lossy = false;
    for id in IDS {
        let one = twin.host.outbox.status(&eid(id));
        let (Ok(one), Ok(two)) = (one, copy.host.outbox.status(&eid(id))) else { continue };
        assert!(!one.flow.needs_save(two.flow), "{id} at {now}");
        assert_eq!(one.spacing, two.spacing, "{id} at {now}");
        assert_eq!(one.concurrency_limit, two.concurrency_limit, "{id} at {now}");
        assert_eq!(one.flow.paused_until(), two.flow.paused_until(), "{id} at {now}");
        lossy |= one.flow != two.flow;
    }
    assert_eq!(twin.state_without_flow(), copy.state_without_flow(), "at {now}");
    let waits = [twin, copy].map(|it| it.host.wait);
    assert!(waits[0] == waits[1] || early, "{waits:?} at {now}");
    lossy
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn restart_with_nothing_in_flight_changes_nothing(history in histories()) {
        run_both(&history, Variation::Restarts);
    }

    #[test]
    fn crash_under_fixed_limits_changes_nothing(history in histories()) {
        run_both(&history, Variation::Crashes);
    }

    #[test]
    fn crash_loses_only_running_measurements(history in histories()) {
        run_and_crash_copies(&history);
    }

    #[test]
    fn poll_between_wake_ups_changes_nothing(history in histories()) {
        run_both(&history, Variation::Ticks);
    }
}

#[test]
fn histories_have_measurements_to_lose() {
    let mut runner = TestRunner::deterministic();
    let histories = (0..20).map(|_| histories().new_tree(&mut runner).unwrap().current());
    let lossy: u32 = histories.map(|history| run_and_crash_copies(&history)).sum();
    assert!(lossy > 100, "{lossy}");
}

#[test]
fn histories_exercise_every_notice() {
    let mut runner = TestRunner::deterministic();
    let (mut restarts, mut notices) = (0, Vec::new());
    for _ in 0..60 {
        let history = histories().new_tree(&mut runner).unwrap().current();
        let (count, news) = run_both(&history, Variation::Restarts);
        restarts += count;
        notices.extend(news);
    }
    assert!(restarts > 1_000, "{restarts}");
    let words = [
        "EndpointDown",
        "EndpointRecovered",
        "EndpointDisabled",
        "by: Operator",
        "by: Escalation",
        "by: Receiver",
        "SenderOutage ",
        "SenderOutageEnded",
        "Failing",
        "InDoubt",
        "cause: Probe",
        "cause: Retry",
        "cause: Replay",
        "verdict: Delivered",
        "verdict: Exhausted",
        "verdict: Expired",
        "verdict: Unconfirmed",
        "verdict: Cancelled",
        "verdict: Gone",
        "verdict: Stopped",
    ];
    for word in words {
        assert!(notices.iter().any(|it| it.contains(word)), "{word}");
    }
}

/// Which endpoint is served first is not saved, and decides what is saved together: an endpoint's
/// record must not depend on it.
#[test]
fn endpoint_record_does_not_depend_on_its_part() {
    let actions = vec![
        (0, Action::Pause(0)),
        (0, Action::Publish { run: 0 }),
        (60, Action::Publish { run: 0 }),
        (0, Action::Resume(0)),
    ];
    let history = History { actions, salt: 12_925_589_345_324_919_984, batch: 3 };
    assert!(run_both(&history, Variation::Restarts).0 > 0);
}
