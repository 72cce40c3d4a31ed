//! Endpoints that hang, refuse, come, go and change while deliveries are pending.

use std::num::{NonZeroU32, NonZeroUsize};

use labhook::delivery::{Ignored, Jitter, Resolution, Schedule};
use labhook::endpoint::RegistryError;
use labhook::health::{DisabledBy, EnableError};
use labhook::outbox::EnableEndpointError;
use labhook::{Endpoint, Notice, Outbox, RetryPolicy, Step, Verdict};

use crate::support::{
    Host, answer, answer_with, at, eid, endpoint, mid, policy, registry, secs, show,
};

fn narrow(id: &str, window: u32) -> Endpoint {
    endpoint(id).with_max_in_flight(NonZeroU32::new(window).unwrap())
}

fn outbox(endpoints: impl IntoIterator<Item = Endpoint>) -> Outbox {
    Outbox::new(registry(endpoints), 7)
}

#[test]
fn hanging_endpoint_fills_only_its_own_window() {
    let mut host = Host::with([narrow("hung", 2), narrow("quick", 1)]);
    for id in ["m1", "m2", "m3", "m4"] {
        host.publish(id);
    }
    assert_eq!(host.outbox.pending(), 8);
    let first = host.sends();
    assert_eq!(
        first.iter().map(show).collect::<Vec<_>>(),
        ["m1>hung#1", "m1>quick#1", "m2>hung#1"]
    );

    let mut quick = first[1].clone();
    for next in ["m2>quick#1", "m3>quick#1", "m4>quick#1"] {
        host.resolve(&quick, &answer(200));
        quick = host.send();
        assert_eq!(show(&quick), next);
    }
    // At the deadline, two other deliveries take the freed slots.
    host.now = at(10);
    assert_eq!(host.send_texts(), ["m3>hung#1", "m4>hung#1"]);
}

#[test]
fn endpoints_take_turns_within_a_batch() {
    let all = registry([narrow("a", 9), narrow("b", 9), narrow("c", 1)]);
    let mut host = Host::new(Outbox::new(all, 7).with_batch(NonZeroUsize::MIN));
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let order = ["m1>a#1", "m1>b#1", "m1>c#1", "m2>a#1", "m2>b#1", "m3>a#1", "m3>b#1"];
    assert_eq!(host.send_texts(), order);
    assert_eq!(host.saves, 7);
}

#[test]
fn gone_receiver_gets_no_more_attempts() {
    let mut host = Host::with([narrow("gone", 2), endpoint("other")]);
    for id in ["m1", "m2", "m3"] {
        host.publish(id);
    }
    let sends = host.sends();
    let of = |id: &str| sends.iter().find(|it| show(it) == id).unwrap();
    let (m1, m2) = (of("m1>gone#1"), of("m2>gone#1"));

    host.now = at(1);
    assert_eq!(host.resolve(m1, &answer(410)), Resolution::Ended(Verdict::Gone));
    assert!(host.sends().is_empty());
    assert_eq!(
        host.notice_texts(),
        ["m1>gone gone after 1", "gone disabled", "m3>gone cancelled after 0"]
    );
    let disabled = host.disabled("gone").unwrap();
    assert_eq!((disabled.since, disabled.by), (at(1), DisabledBy::Receiver));
    assert_eq!(host.disabled("other"), None);
    assert!(host.keys().contains(&"endpoint/gone"));

    // Attempts in flight may still arrive. Otherwise they are not repeated, and the verdict says
    // so.
    assert_eq!(host.resolve(m2, &answer(503)), Resolution::Ended(Verdict::Cancelled));
    assert_eq!(host.publish("m4").endpoints, [eid("other")]);
    assert_eq!(host.send_texts(), ["m4>other#1"]);
    assert_eq!(host.notice_texts(), ["m2>gone cancelled after 1"]);

    // It survives a restart.
    host.restart(outbox([narrow("gone", 2), endpoint("other")]));
    assert_eq!(host.disabled("gone"), Some(disabled));
    assert_eq!(host.publish("m5").endpoints, [eid("other")]);
    assert_eq!(host.send_texts(), ["m5>other#1"]);
    assert!(host.notice_texts().is_empty(), "it was notified before");

    host.enable("gone").unwrap();
    assert_eq!(host.enable("gone"), Err(EnableError::NotDisabled.into()));
    assert_eq!(host.disabled("gone"), None);
    assert_eq!(host.publish("m6").endpoints, [eid("gone"), eid("other")]);
    assert_eq!(host.send_texts(), ["m6>gone#1", "m6>other#1"]);
    host.restart(outbox([narrow("gone", 2), endpoint("other")]));
    assert_eq!(host.disabled("gone"), None, "enabling survives a restart too");
}

#[test]
fn late_success_at_a_disabled_endpoint_delivers() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    host.publish("m2");
    let sends = host.sends();
    host.resolve(&sends[0], &answer(410));
    assert_eq!(host.resolve(&sends[1], &answer(200)), Resolution::Ended(Verdict::Delivered));
    host.sends();
    assert_eq!(host.notice_texts(), ["m1>a gone after 1", "a disabled", "m2>a delivered after 1"]);
}

#[test]
fn unanswered_attempt_when_disabled_ends_at_deadline() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    host.publish("m2");
    let sends = host.sends();
    host.resolve(&sends[0], &answer(410));
    host.sends();
    host.notice_texts();
    assert_eq!(host.wait, Some(at(10)));
    host.now = at(10);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m2>a cancelled after 1"]);
}

#[test]
fn success_that_asks_to_disable_ends_the_endpoint() {
    for (name, status, verdict) in
        [("delivered", 200, Verdict::Delivered), ("gone", 500, Verdict::Gone)]
    {
        let mut host = Host::with([endpoint("a")]);
        host.publish("m");
        let ticket = host.send();
        let outcome = answer_with(status, "webhook-delivery", "disable");
        assert_eq!(host.resolve(&ticket, &outcome), Resolution::Ended(verdict));
        host.sends();
        assert_eq!(host.notice_texts(), [format!("m>a {name} after 1"), "a disabled".to_owned()]);
        // A duplicate response does not disable it again.
        host.enable("a").unwrap();
        let again = host.resolve(&ticket, &outcome);
        assert_eq!(again, Resolution::Ignored(Ignored::Ended));
        assert_eq!(host.disabled("a"), None);
    }
}

#[test]
fn disabled_notice_states_time_and_cause() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    host.now = at(3);
    host.resolve(&ticket, &answer(410));
    host.sends();
    let disabled = host.disabled("a").unwrap();
    assert_eq!(
        host.notices,
        [
            Notice::Settled {
                message: mid("m"),
                endpoint: eid("a"),
                verdict: Verdict::Gone,
                attempts: 1
            },
            Notice::EndpointDisabled { endpoint: eid("a"), disabled: disabled.clone() }
        ]
    );
    assert_eq!(disabled.since, at(3));
}

#[test]
fn removal_ends_pending_and_in_flight_deliveries() {
    let mut host = Host::with([narrow("a", 1), endpoint("b")]);
    host.publish("m1");
    host.publish("m2");
    let sends = host.sends();
    assert_eq!(show(&sends[0]), "m1>a#1");
    host.now = at(1);
    assert!(host.outbox.remove_endpoint(&eid("a"), at(1)).is_ok());
    assert!(host.outbox.remove_endpoint(&eid("a"), at(1)).is_err(), "no state is left");
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m1>a cancelled after 1", "m2>a cancelled after 0"]);
    assert!(matches!(host.resolve(&sends[0], &answer(200)), Resolution::Ignored(_)));
    assert_eq!(host.verdict("m1", "a"), Some(Verdict::Cancelled));
    assert_eq!(host.outbox.registry().len(), 1);

    // An endpoint inserted under the same id later inherits none of it.
    host.outbox.insert_endpoint(endpoint("a"), at(2)).unwrap();
    assert!(host.sends().is_empty());
    assert_eq!(host.resolve(&sends[0], &answer(200)), Resolution::Ignored(Ignored::Ended));
    assert_eq!(host.publish("m3").endpoints, [eid("a"), eid("b")]);
}

#[test]
fn attempt_being_saved_when_endpoint_stops_is_unsent() {
    // Removed, disabled by its receiver, or taken out of use by the host.
    let mut host = Host::with([endpoint("a"), endpoint("b")]);
    host.publish("m1");
    let changes = host.unsaved();
    host.outbox.remove_endpoint(&eid("a"), at(0)).unwrap();
    host.save(changes);
    assert_eq!(host.send_texts(), ["m1>b#1"]);

    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    let ticket = host.send();
    host.publish("m2");
    let changes = host.unsaved();
    host.resolve(&ticket, &answer(410));
    host.save(changes);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m1>a gone after 1", "a disabled", "m2>a cancelled after 0"]);

    let mut host = Host::with([endpoint("a")]);
    host.publish("m1");
    let changes = host.unsaved();
    host.outbox.replace_endpoint(endpoint("a").with_enabled(false), at(0)).unwrap();
    host.save(changes);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, None, "the delivery is held, and nothing is in flight");
    host.outbox.replace_endpoint(endpoint("a"), at(60)).unwrap();
    host.now = at(60);
    assert_eq!(host.send_texts(), ["m1>a#1"]);
}

#[test]
fn missing_endpoint_holds_its_deliveries() {
    let mut host = Host::with([narrow("a", 1), endpoint("b")]);
    host.publish("m1");
    host.publish("m2");
    let sends = host.sends();
    assert_eq!(show(&sends[0]), "m1>a#1");

    host.now = at(1_000);
    host.restart(outbox([endpoint("b")]));
    assert_eq!(host.outbox.pending(), 4);
    // b's attempts were in flight, and timed out long ago.
    assert_eq!(host.send_texts(), ["m1>b#2", "m2>b#2"]);
    assert_eq!(host.wait, Some(at(1_010)));
    assert_eq!(host.publish("m3").endpoints, [eid("b")]);
    host.sends();

    let disk = host.disk.clone();
    host.outbox.insert_endpoint(narrow("a", 1), at(1_000)).unwrap();
    // m1 was in flight before the restart and timed out: it is due again, after the other.
    assert_eq!(host.send_texts(), ["m2>a#1"]);
    // The response to the first attempt may still arrive.
    assert_eq!(host.resolve(&sends[0], &answer(200)), Resolution::LateSuccess);
    assert!(host.sends().is_empty(), "m2 is in flight");

    // It may arrive while the endpoint is missing: a success counts under any policy.
    host.disk = disk.clone();
    host.restart(outbox([endpoint("b")]));
    assert_eq!(host.resolve(&sends[0], &answer(200)), Resolution::Ended(Verdict::Delivered));

    // Or the delivery is given up.
    host.disk = disk;
    host.restart(outbox([endpoint("b")]));
    host.sends();
    host.notice_texts();
    assert!(host.outbox.remove_endpoint(&eid("a"), at(1_000)).is_ok());
    host.sends();
    assert_eq!(host.notice_texts(), ["m1>a cancelled after 1", "m2>a cancelled after 0"]);
}

#[test]
fn unused_endpoint_holds_pending_and_takes_no_new() {
    let mut host = Host::with([narrow("a", 1)]);
    host.publish("m1");
    host.publish("m2");
    let ticket = host.send();
    host.outbox.replace_endpoint(narrow("a", 1).with_enabled(false), at(0)).unwrap();
    assert!(host.publish("m3").endpoints.is_empty());
    // The attempt in flight runs to its end.
    host.resolve(&ticket, &answer(503));
    host.now = at(1_000);
    assert!(host.sends().is_empty());
    assert_eq!(host.outbox.pending(), 2);
    assert!(host.notice_texts().is_empty());

    host.outbox.replace_endpoint(narrow("a", 2), at(1_000)).unwrap();
    assert_eq!(host.send_texts(), ["m2>a#1", "m1>a#2"]);
}

#[test]
fn replaced_policy_moves_the_wake_up() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(503));
    host.sends();
    assert_eq!(host.wait, Some(at(5)));

    // A window that ends before the retry, then one that does not.
    let within = |window| endpoint("a").with_retry(policy(&[5, 20]).with_window(secs(window)));
    host.outbox.replace_endpoint(within(3), at(1)).unwrap();
    host.now = at(1);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(3)));
    host.outbox.replace_endpoint(within(30), at(2)).unwrap();
    host.now = at(2);
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(5)));
    host.now = at(3);
    assert!(host.sends().is_empty());
    assert!(host.notice_texts().is_empty());
    host.now = at(5);
    let ticket = host.send();

    // The next delay follows the new schedule.
    host.outbox.replace_endpoint(endpoint("a").with_retry(policy(&[1, 7, 1])), at(6)).unwrap();
    host.now = at(6);
    assert_eq!(host.resolve(&ticket, &answer(503)), Resolution::Retry { at: at(13) });
    // A window that is already over ends it at once.
    host.outbox.replace_endpoint(within(4), at(7)).unwrap();
    host.now = at(7);
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a expired after 2"]);
}

#[test]
fn changed_concurrency_limit_applies_at_once() {
    let mut host = Host::with([narrow("a", 1)]);
    for id in ["m1", "m2", "m3", "m4"] {
        host.publish(id);
    }
    let m1 = host.send();
    host.outbox.replace_endpoint(narrow("a", 3), at(0)).unwrap();
    assert_eq!(host.send_texts(), ["m2>a#1", "m3>a#1"]);
    host.outbox.replace_endpoint(narrow("a", 2), at(0)).unwrap();
    host.resolve(&m1, &answer(200));
    assert!(host.sends().is_empty(), "two are in flight");
}

#[test]
fn outbox_registry_rejects_what_a_registry_rejects() {
    let mut host = Host::new(Outbox::new(registry([endpoint("a")]).with_limit(1), 7));
    let inserted = host.outbox.insert_endpoint(endpoint("a"), at(0));
    assert_eq!(inserted, Err(RegistryError::AlreadyRegistered { id: eid("a") }));
    let full = host.outbox.insert_endpoint(endpoint("b"), at(0));
    assert_eq!(full, Err(RegistryError::Full { limit: 1 }));
    let unknown = host.outbox.replace_endpoint(endpoint("b"), at(0));
    assert_eq!(unknown.map_err(|error| error.id), Err(eid("b")));
    assert!(host.outbox.remove_endpoint(&eid("b"), at(0)).is_err());
    let unknown = host.enable("b").unwrap_err();
    assert_eq!(unknown.to_string(), "unknown endpoint `b`");
    assert!(matches!(unknown, EnableEndpointError::Unknown(error) if error.id == eid("b")));
    assert!(matches!(host.outbox.poll(at(0)), Step::Idle));
}

#[test]
fn removed_endpoint_leaves_no_state() {
    let mut host = Host::with([endpoint("a")]);
    let mut fresh = outbox([]);
    assert!(matches!(fresh.poll(at(0)), Step::Idle));
    let fresh = format!("{fresh:?}");
    assert_ne!(format!("{:?}", host.outbox), fresh);
    assert!(host.outbox.remove_endpoint(&eid("a"), at(0)).is_ok());
    assert_eq!(format!("{:?}", host.outbox), fresh);
}

#[test]
fn removed_endpoint_loses_its_disabled_state() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(410));
    host.sends();
    assert!(host.keys().contains(&"endpoint/a"));
    assert!(host.outbox.remove_endpoint(&eid("a"), at(0)).is_ok());
    host.sends();
    assert!(!host.keys().contains(&"endpoint/a"));
    host.outbox.insert_endpoint(endpoint("a"), at(0)).unwrap();
    assert_eq!(host.publish("n").endpoints, [eid("a")]);
}

#[test]
fn jitter_depends_on_the_seed_alone() {
    let due = |seed| {
        let jittered = RetryPolicy::new(Schedule::list([secs(1_000)])).with_jitter(Jitter::FULL);
        let all = registry([
            endpoint("a").with_retry(jittered.clone()),
            endpoint("b").with_retry(jittered),
        ]);
        let mut host = Host::new(Outbox::new(all, seed));
        host.publish("m");
        let sends = host.sends();
        let mut retry_at = |index: usize| match host.resolve(&sends[index], &answer(500)) {
            Resolution::Retry { at } => at,
            other => panic!("{other:?}"),
        };
        [retry_at(0), retry_at(1)]
    };
    assert_eq!(due(7), due(7));
    assert_ne!(due(7), due(8));
    assert_ne!(due(7)[0], due(7)[1], "endpoints of one message retry apart");
}
