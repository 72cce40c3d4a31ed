//! Endpoints that are degraded, suspended, disabled, paused and taken back, through the outbox.

use std::num::{NonZeroU8, NonZeroU32, NonZeroUsize};

use labhook::delivery::{Failure, Resolution};
use labhook::flow::{FlowPolicy, WindowPolicy};
use labhook::health::{
    DisabledBy, EnableError, EnabledBy, NewMessages, OutageGuard, State, Waiting,
};
use labhook::{Endpoint, HealthPolicy, Order, Outbox, Outcome, Step, Ticket, Verdict};
use proptest::prelude::*;

use crate::support::{
    Host, answer, answer_with, at, config, eid, endpoint, mid, policy, registry, secs, show,
};

/// Two faults degrade; probes after 60 s and then every 120 s; two of them suspend, and 600 s
/// later it is disabled.
fn ladder() -> HealthPolicy {
    HealthPolicy::new()
        .with_failures(NonZeroU8::new(2))
        .with_probes(secs(60), [secs(120)])
        .with_probe_timeout(secs(10))
        .with_suspend_after(NonZeroU32::new(2))
        .with_disable_after(secs(600))
}

/// Retried every second for as long as it takes.
fn patient(id: &str) -> Endpoint {
    endpoint(id).policy(policy(&[1; 40])).health(ladder())
}

fn outbox(endpoints: impl IntoIterator<Item = Endpoint>) -> Outbox {
    Outbox::new(registry(endpoints), 7).failing_after(NonZeroU32::new(1_000).unwrap())
}

fn host(endpoints: impl IntoIterator<Item = Endpoint>) -> Host {
    Host::new(outbox(endpoints))
}

/// Answers whatever is to be sent at this instant.
fn all(host: &mut Host, outcome: &Outcome) -> usize {
    let sends = host.sends();
    for ticket in &sends {
        host.resolve(ticket, outcome);
    }
    host.sends().len() + sends.len()
}

/// The endpoint `a` is degraded at 0, by two messages that are held from then on.
fn degraded(endpoint: Endpoint) -> Host {
    let mut host = host([endpoint]);
    host.publish("m1");
    host.publish("m2");
    assert_eq!(all(&mut host, &answer(500)), 2);
    assert_eq!(host.told().pop().as_deref(), Some("a degraded"));
    host
}

/// Goes to the next wake-up, at which one probe of `a` goes, and answers it.
fn probe(host: &mut Host, seconds: i64, outcome: &Outcome) -> Resolution {
    while host.wait.is_some_and(|wait| wait < at(seconds)) {
        host.now = host.wait.unwrap();
        assert!(host.sends().is_empty(), "nothing goes before the probe");
    }
    assert_eq!(host.wait, Some(at(seconds)));
    host.now = at(seconds);
    let ticket = host.send();
    let resolution = host.resolve(&ticket, outcome);
    assert!(host.sends().is_empty() || outcome.status().is_some_and(|it| it.is_success()));
    resolution
}

/// The endpoint `a` is suspended at 180.
fn suspended(endpoint: Endpoint) -> Host {
    let mut host = degraded(endpoint);
    probe(&mut host, 60, &answer(500));
    assert!(host.told().is_empty());
    probe(&mut host, 180, &answer(500));
    assert_eq!(host.told(), ["a suspended"]);
    host
}

/// The endpoint `a` was disabled by its probes at 780.
fn escalated(endpoint: Endpoint) -> Host {
    let mut host = suspended(endpoint);
    for seconds in [300, 420, 540, 660, 780] {
        assert!(host.told().is_empty());
        probe(&mut host, seconds, &answer(500));
    }
    host
}

#[test]
fn a_degraded_endpoint_gets_one_probe_at_a_time_on_the_ladder() {
    let mut host = degraded(patient("a"));
    let status = host.outbox.status(&eid("a")).unwrap();
    assert_eq!((status.health.state(), status.pending), (State::Degraded, 2));
    host.publish("m3");
    host.now = at(59);
    assert!(host.sends().is_empty(), "what comes waits too");
    assert_eq!(host.wait, Some(at(60)));

    host.now = at(60);
    let probe = host.send();
    assert_eq!(show(&probe), "m1>a#2", "the oldest");
    host.now = at(69);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(70)), "the deadline of the one in flight");
    host.now = at(70);
    assert!(host.sends().is_empty());
    // A wait begins where the probe ended.
    assert_eq!(host.wait, Some(at(71)), "the retry of m1 falls due");
    host.now = at(71);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(190)));
    assert!(host.told().is_empty());
    host.now = at(190);
    assert_eq!(host.sends().len(), 1);
}

#[test]
fn an_endpoint_escalates_at_exact_instants() {
    let mut host = escalated(patient("a"));
    assert_eq!(
        host.told(),
        ["m1>a cancelled after 8", "a disabled", "m2>a cancelled after 1"],
        "one message went as all the probes"
    );
    let disabled = host.disabled("a").unwrap();
    assert_eq!((disabled.since, disabled.by), (at(780), DisabledBy::Escalation));
    assert_eq!(host.outbox.pending(), 0);
    let shed = host.publish("m3");
    assert_eq!((shed.endpoints, shed.shed), (vec![], vec![eid("a")]));
    assert!(host.sends().is_empty());
}

#[test]
fn the_last_probe_comes_when_the_time_to_disable_is_over() {
    let steep = ladder().with_disable_after(secs(601));
    let mut host = suspended(patient("a").health(steep));
    for seconds in [300, 420, 540, 660, 780] {
        probe(&mut host, seconds, &answer(500));
        assert_eq!(host.disabled("a"), None);
    }
    probe(&mut host, 781, &answer(500));
    assert_eq!(host.disabled("a").unwrap().since, at(781));
}

#[test]
fn the_backlog_of_a_recovered_endpoint_goes_a_little_at_first() {
    let count = |n| NonZeroU32::new(n).unwrap();
    let flow = FlowPolicy::fixed().with_window(WindowPolicy::adaptive(count(8), count(64)));
    let mut host = degraded(patient("a").flow(flow));
    for number in 0..40 {
        host.publish(&format!("n{number}"));
    }
    probe(&mut host, 60, &answer(200));
    // A window of 1, and one more for each success.
    let mut gone = 1;
    for rounds in 0..5_usize {
        assert_eq!(host.health("a").state(), State::Healthy);
        let window = host.outbox.status(&eid("a")).unwrap().flow.window().clone();
        let limit = window.limit(&WindowPolicy::adaptive(count(8), count(64))).get();
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
    let mut told = host.told();
    told.retain(|it| !it.contains("delivered"));
    assert_eq!(told, ["a recovered"]);
}

/// The attempts in flight, whether this test was handed them or not.
fn in_flight(host: &Host) -> Vec<Ticket> {
    let flying = host.outbox.deliveries().filter_map(|(message, endpoint, delivery)| {
        let attempt = delivery.in_flight()?.number;
        let record = host.disk.get(&format!("message/{}", message.id()))?;
        let sequence = serde_json::to_value(record).unwrap()["sequence"].clone();
        serde_json::from_value(serde_json::json!({
            "sequence": sequence,
            "message": message.id(),
            "endpoint": endpoint,
            "attempt": attempt,
        }))
        .ok()
    });
    flying.collect()
}

#[test]
fn a_suspended_endpoint_that_sheds_takes_the_one_message_that_a_probe_needs() {
    let shedding = |id| patient(id).health(ladder().with_new_messages(NewMessages::Shed));
    let single = shedding("a").policy(policy(&[]));
    let mut host = degraded(single);
    assert_eq!(host.outbox.pending(), 0, "each had one attempt");
    // Degraded, everything is taken.
    for (id, seconds) in [("n1", 60), ("n2", 180)] {
        assert_eq!(host.publish(id).endpoints, [eid("a")]);
        host.sends();
        probe(&mut host, seconds, &answer(500));
    }
    assert_eq!(host.health("a").state(), State::Suspended);
    host.now = at(299);
    let shed = host.publish("o1");
    assert_eq!((shed.endpoints, shed.shed), (vec![], vec![eid("a")]));
    // A probe is due, and nothing is there to send.
    host.now = at(300);
    assert!(host.sends().is_empty());
    let taken = host.publish("o2");
    assert_eq!((taken.endpoints, taken.shed), (vec![eid("a")], vec![]));
    assert_eq!(host.publish("o3").shed, [eid("a")], "one is enough");
    let ticket = host.send();
    assert_eq!(show(&ticket), "o2>a#1");
    assert_eq!(host.publish("o4").shed, [eid("a")], "it is in flight");
    host.resolve(&ticket, &answer(200));
    assert_eq!(host.publish("o5").endpoints, [eid("a")], "degraded again");
    assert_eq!(host.outbox.status(&eid("a")).unwrap().counters.shed, 3);
    // A duplicate says so, and sheds nothing.
    let again = host.publish("o1");
    assert_eq!((again.duplicate, again.shed.len()), (true, 0));
}

#[test]
fn what_waits_for_its_retry_is_of_no_use_to_a_probe_that_is_due() {
    let shedding = ladder().with_new_messages(NewMessages::Shed).with_disable_after(None);
    let slow = patient("a").health(shedding).policy(policy(&[60, 60, 60, 10_000]));
    let mut host = host([slow]);
    host.publish("m");
    for seconds in [0, 60, 120, 240] {
        host.now = at(seconds);
        assert_eq!(all(&mut host, &answer(500)), 1);
    }
    host.now = at(360);
    assert!(host.sends().is_empty(), "a probe is due, and m is not");
    assert_eq!(host.publish("n1").endpoints, [eid("a")]);
    assert_eq!(host.publish("n2").shed, [eid("a")]);
    assert_eq!(host.shown(), ["n1>a#1"]);
}

#[test]
fn what_could_not_be_the_probe_in_order_is_not_taken_for_it() {
    // The one at the head of the line waits for its retry longer than the endpoint for its probe.
    let endpoint = patient("a")
        .health(ladder().with_new_messages(NewMessages::Shed).with_disable_after(None))
        .policy(policy(&[60, 60, 60, 10_000]))
        .order(Order::strict());
    let mut host = host([endpoint]);
    host.publish("m");
    // Two faults degrade at 60, and probes at 120 and 240 suspend.
    for seconds in [0, 60, 120, 240] {
        host.now = at(seconds);
        assert_eq!(all(&mut host, &answer(500)), 1);
    }
    assert_eq!(host.told(), ["a degraded", "a suspended"]);
    host.now = at(360);
    assert!(host.sends().is_empty(), "a probe is due, and m is not");
    assert_eq!(host.publish("n").shed, [eid("a")], "it could not go before m");
    assert_eq!(host.outbox.pending(), 1);
}

/// What `a` has at the moment it is disabled: in flight, unsent, waiting for a retry, in doubt,
/// and held up in order.
#[test]
fn cancelling_at_disabling_ends_everything() {
    for waiting in [Waiting::Cancel, Waiting::Keep] {
        let three = NonZeroU32::new(3).unwrap();
        let with = || {
            let doubtful = policy(&[5, 20]).with_doubt(labhook::delivery::Doubt::Ask);
            let health = HealthPolicy::never().with_waiting(waiting);
            endpoint("a").policy(doubtful).health(health).max_in_flight(three)
        };
        let mut host = host([with()]);
        for id in ["doubt", "retry", "flying", "unsent", "fresh"] {
            host.publish(id);
        }
        let sends = host.sends();
        assert_eq!(sends.len(), 3);
        host.resolve(&sends[0], &Outcome::failed(Failure::Broken));
        host.resolve(&sends[1], &answer(503));
        // Two more may go, and are not handed out yet.
        let changes = host.unsaved();
        assert!(host.outbox.disable_endpoint(&eid("a"), Some("moved".into()), at(1)));
        assert!(!host.outbox.disable_endpoint(&eid("a"), None, at(1)), "it is");
        host.now = at(1);
        host.save(changes);
        assert!(host.sends().is_empty(), "nothing goes any more");
        let told = host.told();
        match waiting {
            Waiting::Cancel => {
                assert_eq!(
                    told,
                    [
                        "doubt>a in doubt after 1",
                        "a disabled",
                        "doubt>a unconfirmed after 1",
                        "retry>a cancelled after 1",
                        "unsent>a cancelled after 0",
                        "fresh>a cancelled after 0",
                    ]
                );
                assert_eq!(host.outbox.pending(), 1);
                host.now = at(10);
                assert!(host.sends().is_empty());
                assert_eq!(host.told(), ["flying>a unconfirmed after 1"]);
                assert_eq!((host.outbox.pending(), host.wait.is_some()), (0, true));
            }
            Waiting::Keep => {
                assert_eq!(told, ["doubt>a in doubt after 1", "a disabled"]);
                assert_eq!(host.outbox.pending(), 5);
                let refused = host.outbox.enable_endpoint(&eid("a"), EnabledBy::Automation, at(2));
                assert_eq!(refused, Err(EnableError::ByOperator));
                // Over a restart too.
                host.restart(outbox([with()]));
                host.now = at(100);
                assert!(host.sends().is_empty());
                assert_eq!(host.outbox.pending(), 5);
                host.told();
                let refused = host.outbox.enable_endpoint(&eid("a"), EnabledBy::Automation, at(2));
                assert_eq!(refused, Err(EnableError::ByOperator));
                host.enable("a").unwrap();
                // What was not in doubt goes, first attempts first.
                assert_eq!(host.shown(), ["unsent>a#1", "fresh>a#1", "retry>a#2"]);
                assert_eq!(host.told(), ["a recovered"]);
            }
        }
    }
}

#[test]
fn disabling_ends_what_is_held_up_in_order_as_well() {
    let mut host = host([endpoint("a").order(Order::strict())]);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let m1 = host.send();
    host.outbox.disable_endpoint(&eid("a"), None, at(0));
    host.sends();
    assert_eq!(host.told(), ["a disabled", "m2>a cancelled after 0", "m3>a cancelled after 0"]);
    assert_eq!(host.resolve(&m1, &answer(503)), Resolution::Ended(Verdict::Cancelled));
    host.sends();
    assert_eq!(host.told(), ["m1>a cancelled after 1"]);
}

#[test]
fn what_an_escalation_disabled_a_program_may_enable_and_what_is_kept_goes_then() {
    let keeping = || patient("a").health(ladder().with_waiting(Waiting::Keep));
    let mut host = escalated(keeping());
    assert_eq!(host.told(), ["a disabled"]);
    assert_eq!(host.outbox.pending(), 2);
    host.now = at(10_000);
    assert!(host.sends().is_empty());
    host.restart(outbox([keeping()]));
    host.outbox.enable_endpoint(&eid("a"), EnabledBy::Automation, at(10_000)).unwrap();
    assert_eq!(host.shown(), ["m1>a#9", "m2>a#2"]);
    assert_eq!(host.told(), ["a recovered"]);
    assert_eq!(host.health("a").failures(), 0);
}

#[test]
fn an_operator_takes_over_what_an_escalation_disabled() {
    let mut host = escalated(patient("a"));
    assert!(!host.outbox.disable_endpoint(&eid("a"), Some("ours now".into()), at(800)));
    let disabled = host.disabled("a").unwrap();
    assert_eq!((disabled.since, disabled.by), (at(780), DisabledBy::Operator));
    let refused = host.outbox.enable_endpoint(&eid("a"), EnabledBy::Automation, at(801));
    assert_eq!(refused, Err(EnableError::ByOperator));
}

#[test]
fn pausing_takes_back_what_was_not_sent_and_counts_nothing() {
    let two = NonZeroU32::new(2).unwrap();
    let with = || patient("a").max_in_flight(two);
    let mut host = host([with()]);
    host.publish("m1");
    let m1 = host.send();
    host.publish("m2");
    let changes = host.unsaved();
    assert!(host.outbox.pause_endpoint(&eid("a"), at(1)));
    assert!(!host.outbox.pause_endpoint(&eid("a"), at(1)));
    assert!(!host.outbox.pause_endpoint(&eid("b"), at(1)));
    host.save(changes);
    host.now = at(1);
    assert!(host.sends().is_empty());
    // What was handed out is still resolved; what is published is taken in.
    host.resolve(&m1, &answer(503));
    assert_eq!(host.publish("m3").endpoints, [eid("a")]);
    host.now = at(100);
    assert!(host.sends().is_empty());
    let status = host.outbox.status(&eid("a")).unwrap();
    assert_eq!((status.counters.attempts, status.flow.in_flight(), status.pending), (1, 0, 3));
    let of = |host: &Host, id: &str| {
        let mut all = host.outbox.deliveries();
        all.find(|(it, ..)| it.id() == &mid(id)).unwrap().2.attempts()
    };
    assert_eq!((of(&host, "m1"), of(&host, "m2"), of(&host, "m3")), (1, 0, 0));

    host.restart(outbox([with()]));
    assert!(host.sends().is_empty());
    assert!(host.health("a").paused_since().is_some());
    assert!(host.outbox.resume_endpoint(&eid("a"), at(100)));
    assert!(!host.outbox.resume_endpoint(&eid("a"), at(100)));
    assert_eq!(host.shown(), ["m2>a#1", "m3>a#1"]);
    assert!(host.told().is_empty(), "a pause is the operator's own");
}

#[test]
fn a_probe_whose_deadline_passes_during_a_pause_is_not_held_against_the_endpoint() {
    // Whether anything happens in the pause or not: the probe may take less than an attempt.
    for published in [false, true] {
        let health = ladder().with_probe_timeout(secs(5));
        let mut host = degraded(patient("a").health(health));
        host.now = at(60);
        host.send();
        host.outbox.pause_endpoint(&eid("a"), at(61));
        host.now = at(66);
        host.sends();
        if published {
            host.publish("n");
            host.sends();
        }
        host.now = at(67);
        host.outbox.resume_endpoint(&eid("a"), at(67));
        host.sends();
        assert_eq!(host.health("a").failures(), 0, "published: {published}");
    }
}

#[test]
fn a_410_leaves_what_is_in_flight_to_its_end() {
    let mut host = host([patient("a")]);
    for id in ["m1", "m2", "m3", "m4"] {
        host.publish(id);
    }
    let sends = host.sends();
    host.resolve(&sends[1], &answer(410));
    assert_eq!(host.resolve(&sends[0], &answer(200)), Resolution::Ended(Verdict::Delivered));
    assert_eq!(host.resolve(&sends[2], &answer(500)), Resolution::Ended(Verdict::Cancelled));
    host.now = at(10);
    host.sends();
    assert_eq!(
        host.told(),
        [
            "m2>a gone after 1",
            "a disabled",
            "m1>a delivered after 1",
            "m3>a cancelled after 1",
            "m4>a cancelled after 1",
        ]
    );
    assert_eq!(host.disabled("a").unwrap().by, DisabledBy::Receiver);
    host.outbox.enable_endpoint(&eid("a"), EnabledBy::Automation, at(11)).unwrap();
    assert_eq!(host.publish("m5").endpoints, [eid("a")]);
}

#[test]
fn an_old_answer_says_nothing_of_an_endpoint_that_was_enabled_since() {
    let kept = || patient("a").health(ladder().with_waiting(Waiting::Keep));
    let mut host = host([kept()]);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let sends = host.sends();
    host.outbox.disable_endpoint(&eid("a"), None, at(1));
    host.enable("a").unwrap();
    for ticket in &sends {
        host.resolve(ticket, &answer(500));
    }
    host.sends();
    assert_eq!(host.health("a").state(), State::Healthy);
    assert_eq!(host.health("a").failures(), 0);
}

#[test]
fn faults_of_the_payload_and_of_the_sender_degrade_nothing() {
    for outcome in [answer(400), answer(422), answer(501), Outcome::failed(Failure::Sender)] {
        let mut host = host([patient("a")]);
        for number in 0..6 {
            host.publish(&format!("m{number}"));
        }
        for seconds in 0..5 {
            host.now = at(seconds);
            assert_eq!(all(&mut host, &outcome), 6);
        }
        assert_eq!(host.health("a").state(), State::Healthy, "{outcome:?}");
        assert_eq!(host.health("a").failures(), 0);
    }
    let endpoint_faults = [
        answer(500),
        answer(301),
        answer(404),
        Outcome::failed(Failure::Dns),
        Outcome::failed(Failure::Connect),
        Outcome::failed(Failure::Tls),
        Outcome::failed(Failure::Timeout),
        Outcome::failed(Failure::Broken),
    ];
    for outcome in endpoint_faults {
        let mut host = host([patient("a")]);
        host.publish("m1");
        host.publish("m2");
        all(&mut host, &outcome);
        assert_eq!(host.health("a").state(), State::Degraded, "{outcome:?}");
    }
}

#[test]
fn overloads_degrade_only_where_they_last() {
    for status in [429, 502, 503, 504] {
        let health = ladder().with_overload_limit(secs(300));
        let mut host = host([patient("a").policy(policy(&[30; 40])).health(health)]);
        host.publish("m");
        for seconds in (0..300).step_by(30) {
            host.now = at(seconds);
            all(&mut host, &answer(status));
            assert_eq!(host.health("a").state(), State::Healthy);
        }
        host.now = at(300);
        all(&mut host, &answer(status));
        assert_eq!(host.told(), ["a degraded"], "{status}");
    }
    // A success between them begins the time anew.
    let health = ladder().with_overload_limit(secs(300));
    let mut host = host([patient("a").policy(policy(&[30; 40])).health(health)]);
    host.publish("m");
    for seconds in (0..=600).step_by(30) {
        host.now = at(seconds);
        if seconds == 270 {
            host.publish("n");
        }
        let mut sends = host.sends();
        sends.sort_by_key(Ticket::attempt);
        for ticket in sends.iter().rev() {
            let status = if ticket.message() == &mid("n") { 200 } else { 429 };
            host.resolve(ticket, &answer(status));
        }
        host.sends();
        let state = if seconds < 600 { State::Healthy } else { State::Degraded };
        assert_eq!(host.health("a").state(), state, "{seconds}");
    }
}

#[test]
fn an_own_outage_suspends_nothing_and_is_told_once() {
    let ids = ["a", "b", "c", "d", "e"];
    let mut host = host(ids.map(patient));
    host.publish("m1");
    host.publish("m2");
    let fail = |host: &mut Host, which: &[&str]| {
        for ticket in host.sends() {
            let fails = which.contains(&ticket.endpoint().as_str());
            host.resolve(&ticket, &answer(if fails { 500 } else { 200 }));
        }
        host.sends();
    };
    fail(&mut host, &["a", "b", "c"]);
    let told = |host: &mut Host| {
        let mut told = host.told();
        told.retain(|it| !it.contains("delivered"));
        told
    };
    assert_eq!(told(&mut host), ["a degraded", "b degraded", "c degraded", "own outage: 3 of 5"]);
    assert!(host.outbox.own_outage().holds());
    // A day of probes suspends and disables nothing, and the ladder does not grow.
    while host.now < at(86_400) {
        fail(&mut host, &["a", "b", "c"]);
        host.now = host.wait.unwrap();
    }
    let now = host.now;
    for id in ["a", "b", "c"] {
        assert_eq!((host.health(id).state(), host.health(id).failures()), (State::Degraded, 0));
    }
    // A crash in it changes nothing, and nothing is told again.
    assert!(told(&mut host).iter().all(|it| it.ends_with("exhausted after 41")));
    host.restart(outbox(ids.map(patient)));
    host.sends();
    assert_eq!(told(&mut host), [""; 0]);
    assert!(host.outbox.own_outage().holds());
    host.publish("m3");
    host.sends();
    while host.health("c").state() != State::Healthy {
        fail(&mut host, &["a", "b"]);
        host.now = host.wait.unwrap();
        assert!(host.now < now + secs(600));
    }
    assert_eq!(told(&mut host), ["c recovered", "own outage over"]);
    // From here on the others count again.
    while host.health("a").state() != State::Suspended {
        fail(&mut host, &["a", "b"]);
        host.now = host.wait.unwrap();
        assert!(host.now < now + secs(1_200));
    }
    assert_eq!(told(&mut host), ["a suspended", "b suspended"]);
}

#[test]
fn the_guard_counts_only_endpoints_in_use() {
    let ids = ["a", "b", "c", "d", "e"];
    let guarded = |endpoints| outbox(endpoints).outage_guard(OutageGuard::new(50, 2));
    let mut host = Host::new(guarded(ids.map(patient)));
    host.publish("m1");
    host.publish("m2");
    for ticket in host.sends() {
        let fails = ["a", "b"].contains(&ticket.endpoint().as_str());
        host.resolve(&ticket, &answer(if fails { 500 } else { 200 }));
    }
    host.sends();
    assert!(!host.outbox.own_outage().holds(), "two of five");
    let outage = |host: &mut Host| {
        let mut told = host.told();
        host.sends();
        told.append(&mut host.told());
        told.retain(|it| it.contains("outage"));
        told
    };
    assert!(outage(&mut host).is_empty());
    host.outbox.pause_endpoint(&eid("c"), at(1));
    assert!(outage(&mut host).is_empty(), "two of four");
    host.outbox.disable_endpoint(&eid("d"), None, at(1));
    assert_eq!(outage(&mut host), ["own outage: 2 of 3"]);
    host.outbox.resume_endpoint(&eid("c"), at(1));
    assert_eq!(outage(&mut host), ["own outage over"]);
    host.outbox.replace_endpoint(patient("c").enabled(false), at(1)).unwrap();
    assert_eq!(outage(&mut host), ["own outage: 2 of 3"]);
    host.outbox.remove_endpoint(&eid("a"), at(1));
    assert_eq!(outage(&mut host), ["own outage over"]);
    host.outbox.insert_endpoint(patient("a"), at(1)).unwrap();
    assert!(outage(&mut host).is_empty(), "it is as new");
}

#[test]
fn each_state_is_told_once_between_two_recoveries() {
    let mut host = suspended(patient("a"));
    // Suspended -> Degraded -> Suspended -> Degraded -> Healthy.
    probe(&mut host, 300, &answer(200));
    assert_eq!(host.health("a").state(), State::Degraded);
    host.publish("n1");
    host.sends();
    probe(&mut host, 360, &answer(500));
    probe(&mut host, 480, &answer(500));
    assert_eq!(host.health("a").state(), State::Suspended);
    assert_eq!(host.told(), ["m1>a delivered after 4"]);
    // A restart remembers what was told.
    host.restart(outbox([patient("a")]));
    host.sends();
    probe(&mut host, 600, &answer(200));
    host.publish("n2");
    host.sends();
    probe(&mut host, 660, &answer(200));
    assert_eq!(host.health("a").state(), State::Healthy);
    let mut told = host.told();
    told.retain(|it| !it.contains("delivered"));
    assert_eq!(told, ["a recovered"]);
    // And what comes then is told anew.
    all(&mut host, &answer(200));
    let _ = in_flight(&host)
        .into_iter()
        .map(|ticket| host.outbox.resolve(&ticket, &answer(200), host.now))
        .collect::<Vec<_>>();
    host.sends();
    host.told();
    host.publish("o1");
    host.publish("o2");
    all(&mut host, &answer(500));
    assert_eq!(host.told(), ["a degraded"]);
}

#[test]
fn a_restart_with_a_probe_in_flight_makes_it_due_again() {
    let mut host = degraded(patient("a"));
    host.now = at(60);
    let probe = host.send();
    assert_eq!(show(&probe), "m1>a#2");
    host.now = at(61);
    host.restart(outbox([patient("a")]));
    // Another message asks at once: what became of the first is known at its deadline only.
    let second = host.send();
    assert_eq!(show(&second), "m2>a#2");
    assert_eq!(host.health("a").failures(), 0);
    // An answer to the one from before decides over its delivery and not over the ladder.
    assert_eq!(host.resolve(&probe, &answer(500)), Resolution::Retry { at: at(62) });
    assert_eq!((host.health("a").failures(), host.health("a").state()), (0, State::Degraded));
    host.resolve(&second, &answer(200));
    assert_eq!(host.health("a").state(), State::Healthy);
    // And a 410 still disables.
    let mut host = degraded(patient("a"));
    host.now = at(60);
    let probe = host.send();
    host.restart(outbox([patient("a")]));
    assert_eq!(host.resolve(&probe, &answer(410)), Resolution::Ended(Verdict::Gone));
    assert_eq!(host.disabled("a").unwrap().by, DisabledBy::Receiver);
}

#[test]
fn a_crash_loop_moves_no_ladder() {
    let mut host = degraded(patient("a"));
    host.now = at(60);
    for _ in 0..20 {
        assert!(host.sends().len() <= 1, "one probe");
        host.restart(outbox([patient("a")]));
        host.now = host.now + secs(3);
    }
    assert_eq!((host.health("a").failures(), host.health("a").state()), (0, State::Degraded));
}

#[test]
fn a_new_health_policy_holds_from_the_next_decision_on() {
    let mut host = degraded(patient("a"));
    // What waits for a probe goes on waiting; the ladder after it is the new one.
    let quick = ladder().with_probes(secs(7), []).with_suspend_after(NonZeroU32::new(1));
    host.now = at(1);
    host.outbox.replace_endpoint(patient("a").health(quick), at(1)).unwrap();
    host.sends();
    probe(&mut host, 60, &answer(500));
    assert_eq!(host.told(), ["a suspended"]);
    probe(&mut host, 67, &answer(200));
    probe(&mut host, 74, &answer(500));
    assert_eq!(host.health("a").state(), State::Suspended);
    // Keep or cancel is what the policy says when it is disabled.
    let keep = ladder().with_waiting(Waiting::Keep);
    host.outbox.replace_endpoint(patient("a").health(keep), host.now).unwrap();
    host.told();
    host.outbox.disable_endpoint(&eid("a"), None, host.now);
    host.sends();
    assert_eq!(host.told(), ["a disabled"]);
    assert_eq!(host.outbox.pending(), 1);
    // And what was kept is cancelled where the policy comes to say so.
    host.outbox.replace_endpoint(patient("a"), host.now).unwrap();
    host.sends();
    assert_eq!(host.outbox.pending(), 0);
}

#[test]
fn removing_an_endpoint_forgets_its_health() {
    let mut host = suspended(patient("a"));
    assert!(host.keys().contains(&"endpoint/a"));
    assert!(host.outbox.remove_endpoint(&eid("a"), host.now));
    host.sends();
    assert!(!host.keys().contains(&"endpoint/a"));
    host.outbox.insert_endpoint(patient("a"), host.now).unwrap();
    assert_eq!(host.health("a").state(), State::Healthy);
    host.publish("n1");
    host.publish("n2");
    host.told();
    assert_eq!(host.shown(), ["n1>a#1", "n2>a#1"]);
    for ticket in in_flight(&host) {
        host.resolve(&ticket, &answer(500));
    }
    host.sends();
    assert_eq!(host.told(), ["a degraded"], "and it is told anew");
}

#[test]
fn a_pause_that_the_receiver_asked_for_puts_a_probe_off() {
    // Retry-After: the probe waits for the longer of the two.
    let mut host = host([patient("a")]);
    host.publish("m1");
    host.publish("m2");
    let sends = host.sends();
    host.resolve(&sends[0], &answer_with(500, "retry-after", "90"));
    host.resolve(&sends[1], &answer(500));
    host.sends();
    assert_eq!(host.health("a").state(), State::Degraded);
    // The retry of m2 falls due, and is no reason to wake up before.
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
fn a_payload_fault_does_not_use_up_the_probe() {
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
fn a_probe_that_was_not_handed_out_is_no_probe() {
    // Its save takes longer than the attempt may: it is made anew, and the ladder has not moved.
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
fn a_batch_holds_one_probe_and_not_more() {
    let mut host = degraded(patient("a"));
    for number in 0..5 {
        host.publish(&format!("n{number}"));
    }
    assert!(host.sends().is_empty());
    host.now = at(60);
    assert_eq!(host.sends().len(), 1);
}

proptest! {
    #![proptest_config(config())]

    /// Nothing is stranded: whatever the answers and wherever the crashes, each delivery ends in a
    /// verdict, or is held in the open by an endpoint that is disabled and keeps, paused, or away.
    #[test]
    fn nothing_is_stranded(
        script in proptest::collection::vec((0..14_u8, 0..3_usize, 0..8_u8), 1..70),
        batch in 1..4_usize,
    ) {
        const IDS: [&str; 3] = ["a", "b", "c"];
        let make = |away: bool| {
            let all = [
                patient("a").policy(policy(&[1, 5, 30])),
                patient("b").health(ladder().with_waiting(Waiting::Keep)).order(Order::strict()),
                patient("c")
                    .health(ladder().with_new_messages(NewMessages::Shed))
                    .flow(FlowPolicy::adaptive())
                    .policy(policy(&[1, 5, 30]).with_window(secs(900))),
            ];
            let all = all.into_iter().filter(|it| !away || it.id() != &eid("c"));
            outbox(all).batch(NonZeroUsize::new(batch).unwrap()).retain(secs(1_000_000))
        };
        let status = |number: u8| [200, 500, 500, 503, 429, 400, 200, 410][usize::from(number)];
        let (mut host, mut open) = (Host::new(make(false)), Vec::new());
        let mut number = 0;
        for (action, which, with) in script {
            let id = eid(IDS[which]);
            match action {
                0..=3 => {
                    number += 1;
                    host.publish(&format!("m{number}"));
                }
                4..=7 => {
                    let index = open.iter().position(|it: &Ticket| it.endpoint() == &id);
                    if let Some(index) = index {
                        host.resolve(&open.remove(index), &answer(status(with)));
                    }
                }
                8 => {
                    // A crash, before or after what is to be saved is.
                    if let Step::Save(changes) = host.outbox.poll(host.now)
                        && with < 4
                    {
                        host.write(changes);
                    }

                    host.restart(make(with == 0));
                }
                9 if with < 2 => _ = host.outbox.pause_endpoint(&id, host.now),
                9 => _ = host.outbox.resume_endpoint(&id, host.now),
                10 if with < 2 => _ = host.outbox.disable_endpoint(&id, None, host.now),
                10 => _ = host.enable(IDS[which]),
                _ => host.now = host.wait.unwrap_or(host.now),
            }
            open.extend(host.sends());
        }
        // Left alone, with receivers of which the half never answers well.
        for _ in 0..3_000 {
            let Some(wait) = host.wait else { break };
            host.now = wait;
            open.extend(host.sends());
            for ticket in open.drain(..) {
                let fails = ticket.message().as_str().ends_with(['1', '3', '5', '7', '9']);
                host.resolve(&ticket, &answer(if fails { 500 } else { 200 }));
            }
            open.extend(host.sends());
        }
        let held = |id: &labhook::EndpointId| {
            let health = host.outbox.status(id).map(|status| status.health);
            let keeps = id == &eid("b");
            host.outbox.registry().get(id).is_none()
                || health.is_some_and(|it| {
                    it.paused_since().is_some() || (keeps && it.disabled().is_some())
                })
        };
        let mut pending = 0;
        for (message, endpoint, delivery) in host.outbox.deliveries() {
            pending += usize::from(delivery.verdict().is_none());
            prop_assert!(
                delivery.verdict().is_some() || held(endpoint),
                "{}>{endpoint} {delivery:?} {:?} wait {:?}",
                message.id(),
                host.outbox.status(endpoint),
                host.wait
            );
        }
        prop_assert_eq!(host.outbox.pending(), pending);
        for id in IDS {
            if let Some(status) = host.outbox.status(&eid(id)).filter(|it| it.pending == 0) {
                prop_assert_eq!(status.flow.in_flight(), 0);
                prop_assert_eq!(status.due, 0);
            }
        }
    }
}
