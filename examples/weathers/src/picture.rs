//! The results as a picture: weathers down, policies across.

use svg::Document;
use svg::node::element::{Group as SvgGroup, Line, Rectangle, Text};

use crate::colour;
use crate::contest::{Group, Row, groups};
use crate::policy::Name;

const WIDTH: f64 = 830.0;
const MARGIN: f64 = 16.0;
const GAP: f64 = 22.0;
const PANEL: f64 = (WIDTH - 2.0 * MARGIN - GAP) / 2.0;

const CELL: f64 = 30.0;
const BAR: f64 = 4.0;
const COLUMN: f64 = CELL + BAR + 2.0;
const ROW: f64 = 15.0;
const CELL_HEIGHT: f64 = 13.0;
const HEADING: f64 = 25.0;
const COLUMN_HEADS: f64 = 46.0;

const INK: &str = "#1f2933";
const SOFT: &str = "#66727f";
const RULE: &str = "#dde3e9";
const WASTE: &str = "#d9730d";
/// The waste, in points, that fills a bar.
const FULL_WASTE: f64 = 50.0;

/// The policies of the picture: all but the oracle, which has 100 everywhere.
const SHOWN: [Name; 6] =
    [Name::Labhook, Name::Schedule, Name::Breaker, Name::Sre, Name::Aimd, Name::Gradient];

fn text(content: impl Into<String>, x: f64, y: f64, size: f64, colour: &str) -> Text {
    Text::new(content).set("x", x).set("y", y).set("font-size", size).set("fill", colour)
}

fn rectangle(x: f64, y: f64, width: f64, height: f64, fill: &str) -> Rectangle {
    let at = Rectangle::new().set("x", x).set("y", y);
    at.set("width", width).set("height", height).set("fill", fill)
}

pub fn picture(rows: &[Row]) -> Document {
    let groups = groups(rows);
    let classes: Vec<&[Group<'_>]> = groups.chunk_by(|a, b| a.class == b.class).collect();
    let (left, right) = classes.split_at(best_split(&classes));
    let (summary, summary_height) = summary(&groups, 84.0);
    let top = 84.0 + summary_height;
    let panels = [(left, MARGIN), (right, MARGIN + PANEL + GAP)];
    let height = panels.iter().map(|it| panel_height(it.0)).fold(0.0, f64::max);
    let bottom = (top + COLUMN_HEADS + height + MARGIN).ceil();
    let mut document = Document::new()
        .set("viewBox", (0, 0, WIDTH, bottom))
        .set("width", WIDTH)
        .set("height", bottom)
        .set("font-family", "Inter, 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif")
        .add(rectangle(0.0, 0.0, WIDTH, bottom, "#ffffff").set("rx", 6))
        .add(text("Who delivers in which weather", MARGIN, 32.0, 20.0, INK).set("font-weight", 700))
        .add(legend(58.0))
        .add(summary);
    for (classes, x) in panels {
        document = document.add(panel(classes, x, top));
    }
    document
}

/// The height of a panel's rows and headings.
fn panel_height(classes: &[&[Group<'_>]]) -> f64 {
    classes.iter().map(|groups| HEADING + ROW * groups.len() as f64).sum()
}

/// The number of classes in the left panel that makes the panels most alike.
fn best_split(classes: &[&[Group<'_>]]) -> usize {
    let higher = |split: &usize| {
        let (left, right) = classes.split_at(*split);
        panel_height(left).max(panel_height(right))
    };
    (0..=classes.len()).min_by(|a, b| higher(a).total_cmp(&higher(b))).unwrap_or(0)
}

/// What the colours and marks mean.
fn legend(y: f64) -> SvgGroup {
    let mut group = SvgGroup::new();
    let label = "Good messages delivered, in % of those of an oracle";
    group = group.add(text(label, MARGIN, y, 11.0, SOFT));
    let mut x = MARGIN + 316.0;
    for goodput in [100.0, 95.0, 80.0, 60.0, 40.0, 20.0, 0.0] {
        group = group.add(rectangle(x, y - 10.0, 24.0, CELL_HEIGHT, &colour::of(goodput)));
        let number = text(format!("{goodput:.0}"), x + 12.0, y, 9.0, colour::ink(goodput));
        group = group.add(number.set("text-anchor", "middle"));
        x += 24.0;
    }
    x += 14.0;
    group = group
        .add(rectangle(x, y - 10.0, BAR, CELL_HEIGHT, "#f4e3d2"))
        .add(rectangle(x, y - 10.0 + CELL_HEIGHT / 2.0, BAR, CELL_HEIGHT / 2.0, WASTE))
        .add(text("wasted requests*", x + 9.0, y, 11.0, SOFT));
    x += 122.0;
    let ring = rectangle(x, y - 9.5, 22.0, CELL_HEIGHT - 1.0, &colour::of(90.0));
    let ring = ring.set("stroke", INK).set("stroke-width", 1.5);
    group.add(ring).add(text("below the bar", x + 28.0, y, 11.0, SOFT))
}

/// One line per policy: how often it was far from the oracle, and what it wasted.
fn summary(groups: &[Group<'_>], y: f64) -> (SvgGroup, f64) {
    let mut summary = SvgGroup::new();
    let width = (WIDTH - 2.0 * MARGIN) / SHOWN.len() as f64;
    for (index, name) in SHOWN.into_iter().enumerate() {
        let x = MARGIN + width * index as f64;
        let goodputs: Vec<_> =
            groups.iter().filter_map(|group| group.mean(name, |row| row.goodput)).collect();
        let waste = groups.iter().filter_map(|group| group.mean(name, |row| row.wasted));
        let waste = waste.map(|it| it.max(0.0)).sum::<f64>() / goodputs.len().max(1) as f64;
        let below = |bound| goodputs.iter().filter(|it| **it < bound).count();
        let all = goodputs.len();
        let title = text(name.as_str(), x, y + 8.0, 13.0, INK).set("font-weight", 700);
        summary = summary
            .add(title)
            .add(text(format!("{} of {all} below 90 %", below(90.0)), x, y + 24.0, 11.0, INK))
            .add(text(format!("{} of {all} below 50 %", below(50.0)), x, y + 38.0, 11.0, INK))
            .add(text(format!("{waste:.0} % wasted*"), x, y + 52.0, 11.0, WASTE));
    }
    let note = "* failed requests in % of all, beyond the oracle's; a full bar is 50 points. \
                The oracle knows the receiver. Outlined: labhook is below its bar.";
    (summary.add(text(note, MARGIN, y + 72.0, 10.0, SOFT)), 84.0)
}

/// A column of classes.
fn panel(classes: &[&[Group<'_>]], x: f64, top: f64) -> SvgGroup {
    let mut panel = SvgGroup::new();
    let cells = x + PANEL - COLUMN * SHOWN.len() as f64;
    for (index, name) in SHOWN.into_iter().enumerate() {
        let (x, y) = (cells + COLUMN * index as f64 + CELL / 3.0, top + COLUMN_HEADS - 4.0);
        let weight = if name == Name::Labhook { 700 } else { 400 };
        let head = text(name.as_str(), x, y, 10.5, INK).set("font-weight", weight);
        panel = panel.add(head.set("transform", format!("rotate(-42 {x} {y})")));
    }
    let mut y = top + COLUMN_HEADS;
    for groups in classes {
        let class = groups[0].class;
        let heading = text(class.heading(), x, y + 16.0, 11.5, INK).set("font-weight", 700);
        let rule = Line::new().set("x1", x).set("x2", x + PANEL).set("y1", y + 20.5);
        panel = panel.add(heading).add(rule.set("y2", y + 20.5).set("stroke", RULE));
        y += HEADING;
        for group in *groups {
            panel = panel.add(row(group, x, cells, y));
            y += ROW;
        }
    }
    panel
}

/// A weather: its name, its load and a cell for each policy.
fn row(group: &Group<'_>, x: f64, cells: f64, y: f64) -> SvgGroup {
    let name = group.weather.split_once(": ").map_or(group.weather, |it| it.1);
    let baseline = y + 10.0;
    let load = text(group.load, cells - 6.0, baseline, 9.0, SOFT).set("text-anchor", "end");
    let mut row = SvgGroup::new().add(text(name, x, baseline, 10.0, INK)).add(load);
    for (index, policy) in SHOWN.into_iter().enumerate() {
        let Some(goodput) = group.mean(policy, |row| row.goodput) else { continue };
        let wasted = group.mean(policy, |row| row.wasted).unwrap_or(0.0);
        row = row.add(cell(goodput, wasted, cells + COLUMN * index as f64, y));
        if group.of(policy).any(|row| row.holds == Some(false)) {
            let x = cells + COLUMN * index as f64;
            let ring = rectangle(x + 0.75, y + 0.75, CELL - 1.5, CELL_HEIGHT - 1.5, "none");
            row = row.add(ring.set("stroke", INK).set("stroke-width", 1.5));
        }
    }
    row
}

fn cell(goodput: f64, wasted: f64, x: f64, y: f64) -> SvgGroup {
    let label = if goodput < 100.0 { (goodput + 0.5).floor().min(99.0) } else { 100.0 };
    // Less than half a percent from everything is everything, to the eye.
    let label = if goodput >= 99.5 { 100.0 } else { label };
    let number = text(format!("{label:.0}"), x + CELL / 2.0, y + 10.0, 9.5, colour::ink(goodput));
    let group = SvgGroup::new()
        .add(rectangle(x, y, CELL, CELL_HEIGHT, &colour::of(goodput)))
        .add(number.set("text-anchor", "middle"));
    let height = (wasted / FULL_WASTE).clamp(0.0, 1.0) * CELL_HEIGHT;
    if wasted < 1.0 {
        return group;
    }
    let height = (height.max(1.0) * 10.0).round() / 10.0;
    group.add(rectangle(x + CELL + 0.5, y + CELL_HEIGHT - height, BAR, height, WASTE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weather::Class;

    #[test]
    fn split_makes_the_panels_alike() {
        let group = |class| Group { class, weather: "", load: "", rows: Vec::new() };
        let [a, b, c] = [Class::Healthy, Class::Chance, Class::Poison].map(|class| {
            let rows = if class == Class::Poison { 9 } else { 4 };
            (0..rows).map(|_| group(class)).collect::<Vec<_>>()
        });
        assert_eq!(best_split(&[&a, &b, &c]), 2);
        assert_eq!(best_split(&[&c, &a, &b]), 1);
    }
}
