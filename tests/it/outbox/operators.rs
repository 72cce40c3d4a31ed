//! Endpoints that operators and receivers disable, pause, change and enable again.

use std::num::NonZeroU32;

use labhook::delivery::{DeliveryGuarantee, Failure, Resolution};
use labhook::health::{DisabledBy, EnableError, EnabledBy, PendingOnDisable, State};
use labhook::outbox::{Change, ReplayFilter};
use labhook::{HealthPolicy, Order, Outbox, Outcome, Verdict};

use super::health::{down, escalated, fast_health, host, in_flight, outbox, patient, probe};
use crate::support::{
    Host, answer, answer_with, at, eid, endpoint, mid, policy, registry, replay_all, secs,
};

/// The deliveries of `a` when it is disabled: in flight, unsent, waiting for a retry, in doubt, and
/// blocked by order.
#[test]
fn disabling_ends_or_keeps_every_pending_delivery() {
    for waiting in [PendingOnDisable::Cancel, PendingOnDisable::Keep] {
        let three = NonZeroU32::new(3).unwrap();
        let with = || {
            let in_doubt = policy(&[5, 20]).with_guarantee(DeliveryGuarantee::Ask);
            let health = HealthPolicy::never().with_pending_on_disable(waiting);
            endpoint("a").with_retry(in_doubt).with_health(health).with_max_in_flight(three)
        };
        let mut host = host([with()]);
        for id in ["doubt", "retry", "flying", "unsent", "fresh"] {
            host.publish(id);
        }
        let sends = host.sends();
        assert_eq!(sends.len(), 3);
        host.resolve(&sends[0], &Outcome::failed(Failure::Broken));
        host.resolve(&sends[1], &answer(503));
        // Two more are permitted, and are not handed out yet.
        let changes = host.unsaved();
        assert!(host.outbox.disable_endpoint(&eid("a"), Some("moved".into()), at(1)).unwrap());
        assert!(!host.outbox.disable_endpoint(&eid("a"), None, at(1)).unwrap(), "already disabled");
        host.now = at(1);
        host.save(changes);
        assert!(host.sends().is_empty(), "nothing is sent any longer");
        let notices = host.notice_texts();
        match waiting {
            PendingOnDisable::Cancel => {
                assert_eq!(
                    notices,
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
                assert_eq!(host.notice_texts(), ["flying>a unconfirmed after 1"]);
                assert_eq!((host.outbox.pending(), host.wait.is_some()), (0, true));
            }
            PendingOnDisable::Keep => {
                assert_eq!(notices, ["doubt>a in doubt after 1", "a disabled"]);
                assert_eq!(host.outbox.pending(), 5);
                let refused = host.outbox.enable_endpoint(&eid("a"), EnabledBy::Automation, at(2));
                assert_eq!(refused, Err(EnableError::ByOperator.into()));
                // Also over a restart.
                host.restart(outbox([with()]));
                host.now = at(100);
                assert!(host.sends().is_empty());
                assert_eq!(host.outbox.pending(), 5);
                host.notice_texts();
                let refused = host.outbox.enable_endpoint(&eid("a"), EnabledBy::Automation, at(2));
                assert_eq!(refused, Err(EnableError::ByOperator.into()));
                host.enable("a").unwrap();
                // Deliveries not in doubt are sent, first attempts first.
                assert_eq!(host.send_texts(), ["unsent>a#1", "fresh>a#1", "retry>a#2"]);
                assert_eq!(host.notice_texts(), ["a recovered"]);
            }
        }
    }
}

#[test]
fn disabling_ends_deliveries_blocked_by_order() {
    let mut host = host([endpoint("a").with_order(Order::strict())]);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let m1 = host.send();
    host.outbox.disable_endpoint(&eid("a"), None, at(0)).unwrap();
    host.sends();
    assert_eq!(
        host.notice_texts(),
        ["a disabled", "m2>a cancelled after 0", "m3>a cancelled after 0"]
    );
    assert_eq!(host.resolve(&m1, &answer(503)), Resolution::Ended(Verdict::Cancelled));
    host.sends();
    assert_eq!(host.notice_texts(), ["m1>a cancelled after 1"]);
}

#[test]
fn automation_enables_after_escalation_and_kept_goes() {
    let keeping =
        || patient("a").with_health(fast_health().with_pending_on_disable(PendingOnDisable::Keep));
    let mut host = escalated(keeping());
    assert_eq!(host.notice_texts(), ["a disabled"]);
    assert_eq!(host.outbox.pending(), 2);
    host.now = at(10_000);
    assert!(host.sends().is_empty());
    host.restart(outbox([keeping()]));
    host.outbox.enable_endpoint(&eid("a"), EnabledBy::Automation, at(10_000)).unwrap();
    let again = host.send_texts();
    assert!(again.iter().all(|it| it.starts_with('m')) && again.len() == 2, "{again:?}");
    assert_eq!(host.notice_texts(), ["a recovered"]);
    assert_eq!(host.health("a").failures(), 0);
}

#[test]
fn operator_takes_over_an_escalated_endpoint() {
    let mut host = escalated(patient("a"));
    assert!(!host.outbox.disable_endpoint(&eid("a"), Some("ours now".into()), at(700)).unwrap());
    let disabled = host.disabled("a").unwrap();
    assert_eq!((disabled.since, disabled.by), (at(600), DisabledBy::Operator));
    let refused = host.outbox.enable_endpoint(&eid("a"), EnabledBy::Automation, at(701));
    assert_eq!(refused, Err(EnableError::ByOperator.into()));
}

#[test]
fn pausing_cancels_unsent_attempts_uncounted() {
    let two = NonZeroU32::new(2).unwrap();
    let with = || patient("a").with_max_in_flight(two);
    let mut host = host([with()]);
    host.publish("m1");
    let m1 = host.send();
    host.publish("m2");
    let changes = host.unsaved();
    assert!(host.outbox.pause_endpoint(&eid("a"), at(1)).unwrap());
    assert!(!host.outbox.pause_endpoint(&eid("a"), at(1)).unwrap());
    assert!(host.outbox.pause_endpoint(&eid("b"), at(1)).is_err());
    host.save(changes);
    host.now = at(1);
    assert!(host.sends().is_empty());
    // Attempts handed out can still be resolved, and messages are still accepted.
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
    assert!(host.outbox.resume_endpoint(&eid("a"), at(100)).unwrap());
    assert!(!host.outbox.resume_endpoint(&eid("a"), at(100)).unwrap());
    assert_eq!(host.send_texts(), ["m2>a#1", "m3>a#1"]);
    assert!(host.notice_texts().is_empty(), "a pause notifies nobody");
}

#[test]
fn probe_timing_out_during_a_pause_is_no_failure() {
    // Whether or not anything happens during the pause.
    for published in [false, true] {
        let mut host = down(patient("a"));
        host.now = at(66);
        let probe = host.send();
        host.outbox.pause_endpoint(&eid("a"), at(67)).unwrap();
        host.now = at(77);
        host.sends();
        if published {
            host.publish("n");
            host.sends();
        }
        // Nor is it one if the host reports it.
        host.resolve(&probe, &Outcome::failed(Failure::Timeout));
        host.now = at(78);
        host.outbox.resume_endpoint(&eid("a"), at(78)).unwrap();
        host.sends();
        assert_eq!(host.health("a").failed_probes(), 0, "published: {published}");
    }
}

#[test]
fn gone_response_lets_attempts_in_flight_finish() {
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
        host.notice_texts(),
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
fn response_from_before_enabling_leaves_health_alone() {
    let kept =
        || patient("a").with_health(fast_health().with_pending_on_disable(PendingOnDisable::Keep));
    let mut host = host([kept()]);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let sends = host.sends();
    host.outbox.disable_endpoint(&eid("a"), None, at(1)).unwrap();
    host.enable("a").unwrap();
    for ticket in &sends {
        host.resolve(ticket, &answer(500));
    }
    host.sends();
    assert_eq!(host.health("a").state(), State::Healthy);
    assert_eq!(host.health("a").failures(), 0);
}

#[test]
fn old_disable_response_is_ignored_after_a_restart() {
    let kept =
        || endpoint("a").with_health(fast_health().with_pending_on_disable(PendingOnDisable::Keep));
    let last = answer_with(200, "webhook-delivery", "disable");
    let enabled_again = |restarts: bool, from: i64| {
        let mut host = host([kept()]);
        host.publish("m");
        let old = host.send();
        host.now = at(from);
        assert_eq!(host.sends(), []);
        host.outbox.disable_endpoint(&eid("a"), None, host.now).unwrap();
        host.enable("a").unwrap();
        assert_eq!(host.sends(), []);
        if restarts {
            host.restart(outbox([kept()]));
        }
        (host, old)
    };
    for restarts in [false, true] {
        // Still in flight, and after its deadline at 10 s.
        for (from, outcome) in [(1, &answer(410)), (1, &last), (12, &last)] {
            let (mut host, old) = enabled_again(restarts, from);
            host.resolve(&old, outcome);
            assert_eq!(host.disabled("a"), None, "{restarts} {from}");

            // A response to an attempt that started since does count, also after the restart.
            host.now = at(100);
            host.publish("n");
            let new = host.sends().pop().unwrap();
            if restarts {
                host.restart(outbox([kept()]));
            }
            host.resolve(&new, &last);
            assert_eq!(host.disabled("a").unwrap().by, DisabledBy::Receiver);
        }
    }
}

#[test]
fn new_health_policy_applies_from_the_next_decision() {
    let mut host = down(patient("a"));
    // A longer wait does not lengthen the one that has begun.
    let slow = fast_health().with_probes(secs(200), secs(200));
    host.now = at(1);
    host.outbox.replace_endpoint(patient("a").with_health(slow), at(1)).unwrap();
    host.sends();
    probe(&mut host, &answer(500));
    assert!(host.now >= at(54) && host.now <= at(66), "{}", host.now);
    // A shorter one shortens it.
    let quick = fast_health().with_probes(secs(10), secs(10));
    host.outbox.replace_endpoint(patient("a").with_health(quick), host.now).unwrap();
    host.sends();
    let from = host.now;
    probe(&mut host, &answer(500));
    let took = host.now.saturating_since(from);
    assert!(took >= secs(9) && took <= secs(11), "{took:?}");
    assert_eq!(host.health("a").state(), State::Down);
    // The policy at the time of disabling decides between keep and cancel.
    let keep = fast_health().with_pending_on_disable(PendingOnDisable::Keep);
    host.outbox.replace_endpoint(patient("a").with_health(keep), host.now).unwrap();
    host.notice_texts();
    host.outbox.disable_endpoint(&eid("a"), None, host.now).unwrap();
    host.sends();
    assert_eq!(host.notice_texts(), ["a disabled"]);
    assert_eq!(host.outbox.pending(), 2);
    // Kept deliveries are cancelled once the policy says so.
    host.outbox.replace_endpoint(patient("a"), host.now).unwrap();
    host.sends();
    assert_eq!(host.outbox.pending(), 0);
}

#[test]
fn removed_endpoint_stays_removed_after_restart() {
    let mut host = host([patient("a"), patient("b")]);
    host.publish("m");
    assert_eq!(host.sends().len(), 2);
    host.outbox.remove_endpoint(&eid("a"), host.now).unwrap();
    host.sends();
    assert!(host.outbox.status(&eid("a")).is_err());
    host.restart(outbox([patient("b")]));
    assert!(host.outbox.status(&eid("a")).is_err());
    assert_eq!(host.outbox.status(&eid("b")).unwrap().pending, 1);

    // A missing endpoint that has saved state.
    host.outbox.pause_endpoint(&eid("b"), host.now).unwrap();
    host.sends();
    host.restart(outbox([]));
    assert_eq!(host.outbox.status(&eid("b")).unwrap().health.paused_since(), Some(host.now));
}

#[test]
fn removed_endpoint_loses_its_health() {
    let mut host = down(patient("a"));
    assert!(host.keys().contains(&"endpoint/a"));
    assert!(host.outbox.remove_endpoint(&eid("a"), host.now).is_ok());
    host.sends();
    assert!(!host.keys().contains(&"endpoint/a"));
    host.outbox.insert_endpoint(patient("a"), host.now).unwrap();
    assert_eq!(host.health("a").state(), State::Healthy);
    host.publish("n1");
    host.publish("n2");
    host.notice_texts();
    assert_eq!(host.send_texts(), ["n1>a#1", "n2>a#1"]);
    for ticket in in_flight(&host) {
        host.resolve(&ticket, &answer(500));
    }
    host.sends();
    assert_eq!(host.notice_texts(), ["a down"], "and it is notified again");
}

#[test]
fn response_from_two_restarts_ago_does_not_disable() {
    let asking = || endpoint("e").with_retry(policy(&[5]).with_guarantee(DeliveryGuarantee::Ask));
    let outbox = || Outbox::new(registry([asking().with_health(keeping())]), 7);
    let mut host = Host::new(outbox());
    host.publish("m1");
    assert_eq!(host.send_texts(), ["m1>e#1"]);
    // In this run of the outbox its permit is outdated.
    host.restart(outbox());
    host.publish("m2");
    let ticket = host.send();
    host.now = at(10);
    assert_eq!(host.send_texts(), [""; 0]);
    // In the next run nothing is in flight.
    host.restart(outbox());
    host.outbox.disable_endpoint(&eid("e"), None, host.now).unwrap();
    host.enable("e").unwrap();
    assert_eq!(host.send_texts(), [""; 0]);
    assert_eq!(host.resolve(&ticket, &answer(410)), Resolution::Ended(Verdict::Gone));
    assert_eq!(host.disabled("e"), None);
}

#[test]
fn response_from_before_a_removal_does_not_disable() {
    let mut host = Host::with([endpoint("e")]);
    for _ in 0..3 {
        host.outbox.disable_endpoint(&eid("e"), None, host.now).unwrap();
        host.enable("e").unwrap();
    }
    host.publish("m");
    let ticket = host.send();
    host.outbox.remove_endpoint(&eid("e"), host.now).unwrap();
    host.outbox.insert_endpoint(endpoint("e"), host.now).unwrap();
    host.outbox.disable_endpoint(&eid("e"), None, host.now).unwrap();
    host.enable("e").unwrap();
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), secs(60), host.now + secs(60));
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 1);
    let outcome = answer_with(200, "webhook-delivery", "disable");
    assert_eq!(host.resolve(&ticket, &outcome), Resolution::LateSuccess);
    assert_eq!(host.disabled("e"), None);
}

#[test]
fn restarted_attempt_has_the_permit_of_its_new_start() {
    let outbox = || Outbox::new(registry([endpoint("e").with_health(keeping())]), 7);
    let mut host = Host::new(outbox());
    host.publish("m");
    let changes = host.unsaved();
    host.outbox.disable_endpoint(&eid("e"), None, host.now).unwrap();
    host.enable("e").unwrap();
    assert!(host.outbox.unsaved(changes.revision()));
    let ticket = host.send();
    host.restart(outbox());
    assert_eq!(host.resolve(&ticket, &answer(410)), Resolution::Ended(Verdict::Gone));
    assert_eq!(host.disabled("e").map(|disabled| disabled.by), Some(DisabledBy::Receiver));
}

fn keeping() -> HealthPolicy {
    HealthPolicy::never().with_pending_on_disable(PendingOnDisable::Keep)
}

#[test]
fn partly_saved_removal_sends_nothing_held_back() {
    let keep = HealthPolicy::never().with_pending_on_disable(PendingOnDisable::Keep);
    let outbox = || Outbox::new(registry([endpoint("e").with_health(keep)]), 7);
    for disabled in [true, false] {
        for length in 0..3 {
            let mut host = Host::new(outbox());
            if !disabled {
                host.outbox.pause_endpoint(&eid("e"), host.now).unwrap();
            }
            host.publish("m");
            if disabled {
                host.outbox.disable_endpoint(&eid("e"), None, host.now).unwrap();
            }
            assert_eq!(host.sends().len(), 0);
            host.outbox.remove_endpoint(&eid("e"), host.now).unwrap();
            let changes: Vec<_> = host.unsaved().into_iter().collect();
            assert_eq!(changes.len(), 2);
            for change in changes.into_iter().take(length) {
                match change {
                    Change::Put(record) => {
                        host.disk.insert(record.key().to_string(), record);
                    }
                    Change::Delete(key) => _ = host.disk.remove(&key.to_string()),
                }
            }
            // The host has not been notified of the save, and still has the endpoint.
            host.restart(outbox());
            assert_eq!(host.send_texts(), [""; 0], "disabled: {disabled}, after {length} changes");
        }
    }
}
