//! Attempts and backlog over time, a panel for each policy.

use std::time::Duration;

use labhook::simulate::{Point, Report};
use svg::Document;
use svg::node::element::{Group, Line, Polyline, Rectangle, Text};

use crate::load::show;

const FONT: &str = "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif";
const INK: &str = "#1f2933";
const FAINT: &str = "#66727f";
const RULE: &str = "#d5dbe1";
const FIRST: &str = "#2171b5";
const RETRY: &str = "#d9730d";
const OUTAGE: &str = "#f4e3d2";

const WIDTH: f64 = 830.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = WIDTH - 20.0;
const CHART: f64 = 90.0;
const PANEL: f64 = 2.0 * CHART + 100.0;
const TOP: f64 = 44.0;

/// A policy and how it went.
pub struct Panel<'a> {
    pub name: &'a str,
    pub report: &'a Report,
}

/// The place of a time on the axis that all panels share.
struct Axis {
    end: f64,
}

impl Axis {
    fn x(&self, time: Duration) -> f64 {
        LEFT + (time.as_secs_f64() / self.end).min(1.0) * (RIGHT - LEFT)
    }
}

/// Draws the panels one below the other.
pub fn draw(panels: &[Panel<'_>], outages: &[(Duration, Duration)]) -> Document {
    let end = panels.iter().map(|panel| panel.report.ended_at).max().unwrap_or_default();
    let axis = Axis { end: end.as_secs_f64().max(1.0) };
    let height = TOP + PANEL * panels.len() as f64;
    let background = Rectangle::new().set("width", WIDTH).set("height", height);
    let mut document = Document::new()
        .set("viewBox", (0, 0, WIDTH, height))
        .set("width", WIDTH)
        .set("height", height)
        .set("font-family", FONT)
        .add(background.set("fill", "#ffffff").set("rx", 6))
        .add(legend());
    for (index, panel) in panels.iter().enumerate() {
        document = document.add(draw_panel(panel, outages, &axis, TOP + PANEL * index as f64));
    }
    document
}

fn legend() -> Group {
    let marks =
        [("first attempts", FIRST), ("retries", RETRY), ("outage", OUTAGE), ("backlog", INK)];
    let mut group = Group::new();
    for (index, (name, colour)) in marks.into_iter().enumerate() {
        let x = LEFT + 120.0 * index as f64;
        let mark = Rectangle::new().set("x", x).set("y", 16.0).set("width", 11).set("height", 11);
        group = group.add(mark.set("fill", colour)).add(text(name, x + 16.0, 26.0, FAINT));
    }
    group
}

fn draw_panel(panel: &Panel<'_>, outages: &[(Duration, Duration)], axis: &Axis, top: f64) -> Group {
    let series = &panel.report.series;
    let points = series.points();
    let title = text(panel.name, 16.0, top + 14.0, INK).set("font-weight", 700);
    let (attempts, backlog) = (top + 24.0, top + CHART + 48.0);
    let mut group = Group::new().add(title);
    for (from, to) in outages {
        for y in [attempts, backlog] {
            let (left, right) = (axis.x(*from), axis.x(*to));
            let shade = Rectangle::new().set("x", left).set("y", y).set("height", CHART);
            group = group.add(shade.set("width", (right - left).max(1.0)).set("fill", OUTAGE));
        }
    }
    let most = |value: fn(&Point) -> u64| points.iter().map(value).max().unwrap_or(0).max(1);
    let (most_attempts, most_backlog) = (most(attempts_of), most(|it| it.backlog));
    let per = format!("attempts per {}", show(series.width()));
    group = group.add(frame(attempts, &per, most_attempts)).add(frame(
        backlog,
        "backlog",
        most_backlog,
    ));
    let scale = |value: u64, most: u64| value as f64 / most as f64 * CHART;
    let mut line = Vec::new();
    for (index, point) in points.iter().enumerate() {
        let (left, right) =
            (axis.x(series.width() * index as u32), axis.x(series.width() * (index as u32 + 1)));
        let first = scale(point.first_attempts, most_attempts);
        let retries = scale(point.retries, most_attempts);
        for (height, above, colour) in [(first, 0.0, FIRST), (retries, first, RETRY)] {
            if height > 0.0 {
                let y = attempts + CHART - above - height;
                let bar = Rectangle::new().set("x", round(left)).set("y", round(y));
                let bar = bar.set("width", round((right - left).max(0.5)));
                group = group.add(bar.set("height", round(height)).set("fill", colour));
            }
        }
        let y = round(backlog + CHART - scale(point.backlog, most_backlog));
        line.extend([format!("{},{y}", round(left)), format!("{},{y}", round(right))]);
    }
    let line = Polyline::new().set("points", line.join(" ")).set("fill", "none");
    group = group.add(line.set("stroke", INK).set("stroke-width", 1.5));
    for quarter in 0..=4 {
        let at = Duration::from_secs_f64((axis.end * f64::from(quarter) / 4.0).round());
        let label = text(&show(at), axis.x(at), backlog + CHART + 15.0, FAINT);
        group = group.add(label.set("text-anchor", if quarter == 4 { "end" } else { "middle" }));
    }
    group
}

fn attempts_of(point: &Point) -> u64 {
    point.first_attempts + point.retries
}

/// The axes of a chart: its name, its most, and its ground line.
fn frame(top: f64, name: &str, most: u64) -> Group {
    let ground = Line::new().set("x1", LEFT).set("x2", RIGHT).set("stroke", RULE);
    let most = text(&most.to_string(), LEFT - 6.0, top + 9.0, FAINT).set("text-anchor", "end");
    let zero = text("0", LEFT - 6.0, top + CHART, FAINT).set("text-anchor", "end");
    Group::new()
        .add(ground.set("y1", top + CHART).set("y2", top + CHART))
        .add(most)
        .add(zero)
        .add(text(name, LEFT + 4.0, top - 3.0, FAINT))
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn text(content: &str, x: f64, y: f64, colour: &str) -> Text {
    Text::new(content)
        .set("x", round(x))
        .set("y", round(y))
        .set("font-size", 11)
        .set("fill", colour)
}
