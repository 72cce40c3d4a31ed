//! Rules at their edge: the exact instant, the last number, the first of several.

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::flow::{FlowPolicy, RateLimitPolicy};
use labhook::health::State;
use labhook::outbox::{Change, Record, RecordKey, ReplayFilter};
use labhook::{Endpoint, HealthPolicy, Notice, Order, Outbox, Step, Timestamp};

use super::health::next_probe;
use crate::support::{
    Host, answer, answer_with, at, eid, endpoint, policy, registry, replay_all, secs,
};

/// Two failures in a row open the circuit.
fn watched(id: &str) -> Endpoint {
    let health = HealthPolicy::new()
        .with_failures(NonZeroU32::new(2))
        .with_probes(secs(60), secs(60))
        .with_disable_after(secs(6_000));
    endpoint(id).with_retry(policy(&[1; 40])).with_health(health)
}

/// A host whose endpoint `a` is down since 0, with two messages.
fn down() -> Host {
    let mut host = Host::with([watched("a")]);
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(500));
    }
    host.sends();
    assert_eq!(host.health("a").state(), State::Down);
    host
}

fn sequence(host: &Host, key: &str) -> u64 {
    serde_json::to_value(&host.disk[key]).unwrap()["sequence"].as_u64().unwrap()
}

#[test]
fn clock_that_steps_back_by_a_second_is_followed() {
    let plain = policy(&[5]).with_retry_after_cap(Duration::ZERO);
    let mut host = Host::with([endpoint("a").with_retry(plain)]);
    host.now = at(100);
    host.publish("m1");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.sends();
    assert_eq!(host.wait, Some(at(105)));
    host.now = at(99);
    host.sends();
    assert_eq!(host.wait, Some(at(104)));
}

#[test]
fn endpoint_that_had_no_record_has_none_deleted() {
    let mut host = Host::with([watched("a")]);
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    let sent = host.sends();
    host.resolve(&sent[0], &answer(500));
    host.resolve(&sent[1], &answer(200));
    assert_eq!(host.health("a").failures(), 0);
    let changes = host.unsaved();
    let of_endpoint = |it: &&Change| {
        matches!(it, Change::Delete(RecordKey::Endpoint(_)) | Change::Put(Record::Endpoint(_)))
    };
    assert_eq!(changes.iter().filter(of_endpoint).count(), 0, "{changes:?}");
}

#[test]
fn duplicate_of_a_saved_message_waits_for_no_later_save() {
    let mut host = Host::with([endpoint("a")]);
    let first = host.publish("m1").revision;
    host.sends();
    host.publish("m2");
    let later = host.unsaved();
    let again = host.publish("m1");
    assert!(again.duplicate && again.revision >= first);
    assert!(again.revision < later.revision(), "{}", again.revision);
}

#[test]
fn replayed_deliveries_are_counted() {
    let mut host = Host::with([endpoint("a")]);
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(200));
    }
    host.sends();
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(0), host.now);
    replay_all(&mut host.outbox, &plan, host.now);
    let counters = host.outbox.status(&eid("a")).unwrap().counters;
    assert_eq!((counters.accepted, counters.replayed, counters.delivered), (2, 2, 2));
}

#[test]
fn replay_of_a_day_leaves_its_end_to_the_next() {
    let mut host = Host::with([endpoint("a")]);
    for seconds in [0, 10] {
        host.now = at(seconds);
        host.publish(&format!("m{seconds}"));
        let ticket = host.send();
        host.resolve(&ticket, &answer(200));
        host.sends();
    }
    let planned = |host: &Host, filter: &ReplayFilter| {
        let plan = host.outbox.plan_replay(filter, secs(0), host.now);
        plan.iter().map(|(id, ..)| id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(planned(&host, &ReplayFilter::all().with_accepted_before(at(10))), ["m0"]);
    assert_eq!(planned(&host, &ReplayFilter::all().with_accepted_from(at(10))), ["m10"]);
}

#[test]
fn failing_is_notified_once_as_the_count_is_reached() {
    let outbox = Outbox::new(registry([endpoint("a").with_retry(policy(&[1; 9]))]), 7);
    let mut host = Host::new(outbox.with_failing_after(NonZeroU32::new(2).unwrap()));
    host.publish("m1");
    for (seconds, notices) in [(0, 0), (1, 1), (2, 0), (3, 0)] {
        host.now = at(seconds);
        let ticket = host.send();
        host.resolve(&ticket, &answer(500));
        host.sends();
        let texts = host.notice_texts();
        assert_eq!(texts, vec!["m1>a failing after 2"; notices], "{seconds}");
    }
}

#[test]
fn probe_that_was_never_handed_out_has_not_failed() {
    let mut host = down();
    let changes = loop {
        host.now = host.wait.unwrap();
        match host.outbox.poll(host.now) {
            Step::Save(changes) => break changes,
            step => {
                assert!(matches!(step, Step::Wait(until) if host.wait.replace(until).is_some()))
            }
        }
    };
    // The save takes longer than the attempt may.
    host.now += secs(10);
    host.publish("m3");
    assert_eq!(host.health("a").failed_probes(), 0);
    host.save(changes);
    // Another goes at once, and not after a further wait.
    let probe = host.send();
    assert_eq!(probe.message().as_str(), "m3");
    assert_eq!(host.health("a").failed_probes(), 0);
}

#[test]
fn withdrawn_probe_makes_room_for_another() {
    let mut host = down();
    let probe = next_probe(&mut host);
    assert_eq!(host.outbox.withdraw(probe.message(), host.now), 1);
    let next = host.send();
    assert_ne!(next.message(), probe.message());
}

#[test]
fn failure_of_an_attempt_before_a_restart_is_no_evidence() {
    let outbox = || Outbox::new(registry([watched("a")]), 7);
    let mut host = Host::new(outbox());
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    let sent = host.sends();
    host.restart(outbox());
    for ticket in &sent {
        host.resolve(ticket, &answer(500));
    }
    host.sends();
    assert_eq!((host.health("a").failures(), host.health("a").state()), (0, State::Healthy));
}

#[test]
fn paced_endpoint_is_notified_once() {
    let endpoint = endpoint("a").with_retry(policy(&[3_600])).with_flow(FlowPolicy::adaptive());
    let mut host = Host::with([endpoint]);
    let mut notices = Vec::new();
    for number in 0..60 {
        host.publish(&format!("m{number}"));
        for ticket in host.sends() {
            host.resolve(&ticket, &answer(if number % 2 == 0 { 429 } else { 200 }));
        }
        host.sends();
        notices.extend(std::mem::take(&mut host.notices));
        host.now += secs(1);
    }
    let flow = host.outbox.status(&eid("a")).unwrap().flow;
    let learned = |it: &Notice| matches!(it, Notice::EndpointPaced { refused_percent, .. } if *refused_percent > 0);
    let count = |is: &dyn Fn(&Notice) -> bool| notices.iter().filter(|it| is(it)).count();
    let paced = count(&learned);
    let excused = count(&|it| matches!(it, Notice::RefusalsExcused { .. }));
    assert_eq!((paced, excused), (1, 0), "{flow:?}");
}

#[test]
fn excused_refusals_are_notified_once() {
    let endpoint = endpoint("a").with_retry(policy(&[86_400])).with_flow(FlowPolicy::adaptive());
    let mut host = Host::with([endpoint]);
    let (mut notices, mut refused) = (Vec::new(), false);
    for number in 0..600 {
        host.publish(&format!("m{number}"));
    }
    // Every other attempt is refused, at whatever rate.
    for _ in 0..2_400 {
        for ticket in host.sends() {
            refused = !refused;
            host.resolve(&ticket, &answer(if refused { 429 } else { 200 }));
        }
        host.sends();
        notices.extend(std::mem::take(&mut host.notices));
        host.now += Duration::from_millis(250);
    }
    let excused = notices.iter().filter_map(|it| match it {
        Notice::RefusalsExcused { refused_percent, .. } => Some(*refused_percent),
        _ => None,
    });
    assert_eq!(excused.collect::<Vec<_>>(), [50]);
}

#[test]
fn last_sequence_is_restored_and_the_next_is_not() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    host.sends();
    host.disk.retain(|key, _| key.starts_with("message/"));
    let with = |sequence: u64| -> Record {
        let mut json = serde_json::to_value(&host.disk["message/m1"]).unwrap();
        json["sequence"] = sequence.into();
        serde_json::from_value(json).unwrap()
    };
    const LAST: u64 = u64::MAX << 32;
    let restore = |record| Outbox::new(registry([endpoint("a")]), 7).restore([record], at(0));
    assert!(restore(with(LAST)).is_ok());
    assert!(restore(with(LAST + 1)).is_err());
}

#[test]
fn orphan_record_keeps_its_sequence_from_being_reused() {
    let mut host = Host::with([endpoint("a")]);
    host.now = at(1_000);
    host.publish("m1");
    host.sends();
    let old = sequence(&host, "delivery/m1/a");
    host.disk.remove("message/m1");
    // The clock is behind, so that it does not raise the sequence by itself.
    host.now = at(0);
    host.restart(Outbox::new(registry([endpoint("a")]), 7));
    host.publish("m1");
    host.sends();
    assert!(sequence(&host, "message/m1") > old);
}

#[test]
fn wait_at_the_end_of_time_never_ends() {
    let minute = RateLimitPolicy::new(NonZeroU32::MIN, secs(60));
    let slow = endpoint("a").with_flow(FlowPolicy::fixed().with_rate_limit(minute));
    let mut host = Host::with([slow]);
    host.now = Timestamp::MAX - secs(1);
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    host.sends();
    host.now = Timestamp::MAX;
    host.sends();
    let text = format!("{:?}", host.outbox);
    assert!(!text.contains(&format!("({:?}, Endpoint(", Timestamp::MAX)), "{text}");
}

#[test]
fn stricter_order_takes_deliveries_out_of_their_groups() {
    let with = |order| endpoint("a").with_order(order);
    let mut host = Host::with([with(Order::per_key())]);
    host.outbox.pause_endpoint(&eid("a"), host.now).unwrap();
    for id in ["m1", "m2"] {
        host.publish(id);
    }
    // Each message is of a run of its own.
    host.outbox.replace_endpoint(with(Order::strict()), host.now).unwrap();
    host.outbox.resume_endpoint(&eid("a"), host.now).unwrap();
    assert_eq!(host.send_texts(), ["m1>a#1"]);
}

#[test]
fn drained_outbox_with_an_outstanding_save_is_not_drained() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    assert!(host.outbox.drain());
    let changes = host.unsaved();
    assert!(!host.outbox.is_drained());
    assert!(host.outbox.unsaved(changes.revision()));
    assert!(!host.outbox.is_drained());
    let changes = host.unsaved();
    host.save(changes);
    assert!(host.outbox.is_drained());
}

#[test]
fn pauses_that_do_not_help_are_notified_once() {
    let mut host = Host::with([endpoint("a").with_retry(policy(&[]))]);
    let mut ignored = Vec::new();
    for number in 0..600 {
        host.now = at(2 * number);
        host.publish(&format!("m{number}"));
        let (pause, success) = (answer_with(429, "retry-after", "1"), answer(200));
        for ticket in host.sends() {
            host.resolve(&ticket, if number % 8 < 2 { &pause } else { &success });
        }
        host.sends();
        let notices = std::mem::take(&mut host.notices);
        let is = |it: &Notice| matches!(it, Notice::PausesIgnored { .. });
        ignored.extend(notices.into_iter().filter(is));
    }
    assert_eq!(ignored.len(), 1, "{ignored:?}");
}
