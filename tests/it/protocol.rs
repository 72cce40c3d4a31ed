//! Exhaustive search of the protocol between save and send.

mod duty;
mod model;
mod world;

use duty::{Duty, Limits};
use labhook::delivery::DeliveryGuarantee;
use world::{Scope, World};

use crate::small_scope::search::search;

const BASE: Limits =
    Limits { takeovers: 1, crashes: 1, unsaved: 1, slow: 1, jumps: 0, faults: 1 };

#[test]
fn explore() {
    let env = |name: &str, default: u8| {
        std::env::var(name).map_or(default, |it| it.parse().unwrap())
    };
    let limits = Limits {
        takeovers: env("T", 1),
        crashes: env("C", 1),
        unsaved: env("U", 1),
        slow: env("S", 1),
        jumps: env("J", 0),
        faults: env("F", 1),
    };
    for guarantee in [DeliveryGuarantee::AtLeastOnce, DeliveryGuarantee::AtMostOnce] {
        let mut scope = Scope::new(env("A", 2).into(), guarantee, limits);
        if env("O", 0) == 1 {
            scope = scope.one_by_one();
        }
        if env("R", 0) > 0 {
            scope = scope.forgetting(std::time::Duration::from_secs(env("R", 0).into()));
        }
        if env("STRICT", 0) == 1 {
            scope = scope.strict();
        }
        if env("N", 1) == 2 {
            scope = scope.two_messages();
        }
        let duty = env("D", 255);
        if duty != 255 {
            let duty = Duty::ALL[usize::from(duty)];
            println!("without {duty:?}");
            scope = scope.without(duty);
        }
        let start = std::time::Instant::now();
        let searched = search(World::new(&scope), std::env::var("M").map_or(20_000, |it| it.parse().unwrap()));
        println!("{guarantee}: {} states, {}, {} steps, {:?}", searched.states, searched.is_whole, searched.steps, start.elapsed());
        for (broken, inputs) in searched.broken {
            println!("  {broken:?}: {inputs:?}");
        }
    }
}
