//! The results as a table in the terminal.

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, Table};

use crate::contest::{Group, Row, groups};
use crate::policy::Name;

/// One row per weather: goodput and failed requests of each policy, and labhook's other figures.
pub fn table(rows: &[Row], policies: &[Name]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    let mut header = vec!["weather".to_owned(), "load".to_owned()];
    header.extend(policies.iter().map(|name| name.as_str().to_owned()));
    let with_labhook = policies.contains(&Name::Labhook);
    if with_labhook {
        let figures = ["p50", "p99", "while down", "first success", "peak", "held back", "bar"];
        header.extend(figures.map(str::to_owned));
    }
    let columns = header.len();
    table.set_header(header);
    let groups = groups(rows);
    for group in &groups {
        let mut cells = vec![group.weather.to_owned(), group.load.to_owned()];
        cells.extend(policies.iter().map(|name| result(group, *name)));
        if with_labhook {
            cells.extend(figures(group));
        }
        table.add_row(cells.into_iter().map(Cell::new));
    }
    for column in 1..columns - usize::from(with_labhook) {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Goodput in % of the oracle's, and failed requests in % of all.
fn result(group: &Group<'_>, name: Name) -> String {
    let Some(goodput) = group.mean(name, |row| row.goodput) else { return String::new() };
    let failed = group.mean(name, |row| row.failed).unwrap_or(0.0);
    // Only what is complete is 100.
    let goodput = if goodput < 100.0 { goodput.min(99.9) } else { goodput };
    if goodput > 99.0 && goodput < 100.0 {
        format!("{goodput:.1} / {failed:.0}")
    } else {
        format!("{goodput:.0} / {failed:.0}")
    }
}

fn figures(group: &Group<'_>) -> Vec<String> {
    let rows: Vec<_> = group.of(Name::Labhook).collect();
    let most = |value: fn(&Row) -> Option<u64>| rows.iter().filter_map(|row| value(row)).max();
    let millis = |it: Option<u64>| it.map_or(String::new(), duration);
    let seconds = |it: Option<u64>| it.map_or(String::new(), |it| duration(it * 1_000));
    let count =
        |it: Option<u64>| it.filter(|it| *it > 0).map_or(String::new(), |it| it.to_string());
    let mut broken: Vec<_> = rows.iter().flat_map(|row| row.broken.iter().cloned()).collect();
    broken.dedup();
    let bar = match rows.first() {
        Some(row) if row.bar.is_none() => "none".to_owned(),
        Some(_) if broken.is_empty() => "holds".to_owned(),
        _ => format!("BROKEN: {}", broken.join(", ")),
    };
    vec![
        millis(most(|row| row.p50_ms)),
        millis(most(|row| row.p99_ms)),
        count(most(|row| Some(row.while_down))),
        seconds(most(|row| row.first_success_s)),
        count(most(|row| Some(row.peak))),
        seconds(most(|row| row.held_back_s).filter(|it| *it > 0)),
        bar,
    ]
}

/// A duration in its largest unit.
fn duration(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..10_000 => format!("{:.1} s", millis as f64 / 1e3),
        10_000..120_000 => format!("{} s", millis / 1_000),
        120_000..7_200_000 => format!("{} min", millis / 60_000),
        _ => format!("{:.1} h", millis as f64 / 3.6e6),
    }
}

/// What broke a bar, one line each.
pub fn broken(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .filter(|row| !row.broken.is_empty())
        .map(|row| {
            let Row { weather, load, seed, bar, broken, .. } = row;
            let bar = bar.as_deref().unwrap_or_default();
            format!("{weather}, {load}, seed {seed}: {} (bar: {bar})", broken.join(", "))
        })
        .collect()
}
