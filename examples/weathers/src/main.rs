//! The proving ground: labhook's defaults and six other policies, through every weather.
//!
//! `cargo run --release -p weathers -- [--quick] [--json] [--svg picture.svg] [--draw 200]`
//!
//! Each weather is a receiver, a load and an end. labhook runs in its simulator, with a real outbox
//! and the default policy; the others run in a small engine against the same receiver. Goodput is
//! the good messages that were delivered by the end, in % of those of an oracle that knows the
//! receiver. labhook must reach a bar in each class of weather, or the exit code is 1.

mod bars;
mod colour;
mod contest;
mod draw;
mod engine;
mod measure;
mod picture;
mod policies;
mod policy;
mod table;
mod tally;
mod weather;
mod weathers;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::contest::{Row, groups};
use crate::policy::Name;
use crate::weather::Weather;

/// A quick run leaves out the weathers with more messages, and takes this number of each class.
const QUICK_MESSAGES: u64 = 250_000;
const QUICK_OF_CLASS: usize = 2;

/// Drives labhook's defaults and six other policies through every weather.
#[derive(Parser)]
struct Options {
    /// Prints one line of JSON per weather and policy instead of the table.
    #[arg(long)]
    json: bool,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Runs two weathers of each class with one seed.
    #[arg(long)]
    quick: bool,
    /// Runs only the weathers whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Runs only this policy, beside the oracle; may be repeated.
    #[arg(long)]
    policy: Vec<Name>,
    /// Runs this number of random weathers, drawn from the seed, instead of the catalogue.
    #[arg(long)]
    draw: Option<u64>,
    /// Writes the picture to this file.
    #[arg(long)]
    svg: Option<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::parse();
    let policies: Vec<Name> = match options.policy.as_slice() {
        [] => Name::ALL.to_vec(),
        some => Name::ALL.into_iter().filter(|name| some.contains(name)).collect(),
    };
    let weathers = weathers(&options);
    anyhow::ensure!(!weathers.is_empty(), "no weather's name contains `{}`", options.only);
    let rows = contest::hold(&weathers, &policies);
    if let Some(path) = &options.svg {
        svg::save(path, &picture::picture(&rows))?;
    }
    let shown = |row: &&Row| policies.contains(&row.name);
    if options.json {
        for row in rows.iter().filter(shown) {
            println!("{}", serde_json::to_string(row)?);
        }
        return Ok(exit(&rows));
    }
    if options.draw.is_some() {
        draw::summarise(&rows, &policies);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", table::table(&rows, &policies));
    println!("goodput in % of the oracle's / failed requests in % of all; the mean of all seeds");
    let broken = table::broken(&rows);
    if policies.contains(&Name::Labhook) {
        let runs = rows.iter().filter(|row| row.holds.is_some()).count();
        let weathers = groups(&rows).len();
        println!("{weathers} weathers, {runs} runs with a bar, {} below it", broken.len());
        broken.iter().for_each(|line| println!("  {line}"));
    }
    Ok(exit(&rows))
}

fn exit(rows: &[Row]) -> ExitCode {
    let broken = rows.iter().any(|row| row.holds == Some(false));
    if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The weathers to run, and the seeds of each.
fn weathers(options: &Options) -> Vec<(Weather, Vec<u64>)> {
    if let Some(number) = options.draw {
        return draw::draw(options.seed, number);
    }
    let mut all = weathers::all();
    all.retain(|weather| weather.full_name().contains(&options.only));
    if options.quick {
        all.retain(|weather| weather.messages() <= QUICK_MESSAGES);
        let classes = all.iter().map(|weather| weather.class).collect::<Vec<_>>();
        let mut index = 0;
        all.retain(|weather| {
            let first = classes.partition_point(|class| *class < weather.class);
            index += 1;
            index - 1 - first < QUICK_OF_CLASS
        });
    }
    all.into_iter()
        .map(|weather| {
            let seeds = if options.quick { 1 } else { weather.seeds };
            let seeds = (0..seeds).map(|number| options.seed + number).collect();
            (weather, seeds)
        })
        .collect()
}
