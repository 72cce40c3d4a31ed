//! The least that a retry cycle could be: the next instant out of a heap, and another one into it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::fixture::{DAY, SEED};
use crate::measure::Side;

/// A heap of instants over 24 h, each with a number.
pub struct Heap {
    waits: BinaryHeap<Reverse<(u64, u32)>>,
    random: fastrand::Rng,
}

const DAY_US: u64 = DAY.as_micros() as u64;

impl Heap {
    pub fn new(size: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(SEED);
        let waits = (0..size as u32).map(|number| Reverse((random.u64(..DAY_US), number)));
        let waits = waits.collect();
        Self { waits, random }
    }
}

impl Side for Heap {
    fn run(&mut self, calls: usize) {
        for _ in 0..calls {
            let Reverse((at, number)) = self.waits.pop().expect("the heap is never empty");
            self.waits.push(Reverse((at + self.random.u64(..DAY_US), number)));
        }
    }
}
