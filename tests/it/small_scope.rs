//! Exhaustive search of a small scope: two endpoints, three deliveries in all, at most three
//! attempts of each, and every interleaving of receivers, storage, crashes and time within each
//! search's limits.

mod digest;
mod world;

use std::collections::BTreeMap;

use world::{Input, Limits, Scope, World};

/// A state, with the first path to it.
struct Found<'a> {
    /// The world in this state, until it is visited.
    world: Option<World<'a>>,
    /// The state before and the input; `None` at the start.
    from: Option<(usize, Input)>,
    /// The state that follows if all goes well; `None` at the end.
    fair: Option<usize>,
    settled: bool,
}

/// The inputs that led to a state.
fn history(found: &[Found<'_>], mut at: usize) -> Vec<Input> {
    let mut inputs = Vec::new();
    while let Some((before, input)) = found[at].from {
        inputs.push(input);
        at = before;
    }
    inputs.reverse();
    inputs
}

/// Prints the inputs that led to a failed assertion.
struct Trace<'a>(&'a [Input], Option<Input>);

impl Drop for Trace<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("after {:?} and then {:?}", self.0, self.1);
        }
    }
}

/// Visits every state, prints the numbers of states and steps, and returns the number of states.
fn search(name: &str, scope: &Scope) -> usize {
    let mut text = String::new();
    let mut ids = BTreeMap::new();
    let world = World::new(scope);
    ids.insert(world.digest(&mut text), 0);
    let mut found = vec![Found { world: Some(world), from: None, fair: None, settled: true }];
    let (mut next, mut edges) = (0, 0);
    while next < found.len() {
        let inputs = history(&found, next);
        let world = found[next].world.take().unwrap();
        let (possible, fair) = (world.inputs(), world.fair());
        {
            let _trace = Trace(&inputs, None);
            world.check();
        }
        found[next].settled = world.is_settled();
        assert!(fair.is_some() || world.is_settled(), "stuck after {inputs:?}");
        for input in possible {
            let _trace = Trace(&inputs, Some(input));
            let mut world = world.clone();
            world.act(input);
            edges += 1;
            let id = *ids.entry(world.digest(&mut text)).or_insert(found.len());
            if id == found.len() {
                let (world, from) = (Some(world), Some((next, input)));
                found.push(Found { world, from, fair: None, settled: false });
            }
            if fair == Some(input) {
                found[next].fair = Some(id);
            }
        }
        next += 1;
        assert!(next < 2_000_000, "the scope is no longer small");
    }
    // 1: from every state, if all goes well from there on, every delivery ends.
    for start in 0..found.len() {
        let (mut at, mut steps) = (start, 0);
        while let Some(fair) = found[at].fair {
            at = fair;
            steps += 1;
            assert!(steps < 100, "no end after {:?}", history(&found, start));
        }
        assert!(
            found[at].settled,
            "{:?} is no end after {:?}",
            history(&found, at),
            history(&found, start)
        );
    }
    println!("{name}: {} states, {edges} steps", found.len());
    found.len()
}

const NONE: Limits =
    Limits { crashes: 0, failed_saves: 0, late_answers: 0, slow_saves: 0, late_messages: 0 };

/// Searches, and checks the number of states: fewer means that the search has shrunk, and more that
/// the digest no longer merges equal states, for instance because a field was renamed.
fn assert_states(name: &str, scope: &Scope, expected: usize) {
    let states = search(name, scope);
    let allowed = expected - expected / 20..=expected + expected / 20;
    assert!(allowed.contains(&states), "{name}: {states} states, expected about {expected}");
}

#[test]
fn two_attempts_keep_every_invariant() {
    assert_states("two attempts", &Scope::new(2, NONE), 5_284);
}

#[test]
fn late_responses_keep_every_invariant() {
    let late = Limits { late_answers: 2, ..NONE };
    assert_states("two attempts, two late answers", &Scope::new(2, late), 16_482);
}

#[test]
fn late_message_keeps_every_invariant() {
    let late = Limits { late_messages: 1, ..NONE };
    assert_states("two attempts, a late message", &Scope::new(2, late), 8_972);
}

#[test]
fn crash_at_any_moment_keeps_every_invariant() {
    let crash = Limits { crashes: 1, ..NONE };
    assert_states("one attempt, a crash", &Scope::new(1, crash), 2_346);
}

#[test]
fn failing_endpoints_keep_every_invariant() {
    assert_states("strict, two attempts", &Scope::strict(2, NONE), 12_200);
}

#[test]
fn crash_of_failing_endpoints_keeps_invariants() {
    let crash = Limits { crashes: 1, ..NONE };
    assert_states("strict, one attempt, a crash", &Scope::strict(1, crash), 2_641);
}

#[test]
fn saves_in_parts_keep_every_invariant() {
    let scope = Scope::new(2, NONE).one_by_one();
    assert_states("two attempts, saved one by one", &scope, 6_172);
    let crash = Limits { crashes: 1, ..NONE };
    let scope = Scope::new(1, crash).one_by_one();
    assert_states("one attempt, a crash, saved one by one", &scope, 2_537);
}

/// `cargo test --test it small_scope::whole -- --ignored`
mod whole {
    use super::*;

    #[test]
    #[ignore = "takes minutes"]
    fn three_attempts_keep_every_invariant() {
        assert_states("three attempts", &Scope::new(3, NONE), 45_425);
    }

    /// The whole search.
    #[test]
    #[ignore = "takes minutes"]
    fn three_attempts_and_a_crash_keep_every_invariant() {
        let crash = Limits { crashes: 1, ..NONE };
        assert_states("three attempts, a crash", &Scope::new(3, crash), 506_298);
    }

    #[test]
    #[ignore = "takes minutes"]
    fn disabled_endpoints_keep_every_invariant() {
        let crash = Limits { crashes: 1, ..NONE };
        assert_states("strict, two attempts, a crash", &Scope::strict(2, crash), 174_176);
        assert_states("strict, three attempts", &Scope::strict(3, NONE), 73_418);
    }

    #[test]
    #[ignore = "takes minutes"]
    fn failed_and_slow_saves_keep_every_invariant() {
        let saves = Limits { failed_saves: 1, slow_saves: 1, ..NONE };
        assert_states("two attempts, a failed save and a slow one", &Scope::new(2, saves), 36_273);
    }

    #[test]
    #[ignore = "takes minutes"]
    fn saves_in_parts_keep_every_invariant() {
        let crash = Limits { crashes: 1, ..NONE };
        let saves = Limits { failed_saves: 1, slow_saves: 1, ..NONE };
        for (name, scope, states) in [
            ("two attempts, a crash, saved one by one", Scope::new(2, crash), 46_766),
            ("strict, two attempts, a crash, saved one by one", Scope::strict(2, crash), 181_892),
            ("two attempts, one by one, a failed and a slow save", Scope::new(2, saves), 46_455),
        ] {
            assert_states(name, &scope.one_by_one(), states);
        }
    }
}
