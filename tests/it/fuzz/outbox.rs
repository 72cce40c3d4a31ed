//! The outbox in a hostile world: a byte program of inputs, in any order, with crashes and clocks
//! that leap both ways. A [`Model`] that knows the documentation alone checks what it does.

mod answer;
mod model;
mod registry;
mod world;

use super::reader::Reader;
use answer::Answer;
use model::Model;
use registry::{ENDPOINTS, MESSAGES};
use world::World;

/// A program is cut here, so that none takes long.
const MAX_STEPS: usize = 400;

/// The first two bytes are settings; then come actions, of one to four bytes each. At the end of
/// the program everything works, and all that is pending must end.
pub(crate) fn run(data: &[u8]) {
    let mut input = Reader::new(data);
    let (batch, part) = (1 + input.below(4), 1 + input.below(5));
    let mut world = World::new(batch, part);
    for _ in 0..MAX_STEPS {
        if input.is_empty() {
            break;
        }
        step(&mut world, &mut input);
        world.check();
    }
    world.finish();
}

fn step(world: &mut World, input: &mut Reader<'_>) {
    match input.below(32) {
        0..=3 => world.publish(input.below(MESSAGES)),
        4..=7 => {
            let times = 1 + input.below(12);
            let _ = (0..times).all(|_| world.poll());
        }
        8 => world.write(1 + input.below(6)),
        9 | 10 => world.confirm(),
        11 => world.fail_to_write(input.below(6)),
        12..=15 => {
            let which = input.below(256);
            world.answer(which, input.pick(Answer::ALL));
        }
        16 => world.advance(input.below(256) as u64 * 100),
        17 => world.sleep(),
        18 => world.turn_back(u64::from(input.u32()) % 100_000),
        19 => world.leap(u64::from(input.u32()) % 200_000_000),
        20 => world.crash(input.below(8)),
        21 => world.disable(input.below(ENDPOINTS)),
        22 => world.enable(input.below(ENDPOINTS), input.flag()),
        23 => world.pause(input.below(ENDPOINTS)),
        24 => world.resume(input.below(ENDPOINTS)),
        25 => {
            let which = input.below(ENDPOINTS);
            world.replace(which, input.byte());
        }
        26 => {
            let which = input.below(ENDPOINTS);
            if input.flag() { world.remove(which) } else { world.insert(which) }
        }
        27 => {
            let message = input.below(MESSAGES);
            // Not 0, so that an input that ends early withdraws little.
            match input.below(ENDPOINTS + 1) {
                ENDPOINTS => world.withdraw(message),
                endpoint => world.withdraw_from(message, endpoint),
            }
        }
        28 => world.unpublish(input.below(MESSAGES)),
        29 => {
            let (failed, endpoint) = (input.flag(), input.below(ENDPOINTS + 1));
            world.replay(failed, (endpoint < ENDPOINTS).then_some(endpoint));
        }
        30 => {
            let (message, endpoint) = (input.below(MESSAGES), input.below(ENDPOINTS));
            if input.flag() {
                world.resend(message, endpoint);
            } else {
                world.give_up(message, endpoint);
            }
        }
        _ => world.drain(input.flag()),
    }
}
