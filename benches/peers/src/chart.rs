//! The chart: what labhook costs against the least, and what its peers cost against labhook.

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
const LEFT: f64 = 330.0;
const RIGHT: f64 = WIDTH - 60.0;
const LINE: f64 = 17.0;

/// One bar.
struct Bar {
    name: String,
    value: f64,
    colour: &'static str,
}

/// Bars on one logarithmic scale.
struct Panel {
    title: &'static str,
    bars: Vec<Bar>,
    unit: &'static str,
    /// Where a bar has no length.
    origin: f64,
}

/// Draws the rows that have a ratio, and the bytes of a pending delivery.
pub fn chart(rows: &[Row]) -> Document {
    let of_unit = |unit: Unit, colour| {
        let rows = rows.iter().filter(move |row| row.unit == unit && is_drawn(row));
        rows.flat_map(move |row| bars(row, colour)).collect::<Vec<_>>()
    };
    let bytes =
        rows.iter().filter(|row| row.unit == Unit::Bytes && row.work.contains("live bytes"));
    let bytes = bytes.flat_map(|row| {
        let is_peer = row.work.contains("tokio");
        bars(row, if is_peer { THEIRS } else { OURS })
    });
    let panels = [
        Panel {
            title: "labhook's cost, in units of the least that the work could be",
            bars: of_unit(Unit::Times, OURS),
            unit: "x",
            origin: 1.0,
        },
        Panel {
            title: "What others cost, in units of labhook",
            bars: of_unit(Unit::TimesFaster, THEIRS),
            unit: "x",
            origin: 1.0,
        },
        Panel { title: "Memory", bars: bytes.collect(), unit: " B", origin: 10.0 },
    ];
    let mut document = Group::new();
    let mut y = 16.0;
    for panel in panels.iter().filter(|panel| !panel.bars.is_empty()) {
        y += 20.0;
        document = document.add(draw(panel, &mut y));
    }
    let background = Rectangle::new().set("width", WIDTH).set("height", y + 12.0);
    Document::new()
        .set("viewBox", (0, 0, WIDTH as i32, (y + 12.0) as i32))
        .set("width", WIDTH)
        .set("height", y + 12.0)
        .set("font-family", FONT)
        .add(background.set("fill", "#ffffff").set("rx", 6))
        .add(document)
}

/// The worst calls have another scale, and the simulator no peer.
fn is_drawn(row: &Row) -> bool {
    let other = ["worst single call", "plan_replay", "simulate", "instructions"];
    !other.iter().any(|work| row.work.contains(work))
}

fn bars(row: &Row, colour: &'static str) -> Vec<Bar> {
    let name = |case: &str| match case {
        "" => row.work.clone(),
        case => format!("{}: {case}", row.work),
    };
    let bar = |(case, value): &(String, f64)| Bar { name: name(case), value: *value, colour };
    row.cases.iter().map(bar).collect()
}

fn draw(panel: &Panel, y: &mut f64) -> Group {
    let most = panel.bars.iter().map(|bar| bar.value).fold(panel.origin * 10.0, f64::max);
    let least = panel.bars.iter().map(|bar| bar.value).fold(panel.origin, f64::min);
    let (from, to) = (least.log10().min(panel.origin.log10()), most.log10());
    let x = |value: f64| LEFT + (value.log10() - from) / (to - from) * (RIGHT - LEFT);
    let mut group = Group::new().add(text(panel.title, 16.0, *y, 13, INK).set("font-weight", 700));
    *y += 10.0;
    let (top, bottom) = (*y, *y + panel.bars.len() as f64 * LINE);
    let ticks = (-1..6).flat_map(|power| [1.0, 2.0, 5.0].map(|it| it * 10_f64.powi(power)));
    for tick in ticks.filter(|tick| (from..=to).contains(&tick.log10())) {
        let rule =
            Line::new().set("x1", x(tick)).set("x2", x(tick)).set("y1", top).set("y2", bottom);
        let is_origin = tick == panel.origin && panel.unit == "x";
        let label =
            text(&format!("{}{}", show(tick), panel.unit), x(tick), bottom + 12.0, 9, FAINT);
        group = group
            .add(rule.set("stroke", if is_origin { INK } else { RULE }))
            .add(label.set("text-anchor", "middle"));
    }
    for bar in &panel.bars {
        let (start, end) = (x(panel.origin.min(bar.value)), x(panel.origin.max(bar.value)));
        let shape = Rectangle::new().set("x", start).set("y", *y + 3.0).set("height", LINE - 6.0);
        let name = text(&bar.name, LEFT - 8.0, *y + 12.5, 11, INK).set("text-anchor", "end");
        let value = format!("{}{}", show(bar.value), panel.unit);
        group = group
            .add(shape.set("width", (end - start).max(1.0)).set("fill", bar.colour))
            .add(name)
            .add(text(&value, end + 4.0, *y + 12.5, 10, FAINT));
        *y += LINE;
    }
    *y += 18.0;
    group
}

fn text(content: &str, x: f64, y: f64, size: u32, colour: &str) -> Text {
    Text::new(content).set("x", x).set("y", y).set("font-size", size).set("fill", colour)
}
