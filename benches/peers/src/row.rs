//! A row of the table: [`Row`].

use serde::{Deserialize, Serialize};

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// The cost in units of what it is compared with: less is better.
    Times,
    /// The peer's cost in units of ours: more is better.
    TimesFaster,
    Allocations,
    Bytes,
    Records,
    Instructions,
    /// Of this machine.
    Millis,
    Crates,
}

/// One kind of work, in one or more cases.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    pub work: String,
    /// What it is compared with, or how it is counted.
    pub against: String,
    pub unit: Unit,
    /// The name in the chart; `None` if the row is not drawn.
    pub short: Option<String>,
    /// The name of each case, and its figure.
    pub cases: Vec<(String, f64)>,
}

impl Row {
    pub fn new(work: impl Into<String>, against: impl Into<String>, unit: Unit) -> Self {
        let (work, against) = (work.into(), against.into());
        Self { work, against, unit, short: None, cases: Vec::new() }
    }

    /// Draws the row under this name.
    pub fn drawn(mut self, short: impl Into<String>) -> Self {
        self.short = Some(short.into());
        self
    }

    pub fn push(&mut self, case: impl Into<String>, value: f64) {
        let case = case.into();
        eprintln!("  {}: {case} {}", self.work, show(value));
        self.cases.push((case, value));
    }

    /// Adds the only case.
    pub fn one(mut self, value: f64) -> Self {
        self.push("", value);
        self
    }

    /// Returns the figures as text, with their unit.
    pub fn figures(&self) -> String {
        let figures: Vec<_> = self.cases.iter().map(|(_, value)| show(*value)).collect();
        let unit = match self.unit {
            Unit::Times | Unit::TimesFaster => "x",
            Unit::Allocations | Unit::Records | Unit::Instructions | Unit::Crates => "",
            Unit::Bytes => " B",
            Unit::Millis => " ms",
        };
        format!("{}{unit}", figures.join(" / "))
    }

    /// Returns the work and the names of its cases.
    pub fn title(&self) -> String {
        let cases: Vec<_> = self.cases.iter().map(|(case, _)| case.as_str()).collect();
        match cases.join(" / ") {
            cases if cases.is_empty() => self.work.clone(),
            cases => format!("{}: {cases}", self.work),
        }
    }
}

/// Three significant digits, without an exponent.
pub fn show(value: f64) -> String {
    match value.abs() {
        _ if value.fract() == 0.0 => format!("{value:.0}"),
        size if size < 0.095 => format!("{value:.3}"),
        size if size < 9.95 => format!("{value:.2}"),
        size if size < 99.5 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
