//! What changes an endpoint's health and what does not, over many endpoints and crashes, and the
//! notices about it.

use std::num::NonZeroUsize;

use labhook::delivery::{Failure, Resolution};
use labhook::flow::FlowPolicy;
use labhook::health::{OutagePolicy, PendingOnDisable, State};
use labhook::{Order, Outcome, Step, Ticket};
use proptest::prelude::*;

use super::health::{down, fast_health, host, in_flight, outbox, patient, probe, respond_to_all};
use crate::support::{Host, answer, at, config, eid, policy, secs, show};

#[test]
fn payload_and_sender_faults_open_no_circuit() {
    let neutral = [400, 402, 409, 422, 425, 501].map(answer);
    for outcome in neutral.into_iter().chain([Outcome::failed(Failure::Sender)]) {
        let mut host = host([patient("a")]);
        for number in 0..6 {
            host.publish(&format!("m{number}"));
        }
        for seconds in 0..5 {
            host.now = at(seconds);
            assert_eq!(respond_to_all(&mut host, &outcome), 6);
        }
        assert_eq!(host.health("a").state(), State::Healthy, "{outcome:?}");
        assert_eq!(host.health("a").failures(), 0);
    }
    let endpoint_faults = [
        answer(500),
        answer(502),
        answer(504),
        answer(301),
        answer(404),
        answer(408),
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
        respond_to_all(&mut host, &outcome);
        assert_eq!(host.health("a").state(), State::Down, "{outcome:?}");
    }
}

#[test]
fn refusals_open_the_circuit_only_if_they_last() {
    let lasting = || {
        let health = fast_health().with_refused_for(secs(300));
        host([patient("a").with_retry(policy(&[10_000])).with_health(health)])
    };
    for status in [429, 503] {
        let mut host = lasting();
        for seconds in (0..=300).step_by(30) {
            assert_eq!(host.health("a").state(), State::Healthy);
            host.now = at(seconds);
            host.publish(&format!("m{seconds}"));
            respond_to_all(&mut host, &answer(status));
        }
        assert_eq!(host.notice_texts(), ["a down"], "{status}");
    }
    // A success in between restarts the clock.
    let mut host = lasting();
    for seconds in (0..=600).step_by(30) {
        assert_eq!(host.health("a").state(), State::Healthy, "{seconds}");
        host.now = at(seconds);
        host.publish(&format!("m{seconds}"));
        respond_to_all(&mut host, &answer(if seconds == 270 { 200 } else { 429 }));
    }
    assert_eq!(host.health("a").state(), State::Down);
    // As many failures as refusals are still taken for refusals, and more of them are not.
    for (failed, state) in [(4, State::Healthy), (5, State::Down)] {
        let mut host = lasting();
        for number in 0..8 {
            host.publish(&format!("m{number}"));
        }
        for (number, ticket) in host.sends().iter().enumerate() {
            host.resolve(ticket, &answer(if number < 8 - failed { 503 } else { 500 }));
        }
        assert_eq!(host.health("a").state(), state, "{failed}");
    }
}

#[test]
fn sender_outage_disables_nothing_and_notifies_once() {
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
    let other_notices = |host: &mut Host| {
        let mut notices = host.notice_texts();
        notices.retain(|it| !it.contains("delivered") && !it.contains("cancelled"));
        notices
    };
    assert_eq!(other_notices(&mut host), ["a down", "b down", "c down", "own outage: 3 of 5"]);
    assert!(host.outbox.sender_outage().is_suspected());
    // A day of probes disables nothing, and the waits between them do not grow.
    while host.now < at(86_400) {
        fail(&mut host, &["a", "b", "c"]);
        host.now = host.wait.unwrap();
    }
    let now = host.now;
    for id in ["a", "b", "c"] {
        assert_eq!((host.health(id).state(), host.health(id).failed_probes()), (State::Down, 0));
    }
    // A crash during the outage changes nothing, and nothing is notified again.
    assert!(other_notices(&mut host).iter().all(|it| it.ends_with("exhausted after 41")));
    host.restart(outbox(ids.map(patient)));
    host.sends();
    assert_eq!(other_notices(&mut host), [""; 0]);
    assert!(host.outbox.sender_outage().is_suspected());
    host.publish("m3");
    while host.health("c").state() != State::Healthy {
        fail(&mut host, &["a", "b"]);
        host.now = host.wait.unwrap();
        assert!(host.now < now + secs(600));
    }
    host.sends();
    assert_eq!(other_notices(&mut host), ["c recovered", "own outage over"]);
    // From here on, the other endpoints count again.
    while host.disabled("a").is_none() || host.disabled("b").is_none() {
        assert!(host.now < now + secs(1_500));
        fail(&mut host, &["a", "b"]);
        host.now = host.wait.unwrap();
    }
    host.sends();
    let mut notices = other_notices(&mut host);
    notices.sort();
    assert_eq!(notices, ["a disabled", "b disabled"]);
}

#[test]
fn outage_detection_counts_only_endpoints_in_use() {
    let ids = ["a", "b", "c", "d", "e"];
    let guarded = |endpoints| outbox(endpoints).with_outage_policy(OutagePolicy::new(50, 2));
    let mut host = Host::new(guarded(ids.map(patient)));
    host.publish("m1");
    host.publish("m2");
    for ticket in host.sends() {
        let fails = ["a", "b"].contains(&ticket.endpoint().as_str());
        host.resolve(&ticket, &answer(if fails { 500 } else { 200 }));
    }
    host.sends();
    assert!(!host.outbox.sender_outage().is_suspected(), "two of five");
    let outage = |host: &mut Host| {
        let mut notices = host.notice_texts();
        host.sends();
        notices.append(&mut host.notice_texts());
        notices.retain(|it| it.contains("outage"));
        notices
    };
    assert!(outage(&mut host).is_empty());
    host.outbox.pause_endpoint(&eid("c"), at(1)).unwrap();
    assert!(outage(&mut host).is_empty(), "two of four");
    host.outbox.disable_endpoint(&eid("d"), None, at(1)).unwrap();
    assert_eq!(outage(&mut host), ["own outage: 2 of 3"]);
    host.outbox.resume_endpoint(&eid("c"), at(1)).unwrap();
    assert_eq!(outage(&mut host), ["own outage over"]);
    host.outbox.replace_endpoint(patient("c").with_enabled(false), at(1)).unwrap();
    assert_eq!(outage(&mut host), ["own outage: 2 of 3"]);
    host.outbox.remove_endpoint(&eid("a"), at(1)).unwrap();
    assert_eq!(outage(&mut host), ["own outage over"]);
    host.outbox.insert_endpoint(patient("a"), at(1)).unwrap();
    assert!(outage(&mut host).is_empty(), "an inserted endpoint starts afresh");
}

#[test]
fn each_state_is_notified_once_until_recovery() {
    let mut host = down(patient("a"));
    probe(&mut host, &answer(500));
    probe(&mut host, &answer(500));
    // A restart remembers what was notified.
    host.restart(outbox([patient("a")]));
    host.sends();
    probe(&mut host, &answer(500));
    assert_eq!(host.notice_texts(), [""; 0]);
    probe(&mut host, &answer(200));
    assert_eq!(host.health("a").state(), State::Healthy);
    let mut notices = host.notice_texts();
    notices.retain(|it| !it.contains("delivered"));
    assert_eq!(notices, ["a recovered"]);
    // After that, states are notified again.
    for ticket in in_flight(&host) {
        host.resolve(&ticket, &answer(200));
    }
    host.sends();
    host.notice_texts();
    host.publish("o1");
    host.publish("o2");
    respond_to_all(&mut host, &answer(500));
    assert_eq!(host.notice_texts(), ["a down"]);
}

#[test]
fn restart_with_a_probe_in_flight_makes_it_due() {
    let mut host = down(patient("a"));
    host.now = at(66);
    let probe = host.send();
    assert_eq!(show(&probe), "m1>a#2");
    host.now = at(67);
    host.restart(outbox([patient("a")]));
    // Another message probes at once: the result of the first probe is known at its deadline at the
    // earliest.
    let second = host.send();
    assert_eq!(show(&second), "m2>a#2");
    assert_eq!(host.health("a").failed_probes(), 0);
    // A failure of the earlier probe decides its delivery, and does not move the probe schedule.
    assert_eq!(host.resolve(&probe, &answer(500)), Resolution::Retry { at: at(68) });
    assert_eq!((host.health("a").failed_probes(), host.health("a").state()), (0, State::Down));
    host.resolve(&second, &answer(200));
    assert_eq!(host.health("a").state(), State::Healthy);
    // A success of the earlier probe recovers, and a 410 disables.
    for (status, state) in [(200, State::Healthy), (410, State::Disabled)] {
        let mut host = down(patient("a"));
        host.now = at(66);
        let probe = host.send();
        host.restart(outbox([patient("a")]));
        host.resolve(&probe, &answer(status));
        assert_eq!(host.health("a").state(), state);
    }
}

#[test]
fn crash_loop_does_not_move_the_probe_schedule() {
    let mut host = down(patient("a"));
    host.now = at(66);
    for _ in 0..20 {
        assert!(host.sends().len() <= 1, "one probe");
        host.restart(outbox([patient("a")]));
        host.now += secs(3);
    }
    assert_eq!((host.health("a").failed_probes(), host.health("a").state()), (0, State::Down));
}

proptest! {
    #![proptest_config(config())]

    /// Nothing is stranded: whatever the responses and wherever the crashes, each delivery ends in
    /// a verdict, or is visibly held by an endpoint that is disabled and keeps, paused, or missing.
    #[test]
    fn every_delivery_ends_or_is_visibly_held(
        script in proptest::collection::vec((0..14_u8, 0..3_usize, 0..8_u8), 1..70),
        batch in 1..4_usize,
    ) {
        const IDS: [&str; 3] = ["a", "b", "c"];
        let make = |away: bool| {
            let all = [
                patient("a").with_retry(policy(&[1, 5, 30])),
                patient("b").with_health(fast_health().with_pending_on_disable(PendingOnDisable::Keep)).with_order(Order::strict()),
                patient("c")
                    .with_health(fast_health().with_shed_after(secs(100)))
                    .with_flow(FlowPolicy::adaptive())
                    .with_retry(policy(&[1, 5, 30]).with_window(secs(900))),
            ];
            let all = all.into_iter().filter(|it| !away || it.id() != &eid("c"));
            outbox(all).with_batch(NonZeroUsize::new(batch).unwrap()).with_retention(secs(1_000_000))
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
                    // A crash, before or after the changes are saved.
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
        // Left alone; half of the receivers never succeed.
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
                || health.is_ok_and(|it| {
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
            if let Ok(status) = host.outbox.status(&eid(id))
                && status.pending == 0
            {
                prop_assert_eq!(status.flow.in_flight(), 0);
                prop_assert_eq!(status.due, 0);
            }
        }
    }
}
