//! Faults that were found in mature delivery engines, each as a regression test of the outbox.
//!
//! Faults that depend on how a host drives the outbox are in `driving`. Each machine has tests of
//! its own as well:
//!
//! | fault | elsewhere |
//! |---|---|
//! | 1 `Retry-After` clamped | `delivery`: `retry_after_is_not_clamped_to_the_schedule` |
//! | 2 the wait of a 429 is dead code | `delivery`: `retry_after_of_a_429_takes_effect` |
//! | 3 disabling strands deliveries | `small_scope`, from every state |
//! | 5 a success counts as a failure | `health`: `success_is_never_counted_as_a_failure` |
//! | 6 a wait is zero | `health`: `zero_wait_is_raised_to_a_millisecond` |
//! | 7 half-open permits all | `health`: `half_open_lets_exactly_one_probe_through` |
//! | 8 the window is only logged | `delivery`: `window_is_enforced` |
//! | 8 the same, through the outbox | `no_retry_is_handed_out_at_or_past_the_window` |
//! | 10 stale failures count | `health`: `stale_failures_do_not_count` |
//! | 11 an empty budget deadlocks | `flow`: `empty_budget_delays_only_retries` |
//! | 12 a wake-up misses something | `driving_at_wake_ups_equals_polling_every_tick` |
//! | 13 inputs between two steps | `deliveries_survive_crashes_without_loss_or_overlap` |

use std::num::{NonZeroU8, NonZeroU32};
use std::time::Duration;

use labhook::delivery::Resolution;
use labhook::flow::RetryBudgetPolicy;
use labhook::health::State;
use labhook::outbox::ReplayFilter;
use labhook::{Endpoint, FlowPolicy, HealthPolicy, Ticket, Verdict};

use crate::support::{Host, answer, answer_with, at, eid, endpoint, policy, secs};

// Fault 1.
#[test]
fn retry_after_holds_for_the_whole_endpoint() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    let ticket = host.send();
    // The first delay is 5 s.
    let outcome = answer_with(503, "retry-after", "120");
    assert_eq!(host.resolve(&ticket, &outcome), Resolution::Retry { at: at(120) });
    host.publish("n");
    assert!(host.sends().is_empty(), "the endpoint asked for the pause");
    assert_eq!(host.wait, Some(at(120)));
    host.now = at(119);
    assert!(host.sends().is_empty());
    host.now = at(120);
    assert_eq!(host.sends().len(), 2);
}

// Fault 2.
#[test]
fn bare_429_follows_the_schedule_and_slows_endpoint() {
    let adaptive = FlowPolicy::adaptive();
    let mut host = Host::with([endpoint("a").with_flow(adaptive)]);
    host.publish("m");
    let ticket = host.send();
    host.now = at(1);
    assert_eq!(host.resolve(&ticket, &answer(429)), Resolution::Retry { at: at(6) });
    assert!(host.sends().is_empty());
    // The adaptive rate has fallen: not all new messages are sent at once.
    for number in 0..8 {
        host.publish(&format!("n{number}"));
    }
    assert!(host.sends().len() < 8);
    let wait = host.wait.unwrap();
    assert!(wait > host.now && wait <= at(12), "{wait}");
}

/// One failure degrades, one failed probe suspends, and five seconds later it is disabled.
pub(crate) fn touchy(id: &str) -> Endpoint {
    let health = HealthPolicy::new()
        .with_failures(NonZeroU8::MIN)
        .with_probes(secs(5), [])
        .with_suspend_after(NonZeroU32::MIN)
        .with_disable_after(secs(5));
    endpoint(id).with_health(health).with_retry(policy(&[1; 20]))
}

// Fault 3.
#[test]
fn disabling_by_anyone_strands_nothing() {
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
            assert!(host.outbox.disable_endpoint(&eid("a"), None, host.now).unwrap());
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

// Fault 4.
#[test]
fn replay_selects_exactly_the_failures_once() {
    let mut host = Host::with([endpoint("a").with_retry(policy(&[])), endpoint("b")]);
    // All accepted at one instant, so that no cursor over time could separate them.
    let ids: Vec<_> = (0..40).map(|number| format!("m{number:02}")).collect();
    for id in &ids {
        host.publish(id);
    }
    let fails = |ticket: &Ticket| {
        ticket.endpoint().as_str() == "a" && ticket.message().as_str().ends_with(['3', '7'])
    };
    while host.outbox.pending() > 0 {
        let sends = host.sends();
        assert!(!sends.is_empty());
        for ticket in sends {
            host.resolve(&ticket, &answer(if fails(&ticket) { 500 } else { 200 }));
        }
    }
    let expected: Vec<_> = ids.iter().filter(|id| id.ends_with(['3', '7'])).collect();
    let plan =
        host.outbox.plan_replay(&ReplayFilter::all().only_failed(), Duration::ZERO, host.now);
    let planned: Vec<_> = plan.iter().map(|(id, to, _)| (id.as_str(), to.as_str())).collect();
    let exactly: Vec<_> = expected.iter().map(|id| (id.as_str(), "a")).collect();
    assert_eq!(planned, exactly);
    assert_eq!(host.outbox.replay(&plan, host.now), 8);
    assert_eq!(host.outbox.replay(&plan, host.now), 0, "executing it again does nothing");
    let sends = host.send_texts();
    let again: Vec<_> = expected.iter().map(|id| format!("{id}>a#2")).collect();
    assert_eq!(sends, again);
}

// Fault 5.
#[test]
fn success_of_the_last_attempt_is_no_failure() {
    // The third attempt is the last, and a third failure would degrade the endpoint.
    let three = NonZeroU8::new(3).unwrap();
    let mut host =
        Host::with([endpoint("a").with_health(HealthPolicy::new().with_failures(three))]);
    host.publish("m");
    for (seconds, status) in [(0, 500), (5, 500), (25, 200)] {
        host.now = at(seconds);
        let ticket = host.send();
        host.resolve(&ticket, &answer(status));
    }
    assert!(host.sends().is_empty());
    assert_eq!(host.notice_texts(), ["m>a delivered after 3"]);
    assert_eq!((host.health("a").state(), host.health("a").failures()), (State::Healthy, 0));
    host.publish("n");
    assert_eq!(host.send_texts(), ["n>a#1"]);
}

/// Three messages failed and wait; the endpoint is degraded, and its probe is due at 5.
fn degraded_host() -> Host {
    let mut host = Host::with([touchy("a")]);
    for id in ["m", "n", "o"] {
        host.publish(id);
    }
    for ticket in host.sends() {
        host.resolve(&ticket, &answer(500));
    }
    host
}

// Fault 6.
#[test]
fn degraded_endpoint_uses_up_no_attempt() {
    let mut host = degraded_host();
    let mut waits = Vec::new();
    for probes in 0..2 {
        let probe = loop {
            if let [probe] = &host.sends()[..] {
                break probe.clone();
            }
            let attempts = host.outbox.deliveries().map(|(.., delivery)| delivery.attempts());
            assert_eq!(attempts.sum::<u32>(), 3 + probes);
            host.now = host.wait.unwrap();
            waits.push(host.now);
        };
        host.resolve(&probe, &answer(500));
    }
    // The retries are due, then the probe, and so on.
    assert_eq!(waits, [1, 5, 6, 10].map(at));
}

// Fault 7.
#[test]
fn half_open_endpoint_gets_one_probe() {
    let mut host = degraded_host();
    host.now = at(5);
    let probe = host.send();
    host.publish("p");
    for seconds in 5..15 {
        host.now = at(seconds);
        assert!(host.sends().is_empty(), "the probe is in flight");
        host.outbox.replace_endpoint(touchy("a"), host.now).unwrap();
    }
    host.now = at(14);
    host.resolve(&probe, &answer(200));
    assert_eq!(host.sends().len(), 3, "the endpoint has recovered");
}

// Fault 9.
#[test]
fn redirect_never_counts_as_delivered() {
    for preset in ["standard_webhooks", "svix", "strike", "hook0", "outpost", "shopware", "none"] {
        for status in [300, 301, 302, 303, 304, 307, 308] {
            let of = labhook::RetryPolicy::named(preset).unwrap();
            let strict = HealthPolicy::new().with_failures(NonZeroU8::MIN);
            let mut host = Host::with([endpoint("a").with_retry(of).with_health(strict)]);
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
            assert!(!host.health("a").state().is_healthy(), "nor as a success for health");
        }
    }
}

// Fault 10.
#[test]
fn enabled_endpoint_has_a_clean_record() {
    let two = NonZeroU8::new(2).unwrap();
    let slow = policy(&[1; 20]).with_attempt_timeout(secs(60));
    let health = touchy("a").policy.health.with_failures(two);
    let mut host = Host::with([touchy("a").with_health(health).with_retry(slow)]);
    for id in ["l", "m", "n"] {
        host.publish(id);
    }
    let [late, sent @ ..] = &host.sends()[..] else { panic!() };
    for ticket in sent {
        host.resolve(ticket, &answer(500));
    }
    while host.disabled("a").is_none() {
        for ticket in host.sends() {
            host.resolve(&ticket, &answer(500));
        }
        host.now = host.wait.unwrap();
    }
    host.enable("a").unwrap();
    // Attempts sent before count for nothing, and then two failures in a row are needed again.
    host.resolve(late, &answer(500));
    for (id, status) in [("o", 500), ("p", 200), ("q", 500)] {
        host.publish(id);
        let sends = host.sends();
        let ticket = sends.iter().find(|ticket| ticket.message().as_str() == id).unwrap();
        host.resolve(ticket, &answer(status));
        assert_eq!(host.health("a").state(), State::Healthy, "{id}");
    }
    assert_eq!(host.health("a").failures(), 1);
}

// Fault 11.
#[test]
fn empty_retry_budget_refills_and_blocks_no_first() {
    // No share of the first attempts, and one retry a minute: nothing ever succeeds.
    let flow = FlowPolicy::fixed().with_retry_budget(RetryBudgetPolicy::new(0, secs(60)));
    let mut host = Host::with([endpoint("a").with_flow(flow).with_retry(policy(&[1; 2]))]);
    let mut publish = [0, 1, 30, 90].map(at).into_iter().peekable();
    let (mut firsts, mut retries) = (Vec::new(), Vec::new());
    while host.outbox.pending() > 0 || publish.peek().is_some() {
        if publish.next_if_eq(&host.now).is_some() {
            host.publish(&format!("m{}", firsts.len()));
        }
        for ticket in host.sends() {
            host.resolve(&ticket, &answer(500));
            if ticket.attempt() == 1 { &mut firsts } else { &mut retries }.push(host.now);
        }
        host.sends();
        host.now = host.wait.into_iter().chain(publish.peek().copied()).min().unwrap();
    }
    assert_eq!(firsts, [0, 1, 30, 90].map(at));
    assert_eq!(retries, [1, 61, 121, 181, 241, 301, 361, 421].map(at));
}
