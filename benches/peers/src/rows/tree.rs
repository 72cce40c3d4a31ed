//! The number of crates.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::measure::Effort;
use crate::row::{Row, Unit};

/// The cargo that runs this, or the one in the path.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    cargo
}

pub fn crates(_: Effort) -> Vec<Row> {
    let arguments = ["tree", "-p", "labhook", "-e", "normal", "--prefix", "none"];
    let output = cargo().args(arguments).output();
    let output = output.expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let name = |line: &str| line.split(" (").next().map(str::to_owned);
    let crates: BTreeSet<_> = text.lines().filter_map(name).collect();
    let row = Row::new("crates with default features", "labhook among them", Unit::Crates);
    vec![row.one(crates.len() as f64)]
}
