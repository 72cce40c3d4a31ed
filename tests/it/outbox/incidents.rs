//! What changes an endpoint's health and what does not, over many endpoints and crashes, and the
//! notices about it.

use std::num::NonZeroUsize;

use labhook::delivery::{Failure, Resolution};
use labhook::flow::FlowPolicy;
use labhook::health::{DisabledBy, NewMessages, OutagePolicy, PendingOnDisable, State};
use labhook::{Order, Outcome, Step, Ticket, Verdict};
use proptest::prelude::*;

use super::health::{
    degraded, fast_health, host, in_flight, outbox, patient, probe, respond_to_all, suspended,
};
use crate::support::{Host, answer, at, config, eid, mid, policy, secs, show};

#[test]
fn payload_and_sender_faults_degrade_no_endpoint() {
    for outcome in [answer(400), answer(422), answer(501), Outcome::failed(Failure::Sender)] {
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
        respond_to_all(&mut host, &outcome);
        assert_eq!(host.health("a").state(), State::Degraded, "{outcome:?}");
    }
}

#[test]
fn overload_degrades_only_if_it_lasts() {
    for status in [429, 502, 503, 504] {
        let health = fast_health().with_overload_limit(secs(300));
        let mut host = host([patient("a").with_retry(policy(&[30; 40])).with_health(health)]);
        host.publish("m");
        for seconds in (0..300).step_by(30) {
            host.now = at(seconds);
            respond_to_all(&mut host, &answer(status));
            assert_eq!(host.health("a").state(), State::Healthy);
        }
        host.now = at(300);
        respond_to_all(&mut host, &answer(status));
        assert_eq!(host.notice_texts(), ["a degraded"], "{status}");
    }
    // A success in between restarts the clock.
    let health = fast_health().with_overload_limit(secs(300));
    let mut host = host([patient("a").with_retry(policy(&[30; 40])).with_health(health)]);
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
fn sender_outage_suspends_nothing_and_notifies_once() {
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
        notices.retain(|it| !it.contains("delivered"));
        notices
    };
    assert_eq!(
        other_notices(&mut host),
        ["a degraded", "b degraded", "c degraded", "own outage: 3 of 5"]
    );
    assert!(host.outbox.sender_outage().is_suspected());
    // A day of probes suspends and disables nothing, and the probe backoff does not grow.
    while host.now < at(86_400) {
        fail(&mut host, &["a", "b", "c"]);
        host.now = host.wait.unwrap();
    }
    let now = host.now;
    for id in ["a", "b", "c"] {
        assert_eq!((host.health(id).state(), host.health(id).failures()), (State::Degraded, 0));
    }
    // A crash during the outage changes nothing, and nothing is notified again.
    assert!(other_notices(&mut host).iter().all(|it| it.ends_with("exhausted after 41")));
    host.restart(outbox(ids.map(patient)));
    host.sends();
    assert_eq!(other_notices(&mut host), [""; 0]);
    assert!(host.outbox.sender_outage().is_suspected());
    host.publish("m3");
    host.sends();
    while host.health("c").state() != State::Healthy {
        fail(&mut host, &["a", "b"]);
        host.now = host.wait.unwrap();
        assert!(host.now < now + secs(600));
    }
    assert_eq!(other_notices(&mut host), ["c recovered", "own outage over"]);
    // From here on, the other endpoints count again.
    while host.health("a").state() != State::Suspended {
        fail(&mut host, &["a", "b"]);
        host.now = host.wait.unwrap();
        assert!(host.now < now + secs(1_200));
    }
    assert_eq!(other_notices(&mut host), ["a suspended", "b suspended"]);
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
    let mut host = suspended(patient("a"));
    // Suspended -> Degraded -> Suspended -> Degraded -> Healthy.
    probe(&mut host, 300, &answer(200));
    assert_eq!(host.health("a").state(), State::Degraded);
    host.publish("n1");
    host.sends();
    probe(&mut host, 360, &answer(500));
    probe(&mut host, 480, &answer(500));
    assert_eq!(host.health("a").state(), State::Suspended);
    assert_eq!(host.notice_texts(), ["m1>a delivered after 4"]);
    // A restart remembers what was notified.
    host.restart(outbox([patient("a")]));
    host.sends();
    probe(&mut host, 600, &answer(200));
    host.publish("n2");
    host.sends();
    probe(&mut host, 660, &answer(200));
    assert_eq!(host.health("a").state(), State::Healthy);
    let mut notices = host.notice_texts();
    notices.retain(|it| !it.contains("delivered"));
    assert_eq!(notices, ["a recovered"]);
    // After that, states are notified again.
    respond_to_all(&mut host, &answer(200));
    let _ = in_flight(&host)
        .into_iter()
        .map(|ticket| host.outbox.resolve(&ticket, &answer(200), host.now))
        .collect::<Vec<_>>();
    host.sends();
    host.notice_texts();
    host.publish("o1");
    host.publish("o2");
    respond_to_all(&mut host, &answer(500));
    assert_eq!(host.notice_texts(), ["a degraded"]);
}

#[test]
fn restart_with_a_probe_in_flight_makes_it_due() {
    let mut host = degraded(patient("a"));
    host.now = at(60);
    let probe = host.send();
    assert_eq!(show(&probe), "m1>a#2");
    host.now = at(61);
    host.restart(outbox([patient("a")]));
    // Another message probes at once: the result of the first probe is known at its deadline at the
    // earliest.
    let second = host.send();
    assert_eq!(show(&second), "m2>a#2");
    assert_eq!(host.health("a").failures(), 0);
    // A response to the earlier probe decides its delivery, and not the probe backoff.
    assert_eq!(host.resolve(&probe, &answer(500)), Resolution::Retry { at: at(62) });
    assert_eq!((host.health("a").failures(), host.health("a").state()), (0, State::Degraded));
    host.resolve(&second, &answer(200));
    assert_eq!(host.health("a").state(), State::Healthy);
    // A 410 still disables.
    let mut host = degraded(patient("a"));
    host.now = at(60);
    let probe = host.send();
    host.restart(outbox([patient("a")]));
    assert_eq!(host.resolve(&probe, &answer(410)), Resolution::Ended(Verdict::Gone));
    assert_eq!(host.disabled("a").unwrap().by, DisabledBy::Receiver);
}

#[test]
fn crash_loop_does_not_advance_the_backoff() {
    let mut host = degraded(patient("a"));
    host.now = at(60);
    for _ in 0..20 {
        assert!(host.sends().len() <= 1, "one probe");
        host.restart(outbox([patient("a")]));
        host.now += secs(3);
    }
    assert_eq!((host.health("a").failures(), host.health("a").state()), (0, State::Degraded));
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
                    .with_health(fast_health().with_new_messages(NewMessages::Shed))
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
