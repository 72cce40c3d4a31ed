//! The concurrency limit: learned from latency.

use labhook::Timestamp;
use labhook::flow::{ConcurrencyLimitPolicy, Flow, FlowDecision, FlowPolicy, Signal};

use super::receiver::{Reply, Sim};
use super::{TICK, ms, nz};
use crate::support::{at, secs};

fn sim() -> Sim {
    Sim::new(FlowPolicy::adaptive())
}

fn limit(sim: &Sim) -> u32 {
    sim.flow.concurrency_limit(&sim.policy).get()
}

/// A receiver that handles `slots` requests at once, each in `work`, and queues the rest.
fn queue(slots: usize, work: u64) -> impl FnMut(Timestamp, u32) -> Reply {
    let mut free = vec![Timestamp::MIN; slots];
    move |now, _| {
        free.sort_unstable();
        free[0] = free[0].max(now) + ms(work);
        Reply { latency: free[0].saturating_since(now), ..Reply::new(false) }
    }
}

#[test]
fn limit_doubles_each_second_while_used() {
    let mut sim = sim();
    let mut limits = vec![limit(&sim)];
    for _ in 0..12 {
        sim.run(secs(1), 20_000, |_, _| Reply { latency: ms(100), ..Reply::new(false) });
        limits.push(limit(&sim));
    }
    println!("{limits:?}");
    assert!(limits.windows(2).all(|it| it[1] == it[0] || it[1] == it[0] * 2), "{limits:?}");
    assert_eq!((limits[0], limits[12]), (8, 256), "the maximum");
}

#[test]
fn unused_limit_does_not_grow() {
    let mut sim = sim();
    // Three in flight.
    sim.run(secs(120), 30, |_, _| Reply { latency: ms(90), ..Reply::new(false) });
    assert_eq!(limit(&sim), 8);
    // Half of it is used.
    sim.run(secs(10), 60, |_, _| Reply { latency: ms(90), ..Reply::new(false) });
    assert!(limit(&sim) > 8);
    let lower = sim.policy.with_concurrency(ConcurrencyLimitPolicy::adaptive(nz(1), nz(4)));
    assert_eq!(sim.flow.concurrency_limit(&lower).get(), 4, "the policy's maximum");
}

#[test]
fn only_success_moves_the_limit() {
    let policy = FlowPolicy::adaptive();
    for signal in [Signal::Refused, Signal::Failed, Signal::Neutral, Signal::Gone] {
        let mut flow = Flow::new();
        for second in 0..1_000 {
            for _ in 0..8 {
                flow.start(&policy, at(second));
            }
            for _ in 0..8 {
                flow.end(&policy, at(second), signal, None, at(second) + ms(900));
            }
        }
        assert_eq!(flow.concurrency_limit(&policy).get(), 8, "{signal}");
    }
}

#[test]
fn fixed_limit_does_not_change() {
    let policy = FlowPolicy::adaptive().with_concurrency(ConcurrencyLimitPolicy::fixed(nz(12)));
    let mut sim = Sim::new(policy);
    let figures = sim.run(secs(60), 1_000, queue(4, 100));
    assert_eq!((limit(&sim), figures.in_flight), (12, 12));
    sim.flow.recovered(sim.now);
    assert_eq!(limit(&sim), 12);
}

#[test]
fn limit_shrinks_under_a_standing_queue() {
    // 64 at once are served without a queue. Then the receiver loses most of its slots.
    let mut sim = sim();
    sim.run(secs(30), 300, queue(64, 100));
    let before = limit(&sim);
    assert!(before >= 32, "{before}");
    let mut small = queue(8, 100);
    let mut limits = Vec::new();
    for _ in 0..120 {
        sim.run(secs(1), 300, &mut small);
        limits.push(limit(&sim));
    }
    println!("{before} {limits:?}");
    // Twice the slots are twice the latency, which is taken for no queue.
    assert!(limits[30..].iter().all(|it| (8..=32).contains(it)), "{limits:?}");
    let figures = sim.run(secs(60), 300, &mut small);
    assert!(figures.delivered >= 60 * 80 * 95 / 100, "{figures:?}");
}

#[test]
fn limit_is_restored_if_the_receiver_is_slow() {
    // The latency rises by itself: fewer in flight are not quicker.
    let mut sim = sim();
    sim.run(secs(30), 600, |_, _| Reply { latency: ms(100), ..Reply::new(false) });
    let before = limit(&sim);
    assert!(before >= 64, "{before}");
    let slow = |_, _| Reply { latency: ms(400), ..Reply::new(false) };
    let mut limits = Vec::new();
    for _ in 0..90 {
        sim.run(secs(1), 600, slow);
        limits.push(limit(&sim));
    }
    println!("{before} {limits:?}");
    assert!(limits.iter().min() < Some(&before), "it was tried");
    assert!(limits.iter().min() >= Some(&(before / 3)), "by about half: {limits:?}");
    assert!(limits[60..].iter().all(|it| *it >= before), "{limits:?}");
    assert_eq!(limits.last(), Some(&256), "and it grows again, being used");
}

#[test]
fn short_latency_is_never_a_queue() {
    // Less than 20 ms more is not noticeable, however many times the base it is.
    for (slow, grows) in [(21, true), (40, false)] {
        let mut sim = sim();
        sim.run(secs(10), 2_000, |_, _| Reply { latency: ms(2), ..Reply::new(false) });
        let before = limit(&sim);
        sim.run(secs(5), 2_000, |_, _| Reply { latency: ms(slow), ..Reply::new(false) });
        println!("{slow} ms: {before} {}", limit(&sim));
        assert_eq!(limit(&sim) > before, grows, "{slow} ms");
    }
}

/// Eight successes of this latency, the last of which started a second after the others, while the
/// limit is used up. Returns the limit that is learned from them.
fn window(flow: &mut Flow, policy: &FlowPolicy, start: Timestamp, latency: u64) -> u32 {
    (0..flow.concurrency_limit(policy).get()).for_each(|_| _ = flow.start(policy, start));
    for second in [0, 0, 0, 0, 0, 0, 0, 1] {
        let started_at = start + secs(second);
        flow.end(policy, started_at, Signal::Success, None, started_at + ms(latency));
    }
    while flow.in_flight() > 0 {
        flow.end(policy, start, Signal::Neutral, None, start + secs(2));
    }
    flow.concurrency_limit(policy).get()
}

/// The limits after windows of these latencies.
fn limits<const N: usize>(min: u32, max: u32, latencies: [u64; N]) -> [u32; N] {
    let limits = ConcurrencyLimitPolicy::adaptive(nz(min), nz(max));
    let (policy, mut flow) = (FlowPolicy::fixed().with_concurrency(limits), Flow::new());
    let mut now = at(0);
    latencies.map(|latency| {
        now += secs(10);
        window(&mut flow, &policy, now, latency)
    })
}

#[test]
fn queue_is_over_twice_the_base_and_20_ms() {
    assert_eq!(limits(8, 256, [100, 200]), [16, 32]);
    assert_eq!(limits(8, 256, [100, 201]), [16, 14]);
    assert_eq!(limits(8, 256, [10, 30]), [16, 32]);
    assert_eq!(limits(8, 256, [10, 31]), [16, 14]);
}

#[test]
fn trial_ends_at_half_the_limit() {
    // By an eighth each time, rounded up. Half of it is not quicker.
    let latencies = [100, 100, 100, 100, 400, 400, 400, 400, 400];
    assert_eq!(limits(1, 16, latencies), [2, 4, 8, 16, 14, 12, 10, 8, 16]);
}

#[test]
fn recovered_limit_keeps_the_base_latency() {
    let (policy, mut flow) = (FlowPolicy::adaptive(), Flow::new());
    assert_eq!(window(&mut flow, &policy, at(0), 100), 16);
    flow.recovered(at(10));
    // A queue, compared with before. At its lowest the limit cannot shrink, so the receiver is slow
    // by itself, and 400 ms are the new base.
    assert_eq!(window(&mut flow, &policy, at(20), 400), 8);
    assert_eq!(window(&mut flow, &policy, at(30), 400), 16);
}

#[test]
fn first_window_begins_with_the_first_attempt() {
    let policy = FlowPolicy::adaptive();
    for (end, limit) in [(at(1) - TICK - TICK, 8), (at(1), 16)] {
        let mut flow = Flow::new();
        let later = at(0) + ms(500);
        flow.start(&policy, at(0));
        (0..7).for_each(|_| _ = flow.start(&policy, later));
        flow.end(&policy, at(0), Signal::Success, None, later);
        (0..7).for_each(|_| flow.end(&policy, later, Signal::Success, None, end));
        assert_eq!(flow.concurrency_limit(&policy).get(), limit, "{end}");
    }
}

#[test]
fn clock_back_does_not_stop_the_limit() {
    let (policy, mut flow) = (FlowPolicy::adaptive(), Flow::new());
    assert_eq!(window(&mut flow, &policy, at(86_400), 100), 16);
    assert_eq!(flow.check(&policy, at(0)), FlowDecision::Go);
    assert_eq!(window(&mut flow, &policy, at(1), 100), 32);
}
