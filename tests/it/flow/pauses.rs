//! Pauses that the receiver requests with `Retry-After`.

use std::time::Duration;

use labhook::Timestamp;
use labhook::flow::{Flow, FlowDecision, FlowPolicy, Signal};

use super::receiver::{Chance, Counts, Limiter, Reply, Sim};
use super::{TICK, ms};
use crate::support::{Host, answer_with, at, endpoint, policy, secs};

use Signal::{Failed, Neutral, Refused, Success};

fn end(flow: &mut Flow, signal: Signal, pause: Option<Duration>, now: Timestamp) {
    flow.start(&FlowPolicy::fixed(), now);
    flow.end(&FlowPolicy::fixed(), now, signal, pause, now);
}

#[test]
fn pause_after_a_lone_refusal_is_not_granted() {
    let mut flow = Flow::new();
    for second in 0..100 {
        end(&mut flow, Refused, Some(secs(60)), at(second));
        assert_eq!(flow.check(&FlowPolicy::fixed(), at(second)), FlowDecision::Go, "{second}");
        end(&mut flow, Success, None, at(second));
    }
    assert_eq!(flow.paused_until(), None);
}

#[test]
fn pause_is_granted_when_two_in_a_row_fail() {
    let policy = FlowPolicy::fixed();
    for first in [Refused, Failed] {
        let mut flow = Flow::new();
        end(&mut flow, first, None, at(0));
        // What says nothing of the endpoint does not come in between.
        end(&mut flow, Neutral, None, at(0));
        end(&mut flow, Refused, Some(secs(60)), at(1));
        let wait = FlowDecision::Wait { until: at(61) };
        assert_eq!((flow.check(&policy, at(1)), flow.paused_until()), (wait, Some(at(61))));
        assert_eq!(flow.check(&policy, at(61) - TICK), wait);
        assert_eq!(flow.check(&policy, at(61)), FlowDecision::Go);
    }
}

#[test]
fn pause_is_never_shortened() {
    let policy = FlowPolicy::fixed();
    let mut flow = Flow::new();
    end(&mut flow, Refused, None, at(0));
    for pause in [Some(secs(120)), Some(secs(30)), Some(Duration::ZERO), None] {
        end(&mut flow, Refused, pause, at(0));
        assert_eq!(flow.check(&policy, at(1)), FlowDecision::Wait { until: at(120) });
    }
    end(&mut flow, Success, None, at(2));
    assert_eq!(flow.paused_until(), Some(at(120)));
    end(&mut flow, Refused, None, at(2));
    end(&mut flow, Refused, Some(Duration::MAX), at(2));
    let wait = flow.check(&policy, at(11)).wake_at();
    assert_eq!(wait, Some(Timestamp::MAX), "the caller limits it");
    flow.recovered(at(12));
    assert_eq!(flow.check(&policy, at(12)), FlowDecision::Go);
}

#[test]
fn clock_back_pulls_a_pause_in() {
    let policy = FlowPolicy::fixed();
    let mut flow = Flow::new();
    end(&mut flow, Refused, None, at(0));
    end(&mut flow, Refused, Some(secs(60)), at(0));
    // By as much as the clock steps back, but never longer than what was asked for.
    for (now, until) in [(20, 60), (-10, 50), (30, 50), (-86_400 * 14, -86_400 * 14 + 60)] {
        let wait = FlowDecision::Wait { until: at(until) };
        assert_eq!(flow.check(&policy, at(now)), wait, "{now}");
    }
}

#[test]
fn pauses_that_do_not_help_are_no_longer_granted() {
    // A tenth is refused by chance, each time with a pause of 30 s.
    for offered in [10, 50] {
        let (mut sim, mut chance) = (Sim::new(FlowPolicy::adaptive()), Chance::new(10));
        let mut receive = |sim: &mut Sim, seconds| {
            sim.run(secs(seconds), offered, |_, _| {
                let refused = chance.refuses();
                Reply { pause: refused.then_some(secs(30)), ..Reply::new(refused) }
            })
        };
        receive(&mut sim, 1_800);
        let figures = receive(&mut sim, 3_600);
        println!("{offered}: {figures:?}, {} wait", sim.waiting);
        assert!(figures.delivered >= 3_600 * offered * 98 / 100, "{figures:?}");
        assert!(sim.waiting < offered * 40, "{} wait", sim.waiting);
    }
}

#[test]
fn pauses_of_a_minute_window_stay() {
    // 120 a minute, and then a pause until the minute is over.
    let (mut sim, mut limiter) =
        (Sim::new(FlowPolicy::adaptive()), Limiter::new(Counts::Windows(60), 2));
    let mut receive = |sim: &mut Sim, seconds| {
        sim.run(secs(seconds), 10, |now, _| {
            let refused = !limiter.accepts(now);
            let second = (now + ms(370)).unix_seconds().rem_euclid(60);
            let left = secs(60 - second.unsigned_abs());
            Reply { pause: refused.then_some(left), ..Reply::new(refused) }
        })
    };
    receive(&mut sim, 1_800);
    let figures = receive(&mut sim, 7_200);
    println!("{figures:?}, rate {:?}", sim.rate());
    assert!(figures.delivered >= 120 * 120 * 96 / 100, "{figures:?}");
    assert!(figures.refused_permille() < 170, "{figures:?}");
}

#[test]
fn extended_pause_is_pulled_in_as_the_last_request() {
    let policy = FlowPolicy::fixed();
    let mut flow = Flow::new();
    end(&mut flow, Refused, None, at(0));
    end(&mut flow, Refused, Some(secs(60)), at(0));
    end(&mut flow, Refused, Some(secs(60)), at(50));
    assert_eq!(flow.paused_until(), Some(at(110)));
    // No request asked for more than 60 s.
    for (now, until) in [(49, 109), (-10, 50)] {
        let wait = FlowDecision::Wait { until: at(until) };
        assert_eq!(flow.check(&policy, at(now)), wait, "{now}");
    }
}

#[test]
fn recovery_forgets_the_trial_of_pauses() {
    let mut flow = Flow::new();
    for second in 0..1_000 {
        let signal = if second % 8 < 2 { Refused } else { Success };
        end(&mut flow, signal, (signal == Refused).then_some(secs(1)), at(2 * second));
    }
    assert!(flow.ignores_pauses());
    flow.recovered(at(5_000));
    assert!(!flow.ignores_pauses());
    end(&mut flow, Refused, None, at(5_000));
    end(&mut flow, Refused, Some(secs(60)), at(5_000));
    assert_eq!(flow.paused_until(), Some(at(5_060)), "it is granted again");
}

#[test]
fn patience_of_zero_is_raised_to_the_first() {
    let mut state = serde_json::to_value(Flow::new()).unwrap();
    state["pauses"]["patience"] = 0.into();
    let mut flow: Flow = serde_json::from_value(state).unwrap();
    // Pauses of 10 s: all that is sent without one is refused.
    let (mut now, mut granted) = (0, 0);
    for _ in 0..200 {
        for _ in 0..16 {
            end(&mut flow, Success, None, at(now));
        }
        end(&mut flow, Refused, None, at(now));
        end(&mut flow, Refused, Some(secs(10)), at(now));
        if flow.paused_until() > Some(at(now)) {
            (now, granted) = (now + 10, granted + 1);
        } else {
            for _ in 0..64 {
                end(&mut flow, Refused, None, at(now));
            }
        }
    }
    assert!(granted > 150, "{granted} of 200");
}

#[test]
fn shorter_request_leaves_a_pause_as_it_was() {
    let policy = FlowPolicy::fixed();
    let mut flow = Flow::new();
    end(&mut flow, Refused, None, at(0));
    end(&mut flow, Refused, Some(secs(60)), at(0));
    end(&mut flow, Refused, Some(secs(30)), at(30));
    // It is still the pause of 60 s, so the clock may step back by 20 s.
    assert_eq!(flow.check(&policy, at(10)), FlowDecision::Wait { until: at(60) });
}

#[test]
fn pauses_are_granted_while_all_is_refused() {
    let mut flow = Flow::new();
    end(&mut flow, Refused, None, at(0));
    for second in 1..1_100 {
        end(&mut flow, Refused, Some(secs(1)), at(second));
        assert_eq!(flow.paused_until(), Some(at(second + 1)));
    }
}

/// A flow that has granted two pauses, and puts the third on trial: it is not granted. Each is
/// requested at the end of the one before.
fn on_trial(flow: &mut Flow, between: &[Signal]) {
    end(flow, Refused, None, at(0));
    end(flow, Refused, Some(secs(1)), at(0));
    end(flow, Refused, Some(secs(1)), at(1));
    assert_eq!(flow.paused_until(), Some(at(2)));
    between.iter().for_each(|signal| end(flow, *signal, None, at(2)));
    end(flow, Refused, None, at(2));
    end(flow, Refused, Some(secs(1)), at(2));
    assert_eq!(flow.paused_until(), Some(at(2)));
}

#[test]
fn old_answers_still_show_that_some_are_accepted() {
    let mut flow = Flow::new();
    for _ in 0..512 {
        end(&mut flow, Refused, None, at(0));
        end(&mut flow, Success, None, at(0));
    }
    on_trial(&mut flow, &[]);
}

#[test]
fn trial_of_pauses_takes_64_answers() {
    let mut flow = Flow::new();
    on_trial(&mut flow, &[Success; 15]);
    for answer in 1..=64 {
        assert!(!flow.ignores_pauses(), "{answer}");
        end(&mut flow, if answer % 4 == 0 { Refused } else { Success }, None, at(3));
    }
    assert!(flow.ignores_pauses());
}

#[test]
fn pauses_help_if_over_twice_as_many_are_refused() {
    // With pauses five of twenty are refused, which is a quarter. Twice that and a sixteenth is 36
    // of 64.
    for (refused, helped) in [(36, false), (37, true)] {
        let mut flow = Flow::new();
        on_trial(&mut flow, &[Success; 15]);
        (refused..64).for_each(|_| end(&mut flow, Success, None, at(3)));
        (0..refused).for_each(|_| end(&mut flow, Refused, None, at(3)));
        assert_eq!(flow.ignores_pauses(), !helped, "{refused}");
        end(&mut flow, Refused, Some(secs(1)), at(4));
        assert_eq!(flow.paused_until(), Some(at(if helped { 5 } else { 2 })), "{refused}");
    }
}

#[test]
fn lower_cap_shortens_a_granted_pause() {
    let mut host = Host::with([endpoint("e")]);
    host.publish("m1");
    host.publish("m2");
    for ticket in host.sends() {
        host.resolve(&ticket, &answer_with(503, "retry-after", "600"));
    }
    host.publish("m3");
    assert_eq!((host.send_texts(), host.wait), (vec![], Some(at(600))));
    let lower = endpoint("e").with_retry(policy(&[5]).with_retry_after_cap(secs(60)));
    host.outbox.replace_endpoint(lower, host.now).unwrap();
    assert_eq!((host.send_texts(), host.wait), (vec![], Some(at(60))));
    host.now = at(60);
    assert_eq!(host.send_texts(), ["m3>e#1", "m1>e#2", "m2>e#2"]);
}
