//! The chart: labhook against the least that the work could be, and its peers against labhook.

use svg::Document;
use svg::node::element::{Group, Line, Rectangle, Text};

use crate::row::{Row, Unit, show};

const FONT: &str = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif";
const INK: &str = "#1f2933";
const FAINT: &str = "#66727f";
const RULE: &str = "#d5dbe1";
const OURS: &str = "#2171b5";
const THEIRS: &str = "#d9730d";

const WIDTH: f64 = 830.0;
/// Where the bars start.
const LEFT: f64 = 300.0;
const RIGHT: f64 = WIDTH - 60.0;
const LINE: f64 = 17.0;

/// Rows on one scale: logarithmic for ratios, and linear for bytes.
struct Panel<'a> {
    title: &'static str,
    rows: Vec<&'a Row>,
    unit: &'static str,
    scale: fn(f64) -> f64,
    /// Where a bar has no length.
    origin: f64,
}

/// Draws the rows that have a short name.
pub fn chart(rows: &[Row]) -> Document {
    let of = |unit: Unit| {
        rows.iter().filter(|row| row.unit == unit && row.short.is_some()).collect::<Vec<_>>()
    };
    let least = "What labhook costs, in units of a baseline (1x)";
    let others = "What others cost, in units of labhook (1x)";
    let bytes = "Bytes in memory";
    let panels = [
        Panel { title: least, rows: of(Unit::Times), unit: "x", scale: f64::log10, origin: 1.0 },
        Panel {
            title: others,
            rows: of(Unit::TimesFaster),
            unit: "x",
            scale: f64::log10,
            origin: 1.0,
        },
        Panel {
            title: bytes,
            rows: of(Unit::Bytes),
            unit: " B",
            scale: |bytes| bytes,
            origin: 0.0,
        },
    ];
    let mut content = Group::new();
    let mut y = 8.0;
    for panel in panels.iter().filter(|panel| !panel.rows.is_empty()) {
        y += 22.0;
        content = content.add(draw(panel, &mut y));
    }
    let height = y + 10.0;
    let background = Rectangle::new().set("width", WIDTH).set("height", height);
    Document::new()
        .set("viewBox", (0, 0, WIDTH as i32, height as i32))
        .set("width", WIDTH)
        .set("height", height)
        .set("font-family", FONT)
        .add(background.set("fill", "#ffffff").set("rx", 6))
        .add(content)
}

fn draw(panel: &Panel<'_>, y: &mut f64) -> Group {
    let values = || panel.rows.iter().flat_map(|row| row.cases.iter().map(|(_, value)| *value));
    let most = values().fold(panel.origin + 9.0, f64::max);
    let least = values().fold(panel.origin, f64::min);
    let scale = panel.scale;
    let (from, to) = (scale(least), scale(most));
    let x = |value: f64| LEFT + (scale(value) - from) / (to - from) * (RIGHT - LEFT);
    let mut group = Group::new().add(text(panel.title, 16.0, *y, 13, INK).set("font-weight", 700));
    *y += 10.0;
    let bottom = *y + values().count() as f64 * LINE;
    let ticks = (-1..6).flat_map(|power| [1.0, 2.0, 5.0].map(|it| it * 10_f64.powi(power)));
    for tick in ticks
        .filter(|tick| (from..=to).contains(&scale(*tick)) && (panel.unit == "x" || *tick >= 100.0))
    {
        let rule =
            Line::new().set("x1", x(tick)).set("x2", x(tick)).set("y1", *y).set("y2", bottom);
        let is_origin = tick == panel.origin && panel.unit == "x";
        let label =
            text(&format!("{}{}", show(tick), panel.unit), x(tick), bottom + 12.0, 9, FAINT);
        group = group
            .add(rule.set("stroke", if is_origin { INK } else { RULE }))
            .add(label.set("text-anchor", "middle"));
    }
    for row in &panel.rows {
        let short = row.short.as_deref().unwrap_or_default();
        group = group.add(text(short, 16.0, *y + 12.5, 11, INK));
        let is_theirs = row.unit == Unit::TimesFaster || short.contains("tokio");
        for (case, value) in &row.cases {
            let (start, end) = (x(panel.origin.min(*value)), x(panel.origin.max(*value)));
            let bar = Rectangle::new().set("x", start).set("y", *y + 3.0).set("height", LINE - 6.0);
            let bar = bar.set("width", (end - start).max(1.0));
            let case = text(&case.replace('`', ""), LEFT - 8.0, *y + 12.5, 11, FAINT);
            let figure = format!("{}{}", show(*value), panel.unit);
            group = group
                .add(bar.set("fill", if is_theirs { THEIRS } else { OURS }))
                .add(case.set("text-anchor", "end"))
                .add(text(&figure, end + 4.0, *y + 12.5, 10, FAINT));
            *y += LINE;
        }
    }
    *y += 20.0;
    group
}

fn text(content: &str, x: f64, y: f64, size: u32, colour: &str) -> Text {
    Text::new(content).set("x", x).set("y", y).set("font-size", size).set("fill", colour)
}
