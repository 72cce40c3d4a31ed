//! What was tried to break the promises of the delivery engine where its parts meet, and did.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "growth is measured")]

use std::num::{NonZeroU8, NonZeroU32};
use std::time::{Duration, Instant};

use http::StatusCode;
use labhook::delivery::{Doubt, Resolution, Schedule};
use labhook::flow::{BudgetPolicy, RatePolicy};
use labhook::health::{DisabledBy, State, Waiting};
use labhook::outbox::Selection;
use labhook::simulate::{Behaviour, Expected, Load, Policies, Receiver, Scenario, Warning};
use labhook::{FlowPolicy, HealthPolicy, Order, Outbox, Policy, Step, Verdict};

use crate::support::{
    Host, answer, answer_with, at, eid, endpoint, message, mid, policy, registry, secs,
};

fn two(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

// The linter's `WindowBeyondSchedule`: "the window never closes on anything: the last retry comes
// before its end". A rate or a budget makes deliveries wait as well, and then it does.
#[test]
fn a_window_that_the_linter_says_never_closes_never_does() {
    let load = Load::per_second(two(10));
    let policies = Policies::new(policy(&[5, 20]).with_window(secs(8_000)))
        .with_health(HealthPolicy::never())
        .with_flow(FlowPolicy::fixed().with_rate(RatePolicy::per_second(NonZeroU32::MIN)));
    let found = policies.lint(&Expected::new());
    let never = found.iter().any(|it| matches!(it, Warning::WindowBeyondSchedule { .. }));
    let scenario = Scenario::new(load, secs(1_000)).endpoint(policies, Receiver::new());
    let expired = scenario.run()[0].ended(Verdict::Expired);
    assert!(!never || expired == 0, "{expired} expired");
}

/// How much longer it takes with four times as many; the shorter one is the best of three.
fn growth(many: usize, took: impl Fn(usize) -> Duration) -> u128 {
    let few = (0..3).map(|_| took(many)).min().unwrap();
    took(4 * many).as_nanos() / few.as_nanos().max(1)
}

fn publish_all(host: &mut Host, prefix: &str, many: usize) {
    for number in 0..many {
        host.outbox.publish(message(&format!("{prefix}{number}")), host.now).unwrap();
    }
}

/// Does all that is to be done; whatever is sent is answered so.
fn answer_all(host: &mut Host, status: u16) {
    loop {
        match host.outbox.poll(host.now) {
            Step::Send(attempt) => {
                host.outbox.resolve(attempt.ticket(), &answer(status), host.now);
            }
            Step::Save(changes) => assert!(host.outbox.saved(changes.revision())),
            Step::Notify(_) => {}
            Step::Wait(_) | Step::Idle => return,
        }
    }
}

fn at_rest(order: Order) -> Host {
    let patient = policy(&[86_400, 86_400]);
    let endpoint = endpoint("e").order(order).policy(patient);
    Host::new(Outbox::new(registry([endpoint]), 7).without_storage())
}

// A host keeps a backlog "by the hundred thousand". With messages in a line that let others pass,
// and an order that has them hold from here on, the work and the memory are those of all pairs: 8
// thousand take 24 s in release, and a hundred thousand would list five thousand million moves.
#[test]
fn an_order_that_lets_nobody_pass_any_more_costs_by_the_message() {
    let growth = growth(400, |many| {
        let mut host = at_rest(Order::strict().skip_after(secs(60)));
        host.outbox.pause_endpoint(&eid("e"), host.now);
        publish_all(&mut host, "m", many);
        host.now = at(61);
        answer_all(&mut host, 500);
        let start = Instant::now();
        host.outbox.replace_endpoint(endpoint("e").order(Order::strict()), host.now).unwrap();
        start.elapsed()
    });
    assert!(growth < 9, "four times as many take {growth} times as long");
}

// The same where what comes before messages that let others pass is replayed, message by message: 8
// thousand take 43 s in release.
#[test]
fn a_replay_before_messages_that_let_others_pass_costs_by_the_message() {
    let growth = growth(150, |many| {
        let mut host = at_rest(Order::strict().skip_after_attempts(NonZeroU32::MIN));
        host.outbox.pause_endpoint(&eid("e"), host.now);
        publish_all(&mut host, "untried", many);
        host.outbox.disable_endpoint(&eid("e"), None, host.now);
        host.enable("e").unwrap();
        host.outbox.resume_endpoint(&eid("e"), host.now);
        publish_all(&mut host, "failing", many);
        answer_all(&mut host, 500);
        let failed = Selection::all().failed();
        let plan = host.outbox.plan_replay(&failed, secs(1), host.now);
        let start = Instant::now();
        assert_eq!(host.outbox.replay(&plan, host.now), many);
        start.elapsed()
    });
    assert!(growth < 9, "four times as many take {growth} times as long");
}

// State is to be saved at any moment, and an endless policy is one: with every other attempt a
// timeout the row of a delivery grows for as long as it is tried.
#[test]
fn an_endless_series_of_now_and_then_a_timeout_stays_small() {
    let endless = Policy::new(Schedule::list([secs(1)]).for_ever()).with_attempt_timeout(secs(1));
    let mut host = Host::with([endpoint("e").policy(endless)]);
    host.publish("m");
    let mut sizes = Vec::new();
    for round in 0..1_000 {
        host.now = at(2 * round);
        let ticket = host.send();
        if round % 2 == 0 {
            host.resolve(&ticket, &answer(500));
        }
        sizes.push(serde_json::to_string(&host.disk["delivery/m/e"]).unwrap().len());
    }
    assert!(sizes[999] <= 2 * sizes[2], "{} and then {}", sizes[2], sizes[999]);
}

// `Summary::time_to_disable` and the linter's `DisabledWithinSpan` say how long a failing endpoint
// takes at the longest. A receiver that asks for a pause with each answer puts each probe off.
#[test]
fn a_failing_endpoint_is_disabled_within_the_time_that_the_summary_says() {
    let health = HealthPolicy::new()
        .with_failures(NonZeroU8::new(1))
        .with_overload_limit(Duration::ZERO)
        .with_probes(secs(60), [])
        .with_suspend_after(two(5))
        .with_disable_after(secs(600));
    let policies =
        Policies::new(policy(&[60]).with_schedule(Schedule::list([secs(60)]).for_ever()))
            .with_health(health);
    let longest = policies.summary().time_to_disable.unwrap();
    let down = Behaviour::retry_after(StatusCode::SERVICE_UNAVAILABLE, secs(3_000));
    let receiver = Receiver::new().outage(Duration::ZERO, secs(864_000), down);
    let load = Load::new(NonZeroU32::MIN, secs(10));
    let report = Scenario::new(load, secs(86_400)).endpoint(policies, receiver).run();
    let took = report[0].time_to(State::Disabled).expect("it is disabled within a day");
    assert!(took <= longest, "{took:?}, and said was {longest:?}");
}
