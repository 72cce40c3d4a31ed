//! What a sample is made of: time, starts and answers.

use labhook::flow::FlowPolicy;

use super::ms;
use super::receiver::{Chance, Counts, Limiter, Reply, Sim};
use crate::support::secs;

fn sim() -> Sim {
    Sim::new(FlowPolicy::adaptive())
}

#[test]
fn idle_time_is_no_sample_time() {
    // A limit of 20/s, and 200 messages at once every five minutes. A mean rate over all the time
    // would be one a second, or less with each cut.
    let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Sliding, 20));
    for burst in 0..48 {
        sim.waiting += 200;
        sim.run(secs(300), 0, |now, _| Reply::new(!limiter.accepts(now)));
        let rate = sim.rate();
        assert_eq!(sim.waiting, 0, "burst {burst} at {rate:?}");
        assert!(rate.is_none_or(|rate| rate >= 5), "burst {burst} at {rate:?}");
    }
    println!("{:?}", sim.rate());
}

#[test]
fn held_time_is_no_sample_time() {
    // Every refusal asks for a pause of 30 s. The pauses are granted while they help, and the rate
    // does not fall by the time that they take.
    let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Windows(60), 2));
    for minute in 0..60 {
        sim.run(secs(60), 4, |now, _| {
            let refused = !limiter.accepts(now);
            Reply { pause: refused.then_some(secs(30)), ..Reply::new(refused) }
        });
        // A quarter of the limit.
        let spacing = sim.flow.spacing(&sim.policy);
        assert!(spacing.is_none_or(|it| it <= secs(2)), "minute {minute} at {spacing:?}");
    }
    println!("{:?}", sim.rate());
}

#[test]
fn fixed_window_of_1_s_does_not_fool_samples() {
    // Within a window everything is accepted, and then everything is refused: a sample of a part of
    // a second sees all or nothing.
    for capacity in [5, 50, 200] {
        let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Seconds, capacity));
        sim.run(secs(120), capacity * 4, |now, _| Reply::new(!limiter.accepts(now)));
        for _ in 0..600 {
            sim.run(secs(1), capacity * 4, |now, _| Reply::new(!limiter.accepts(now)));
            let rate = sim.rate().expect("it stays limited");
            assert!(rate >= capacity / 2 && rate <= capacity * 3 / 2, "{rate} of {capacity}");
            assert_eq!(sim.flow.excused_percent(), 0);
        }
    }
}

#[test]
fn sample_across_an_outage_keeps_the_ceiling() {
    // A hundred a second are accepted, except in an outage that begins and ends within samples.
    for offset in [0, 250, 500, 750] {
        let mut sim = sim();
        sim.run(secs(60) + ms(offset), 100, |_, _| Reply::new(false));
        sim.run(secs(5), 100, |_, _| Reply::new(true));
        let low = sim.rate();
        assert!(low < Some(100), "{low:?}");
        let mut seconds = 0;
        while sim.rate().is_some_and(|rate| rate < 95) {
            sim.run(secs(1), 100, |_, _| Reply::new(false));
            seconds += 1;
            assert!(seconds < 60, "{offset}: at {:?} from {low:?}", sim.rate());
        }
        println!("{offset}: from {low:?} in {seconds} s");
        let before = sim.waiting;
        let figures = sim.run(secs(120), 100, |_, _| Reply::new(false));
        assert!(sim.waiting == 0 || sim.waiting < before, "the backlog is sent: {figures:?}");
    }
}

#[test]
fn many_answers_in_a_short_burst_close_a_sample() {
    // 300 are accepted each minute. The messages of a minute are sent within a second, which is too
    // short for a sample by time alone.
    let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Windows(60), 5));
    let mut figures = Vec::new();
    for _ in 0..10 {
        sim.waiting += 600;
        figures.push(sim.run(secs(60), 0, |now, _| Reply::new(!limiter.accepts(now))));
        sim.waiting = 0;
    }
    println!("{figures:?} {:?}", sim.rate());
    assert!(sim.rate().is_some(), "{figures:?}");
}

#[test]
fn trial_without_an_upper_bound_of_answers_ends() {
    // At 1/256 of 60/s nothing would be decided for minutes: a limit of 60/s must be held.
    let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Sliding, 60));
    sim.run(secs(120), 100, |now, _| Reply::new(!limiter.accepts(now)));
    let figures = sim.run(secs(1_200), 100, |now, _| Reply::new(!limiter.accepts(now)));
    println!("{figures:?}");
    assert!(figures.delivered >= 1_200 * 60 * 90 / 100, "{figures:?}");
    assert!(figures.refused_permille() < 100, "{figures:?}");
}

#[test]
fn chance_at_a_low_rate_is_excused_in_time() {
    // Three messages a minute: samples take long, but nothing is starved meanwhile.
    let (mut sim, mut chance) = (sim(), Chance::new(50));
    let figures = sim.run(secs(6 * 3_600), 1, |_, _| Reply::new(chance.refuses()));
    println!("{figures:?} {:?} {}", sim.rate(), sim.flow.excused_percent());
    assert!(figures.delivered >= 6 * 3_600 * 97 / 100, "{figures:?}");
}
