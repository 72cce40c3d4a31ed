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

// "Nothing but an attempt that left the host is counted as one", and `Counters::unanswered` and
// `Delivery::unanswered` count attempts that may have left a copy. A late success that comes while
// the next attempt is being saved counts that one too, although it is never handed out.
#[test]
fn an_attempt_that_was_not_handed_out_is_not_unanswered() {
    let mut host = Host::with([endpoint("e")]);
    host.publish("m");
    let first = host.send();
    host.now = at(10);
    assert_eq!(host.shown(), [""; 0]);
    host.now = at(15);
    let changes = host.unsaved();
    assert_eq!(host.resolve(&first, &answer(200)), Resolution::LateSuccess);
    host.save(changes);
    assert_eq!(host.shown(), [""; 0]);
    let counters = host.outbox.status(&eid("e")).unwrap().counters;
    assert_eq!((counters.attempts, counters.unanswered), (1, 1));
    let (.., delivery) = host.outbox.deliveries().next().unwrap();
    assert_eq!((delivery.attempts(), delivery.unanswered()), (1, 1));
    assert_eq!(host.told(), ["m>e delivered after 1"]);
}

// Invariant 24: retries <= ratio x firsts + trickle. A first attempt that is started, taken back and
// started anew fills the budget each time, although it left the host once.
#[test]
fn an_attempt_that_was_taken_back_earns_no_retry() {
    let budget = BudgetPolicy::new(50, secs(3_600));
    let flow = FlowPolicy::fixed().with_retry_budget(budget);
    let mut host = Host::with([endpoint("e").policy(policy(&[1, 1, 1, 1])).flow(flow)]);
    host.publish("m");
    for _ in 0..10 {
        // Somebody pauses while storage is busy, and resumes.
        let changes = host.unsaved();
        host.outbox.pause_endpoint(&eid("e"), host.now);
        host.save(changes);
        assert_eq!(host.shown(), [""; 0]);
        host.outbox.resume_endpoint(&eid("e"), host.now);
    }
    let mut retries = 0;
    for second in 0..60 {
        host.now = at(second);
        for ticket in host.sends() {
            retries += u32::from(ticket.attempt() > 1);
            host.resolve(&ticket, &answer(500));
        }
    }
    // One first attempt gives half a retry, and the trickle one an hour.
    assert_eq!(retries, 1);
}

// The same of a rate: "nothing but an attempt that left the host is counted as one", and "the
// attempt is not handed out but started anew, without being counted". It is held up for a day.
#[test]
fn an_attempt_that_was_taken_back_uses_up_no_rate() {
    let flow = FlowPolicy::fixed().with_rate(RatePolicy::new(NonZeroU32::MIN, secs(86_400)));
    let mut host = Host::with([endpoint("e").flow(flow)]);
    host.publish("m");
    let changes = host.unsaved();
    host.outbox.pause_endpoint(&eid("e"), host.now);
    host.save(changes);
    assert_eq!(host.shown(), [""; 0]);
    host.outbox.resume_endpoint(&eid("e"), host.now);
    assert_eq!(host.shown(), ["m>e#1"]);
}

// Health: "what started before the endpoint was enabled says nothing ever", over restarts as well
// (`Ticket::pass`). The serial that a restart begins is not saved, so that the restart after it is
// behind the passes that were given out in between.
#[test]
fn an_answer_from_two_restarts_ago_does_not_disable_an_endpoint_that_was_enabled_since() {
    let asking = || endpoint("e").policy(policy(&[5]).with_doubt(Doubt::Ask));
    let outbox = || Outbox::new(registry([asking().health(keeping())]), 7);
    let mut host = Host::new(outbox());
    host.publish("m1");
    assert_eq!(host.shown(), ["m1>e#1"]);
    // In this life it is of a new time.
    host.restart(outbox());
    host.publish("m2");
    let ticket = host.send();
    host.now = at(10);
    assert_eq!(host.shown(), [""; 0]);
    // Nothing is in flight in the next one.
    host.restart(outbox());
    host.outbox.disable_endpoint(&eid("e"), None, host.now);
    host.enable("e").unwrap();
    assert_eq!(host.shown(), [""; 0]);
    assert_eq!(host.resolve(&ticket, &answer(410)), Resolution::Ended(Verdict::Gone));
    assert_eq!(host.disabled("e"), None);
}

fn keeping() -> HealthPolicy {
    HealthPolicy::never().with_waiting(Waiting::Keep)
}

// The same over a removal: what was learned is forgotten, the serials too, so that an answer from
// before it is taken for one of the endpoint that took its place.
#[test]
fn an_answer_from_before_a_removal_does_not_disable_the_endpoint_that_took_its_place() {
    let mut host = Host::with([endpoint("e")]);
    for _ in 0..3 {
        host.outbox.disable_endpoint(&eid("e"), None, host.now);
        host.enable("e").unwrap();
    }
    host.publish("m");
    let ticket = host.send();
    host.outbox.remove_endpoint(&eid("e"), host.now);
    host.outbox.insert_endpoint(endpoint("e"), host.now).unwrap();
    host.outbox.disable_endpoint(&eid("e"), None, host.now);
    host.enable("e").unwrap();
    let plan = host.outbox.plan_replay(&Selection::all(), secs(60), host.now + secs(60));
    assert_eq!(host.outbox.replay(&plan, host.now), 1);
    let outcome = answer_with(200, "webhook-delivery", "disable");
    assert_eq!(host.resolve(&ticket, &outcome), Resolution::LateSuccess);
    assert_eq!(host.disabled("e"), None);
}

// The receiver's control: a 410 disables. An attempt that is started anew after a save that failed
// is handed out under the ticket of its earlier start, which is from before the endpoint was
// enabled: after a restart its 410 is taken for an old one.
#[test]
fn an_attempt_that_was_started_anew_has_the_pass_of_its_new_start() {
    let outbox = || Outbox::new(registry([endpoint("e").health(keeping())]), 7);
    let mut host = Host::new(outbox());
    host.publish("m");
    let changes = host.unsaved();
    host.outbox.disable_endpoint(&eid("e"), None, host.now);
    host.enable("e").unwrap();
    assert!(host.outbox.unsaved(changes.revision()));
    let ticket = host.send();
    host.restart(outbox());
    assert_eq!(host.resolve(&ticket, &answer(410)), Resolution::Ended(Verdict::Gone));
    assert_eq!(host.disabled("e").map(|disabled| disabled.by), Some(DisabledBy::Receiver));
}

// `Notice::Failing` tells of a delivery that has failed so often and is retried all the same. One
// that ended as it reached that number, and was replayed, is never told of.
#[test]
fn a_replayed_delivery_that_goes_on_failing_is_told_of() {
    let mut host = Host::with([endpoint("e")]);
    host.publish("m");
    let fail = |host: &mut Host| {
        let start = host.now;
        for second in 0..30 {
            host.now = start + secs(second);
            for ticket in host.sends() {
                host.resolve(&ticket, &answer(500));
            }
        }
        host.told()
    };
    assert_eq!(fail(&mut host), ["m>e exhausted after 3"]);
    let plan = host.outbox.plan_replay(&Selection::all(), Duration::ZERO, host.now);
    assert_eq!(host.outbox.replay(&plan, host.now), 1);
    let told = fail(&mut host);
    assert!(told.iter().any(|it| it.contains("failing")), "{told:?}");
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

// A replay of one message looks at all that there are: 8 thousand, one by one, take 0.5 s in
// release, and a hundred thousand more than a minute.
#[test]
fn a_replay_of_one_message_does_not_look_at_all() {
    let growth = growth(500, |many| {
        let mut host = at_rest(Order::none());
        host.outbox.pause_endpoint(&eid("e"), host.now);
        publish_all(&mut host, "m", many);
        let start = Instant::now();
        for number in 0..many {
            let one = Selection::all().message(mid(&format!("m{number}")));
            _ = host.outbox.plan_replay(&one, Duration::ZERO, host.now);
        }
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

// "A crash between the two loses the notice and not the change, which is in the saved records", and
// what ended while nobody looked is kept from when that was found. After one more crash it is kept
// from when it ended, and deleted in the very first save.
#[test]
fn what_was_found_late_and_never_told_is_not_deleted_by_the_next_restart() {
    let hasty = || endpoint("e").policy(policy(&[5]).with_window(secs(60)));
    let mut host = Host::with([hasty()]);
    host.publish("m");
    host.outbox.pause_endpoint(&eid("e"), host.now);
    assert_eq!(host.shown(), [""; 0]);
    host.now = at(3 * 86_400);
    host.restart(Outbox::new(registry([hasty()]), 7));
    let changes = host.unsaved();
    host.write(changes);
    // It crashes before it is told.
    host.restart(Outbox::new(registry([hasty()]), 7));
    assert_eq!(host.shown(), [""; 0]);
    let told = host.told();
    assert!(
        host.keys().contains(&"delivery/m/e") || told == ["m>e expired after 0"],
        "neither told ({told:?}) nor kept ({:?})",
        host.keys()
    );
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
