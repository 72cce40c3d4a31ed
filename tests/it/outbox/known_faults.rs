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
//! | 10 stale failures count | `health`: `enabled_endpoint_starts_without_failures` |
//! | 12 a wake-up misses something | `driving_at_wake_ups_equals_polling_every_tick` |
//! | 13 inputs between two steps | `deliveries_survive_crashes_without_loss_or_overlap` |

use std::num::NonZeroU32;
use std::time::Duration;

use labhook::delivery::Resolution;
use labhook::flow::AdaptiveRatePolicy;
use labhook::health::State;
use labhook::outbox::ReplayFilter;
use labhook::{Endpoint, FlowPolicy, HealthPolicy, Ticket, Verdict};

use crate::support::{
    Host, answer, answer_with, at, eid, endpoint, policy, replay_all, secs, show,
};

// Fault 1.
#[test]
fn retry_after_holds_for_the_whole_endpoint() {
    let mut host = Host::with([endpoint("a")]);
    host.publish("m");
    host.publish("n");
    // The first delay is 5 s. The second request shows that the first was not about its message.
    for ticket in host.sends() {
        let outcome = answer_with(503, "retry-after", "120");
        assert_eq!(host.resolve(&ticket, &outcome), Resolution::Retry { at: at(120) });
    }
    host.publish("o");
    assert!(host.sends().is_empty(), "the endpoint asked for the pause");
    assert_eq!(host.wait, Some(at(120)));
    host.now = at(119);
    assert!(host.sends().is_empty());
    host.now = at(120);
    assert_eq!(host.sends().len(), 3);
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
    // Ten messages a second, which are all refused: the adaptive rate falls.
    let spacing = |host: &Host| host.outbox.status(&eid("a")).unwrap().flow.spacing(&adaptive);
    let (mut sent, mut number) = (0, 0);
    while spacing(&host).is_none() {
        host.publish(&format!("n{number}"));
        number += 1;
        for ticket in host.sends() {
            sent += 1;
            host.resolve(&ticket, &answer(429));
        }
        host.now += Duration::from_millis(100);
        assert!(host.now < at(4), "{sent} were sent");
    }
    host.sends();
    let wait = host.wait.unwrap();
    assert!(wait > host.now && wait <= host.now + secs(10), "{wait}");
}

/// One failure opens the circuit, and five seconds later the endpoint is disabled.
pub(crate) fn touchy(id: &str) -> Endpoint {
    let health = HealthPolicy::new()
        .with_failures(NonZeroU32::MIN)
        .with_refused_for(Duration::ZERO)
        .with_probes(secs(5), secs(5))
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
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 8);
    assert_eq!(replay_all(&mut host.outbox, &plan, host.now), 0, "executing it again does nothing");
    let sends = host.send_texts();
    let again: Vec<_> = expected.iter().map(|id| format!("{id}>a#2")).collect();
    assert_eq!(sends, again);
}

// Fault 5.
#[test]
fn success_of_the_last_attempt_is_no_failure() {
    // The third attempt is the last, and a second failure would open the circuit.
    let two = NonZeroU32::new(2);
    let mut host = Host::with([endpoint("a").with_health(HealthPolicy::new().with_failures(two))]);
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
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    assert_eq!((host.health("a").state(), host.health("a").failures()), (State::Healthy, 1));
}

/// Three messages failed and wait; the endpoint is down, and its probe is due at about 5.
fn down_host() -> Host {
    let health = touchy("a").policy.health.with_disable_after(None);
    let mut host = Host::with([touchy("a").with_health(health)]);
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
fn down_endpoint_uses_up_no_attempt() {
    let mut host = down_host();
    let (mut waits, mut probed) = (Vec::new(), Vec::new());
    for probes in 0..4 {
        let probe = loop {
            if let [probe] = &host.sends()[..] {
                break probe.clone();
            }
            let attempts = host.outbox.deliveries().map(|(.., delivery)| delivery.attempts());
            assert_eq!(attempts.sum::<u32>(), 3 + probes);
            host.now = host.wait.unwrap();
        };
        probed.push(host.now);
        waits.push(show(&probe));
        host.resolve(&probe, &answer(500));
    }
    // In turns, about every five seconds.
    assert_eq!(waits, ["m>a#2", "n>a#2", "o>a#2", "m>a#3"]);
    let mut before = at(0);
    for probed in probed {
        let wait = probed.saturating_since(before);
        assert!(wait >= secs(5) * 9 / 10 && wait <= secs(5) * 11 / 10, "{wait:?}");
        before = probed;
    }
}

// Fault 7.
#[test]
fn half_open_endpoint_gets_one_probe() {
    let mut host = down_host();
    host.now = at(6);
    let probe = host.send();
    host.publish("p");
    for seconds in 6..16 {
        host.now = at(seconds);
        assert!(host.sends().is_empty(), "the probe is in flight");
        host.outbox.replace_endpoint(touchy("a"), host.now).unwrap();
    }
    host.now = at(15);
    host.resolve(&probe, &answer(200));
    assert_eq!(host.sends().len(), 3, "the endpoint has recovered");
}

// Fault 9.
#[test]
fn redirect_never_counts_as_delivered() {
    for preset in ["standard_webhooks", "svix", "strike", "hook0", "outpost", "shopware", "none"] {
        for status in [300, 301, 302, 303, 304, 307, 308] {
            let of = labhook::RetryPolicy::named(preset).unwrap();
            let strict =
                HealthPolicy::new().with_failures(NonZeroU32::MIN).with_disable_after(None);
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
    let two = NonZeroU32::new(2);
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
fn slowest_rate_blocks_nothing() {
    // A receiver that refuses everything for ten minutes, and half a minute between attempts then.
    let slow = FlowPolicy::fixed().with_adaptive_rate(AdaptiveRatePolicy::new(secs(30)));
    let mut host = Host::with([endpoint("a").with_flow(slow).with_retry(policy(&[1; 1_000]))]);
    let (mut last, mut longest, mut firsts) = (at(0), Duration::ZERO, 0);
    let mut publish = (0..600).map(at).peekable();
    while host.outbox.pending() > 0 || publish.peek().is_some() {
        while let Some(when) = publish.next_if(|it| *it <= host.now) {
            host.publish(&format!("m{}", when.unix_seconds()));
        }
        for ticket in host.sends() {
            longest = longest.max(host.now.saturating_since(last));
            last = host.now;
            firsts += u32::from(ticket.attempt() == 1 && host.now < at(600));
            let status = if host.now < at(600) { 429 } else { 200 };
            host.resolve(&ticket, &answer(status));
        }
        host.sends();
        let next = host.wait.into_iter().chain(publish.peek().copied()).min().unwrap();
        assert!(next < at(86_000) || host.outbox.pending() == 0, "stuck");
        host.now = next;
    }
    assert!(longest <= secs(30) + Duration::from_millis(1), "{longest:?}");
    assert!(firsts > 10, "{firsts}");
    assert!(host.outbox.deliveries().all(|(.., it)| it.verdict() == Some(Verdict::Delivered)));
}
