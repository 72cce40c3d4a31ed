//! Cycles of the outbox.

use crate::backlog::Backlog;
use crate::cycles::{Firsts, Retries};
use crate::heap::Heap;
use crate::measure::{Effort, compare};
use crate::row::{Row, Unit};

const AGAINST: &str = "pop + push of a `BinaryHeap` of that size";

pub fn retry(effort: Effort) -> Vec<Row> {
    let pending = effort.size(1_000_000, 10_000);
    let row = |pending| {
        Row::new(format!("retry cycle, {} pending", count(pending)), AGAINST, Unit::Times)
    };
    let mut rows = vec![row(pending).drawn("retry cycle")];
    for endpoints in [1, effort.size(1_000, 100)] {
        let ours = Retries(Backlog::new(pending, endpoints));
        rows[0].push(endpoints_of(endpoints), cycle(effort, ours, pending));
    }
    if effort.huge {
        let pending = 10_000_000;
        let ours = Retries(Backlog::new(pending, 1_000));
        let mut huge = row(pending);
        huge.push(endpoints_of(1_000), cycle(effort, ours, pending));
        rows.push(huge);
    }
    rows
}

fn cycle(effort: Effort, mut ours: Retries, pending: usize) -> f64 {
    compare(effort, &mut ours, &mut Heap::new(pending)).ratio
}

pub fn first(effort: Effort) -> Vec<Row> {
    let pending = effort.size(1_000_000, 10_000);
    let work = format!("first cycle, {} pending", count(pending));
    let mut ours = Firsts::new(Backlog::new(pending, 1));
    let compared = compare(effort, &mut ours, &mut Heap::new(pending));
    vec![Row::new(work, AGAINST, Unit::Times).drawn("first cycle").one(compared.ratio)]
}

pub fn count(number: usize) -> String {
    match number {
        number if number % 1_000_000 == 0 => format!("{} M", number / 1_000_000),
        number if number % 1_000 == 0 => format!("{} k", number / 1_000),
        number => number.to_string(),
    }
}

pub fn endpoints_of(number: usize) -> String {
    format!("{} endpoint{}", number, if number == 1 { "" } else { "s" })
}
