//! Counterexamples found by attacking the delivery engine's guarantees.

use std::num::NonZeroU32;
use std::time::Duration;

use http::StatusCode;
use labhook::delivery::{DeliveryGuarantee, Failure, Resolution, Schedule};
use labhook::outbox::ReplayFilter;
use labhook::policy::Load;
use labhook::simulate::{Behaviour, Receiver, Scenario};
use labhook::{
    EndpointPolicy, FlowPolicy, HealthPolicy, Order, Outbox, Outcome, RetryPolicy, Step, Timestamp,
    Verdict,
};

use crate::support::{Host, answer, at, eid, endpoint, policy, registry, replay_all, secs, show};

fn health(failures: u32) -> HealthPolicy {
    HealthPolicy::new().with_failures(NonZeroU32::new(failures))
}

// A resolution states the result for the delivery. For a disabled endpoint it said that the
// delivery was in doubt although it had ended.
#[test]
fn ended_delivery_is_not_resolved_as_in_doubt() {
    let asking = endpoint("e").with_retry(policy(&[5]).with_guarantee(DeliveryGuarantee::Ask));
    let mut host = Host::with([asking]);
    host.publish("m");
    let ticket = host.send();
    host.outbox.disable_endpoint(&eid("e"), None, host.now).unwrap();
    let resolution = host.resolve(&ticket, &Outcome::failed(Failure::Timeout));
    assert_eq!(host.verdict("m", "e"), Some(Verdict::Unconfirmed));
    assert_eq!(resolution, Resolution::Ended(Verdict::Unconfirmed));
}

// An attempt that started before its endpoint was enabled never counts for health. The outbox
// disabled the endpoint again on a response to such an attempt.
#[test]
fn response_from_before_enabling_does_not_disable() {
    let mut host = Host::with([endpoint("e")]);
    host.publish("m");
    let ticket = host.send();
    host.outbox.disable_endpoint(&eid("e"), None, host.now).unwrap();
    host.enable("e").unwrap();
    host.resolve(&ticket, &answer(410));
    assert_eq!(host.verdict("m", "e"), Some(Verdict::Gone));
    assert_eq!(host.disabled("e"), None);
}

// Only the result of a probe moves the probe schedule. A probe that was never handed out, because its
// save took too long, moved it.
#[test]
fn probe_never_handed_out_does_not_fail() {
    let health = health(1).with_probes(secs(60), secs(60));
    let mut host = Host::with([endpoint("e").with_health(health)]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!(host.send_texts(), [""; 0]);
    host.now = at(66);
    let changes = host.unsaved();
    host.now = at(77);
    // Its start is cancelled, and the next one waits until the save is confirmed.
    assert!(matches!(host.outbox.poll(host.now), Step::Idle));
    assert_eq!(host.health("e").failed_probes(), 0, "nothing was sent");
    host.save(changes);
    // It is sent as the probe, and its response counts.
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    assert_eq!(host.send_texts(), [""; 0]);
    assert!(host.health("e").state().is_healthy());
}

// Polling ends, even at the maximum time. A probe was started, cancelled and saved each time.
#[test]
fn probe_at_the_maximum_time_stops_saving() {
    let health = health(1).with_probes(secs(60), secs(60));
    let mut host = Host::with([endpoint("e").with_health(health)]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!(host.send_texts(), [""; 0]);
    host.now = Timestamp::MAX;
    assert_eq!(host.send_texts(), [""; 0]);
}

// A delivery is pending until it has ended, and every end is notified. A replay that ended at once
// was counted as pending forever. (Since then a replay has its first attempt.)
#[test]
fn replay_at_the_maximum_time_keeps_the_count() {
    let mut host =
        Host::with([endpoint("e").with_retry(RetryPolicy::none().with_window(secs(60)))]);
    host.publish("m");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.outbox.replay(
        &mut host.outbox.plan_replay(&ReplayFilter::all(), Duration::ZERO, Timestamp::MAX),
        Timestamp::MAX,
    );
    let open = host.outbox.deliveries().filter(|it| it.2.verdict().is_none()).count();
    assert_eq!(host.outbox.pending(), open);
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!((host.send_texts(), host.outbox.pending()), (Vec::new(), 0));
    assert_eq!(host.notice_texts(), ["m>e exhausted after 1", "m>e exhausted after 2"]);
}

// The peak since the end of the outage: attempts in the same second before it were counted.
#[test]
fn recovery_peak_excludes_attempts_before_it() {
    let load = Load::per_second(NonZeroU32::new(10).unwrap());
    let policies = EndpointPolicy::new(RetryPolicy::none())
        .with_health(HealthPolicy::never())
        .with_flow(FlowPolicy::fixed());
    let receiver = Receiver::new().add_outage(
        Duration::ZERO,
        Duration::from_millis(950),
        Behaviour::status(StatusCode::INTERNAL_SERVER_ERROR),
    );
    let report =
        Scenario::new(load, Duration::from_millis(1_000)).add_endpoint(policies, receiver).run();
    // Ten events at 0.0 to 0.9 s, none after the end of the outage at 0.95 s.
    assert_eq!(report[0].recovery.unwrap().peak_requests, 0);
    let receiver = Receiver::new().add_outage(
        Duration::ZERO,
        Duration::from_millis(850),
        Behaviour::status(StatusCode::INTERNAL_SERVER_ERROR),
    );
    let policies = EndpointPolicy::new(RetryPolicy::none())
        .with_health(HealthPolicy::never())
        .with_flow(FlowPolicy::fixed());
    let report =
        Scenario::new(load, Duration::from_millis(1_000)).add_endpoint(policies, receiver).run();
    assert_eq!(report[0].recovery.unwrap().peak_requests, 1);
}

// A replay is not overtaken in its ordering group. A message behind it that was started and not yet
// handed out when it was replayed overtook it.
#[test]
fn attempt_never_handed_out_waits_behind_a_replay() {
    let strict = endpoint("e").with_retry(RetryPolicy::none()).with_order(Order::strict());
    let mut host = Host::with([strict]);
    host.publish("m1");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    host.publish("m2");
    let changes = host.unsaved();
    let failed = ReplayFilter::all().only_failed();
    let plan = host.outbox.plan_replay(&failed, Duration::ZERO, host.now);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 1);
    host.save(changes);
    let ticket = host.send();
    assert_eq!(show(&ticket), "m1>e#2");
    host.resolve(&ticket, &answer(200));
    assert_eq!(host.send_texts(), ["m2>e#1"]);
}

// An endpoint that is down gets one attempt at a time, the probe. An attempt that was being saved when
// the circuit opened was sent as well.
#[test]
fn attempt_never_handed_out_waits_if_down() {
    let mut host = Host::with([endpoint("e").with_health(health(1))]);
    host.publish("m1");
    let ticket = host.send();
    host.publish("m2");
    let changes = host.unsaved();
    host.resolve(&ticket, &answer(500));
    host.save(changes);
    assert_eq!(host.send_texts(), [""; 0]);
    assert_eq!(host.outbox.status(&eid("e")).unwrap().counters.attempts, 1);
    host.now = at(11);
    assert_eq!(host.send_texts(), ["m2>e#1"]);
}

// A plan replays only deliveries unchanged since. One delivered late had changed, and was sent
// again.
#[test]
fn plan_skips_deliveries_that_succeeded_since() {
    let mut host = Host::with([endpoint("e")]);
    host.publish("m");
    let ticket = host.send();
    host.now = at(10);
    assert_eq!(host.send_texts(), [""; 0]);
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), Duration::ZERO, host.now);
    assert_eq!(plan.len(), 1);
    assert_eq!(host.resolve(&ticket, &answer(200)), Resolution::LateSuccess);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 0);
    assert_eq!(host.outbox.pending(), 0);
    // To send it again, a host selects it knowing that it was delivered.
    let plan = host.outbox.plan_replay(&ReplayFilter::all(), Duration::ZERO, host.now);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 1);
    assert_eq!(host.send_texts(), ["m>e#2"]);
}

// State can be saved at any moment, and a policy may be endless: each timeout made the row grow.
#[test]
fn row_stays_small_after_endless_timeouts() {
    let endless =
        RetryPolicy::new(Schedule::list([secs(1)]).forever()).with_attempt_timeout(secs(1));
    let mut host = Host::with([endpoint("e").with_retry(endless)]);
    host.publish("m");
    let mut sizes = Vec::new();
    for second in 0..2_000 {
        host.now = at(2 * second);
        assert_eq!(host.sends().len(), 1);
        sizes.push(serde_json::to_string(&host.disk["delivery/m/e"]).unwrap().len());
    }
    assert!(sizes[1_999] <= sizes[2] + 10, "{} and then {}", sizes[2], sizes[1_999]);
    let (.., delivery) = host.outbox.deliveries().next().unwrap();
    assert_eq!((delivery.attempts(), delivery.unanswered()), (2_000, 1_999));
}

// No saved state stops the outbox. One edited by hand counted attempts in flight that no delivery
// had, and with its concurrency limit reached the endpoint was sent nothing more.
#[test]
fn orphaned_in_flight_count_blocks_nothing() {
    let of = || endpoint("e").with_flow(FlowPolicy::adaptive());
    let mut host = Host::with([of()]);
    host.publish("m1");
    let ticket = host.send();
    host.resolve(&ticket, &answer(200));
    // The record of an endpoint that works is written when the process ends.
    host.outbox.drain();
    assert_eq!(host.send_texts(), [""; 0]);
    let mut record = serde_json::to_value(&host.disk["endpoint/e"]).unwrap();
    assert_eq!(record["flow"]["in_flight"], 0);
    record["flow"]["in_flight"] = 1_000.into();
    host.disk.insert("endpoint/e".into(), serde_json::from_value(record).unwrap());
    host.restart(Outbox::new(registry([of()]), 7));
    host.publish("m2");
    assert_eq!(host.send_texts(), ["m2>e#1"]);
}
