//! Prints the table, and draws the chart.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand};
use peers::measure::Effort;
use peers::row::Row;
use peers::rows::{
    decode, inbox, loopback, outbox, publish, replay, restore, signature, simulate, tree, worst,
};
use peers::{chart, instructions, table};

/// Measures labhook against its peers, and against the least that the machine could do.
///
/// Each ratio is the median of short turns of both sides, in CPU time of one thread.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// Only these rows, separated by commas; `--rows list` lists them.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<String>,
    /// Small sizes and few rounds: some seconds, and figures that mean little.
    #[arg(long)]
    quick: bool,
    /// Also 10 million pending deliveries, and a whole day of simulation, however long it takes.
    #[arg(long, conflicts_with = "quick")]
    huge: bool,
    /// Reads the rows from a file that `--json` wrote, and measures nothing.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Writes the rows to a file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draws the chart into an SVG file.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Part {
    /// Runs under valgrind.
    #[command(hide = true)]
    Instructions { pending: usize },
}

type Measure = fn(Effort) -> Vec<Row>;

/// The rows, in the order of the table.
const ROWS: [(&str, Measure); 17] = [
    ("verify", signature::verify),
    ("verify-peers", signature::verify_peers),
    ("sign", signature::sign),
    ("decode", decode::decode),
    ("retry", outbox::retry),
    ("instructions", instructions::growth),
    ("first", outbox::first),
    ("counts", counts),
    ("publish", publish::publish),
    ("restore", restore::restore),
    ("records", publish::records),
    ("simulate", simulate::simulate),
    ("worst", worst::worst),
    ("replay", replay::plan),
    ("inbox", inbox::inbox),
    ("loopback", loopback::loopback),
    ("crates", tree::crates),
];

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let Some(Part::Instructions { pending }) = arguments.part {
        instructions::run(pending);
        return Ok(());
    }
    let names = || ROWS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(",");
    if arguments.rows == ["list"] {
        println!("{}", names());
        return Ok(());
    }
    for name in &arguments.rows {
        ensure!(ROWS.iter().any(|(row, _)| row == name), "no row `{name}`, only {}", names());
    }
    let rows = match &arguments.from {
        Some(file) => serde_json::from_slice(&fs::read(file)?)?,
        None => measure(&arguments),
    };
    print!("{}", table::markdown(&rows));
    if let Some(file) = arguments.json {
        fs::write(file, serde_json::to_vec_pretty(&rows)?)?;
    }
    if let Some(file) = arguments.chart {
        svg::save(file, &chart::chart(&rows))?;
    }
    Ok(())
}

fn measure(arguments: &Arguments) -> Vec<Row> {
    let effort = Effort { quick: arguments.quick, huge: arguments.huge };
    let mut rows = Vec::new();
    for (name, measure) in ROWS {
        if arguments.rows.is_empty() || arguments.rows.iter().any(|row| row == name) {
            eprintln!("{name}");
            rows.extend(measure(effort));
        }
    }
    rows
}

/// Runs the binary whose allocator counts, because counting would cost this one time.
fn counts(effort: Effort) -> Vec<Row> {
    run_counts(effort).unwrap_or_else(|error| {
        eprintln!("skipped: counts, because {error:#}");
        Vec::new()
    })
}

fn run_counts(effort: Effort) -> anyhow::Result<Vec<Row>> {
    let mut cargo = tree::cargo();
    cargo.args(["run", "--quiet", "--release", "-p", "peers", "--bin", "counts", "--"]);
    cargo.args(effort.quick.then_some("--quick")).stderr(Stdio::inherit());
    let output = cargo.output().context("cargo does not run")?;
    ensure!(output.status.success(), "the binary `counts` fails");
    Ok(serde_json::from_slice(&output.stdout)?)
}
