//! The faults that were found in the mature engines, each as a regression test at the doors.
//!
//! Those of one machine alone stand with it:
//!
//! | fault | elsewhere |
//! |---|---|
//! | 1 `Retry-After` clamped | `delivery`: `fault_1_retry_after_is_not_clamped_to_the_schedule` |
//! | 2 a 429's wait is dead code | `delivery`: `fault_2_what_a_429_asks_for_takes_effect` |
//! | 3 disabling strands | `small_scope`, in every state |
//! | 5 a success disables | `health_faults`: `fault_5_a_success_is_never_the_failure_that_disables` |
//! | 6 a wait of nothing | `health_faults`: `fault_6_a_wait_is_positive_and_finite` |
//! | 7 half-open admits all | `health_faults`: `fault_7_half_open_admits_exactly_one` |
//! | 8 the window is only logged | `delivery`: `fault_8_the_window_is_enforced` |
//! | 10 stale failures count | `health_faults`: `fault_10_stale_failures_do_not_count` |
//! | 11 an empty budget deadlocks | `flow`: `an_empty_budget_lets_first_attempts_go_and_retries_trickle` |
//! | 12 a wake-up forgets | `outbox_determinism`: `sleeping_until_told_loses_nothing` |
//! | 13 inputs without a drain | `outbox_faults`: `answers_may_come_before_the_host_polls_again` |

use std::collections::BTreeMap;
use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use labhook::delivery::Resolution;
use labhook::flow::{BudgetPolicy, PacePolicy, RatePolicy, WindowPolicy};
use labhook::outbox::Selection;
use labhook::{Endpoint, FlowPolicy, HealthPolicy, Ticket, Timestamp, Verdict};
use proptest::prelude::*;

use crate::support::{
    Host, answer, answer_with, at, config, eid, endpoint, message, policy, secs, show,
};

#[test]
fn fault_1_retry_after_is_never_cut_short_nor_passed_by_another_message() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    // The first delay is 5 s.
    let outcome = answer_with(503, "retry-after", "120");
    assert_eq!(host.resolve(&ticket, &outcome), Resolution::Retry { at: at(120) });
    host.publish("n");
    assert!(host.sends().is_empty(), "it was the endpoint that asked");
    assert_eq!(host.wait, Some(at(120)));
    host.now = at(119);
    assert!(host.sends().is_empty());
    host.now = at(120);
    assert_eq!(host.sends().len(), 2);
}

#[test]
fn fault_2_a_429_that_asks_for_nothing_waits_for_the_schedule_and_slows_the_endpoint() {
    let adaptive = FlowPolicy::adaptive();
    let mut host = Host::with([endpoint("a").flow(adaptive)]);
    host.publish("m");
    let ticket = host.send();
    host.now = at(1);
    assert_eq!(host.resolve(&ticket, &answer(429)), Resolution::Retry { at: at(6) });
    assert!(host.sends().is_empty());
    // The pace has fallen: of what comes now not all goes at once.
    for number in 0..8 {
        host.publish(&format!("n{number}"));
    }
    assert!(host.sends().len() < 8);
    let wait = host.wait.unwrap();
    assert!(wait > host.now && wait <= at(12), "{wait}");
}

/// One failure degrades, one failed probe suspends, and five seconds of that disable.
fn touchy(id: &str) -> Endpoint {
    let health = HealthPolicy::new()
        .with_failures(NonZeroU8::MIN)
        .with_probes(secs(5), [])
        .with_suspend_after(NonZeroU32::MIN)
        .with_disable_after(secs(5));
    endpoint(id).health(health).policy(policy(&[1; 20]))
}

#[test]
fn fault_3_disabling_strands_nothing_whoever_disables() {
    for by in ["receiver", "operator", "escalation"] {
        let mut host = Host::with([touchy("a"), endpoint("b")]);
        for id in ["m", "n", "o"] {
            host.publish(id);
        }
        for ticket in host.sends() {
            let status = match (ticket.endpoint().as_str(), by) {
                ("b", _) => 200,
                (_, "receiver") if ticket.message().as_str() == "m" => 410,
                _ => 500,
            };
            host.resolve(&ticket, &answer(status));
        }
        if by == "operator" {
            assert!(host.outbox.disable_endpoint(&eid("a"), None, host.now));
        }
        for _ in 0..20 {
            for ticket in host.sends() {
                host.resolve(&ticket, &answer(500));
            }
            if host.disabled("a").is_some() && host.outbox.pending() == 0 {
                break;
            }
            host.now = host.wait.unwrap();
        }
        assert!(host.disabled("a").is_some(), "{by}");
        assert!(host.sends().is_empty());
        assert_eq!(host.outbox.pending(), 0, "{by}");
        for id in ["m", "n", "o"] {
            let verdict = host.verdict(id, "a");
            assert!(
                matches!(verdict, Some(Verdict::Cancelled | Verdict::Gone)),
                "{by} {verdict:?}"
            );
            assert_eq!(host.verdict(id, "b"), Some(Verdict::Delivered));
        }
    }
}

#[test]
fn fault_4_a_replay_selects_exactly_what_failed_and_once() {
    let mut host = Host::with([endpoint("a").policy(policy(&[])), endpoint("b")]);
    // All accepted at one instant, so that no cursor over time could tell them apart.
    let ids: Vec<_> = (0..40).map(|number| format!("m{number:02}")).collect();
    for id in &ids {
        host.publish(id);
    }
    let fails = |ticket: &Ticket| {
        ticket.endpoint().as_str() == "a" && ticket.message().as_str().ends_with(['3', '7'])
    };
    while host.outbox.pending() > 0 {
        for ticket in host.sends() {
            host.resolve(&ticket, &answer(if fails(&ticket) { 500 } else { 200 }));
        }
        assert!(host.now == at(0));
    }
    let expected: Vec<_> = ids.iter().filter(|id| id.ends_with(['3', '7'])).collect();
    let plan = host.outbox.plan_replay(&Selection::all().failed(), Duration::ZERO, host.now);
    let planned: Vec<_> = plan.iter().map(|(id, to, _)| (id.as_str(), to.as_str())).collect();
    let exactly: Vec<_> = expected.iter().map(|id| (id.as_str(), "a")).collect();
    assert_eq!(planned, exactly);
    assert_eq!(host.outbox.replay(&plan, host.now), 8);
    assert_eq!(host.outbox.replay(&plan, host.now), 0, "carried out again, it does nothing");
    let sends = host.shown();
    let again: Vec<_> = expected.iter().map(|id| format!("{id}>a#2")).collect();
    assert_eq!(sends, again);
}

#[test]
fn fault_9_a_redirect_never_counts_as_delivered() {
    for preset in ["standard_webhooks", "svix", "strike", "hook0", "outpost", "shopware", "none"] {
        for status in [300, 301, 302, 303, 304, 307, 308] {
            let of = labhook::Policy::named(preset).unwrap();
            let mut host = Host::with([endpoint("a").policy(of)]);
            host.publish("m");
            while host.outbox.pending() > 0 {
                for ticket in host.sends() {
                    let moved = answer_with(status, "location", "https://elsewhere.example/");
                    assert!(!matches!(
                        host.resolve(&ticket, &moved),
                        Resolution::Ended(Verdict::Delivered) | Resolution::Ignored(_)
                    ));
                }
                if host.outbox.pending() > 0 {
                    host.now = host.wait.unwrap();
                }
            }
            assert_eq!(host.verdict("m", "a"), Some(Verdict::Exhausted), "{preset} {status}");
        }
    }
}

/// What a receiver answers to an attempt, and after how many half seconds; some never do.
fn fate(salt: u64, shown: &str) -> Option<(u16, u32)> {
    let hash = shown.bytes().fold(salt ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let status = [200, 200, 200, 429, 503, 500, 400][usize::try_from((hash >> 20) % 7).unwrap()];
    let halves = u32::try_from((hash >> 40) % 25).unwrap();
    (halves < 21).then_some((status, halves))
}

const HALF: Duration = Duration::from_millis(500);

/// What is sent when, and how all of it ends, for a host that also polls at every half second.
fn course(endpoints: &[Endpoint], times: &[u32], salt: u64, ticks: bool) -> Vec<String> {
    let mut host = Host::with(endpoints.iter().cloned());
    let mut inputs: Vec<(Timestamp, usize)> =
        times.iter().enumerate().map(|(id, halves)| (at(0) + HALF * *halves, id)).collect();
    inputs.sort();
    let mut inputs = inputs.into_iter().peekable();
    let mut answers: BTreeMap<(Timestamp, Ticket), u16> = BTreeMap::new();
    let mut lines = Vec::new();
    while host.now < at(2_000) {
        while let Some((_, id)) = inputs.next_if(|(when, _)| *when <= host.now) {
            host.publish(&format!("m{id}"));
        }
        while let Some(entry) = answers.first_entry().filter(|it| it.key().0 <= host.now) {
            let ((_, ticket), status) = entry.remove_entry();
            host.resolve(&ticket, &answer(status));
        }
        for ticket in host.sends() {
            let shown = show(&ticket);
            lines.push(format!("{} {shown}", host.now));
            if let Some((status, halves)) = fate(salt, &shown) {
                answers.insert((host.now + HALF * halves, ticket), status);
            }
        }
        let tick = ticks.then(|| host.now + HALF);
        let input = inputs.peek().map(|it| it.0);
        let answer = answers.first_key_value().map(|it| it.0.0);
        let next = [tick, host.wait, input, answer].into_iter().flatten().min();
        host.now = next.unwrap_or(Timestamp::MAX).max(host.now);
    }
    let ended = host.outbox.deliveries().map(|(message, endpoint, delivery)| {
        format!("{} {endpoint} {:?}", message.id(), delivery.verdict())
    });
    lines.extend(ended);
    lines
}

proptest! {
    #![proptest_config(config())]

    /// Health that trips and probes, windows, rates, paces and budgets wake up when they say.
    #[test]
    fn fault_12_the_wake_up_forgets_nothing_that_health_and_flow_hold_back(
        times in proptest::collection::vec(0..120_u32, 1..25),
        salt in any::<u64>(),
    ) {
        let [one, two] = [1, 2].map(|count| NonZeroU32::new(count).unwrap());
        let narrow = FlowPolicy::unlimited().with_window(WindowPolicy::adaptive(one, two));
        let endpoints = [
            touchy("a"),
            touchy("b").flow(narrow.with_rate(RatePolicy::new(one, secs(2)))),
            // On half seconds too.
            endpoint("c").flow(
                narrow
                    .with_pace(PacePolicy::new(secs(4)))
                    .with_retry_budget(BudgetPolicy::new(20, secs(3))),
            ),
        ];
        prop_assert_eq!(
            course(&endpoints, &times, salt, true),
            course(&endpoints, &times, salt, false)
        );
    }
}

#[test]
fn fault_13_inputs_come_back_to_back() {
    let run = |drained: bool| {
        let mut host = Host::with([endpoint("a"), endpoint("b")]);
        let mut sent = Vec::new();
        let pause = |host: &mut Host, sent: &mut Vec<String>| {
            if drained {
                sent.extend(host.shown());
            }
        };
        host.publish("m");
        let first = host.sends();
        host.publish("n");
        pause(&mut host, &mut sent);
        for ticket in &first {
            host.resolve(ticket, &answer(500));
            pause(&mut host, &mut sent);
            host.resolve(ticket, &answer(200));
            pause(&mut host, &mut sent);
        }
        host.outbox.replace_endpoint(endpoint("a"), host.now).unwrap();
        pause(&mut host, &mut sent);
        assert!(host.outbox.remove_endpoint(&eid("b"), host.now));
        host.outbox.insert_endpoint(endpoint("b"), host.now).unwrap();
        pause(&mut host, &mut sent);
        host.outbox.publish(message("o"), host.now).unwrap();
        sent.extend(host.shown());
        host.now = at(5);
        sent.extend(host.shown());
        sent.retain(|it| !it.starts_with("n>b"));
        sent.sort();
        sent
    };
    let expected = ["m>a#2", "n>a#1", "o>a#1", "o>b#1"];
    assert_eq!(run(true), expected);
    assert_eq!(run(false), expected);
}
