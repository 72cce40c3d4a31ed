//! Measuring: the CPU time of two sides in turns, of one call, and allocations.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::{ProcessTime, ThreadTime};

/// How much to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Small sizes and few rounds.
    pub quick: bool,
    /// The sizes that need ten gigabytes or an hour.
    pub huge: bool,
}

impl Effort {
    /// Returns a size, or a hundredth of it in a quick run, but never less than `least`.
    pub fn size(self, full: usize, least: usize) -> usize {
        if self.quick { (full / 100).max(least) } else { full }
    }

    fn rounds(self) -> usize {
        if self.quick { 11 } else { 61 }
    }

    fn round(self) -> Duration {
        Duration::from_millis(if self.quick { 1 } else { 4 })
    }
}

/// One side of a comparison.
pub trait Side {
    /// Gets ready for this number of calls. Not measured.
    fn prepare(&mut self, _calls: usize) {}

    /// Does the work this number of times. Measured.
    fn run(&mut self, calls: usize);
}

/// A side that needs no preparation: one call of the closure is one piece of work.
pub struct Work<F>(pub F);

impl<T, F: FnMut() -> T> Side for Work<F> {
    fn run(&mut self, calls: usize) {
        for _ in 0..calls {
            black_box((self.0)());
        }
    }
}

/// What two sides cost.
#[derive(Clone, Copy, Debug)]
pub struct Compared {
    /// The median, over all rounds, of what `ours` costs in units of `theirs`.
    pub ratio: f64,
    /// The same of the CPU time of all threads.
    pub of_process: f64,
    /// The same by the clock on the wall, which the rest of the machine disturbs.
    pub by_clock: f64,
}

/// Runs both sides in short turns, and compares the CPU time of this thread.
pub fn compare(effort: Effort, ours: &mut dyn Side, theirs: &mut dyn Side) -> Compared {
    let our_calls = calls_in(effort.round(), ours);
    let their_calls = calls_in(effort.round(), theirs);
    in_turns(effort.rounds(), (ours, our_calls), (theirs, their_calls))
}

/// Like [`compare`] for work that takes seconds: one call in each turn, and few turns.
pub fn compare_once(effort: Effort, ours: &mut dyn Side, theirs: &mut dyn Side) -> Compared {
    in_turns(if effort.quick { 3 } else { 5 }, (ours, 1), (theirs, 1))
}

/// Like [`compare`] with this number of calls in each turn, and fewer turns.
pub fn compare_calls(
    effort: Effort,
    calls: usize,
    ours: &mut dyn Side,
    theirs: &mut dyn Side,
) -> Compared {
    in_turns(if effort.quick { 5 } else { 31 }, (ours, calls), (theirs, calls))
}

fn in_turns(
    rounds: usize,
    (ours, our_calls): (&mut dyn Side, usize),
    (theirs, their_calls): (&mut dyn Side, usize),
) -> Compared {
    let (mut ratios, mut of_process, mut by_clock) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (ours, theirs) = if round % 2 == 0 {
            let ours = cost(ours, our_calls);
            (ours, cost(theirs, their_calls))
        } else {
            let theirs = cost(theirs, their_calls);
            (cost(ours, our_calls), theirs)
        };
        ratios.push(ours.cpu_ns / theirs.cpu_ns);
        of_process.push(ours.process_ns / theirs.process_ns);
        by_clock.push(ours.clock_ns / theirs.clock_ns);
    }
    Compared { ratio: median(ratios), of_process: median(of_process), by_clock: median(by_clock) }
}

/// Returns how many calls take about this long.
fn calls_in(time: Duration, side: &mut dyn Side) -> usize {
    let mut calls = 1;
    loop {
        let taken = Duration::from_nanos((cost(side, calls).cpu_ns * calls as f64) as u64);
        if taken >= time {
            return calls;
        }
        // At most tenfold, because the first calls are the slowest.
        let missing = time.as_secs_f64() / taken.as_secs_f64().max(1e-9);
        calls = (calls as f64 * missing.clamp(1.2, 10.0)).ceil() as usize;
    }
}

/// What one call costs, on the average of some.
struct Cost {
    cpu_ns: f64,
    process_ns: f64,
    clock_ns: f64,
}

fn cost(side: &mut dyn Side, calls: usize) -> Cost {
    side.prepare(calls);
    let (clock, process, cpu) = (Instant::now(), ProcessTime::now(), ThreadTime::now());
    side.run(calls);
    let each = |time: Duration| time.as_nanos().max(1) as f64 / calls as f64;
    let (cpu_ns, process_ns) = (each(cpu.elapsed()), each(process.elapsed()));
    Cost { cpu_ns, process_ns, clock_ns: each(clock.elapsed()) }
}

/// The CPU time of one call, in milliseconds, less that of asking for the time.
pub fn millis<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let before = ThreadTime::now();
    let start = ThreadTime::now();
    let made = work();
    let taken = start.elapsed();
    let asking = start.duration_since(before);
    // The clock counts in nanoseconds, and no call takes none.
    (taken.saturating_sub(asking).as_secs_f64().max(1e-9) * 1e3, made)
}

/// The middle of the values.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Counts the allocations of the work on this thread.
#[derive(Clone, Copy, Debug)]
pub struct Counter(pub fn(&mut dyn FnMut()) -> Count);

/// Allocations of some work.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    pub allocations: u64,
    /// Bytes that are still allocated afterwards.
    pub live: i64,
}

impl Counter {
    /// Returns what the work made, and the bytes that it holds.
    pub fn live<T>(self, work: impl FnOnce() -> T) -> (f64, T) {
        let (mut work, mut made) = (Some(work), None);
        let count = self.0(&mut || made = work.take().map(|work| work()));
        (count.live as f64, made.expect("the counter does the work"))
    }

    /// Returns the number of allocations of the work, of which one call goes before uncounted.
    pub fn allocations<T>(self, mut work: impl FnMut() -> T) -> f64 {
        black_box(work());
        let count = self.0(&mut || {
            black_box(work());
        });
        count.allocations as f64
    }
}
