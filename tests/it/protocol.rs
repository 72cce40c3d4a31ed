//! Exhaustive search of the protocol between save and send: two drivers of one store, the old one
//! frozen and waking up; saves whose answer is late or lost; a clock that jumps. Each duty of the
//! host is left out once, and the search finds what that breaks.

mod duty;
mod model;
mod scope;
mod store;
mod table;
mod tell;
mod world;

use duty::{Guarantee, Limits};
use labhook::delivery::DeliveryGuarantee::{AtLeastOnce, AtMostOnce};
use scope::Scope;
use tell::tell;
use world::World;

use crate::small_scope::search::search;
use crate::support::secs;

const NONE: Limits = Limits { takeovers: 0, crashes: 0, unsaved: 0, slow: 0, jumps: 0, faults: 0 };
const TAKEOVER: Limits = Limits { takeovers: 1, ..NONE };
const CRASH: Limits = Limits { crashes: 1, ..NONE };

/// Searches both ways, at-least-once and at-most-once, and checks what is broken and the number of
/// states: fewer means that the search has shrunk.
fn assert_broken(
    name: &str,
    scope: impl Fn(Scope) -> Scope,
    (attempts, limits): (usize, Limits),
    broken: &[Guarantee],
    expected: [usize; 2],
) {
    for (guarantee, expected) in [AtLeastOnce, AtMostOnce].into_iter().zip(expected) {
        let scope = scope(Scope::new(attempts, guarantee, limits));
        let found = search(World::new(&scope), 2_000_000);
        println!("{name}, {guarantee}: {} states, {} steps", found.states, found.steps);
        assert!(found.is_whole, "the scope is no longer small");
        for (it, inputs) in &found.broken {
            assert!(broken.contains(it), "{it:?}: {}", tell(World::new(&scope), inputs));
        }
        let allowed = expected - expected / 20..=expected + expected / 20;
        assert!(allowed.contains(&found.states), "{name}: {} states", found.states);
    }
}

fn assert_kept(
    name: &str,
    scope: impl Fn(Scope) -> Scope,
    run: (usize, Limits),
    expected: [usize; 2],
) {
    assert_broken(name, scope, run, &[], expected);
}

#[test]
fn takeover_keeps_every_guarantee() {
    assert_kept("a takeover", |it| it, (2, TAKEOVER), [7_002, 2_160]);
}

#[test]
fn failed_and_slow_save_keeps_every_guarantee() {
    let saves = Limits { unsaved: 1, slow: 1, ..CRASH };
    let name = "a crash, a failed and a slow save, change by change";
    assert_kept(name, Scope::one_by_one, (2, saves), [4_773, 2_275]);
}

#[test]
fn forgetting_keeps_every_guarantee() {
    let forgetting = |it: Scope| it.forgetting(secs(20));
    assert_kept("forgetting, a takeover", forgetting, (1, TAKEOVER), [1_496, 1_499]);
    let forgetting = |it: Scope| it.forgetting(secs(20)).one_by_one();
    assert_kept("forgetting, a crash, change by change", forgetting, (1, CRASH), [277, 281]);
}

#[test]
fn two_messages_keep_every_guarantee() {
    assert_kept("two messages, a crash", Scope::two_messages, (1, CRASH), [1_306, 1_343]);
}

/// `cargo test --test it protocol::whole -- --ignored`
mod whole {
    use super::*;
    use duty::Duty;

    #[test]
    #[ignore = "takes minutes"]
    fn takeover_and_crash_keep_every_guarantee() {
        let all = Limits { crashes: 1, unsaved: 1, slow: 1, ..TAKEOVER };
        let name = "a takeover, a crash, a failed and a slow save";
        assert_kept(name, |it| it, (2, all), [336_894, 96_059]);
    }

    /// Whatever the clock does, only this can happen: two requests at a time.
    #[test]
    #[ignore = "takes minutes"]
    fn jumps_of_the_clock_break_nothing_else() {
        let jumps = |it: Scope| it.without(Duty::KeepTheClockSteady);
        let strict = |it: Scope| jumps(it.strict());
        let once = Limits { jumps: 1, ..NONE };
        for (name, is_strict, run, states) in [
            (
                "a crash, two jumps",
                false,
                (1, Limits { crashes: 1, jumps: 2, ..NONE }),
                [32_164, 32_164],
            ),
            ("a takeover, a jump", false, (1, Limits { takeovers: 1, ..once }), [26_385, 26_385]),
            ("a crash, a jump", false, (2, Limits { crashes: 1, ..once }), [18_852, 6_730]),
            ("strict, a crash, a jump", true, (2, Limits { crashes: 1, ..once }), [27_040, 9_383]),
        ] {
            if is_strict {
                assert_broken(name, strict, run, &[Guarantee::OneAtATime], states);
            } else {
                assert_broken(name, jumps, run, &[Guarantee::OneAtATime], states);
            }
        }
    }

    #[test]
    #[ignore = "takes minutes"]
    fn replaced_process_that_goes_on_breaks_nothing() {
        let on = |it: Scope| it.without(Duty::StopOnceDeposed);
        assert_kept("a replaced process goes on", on, (1, TAKEOVER), [106_836, 106_836]);
    }
}
