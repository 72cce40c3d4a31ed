//! Flow control through the outbox: rates, concurrency, pauses and fairness.

use std::collections::{BTreeMap, VecDeque};
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use labhook::flow::{ConcurrencyLimitPolicy, FlowPolicy, RateLimitPolicy};
use labhook::lab::{RunState, RunStateChanged};
use labhook::{
    Endpoint, Event, Failure, HealthPolicy, Outbox, Outcome, Signer, Step, Ticket, Timestamp,
};
use proptest::prelude::*;

use crate::support::{
    Host, answer, answer_with, at, config, eid, endpoint, message, mid, policy, registry, secs,
    show,
};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn nonzero(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn unlimited() -> FlowPolicy {
    FlowPolicy::fixed().with_concurrency(ConcurrencyLimitPolicy::fixed(nonzero(1_000)))
}

fn publish_all(host: &mut Host, ids: impl IntoIterator<Item = usize>) {
    for number in ids {
        host.publish(&format!("m{number:03}"));
    }
}

/// Result of a golden run.
#[derive(Debug)]
struct Summary {
    per_minute: u64,
    refused_permille: u64,
    backlog: usize,
}

/// A receiver 20 ms away that rejects more than 50 requests in any second is offered 200 events a
/// second; measured over the second half.
fn golden_run(minutes: u64) -> Summary {
    let signer = Signer::unsigned();
    let plain = Endpoint::new(eid("a"), "https://a.example/hooks", signer).unwrap();
    let mut outbox = Outbox::new(registry([plain]), 7).without_storage().with_retention(secs(1));
    let end = at(0) + secs(minutes * 60);
    let half = at(0) + secs(minutes * 30);
    let (mut now, mut published) = (at(0), 0_u64);
    let mut answers: BTreeMap<(Timestamp, u64), (Ticket, bool)> = BTreeMap::new();
    let (mut seen, mut sent) = (VecDeque::new(), 0);
    let mut counts = [0_u64; 2];
    while now < end {
        while let Some(entry) = answers.first_entry().filter(|entry| entry.key().0 <= now) {
            let (ticket, takes) = entry.remove();
            let outcome = if takes { answer(200) } else { answer(429) };
            outbox.resolve(&ticket, &outcome, now);
            if now >= half {
                counts[usize::from(!takes)] += 1;
            }
        }
        while at(0) + ms(published * 5) <= now {
            outbox.publish(message(&format!("m{published}")), now).unwrap();
            published += 1;
        }
        let wait = loop {
            match outbox.poll(now) {
                Step::Send(attempt) => {
                    let there = now + ms(10);
                    while seen.front().is_some_and(|at| *at + ms(1_000) <= there) {
                        seen.pop_front();
                    }
                    let takes = seen.len() < 50;
                    if takes {
                        seen.push_back(there);
                    }
                    sent += 1;
                    answers.insert((now + ms(20), sent), (attempt.ticket().clone(), takes));
                }
                Step::Notify(_) => {}
                Step::Wait(until) => break until,
                step => panic!("{step:?}"),
            }
        };
        let next = at(0) + ms(published * 5);
        let answer = answers.first_key_value().map_or(wait, |((at, _), _)| *at);
        now = wait.min(next).min(answer);
    }
    let [delivered, refused] = counts;
    Summary {
        per_minute: delivered / (minutes / 2),
        refused_permille: refused * 1_000 / (delivered + refused),
        backlog: outbox.pending(),
    }
}

fn assert_converges(minutes: u64) {
    let summary = golden_run(minutes);
    println!("{minutes} minutes: {summary:?}");
    assert!(summary.per_minute >= 54 * 50, "{summary:?}");
    assert!(summary.refused_permille < 100, "{summary:?}");
    let waiting = usize::try_from(minutes * 60 * 150).unwrap();
    assert!(summary.backlog >= waiting, "{summary:?}");
}

#[test]
fn adaptive_rate_converges_on_the_receivers_limit() {
    assert_converges(10);
}

/// After the hour, 548 849 deliveries are pending: 2 853 a minute were delivered, and 2 of 1 000
/// requests were rejected.
#[test]
#[ignore = "needs a minute, and almost a gigabyte"]
fn adaptive_rate_stays_converged_for_an_hour() {
    assert_converges(60);
}

#[test]
fn concurrency_limit_is_filled_and_not_exceeded() {
    let mut host = Host::with([endpoint("a").with_max_in_flight(nonzero(3))]);
    publish_all(&mut host, 0..6);
    let sends = host.sends();
    assert_eq!(sends.len(), 3);
    assert_eq!(host.wait, Some(at(10)), "full until one ends");
    host.resolve(&sends[1], &answer(503));
    assert_eq!(host.send_texts(), ["m003>a#1"]);
}

#[test]
fn rate_limit_is_exact() {
    // 7 in 10 s with a burst of 3: three at 0, then one every 10/7 s, rounded up.
    let rate = RateLimitPolicy::new(nonzero(7), secs(10)).with_burst(nonzero(3));
    let mut host = Host::with([endpoint("a").with_flow(unlimited().with_rate_limit(rate))]);
    publish_all(&mut host, 0..50);
    let mut sent = Vec::new();
    while sent.len() < 50 {
        for ticket in host.sends() {
            sent.push(host.now);
            host.resolve(&ticket, &answer(200));
        }
        host.sends();
        host.now = host.wait.unwrap();
    }
    let expected = (0..50_u64)
        .map(|n| at(0) + Duration::from_micros((n.saturating_sub(2) * 10_000_000).div_ceil(7)));
    assert_eq!(sent, expected.collect::<Vec<_>>());
}

#[test]
fn retry_after_pauses_the_whole_endpoint() {
    let capped = |delays: &[u64]| {
        let retry = policy(delays).with_retry_after_cap(secs(300));
        endpoint("a").with_flow(unlimited()).with_retry(retry)
    };
    let mut host = Host::with([capped(&[5, 20]), endpoint("b")]);
    host.publish("m1");
    host.publish("m2");
    let of_a = |host: &mut Host| {
        let mut sends = host.sends();
        sends.retain(|it| it.endpoint() == &eid("a"));
        sends
    };
    for ticket in of_a(&mut host) {
        host.resolve(&ticket, &answer_with(429, "retry-after", "60"));
    }
    host.publish("m3");
    assert_eq!(host.send_texts(), ["m3>b#1"], "the pause is not for m1 and m2 alone, nor for b");
    host.now = at(59);
    assert!(of_a(&mut host).is_empty());
    // It holds over a restart.
    host.restart(Outbox::new(registry([capped(&[5, 20]), endpoint("b")]), 7));
    assert!(of_a(&mut host).is_empty());
    host.now = at(60);
    let mut shown: Vec<_> = of_a(&mut host).iter().map(show).collect();
    shown.sort();
    assert_eq!(shown, ["m1>a#2", "m2>a#2", "m3>a#1"]);

    // A week is capped, and `Retry-After` on a success is ignored.
    let mut host = Host::with([capped(&[])]);
    host.publish("m1");
    host.publish("m2");
    for ticket in host.sends() {
        host.resolve(&ticket, &answer_with(503, "retry-after", "604800"));
    }
    host.publish("m3");
    assert!(host.sends().is_empty());
    assert_eq!(host.wait, Some(at(300)));
    host.now = at(300);
    let m3 = host.send();
    host.resolve(&m3, &answer_with(200, "retry-after", "60"));
    host.publish("m4");
    assert_eq!(host.send().message(), &mid("m4"));
}

#[test]
fn retry_after_of_one_message_holds_no_other() {
    for status in [409, 425, 429, 503] {
        let mut host = Host::with([endpoint("a").with_flow(FlowPolicy::adaptive())]);
        let outcome = answer_with(status, "retry-after", "276");
        let mut number = 0;
        let mut deliver = |host: &mut Host, seconds: i64| {
            host.now = at(seconds);
            number += 1;
            host.publish(&format!("n{number}"));
            let ticket = host.send();
            assert_eq!(host.now, at(seconds), "{status}");
            host.resolve(&ticket, &answer(200));
        };
        deliver(&mut host, 0);
        host.publish("held");
        let held = host.send();
        host.resolve(&held, &outcome);
        for seconds in 1..276 {
            deliver(&mut host, seconds);
        }
        // Its own retry comes when it was asked for, and a request between successes is alone.
        host.now = at(276);
        let held = host.send();
        assert_eq!(show(&held), "held>a#2");
        host.resolve(&held, &outcome);
        for seconds in 277..300 {
            deliver(&mut host, seconds);
        }
        assert_eq!(host.outbox.pending(), 1);
    }
}

#[test]
fn retries_start_in_the_order_of_their_due_times() {
    let one = endpoint("a").with_max_in_flight(nonzero(1)).with_retry(policy(&[60, 60]));
    let mut host = Host::with([one]);
    // The first message asks for a longer wait than the others.
    for (seconds, id, asked) in [(0, "m1", "100"), (1, "m2", "0"), (2, "m3", "50"), (3, "m4", "0")]
    {
        host.now = at(seconds);
        host.publish(id);
        let ticket = host.send();
        host.resolve(&ticket, &answer_with(500, "retry-after", asked));
        host.sends();
    }
    host.outbox.pause_endpoint(&eid("a"), host.now).unwrap();
    // Found due at once, and not in this order.
    host.now = at(1_000);
    assert!(host.sends().is_empty());
    host.outbox.resume_endpoint(&eid("a"), host.now).unwrap();
    for id in ["m2", "m3", "m4", "m1"] {
        let ticket = host.send();
        assert_eq!(ticket.message(), &mid(id));
        host.resolve(&ticket, &answer(200));
    }
}

fn limit(host: &Host) -> u32 {
    let status = host.outbox.status(&eid("a")).unwrap();
    status.flow.concurrency_limit(&FlowPolicy::adaptive()).get()
}

#[test]
fn latency_moves_the_concurrency_limit() {
    let flow = FlowPolicy::adaptive().with_adaptive_rate(None);
    let mut host = Host::with([endpoint("a").with_flow(flow)]);
    publish_all(&mut host, 0..8_000);
    // The receiver takes 5 ms for each attempt in flight: 90 ms at 8, 130 ms at 16, 210 ms at 32,
    // which is more than twice 90 ms.
    let mut sends = host.sends();
    let mut limits = vec![limit(&host)];
    while host.now < at(30) {
        let in_flight = u64::try_from(sends.len()).unwrap();
        assert_eq!(in_flight, u64::from(limit(&host)));
        host.now += ms(50 + 5 * in_flight);
        for ticket in sends {
            host.resolve(&ticket, &answer(200));
        }
        sends = host.sends();
        limits.push(limit(&host));
    }
    limits.dedup();
    assert_eq!(limits[..3], [8, 16, 32]);
    assert!(limits.len() > 4, "{limits:?}");
    assert!(limits[3..].iter().all(|it| (16..=32).contains(it)), "{limits:?}");
}

#[test]
fn failures_do_not_move_the_concurrency_limit() {
    for status in [Some(429), Some(500), Some(404), Some(502), Some(503), Some(504), None] {
        let mut host = Host::with([endpoint("a").with_flow(FlowPolicy::adaptive())]);
        publish_all(&mut host, 0..8);
        let sends = host.sends();
        host.now = at(1);
        if status.is_none() {
            host.now = at(10);
            host.sends();
        }
        for ticket in sends {
            let timeout = Outcome::failed(Failure::Timeout);
            host.resolve(&ticket, &status.map_or(timeout, answer));
        }
        assert_eq!(limit(&host), 8, "{status:?}");
    }
}

#[test]
fn attempts_in_flight_count_across_a_restart() {
    let make = || Outbox::new(registry([endpoint("a").with_flow(FlowPolicy::adaptive())]), 7);
    let mut host = Host::new(make());
    publish_all(&mut host, 0..20);
    assert_eq!(host.sends().len(), 8);
    host.restart(make());
    assert_eq!(host.outbox.status(&eid("a")).unwrap().flow.in_flight(), 8);
    assert!(host.sends().is_empty());
    host.now = at(10);
    assert_eq!(host.sends().len(), 8);
    assert_eq!(limit(&host), 8, "the attempts may never have been made");
}

#[test]
fn idle_endpoint_earns_no_credit_and_no_debt() {
    let endpoints = ["a", "b"].map(|id| endpoint(id).with_flow(unlimited()));
    let mut host = Host::new(Outbox::new(registry(endpoints), 7).with_batch(NonZeroUsize::MIN));
    host.outbox.pause_endpoint(&eid("b"), at(0)).unwrap();
    publish_all(&mut host, 0..30);
    assert_eq!(host.sends().len(), 30);
    host.outbox.pause_endpoint(&eid("a"), at(0)).unwrap();
    publish_all(&mut host, 30..40);
    host.outbox.resume_endpoint(&eid("a"), at(0)).unwrap();
    host.outbox.resume_endpoint(&eid("b"), at(0)).unwrap();
    let to: Vec<_> = host.sends().iter().map(|it| it.endpoint().to_string()).collect();
    for share in 1..=10 {
        let of_a = to.iter().take(2 * share).filter(|it| *it == "a").count();
        assert!(of_a.abs_diff(share) <= 1, "{to:?}");
    }
}

#[test]
fn first_attempts_and_retries_share_three_to_one() {
    let serial = endpoint("a").with_max_in_flight(nonzero(1)).with_retry(policy(&[0; 200]));
    // Many retries, then many first attempts; and the other way round.
    let mut host = Host::with([serial]);
    publish_all(&mut host, 0..6);
    let mut sent = Vec::new();
    for number in 0..40 {
        let ticket = host.send();
        sent.push(ticket.attempt() == 1);
        host.resolve(&ticket, &answer(500));
        host.publish(&format!("n{number}"));
    }
    let expected: Vec<_> = (0..40).map(|n| n == 0 || (n - 1) % 4 != 3).collect();
    assert_eq!(sent, expected);
    // A restart in between does not restart the count.
    let count = |restarts: bool| {
        let serial = || endpoint("a").with_max_in_flight(nonzero(1)).with_retry(policy(&[0; 200]));
        let mut host = Host::with([serial()]);
        publish_all(&mut host, 0..30);
        let mut sent = Vec::new();
        for _ in 0..20 {
            let ticket = host.send();
            sent.push(show(&ticket));
            host.resolve(&ticket, &answer(500));
            if restarts {
                let changes = host.unsaved();
                host.write(changes.clone());
                assert!(host.outbox.unsaved(changes.revision()));
            }
        }
        sent
    };
    assert_eq!(count(true), count(false));
}

#[test]
fn backlogged_endpoints_get_equal_shares() {
    for k in [2, 3, 7] {
        let ids: Vec<_> = (0..k).map(|n| format!("e{n}")).collect();
        let endpoints = ids.iter().map(|id| endpoint(id).with_flow(unlimited()));
        let outbox = Outbox::new(registry(endpoints), 7).with_batch(NonZeroUsize::MIN);
        let mut host = Host::new(outbox);
        publish_all(&mut host, 0..60);
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for ticket in host.sends() {
            *counts.entry(ticket.endpoint().to_string()).or_default() += 1;
            // At each moment they are within one attempt of each other.
            let most = counts.values().max().unwrap();
            let least = if counts.len() < k { &0 } else { counts.values().min().unwrap() };
            assert!(most - least <= 1, "{counts:?}");
        }
        assert!(counts.values().all(|count| *count == 60));
    }
}

/// A message of this run with a body of about `bytes` bytes.
fn sized(id: &str, bytes: usize) -> labhook::Message {
    let run = "r".repeat(bytes);
    Event::new(RunStateChanged::new(run, RunState::Started), at(0)).into_message(mid(id)).unwrap()
}

#[test]
fn backlogged_endpoints_share_bytes_not_messages() {
    use labhook::Subscription;
    let (long, short) = ("r".repeat(9_000), "r".repeat(1_000));
    let only = |id: &str, run: &str| {
        let subscription = Subscription::all().runs([run.into()]);
        endpoint(id).with_flow(unlimited()).with_subscription(subscription)
    };
    let endpoints = registry([only("long", &long), only("short", &short)]);
    let mut host = Host::new(Outbox::new(endpoints, 7).with_batch(NonZeroUsize::MIN));
    for number in 0..200 {
        for (name, bytes) in [("l", 9_000), ("s", 1_000)] {
            host.outbox.publish(sized(&format!("{name}{number}"), bytes), at(0)).unwrap();
        }
    }
    let mut bytes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut most = 0;
    for attempt in host.attempts() {
        let body = attempt.request(at(0)).unwrap().body().len();
        let name = if attempt.ticket().endpoint() == &eid("long") { "long" } else { "short" };
        // The fixed cost of a request counts too.
        *bytes.entry(name).or_default() += body + 1_024;
        most = most.max(body + 1_024);
        if bytes.values().sum::<usize>() > 380_000 {
            break;
        }
    }
    let apart = bytes["long"].abs_diff(bytes["short"]);
    assert!(apart <= most, "{bytes:?} are more than {most} apart");
}

#[test]
fn hung_endpoint_slows_no_other() {
    let ids = ["hung", "b", "c"];
    let run = |hangs: bool| {
        let mut host = Host::with(ids.map(|id| endpoint(id).with_max_in_flight(nonzero(4))));
        let mut delays = Vec::new();
        let mut in_flight = 0;
        for number in 0..100 {
            host.now = at(number / 10);
            host.publish(&format!("m{number:03}"));
            loop {
                let sends = host.sends();
                let mut answered = false;
                for ticket in sends {
                    if ticket.endpoint() == &eid("hung") {
                        if hangs {
                            in_flight += 1;
                            continue;
                        }
                    } else {
                        delays.push((
                            ticket.message().clone(),
                            ticket.endpoint().clone(),
                            host.now,
                        ));
                    }
                    host.resolve(&ticket, &answer(200));
                    answered = true;
                }
                if !answered {
                    break;
                }
            }
        }
        assert_eq!(in_flight, if hangs { 4 } else { 0 });
        delays
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn back_pressure_uses_up_no_attempt() {
    let rate = RateLimitPolicy::new(nonzero(1), secs(3_600));
    let mut host = Host::with([endpoint("a").with_flow(unlimited().with_rate_limit(rate))]);
    publish_all(&mut host, 0..5);
    assert_eq!(host.sends().len(), 1);
    for seconds in [1, 5, 100, 3_599] {
        host.now = at(seconds);
        host.sends();
    }
    let attempts = host.outbox.deliveries().filter(|(m, ..)| m.id() != &mid("m000"));
    assert!(attempts.map(|(.., delivery)| delivery.attempts()).all(|it| it == 0));
}

/// Input of a property.
#[derive(Clone, Debug)]
struct Scenario {
    publishes: Vec<u16>,
    restarts: Vec<u16>,
    salt: u64,
}

fn scenarios() -> impl Strategy<Value = Scenario> {
    let instants = |most| proptest::collection::vec(0..3_000_u16, 0..most);
    (instants(60), instants(6), any::<u64>()).prop_map(|(mut publishes, restarts, salt)| {
        publishes.sort_unstable();
        Scenario { publishes, restarts, salt }
    })
}

const IDS: [&str; 3] = ["a", "b", "c"];

impl Scenario {
    /// Default health and flow policies, with quick retries.
    fn outbox(&self) -> Outbox {
        let slow = RateLimitPolicy::new(nonzero(3), secs(2)).with_burst(nonzero(2));
        let endpoints = IDS.map(|id| {
            let flow = FlowPolicy::default();
            let flow = if id == "c" { flow.with_rate_limit(slow) } else { flow };
            endpoint(id)
                .with_health(HealthPolicy::default())
                .with_flow(flow)
                .with_retry(policy(&[2, 9, 40, 90]))
        });
        Outbox::new(registry(endpoints), self.salt)
    }

    fn status(&self, ticket: &Ticket) -> u16 {
        let hash = show(ticket).bytes().fold(self.salt, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        [200, 200, 200, 429, 503, 500, 504, 400][usize::try_from((hash >> 33) % 8).unwrap()]
    }

    /// The attempts by time, each with a response a third of a second later. The outbox is drained
    /// several times when nothing is in flight, and with `restarts` a new process goes on.
    fn run(&self, restarts: bool) -> (Vec<(Timestamp, String)>, Vec<String>) {
        let mut host = Host::new(self.outbox());
        let mut sent = Vec::new();
        let mut answers: VecDeque<(Timestamp, Ticket)> = VecDeque::new();
        let mut publishes = self.publishes.iter().enumerate().peekable();
        let mut stops = self.restarts.clone();
        stops.sort_unstable();
        let mut stops = stops.into_iter().peekable();
        let end = at(0) + ms(600_000);
        while host.now < end {
            let tenths = |n: u16| at(0) + ms(u64::from(n) * 100);
            while let Some((index, _)) = publishes.next_if(|(_, n)| tenths(**n) <= host.now) {
                host.publish(&format!("m{index}"));
            }
            while answers.front().is_some_and(|(when, _)| *when <= host.now) {
                let (_, ticket) = answers.pop_front().unwrap();
                host.resolve(&ticket, &answer(self.status(&ticket)));
            }
            let sends = host.sends();
            for ticket in sends {
                sent.push((host.now, show(&ticket)));
                answers.push_back((host.now + ms(333), ticket));
            }
            if answers.is_empty() && stops.next_if(|n| tenths(*n) <= host.now).is_some() {
                let wait = host.wait;
                host.outbox.drain();
                assert!(host.sends().is_empty() && host.outbox.is_drained());
                if restarts {
                    host.restart(self.outbox());
                } else {
                    host.outbox.undrain();
                }
                assert!(host.sends().is_empty());
                assert_eq!(host.wait, wait);
            }
            // If anything is permitted, something is sent: a due delivery waits for an instant, a
            // response or its endpoint's health, and never without a reason.
            for id in IDS {
                let status = host.outbox.status(&eid(id)).unwrap();
                if status.due > 0 && status.flow.in_flight() == 0 {
                    let wait = host.wait.unwrap();
                    assert!(wait > host.now && wait <= host.now + secs(4 * 3_600), "{id}");
                }
            }
            let next = [
                host.wait,
                answers.front().map(|(when, _)| *when),
                publishes.peek().map(|(_, n)| tenths(**n)),
            ];
            host.now = next.into_iter().flatten().min().unwrap_or(end);
        }
        sent.sort();
        let state = |id: &str| {
            let status = host.outbox.status(&eid(id)).unwrap();
            format!("{:?} {:?}", status.health.state(), status.flow)
        };
        (sent, IDS.map(state).into())
    }
}

/// A scenario is long, so fewer cases run.
fn fewer_cases() -> ProptestConfig {
    ProptestConfig { cases: config().cases.div_ceil(8), ..config() }
}

proptest! {
    #![proptest_config(fewer_cases())]

    #[test]
    fn restart_changes_no_flow_state(scenario in scenarios()) {
        prop_assert_eq!(scenario.run(true), scenario.run(false));
    }

    /// At any instant and in any state, an endpoint with a due delivery and free capacity is sent
    /// to at once, and one without capacity has a wake-up.
    #[test]
    fn permitted_delivery_is_always_sent(
        windows in proptest::collection::vec(1..4_u32, 3),
        answers in proptest::collection::vec((0..3_usize, 0..8_usize), 1..60),
    ) {
        let endpoints = IDS.iter().zip(&windows).map(|(id, window)| {
            let rate = RateLimitPolicy::new(nonzero(5), secs(1)).with_burst(nonzero(2));
            let window = ConcurrencyLimitPolicy::fixed(nonzero(*window));
            endpoint(id).with_flow(FlowPolicy::adaptive().with_concurrency(window).with_rate_limit(rate))
        });
        let mut host = Host::new(Outbox::new(registry(endpoints), 7).with_batch(NonZeroUsize::MIN));
        let mut in_flight: Vec<Ticket> = Vec::new();
        let statuses = [200, 200, 429, 503, 500, 200, 400, 504];
        for (number, (which, status)) in answers.into_iter().enumerate() {
            host.publish(&format!("m{number}"));
            in_flight.extend(host.sends());
            for (id, window) in IDS.iter().zip(&windows) {
                let status = host.outbox.status(&eid(id)).unwrap();
                prop_assert!(status.flow.in_flight() <= *window);
                if status.due > 0 && status.flow.in_flight() < *window {
                    // For the rate limit or the adaptive rate, of which the latter is slower.
                    let wait = host.wait.unwrap();
                    prop_assert!(wait > host.now && wait <= host.now + secs(10));
                }
            }
            if let Some(index) = in_flight.iter().position(|it| it.endpoint() == &eid(IDS[which])) {
                host.resolve(&in_flight.remove(index), &answer(statuses[status]));
            } else if let Some(wait) = host.wait {
                host.now = wait.min(host.now + secs(1));
            }
        }
        // Left alone, everything ends.
        for _ in 0..20_000 {
            in_flight.extend(host.sends());
            if host.outbox.pending() == 0 {
                break;
            }
            match in_flight.pop() {
                Some(ticket) => _ = host.resolve(&ticket, &answer(200)),
                None => host.now = host.wait.unwrap(),
            }
        }
        prop_assert_eq!(host.outbox.pending(), 0);
    }
}
