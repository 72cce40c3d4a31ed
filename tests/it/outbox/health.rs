//! Endpoints that are degraded, suspended, disabled, paused and enabled again, through the outbox.

use std::num::{NonZeroU8, NonZeroU32};

use labhook::delivery::Resolution;
use labhook::flow::{ConcurrencyLimitPolicy, FlowPolicy};
use labhook::health::{DisabledBy, NewMessages, State};
use labhook::{Endpoint, HealthPolicy, Order, Outbox, Outcome, Ticket};

use crate::support::{Host, answer, answer_with, at, eid, endpoint, policy, registry, secs, show};

/// Two faults degrade; probes after 60 s and then every 120 s; two failed probes suspend, and 600 s
/// later the endpoint is disabled.
pub(crate) fn fast_health() -> HealthPolicy {
    HealthPolicy::new()
        .with_failures(NonZeroU8::new(2))
        .with_probes(secs(60), [secs(120)])
        .with_suspend_after(NonZeroU32::new(2))
        .with_disable_after(secs(600))
}

/// Retries every second without end.
pub(crate) fn patient(id: &str) -> Endpoint {
    endpoint(id).with_retry(policy(&[1; 40])).with_health(fast_health())
}

pub(crate) fn outbox(endpoints: impl IntoIterator<Item = Endpoint>) -> Outbox {
    Outbox::new(registry(endpoints), 7).with_failing_after(NonZeroU32::new(1_000).unwrap())
}

pub(crate) fn host(endpoints: impl IntoIterator<Item = Endpoint>) -> Host {
    Host::new(outbox(endpoints))
}

/// Responds to every attempt that is sent at this instant.
pub(crate) fn respond_to_all(host: &mut Host, outcome: &Outcome) -> usize {
    let sends = host.sends();
    for ticket in &sends {
        host.resolve(ticket, outcome);
    }
    host.sends().len() + sends.len()
}

/// The endpoint `a` is degraded at 0 by two messages, which are held from then on.
pub(crate) fn degraded(endpoint: Endpoint) -> Host {
    let mut host = host([endpoint]);
    host.publish("m1");
    host.publish("m2");
    assert_eq!(respond_to_all(&mut host, &answer(500)), 2);
    assert_eq!(host.notice_texts().pop().as_deref(), Some("a degraded"));
    host
}

/// Moves to the next wake-up, at which one probe of `a` is sent, and responds to it.
pub(crate) fn probe(host: &mut Host, seconds: i64, outcome: &Outcome) -> Resolution {
    while host.wait.is_some_and(|wait| wait < at(seconds)) {
        host.now = host.wait.unwrap();
        assert!(host.sends().is_empty(), "nothing is sent before the probe");
    }
    assert_eq!(host.wait, Some(at(seconds)));
    host.now = at(seconds);
    let ticket = host.send();
    let resolution = host.resolve(&ticket, outcome);
    assert!(host.sends().is_empty() || outcome.status().is_some_and(|it| it.is_success()));
    resolution
}

/// The endpoint `a` is suspended at 180.
pub(crate) fn suspended(endpoint: Endpoint) -> Host {
    let mut host = degraded(endpoint);
    probe(&mut host, 60, &answer(500));
    assert!(host.notice_texts().is_empty());
    probe(&mut host, 180, &answer(500));
    assert_eq!(host.notice_texts(), ["a suspended"]);
    host
}

/// The endpoint `a` was disabled by its probes at 780.
pub(crate) fn escalated(endpoint: Endpoint) -> Host {
    let mut host = suspended(endpoint);
    for seconds in [300, 420, 540, 660, 780] {
        assert!(host.notice_texts().is_empty());
        probe(&mut host, seconds, &answer(500));
    }
    host
}

#[test]
fn degraded_endpoint_gets_one_probe_per_backoff_step() {
    let mut host = degraded(patient("a"));
    let status = host.outbox.status(&eid("a")).unwrap();
    assert_eq!((status.health.state(), status.pending), (State::Degraded, 2));
    host.publish("m3");
    host.now = at(59);
    assert!(host.sends().is_empty(), "new messages wait too");
    assert_eq!(host.wait, Some(at(60)));

    host.now = at(60);
    let probe = host.send();
    assert_eq!(show(&probe), "m1>a#2", "the oldest");
    host.now = at(69);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(70)), "the deadline of the one in flight");
    host.now = at(70);
    assert!(host.sends().is_empty());
    // A wait starts at the end of the probe.
    assert_eq!(host.wait, Some(at(71)), "the retry of m1 falls due");
    host.now = at(71);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(190)));
    assert!(host.notice_texts().is_empty());
    host.now = at(190);
    assert_eq!(host.sends().len(), 1);
}

#[test]
fn endpoint_escalates_at_exact_instants() {
    let mut host = escalated(patient("a"));
    assert_eq!(
        host.notice_texts(),
        ["m1>a cancelled after 8", "a disabled", "m2>a cancelled after 1"],
        "one message served as every probe"
    );
    let disabled = host.disabled("a").unwrap();
    assert_eq!((disabled.since, disabled.by), (at(780), DisabledBy::Escalation));
    assert_eq!(host.outbox.pending(), 0);
    let shed = host.publish("m3");
    assert_eq!((shed.endpoints, shed.shed), (vec![], vec![eid("a")]));
    assert!(host.sends().is_empty());
}

#[test]
fn last_probe_runs_when_the_disable_time_is_over() {
    let steep = fast_health().with_disable_after(secs(601));
    let mut host = suspended(patient("a").with_health(steep));
    for seconds in [300, 420, 540, 660, 780] {
        probe(&mut host, seconds, &answer(500));
        assert_eq!(host.disabled("a"), None);
    }
    probe(&mut host, 781, &answer(500));
    assert_eq!(host.disabled("a").unwrap().since, at(781));
}

#[test]
fn recovered_endpoint_ramps_up_its_backlog() {
    let count = |n| NonZeroU32::new(n).unwrap();
    let flow =
        FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::adaptive(count(8), count(64)));
    let mut host = degraded(patient("a").with_flow(flow));
    for number in 0..40 {
        host.publish(&format!("n{number}"));
    }
    probe(&mut host, 60, &answer(200));
    // A limit of 1, plus one for each success.
    let mut gone = 1;
    for rounds in 0..5_usize {
        assert_eq!(host.health("a").state(), State::Healthy);
        let window = host.outbox.status(&eid("a")).unwrap().flow.concurrency().clone();
        let limit = window.limit(&ConcurrencyLimitPolicy::adaptive(count(8), count(64))).get();
        assert_eq!(limit, 1 << rounds);
        let sends = in_flight(&host);
        gone += sends.len();
        assert_eq!(sends.len(), 1 << rounds);
        for ticket in sends {
            host.outbox.resolve(&ticket, &answer(200), host.now);
        }
        host.sends();
    }
    assert_eq!(gone, 32);
    let mut notices = host.notice_texts();
    notices.retain(|it| !it.contains("delivered"));
    assert_eq!(notices, ["a recovered"]);
}

/// The attempts in flight, whether or not this test was handed them.
pub(crate) fn in_flight(host: &Host) -> Vec<Ticket> {
    let tickets = host.outbox.deliveries().filter_map(|(message, endpoint, delivery)| {
        let attempt = delivery.in_flight()?.number;
        let record = host.disk.get(&format!("message/{}", message.id()))?;
        let sequence = serde_json::to_value(record).unwrap()["sequence"].clone();
        serde_json::from_value(serde_json::json!({
            "sequence": sequence,
            "message": message.id(),
            "endpoint": endpoint,
            "attempt": attempt,
            // The outbox itself knows the permit of an attempt in flight.
            "permit": {"serial": 0},
        }))
        .ok()
    });
    tickets.collect()
}

#[test]
fn shedding_endpoint_accepts_one_message_for_a_probe() {
    let shedding = |id| patient(id).with_health(fast_health().with_new_messages(NewMessages::Shed));
    let single = shedding("a").with_retry(policy(&[]));
    let mut host = degraded(single);
    assert_eq!(host.outbox.pending(), 0, "each had one attempt");
    // While degraded, everything is accepted.
    for (id, seconds) in [("n1", 60), ("n2", 180)] {
        assert_eq!(host.publish(id).endpoints, [eid("a")]);
        host.sends();
        probe(&mut host, seconds, &answer(500));
    }
    assert_eq!(host.health("a").state(), State::Suspended);
    host.now = at(299);
    let shed = host.publish("o1");
    assert_eq!((shed.endpoints, shed.shed), (vec![], vec![eid("a")]));
    // A probe is due, and there is nothing to send.
    host.now = at(300);
    assert!(host.sends().is_empty());
    let taken = host.publish("o2");
    assert_eq!((taken.endpoints, taken.shed), (vec![eid("a")], vec![]));
    assert_eq!(host.publish("o3").shed, [eid("a")], "one message is enough");
    let ticket = host.send();
    assert_eq!(show(&ticket), "o2>a#1");
    assert_eq!(host.publish("o4").shed, [eid("a")], "it is in flight");
    host.resolve(&ticket, &answer(200));
    assert_eq!(host.publish("o5").endpoints, [eid("a")], "degraded again");
    assert_eq!(host.outbox.status(&eid("a")).unwrap().counters.shed, 3);
    // A duplicate is reported as such, and sheds nothing.
    let again = host.publish("o1");
    assert_eq!((again.duplicate, again.shed.len()), (true, 0));
}

#[test]
fn waiting_retry_does_not_serve_as_the_probe() {
    let shedding = fast_health().with_new_messages(NewMessages::Shed).with_disable_after(None);
    let slow = patient("a").with_health(shedding).with_retry(policy(&[60, 60, 60, 10_000]));
    let mut host = host([slow]);
    host.publish("m");
    for seconds in [0, 60, 120, 240] {
        host.now = at(seconds);
        assert_eq!(respond_to_all(&mut host, &answer(500)), 1);
    }
    host.now = at(360);
    assert!(host.sends().is_empty(), "a probe is due, and m is not");
    assert_eq!(host.publish("n1").endpoints, [eid("a")]);
    assert_eq!(host.publish("n2").shed, [eid("a")]);
    assert_eq!(host.send_texts(), ["n1>a#1"]);
}

#[test]
fn blocked_message_is_not_accepted_as_the_probe() {
    // The head of its ordering group waits longer for its retry than the endpoint for its probe.
    let endpoint = patient("a")
        .with_health(fast_health().with_new_messages(NewMessages::Shed).with_disable_after(None))
        .with_retry(policy(&[60, 60, 60, 10_000]))
        .with_order(Order::strict());
    let mut host = host([endpoint]);
    host.publish("m");
    // Two faults degrade at 60, and probes at 120 and 240 suspend.
    for seconds in [0, 60, 120, 240] {
        host.now = at(seconds);
        assert_eq!(respond_to_all(&mut host, &answer(500)), 1);
    }
    assert_eq!(host.notice_texts(), ["a degraded", "a suspended"]);
    host.now = at(360);
    assert!(host.sends().is_empty(), "a probe is due, and m is not");
    assert_eq!(host.publish("n").shed, [eid("a")], "n cannot overtake m");
    assert_eq!(host.outbox.pending(), 1);
}

#[test]
fn retry_after_postpones_the_probe() {
    // The probe waits for the later of its own time and `Retry-After`.
    let mut host = host([patient("a")]);
    host.publish("m1");
    host.publish("m2");
    let sends = host.sends();
    host.resolve(&sends[0], &answer_with(500, "retry-after", "90"));
    host.resolve(&sends[1], &answer(500));
    host.sends();
    assert_eq!(host.health("a").state(), State::Degraded);
    // The retry of m2 falls due before, and is no reason to wake up.
    host.now = at(1);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(90)));
    host.now = at(60);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(90)));
    host.now = at(90);
    assert_eq!(host.sends().len(), 1);
}

#[test]
fn payload_fault_does_not_use_up_the_probe() {
    let mut host = degraded(patient("a"));
    host.now = at(60);
    let first = host.send();
    host.resolve(&first, &answer(400));
    let second = host.send();
    assert_eq!(show(&second), "m2>a#2");
    assert_eq!(host.now, at(60));
    host.resolve(&second, &answer(200));
    assert_eq!(host.health("a").state(), State::Healthy);
}

#[test]
fn probe_never_handed_out_does_not_count() {
    // The save takes longer than the attempt timeout: the probe restarts, and the backoff has not
    // advanced.
    let mut host = degraded(patient("a"));
    host.now = at(60);
    let changes = host.unsaved();
    host.now = at(75);
    host.save(changes);
    let probe = host.send();
    assert_eq!(show(&probe), "m1>a#2");
    assert_eq!(host.health("a").failures(), 0);
    host.resolve(&probe, &answer(500));
    host.sends();
    assert_eq!(host.health("a").failures(), 1);
    host.now = at(194);
    assert!(host.sends().is_empty());
    host.now = at(195);
    assert_eq!(host.sends().len(), 1);
}

#[test]
fn batch_holds_at_most_one_probe() {
    let mut host = degraded(patient("a"));
    for number in 0..5 {
        host.publish(&format!("n{number}"));
    }
    assert!(host.sends().is_empty());
    host.now = at(60);
    assert_eq!(host.sends().len(), 1);
}
