//! The rate learned from refusals: cuts as trials, excuses, and the climb.

use labhook::flow::{Flow, FlowPolicy, Signal};

use super::receiver::{Chance, Counts, Limiter, Reply, Sim};
use super::{TICK, ms};
use crate::support::{at, secs};

fn sim() -> Sim {
    Sim::new(FlowPolicy::adaptive())
}

#[test]
fn cut_under_chance_refusals_is_undone() {
    for percent in [15, 33, 50] {
        let (mut sim, mut chance) = (sim(), Chance::new(percent));
        let mut cut = false;
        for _ in 0..600 {
            sim.run(secs(1), 20, |_, _| Reply::new(chance.refuses()));
            cut |= sim.rate().is_some();
        }
        assert!(cut, "it was tried");
        let excused = u64::from(sim.flow.excused_percent());
        let figures = sim.run(secs(3_600), 20, |_, _| Reply::new(chance.refuses()));
        println!("{percent} %: {figures:?}, excused {excused}, rate {:?}", sim.rate());
        assert!(excused.abs_diff(percent) <= 7, "{excused} of {percent}");
        // Everything is delivered; what is refused is what chance refuses.
        assert!(figures.delivered >= 3_600 * 20 * 98 / 100, "{figures:?}");
        assert!(figures.refused_permille() <= percent * 10 + 10, "{figures:?}");
        // A false alarm may just be on trial.
        assert!(sim.waiting < 3_600 * 20 / 100, "{} wait", sim.waiting);
    }
}

#[test]
fn cut_under_a_limit_stays() {
    let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Sliding, 50));
    sim.run(secs(60), 200, |now, _| Reply::new(!limiter.accepts(now)));
    for _ in 0..1_800 {
        sim.run(secs(1), 200, |now, _| Reply::new(!limiter.accepts(now)));
        let rate = sim.rate().expect("it stays limited");
        assert!((30..=75).contains(&rate), "{rate}");
        assert_eq!(sim.flow.excused_percent(), 0);
    }
}

#[test]
fn few_refusals_are_no_reason_to_cut() {
    // One in twenty-five: less than a sixteenth.
    let (mut sim, mut chance) = (sim(), Chance::new(4));
    for _ in 0..3_600 {
        sim.run(secs(1), 20, |_, _| Reply::new(chance.refuses()));
        // A sample may deviate, and the trial then proves a share.
        assert!(sim.flow.excused_percent() < 15);
    }
    let figures = sim.run(secs(600), 20, |_, _| Reply::new(chance.refuses()));
    println!("{figures:?} {:?}", sim.rate());
    assert!(figures.delivered >= 600 * 20 * 98 / 100, "{figures:?}");
}

#[test]
fn excuse_does_not_rise_without_a_proven_trial() {
    // Just below and just above a limit: a twentieth is refused, and never excused.
    for offered in [50, 52, 55] {
        let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Sliding, 50));
        for _ in 0..3_600 {
            sim.run(secs(1), offered, |now, _| Reply::new(!limiter.accepts(now)));
            assert_eq!(sim.flow.excused_percent(), 0, "{offered}");
        }
    }
    // What was proved is a bound: the excuse follows the share down, and rises no further again.
    let (mut sim, mut chance) = (sim(), Chance::new(15));
    sim.run(secs(600), 20, |_, _| Reply::new(chance.refuses()));
    let (mut bound, mut trials) = (sim.flow.excused_percent(), 0);
    assert!(bound >= 8, "{bound}");
    for second in 0..3_600 {
        chance.percent = if second < 600 { 5 } else { 25 };
        let rate = sim.rate();
        sim.run(secs(1), 20, |_, _| Reply::new(chance.refuses()));
        let excused = sim.flow.excused_percent();
        if sim.rate() != rate {
            (bound, trials) = (excused.max(bound), trials + 1);
        }
        assert!(excused <= bound, "without a trial, {excused} of {bound} at {second}");
    }
    println!("{bound} after {trials}");
    assert!(trials > 0 && bound <= 40, "{bound} after {trials}");
}

#[test]
fn excuse_is_lost_once_nothing_is_refused() {
    let (mut sim, mut chance) = (sim(), Chance::new(33));
    sim.run(secs(600), 20, |_, _| Reply::new(chance.refuses()));
    assert!(sim.flow.excused_percent() > 20);
    sim.run(secs(1_200), 20, |_, _| Reply::new(false));
    assert_eq!(sim.flow.excused_percent(), 0);
}

#[test]
fn excused_share_does_not_hide_a_limit() {
    // A tenth by chance, and then a limit of 50/s beside it.
    let (mut sim, mut chance) = (sim(), Chance::new(10));
    sim.run(secs(600), 20, |_, _| Reply::new(chance.refuses()));
    let mut limiter = Limiter::new(Counts::Sliding, 50);
    let mut both = |now| Reply::new(chance.refuses() || !limiter.accepts(now));
    sim.run(secs(1_200), 100, |now, _| both(now));
    let figures = sim.run(secs(1_200), 100, |now, _| both(now));
    println!("{figures:?} {:?} {}", sim.rate(), sim.flow.excused_percent());
    assert!(figures.delivered >= 1_200 * 50 * 75 / 100, "{figures:?}");
    assert!(figures.refused_permille() < 300, "{figures:?}");
}

#[test]
fn limit_that_rises_is_found() {
    let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Sliding, 20));
    sim.run(secs(600), 250, |now, _| Reply::new(!limiter.accepts(now)));
    assert!(sim.rate() < Some(30), "{:?}", sim.rate());
    limiter.capacity = 200;
    sim.run(secs(600), 250, |now, _| Reply::new(!limiter.accepts(now)));
    let figures = sim.run(secs(120), 250, |now, _| Reply::new(!limiter.accepts(now)));
    println!("{figures:?} {:?}", sim.rate());
    assert!(figures.delivered >= 120 * 200 * 90 / 100, "{figures:?}");
}

#[test]
fn low_limit_that_vanishes_is_left_in_minutes() {
    let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Sliding, 1));
    sim.run(secs(1_200), 20, |now, _| Reply::new(!limiter.accepts(now)));
    assert!(sim.rate() < Some(2), "{:?}", sim.rate());
    let mut seconds = 0;
    while sim.rate().is_some_and(|rate| rate < 10) {
        sim.run(secs(1), 20, |_, _| Reply::new(false));
        seconds += 1;
        assert!(seconds <= 240, "at {:?}", sim.rate());
    }
}

#[test]
fn risen_limit_that_counts_refusals_is_held() {
    for capacity in [4, 6, 8] {
        let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::All, 1));
        sim.run(secs(1_200), 12, |now, _| Reply::new(!limiter.accepts(now)));
        limiter.capacity = capacity;
        sim.run(secs(3_600), 12, |now, _| Reply::new(!limiter.accepts(now)));
        let figures = sim.run(secs(10_800), 12, |now, _| Reply::new(!limiter.accepts(now)));
        println!("{capacity}/s: {figures:?} {:?}", sim.rate());
        assert!(figures.delivered >= 10_800 * capacity * 70 / 100, "{figures:?}");
        assert!(figures.refused_permille() < 100, "{figures:?}");
    }
}

#[test]
fn receiver_that_comes_and_goes_is_not_starved() {
    // It refuses some in a row, and then accepts some in a row; from the slowest rate.
    for (refused, accepted) in [(1, 8), (2, 8), (8, 8), (2, 16)] {
        let (mut sim, mut count) = (sim(), 0);
        sim.run(secs(600), 5, |_, _| Reply::new(true));
        let mut reply = |_, _| {
            count += 1;
            Reply::new((count - 1) % (refused + accepted) < refused)
        };
        sim.run(secs(7_200), 5, &mut reply);
        let figures = sim.run(secs(7_200), 5, &mut reply);
        println!("{refused} of {}: {figures:?} {:?}", refused + accepted, sim.rate());
        assert!(figures.delivered >= 7_200 * 5 * 99 / 100, "{figures:?}");
    }
}

#[test]
fn unused_rate_does_not_rise() {
    let (mut sim, mut limiter) = (sim(), Limiter::new(Counts::Sliding, 20));
    sim.run(secs(120), 100, |now, _| Reply::new(!limiter.accepts(now)));
    let slow = sim.rate().unwrap();
    // The backlog is gone, and a tenth of the rate is offered.
    sim.clear();
    sim.run(secs(3_600), 2, |_, _| Reply::new(false));
    assert!(sim.rate().unwrap() <= slow * 5 / 4, "{:?} from {slow}", sim.rate());
}

#[test]
fn rate_is_never_below_the_slowest() {
    let policy = FlowPolicy::adaptive();
    let (mut flow, mut now) = (Flow::new(), at(0));
    for _ in 0..2_000 {
        flow.start(&policy, now);
        now += ms(20);
        flow.end(&policy, now - ms(20), Signal::Refused, None, now);
        now = flow.check(&policy, now).wake_at().unwrap_or(now + ms(100));
    }
    assert_eq!(flow.spacing(&policy), Some(secs(10)));
    let until = flow.check(&policy, now).wake_at();
    assert_eq!(until, None, "this was the wait");
    flow.start(&policy, now);
    assert_eq!(flow.check(&policy, now).wake_at(), Some(now + secs(10)));
    assert_eq!(flow.check(&policy, now + secs(10) - TICK).wake_at(), Some(now + secs(10)));
}

#[test]
fn recovered_flow_starts_at_10_per_second() {
    let mut sim = sim();
    // Whatever was learned before is forgotten.
    let mut chance = Chance::new(50);
    sim.run(secs(600), 20, |_, _| Reply::new(chance.refuses()));
    sim.run(secs(60), 100, |_, _| Reply { latency: ms(200), ..Reply::new(false) });
    sim.flow.recovered(sim.now);
    assert_eq!(sim.flow.spacing(&sim.policy), Some(ms(100)));
    assert_eq!(sim.flow.excused_percent(), 0);
    assert_eq!(sim.flow.concurrency_limit(&sim.policy), sim.policy.concurrency().min().unwrap());
    // It about doubles a second, up to 100/s, and then grows by an eighth.
    let mut rates = Vec::new();
    for _ in 0..30 {
        sim.run(secs(1), 2_000, |_, _| Reply::new(false));
        rates.push(sim.rate().unwrap());
    }
    println!("{rates:?}");
    assert!(rates.iter().zip(&rates[1..]).all(|(a, b)| b >= a && *b <= a * 2 + 1), "{rates:?}");
    assert!(rates[9] >= 90 && rates[3] <= 100, "{rates:?}");
    assert!(rates[29] > 300, "{rates:?}");
}
