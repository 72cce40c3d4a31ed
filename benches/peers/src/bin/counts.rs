//! The rows that need an allocator that counts, as JSON.

use peers::measure::{Count, Counter, Effort};
use peers::rows::counts::counts;

fn main() -> anyhow::Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rows = counts(Effort { quick, huge: false }, Counter(measure));
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}

fn measure(work: &mut dyn FnMut()) -> Count {
    let counted = allocation_counter::measure(work);
    Count { allocations: counted.count_total, live: counted.bytes_current }
}
