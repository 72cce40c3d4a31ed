//! Why a delivery has not been sent yet.

use std::num::NonZeroU32;

use labhook::flow::{ConcurrencyLimitPolicy, FlowPolicy};
use labhook::outbox::{Explanation, ReplayFilter};
use labhook::{Endpoint, HealthPolicy, Outbox, Verdict};

use super::health::{down, host, next_probe, patient};
use crate::support::{Host, answer, at, eid, endpoint, mid, policy, registry, replay_all, secs};

fn explain(host: &Host, message: &str) -> Explanation {
    host.outbox.explain(&mid(message), &eid("a"), host.now).unwrap()
}

#[track_caller]
fn assert_explained(host: &Host, message: &str, text: &str) {
    assert_eq!(explain(host, message).to_string(), text);
}

/// One attempt at a time.
fn single(id: &str) -> Endpoint {
    let one = ConcurrencyLimitPolicy::fixed(NonZeroU32::MIN);
    let flow = FlowPolicy::fixed().with_concurrency(one);
    let health = HealthPolicy::never();
    endpoint(id).with_retry(policy(&[1; 40])).with_health(health).with_flow(flow)
}

#[test]
fn down_endpoint_is_explained_with_its_evidence() {
    let mut host = down(patient("a"));
    host.now = at(2);
    let text = explain(&host, "m1").to_string();
    assert!(
        text.starts_with("the endpoint has been down since 2025-04-17T09:30:00.000Z, next"),
        "{text}"
    );
    assert!(text.ends_with(": 2 messages in a row failed"), "{text}");
    host.outbox.pause_endpoint(&eid("a"), at(5)).unwrap();
    let text = "the endpoint has been paused by an operator since 2025-04-17T09:30:05.000Z";
    assert_explained(&host, "m1", text);
}

#[test]
fn restart_after_an_outage_is_not_blamed_on_refusals() {
    let mut host = down(patient("a").with_flow(FlowPolicy::adaptive()));
    let probe = next_probe(&mut host);
    host.resolve(&probe, &answer(200));
    for number in 0..5 {
        host.publish(&format!("n{number}"));
    }
    host.sends();
    let explanation = explain(&host, "n4");
    let Explanation::AdaptiveRate { refused_percent: 0, .. } = explanation else {
        panic!("{explanation:?}")
    };
    let text = explanation.to_string();
    assert!(text.starts_with("paced at one attempt per 100ms, the next at "), "{text}");
    assert!(text.ends_with(": the endpoint restarts slowly after an outage"), "{text}");
}

#[test]
fn cut_on_trial_is_explained_by_the_share_refused() {
    let health = HealthPolicy::never();
    let flow = FlowPolicy::adaptive();
    let endpoint = endpoint("a").with_retry(policy(&[3_600])).with_health(health).with_flow(flow);
    let mut host = host([endpoint]);
    for number in 0..100 {
        host.publish(&format!("m{number}"));
        for ticket in host.sends() {
            host.resolve(&ticket, &answer(if number % 2 == 0 { 429 } else { 200 }));
        }
        host.now += secs(1);
        let explanation = explain(&host, &format!("m{number}"));
        if let Explanation::AdaptiveRate { refused_percent, .. } = explanation {
            assert!((40..=60).contains(&refused_percent), "{refused_percent}");
            assert!(explanation.to_string().ends_with(" % were refused above that rate"));
            return;
        }
    }
    panic!("the rate is not cut");
}

#[test]
fn wait_for_a_retry_counts_the_attempts_so_far() {
    let mut host = host([single("a")]);
    host.publish("m1");
    let ticket = host.send();
    host.resolve(&ticket, &answer(500));
    let text = "the next attempt is due at 2025-04-17T09:30:01.000Z, 1 attempt so far";
    assert_explained(&host, "m1", text);
    // A replay takes up deliveries whose attempts did not fail.
    host.now = at(1);
    host.publish("m2");
    for _ in 0..2 {
        let ticket = host.send();
        host.resolve(&ticket, &answer(200));
    }
    host.sends();
    let filter = ReplayFilter::all();
    let plan = host.outbox.plan_replay(&filter, secs(9), at(1));
    assert_eq!(replay_all(&mut host.outbox, &plan, at(1)), 2);
    let text = "the next attempt is due at 2025-04-17T09:30:10.000Z, 1 attempt so far";
    assert_explained(&host, "m2", text);
}

/// Sends one after another, and checks that each was said to come after so many others.
#[test]
fn number_ahead_is_the_order_of_sending() {
    let mut host = host([single("a")]);
    // Six retries are due, and eight first attempts; the attempts in flight hold them all back.
    for number in 0..6 {
        host.publish(&format!("r{number}"));
    }
    for _ in 0..6 {
        let ticket = host.send();
        host.resolve(&ticket, &answer(500));
    }
    host.now = at(10);
    let mut all: Vec<String> = (0..6).map(|number| format!("r{number}")).collect();
    for number in 0..8 {
        host.publish(&format!("f{number}"));
        all.push(format!("f{number}"));
    }
    let mut sent = Vec::new();
    let mut ticket = host.send();
    while sent.len() < all.len() {
        let id = ticket.message().to_string();
        sent.push(id);
        host.resolve(&ticket, &answer(200));
        // Free, and nothing has started yet.
        let said: Vec<_> = all
            .iter()
            .filter(|id| !sent.contains(id))
            .map(|id| match explain(&host, id) {
                Explanation::Next { ahead } => (ahead, id.clone()),
                other => panic!("{other:?}"),
            })
            .collect();
        let mut order = said.clone();
        order.sort();
        let places: Vec<_> = order.iter().map(|(ahead, _)| *ahead).collect();
        assert_eq!(places, (0..order.len()).collect::<Vec<_>>(), "{said:?}");
        let Some((_, next)) = order.first() else { break };
        ticket = host.send();
        assert_eq!(ticket.message().as_str(), next);
    }
}

#[test]
fn delivery_is_found_by_message_and_endpoint() {
    let mut host = Host::new(Outbox::new(registry([endpoint("a"), endpoint("b")]), 7));
    host.publish("m");
    let sent = host.sends();
    for ticket in sent.iter().filter(|it| *it.endpoint() == eid("a")) {
        host.resolve(ticket, &answer(200));
    }
    let find = |message, endpoint| host.outbox.delivery(&mid(message), &eid(endpoint));
    let (message, delivery) = find("m", "a").unwrap();
    assert_eq!((message.id(), delivery.verdict()), (&mid("m"), Some(Verdict::Delivered)));
    assert!(find("m", "b").unwrap().1.in_flight().is_some());
    assert!(find("m", "c").is_none() && find("n", "a").is_none());
}
