//! The comparison as an SVG.

use std::time::Duration;

use labhook::health::State;
use labhook::simulate::{Point, Report};
use svg::Document;
use svg::node::element::path::Data;
use svg::node::element::{Circle, Group, Line, Path, Rectangle, Text};

use crate::format::{axis_step, clock, end, grouped, long};
use crate::{Side, World};

const WIDTH: f64 = 1_200.0;
const HEIGHT: f64 = 800.0;
const LEFT: f64 = 92.0;
const GAP: f64 = 44.0;
const RIGHT: f64 = 40.0;
const PANEL: f64 = (WIDTH - LEFT - GAP - RIGHT) / 2.0;

const INK: &str = "#1f2933";
const SOFT: &str = "#66727f";
const GRID: &str = "#e4e8ec";
const BAND: &str = "#f6ead9";
const BAND_INK: &str = "#a9722a";
const FIRST_ATTEMPTS: &str = "#2f6f9f";
const RETRIES: &str = "#d4574e";
const PENDING: &str = "#6f5b9a";

/// A chart's place in the drawing, and its scales.
#[derive(Clone, Copy)]
struct Panel {
    left: f64,
    top: f64,
    height: f64,
    end: f64,
    most: f64,
}

impl Panel {
    fn x(&self, seconds: f64) -> f64 {
        self.left + (seconds / self.end).min(1.0) * PANEL
    }

    fn y(&self, value: f64) -> f64 {
        self.top + self.height * (1.0 - (value / self.most).min(1.0))
    }

    /// The area under a stepped line, between two values of each point.
    fn area(
        &self,
        report: &Report,
        low: impl Fn(&Point) -> f64,
        high: impl Fn(&Point) -> f64,
    ) -> Path {
        let width = report.series.width().as_secs_f64();
        let ended = report.ended_at.as_secs_f64();
        let edge = |index: usize| self.x((index as f64 * width).min(ended));
        let points = report.series.points();
        let top = points.iter().map(|point| round(self.y(high(point)))).enumerate();
        let bottom = points.iter().map(|point| round(self.y(low(point)))).enumerate();
        let top = top.flat_map(|(index, y)| [(edge(index), y), (edge(index + 1), y)]);
        let bottom = bottom.flat_map(|(index, y)| [(edge(index), y), (edge(index + 1), y)]);
        let corners: Vec<_> = top.chain(bottom.rev()).map(|(x, y)| (round(x), y)).collect();
        let mut data = Data::new().move_to(corners[0]);
        for (index, &(x, y)) in corners.iter().enumerate().skip(1) {
            // A corner within a horizontal line is redundant.
            let level = corners.get(index + 1).is_some_and(|next| next.1 == y);
            if corners[index - 1].1 != y || !level {
                data = data.line_to((x, y));
            }
        }
        Path::new().set("d", data.close())
    }
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn text(content: impl Into<String>, x: f64, y: f64, size: u32, colour: &str) -> Text {
    let text = Text::new(content).set("x", round(x)).set("y", round(y));
    text.set("font-size", size).set("fill", colour)
}

fn line(from: (f64, f64), to: (f64, f64), colour: &str) -> Line {
    let line = Line::new().set("x1", round(from.0)).set("y1", round(from.1));
    line.set("x2", round(to.0)).set("y2", round(to.1)).set("stroke", colour)
}

pub fn draw(world: &World, sides: &[Side]) -> Document {
    let end = end(sides).as_secs_f64();
    let rate = |point: &Point, report: &Report| {
        (point.first_attempts + point.retries) as f64 / report.series.width().as_secs_f64()
    };
    let most = |value: &dyn Fn(&Point, &Report) -> f64| {
        let of = |side: &Side| {
            side.report.series.points().iter().map(|it| value(it, &side.report)).fold(0.0, f64::max)
        };
        let most = sides.iter().map(of).fold(1.0, f64::max);
        let step = axis_step(most * 1.12);
        (most * 1.12 / step).ceil() * step
    };
    let requests_most = most(&rate);
    let backlog_most = most(&|point, _| point.backlog as f64);

    let mut document = Document::new()
        .set("viewBox", (0, 0, WIDTH, HEIGHT))
        .set("width", WIDTH)
        .set("height", HEIGHT)
        .set("font-family", "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif")
        .add(Rectangle::new().set("width", WIDTH).set("height", HEIGHT).set("fill", "#ffffff"))
        .add(text("Two policies through a half-hour outage", LEFT, 46.0, 25, INK).set("font-weight", 700))
        .add(text(
            format!(
                "{} events/s go to a receiver that accepts {}/s and refuses connections from {} to {}",
                world.events_per_second,
                world.capacity_per_second,
                clock(world.down.0),
                clock(world.down.1)
            ),
            LEFT,
            72.0,
            14,
            SOFT,
        ));
    let legend = [
        (0.0, FIRST_ATTEMPTS, "first attempts"),
        (116.0, RETRIES, "retries"),
        (186.0, PENDING, "pending"),
    ];
    for (offset, colour, name) in legend {
        let left = WIDTH - RIGHT - 252.0 + offset;
        let swatch = Rectangle::new().set("x", left).set("y", 36).set("width", 11);
        let swatch = swatch.set("height", 11).set("rx", 2).set("fill", colour);
        document = document.add(swatch).add(text(name, left + 17.0, 46.0, 13, INK));
    }
    for (index, side) in sides.iter().enumerate() {
        let left = LEFT + index as f64 * (PANEL + GAP);
        let upper = Panel { left, top: 172.0, height: 230.0, end, most: requests_most };
        let lower = Panel { left, top: 458.0, height: 170.0, end, most: backlog_most };
        document = document
            .add(text(side.name, left, 122.0, 18, INK).set("font-weight", 700))
            .add(text(side.about, left, 143.0, 13, SOFT))
            .add(requests(world, side, &upper, index == 0))
            .add(backlog(world, side, &lower, index == 0))
            .add(numbers(side, left, 690.0));
    }
    document
}

/// The background of a panel: the outage, the grid and the axes.
fn background(world: &World, panel: &Panel, labelled: bool, title: &str) -> Group {
    let bottom = panel.top + panel.height;
    let (from, to) = (world.down.0.as_secs_f64(), world.down.1.as_secs_f64());
    let band = Rectangle::new()
        .set("x", round(panel.x(from)))
        .set("y", panel.top)
        .set("width", round(panel.x(to) - panel.x(from)))
        .set("height", panel.height)
        .set("fill", BAND);
    let mut group = Group::new().add(band);
    let step = axis_step(panel.most);
    let steps = (panel.most / step).round() as u32;
    for value in (0..=steps).map(|n| f64::from(n) * step) {
        let y = panel.y(value);
        let colour = if value == 0.0 { SOFT } else { GRID };
        group = group.add(line((panel.left, y), (panel.left + PANEL, y), colour));
        if labelled {
            let label = text(grouped(value as u64), panel.left - 10.0, y + 4.0, 12, SOFT);
            group = group.add(label.set("text-anchor", "end"));
        }
    }
    let every = if panel.end > 4.0 * 3_600.0 { 3_600 } else { 1_800 };
    for seconds in (0..=panel.end as u64).step_by(every) {
        let x = panel.x(seconds as f64);
        group = group.add(line((x, bottom), (x, bottom + 5.0), SOFT)).add(
            text(clock(Duration::from_secs(seconds)), x, bottom + 19.0, 12, SOFT)
                .set("text-anchor", "middle"),
        );
    }
    if labelled {
        let (x, y) = (LEFT - 62.0, panel.top + panel.height / 2.0);
        let turned = format!("rotate(-90 {x} {y})");
        let label = text(title, x, y, 13, INK).set("text-anchor", "middle");
        group = group.add(label.set("transform", turned));
    }
    group
}

fn requests(world: &World, side: &Side, panel: &Panel, labelled: bool) -> Group {
    let report = &side.report;
    let width = report.series.width().as_secs_f64();
    let first_attempts = move |point: &Point| point.first_attempts as f64 / width;
    let all = move |point: &Point| (point.first_attempts + point.retries) as f64 / width;
    let middle = panel.x((world.down.0 + world.down.1).as_secs_f64() / 2.0);
    let capacity = f64::from(world.capacity_per_second);
    let mut group = background(world, panel, labelled, "requests/s")
        .add(
            text("receiver down", middle, panel.top + 18.0, 12, BAND_INK)
                .set("text-anchor", "middle")
                .set("font-weight", 600),
        )
        .add(panel.area(report, first_attempts, all).set("fill", RETRIES))
        .add(panel.area(report, |_| 0.0, first_attempts).set("fill", FIRST_ATTEMPTS));
    let y = panel.y(capacity);
    group = group.add(
        line((panel.left, y), (panel.left + PANEL, y), INK)
            .set("stroke-dasharray", "4 3")
            .set("stroke-width", 1),
    );
    // At the end of the line that is farther from the peak.
    let late = highest(report, all).is_some_and(|(seconds, _)| seconds > panel.end / 2.0);
    let (x, anchor) = if late { (panel.left + 4.0, "start") } else { (panel.left + PANEL, "end") };
    let label = format!("capacity {}/s", world.capacity_per_second);
    group = group.add(text(label, x, y - 6.0, 12, INK).set("text-anchor", anchor));
    group = unhealthy(group, panel, report);
    peak(group, panel, report, all, |value| {
        format!("peak {}/s", grouped(report.peak_requests.max(value as u64)))
    })
}

fn backlog(world: &World, side: &Side, panel: &Panel, labelled: bool) -> Group {
    let report = &side.report;
    let value = |point: &Point| point.backlog as f64;
    let mut group = background(world, panel, labelled, "pending messages")
        .add(panel.area(report, |_| 0.0, value).set("fill", PENDING));
    let bottom = panel.top + panel.height;
    group = group.add(
        text("time since the start (h:mm)", panel.left + PANEL / 2.0, bottom + 40.0, 12, SOFT)
            .set("text-anchor", "middle"),
    );
    peak(group, panel, report, value, |value| format!("{} pending", grouped(value as u64)))
}

/// The time and value of the highest point.
fn highest(report: &Report, value: impl Fn(&Point) -> f64) -> Option<(f64, f64)> {
    let width = report.series.width().as_secs_f64();
    let points = report.series.points().iter().map(value).enumerate();
    let (index, highest) = points.max_by(|a, b| a.1.total_cmp(&b.1))?;
    Some(((index as f64 + 0.5) * width, highest))
}

/// Labels the highest point.
fn peak(
    group: Group,
    panel: &Panel,
    report: &Report,
    value: impl Fn(&Point) -> f64,
    label: impl Fn(f64) -> String,
) -> Group {
    let Some((seconds, value)) = highest(report, value) else { return group };
    let (x, y) = (panel.x(seconds), panel.y(value));
    let (offset, anchor) =
        if x > panel.left + PANEL * 0.7 { (-2.0, "end") } else { (8.0, "start") };
    let label = text(label(value), x + offset, y - 8.0, 13, INK).set("font-weight", 600);
    let dot = Circle::new().set("cx", round(x)).set("cy", round(y)).set("r", 3).set("fill", INK);
    group.add(dot).add(label.set("text-anchor", anchor))
}

/// Marks above a panel when the endpoint was not healthy.
fn unhealthy(mut group: Group, panel: &Panel, report: &Report) -> Group {
    for (index, (from, state)) in report.states.iter().enumerate() {
        if *state == State::Healthy {
            continue;
        }
        let to = report.states.get(index + 1).map_or(report.ended_at, |(at, _)| *at);
        let (left, right) = (panel.x(from.as_secs_f64()), panel.x(to.as_secs_f64()));
        let bar = Rectangle::new().set("x", round(left)).set("y", panel.top - 13.0);
        let bar = bar.set("width", round(right - left)).set("height", 4).set("fill", BAND_INK);
        let label = format!("{state} from {} to {}", clock(*from), clock(to));
        group = group
            .add(bar)
            .add(text(label, right + 8.0, panel.top - 7.0, 12, BAND_INK).set("font-weight", 600));
    }
    group
}

/// The numbers under a side.
fn numbers(side: &Side, left: f64, top: f64) -> Group {
    let report = &side.report;
    let drained = report.recovery.and_then(|it| it.drained_after).map_or("never".to_owned(), long);
    let longest = report.latency.map_or("none".to_owned(), |it| long(it.max));
    let numbers = [
        (grouped(report.attempts), "attempts"),
        (grouped(report.overloaded), "refused with 429"),
        (drained, "to drain backlog"),
        (longest, "maximum latency"),
    ];
    let mut group = Group::new().add(line((left, top), (left + PANEL, top), GRID));
    for (index, (number, label)) in numbers.into_iter().enumerate() {
        let x = left + PANEL / 4.0 * index as f64;
        group = group.add(text(number, x, top + 33.0, 16, INK).set("font-weight", 700)).add(text(
            label,
            x,
            top + 54.0,
            12,
            SOFT,
        ));
    }
    group
}
