//! The comparison in the terminal.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use labhook::simulate::{Point, Report};

use crate::format::{clock, end, grouped, rows as table_rows};
use crate::{Side, World};

const WIDTH: usize = 46;
const HEIGHT: usize = 7;
const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The highest value in each column's interval.
fn columns(report: &Report, end: Duration, value: impl Fn(&Point) -> u64) -> Vec<u64> {
    let width = report.series.width().as_secs();
    let column = |index: usize| {
        let second = |edge: usize| edge as u64 * end.as_secs() / WIDTH as u64;
        let (from, to) = (second(index) / width, second(index + 1).div_ceil(width));
        let points = report.series.points();
        let part = points.get(from as usize..points.len().min(to as usize)).unwrap_or_default();
        part.iter().map(&value).max().unwrap_or(0)
    };
    (0..WIDTH).map(column).collect()
}

/// The rows of a chart, the top one first.
fn rows(columns: &[u64], most: u64) -> Vec<String> {
    let eighths = |value: u64| (value * HEIGHT as u64 * 8).div_ceil(most.max(1)) as usize;
    let row = |row: usize| {
        let block = |value: &u64| BLOCKS[eighths(*value).saturating_sub(row * 8).min(8)];
        columns.iter().map(block).collect()
    };
    (0..HEIGHT).rev().map(row).collect()
}

/// The time axis, with the outage marked.
fn axis(world: &World, end: Duration) -> String {
    let (from, to) = world.down;
    let column = |index: usize| {
        let at = end.mul_f64((index as f64 + 0.5) / WIDTH as f64);
        if from <= at && at < to { '▒' } else { '─' }
    };
    (0..WIDTH).map(column).collect()
}

pub fn show(world: &World, sides: &[Side]) {
    let end = end(sides);
    println!(
        "{} events/s to a receiver that accepts {}/s and is down from {} to {} (▒)\n",
        world.events_per_second,
        world.capacity_per_second,
        clock(world.down.0),
        clock(world.down.1),
    );
    let heads: Vec<_> = sides.iter().map(|side| format!("{:WIDTH$}", side.name)).collect();
    println!("{:8}  {}", "", heads.join("  "));
    let abouts: Vec<_> = sides.iter().map(|side| format!("{:WIDTH$}", side.about)).collect();
    println!("{:8}  {}", "", abouts.join("  "));
    chart(world, sides, end, "requests/s", |point| point.peak_requests);
    chart(world, sides, end, "pending messages", |point| point.backlog);

    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    let names = sides.iter().map(|side| side.name.to_owned());
    table.set_header(std::iter::once(String::new()).chain(names));
    let numbers: Vec<_> = sides.iter().map(|side| table_rows(&side.report)).collect();
    let labels = numbers.iter().flatten().take(numbers.first().map_or(0, Vec::len));
    for (row, (label, _)) in labels.enumerate() {
        let values = numbers.iter().map(|side| side[row].1.replace('\u{202f}', " "));
        table.add_row(std::iter::once((*label).to_owned()).chain(values));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("\n{table}");
}

fn chart(world: &World, sides: &[Side], end: Duration, title: &str, value: impl Fn(&Point) -> u64) {
    let values: Vec<_> = sides.iter().map(|side| columns(&side.report, end, &value)).collect();
    let most = values.iter().flatten().copied().max().unwrap_or(0);
    let charts: Vec<_> = values.iter().map(|columns| rows(columns, most)).collect();
    println!("\n{:8}  {title}", "");
    for row in 0..HEIGHT {
        let label = if row == 0 { grouped(most).replace('\u{202f}', " ") } else { String::new() };
        let line: Vec<_> = charts.iter().map(|rows| rows[row].as_str()).collect();
        println!("{label:>8} │{}", line.join(" │"));
    }
    let axes: Vec<_> = sides.iter().map(|_| axis(world, end)).collect();
    println!("{:>8} └{}", "0", axes.join(" └"));
    let half = clock(end / 2);
    let clocks = format!("{:<w$}{half:^h$}{:>w$}", "0:00", clock(end), w = 20, h = WIDTH - 40);
    println!("{:8}  {clocks}  {clocks}", "");
}
