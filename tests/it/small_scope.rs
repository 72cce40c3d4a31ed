//! Exhaustive search of a small scope: two endpoints, three deliveries in all, at most three
//! attempts of each, and every interleaving of receivers, storage, crashes and time within each
//! search's limits.

pub(crate) mod digest;
pub(crate) mod search;
mod world;

use search::search;
use world::{Limits, Scope, World};

const NONE: Limits =
    Limits { crashes: 0, failed_saves: 0, late_answers: 0, slow_saves: 0, late_messages: 0 };

/// Searches, and checks the number of states: fewer means that the search has shrunk, and more that
/// the digest no longer merges equal states, for instance because a field was renamed.
fn assert_states(name: &str, scope: &Scope, expected: usize) {
    let searched = search(World::new(scope), 2_000_000);
    assert!(searched.is_whole, "the scope is no longer small");
    let states = searched.states;
    println!("{name}: {states} states, {} steps", searched.steps);
    let allowed = expected - expected / 20..=expected + expected / 20;
    assert!(allowed.contains(&states), "{name}: {states} states, expected about {expected}");
}

#[test]
fn two_attempts_keep_every_invariant() {
    assert_states("two attempts", &Scope::new(2, NONE), 4_226);
}

#[test]
fn late_responses_keep_every_invariant() {
    let late = Limits { late_answers: 2, ..NONE };
    assert_states("two attempts, two late answers", &Scope::new(2, late), 14_889);
}

#[test]
fn late_message_keeps_every_invariant() {
    let late = Limits { late_messages: 1, ..NONE };
    assert_states("two attempts, a late message", &Scope::new(2, late), 6_742);
}

#[test]
fn crash_at_any_moment_keeps_every_invariant() {
    let crash = Limits { crashes: 1, ..NONE };
    assert_states("one attempt, a crash", &Scope::new(1, crash), 2_321);
}

#[test]
fn failing_endpoints_keep_every_invariant() {
    assert_states("strict, two attempts", &Scope::strict(2, NONE), 9_534);
}

#[test]
fn crash_of_failing_endpoints_keeps_invariants() {
    let crash = Limits { crashes: 1, ..NONE };
    assert_states("strict, one attempt, a crash", &Scope::strict(1, crash), 2_479);
}

#[test]
fn saves_in_parts_keep_every_invariant() {
    let scope = Scope::new(2, NONE).one_by_one();
    assert_states("two attempts, saved one by one", &scope, 4_967);
    let crash = Limits { crashes: 1, ..NONE };
    let scope = Scope::new(1, crash).one_by_one();
    assert_states("one attempt, a crash, saved one by one", &scope, 2_505);
}

/// `cargo test --test it small_scope::whole -- --ignored`
mod whole {
    use super::*;

    #[test]
    #[ignore = "takes minutes"]
    fn three_attempts_keep_every_invariant() {
        assert_states("three attempts", &Scope::new(3, NONE), 34_433);
    }

    /// The whole search.
    #[test]
    #[ignore = "takes minutes"]
    fn three_attempts_and_a_crash_keep_every_invariant() {
        let crash = Limits { crashes: 1, ..NONE };
        assert_states("three attempts, a crash", &Scope::new(3, crash), 471_722);
    }

    #[test]
    #[ignore = "takes minutes"]
    fn disabled_endpoints_keep_every_invariant() {
        let crash = Limits { crashes: 1, ..NONE };
        assert_states("strict, two attempts, a crash", &Scope::strict(2, crash), 129_203);
        assert_states("strict, three attempts", &Scope::strict(3, NONE), 56_245);
    }

    #[test]
    #[ignore = "takes minutes"]
    fn failed_and_slow_saves_keep_every_invariant() {
        let saves = Limits { failed_saves: 1, slow_saves: 1, ..NONE };
        assert_states("two attempts, a failed save and a slow one", &Scope::new(2, saves), 29_784);
    }

    #[test]
    #[ignore = "takes minutes"]
    fn saves_in_parts_keep_every_invariant() {
        let crash = Limits { crashes: 1, ..NONE };
        let saves = Limits { failed_saves: 1, slow_saves: 1, ..NONE };
        for (name, scope, states) in [
            ("two attempts, a crash, saved one by one", Scope::new(2, crash), 42_204),
            ("strict, two attempts, a crash, saved one by one", Scope::strict(2, crash), 136_359),
            ("two attempts, one by one, a failed and a slow save", Scope::new(2, saves), 38_381),
        ] {
            assert_states(name, &scope.one_by_one(), states);
        }
    }
}
