mod engine;
mod policies;
mod policy;
mod tally;
fn main() {}
