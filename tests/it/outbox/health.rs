//! Endpoints that are down, probed, disabled, paused and enabled again, through the outbox.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::flow::{ConcurrencyLimitPolicy, FlowPolicy};
use labhook::health::{DisabledBy, State};
use labhook::{Endpoint, HealthPolicy, Order, Outbox, Outcome, Ticket};

use crate::support::{Host, answer, answer_with, at, eid, endpoint, policy, registry, secs, show};

/// Two failures open the circuit; a probe follows about every 60 s, and 600 s later the endpoint is
/// disabled.
pub(crate) fn fast_health() -> HealthPolicy {
    HealthPolicy::new()
        .with_failures(NonZeroU32::new(2))
        .with_probes(secs(60), secs(60))
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

/// The endpoint `a` is down since 0, because of two messages, which wait from then on.
pub(crate) fn down(endpoint: Endpoint) -> Host {
    let mut host = host([endpoint]);
    host.publish("m1");
    host.publish("m2");
    assert_eq!(respond_to_all(&mut host, &answer(500)), 2);
    assert_eq!(host.notice_texts().pop().as_deref(), Some("a down"));
    host
}

/// Sleeps until a probe of `a` is sent.
pub(crate) fn next_probe(host: &mut Host) -> Ticket {
    loop {
        host.now = host.wait.unwrap();
        match &host.sends()[..] {
            [] => {}
            [ticket] => return ticket.clone(),
            more => panic!("{more:?} at once"),
        }
    }
}

/// Sleeps until a probe of `a` is sent, responds to it, and returns what was sent.
pub(crate) fn probe(host: &mut Host, outcome: &Outcome) -> String {
    let ticket = next_probe(host);
    host.resolve(&ticket, outcome);
    assert!(host.sends().is_empty() || outcome.status().is_some_and(|it| it.is_success()));
    show(&ticket)
}

/// The endpoint `a` is disabled by its probes at 600.
pub(crate) fn escalated(endpoint: Endpoint) -> Host {
    let mut host = down(endpoint);
    while host.disabled("a").is_none() {
        assert!(host.notice_texts().is_empty());
        probe(&mut host, &answer(500));
    }
    host
}

/// The seconds since `from`, which must be `seconds` give or take a tenth.
#[track_caller]
fn assert_about(host: &Host, from: i64, seconds: u64) {
    let took = host.now.saturating_since(at(from));
    assert!(took >= secs(seconds) * 9 / 10 && took <= secs(seconds) * 11 / 10, "{took:?}");
}

#[test]
fn down_endpoint_gets_one_probe_per_wait() {
    let growing = fast_health().with_probes(secs(60), secs(135));
    let mut host = down(patient("a").with_health(growing));
    let status = host.outbox.status(&eid("a")).unwrap();
    assert_eq!((status.health.state(), status.pending), (State::Down, 2));
    host.publish("m3");
    host.now = at(53);
    assert!(host.sends().is_empty(), "new messages wait too");

    let probe = next_probe(&mut host);
    assert_about(&host, 0, 60);
    assert_eq!(show(&probe), "m3>a#1", "the newest that was never tried");
    let started = host.now;
    host.now = started + secs(9);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(started + secs(10)), "the deadline of the one in flight");
    host.resolve(&probe, &answer(500));
    let mut ended = host.now;
    host.sends();
    // A wait starts at the end of the probe, and each is half as long again.
    for (wait, sent) in [(90, "m1>a#2"), (135, "m2>a#2"), (135, "m3>a#2"), (135, "m1>a#3")] {
        assert!(host.notice_texts().is_empty());
        let ticket = next_probe(&mut host);
        assert_eq!(show(&ticket), sent);
        let took = host.now.saturating_since(ended);
        assert!(took >= secs(wait) * 9 / 10 && took <= secs(wait) * 11 / 10, "{wait}: {took:?}");
        host.now += secs(1);
        host.resolve(&ticket, &answer(500));
        host.sends();
        ended = host.now;
    }
}

#[test]
fn endpoint_is_disabled_at_an_exact_instant() {
    let mut host = escalated(patient("a"));
    let disabled = host.disabled("a").unwrap();
    assert_eq!((disabled.since, disabled.by), (at(600), DisabledBy::Escalation));
    let notices = host.notice_texts();
    let [first, second, third] = &notices[..] else { panic!("{notices:?}") };
    assert!(first.contains(">a cancelled after "), "{first}");
    assert_eq!(second, "a disabled");
    assert!(third.contains(">a cancelled after "), "{third}");
    // Both messages served as probes, in turns.
    let attempts: Vec<_> = host.outbox.deliveries().map(|(.., it)| it.attempts()).collect();
    assert!(attempts[0].abs_diff(attempts[1]) <= 1, "{attempts:?}");
    assert!((11..=14).contains(&attempts.iter().sum::<u32>()), "{attempts:?}");
    assert_eq!(host.outbox.pending(), 0);
    let shed = host.publish("m3");
    assert_eq!((shed.endpoints, shed.shed), (vec![], vec![eid("a")]));
    assert!(host.sends().is_empty());
}

#[test]
fn last_probe_runs_when_the_disable_time_is_over() {
    for after in [30, 61, 555, 601] {
        let steep = fast_health().with_disable_after(secs(after));
        let host = escalated(patient("a").with_health(steep));
        // The wait before the first probe is not cut short.
        let since = host.disabled("a").unwrap().since;
        let first = at(0) + secs(60) * 11 / 10;
        assert!(since == at(0) + secs(after) || after < 66 && since <= first, "{since}");
        assert!(since >= at(0) + secs(after));
    }
}

#[test]
fn recovered_endpoint_ramps_up_its_backlog() {
    let count = |n| NonZeroU32::new(n).unwrap();
    let limit = ConcurrencyLimitPolicy::adaptive(count(2), count(64));
    let flow = FlowPolicy::fixed().with_concurrency(limit);
    let mut host = down(patient("a").with_flow(flow));
    for number in 0..200 {
        host.publish(&format!("n{number:03}"));
    }
    probe(&mut host, &answer(200));
    assert_eq!(host.health("a").state(), State::Healthy);
    let limit = |host: &Host| host.outbox.status(&eid("a")).unwrap().flow.concurrency_limit(&flow);
    assert_eq!(limit(&host), count(2));
    // Each answer takes 100 ms, and the limit doubles about once a second.
    let mut limits = vec![limit(&host)];
    for _ in 0..80 {
        let sends = in_flight(&host);
        assert!(sends.len() <= usize::try_from(limit(&host).get()).unwrap());
        host.now += Duration::from_millis(100);
        for ticket in sends {
            host.outbox.resolve(&ticket, &answer(200), host.now);
        }
        host.sends();
        if limits.last() != Some(&limit(&host)) {
            limits.push(limit(&host));
        }
    }
    assert_eq!(limits, [2, 4, 8, 16, 32].map(count)[..limits.len()]);
    assert!(limits.len() >= 4, "{limits:?}");
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
    let shedding = fast_health().with_shed_after(secs(100));
    let single = patient("a").with_health(shedding).with_retry(policy(&[]));
    let mut host = down(single);
    assert_eq!(host.outbox.pending(), 0, "each had one attempt");
    // While the endpoint has not been down for long, everything is accepted.
    for id in ["n1", "n2"] {
        assert_eq!(host.publish(id).endpoints, [eid("a")]);
        host.sends();
        assert_eq!(probe(&mut host, &answer(500)), format!("{id}>a#1"));
    }
    assert!(host.now >= at(108));
    let shed = host.publish("o1");
    assert_eq!((shed.endpoints, shed.shed), (vec![], vec![eid("a")]));
    // A probe is due, and there is nothing to send.
    host.now += secs(66);
    assert!(host.sends().is_empty());
    let taken = host.publish("o2");
    assert_eq!((taken.endpoints, taken.shed), (vec![eid("a")], vec![]));
    assert_eq!(host.publish("o3").shed, [eid("a")], "one message is enough");
    let ticket = host.send();
    assert_eq!(show(&ticket), "o2>a#1");
    assert_eq!(host.publish("o4").shed, [eid("a")], "it is in flight");
    host.resolve(&ticket, &answer(200));
    assert_eq!(host.publish("o5").endpoints, [eid("a")], "healthy again");
    assert_eq!(host.outbox.status(&eid("a")).unwrap().counters.shed, 3);
    // A duplicate is reported as such, and sheds nothing.
    let again = host.publish("o1");
    assert_eq!((again.duplicate, again.shed.len()), (true, 0));
}

/// Sheds new messages at once while down, and is never disabled.
fn shedding() -> HealthPolicy {
    let one = NonZeroU32::new(1);
    fast_health().with_failures(one).with_shed_after(Duration::ZERO).with_disable_after(None)
}

#[test]
fn waiting_retry_does_not_serve_as_the_probe() {
    let slow = patient("a").with_health(shedding()).with_retry(policy(&[10_000]));
    let mut host = host([slow]);
    host.publish("m");
    assert_eq!(respond_to_all(&mut host, &answer(500)), 1);
    host.now = at(53);
    assert_eq!(host.publish("early").shed, [eid("a")]);
    host.now = at(67);
    assert!(host.sends().is_empty(), "a probe is due, and m is not");
    assert_eq!(host.publish("n1").endpoints, [eid("a")]);
    assert_eq!(host.publish("n2").shed, [eid("a")]);
    assert_eq!(host.send_texts(), ["n1>a#1"]);
}

#[test]
fn blocked_message_is_not_accepted_as_the_probe() {
    // The head of its ordering group waits longer for its retry than the endpoint for its probe.
    let endpoint = patient("a").with_health(shedding()).with_retry(policy(&[10_000]));
    let mut host = host([endpoint.with_order(Order::strict())]);
    host.publish("m");
    assert_eq!(respond_to_all(&mut host, &answer(500)), 1);
    assert_eq!(host.notice_texts(), ["a down"]);
    host.now = at(67);
    assert!(host.sends().is_empty(), "a probe is due, and m is not");
    assert_eq!(host.publish("n").shed, [eid("a")], "n cannot overtake m");
    assert_eq!(host.outbox.pending(), 1);
}

#[test]
fn retry_after_postpones_the_probe() {
    // The probe waits for the later of its own time and the pause.
    let mut host = host([patient("a").with_health(fast_health().with_refused_for(secs(0)))]);
    host.publish("m1");
    host.publish("m2");
    for ticket in host.sends() {
        host.resolve(&ticket, &answer_with(503, "retry-after", "90"));
    }
    host.sends();
    assert_eq!(host.health("a").state(), State::Down);
    host.publish("m3");
    host.now = at(67);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(90)));
    host.now = at(90);
    assert_eq!(host.send_texts(), ["m3>a#1"]);
}

#[test]
fn probe_that_says_nothing_is_followed_by_another() {
    for outcome in [answer(400), answer(409), Outcome::failed(labhook::delivery::Failure::Sender)] {
        let growing = fast_health().with_probes(secs(60), secs(300));
        let mut host = down(patient("a").with_health(growing));
        probe(&mut host, &answer(500));
        probe(&mut host, &outcome);
        assert_eq!((host.health("a").state(), host.health("a").failed_probes()), (State::Down, 1));
        // The wait is the first one again.
        let from = host.now;
        let ticket = next_probe(&mut host);
        let took = host.now.saturating_since(from);
        assert!(took >= secs(54) && took <= secs(66), "{took:?}");
        host.resolve(&ticket, &answer(200));
        assert_eq!(host.health("a").state(), State::Healthy);
    }
}

#[test]
fn probe_never_handed_out_does_not_count() {
    // The save takes longer than the attempt timeout: the probe restarts, and the probe schedule
    // has not moved.
    let mut host = down(patient("a"));
    host.now = at(66);
    let changes = host.unsaved();
    host.now = at(81);
    host.save(changes);
    // The one whose start was cancelled has been due for a shorter time.
    let probe = host.send();
    assert_eq!(show(&probe), "m2>a#2");
    assert_eq!(host.health("a").failed_probes(), 0);
    host.resolve(&probe, &answer(500));
    host.sends();
    assert_eq!(host.health("a").failed_probes(), 1);
    host.now = at(81 + 53);
    assert!(host.sends().is_empty());
    host.now = at(81 + 66);
    assert_eq!(host.send_texts(), ["m1>a#2"]);
}

#[test]
fn batch_holds_at_most_one_probe() {
    let mut host = down(patient("a"));
    for number in 0..5 {
        host.publish(&format!("n{number}"));
    }
    assert!(host.sends().is_empty());
    host.now = at(66);
    assert_eq!(host.sends().len(), 1);
}
